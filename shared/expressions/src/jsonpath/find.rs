//! The interpreter of paths.

use serde_json::Value;
use std::{borrow::Cow, rc::Rc};

use super::{JsonPathError, MAX_VISITS, Root, Step, kind, stored};

/// Something that a path can stand on.
#[derive(Clone)]
enum Item<'a> {
    /// Where keys start.
    Context,
    /// `st2kv`
    Datastore,
    /// A key of the datastore, or the beginning of one.
    Key(String),
    Value(&'a Value),
    /// A character of a text.
    Owned(Rc<Value>),
}

/// A match and the way to it.
#[derive(Clone)]
struct Found<'a> {
    item: Item<'a>,
    parent: Option<Rc<Found<'a>>>,
}

type Matches<'a> = Result<Vec<Rc<Found<'a>>>, JsonPathError>;

/// The first match; all are looked for, since the original fails if any of them does.
pub(super) fn first<'a>(step: &Step, root: Root<'a>) -> Result<Cow<'a, Value>, JsonPathError> {
    let matches = find(step, Some(root), Item::Context)?;
    Ok(matches.first().and_then(|found| value_of(&found.item, Some(root))).unwrap_or(Cow::Borrowed(&Value::Null)))
}

/// All matches in a value.
pub(super) fn all<'a>(step: &Step, value: &'a Value) -> Result<Vec<Cow<'a, Value>>, JsonPathError> {
    Ok(find(step, None, Item::Value(value))?.iter().filter_map(|found| value_of(&found.item, None)).collect())
}

fn find<'a>(step: &Step, root: Option<Root<'a>>, start: Item<'a>) -> Matches<'a> {
    let start = Rc::new(Found { item: start, parent: None });
    Finder { root, start: Rc::clone(&start), visits: 0 }.find(step, &start)
}

fn value_of<'a>(item: &Item<'a>, root: Option<Root<'a>>) -> Option<Cow<'a, Value>> {
    match item {
        Item::Value(value) => Some(Cow::Borrowed(*value)),
        Item::Owned(value) => Some(Cow::Owned((**value).clone())),
        Item::Key(key) => root.map(|root| Cow::Owned(stored(key, root))),
        Item::Context | Item::Datastore => None,
    }
}

struct Finder<'a> {
    /// Where there is a datastore beside the value.
    root: Option<Root<'a>>,
    start: Rc<Found<'a>>,
    visits: usize,
}

impl<'a> Finder<'a> {
    fn find(&mut self, step: &Step, at: &Rc<Found<'a>>) -> Matches<'a> {
        self.visits += 1;
        if self.visits > MAX_VISITS {
            return Err(JsonPathError::TooManyVisits);
        }
        match step {
            Step::Root => Ok(vec![Rc::clone(&self.start)]),
            Step::This => Ok(vec![Rc::clone(at)]),
            Step::Parent => Ok(at.parent.iter().cloned().collect()),
            Step::Fields(names) => Ok(self.fields(names, at)),
            Step::Index(index) => index_of(*index, at),
            Step::Slice(start, end) => self.slice(*start, *end, at),
            Step::Child(left, right) => self.each(left, at, |finder, found| finder.find(right, found)),
            Step::Descendants(left, right) => self.each(left, at, |finder, found| finder.descend(right, found)),
            Step::Where(left, right) => self.each(left, at, |finder, found| {
                let holds = !finder.find(right, found)?.is_empty();
                Ok(holds.then(|| Rc::clone(found)).into_iter().collect())
            }),
            Step::Union(left, right) => {
                let mut matches = self.find(left, at)?;
                matches.extend(self.find(right, at)?);
                Ok(matches)
            }
        }
    }

    /// What `then` finds from each match of `step`.
    fn each(
        &mut self,
        step: &Step,
        at: &Rc<Found<'a>>,
        mut then: impl FnMut(&mut Finder<'a>, &Rc<Found<'a>>) -> Matches<'a>,
    ) -> Matches<'a> {
        let mut matches = Vec::new();
        for found in self.find(step, at)? {
            matches.extend(then(self, &found)?);
        }
        Ok(matches)
    }

