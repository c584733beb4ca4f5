//! `config.schema.yaml`.

use serde_json::{Map, Value};
use yaml::Node;

use super::{finding::Findings, form::Form, parameters};

pub(super) fn read(node: &Node, findings: &mut Findings) -> Option<Map<String, Value>> {
    if node.is_null() {
        return None;
    }
    let mut form = Form::open(node, "", findings)?;
    let attributes = parameters::read_all(&mut form, None);
    Some(attributes.into_iter().map(|(name, attribute)| (name, Value::Object(attribute.schema))).collect())
}
