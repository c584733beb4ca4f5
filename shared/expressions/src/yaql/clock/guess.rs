//! Dates in whatever form they were written, as `dateutil` reads them.

use super::format::{MONTHS, read_offset};
use super::{DAY, Time};
use crate::yaql::fail::{Class, Res, bad, fail_with_hint};

/// The longest date that is read.
const LONGEST: usize = 256;

/// What a part of the text says.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// The number and how many digits it has.
    Number(i64, usize),
    Month(i64),
}

#[derive(Default)]
struct Guess {
    /// Parts of the day: which of year, month and day each is comes out at the end.
    date: Vec<Part>,
    /// Hour, minute, second, microsecond.
    time: Option<[i64; 4]>,
    afternoon: Option<bool>,
    offset: Option<i64>,
}

/// The date that a text is. What it doesn't say is that of midnight of the day of `now`.
pub(in crate::yaql) fn guess(text: &str, now: Option<i128>) -> Res<Time> {
    if text.len() > LONGEST {
        return bad("the date is too long");
    }
    let mut guess = Guess::default();
    if guess.read(text.trim()).is_none() {
        return bad("the text isn't a date that is understood");
    }
    guess.finish(now)
}

const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const FILLERS: [&str; 9] = ["at", "on", "and", "ad", "of", "st", "nd", "rd", "th"];

