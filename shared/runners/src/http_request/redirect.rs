//! Redirects, hop by hop, so that each target is checked like the first one and credentials stay with the server they are for.

use super::request::{Credentials, HttpRequest};
use crate::http_policy::host_of;
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION},
};
use url::Url;

/// How many redirects are followed.
pub(super) const MOST: usize = 30;

/// One request of a chain.
pub(super) struct Hop {
    pub(super) url: Url,
    method: Method,
    headers: HeaderMap,
    credentials: Credentials,
    with_body: bool,
}

/// Where a response leads, if it leads anywhere and redirects are wanted.
pub(super) fn target(response: &Response, request: &HttpRequest) -> Result<Option<Url>, String> {
    let leads = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION).filter(|_| leads && request.allow_redirects) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(location.as_bytes()).ok();
    let target = text.and_then(|text| response.url().join(text).ok());
    match target.filter(|target| matches!(target.scheme(), "http" | "https")) {
        Some(target) => Ok(Some(target)),
        None => Err(format!("{} redirects to something that is no web address", host_of(response.url()))),
    }
}

impl Hop {
    pub(super) fn first(request: &HttpRequest) -> Hop {
        Hop {
            url: request.url.clone(),
            method: request.method.clone(),
            headers: request.headers.clone(),
            credentials: request.credentials.clone(),
            with_body: true,
        }
    }

    pub(super) fn host(&self) -> String {
        host_of(&self.url).to_owned()
    }

    pub(super) fn build(&self, client: &Client, request: &HttpRequest) -> Result<RequestBuilder, String> {
        let mut builder = client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        if let Some((username, password)) = &self.credentials.basic {
            builder = builder.basic_auth(username, Some(password));
        }
        if let Some((name, value)) = &self.credentials.header {
            builder = builder.header(name, value);
        }
        if self.with_body { request.body.attach(builder) } else { Ok(builder) }
    }

    /// The next request of the chain. Another method than the first goes without the body, another server without what is secret.
    pub(super) fn follow(&mut self, status: StatusCode, mut target: Url) {
        let becomes_get = match status.as_u16() {
            301 => self.method == Method::POST,
            302 | 303 => self.method != Method::HEAD,
            _ => false,
        };
        if becomes_get && self.method != Method::GET {
            self.method = Method::GET;
            self.with_body = false;
            self.headers.remove(CONTENT_TYPE);
        }
        if target.origin() != self.url.origin() {
            self.credentials = Credentials::default();
            self.headers.remove(AUTHORIZATION);
            self.headers.remove(COOKIE);
        } else if target.username().is_empty() && target.password().is_none() {
            // A URL with a host takes both.
            let _user = target.set_username(self.url.username());
            let _password = target.set_password(self.url.password());
        }
        target.set_fragment(None);
        self.url = target;
    }
}
