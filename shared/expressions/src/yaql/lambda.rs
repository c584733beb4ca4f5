//! Expressions as arguments.

use std::rc::Rc;

use super::ast::Node;
use super::eval::Eval;
use super::fail::Res;
use super::scope::Scope;
use super::value::Val;

/// An expression that a function evaluates, or a value in its place.
#[derive(Clone)]
pub(crate) struct Lambda<'a> {
    pub(crate) body: Body<'a>,
    pub(crate) scope: Rc<Scope<'a>>,
}

#[derive(Clone)]
pub(crate) enum Body<'a> {
    Node(&'a Node),
    Val(Val<'a>),
}

impl<'a> Lambda<'a> {
    pub(crate) fn new(node: &'a Node, scope: &Rc<Scope<'a>>) -> Lambda<'a> {
        Lambda { body: Body::Node(node), scope: Rc::clone(scope) }
    }

    /// The value without arguments.
    pub(crate) fn call(&self, ev: &Eval<'a>) -> Res<Val<'a>> {
        self.within(ev, &self.scope)
    }

    /// The value where `$` is the argument.
    pub(crate) fn call1(&self, ev: &Eval<'a>, first: Val<'a>) -> Res<Val<'a>> {
        self.within(ev, &self.scope.within(Some(first), None))
    }

    /// The value where `$1` and `$2` are the arguments.
    pub(crate) fn call2(&self, ev: &Eval<'a>, first: Val<'a>, second: Val<'a>) -> Res<Val<'a>> {
        self.within(ev, &self.scope.within(Some(first), Some(second)))
    }

    /// The value in another scope.
    pub(crate) fn within(&self, ev: &Eval<'a>, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        match &self.body {
            Body::Node(node) => ev.eval(node, scope),
            Body::Val(value) => Ok(value.clone()),
        }
    }

    /// How deep values are nested in what it can read.
    pub(crate) fn level(&self) -> u32 {
        match &self.body {
            Body::Node(_) => self.scope.level(),
            Body::Val(value) => self.scope.level().max(value.level()),
        }
    }
}
