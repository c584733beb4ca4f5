//! The runner's and the action's parameters, as a request.

use super::body::Body;
use crate::parameters::Parameters;
use expressions::python;
use ports::Job;
use reqwest::{
    Method,
    header::{CONTENT_LENGTH, COOKIE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, USER_AGENT},
};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

/// Where the action gives no other.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the request stands in a distributed trace, unless the action says so itself.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// What is sent where the action names no other agent.
const AGENT: &str = concat!("squall/", env!("CARGO_PKG_VERSION"));

/// What an action asks for. Not printable: it may hold secrets.
pub(super) struct HttpRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) credentials: Credentials,
    pub(super) timeout: Duration,
    pub(super) allow_redirects: bool,
    pub(super) verify_certificate: bool,
    pub(super) http_proxy: Option<Url>,
    pub(super) https_proxy: Option<Url>,
    pub(super) blacklist: Vec<String>,
    pub(super) whitelist: Vec<String>,
}

/// What must not go to another server than the one it is for.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    /// `username` and `password`.
    pub(super) basic: Option<(String, String)>,
    /// `auth`, as a header.
    pub(super) header: Option<(HeaderName, HeaderValue)>,
}

impl HttpRequest {
    pub(super) fn read(job: &Job) -> Result<HttpRequest, String> {
        let runner = Parameters(job.runner_parameters.expose());
        let action = Parameters(job.action_parameters.expose());
        let mut headers = headers(runner, job.action.reference.name())?;
        let body = Body::read(action, &mut headers)?;
        let parent =
            job.context.trace_parent.as_ref().and_then(|parent| HeaderValue::try_from(parent.to_string()).ok());
        if let Some(parent) = parent.filter(|_| !headers.contains_key(TRACE_PARENT)) {
            headers.insert(TRACE_PARENT, parent);
        }
        let request = HttpRequest {
            method: method(action, &body)?,
            url: address(runner, action)?,
            headers,
            body,
            credentials: Credentials::read(runner, action)?,
            timeout: action.seconds("timeout")?.map_or(DEFAULT_TIMEOUT, |(_, duration)| duration),
            allow_redirects: runner.flag("allow_redirects")?.unwrap_or(false),
            verify_certificate: runner.flag("verify_ssl_cert")?.unwrap_or(true),
            http_proxy: proxy(runner, "http_proxy")?,
            https_proxy: proxy(runner, "https_proxy")?,
            blacklist: hosts(runner, "url_hosts_blacklist")?,
            whitelist: hosts(runner, "url_hosts_whitelist")?,
        };
        if !request.blacklist.is_empty() && !request.whitelist.is_empty() {
            return Err(
                "\"url_hosts_blacklist\" and \"url_hosts_whitelist\" exclude each other: give only one".to_owned()
            );
        }
        Ok(request)
    }

    /// The proxy that a request to this URL takes.
    pub(super) fn proxy(&self, url: &Url) -> Option<&Url> {
        if url.scheme() == "https" { self.https_proxy.as_ref() } else { self.http_proxy.as_ref() }
    }
}

impl Credentials {
    fn read(runner: Parameters<'_>, action: Parameters<'_>) -> Result<Credentials, String> {
        let (username, password) = (runner.text("username")?, runner.text("password")?);
        if username.is_some() || password.is_some() {
            let basic = (username.unwrap_or_default().to_owned(), password.unwrap_or_default().to_owned());
            return Ok(Credentials { basic: Some(basic), header: None });
        }
        let Some(auth) = action.text("auth")?.filter(|auth| !auth.is_empty()) else {
            return Ok(Credentials::default());
        };
        let header = auth.split_once('=').and_then(|(name, value)| header(name.trim(), value).ok());
        header
            .map(|header| Credentials { basic: None, header: Some(header) })
            .ok_or_else(|| "parameter \"auth\" must have the form header-name=value".to_owned())
    }
}

fn address(runner: Parameters<'_>, action: Parameters<'_>) -> Result<Url, String> {
    let text = runner.text("url")?.ok_or("parameter \"url\" is missing")?;
    let mut url = web_url("url", text)?;
    let pairs = action.object("params")?.map(pairs).unwrap_or_default();
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url.set_fragment(None);
    Ok(url)
}

fn proxy(runner: Parameters<'_>, name: &str) -> Result<Option<Url>, String> {
    let text = runner.text(name)?.filter(|text| !text.is_empty());
    text.map(|text| web_url(name, text)).transpose()
}

fn web_url(name: &str, text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|error| format!("parameter \"{name}\" is not a URL: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(format!("parameter \"{name}\" must begin with http:// or https://")),
    }
}

fn hosts(runner: Parameters<'_>, name: &str) -> Result<Vec<String>, String> {
    Ok(runner.texts(name)?.into_iter().map(str::to_owned).collect())
}

/// POST where there is something to post.
fn method(action: Parameters<'_>, body: &Body) -> Result<Method, String> {
    let Some(name) = action.text("method")? else {
        return Ok(if body.is_empty() { Method::GET } else { Method::POST });
    };
    Method::from_bytes(name.to_ascii_uppercase().as_bytes())
        .map_err(|_| "parameter \"method\" is not an HTTP method".to_owned())
}

/// Form fields: a list gives its name to each item, `null` is left out.
pub(super) fn pairs(fields: &Map<String, Value>) -> Vec<(&str, String)> {
    let each = |(name, value): (_, &Value)| match value {
        Value::Array(items) => items.iter().map(|item| (name, python::plain_text(item))).collect(),
        Value::Null => Vec::new(),
        value => vec![(name, python::plain_text(value))],
    };
    fields.iter().map(|(name, value)| (name.as_str(), value)).flat_map(each).collect()
}

fn headers(runner: Parameters<'_>, action_name: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, value) in runner.object("headers")?.into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        let (name, value) = header(name.trim(), &python::plain_text(value))?;
        headers.insert(name, value);
    }
    // These follow from the body that is sent.
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    if let Some(cookies) = runner.object("cookies")? {
        let own = headers.get(COOKIE).and_then(|own| own.to_str().ok()).map(str::to_owned);
        let given = pairs(cookies).into_iter().map(|(name, value)| format!("{name}={value}"));
        let all = own.into_iter().chain(given).collect::<Vec<_>>().join("; ");
        if !all.is_empty() {
            headers.insert(
                COOKIE,
                HeaderValue::from_bytes(all.as_bytes())
                    .map_err(|_| "parameter \"cookies\" has a line end or control character")?,
            );
        }
    }
    if let Ok(name) = HeaderValue::from_str(action_name) {
        headers.insert("x-stanley-action", name);
    }
    Ok(headers)
}

/// The message names the header, not its value.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let header_name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("parameter \"headers\": {name:?} can't be the name of a header"))?;
    let mut header_value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| format!("parameter \"headers\": the value of {name} has a line end or control character"))?;
    header_value.set_sensitive(true);
    Ok((header_name, header_value))
}
