//! Numbers.

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Res, bad, fail, fail_with_hint};
use super::super::operators::{Num, extreme, floor_modulo};
use super::super::overload::{As, Row};
use super::super::value::Val;
use crate::python::{parse_float, parse_int};

pub(super) const FUNCTIONS: &[Row] = &[
    ("abs", As::Function, "op:number", abs),
    ("int", As::Function, "value:any", int),
    ("float", As::Function, "value:any", float),
    ("pow", As::Function, "a:number b:number c:number?=", pow),
    ("sign", As::Function, "num:number", sign),
    ("round", As::Function, "number:number ndigits:int=", round),
    ("max", As::Function, "a:any b:any", |ev, call| extreme(ev, call.val(0), call.val(1), false)),
    ("min", As::Function, "a:any b:any", |ev, call| extreme(ev, call.val(0), call.val(1), true)),
    ("random", As::Function, "", random),
    ("random", As::Function, "from:any to:any", random_between),
    ("bitwiseAnd", As::Function, "left:int right:int", |_, call| bits(call, |a, b| a & b)),
    ("bitwiseOr", As::Function, "left:int right:int", |_, call| bits(call, |a, b| a | b)),
    ("bitwiseXor", As::Function, "left:int right:int", |_, call| bits(call, |a, b| a ^ b)),
    ("bitwiseNot", As::Function, "arg:int", |_, call| Ok(Val::Int(!exact(call, 0)))),
    ("shiftBitsLeft", As::Function, "value:int bitsNumber:int", shift_left),
    ("shiftBitsRight", As::Function, "value:int bitsNumber:int", shift_right),
    ("isInteger", As::Function, "value:any", |_, call| Ok(Val::Bool(matches!(call.val(0), Val::Int(_))))),
    ("isNumber", As::Function, "value:any", |_, call| Ok(Val::Bool(Num::of(&call.val(0)).is_some()))),
];

fn exact(call: &Call<'_>, index: usize) -> i128 {
    call.given(index).and_then(Val::as_int).unwrap_or_default()
}

fn number(call: &Call<'_>, index: usize) -> Num {
    call.given(index).and_then(Num::of).unwrap_or(Num::Int(0))
}

fn bits<'a>(call: &Call<'a>, apply: fn(i128, i128) -> i128) -> Res<Val<'a>> {
    Ok(Val::Int(apply(exact(call, 0), exact(call, 1))))
}

/// A float that came out of a computation with finite ones.
fn finite<'a>(number: f64) -> Res<Val<'a>> {
    if number.is_finite() { Ok(Val::Float(number)) } else { bad("the number is too large") }
}

fn abs<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    Ok(match number(call, 0) {
        Num::Int(number) => Val::Int(number.saturating_abs()),
        Num::Float(number) => Val::Float(number.abs()),
    })
}

fn int<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match call.val(0) {
        Val::Null => Ok(Val::Int(0)),
        Val::Bool(value) => Ok(Val::Int(i128::from(value))),
        number @ Val::Int(_) => Ok(number),
        Val::Float(number) => truncated(number),
        Val::Str(text) => match parse_int(&text) {
            Some(number) => Ok(match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Val::Int(i128::from(number)),
                (_, Some(number)) => Val::Int(i128::from(number)),
                _ => Val::Float(number.as_f64().unwrap_or_default()),
            }),
            None => bad("the text isn't an integer"),
        },
        other => fail(Class::Type, format!("{} can't be an integer", other.type_name())),
    }
}

fn truncated<'a>(number: f64) -> Res<Val<'a>> {
    const MOST: f64 = 1e38;
    if !number.is_finite() {
        return bad("infinities and NaN are no integers");
    }
    if number.abs() > MOST {
        return Ok(Val::Float(number.trunc()));
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is within the range, and the fraction is to go")]
    Ok(Val::Int(number as i128))
}

fn float<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match call.val(0) {
        Val::Null => Ok(Val::Float(0.0)),
        Val::Bool(value) => Ok(Val::Float(f64::from(u8::from(value)))),
        Val::Str(text) => match parse_float(&text) {
            Some(number) => Ok(Val::Float(number)),
            None => bad("the text isn't a number"),
        },
        other => match Num::of(&other) {
            Some(number) => Ok(Val::Float(number.float())),
            None => fail(Class::Type, format!("{} can't be a number", other.type_name())),
        },
    }
}

fn pow<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (base, exponent) = (number(call, 0), number(call, 1));
    match call.given(2).filter(|modulus| !modulus.is_null()) {
        Some(modulus) => match (base, exponent, modulus) {
            (Num::Int(base), Num::Int(exponent), Val::Int(modulus)) => pow_modulo(base, exponent, *modulus),
            _ => fail(Class::Type, "`pow` with three arguments needs integers"),
        },
        None => match (base, exponent) {
            (Num::Int(base), Num::Int(exponent)) if exponent >= 0 => {
                let exact = u32::try_from(exponent).ok().and_then(|exponent| base.checked_pow(exponent));
                match exact {
                    Some(number) => Ok(Val::Int(number)),
                    None => finite(Num::Int(base).float().powf(Num::Int(exponent).float())),
                }
            }
            (base, exponent) if base.float() == 0.0 && exponent.float() < 0.0 => bad("zero has no negative power"),
            (base, exponent) => finite(base.float().powf(exponent.float())),
        },
    }
}

