//! Packs: files in, a live version out.

use bytes::Bytes;
use model::{
    Diagnostic, PackContent,
    content::{PackFiles, load_pack},
};
use ports::{Guard, Operation};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::{Change, check};
use crate::{
    Catalog, Engine, Error, ErrorKind, Principal,
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
        let digest = content.digest();
        let blob = self.store_content(&files, &content).await?;
        let catalog = self
            .change_content(async |head, catalog| {
                warnings.retain(|warning| !check::is_from_catalog(warning));
                warnings.extend(check::pack(&content, catalog).map_err(invalid_pack)?);
                self.decide_install(principal, head, catalog, (&content, &digest, &blob)).await
            })
            .await?;
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
        for file in files.files() {
            self.ports.blobs.put(Bytes::copy_from_slice(&file.bytes)).await?;
        }
        let text = serde_json::to_vec(content).map_err(Error::damaged)?;
        Ok(self.ports.blobs.put(text.into()).await?)
    }

    async fn decide_install(
        &self,
        principal: &Principal,
        mut head: Head,
        _catalog: &Catalog,
        (content, digest, blob): (&PackContent, &str, &str),
    ) -> Result<Option<Change>, Error> {
        let pack = &content.pack.reference;
        let live = HeadPack { digest: digest.to_owned(), content: blob.to_owned() };
        if head.packs.get(pack) == Some(&live) {
            return Ok(None);
        }
        head.packs.insert(pack.clone(), live);
        let mut operations: Vec<Operation> = Vec::new();
        let key = records::pack_version_key(pack, digest);
        if self.ports.store.get(&key).await?.is_none() {
            let record = PackVersionRecord {
                version: content.pack.version.clone(),
                content: blob.to_owned(),
                registered_by: principal.user.clone(),
                registered_at: self.ports.clock.now(),
            };
            operations.push(records::put(key, &record, Vec::new(), Guard::Absent, records::Life::default())?);
        }
        Ok(Some(Change { head, operations }))
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
