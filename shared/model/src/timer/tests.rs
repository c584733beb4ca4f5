use super::*;
use jiff::tz::AmbiguousOffset;
use proptest::prelude::*;
use serde_json::json;

fn schedule(kind: &str, parameters: &Value) -> Result<TimerSchedule, TimerError> {
    TimerSchedule::parse(&kind.parse().unwrap(), parameters.as_object().unwrap())
}

fn cron(fields: Value) -> TimerSchedule {
    schedule(core_types::CRON_TIMER, &fields).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What APScheduler answered. What it fires for the second time in autumn is left out; `apscheduler` stands where it skips an
/// occurrence because it counts seconds across a change of the clock.
#[test]
fn fires_as_recorded() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases.json")).unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let mut fields = case["fields"].clone();
        fields["timezone"] = case["timezone"].clone();
        let schedule = cron(fields);
        let mut after = at(case["after"].as_str().unwrap());
        let mut found = Vec::new();
        let wanted: Vec<Timestamp> =
            case["next"].as_array().unwrap().iter().map(|time| at(time.as_str().unwrap())).collect();
        let count = wanted.len() + usize::from(case["ends"] == true);
        while let Some(next) = schedule.next_after(after, after).filter(|_| found.len() < count) {
            found.push(next);
            after = next;
        }
        if found != wanted {
            wrong.push(format!("{case}\n    {:?}", found.iter().map(ToString::to_string).collect::<Vec<_>>()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_time_that_the_clock_skips_fires_once_after_the_jump() {
    let fixed = cron(json!({"hour": "2,3", "minute": 30, "timezone": "America/New_York"}));
    let first = fixed.next_after(at("2026-03-08T00:00:00-05:00"), Timestamp::default()).unwrap();
    assert_eq!(first, at("2026-03-08T03:30:00-04:00"));
    assert_eq!(fixed.next_after(first, first), Some(at("2026-03-09T02:30:00-04:00")));
}

#[test]
fn a_time_that_the_clock_shows_twice_fires_once_unless_the_timer_fires_every_hour() {
    let fixed = cron(json!({"hour": 1, "minute": 30, "timezone": "America/New_York"}));
    let first = fixed.next_after(at("2026-11-01T00:00:00-04:00"), Timestamp::default()).unwrap();
    assert_eq!(first, at("2026-11-01T01:30:00-04:00"));
    assert_eq!(fixed.next_after(first, first), Some(at("2026-11-02T01:30:00-05:00")));
    let hourly = cron(json!({"minute": 30, "timezone": "America/New_York"}));
    assert_eq!(hourly.next_after(first, first), Some(at("2026-11-01T01:30:00-05:00")));
}

#[test]
fn what_never_fits_ends_at_once() {
    for fields in [
        json!({"month": 2, "day": 30}),
        json!({"year": 2020}),
        json!({"month": 1, "week": 30}),
        json!({"month": "4", "day": "31", "second": "*"}),
    ] {
        assert_eq!(cron(fields).next_after(at("2026-01-01T00:00:00Z"), Timestamp::default()), None);
    }
    let last = cron(json!({"year": 9999, "month": 12, "day": 31, "timezone": "Asia/Tokyo"}));
    assert!(last.next_after(Timestamp::from_micros(i64::MAX), Timestamp::default()).is_none());
}

#[test]
fn wrong_fields_say_what_is_wrong() {
    for (fields, message) in [
        (json!({"minute": "60"}), "minute: 60 is not between 0 and 59"),
        (json!({"minute": "*/60"}), "minute: the step of \"*/60\" is larger than its range"),
        (json!({"hour": "9-8"}), "hour: \"9-8\" begins behind its end"),
        (json!({"day_of_week": "funday"}), "day_of_week: \"funday\" is not an expression"),
        (json!({"day": "2nd fry"}), "day: \"fry\" must be one of mon"),
        (json!({"day": "6th fri"}), "day: \"6th\" must be one of 1st"),
        (json!({"second": "*/0"}), "second: the step of \"*/0\" must be more than 0"),
        (json!({"hour": ""}), "hour: \"\" is not an expression"),
        (json!({"hour": 1.5}), "hour: \"1.5\" is not an expression"),
        (json!({"hour": 99999999}), "hour: \"99999999\" is not an expression"),
        (json!({"hour": 3, "timezone": "Mars/Olympus"}), "timezone: \"Mars/Olympus\" is not a time zone"),
        (json!({"timezone": "UTC"}), "parameters: at least one of year"),
    ] {
        let error = schedule(core_types::CRON_TIMER, &fields).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    assert!(schedule(core_types::INTERVAL_TIMER, &json!({"unit": "years", "delta": 1})).is_err());
    assert!(schedule(core_types::INTERVAL_TIMER, &json!({"unit": "hours", "delta": 0})).is_err());
    assert!(schedule(core_types::INTERVAL_TIMER, &json!({"unit": "weeks", "delta": i64::MAX})).is_err());
    assert!(schedule(core_types::DATE_TIMER, &json!({"date": "soon"})).is_err());
    assert!(schedule("core.st2.webhook", &json!({})).is_err());
}

#[test]
fn dates_are_of_their_zone_and_come_once() {
    let timer =
        schedule(core_types::DATE_TIMER, &json!({"date": "2026-12-31 23:59:59", "timezone": "Europe/Berlin"})).unwrap();
    let time = at("2026-12-31T22:59:59Z");
    assert_eq!(timer.next_after(at("2026-01-01T00:00:00Z"), time), Some(time));
    assert_eq!(timer.next_after(time, time), None);
    let offset = schedule(core_types::DATE_TIMER, &json!({"date": "2026-12-31T23:59:59+01:00"})).unwrap();
    assert_eq!(offset.next_after(at("2026-01-01T00:00:00Z"), time), Some(time));
}

#[test]
fn intervals_count_from_the_start() {
    let timer = schedule(core_types::INTERVAL_TIMER, &json!({"unit": "minutes", "delta": 5})).unwrap();
    let start = at("2026-01-01T00:02:00Z");
    assert_eq!(timer.next_after(at("2025-01-01T00:00:00Z"), start), Some(at("2026-01-01T00:07:00Z")));
    assert_eq!(timer.next_after(at("2026-01-01T00:07:00Z"), start), Some(at("2026-01-01T00:12:00Z")));
    assert_eq!(timer.next_after(Timestamp::from_micros(i64::MAX), start), None);
}

#[test]
fn missed_occurrences_are_the_latest_ones() {
    let (start, last) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    let now = at("2036-01-01T00:00:00Z");
    for timer in [
        schedule(core_types::INTERVAL_TIMER, &json!({"unit": "seconds", "delta": 1})).unwrap(),
        cron(json!({"second": "*", "timezone": "Europe/Berlin"})),
    ] {
        assert_eq!(timer.missed(last, now, start, CatchUp::Skip, 10), []);
        assert_eq!(timer.missed(last, now, start, CatchUp::Once, 10), [now]);
        let all = timer.missed(last, now, start, CatchUp::All, 3);
        assert_eq!(all, [at("2035-12-31T23:59:58Z"), at("2035-12-31T23:59:59Z"), now]);
    }
    let yearly = cron(json!({"month": 1}));
    let all = yearly.missed(last, now, start, CatchUp::All, 100);
    assert_eq!((all.len(), all.first(), all.last()), (10, Some(&at("2027-01-01T00:00:00Z")), Some(&now)));
    assert_eq!(yearly.missed(now, now, start, CatchUp::All, 100), []);
}

/// All instants of that day's minutes at which the timer fires, found by looking at each.
fn by_brute_force(cron: &Cron, from: i64, minutes: i64) -> Vec<i64> {
    let mut found = Vec::new();
    for instant in (0..minutes).map(|n| jiff::Timestamp::from_second(from + n * 60).unwrap()) {
        let clock = cron.zone().to_datetime(instant);
        let offset = cron.zone().to_offset(instant);
        let shown = cron.shows(clock)
            && match cron.zone().to_ambiguous_timestamp(clock).offset() {
                AmbiguousOffset::Fold { before, .. } => offset == before || cron.fires_every_hour(),
                _ => true,
            };
        // The clock as if it had not jumped within the last three hours.
        let skipped = (1..=180).any(|back| {
            let before = cron.zone().to_offset(instant.checked_sub(jiff::SignedDuration::from_mins(back)).unwrap());
            let unmoved = before.to_datetime(instant);
            let gap = matches!(cron.zone().to_ambiguous_timestamp(unmoved).offset(), AmbiguousOffset::Gap { .. });
            gap && before < offset && cron.shows(unmoved)
        });
        if shown || skipped {
            found.push(instant.as_second());
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_skipped_and_nothing_comes_twice(
        zone in prop::sample::select(vec!["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut", "Africa/Casablanca", "UTC"]),
        hour in prop::sample::select(vec!["*", "0", "1", "2", "3", "*/2", "1-3", "0,23", "2,3"]),
        minute in prop::sample::select(vec!["*", "0", "30", "*/15", "59", "10-50/20"]),
        day in prop::sample::select(vec!["*", "*/2", "last", "last sun", "1st sun", "8"]),
        days_after in prop::sample::select(vec![65i64, 66, 67, 86, 87, 93, 94, 276, 296, 297, 303, 304, 305, 45, 80]),
    ) {
        let parameters = json!({"hour": hour, "minute": minute, "day": day, "timezone": zone});
        let schedule = cron(parameters);
        let Kind::Cron(fields) = &schedule.0 else { unreachable!() };
        let from = at("2026-01-01T00:00:00Z").seconds() + days_after * 86_400;
        let wanted = by_brute_force(fields, from, 2 * 1_440);
        let end = from + 2 * 86_400;
        let mut found = Vec::new();
        let mut after = Timestamp::from_micros((from - 1) * MICROS);
        while let Some(next) = schedule.next_after(after, after).filter(|next| next.seconds() < end) {
            prop_assert!(next > after);
            found.push(next.seconds());
            after = next;
        }
        prop_assert_eq!(found, wanted);
    }
}
