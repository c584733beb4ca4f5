//! `squall rule test`.

use clap::Args;
use expressions::{Context, Jinja};
use model::{Rule, Timestamp, Trigger};
use rules::{CompiledRule, Event, Explanation, NoKeyValues};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::trigger_instance::resolve;
use crate::{
    client::Query,
    console::{Ink, Look},
    documents::read_document,
    failure::{Failure, Outcome},
    output::{Field, criterion, details},
    session::Session,
};

/// Lines are cut to this where there is no terminal to fit.
const LONGEST: usize = 160;

/// Try a rule on an event without doing anything: each criterion's verdict, and what the action would get
#[derive(Debug, Args)]
#[command(after_help = "\
The file of an event is YAML or JSON with a payload: {trigger: core.st2.webhook, payload: {body: …}}.
Exit code 0 where the rule matches, 1 where it does not. With two files no host is needed.

Examples:
  squall rule test --rule rules/critical_alert.yaml --trigger-instance event.json
  squall rule test --rule rules/critical_alert.yaml --trigger-instance-id last
  squall rule test --rule-ref demo.critical_alert --trigger-instance event.json")]
pub(crate) struct Test {
    /// The rule's file; - reads the standard input
    #[arg(long, value_name = "FILE", required_unless_present = "rule_ref", conflicts_with = "rule_ref")]
    rule: Option<String>,
    /// A rule of the host
    #[arg(long, value_name = "REF")]
    rule_ref: Option<String>,
    /// The event's file; - reads the standard input
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "trigger_instance_id",
        conflicts_with = "trigger_instance_id"
    )]
    trigger_instance: Option<String>,
    /// An event of the host: its id, or "last"
    #[arg(long, value_name = "ID")]
    trigger_instance_id: Option<String>,
}

impl Test {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let rule = self.read_rule(session).await?;
        let event = self.read_event(session).await?;
        let payload = Arc::new(event.get("payload").cloned().unwrap_or(Value::Null));
        let compiled = CompiledRule::new(Arc::new(rule.clone()));
        let now = Timestamp::from(jiff::Timestamp::now());
        let explanation = rules::explain(&compiled, &Event::new(Arc::clone(&payload), now, Arc::new(NoKeyValues)));
        let tried = Tried {
            other_trigger: other_trigger(&rule, &event),
            parameters: render(&rule, payload),
            rule,
            explanation,
        };
        if !session.print_data(&tried.to_json())? {
            let look = session.console.look();
            session.console.line(&tried.show(look))?;
        }
        if !compiled.datastore_keys().is_empty() {
            session.console.say(
                Ink::Dim,
                "note",
                "the rule reads the datastore, and this test has none: its keys are empty",
            )?;
        }
        Ok(if tried.matches() { Outcome::Success } else { Outcome::Unsuccessful })
    }

    async fn read_rule(&self, session: &Session) -> Result<Rule, Failure> {
        let (name, body) = match (&self.rule, &self.rule_ref) {
            (Some(file), _) => (file.as_str(), read_document(file)?),
            (None, Some(name)) => (name.as_str(), session.client()?.get_one("rules", name, &Query::new()).await?),
            (None, None) => return Err(Failure::usage("there is no rule to test")),
        };
        model::parse_rule(&body).map_err(|problems| {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            Failure::new(format!("{name} is no rule: {}", problems.join("; ")))
        })
    }

    async fn read_event(&self, session: &Session) -> Result<Value, Failure> {
        match (&self.trigger_instance, &self.trigger_instance_id) {
            (Some(file), _) => {
                let event = read_document(file)?;
                let hint = "such as {\"trigger\": \"core.st2.webhook\", \"payload\": {\"body\": {}}}";
                let whole = event.get("payload").is_some();
                if whole { Ok(event) } else { Err(Failure::usage(format!("{file} has no payload")).hint(hint)) }
            }
            (None, Some(id)) => {
                let client = session.client()?;
                let id = resolve(&client, id.clone()).await?;
                client.get(&["triggerinstances", &id], &Query::new()).await
            }
            (None, None) => Err(Failure::usage("there is no event to test with")),
        }
    }
}

