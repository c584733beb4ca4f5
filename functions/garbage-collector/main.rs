//! `garbage-collector`: once a minute, what will be due soon is sent ahead and what is overdue is sent again. What has expired is
//! removed by the table itself.

mod handler;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let collector = handler::Collector::new(functions::start("garbage-collector").await?);
    functions::serve(async |event, _| collector.handle(event).await).await
}