impl Guess {
    fn read(&mut self, text: &str) -> Option<()> {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = match c {
                c if c.is_ascii_digit() => self.numbers(rest)?,
                c if c.is_ascii_alphabetic() => self.word(rest)?,
                '+' | '-' if self.time.is_some() && self.offset.is_none() => {
                    let (offset, rest) = read_offset(rest)?;
                    self.offset = Some(offset);
                    rest
                }
                ' ' | ',' | '-' | '/' | '.' | ';' | '\'' => rest.get(1..)?,
                _ => return None,
            };
        }
        (!self.date.is_empty() || self.time.is_some()).then_some(())
    }

    fn numbers<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at_checked(end)?;
        let after_date = !self.date.is_empty() || self.time.is_some();
        if rest.starts_with(':') && self.time.is_none() {
            return self.clock(digits, rest);
        }
        if let Some(hour) = self.hour_before_half(digits, rest) {
            self.time = Some([hour, 0, 0, 0]);
            return Some(rest);
        }
        match digits.len() {
            8 | 12 | 14 if !after_date => {
                let (year, others) = digits.split_at_checked(4)?;
                let (month, others) = others.split_at_checked(2)?;
                let (day, time) = others.split_at_checked(2)?;
                self.date.push(number(year)?);
                self.date.extend([number(month)?, number(day)?]);
                self.compact_time(time, rest)
            }
            6 if !after_date => {
                let (first, others) = digits.split_at_checked(2)?;
                let (second, third) = others.split_at_checked(2)?;
                self.date.extend([number(first)?, number(second)?, number(third)?]);
                Some(rest)
            }
            2 | 4 | 6 if self.time.is_none() && self.date.len() >= 3 => self.compact_time(digits, rest),
            _ if self.date.len() < 3 => {
                self.date.push(number(digits)?);
                Some(rest)
            }
            _ => None,
        }
    }

    /// The hour in `10 am`.
    fn hour_before_half(&self, digits: &str, rest: &str) -> Option<i64> {
        let word = rest.trim_start().get(..2)?.to_ascii_lowercase();
        let half = word == "am" || word == "pm";
        digits.parse().ok().filter(|hour| half && self.time.is_none() && (1..=12).contains(hour))
    }

    /// `10:36`, `10:36:28`, `10:36:28.5`.
    fn clock<'t>(&mut self, hour: &str, rest: &'t str) -> Option<&'t str> {
        let mut time = [hour.parse().ok()?, 0, 0, 0];
        let mut rest = rest;
        for field in time.iter_mut().skip(1).take(2) {
            let Some(after) = rest.strip_prefix(':') else { break };
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (digits, left) = after.split_at_checked(end)?;
            *field = digits.parse().ok()?;
            rest = left;
        }
        self.time = Some(time);
        self.fraction(rest)
    }

    /// Hours, minutes and seconds without anything between.
    fn compact_time<'t>(&mut self, digits: &str, rest: &'t str) -> Option<&'t str> {
        if digits.is_empty() {
            return Some(rest);
        }
        let mut time = [0; 4];
        for (index, field) in time.iter_mut().enumerate().take(3) {
            if let Some(part) = digits.get(index * 2..index * 2 + 2) {
                *field = part.parse().ok()?;
            }
        }
        self.time = Some(time);
        self.fraction(rest)
    }

    fn fraction<'t>(&mut self, rest: &'t str) -> Option<&'t str> {
        let Some(after) = rest.strip_prefix(['.', ',']).filter(|after| after.starts_with(|c: char| c.is_ascii_digit()))
        else {
            return Some(rest);
        };
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (digits, rest) = after.split_at_checked(end)?;
        let micros: String = digits.chars().chain(std::iter::repeat('0')).take(6).collect();
        if let Some([.., micro]) = &mut self.time {
            *micro = micros.parse().ok()?;
        }
        Some(rest)
    }

    fn word<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "t" => {}
            "am" | "pm" | "a" | "p" => self.afternoon = Some(lower.starts_with('p')),
            "z" | "utc" | "gmt" => self.offset = Some(0),
            lower if FILLERS.contains(&lower) => {}
            lower => {
                let full = |name: &&str| name.to_ascii_lowercase();
                let month = MONTHS.iter().position(|name| {
                    let name = full(name);
                    name == lower
                        || (lower.len() == 3 && name.starts_with(lower))
                        || (lower == "sept" && name == "september")
                });
                match month {
                    Some(month) => self.date.push(Part::Month(i64::try_from(month).ok()? + 1)),
                    None => {
                        let day = DAY_NAMES.iter().any(|day| lower.starts_with(day));
                        day.then_some(())?;
                    }
                }
            }
        }
        Some(rest)
    }

    fn finish(self, now: Option<i128>) -> Res<Time> {
        let whole = self.date.len() >= 3;
        let today = match now {
            Some(now) => Time::new(now - now.rem_euclid(i128::from(DAY)), 0)?.fields(),
            None if whole => [1, 1, 1, 0, 0, 0, 0],
            None => {
                return fail_with_hint(Class::Unsupported, "the date isn't complete", "write year, month and day");
            }
        };
        let Some([year, month, day]) = self.day(today) else { return bad("there is no such date") };
        let [mut hour, minute, second, micro] = self.time.unwrap_or_default();
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        Time::of([year, month, day, hour, minute, second, micro], self.offset.unwrap_or(0))
    }

    /// Year, month and day out of the parts, in the order that fits.
    fn day(&self, [year, month, day, ..]: [i64; 7]) -> Option<[i64; 3]> {
        use Part::{Month, Number};
        let found = match self.date.as_slice() {
            [] => [year, month, day],
            [Month(m)] => [year, *m, day],
            [Number(n, digits)] if *digits > 2 => [*n, month, day],
            [Number(n, _)] if *n > 31 => [century(*n, 2), month, day],
            [Number(n, _)] => [year, month, *n],
            [Month(m), Number(n, digits)] | [Number(n, digits), Month(m)] => {
                if *n > 31 || *digits > 2 {
                    [century(*n, *digits), *m, day]
                } else {
                    [year, *m, *n]
                }
            }
            [Number(a, da), Number(b, db)] => match (a, b) {
                _ if *a > 31 || *da > 2 => [century(*a, *da), *b, day],
                _ if *b > 31 || *db > 2 => [century(*b, *db), *a, day],
                _ if *a > 12 => [year, *b, *a],
                _ => [year, *a, *b],
            },
            [Number(d, dd), Month(m), Number(y, dy)] => {
                if *d > 31 || *dd > 2 {
                    [century(*d, *dd), *m, *y]
                } else {
                    [century(*y, *dy), *m, *d]
                }
            }
            [Month(m), Number(d, dd), Number(y, dy)] => {
                if *d > 31 || *dd > 2 {
                    [century(*d, *dd), *m, *y]
                } else {
                    [century(*y, *dy), *m, *d]
                }
            }
            [Number(y, dy), Number(d, _), Month(m)] => [century(*y, *dy), *m, *d],
            [Number(a, da), Number(b, _), Number(c, dc)] => {
                if *a > 31 || *da > 2 {
                    if *b > 12 { [century(*a, *da), *c, *b] } else { [century(*a, *da), *b, *c] }
                } else if *a > 12 {
                    [century(*c, *dc), *b, *a]
                } else {
                    [century(*c, *dc), *a, *b]
                }
            }
            _ => return None,
        };
        let [year, month, mut day] = found;
        if self.date.len() < 3 {
            day = day.min(last_day(year, month)?);
        }
        Some([year, month, day])
    }
}

fn number(digits: &str) -> Option<Part> {
    Some(Part::Number(digits.parse().ok()?, digits.len()))
}

/// The year that two digits mean: of this century, or of the last one from 76 on.
fn century(year: i64, digits: usize) -> i64 {
    match (digits, year) {
        (3.., _) => year,
        (_, 0..=75) => 2000 + year,
        (_, 76..=99) => 1900 + year,
        _ => year,
    }
}

fn last_day(year: i64, month: i64) -> Option<i64> {
    let first = jiff::civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
    Some(i64::from(first.days_in_month()))
}