/// The event's trigger, where the rule listens to another one. An event that names none is taken to be of the rule's.
fn other_trigger(rule: &Rule, event: &Value) -> Option<String> {
    let named = event.get("trigger").and_then(Value::as_str)?;
    let trigger = Trigger::new(rule.trigger.kind.clone(), rule.trigger.parameters.clone());
    let own = trigger.reference().is_ok_and(|own| own.as_str() == named) || rule.trigger.kind.as_str() == named;
    (!own).then(|| named.to_owned())
}

/// What the action would get, or why a parameter can't be rendered.
fn render(rule: &Rule, payload: Arc<Value>) -> Result<Map<String, Value>, String> {
    let context = Context::new().with("trigger", payload).with_datastore(Arc::new(NoKeyValues));
    let jinja = Jinja::default();
    let render = |(name, value): (&String, &Value)| match jinja.render_value(value, &context) {
        Ok(value) => Ok((name.clone(), value)),
        Err(error) => Err(format!("parameter \"{name}\": {error}")),
    };
    rule.action.parameters.iter().map(render).collect()
}

/// A rule and an event, and what comes of them.
struct Tried {
    rule: Rule,
    other_trigger: Option<String>,
    explanation: Explanation,
    parameters: Result<Map<String, Value>, String>,
}

impl Tried {
    fn matches(&self) -> bool {
        self.other_trigger.is_none() && self.explanation.matched && self.parameters.is_ok()
    }

    fn to_json(&self) -> Value {
        let mut body = json!({
            "matches": self.matches(),
            "explanation": self.explanation,
            "action": {"ref": self.rule.action.reference, "parameters": self.parameters.as_ref().ok()},
        });
        if let (Value::Object(fields), Err(error)) = (&mut body, &self.parameters) {
            fields.insert("error".to_owned(), json!(error));
        }
        body
    }

    fn show(&self, look: Look) -> String {
        let name = look.paint(Ink::Bold, self.rule.reference.as_str());
        let verdict = if self.explanation.matched && self.other_trigger.is_none() {
            look.paint(Ink::Green, "matches")
        } else {
            look.paint(Ink::Red, "does not match")
        };
        let mut text = format!("{name} {verdict}\n");
        if let Some(named) = &self.other_trigger {
            let listens = format!("it listens to {}, and the event is one of {named}", self.rule.trigger.kind);
            text.push_str(&format!("  {} {listens}\n", look.paint(Ink::Red, "✘")));
        }
        let width = look.width.map_or(LONGEST, usize::from).saturating_sub(4);
        for item in &self.explanation.criteria {
            criterion(look, &json!(item), width).iter().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
        for line in self.explanation.note.iter().copied().chain(self.explanation.failure.as_deref()) {
            text.push_str(&format!("  {}\n", look.paint(Ink::Dim, line)));
        }
        if !self.rule.enabled {
            text.push_str(&format!(
                "  {}\n",
                look.paint(Ink::Yellow, "the rule is disabled, so it would not be tried")
            ));
        }
        text + &self.show_action(look)
    }

    fn show_action(&self, look: Look) -> String {
        let action = &self.rule.action.reference;
        if !self.explanation.matched || self.other_trigger.is_some() {
            return String::new();
        }
        match &self.parameters {
            Ok(parameters) => {
                let heading = format!("\n{} would be requested\n", look.paint(Ink::Bold, action.as_str()));
                heading + &details(look, &[Field::new("parameters", "/parameters")], &json!({"parameters": parameters}))
            }
            Err(error) => format!("  {} {action} can't be requested: {error}\n", look.paint(Ink::Red, "✘")),
        }
    }
}
