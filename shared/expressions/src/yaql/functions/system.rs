//! Variables, functions, checks, calls by name.

use std::rc::Rc;

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Res, bad, fail};
use super::super::overload::{Args, As, Raw, Row};
use super::super::scope::Scope;
use super::super::value::{Dict, Text, Val};
use super::queries::memorised;

pub(super) const FUNCTIONS: &[Row] = &[
    ("let", As::Function, "*args:any **kwargs", let_),
    ("with", As::Function, "*args:any", let_),
    ("unpack", As::Method, "sequence:iterable *args:str", unpack),
    ("def", As::Function, "name:str func:lambda", def),
    ("assert", As::Method, "obj:any condition:lambda message:str=", assert),
    ("call", As::Function, "name:str args:sequence kwargs:dict receiver:any=", call),
];

fn finish<'a>(ev: &Eval<'a>, scope: Rc<Scope<'a>>) -> Res<Val<'a>> {
    ev.check_level(scope.level())?;
    Ok(Val::Scope(scope))
}

fn let_<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let scope = call.scope.within(None, None);
    for (index, value) in call.rest().enumerate() {
        scope.set(&(index + 1).to_string(), value.clone());
    }
    for (name, value) in call.named() {
        scope.set(name, value.clone());
    }
    finish(ev, scope)
}

fn unpack<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let names: Vec<&str> = call.rest().filter_map(Val::as_str).collect();
    let scope = call.scope.within(None, None);
    let mut feed = call.feed(0)?;
    let mut count = 0;
    while let Some(item) = feed.next(ev)? {
        match names.get(count) {
            Some(name) => scope.set(name, item),
            None if names.is_empty() => scope.set(&(count + 1).to_string(), item),
            None => return bad("there are more items to unpack than names"),
        }
        count += 1;
    }
    if count < names.len() {
        return bad("there are fewer items to unpack than names");
    }
    finish(ev, scope)
}

fn def<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let scope = call.scope.within(None, None);
    ev.define(call.str(0), call.lambda(1)?, &scope);
    finish(ev, scope)
}

fn assert<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let value = memorised(ev, call.val(0))?;
    if call.lambda(1)?.call1(ev, value.clone())?.truthy() {
        return Ok(value);
    }
    fail(Class::Assertion, call.opt_str(2).unwrap_or("the assertion doesn't hold"))
}

fn call<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let receiver = call.given(3).cloned();
    let method = receiver.is_some();
    let mut args = Args { positional: receiver.map(Raw::Val).into_iter().collect(), named: Vec::new() };
    if let Some(Val::List(list)) = call.given(1) {
        args.positional.extend(list.iter().map(Raw::Val));
    }
    if let Some(Val::Dict(dict)) = call.given(2) {
        args.named = named(dict);
    }
    ev.call_named(call.str(0), args, method, &call.scope).map_err(|mut error| {
        // The name may be a value of the context, and those are not told.
        if matches!(error.class, Class::NoFunction | Class::NoMethod) && error.message.contains(call.str(0)) {
            let what = if method { "method" } else { "function" };
            error.message = format!("there is no {what} of the name that `call` was given");
        }
        error
    })
}

fn named<'a>(dict: &Dict<'a>) -> Vec<(Text<'a>, Raw<'a>)> {
    let name = |(key, value)| match key {
        Val::Str(name) => Some((name, Raw::Val(value))),
        _ => None,
    };
    dict.iter().filter_map(name).collect()
}
