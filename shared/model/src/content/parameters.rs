//! Parameters of actions, and attributes of a pack's configuration.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use yaml::{Entry, Node};

use super::{
    finding::{Finding, Findings},
    form::Form,
};
use crate::{Parameter, ParameterType, RunnerType, SchemaError, SchemaValidator};

/// The attributes that a parameter may have.
const ATTRIBUTES: [&str; 35] = [
    "type",
    "description",
    "default",
    "required",
    "secret",
    "immutable",
    "position",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "items",
    "additionalItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "patternProperties",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "dependencies",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "title",
    "id",
    "$schema",
    "definitions",
];
/// What an action may change of a runner's parameter.
const OVERRIDABLE: [&str; 7] = ["default", "description", "enum", "immutable", "required", "secret", "position"];

/// The parameters under `parameters`, and what is wrong with them one by one and together.
pub(super) fn read(form: &mut Form<'_, '_>, runner: Option<&RunnerType>) -> IndexMap<String, Parameter> {
    let Some(mut form) = form.inner("parameters") else { return IndexMap::new() };
    let parameters = read_all(&mut form, runner);
    check_positions(&mut form, &parameters);
    for (name, parameter) in &parameters {
        let inherited = runner.and_then(|runner| runner.runner_parameters.get(name));
        let has_default = |parameter: &Parameter| parameter.schema.contains_key("default");
        if parameter.immutable && !has_default(parameter) && !inherited.is_some_and(has_default) {
            let hint = "give it a default, or remove \"immutable\"";
            form.error(
                "immutable-without-default",
                name,
                "is immutable and has no default, so it has no value at all",
                Some(hint),
            );
        }
        if let (Some(inherited), Some(runner)) = (inherited, runner) {
            check_override(&mut form, name, inherited, &runner.name);
        }
    }
    parameters
}

/// Every entry of the mapping as a parameter.
pub(super) fn read_all(form: &mut Form<'_, '_>, runner: Option<&RunnerType>) -> IndexMap<String, Parameter> {
    let mut parameters = IndexMap::new();
    for entry in form.entries() {
        let path = form.path_of(&entry.key);
        if let Some(parameter) = parameter(entry, &path, form.findings) {
            parameters.insert(entry.key.clone(), parameter);
        }
    }
    check_schemas(form, &parameters, runner);
    parameters
}

fn parameter(entry: &Entry, path: &str, findings: &mut Findings) -> Option<Parameter> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if entry.key.is_empty() || !entry.key.chars().all(word) {
        let message =
            format!("\"{}\" can't be a parameter's name, which has letters, digits and underscores only", entry.key);
        findings.push(Finding::error("bad-parameter-name", entry.position, message).at(path));
    }
    let mut form = Form::open(&entry.value, path, findings)?;
    form.close(&ATTRIBUTES);
    if form.value("required").is_some_and(|value| value.as_list().is_some()) {
        let hint = "write \"required: true\" in each property that must be given";
        form.error("wrong-type", "required", "must be true or false, and this is a list", Some(hint));
        return None;
    }
    let schema: Map<String, Value> =
        form.entries().iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect();
    let parameter = match Parameter::from_schema(schema) {
        Ok(parameter) => parameter,
        Err(error) => {
            let finding = Finding::error("wrong-type", form.position(error.attribute), error.problem.clone());
            let written = form.value(error.attribute).and_then(Node::as_text).unwrap_or_default();
            let types = ["string", "number", "integer", "boolean", "object", "array", "null"];
            let finding = finding.at(&form.path_of(error.attribute));
            let finding = match error.attribute {
                "type" => finding.hint(format!("did you mean \"{}\"?", nearest_type(written, &types))),
                _ => finding,
            };
            form.findings.push(finding);
            return None;
        }
    };
    Some(parameter)
}

fn nearest_type<'a>(written: &str, types: &[&'a str]) -> &'a str {
    match written {
        "list" | "tuple" => "array",
        "dict" | "hash" | "map" => "object",
        "int" => "integer",
        "float" => "number",
        "bool" => "boolean",
        other => crate::schema::suggestion(other, types.iter().copied()).unwrap_or("string"),
    }
}