    /// From here, and then from everything below, level by level downwards.
    fn descend(&mut self, step: &Step, at: &Rc<Found<'a>>) -> Matches<'a> {
        let mut matches = self.find(step, at)?;
        let children: Vec<&'a Value> = match &at.item {
            Item::Value(Value::Array(items)) => items.iter().collect(),
            Item::Value(Value::Object(fields)) => fields.values().collect(),
            Item::Context => self.root.map(|root| root.value).into_iter().collect(),
            _ => Vec::new(),
        };
        for child in children {
            matches.extend(self.descend(step, &below(at, Item::Value(child)))?);
        }
        Ok(matches)
    }

    fn fields(&self, names: &[String], at: &Rc<Found<'a>>) -> Vec<Rc<Found<'a>>> {
        let all = names.iter().any(|name| name == "*");
        let items: Vec<Item<'a>> = match &at.item {
            Item::Value(Value::Object(fields)) if all => fields.values().map(Item::Value).collect(),
            Item::Value(Value::Object(fields)) => {
                names.iter().filter_map(|name| fields.get(name)).map(Item::Value).collect()
            }
            Item::Context if all => {
                let value = self.root.map(|root| Item::Value(root.value));
                [Item::Key(String::new())].into_iter().chain(value).chain([Item::Datastore]).collect()
            }
            Item::Context => names.iter().filter_map(|name| self.at_root(name)).collect(),
            Item::Datastore => names
                .iter()
                .filter(|name| *name == "system" || *name == "*")
                .map(|_| Item::Key(String::new()))
                .collect(),
            Item::Key(key) if !all => names.iter().map(|name| Item::Key(longer(key, name))).collect(),
            _ => Vec::new(),
        };
        items.into_iter().map(|item| below(at, item)).collect()
    }

    fn at_root(&self, name: &str) -> Option<Item<'a>> {
        match name {
            "system" => Some(Item::Key(String::new())),
            "st2kv" => Some(Item::Datastore),
            name => self.root.filter(|root| root.name == name).map(|root| Item::Value(root.value)),
        }
    }

    /// An object, an integer or a text counts as a list of itself.
    fn slice(&mut self, start: Option<i64>, end: Option<i64>, at: &Rc<Found<'a>>) -> Matches<'a> {
        let items: Vec<Item<'a>> = match &at.item {
            Item::Value(Value::Array(items)) => items.iter().map(Item::Value).collect(),
            Item::Value(Value::Null) => return Err(JsonPathError::NoSlice(kind(&Value::Null))),
            Item::Value(Value::Number(number)) if number.is_f64() => {
                return Err(JsonPathError::NoSlice("a number with a fraction"));
            }
            single => vec![single.clone()],
        };
        self.visits += items.len();
        let bound = |bound: i64| if bound < 0 { bound + length(&items) } else { bound }.clamp(0, length(&items));
        let from = usize::try_from(start.map_or(0, bound)).unwrap_or(0);
        let to = usize::try_from(end.map_or(length(&items), bound)).unwrap_or(0);
        Ok(items.into_iter().take(to).skip(from).map(|item| below(at, item)).collect())
    }
}

fn length<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

fn below<'a>(parent: &Rc<Found<'a>>, item: Item<'a>) -> Rc<Found<'a>> {
    Rc::new(Found { item, parent: Some(Rc::clone(parent)) })
}

fn longer(key: &str, name: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }
}

/// One item, counted from the end if negative. A list that is too short has none, where the index is not negative.
fn index_of<'a>(index: i64, at: &Rc<Found<'a>>) -> Matches<'a> {
    let (length, found) = match &at.item {
        Item::Value(Value::Array(items)) => {
            let length = length(items);
            (length, position(index, length).and_then(|at| items.get(at)).map(Item::Value))
        }
        Item::Value(Value::String(text)) => {
            let chars: Vec<char> = text.chars().collect();
            let length = length(&chars);
            let char = position(index, length).and_then(|at| chars.get(at));
            (length, char.map(|char| Item::Owned(Rc::new(Value::from(char.to_string())))))
        }
        Item::Value(Value::Object(fields)) => (i64::try_from(fields.len()).unwrap_or(i64::MAX), None),
        Item::Value(other) => return Err(JsonPathError::NoItems { index, found: kind(other) }),
        _ => return Err(JsonPathError::NoItems { index, found: "the datastore" }),
    };
    match found {
        Some(item) => Ok(vec![below(at, item)]),
        None if length > index => Err(JsonPathError::NoItem(index)),
        None => Ok(Vec::new()),
    }
}

fn position(index: i64, length: i64) -> Option<usize> {
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}
