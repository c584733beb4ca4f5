//! The datastore: text by key, the whole platform's or one user's.

use model::{KeyScope, KeyValue, Secret, Trigger, core_types};
use ports::{Guard, Operation, Record, Scope, Wake};
use serde_json::{Map, Value, json};
use std::time::Duration;

use crate::{Engine, Error, ErrorKind, Listing, PageRequest, Principal, audit::cursor, records};

/// Bytes of a key's name.
const MAX_NAME_BYTES: usize = 512;
/// Bytes of a value; with the rest it must fit into one record.
const MAX_VALUE_BYTES: usize = 256 * 1024;
/// How often a write is tried again where another one was faster.
const ATTEMPTS: usize = 16;

/// Which keys a listing is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyQuery {
    /// Whose.
    pub scope: KeyScope,
    /// The user of user-scoped keys; the principal where it is left out. Another's are for admins.
    pub user: Option<String>,
    /// Only names that begin so.
    pub prefix: String,
    /// Show the values of secret keys.
    pub decrypt: bool,
}

/// A key to be written.
#[derive(Clone, Debug, Default)]
pub struct SetKey {
    /// The name.
    pub name: String,
    /// The text.
    pub value: Secret<String>,
    /// Whose.
    pub scope: KeyScope,
    /// The user of a user-scoped key; the principal where it is left out.
    pub user: Option<String>,
    /// Encrypt it, and mask it wherever it is shown.
    pub secret: bool,
    /// How long it lasts.
    pub ttl: Option<Duration>,
    /// For people.
    pub description: String,
}

impl Engine {
    /// Keys by name.
    pub async fn keys(
        &self,
        principal: &Principal,
        query: &KeyQuery,
        page: &PageRequest,
    ) -> Result<Listing<KeyValue>, Error> {
        let user = owner(principal, query.scope, query.user.as_deref())?;
        let partition = records::datastore_partition(query.scope, user.as_deref());
        let mut question = page.query(Scope::Partition(partition))?;
        if !query.prefix.is_empty() {
            question.from = Some(query.prefix.clone());
            question.until = Some(format!("{}\u{10FFFF}", query.prefix));
            question.count = false;
        }
        let answer = self.ports.store.query(&question).await?;
        let mut items = Vec::with_capacity(answer.records.len());
        for record in &answer.records {
            items.push(self.shown(principal, records::read(record)?, query.decrypt).await?);
        }
        Ok(Listing { items, total: answer.total, next: answer.next.as_ref().map(cursor::encode) })
    }

    /// One key.
    pub async fn key(&self, principal: &Principal, query: &KeyQuery, name: &str) -> Result<KeyValue, Error> {
        let user = owner(principal, query.scope, query.user.as_deref())?;
        match self.stored_key(query.scope, user.as_deref(), name).await? {
            Some((_, key)) => self.shown(principal, key, query.decrypt).await,
            None => Err(Error::not_found("key", name)),
        }
    }

