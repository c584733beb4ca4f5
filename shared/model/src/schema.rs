//! JSON Schema as StackStorm reads it: draft 4, with draft 3's boolean `required`.

use indexmap::IndexMap;
use jsonschema::{
    Draft, JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind},
    paths::LocationSegment,
};
use serde_json::{Map, Value, json};
use std::{fmt, sync::Arc};

use crate::{Parameter, ParameterType, is_secret_attribute};

/// More errors than these are not listed.
const MOST_ERRORS: usize = 20;
/// Longer values are not quoted in messages.
const LONGEST_QUOTE: usize = 60;
/// Keywords whose value is a schema.
const SCHEMA_KEYWORDS: [&str; 4] = ["items", "additionalItems", "additionalProperties", "not"];
/// Keywords whose value is a list of schemas.
const LIST_KEYWORDS: [&str; 4] = ["items", "allOf", "anyOf", "oneOf"];
/// Keywords whose value is a mapping from names to schemas.
const MAP_KEYWORDS: [&str; 3] = ["patternProperties", "definitions", "dependencies"];

/// A schema, compiled once. Cheap to clone.
#[derive(Clone)]
pub struct SchemaValidator(Arc<Compiled>);

struct Compiled {
    validator: jsonschema::Validator,
    schema: Value,
}

/// The schema itself is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(pub String);

impl SchemaValidator {
    /// Compiles a schema. As in StackStorm `required` is a boolean of the property itself (a list of names has no effect), a property
    /// that need not be given may be null, and formats are not checked.
    pub fn new(schema: &Map<String, Value>) -> Result<SchemaValidator, SchemaError> {
        let schema = Value::Object(lower(schema));
        let validator = jsonschema::options()
            .with_draft(Draft::Draft4)
            .should_validate_formats(false)
            .offline()
            .build(&schema)
            .map_err(|error| SchemaError(describe_schema_error(&error)))?;
        Ok(SchemaValidator(Arc::new(Compiled { validator, schema })))
    }

    /// Compiles the schema of an object that has these parameters and no others.
    pub fn for_parameters(parameters: &IndexMap<String, Parameter>) -> Result<SchemaValidator, SchemaError> {
        let properties: Map<String, Value> = parameters
            .iter()
            .map(|(name, parameter)| {
                let mut schema = parameter.schema.clone();
                schema.entry("type").or_insert_with(|| Value::from(parameter.kind.name()));
                (name.clone(), Value::Object(schema))
            })
            .collect();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), Value::from("object"));
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        SchemaValidator::new(&schema)
    }

    /// `Ok` where the value fits; else what doesn't, one readable message each. Values of secrets are never quoted.
    pub fn validate(&self, value: &Value) -> Result<(), Vec<String>> {
        if self.0.validator.is_valid(value) {
            return Ok(());
        }
        Err(self.0.validator.iter_errors(value).take(MOST_ERRORS).map(|error| self.describe(&error)).collect())
    }

    fn describe(&self, error: &ValidationError<'_>) -> String {
        let mut path = String::new();
        let mut schema = Some(&self.0.schema);
        let mut secret = false;
        for segment in error.instance_path() {
            match &segment {
                LocationSegment::Property(name) => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(name);
                    secret |= is_secret_attribute(name);
                    schema = schema.and_then(|schema| property_schema(schema, name));
                }
                LocationSegment::Index(index) => {
                    path.push_str(&format!("[{index}]"));
                    schema = schema
                        .and_then(|schema| schema.get("items"))
                        .and_then(|items| items.get(index).or(Some(items)));
                }
            }
            secret |= schema.and_then(|schema| schema.get("secret")) == Some(&Value::Bool(true));
        }
        let known = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
        let expected = expectation(error.kind(), known);
        let quoted = if secret { None } else { quote(error.instance()) };
        let found = match error.kind() {
            ValidationErrorKind::AdditionalProperties { .. } | ValidationErrorKind::Required { .. } => None,
            _ => quoted,
        };
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        found.map_or_else(|| format!("{place}{expected}"), |found| format!("{place}{expected}, not {found}"))
    }
}

