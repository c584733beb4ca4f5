//! Evaluation of an expression.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use indexmap::{IndexMap, IndexSet};
use typed_arena::Arena;

use super::ast::{Arg, Binary, Call, Node, NodeKind, Unary};
use super::fail::{Class, Res, fail, over};
use super::feed::Feed;
use super::lambda::Lambda;
use super::meter::{Entered, Meter};
use super::overload::{self, Args, constant};
use super::scope::Scope;
use super::value::{Dict, Entries, Items, Iter, Key, Kind, Lazy, List, Set, Source, Text, Val};
use super::{clock, functions, host, operators};
use crate::context::Context;
use crate::error::Limit;
use crate::limits::Limits;
use crate::part::Part;

/// Keeps what functions give as long as the evaluation lasts, so that it can be read in place.
pub(super) type Kept = Arena<Part>;

/// One evaluation: what it reads, and what it used up.
pub(crate) struct Eval<'a> {
    pub(super) limits: &'a Limits,
    pub(super) context: &'a Context,
    pub(super) kept: &'a Kept,
    pub(super) meter: Meter,
    /// Whether a function was defined: if none was, names need not be looked up in scopes.
    pub(super) defined: Cell<bool>,
    pub(super) random: Cell<Option<u64>>,
}

impl<'a> Eval<'a> {
    pub(super) fn new(limits: &'a Limits, context: &'a Context, kept: &'a Kept) -> Eval<'a> {
        let random = Cell::new(context.seed());
        Eval { limits, context, kept, meter: Meter::new(limits), defined: Cell::new(false), random }
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Pays for one step.
    pub(crate) fn step(&self) -> Res<()> {
        self.meter.steps(1)
    }

    /// Pays for data that is made or read as a whole.
    pub(crate) fn charge(&self, bytes: usize) -> Res<()> {
        self.meter.charge(bytes)
    }

    /// Refuses a value that is nested too deep.
    pub(crate) fn check_level(&self, level: u32) -> Res<()> {
        self.meter.check_level(level)
    }

    pub(super) fn enter(&self) -> Res<Entered<'_>> {
        self.meter.enter()
    }

    /// The value of an expression.
    pub(crate) fn eval(&self, node: &'a Node, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        self.step()?;
        if let Some(value) = constant(node) {
            return Ok(value);
        }
        if let NodeKind::Variable(name) = &node.kind {
            return Ok(self.variable(name, scope));
        }
        let _entered = self.enter()?;
        self.compound(node, scope).map_err(|error| error.at(node.at))
    }

    fn variable(&self, name: &'a str, scope: &Rc<Scope<'a>>) -> Val<'a> {
        scope.get(name).or_else(|| self.context.data(name).map(Val::of)).unwrap_or(Val::Null)
    }