/// Do the schemas compile, and do the defaults fit them? A default that is a template is known only when it is rendered.
fn check_schemas(form: &mut Form<'_, '_>, parameters: &IndexMap<String, Parameter>, runner: Option<&RunnerType>) {
    let whole: IndexMap<String, Parameter> =
        parameters.iter().map(|(name, parameter)| (name.clone(), as_merged(name, parameter, runner))).collect();
    let validator = match SchemaValidator::for_parameters(&whole) {
        Ok(validator) => validator,
        Err(error) => return report_schema(form, &whole, &error),
    };
    for (name, parameter) in parameters {
        let Some(default) = parameter.default.as_ref().filter(|default| !holds_template(default)) else { continue };
        let value = Map::from_iter([(name.clone(), default.clone())]);
        if let Err(problems) = validator.validate(&value.into())
            && let Some(mut inner) = form.inner(name)
        {
            let problems = problems.join("; ");
            let problems = problems.strip_prefix(&format!("{name}: ")).unwrap_or(&problems);
            inner.warn("default-misfit", "default", format!("does not fit the parameter: {problems}"), None);
        }
    }
}

/// As the runner's parameter is after the action's changes, and need not be given: this is about single values.
fn as_merged(name: &str, parameter: &Parameter, runner: Option<&RunnerType>) -> Parameter {
    let inherited = runner.and_then(|runner| runner.runner_parameters.get(name));
    let mut schema = inherited.map(|inherited| inherited.schema.clone()).unwrap_or_default();
    schema.extend(parameter.schema.clone());
    schema.remove("required");
    Parameter::from_schema(schema).unwrap_or_else(|_| parameter.clone())
}

fn report_schema(form: &mut Form<'_, '_>, whole: &IndexMap<String, Parameter>, error: &SchemaError) {
    let mut found = false;
    for (name, parameter) in whole {
        let one = IndexMap::from([(name.clone(), parameter.clone())]);
        let refers = parameter.schema.values().any(|value| value.to_string().contains("\"$ref\""));
        let Some(error) = SchemaValidator::for_parameters(&one).err().filter(|_| !refers) else { continue };
        found = true;
        let message = error.to_string();
        let message = message.strip_prefix(&format!("properties.{name}.")).unwrap_or(&message);
        form.error("bad-schema", name, format!("the schema is wrong: {message}"), None);
    }
    if !found {
        let finding = Finding::error("bad-schema", form.node.position, format!("the schema is wrong: {error}"));
        form.findings.push(finding);
    }
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{") || text.contains("{%"),
        Value::Array(items) => items.iter().any(holds_template),
        Value::Object(map) => map.values().any(holds_template),
        _ => false,
    }
}

fn check_override(form: &mut Form<'_, '_>, name: &str, inherited: &Parameter, runner: &str) {
    let Some(mut form) = form.inner(name) else { return };
    for entry in form.entries() {
        let attribute = entry.key.as_str();
        let value = entry.value.to_json();
        let same = inherited.schema.get(attribute) == Some(&value);
        let is_default_type =
            attribute == "type" && ParameterType::named(value.as_str().unwrap_or_default()) == Some(inherited.kind);
        if same || is_default_type || !ATTRIBUTES.contains(&attribute) {
            continue;
        }
        if inherited.immutable && matches!(attribute, "default" | "immutable" | "enum") {
            let message = format!("the runner {runner} keeps the parameter \"{name}\" to itself");
            form.error("immutable-in-runner", attribute, message, Some("remove this parameter from the action"));
        } else if !OVERRIDABLE.contains(&attribute) {
            let message = format!("can't be changed: \"{name}\" is a parameter of the runner {runner}");
            let hint = "only default, description, enum, immutable and required can; or choose another name";
            form.error("bad-override", attribute, message, Some(hint));
        }
    }
}

fn check_positions(form: &mut Form<'_, '_>, parameters: &IndexMap<String, Parameter>) {
    let mut placed: Vec<(u32, &str)> =
        parameters.iter().filter_map(|(name, parameter)| Some((parameter.position?, name.as_str()))).collect();
    placed.sort_by_key(|(position, _)| *position);
    let mut before: Option<(u32, &str)> = None;
    for (position, name) in placed {
        let path = format!("{name}.position");
        let at =
            form.value(name).and_then(|node| node.entry("position")).map_or(form.node.position, |entry| entry.position);
        let problem = match before {
            Some((taken, other)) if taken == position => {
                Some(format!("position {position} is that of \"{other}\" already"))
            }
            Some((taken, _)) if taken + 1 != position => {
                Some(format!("positions have no gaps: {} is missing", taken + 1))
            }
            _ => None,
        };
        if let Some(problem) = problem {
            form.findings.push(Finding::error("bad-position", at, problem).at(&form.path_of(&path)));
        }
        before = Some((position, name));
    }
}
