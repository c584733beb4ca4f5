//! The engine: compiled templates, rendering, typed evaluation.

mod compiled;
mod guard;
mod setup;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use minijinja::{Captured, Environment};
use regex::Regex;
use serde_json::{Map, Value};

use crate::cache::Cache;
use crate::call::Host;
use crate::context::Context;
use crate::error::{ErrorKind, ExpressionError, Limit, Origin, limit_message};
use crate::filters;
use crate::json;
use crate::limits::Limits;
use compiled::Compiled;
use guard::Guarded;

/// What an expression that reads an undefined variable does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undefined {
    /// It fails, as everywhere in StackStorm but in a few notifications.
    #[default]
    Refused,
    /// It prints nothing.
    Allowed,
}

/// Jinja as StackStorm has it. Cheap to clone: compiled templates are shared.
///
/// An expression reads its context and nothing else, gives the same each time, and can neither hang nor take more than [`Limits`] say.
/// Rendering is one pass: data that looks like a template stays data.
#[derive(Clone)]
pub struct Jinja {
    inner: Arc<Inner>,
}

struct Inner {
    environment: Environment<'static>,
    limits: Limits,
    cache: Cache<Compiled>,
    /// Those that are one `{{ … }}`, compiled so that they keep their value.
    whole: Cache<Compiled>,
}

impl std::fmt::Debug for Jinja {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jinja").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

impl Default for Jinja {
    fn default() -> Jinja {
        Jinja::new(Undefined::Refused, Limits::default())
    }
}

/// The name under which the value of a whole expression is kept.
const RESULT: &str = "__result";
const WHOLE_START: &str = "{% set __result = (";
/// The line end makes sure that a comment doesn't hide the bracket.
const WHOLE_END: &str = "\n) %}";

impl Jinja {
    /// An engine with these rules and bounds.
    pub fn new(undefined: Undefined, limits: Limits) -> Jinja {
        Jinja::over(setup::environment(undefined, limits), limits)
    }

    /// An engine for Orquesta, where StackStorm's filters are functions too: `to_json_string(x)`, and `json_dump`, `yaml_parse` and the like
    /// are names for them.
    pub fn orquesta(limits: Limits) -> Jinja {
        let mut environment = setup::environment(Undefined::Refused, limits);
        filters::install_functions(&mut environment, limits);
        Jinja::over(environment, limits)
    }

    fn over(environment: Environment<'static>, limits: Limits) -> Jinja {
        let cache = || Cache::new(limits.cached_templates);
        Jinja { inner: Arc::new(Inner { environment, limits, cache: cache(), whole: cache() }) }
    }

    /// The text that a template gives.
    pub fn render(&self, template: &str, context: &Context) -> Result<String, ExpressionError> {
        if !is_template(template) {
            return Ok(self.plain(template)?.to_owned());
        }
        let compiled = self.compile(template)?;
        let origin = Origin { template, added: &compiled.added };
        let rendered = compiled.template().and_then(|compiled| compiled.render(context.to_value()));
        let text = rendered.map_err(|error| ExpressionError::from_engine(&error, origin))?;
        if text.len() > self.inner.limits.output_bytes { Err(limit(Limit::OutputSize)) } else { Ok(text) }
    }

    /// A value with every text in it rendered to text, keys included.
    pub fn render_value(&self, value: &Value, context: &Context) -> Result<Value, ExpressionError> {
        self.map_texts(value, 0, &|text| self.render(text, context).map(Value::String))
    }

    /// The value of a template that is one `{{ … }}`, of whatever type; the rendered text of any other.
    pub fn evaluate(&self, template: &str, context: &Context) -> Result<Value, ExpressionError> {
        let Some(compiled) = self.compile_whole(template) else {
            return self.render(template, context).map(Value::String);
        };
        let origin = Origin { template, added: &compiled.added };
        let rendered = compiled.template().and_then(|compiled| compiled.render_captured(context.to_value()));
        rendered
            .and_then(|captured| self.result_of(captured))
            .map_err(|error| ExpressionError::from_engine(&error, origin))
    }

    /// A criterion's pattern: a `{{ … }}` keeps the type of its value, where that comes out as JSON; else it is text.
    pub fn render_typed(&self, template: &str, context: &Context) -> Result<Value, ExpressionError> {
        if let Some(typed) = with_to_complex(template) {
            let rendered = self.render(&typed, context)?;
            if let Ok(value) = serde_json::from_str(&rendered) {
                return Ok(value);
            }
        }
        self.render(template, context).map(Value::String)
    }

    /// Whether the text is a template that can be compiled.
    pub fn validate(&self, template: &str) -> Result<(), ExpressionError> {
        self.compile(template).map(|_| ())
    }

    /// The variables that a template reads, with the attributes that are named: `trigger.body.n`. Sorted; of a text that is no template, none.
    pub fn references(&self, template: &str) -> BTreeSet<String> {
        self.undeclared(template, true)
    }

