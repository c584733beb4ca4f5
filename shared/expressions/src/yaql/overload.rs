//! Which of the functions of a name a call means, and how its arguments reach it.

use std::fmt;
use std::rc::Rc;

use super::ast::{Arg, Node, NodeKind};
use super::call::Call;
use super::eval::Eval;
use super::fail::{Class, Res, fail};
use super::scope::Scope;
use super::value::{Text, Val};

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// `f(x)`
    Function,
    /// `x.f()`
    Method,
    /// Either.
    Both,
}

/// What a function does with its arguments.
pub(crate) type Run = for<'a> fn(&Eval<'a>, &Call<'a>) -> Res<Val<'a>>;

/// A line of the library's table: name, how it is called, parameters, what it does.
///
/// A parameter is `name:type`, with `?` where it may be null and `=` where it may be left out; `*name:type` takes all further arguments,
/// `**` all further named ones. A signature that begins with `!` takes `a => b` as pairs and not as named arguments.
pub(crate) type Row = (&'static str, As, &'static str, Run);

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Any,
    Int,
    /// An integer that isn't a boolean.
    Integer,
    Number,
    Str,
    Bool,
    Iterable,
    /// What can be iterated over in an order.
    Listlike,
    Iterator,
    Sequence,
    Mapping,
    Set,
    Time,
    Span,
    Regex,
    Ordering,
    /// An expression that the function evaluates.
    Lambda,
    /// `a => b`, evaluated by the function.
    Rule,
    /// `a => b`, evaluated.
    Pair,
}

const TYPES: [(&str, Ty); 19] = [
    ("any", Ty::Any),
    ("int", Ty::Int),
    ("integer", Ty::Integer),
    ("number", Ty::Number),
    ("str", Ty::Str),
    ("bool", Ty::Bool),
    ("iterable", Ty::Iterable),
    ("listlike", Ty::Listlike),
    ("iterator", Ty::Iterator),
    ("sequence", Ty::Sequence),
    ("dict", Ty::Mapping),
    ("set", Ty::Set),
    ("time", Ty::Time),
    ("span", Ty::Span),
    ("regex", Ty::Regex),
    ("ordering", Ty::Ordering),
    ("lambda", Ty::Lambda),
    ("rule", Ty::Rule),
    ("pair", Ty::Pair),
];

#[derive(Debug)]
struct Param {
    name: &'static str,
    ty: Ty,
    nullable: bool,
    optional: bool,
}

/// One function of a name.
pub(crate) struct Overload {
    called: As,
    pairs: bool,
    params: Vec<Param>,
    rest: Option<Param>,
    named_rest: bool,
    run: Run,
}

impl fmt::Debug for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overload").field("params", &self.params).finish_non_exhaustive()
    }
}

impl Param {
    fn new(written: &'static str) -> Option<Param> {
        let (name, ty) = written.split_once(':')?;
        let plain = ty.trim_end_matches(['?', '=']);
        let ty_of = |plain: &str| TYPES.iter().find(|(name, _)| *name == plain).map(|(_, ty)| *ty);
        let (nullable, optional) = (ty.contains('?') || plain == "any", ty.contains('='));
        Some(Param { name, ty: ty_of(plain)?, nullable, optional })
    }

    fn is_lazy(&self) -> bool {
        matches!(self.ty, Ty::Lambda | Ty::Rule)
    }

    /// Whether an argument that isn't evaluated yet can be meant for this.
    fn admits(&self, raw: &Raw<'_>) -> bool {
        match (raw, self.ty) {
            (Raw::Rule(_), ty) => matches!(ty, Ty::Rule | Ty::Pair | Ty::Any),
            (_, Ty::Rule) => false,
            (_, Ty::Lambda) => true,
            (Raw::Node(node), _) => match constant(node) {
                Some(value) => self.takes(&value),
                None => true,
            },
            (Raw::Val(value), _) => self.takes(value),
            (Raw::Skipped, _) => true,
        }
    }

