//! StackStorm's filters, and Jinja2's where the engine's own differ.

mod data;
mod guards;
mod html;
mod layout;
mod numbers;
mod paths;
mod regex;
mod sequences;
mod texts;
mod time;
mod version;

use std::sync::Arc;

pub(crate) use html::escaped;
use minijinja::value::{Rest, Value, ValueOrKwargs};
use minijinja::{Environment, Error, State};

use crate::call::{Bound, Host, split_keywords};
use crate::error::{ErrorKind, bad_value, fault_with_hint};
use crate::json::{charge_whole, to_value};
use crate::limits::Limits;
use crate::orquesta;

/// A filter: its name, its parameters as [`Bound::new`] reads them, and what it does.
pub(crate) type Filter = (&'static str, &'static str, fn(&Host<'_>, &Bound) -> Result<Value, Error>);

/// StackStorm's own.
const STACKSTORM: [Filter; 25] = [
    ("decrypt_kv", "value", data::decrypt_kv),
    ("from_json_string", "value", data::from_json_string),
    ("from_yaml_string", "value", data::from_yaml_string),
    ("json_escape", "value", data::json_escape),
    ("jsonpath_query", "value query", data::jsonpath_query),
    ("to_complex", "value", data::to_complex),
    ("to_json_string", "value indent? sort_keys? separators?", data::to_json_string),
    ("to_yaml_string", "value indent? allow_unicode?", data::to_yaml_string),
    ("use_none", "value", data::use_none),
    ("regex_match", "value pattern ignorecase?", regex::regex_match),
    ("regex_replace", "value pattern replacement ignorecase?", regex::regex_replace),
    ("regex_search", "value pattern ignorecase?", regex::regex_search),
    ("regex_substring", "value pattern result_index? ignorecase?", regex::regex_substring),
    ("to_human_time_from_seconds", "seconds", time::to_human_time_from_seconds),
    ("version_compare", "value pattern", version::compare),
    ("version_more_than", "value pattern", version::more_than),
    ("version_less_than", "value pattern", version::less_than),
    ("version_equal", "value pattern", version::equal),
    ("version_match", "value pattern", version::matches),
    ("version_bump_major", "value", version::bump_major),
    ("version_bump_minor", "value", version::bump_minor),
    ("version_bump_patch", "value", version::bump_patch),
    ("version_strip_patch", "value", version::strip_patch),
    ("basename", "path", paths::basename),
    ("dirname", "path", paths::dirname),
];

/// Jinja2's, where the engine has none or another.
const JINJA2: [Filter; 30] = [
    ("abs", "value", numbers::abs),
    ("lower", "value", texts::lower),
    ("upper", "value", texts::upper),
    ("safe", "value", texts::safe),
    ("center", "value width?", texts::center),
    ("escape", "value", html::escape),
    ("e", "value", html::escape),
    ("forceescape", "value", html::forceescape),
    ("striptags", "value", html::striptags),
    ("xmlattr", "value autospace?", html::xmlattr),
    ("urlencode", "value", html::urlencode),
    ("filesizeformat", "value binary?", numbers::filesizeformat),
    ("float", "value default?", numbers::float),
    ("int", "value default? base?", numbers::int),
    ("round", "value precision? method?", numbers::round),
    ("join", "value d? attribute?", sequences::join),
    ("list", "value", sequences::list),
    ("pprint", "value", layout::pprint),
    ("tojson", "value indent?", layout::tojson),
    ("replace", "s old new count?", texts::replace),
    ("string", "value", texts::string),
    ("title", "value", texts::title),
    ("trim", "value chars?", texts::trim),
    ("truncate", "s length? killwords? end? leeway?", texts::truncate),
    ("wordcount", "value", texts::wordcount),
    ("wordwrap", "s width? break_long_words? wrapstring? break_on_hyphens?", layout::wordwrap),
    ("capitalize", "value", texts::capitalize),
    ("indent", "s width? first? blank?", layout::indent),
    ("random", "value", unsupported_random),
    ("urlize", "value trim_url_limit? nofollow? target? rel? extra_schemes?", unsupported_urlize),
];

/// Filters of the engine that Jinja2 doesn't have.
const FOREIGN: [&str; 5] = ["bool", "chain", "lines", "split", "zip"];

/// Makes the environment's filters those of StackStorm.
pub(crate) fn install(env: &mut Environment<'static>, limits: Limits) {
    for name in FOREIGN {
        env.remove_filter(name);
    }
    guards::install(env);
    for (name, signature, filter) in STACKSTORM.into_iter().chain(JINJA2) {
        env.add_filter(name, move |state: &State, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
            let host = Host::new(state, &limits);
            filter(&host, &Bound::new(&host, name, signature, &args.into_values())?)
        });
    }
}

/// StackStorm's filter of this name, with its signature.
pub(crate) fn stackstorm(name: &str) -> Option<Filter> {
    STACKSTORM.into_iter().find(|filter| filter.0 == name)
}

/// Further names that Orquesta has for filters.
const ALIASES: [(&str, &str); 4] = [
    ("json_parse", "from_json_string"),
    ("json_dump", "to_json_string"),
    ("yaml_parse", "from_yaml_string"),
    ("yaml_dump", "to_yaml_string"),
];

/// Makes StackStorm's filters functions as well, as they are in Orquesta.
pub(crate) fn install_functions(env: &mut Environment<'static>, limits: Limits) {
    let aliased = ALIASES.into_iter().filter_map(|(alias, name)| {
        STACKSTORM.into_iter().find(|filter| filter.0 == name).map(|(_, signature, filter)| (alias, signature, filter))
    });
    for (name, signature, filter) in STACKSTORM.into_iter().chain(aliased) {
        let call = move |state: &State, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
            let host = Host::new(state, &limits);
            filter(&host, &Bound::new(&host, name, signature, &args.into_values())?)
        };
        env.add_filter(name, call);
        env.add_function(name, call);
    }
    env.add_function("json", move |state: &State, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let host = Host::new(state, &limits);
        let bound = Bound::new(&host, "json", "s", &args.into_values())?;
        given(&host, "json", orquesta::json(&host.json(&bound.value(0))?))
    });
    env.add_function("zip", move |state: &State, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let host = Host::new(state, &limits);
        let args = args.into_values();
        let (lists, keywords) = split_keywords(&args);
        let lists = lists.iter().map(|list| host.json(list)).collect::<Result<Vec<_>, _>>()?;
        let pad = keywords.as_ref().and_then(|keywords| keywords.peek::<Value>("pad").ok());
        let pad = pad.map(|pad| host.json(&pad)).transpose()?.unwrap_or_default();
        given(&host, "zip", orquesta::zip(&lists, &pad))
    });
}

/// What one of Orquesta's functions gave.
fn given(host: &Host<'_>, name: &str, outcome: Result<serde_json::Value, String>) -> Result<Value, Error> {
    let value = Arc::new(outcome.map_err(|message| bad_value(format!("`{name}`: {message}")))?);
    charge_whole(host, &value, 0)?;
    Ok(to_value(&value))
}

fn unsupported_random(_: &Host<'_>, _: &Bound) -> Result<Value, Error> {
    Err(fault_with_hint(
        ErrorKind::Unsupported,
        "`random` isn't there: an expression gives the same value each time",
        "choose in an action",
    ))
}

fn unsupported_urlize(_: &Host<'_>, _: &Bound) -> Result<Value, Error> {
    Err(fault_with_hint(ErrorKind::Unsupported, "`urlize` isn't there", "write the links with `regex_replace`"))
}