    /// The names of the variables that a template reads.
    pub(crate) fn names(&self, template: &str) -> BTreeSet<String> {
        self.undeclared(template, false)
    }

    /// The bounds of this engine.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    fn undeclared(&self, template: &str, nested: bool) -> BTreeSet<String> {
        let Ok(compiled) = self.compile(template) else { return BTreeSet::new() };
        compiled
            .template()
            .map(|template| template.undeclared_variables(nested).into_iter().collect())
            .unwrap_or_default()
    }

    /// A text without anything to evaluate. Like a rendered one, it loses a line end at its end.
    fn plain<'t>(&self, text: &'t str) -> Result<&'t str, ExpressionError> {
        if text.len() > self.inner.limits.output_bytes {
            return Err(limit(Limit::OutputSize));
        }
        Ok(text.strip_suffix('\n').unwrap_or(text))
    }

    fn compile(&self, template: &str) -> Result<Arc<Compiled>, ExpressionError> {
        let Inner { environment, limits, cache, .. } = &*self.inner;
        if template.len() > limits.template_bytes {
            return Err(limit(Limit::TemplateSize));
        }
        cache.get_or_compile(template, || {
            Compiled::new(environment, guard::guard(template)?).map_err(|_| self.syntax_error(template))
        })
    }

    /// What is wrong with a template that doesn't compile with its checks: told on the template as it was written.
    fn syntax_error(&self, template: &str) -> ExpressionError {
        match self.inner.environment.template_from_str(template) {
            Err(error) => ExpressionError::from_engine(&error, Origin { template, added: &[] }),
            Ok(_) => {
                ExpressionError::new(ErrorKind::Unsupported, "the template is written in a way that can't be checked")
            }
        }
    }

    /// The compiled expression of a template that is one `{{ … }}`; none where it isn't, or isn't right.
    fn compile_whole(&self, template: &str) -> Option<Arc<Compiled>> {
        let inside = template.strip_prefix("{{")?.strip_suffix("}}")?;
        if inside.contains("{{") || inside.contains("%}") || template.len() > self.inner.limits.template_bytes {
            return None;
        }
        let compiled = self.inner.whole.get_or_compile(template, || {
            let guarded = guard::guard(template).map_err(|_| ())?;
            Compiled::new(&self.inner.environment, as_statement(&guarded).ok_or(())?).map_err(|_| ())
        });
        compiled.ok()
    }

    fn result_of(&self, mut captured: Captured<'_>) -> Result<Value, minijinja::Error> {
        captured.with_state_mut(|state| {
            let value = state.lookup(RESULT).unwrap_or_default();
            json::from_value(&Host::new(&*state, &self.inner.limits), &value)
        })
    }

    pub(crate) fn map_texts(
        &self,
        value: &Value,
        level: usize,
        map: &dyn Fn(&str) -> Result<Value, ExpressionError>,
    ) -> Result<Value, ExpressionError> {
        if level > self.inner.limits.depth {
            return Err(limit(Limit::Depth));
        }
        match value {
            Value::String(text) => map(text),
            Value::Array(items) => items.iter().map(|item| self.map_texts(item, level + 1, map)).collect(),
            Value::Object(entries) => {
                let mut mapped = Map::new();
                for (key, item) in entries {
                    let key = match map(key)? {
                        Value::String(key) => key,
                        other => other.to_string(),
                    };
                    mapped.insert(key, self.map_texts(item, level + 1, map)?);
                }
                Ok(Value::Object(mapped))
            }
            other => Ok(other.clone()),
        }
    }
}

/// A guarded `{{ … }}` as a statement that keeps its value.
fn as_statement(guarded: &Guarded) -> Option<Guarded> {
    let inside = guarded.text.strip_prefix("{{")?.strip_suffix("}}")?;
    let expression = inside.strip_prefix(['-', '+']).unwrap_or(inside);
    let skipped = guarded.text.find(expression)?;
    let expression = expression.strip_suffix(['-', '+']).unwrap_or(expression);
    let mut added = vec![(skipped, WHOLE_START.len().checked_sub(skipped)?)];
    added.extend(&guarded.added);
    Some(Guarded { text: format!("{WHOLE_START}{expression}{WHOLE_END}"), added })
}

fn limit(limit: Limit) -> ExpressionError {
    ExpressionError::new(ErrorKind::Limit(limit), limit_message(limit))
}

/// Whether the text has anything in it for Jinja to do.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// What is taken for an expression in a criterion's pattern: within it, before and after the text of one line, there may be line ends.
static TYPED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(\{\{)\s*(.*)\s*(\}\})").ok());

/// The template with `| to_complex` at the end of each expression, if it has any.
fn with_to_complex(template: &str) -> Option<String> {
    let typed = TYPED.as_ref()?.replace_all(template, "${1}${2} | to_complex${3}");
    (typed != template).then(|| typed.into_owned())
}
