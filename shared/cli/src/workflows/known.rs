//! The actions that a workflow's tasks name, as far as they can be found.

use engine::Lookup;
use model::{Action, Ref};
use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, load, pack_near};
use crate::{
    client::{Client, Query},
    failure::Failure,
    shipped_packs,
};

/// Actions by ref, and whose lack means that there are none.
#[derive(Debug, Default)]
pub(crate) struct KnownActions {
    actions: BTreeMap<Ref, Action>,
    packs: BTreeSet<String>,
    /// Packs that were looked for and not found.
    pub(crate) unknown: BTreeSet<String>,
}

impl KnownActions {
    /// Those of the packs that the workflow's tasks name: of the pack that its file is in, of packs beside it, of those that ship.
    pub(crate) fn near(sources: &[Source]) -> KnownActions {
        let mut known = KnownActions::default();
        let mut shipped = None;
        for source in sources {
            for pack in source.actions().iter().map(|action| action.pack().to_owned()).collect::<BTreeSet<_>>() {
                if known.packs.contains(&pack) {
                    continue;
                }
                let near = source.path.as_deref().and_then(|file| pack_near(file, &pack));
                let near = near.and_then(|directory| Some(load(&directory).ok()?.1));
                let of_shipped = || {
                    let packs = shipped.get_or_insert_with(shipped_packs);
                    let mut contents = packs.iter().filter_map(|files| Some(model::load_pack(files).ok()?.0));
                    contents.find(|content| content.pack.reference == pack)
                };
                match near.or_else(of_shipped) {
                    Some(content) => {
                        known.actions.extend(content.actions.into_iter().map(|one| (one.reference.clone(), one)));
                        known.packs.insert(pack);
                    }
                    None => drop(known.unknown.insert(pack)),
                }
            }
        }
        known
    }

    /// Those that a host has.
    pub(crate) async fn of_host(client: &Client, source: &Source) -> Result<KnownActions, Failure> {
        let mut known = KnownActions::default();
        for reference in source.actions() {
            match client.get(&["actions", reference.as_str()], &Query::new()).await {
                Ok(body) => {
                    drop(model::parse_action(&body).map(|action| known.actions.insert(reference.clone(), action)))
                }
                Err(failure) if failure.is_not_found() => {}
                Err(failure) => return Err(failure),
            }
            known.packs.insert(reference.pack().to_owned());
        }
        Ok(known)
    }

    /// What is known of an action.
    pub(crate) fn find(&self, reference: &Ref) -> Lookup<'_> {
        match self.actions.get(reference) {
            Some(action) => Lookup::Found(action),
            None if self.packs.contains(reference.pack()) => {
                Lookup::Missing(model::suggestion(reference.as_str(), self.actions.keys().map(Ref::as_str)))
            }
            None => Lookup::Unknown,
        }
    }
}
