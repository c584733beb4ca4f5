//! Functions that aren't the library's: those that an expression defines, and those that the host gives.

use std::rc::Rc;
use std::sync::Arc;

use serde_json::Map;

use super::eval::Eval;
use super::fail::{Class, Res, fail};
use super::lambda::Lambda;
use super::output;
use super::overload::{Args, Raw};
use super::scope::Scope;
use super::value::{Kind, Val};
use crate::context::Function;

/// Such a function.
pub(super) enum Own<'a> {
    Defined(Lambda<'a>),
    Given(&'a Arc<Function>),
}

impl<'a> Own<'a> {
    pub(super) fn call(self, ev: &Eval<'a>, args: Args<'a>, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        match self {
            Own::Defined(lambda) => call_defined(ev, &lambda, args, scope),
            Own::Given(function) => call_given(ev, &**function, args, scope),
        }
    }
}

fn value<'a>(ev: &Eval<'a>, raw: Raw<'a>, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
    match raw {
        Raw::Node(node) => ev.eval(node, scope),
        Raw::Val(value) => Ok(value),
        Raw::Rule(_) | Raw::Skipped => fail(Class::NoMatch, "an argument can't be left out here"),
    }
}

fn call_defined<'a>(ev: &Eval<'a>, lambda: &Lambda<'a>, args: Args<'a>, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
    let inner = lambda.scope.within(None, None);
    for (index, raw) in args.positional.into_iter().enumerate() {
        inner.set(&(index + 1).to_string(), value(ev, raw, scope)?);
    }
    for (name, raw) in args.named {
        inner.set(&name, value(ev, raw, scope)?);
    }
    lambda.within(ev, &inner)
}

fn call_given<'a>(ev: &Eval<'a>, function: &Function, args: Args<'a>, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
    let json = |raw| output::to_json(ev, &value(ev, raw, scope)?);
    let positional = args.positional.into_iter().map(json).collect::<Res<Vec<_>>>()?;
    let mut named = Map::new();
    for (name, raw) in args.named {
        named.insert(name.to_string(), json(raw)?);
    }
    match function(&positional, &named) {
        Ok(result) => Ok(ev.keep(result, Kind::Frozen)),
        Err(message) => fail(Class::Value, message),
    }
}
