//! `strftime` and `strptime`.

use super::{DAY, SECOND, Time, offset_text};
use crate::yaql::fail::{Res, bad};

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The longest pattern that is written or read.
const LONGEST: usize = 4096;

fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

/// The name at a position from 0.
fn named(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

/// The date as the pattern has it.
pub(in crate::yaql) fn write_as(time: Time, pattern: &str) -> Res<String> {
    if pattern.len() > LONGEST {
        return bad("the format of the date is too long");
    }
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some(code) => write_field(time, code, &mut out),
                None => out.push('%'),
            },
            c => out.push(c),
        }
    }
    Ok(out)
}

fn write_field(time: Time, code: char, out: &mut String) {
    let [year, month, day, hour, minute, second, micro] = time.fields();
    let civil = time.civil();
    let weekday = i64::from(civil.weekday().to_monday_zero_offset());
    let year_day = i64::from(civil.date().day_of_year());
    let iso = civil.date().iso_week_date();
    let hour12 = (hour + 11) % 12 + 1;
    let text = match code {
        'a' => short(named(&DAYS, weekday)).to_owned(),
        'A' => named(&DAYS, weekday).to_owned(),
        'w' => ((weekday + 1) % 7).to_string(),
        'u' => (weekday + 1).to_string(),
        'd' => format!("{day:02}"),
        'e' => format!("{day:2}"),
        'b' | 'h' => short(named(&MONTHS, month - 1)).to_owned(),
        'B' => named(&MONTHS, month - 1).to_owned(),
        'm' => format!("{month:02}"),
        'y' => format!("{:02}", year % 100),
        'Y' => year.to_string(),
        'C' => format!("{:02}", year / 100),
        'H' => format!("{hour:02}"),
        'I' => format!("{hour12:02}"),
        'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'M' => format!("{minute:02}"),
        'S' => format!("{second:02}"),
        'f' => format!("{micro:06}"),
        'z' => offset_text(time.offset(), ""),
        'Z' => if time.offset() == 0 { "UTC" } else { "" }.to_owned(),
        'j' => format!("{year_day:03}"),
        'U' => format!("{:02}", (year_day + 6 - (weekday + 1) % 7) / 7),
        'W' => format!("{:02}", (year_day + 6 - weekday) / 7),
        'G' => iso.year().to_string(),
        'V' => format!("{:02}", iso.week()),
        's' => (time.instant() / SECOND).to_string(),
        'n' => "\n".to_owned(),
        't' => "\t".to_owned(),
        '%' => "%".to_owned(),
        code => return write_composed(time, code, out),
    };
    out.push_str(&text);
}

fn write_composed(time: Time, code: char, out: &mut String) {
    let parts = match code {
        'c' => "a b e H:M:S Y",
        'x' | 'D' => "m/d/y",
        'X' | 'T' => "H:M:S",
        'F' => "Y-m-d",
        'R' => "H:M",
        'r' => "I:M:S p",
        code => return out.extend(['%', code]),
    };
    for part in parts.chars() {
        if part.is_ascii_alphabetic() { write_field(time, part, out) } else { out.push(part) }
    }
}

/// What was read of a date so far.
struct Read<'t> {
    rest: &'t str,
    fields: [i64; 7],
    afternoon: Option<bool>,
    offset: Option<i64>,
    year_day: Option<i64>,
}

/// The date that a text is in the pattern. Nothing where it isn't.
pub(in crate::yaql) fn parse_as(text: &str, pattern: &str) -> Res<Time> {
    if pattern.len() > LONGEST || text.len() > LONGEST {
        return bad("the date or its format is too long");
    }
    let mut read = Read { rest: text, fields: [1900, 1, 1, 0, 0, 0, 0], afternoon: None, offset: None, year_day: None };
    if read.pattern(pattern).is_none() || !read.rest.is_empty() {
        return bad("the date isn't in this format");
    }
    let [year, month, day, hour, minute, second, micro] = read.fields;
    let hour = match read.afternoon {
        Some(true) => hour % 12 + 12,
        Some(false) => hour % 12,
        None => hour,
    };
    let time = Time::of([year, month, day, hour, minute, second, micro], read.offset.unwrap_or(0))?;
    match read.year_day {
        Some(year_day) => {
            let first = Time::of([year, 1, 1, hour, minute, second, micro], time.offset)?;
            Time::new(i128::from(first.local) + i128::from(DAY) * i128::from(year_day - 1), time.offset)
        }
        None => Ok(time),
    }
}

