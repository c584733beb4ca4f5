//! The content that is live: one immutable snapshot per content revision, with everything found in one step.

mod history;
mod kinds;
mod load;
mod trigger_rules;

use model::{
    Action, ActionAlias, Id, PackFile, PackMetadata, Policy, Ref, Rule, SensorType, Timestamp, Trigger, TriggerType,
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, OnceLock, RwLock},
    time::Duration,
};

use crate::{Error, parameters::ActionPlan, policies::Active};

pub(crate) use history::Replaced;
pub use kinds::Content;
pub(crate) use load::{Head, HeadPack, Overlay, OverlayEntry};
pub(crate) use trigger_rules::Hit;
pub use trigger_rules::TriggerRules;

/// A pack in the version that is live.
#[derive(Debug)]
pub struct InstalledPack {
    /// `pack.yaml`.
    pub metadata: PackMetadata,
    /// The version's content address.
    pub digest: String,
    /// Its files, in the blob store.
    pub files: Arc<[PackFile]>,
    /// `config.schema.yaml`.
    pub config_schema: Option<Map<String, Value>>,
}

/// All content of one revision.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Raised by one with every change of content.
    pub revision: u64,
    /// By ref.
    pub packs: BTreeMap<String, Arc<InstalledPack>>,
    /// By ref.
    pub actions: BTreeMap<Ref, Arc<Action>>,
    /// By ref.
    pub rules: BTreeMap<Ref, Arc<Rule>>,
    /// By ref.
    pub trigger_types: BTreeMap<Ref, Arc<TriggerType>>,
    /// By ref.
    pub sensors: BTreeMap<Ref, Arc<SensorType>>,
    /// By ref.
    pub aliases: BTreeMap<Ref, Arc<ActionAlias>>,
    /// By ref.
    pub policies: BTreeMap<Ref, Arc<Policy>>,
    refs: HashMap<Id, Ref>,
    listened: HashMap<Id, Arc<TriggerRules>>,
    webhooks: HashMap<String, Vec<Trigger>>,
    active_policies: HashMap<Ref, Vec<Active>>,
    plans: Mutex<HashMap<Ref, Arc<ActionPlan>>>,
    payload_schemas: Mutex<HashMap<Ref, Arc<OnceLock<Option<model::SchemaValidator>>>>>,
}

impl Catalog {
    /// Whatever has that ref or id.
    pub fn find<T: Content>(&self, ref_or_id: &str) -> Option<&Arc<T>> {
        if let Ok(reference) = ref_or_id.parse::<Ref>() {
            return T::all(self).get(&reference);
        }
        T::all(self).get(self.refs.get(&ref_or_id.parse().ok()?)?)
    }

    /// The pack of that ref or id.
    pub fn pack(&self, ref_or_id: &str) -> Option<&Arc<InstalledPack>> {
        self.packs.get(ref_or_id).or_else(|| {
            let id: Id = ref_or_id.parse().ok()?;
            self.packs.values().find(|pack| pack.metadata.id() == id)
        })
    }

    /// The rules that listen to a trigger; `None` where none does.
    pub fn listeners(&self, trigger: Id) -> Option<&Arc<TriggerRules>> {
        self.listened.get(&trigger)
    }

    /// Does any enabled rule listen to this trigger type without parameters? What nobody listens to is not emitted.
    pub fn is_listened(&self, kind: &str) -> bool {
        kind.parse().is_ok_and(|kind| self.listened.contains_key(&Trigger::new(kind, Map::new()).id()))
    }

    /// Every trigger there is: one for each trigger type without parameters, and one for each set of parameters that an enabled rule
    /// listens to. Ordered by type.
    pub fn triggers(&self) -> Vec<Trigger> {
        let plain = self.trigger_types.values().filter(|kind| kind.parameters_schema.is_empty());
        let mut all: Vec<_> = plain.map(|kind| Trigger::new(kind.reference.clone(), Map::new())).collect();
        all.extend(
            self.listened.values().map(|rules| rules.trigger.clone()).filter(|trigger| !trigger.parameters.is_empty()),
        );
        all.sort_by_cached_key(|trigger| (trigger.kind.clone(), trigger.id()));
        all
    }

