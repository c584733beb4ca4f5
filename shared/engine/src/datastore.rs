//! The datastore for expressions. Expressions are evaluated without I/O, the store is asynchronous: an evaluation that misses keys is
//! done again once they are here. So only keys that are really read are fetched, also those whose names are computed.

use expressions::{KeyValues, Scope};
use model::{KeyScope, KeyValue, Secret};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use crate::{Engine, Error, catalog::lock};

/// Evaluations of one expression, at most: each may reveal keys whose names depend on the values of others.
const MAX_PASSES: usize = 8;
/// Keys that one evaluation may read.
const MAX_KEYS: usize = 1_000;

/// In whose name an expression reads the datastore.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// The user of `st2kv.user`.
    pub(crate) user: String,
    /// May it decrypt the system's keys?
    pub(crate) decrypts: bool,
}

/// A value, and the secrets that were decrypted on the way to it.
#[derive(Debug)]
pub(crate) struct Evaluated<T> {
    pub(crate) value: T,
    pub(crate) secrets: Vec<Secret<String>>,
}

#[derive(Default)]
struct Known {
    values: HashMap<(Scope, String), Option<KeyValue>>,
    plain: HashMap<String, Result<Secret<String>, String>>,
    missing: Vec<(Scope, String)>,
    sealed: Vec<KeyValue>,
}

struct Datastore(Mutex<Known>);

impl KeyValues for Datastore {
    fn get(&self, scope: Scope, name: &str) -> Option<String> {
        let mut known = lock(&self.0);
        match known.values.get(&(scope, name.to_owned())) {
            Some(value) => value.as_ref().map(|key| key.value.clone()),
            None => {
                known.missing.push((scope, name.to_owned()));
                None
            }
        }
    }

    fn decrypt(&self, ciphertext: &str) -> Result<String, String> {
        let mut known = lock(&self.0);
        if let Some(plain) = known.plain.get(ciphertext) {
            return plain.clone().map(|plain| plain.expose().clone());
        }
        let key = known.values.values().flatten().find(|key| key.secret && key.value == ciphertext).cloned();
        match key {
            Some(key) => {
                known.sealed.push(key);
                Err("the secret is being opened".to_owned())
            }
            None => Err("decrypt_kv wants a key that was stored as a secret".to_owned()),
        }
    }
}

impl Engine {
    /// Evaluates until every key that is read is here.
    pub(crate) async fn with_datastore<T>(
        &self,
        reader: &Reader,
        mut evaluate: impl FnMut(Arc<dyn KeyValues>) -> T,
    ) -> Result<Evaluated<T>, Error> {
        let datastore = Arc::new(Datastore(Mutex::default()));
        let mut passes = 0;
        loop {
            let value = evaluate(Arc::clone(&datastore) as Arc<dyn KeyValues>);
            let (missing, sealed) = {
                let mut known = lock(&datastore.0);
                (std::mem::take(&mut known.missing), std::mem::take(&mut known.sealed))
            };
            passes += 1;
            if (missing.is_empty() && sealed.is_empty()) || passes == MAX_PASSES {
                let known = lock(&datastore.0);
                let secrets = known.plain.values().filter_map(|plain| plain.as_ref().ok().cloned()).collect();
                return Ok(Evaluated { value, secrets });
            }
            self.fetch(reader, &datastore, missing).await?;
            self.open(reader, &datastore, sealed).await?;
        }
    }

    async fn fetch(&self, reader: &Reader, datastore: &Datastore, missing: Vec<(Scope, String)>) -> Result<(), Error> {
        for (scope, name) in missing {
            if lock(&datastore.0).values.len() >= MAX_KEYS {
                return Err(Error::invalid(format!("an expression may read at most {MAX_KEYS} keys of the datastore")));
            }
            let (key_scope, user) = match scope {
                Scope::System => (KeyScope::System, None),
                Scope::User => (KeyScope::User, Some(reader.user.as_str())),
            };
            let value = self.stored_key(key_scope, user, &name).await?.map(|(_, key)| key);
            lock(&datastore.0).values.insert((scope, name), value);
        }
        Ok(())
    }

    async fn open(&self, reader: &Reader, datastore: &Datastore, sealed: Vec<KeyValue>) -> Result<(), Error> {
        for key in sealed {
            let plain = if key.scope == KeyScope::System && !reader.decrypts {
                Err(format!("user \"{}\" may not decrypt system keys", reader.user))
            } else {
                tracing::info!(
                    audit = "key.decrypt",
                    user = reader.user,
                    key = key.name,
                    scope = key.scope.full_name()
                );
                Ok(self.plain(&key).await?)
            };
            lock(&datastore.0).plain.insert(key.value, plain);
        }
        Ok(())
    }
}
