//! What came out of a replay.

use model::{Ref, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Two sets of rules on the same events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How many events there were.
    pub events: u64,
    /// To how many of them no rule of either set listens.
    pub unheard: u64,
    /// Every rule of either set, in the order of the refs.
    pub rules: Vec<RuleReport>,
}

/// How two rules of one ref differ in what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Only in the new set.
    Added,
    /// Only in the old set.
    Removed,
    /// In both, and not the same.
    Changed,
    /// In both; descriptions and tags may differ.
    Unchanged,
}

/// What the events were and would be to one rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleReport {
    /// The rule.
    pub rule: Ref,
    /// How it differs in what it says.
    pub change: Change,
    /// How many events the old one matches.
    pub fired_before: u64,
    /// How many events the new one matches.
    pub fires_after: u64,
    /// Only the new one matches.
    pub newly_fires: Difference,
    /// Only the old one matches.
    pub no_longer_fires: Difference,
    /// Both match, and the action would get something else.
    pub other_inputs: Difference,
    /// On how many events the old one can't be evaluated.
    pub failed_before: u64,
    /// On how many events the new one can't be evaluated.
    pub failed_after: u64,
    /// It reads the datastore, which a replay does not have.
    pub reads_datastore: bool,
}

/// Events of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Example {
    /// Its id.
    pub trigger_instance: String,
    /// When it happened.
    #[serde(serialize_with = "as_text")]
    pub occurrence_time: Timestamp,
    /// Why the other rule does not fire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the old rule's actions get, so far as it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What the new rule's actions get, so far as it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl RuleReport {
    pub(super) fn new(rule: Ref, change: Change, reads_datastore: bool) -> RuleReport {
        RuleReport {
            rule,
            change,
            fired_before: 0,
            fires_after: 0,
            newly_fires: Difference::default(),
            no_longer_fires: Difference::default(),
            other_inputs: Difference::default(),
            failed_before: 0,
            failed_after: 0,
            reads_datastore,
        }
    }

    /// Would any event become something else?
    pub fn differs(&self) -> bool {
        [&self.newly_fires, &self.no_longer_fires, &self.other_inputs].iter().any(|found| found.count > 0)
            || self.failed_before != self.failed_after
    }
}

impl Difference {
    /// Counts one more; is it to be kept as an example?
    pub(super) fn count_one(&mut self, most: usize) -> bool {
        self.count += 1;
        self.examples.len() < most
    }
}

fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