    fn takes(&self, value: &Val<'_>) -> bool {
        match (value, self.ty) {
            (Val::Null, _) => self.nullable,
            (_, Ty::Any) => true,
            (Val::Int(_), ty) => matches!(ty, Ty::Int | Ty::Integer | Ty::Number),
            (Val::Bool(_), ty) => matches!(ty, Ty::Bool | Ty::Int),
            (Val::Float(_), ty) => ty == Ty::Number,
            (Val::Str(_), ty) => ty == Ty::Str,
            (Val::List(_), ty) => matches!(ty, Ty::Iterable | Ty::Listlike | Ty::Sequence),
            (Val::Dict(_), ty) => ty == Ty::Mapping,
            (Val::Set(_), ty) => matches!(ty, Ty::Iterable | Ty::Set),
            (Val::View(view), ty) => ty == Ty::Iterable || ty == if view.is_set() { Ty::Set } else { Ty::Listlike },
            (Val::Time(_), ty) => ty == Ty::Time,
            (Val::Span(_), ty) => ty == Ty::Span,
            (Val::Regex(_), ty) => ty == Ty::Regex,
            (Val::Iter(_), ty) => matches!(ty, Ty::Iterable | Ty::Listlike | Ty::Iterator),
            (Val::Ordering(_), ty) => matches!(ty, Ty::Iterable | Ty::Listlike | Ty::Ordering),
            (Val::Rule(_), ty) => ty == Ty::Pair,
            (Val::Scope(_), _) => false,
        }
    }
}

/// The value of a node that is one.
pub(crate) fn constant<'a>(node: &'a Node) -> Option<Val<'a>> {
    Some(match &node.kind {
        NodeKind::Null => Val::Null,
        NodeKind::Bool(value) => Val::Bool(*value),
        NodeKind::Int(number) => Val::Int(*number),
        NodeKind::Float(number) => Val::Float(*number),
        NodeKind::Str(text) | NodeKind::Word(text) => Val::borrowed(text),
        _ => return None,
    })
}

/// An argument before it is bound.
#[derive(Clone)]
pub(crate) enum Raw<'a> {
    Node(&'a Node),
    Rule(&'a [Node; 2]),
    Val(Val<'a>),
    Skipped,
}

/// The arguments of a call before they are bound.
#[derive(Clone)]
pub(crate) struct Args<'a> {
    pub(crate) positional: Vec<Raw<'a>>,
    pub(crate) named: Vec<(Text<'a>, Raw<'a>)>,
}

impl<'a> Args<'a> {
    /// The receiver of a method, if there is one, and what is written in the brackets.
    pub(crate) fn new(receiver: Option<Val<'a>>, written: &'a [Arg], pairs: bool) -> Res<Args<'a>> {
        let mut positional = Vec::with_capacity(written.len() + 1);
        positional.extend(receiver.map(Raw::Val));
        let mut args = Args { positional, named: Vec::new() };
        for arg in written {
            match arg {
                Arg::Value(node) => args.positional.push(Raw::Node(node)),
                Arg::Skipped => args.positional.push(Raw::Skipped),
                Arg::Rule(sides) if pairs => args.positional.push(Raw::Rule(sides)),
                Arg::Rule(sides) => args.name(sides)?,
            }
        }
        Ok(args)
    }

    fn name(&mut self, sides: &'a [Node; 2]) -> Res<()> {
        let [Node { kind: NodeKind::Word(name), .. }, value] = sides else {
            return fail(Class::Mapping, "the name of an argument must be a plain word before `=>`");
        };
        match self.named.iter_mut().find(|(known, _)| **known == **name) {
            Some(known) => known.1 = Raw::Node(value),
            None => self.named.push((Text::Borrowed(name), Raw::Node(value))),
        }
        Ok(())
    }
}

/// Where an argument goes: to a parameter, or to what takes all further ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Param(usize),
    Rest,
}

/// A function that may be meant, and where each argument would go.
struct Candidate {
    overload: &'static Overload,
    positional: Vec<Target>,
    named: Vec<Target>,
}

