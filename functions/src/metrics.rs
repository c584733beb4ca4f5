//! Metrics from what the engine says of its work, written as CloudWatch's embedded metric format: no request, no agent.
//!
//! The names are StackStorm's. What would be a name per action or per trigger there is a dimension here, and ids are none at all:
//! CloudWatch keeps, and charges, a series for each.

use ports::Clock;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Mutex, PoisonError},
};
use tracing::{Event, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

use crate::log::Fields;

const NAMESPACE: &str = "Squall";

/// What was counted since the last line. A function serves one invocation at a time.
static COUNTED: Mutex<Option<Counted>> = Mutex::new(None);

/// A dimension beside the service's: its name and value.
type Dimension = Option<(&'static str, String)>;

#[derive(Default)]
struct Counted {
    service: &'static str,
    series: BTreeMap<Dimension, BTreeMap<String, (&'static str, Vec<f64>)>>,
}

impl Counted {
    fn add(&mut self, dimension: Dimension, name: &str, unit: &'static str, value: f64) {
        let values =
            &mut self.series.entry(dimension).or_default().entry(name.to_owned()).or_insert((unit, Vec::new())).1;
        match values.first_mut() {
            Some(sum) if unit == "Count" => *sum += value,
            _ => values.push(value),
        }
    }

    /// What an event of the engine's counts for.
    fn note(&mut self, event: &Map<String, Value>) {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        let number = |name: &str| event.get(name).and_then(Value::as_f64).unwrap_or_default();
        let of = |name, value: Option<&str>| Some((name, value.unwrap_or_default().to_owned()));
        match (text("audit"), text("metric")) {
            (Some("execution.complete"), _) => {
                let status = format!("action.executions.{}", text("status").unwrap_or_default());
                self.add(None, "action.executions", "Count", 1.0);
                self.add(None, &status, "Count", 1.0);
                self.add(None, "action.executions.duration", "Milliseconds", number("duration_ms"));
                self.add(of("action", text("action")), &status, "Count", 1.0);
            }
            (_, Some("trigger.processed")) => {
                self.add(None, "trigger.processed", "Count", 1.0);
                self.add(None, "rule.matched", "Count", number("matched"));
                self.add(of("trigger", text("trigger")), "trigger.processed", "Count", 1.0);
            }
            _ => {}
        }
    }

    /// One line for each set of dimensions.
    fn lines(self, millis: i64) -> Vec<Value> {
        let service = self.service;
        let line = |(dimension, series): (Dimension, BTreeMap<String, (&'static str, Vec<f64>)>)| {
            let mut names = vec!["service"];
            names.extend(dimension.iter().map(|(name, _)| *name));
            let metrics: Vec<_> = series.iter().map(|(name, (unit, _))| json!({"Name": name, "Unit": unit})).collect();
            let mut line = Map::from_iter([
                (
                    "_aws".to_owned(),
                    json!({
                        "Timestamp": millis,
                        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": metrics}],
                    }),
                ),
                ("service".to_owned(), json!(service)),
            ]);
            line.extend(dimension.map(|(name, value)| (name.to_owned(), json!(value))));
            line.extend(series.into_iter().map(|(name, (_, values))| (name, json!(values))));
            Value::Object(line)
        };
        self.series.into_iter().map(line).collect()
    }
}

/// Listens to what the engine says.
pub(crate) struct Metrics(());

impl Metrics {
    pub(crate) fn new(service: &'static str) -> Metrics {
        *COUNTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Counted { service, ..Counted::default() });
        Metrics(())
    }
}

impl<S: Subscriber> Layer<S> for Metrics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !event.metadata().fields().iter().any(|field| matches!(field.name(), "audit" | "metric")) {
            return;
        }
        let mut fields = Map::new();
        event.record(&mut Fields(&mut fields));
        if let Some(counted) = COUNTED.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            counted.note(&fields);
        }
    }
}

/// Writes what was counted since the last time.
pub(crate) fn flush() {
    let counted = {
        let mut current = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(service) = current.as_ref().map(|counted| counted.service) else { return };
        current.replace(Counted { service, ..Counted::default() })
    };
    let mut out = std::io::stdout().lock();
    for line in counted.into_iter().flat_map(|counted| counted.lines(aws::SystemClock.now().millis())) {
        // A metric that can't be written must not fail the work that it counts.
        let _written = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_counted_by_status_and_action_and_never_by_id() {
        let mut counted = Counted { service: "action-runner", ..Counted::default() };
        for (status, took) in [("succeeded", 10), ("succeeded", 30), ("failed", 5)] {
            let event = json!({"audit": "execution.complete", "execution": "5f", "action": "core.local", "status": status, "duration_ms": took});
            counted.note(event.as_object().unwrap());
        }
        let lines = counted.lines(1_000);
        let expected = json!({
            "_aws": {
                "Timestamp": 1000,
                "CloudWatchMetrics": [{
                    "Namespace": "Squall",
                    "Dimensions": [["service"]],
                    "Metrics": [
                        {"Name": "action.executions", "Unit": "Count"},
                        {"Name": "action.executions.duration", "Unit": "Milliseconds"},
                        {"Name": "action.executions.failed", "Unit": "Count"},
                        {"Name": "action.executions.succeeded", "Unit": "Count"},
                    ],
                }],
            },
            "service": "action-runner",
            "action.executions": [3.0],
            "action.executions.duration": [10.0, 30.0, 5.0],
            "action.executions.failed": [1.0],
            "action.executions.succeeded": [2.0],
        });
        assert_eq!(lines.first(), Some(&expected));
        let by_action = lines.get(1).unwrap();
        assert_eq!(by_action.pointer("/_aws/CloudWatchMetrics/0/Dimensions"), Some(&json!([["service", "action"]])));
        assert_eq!(by_action.get("action.executions.succeeded"), Some(&json!([2.0])));
        assert!(lines.iter().all(|line| !line.to_string().contains("5f")));
    }
}
