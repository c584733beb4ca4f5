//! Listings: one index read each, whatever the page.

use model::{Execution, ExecutionStatus, Id, Ref, RuleEnforcement, Timestamp, TriggerInstance, TriggerInstanceStatus};
use ports::{Query, Record, Scope, Slot};
use serde::de::DeserializeOwned;

use super::cursor;
use crate::{Engine, Error, Principal, records};

/// The most records of a page.
const MAX_LIMIT: usize = 1_000;
/// Index entries that one listing looks through where a filter has no index of its own beside another.
const MAX_SCANNED: usize = 10_000;

/// Which part of a listing is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many, 1 to 1,000.
    pub limit: usize,
    /// Leave out so many first; costs with its size, a cursor does not.
    pub skip: u64,
    /// Go on behind this; from [`Listing::next`].
    pub cursor: Option<String>,
    /// The newest first.
    pub descending: bool,
}

impl Default for PageRequest {
    fn default() -> PageRequest {
        PageRequest { limit: 100, skip: 0, cursor: None, descending: true }
    }
}

impl PageRequest {
    /// The question to the store.
    pub(crate) fn query(&self, scope: Scope) -> Result<Query, Error> {
        if self.limit == 0 || self.limit > MAX_LIMIT {
            return Err(Error::invalid(format!("limit is 1 to {MAX_LIMIT}, not {}", self.limit)));
        }
        let mut query = Query::new(scope, self.limit);
        query.skip = self.skip;
        query.descending = self.descending;
        query.count = true;
        query.cursor = self.cursor.as_deref().map(cursor::decode).transpose()?;
        Ok(query)
    }
}

/// A part of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    /// In the order asked for.
    pub items: Vec<T>,
    /// How many there are in all, where that is known.
    pub total: Option<u64>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// Which executions; every field that is given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the REST interface")]
pub struct ExecutionFilter {
    pub action: Option<Ref>,
    /// A rule's ref or its name alone.
    pub rule: Option<String>,
    pub status: Option<ExecutionStatus>,
    pub parent: Option<Id>,
    /// Only those without a parent.
    pub top_level: bool,
    pub trigger_instance: Option<Id>,
    /// A trigger's ref or its name alone.
    pub trigger: Option<String>,
    pub trigger_type: Option<Ref>,
    pub runner: Option<String>,
    pub user: Option<String>,
    pub trace: Option<Id>,
    /// Requested at or after.
    pub from: Option<Timestamp>,
    /// Requested before.
    pub until: Option<Timestamp>,
}

