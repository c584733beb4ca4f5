//! Events per second of CPU time over a generated workload, from bytes to matches, checked against the matches that are expected:
//!
//! ```text
//! cargo bench -p rules --bench workload -- FOLDER...
//! ```
//!
//! A folder has `events.bare.jsonl`, and for each number of rules N `rules.N.jsonl` and `expected.N.jsonl`. Without a folder nothing is done.
//! Every figure is the median of several rounds. CPU time is what `/proc/self/schedstat` tells, so this is for Linux.

use bytes::Bytes;
use expressions::KeyValues;
use model::{Rule, Timestamp};
use rules::{CompiledRule, NoKeyValues, RuleSet};
use serde_json::Value;
use std::{collections::BTreeSet, error::Error, fs, hint::black_box, path::Path, sync::Arc};

/// Events that the index may learn from; they are the last ones, of which none is checked.
const SAMPLE: usize = 500;
const ROUNDS: usize = 5;
/// Nanoseconds.
const ROUND: f64 = 2e8;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Nanoseconds of this thread on a CPU. The kernel counts them in ticks of some milliseconds.
fn cpu() -> Fallible<f64> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// Nanoseconds of one run, the median of several rounds that each take long enough for the clock.
fn timed<T>(mut run: impl FnMut() -> T) -> Fallible<f64> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let (start, mut runs) = (cpu()?, 0.0);
        let spent = loop {
            black_box(run());
            runs += 1.0;
            let spent = cpu()? - start;
            if spent > ROUND {
                break spent;
            }
        };
        times.push(spent / runs);
    }
    Ok(median(times))
}

/// What a rule is called in StackStorm's form.
#[derive(serde::Deserialize)]
struct Name {
    pack: String,
    name: String,
}

/// A rule as StackStorm writes it. Its `exists` may have no pattern.
fn rule(line: &str) -> Fallible<Arc<Rule>> {
    let Name { pack, name } = serde_json::from_str(line)?;
    let rest = line.strip_prefix('{').ok_or("a rule is an object")?;
    Ok(Arc::new(serde_json::from_str(&format!("{{\"ref\":\"{pack}.{name}\",{rest}"))?))
}

fn load(folder: &Path, file: String) -> Fallible<Vec<String>> {
    Ok(fs::read_to_string(folder.join(file))?.lines().map(str::to_owned).collect())
}

fn measure(folder: &Path, count: usize, events: &[String]) -> Fallible<()> {
    let lines = load(folder, format!("rules.{count}.jsonl"))?;
    let keys: Arc<dyn KeyValues> = Arc::new(NoKeyValues);
    let sample: Vec<Value> =
        events.iter().rev().take(SAMPLE).map(|line| serde_json::from_str(line)).collect::<Result<_, _>>()?;
    let from_json = || -> Fallible<RuleSet> {
        let rules: Vec<_> = lines.iter().map(|line| rule(line)).collect::<Fallible<_>>()?;
        Ok(RuleSet::build(rules))
    };
    let json_time = timed(from_json)?;
    let compiled: Vec<_> =
        lines.iter().map(|line| Ok(Arc::new(CompiledRule::new(rule(line)?)))).collect::<Fallible<_>>()?;
    let set = RuleSet::from_sample(compiled, &sample);
    let prepared = Bytes::from(set.to_prepared()?);
    let prepared_time = timed(|| RuleSet::from_prepared(prepared.clone()).map(|set| set.len()))?;
    let changed = rule(lines.first().ok_or("there are no rules")?)?;
    let change_time = timed(|| set.with(Arc::clone(&changed)))?;
    let set = RuleSet::from_prepared(prepared.clone())?;
    check(folder, count, &set, events, &keys)?;
    let now = Timestamp::default();
    let mut found = 0;
    let time = timed(|| {
        found = 0;
        for event in events {
            found += set.matches_json(event.as_bytes(), now, &keys).map_or(0, |matches| black_box(matches).len());
        }
    })?;
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let (events, found) = (events.len() as f64, found as f64);
    println!(
        "{:>8} rules {count:>7}: {:>9.0} events/s/core, {:.2} matches an event; ready in {:.2} ms prepared ({} KiB), {:.1} ms from JSON; a change {:.3} ms",
        folder.file_name().unwrap_or_default().to_string_lossy(),
        events / time * 1e9,
        found / events,
        prepared_time / 1e6,
        prepared.len() / 1024,
        json_time / 1e6,
        change_time / 1e6,
    );
    Ok(())
}

/// The expected matches, those that there are and no others.
fn check(folder: &Path, count: usize, set: &RuleSet, events: &[String], keys: &Arc<dyn KeyValues>) -> Fallible<()> {
    let mut positives = 0;
    let expected = load(folder, format!("expected.{count}.jsonl"))?;
    for (line, event) in expected.iter().zip(events) {
        let expected: Value = serde_json::from_str(line)?;
        let mut expected: Vec<&str> =
            expected.get("rules").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let matches = set.matches_json(event.as_bytes(), Timestamp::default(), keys)?;
        let mut found: Vec<&str> = matches
            .iter()
            .filter(|found| found.verdict.is_match())
            .map(|found| found.rule.rule().reference.name())
            .collect();
        expected.sort_unstable();
        found.sort_unstable();
        if expected != found {
            return Err(format!("{event}\n  expected {expected:?}\n  found {found:?}").into());
        }
        positives += found.len();
    }
    if positives == 0 && count >= 1_000 { Err("nothing matched, so nothing is shown".into()) } else { Ok(()) }
}

fn main() -> Fallible<()> {
    for folder in std::env::args().skip(1).filter(|argument| !argument.starts_with('-')) {
        let folder = Path::new(&folder);
        let events = load(folder, "events.bare.jsonl".to_owned())?;
        let mut counts = BTreeSet::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let count =
                name.strip_prefix("rules.").and_then(|rest| rest.strip_suffix(".jsonl")).map(str::parse::<usize>);
            counts.extend(count.and_then(Result::ok));
        }
        for count in counts {
            measure(folder, count, &events)?;
        }
    }
    Ok(())
}