impl fmt::Debug for SchemaValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SchemaValidator").field(&self.0.schema).finish()
    }
}

fn property_schema<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let listed = schema.get("properties").and_then(|properties| properties.get(name));
    let patterns = || schema.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(Map::values);
    // Which pattern the name fits does not matter much: a secret among them is reason enough for care.
    let by_pattern = || patterns().find(|schema| schema.get("secret").is_some()).or_else(|| patterns().next());
    listed.or_else(by_pattern).or_else(|| schema.get("additionalProperties").filter(|other| other.is_object()))
}

/// Only scalars, and only short ones: what holds other values may hold a secret.
fn quote(value: &Value) -> Option<String> {
    let text = match value {
        Value::Array(_) | Value::Object(_) => return None,
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    };
    (text.chars().count() <= LONGEST_QUOTE).then_some(text)
}

fn expectation(kind: &ValidationErrorKind, known: Option<&Map<String, Value>>) -> String {
    match kind {
        ValidationErrorKind::Type { kind } => format!("must be of type {}", type_names(kind)),
        ValidationErrorKind::Required { property } => {
            format!("\"{}\" is required", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let unexpected: Vec<_> = unexpected.iter().map(|name| unexpected_property(name, known)).collect();
            unexpected.join("; ")
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().into_iter().flatten().filter(|option| !option.is_null());
            format!("must be one of {}", options.map(Value::to_string).collect::<Vec<_>>().join(", "))
        }
        ValidationErrorKind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        ValidationErrorKind::MinLength { limit } => format!("must have at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("must have at most {limit} items"),
        ValidationErrorKind::MinProperties { limit } => format!("must have at least {limit} properties"),
        ValidationErrorKind::MaxProperties { limit } => format!("must have at most {limit} properties"),
        ValidationErrorKind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        ValidationErrorKind::UniqueItems => "must not hold an item twice".to_owned(),
        ValidationErrorKind::AdditionalItems { limit } => format!("must have at most {limit} items"),
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            "must fit one of the alternatives of its schema".to_owned()
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            "must fit only one of the alternatives of its schema".to_owned()
        }
        ValidationErrorKind::Not { .. } => "must not fit the schema under \"not\"".to_owned(),
        ValidationErrorKind::Referencing(_) => "refers by \"$ref\" to what is not there".to_owned(),
        other => format!("does not satisfy \"{}\" of its schema", other.keyword()),
    }
}

/// Null is not named beside others: it only means that the property need not be given.
fn type_names(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => kind.to_string(),
        TypeKind::Multiple(kinds) => {
            let named = kinds.iter().filter(|kind| *kind != JsonType::Null);
            named.map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn unexpected_property(name: &str, known: Option<&Map<String, Value>>) -> String {
    let known = known.into_iter().flat_map(Map::keys).map(String::as_str);
    match suggestion(name, known) {
        Some(meant) => format!("there is no \"{name}\"; did you mean \"{meant}\"?"),
        None => format!("there is no \"{name}\""),
    }
}

/// The known name that was most likely meant by a misspelt one.
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count() / 3).clamp(1, 3);
    let distances = known.into_iter().map(|known| (strsim::damerau_levenshtein(name, known), known));
    distances.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

fn describe_schema_error(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().as_str().trim_start_matches('/').replace('/', ".");
    let problem = match error.kind() {
        ValidationErrorKind::AnyOf { .. } if place.ends_with("type") => {
            let names = error
                .instance()
                .as_array()
                .map_or_else(|| std::slice::from_ref(error.instance().as_ref()), Vec::as_slice);
            let is_type = |name: &Value| name.as_str().and_then(ParameterType::named).is_some();
            let wrong = names.iter().find(|name| !is_type(name)).and_then(quote).unwrap_or_else(|| "this".to_owned());
            format!("{wrong} is not a type; there are string, number, integer, boolean, object, array, null")
        }
        ValidationErrorKind::Format { format } if format == "regex" => "is not a regular expression".to_owned(),
        kind => expectation(kind, None),
    };
    if place.is_empty() { problem } else { format!("{place}: {problem}") }
}

/// From StackStorm's dialect to draft 4.
fn lower(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut lowered = Map::new();
    for (keyword, value) in schema {
        let keyword = keyword.as_str();
        let value = match value {
            _ if matches!(keyword, "required" | "$schema" | "id") => continue,
            Value::Object(inner) if keyword == "properties" => {
                lower_properties(inner, &mut lowered);
                continue;
            }
            Value::Object(inner) if SCHEMA_KEYWORDS.contains(&keyword) => Value::Object(lower(inner)),
            Value::Array(items) if LIST_KEYWORDS.contains(&keyword) => items.iter().map(lower_value).collect(),
            Value::Object(map) if MAP_KEYWORDS.contains(&keyword) => {
                Value::Object(map.iter().map(|(name, inner)| (name.clone(), lower_value(inner))).collect())
            }
            other => other.clone(),
        };
        lowered.insert(keyword.to_owned(), value);
    }
    lowered
}

fn lower_value(value: &Value) -> Value {
    match value {
        Value::Object(schema) => Value::Object(lower(schema)),
        other => other.clone(),
    }
}

fn lower_properties(properties: &Map<String, Value>, into: &mut Map<String, Value>) {
    let is_required = |schema: &Value| schema.get("required") == Some(&Value::Bool(true));
    let required: Vec<Value> = properties
        .iter()
        .filter(|(_, schema)| is_required(schema))
        .map(|(name, _)| Value::from(name.as_str()))
        .collect();
    if !required.is_empty() {
        into.insert("required".to_owned(), Value::Array(required));
    }
    let lowered = properties.iter().map(|(name, schema)| {
        let mut inner = lower_value(schema);
        let default = schema.get("default");
        if default.is_none_or(Value::is_null) && (default.is_some() || !is_required(schema)) {
            allow_null(&mut inner);
        }
        (name.clone(), inner)
    });
    into.insert("properties".to_owned(), Value::Object(lowered.collect()));
}

fn allow_null(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    for (keyword, null) in
        [("anyOf", json!({"type": "null"})), ("oneOf", json!({"type": "null"})), ("enum", Value::Null)]
    {
        if let Some(Value::Array(options)) = schema.get_mut(keyword)
            && !options.contains(&null)
        {
            options.push(null);
        }
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) if !types.contains(&json!("null")) => types.push(json!("null")),
        Some(Value::String(name)) if name != "null" => {
            let types = json!([std::mem::take(name), "null"]);
            schema.insert("type".to_owned(), types);
        }
        _ => {}
    }
}

/// Fills in the defaults of the schema's properties that the value lacks or has as null, in nested objects and lists of objects too.
pub fn fill_defaults(schema: &Map<String, Value>, value: &mut Map<String, Value>) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let default = property.get("default").filter(|default| !default.is_null());
        if let Some(default) = default.filter(|_| value.get(name).is_none_or(Value::is_null)) {
            value.insert(name.clone(), default.clone());
        }
        match (value.get_mut(name), property, property.get("items")) {
            (Some(Value::Object(inner)), Value::Object(property), _) => fill_defaults(property, inner),
            (Some(Value::Array(items)), _, Some(Value::Object(property))) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| fill_defaults(property, item));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validator(schema: Value) -> SchemaValidator {
        SchemaValidator::new(schema.as_object().unwrap()).unwrap()
    }

    fn complaints(schema: Value, value: Value) -> Vec<String> {
        validator(schema).validate(&value).err().unwrap_or_default()
    }

    #[test]
    fn required_is_a_boolean_of_the_property_at_any_depth() {
        let schema = json!({
            "type": "object", "required": ["ignored"],
            "properties": {"required": {"type": "object", "required": true, "properties": {"x": {"type": "integer", "required": true}}}},
        });
        assert_eq!(complaints(schema.clone(), json!({})), ["\"required\" is required"]);
        assert_eq!(complaints(schema.clone(), json!({"required": {}})), ["required: \"x\" is required"]);
        assert_eq!(
            complaints(schema, json!({"required": {"x": "1"}})),
            ["required.x: must be of type integer, not \"1\""]
        );
    }

    #[test]
    fn what_need_not_be_given_may_be_null() {
        let schema = json!({"properties": {
            "free": {"type": "string", "enum": ["a"]}, "default": {"type": "string", "default": "a"},
            "either": {"anyOf": [{"type": "array"}, {"type": "object"}]},
            "null_default": {"type": "string", "required": true, "default": null}, "must": {"type": "string", "required": true},
        }});
        assert!(
            complaints(schema.clone(), json!({"free": null, "either": null, "null_default": null, "must": "x"}))
                .is_empty()
        );
        assert_eq!(complaints(schema.clone(), json!({"default": null, "null_default": null, "must": null})).len(), 2);
        assert_eq!(
            complaints(schema, json!({"free": "b", "null_default": null, "must": "x"})),
            ["free: must be one of \"a\", not \"b\""]
        );
    }

    #[test]
    fn secrets_and_what_may_hold_them_are_not_quoted() {
        let canary = "s3cr3t-canary";
        let schema = json!({"properties": {
            "key": {"type": "integer", "secret": true}, "password": {"type": "integer"},
            "list": {"type": "array", "items": {"type": "integer", "secret": true}},
            "map": {"type": "object", "patternProperties": {"^k": {"type": "integer", "secret": true}}},
            "tree": {"type": "object", "secret": true, "properties": {"leaf": {"type": "integer"}}},
            "either": {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"a": {"type": "integer"}}}]},
        }, "additionalProperties": false});
        let value = json!({
            "key": canary, "password": canary, "list": [canary], "map": {"k1": canary}, "tree": {"leaf": canary},
            "either": {"a": canary}, "unknown": canary,
        });
        let found = complaints(schema, value);
        assert_eq!(found.len(), 7, "{found:?}");
        assert!(found.iter().all(|complaint| !complaint.contains(canary)), "{found:?}");
    }

    #[test]
    fn unknown_parameters_are_refused_with_a_suggestion() {
        let schema: Map<String, Value> = json!({"type": "string"}).as_object().cloned().unwrap();
        let parameters = IndexMap::from([("message".to_owned(), Parameter::from_schema(schema).unwrap())]);
        let validator = SchemaValidator::for_parameters(&parameters).unwrap();
        assert_eq!(
            validator.validate(&json!({"mesage": 1, "zzz": 1})).unwrap_err(),
            ["there is no \"mesage\"; did you mean \"message\"?; there is no \"zzz\""]
        );
        assert!(validator.validate(&json!({"message": null})).is_ok());
    }

    #[test]
    fn a_wrong_schema_says_where() {
        let error = |schema: Value| SchemaValidator::new(schema.as_object().unwrap()).unwrap_err().to_string();
        assert_eq!(
            error(json!({"properties": {"a": {"type": "list"}}})),
            "properties.a.type: \"list\" is not a type; there are string, number, integer, boolean, object, array, null"
        );
        assert!(error(json!({"properties": {"a": {"pattern": "("}}})).contains("pattern"));
        assert!(error(json!({"$ref": "http://example.com/x"})).contains("ref"));
    }

    #[test]
    fn formats_are_not_checked_and_whole_floats_are_no_integers() {
        assert!(
            complaints(json!({"properties": {"a": {"type": "string", "format": "date-time"}}}), json!({"a": "x"}))
                .is_empty()
        );
        assert_eq!(complaints(json!({"properties": {"a": {"type": "integer"}}}), json!({"a": 5.0})).len(), 1);
    }

    #[test]
    fn defaults_are_filled_at_every_depth() {
        let schema = json!({"properties": {
            "a": {"default": 1}, "b": {"default": 2}, "none": {"default": null},
            "o": {"type": "object", "default": {"x": 1}, "properties": {"x": {"default": 9}, "y": {"default": 3}}},
            "l": {"type": "array", "items": {"type": "object", "properties": {"z": {"default": 4}}}},
        }});
        let mut value = json!({"a": null, "b": 5, "l": [{}, {"z": 0}, 1]}).as_object().cloned().unwrap();
        fill_defaults(schema.as_object().unwrap(), &mut value);
        assert_eq!(Value::Object(value), json!({"a": 1, "b": 5, "l": [{"z": 4}, {"z": 0}, 1], "o": {"x": 1, "y": 3}}));
    }
}
