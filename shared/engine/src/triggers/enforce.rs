//! From an event to executions: its rules are matched, and all that follows is one commit, or where there is much of it a row of them.

use model::{
    EnforcementStatus, Id, Rule, RuleAction, RuleEnforcement, RuleLink, Timestamp, TriggerInstance,
    TriggerInstanceStatus, TriggerLink,
};
use ports::{Guard, MAX_COMMIT_BYTES, MAX_OPERATIONS, Operation, TriggerEvent, Wake};
use serde_json::{Map, Value, json};
use std::{collections::HashSet, sync::Arc, time::Duration};

use super::{pending, reference, throttle::Passage};
use crate::{
    Catalog, Engine, Error, Principal,
    catalog::{Hit, TriggerRules},
    datastore::Reader,
    dispatch::Origin,
    parameters::Inputs,
    records::{self, Stored},
};

/// How often an event is matched again where a counter that it would have raised was raised by another one.
const ATTEMPTS: usize = 16;
/// By when somebody looks at an event again whose rules are enforced in several commits.
const NEXT_LOOK: Duration = Duration::from_secs(30);

/// What follows from one rule: what is written, and who is woken then.
#[derive(Default)]
struct Enforced {
    operations: Vec<Operation>,
    wakes: Vec<Wake>,
}

/// An event and the rules that listen to it.
struct Matching<'a> {
    catalog: &'a Catalog,
    instance: &'a TriggerInstance,
    payload: Arc<Value>,
}

