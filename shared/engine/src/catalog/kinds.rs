//! The kinds of content that have a ref, and where a catalog holds each.

use model::{Action, ActionAlias, Id, Policy, Ref, Rule, SensorType, TriggerType};
use std::{collections::BTreeMap, sync::Arc};

use super::Catalog;

/// A kind of content that packs bring and that has a ref.
pub trait Content: Send + Sync + Sized + 'static {
    /// Its name in ids and keys, such as `trigger_type`.
    const KIND: &'static str;

    /// Its ref.
    fn reference(&self) -> &Ref;

    /// All of this kind.
    fn all(catalog: &Catalog) -> &BTreeMap<Ref, Arc<Self>>;

    /// Its id, a function of its ref.
    fn id(&self) -> Id {
        Id::named(&[Self::KIND, self.reference().as_str()])
    }

    /// The kind in messages, such as "trigger type".
    fn words() -> String {
        Self::KIND.replace('_', " ")
    }
}

impl Content for Action {
    const KIND: &'static str = "action";
    fn reference(&self) -> &Ref {
        &self.reference
    }
    fn all(catalog: &Catalog) -> &BTreeMap<Ref, Arc<Action>> {
        &catalog.actions
    }
}

impl Content for Rule {
    const KIND: &'static str = "rule";
    fn reference(&self) -> &Ref {
        &self.reference
    }
    fn all(catalog: &Catalog) -> &BTreeMap<Ref, Arc<Rule>> {
        &catalog.rules
    }
}

impl Content for TriggerType {
    const KIND: &'static str = "trigger_type";
    fn reference(&self) -> &Ref {
        &self.reference
    }
    fn all(catalog: &Catalog) -> &BTreeMap<Ref, Arc<TriggerType>> {
        &catalog.trigger_types
    }
}

impl Content for SensorType {
    const KIND: &'static str = "sensor_type";
    fn reference(&self) -> &Ref {
        &self.reference
    }
    fn all(catalog: &Catalog) -> &BTreeMap<Ref, Arc<SensorType>> {
        &catalog.sensors
    }
}

impl Content for ActionAlias {
    const KIND: &'static str = "action_alias";
    fn reference(&self) -> &Ref {
        &self.reference
    }
    fn all(catalog: &Catalog) -> &BTreeMap<Ref, Arc<ActionAlias>> {
        &catalog.aliases
    }
}

impl Content for Policy {
    const KIND: &'static str = "policy";
    fn reference(&self) -> &Ref {
        &self.reference
    }
    fn all(catalog: &Catalog) -> &BTreeMap<Ref, Arc<Policy>> {
        &catalog.policies
    }
}
