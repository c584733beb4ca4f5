//! What must hold when a run is over, whatever went wrong in it. Looks at the records and at the journal, never at the engine.

mod policies;

use asl::Ending;
use model::{
    EnforcementStatus, Execution, ExecutionStatus, Id, OutputChunk, OutputStream, Payload, RuleEnforcement, Timestamp,
    Trigger, TriggerInstance, TriggerInstanceStatus, core_types,
};
use ports::Record;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    content::{self, FLOW, RuleSpec, WORK},
    executor::lock,
    journal::{Journal, TimerBody},
    world::World,
};

/// How long it takes at most until every host of several knows of new content: the age that it may have, and slow reads.
const NEWS: Duration = Duration::from_secs(60);

/// Everything that is not as it must be.
pub(crate) fn audit(world: &World) -> Vec<String> {
    let records = world.memory.records();
    let journal = lock(&world.journal);
    let mut audit = Audit {
        world,
        journal: &journal,
        rules: content::rules(&world.setting),
        executions: BTreeMap::new(),
        instances: BTreeMap::new(),
        enforcements: BTreeMap::new(),
        output: BTreeMap::new(),
        timers: Vec::new(),
        found: journal.violations.clone(),
    };
    audit.read(&records);
    audit.nothing_is_left(&records);
    audit.what_was_promised_is_there();
    audit.events_are_finished();
    audit.executions_and_enforcements_agree();
    audit.limits_held();
    audit.failures_were_tried_again();
    audit.rules_had_their_turn();
    audit.workers_kept_their_executions();
    audit.ends_were_told();
    audit.timers_fired();
    audit.output_is_complete();
    audit.workflows_did_all_once();
    audit.machines_ended_as_their_workflows();
    audit.found
}

struct Audit<'a> {
    world: &'a World,
    journal: &'a Journal,
    rules: Vec<RuleSpec>,
    executions: BTreeMap<Id, Execution>,
    instances: BTreeMap<Id, TriggerInstance>,
    enforcements: BTreeMap<(Id, String), RuleEnforcement>,
    output: BTreeMap<Id, Vec<OutputChunk>>,
    timers: Vec<Trigger>,
    found: Vec<String>,
}

