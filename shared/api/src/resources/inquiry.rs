//! Inquiries, and the answers to them.

use engine::Asked;
use model::Id;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::attributes::Resource;

/// An inquiry that waits for an answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct InquiryResource<'a> {
    id: Id,
    route: &'a str,
    ttl: u64,
    users: &'a [String],
    roles: &'a [String],
    schema: &'a Map<String, Value>,
}

impl<'a> From<&'a Asked> for InquiryResource<'a> {
    fn from(Asked { id, inquiry }: &'a Asked) -> InquiryResource<'a> {
        InquiryResource {
            id: *id,
            route: &inquiry.route,
            ttl: inquiry.ttl,
            users: &inquiry.users,
            roles: &inquiry.roles,
            schema: &inquiry.schema,
        }
    }
}

impl Resource for InquiryResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &["id", "route", "ttl", "users", "roles", "schema"];
}

/// An answer that was taken.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AnswerResource {
    pub(crate) id: Id,
    pub(crate) response: Value,
}

impl Resource for AnswerResource {
    const ATTRIBUTES: &'static [&'static str] = &["id", "response"];
}
