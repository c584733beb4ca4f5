//! Webhooks: an HTTP request becomes an event for each trigger with its URL.

use model::{Id, Trigger, core_types};
use serde_json::{Map, Value, json};

use super::TraceRequest;
use crate::{Catalog, Engine, Error, Principal};

/// Headers that identify a delivery, so that a sender's second try is no second event.
const DELIVERY_HEADERS: [&str; 10] = [
    "webhook-id",
    "x-github-delivery",
    "x-gitlab-event-uuid",
    "x-gitea-delivery",
    "x-gogs-delivery",
    "x-request-uuid",
    "x-shopify-webhook-id",
    "linear-delivery",
    "ce-id",
    "idempotency-key",
];

/// Headers that hold credentials; they are no part of the event.
const CREDENTIAL_HEADERS: [&str; 5] = ["st2-api-key", "x-auth-token", "cookie", "authorization", "proxy-authorization"];

/// The header that gives the trace's tag; it is no part of the event, either.
const TRACE_TAG_HEADER: &str = "st2-trace-tag";

/// A request to a webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// What stands behind `/webhooks/`.
    pub url: String,
    /// All headers as they came.
    pub headers: Vec<(String, String)>,
    /// The trace that is asked for.
    pub trace: TraceRequest,
    /// The body, read by its content type.
    pub body: Value,
}

/// A webhook's URL as it is compared: without slashes at its ends.
pub(crate) fn normalized(url: &str) -> &str {
    url.trim_matches('/')
}

impl Catalog {
    /// Every webhook that an enabled rule listens to, with its URL.
    pub fn webhooks(&self) -> Vec<(String, Trigger)> {
        let url = |trigger: &Trigger| {
            trigger.parameters.get("url").and_then(Value::as_str).map(|url| normalized(url).to_owned())
        };
        self.triggers_of(core_types::WEBHOOK)
            .into_iter()
            .filter_map(|trigger| Some((url(&trigger)?, trigger)))
            .collect()
    }
}

impl Engine {
    /// Takes a request to a webhook. `Ok` when its events are safe: one for each trigger with that URL; their ids.
    pub async fn webhook(&self, principal: &Principal, webhook: Webhook) -> Result<Vec<Id>, Error> {
        principal.require_view()?;
        let url = normalized(&webhook.url);
        let catalog = self.catalog().await?;
        let triggers = catalog.webhook(url);
        if triggers.is_empty() {
            return Err(Error::new(
                crate::ErrorKind::NotFound,
                format!("Invalid hook: no rule listens to webhook \"{url}\""),
            ));
        }
        let payload = payload(&webhook);
        let kind = core_types::WEBHOOK.parse().map_err(Error::damaged)?;
        catalog.check_payload(&kind, &payload)?;
        let delivery = find(&webhook.headers, &DELIVERY_HEADERS);
        let mut events = Vec::with_capacity(triggers.len());
        for trigger in triggers {
            let fresh = || Id::at(self.ports.clock.now(), self.ports.clock.entropy());
            let id = delivery.map_or_else(fresh, |(header, value)| {
                Id::named(&["webhook", &trigger.id().to_string(), header, value])
            });
            let trace = webhook.trace.clone().context(id, || format!("webhook-{url}-{id}"));
            events.push(self.event(id, trigger.clone(), payload.clone(), trace));
        }
        let ids = events.iter().map(|event| event.id).collect();
        self.publish(events).await?;
        Ok(ids)
    }
}

/// The first of these headers that is there, with its value.
fn find<'a>(headers: &'a [(String, String)], wanted: &[&'a str]) -> Option<(&'a str, &'a str)> {
    wanted.iter().find_map(|name| {
        let found = headers.iter().find(|(header, value)| header.eq_ignore_ascii_case(name) && !value.is_empty());
        found.map(|(_, value)| (*name, value.as_str()))
    })
}

fn payload(webhook: &Webhook) -> Value {
    let (mut titled, mut lower) = (Map::new(), Map::new());
    for (name, value) in &webhook.headers {
        let name = name.to_ascii_lowercase();
        if !CREDENTIAL_HEADERS.contains(&name.as_str()) && name != TRACE_TAG_HEADER {
            titled.insert(title_case(&name), json!(value));
            lower.insert(name, json!(value));
        }
    }
    json!({"headers": titled, "headers_lower": lower, "body": webhook.body})
}

/// `x-github-event` as `X-Github-Event`, the form in which StackStorm's rules look for it.
fn title_case(name: &str) -> String {
    let mut titled = String::with_capacity(name.len());
    let mut first = true;
    for character in name.chars() {
        titled.push(if first { character.to_ascii_uppercase() } else { character });
        first = character == '-';
    }
    titled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_no_part_of_the_event_and_names_are_titled() {
        let headers = [("x-github-event", "push"), ("St2-Api-Key", "k"), ("Authorization", "Basic x"), ("Cookie", "c")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let payload =
            payload(&Webhook { url: "x".to_owned(), headers, trace: TraceRequest::default(), body: json!([1]) });
        let expected =
            json!({"headers": {"X-Github-Event": "push"}, "headers_lower": {"x-github-event": "push"}, "body": [1]});
        assert_eq!(payload, expected);
    }
}
