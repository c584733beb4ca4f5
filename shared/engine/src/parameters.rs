//! The inputs of an execution: an action's parameters merged with its runner's; what is given rendered, cast and checked.

use expressions::{
    Context, Jinja, KeyValues,
    params::{self, FinalParameters, Parameters},
};
use indexmap::IndexMap;
use model::{Action, Parameter, RunnerType, SchemaValidator, Secret, runner_type};
use serde_json::{Map, Value};
use std::sync::Arc;

use crate::{Error, catalog::InstalledPack};

/// Attributes of a runner's parameter that an action may give anew.
const OVERRIDABLE: [&str; 5] = ["default", "description", "enum", "immutable", "required"];

/// An action and its runner type, merged and compiled once per content revision.
#[derive(Debug)]
pub struct ActionPlan {
    /// The action.
    pub action: Arc<Action>,
    /// Its runner type.
    pub runner: &'static RunnerType,
    /// All parameters, the runner's first; what both declare is the runner's with the action's changes.
    pub parameters: IndexMap<String, Parameter>,
    /// The version of its pack that is live with it.
    pub(crate) pack_version: Option<String>,
    validator: SchemaValidator,
    runner_schemas: Map<String, Value>,
    action_schemas: Map<String, Value>,
    config: Arc<Value>,
}

/// What is given to an execution.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// Values whose strings may be templates.
    pub(crate) templates: Map<String, Value>,
    /// Values that are data, whatever they look like.
    pub(crate) literals: Map<String, Value>,
    /// The payload of the event that led to it, for templates.
    pub(crate) trigger: Option<Arc<Value>>,
    /// What was decrypted on the way to the values.
    pub(crate) secrets: Vec<Secret<String>>,
}

impl ActionPlan {
    /// Merges and compiles; `pack` is the action's, where it is installed.
    pub(crate) fn new(action: &Arc<Action>, pack: Option<&InstalledPack>) -> Result<ActionPlan, Error> {
        let runner = runner_type(&action.runner_type).ok_or_else(|| {
            Error::invalid(format!(
                "action {} has runner type \"{}\", which is not known",
                action.reference, action.runner_type
            ))
        })?;
        let parameters = merge(runner, action)?;
        let validator = SchemaValidator::for_parameters(&parameters)
            .map_err(|error| Error::invalid(format!("the parameters of action {}: {error}", action.reference)))?;
        let config_schema = pack.and_then(|pack| pack.config_schema.as_ref());
        Ok(ActionPlan {
            pack_version: pack.map(|pack| pack.digest.clone()),
            runner,
            parameters,
            validator,
            runner_schemas: schemas(&runner.runner_parameters),
            action_schemas: schemas(&action.parameters),
            config: Arc::new(default_config(config_schema)),
            action: Arc::clone(action),
        })
    }

    /// Refuses an action that is disabled, or whose runner this build does not have.
    pub(crate) fn check_enabled(&self) -> Result<(), Error> {
        if !self.action.enabled {
            return Err(Error::invalid(format!(
                "Unable to execute. Action \"{}\" is disabled.",
                self.action.reference
            )));
        }
        if !self.runner.enabled {
            return Err(Error::invalid(format!(
                "action {} needs runner \"{}\", which this version does not run yet",
                self.action.reference, self.runner.name
            )));
        }
        Ok(())
    }

