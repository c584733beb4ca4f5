//! The datastore's pairs.

use model::{Id, KeyValue, Timestamp};
use serde::Serialize;

use super::shown_option;
use crate::attributes::Resource;

/// One pair.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct KeyResource<'a> {
    id: Id,
    uid: String,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    value: &'a str,
    secret: bool,
    encrypted: bool,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(serialize_with = "shown_option", skip_serializing_if = "Option::is_none")]
    expire_timestamp: Option<Timestamp>,
}

impl<'a> KeyResource<'a> {
    /// The pair; `decrypted` tells whether a secret's value is its plain text.
    pub(crate) fn new(pair: &'a KeyValue, decrypted: bool) -> KeyResource<'a> {
        let scope = pair.scope.full_name();
        let owner = pair.user.as_deref().map(|user| format!("{user}:")).unwrap_or_default();
        KeyResource {
            id: pair.id(),
            uid: format!("key_value_pair:{scope}:{owner}{}", pair.name),
            name: &pair.name,
            description: &pair.description,
            value: &pair.value,
            secret: pair.secret,
            encrypted: pair.secret && !decrypted,
            scope,
            user: pair.user.as_deref(),
            expire_timestamp: pair.expires,
        }
    }
}

impl Resource for KeyResource<'_> {
    const ATTRIBUTES: &'static [&'static str] =
        &["id", "uid", "name", "description", "value", "secret", "encrypted", "scope", "user", "expire_timestamp"];
}