/// Which trigger instances.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the REST interface")]
pub struct InstanceFilter {
    /// A trigger's ref or id.
    pub trigger: Option<String>,
    pub trigger_type: Option<Ref>,
    pub status: Option<TriggerInstanceStatus>,
    pub trace: Option<Id>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Which enforcements.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the REST interface")]
pub struct EnforcementFilter {
    pub rule: Option<Ref>,
    pub rule_id: Option<Id>,
    pub trigger_instance: Option<Id>,
    pub execution: Option<Id>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl ExecutionFilter {
    /// The most selective index that holds everything asked for.
    fn scope(&self) -> Scope {
        let index = |slot, partition: String| Scope::Index(slot, format!("execution/{partition}"));
        if let Some(parent) = self.parent {
            return index(Slot::Parent, parent.to_string());
        }
        if let Some(instance) = self.trigger_instance {
            return index(Slot::Trigger, instance.to_string());
        }
        if let Some(trace) = self.trace {
            return Scope::Index(Slot::Trace, format!("trace/{trace}"));
        }
        if let Some(rule) = self.rule.as_ref().filter(|rule| rule.contains('.')) {
            return index(Slot::Rule, rule.clone());
        }
        if let Some(action) = &self.action {
            return index(Slot::Action, action.to_string());
        }
        if let Some(status) = self.status {
            return index(Slot::Status, status.to_string());
        }
        if let Some(user) = &self.user {
            return index(Slot::User, user.clone());
        }
        Scope::Index(Slot::Kind, "execution".to_owned())
    }

    /// Is all that is asked for told by one index? Then places in it are places in the listing.
    fn is_exact(&self) -> bool {
        let indexed = [
            self.parent.is_some(),
            self.trigger_instance.is_some(),
            self.rule.is_some(),
            self.action.is_some(),
            self.status.is_some(),
            self.user.is_some(),
        ];
        let more = self.top_level || self.trigger.is_some() || self.trigger_type.is_some() || self.runner.is_some();
        let bare_rule = self.rule.as_ref().is_some_and(|rule| !rule.contains('.'));
        !more && !bare_rule && self.trace.is_none() && indexed.iter().filter(|given| **given).count() <= 1
    }

    fn holds(&self, execution: &Execution) -> bool {
        let named = |wanted: &str, reference: &Ref| wanted == reference.as_str() || wanted == reference.name();
        let trigger = execution.trigger.as_ref();
        self.action.as_ref().is_none_or(|action| *action == execution.action)
            && self
                .rule
                .as_ref()
                .is_none_or(|rule| execution.rule.as_ref().is_some_and(|link| named(rule, &link.reference)))
            && self.status.is_none_or(|status| status == execution.status)
            && self.parent.is_none_or(|parent| execution.parent == Some(parent))
            && (!self.top_level || execution.parent.is_none())
            && self.trigger_instance.is_none_or(|id| trigger.is_some_and(|link| link.instance == id))
            && self.trigger.as_ref().is_none_or(|wanted| trigger.is_some_and(|link| named(wanted, &link.trigger)))
            && self.trigger_type.as_ref().is_none_or(|kind| trigger.is_some_and(|link| link.kind == *kind))
            && self.runner.as_ref().is_none_or(|runner| *runner == execution.runner)
            && self.user.as_ref().is_none_or(|user| *user == execution.user)
            && self.trace.is_none_or(|trace| trace == execution.trace.id)
    }
}

impl InstanceFilter {
    fn scope(&self) -> Scope {
        let index = |slot, partition: String| Scope::Index(slot, format!("trigger_instance/{partition}"));
        if let Some(trace) = self.trace {
            return Scope::Index(Slot::Trace, format!("trace/{trace}"));
        }
        // A trigger with parameters is found by its id, the last part of its ref; one without by its type.
        if let Some(trigger) = &self.trigger {
            return match trigger.rsplit('.').next().and_then(|id| id.parse::<Id>().ok()) {
                Some(id) => index(Slot::Trigger, id.to_string()),
                None => index(Slot::Action, trigger.clone()),
            };
        }
        if let Some(kind) = &self.trigger_type {
            return index(Slot::Action, kind.to_string());
        }
        if let Some(status) = self.status.filter(|status| *status != TriggerInstanceStatus::Processed) {
            return index(Slot::Status, status.name().to_owned());
        }
        Scope::Index(Slot::Kind, "trigger_instance".to_owned())
    }

    fn is_exact(&self) -> bool {
        let given = [self.trigger.is_some(), self.trigger_type.is_some(), self.status.is_some()];
        let looked_through = self.trace.is_some() || self.status == Some(TriggerInstanceStatus::Processed);
        !looked_through && given.iter().filter(|given| **given).count() <= 1
    }

    fn holds(&self, instance: &TriggerInstance) -> bool {
        self.trigger_type.as_ref().is_none_or(|kind| *kind == instance.trigger.kind)
            && self.status.is_none_or(|status| status == instance.status)
            && self.trace.is_none_or(|trace| trace == instance.trace.id)
    }
}

impl EnforcementFilter {
    fn scope(&self) -> Scope {
        let index = |slot, partition: String| Scope::Index(slot, format!("enforcement/{partition}"));
        if let Some(instance) = self.trigger_instance {
            return index(Slot::Trigger, instance.to_string());
        }
        if let Some(rule) = &self.rule {
            return index(Slot::Rule, rule.to_string());
        }
        Scope::Index(Slot::Kind, "enforcement".to_owned())
    }

    fn is_exact(&self) -> bool {
        let given = [self.rule.is_some(), self.trigger_instance.is_some()];
        self.rule_id.is_none() && self.execution.is_none() && given.iter().filter(|given| **given).count() <= 1
    }

    fn holds(&self, enforcement: &RuleEnforcement) -> bool {
        self.rule.as_ref().is_none_or(|rule| *rule == enforcement.rule)
            && self.rule_id.is_none_or(|id| id == model::Id::named(&["rule", enforcement.rule.as_str()]))
            && self.trigger_instance.is_none_or(|id| id == enforcement.trigger_instance)
            && self.execution.is_none_or(|id| enforcement.execution == Some(id))
    }
}

/// What a listing goes through, and what it keeps of it.
struct Selection<F> {
    scope: Scope,
    range: (Option<Timestamp>, Option<Timestamp>),
    exact: bool,
    /// Only records of this kind; a trace's index holds several.
    partition: &'static str,
    holds: F,
}

impl Engine {
    /// Executions.
    pub async fn executions(
        &self,
        principal: &Principal,
        filter: &ExecutionFilter,
        page: &PageRequest,
    ) -> Result<Listing<Execution>, Error> {
        principal.require_view()?;
        let (range, exact) = ((filter.from, filter.until), filter.is_exact());
        let holds = |execution: &Execution| filter.holds(execution);
        self.listing(page, Selection { scope: filter.scope(), range, exact, partition: "execution/", holds }).await
    }

