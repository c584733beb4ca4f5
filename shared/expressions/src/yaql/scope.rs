//! What names mean while an expression is evaluated.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::lambda::{Body, Lambda};
use super::value::Val;

/// Variables and functions, and the scope around them.
pub(crate) struct Scope<'a> {
    parent: Option<Rc<Scope<'a>>>,
    /// `$1` and `$2`, which most lambdas have and nothing else.
    first: Option<Val<'a>>,
    second: Option<Val<'a>>,
    named: RefCell<Vec<(Rc<str>, Val<'a>)>>,
    functions: RefCell<Vec<(Rc<str>, Body<'a>)>>,
    level: Cell<u32>,
}

impl<'a> Scope<'a> {
    /// The outermost scope.
    pub(crate) fn root() -> Rc<Scope<'a>> {
        Scope::new(None, None, None)
    }

    fn new(parent: Option<Rc<Scope<'a>>>, first: Option<Val<'a>>, second: Option<Val<'a>>) -> Rc<Scope<'a>> {
        let around = parent.as_ref().map_or(0, |parent| parent.level());
        let level = 1 + around.max(level_of(first.as_ref())).max(level_of(second.as_ref()));
        let (named, functions) = (RefCell::default(), RefCell::default());
        Rc::new(Scope { parent, first, second, named, functions, level: Cell::new(level) })
    }

    /// A scope within this one, with its `$1` and `$2`.
    pub(crate) fn within(self: &Rc<Self>, first: Option<Val<'a>>, second: Option<Val<'a>>) -> Rc<Scope<'a>> {
        Scope::new(Some(Rc::clone(self)), first, second)
    }

    /// How deep values are nested in its variables.
    pub(crate) fn level(&self) -> u32 {
        self.level.get()
    }

    /// The value of a variable; `$` is `1`.
    pub(crate) fn get(&self, name: &str) -> Option<Val<'a>> {
        let mut scope = Some(self);
        while let Some(here) = scope {
            match name {
                "1" if here.first.is_some() => return here.first.clone(),
                "2" if here.second.is_some() => return here.second.clone(),
                _ => {}
            }
            let named = here.named.borrow();
            if let Some((_, value)) = named.iter().rev().find(|(known, _)| **known == *name) {
                return Some(value.clone());
            }
            scope = here.parent.as_deref();
        }
        None
    }

    /// Sets a variable.
    pub(crate) fn set(&self, name: &str, value: Val<'a>) {
        self.deepen(value.level());
        self.named.borrow_mut().push((Rc::from(name), value));
    }

    /// A function that `def` defined. It sees what was there where it was defined, itself included.
    pub(crate) fn function(self: &Rc<Self>, name: &str) -> Option<Lambda<'a>> {
        let mut scope = Some(self);
        while let Some(here) = scope {
            let functions = here.functions.borrow();
            if let Some((_, body)) = functions.iter().rev().find(|(known, _)| **known == *name) {
                return Some(Lambda { body: body.clone(), scope: Rc::clone(here) });
            }
            scope = here.parent.as_ref();
        }
        None
    }

    /// Defines a function.
    pub(crate) fn define(&self, name: &str, body: Body<'a>) {
        self.functions.borrow_mut().push((Rc::from(name), body));
    }

    fn deepen(&self, level: u32) {
        self.level.set(self.level.get().max(level + 1));
    }
}

fn level_of(value: Option<&Val<'_>>) -> u32 {
    value.map_or(0, Val::level)
}
