//! The life of an execution: requested, run, completed, canceled.

mod cancel;
mod complete;
mod output;
mod re_run;
mod request;
mod run;
mod start;

pub(crate) use cancel::{INBOX_BATCH, Inbox, Message};
pub use re_run::ReRun;
pub use request::ExecutionRequest;
pub(crate) use request::{Origin, Requested};
pub(crate) use run::Running;

use model::{Execution, Id, Payload, Secret};
use serde_json::{Map, Value};

use crate::{Engine, Error, Principal, records};

impl Engine {
    /// An execution.
    pub async fn execution(&self, principal: &Principal, id: Id) -> Result<Execution, Error> {
        principal.require_view()?;
        let record = self.ports.store.get(&records::execution_key(id)).await?;
        record.as_ref().map(records::read).transpose()?.ok_or_else(|| Error::not_found("execution", id))
    }

    /// What came of an execution, from wherever it is kept: secrets masked, or for an admin who asks for it in clear.
    pub async fn result(
        &self,
        principal: &Principal,
        execution: &Execution,
        show_secrets: bool,
    ) -> Result<Option<Value>, Error> {
        principal.require_view()?;
        if show_secrets && execution.sealed_result.is_some() {
            principal.require_admin("see secrets")?;
            tracing::info!(audit = "execution.show_secrets", user = principal.user, execution = %execution.id);
            return Ok(Some(self.clear_result(execution).await?.expose().clone()));
        }
        match &execution.result {
            Some(payload) => self.load(payload).await.map(Some),
            None => Ok(None),
        }
    }

    /// What came of an execution with the secrets in it, for whoever works on with it.
    pub(crate) async fn clear_result(&self, execution: &Execution) -> Result<Secret<Value>, Error> {
        let mut result = match &execution.result {
            Some(payload) => self.load(payload).await?,
            None => Value::Null,
        };
        if let (Some(sealed), Value::Object(result)) = (&execution.sealed_result, &mut result) {
            result.extend(self.open_fields(&result_context(execution.id), sealed).await?);
        }
        Ok(Secret::new(result))
    }

    /// Encrypts fields of a record under that context.
    pub(crate) async fn seal_fields(&self, context: &str, fields: &Map<String, Value>) -> Result<String, Error> {
        let plain = Secret::new(serde_json::to_vec(fields).map_err(|_| Error::damaged("sealed fields"))?);
        Ok(self.ports.vault.seal(context, &plain).await?)
    }

    /// Decrypts what [`Engine::seal_fields`] gave.
    pub(crate) async fn open_fields(&self, context: &str, sealed: &str) -> Result<Map<String, Value>, Error> {
        let plain = self.ports.vault.open(context, sealed).await?;
        serde_json::from_slice(plain.expose()).map_err(|_| Error::damaged(format!("sealed fields of {context}")))
    }

    /// The parameters of an execution: secrets masked, or for an admin who asks for it in clear.
    pub async fn parameters(
        &self,
        principal: &Principal,
        execution: &Execution,
        show_secrets: bool,
    ) -> Result<Map<String, Value>, Error> {
        principal.require_view()?;
        if !show_secrets {
            return Ok(execution.parameters.clone());
        }
        principal.require_admin("see secrets")?;
        tracing::info!(audit = "execution.show_secrets", user = principal.user, execution = %execution.id);
        Ok(self.clear_parameters(execution).await?.expose().clone())
    }

    /// The parameters with the secrets in them.
    pub(crate) async fn clear_parameters(&self, execution: &Execution) -> Result<Secret<Map<String, Value>>, Error> {
        let mut parameters = execution.parameters.clone();
        if let Some(sealed) = &execution.sealed {
            parameters.extend(self.open_fields(&seal_context(execution.id), sealed).await?);
        }
        Ok(Secret::new(parameters))
    }

    /// A value as a record holds it: inline, or by digest where it is large.
    pub(crate) async fn payload_of(&self, value: Value) -> Result<(Payload, u64), Error> {
        let text = serde_json::to_vec(&value).map_err(Error::damaged)?;
        let size = text.len() as u64;
        if text.len() <= crate::INLINE_BYTES {
            return Ok((Payload::Inline { value }, size));
        }
        Ok((Payload::Blob { blob: self.ports.blobs.put(text.into()).await?, size }, size))
    }

    /// The value of a payload.
    pub(crate) async fn load(&self, payload: &Payload) -> Result<Value, Error> {
        match payload {
            Payload::Inline { value } => Ok(value.clone()),
            Payload::Blob { blob, .. } => {
                let bytes = self.ports.blobs.get(blob).await?;
                serde_json::from_slice(&bytes).map_err(|error| Error::damaged(format!("blob {blob}: {error}")))
            }
        }
    }
}

/// What an execution's sealed parameters are bound to.
pub(crate) fn seal_context(execution: Id) -> String {
    format!("execution/{execution}")
}

/// What the sealed part of its result is bound to.
pub(crate) fn result_context(execution: Id) -> String {
    format!("execution/{execution}/result")
}
