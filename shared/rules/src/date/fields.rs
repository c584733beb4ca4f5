//! Reads the tokens of a date one after the other and collects what they tell.

use jiff::civil::Weekday;

use super::{
    day::{Day, Parts},
    token,
    words::{self, Unit},
};

/// What is known of the zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Zone {
    #[default]
    None,
    /// A name that tells no offset.
    Named,
    /// Seconds east of Greenwich.
    Offset(i64),
}

/// What a text tells of a time.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) day: Day,
    pub(super) weekday: Option<Weekday>,
    pub(super) hour: Option<i64>,
    pub(super) minute: Option<i64>,
    pub(super) second: Option<i64>,
    pub(super) microsecond: Option<i64>,
    pub(super) zone: Zone,
}

impl Fields {
    /// `None` where a token means nothing in its place. `year` is this year, for years of two digits.
    pub(super) fn read(text: &str, year: i16) -> Option<Fields> {
        let mut reader =
            Reader { tokens: token::tokens(text), at: 0, parts: Parts::default(), fields: Fields::default() };
        while reader.at < reader.tokens.len() {
            reader.step()?;
            reader.at += 1;
        }
        let day = reader.parts.resolve(year)?;
        Some(Fields { day, ..reader.fields })
    }

    /// Nothing at all was told.
    pub(super) fn is_empty(&self) -> bool {
        self.day == Day::default()
            && self.weekday.is_none()
            && [self.hour, self.minute, self.second, self.microsecond].iter().all(Option::is_none)
            && self.zone == Zone::None
    }
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
    parts: Parts,
    fields: Fields,
}

impl Reader {
    fn token(&self, ahead: usize) -> Option<&str> {
        self.tokens.get(self.at + ahead).map(String::as_str)
    }

    fn before(&self, back: usize) -> Option<&str> {
        self.at.checked_sub(back).and_then(|at| self.tokens.get(at)).map(String::as_str)
    }

    fn is(&self, ahead: usize, wanted: &str) -> bool {
        self.token(ahead) == Some(wanted)
    }

    fn step(&mut self) -> Option<()> {
        let token = self.token(0)?.to_owned();
        if token.starts_with(|first: char| first.is_ascii_digit()) {
            return self.number(&token);
        }
        if let Some(weekday) = words::weekday(&token) {
            self.fields.weekday = Some(weekday);
            return Some(());
        }
        if let Some(month) = words::month(&token) {
            return self.month(month);
        }
        if let Some(afternoon) = words::afternoon(&token) {
            let hour = self.fields.hour.filter(|hour| (0..=12).contains(hour))?;
            self.fields.hour = Some(on_the_clock(hour, afternoon));
            return Some(());
        }
        if self.is_zone_name(&token) {
            return self.zone_name(&token);
        }
        if self.fields.hour.is_some() && (token == "+" || token == "-") {
            return self.offset(if token == "+" { 1 } else { -1 });
        }
        words::is_filler(&token).then_some(())
    }

    fn is_zone_name(&self, token: &str) -> bool {
        let looks_so = token.chars().all(|char| char.is_ascii_uppercase()) || token == "z";
        self.fields.hour.is_some() && self.fields.zone == Zone::None && token.chars().count() <= 5 && looks_so
    }

    /// After `GMT+3` the sign is the other way round: the time is three hours behind of GMT.
    fn zone_name(&mut self, name: &str) -> Option<()> {
        self.fields.zone = if words::is_utc(name) { Zone::Offset(0) } else { Zone::Named };
        let at = self.at + 1;
        if let Some(sign) = self.tokens.get_mut(at).filter(|sign| *sign == "+" || *sign == "-") {
            *sign = if sign == "+" { "-".to_owned() } else { "+".to_owned() };
            self.fields.zone = Zone::None;
        }
        Some(())
    }

