//! Inquiries: executions that ask people. No worker holds them; they are pending until somebody answers, or until their time is over.

use model::{Execution, ExecutionStatus, Id, SchemaValidator, Timestamp, Trigger, core_types};
use ports::{Guard, Job, Operation, Wake};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

use crate::{
    Engine, Error, ErrorKind, ExecutionFilter, Listing, PageRequest, Principal, dispatch, records,
    redact::{self, Redactor},
};
use records::Stored;

/// The runner type that asks.
pub(crate) const INQUIRER: &str = "inquirer";
/// Where the answer stands in the result.
const RESPONSE: &str = "response";
/// How often an answer is tried again where the execution changed meanwhile.
const ATTEMPTS: usize = 16;
/// The roles of an admin. Others have none until roles come.
const ADMIN_ROLES: [&str; 2] = ["admin", "system_admin"];

/// What is asked; the result of the execution until it is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inquiry {
    /// JSON Schema of the answer.
    pub schema: Map<String, Value>,
    /// Who may answer must have one of these; empty for all.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Who may answer must be one of these; empty for all.
    #[serde(default)]
    pub users: Vec<String>,
    /// The route by which people are told.
    #[serde(default)]
    pub route: String,
    /// Minutes until it times out; 0 for never.
    pub ttl: u64,
}

/// An inquiry that waits, and the execution that it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The execution's id, and the inquiry's.
    pub id: Id,
    /// What is asked.
    pub inquiry: Inquiry,
}

impl Inquiry {
    /// From the parameters of an execution. What nobody could answer is not asked.
    fn of(parameters: Value) -> Result<Inquiry, Error> {
        let inquiry: Inquiry =
            serde_json::from_value(parameters).map_err(|error| Error::invalid(format!("the inquiry: {error}")))?;
        inquiry.validator()?;
        Ok(inquiry)
    }

    fn validator(&self) -> Result<SchemaValidator, Error> {
        SchemaValidator::new(&self.schema).map_err(|error| Error::invalid(format!("the inquiry's schema: {error}")))
    }

    fn ends(&self, now: Timestamp) -> Option<Timestamp> {
        (self.ttl > 0).then(|| now.after(Duration::from_secs(self.ttl.saturating_mul(60))))
    }

    fn check_may_respond(&self, principal: &Principal, id: Id) -> Result<(), Error> {
        let has_role = |role: &String| principal.admin && ADMIN_ROLES.contains(&role.as_str());
        let named = self.users.is_empty() || self.users.contains(&principal.user);
        if named && (self.roles.is_empty() || self.roles.iter().any(has_role)) {
            return Ok(());
        }
        let message = format!("user \"{}\" does not have permission to respond to inquiry {id}", principal.user);
        let who = match named {
            false => format!("it asks {}", self.users.join(", ")),
            true => format!("it asks who has one of the roles {}", self.roles.join(", ")),
        };
        Err(Error::new(ErrorKind::Forbidden, format!("{message}: {who}")))
    }

    fn check_response(&self, response: &Value, id: Id) -> Result<(), Error> {
        let refused = |problem: String| Error::invalid(format!("the response does not fit inquiry {id}: {problem}"));
        if !response.is_object() {
            return Err(refused("it must be an object".to_owned()));
        }
        self.validator()?.validate(response).map_err(|problems| refused(problems.join("; ")))
    }
}

impl Engine {
    /// Puts the question: from here on the execution waits. `more` goes into the same commit.
    pub(crate) async fn ask(
        &self,
        mut execution: Execution,
        version: u64,
        (job, redactor): (&Job, &Redactor),
        more: Vec<Operation>,
    ) -> Result<(), Error> {
        let inquiry = match Inquiry::of(redactor.value(Value::Object(job.runner_parameters.expose().clone()))) {
            Ok(inquiry) => inquiry,
            Err(error) => return self.fail_unstarted(execution, version, &error, more).await,
        };
        let now = self.ports.clock.now();
        execution.advance_by(ExecutionStatus::Running, now).map_err(Error::damaged)?;
        execution.advance(ExecutionStatus::Pending, now).map_err(Error::damaged)?;
        execution.waits_until = inquiry.ends(now);
        let (payload, size) = self.payload_of(json!(inquiry)).await?;
        (execution.result, execution.result_size) = (Some(payload), size);
        let mut operations = more;
        operations.push(execution.put(Guard::Version(version), execution.due(), None)?);
        let key = records::execution_key(execution.id);
        let mut wakes: Vec<Wake> = execution.due().map(|at| Wake { key, at }).into_iter().collect();
        if self.catalog().await?.is_listened(core_types::INQUIRY) {
            let trigger = Trigger::new(core_types::INQUIRY.parse().map_err(Error::damaged)?, Map::new());
            let payload = json!({"id": execution.id, "route": inquiry.route});
            let (operation, wake) = self.pending_instance(trigger, payload, Some(&execution)).await?;
            operations.push(operation);
            wakes.push(wake);
        }
        self.tell_parent(&execution, None, (&mut operations, &mut wakes))?;
        self.ports.store.commit(operations).await?;
        self.ports.wakes.send(wakes).await;
        tracing::info!(audit = "inquiry.ask", execution = %execution.id, route = inquiry.route);
        Ok(())
    }

