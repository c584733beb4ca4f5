//! `squall run`.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::{
    Ink,
    client::{Client, Query},
    failure::{Failure, Outcome},
    follow::{Follower, is_asking, outcome},
    parameters::{ParameterReader, Schemas, inherited},
    session::Session,
};

use super::execution::show_result;

/// Run an action and wait for what comes of it
#[derive(Debug, Args)]
#[command(after_help = "\
Parameters are cast by the action's schema:
  name=value               text, number or boolean
  list=a,b,c               an array: so, as JSON, or given several times
  map=k1=v1,k2=v2          an object: so, or as JSON
  @name=path               the content of a file
  word …                   \"cmd\": this word and all that follow

Examples:
  squall run core.local date
  squall run core.local cmd='df -h' timeout=10
  squall run core.http url=https://example.org method=GET --json
  squall run demo.remediate host=db1 alert=HighCPU --tail
  squall run core.local -a -- sleep 60")]
pub(crate) struct Run {
    /// The action's ref
    #[arg(value_name = "ACTION")]
    action: String,
    /// name=value, @name=path, or a command
    #[arg(value_name = "PARAMETER")]
    parameters: Vec<String>,
    /// Don't wait; print the execution's id
    #[arg(short = 'a', long = "async", conflicts_with = "tail")]
    asynchronous: bool,
    /// Follow the output while it runs
    #[arg(long)]
    tail: bool,
    /// Give the action the variables of this shell
    #[arg(short = 'e', long)]
    inherit_env: bool,
    /// Read x:1,y:2 as an object where an array of objects is wanted
    #[arg(long)]
    auto_dict: bool,
    /// Start it so many milliseconds from now
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,
    /// Run it as this user (administrators only)
    #[arg(short = 'u', long)]
    user: Option<String>,
    /// A tag to find all that comes of it by
    #[arg(long, value_name = "TAG")]
    trace_tag: Option<String>,
    /// The trace that it belongs to
    #[arg(long, value_name = "ID", conflicts_with = "trace_tag")]
    trace_id: Option<String>,
}

impl Run {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        let schemas = parameter_schemas(&client, &self.action).await?;
        let body = self.body(session, &schemas)?;
        let execution = client.call(reqwest::Method::POST, &["executions"], Some(&body)).await?;
        Wait { asynchronous: self.asynchronous, tail: self.tail }.finish(session, &client, execution).await
    }

    fn body(&self, session: &Session, schemas: &Schemas) -> Result<Value, Failure> {
        let reader = ParameterReader { of: &self.action, schemas, open: false, auto_dict: self.auto_dict };
        let mut parameters = reader.read(&self.parameters)?;
        if self.inherit_env {
            parameters.insert("env".to_owned(), inherited(&session.environment));
        }
        let mut body = Map::from_iter([
            ("action".to_owned(), json!(self.action)),
            ("parameters".to_owned(), Value::Object(parameters)),
        ]);
        body.extend(self.delay.map(|delay| ("delay".to_owned(), json!(delay))));
        body.extend(self.user.as_ref().map(|user| ("user".to_owned(), json!(user))));
        let trace = match (&self.trace_tag, &self.trace_id) {
            (Some(tag), _) => Some(json!({"trace_tag": tag})),
            (None, id) => id.as_ref().map(|id| json!({"id_": id})),
        };
        body.extend(trace.map(|trace| ("context".to_owned(), json!({"trace_context": trace}))));
        Ok(Value::Object(body))
    }
}

/// The parameters of an action and of its runner.
pub(super) async fn parameter_schemas(client: &Client, action: &str) -> Result<Schemas, Failure> {
    match client.get(&["actions", "views", "parameters", action], &Query::new()).await {
        Ok(answer) => Ok(answer.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default()),
        Err(failure) if failure.is_not_found() => {
            let near = client.nearest("actions", action).await;
            let hint = near.map_or("`squall action list` shows all".to_owned(), |near| format!("did you mean {near}?"));
            Err(Failure::not_found(format!("there is no action \"{action}\"")).hint(hint))
        }
        Err(failure) => Err(failure),
    }
}

/// What to do once an execution has been requested.
pub(super) struct Wait {
    pub(super) asynchronous: bool,
    pub(super) tail: bool,
}

impl Wait {
    pub(super) async fn finish(
        self,
        session: &mut Session,
        client: &Client,
        execution: Value,
    ) -> Result<Outcome, Failure> {
        let id = execution.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if self.asynchronous {
            // The id alone goes to the output: scripts read it.
            session.print_done(&execution, &id)?;
            let next = format!("`squall execution get {id}` shows what comes of it");
            session.console.say(Ink::Cyan, "hint", &next)?;
            return Ok(Outcome::Success);
        }
        let follower = Follower::new(client, &id);
        let done =
            if self.tail { follower.tail(session, &execution, None).await? } else { follower.wait(session).await? };
        show_result(session, client, &done, self.tail).await?;
        if is_asking(&done) {
            session.console.say(Ink::Cyan, "hint", &format!("`squall inquiry respond {id}` answers it"))?;
        }
        Ok(outcome(&done))
    }
}
