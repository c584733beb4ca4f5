//! `squall rule replay`.

use clap::Args;
use model::{Rule, Timestamp};
use rules::{Recorded, Replay as Comparison, Report};
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::{
    client::{Client, Query},
    console::Ink,
    failure::{Failure, Outcome},
    output::{counted, differences},
    replay::{RecordedEvents, RuleFiles, since},
    session::Session,
};

/// Events that are read from the host at once.
const PAGE: usize = 100;
/// More rules than any host has.
const MOST_RULES: usize = 100_000;

/// Try rules on events of the past: what would newly fire, no longer fire, or fire with other inputs. Nothing is done
#[derive(Debug, Args)]
#[command(after_help = "\
The old rules are those of the host. The new ones are the host's with those of the files in their place: a pack takes the place of all
rules of that pack, a file that of the rule of its ref. With --old-rules the files are all there is on both sides, and with --events too
no host is needed. A file of events has one a line: {\"id\": …, \"trigger\": …, \"occurrence_time\": …, \"payload\": …}, as
`trigger-instance list --json` has them. There is no datastore, and throttles are left aside.
Exit code 0 where nothing differs, 1 where something does.

Examples:
  squall rule replay --since 7d --rules packs/demo
  squall rule replay --since 2026-01-15T00:00:00Z --until 2026-01-16T00:00:00Z --rules rules/on_push.yaml --json
  squall rule replay --events events.jsonl --old-rules main/packs/demo --rules packs/demo")]
pub(crate) struct Replay {
    /// Only events from this time on: a time, or how long ago with s, m, h or d
    #[arg(long, value_name = "TIME", required_unless_present = "events", conflicts_with = "events")]
    since: Option<String>,
    /// Only events before this time
    #[arg(long, value_name = "TIME", conflicts_with = "events")]
    until: Option<String>,
    /// The new rules: packs, directories of packs, directories of rule files, rule files
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    rules: Vec<PathBuf>,
    /// The old rules from files as well, not the host's
    #[arg(long, value_name = "PATH", num_args = 1..)]
    old_rules: Vec<PathBuf>,
    /// The events from a file, a line of JSON each; - reads the standard input
    #[arg(long, value_name = "FILE")]
    events: Option<String>,
    /// Only events of this trigger
    #[arg(long, value_name = "REF")]
    trigger: Option<String>,
    /// Show at most so many events of each difference
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    examples: usize,
}

impl Replay {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let new = RuleFiles::read(&self.rules)?;
        let (old, new) = if self.old_rules.is_empty() {
            let old = rules_of(&session.client()?).await?;
            let new = new.in_place_of(&old);
            (old, new)
        } else {
            (RuleFiles::read(&self.old_rules)?.into_rules(), new.into_rules())
        };
        let mut comparison = Comparison::new(old, new, self.examples);
        match &self.events {
            Some(file) => past_of_file(file, self.trigger.as_deref(), &mut comparison)?,
            None => self.past_of_host(session, &mut comparison).await?,
        }
        let report = comparison.finish();
        show(session, &report)?;
        Ok(if report.rules.iter().any(rules::RuleReport::differs) { Outcome::Unsuccessful } else { Outcome::Success })
    }

    /// Page by page, the oldest first.
    async fn past_of_host(&self, session: &mut Session, comparison: &mut Comparison) -> Result<(), Failure> {
        let client = session.client()?;
        let from = self.since.as_deref().map(|text| since(text, jiff::Timestamp::now())).transpose()?;
        let until = match &self.until {
            Some(text) => text.parse::<Timestamp>().map_err(|error| Failure::usage(error.to_string()))?,
            // What happens meanwhile is left out, lest there be no end.
            None => Timestamp::from(jiff::Timestamp::now()),
        };
        let query = Query::new()
            .maybe("trigger", self.trigger.clone())
            .maybe("timestamp_gt", from.map(|from| from.to_string()))
            .with("timestamp_lt", until.to_string())
            .flag("sort_asc", true);
        let (mut cursor, mut read) = (None, 0);
        loop {
            let page = client.page(&["triggerinstances"], &query, PAGE, cursor).await?;
            for instance in &page.items {
                take(instance, comparison)?;
            }
            read += page.items.len();
            session.console.progress(&counted(read, "event"))?;
            cursor = page.cursor;
            if cursor.is_none() || page.items.is_empty() {
                return Ok(());
            }
        }
    }
}

/// An event as the host tells it.
fn take(instance: &Value, comparison: &mut Comparison) -> Result<(), Failure> {
    let text = |key: &str| instance.get(key).and_then(Value::as_str).unwrap_or_default();
    let payload = instance.get("payload").cloned().unwrap_or_default().to_string();
    let at = text("occurrence_time").parse().map_err(|error| Failure::new(format!("event {}: {error}", text("id"))))?;
    let event = Recorded { id: text("id"), trigger: text("trigger"), at, payload: payload.as_bytes() };
    comparison.event(&event).map_err(|error| Failure::new(format!("event {}: {error}", event.id)))
}

fn past_of_file(file: &str, trigger: Option<&str>, comparison: &mut Comparison) -> Result<(), Failure> {
    let mut events = RecordedEvents::open(file)?;
    while let Some(event) = events.next()? {
        if trigger.is_none_or(|trigger| trigger == event.trigger) {
            comparison.event(&event).map_err(|error| Failure::new(format!("{file}: event {}: {error}", event.id)))?;
        }
    }
    Ok(())
}

/// All rules of the host.
async fn rules_of(client: &Client) -> Result<Vec<Rule>, Failure> {
    // Inputs are compared, so they must come without masks.
    let listing = client.list(&["rules"], &Query::new().flag("show_secrets", true), MOST_RULES).await?;
    let rule = |body: &Value| {
        model::parse_rule(body).map_err(|problems| {
            let name = body.get("ref").and_then(Value::as_str).unwrap_or_default();
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            Failure::new(format!("the host's rule {name} can't be read: {}", problems.join("; ")))
        })
    };
    listing.items.iter().map(rule).collect()
}

fn show(session: &mut Session, report: &Report) -> Result<(), Failure> {
    if session.print_data(&json!(report))? {
        return Ok(());
    }
    let look = session.console.look();
    session.console.line(&differences(look, report))?;
    let blind: Vec<_> =
        report.rules.iter().filter(|rule| rule.reads_datastore).map(|rule| rule.rule.as_str()).collect();
    if blind.is_empty() {
        return Ok(());
    }
    let note = format!("there is no datastore here, and these rules read it: {}", blind.join(", "));
    session.console.say(Ink::Yellow, "note", &note)
}
