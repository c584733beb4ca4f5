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

/// Actions that one rule may request.
pub const MAX_RULE_ACTIONS: usize = 10;
/// The longest window of a throttle, in seconds.
pub const MAX_THROTTLE_WINDOW: u64 = 30 * 24 * 3_600;

/// How often a rule may act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// So many matching events of a window pass.
    pub count: u32,
    /// The length of a window, in seconds.
    pub window: u64,
    /// Keys by whose values events are counted apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// What becomes of the others.
    #[serde(default)]
    pub action: ThrottleAction,
}

/// What becomes of events past the count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThrottleAction {
    /// Nothing.
    #[default]
    Drop,
    /// Their executions start in later windows.
    Delay,
    /// One execution at the end of the window is for all of them.
    Merge,
}

/// Criteria as written: key → `{type, pattern, condition?}`, all of which must hold.
pub type Criteria = Map<String, Value>;

/// How deep trees of criteria may nest.
pub const MAX_CRITERIA_DEPTH: usize = 16;

/// Does this key (without a `#tag`), with what is written under it, hold criteria instead of being one? `any` and `all` have lists of groups;
/// `not` has a group, and what has a `type` is a criterion.
pub fn is_criteria_tree(key: &str, written: &Value) -> bool {
    match (key, written) {
        ("any" | "all", Value::Array(_)) => true,
        ("not", Value::Object(fields)) => !fields.get("type").is_some_and(Value::is_string),
        _ => false,
    }
}

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
    /// What it requests too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_actions: Vec<RuleAction>,
    /// How often it may act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
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

    /// All that it requests, in order.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = &RuleAction> {
        let count = self.further_actions.len() + 1;
        (0..count).map(|at| at.checked_sub(1).and_then(|at| self.further_actions.get(at)).unwrap_or(&self.action))
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
    /// The rule's throttle held it back.
    Throttled,
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
