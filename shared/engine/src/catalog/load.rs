//! From the records of content to a snapshot.

use bytes::Bytes;
use futures::future::try_join_all;
use model::{Action, ActionAlias, Id, PackContent, Policy, Ref, Rule, SensorType, Trigger, TriggerType};
use ports::Query;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{Catalog, Content, InstalledPack, TriggerRules};
use crate::{BLOBS_AT_ONCE, Engine, Error, policies, records};

/// Which packs are live. Its record's version is the content revision.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) packs: BTreeMap<String, HeadPack>,
}

/// A pack's live version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeadPack {
    /// The version's content address.
    pub(crate) digest: String,
    /// The blob that holds its content, read and checked.
    pub(crate) content: String,
}

/// What a user created, changed or deleted, beside the packs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Overlay {
    Rule(OverlayEntry<Rule>),
    Action(OverlayEntry<Action>),
    TriggerType(OverlayEntry<TriggerType>),
    Policy(OverlayEntry<Policy>),
}

/// One resource in place of the pack's, or the mark that the pack's is gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(crate) enum OverlayEntry<T> {
    Live {
        resource: T,
    },
    Deleted {
        #[serde(rename = "ref")]
        reference: Ref,
    },
}

impl Engine {
    /// The head record and what it says; an empty one at version 0 where there is none yet.
    pub(crate) async fn head(&self) -> Result<(u64, Head), Error> {
        match self.ports.store.get(&records::head_key()).await? {
            Some(record) => Ok((record.version, records::read(&record)?)),
            None => Ok((0, Head::default())),
        }
    }

    /// The live content. Costs nothing where this host is the only writer, else now and then one small read.
    pub async fn catalog(&self) -> Result<Arc<Catalog>, Error> {
        let now = self.ports.clock.now();
        if let Some(catalog) = self.catalog.fresh(now, self.options.content_check) {
            return Ok(catalog);
        }
        self.reload_catalog().await
    }

    /// The content as the store has it now.
    pub(crate) async fn reload_catalog(&self) -> Result<Arc<Catalog>, Error> {
        let (revision, head) = self.head().await?;
        let last = self.catalog.last();
        if let Some(last) = last.as_ref().filter(|last| last.revision == revision) {
            self.catalog.set(Arc::clone(last), self.ports.clock.now());
            return Ok(Arc::clone(last));
        }
        let (packs, overlays) = futures::try_join!(self.packs(&head), self.overlays())?;
        let catalog = Arc::new(build(revision, packs, overlays.into_values(), last.as_deref()));
        self.catalog.set(Arc::clone(&catalog), self.ports.clock.now());
        Ok(catalog)
    }

    /// The digest and the content of each live pack.
    pub(super) async fn packs(&self, head: &Head) -> Result<Vec<(String, Arc<PackContent>)>, Error> {
        let live: Vec<&HeadPack> = head.packs.values().collect();
        let mut packs = Vec::with_capacity(live.len());
        for live in live.chunks(BLOBS_AT_ONCE) {
            let contents = try_join_all(live.iter().map(|pack| self.pack_content(&pack.content))).await?;
            packs.extend(live.iter().map(|pack| pack.digest.clone()).zip(contents));
        }
        Ok(packs)
    }

    pub(crate) async fn pack_content(&self, blob: &str) -> Result<Arc<PackContent>, Error> {
        if let Some(content) = super::lock(&self.pack_contents).get(blob) {
            return Ok(Arc::clone(content));
        }
        let bytes: Bytes = self.ports.blobs.get(blob).await?;
        let content: PackContent =
            serde_json::from_slice(&bytes).map_err(|error| Error::damaged(format!("pack content {blob}: {error}")))?;
        let content = Arc::new(content);
        super::lock(&self.pack_contents).insert(blob.to_owned(), Arc::clone(&content));
        Ok(content)
    }

    /// By the sort key of their records.
    pub(super) async fn overlays(&self) -> Result<BTreeMap<String, Overlay>, Error> {
        let mut query = Query::partition(records::OVERLAY, 1_000);
        let mut overlays = BTreeMap::new();
        loop {
            let page = self.ports.store.query(&query).await?;
            for record in &page.records {
                overlays.insert(record.key.sort.clone(), records::read(record)?);
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(overlays),
            }
        }
    }
}