    /// Refuses what may not be given: names that are not declared, and immutable ones.
    pub(crate) fn check_given(&self, given: &Map<String, Value>) -> Result<(), Error> {
        for name in given.keys() {
            match self.parameters.get(name) {
                None => {
                    let known: Vec<_> = self.parameters.keys().map(String::as_str).collect();
                    return Err(Error::invalid(format!(
                        "action {} has no parameter \"{name}\"; it has {}",
                        self.action.reference,
                        known.join(", ")
                    )));
                }
                Some(parameter) if parameter.immutable => {
                    return Err(Error::invalid(format!(
                        "parameter \"{name}\" of action {} is immutable; leave it out",
                        self.action.reference
                    )));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Renders, casts and checks; returns what the execution keeps: what was given, and defaults that were rendered. The error is for
    /// the person who gave the inputs.
    pub(crate) fn resolve(
        &self,
        jinja: &Jinja,
        inputs: &Inputs,
        context: &Map<String, Value>,
        keys: Arc<dyn KeyValues>,
    ) -> Result<Map<String, Value>, String> {
        let mut surroundings = self.surroundings(context, keys);
        if let Some(trigger) = &inputs.trigger {
            surroundings.insert("trigger", Arc::clone(trigger));
        }
        let mut kept = if inputs.literals.is_empty() {
            let parameters = self.parameters_with(&inputs.templates);
            params::render_live(jinja, parameters, &surroundings).map_err(|error| error.to_string())?
        } else {
            self.render_beside(jinja, inputs, surroundings.clone())?
        };
        kept.extend(inputs.literals.clone());
        self.check(&self.complete(jinja, &kept, &surroundings)?)?;
        Ok(kept)
    }

    /// Renders templates that may refer to values which are data: their parameters' defaults are out of the question.
    fn render_beside(
        &self,
        jinja: &Jinja,
        inputs: &Inputs,
        mut surroundings: Context,
    ) -> Result<Map<String, Value>, String> {
        let without = |schemas: &Map<String, Value>| -> Map<String, Value> {
            schemas
                .iter()
                .filter(|(name, _)| !inputs.literals.contains_key(*name))
                .map(|(n, s)| (n.clone(), s.clone()))
                .collect()
        };
        for (name, value) in &inputs.literals {
            surroundings.insert(name.clone(), value.clone());
        }
        let (runner, action) = (without(&self.runner_schemas), without(&self.action_schemas));
        let parameters = Parameters { runner: &runner, action: &action, given: &inputs.templates };
        params::render_live(jinja, parameters, &surroundings).map_err(|error| error.to_string())
    }

    /// What the runner gets for the inputs that an execution keeps: its own parameters, and the action's.
    pub(crate) fn final_parameters(
        &self,
        jinja: &Jinja,
        kept: &Map<String, Value>,
        context: &Map<String, Value>,
        keys: Arc<dyn KeyValues>,
    ) -> Result<FinalParameters, String> {
        self.complete(jinja, kept, &self.surroundings(context, keys))
    }

    fn complete(
        &self,
        jinja: &Jinja,
        kept: &Map<String, Value>,
        surroundings: &Context,
    ) -> Result<FinalParameters, String> {
        params::render_final(jinja, self.parameters_with(kept), surroundings).map_err(|error| error.to_string())
    }

    fn parameters_with<'a>(&'a self, given: &'a Map<String, Value>) -> Parameters<'a> {
        Parameters { runner: &self.runner_schemas, action: &self.action_schemas, given }
    }

    /// What templates of the action read beside its parameters.
    pub(crate) fn surroundings(&self, context: &Map<String, Value>, keys: Arc<dyn KeyValues>) -> Context {
        Context::new()
            .with("action_context", Value::Object(context.clone()))
            .with("config_context", Arc::clone(&self.config))
            .with_system_keys(Arc::clone(&keys))
            .with_datastore(keys)
    }

    /// Parameters without a value are not given to the schema: what is required must be there, what is not may be left out.
    fn check(&self, parameters: &FinalParameters) -> Result<(), String> {
        let given = parameters.runner.iter().chain(&parameters.action).filter(|(_, value)| !value.is_null());
        let values: Map<String, Value> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        self.validator.validate(&Value::Object(values)).map_err(|problems| problems.join("; "))
    }
}

fn schemas(parameters: &IndexMap<String, Parameter>) -> Map<String, Value> {
    parameters.iter().map(|(name, parameter)| (name.clone(), Value::Object(parameter.schema.clone()))).collect()
}

fn merge(runner: &RunnerType, action: &Action) -> Result<IndexMap<String, Parameter>, Error> {
    let mut merged = runner.runner_parameters.clone();
    for (name, own) in &action.parameters {
        let Some(base) = merged.get(name) else {
            merged.insert(name.clone(), own.clone());
            continue;
        };
        let mut schema = base.schema.clone();
        let changes = own.schema.iter().filter(|(attribute, _)| OVERRIDABLE.contains(&attribute.as_str()));
        schema.extend(changes.map(|(attribute, value)| (attribute.clone(), value.clone())));
        if own.secret {
            schema.insert("secret".to_owned(), Value::Bool(true));
        }
        let parameter = Parameter::from_schema(schema)
            .map_err(|error| Error::invalid(format!("parameter \"{name}\" of action {}: {error}", action.reference)))?;
        merged.insert(name.clone(), parameter);
    }
    Ok(merged)
}

/// The configuration of a pack, as its schema gives it.
fn default_config(schema: Option<&Map<String, Value>>) -> Value {
    let mut config = Map::new();
    if let Some(attributes) = schema {
        let mut object = Map::new();
        object.insert("type".to_owned(), Value::from("object"));
        object.insert("properties".to_owned(), Value::Object(attributes.clone()));
        model::schema::fill_defaults(&object, &mut config);
    }
    Value::Object(config)
}
