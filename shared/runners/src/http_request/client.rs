//! The HTTP client: connects only where the policy allows, whatever a name resolves to.

use super::request::HttpRequest;
use crate::http_policy::{HttpPolicy, Refused, host_of, is_listed};
use reqwest::{
    Client, ClientBuilder, Proxy,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use std::{
    error::Error,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};
use tokio::net::lookup_host;
use url::{Host, Url};

/// The clients of all requests, and what they may reach. Connections are kept and used again.
pub(crate) struct HttpClients {
    policy: Arc<HttpPolicy>,
    response_limit: usize,
    verifying: OnceLock<Result<Client, String>>,
    trusting: OnceLock<Result<Client, String>>,
}

impl HttpClients {
    pub(crate) fn new(policy: HttpPolicy, response_limit: usize) -> HttpClients {
        HttpClients { policy: Arc::new(policy), response_limit, verifying: OnceLock::new(), trusting: OnceLock::new() }
    }

    pub(super) const fn response_limit(&self) -> usize {
        self.response_limit
    }

    /// The client that this request takes: a shared one, or one of its own where it goes through proxies.
    pub(super) fn for_request(&self, request: &HttpRequest) -> Result<Client, String> {
        let builder = || self.builder(request.verify_certificate);
        if request.http_proxy.is_none() && request.https_proxy.is_none() {
            let shared = if request.verify_certificate { &self.verifying } else { &self.trusting };
            return shared.get_or_init(|| build(builder())).clone();
        }
        let mut builder = builder();
        type Kind = fn(Url) -> reqwest::Result<Proxy>;
        for (url, kind) in [(&request.http_proxy, Proxy::http as Kind), (&request.https_proxy, Proxy::https as Kind)] {
            if let Some(url) = url {
                self.policy.check(url).map_err(|refused| refused.to_string())?;
                let proxy = kind(url.clone()).map_err(|_| format!("proxy {} can't be used", host_of(url)))?;
                builder = builder.proxy(proxy);
            }
        }
        build(builder)
    }

    /// May the request go to this URL? What a name resolves to is checked here only for proxies, who resolve it themselves; else when it
    /// is connected to, so that nobody can change it in between.
    pub(super) async fn check(&self, url: &Url, request: &HttpRequest) -> Result<(), String> {
        let host = host_of(url);
        if is_listed(host, request.blacklist.iter().map(String::as_str)) {
            return Err(format!("host {host} is in \"url_hosts_blacklist\""));
        }
        if !request.whitelist.is_empty() && !is_listed(host, request.whitelist.iter().map(String::as_str)) {
            return Err(format!("host {host} is not in \"url_hosts_whitelist\""));
        }
        self.policy.check(url).map_err(|refused| refused.to_string())?;
        if let (Some(Host::Domain(name)), Some(_proxy)) = (url.host(), request.proxy(url)) {
            // A name that only the proxy knows is the proxy's to judge.
            for address in lookup_host((name, 0)).await.into_iter().flatten() {
                self.policy.check_address(host, address.ip()).map_err(|refused| refused.to_string())?;
            }
        }
        Ok(())
    }

    fn builder(&self, verify_certificate: bool) -> ClientBuilder {
        Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .tls_danger_accept_invalid_certs(!verify_certificate)
            .dns_resolver(Resolver(Arc::clone(&self.policy)))
    }
}

fn build(builder: ClientBuilder) -> Result<Client, String> {
    builder.build().map_err(|error| format!("the HTTP client can't be set up: {}", innermost(&error)))
}

/// Resolves names to the addresses that the policy allows.
struct Resolver(Arc<HttpPolicy>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str();
            let mut refused: Option<Refused> = None;
            let mut allowed: Vec<SocketAddr> = Vec::new();
            for address in lookup_host((host, 0)).await? {
                match policy.check_address(host, address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(error) => refused = Some(error),
                }
            }
            match refused {
                Some(refused) if allowed.is_empty() => Err(refused.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// What went wrong, without the URL: it may hold secrets.
pub(super) fn explain(error: &reqwest::Error, host: &str) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(refused) = current.downcast_ref::<Refused>() {
            return refused.to_string();
        }
        cause = current.source();
    }
    let what = if error.is_connect() { "can't connect to" } else { "the request failed at" };
    format!("{what} {host}: {}", innermost(error))
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    let mut text = None;
    while let Some(current) = cause {
        text = Some(current.to_string());
        cause = current.source();
    }
    text.unwrap_or_else(|| "the request is malformed".to_owned())
}