fn pow_modulo<'a>(base: i128, exponent: i128, modulus: i128) -> Res<Val<'a>> {
    if modulus == 0 {
        return bad("the modulus is zero");
    }
    if exponent < 0 || modulus.unsigned_abs() > u128::from(u64::MAX) {
        return fail(
            Class::Unsupported,
            "`pow` with three arguments takes a positive exponent and a modulus of 64 bits",
        );
    }
    let size = modulus.unsigned_abs();
    let mut power = base.rem_euclid(i128::try_from(size).unwrap_or(i128::MAX)).unsigned_abs();
    let (mut left, mut result) = (exponent, 1 % size);
    while left > 0 {
        if left & 1 == 1 {
            result = result * power % size;
        }
        power = power * power % size;
        left >>= 1;
    }
    let result = i128::try_from(result).unwrap_or_default();
    Ok(Val::Int(floor_modulo(result, modulus).unwrap_or_default()))
}

fn sign<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let number = number(call, 0).float();
    Ok(Val::Int(i128::from(number > 0.0) - i128::from(number < 0.0)))
}

fn round<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    const MOST_DIGITS: i64 = 400;
    let digits = call.int(1, 0).clamp(-MOST_DIGITS, MOST_DIGITS);
    match number(call, 0) {
        Num::Int(number) => Ok(Val::Int(round_integer(number, digits))),
        Num::Float(number) if !number.is_finite() => Ok(Val::Float(number)),
        Num::Float(number) => match usize::try_from(digits) {
            // The exact value of the float decides, as in Python.
            Ok(digits) => Ok(Val::Float(format!("{number:.digits$}").parse().unwrap_or(number))),
            Err(_) => {
                let unit = 10_f64.powf(-Num::Int(i128::from(digits)).float());
                Ok(Val::Float(if unit.is_finite() { (number / unit).round_ties_even() * unit } else { 0.0 }))
            }
        },
    }
}

/// To the nearest multiple of a power of ten, the even one where two are as near.
fn round_integer(number: i128, digits: i64) -> i128 {
    if digits >= 0 {
        return number;
    }
    let unit = u32::try_from(-digits).ok().and_then(|digits| 10_i128.checked_pow(digits));
    let Some(unit) = unit else { return 0 };
    let (quotient, rest) = (number.div_euclid(unit), number.rem_euclid(unit));
    let up = match (rest * 2).cmp(&unit) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    (quotient + i128::from(up)).saturating_mul(unit)
}

fn shift_left<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (value, count) = (exact(call, 0), exact(call, 1));
    if count < 0 {
        return bad("bits can't be shifted by a negative number");
    }
    let factor = u32::try_from(count).ok().filter(|count| *count < 126).and_then(|count| 1_i128.checked_shl(count));
    match factor.and_then(|factor| value.checked_mul(factor)) {
        Some(number) => Ok(Val::Int(number)),
        None if value == 0 => Ok(Val::Int(0)),
        None => finite(Num::Int(value).float() * 2_f64.powf(Num::Int(count).float())),
    }
}

fn shift_right<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (value, count) = (exact(call, 0), exact(call, 1));
    if count < 0 {
        return bad("bits can't be shifted by a negative number");
    }
    Ok(Val::Int(value >> count.min(127)))
}

/// 64 random bits, the next ones of a sequence that the context's seed begins.
fn random_bits(ev: &Eval<'_>) -> Res<u64> {
    let Some(state) = ev.random.get() else {
        return fail_with_hint(
            Class::Unsupported,
            "`random` isn't there: here an expression gives the same value each time",
            "choose in an action",
        );
    };
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    ev.random.set(Some(state));
    let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Ok(bits ^ (bits >> 31))
}

fn random<'a>(ev: &Eval<'a>, _: &Call<'a>) -> Res<Val<'a>> {
    const PRECISION: u32 = 53;
    let bits = i128::from(random_bits(ev)? >> (u64::BITS - PRECISION));
    Ok(Val::Float(Num::Int(bits).float() / 2_f64.powf(f64::from(PRECISION))))
}

fn random_between<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (Some(from), Some(to)) = (call.val(0).as_int(), call.val(1).as_int()) else {
        return bad("`random` needs two integers");
    };
    match to.checked_sub(from).filter(|width| *width >= 0).and_then(|width| width.checked_add(1)) {
        Some(width) => Ok(Val::Int(from + i128::from(random_bits(ev)?) % width)),
        None => bad("`random` needs a smaller and a larger integer"),
    }
}
