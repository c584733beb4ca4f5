//! The packs of the simulated world, and what the auditor knows of their rules without asking the engine.

use model::{PackFiles, SourceFile, Trigger, core_types};
use serde_json::{Value, json};

use super::world::Setting;

/// The pack with the rules.
pub(crate) const PACK: &str = "sim";
/// Runs long, speaks much, and fails at times.
pub(crate) const WORK: &str = "sim.work";
/// A workflow of all of these.
pub(crate) const FLOW: &str = "sim.flow";
/// Executions of it at once, where it has policies.
pub(crate) const AT_ONCE: isize = 2;
/// How often one that failed is tried again, likewise.
pub(crate) const TRIES: u64 = 2;
/// A trigger type without parameters.
pub(crate) const EVENT: &str = "sim.event";
/// Rules that listen to one webhook: more than one commit can hold.
const STORM_RULES: usize = 60;

/// A rule, and when it matches.
pub(crate) struct RuleSpec {
    /// Its name in the pack.
    pub(crate) name: String,
    /// Tried only where no standard rule of its trigger matched.
    pub(crate) backstop: bool,
    /// The trigger type.
    pub(crate) kind: &'static str,
    /// The trigger's parameters.
    pub(crate) parameters: Value,
    /// May clients disable and enable it?
    pub(crate) toggled: bool,
    /// Does its criteria hold for this payload?
    pub(crate) holds: fn(&Value) -> bool,
    criteria: &'static str,
    action: String,
}

