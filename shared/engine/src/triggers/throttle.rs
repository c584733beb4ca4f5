//! Rules that act only so often: windows, counters, and what becomes of events past the count.

use expressions::jsonpath::{JsonPath, Root};
use model::{Id, Rule, Throttle, ThrottleAction, Timestamp};
use ports::{Guard, Operation};
use rules::NoKeyValues;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

use crate::{Engine, Error, records};

/// How long a throttle lets an execution wait; what would have to wait longer is dropped.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3_600);

/// The record of one rule and one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counter {
    /// When the window began.
    start: Timestamp,
    /// Events since then.
    count: u64,
    /// The execution at the end of the window, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merged: Option<Merged>,
}

/// The executions that stand for several events: ids of the event that asked for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Merged {
    execution: Id,
}

/// What a throttle says to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// It passes.
    Now,
    /// Its execution starts then.
    Later(Timestamp),
    /// Nothing is requested.
    Dropped,
    /// It is in an execution that was requested for an earlier event; that of its first action.
    Merged(Id),
}

impl Passage {
    /// When its executions start, if it gets any: `Some(None)` is at once.
    #[expect(clippy::option_option, reason = "whether, and when")]
    pub(super) const fn start(&self) -> Option<Option<Timestamp>> {
        match self {
            Passage::Now => Some(None),
            Passage::Later(at) => Some(Some(*at)),
            Passage::Dropped | Passage::Merged(_) => None,
        }
    }

    /// Why it was held back, if it was.
    pub(super) fn reason(&self) -> Option<String> {
        match self {
            Passage::Now => None,
            Passage::Later(at) => Some(format!("throttled: it starts at {at}")),
            Passage::Dropped => Some("throttled: dropped".to_owned()),
            Passage::Merged(into) => Some(format!("throttled: merged into execution {into}")),
        }
    }

    /// The execution in which the rule's action at that place is.
    pub(super) fn merged_into(&self, at: usize) -> Option<Id> {
        match self {
            Passage::Merged(execution) if at == 0 => Some(*execution),
            _ => None,
        }
    }
}

impl Engine {
    /// Decides on an event that matches a throttled rule. What it returns to be written is guarded: of two events at once, one is decided
    /// again.
    pub(super) async fn pass(
        &self,
        rule: &Rule,
        throttle: &Throttle,
        payload: &Value,
        execution: Id,
    ) -> Result<(Passage, Operation), Error> {
        let key = records::throttle_key(&rule.reference, group(throttle, payload)?);
        let record = self.ports.store.get(&key).await?;
        let counter = record.as_ref().map(records::read).transpose()?;
        let (counter, passage) = decide(counter, throttle, self.ports.clock.now(), execution);
        let guard = record.map_or(Guard::Absent, |record| Guard::Version(record.version));
        let ends = counter.start.after(window(throttle) * (windows(&counter, throttle) + 1));
        let life = records::Life { due: None, ttl: Some(ends) };
        Ok((passage, records::put(key, &counter, Vec::new(), guard, life)?))
    }
}

/// The values of `group_by`, as an id.
fn group(throttle: &Throttle, payload: &Value) -> Result<Id, Error> {
    let root = Root { name: "trigger", value: payload, key_values: &NoKeyValues };
    let mut values = Vec::new();
    for key in &throttle.group_by {
        let found = JsonPath::parse(key).and_then(|path| path.first(root).map(|value| value.to_string()));
        values.push(found.map_err(|error| Error::invalid(format!("throttle: group_by: key \"{key}\": {error}")))?);
    }
    let parts: Vec<&str> = values.iter().map(String::as_str).collect();
    Ok(Id::named(&parts))
}

const fn window(throttle: &Throttle) -> Duration {
    Duration::from_secs(throttle.window)
}

/// Over how many windows the events so far are spread.
fn windows(counter: &Counter, throttle: &Throttle) -> u32 {
    let spread = match throttle.action {
        ThrottleAction::Delay => counter.count.div_ceil(u64::from(throttle.count.max(1))),
        ThrottleAction::Drop | ThrottleAction::Merge => 1,
    };
    u32::try_from(spread.max(1)).unwrap_or(u32::MAX - 1)
}

