//! The arguments of a call as a function takes them.

use std::rc::Rc;

use super::fail::{Class, Res, fail};
use super::feed::Feed;
use super::lambda::{Body, Lambda};
use super::overload::{Raw, Target};
use super::scope::Scope;
use super::value::{Text, Val};

enum Slot<'a> {
    Val(Val<'a>),
    Lambda(Lambda<'a>),
    Rule(Lambda<'a>, Lambda<'a>),
}

/// The arguments of a call, by parameter.
pub(crate) struct Call<'a> {
    /// Where the call stands.
    pub(crate) scope: Rc<Scope<'a>>,
    slots: Vec<Option<Slot<'a>>>,
    rest: Vec<Slot<'a>>,
    named: Vec<(Text<'a>, Val<'a>)>,
}

impl<'a> Call<'a> {
    /// A call without arguments yet.
    pub(super) fn new(scope: &Rc<Scope<'a>>, params: usize) -> Call<'a> {
        let slots = std::iter::repeat_with(|| None).take(params).collect();
        Call { scope: Rc::clone(scope), slots, rest: Vec::new(), named: Vec::new() }
    }

    /// Takes an argument.
    pub(super) fn put(&mut self, target: Target, lazy: bool, raw: Raw<'a>, name: Option<Text<'a>>) {
        let scope = &self.scope;
        let slot = match raw {
            Raw::Skipped => return,
            Raw::Node(node) => Slot::Lambda(Lambda::new(node, scope)),
            Raw::Rule([key, value]) => Slot::Rule(Lambda::new(key, scope), Lambda::new(value, scope)),
            Raw::Val(value) if lazy => Slot::Lambda(Lambda { body: Body::Val(value), scope: Rc::clone(scope) }),
            Raw::Val(value) => Slot::Val(value),
        };
        match (target, name) {
            (Target::Param(index), _) => {
                if let Some(place) = self.slots.get_mut(index) {
                    *place = Some(slot);
                }
            }
            (Target::Rest, Some(name)) => {
                if let Slot::Val(value) = slot {
                    self.named.push((name, value));
                }
            }
            (Target::Rest, None) => self.rest.push(slot),
        }
    }

    /// The argument, if it was given.
    pub(crate) fn given(&self, index: usize) -> Option<&Val<'a>> {
        match self.slots.get(index)? {
            Some(Slot::Val(value)) => Some(value),
            _ => None,
        }
    }

    /// The argument, null where it wasn't given.
    pub(crate) fn val(&self, index: usize) -> Val<'a> {
        self.given(index).cloned().unwrap_or(Val::Null)
    }

    /// A text, empty where it wasn't given or is null.
    pub(crate) fn str(&self, index: usize) -> &str {
        self.opt_str(index).unwrap_or_default()
    }

    pub(crate) fn opt_str(&self, index: usize) -> Option<&str> {
        self.given(index).and_then(Val::as_str)
    }

    /// An integer, the default where it wasn't given or is null.
    pub(crate) fn int(&self, index: usize, default: i64) -> i64 {
        let clamp = |number: i128| i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX });
        self.given(index).and_then(Val::as_int).map_or(default, clamp)
    }

    pub(crate) fn opt_int(&self, index: usize) -> Option<i64> {
        self.given(index).and_then(Val::as_int).map(|_| self.int(index, 0))
    }

    /// A truth value, false where it wasn't given.
    pub(crate) fn flag(&self, index: usize) -> bool {
        self.given(index).is_some_and(Val::truthy)
    }

    /// The items of an argument that can be iterated over.
    pub(crate) fn feed(&self, index: usize) -> Res<Feed<'a>> {
        match self.given(index).and_then(Feed::new) {
            Some(feed) => Ok(feed),
            None => fail(Class::NoMatch, "a collection is needed here"),
        }
    }

    pub(crate) fn opt_lambda(&self, index: usize) -> Option<Lambda<'a>> {
        match self.slots.get(index)? {
            Some(Slot::Lambda(lambda)) => Some(lambda.clone()),
            _ => None,
        }
    }

    pub(crate) fn lambda(&self, index: usize) -> Res<Lambda<'a>> {
        match self.opt_lambda(index) {
            Some(lambda) => Ok(lambda),
            None => fail(Class::NoMatch, "an expression is needed here"),
        }
    }

    /// All further arguments that are values.
    pub(crate) fn rest(&self) -> impl Iterator<Item = &Val<'a>> + '_ {
        self.rest.iter().filter_map(|slot| match slot {
            Slot::Val(value) => Some(value),
            _ => None,
        })
    }

    /// All further arguments that are expressions.
    pub(crate) fn rest_lambdas(&self) -> impl Iterator<Item = &Lambda<'a>> + '_ {
        self.rest.iter().filter_map(|slot| match slot {
            Slot::Lambda(lambda) => Some(lambda),
            _ => None,
        })
    }

    /// All further arguments that are `a => b`.
    pub(crate) fn rest_rules(&self) -> impl Iterator<Item = (&Lambda<'a>, &Lambda<'a>)> + '_ {
        self.rest.iter().filter_map(|slot| match slot {
            Slot::Rule(key, value) => Some((key, value)),
            _ => None,
        })
    }

    /// All further named arguments.
    pub(crate) fn named(&self) -> &[(Text<'a>, Val<'a>)] {
        &self.named
    }

    /// How deep values are nested in the arguments.
    pub(crate) fn level(&self) -> u32 {
        let of = |slot: &Slot<'a>| match slot {
            Slot::Val(value) => value.level(),
            Slot::Lambda(lambda) => lambda.level(),
            Slot::Rule(key, value) => key.level().max(value.level()),
        };
        self.slots.iter().flatten().chain(&self.rest).map(of).max().unwrap_or_default()
    }
}
