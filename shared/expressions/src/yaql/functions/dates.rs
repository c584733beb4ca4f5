//! Dates and timespans.

use super::super::call::Call;
use super::super::clock::{self, Time};
use super::super::eval::Eval;
use super::super::fail::{Class, Res, bad, fail, fail_with_hint};
use super::super::operators::Num;
use super::super::overload::{As, Row};
use super::super::value::Val;

pub(super) const FUNCTIONS: &[Row] = &[
    (
        "datetime",
        As::Function,
        "year:int month:int day:int hour:int= minute:int= second:int= microsecond:int= offset:span=",
        of_fields,
    ),
    ("datetime", As::Function, "string:str format:str?=", of_text),
    ("datetime", As::Function, "timestamp:number offset:span=", of_timestamp),
    (
        "timespan",
        As::Function,
        "days:int= hours:int= minutes:int= seconds:integer= milliseconds:integer= microseconds:integer=",
        timespan,
    ),
    ("now", As::Function, "offset:span?=", now),
    ("localtz", As::Function, "", |_, _| Ok(Val::Span(0))),
    ("utctz", As::Function, "", |_, _| Ok(Val::Span(0))),
    (
        "replace",
        As::Method,
        "dt:time year:int?= month:int?= day:int?= hour:int?= minute:int?= second:int?= microsecond:int?= offset:span?=",
        replace,
    ),
    ("format", As::Method, "dt:time format:str", format),
    ("isDatetime", As::Function, "value:any", |_, call| Ok(Val::Bool(matches!(call.val(0), Val::Time(_))))),
    ("isTimespan", As::Function, "value:any", |_, call| Ok(Val::Bool(matches!(call.val(0), Val::Span(_))))),
];

fn offset(call: &Call<'_>, index: usize) -> i64 {
    match call.given(index) {
        Some(Val::Span(micros)) => *micros,
        _ => 0,
    }
}

fn of_fields<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let fields = std::array::from_fn(|index| call.int(index, 0));
    Time::of(fields, offset(call, 7)).map(Val::Time)
}

fn of_text<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match call.opt_str(1).filter(|format| !format.is_empty()) {
        Some(format) => clock::parse_as(call.str(0), format),
        None => clock::guess(call.str(0), ev.context.now()),
    }
    .map(Val::Time)
}

fn of_timestamp<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    const MICROS: f64 = 1e6;
    let timestamp = call.given(0).and_then(Num::of).map_or(0.0, Num::float);
    match clock::span_of_float(timestamp * MICROS) {
        Ok(Val::Span(micros)) => Time::at(i128::from(micros), offset(call, 1)).map(Val::Time),
        _ => bad("the date is out of range"),
    }
}

fn timespan<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    const UNITS: [i128; 6] = [86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1000, 1];
    let micros = UNITS.iter().enumerate().map(|(index, unit)| i128::from(call.int(index, 0)) * unit);
    clock::span(micros.sum())
}

fn now<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match ev.context.now() {
        Some(now) => Time::at(now, offset(call, 0)).map(Val::Time),
        None => fail_with_hint(
            Class::Unsupported,
            "`now` isn't there: here an expression gives the same value each time",
            "take the time from the trigger or from a task's result",
        ),
    }
}

fn replace<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let Val::Time(time) = call.val(0) else { return fail(Class::NoMatch, "a date is needed here") };
    let mut fields = time.fields();
    for (index, field) in fields.iter_mut().enumerate() {
        *field = call.opt_int(index + 1).unwrap_or(*field);
    }
    let offset = match call.given(8) {
        Some(Val::Span(micros)) => *micros,
        _ => time.offset(),
    };
    Time::of(fields, offset).map(Val::Time)
}

fn format<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let Val::Time(time) = call.val(0) else { return fail(Class::NoMatch, "a date is needed here") };
    ev.text(clock::write_as(time, call.str(1))?)
}
