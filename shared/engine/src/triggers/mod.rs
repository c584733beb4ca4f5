//! Events: how they come in, and what becomes of them.

mod enforce;
mod throttle;
mod webhook;

use model::{Execution, Id, Payload, Ref, TraceContext, TraceParent, Trigger, TriggerInstance, TriggerInstanceStatus};
use ports::{Guard, Operation, TriggerEvent, Wake};
use serde_json::{Value, json};

use crate::{Engine, Error, Principal, records};
use records::Stored;

pub use webhook::Webhook;

/// The trace that a request asks for. Each field is used as far as the request can: an event always begins a trace of its own.
#[derive(Clone, Debug, Default)]
pub struct TraceRequest {
    /// The tag of the trace that begins.
    pub tag: Option<String>,
    /// The trace that an execution belongs to, where there is one already.
    pub id: Option<Id>,
    /// Where the caller stands in a distributed trace.
    pub parent: Option<TraceParent>,
}

impl TraceRequest {
    /// The trace of what was asked for, under that id; its tag if none was given.
    pub(crate) fn context(self, id: Id, tag: impl FnOnce() -> String) -> TraceContext {
        TraceContext { id, tag: self.tag.unwrap_or_else(tag), parent: self.parent }
    }
}

/// Bytes of an event's payload.
const MAX_PAYLOAD_BYTES: usize = 8 * 1024 * 1024;

impl Engine {
    /// Emits an event by hand: `trigger` is a trigger type's ref, or a trigger's own ref or id. Returns the trigger instance's id.
    pub async fn emit(
        &self,
        principal: &Principal,
        trigger: &str,
        payload: Value,
        trace: TraceRequest,
    ) -> Result<Id, Error> {
        let id = Id::at(self.ports.clock.now(), self.ports.clock.entropy());
        self.emit_as(principal, trigger, payload, trace, id).await
    }

    /// The same under an id that is given: emitted twice it is one event.
    pub(crate) async fn emit_as(
        &self,
        principal: &Principal,
        trigger: &str,
        payload: Value,
        trace: TraceRequest,
        id: Id,
    ) -> Result<Id, Error> {
        principal.require_view()?;
        let catalog = self.catalog().await?;
        let trigger = catalog.trigger(trigger).ok_or_else(|| Error::not_found("trigger", trigger))?;
        if !payload.is_object() {
            return Err(Error::invalid("the payload of a trigger must be an object"));
        }
        catalog.check_payload(&trigger.kind, &payload)?;
        let trace = trace.context(id, || format!("trigger_instance-{id}"));
        tracing::info!(audit = "trigger.emit", user = principal.user, trigger = trigger.kind.as_str(), trigger_instance = %id);
        self.publish(vec![self.event(id, trigger, payload, trace)]).await?;
        Ok(id)
    }

    /// Emits an event once more, as a new one that names the first.
    pub async fn re_emit(&self, principal: &Principal, original: Id) -> Result<TriggerInstance, Error> {
        let instance = self.trigger_instance(principal, original).await?;
        let mut payload = self.load(&instance.payload).await?;
        if let Some(payload) = payload.as_object_mut() {
            payload.insert("__context".to_owned(), json!({"original_id": original}));
        }
        let id = Id::at(self.ports.clock.now(), self.ports.clock.entropy());
        tracing::info!(audit = "trigger_instance.re_emit", user = principal.user, trigger_instance = %original);
        let event = self.event(id, instance.trigger, payload, instance.trace);
        // Where the bus is not this process, the event may not be stored yet: it is shown as it will be then.
        let (payload, _) = self.payload_of(event.payload.clone()).await?;
        let pending = pending(&event, payload);
        self.publish(vec![event]).await?;
        match self.trigger_instance(principal, id).await {
            Err(error) if error.kind == crate::ErrorKind::NotFound => Ok(pending),
            stored => stored,
        }
    }

    /// The payload of a trigger instance, from wherever it is kept.
    pub async fn payload(&self, principal: &Principal, instance: &TriggerInstance) -> Result<Value, Error> {
        principal.require_view()?;
        self.load(&instance.payload).await
    }

    fn event(&self, id: Id, trigger: Trigger, payload: Value, trace: TraceContext) -> TriggerEvent {
        TriggerEvent { id, trigger, payload, occurrence_time: self.ports.clock.now(), trace }
    }

    async fn publish(&self, events: Vec<TriggerEvent>) -> Result<(), Error> {
        for event in &events {
            let size = serde_json::to_vec(&event.payload).map_err(Error::damaged)?.len();
            if size > MAX_PAYLOAD_BYTES {
                let message = format!("the payload has {size} bytes; at most {MAX_PAYLOAD_BYTES} are allowed");
                return Err(Error::new(crate::ErrorKind::TooLarge, message));
            }
        }
        Ok(self.ports.bus.publish(events).await?)
    }

    /// An event of the platform itself, to be written in the commit of what it tells of; the wake goes out after that.
    pub(crate) async fn pending_instance(
        &self,
        trigger: Trigger,
        payload: Value,
        cause: Option<&Execution>,
    ) -> Result<(Operation, Wake), Error> {
        let now = self.ports.clock.now();
        let id = Id::at(now, self.ports.clock.entropy());
        let (payload, _) = self.payload_of(payload).await?;
        let own_trace = || TraceContext::new(id, format!("trigger_instance-{id}"));
        let instance = TriggerInstance {
            id,
            trigger,
            occurrence_time: now,
            payload,
            status: TriggerInstanceStatus::Pending,
            trace: cause.map_or_else(own_trace, |execution| execution.trace.clone()),
            content_revision: 0,
            caused_by: cause.map(|execution| execution.id),
            failure_reason: None,
        };
        let operation = instance.put(Guard::Absent, Some(now), None)?;
        Ok((operation, Wake { key: records::trigger_instance_key(id), at: now }))
    }
}

/// An event as it stands before its rules had their turn.
fn pending(event: &TriggerEvent, payload: Payload) -> TriggerInstance {
    TriggerInstance {
        id: event.id,
        trigger: event.trigger.clone(),
        occurrence_time: event.occurrence_time,
        payload,
        status: TriggerInstanceStatus::Pending,
        trace: event.trace.clone(),
        content_revision: 0,
        caused_by: None,
        failure_reason: None,
    }
}

/// A trigger's ref as instances and executions show it.
pub(crate) fn reference(trigger: &Trigger) -> Ref {
    trigger.reference().unwrap_or_else(|_| trigger.kind.clone())
}
