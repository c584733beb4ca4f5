//! `groupBy`.

use indexmap::IndexMap;

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Fail, Res};
use super::super::lambda::Lambda;
use super::super::operators;
use super::super::overload::{As, Row};
use super::super::value::{Key, Kind, Val};

pub(super) const FUNCTIONS: &[Row] = &[(
    "groupBy",
    As::Method,
    "collection:iterable keySelector:lambda valueSelector:lambda= aggregator:lambda=",
    group_by,
)];

fn group_by<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, key_of, value_of) = (call.feed(0)?, call.lambda(1)?, call.opt_lambda(2));
    let mut groups: IndexMap<Key<'a>, Vec<Val<'a>>> = IndexMap::new();
    while let Some(item) = feed.next(ev)? {
        let value = match &value_of {
            Some(value_of) => value_of.call1(ev, item.clone())?,
            None => item.clone(),
        };
        ev.charge(std::mem::size_of::<Val<'_>>())?;
        groups.entry(Key::new(ev, key_of.call1(ev, item)?)?).or_default().push(value);
    }
    let level = groups.iter().flat_map(|(key, group)| group.iter().chain([key.value()])).map(Val::level).max();
    let mut aggregator = call.opt_lambda(3).map(Aggregator::new);
    let mut groups = groups.into_iter();
    ev.lazy(call.level().max(level.unwrap_or_default()) + 2, move |ev| {
        let Some((key, items)) = groups.next() else { return Ok(None) };
        let items = ev.list(items, Kind::Plain)?;
        match &mut aggregator {
            Some(aggregator) => aggregator.apply(ev, key.value().clone(), items).map(Some),
            None => pair(ev, key.value().clone(), items).map(Some),
        }
    })
}

fn pair<'a>(ev: &Eval<'a>, key: Val<'a>, value: Val<'a>) -> Res<Val<'a>> {
    ev.list(vec![key, value], Kind::Frozen)
}

/// Takes the items of a group together. Older expressions expect the pair of key and items in place of the items, so where an
/// expression fails on the items it is tried on the pair.
struct Aggregator<'a> {
    function: Lambda<'a>,
    failed: Option<Box<Fail>>,
    fall_back: bool,
}

impl<'a> Aggregator<'a> {
    fn new(function: Lambda<'a>) -> Aggregator<'a> {
        Aggregator { function, failed: None, fall_back: true }
    }

    fn apply(&mut self, ev: &Eval<'a>, key: Val<'a>, items: Val<'a>) -> Res<Val<'a>> {
        if self.failed.is_none() {
            match self.function.call1(ev, items.clone()) {
                Ok(result) => {
                    self.fall_back &= looks_old(ev, &items, &result)?;
                    return pair(ev, key, result);
                }
                Err(error) if matches!(error.class, Class::NoMatch | Class::Index) => self.failed = Some(error),
                Err(error) => return Err(error),
            }
        }
        if self.fall_back {
            let whole = pair(ev, key, items)?;
            match self.function.call1(ev, whole) {
                Ok(Val::List(list)) if list.len() == 2 => return Ok(Val::List(list)),
                Err(error) if matches!(error.class, Class::Limit(_)) => return Err(error),
                _ => {}
            }
        }
        match &self.failed {
            Some(error) => Err(error.clone()),
            None => Ok(Val::Null),
        }
    }
}

/// Whether a result could be that of an expression that took two items for a key and its items.
fn looks_old<'a>(ev: &Eval<'a>, items: &Val<'a>, result: &Val<'a>) -> Res<bool> {
    match (items, result) {
        (Val::List(items), Val::List(result)) if items.len() == 2 && result.len() == 2 => {
            match items.get(0).zip(result.get(0)) {
                Some((item, result)) => operators::equals(ev, &item, &result),
                None => Ok(false),
            }
        }
        _ => Ok(false),
    }
}