    /// Trigger instances.
    pub async fn trigger_instances(
        &self,
        principal: &Principal,
        filter: &InstanceFilter,
        page: &PageRequest,
    ) -> Result<Listing<TriggerInstance>, Error> {
        principal.require_view()?;
        let (range, exact) = ((filter.from, filter.until), filter.is_exact());
        let holds = |instance: &TriggerInstance| filter.holds(instance);
        self.listing(page, Selection { scope: filter.scope(), range, exact, partition: "trigger_instance/", holds })
            .await
    }

    /// Rule enforcements.
    pub async fn enforcements(
        &self,
        principal: &Principal,
        filter: &EnforcementFilter,
        page: &PageRequest,
    ) -> Result<Listing<RuleEnforcement>, Error> {
        principal.require_view()?;
        let mut filter = filter.clone();
        // An enforcement is found by its event; what an execution came of stands in the execution.
        if let (Some(execution), None) = (filter.execution, filter.trigger_instance) {
            let record = self.ports.store.get(&records::execution_key(execution)).await?;
            let execution = record.as_ref().map(records::read::<Execution>).transpose()?;
            match execution.and_then(|execution| execution.trigger) {
                Some(trigger) => filter.trigger_instance = Some(trigger.instance),
                None => return Ok(Listing { items: Vec::new(), total: Some(0), next: None }),
            }
        }
        let (range, exact) = ((filter.from, filter.until), filter.is_exact());
        let holds = |enforcement: &RuleEnforcement| filter.holds(enforcement);
        self.listing(page, Selection { scope: filter.scope(), range, exact, partition: "enforcement/", holds }).await
    }

    /// One trigger instance.
    pub async fn trigger_instance(&self, principal: &Principal, id: Id) -> Result<TriggerInstance, Error> {
        principal.require_view()?;
        let record = self.ports.store.get(&records::trigger_instance_key(id)).await?;
        record.as_ref().map(records::read).transpose()?.ok_or_else(|| Error::not_found("trigger instance", id))
    }

    /// One enforcement.
    pub async fn enforcement(&self, principal: &Principal, id: Id) -> Result<RuleEnforcement, Error> {
        principal.require_view()?;
        let record = self.ports.store.get(&records::enforcement_key(id)).await?;
        record.as_ref().map(records::read).transpose()?.ok_or_else(|| Error::not_found("rule enforcement", id))
    }

    /// Reads an index until the page is full. Where the index tells all, that is one read.
    async fn listing<T: DeserializeOwned, F: Fn(&T) -> bool>(
        &self,
        page: &PageRequest,
        selection: Selection<F>,
    ) -> Result<Listing<T>, Error> {
        let mut query = page.query(selection.scope)?;
        let (from, until) = selection.range;
        (query.from, query.until) = (from.map(Timestamp::sort_key), until.map(Timestamp::sort_key));
        query.count = selection.exact && from.is_none() && until.is_none();
        let mut left_out = 0;
        if !selection.exact {
            (query.skip, left_out) = (0, page.skip);
        }
        let (mut items, mut total, mut scanned) = (Vec::new(), None, 0);
        let next = loop {
            let answer = self.ports.store.query(&query).await?;
            total = total.or(answer.total);
            scanned += answer.records.len();
            for record in &answer.records {
                let Some(item) = kept(record, selection.partition, &selection.holds)? else { continue };
                if left_out > 0 {
                    left_out -= 1;
                } else {
                    items.push(item);
                }
            }
            if answer.next.is_none() || items.len() >= page.limit || scanned >= MAX_SCANNED {
                break answer.next;
            }
            (query.skip, query.count) = (0, false);
            query.limit = page.limit - items.len();
            query.cursor = answer.next;
        };
        Ok(Listing { items, total, next: next.as_ref().map(cursor::encode) })
    }
}

fn kept<T: DeserializeOwned>(record: &Record, partition: &str, holds: impl Fn(&T) -> bool) -> Result<Option<T>, Error> {
    if !record.key.partition.starts_with(partition) {
        return Ok(None);
    }
    let item = records::read(record)?;
    Ok(holds(&item).then_some(item))
}