    fn compound(&self, node: &'a Node, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        match &node.kind {
            NodeKind::Call(call) => self.call(call, None, scope),
            NodeKind::Index(call) => overload::call_one_of(self, "#indexer", call.overloads, (None, &call.args), scope),
            NodeKind::Unary(operator, operand) => self.unary(*operator, operand, scope),
            NodeKind::Binary(operator, sides) => self.binary(*operator, sides, scope),
            NodeKind::Dot { sides, elvis } => self.dot(sides, *elvis, scope),
            NodeKind::List(args) => self.list_literal(args, scope),
            NodeKind::Map(args) => self.map_literal(args, scope),
            NodeKind::Wrap(inside) => self.eval(inside, scope),
            _ => Ok(Val::Null),
        }
    }

    fn unary(&self, operator: Unary, operand: &'a Node, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        operators::unary(operator, self.eval(operand, scope)?)
    }

    fn binary(&self, operator: Binary, [left, right]: &'a [Node; 2], scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        let value = self.eval(left, scope)?;
        match operator {
            Binary::And if !value.truthy() => Ok(value),
            Binary::Or if value.truthy() => Ok(value),
            Binary::And | Binary::Or => self.eval(right, scope),
            Binary::Send => match value {
                Val::Scope(scope) => self.eval(right, &scope),
                other => fail(
                    Class::NoMatch,
                    format!(
                        "`->` needs `let`, `with`, `def` or `unpack` on its left, and there is {}",
                        other.type_name()
                    ),
                ),
            },
            _ => operators::binary(self, operator, &value, &self.eval(right, scope)?),
        }
    }

    fn dot(&self, [left, right]: &'a [Node; 2], elvis: bool, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        let value = self.eval(left, scope)?;
        if elvis && value.is_null() {
            return Ok(Val::Null);
        }
        match &right.kind {
            NodeKind::Word(name) => self.attribute(&value, name),
            NodeKind::Call(call) => self.call(call, Some(value), scope),
            _ => fail(Class::NoMatch, "a `.` needs a name or a method on its right"),
        }
    }

    /// `value.name`: of a dictionary the entry, of a collection that of each item.
    fn attribute(&self, value: &Val<'a>, name: &'a str) -> Res<Val<'a>> {
        if let Val::Dict(dict) = value {
            return match dict.field(name) {
                Some(found) => Ok(found),
                None => fail(Class::Key, format!("there is no key `{name}`")),
            };
        }
        if let Some(mut feed) = Feed::new(value) {
            return self.lazy(value.level(), move |ev| {
                feed.next(ev)?.map(|item| ev.nested_attribute(&item, name)).transpose()
            });
        }
        match clock::property(value, name) {
            Some(found) => found,
            None => fail(Class::NoFunction, format!("{} has no `{name}`", value.type_name())),
        }
    }

    fn nested_attribute(&self, value: &Val<'a>, name: &'a str) -> Res<Val<'a>> {
        let _entered = self.enter()?;
        self.attribute(value, name)
    }

    fn call(&self, call: &'a Call, receiver: Option<Val<'a>>, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        let target = match receiver {
            None => match self.own_function(&call.name, scope) {
                Some(own) => return own.call(self, Args::new(None, &call.args, false)?, scope),
                None => (None, call.args.as_slice()),
            },
            receiver => (receiver, call.args.as_slice()),
        };
        overload::call_one_of(self, &call.name, call.overloads, target, scope)
    }

    /// Calls a function or method by a name that is a value.
    pub(super) fn call_named(&self, name: &str, args: Args<'a>, method: bool, scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        if !method && let Some(own) = self.own_function(name, scope) {
            return own.call(self, args, scope);
        }
        overload::call_with(self, name, functions::named(name), (args, method), scope)
    }

    /// A function that the expression defined or the host gives.
    fn own_function(&self, name: &str, scope: &Rc<Scope<'a>>) -> Option<host::Own<'a>> {
        if self.defined.get()
            && let Some(defined) = scope.function(name)
        {
            return Some(host::Own::Defined(defined));
        }
        self.context.function(name).map(host::Own::Given)
    }

    fn list_literal(&self, args: &'a [Arg], scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        let mut items = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
                Arg::Value(node) => items.push(self.eval(node, scope)?),
                _ => return fail(Class::NoMatch, "a list holds values only"),
            }
        }
        self.list(items, Kind::Frozen)
    }

    fn map_literal(&self, args: &'a [Arg], scope: &Rc<Scope<'a>>) -> Res<Val<'a>> {
        let mut entries = IndexMap::with_capacity(args.len());
        for arg in args {
            let Arg::Rule(sides) = arg else {
                return fail(Class::NoMatch, "a dictionary holds `key => value` only");
            };
            let [key, value] = &**sides;
            let (key, value) = (self.eval(key, scope)?, self.eval(value, scope)?);
            entries.insert(Key::new(self, key)?, value);
        }
        self.dict(entries, Kind::Frozen)
    }

    // What makes values, paid for and within bounds.

    pub(crate) fn text(&self, text: impl Into<String>) -> Res<Val<'a>> {
        let text: String = text.into();
        self.charge(text.len())?;
        if text.len() > self.limits.output_bytes {
            return over(Limit::OutputSize);
        }
        Ok(Val::Str(Text::Shared(Rc::from(text))))
    }

    pub(crate) fn list(&self, items: Vec<Val<'a>>, kind: Kind) -> Res<Val<'a>> {
        let level = 1 + items.iter().map(Val::level).max().unwrap_or_default();
        self.made(level, items.len())?;
        Ok(Val::List(List::Made(Rc::new(Items { level, items }), kind)))
    }

    pub(crate) fn dict(&self, entries: IndexMap<Key<'a>, Val<'a>>, kind: Kind) -> Res<Val<'a>> {
        let deepest = entries.iter().map(|(key, value)| key.value().level().max(value.level())).max();
        let level = 1 + deepest.unwrap_or_default();
        self.made(level, entries.len() * 3)?;
        Ok(Val::Dict(Dict::Made(Rc::new(Entries { level, entries }), kind)))
    }

    pub(crate) fn set(&self, members: IndexSet<Key<'a>>) -> Res<Val<'a>> {
        self.set_of_kind(members, Kind::Frozen)
    }

    pub(super) fn set_of_kind(&self, members: IndexSet<Key<'a>>, kind: Kind) -> Res<Val<'a>> {
        let level = 1 + members.iter().map(|member| member.value().level()).max().unwrap_or_default();
        self.made(level, members.len() * 2)?;
        Ok(Val::Set(Rc::new(Set { level, kind, members })))
    }

    fn made(&self, level: u32, values: usize) -> Res<()> {
        self.meter.check_level(level)?;
        self.charge(values.saturating_mul(std::mem::size_of::<Val<'_>>()))
    }

    /// A sequence whose items are made when they are read. `level` is that of what it reads.
    pub(crate) fn lazy(&self, level: u32, source: impl FnMut(&Eval<'a>) -> Res<Option<Val<'a>>> + 'a) -> Res<Val<'a>> {
        self.sequence(level, Box::new(source), false)
    }

    pub(crate) fn sequence(&self, level: u32, source: Source<'a>, remembered: bool) -> Res<Val<'a>> {
        let level = level + 1;
        self.meter.check_level(level)?;
        self.charge(std::mem::size_of::<Lazy<'_>>())?;
        let memory = remembered.then(RefCell::default);
        Ok(Val::Iter(Iter(Rc::new(Lazy { level, source: RefCell::new(source), ended: Cell::new(false), memory }))))
    }

    /// JSON that a function made, to be read in place.
    pub(crate) fn keep(&self, json: impl Into<Part>, kind: Kind) -> Val<'a> {
        Val::of_kind(self.kept.alloc(json.into()).get(), kind)
    }

    /// Defines a function.
    pub(super) fn define(&self, name: &str, function: Lambda<'a>, scope: &Scope<'a>) {
        self.defined.set(true);
        scope.define(name, function.body);
    }
}
