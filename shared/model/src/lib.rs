//! StackStorm's nouns: packs, actions, rules, triggers, executions, statuses, timers, policies, secrets.
//!
//! Types that cannot be wrong once they exist, and the pure decisions that belong to one noun alone. Nothing here reads a clock, a
//! file or the environment.

mod action;
pub mod content;
pub mod diagnostic;
mod execution;
mod id;
mod key_value;
mod mask;
mod pack;
mod policy;
mod reference;
mod rule;
mod runner_types;
pub mod schema;
mod secret;
mod status;
mod time;
pub mod timer;
mod trace;
mod trigger;

pub use action::{Action, Parameter, ParameterError, ParameterType, RunnerType};
pub use content::{
    PackFiles, Problem, SourceFile, load_pack, parse_action, parse_policy, parse_rule, parse_trigger_type,
};
pub use diagnostic::{Diagnostic, Severity};
pub use execution::{
    Execution, ExecutionLog, Lease, OutputChunk, OutputStream, Payload, Place, RuleLink, TaskLink, TriggerLink,
};
pub use id::{Id, IdError};
pub use key_value::{KeyScope, KeyValue};
pub use mask::{MASK, is_secret_attribute, mask_attributes, mask_by_schema, mask_parameters};
pub use pack::{ActionAlias, PackContent, PackFile, PackMetadata, SensorType};
pub use policy::{Limit, LimitKind, Policy, PolicyKind, PolicyType, Retry, RetryOn, WhenFull, policy_types};
pub use reference::{Ref, RefError};
pub use rule::{
    Criteria, EnforcementStatus, MAX_CRITERIA_DEPTH, MAX_RULE_ACTIONS, MAX_THROTTLE_WINDOW, OPERATOR_NAMES, Rule,
    RuleAction, RuleEnforcement, RuleKind, RuleTrigger, Throttle, ThrottleAction, is_criteria_tree,
};
pub use runner_types::{runner_type, runner_types};
pub use schema::{SchemaError, SchemaValidator, fill_defaults, suggestion};
pub use secret::Secret;
pub use status::{ExecutionStatus, TransitionError};
pub use time::{TimeError, Timestamp};
pub use timer::{CatchUp, TimerError, TimerSchedule};
pub use trace::{TraceContext, TraceParent, TraceParentError};
pub use trigger::{Trigger, TriggerInstance, TriggerInstanceStatus, TriggerType, core_types};
