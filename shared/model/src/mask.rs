//! What is shown in place of a secret, and where.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::Parameter;

/// What stands where a secret was, as in StackStorm.
pub const MASK: &str = "********";

/// Attribute names that are masked wherever they occur.
const SECRET_ATTRIBUTES: [&str; 6] = ["password", "auth_token", "token", "secret", "credentials", "st2_auth_token"];

/// Is this an attribute whose value is masked by its name alone?
pub fn is_secret_attribute(name: &str) -> bool {
    SECRET_ATTRIBUTES.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Masks every attribute with a secret's name, at any depth.
pub fn mask_attributes(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if is_secret_attribute(name) && !inner.is_null() {
                    *inner = Value::from(MASK);
                } else {
                    mask_attributes(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_attributes),
        _ => {}
    }
}

/// Masks the parameters that are marked `secret` in `schema` (also nested properties and items), and those with a secret's name.
pub fn mask_parameters(parameters: &mut Map<String, Value>, schema: &IndexMap<String, Parameter>) {
    for (name, value) in parameters.iter_mut() {
        match schema.get(name) {
            Some(parameter) => mask_by_schema(value, &parameter.schema),
            None if is_secret_attribute(name) => *value = Value::from(MASK),
            None => mask_attributes(value),
        }
    }
}

/// Masks what the schema marks `secret`, at any depth, and within what it does not know attributes with a secret's name.
pub fn mask_by_schema(value: &mut Value, schema: &Map<String, Value>) {
    if schema.get("secret") == Some(&Value::Bool(true)) {
        if !value.is_null() {
            *value = Value::from(MASK);
        }
        return;
    }
    match (value, schema.get("properties"), schema.get("items")) {
        (Value::Object(map), Some(Value::Object(properties)), _) => {
            for (name, inner) in map {
                match properties.get(name) {
                    Some(Value::Object(schema)) => mask_by_schema(inner, schema),
                    _ => mask_attributes(inner),
                }
            }
        }
        (Value::Array(items), _, Some(Value::Object(schema))) => {
            items.iter_mut().for_each(|item| mask_by_schema(item, schema));
        }
        _ => {}
    }
}