impl RuleSpec {
    fn new(name: &str, (kind, parameters): (&'static str, Value), action: &str) -> RuleSpec {
        RuleSpec {
            name: name.to_owned(),
            backstop: false,
            kind,
            parameters,
            toggled: false,
            holds: |_| true,
            criteria: "",
            action: action.to_owned(),
        }
    }

    fn when(mut self, criteria: &'static str, holds: fn(&Value) -> bool) -> RuleSpec {
        (self.criteria, self.holds) = (criteria, holds);
        self
    }

    fn toggled(mut self) -> RuleSpec {
        self.toggled = true;
        self
    }

    /// Is this the trigger that it listens to?
    pub(crate) fn listens(&self, trigger: &Trigger) -> bool {
        self.kind == trigger.kind.as_str() && self.parameters.as_object() == Some(&trigger.parameters)
    }

    /// Its ref.
    pub(crate) fn reference(&self) -> String {
        format!("{PACK}.{}", self.name)
    }

    fn yaml(&self) -> String {
        let kind = if self.backstop { "type: {ref: backstop}\n" } else { "" };
        format!(
            "name: {}\nenabled: true\n{kind}trigger: {{type: {}, parameters: {}}}\ncriteria: {{{}}}\naction: {}\n",
            self.name, self.kind, self.parameters, self.criteria, self.action
        )
    }
}

/// The rules of a world.
pub(crate) fn rules(setting: &Setting) -> Vec<RuleSpec> {
    let hook = |url: &str| (core_types::WEBHOOK, json!({"url": url}));
    let plain = |kind| (kind, json!({}));
    let every = |seconds: u64| (core_types::INTERVAL_TIMER, json!({"unit": "seconds", "delta": seconds}));
    let text = |text: &str| format!("{{ref: sim.quick, parameters: {{text: \"{text}\"}}}}");
    let mut rules = vec![
        RuleSpec::new("alpha_all", hook("alpha"), "{ref: sim.work, parameters: {text: \"{{ trigger.body.text }}\"}}"),
        RuleSpec::new("alpha_odd", hook("alpha"), "{ref: sim.work, parameters: {text: odd}}")
            .when("trigger.body.lane: {type: equals, pattern: odd}", |payload| {
                payload.pointer("/body/lane") == Some(&Value::from("odd"))
            })
            .toggled(),
        RuleSpec::new("beta_big", hook("beta"), &text("{{ trigger.body.size }}"))
            .when("trigger.body.size: {type: greaterthan, pattern: 5}", |payload| {
                payload.pointer("/body/size").and_then(Value::as_i64).is_some_and(|size| size > 5)
            })
            .toggled(),
        RuleSpec { backstop: true, ..RuleSpec::new("beta_rest", hook("beta"), &text("rest")) },
        RuleSpec::new("event_plain", plain(EVENT), &text("{{ trigger.lane }}")),
        RuleSpec::new(
            "event_inject",
            plain(EVENT),
            "{ref: sim.inject, parameters: {trigger: sim.event, payload: {lane: injected}}}",
        )
        .when("trigger.lane: {type: equals, pattern: inject}", |payload| lane(payload, "inject"))
        .toggled(),
        RuleSpec::new("event_broken", plain(EVENT), "{ref: sim.strict, parameters: {number: \"{{ trigger.lane }}\"}}")
            .when("trigger.lane: {type: equals, pattern: broken}", |payload| lane(payload, "broken")),
    ];
    if setting.timer {
        rules.push(RuleSpec::new("tick", every(20), &text("{{ trigger.executed_at }}")).toggled());
        rules.push(RuleSpec::new("tock", every(50), &text("{{ trigger.executed_at }}")).toggled());
    }
    if setting.after_work {
        let after = RuleSpec::new("after_work", plain(core_types::ACTION), &text("{{ trigger.execution_id }}"));
        rules.push(after.when("trigger.action_name: {type: equals, pattern: sim.work}", |payload| {
            payload.get("action_name") == Some(&Value::from(WORK))
        }));
    }
    if setting.keys {
        rules.push(RuleSpec::new("key_created", plain(core_types::KEY_CREATE), &text("{{ trigger.object.name }}")));
        rules.push(RuleSpec::new(
            "key_changed",
            plain(core_types::KEY_VALUE_CHANGE),
            &text("{{ trigger.new_object.value }}"),
        ));
    }
    if setting.storm {
        rules.extend(
            (0..STORM_RULES).map(|number| RuleSpec::new(&format!("storm_{number:02}"), hook("storm"), &text("storm"))),
        );
    }
    rules
}

fn lane(payload: &Value, wanted: &str) -> bool {
    payload.get("lane").and_then(Value::as_str) == Some(wanted)
}

/// The platform's own trigger types.
pub(crate) fn core_pack() -> PackFiles {
    let with = |name: &str, schema: &str| {
        let name = name.trim_start_matches("core.");
        (format!("triggers/{name}.yaml"), format!("name: {name}\ndescription: x\n{schema}"))
    };
    let mut files = vec![
        with(
            core_types::WEBHOOK,
            "parameters_schema: {type: object, properties: {url: {type: string, required: true}}}\n",
        ),
        with(
            core_types::INTERVAL_TIMER,
            "parameters_schema: {type: object, properties: {unit: {type: string}, delta: {type: integer}, timezone: {type: string}}}\n",
        ),
    ];
    for kind in [
        core_types::ACTION,
        core_types::KEY_CREATE,
        core_types::KEY_UPDATE,
        core_types::KEY_VALUE_CHANGE,
        core_types::KEY_DELETE,
    ] {
        files.push(with(kind, ""));
    }
    pack("core", 0, files)
}

/// The pack of actions and rules, in one of its versions.
pub(crate) fn sim_pack(setting: &Setting, version: u64) -> PackFiles {
    let action = |name: &str, runner: &str, parameters: &str| {
        (
            format!("actions/{name}.yaml"),
            format!("name: {name}\nrunner_type: {runner}\nenabled: true\nparameters: {{{parameters}}}\n"),
        )
    };
    // What it would do on a real machine is all the same: the simulated runner does as it likes.
    let command = |parameters: &str| format!("cmd: {{default: \"true\", immutable: true}}, {parameters}");
    let runner = "local-shell-cmd";
    let mut files = vec![
        ("triggers/event.yaml".to_owned(), "name: event\ndescription: x\n".to_owned()),
        action("work", runner, &command("text: {type: string, default: none}")),
        action("quick", runner, &command("text: {type: string}")),
        action("strict", runner, &command("number: {type: integer, required: true}")),
        action("nothing", "noop", ""),
        (
            "actions/flow.yaml".to_owned(),
            "name: flow\nrunner_type: orquesta\nenabled: true\nentry_point: workflows/flow.yaml\n".to_owned(),
        ),
        ("actions/workflows/flow.yaml".to_owned(), include_str!("flow.yaml").to_owned()),
        action(
            "inject",
            "inject-trigger",
            "trigger: {type: string}, payload: {type: object}, trace_tag: {type: string}",
        ),
    ];
    files.extend(rules(setting).iter().map(|rule| (format!("rules/{}.yaml", rule.name), rule.yaml())));
    if setting.policies {
        let policy = |name: &str, kind: &str, parameters: String| {
            let text =
                format!("name: {name}\nresource_ref: {WORK}\npolicy_type: {kind}\nparameters: {{{parameters}}}\n");
            (format!("policies/{name}.yaml"), text)
        };
        files.push(policy("few", "action.concurrency", format!("threshold: {AT_ONCE}")));
        let retry = format!("retry_on: failure, max_retry_count: {TRIES}, delay: 2");
        files.push(policy("again", "action.retry", retry));
    }
    pack(PACK, version, files)
}

fn pack(name: &str, version: u64, files: Vec<(String, String)>) -> PackFiles {
    let metadata = format!("name: {name}\ndescription: simulated\nversion: 1.0.{version}\nauthor: simulator\n");
    let all = files.into_iter().chain([("pack.yaml".to_owned(), metadata)]);
    PackFiles::new(all.map(|(path, text)| SourceFile { path, bytes: text.into_bytes(), executable: false }).collect())
}