impl Read<'_> {
    fn pattern(&mut self, pattern: &str) -> Option<()> {
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => self.field(chars.next()?)?,
                c if c.is_whitespace() => self.rest = self.rest.trim_start(),
                c => self.rest = self.rest.strip_prefix(c)?,
            }
        }
        Some(())
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let end = self.rest.bytes().take(digits).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        number.parse().ok()
    }

    fn name(&mut self, names: &[&'static str], shortened: bool) -> Option<i64> {
        for (index, name) in names.iter().enumerate() {
            let name = if shortened { short(name) } else { name };
            let Some((start, rest)) = self.rest.split_at_checked(name.len()) else { continue };
            if start.eq_ignore_ascii_case(name) {
                self.rest = rest;
                return i64::try_from(index).ok();
            }
        }
        None
    }

    fn set(&mut self, index: usize, value: i64) -> Option<()> {
        *self.fields.get_mut(index)? = value;
        Some(())
    }

    fn field(&mut self, code: char) -> Option<()> {
        match code {
            'Y' => {
                let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
                let year = self.number(4).filter(|_| digits >= 4)?;
                self.set(0, year)
            }
            'y' => {
                let year = self.number(2)?;
                self.set(0, if year < 69 { 2000 + year } else { 1900 + year })
            }
            'm' => self.number(2).and_then(|month| self.set(1, month)),
            'd' | 'e' => self.number(2).and_then(|day| self.set(2, day)),
            'H' => self.number(2).and_then(|hour| self.set(3, hour)),
            'I' => self.number(2).filter(|hour| (1..=12).contains(hour)).and_then(|hour| self.set(3, hour)),
            'M' => self.number(2).and_then(|minute| self.set(4, minute)),
            'S' => self.number(2).and_then(|second| self.set(5, second)),
            'f' => {
                let digits = self.rest.bytes().take(6).take_while(u8::is_ascii_digit).count();
                let fraction = self.number(6)?;
                self.set(6, fraction * 10_i64.pow(u32::try_from(6_usize.saturating_sub(digits)).ok()?))
            }
            'p' => {
                let half = self.name(&["AM", "PM"], false)?;
                self.afternoon = Some(half == 1);
                self.afternoon.map(|_| ())
            }
            code => self.other_field(code),
        }
    }

    fn other_field(&mut self, code: char) -> Option<()> {
        match code {
            'b' | 'h' => self.name(&MONTHS, true).and_then(|month| self.set(1, month + 1)),
            'B' => self.name(&MONTHS, false).and_then(|month| self.set(1, month + 1)),
            'a' => self.name(&DAYS, true).map(|_| ()),
            'A' => self.name(&DAYS, false).map(|_| ()),
            'j' => {
                self.year_day = Some(self.number(3).filter(|day| (1..=366).contains(day))?);
                Some(())
            }
            'z' => {
                let (offset, rest) = read_offset(self.rest)?;
                (self.offset, self.rest) = (Some(offset), rest);
                Some(())
            }
            'Z' => {
                self.rest = ["UTC", "GMT"].iter().find_map(|zone| self.rest.strip_prefix(zone))?;
                Some(())
            }
            'w' | 'u' => self.number(1).map(|_| ()),
            '%' => {
                self.rest = self.rest.strip_prefix('%')?;
                Some(())
            }
            'T' | 'X' => self.pattern("%H:%M:%S"),
            'D' | 'x' => self.pattern("%m/%d/%y"),
            'F' => self.pattern("%Y-%m-%d"),
            'R' => self.pattern("%H:%M"),
            'c' => self.pattern("%a %b %d %H:%M:%S %Y"),
            _ => None,
        }
    }
}

/// `Z`, `+03`, `+0300`, `+03:00`, and what follows.
pub(super) fn read_offset(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let mut rest = text.get(1..)?;
    let mut seconds = 0;
    for (index, unit) in [3600, 60, 1].into_iter().enumerate() {
        let digits = if index > 0 { rest.strip_prefix(':').unwrap_or(rest) } else { rest };
        let Some((number, after)) = digits.split_at_checked(2) else { break };
        let Some(number) = Some(number).filter(|n| n.bytes().all(|b| b.is_ascii_digit())) else {
            break;
        };
        seconds += number.parse::<i64>().ok()? * unit;
        rest = after;
    }
    (rest.len() < text.len() - 1).then_some((sign * seconds * SECOND, rest))
}