    fn offset(&mut self, sign: i64) -> Option<()> {
        let digits = self.token(1)?.to_owned();
        let (hours, minutes) = if digits.len() == 4 {
            let (hours, minutes) = digits.split_at_checked(2)?;
            (integer(hours)?, integer(minutes)?)
        } else if self.is(2, ":") {
            let minutes = integer(self.token(3)?)?;
            self.at += 2;
            (integer(&digits)?, minutes)
        } else if digits.len() <= 2 {
            (integer(&digits)?, 0)
        } else {
            return None;
        };
        self.fields.zone = Zone::Offset(sign * (hours * 3_600 + minutes * 60)).within_a_day()?;
        let named = self.token(2).is_some_and(words::is_filler) && self.is(3, "(") && self.is(5, ")");
        let name = self.token(4).filter(|name| (3..=5).contains(&name.len()));
        if named && name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_uppercase())) {
            self.at += 4;
        }
        self.at += 1;
        Some(())
    }

    /// After a month's name: `Jan-01`, `Jan-01-99`, `Jan of 01`.
    fn month(&mut self, month: i64) -> Option<()> {
        self.parts.push_month(month)?;
        let separator = self.token(1).filter(|next| matches!(*next, "-" | "/")).map(str::to_owned);
        if let Some(separator) = separator {
            let next = self.token(2)?.to_owned();
            self.parts.push_digits(&next)?;
            if self.is(3, &separator) {
                let last = self.token(4)?.to_owned();
                self.parts.push_digits(&last)?;
                self.at += 2;
            }
            self.at += 2;
        } else if self.is(1, " ")
            && self.is(3, " ")
            && self.token(2).is_some_and(|of| of.eq_ignore_ascii_case("of"))
            && let Some(year) = self.token(4).map(str::to_owned)
        {
            if year.bytes().all(|byte| byte.is_ascii_digit()) {
                self.parts.push_year(integer(&year)?)?;
            }
            self.at += 4;
        }
        Some(())
    }

    fn number(&mut self, text: &str) -> Option<()> {
        let value: f64 = text.parse().ok()?;
        let length = text.len();
        if self.parts.len() == 3 && matches!(length, 2 | 4) && self.fields.hour.is_none() && self.ends_the_day() {
            let (hour, minute) = text.split_at_checked(2)?;
            self.fields.hour = Some(integer(hour)?);
            self.fields.minute = if length == 4 { Some(integer(minute)?) } else { self.fields.minute };
        } else if length == 6 || (length > 6 && text.find('.') == Some(6)) {
            self.six_digits(text)?;
        } else if matches!(length, 8 | 12 | 14) {
            self.many_digits(text)?;
        } else if let Some((ahead, unit)) = self.unit() {
            self.at += ahead;
            self.assign(unit?, text, value)?;
        } else if self.is(1, ":") && self.token(2).is_some() {
            self.clock(value)?;
        } else if let Some(separator) = self.token(1).filter(|next| matches!(*next, "-" | "/" | ".")).map(str::to_owned)
        {
            self.separated(text, &separator)?;
        } else if self.token(1).is_none_or(words::is_filler) {
            match self.token(2).and_then(words::afternoon) {
                Some(afternoon) => {
                    self.fields.hour = Some(on_the_clock(whole(value)?, afternoon));
                    self.at += 1;
                }
                None => self.parts.push_number(whole(value)?)?,
            }
            self.at += 1;
        } else if let Some(afternoon) =
            self.token(1).and_then(words::afternoon).filter(|_| (0.0..24.0).contains(&value))
        {
            self.fields.hour = Some(on_the_clock(whole(value)?, afternoon));
            self.at += 1;
        } else if self.parts.could_be_day(value) {
            self.parts.push_number(whole(value)?)?;
        } else {
            return None;
        }
        Some(())
    }

    /// After year, month and day without a separator comes the time: `19990101T23[59]`.
    fn ends_the_day(&self) -> bool {
        self.token(1).is_none_or(|next| next != ":" && words::unit(next).is_none())
    }

    /// `YYMMDD`, or `HHMMSS[.ss]` where there is a day already.
    fn six_digits(&mut self, text: &str) -> Option<()> {
        let (first, rest) = text.split_at_checked(2)?;
        let (second, third) = rest.split_at_checked(2)?;
        if self.parts.len() == 0 && !text.contains('.') {
            return [first, second, third].into_iter().try_for_each(|digits| self.parts.push_digits(digits));
        }
        self.fields.hour = Some(integer(first)?);
        self.fields.minute = Some(integer(second)?);
        self.seconds(third)
    }

    /// `YYYYMMDD[hhmm[ss]]`
    fn many_digits(&mut self, text: &str) -> Option<()> {
        let (year, rest) = text.split_at_checked(4)?;
        let (month, rest) = rest.split_at_checked(2)?;
        let (day, time) = rest.split_at_checked(2)?;
        self.parts.push_four_digit_year(year)?;
        self.parts.push_digits(month)?;
        self.parts.push_digits(day)?;
        if let Some((hour, rest)) = time.split_at_checked(2) {
            let (minute, second) = rest.split_at_checked(2)?;
            self.fields.hour = Some(integer(hour)?);
            self.fields.minute = Some(integer(minute)?);
            self.fields.second = if second.is_empty() { self.fields.second } else { Some(integer(second)?) };
        }
        Some(())
    }

    /// The unit that belongs to the number here, and how far ahead it stands; `12h04` has none behind the last.
    fn unit(&self) -> Option<(usize, Option<Unit>)> {
        let ahead = |at: usize| self.token(at).and_then(words::unit);
        if let Some(unit) = ahead(1) {
            return Some((1, Some(unit)));
        }
        if let Some(unit) = ahead(2).filter(|_| self.is(1, " ")) {
            return Some((2, Some(unit)));
        }
        let is_last = self.at + 1 == self.tokens.len();
        let behind = self.before(1).and_then(words::unit);
        let behind =
            behind.or_else(|| self.before(2).and_then(words::unit).filter(|_| is_last && self.before(1) == Some(" ")));
        behind.map(|unit| (0, unit.following()))
    }

    fn assign(&mut self, unit: Unit, text: &str, value: f64) -> Option<()> {
        match unit {
            Unit::Hour => {
                self.fields.hour = Some(whole(value)?);
                if value.fract() > 0.0 {
                    self.fields.minute = Some(whole(60.0 * value.fract())?);
                }
                Some(())
            }
            Unit::Minute => self.minutes(value),
            Unit::Second => self.seconds(text),
        }
    }

    /// `HH:MM[:SS[.ss]]`
    fn clock(&mut self, hour: f64) -> Option<()> {
        self.fields.hour = Some(whole(hour)?);
        let minutes = self.token(2)?.parse().ok()?;
        self.minutes(minutes)?;
        if let Some(seconds) = self.token(4).filter(|_| self.is(3, ":")).map(str::to_owned) {
            self.seconds(&seconds)?;
            self.at += 2;
        }
        self.at += 2;
        Some(())
    }

    fn minutes(&mut self, value: f64) -> Option<()> {
        self.fields.minute = Some(whole(value)?);
        self.fields.second = if value.fract() > 0.0 { Some(whole(60.0 * value.fract())?) } else { None };
        Some(())
    }

    fn seconds(&mut self, text: &str) -> Option<()> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
        self.fields.second = Some(integer(whole)?);
        self.fields.microsecond = Some(integer(&digits)?);
        Some(())
    }

    /// `01-01[-01]`, `01-Jan[-01]`
    fn separated(&mut self, first: &str, separator: &str) -> Option<()> {
        self.parts.push_digits(first)?;
        if let Some(second) = self.token(2).filter(|next| !words::is_filler(next)).map(str::to_owned) {
            self.digits_or_month(&second)?;
            if self.is(3, separator) {
                let third = self.token(4)?.to_owned();
                self.digits_or_month(&third)?;
                self.at += 2;
            }
            self.at += 1;
        }
        self.at += 1;
        Some(())
    }

    fn digits_or_month(&mut self, text: &str) -> Option<()> {
        match words::month(text) {
            Some(month) => self.parts.push_month(month),
            None => self.parts.push_digits(text),
        }
    }
}

impl Zone {
    fn within_a_day(self) -> Option<Zone> {
        match self {
            Zone::Offset(seconds) if seconds.abs() >= 86_400 => None,
            other => Some(other),
        }
    }
}

fn on_the_clock(hour: i64, afternoon: bool) -> i64 {
    match (hour, afternoon) {
        (..12, true) => hour + 12,
        (12, false) => 0,
        _ => hour,
    }
}

fn integer(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.abs() < 1_000_000_000_000)
}

#[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
fn whole(value: f64) -> Option<i64> {
    (value.abs() < 1e12).then_some(value as i64)
}