impl Overload {
    pub(crate) fn new(row: &Row) -> Option<Overload> {
        let (_, called, signature, run) = *row;
        let pairs = signature.starts_with('!');
        let mut overload = Overload { called, pairs, params: Vec::new(), rest: None, named_rest: false, run };
        for written in signature.trim_start_matches('!').split_whitespace() {
            match written.strip_prefix('*') {
                Some(rest) if rest.starts_with('*') => overload.named_rest = true,
                Some(rest) => overload.rest = Some(Param::new(rest)?),
                None => overload.params.push(Param::new(written)?),
            }
        }
        Some(overload)
    }

    fn is_for(&self, method: bool) -> bool {
        self.called == As::Both || (self.called == As::Method) == method
    }

    fn param(&self, target: Target) -> Option<&Param> {
        match target {
            Target::Param(index) => self.params.get(index),
            Target::Rest => self.rest.as_ref(),
        }
    }

    /// Where the arguments would go, if they can be meant for this function.
    fn admits(&'static self, args: &Args<'_>) -> Option<Candidate> {
        let mut positional = Vec::with_capacity(args.positional.len());
        for (index, raw) in args.positional.iter().enumerate() {
            let target = if index < self.params.len() { Target::Param(index) } else { Target::Rest };
            let param = self.param(target)?;
            let skipped = matches!(raw, Raw::Skipped);
            if (skipped && !param.optional) || !param.admits(raw) {
                return None;
            }
            positional.push(target);
        }
        let mut named = Vec::with_capacity(args.named.len());
        for (name, raw) in &args.named {
            let index = self.params.iter().position(|param| *param.name == **name);
            let taken = |index: usize| args.positional.get(index).is_some_and(|raw| !matches!(raw, Raw::Skipped));
            match index {
                Some(index) if !taken(index) && self.params.get(index)?.admits(raw) => {
                    named.push(Target::Param(index));
                }
                None if self.named_rest => named.push(Target::Rest),
                _ => return None,
            }
        }
        let given = |index: usize| {
            args.positional.get(index).is_some_and(|raw| !matches!(raw, Raw::Skipped))
                || named.contains(&Target::Param(index))
        };
        let complete = self.params.iter().enumerate().all(|(index, param)| param.optional || given(index));
        complete.then_some(Candidate { overload: self, positional, named })
    }
}

impl Candidate {
    fn is_lazy(&self, target: Target) -> bool {
        self.overload.param(target).is_some_and(Param::is_lazy)
    }

    /// Which arguments the function evaluates itself.
    fn lazy<'c>(&'c self) -> impl Iterator<Item = bool> + 'c {
        self.positional.iter().chain(&self.named).map(|target| self.is_lazy(*target))
    }

    fn takes(&self, args: &Args<'_>) -> bool {
        let right = |target: &Target, raw: &Raw<'_>| match (self.overload.param(*target), raw) {
            (Some(param), Raw::Val(value)) if !param.is_lazy() => param.takes(value),
            _ => true,
        };
        let named = args.named.iter().map(|(_, raw)| raw);
        self.positional.iter().zip(&args.positional).all(|(target, raw)| right(target, raw))
            && self.named.iter().zip(named).all(|(target, raw)| *target == Target::Rest || right(target, raw))
    }

    /// Whether this function is more special than the other.
    fn narrower(&self, other: &Candidate) -> bool {
        let mut narrower = false;
        for (mine, its) in self.positional.iter().zip(&other.positional) {
            let (Some(mine), Some(its)) = (self.overload.param(*mine), other.overload.param(*its)) else { continue };
            if is_narrower(its.ty, mine.ty) {
                return false;
            }
            narrower |= is_narrower(mine.ty, its.ty);
        }
        narrower
    }

    fn bind<'a>(&self, args: Args<'a>, scope: &Rc<Scope<'a>>) -> Call<'a> {
        let mut call = Call::new(scope, self.overload.params.len());
        for (target, raw) in self.positional.iter().zip(args.positional) {
            call.put(*target, self.is_lazy(*target), raw, None);
        }
        for (target, (name, raw)) in self.named.iter().zip(args.named) {
            call.put(*target, self.is_lazy(*target), raw, Some(name));
        }
        call
    }
}

