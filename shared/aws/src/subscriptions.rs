//! Which events of AWS services reach the platform's bus: rules on the account's default bus, managed by the platform under a prefix of
//! its own.

use aws_sdk_eventbridge::{
    Client,
    types::{RuleState, Target},
};
use model::Trigger;
use ports::BusError;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::retry;

/// The target of each rule: the platform's bus.
const TARGET: &str = "squall";

/// How the platform's bus is subscribed to the default bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriptions {
    /// What the names of the platform's rules begin with (`SQUALL_EVENT_RULE_PREFIX`).
    pub prefix: String,
    /// The platform's bus (`SQUALL_BUS_ARN`).
    pub bus_arn: String,
    /// The role in which EventBridge puts events on it (`SQUALL_EVENT_ROLE_ARN`).
    pub role_arn: String,
}

impl Subscriptions {
    /// As the environment says; `None` where the function is not meant to change subscriptions.
    pub(crate) fn from_lookup(lookup: impl Fn(&'static str) -> Option<String>) -> Option<Subscriptions> {
        let text = |name| lookup(name).filter(|value| !value.is_empty());
        Some(Subscriptions {
            prefix: text("SQUALL_EVENT_RULE_PREFIX")?,
            bus_arn: text("SQUALL_BUS_ARN")?,
            role_arn: text("SQUALL_EVENT_ROLE_ARN")?,
        })
    }

    /// Makes the platform's rules on the default bus those that these triggers need.
    pub(crate) async fn set(&self, client: &Client, triggers: &[Trigger]) -> Result<(), BusError> {
        let wanted: BTreeMap<String, String> =
            triggers.iter().map(|trigger| (format!("{}{}", self.prefix, trigger.id()), pattern(trigger))).collect();
        let standing = self.standing(client).await?;
        for (name, pattern) in wanted.iter().filter(|(name, _)| standing.get(*name) != Some(&true)) {
            self.subscribe(client, name, pattern).await?;
        }
        for name in standing.keys().filter(|name| !wanted.contains_key(*name)) {
            unsubscribe(client, name).await?;
        }
        Ok(())
    }

    /// The platform's rules, and whether each is enabled, which it is when it is complete.
    async fn standing(&self, client: &Client) -> Result<BTreeMap<String, bool>, BusError> {
        let mut names = BTreeMap::new();
        let mut next = None;
        loop {
            let request = client.list_rules().name_prefix(&self.prefix).set_next_token(next);
            let answer = request.send().await.map_err(|error| BusError::Unavailable(retry::words(&error)))?;
            for rule in answer.rules.unwrap_or_default() {
                let enabled = rule.state == Some(RuleState::Enabled);
                names.extend(rule.name.map(|name| (name, enabled)));
            }
            next = answer.next_token;
            if next.is_none() {
                return Ok(names);
            }
        }
    }

    async fn subscribe(&self, client: &Client, name: &str, pattern: &str) -> Result<(), BusError> {
        let rule = client.put_rule().name(name).event_pattern(pattern).description("Made by Squall for core.aws.event");
        let disabled = rule.clone().state(RuleState::Disabled).send().await;
        disabled.map_err(|error| BusError::Unavailable(retry::words(&error)))?;
        let target = Target::builder().id(TARGET).arn(&self.bus_arn).role_arn(&self.role_arn).build();
        let target = target.map_err(|error| BusError::Unavailable(error.to_string()))?;
        let put = client.put_targets().rule(name).targets(target).send().await;
        put.map_err(|error| BusError::Unavailable(retry::words(&error)))?;
        let enabled = rule.state(RuleState::Enabled).send().await;
        enabled.map(drop).map_err(|error| BusError::Unavailable(retry::words(&error)))
    }
}

async fn unsubscribe(client: &Client, name: &str) -> Result<(), BusError> {
    let removed = client.remove_targets().rule(name).ids(TARGET).send().await;
    removed.map_err(|error| BusError::Unavailable(retry::words(&error)))?;
    client.delete_rule().name(name).send().await.map(drop).map_err(|error| BusError::Unavailable(retry::words(&error)))
}

/// The events that a trigger means.
fn pattern(trigger: &Trigger) -> String {
    let fields = [("source", "source"), ("detail_type", "detail-type"), ("account", "account"), ("region", "region")];
    let named = fields
        .into_iter()
        .filter_map(|(parameter, field)| Some((field.to_owned(), json!([trigger.parameters.get(parameter)?]))));
    Value::Object(named.collect::<Map<_, _>>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_says_which_events_it_means() {
        let parameters = json!({"source": "aws.s3", "detail_type": "Object Created", "region": "eu-west-1"});
        let trigger = Trigger::new("core.aws.event".parse().unwrap(), parameters.as_object().cloned().unwrap());
        let expected = r#"{"source":["aws.s3"],"detail-type":["Object Created"],"region":["eu-west-1"]}"#;
        assert_eq!(pattern(&trigger), expected);
    }
}