    /// Ends an inquiry that nobody answered in time.
    pub(crate) async fn expire(&self, mut execution: Execution, version: u64) -> Result<(), Error> {
        execution.advance(ExecutionStatus::Timeout, self.ports.clock.now()).map_err(Error::damaged)?;
        let asked = self.clear_result(&execution).await?.expose().clone();
        self.complete(execution, asked, version, Vec::new()).await.map(drop)
    }

    /// The inquiries that wait for an answer.
    pub async fn inquiries(&self, principal: &Principal, page: &PageRequest) -> Result<Listing<Asked>, Error> {
        let filter = ExecutionFilter {
            status: Some(ExecutionStatus::Pending),
            runner: Some(INQUIRER.to_owned()),
            ..ExecutionFilter::default()
        };
        let found = self.executions(principal, &filter, page).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for execution in &found.items {
            items.push(self.asked(execution).await?);
        }
        Ok(Listing { items, total: found.total, next: found.next })
    }

    /// An inquiry that waits for an answer.
    pub async fn inquiry(&self, principal: &Principal, id: Id) -> Result<Asked, Error> {
        let execution = self.execution(principal, id).await?;
        self.check_open(&execution)?;
        self.asked(&execution).await
    }

    async fn asked(&self, execution: &Execution) -> Result<Asked, Error> {
        let result = self.clear_result(execution).await?.expose().clone();
        let inquiry = serde_json::from_value(result).map_err(Error::damaged)?;
        Ok(Asked { id: execution.id, inquiry })
    }

    fn check_open(&self, execution: &Execution) -> Result<(), Error> {
        let id = execution.id;
        let over = execution.status == ExecutionStatus::Pending
            && execution.waits_until.is_some_and(|end| end <= self.ports.clock.now());
        Err(Error::invalid(match execution.status {
            _ if execution.runner != INQUIRER => format!("execution {id} is not an inquiry"),
            ExecutionStatus::Pending if !over => return Ok(()),
            ExecutionStatus::Pending | ExecutionStatus::Timeout => format!("inquiry {id} has timed out"),
            ExecutionStatus::Succeeded => format!("inquiry {id} has already been responded to"),
            other => format!("inquiry {id} does not wait for an answer: it is {other}"),
        }))
    }

    /// Answers an inquiry; returns the answer with its secrets masked.
    pub async fn respond(&self, principal: &Principal, id: Id, response: Value) -> Result<Value, Error> {
        for _ in 0..ATTEMPTS {
            let record = self.ports.store.get(&records::execution_key(id)).await?;
            let record = record.ok_or_else(|| Error::not_found("inquiry", id))?;
            let execution: Execution = records::read(&record)?;
            self.check_open(&execution)?;
            let Asked { inquiry, .. } = self.asked(&execution).await?;
            inquiry.check_may_respond(principal, id)?;
            inquiry.check_response(&response, id)?;
            match self.take_response(principal, (execution, record.version), inquiry, response.clone()).await {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                other => return other,
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the inquiry is changing; try again"))
    }

    async fn take_response(
        &self,
        principal: &Principal,
        (mut execution, version): (Execution, u64),
        inquiry: Inquiry,
        response: Value,
    ) -> Result<Value, Error> {
        let id = execution.id;
        let shown = masked(&response, &inquiry.schema);
        if shown != response {
            let fields = Map::from_iter([(RESPONSE.to_owned(), response)]);
            execution.sealed_result = Some(self.seal_fields(&dispatch::result_context(id), &fields).await?);
        }
        execution.context.insert("responded_by".to_owned(), json!(principal.user));
        execution.advance(ExecutionStatus::Succeeded, self.ports.clock.now()).map_err(Error::damaged)?;
        let mut result = json!(inquiry);
        if let Value::Object(fields) = &mut result {
            fields.insert(RESPONSE.to_owned(), shown.clone());
        }
        self.complete(execution, result, version, Vec::new()).await?;
        tracing::info!(audit = "inquiry.respond", user = principal.user, execution = %id);
        Ok(shown)
    }
}

/// The answer without what its schema calls secret, also where it says that again in another place.
fn masked(response: &Value, schema: &Map<String, Value>) -> Value {
    let mut shown = response.clone();
    model::mask_by_schema(&mut shown, schema);
    let secrets = redact::hidden(response, &shown);
    Redactor::new(std::iter::empty(), &secrets).value(shown)
}
