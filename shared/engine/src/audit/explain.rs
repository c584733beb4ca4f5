//! Why each rule did or did not act on an event, told after the fact from what is stored.

use model::{Execution, Id, RuleEnforcement, TriggerInstance, TriggerInstanceStatus};
use rules::{Event, Explanation};
use serde::Serialize;
use std::sync::Arc;

use crate::{EnforcementFilter, Engine, Error, PageRequest, Principal, datastore::Reader};

/// What became of one rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleTrail {
    /// Each criterion, what was found, and why that decides.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// The record of its enforcement, where there is one.
    pub enforcement: Option<RuleEnforcement>,
    /// The execution that it requested, as it is now.
    pub execution: Option<Execution>,
}

/// An event and all that became of it.
#[derive(Clone, Debug, Serialize)]
pub struct EventTrail {
    /// The event.
    pub trigger_instance: TriggerInstance,
    /// The content revision that it was matched with.
    pub content_revision: u64,
    /// Have rules or packs changed since?
    pub content_changed: bool,
    /// The content revision that the rules below are of: that of the event, or the live one where that is no longer known.
    pub explained_revision: u64,
    /// Every rule that listens to its trigger, also those that did not match.
    pub rules: Vec<RuleTrail>,
}

impl Engine {
    /// Tells an event's story.
    pub async fn explain(&self, principal: &Principal, id: Id) -> Result<EventTrail, Error> {
        let instance = self.trigger_instance(principal, id).await?;
        let payload = Arc::new(self.load(&instance.payload).await?);
        let live = self.reload_catalog().await?;
        // An event that is still to be matched will be with what is live.
        let matched = instance.status != TriggerInstanceStatus::Pending;
        let then = if matched { self.catalog_at(instance.content_revision).await? } else { None };
        let catalog = then.unwrap_or_else(|| Arc::clone(&live));
        let filter = EnforcementFilter { trigger_instance: Some(id), ..EnforcementFilter::default() };
        let page = PageRequest { limit: 1_000, descending: false, ..PageRequest::default() };
        let enforcements = self.enforcements(principal, &filter, &page).await?.items;
        let reader = Reader { user: Principal::system().user, decrypts: false };
        let mut trails = Vec::new();
        let listeners = catalog.listeners(instance.trigger.id()).map(|rules| rules.rules()).unwrap_or_default();
        for rule in listeners {
            let event = |keys| Event::new(Arc::clone(&payload), instance.occurrence_time, keys);
            let explained = self.with_datastore(&reader, |keys| rules::explain(&rule, &event(keys))).await?;
            let enforcement = enforcements.iter().find(|found| found.rule == rule.rule().reference).cloned();
            let execution = match enforcement.as_ref().and_then(|enforcement| enforcement.execution) {
                Some(execution) => Some(self.execution(principal, execution).await?),
                None => None,
            };
            trails.push(RuleTrail { explanation: explained.value, enforcement, execution });
        }
        Ok(EventTrail {
            content_revision: instance.content_revision,
            content_changed: matched && instance.content_revision != live.revision,
            explained_revision: catalog.revision,
            trigger_instance: instance,
            rules: trails,
        })
    }
}
