//! Methods of lists, dicts and numbers.

use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{Enumerator, Object, ObjectRepr, Tuple, Value};

use crate::call::{Bound, Host};
use crate::error::bad_value;

type Outcome = Result<Option<Value>, Error>;

/// What `keys`, `values` and `items` of a dict give: read in place, printed as Python prints it.
#[derive(Debug)]
pub(crate) struct DictView {
    dict: Value,
    part: Part,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Keys,
    Values,
    Items,
}

impl DictView {
    pub(crate) fn type_name(&self) -> &'static str {
        match self.part {
            Part::Keys => "dict_keys",
            Part::Values => "dict_values",
            Part::Items => "dict_items",
        }
    }
}

impl Object for DictView {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let Ok(keys) = self.dict.try_iter() else { return Enumerator::NonEnumerable };
        let view = Arc::clone(self);
        Enumerator::Iter(Box::new(keys.map(move |key| {
            let held = || view.dict.get_item(&key).unwrap_or_default();
            match view.part {
                Part::Keys => key,
                Part::Values => held(),
                Part::Items => {
                    let value = held();
                    Value::from(Tuple::from([key, value]))
                }
            }
        })))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.dict.len()
    }
}

pub(super) fn call_dict(host: &Host<'_>, dict: &Value, method: &str, args: &[Value]) -> Outcome {
    let part = match method {
        "keys" => Part::Keys,
        "values" => Part::Values,
        "items" => Part::Items,
        "copy" => {
            Bound::new(host, "copy", "", args)?;
            return Ok(Some(dict.clone()));
        }
        "get" => {
            let call = Bound::new(host, "get", "key default?~", args)?;
            let found = dict.get_item(&call.value(0))?;
            let fallback = || call.given(1).cloned().unwrap_or_else(|| Value::from(()));
            return Ok(Some(if found.is_undefined() { fallback() } else { found }));
        }
        _ => return Ok(None),
    };
    Bound::new(host, "items", "", args)?;
    Ok(Some(Value::from_object(DictView { dict: dict.clone(), part })))
}

pub(super) fn call_list(host: &Host<'_>, list: &Value, method: &str, args: &[Value]) -> Outcome {
    match method {
        "copy" => {
            Bound::new(host, "copy", "", args)?;
            Ok(Some(list.clone()))
        }
        "count" | "index" => {
            let call = Bound::new(host, if method == "count" { "count" } else { "index" }, "value", args)?;
            let wanted = call.value(0);
            let mut places = Vec::new();
            for (place, item) in list.try_iter()?.checked().enumerate() {
                host.charge(0)?;
                if item? == wanted {
                    places.push(place);
                }
            }
            match (method, places.first()) {
                ("count", _) => Ok(Some(Value::from(places.len()))),
                (_, Some(first)) => Ok(Some(Value::from(*first))),
                _ => Err(bad_value("`index`: the list has no such item")),
            }
        }
        _ => Ok(None),
    }
}

pub(super) fn call_number(host: &Host<'_>, number: &Value, method: &str, args: &[Value]) -> Outcome {
    let result = match (method, number.is_integer()) {
        ("bit_length", true) => {
            let magnitude = i128::try_from(number.clone())?.unsigned_abs();
            Value::from(u128::BITS - magnitude.leading_zeros())
        }
        ("is_integer", false) => Value::from(f64::try_from(number.clone())?.fract() == 0.0),
        _ => return Ok(None),
    };
    Bound::new(host, "number", "", args)?;
    Ok(Some(result))
}
