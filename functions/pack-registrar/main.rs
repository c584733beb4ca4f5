//! `pack-registrar`: an archive that was uploaded becomes a live pack, or a list of what is wrong with it.

mod handler;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let platform = functions::start("pack-registrar").await?.without_runner();
    functions::serve(async |event, _| Ok(handler::handle(&platform, event).await)).await
}
