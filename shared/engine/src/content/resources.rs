//! Rules, actions and trigger types written by the API: an overlay over what the packs hold.

use async_trait::async_trait;
use model::{Action, Ref, Rule, TriggerType};
use ports::{Guard, Operation};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

use super::{Change, ContentChange, DEFAULT_PACK, check, refuse_system_pack};
use crate::{
    Catalog, Engine, Error, ErrorKind, Principal,
    catalog::{Head, Overlay, OverlayEntry},
    records,
};

/// A kind of resource that the API writes.
pub(crate) trait Resource: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// The name in overlay keys and messages.
    const KIND: &'static str;
    fn reference(&self) -> &Ref;
    fn live(catalog: &Catalog, reference: &Ref) -> Option<model::Id>;
    fn check(&self, catalog: &Catalog) -> Result<(), Error>;
    fn overlay(entry: OverlayEntry<Self>) -> Overlay;
}

impl Resource for Rule {
    const KIND: &'static str = "rule";
    fn reference(&self) -> &Ref {
        &self.reference
    }
    fn live(catalog: &Catalog, reference: &Ref) -> Option<model::Id> {
        catalog.rules.get(reference).map(|rule| rule.id())
    }
    fn check(&self, catalog: &Catalog) -> Result<(), Error> {
        check::rule(self, catalog)
    }
    fn overlay(entry: OverlayEntry<Rule>) -> Overlay {
        Overlay::Rule(entry)
    }
}

impl Resource for Action {
    const KIND: &'static str = "action";
    fn reference(&self) -> &Ref {
        &self.reference
    }
    fn live(catalog: &Catalog, reference: &Ref) -> Option<model::Id> {
        catalog.actions.get(reference).map(|action| action.id())
    }
    fn check(&self, _catalog: &Catalog) -> Result<(), Error> {
        check::parameters(&self.parameters)
    }
    fn overlay(entry: OverlayEntry<Action>) -> Overlay {
        Overlay::Action(entry)
    }
}

impl Resource for TriggerType {
    const KIND: &'static str = "trigger_type";
    fn reference(&self) -> &Ref {
        &self.reference
    }
    fn live(catalog: &Catalog, reference: &Ref) -> Option<model::Id> {
        catalog.trigger_types.get(reference).map(|kind| kind.id())
    }
    fn check(&self, _catalog: &Catalog) -> Result<(), Error> {
        for schema in [&self.payload_schema, &self.parameters_schema].into_iter().filter(|schema| !schema.is_empty()) {
            model::SchemaValidator::new(schema).map_err(|error| Error::invalid(error.to_string()))?;
        }
        Ok(())
    }
    fn overlay(entry: OverlayEntry<TriggerType>) -> Overlay {
        Overlay::TriggerType(entry)
    }
}

