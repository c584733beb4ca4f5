//! Which of up to three numbers is the year, the month and the day.

/// Numbers that make up a day, in the order of the text, and what is known of them.
#[derive(Default)]
pub(super) struct Parts {
    numbers: Vec<i64>,
    year: Option<usize>,
    month: Option<usize>,
    /// Was a year written with its century?
    century: bool,
}

/// What they came out as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) year: Option<i64>,
    pub(super) month: Option<i64>,
    pub(super) day: Option<i64>,
}

impl Parts {
    pub(super) const fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Digits as written: three or more are a year.
    pub(super) fn push_digits(&mut self, digits: &str) -> Option<()> {
        let is_year = digits.len() > 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        self.push(digits.parse().ok()?, is_year)
    }

    /// A number: over a hundred it is a year.
    pub(super) fn push_number(&mut self, number: i64) -> Option<()> {
        self.push(number, number > 100)
    }

    pub(super) fn push_month(&mut self, number: i64) -> Option<()> {
        if self.month.is_some() {
            return None;
        }
        self.month = Some(self.numbers.len());
        self.numbers.push(number);
        Some(())
    }

    /// Four digits: a year with its century.
    pub(super) fn push_four_digit_year(&mut self, digits: &str) -> Option<()> {
        self.push(digits.parse().ok()?, true)
    }

    /// A year, perhaps without its century.
    pub(super) fn push_year(&mut self, number: i64) -> Option<()> {
        self.century |= number > 99;
        if self.year.is_some() {
            return None;
        }
        self.year = Some(self.numbers.len());
        self.numbers.push(number);
        Some(())
    }

    fn push(&mut self, number: i64, is_year: bool) -> Option<()> {
        self.century |= is_year;
        if is_year {
            return self.push_year(number);
        }
        self.numbers.push(number);
        Some(())
    }

    /// Could `number` be the day of the month?
    pub(super) fn could_be_day(&self, number: f64) -> bool {
        let at = |index: Option<usize>| index.and_then(|index| self.numbers.get(index)).copied();
        let last = match (at(self.month), at(self.year)) {
            (None, _) => Some(31),
            (Some(month), year) => days_in_month(year.unwrap_or(2000), month),
        };
        last.is_some_and(|last| (1.0..=f64::from(last)).contains(&number))
    }

    /// Decides. `None` where there are too many numbers.
    pub(super) fn resolve(&self, today: i16) -> Option<Day> {
        let mut day = self.assign()?;
        day.year = day.year.map(|year| if self.century { year } else { with_century(year, i64::from(today)) });
        Some(day)
    }

    fn assign(&self) -> Option<Day> {
        let of = |year, month, day| Some(Day { year, month, day });
        match (self.numbers.as_slice(), self.year, self.month) {
            ([], ..) => of(None, None, None),
            ([year], Some(_), _) => of(Some(*year), None, None),
            ([month], _, Some(_)) => of(None, Some(*month), None),
            ([other], ..) if *other > 31 => of(Some(*other), None, None),
            ([day], ..) => of(None, None, Some(*day)),
            ([_, _], Some(year), Some(month)) => of(self.at(year), self.at(month), None),
            ([_, _], _, Some(month)) => match self.at(1 - month.min(1))? {
                year if year > 31 => of(Some(year), self.at(month), None),
                day => of(None, self.at(month), Some(day)),
            },
            ([year, month], ..) if *year > 31 => of(Some(*year), Some(*month), None),
            ([month, year], ..) if *year > 31 => of(Some(*year), Some(*month), None),
            ([month, day], ..) => of(None, Some(*month), Some(*day)),
            ([a, b, c], year, month) => Some(three([*a, *b, *c], year, month)),
            _ => None,
        }
    }

    fn at(&self, index: usize) -> Option<i64> {
        self.numbers.get(index).copied()
    }
}

fn three(numbers: [i64; 3], year: Option<usize>, month: Option<usize>) -> Day {
    let of = |year, month, day| Day { year: Some(year), month: Some(month), day: Some(day) };
    let [a, b, c] = numbers;
    match (year, month) {
        (Some(0), Some(1)) => of(a, b, c),
        (Some(0), Some(_)) => of(a, c, b),
        (Some(1), Some(0)) => of(b, a, c),
        (Some(1), Some(_)) => of(b, c, a),
        (Some(_), Some(0)) => of(c, a, b),
        (Some(_), Some(_)) => of(c, b, a),
        (None, Some(0)) if b > 31 => of(b, a, c),
        (None, Some(0)) => of(c, a, b),
        (None, Some(1)) if a > 31 => of(a, b, c),
        (None, Some(1)) => of(c, b, a),
        (None, Some(_)) if b > 31 => of(b, c, a),
        (None, Some(_)) => of(a, c, b),
        (Some(0), None) => of(a, b, c),
        (_, None) if a > 31 => of(a, b, c),
        (_, None) if a > 12 => of(c, b, a),
        (_, None) => of(c, a, b),
    }
}

/// A year of two digits is the one that is nearest to this year.
fn with_century(year: i64, today: i64) -> i64 {
    if year >= 100 {
        return year;
    }
    match year + today - today.rem_euclid(100) {
        far if far >= today + 50 => far - 100,
        far if far < today - 50 => far + 100,
        near => near,
    }
}

fn days_in_month(year: i64, month: i64) -> Option<i8> {
    let first = jiff::civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
    Some(first.days_in_month())
}
