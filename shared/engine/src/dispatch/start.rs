//! Starting an execution: what its runner needs, what the limits on its action say, and the commit that claims it.

use model::{Execution, ExecutionStatus, Id, Secret};
use ports::{Guard, Job, Operation, RunContext};
use serde_json::{Value, json};

use super::run::Held;
use crate::{
    Engine, Error, ErrorKind, datastore::Reader, inquiries::INQUIRER, policies::Admission, records, redact::Redactor,
};
use records::Stored;

/// How often an execution comes to a limit again where others did at the same time.
const ATTEMPTS: usize = 16;

impl Engine {
    /// What the runner needs, and what may not come back from it.
    pub(crate) async fn job(&self, execution: &Execution) -> Result<(Job, Redactor), Error> {
        let (action, pack) = self.action_of(execution).await?;
        let plan = self.catalog().await?.plan(&action)?;
        let clear = self.clear_parameters(execution).await?;
        let reader = Reader { user: execution.user.clone(), decrypts: true };
        let rendered = self
            .with_datastore(&reader, |keys| {
                plan.final_parameters(&self.jinja, clear.expose(), &execution.context, keys)
            })
            .await?;
        let parameters = rendered.value.map_err(Error::invalid)?;
        let is_secret = |name: &String, value: &Value| {
            plan.parameters.get(name).is_some_and(|parameter| parameter.secret)
                || execution.parameters.get(name).is_some_and(|shown| shown != value)
        };
        let all = parameters.runner.iter().chain(&parameters.action);
        let secret = all.filter(|(name, value)| is_secret(name, value)).map(|(_, value)| value);
        let redactor = Redactor::new(secret, &rendered.secrets);
        let context = RunContext {
            user: execution.user.clone(),
            api_url: self.options.api_url.clone(),
            auth_token: None,
            trace_parent: Some(execution.trace.parent_of(execution.id)),
        };
        let job = Job {
            execution: execution.id,
            action,
            pack,
            runner_parameters: Secret::new(parameters.runner),
            action_parameters: Secret::new(parameters.action),
            context,
        };
        Ok((job, redactor))
    }

    /// Ends an execution that can't start. `more` goes into the same commit.
    pub(crate) async fn fail_unstarted(
        &self,
        mut execution: Execution,
        version: u64,
        error: &Error,
        more: Vec<Operation>,
    ) -> Result<(), Error> {
        execution.advance(ExecutionStatus::Failed, self.ports.clock.now()).map_err(Error::damaged)?;
        self.complete(execution, json!({"error": error.message}), version, more).await.map(drop)
    }

    /// Starts an execution as soon as the limits on its action let it. Where others come to a limit at the same time it is asked again:
    /// from the second time on one after the other, as far as this process goes.
    pub(super) async fn start(
        &self,
        execution: Execution,
        version: u64,
        (job, redactor): (&Job, &Redactor),
    ) -> Result<Option<Held>, Error> {
        let is_limited = !self.catalog().await?.active_policies(&execution.action).is_empty();
        match self.try_to_start(execution.clone(), version, (job, redactor)).await {
            Err(error) if is_limited && error.kind == ErrorKind::Conflict => {}
            other => return other,
        }
        let _turn = self.crowd.lock().await;
        for _ in 1..ATTEMPTS {
            let stored = self.ports.store.get(&records::execution_key(execution.id)).await?;
            if stored.is_none_or(|record| record.version != version) {
                // Another worker has it, or it was canceled.
                return Ok(None);
            }
            match self.try_to_start(execution.clone(), version, (job, redactor)).await {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                other => return other,
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "too many executions come to the limits of the action at once"))
    }

    /// Gives it to this worker, or to nobody where it needs none.
    async fn try_to_start(
        &self,
        mut execution: Execution,
        version: u64,
        (job, redactor): (&Job, &Redactor),
    ) -> Result<Option<Held>, Error> {
        let Admission::Enters(more) = self.admit(&mut execution, version, job).await? else { return Ok(None) };
        if execution.runner == INQUIRER {
            return self.ask(execution, version, (job, redactor), more).await.map(|()| None);
        }
        self.claim(execution, version, more).await.map(Some)
    }

    async fn claim(&self, mut execution: Execution, version: u64, more: Vec<Operation>) -> Result<Held, Error> {
        let now = self.ports.clock.now();
        execution.advance_by(ExecutionStatus::Running, now).map_err(Error::damaged)?;
        let holder = Id::at(now, self.ports.clock.entropy());
        execution.lease = Some(self.lease(now, holder));
        let mut claim = more;
        claim.push(execution.put(Guard::Version(version), execution.due(), None)?);
        let mut held = Held { execution, version: version + 1, holder, cancel: None, extended: now, looked: now };
        if let Err(error) = self.ports.store.commit(claim).await
            && !self.recall(&mut held).await?
        {
            return Err(error.into());
        }
        Ok(held)
    }
}