fn is_narrower(ty: Ty, than: Ty) -> bool {
    let special = matches!(ty, Ty::Iterator | Ty::Sequence | Ty::Set | Ty::Ordering);
    ty != than
        && (than == Ty::Any
            || (matches!(than, Ty::Iterable | Ty::Listlike) && special)
            || (ty == Ty::Bool && than == Ty::Int))
}

/// Calls the function of these that takes the arguments.
pub(crate) fn call_one_of<'a>(
    ev: &Eval<'a>,
    name: &str,
    overloads: &'static [Overload],
    target: (Option<Val<'a>>, &'a [Arg]),
    scope: &Rc<Scope<'a>>,
) -> Res<Val<'a>> {
    let (receiver, written) = target;
    let method = receiver.is_some();
    let pairs = overloads.iter().find(|overload| overload.is_for(method)).is_some_and(|overload| overload.pairs);
    let args = Args::new(receiver, written, pairs)?;
    call_with(ev, name, overloads, (args, method), scope)
}

/// Like [`call_one_of`], with arguments that may be values.
pub(crate) fn call_with<'a>(
    ev: &Eval<'a>,
    name: &str,
    overloads: &'static [Overload],
    (mut args, method): (Args<'a>, bool),
    scope: &Rc<Scope<'a>>,
) -> Res<Val<'a>> {
    let mut known = overloads.iter().filter(|overload| overload.is_for(method)).peekable();
    if known.peek().is_none() {
        return unknown(name, method);
    }
    let candidates: Vec<Candidate> = known.filter_map(|overload| overload.admits(&args)).collect();
    let Some((first, others)) = candidates.split_first() else { return no_match(name, method) };
    if others.iter().any(|other| !other.lazy().eq(first.lazy())) {
        return fail(Class::Ambiguous, format!("it isn't clear which `{name}` is meant"));
    }
    evaluate(ev, &mut args, first, scope)?;
    let mut chosen: Option<&Candidate> = None;
    for candidate in candidates.iter().filter(|candidate| candidate.takes(&args)) {
        match chosen {
            Some(best) if best.narrower(candidate) => {}
            Some(best) if !candidate.narrower(best) => {
                return fail(Class::Ambiguous, format!("it isn't clear which `{name}` is meant"));
            }
            _ => chosen = Some(candidate),
        }
    }
    let Some(chosen) = chosen else { return no_match(name, method) };
    (chosen.overload.run)(ev, &chosen.bind(args, scope))
}

pub(crate) fn unknown<T>(name: &str, method: bool) -> Res<T> {
    match method {
        true => fail(Class::NoMethod, format!("there is no method `{name}`")),
        false => fail(Class::NoFunction, format!("there is no function `{name}`")),
    }
}

fn no_match<'a>(name: &str, method: bool) -> Res<Val<'a>> {
    let what = match (name, method) {
        ("#indexer", _) => "`[…]` can't be used like this on this value".to_owned(),
        (_, true) => format!("the method `{name}` doesn't take this value or these arguments"),
        (_, false) => format!("the function `{name}` doesn't take these arguments"),
    };
    fail(Class::NoMatch, what)
}

/// Evaluates the arguments that the function wants evaluated.
fn evaluate<'a>(ev: &Eval<'a>, args: &mut Args<'a>, candidate: &Candidate, scope: &Rc<Scope<'a>>) -> Res<()> {
    let named = args.named.iter_mut().map(|(_, raw)| raw);
    for (raw, lazy) in args.positional.iter_mut().chain(named).zip(candidate.lazy()) {
        if lazy {
            continue;
        }
        let value = match raw {
            Raw::Node(node) => ev.eval(node, scope)?,
            Raw::Rule([key, value]) => Val::Rule(Rc::new((ev.eval(key, scope)?, ev.eval(value, scope)?))),
            Raw::Val(_) | Raw::Skipped => continue,
        };
        *raw = Raw::Val(value);
    }
    Ok(())
}
