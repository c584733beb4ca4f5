//! Rules and the record of their enforcement.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Id, Ref, Timestamp};

/// Which rules of a trigger come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// Always tried.
    #[default]
    Standard,
    /// Tried where no standard rule of the same trigger matched.
    Backstop,
}

impl RuleKind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            RuleKind::Standard => "standard",
            RuleKind::Backstop => "backstop",
        }
    }
}

/// The trigger a rule listens to: a trigger type and, where the type has parameters, exactly these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleTrigger {
    /// The trigger type's ref.
    #[serde(rename = "type")]
    pub kind: Ref,
    /// Its parameters.
    #[serde(default)]
    pub parameters: Map<String, Value>,
}

/// The action a rule requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleAction {
    /// The action's ref.
    #[serde(rename = "ref")]
    pub reference: Ref,
    /// Its inputs; strings are templates over the trigger's payload.
    #[serde(default)]
    pub parameters: Map<String, Value>,
}

/// Criteria as written: key → `{type, pattern, condition?}`, all of which must hold.
pub type Criteria = Map<String, Value>;

/// What a criterion's `type` may be, in exactly these words.
pub const OPERATOR_NAMES: [&str; 33] = [
    "matchwildcard",
    "matchregex",
    "regex",
    "iregex",
    "equals",
    "eq",
    "nequals",
    "neq",
    "iequals",
    "ieq",
    "contains",
    "icontains",
    "ncontains",
    "incontains",
    "startswith",
    "istartswith",
    "endswith",
    "iendswith",
    "lessthan",
    "lt",
    "greaterthan",
    "gt",
    "timediff_lt",
    "td_lt",
    "timediff_gt",
    "td_gt",
    "exists",
    "nexists",
    "inside",
    "in",
    "ninside",
    "nin",
    "search",
];

/// When this trigger, and these criteria, then that action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// `<pack>.<name>`.
    #[serde(rename = "ref")]
    pub reference: Ref,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// A disabled rule is kept and has no effect at all: no timer, no webhook.
    pub enabled: bool,
    /// Standard or backstop.
    #[serde(default)]
    pub kind: RuleKind,
    /// What it listens to.
    pub trigger: RuleTrigger,
    /// What must hold.
    #[serde(default)]
    pub criteria: Criteria,
    /// What it requests.
    pub action: RuleAction,
    /// `{name, value}` pairs.
    #[serde(default)]
    pub tags: Vec<Value>,
    /// Set by the API: `{user}`.
    #[serde(default)]
    pub context: Map<String, Value>,
    /// Path inside the pack; empty where it came by the API.
    #[serde(default)]
    pub metadata_file: String,
}

impl Rule {
    /// The id that clients see: a function of the ref.
    pub fn id(&self) -> Id {
        Id::named(&["rule", self.reference.as_str()])
    }

    /// `rule:<pack>:<name>`.
    pub fn uid(&self) -> String {
        format!("rule:{}:{}", self.reference.pack(), self.reference.name())
    }
}

/// Did the rule get its action requested?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say all")]
pub enum EnforcementStatus {
    Succeeded,
    Failed,
}

/// What became of one rule that matched one trigger instance, or could not be evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleEnforcement {
    /// A function of (trigger instance, rule).
    pub id: Id,
    /// The trigger instance.
    pub trigger_instance: Id,
    /// The execution that was requested, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<Id>,
    /// Why not, if not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// The rule's ref.
    pub rule: Ref,
    /// When.
    pub enforced_at: Timestamp,
    /// How it went.
    pub status: EnforcementStatus,
}
