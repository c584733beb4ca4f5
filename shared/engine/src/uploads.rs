//! Packs that are uploaded first and registered afterwards, by somebody else than who took the request.

use model::{Diagnostic, Id, PackFiles, Timestamp};
use ports::Guard;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

use crate::{Engine, Error, Principal, records};

/// How long the outcome of an upload can be asked for.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// Its files are not there yet, or nobody has looked at them.
    Waiting,
    /// Its pack is live.
    Registered,
    /// Its pack has errors.
    Refused,
}

/// A pack on its way in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    /// Its id.
    pub id: Id,
    /// In whose name the pack is registered.
    pub principal: Principal,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// How far it is.
    pub state: UploadState,
    /// What registering it gave: what is live, or what is wrong and where.
    pub outcome: Value,
}

impl Engine {
    /// Takes down that a pack will come, in whose name.
    pub async fn begin_upload(&self, principal: &Principal) -> Result<Upload, Error> {
        principal.require_admin("register packs")?;
        let now = self.ports.clock.now();
        let upload = Upload {
            id: Id::at(now, self.ports.clock.entropy()),
            principal: principal.clone(),
            created_at: now,
            state: UploadState::Waiting,
            outcome: Value::Null,
        };
        self.put_upload(&upload, Guard::Absent).await?;
        Ok(upload)
    }

    /// How far an upload is; for who began it.
    pub async fn upload(&self, principal: &Principal, id: Id) -> Result<Upload, Error> {
        let (upload, _) = self.stored_upload(id).await?;
        if upload.principal.user != principal.user {
            return Err(Error::not_found("upload", id));
        }
        Ok(upload)
    }

    /// Registers the pack that came, in the name of who announced it, and keeps what came of it. `Err` in `files` says why they can't be
    /// read. An upload that was taken before is left as it is.
    pub async fn take_upload(&self, id: Id, files: Result<PackFiles, String>) -> Result<Upload, Error> {
        let (mut upload, version) = self.stored_upload(id).await?;
        if upload.state != UploadState::Waiting {
            return Ok(upload);
        }
        let registered = match files {
            Ok(files) => self.register_pack(&upload.principal, files).await,
            Err(message) => Err(Error::invalid(message)),
        };
        (upload.state, upload.outcome) = match registered {
            Ok(registered) => (UploadState::Registered, serde_json::to_value(registered).map_err(Error::damaged)?),
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => (UploadState::Refused, refusal(&error.message, &error.diagnostics)),
        };
        self.put_upload(&upload, Guard::Version(version)).await?;
        Ok(upload)
    }

    async fn stored_upload(&self, id: Id) -> Result<(Upload, u64), Error> {
        let record = self.ports.store.get(&records::upload_key(id)).await?;
        let record = record.ok_or_else(|| Error::not_found("upload", id))?;
        Ok((records::read(&record)?, record.version))
    }

    async fn put_upload(&self, upload: &Upload, guard: Guard) -> Result<(), Error> {
        let life = records::Life { due: None, ttl: Some(upload.created_at.after(KEPT)) };
        let put = records::put(records::upload_key(upload.id), upload, Vec::new(), guard, life)?;
        Ok(self.ports.store.commit(vec![put]).await?)
    }
}

fn refusal(message: &str, diagnostics: &[Diagnostic]) -> Value {
    json!({"faultstring": message, "diagnostics": diagnostics})
}