impl Engine {
    /// Takes an event from the bus. When it returns `Ok` the event and all that follows from it are stored, or the event is and the rest
    /// is due. An event that came before changes nothing.
    pub async fn receive(&self, event: TriggerEvent) -> Result<(), Error> {
        let (payload, _) = self.payload_of(event.payload.clone()).await?;
        let instance = pending(&event, payload);
        let payload = Arc::new(event.payload);
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.enforce(instance.clone(), Arc::clone(&payload), Guard::Absent, &HashSet::new()).await {
                Err(error) if error.kind == crate::ErrorKind::Conflict => {
                    // Only what is stored came before. Where nothing is and it goes on like that, the sender must hear that it has to
                    // send it again.
                    let stored = self.ports.store.get(&records::trigger_instance_key(event.id)).await?.is_some();
                    match (stored, attempts < ATTEMPTS) {
                        (true, _) => return self.handle_trigger_instance(event.id).await,
                        (false, true) => {}
                        (false, false) => return Err(error),
                    }
                }
                other => return other,
            }
        }
    }

    /// Looks at an event and goes on with it where it is not finished.
    pub(crate) async fn handle_trigger_instance(&self, id: Id) -> Result<(), Error> {
        let Some(record) = self.ports.store.get(&records::trigger_instance_key(id)).await? else { return Ok(()) };
        let instance: TriggerInstance = records::read(&record)?;
        if instance.status.is_final() {
            return Ok(());
        }
        let guard = Guard::Version(record.version);
        let done = match self.load(&instance.payload).await {
            Ok(payload) => {
                let enforced = self.enforced_before(&instance).await?;
                self.enforce(instance.clone(), Arc::new(payload), guard, &enforced).await
            }
            Err(error) => Err(error),
        };
        match done {
            Err(error) if !error.is_retryable() => self.park(instance, guard, &error).await,
            other => other,
        }
    }

    /// Writes down that an event can't be processed, and why. It is kept, and can be emitted again.
    async fn park(&self, mut instance: TriggerInstance, guard: Guard, error: &Error) -> Result<(), Error> {
        instance.status = TriggerInstanceStatus::ProcessingFailed;
        instance.failure_reason = Some(error.message.clone());
        let ttl = self.ports.clock.now().after(self.options.retention);
        self.ports.store.commit(vec![instance.put(guard, None, Some(ttl))?]).await?;
        Ok(())
    }

    /// The rules that were enforced in commits before this one.
    async fn enforced_before(&self, instance: &TriggerInstance) -> Result<HashSet<Id>, Error> {
        if instance.status == TriggerInstanceStatus::Pending {
            return Ok(HashSet::new());
        }
        let mut query = ports::Query::index(ports::Slot::Trigger, format!("enforcement/{}", instance.id), 1_000);
        let mut enforced = HashSet::new();
        loop {
            let page = self.ports.store.query(&query).await?;
            for record in &page.records {
                enforced.insert(records::read::<RuleEnforcement>(record)?.id);
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(enforced),
            }
        }
    }

    async fn enforce(
        &self,
        mut instance: TriggerInstance,
        payload: Arc<Value>,
        guard: Guard,
        before: &HashSet<Id>,
    ) -> Result<(), Error> {
        let catalog = self.catalog().await?;
        instance.content_revision = catalog.revision;
        let mut all = Vec::new();
        if let Some(rules) = catalog.listeners(instance.trigger.id()) {
            let matching = Matching { catalog: &catalog, instance: &instance, payload };
            for hit in self.hits(&matching, rules).await? {
                if !before.contains(&enforcement_id(&instance, &hit.rule, 0)) {
                    all.push(self.enforce_rule(&matching, hit).await?);
                }
            }
        }
        let (trigger, matched) = (instance.trigger.kind.clone(), all.len());
        self.commit_enforced(instance, guard, all).await?;
        tracing::debug!(metric = "trigger.processed", trigger = trigger.as_str(), matched);
        Ok(())
    }

    async fn hits(&self, matching: &Matching<'_>, rules: &TriggerRules) -> Result<Vec<Hit>, Error> {
        let reader = Reader { user: Principal::system().user, decrypts: true };
        let now = self.ports.clock.now();
        let event = |keys| rules::Event::new(Arc::clone(&matching.payload), now, keys);
        Ok(self.with_datastore(&reader, |keys| rules.hits(&event(keys))).await?.value)
    }

    /// One rule that matched: the executions that it requests, and the records of that, to be written in one commit.
    async fn enforce_rule(&self, matching: &Matching<'_>, hit: Hit) -> Result<Enforced, Error> {
        let Matching { instance, payload, .. } = matching;
        let rule = &hit.rule;
        let mut enforced = Enforced::default();
        if let Some(reason) = hit.failure {
            let mut enforcement = self.blank_enforcement(instance, rule, 0);
            enforcement.failure_reason = Some(rules::failure_reason(&rule.reference, instance.id, &reason));
            return self.record(enforced, enforcement);
        }
        let mut passage = Passage::Now;
        if let Some(throttle) = &rule.throttle {
            match self.pass(rule, throttle, payload, execution_id(instance, rule, 0)).await {
                Ok((decided, counted)) => {
                    passage = decided;
                    enforced.operations.push(counted);
                }
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    let mut enforcement = self.blank_enforcement(instance, rule, 0);
                    enforcement.failure_reason = Some(error.message);
                    return self.record(enforced, enforcement);
                }
            }
        }
        for (at, action) in rule.actions().enumerate() {
            enforced = self.enforce_action(matching, (rule, at, action), &passage, enforced).await?;
        }
        Ok(enforced)
    }

    async fn enforce_action(
        &self,
        matching: &Matching<'_>,
        (rule, at, action): (&Arc<Rule>, usize, &RuleAction),
        passage: &Passage,
        mut enforced: Enforced,
    ) -> Result<Enforced, Error> {
        let mut enforcement = self.blank_enforcement(matching.instance, rule, at);
        let held_back = passage.reason();
        if let Some(not_before) = passage.start() {
            match self.request_of_rule(matching, (rule, at, action), not_before).await {
                Ok(requested) => {
                    enforced.operations.push(requested.put()?);
                    enforced.wakes.extend(requested.wake());
                    enforcement.failure_reason = requested.failure;
                    if enforcement.failure_reason.is_none() {
                        enforcement.execution = Some(requested.execution.id);
                        enforcement.status = EnforcementStatus::Succeeded;
                    }
                }
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => enforcement.failure_reason = Some(error.message),
            }
        }
        if enforcement.failure_reason.is_none() && held_back.is_some() {
            enforcement.status = EnforcementStatus::Throttled;
            enforcement.failure_reason = held_back;
            enforcement.execution = enforcement.execution.or_else(|| passage.merged_into(at));
        }
        self.record(enforced, enforcement)
    }

    fn record(&self, mut enforced: Enforced, enforcement: RuleEnforcement) -> Result<Enforced, Error> {
        let ttl = self.ports.clock.now().after(self.options.retention);
        enforced.operations.push(enforcement.put(Guard::Absent, None, Some(ttl))?);
        Ok(enforced)
    }

    /// Failed, as long as nothing else is known.
    fn blank_enforcement(&self, instance: &TriggerInstance, rule: &Rule, at: usize) -> RuleEnforcement {
        RuleEnforcement {
            id: enforcement_id(instance, rule, at),
            trigger_instance: instance.id,
            execution: None,
            failure_reason: None,
            rule: rule.reference.clone(),
            enforced_at: self.ports.clock.now(),
            status: EnforcementStatus::Failed,
        }
    }

    async fn request_of_rule(
        &self,
        matching: &Matching<'_>,
        (rule, at, action): (&Arc<Rule>, usize, &RuleAction),
        not_before: Option<Timestamp>,
    ) -> Result<crate::dispatch::Requested, Error> {
        let Matching { catalog, instance, payload } = matching;
        let known = catalog.actions.get(&action.reference);
        let plan = catalog.plan(known.ok_or_else(|| Error::not_found("action", &action.reference))?)?;
        plan.check_enabled()?;
        plan.check_given(&action.parameters)?;
        let user = Principal::system().user;
        let context = context(instance, rule, &user);
        let origin = Origin {
            id: execution_id(instance, rule, at),
            user,
            decrypts: true,
            context,
            rule: Some(RuleLink { id: rule.id(), reference: rule.reference.clone() }),
            trigger: Some(TriggerLink {
                instance: instance.id,
                trigger: reference(&instance.trigger),
                kind: instance.trigger.kind.clone(),
            }),
            trace: instance.trace.clone(),
            not_before,
            notify: None,
            parent: None,
        };
        // Rendered once: what the event fills in is data from here on, whatever it looks like.
        let inputs =
            Inputs { templates: action.parameters.clone(), trigger: Some(Arc::clone(payload)), ..Inputs::default() };
        self.prepare(&plan, inputs, origin).await
    }

    /// Writes the event and what follows from it. Where that is too much for one commit the event stays due until the last of them.
    async fn commit_enforced(
        &self,
        mut instance: TriggerInstance,
        mut guard: Guard,
        all: Vec<Enforced>,
    ) -> Result<(), Error> {
        let now = self.ports.clock.now();
        let mut rest = all.into_iter().peekable();
        loop {
            let (mut operations, mut wakes, mut bytes) = (Vec::new(), Vec::new(), 0);
            while let Some(next) = rest.next_if(|next| {
                let size = size(&next.operations);
                let fits =
                    operations.len() + next.operations.len() < MAX_OPERATIONS && bytes + size < MAX_COMMIT_BYTES / 2;
                bytes += size;
                fits || operations.is_empty()
            }) {
                operations.extend(next.operations);
                wakes.extend(next.wakes);
            }
            let last = rest.peek().is_none();
            instance.status = if last { TriggerInstanceStatus::Processed } else { TriggerInstanceStatus::Processing };
            let (due, ttl) =
                if last { (None, Some(now.after(self.options.retention))) } else { (Some(now.after(NEXT_LOOK)), None) };
            operations.push(instance.put(guard, due, ttl)?);
            self.ports.store.commit(operations).await?;
            self.ports.wakes.send(wakes).await;
            if last {
                return Ok(());
            }
            guard = Guard::Version(match guard {
                Guard::Absent => 1,
                Guard::Version(version) => version + 1,
            });
        }
    }
}