pub(super) fn build(
    revision: u64,
    packs: Vec<(String, Arc<PackContent>)>,
    overlays: impl IntoIterator<Item = Overlay>,
    last: Option<&Catalog>,
) -> Catalog {
    let mut catalog = Catalog { revision, ..Catalog::default() };
    for (digest, content) in packs {
        add_pack(&mut catalog, digest, &content);
    }
    for overlay in overlays {
        apply(&mut catalog, overlay);
    }
    let listened = listened(&catalog.rules, last);
    catalog.listened = listened;
    catalog.active_policies = policies::active(catalog.policies.values());
    catalog.refs = HashMap::from_iter(
        ids::<Action>(&catalog)
            .chain(ids::<Rule>(&catalog))
            .chain(ids::<TriggerType>(&catalog))
            .chain(ids::<SensorType>(&catalog))
            .chain(ids::<ActionAlias>(&catalog))
            .chain(ids::<Policy>(&catalog)),
    );
    for (url, trigger) in catalog.webhooks() {
        catalog.webhooks.entry(url).or_default().push(trigger);
    }
    catalog
}

fn ids<T: Content>(catalog: &Catalog) -> impl Iterator<Item = (Id, Ref)> {
    T::all(catalog).values().map(|item| (item.id(), item.reference().clone()))
}

fn add_pack(catalog: &mut Catalog, digest: String, content: &PackContent) {
    let installed = InstalledPack {
        metadata: content.pack.clone(),
        digest,
        files: content.files.clone().into(),
        config_schema: content.config_schema.clone(),
    };
    catalog.packs.insert(installed.metadata.reference.clone(), Arc::new(installed));
    catalog.actions.extend(content.actions.iter().map(|action| (action.reference.clone(), Arc::new(action.clone()))));
    catalog.rules.extend(content.rules.iter().map(|rule| (rule.reference.clone(), Arc::new(rule.clone()))));
    catalog
        .trigger_types
        .extend(content.trigger_types.iter().map(|kind| (kind.reference.clone(), Arc::new(kind.clone()))));
    catalog.sensors.extend(content.sensors.iter().map(|sensor| (sensor.reference.clone(), Arc::new(sensor.clone()))));
    catalog.aliases.extend(content.aliases.iter().map(|alias| (alias.reference.clone(), Arc::new(alias.clone()))));
    catalog.policies.extend(content.policies.iter().map(|policy| (policy.reference.clone(), Arc::new(policy.clone()))));
}

fn apply(catalog: &mut Catalog, overlay: Overlay) {
    match overlay {
        Overlay::Rule(entry) => put(&mut catalog.rules, entry, |rule| rule.reference.clone()),
        Overlay::Action(entry) => put(&mut catalog.actions, entry, |action| action.reference.clone()),
        Overlay::TriggerType(entry) => put(&mut catalog.trigger_types, entry, |kind| kind.reference.clone()),
        Overlay::Policy(entry) => put(&mut catalog.policies, entry, |policy| policy.reference.clone()),
    }
}

fn put<T>(all: &mut BTreeMap<Ref, Arc<T>>, entry: OverlayEntry<T>, reference: fn(&T) -> Ref) {
    match entry {
        OverlayEntry::Live { resource } => drop(all.insert(reference(&resource), Arc::new(resource))),
        OverlayEntry::Deleted { reference } => drop(all.remove(&reference)),
    }
}

/// The enabled rules by trigger. What did not change since the last snapshot is shared with it, so that changing one rule compiles one
/// trigger's rules.
fn listened(rules: &BTreeMap<Ref, Arc<Rule>>, last: Option<&Catalog>) -> HashMap<Id, Arc<TriggerRules>> {
    let mut by_trigger: HashMap<Id, (Trigger, Vec<Arc<Rule>>)> = HashMap::new();
    for rule in rules.values().filter(|rule| rule.enabled) {
        let trigger = Trigger::new(rule.trigger.kind.clone(), rule.trigger.parameters.clone());
        by_trigger.entry(trigger.id()).or_insert_with(|| (trigger, Vec::new())).1.push(Arc::clone(rule));
    }
    let compile = |id: &Id, trigger, rules: Vec<Arc<Rule>>| match last.and_then(|last| last.listened.get(id)) {
        Some(old) if old.are(&rules) => Arc::clone(old),
        Some(old) => Arc::new(old.with(rules)),
        None => Arc::new(TriggerRules::new(trigger, rules)),
    };
    by_trigger.into_iter().map(|(id, (trigger, rules))| (id, compile(&id, trigger, rules))).collect()
}
