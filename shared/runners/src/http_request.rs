//! `http-request`: one HTTP request, and the redirects that follow from it where they are wanted.

mod body;
mod client;
mod redirect;
mod request;
mod response;

pub(crate) use client::HttpClients;

use crate::failed;
use model::ExecutionStatus;
use ports::{Canceled, Job, Outcome};
use redirect::Hop;
use request::HttpRequest;
use serde_json::json;
use tokio::time::timeout;

pub(crate) const NAME: &str = "http-request";

pub(crate) async fn run(clients: &HttpClients, job: &Job, canceled: Canceled) -> Outcome {
    let request = match HttpRequest::read(job) {
        Ok(request) => request,
        Err(error) => return failed(error),
    };
    let answer = timeout(request.timeout, exchange(clients, &request));
    tokio::select! {
        biased;
        answer = answer => match answer {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => failed(error),
            Err(_elapsed) => timed_out(&request),
        },
        () = canceled.wait() => crate::canceled(),
    }
}

fn timed_out(request: &HttpRequest) -> Outcome {
    let seconds = request.timeout.as_secs_f64();
    let error = format!("no complete response within {seconds} seconds");
    Outcome { status: ExecutionStatus::Timeout, result: json!({ "error": error }) }
}

async fn exchange(clients: &HttpClients, request: &HttpRequest) -> Result<Outcome, String> {
    let client = clients.for_request(request)?;
    let mut hop = Hop::first(request);
    for _redirect in 0..=redirect::MOST {
        clients.check(&hop.url, request).await?;
        let host = hop.host();
        let sent = hop.build(&client, request)?.send().await;
        let response = sent.map_err(|error| client::explain(&error, &host))?;
        match redirect::target(&response, request)? {
            Some(target) => hop.follow(response.status(), target),
            None => return response::outcome(response, clients.response_limit()).await,
        }
    }
    Err(format!("more than {} redirects", redirect::MOST))
}