/// What is to become of a resource.
enum Write<'a, T> {
    Create(&'a T),
    Update(&'a T),
    Delete(&'a Ref),
}

impl Engine {
    /// Creates a rule.
    pub async fn create_rule(&self, principal: &Principal, rule: Rule) -> Result<Arc<Rule>, Error> {
        let catalog = self.write(principal, Write::Create(&rule)).await?;
        found(catalog.rules.get(&rule.reference))
    }

    /// Changes a rule.
    pub async fn update_rule(&self, principal: &Principal, rule: Rule) -> Result<Arc<Rule>, Error> {
        let catalog = self.write(principal, Write::Update(&rule)).await?;
        found(catalog.rules.get(&rule.reference))
    }

    /// Deletes a rule.
    pub async fn delete_rule(&self, principal: &Principal, reference: &Ref) -> Result<(), Error> {
        self.write::<Rule>(principal, Write::Delete(reference)).await.map(drop)
    }

    /// Creates an action.
    pub async fn create_action(&self, principal: &Principal, action: Action) -> Result<Arc<Action>, Error> {
        let catalog = self.write(principal, Write::Create(&action)).await?;
        found(catalog.actions.get(&action.reference))
    }

    /// Changes an action.
    pub async fn update_action(&self, principal: &Principal, action: Action) -> Result<Arc<Action>, Error> {
        let catalog = self.write(principal, Write::Update(&action)).await?;
        found(catalog.actions.get(&action.reference))
    }

    /// Deletes an action.
    pub async fn delete_action(&self, principal: &Principal, reference: &Ref) -> Result<(), Error> {
        self.write::<Action>(principal, Write::Delete(reference)).await.map(drop)
    }

    /// Creates a trigger type.
    pub async fn create_trigger_type(
        &self,
        principal: &Principal,
        kind: TriggerType,
    ) -> Result<Arc<TriggerType>, Error> {
        let catalog = self.write(principal, Write::Create(&kind)).await?;
        found(catalog.trigger_types.get(&kind.reference))
    }

    /// Changes a trigger type.
    pub async fn update_trigger_type(
        &self,
        principal: &Principal,
        kind: TriggerType,
    ) -> Result<Arc<TriggerType>, Error> {
        let catalog = self.write(principal, Write::Update(&kind)).await?;
        found(catalog.trigger_types.get(&kind.reference))
    }

    /// Deletes a trigger type.
    pub async fn delete_trigger_type(&self, principal: &Principal, reference: &Ref) -> Result<(), Error> {
        self.write::<TriggerType>(principal, Write::Delete(reference)).await.map(drop)
    }

    async fn write<T: Resource>(&self, principal: &Principal, write: Write<'_, T>) -> Result<Arc<Catalog>, Error> {
        principal.require_admin("change content")?;
        let reference = match &write {
            Write::Create(resource) | Write::Update(resource) => resource.reference(),
            Write::Delete(reference) => reference,
        };
        refuse_system_pack(reference.pack())?;
        let done = match &write {
            Write::Create(_) => "create",
            Write::Update(_) => "update",
            Write::Delete(_) => "delete",
        };
        let reference = reference.clone();
        let mut write = write;
        let catalog = self.change_content(&mut write).await?;
        tracing::info!(audit = done, user = principal.user, kind = T::KIND, reference = reference.as_str());
        Ok(catalog)
    }

    async fn overlay_operation<T: Resource>(
        &self,
        reference: &Ref,
        entry: OverlayEntry<T>,
    ) -> Result<Operation, Error> {
        let key = records::overlay_key(T::KIND, reference.as_str());
        let guard = match self.ports.store.get(&key).await? {
            Some(record) => Guard::Version(record.version),
            None => Guard::Absent,
        };
        records::put(key, &T::overlay(entry), Vec::new(), guard, records::Life::default())
    }
}

#[async_trait]
impl<T: Resource> ContentChange for Write<'_, T> {
    async fn decide(&mut self, engine: &Engine, head: Head, catalog: &Catalog) -> Result<Option<Change>, Error> {
        let (reference, entry) = match self {
            Write::Create(resource) => {
                if let Some(id) = T::live(catalog, resource.reference()) {
                    return Err(exists::<T>(resource.reference(), id));
                }
                require_pack(catalog, resource.reference().pack())?;
                resource.check(catalog)?;
                (resource.reference(), OverlayEntry::Live { resource: (*resource).clone() })
            }
            Write::Update(resource) => {
                T::live(catalog, resource.reference())
                    .ok_or_else(|| Error::not_found(T::KIND, resource.reference()))?;
                resource.check(catalog)?;
                (resource.reference(), OverlayEntry::Live { resource: (*resource).clone() })
            }
            Write::Delete(reference) => {
                let reference: &Ref = reference;
                T::live(catalog, reference).ok_or_else(|| Error::not_found(T::KIND, reference))?;
                (reference, OverlayEntry::Deleted { reference: reference.clone() })
            }
        };
        let operation = engine.overlay_operation::<T>(reference, entry).await?;
        Ok(Some(Change { head, operations: vec![operation] }))
    }
}

fn found<T>(resource: Option<&Arc<T>>) -> Result<Arc<T>, Error> {
    // Another change may have removed it between the commit and the look.
    resource.cloned().ok_or_else(|| Error::new(ErrorKind::Conflict, "it was deleted by another change meanwhile"))
}

fn exists<T: Resource>(reference: &Ref, id: model::Id) -> Error {
    let mut error = Error::new(ErrorKind::Conflict, format!("{} {reference} exists already", T::KIND));
    error.conflict = Some(id);
    error
}

fn require_pack(catalog: &Catalog, pack: &str) -> Result<(), Error> {
    if pack == DEFAULT_PACK || catalog.packs.contains_key(pack) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "pack \"{pack}\" is not registered; register it first, or leave the pack out for \"{DEFAULT_PACK}\""
    )))
}
