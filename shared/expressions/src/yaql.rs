//! YAQL as Orquesta evaluates it.

mod ast;
mod call;
mod clock;
mod eval;
mod fail;
mod feed;
mod functions;
mod host;
mod lambda;
mod lexer;
mod meter;
mod operators;
mod output;
mod overload;
mod parser;
mod scope;
mod value;

use std::sync::Arc;

use serde_json::Value;

pub use output::Lacking;

use crate::cache::Cache;
use crate::context::Context;
use crate::error::{ErrorKind, ExpressionError, Limit, limit_message};
use crate::limits::Limits;
use ast::Node;
use eval::{Eval, Kept};
use fail::Res;
use scope::Scope;
use value::Val;

/// YAQL 3.2 with its standard library and StackStorm's functions. Cheap to clone: compiled expressions are shared.
///
/// An expression reads its context and nothing else, gives the same each time, and can neither hang nor take more than [`Limits`] say.
/// `$name` is what the context has under the name, `$` what it has under `1`, and the context's functions are called by their names.
#[derive(Clone)]
pub struct Yaql {
    inner: Arc<Inner>,
}

struct Inner {
    limits: Limits,
    lacking: Lacking,
    cache: Cache<Node>,
}

impl std::fmt::Debug for Yaql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Yaql").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

impl Default for Yaql {
    fn default() -> Yaql {
        Yaql::new(Limits::default(), Lacking::default())
    }
}

/// What an expression within a text gave.
pub(crate) enum Outcome {
    /// It gave a text.
    Text(String),
    /// It gave something else, which is printed.
    Printed(String),
    /// It is the whole text and gave something else.
    Value(Value),
}

impl Yaql {
    /// An engine with these bounds.
    pub fn new(limits: Limits, lacking: Lacking) -> Yaql {
        Yaql { inner: Arc::new(Inner { limits, lacking, cache: Cache::new(limits.cached_templates) }) }
    }

    /// The value of an expression, without the `<% %>` around it.
    pub fn evaluate(&self, expression: &str, context: &Context) -> Result<Value, ExpressionError> {
        self.run(expression, context, |ev, value| output::result_json(ev, &value, self.inner.lacking))
    }

    /// The value of an expression that is a whole text or a part of one.
    pub(crate) fn evaluate_in_text(
        &self,
        expression: &str,
        context: &Context,
        whole: bool,
    ) -> Result<Outcome, ExpressionError> {
        self.run(expression, context, |ev, value| match value {
            Val::Str(text) => {
                ev.charge(text.len())?;
                Ok(Outcome::Text(text.to_string()))
            }
            value if whole => output::result_json(ev, &value, self.inner.lacking).map(Outcome::Value),
            value => output::result_text(ev, &value).map(Outcome::Printed),
        })
    }

    /// Whether the text is an expression.
    pub fn validate(&self, expression: &str) -> Result<(), ExpressionError> {
        self.compile(expression).map(|_| ())
    }

    /// The bounds of this engine.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    fn compile(&self, expression: &str) -> Result<Arc<Node>, ExpressionError> {
        let Inner { limits, cache, .. } = &*self.inner;
        if expression.len() > limits.template_bytes {
            let limit = Limit::TemplateSize;
            return Err(ExpressionError::new(ErrorKind::Limit(limit), limit_message(limit)));
        }
        cache.get_or_compile(expression, || {
            parser::parse(expression, limits.recursion).map_err(|error| error.told(expression))
        })
    }

    fn run<R>(
        &self,
        expression: &str,
        context: &Context,
        finish: impl for<'a> FnOnce(&Eval<'a>, Val<'a>) -> Res<R>,
    ) -> Result<R, ExpressionError> {
        let node = self.compile(expression)?;
        let kept = Kept::new();
        let ev = Eval::new(&self.inner.limits, context, &kept);
        let result = ev.eval(&node, &Scope::root()).and_then(|value| finish(&ev, value));
        result.map_err(|error| error.told(expression))
    }
}
