//! Who asks. The principal comes from the credential and from nowhere else.

use model::{Secret, Timestamp};
use ports::Guard;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, sync::Mutex, time::Duration};

use crate::{Engine, Error, ErrorKind, catalog::lock, records};

/// How long a credential that was found good is not looked up again; a revoked one may work so long.
const CACHE: Duration = Duration::from_secs(30);
/// Credentials remembered at once.
const MOST_CACHED: usize = 10_000;
/// The user whose key the operator keeps.
const OPERATOR: &str = "admin";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The user's name.
    pub user: String,
    /// May do everything.
    pub admin: bool,
}

impl Principal {
    /// The platform itself: rules and timers act in this name, as in StackStorm.
    pub fn system() -> Principal {
        Principal { user: "stanley".to_owned(), admin: true }
    }

    /// `Ok` for who may do everything.
    pub fn require_admin(&self, what: &str) -> Result<(), Error> {
        if self.admin {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Forbidden, format!("user \"{}\" may not {what}", self.user)))
        }
    }

    /// `Ok` for who may look. Every credential may until roles come; the check stands where the records are read.
    pub fn require_view(&self) -> Result<(), Error> {
        if self.user.is_empty() {
            Err(Error::new(ErrorKind::Forbidden, "a principal without a name may not look"))
        } else {
            Ok(())
        }
    }
}

/// An API key as it is stored: never the key itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Whose it is.
    pub user: String,
    /// May do everything.
    pub admin: bool,
    /// A disabled key opens nothing.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// For people.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// Credentials found good, by hash.
#[derive(Debug, Default)]
pub(crate) struct CredentialCache(Mutex<HashMap<String, (Principal, Timestamp)>>);

impl Engine {
    /// The principal of an API key.
    pub async fn authenticate(&self, api_key: &str) -> Result<Principal, Error> {
        let hash = hash(api_key);
        if self.options.operator_key.as_ref() == Some(&hash) {
            return Ok(Principal { user: OPERATOR.to_owned(), admin: true });
        }
        let now = self.ports.clock.now();
        if let Some((principal, since)) = lock(&self.credentials.0).get(&hash)
            && now.since(*since) < CACHE
        {
            return Ok(principal.clone());
        }
        let record = self.ports.store.get(&records::api_key_key(&hash)).await?;
        let key: Option<ApiKey> = record.as_ref().map(records::read).transpose()?;
        let Some(key) = key.filter(|key| key.enabled) else {
            return Err(Error::new(
                ErrorKind::Unauthorized,
                "Unauthorized - ApiKey with the given value not found or disabled.",
            ));
        };
        let principal = Principal { user: key.user, admin: key.admin };
        let mut cache = lock(&self.credentials.0);
        if cache.len() >= MOST_CACHED {
            cache.clear();
        }
        cache.insert(hash, (principal.clone(), now));
        Ok(principal)
    }

    /// Makes a key for a user and returns it, this once. Only an admin may, and only the host calls it before there is any key.
    pub async fn create_api_key(
        &self,
        principal: &Principal,
        user: &str,
        admin: bool,
    ) -> Result<Secret<String>, Error> {
        principal.require_admin("make API keys")?;
        let clock = &self.ports.clock;
        let bytes: Vec<u8> = (0..4).flat_map(|_| clock.entropy().to_be_bytes()).collect();
        let key = hex::encode(bytes);
        let record =
            ApiKey { user: user.to_owned(), admin, enabled: true, created_at: clock.now(), metadata: Map::new() };
        let put = records::put(
            records::api_key_key(&hash(&key)),
            &record,
            Vec::new(),
            Guard::Absent,
            records::Life::default(),
        )?;
        self.ports.store.commit(vec![put]).await?;
        tracing::info!(audit = "api_key.create", user = principal.user, "for" = user);
        Ok(Secret::new(key))
    }
}

/// What is stored of a key: enough to know it again, nothing to use.
fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}
