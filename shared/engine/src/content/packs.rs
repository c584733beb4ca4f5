//! Packs: files in, a live version out.

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::try_join_all;
use model::{
    Diagnostic, PackContent,
    content::{PackFiles, SourceFile, load_pack},
};
use ports::{Guard, Operation};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

use super::{Change, ContentChange, check};
use crate::{
    BLOBS_AT_ONCE, Catalog, Engine, Error, ErrorKind, Principal,
    catalog::{Head, HeadPack},
    records,
};

/// How many of each kind a pack version holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Counts {
    pub actions: usize,
    pub rules: usize,
    pub triggers: usize,
    pub sensors: usize,
    pub aliases: usize,
    pub policies: usize,
}

/// A pack version that is live now.
#[derive(Clone, Debug, Serialize)]
pub struct Registered {
    /// The pack's ref.
    pub pack: String,
    /// The version that its author gave it.
    pub version: String,
    /// The version's content address.
    pub digest: String,
    /// The content revision from which it is live.
    pub revision: u64,
    /// What it holds.
    pub counts: Counts,
    /// What its author should look at.
    pub warnings: Vec<Diagnostic>,
}

/// A version that was registered once; kept for roll-back.
#[derive(Debug, Serialize, Deserialize)]
struct PackVersionRecord {
    version: String,
    content: String,
    registered_by: String,
    registered_at: model::Timestamp,
}

impl Engine {
    /// Reads, checks and stores a pack version and makes it the live one. Registering what is live already changes nothing.
    pub async fn register_pack(&self, principal: &Principal, files: PackFiles) -> Result<Registered, Error> {
        principal.require_admin("register packs")?;
        let (content, mut warnings) = load_pack(&files).map_err(invalid_pack)?;
        warnings.extend(crate::inspect_workflows(&files, &content));
        check::durations(&content, self.options.longest_action.as_ref()).map_err(invalid_pack)?;
        let digest = content.digest();
        let blob = self.store_content(&files, &content).await?;
        let mut install = Install { principal, content: &content, digest: &digest, blob: &blob, found: Vec::new() };
        let catalog = self.change_content(&mut install).await?;
        warnings.append(&mut install.found);
        tracing::info!(audit = "pack.register", user = principal.user, pack = content.pack.reference, digest);
        Ok(Registered {
            pack: content.pack.reference.clone(),
            version: content.pack.version.clone(),
            digest,
            revision: catalog.revision,
            counts: counts(&content),
            warnings,
        })
    }

    /// The content of a version that was registered once.
    pub(crate) async fn pack_version(&self, pack: &str, digest: &str) -> Result<Arc<PackContent>, Error> {
        let record = self.ports.store.get(&records::pack_version_key(pack, digest)).await?;
        let record = record.ok_or_else(|| Error::not_found("pack version", format!("{pack}@{digest}")))?;
        let version: PackVersionRecord = records::read(&record)?;
        self.pack_content(&version.content).await
    }

    async fn store_content(&self, files: &PackFiles, content: &PackContent) -> Result<String, Error> {
        for files in files.files().chunks(BLOBS_AT_ONCE) {
            let put = |file: &SourceFile| self.ports.blobs.put(Bytes::copy_from_slice(&file.bytes));
            try_join_all(files.iter().map(put)).await?;
        }
        let text = serde_json::to_vec(content).map_err(Error::damaged)?;
        Ok(self.ports.blobs.put(text.into()).await?)
    }
}

/// Makes a pack version the live one.
struct Install<'a> {
    principal: &'a Principal,
    content: &'a PackContent,
    digest: &'a str,
    blob: &'a str,
    /// Warnings from a look at what else is registered.
    found: Vec<Diagnostic>,
}

#[async_trait]
impl ContentChange for Install<'_> {
    async fn decide(&mut self, engine: &Engine, mut head: Head, catalog: &Catalog) -> Result<Option<Change>, Error> {
        self.found = check::pack(self.content, catalog).map_err(invalid_pack)?;
        let pack = &self.content.pack.reference;
        let live = HeadPack { digest: self.digest.to_owned(), content: self.blob.to_owned() };
        if head.packs.get(pack) == Some(&live) {
            return Ok(None);
        }
        head.packs.insert(pack.clone(), live);
        let mut operations: Vec<Operation> = Vec::new();
        let key = records::pack_version_key(pack, self.digest);
        if engine.ports.store.get(&key).await?.is_none() {
            let record = PackVersionRecord {
                version: self.content.pack.version.clone(),
                content: self.blob.to_owned(),
                registered_by: self.principal.user.clone(),
                registered_at: engine.ports.clock.now(),
            };
            operations.push(records::put(key, &record, Vec::new(), Guard::Absent, records::Life::default())?);
        }
        Ok(Some(Change { head, operations, replaced: BTreeMap::new() }))
    }
}

fn counts(content: &PackContent) -> Counts {
    Counts {
        actions: content.actions.len(),
        rules: content.rules.len(),
        triggers: content.trigger_types.len(),
        sensors: content.sensors.len(),
        aliases: content.aliases.len(),
        policies: content.policies.len(),
    }
}

fn invalid_pack(diagnostics: Vec<Diagnostic>) -> Error {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let first =
        diagnostics.iter().find(|diagnostic| diagnostic.is_error()).map(ToString::to_string).unwrap_or_default();
    let more = if errors > 1 { format!(" (and {} more)", errors - 1) } else { String::new() };
    let mut error = Error::new(ErrorKind::Invalid, format!("the pack has errors: {first}{more}"));
    error.diagnostics = diagnostics;
    error
}
