//! Searching a value.

use std::rc::Rc;

use serde_json::Value;

use super::{JsonPathError, MOST_STEPS, Path};

/// A match, and what it was found in.
struct Found<'v> {
    value: &'v Value,
    parent: Option<Rc<Found<'v>>>,
}

type Matches<'v> = Result<Vec<Rc<Found<'v>>>, JsonPathError>;

pub(super) fn find<'v>(path: &Path, value: &'v Value) -> Result<Vec<&'v Value>, JsonPathError> {
    let root = Rc::new(Found { value, parent: None });
    let mut search = Search { steps: 0, root: Rc::clone(&root) };
    Ok(search.matches(path, &root)?.into_iter().map(|found| found.value).collect())
}

struct Search<'v> {
    steps: usize,
    root: Rc<Found<'v>>,
}

impl<'v> Search<'v> {
    fn step(&mut self) -> Result<(), JsonPathError> {
        self.steps += 1;
        if self.steps > MOST_STEPS { Err(JsonPathError::TooManySteps) } else { Ok(()) }
    }

    fn matches(&mut self, path: &Path, at: &Rc<Found<'v>>) -> Matches<'v> {
        self.step()?;
        match path {
            Path::Root => Ok(vec![Rc::clone(&self.root)]),
            Path::This => Ok(vec![Rc::clone(at)]),
            Path::Parent => Ok(at.parent.iter().cloned().collect()),
            Path::Fields(names) => self.inside(at, names.iter().filter_map(|name| at.value.as_object()?.get(name))),
            Path::AllFields => self.inside(at, at.value.as_object().into_iter().flat_map(|entries| entries.values())),
            Path::Index(index) => self.inside(at, item(at.value, *index)),
            Path::Slice { start, end, step } => {
                let items = slice(at.value, *start, *end, step.unwrap_or(1));
                self.inside(at, items.into_iter())
            }
            Path::Child(left, right) => {
                let mut all = Vec::new();
                for found in self.matches(left, at)? {
                    all.extend(self.matches(right, &found)?);
                }
                Ok(all)
            }
            Path::Descendants(left, right) => {
                let mut all = Vec::new();
                for found in self.matches(left, at)? {
                    self.descend(right, &found, &mut all)?;
                }
                Ok(all)
            }
            Path::Where(left, right) => {
                let mut all = Vec::new();
                for found in self.matches(left, at)? {
                    if !self.matches(right, &found)?.is_empty() {
                        all.push(found);
                    }
                }
                Ok(all)
            }
            Path::Union(left, right) => {
                let mut all = self.matches(left, at)?;
                all.extend(self.matches(right, at)?);
                Ok(all)
            }
        }
    }

    fn inside(&mut self, at: &Rc<Found<'v>>, values: impl Iterator<Item = &'v Value>) -> Matches<'v> {
        values
            .map(|value| {
                self.step()?;
                Ok(Rc::new(Found { value, parent: Some(Rc::clone(at)) }))
            })
            .collect()
    }

    /// The matches of `path` in a value and in everything within it.
    fn descend(&mut self, path: &Path, at: &Rc<Found<'v>>, all: &mut Vec<Rc<Found<'v>>>) -> Result<(), JsonPathError> {
        all.extend(self.matches(path, at)?);
        let within = match at.value {
            Value::Array(items) => self.inside(at, items.iter())?,
            Value::Object(entries) => self.inside(at, entries.values())?,
            _ => Vec::new(),
        };
        within.iter().try_for_each(|found| self.descend(path, found, all))
    }
}

fn item(value: &Value, index: i64) -> impl Iterator<Item = &Value> {
    let items = value.as_array();
    let place = match usize::try_from(index) {
        Ok(place) => Some(place),
        Err(_) => items.and_then(|items| items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)),
    };
    items.zip(place).and_then(|(items, place)| items.get(place)).into_iter()
}

/// A slice as in Python; what isn't a list is taken for a list of one.
fn slice(value: &Value, start: Option<i64>, end: Option<i64>, step: i64) -> Vec<&Value> {
    let items = match value {
        Value::Array(items) => items.iter().collect::<Vec<_>>(),
        other => vec![other],
    };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let held = |position: i64| if position < 0 { (position + length).max(0) } else { position.min(length) };
    let (start, end) = (held(start.unwrap_or(0)), held(end.unwrap_or(length)));
    let (Ok(skipped), Ok(taken), Ok(step)) =
        (usize::try_from(start), usize::try_from((end - start).max(0)), usize::try_from(step.max(1)))
    else {
        return Vec::new();
    };
    items.into_iter().skip(skipped).take(taken).step_by(step).collect()
}
