//! `triggers/*.yaml`, and the trigger types that sensors declare.

use yaml::Node;

use super::{Origin, finding::Findings, form::Form};
use crate::{SchemaValidator, TriggerType};

const KEYS: [&str; 10] =
    ["name", "pack", "description", "payload_schema", "parameters_schema", "tags", "metadata_file", "ref", "uid", "id"];

pub(super) fn read(node: &Node, origin: Origin<'_>, findings: &mut Findings) -> Option<TriggerType> {
    let mut form = Form::open(node, "", findings)?;
    match origin {
        Origin::File { .. } => form.close_leniently(&KEYS),
        Origin::Body => form.close(&KEYS),
    }
    read_form(&mut form, origin)
}

pub(super) fn read_form(form: &mut Form<'_, '_>, origin: Origin<'_>) -> Option<TriggerType> {
    let identity = form.identity("name", origin);
    let description = form.text("description").unwrap_or_default().to_owned();
    let (payload_schema, parameters_schema) = (schema(form, "payload_schema"), schema(form, "parameters_schema"));
    let tags = form.tags();
    let (reference, metadata_file) = identity?;
    Some(TriggerType { reference, description, payload_schema, parameters_schema, tags, metadata_file })
}

fn schema(form: &mut Form<'_, '_>, key: &str) -> serde_json::Map<String, serde_json::Value> {
    let schema = form.map(key);
    if let Err(error) = SchemaValidator::new(&schema) {
        let message = format!("the schema is wrong, so nothing is checked by it: {error}");
        form.warn("bad-schema", key, message, None);
    }
    schema
}
