//! Rules, actions, trigger types and policies written by the API: an overlay over what the packs hold.

use async_trait::async_trait;
use model::{Action, Policy, Ref, Rule, TriggerType};
use ports::Guard;
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::Arc};

use super::{Change, ContentChange, DEFAULT_PACK, check, refuse_system_pack};
use crate::{
    Catalog, Content, Engine, Error, ErrorKind, Principal,
    catalog::{Head, Overlay, OverlayEntry},
    records,
};

/// A kind of content that the API writes. Only the engine knows how: what it asks of a kind has no name outside.
#[expect(private_interfaces, reason = "implemented here, for the kinds that there are")]
pub trait Resource: Content + Clone + Serialize + DeserializeOwned {
    /// Can it be used beside what the catalog holds?
    fn check(&self, catalog: &Catalog) -> Result<(), Error>;
    /// Its place in the overlay.
    fn overlay(entry: OverlayEntry<Self>) -> Overlay;
}

#[expect(private_interfaces, reason = "see the trait")]
impl Resource for Rule {
    fn check(&self, catalog: &Catalog) -> Result<(), Error> {
        check::rule(self, catalog)
    }
    fn overlay(entry: OverlayEntry<Rule>) -> Overlay {
        Overlay::Rule(entry)
    }
}

#[expect(private_interfaces, reason = "see the trait")]
impl Resource for Action {
    fn check(&self, _catalog: &Catalog) -> Result<(), Error> {
        check::parameters(&self.parameters)
    }
    fn overlay(entry: OverlayEntry<Action>) -> Overlay {
        Overlay::Action(entry)
    }
}

#[expect(private_interfaces, reason = "see the trait")]
impl Resource for TriggerType {
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

#[expect(private_interfaces, reason = "see the trait")]
impl Resource for Policy {
    fn check(&self, catalog: &Catalog) -> Result<(), Error> {
        let action = catalog.actions.get(&self.resource_ref);
        check::policy(self, action.map(AsRef::as_ref)).map_err(|problems| Error::invalid(problems.join("; ")))
    }
    fn overlay(entry: OverlayEntry<Policy>) -> Overlay {
        Overlay::Policy(entry)
    }
}

/// What is to become of a resource.
enum Write<'a, T> {
    Create(&'a T),
    Update(&'a T),
    Delete(&'a Ref),
}

impl Engine {
    /// Creates a rule, an action, a trigger type or a policy.
    pub async fn create<T: Resource>(&self, principal: &Principal, resource: &T) -> Result<Arc<T>, Error> {
        let catalog = self.write(principal, Write::Create(resource)).await?;
        found(&catalog, resource.reference())
    }

    /// Puts another one in its place.
    pub async fn update<T: Resource>(&self, principal: &Principal, resource: &T) -> Result<Arc<T>, Error> {
        let catalog = self.write(principal, Write::Update(resource)).await?;
        found(&catalog, resource.reference())
    }

    /// Deletes it.
    pub async fn delete<T: Resource>(&self, principal: &Principal, reference: &Ref) -> Result<(), Error> {
        self.write::<T>(principal, Write::Delete(reference)).await.map(drop)
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

    async fn change_overlay<T: Resource>(
        &self,
        reference: &Ref,
        entry: OverlayEntry<T>,
        head: Head,
    ) -> Result<Change, Error> {
        let key = records::overlay_key(T::KIND, reference.as_str());
        let (guard, before) = match self.ports.store.get(&key).await? {
            Some(record) => (Guard::Version(record.version), Some(records::read(&record)?)),
            None => (Guard::Absent, None),
        };
        let replaced = BTreeMap::from([(key.sort.clone(), before)]);
        let operation = records::put(key, &T::overlay(entry), Vec::new(), guard, records::Life::default())?;
        Ok(Change { head, operations: vec![operation], replaced })
    }
}

#[async_trait]
impl<T: Resource> ContentChange for Write<'_, T> {
    async fn decide(&mut self, engine: &Engine, head: Head, catalog: &Catalog) -> Result<Option<Change>, Error> {
        let (reference, entry) = match self {
            Write::Create(resource) => {
                if let Some(live) = T::all(catalog).get(resource.reference()) {
                    return Err(exists(&**live));
                }
                require_pack(catalog, resource.reference().pack())?;
                resource.check(catalog)?;
                (resource.reference(), OverlayEntry::Live { resource: (*resource).clone() })
            }
            Write::Update(resource) => {
                require::<T>(catalog, resource.reference())?;
                resource.check(catalog)?;
                (resource.reference(), OverlayEntry::Live { resource: (*resource).clone() })
            }
            Write::Delete(reference) => {
                let reference: &Ref = reference;
                require::<T>(catalog, reference)?;
                (reference, OverlayEntry::Deleted { reference: reference.clone() })
            }
        };
        engine.change_overlay::<T>(reference, entry, head).await.map(Some)
    }
}

fn found<T: Content>(catalog: &Catalog, reference: &Ref) -> Result<Arc<T>, Error> {
    // Another change may have removed it between the commit and the look.
    let deleted = || Error::new(ErrorKind::Conflict, "it was deleted by another change meanwhile");
    T::all(catalog).get(reference).cloned().ok_or_else(deleted)
}

fn require<T: Content>(catalog: &Catalog, reference: &Ref) -> Result<(), Error> {
    let live = T::all(catalog).contains_key(reference);
    if live { Ok(()) } else { Err(Error::not_found(&T::words(), reference)) }
}

fn exists<T: Content>(live: &T) -> Error {
    let mut error = Error::new(ErrorKind::Conflict, format!("{} {} exists already", T::words(), live.reference()));
    error.conflict = Some(live.id());
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