impl Audit<'_> {
    fn read(&mut self, records: &[Record]) {
        for record in records {
            let Some((kind, rest)) = record.key.partition.split_once('/') else { continue };
            let Ok(id) = rest.parse::<Id>() else { continue };
            match kind {
                "execution" => {
                    let execution = self.parse(record);
                    self.executions.extend(execution.map(|execution| (id, execution)));
                }
                "trigger_instance" => {
                    let instance = self.parse(record);
                    self.instances.extend(instance.map(|instance| (id, instance)));
                }
                "timer" => {
                    let timer = self.parse::<TimerBody>(record);
                    self.timers.extend(timer.map(|timer| timer.trigger));
                }
                "output" => {
                    let chunk = self.parse(record);
                    self.output.entry(id).or_default().extend(chunk);
                }
                "enforcement" => {
                    let Some(enforcement) = self.parse::<RuleEnforcement>(record) else { continue };
                    let place = (enforcement.trigger_instance, enforcement.rule.to_string());
                    if self.enforcements.insert(place, enforcement).is_some() {
                        self.found.push(format!("{}: a second enforcement of one rule for one event", record.key));
                    }
                }
                _ => {}
            }
        }
    }

    fn parse<T: DeserializeOwned>(&mut self, record: &Record) -> Option<T> {
        let read = serde_json::from_slice(&record.body);
        read.map_err(|error| self.found.push(format!("record {} can't be read: {error}", record.key))).ok()
    }

    fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.found.push(what());
        }
    }

    fn nothing_is_left(&mut self, records: &[Record]) {
        for record in records {
            let partition = &record.key.partition;
            self.require(record.due.is_none() || partition.starts_with("timer/"), || {
                format!("record {} is still due", record.key)
            });
            let is_row = ["inbox/", "gate_inbox/", "gate_queue/"].iter().any(|kind| partition.starts_with(kind));
            self.require(!is_row, || format!("a row is left in {partition}"));
        }
        let open: Vec<_> = self.executions.values().filter(|execution| !execution.status.is_final()).collect();
        let open: Vec<_> =
            open.iter().map(|execution| format!("execution {} is {}", execution.id, execution.status)).collect();
        self.found.extend(open);
    }

    fn what_was_promised_is_there(&mut self) {
        let journal = self.journal;
        for id in &journal.accepted {
            self.require(self.instances.contains_key(id), || format!("event {id} was accepted, and is gone"));
        }
        for id in journal.requested.union(&journal.executions) {
            self.require(self.executions.contains_key(id), || format!("execution {id} was there, and is gone"));
        }
        for id in &journal.canceled {
            let status = self.executions.get(id).map(|execution| execution.status);
            self.require(status == Some(ExecutionStatus::Canceled), || {
                format!("execution {id} was said to be canceled, and is {status:?}")
            });
        }
    }

    fn events_are_finished(&mut self) {
        let open = self.instances.values().filter(|instance| !instance.status.is_final());
        let open: Vec<_> =
            open.map(|instance| format!("event {} is {}", instance.id, instance.status.name())).collect();
        self.found.extend(open);
    }

    fn executions_and_enforcements_agree(&mut self) {
        let mut of_rules = BTreeSet::new();
        let mut found = Vec::new();
        for execution in self.executions.values() {
            let (Some(rule), Some(trigger), None) = (&execution.rule, &execution.trigger, policies::retried(execution))
            else {
                continue;
            };
            let place = (trigger.instance, rule.reference.to_string());
            match self.enforcements.get(&place) {
                None => found.push(format!("execution {} has no enforcement", execution.id)),
                Some(enforcement) => {
                    let names = enforcement.execution == Some(execution.id);
                    // An execution that failed for its inputs stays as a record of that alone.
                    let failed =
                        enforcement.status == EnforcementStatus::Failed && execution.status == ExecutionStatus::Failed;
                    if !names && !failed {
                        found.push(format!(
                            "the enforcement of execution {} names {:?}",
                            execution.id, enforcement.execution
                        ));
                    }
                }
            }
            if !of_rules.insert(place) {
                found.push(format!("execution {} is the second of one rule for one event", execution.id));
            }
        }
        for ((instance, rule), enforcement) in &self.enforcements {
            if !self.instances.contains_key(instance) {
                found.push(format!("the enforcement of {rule} is for event {instance}, which is not there"));
            }
            let succeeded = enforcement.status == EnforcementStatus::Succeeded;
            let execution = enforcement.execution.and_then(|id| self.executions.get(&id));
            let (of_rule, of_event) = execution.map_or((None, None), |execution| {
                (
                    execution.rule.as_ref().map(|rule| rule.reference.to_string()),
                    execution.trigger.as_ref().map(|link| link.instance),
                )
            });
            if succeeded && (of_rule.as_ref() != Some(rule) || of_event != Some(*instance)) {
                found.push(format!("the enforcement of {rule} for {instance} has no such execution"));
            }
        }
        self.found.extend(found);
    }

    /// Every rule that certainly matched an event was enforced, and none that certainly did not.
    fn rules_had_their_turn(&mut self) {
        let mut found = Vec::new();
        for instance in self.instances.values().filter(|instance| instance.status == TriggerInstanceStatus::Processed) {
            let Some(payload) = self.payload(&instance.payload) else {
                found.push(format!("the payload of event {} is not there", instance.id));
                continue;
            };
            let listening: Vec<&RuleSpec> = self.rules.iter().filter(|rule| rule.listens(&instance.trigger)).collect();
            let verdicts: Vec<_> =
                listening.iter().map(|rule| (*rule, self.verdict(rule, instance, &payload))).collect();
            let standard: Vec<_> =
                verdicts.iter().filter(|(rule, _)| !rule.backstop).map(|(_, verdict)| *verdict).collect();
            for (rule, verdict) in verdicts {
                let verdict = match rule.backstop {
                    true if standard.contains(&Some(true)) => Some(false),
                    true if standard.contains(&None) => None,
                    _ => verdict,
                };
                let enforced = self.enforcements.get(&(instance.id, rule.reference()));
                if verdict.is_some_and(|verdict| verdict != enforced.is_some()) {
                    found.push(format!(
                        "rule {} matches event {}: {verdict:?}; enforced: {}",
                        rule.name,
                        instance.id,
                        enforced.is_some()
                    ));
                }
                let broken = rule.name == "event_broken" && payload.get("lane") != Some(&Value::from("7"));
                let status = if broken { EnforcementStatus::Failed } else { EnforcementStatus::Succeeded };
                if enforced.is_some_and(|enforcement| enforcement.status != status) {
                    found.push(format!(
                        "the enforcement of rule {} for event {} is not {status:?}",
                        rule.name, instance.id
                    ));
                }
            }
        }
        self.found.extend(found);
    }

    /// `None` where it depends on which of two contents was seen: the rule was switched while the event was on its way.
    fn verdict(&self, rule: &RuleSpec, instance: &TriggerInstance, payload: &Value) -> Option<bool> {
        if !(rule.holds)(payload) {
            return Some(false);
        }
        let latest = self.journal.revision_at.get(&instance.id).copied().unwrap_or(instance.content_revision);
        self.switched_on(rule, instance.content_revision, latest)
    }

    /// Was the rule on in all of these content revisions, or off in all of them? `None` where it was switched meanwhile.
    fn switched_on(&self, rule: &RuleSpec, first: u64, last: u64) -> Option<bool> {
        let installed = self.journal.installed.map(|(revision, _)| (revision, true)).into_iter();
        let switches = self.journal.switched.get(&rule.reference()).into_iter().flatten().copied();
        let all: Vec<(u64, bool)> = installed.chain(switches).collect();
        let meanwhile = all.iter().any(|(revision, _)| *revision > first && *revision <= last);
        let before = all.iter().rev().find(|(revision, _)| *revision <= first);
        (!meanwhile).then(|| before.is_some_and(|(_, enabled)| *enabled))
    }

    fn payload(&self, payload: &Payload) -> Option<Value> {
        match payload {
            Payload::Inline { value } => Some(value.clone()),
            Payload::Blob { blob, .. } => {
                use futures::FutureExt;
                let bytes = ports::Blobs::get(&self.world.blobs, blob).now_or_never()?.ok()?;
                serde_json::from_slice(&bytes).ok()
            }
        }
    }

    /// Answers that are lost and conflicts that are none take no execution away from a worker that lives.
    fn workers_kept_their_executions(&mut self) {
        if self.world.faults.spare_workers() {
            let abandoned = self.executions.values().filter(|execution| execution.status == ExecutionStatus::Abandoned);
            let abandoned: Vec<_> =
                abandoned.map(|execution| format!("execution {} is taken from its worker", execution.id)).collect();
            self.found.extend(abandoned);
        }
    }

    /// The end of each execution that came to work is told once, where a rule listens.
    fn ends_were_told(&mut self) {
        let mut told: BTreeMap<Id, usize> = BTreeMap::new();
        for cause in self.instances.values().filter_map(|instance| instance.caused_by) {
            *told.entry(cause).or_default() += 1;
        }
        let mut found = Vec::new();
        for execution in self.executions.values().filter(|execution| execution.action.as_str() == WORK) {
            let times = told.get(&execution.id).copied().unwrap_or(0);
            let wanted = usize::from(self.world.setting.after_work);
            let known = self.journal.installed.map(|(_, time)| time.after(NEWS));
            let told_for_sure = !self.world.setting.serverless || execution.end > known;
            let worked = told_for_sure && execution.log.iter().any(|line| line.status == ExecutionStatus::Running);
            if times > 1 || (worked && times != wanted) {
                found.push(format!("the end of execution {} is told {times} times", execution.id));
            }
        }
        self.found.extend(found);
    }

    fn timers_fired(&mut self) {
        let mut fired: BTreeMap<(Id, Timestamp), usize> = BTreeMap::new();
        let ticks =
            self.instances.values().filter(|instance| instance.trigger.kind.as_str() == core_types::INTERVAL_TIMER);
        for tick in ticks {
            *fired.entry((tick.trigger.id(), tick.occurrence_time)).or_default() += 1;
        }
        let mut found: Vec<String> = fired
            .iter()
            .filter(|(_, times)| **times > 1)
            .map(|((_, time), _)| format!("the timer fired twice for {time}"))
            .collect();
        for ((timer, started), life) in &self.journal.timers {
            let mut next = started.after(life.period);
            while next <= life.done && !life.period.is_zero() {
                if !fired.contains_key(&(*timer, next)) {
                    found.push(format!("the timer did not fire for {next}"));
                }
                next = next.after(life.period);
            }
        }
        for rule in self.rules.iter().filter(|rule| rule.kind == core_types::INTERVAL_TIMER) {
            let stands = self.timers.iter().any(|trigger| rule.listens(trigger));
            let wanted = self.switched_on(rule, self.journal.revision, self.journal.revision);
            // One that the index did not show when it was to go, goes when it is due next.
            let lagged = self.world.setting.serverless && self.world.faults.index_lags > 0;
            if wanted != Some(stands) && !(lagged && stands) {
                found.push(format!("the timer of rule {} stands: {stands}; wanted: {wanted:?}", rule.name));
            }
        }
        self.found.extend(found);
    }

    fn output_is_complete(&mut self) {
        let mut found = Vec::new();
        for execution in self.executions.values() {
            let chunks = self.output.get(&execution.id).map(Vec::as_slice).unwrap_or_default();
            let in_order = chunks.iter().zip(0u64..).all(|(chunk, place)| chunk.sequence == place);
            if !in_order {
                let places: Vec<_> = chunks.iter().map(|chunk| chunk.sequence).collect();
                found.push(format!("the output of execution {} has gaps: {places:?}", execution.id));
            }
            let Some(ended) = self.journal.ended.get(&execution.id) else { continue };
            let by_worker = self.journal.ended_by_worker.contains(&execution.id);
            if !by_worker {
                continue;
            }
            let text = |stream: OutputStream| -> String {
                chunks.iter().filter(|chunk| chunk.stream == stream).map(|chunk| chunk.data.as_str()).collect()
            };
            if text(OutputStream::Stdout) != ended.stdout || text(OutputStream::Stderr) != ended.stderr {
                found.push(format!("the output of execution {} is not what its action wrote", execution.id));
            }
            if execution.status != ended.status && execution.status != ExecutionStatus::Canceled {
                found.push(format!(
                    "execution {} ended {}, and its action {}",
                    execution.id, execution.status, ended.status
                ));
            }
        }
        self.found.extend(found);
    }

    /// A workflow's state machine ended, and as it did.
    fn machines_ended_as_their_workflows(&mut self) {
        for (name, ending) in lock(&self.world.machines).endings() {
            let execution = name.parse().ok().and_then(|id: Id| self.executions.get(&id));
            let fits = matches!(
                (execution.map(|execution| execution.status), &ending),
                (Some(ExecutionStatus::Succeeded), Some(Ending::Succeeded))
                    | (Some(ExecutionStatus::Canceled), Some(Ending::Aborted))
                    | (Some(ExecutionStatus::Failed), Some(Ending::Failed { .. }))
            );
            if !fits {
                let status = execution.map(|execution| execution.status);
                self.found.push(format!("the machine of workflow {name}, which is {status:?}, is {ending:?}"));
            }
        }
    }

    /// Each task of a workflow was requested once for each try, and the workflow came to what its tasks came to.
    fn workflows_did_all_once(&mut self) {
        let flows = self.executions.values().filter(|execution| execution.action.as_str() == FLOW);
        let found: Vec<_> = flows.flat_map(|flow| self.wrong_in_workflow(flow)).collect();
        self.found.extend(found);
    }

    fn wrong_in_workflow(&self, flow: &Execution) -> Vec<String> {
        let mut tasks: BTreeMap<&str, Vec<&Execution>> = BTreeMap::new();
        for child in self.executions.values().filter(|child| child.parent == Some(flow.id)) {
            let task = child.task.as_ref().map_or("none", |task| &task.name);
            tasks.entry(task).or_default().push(child);
        }
        let stopped = |execution: &Execution| execution.status == ExecutionStatus::Canceled;
        // Nothing makes good a note that fails: the workflow fails with it, however far it is.
        let note_failed = tasks.get("noted").into_iter().flatten().any(|note| note.status.is_failure());
        if stopped(flow) || note_failed || tasks.values().flatten().any(|child| stopped(child)) {
            return Vec::new();
        }
        let mut wrong = Vec::new();
        let mut require = |holds: bool, what: &str| {
            if !holds {
                let told: Vec<_> = tasks
                    .iter()
                    .map(|(task, runs)| {
                        format!("{task} {:?}", runs.iter().map(|run| run.status.name()).collect::<Vec<_>>())
                    })
                    .collect();
                wrong.push(format!(
                    "workflow {} is {} ({what}): {}; {:?}",
                    flow.id,
                    flow.status,
                    told.join(", "),
                    flow.result
                ));
            }
        };
        let is_good = |execution: &Execution| execution.status == ExecutionStatus::Succeeded;
        let runs = |task: &str| tasks.get(task).map(Vec::as_slice).unwrap_or_default();
        let good = |task: &str| runs(task).iter().filter(|run| is_good(run)).count();
        let left_is_good = good("left") == 1;
        require(runs("begin").len() == 1, "begin runs once");
        require(
            if left_is_good { (1..=3).contains(&runs("left").len()) } else { runs("left").len() == 3 },
            "left is tried again",
        );
        require(good("left") <= 1, "left succeeds once");
        require(runs("right").len() == 1 && runs("meet").len() == 1, "right and meet run once");
        require(runs("noted").len() == 1 - good("right"), "what fails is noted");
        let items: BTreeSet<_> = runs("many").iter().filter_map(|run| run.task.as_ref()?.item).collect();
        require(items.len() == 5 && runs("many").len() == 5, "each item runs once");
        let wanted = if good("meet") == 1 { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
        require(flow.status == wanted, "it ends as its last task does");
        let output = flow
            .result
            .as_ref()
            .and_then(|result| self.payload(result))
            .and_then(|result| result.get("output").cloned());
        let word = |good: bool| if good { "good" } else { "bad" };
        let wanted = serde_json::json!({"left": word(left_is_good), "right": word(good("right") == 1), "many": 5});
        require(output == Some(wanted), &format!("the output is {output:?}"));
        wrong
    }
}
