//! The way to a host: its REST API.

mod access;
mod listing;
mod upload;

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use std::time::Duration;

use crate::failure::Failure;

pub(crate) use access::Access;
pub(crate) use listing::{Listing, Query, nearest};

/// How long a host may take to take the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a host may take to answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The header that carries the key.
const KEY_HEADER: &str = "St2-Api-Key";
/// The header of an answer that names the events that came of the request.
const INSTANCE_HEADER: &str = "X-Trigger-Instance-Id";

/// Speaks with one host.
pub(crate) struct Client {
    http: reqwest::Client,
    access: Access,
}

/// What the host answered.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The id of the event that a webhook's delivery became.
    pub(crate) fn trigger_instance(&self) -> Option<String> {
        let ids = self.headers.get(INSTANCE_HEADER)?.to_str().ok()?;
        ids.split(',').map(str::trim).find(|id| !id.is_empty()).map(str::to_owned)
    }
}

impl Client {
    pub(crate) fn new(access: Access) -> Result<Client, Failure> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("squall/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // The key must not follow a redirect to wherever it leads.
            .redirect(reqwest::redirect::Policy::none());
        if access.is_loopback() {
            builder = builder.no_proxy();
        }
        if access.is_plain() {
            // Reading the system's certificates takes longer than most commands.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| Failure::new(format!("the HTTP client can't be made: {error}")))?;
        Ok(Client { http, access })
    }

    /// The host's address without the API's path.
    pub(crate) fn address(&self) -> &str {
        self.access.address()
    }

    /// `GET`.
    pub(crate) async fn get(&self, path: &[&str], query: &Query) -> Result<Value, Failure> {
        Ok(self.send(self.request(Method::GET, path)?.query(query.pairs())).await?.body)
    }

    /// `GET` of one thing; where there is none, the nearest of `names` is suggested.
    pub(crate) async fn get_one(&self, resource: &str, name: &str, query: &Query) -> Result<Value, Failure> {
        match self.get(&[resource, name], query).await {
            Err(failure) if failure.is_not_found() => {
                let near = self.nearest(resource, name).await;
                Err(failure.maybe_hint(near.map(|near| format!("did you mean {near}?"))))
            }
            answer => answer,
        }
    }

    /// `POST`, `PUT` or `DELETE` with a JSON body.
    pub(crate) async fn call(&self, method: Method, path: &[&str], body: Option<&Value>) -> Result<Value, Failure> {
        let request = self.request(method, path)?;
        Ok(self.send(body.into_iter().fold(request, RequestBuilder::json)).await?.body)
    }

    /// A request to the API, with the key.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Failure> {
        let request = self.http.request(method, self.access.endpoint(path)?);
        Ok(self.access.key.iter().fold(request, |request, key| request.header(KEY_HEADER, key)))
    }

    /// Sends it, and takes any answer but a success for a failure.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.map_err(|error| self.unreachable(&error))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status.is_success() { Ok(Answer { headers, body }) } else { Err(self.refused(status, body)) }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let address = self.address();
        if error.is_connect() {
            Failure::new(format!("nothing answers at {address}")).hint("is squall up? start it with `squall up`")
        } else if error.is_timeout() {
            Failure::new(format!("{address} did not answer within {} seconds", REQUEST_TIMEOUT.as_secs()))
        } else {
            let reason = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
            Failure::new(format!("the exchange with {address} failed: {reason}"))
        }
    }

    fn refused(&self, status: StatusCode, body: Value) -> Failure {
        let fault = body.get("faultstring").and_then(Value::as_str).map(str::to_owned);
        let message = fault.unwrap_or_else(|| format!("{} answered {status}", self.address()));
        match status {
            StatusCode::UNAUTHORIZED => Failure::new(message).hint(self.access.key_hint()),
            StatusCode::NOT_FOUND => Failure::not_found(message),
            status if status.is_redirection() => {
                Failure::new(format!("{} answered {status}, which is not squall's API", self.address()))
                    .hint("is --url (or SQUALL_URL, ST2_API_URL) the address of a host?")
            }
            _ => Failure::new(message).with_answer(body),
        }
    }
}