    /// Writes a key, new or not.
    pub async fn set_key(&self, principal: &Principal, set: SetKey) -> Result<KeyValue, Error> {
        check_size(&set)?;
        let user = owner(principal, set.scope, set.user.as_deref())?;
        let mut value = KeyValue {
            name: set.name,
            scope: set.scope,
            user,
            value: set.value.expose().clone(),
            secret: set.secret,
            description: set.description,
            expires: set.ttl.map(|ttl| self.ports.clock.now().after(ttl)),
        };
        if value.secret {
            let plain = Secret::new(value.value.clone().into_bytes());
            value.value = self.ports.vault.seal(&vault_context(&value), &plain).await?;
        }
        for _ in 0..ATTEMPTS {
            let old = self.stored_key(value.scope, value.user.as_deref(), &value.name).await?;
            match self.write_key(&old, &value, set.value.expose()).await {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    tracing::info!(
                        audit = "key.set",
                        user = principal.user,
                        key = value.name,
                        scope = value.scope.full_name()
                    );
                    return self.shown(principal, value, false).await;
                }
            }
        }
        Err(busy(&value.name))
    }

    async fn write_key(&self, old: &Option<(Record, KeyValue)>, new: &KeyValue, plain: &str) -> Result<(), Error> {
        let guard = old.as_ref().map_or(Guard::Absent, |(record, _)| Guard::Version(record.version));
        let key = ports::Key::new(records::datastore_partition(new.scope, new.user.as_deref()), new.name.clone());
        let life = records::Life { due: None, ttl: new.expires };
        let mut operations = vec![records::put(key, new, Vec::new(), guard, life)?];
        let mut wakes = Vec::new();
        match old {
            None => {
                self.key_event(
                    core_types::KEY_CREATE,
                    json!({"object": event_object(new)}),
                    (&mut operations, &mut wakes),
                )
                .await?
            }
            Some((_, old)) => {
                self.key_event(
                    core_types::KEY_UPDATE,
                    json!({"object": event_object(new)}),
                    (&mut operations, &mut wakes),
                )
                .await?;
                let before = self.plain(old).await?;
                if before.expose() != plain {
                    let payload = json!({"old_object": event_object(old), "new_object": event_object(new)});
                    self.key_event(core_types::KEY_VALUE_CHANGE, payload, (&mut operations, &mut wakes)).await?;
                }
            }
        }
        self.ports.store.commit(operations).await?;
        self.ports.wakes.send(wakes).await;
        Ok(())
    }

    /// Deletes a key.
    pub async fn delete_key(&self, principal: &Principal, query: &KeyQuery, name: &str) -> Result<(), Error> {
        let user = owner(principal, query.scope, query.user.as_deref())?;
        for _ in 0..ATTEMPTS {
            let Some((record, key)) = self.stored_key(query.scope, user.as_deref(), name).await? else {
                return Err(Error::not_found("key", name));
            };
            let mut operations = vec![Operation::Delete(record.key, Some(Guard::Version(record.version)))];
            let mut wakes = Vec::new();
            self.key_event(
                core_types::KEY_DELETE,
                json!({"object": event_object(&key)}),
                (&mut operations, &mut wakes),
            )
            .await?;
            match self.ports.store.commit(operations).await {
                Err(ports::StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    self.ports.wakes.send(wakes).await;
                    tracing::info!(
                        audit = "key.delete",
                        user = principal.user,
                        key = name,
                        scope = query.scope.full_name()
                    );
                    return Ok(());
                }
            }
        }
        Err(busy(name))
    }

    /// Adds the platform's own event on a change of a key to the commit of that change, where a rule listens.
    async fn key_event(
        &self,
        kind: &str,
        payload: Value,
        (operations, wakes): (&mut Vec<Operation>, &mut Vec<Wake>),
    ) -> Result<(), Error> {
        if !self.catalog().await?.is_listened(kind) {
            return Ok(());
        }
        let trigger = Trigger::new(kind.parse().map_err(Error::damaged)?, Map::new());
        let (operation, wake) = self.pending_instance(trigger, payload, None).await?;
        operations.push(operation);
        wakes.push(wake);
        Ok(())
    }

    /// The record of a key, where there is one.
    pub(crate) async fn stored_key(
        &self,
        scope: KeyScope,
        user: Option<&str>,
        name: &str,
    ) -> Result<Option<(Record, KeyValue)>, Error> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Ok(None);
        }
        let key = ports::Key::new(records::datastore_partition(scope, user), name);
        let Some(record) = self.ports.store.get(&key).await? else { return Ok(None) };
        let value = records::read(&record)?;
        Ok(Some((record, value)))
    }

    /// The text of a key, decrypted where it is secret.
    pub(crate) async fn plain(&self, key: &KeyValue) -> Result<Secret<String>, Error> {
        if !key.secret {
            return Ok(Secret::new(key.value.clone()));
        }
        let plain = self.ports.vault.open(&vault_context(key), &key.value).await?;
        String::from_utf8(plain.expose().clone())
            .map(Secret::new)
            .map_err(|_| Error::damaged(format!("key {}", key.name)))
    }

    /// As the principal may see it: secret values stay ciphertext unless they are to be decrypted and the principal may.
    async fn shown(&self, principal: &Principal, mut key: KeyValue, decrypt: bool) -> Result<KeyValue, Error> {
        if decrypt && key.secret {
            if key.scope == KeyScope::System {
                principal.require_admin("decrypt system keys")?;
            }
            tracing::info!(audit = "key.decrypt", user = principal.user, key = key.name, scope = key.scope.full_name());
            key.value = self.plain(&key).await?.expose().clone();
            key.secret = false;
        }
        Ok(key)
    }
}

/// The user whose keys are meant. One's own, or for admins anybody's.
fn owner(principal: &Principal, scope: KeyScope, user: Option<&str>) -> Result<Option<String>, Error> {
    principal.require_view()?;
    if scope == KeyScope::System {
        return Ok(None);
    }
    let user = user.unwrap_or(&principal.user);
    if user != principal.user {
        principal.require_admin("see another user's keys")?;
    }
    Ok(Some(user.to_owned()))
}

/// The place that a secret value is bound to.
fn vault_context(key: &KeyValue) -> String {
    format!("key/{}/{}/{}", key.scope.full_name(), key.user.as_deref().unwrap_or_default(), key.name)
}

/// A key in the payload of an event.
fn event_object(key: &KeyValue) -> Value {
    let value = if key.secret { model::MASK } else { &key.value };
    json!({
        "id": key.id(), "name": key.name, "scope": key.scope.full_name(), "user": key.user, "value": value, "secret": key.secret,
        "expire_timestamp": key.expires.map(|time| time.to_string()),
    })
}

fn check_size(set: &SetKey) -> Result<(), Error> {
    if set.name.is_empty() || set.name.len() > MAX_NAME_BYTES {
        return Err(Error::invalid(format!(
            "the name of a key has 1 to {MAX_NAME_BYTES} bytes, not {}",
            set.name.len()
        )));
    }
    let size = set.value.expose().len();
    if size > MAX_VALUE_BYTES {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("a value has at most {MAX_VALUE_BYTES} bytes, not {size}"),
        ));
    }
    Ok(())
}

fn busy(name: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("key \"{name}\" is being changed by many at once; try again"))
}
