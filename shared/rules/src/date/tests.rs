use super::*;

/// What `dateutil` made of each text on 2026-01-15; `null` where it refused.
const CASES: &str = include_str!("../../tests/data/dates.json");

#[test]
fn reads_what_dateutil_reads() {
    let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
    let cases: Vec<(String, Option<String>)> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() > 200);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, expected)| {
            let found = parse(text, now).ok().map(|time| time.to_string());
            (found != *expected).then(|| format!("{text:?}: {found:?} instead of {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn says_what_is_wrong() {
    let now = Timestamp::default();
    assert_eq!(parse("soon", now), Err(DateError::Unknown));
    assert_eq!(parse("", now), Err(DateError::NoDate));
    assert_eq!(parse("2026-02-30", now), Err(DateError::OutOfRange));
    assert_eq!(parse(&"1".repeat(300), now), Err(DateError::TooLong));
}
