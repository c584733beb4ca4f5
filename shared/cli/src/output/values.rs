//! One value as text.

use serde_json::Value;

use crate::console::{Ink, Look, printable};

/// What a value is, beyond its JSON type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whatever it is.
    Plain,
    /// A status, which has a colour.
    Status,
    /// A time, shown to the millisecond.
    Time,
    /// Seconds, shown in the unit that fits.
    Seconds,
    /// An id, which is of no use when it is cut.
    Id,
    /// Of less interest than what stands beside it.
    Quiet,
}

impl Kind {
    /// The text of a value; nothing for null.
    pub(crate) fn text(self, value: &Value) -> String {
        match (self, value) {
            (_, Value::Null) => String::new(),
            (Kind::Time, Value::String(text)) => time(text),
            (Kind::Seconds, value) => value.as_f64().map(duration).unwrap_or_default(),
            (_, Value::String(text)) => printable(text),
            (_, Value::Array(items)) if items.iter().all(Value::is_string) => {
                items.iter().filter_map(Value::as_str).map(printable).collect::<Vec<_>>().join(", ")
            }
            (_, other) => printable(&other.to_string()),
        }
    }

    /// The ink that goes with it.
    pub(crate) fn ink(self, text: &str) -> Option<Ink> {
        match self {
            Kind::Status => Ink::of_status(text),
            Kind::Quiet => Some(Ink::Dim),
            Kind::Plain | Kind::Time | Kind::Seconds | Kind::Id => None,
        }
    }

    /// The text of a value in its ink.
    pub(crate) fn painted(self, look: Look, value: &Value) -> String {
        let text = self.text(value);
        match self.ink(&text) {
            Some(ink) => look.paint(ink, &text),
            None => text,
        }
    }
}

/// A time of the API, UTC, to the millisecond.
fn time(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S%.3fZ").to_string(),
        Err(_) => printable(text),
    }
}

/// A span of time in the unit that fits.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.01 => format!("{:.1} ms", s * 1_000.0),
        s if s < 1.0 => format!("{:.0} ms", s * 1_000.0),
        s if s < 60.0 => format!("{s:.1} s"),
        s => {
            let minutes = (s / 60.0).floor();
            format!("{minutes:.0} min {:.0} s", (s - minutes * 60.0).floor())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_people_read_them() {
        for (kind, value, wanted) in [
            (Kind::Plain, json!(null), ""),
            (Kind::Plain, json!(true), "true"),
            (Kind::Plain, json!(["a", "b"]), "a, b"),
            (Kind::Plain, json!({"a": [1]}), "{\"a\":[1]}"),
            (Kind::Time, json!("2026-01-15T11:58:30.123456Z"), "2026-01-15 11:58:30.123Z"),
            (Kind::Time, json!("soon"), "soon"),
            (Kind::Seconds, json!(0.0012), "1.2 ms"),
            (Kind::Seconds, json!(0.25), "250 ms"),
            (Kind::Seconds, json!(12.34), "12.3 s"),
            (Kind::Seconds, json!(125), "2 min 5 s"),
        ] {
            assert_eq!(kind.text(&value), wanted, "{value}");
        }
    }
}
