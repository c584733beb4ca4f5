//! Choices, and the functions of booleans.

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::Res;
use super::super::lambda::Lambda;
use super::super::overload::{As, Row};
use super::super::value::Val;

pub(super) const FUNCTIONS: &[Row] = &[
    ("switch", As::Function, "! *args:rule", switch),
    ("selectCase", As::Function, "*args:lambda", select_case),
    ("selectAllCases", As::Function, "*args:lambda", select_all_cases),
    ("examine", As::Function, "*args:lambda", examine),
    ("switchCase", As::Method, "case:int *args:lambda", switch_case),
    ("coalesce", As::Function, "*args:lambda", coalesce),
    ("bool", As::Function, "value:any", |_, call| Ok(Val::Bool(call.val(0).truthy()))),
    ("isBoolean", As::Function, "value:any", |_, call| Ok(Val::Bool(matches!(call.val(0), Val::Bool(_))))),
];

fn switch<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    for (condition, value) in call.rest_rules() {
        if condition.call(ev)?.truthy() {
            return value.call(ev);
        }
    }
    Ok(Val::Null)
}

fn select_case<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut index = 0;
    for case in call.rest_lambdas() {
        if case.call(ev)?.truthy() {
            break;
        }
        index += 1;
    }
    Ok(Val::count(index))
}

fn select_all_cases<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let cases: Vec<Lambda<'a>> = call.rest_lambdas().cloned().collect();
    let mut cases = cases.into_iter().enumerate();
    ev.lazy(call.level(), move |ev| {
        for (index, case) in cases.by_ref() {
            if case.call(ev)?.truthy() {
                return Ok(Some(Val::count(index)));
            }
        }
        Ok(None)
    })
}

fn examine<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let cases: Vec<Lambda<'a>> = call.rest_lambdas().cloned().collect();
    let mut cases = cases.into_iter();
    ev.lazy(call.level(), move |ev| cases.next().map(|case| Ok(Val::Bool(case.call(ev)?.truthy()))).transpose())
}

fn switch_case<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let index = usize::try_from(call.int(0, 0)).ok();
    let chosen = index.and_then(|index| call.rest_lambdas().nth(index)).or_else(|| call.rest_lambdas().last());
    chosen.map_or(Ok(Val::Null), |case| case.call(ev))
}

fn coalesce<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    for case in call.rest_lambdas() {
        let value = case.call(ev)?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Val::Null)
}