fn decide(counter: Option<Counter>, throttle: &Throttle, now: Timestamp, execution: Id) -> (Counter, Passage) {
    let runs = |counter: &Counter| now < counter.start.after(window(throttle) * windows(counter, throttle));
    let mut counter = counter.filter(runs).unwrap_or(Counter { start: now, count: 0, merged: None });
    let limit = u64::from(throttle.count.max(1));
    let place = u32::try_from(counter.count / limit).unwrap_or(u32::MAX);
    let starts = counter.start.after(window(throttle) * place);
    let passage = match throttle.action {
        _ if place == 0 => Passage::Now,
        ThrottleAction::Drop => Passage::Dropped,
        ThrottleAction::Delay if starts <= now => Passage::Now,
        ThrottleAction::Delay if starts.since(now) > MAX_WAIT => Passage::Dropped,
        ThrottleAction::Delay => Passage::Later(starts),
        ThrottleAction::Merge => match &counter.merged {
            Some(merged) => Passage::Merged(merged.execution),
            None => Passage::Later(counter.start.after(window(throttle))),
        },
    };
    if throttle.action == ThrottleAction::Merge && matches!(passage, Passage::Later(_)) {
        counter.merged = Some(Merged { execution });
    }
    // What is dropped takes no place in a later window.
    if throttle.action != ThrottleAction::Delay || passage != Passage::Dropped {
        counter.count += 1;
    }
    (counter, passage)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The passages of events at these seconds, two a minute.
    fn passages(action: ThrottleAction, seconds: &[i64]) -> Vec<Passage> {
        let throttle = Throttle { count: 2, window: 60, group_by: Vec::new(), action };
        let mut counter = None;
        let decide = |second: &i64| {
            let execution = Id::named(&[&second.to_string()]);
            let (next, passage) = decide(counter.take(), &throttle, at(*second), execution);
            counter = Some(next);
            passage
        };
        seconds.iter().map(decide).collect()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    #[test]
    fn a_window_begins_with_the_first_event_after_the_last_one() {
        use Passage::{Dropped, Now};
        assert_eq!(
            passages(ThrottleAction::Drop, &[10, 20, 30, 69, 70, 71, 72]),
            [Now, Now, Dropped, Dropped, Now, Now, Dropped]
        );
    }

    #[test]
    fn later_windows_have_room_for_as_many() {
        use Passage::{Later, Now};
        let delayed = passages(ThrottleAction::Delay, &[0, 0, 1, 1, 1, 70, 130, 180, 300]);
        let expected =
            [Now, Now, Later(at(60)), Later(at(60)), Later(at(120)), Later(at(120)), Later(at(180)), Now, Now];
        assert_eq!(delayed, expected);
        let many = passages(ThrottleAction::Delay, &[0; 3_000]);
        assert_eq!((many[2_881].clone(), many[2_882].clone()), (Later(at(86_400)), Passage::Dropped));
    }

    #[test]
    fn one_execution_stands_for_the_rest_of_a_window() {
        use Passage::{Later, Merged, Now};
        let merged = passages(ThrottleAction::Merge, &[0, 1, 2, 3, 59, 60]);
        let into = Id::named(&["2"]);
        assert_eq!(merged, [Now, Now, Later(at(60)), Merged(into), Merged(into), Now]);
    }

    #[test]
    fn groups_are_told_apart_by_their_values() {
        let throttle = Throttle {
            count: 1,
            window: 1,
            group_by: vec!["trigger.a".to_owned(), "trigger.b".to_owned()],
            action: ThrottleAction::Drop,
        };
        let of = |payload: Value| group(&throttle, &payload).unwrap();
        assert_eq!(of(serde_json::json!({"a": 1})), of(serde_json::json!({"a": 1, "b": null, "c": 2})));
        assert_ne!(of(serde_json::json!({"a": "x", "b": "y"})), of(serde_json::json!({"a": "y", "b": "x"})));
        let wrong = Throttle { group_by: vec!["trigger.".to_owned()], ..throttle };
        assert!(group(&wrong, &Value::Null).unwrap_err().message.contains("group_by"));
    }
}
