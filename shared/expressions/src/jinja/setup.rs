//! The environment: Jinja2's as StackStorm sets it up.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, Value};
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior};

use crate::error::{ErrorKind, fault_with_hint};
use crate::jinja::{Undefined, guard};
use crate::limits::Limits;
use crate::python::{self, Printer};
use crate::{filters, methods, tests};

pub(super) fn environment(undefined: Undefined, limits: Limits) -> Environment<'static> {
    let mut env = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    env.set_undefined_behavior(match undefined {
        Undefined::Refused => UndefinedBehavior::Strict,
        Undefined::Allowed => UndefinedBehavior::Lenient,
    });
    env.set_auto_escape_callback(|_| AutoEscape::None);
    // Errors then know where they happened, and undefined values their name.
    env.set_debug(true);
    env.set_fuel(Some(limits.fuel));
    env.set_recursion_limit(limits.recursion);
    env.set_formatter(move |out, state, value| print(out, state, value, &limits));
    env.set_unknown_method_callback(move |state, value, method, args| {
        methods::call(state, &limits, value, method, args)
    });
    filters::install(&mut env, limits);
    tests::install(&mut env, limits);
    guard::install(&mut env, limits);
    install_globals(&mut env);
    env
}

fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value, limits: &Limits) -> Result<(), Error> {
    if matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe() {
        let escaped = filters::escaped(&python::text(value, limits)?);
        return out.write_str(&escaped).map_err(Error::from);
    }
    match value.as_str() {
        Some(text) if text.len() <= limits.output_bytes => out.write_str(text).map_err(Error::from),
        _ => Printer::new(out, limits).text(value),
    }
}

fn install_globals(env: &mut Environment<'static>) {
    env.remove_global("debug");
    env.add_function("cycler", |items: Rest<Value>| minijinja_contrib::globals::cycler(items.0));
    env.add_function("joiner", minijinja_contrib::globals::joiner);
    env.add_function("lipsum", || -> Result<Value, Error> {
        Err(fault_with_hint(
            ErrorKind::Unsupported,
            "`lipsum` isn't there: an expression gives the same value each time",
            "write the text",
        ))
    });
}