fn size(operations: &[Operation]) -> usize {
    let of = |operation: &Operation| match operation {
        Operation::Put(record, _) => record.body.len() + 2_048,
        _ => 0,
    };
    operations.iter().map(of).sum()
}

/// A function of the event, the rule and the place of the action: however often they meet, there is one.
fn derived(kind: &str, instance: &TriggerInstance, rule: &Rule, at: usize) -> Id {
    let (event, place) = (instance.id.to_string(), at.to_string());
    let mut parts = vec![kind, event.as_str(), rule.reference.as_str()];
    // The first action is the only one of nearly all rules.
    parts.extend((at > 0).then_some(place.as_str()));
    Id::derived(instance.occurrence_time, &parts)
}

fn enforcement_id(instance: &TriggerInstance, rule: &Rule, at: usize) -> Id {
    derived("enforcement", instance, rule, at)
}

fn execution_id(instance: &TriggerInstance, rule: &Rule, at: usize) -> Id {
    derived("execution", instance, rule, at)
}

fn context(instance: &TriggerInstance, rule: &Rule, user: &str) -> Map<String, Value> {
    let context = json!({
        "trigger_instance": {"id": instance.id, "name": null},
        "rule": {"id": rule.id(), "name": rule.reference.name()},
        "user": user,
        "pack": rule.reference.pack(),
        "trace_context": {"id_": instance.trace.id, "trace_tag": instance.trace.tag},
    });
    context.as_object().cloned().unwrap_or_default()
}
