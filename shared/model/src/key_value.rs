//! The datastore's pairs.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

use crate::{Id, Timestamp};

/// Whose a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum KeyScope {
    /// Everybody's.
    #[default]
    System,
    /// One user's.
    User,
}

impl KeyScope {
    /// `st2kv.system` or `st2kv.user`, as the API shows it.
    pub const fn full_name(self) -> &'static str {
        match self {
            KeyScope::System => "st2kv.system",
            KeyScope::User => "st2kv.user",
        }
    }
}

impl FromStr for KeyScope {
    type Err = String;

    fn from_str(text: &str) -> Result<KeyScope, String> {
        match text {
            "system" | "st2kv.system" => Ok(KeyScope::System),
            "user" | "st2kv.user" => Ok(KeyScope::User),
            other => Err(format!("scope \"{other}\" is unknown: system or user is wanted")),
        }
    }
}

/// One pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValue {
    /// The name within its scope.
    pub name: String,
    /// Whose it is.
    pub scope: KeyScope,
    /// The user of a user-scoped key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The text; ciphertext where `secret`.
    pub value: String,
    /// Encrypted at rest, masked when shown.
    #[serde(default)]
    pub secret: bool,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl KeyValue {
    /// The id that clients see.
    pub fn id(&self) -> Id {
        Id::named(&["key_value_pair", self.scope.full_name(), self.user.as_deref().unwrap_or_default(), &self.name])
    }
}
