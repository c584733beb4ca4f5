//! Events of AWS services: each becomes an event of every `core.aws.event` trigger that it fits.

use engine::Catalog;
use model::{Id, Timestamp, TraceContext, Trigger, core_types};
use ports::TriggerEvent;
use serde_json::Value;

/// Parameters of the trigger type, and where EventBridge has what they name.
const FIELDS: [(&str, &str); 4] =
    [("source", "source"), ("detail_type", "detail-type"), ("account", "account"), ("region", "region")];

/// What an AWS event means to the rules. A second delivery of it gives the same.
pub(crate) fn triggered(catalog: &Catalog, envelope: &Value) -> Vec<TriggerEvent> {
    let fitting = catalog.triggers_of(core_types::AWS_EVENT).into_iter().filter(|trigger| fits(trigger, envelope));
    fitting.map(|trigger| event(trigger, envelope)).collect()
}

fn fits(trigger: &Trigger, envelope: &Value) -> bool {
    FIELDS.iter().all(|(parameter, field)| match trigger.parameters.get(*parameter) {
        Some(wanted) => envelope.get(*field) == Some(wanted),
        None => true,
    })
}

fn event(trigger: Trigger, envelope: &Value) -> TriggerEvent {
    let text = |name: &str| envelope.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = Id::named(&["aws", &trigger.id().to_string(), text("id")]);
    TriggerEvent {
        id,
        occurrence_time: text("time").parse().unwrap_or(Timestamp::from_millis(0)),
        payload: envelope.clone(),
        trace: TraceContext::new(id, format!("{}-{}", text("source"), text("id"))),
        trigger,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trigger(parameters: Value) -> Trigger {
        Trigger::new(core_types::AWS_EVENT.parse().unwrap(), parameters.as_object().cloned().unwrap())
    }

    #[test]
    fn an_event_fits_where_every_parameter_says_so() {
        let envelope = json!({
            "id": "6a7e8feb", "source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification",
            "account": "123456789012", "region": "eu-central-1", "time": "2026-11-24T12:00:00Z", "detail": {"state": "stopped"},
        });
        let base = json!({"source": "aws.ec2", "detail_type": "EC2 Instance State-change Notification"});
        assert!(fits(&trigger(base.clone()), &envelope));
        for (name, value, expected) in [
            ("region", "eu-central-1", true),
            ("region", "us-east-1", false),
            ("account", "210987654321", false),
            ("source", "aws.s3", false),
        ] {
            let mut parameters = base.clone();
            parameters.as_object_mut().unwrap().insert(name.to_owned(), json!(value));
            assert_eq!(fits(&trigger(parameters), &envelope), expected, "{name}={value}");
        }
        let (first, second) = (event(trigger(base.clone()), &envelope), event(trigger(base), &envelope));
        assert_eq!(first, second);
        assert_eq!(first.occurrence_time.to_string(), "2026-11-24T12:00:00.000000Z");
    }
}
