//! Filters on lists that the engine takes more leniently than Jinja2: no list at all, items without the attribute, items that don't compare.

use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State, UndefinedBehavior};

use crate::call::split_keywords;
use crate::error::{ErrorKind, bad_value, fault_with_hint};

/// Where a filter has the attribute of the items, beside `attribute=`.
#[derive(Clone, Copy)]
enum Attribute {
    None,
    Named,
    Second,
}

/// Registers the engine's filter behind a guard.
macro_rules! guard {
    ($env:ident, $($name:ident: $attribute:ident $compares:literal $skips_false:literal),* $(,)?) => {$(
        $env.add_filter(concat!("unguarded ", stringify!($name)), minijinja::filters::$name);
        $env.add_filter(stringify!($name), |state: &mut State, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
            let args = args.into_values();
            // Jinja2 gives nothing for what is false, were it no list at all.
            if $skips_false && args.first().is_some_and(|list| !list.is_undefined() && !list.is_true()) {
                return Ok(Value::from(Vec::<Value>::new()));
            }
            check(state, stringify!($name), Attribute::$attribute, $compares, &args)?;
            state.apply_filter(concat!("unguarded ", stringify!($name)), &args)
        });
    )*};
}

pub(super) fn install(env: &mut Environment<'static>) {
    guard!(env,
        batch: None false false, slice: None false false, map: None false true, select: None false true, reject: None false true,
        selectattr: Second false true, rejectattr: Second false true, sum: Second false false, groupby: Second true false,
        min: Named true false, max: Named true false, sort: Named true false, unique: Named false false,
    );
}

fn check(state: &State<'_, '_>, name: &str, place: Attribute, compares: bool, args: &[Value]) -> Result<(), Error> {
    let (positional, keywords) = split_keywords(args);
    let Some(list) = positional.first() else { return Ok(()) };
    if list.is_none() {
        return Err(bad_value(format!("`{name}` takes a list, but got none")));
    }
    let named = |option| keywords.as_ref().and_then(|k| k.peek::<Option<Value>>(option).ok().flatten());
    let attribute = match place {
        Attribute::None => return Ok(()),
        Attribute::Named => named("attribute"),
        Attribute::Second => positional.get(1).cloned().or_else(|| named("attribute")),
    };
    let asks_whether_defined =
        positional.get(2).and_then(Value::as_str).is_some_and(|test| matches!(test, "defined" | "undefined"));
    let lenient =
        state.undefined_behavior() != UndefinedBehavior::Strict || named("default").is_some() || asks_whether_defined;
    if !matches!(list.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::String | ValueKind::Map) {
        return Ok(());
    }
    let mut kinds = Kinds::default();
    let attributes = attribute.as_ref().and_then(Value::as_str).unwrap_or_default();
    for item in list.try_iter()?.checked() {
        let item = item?;
        state.consume_fuel(1)?;
        for attribute in attributes.split(',').filter(|_| !attributes.is_empty()) {
            let held = attribute_of(&item, attribute.trim());
            if held.is_undefined() && !lenient {
                return Err(fault_with_hint(
                    ErrorKind::Undefined,
                    format!("`{name}`: an item has no attribute `{}`", attribute.trim()),
                    "first keep those that have it: `| selectattr('…', 'defined')`",
                ));
            }
            kinds.add(&held);
        }
        if attributes.is_empty() {
            kinds.add(&item);
        }
    }
    if compares && !kinds.compare() && attributes.split(',').count() < 2 {
        return Err(bad_value(format!("`{name}`: the items can't be compared with one another")));
    }
    Ok(())
}

fn attribute_of(item: &Value, path: &str) -> Value {
    path.split('.').fold(item.clone(), |at, step| {
        let found = match step.parse::<usize>() {
            Ok(place) => at.get_item_by_index(place),
            Err(_) => at.get_attr(step),
        };
        found.unwrap_or_default()
    })
}

/// The kinds of values that are to be compared.
#[derive(Default)]
struct Kinds {
    numbers: bool,
    texts: bool,
    lists: bool,
    others: usize,
}

impl Kinds {
    fn add(&mut self, value: &Value) {
        match value.kind() {
            ValueKind::Bool | ValueKind::Number => self.numbers = true,
            ValueKind::String => self.texts = true,
            ValueKind::Seq => self.lists = true,
            _ => self.others += 1,
        }
    }

    fn compare(&self) -> bool {
        let kinds = usize::from(self.numbers) + usize::from(self.texts) + usize::from(self.lists) + self.others;
        kinds <= 1
    }
}