    /// The triggers of one type that enabled rules listen to.
    pub fn triggers_of(&self, kind: &str) -> Vec<Trigger> {
        let of_kind = self.listened.values().filter(|rules| rules.trigger.kind.as_str() == kind);
        let mut all: Vec<_> = of_kind.map(|rules| rules.trigger.clone()).collect();
        all.sort_by_cached_key(Trigger::id);
        all
    }

    /// The enabled policies on an action, in the order in which they have their say.
    pub(crate) fn active_policies(&self, action: &Ref) -> &[Active] {
        self.active_policies.get(action).map(Vec::as_slice).unwrap_or_default()
    }

    /// The triggers of a webhook's URL.
    pub(crate) fn webhook(&self, url: &str) -> &[Trigger] {
        self.webhooks.get(url).map(Vec::as_slice).unwrap_or_default()
    }

    /// The trigger that a text means: a trigger type's ref, or a trigger's own ref or id.
    pub fn trigger(&self, text: &str) -> Option<Trigger> {
        if let Some(kind) = self.find::<TriggerType>(text) {
            return Some(Trigger::new(kind.reference.clone(), Map::new()));
        }
        let id = text.rsplit('.').next()?.parse().ok()?;
        match self.listened.get(&id) {
            Some(rules) => Some(rules.trigger.clone()),
            None => self.triggers().into_iter().find(|trigger| trigger.id() == id),
        }
    }

    /// The action's parameters merged with its runner's, compiled at first use.
    pub fn plan(&self, action: &Arc<Action>) -> Result<Arc<ActionPlan>, Error> {
        let mut plans = lock(&self.plans);
        // An execution may run another version of the action than the live one.
        if let Some(plan) = plans.get(&action.reference).filter(|plan| plan.action == *action) {
            return Ok(Arc::clone(plan));
        }
        let pack = self.packs.get(action.reference.pack());
        let plan = Arc::new(ActionPlan::new(action, pack.map(Arc::as_ref))?);
        plans.insert(action.reference.clone(), Arc::clone(&plan));
        Ok(plan)
    }

    /// Does the payload fit the trigger type? Types that are not known, or have no schema, take anything.
    pub fn check_payload(&self, kind: &Ref, payload: &Value) -> Result<(), Error> {
        let Some(trigger_type) = self.trigger_types.get(kind).filter(|kind| !kind.payload_schema.is_empty()) else {
            return Ok(());
        };
        let cell = Arc::clone(lock(&self.payload_schemas).entry(kind.clone()).or_default());
        // A schema that doesn't compile is refused when it is registered.
        let schema = cell.get_or_init(|| model::SchemaValidator::new(&trigger_type.payload_schema).ok());
        match schema.as_ref().map(|schema| schema.validate(payload)) {
            Some(Err(problems)) => {
                Err(Error::invalid(format!("the payload does not fit trigger type {kind}: {}", problems.join("; "))))
            }
            _ => Ok(()),
        }
    }
}

/// A lock that goes on after a panic elsewhere: what it guards is a cache.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The live snapshot, and when to look for a newer one.
#[derive(Debug, Default)]
pub(crate) struct CatalogCache(RwLock<Option<(Arc<Catalog>, Timestamp)>>);

impl CatalogCache {
    /// The snapshot, where it is younger than `max_age` (`None`: for ever, for who is the only writer).
    pub(crate) fn fresh(&self, now: Timestamp, max_age: Option<Duration>) -> Option<Arc<Catalog>> {
        let cached = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (catalog, checked) = cached.as_ref()?;
        max_age.is_none_or(|age| now.since(*checked) < age).then(|| Arc::clone(catalog))
    }

    /// The snapshot, however old.
    pub(crate) fn last(&self) -> Option<Arc<Catalog>> {
        self.0
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .as_ref()
            .map(|(catalog, _)| Arc::clone(catalog))
    }

    /// Takes a snapshot over, unless a newer one is here already.
    pub(crate) fn set(&self, catalog: Arc<Catalog>, now: Timestamp) {
        let mut cached = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if cached.as_ref().is_none_or(|(old, _)| old.revision <= catalog.revision) {
            *cached = Some((catalog, now));
        }
    }
}
