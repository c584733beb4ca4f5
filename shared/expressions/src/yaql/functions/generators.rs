//! Sequences out of nothing.

use std::collections::{HashSet, VecDeque};

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Res, bad};
use super::super::feed::Feed;
use super::super::overload::{As, Row};
use super::super::value::{Key, Val};

pub(super) const FUNCTIONS: &[Row] = &[
    ("range", As::Function, "stop:int", |ev, call| range(ev, [0, call.int(0, 0), 1])),
    ("range", As::Function, "start:int stop:int step:int=", |ev, call| {
        range(ev, [call.int(0, 0), call.int(1, 0), call.int(2, 1)])
    }),
    ("sequence", As::Function, "start:int= step:int=", sequence),
    ("repeat", As::Method, "value:any times:int=", repeat),
    ("cycle", As::Method, "collection:iterable", cycle),
    ("generate", As::Function, "initial:any predicate:lambda producer:lambda selector:lambda= decycle:bool=", generate),
    (
        "generateMany",
        As::Function,
        "initial:any producer:lambda selector:lambda= decycle:bool= depthFirst:bool=",
        generate_many,
    ),
];

fn range<'a>(ev: &Eval<'a>, [start, stop, step]: [i64; 3]) -> Res<Val<'a>> {
    if step == 0 {
        return bad("the step of a range can't be zero");
    }
    let (mut next, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
    ev.lazy(0, move |_| {
        let inside = if step > 0 { next < stop } else { next > stop };
        let current = next;
        next += step;
        Ok(inside.then_some(Val::Int(current)))
    })
}

fn sequence<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut next, step) = (i128::from(call.int(0, 0)), i128::from(call.int(1, 1)));
    ev.lazy(0, move |_| {
        next += step;
        Ok(Some(Val::Int(next - step)))
    })
}

fn repeat<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (value, mut left) = (call.val(0), call.int(1, -1));
    ev.lazy(call.level(), move |_| {
        if left == 0 {
            return Ok(None);
        }
        left = left.saturating_sub(1).max(-1);
        Ok(Some(value.clone()))
    })
}

fn cycle<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, mut seen, mut next, mut ended) = (call.feed(0)?, Vec::new(), 0, false);
    ev.lazy(call.level(), move |ev| {
        if !ended {
            if let Some(item) = feed.next(ev)? {
                ev.charge(std::mem::size_of::<Val<'_>>())?;
                seen.push(item.clone());
                return Ok(Some(item));
            }
            ended = true;
        }
        if next >= seen.len() {
            next = 0;
        }
        next += 1;
        Ok(seen.get(next - 1).cloned())
    })
}

/// Which values came already, where that is asked for.
struct Past<'a>(Option<HashSet<Key<'a>>>);

impl<'a> Past<'a> {
    fn new(wanted: bool) -> Past<'a> {
        Past(wanted.then(HashSet::new))
    }

    fn is_new(&mut self, ev: &Eval<'a>, value: &Val<'a>) -> Res<bool> {
        let Some(seen) = &mut self.0 else { return Ok(true) };
        ev.charge(2 * std::mem::size_of::<Val<'_>>())?;
        Ok(seen.insert(Key::new(ev, value.clone())?))
    }
}

fn generate<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (predicate, producer, selector) = (call.lambda(1)?, call.lambda(2)?, call.opt_lambda(3));
    let (mut current, mut started, mut past) = (call.val(0), false, Past::new(call.flag(4)));
    ev.lazy(call.level(), move |ev| {
        if started {
            current = producer.call1(ev, current.clone())?;
            ev.check_level(current.level())?;
        }
        started = true;
        if !predicate.call1(ev, current.clone())?.truthy() || !past.is_new(ev, &current)? {
            started = false;
            return Ok(None);
        }
        match &selector {
            Some(selector) => selector.call1(ev, current.clone()).map(Some),
            None => Ok(Some(current.clone())),
        }
    })
}

fn generate_many<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (producer, selector, depth_first) = (call.lambda(1)?, call.opt_lambda(2), call.flag(4));
    let (mut queue, mut past) = (VecDeque::from([call.val(0)]), Past::new(call.flag(3)));
    let mut waiting: Option<Val<'a>> = None;
    ev.lazy(call.level(), move |ev| {
        if let Some(item) = waiting.take() {
            let produced = Feed::python(ev, &producer.call1(ev, item)?)?.rest(ev)?;
            if depth_first {
                produced.into_iter().rev().for_each(|item| queue.push_front(item));
            } else {
                queue.extend(produced);
            }
        }
        while let Some(item) = queue.pop_front() {
            ev.step()?;
            if !past.is_new(ev, &item)? {
                continue;
            }
            waiting = Some(item.clone());
            return match &selector {
                Some(selector) => selector.call1(ev, item).map(Some),
                None => Ok(Some(item)),
            };
        }
        Ok(None)
    })
}
