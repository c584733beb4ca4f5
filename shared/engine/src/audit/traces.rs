//! Traces: all that came of one event or one request.

use model::{Execution, Id, Ref, Timestamp, TraceContext, TriggerInstance};
use ports::{Key, Query, Record, Scope, Slot};

use super::cursor;
use crate::{Engine, Error, Listing, PageRequest, Principal, records};

/// The most records of one trace that are read.
const MAX_LINKS: usize = 10_000;

/// One part of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceLink {
    /// The id of the execution, rule or trigger instance.
    pub id: Id,
    /// Its ref.
    pub reference: Ref,
    /// When it came in.
    pub at: Timestamp,
    /// What led to it: the kind of thing, and its id.
    pub caused_by: Option<(&'static str, String)>,
}

/// A trace and its parts, each kind in the order of time. In listings the parts are left out.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the REST interface")]
pub struct Trace {
    pub id: Id,
    pub tag: String,
    pub start: Timestamp,
    pub executions: Vec<TraceLink>,
    pub rules: Vec<TraceLink>,
    pub trigger_instances: Vec<TraceLink>,
}

/// Which traces; at most one field is used, the first that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the REST interface")]
pub struct TraceFilter {
    pub execution: Option<Id>,
    pub trigger_instance: Option<Id>,
    /// A rule's ref: one entry for each execution that it requested.
    pub rule: Option<String>,
    pub tag: Option<String>,
}

/// A record that belongs to a trace.
enum Part {
    Execution(Box<Execution>),
    Instance(Box<TriggerInstance>),
}

impl Part {
    fn read(record: &Record) -> Result<Part, Error> {
        if record.key.partition.starts_with("execution/") {
            return Ok(Part::Execution(Box::new(records::read(record)?)));
        }
        Ok(Part::Instance(Box::new(records::read(record)?)))
    }

    /// The trace that it belongs to, as yet without its parts.
    fn trace(&self) -> Trace {
        let (trace, start) = match self {
            Part::Execution(execution) => (&execution.trace, execution.start),
            Part::Instance(instance) => (&instance.trace, instance.occurrence_time),
        };
        let (executions, rules, trigger_instances) = (Vec::new(), Vec::new(), Vec::new());
        Trace { id: trace.id, tag: trace.tag.clone(), start, executions, rules, trigger_instances }
    }
}

impl Engine {
    /// Traces, without their parts.
    pub async fn traces(
        &self,
        principal: &Principal,
        filter: &TraceFilter,
        page: &PageRequest,
    ) -> Result<Listing<Trace>, Error> {
        principal.require_view()?;
        let key = match (filter.execution, filter.trigger_instance) {
            (Some(id), _) => Some(records::execution_key(id)),
            (None, Some(id)) => Some(records::trigger_instance_key(id)),
            (None, None) => None,
        };
        if let Some(key) = key {
            return Ok(only(self.trace_of(&key).await?));
        }
        if let (None, Some(tag)) = (&filter.rule, &filter.tag)
            && let Some(trace) = self.trace_tagged_by_id(tag).await?
        {
            return Ok(only(Some(trace)));
        }
        let scope = match (&filter.rule, &filter.tag) {
            (Some(rule), _) => Scope::Index(Slot::Rule, format!("execution/{rule}")),
            // Events have the tag in one index, requests by hand in another; a tag belongs to one or the other.
            (None, Some(tag)) => self.scope_of_tag(tag).await?,
            (None, None) => Scope::Index(Slot::Parent, "trace".to_owned()),
        };
        let answer = self.ports.store.query(&page.query(scope)?).await?;
        let items: Vec<_> = answer
            .records
            .iter()
            .map(|record| Part::read(record).map(|part| part.trace()))
            .collect::<Result<_, _>>()?;
        Ok(Listing { items, total: answer.total, next: answer.next.as_ref().map(cursor::encode) })
    }

    /// The trace of the record there, as yet without its parts.
    async fn trace_of(&self, key: &Key) -> Result<Option<Trace>, Error> {
        let record = self.ports.store.get(key).await?;
        record.as_ref().map(|record| Part::read(record).map(|part| part.trace())).transpose()
    }

    /// The trace whose tag was made from its id, and stands in no index for that.
    async fn trace_tagged_by_id(&self, tag: &str) -> Result<Option<Trace>, Error> {
        let Some(id) = TraceContext::id_in_tag(tag) else { return Ok(None) };
        for key in [records::trigger_instance_key(id), records::execution_key(id)] {
            if let Some(trace) = self.trace_of(&key).await?.filter(|trace| trace.id == id && trace.tag == tag) {
                return Ok(Some(trace));
            }
        }
        Ok(None)
    }

    async fn scope_of_tag(&self, tag: &str) -> Result<Scope, Error> {
        let partition = format!("trace/{tag}");
        let of_event = Query::index(Slot::User, partition.clone(), 1);
        let slot = if self.ports.store.query(&of_event).await?.records.is_empty() { Slot::Trigger } else { Slot::User };
        Ok(Scope::Index(slot, partition))
    }

    /// One trace with its parts.
    pub async fn trace(&self, principal: &Principal, id: Id) -> Result<Trace, Error> {
        principal.require_view()?;
        let mut query = Query::index(Slot::Trace, format!("trace/{id}"), 1_000);
        let mut trace: Option<Trace> = None;
        let mut read = 0;
        loop {
            let answer = self.ports.store.query(&query).await?;
            read += answer.records.len();
            for record in &answer.records {
                let part = Part::read(record)?;
                add(trace.get_or_insert_with(|| part.trace()), part);
            }
            match answer.next.filter(|_| read < MAX_LINKS) {
                Some(next) => query.cursor = Some(next),
                None => return trace.ok_or_else(|| Error::not_found("trace", id)),
            }
        }
    }
}

fn only(trace: Option<Trace>) -> Listing<Trace> {
    let items = Vec::from_iter(trace);
    Listing { total: Some(items.len() as u64), items, next: None }
}

fn add(trace: &mut Trace, part: Part) {
    match part {
        Part::Execution(execution) => {
            let mut cause = execution.parent.map(|parent| ("action_execution", parent.to_string()));
            if let (Some(rule), Some(trigger)) = (&execution.rule, &execution.trigger) {
                cause = Some(("rule", format!("{}:{}", rule.id, trigger.instance)));
                trace.rules.push(TraceLink {
                    id: rule.id,
                    reference: rule.reference.clone(),
                    at: execution.start,
                    caused_by: Some(("trigger_instance", trigger.instance.to_string())),
                });
            }
            let link =
                TraceLink { id: execution.id, reference: execution.action, at: execution.start, caused_by: cause };
            trace.executions.push(link);
        }
        Part::Instance(instance) => {
            let reference = instance.trigger.reference().unwrap_or_else(|_| instance.trigger.kind.clone());
            let caused_by = instance.caused_by.map(|execution| ("action_execution", execution.to_string()));
            trace.trigger_instances.push(TraceLink {
                id: instance.id,
                reference,
                at: instance.occurrence_time,
                caused_by,
            });
        }
    }
}
