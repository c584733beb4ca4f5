//! Requesting an execution: who, what, with which inputs.

use model::{
    Action, Execution, ExecutionLog, ExecutionStatus, Id, RuleLink, Secret, TaskLink, Timestamp, TraceContext,
    TriggerLink,
};
use ports::{Guard, Operation, PackVersion, Wake};
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};

use crate::{
    Engine, Error, ErrorKind, Principal, TraceRequest,
    datastore::Reader,
    parameters::{ActionPlan, Inputs},
    records::Stored,
    redact::Redactor,
    workflows::wake_key,
};

/// The longest that an execution can be asked to wait before it starts.
const MAX_DELAY: Duration = Duration::from_secs(366 * 24 * 3_600);

/// A request by hand.
#[derive(Clone, Debug, Default)]
pub struct ExecutionRequest {
    /// The action's ref or id.
    pub action: String,
    /// Its inputs; strings may be templates.
    pub parameters: Map<String, Value>,
    /// In whose name; another's than the principal's for admins.
    pub user: Option<String>,
    /// How long to wait before it starts.
    pub delay: Option<Duration>,
    /// Who is told at the end.
    pub notify: Option<Value>,
    /// What templates see as `action_context`, beside what the platform puts there.
    pub context: Map<String, Value>,
    /// The trace that it belongs to or begins.
    pub trace: TraceRequest,
}

/// Where a request comes from.
pub(crate) struct Origin {
    pub(crate) id: Id,
    pub(crate) user: String,
    /// May templates decrypt the system's keys in this name?
    pub(crate) decrypts: bool,
    pub(crate) context: Map<String, Value>,
    pub(crate) rule: Option<RuleLink>,
    pub(crate) trigger: Option<TriggerLink>,
    pub(crate) trace: TraceContext,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) notify: Option<Value>,
    /// The workflow that it is for, and the task.
    pub(crate) parent: Option<(Id, TaskLink)>,
}

/// An execution that is to be written.
pub(crate) struct Requested {
    pub(crate) execution: Execution,
    /// Why it is failed already, if it is.
    pub(crate) failure: Option<String>,
    ttl: Option<Timestamp>,
}

impl Requested {
    /// How it is written.
    pub(crate) fn put(&self) -> Result<Operation, Error> {
        self.execution.put(Guard::Absent, self.execution.due(), self.ttl)
    }

    /// Who is woken then.
    pub(crate) fn wake(&self) -> Option<Wake> {
        self.execution.due().map(|at| Wake { key: wake_key(&self.execution), at })
    }
}

impl Engine {
    /// Requests an execution. Where its inputs can't be rendered or don't fit, an execution that failed is kept, and refused with why.
    pub async fn request(&self, principal: &Principal, request: ExecutionRequest) -> Result<Execution, Error> {
        self.request_within(principal, request, Inputs::default(), None).await
    }

    /// The same within a trace, over inputs that are no templates.
    pub(crate) async fn request_within(
        &self,
        principal: &Principal,
        request: ExecutionRequest,
        mut inputs: Inputs,
        trace: Option<TraceContext>,
    ) -> Result<Execution, Error> {
        let user = acting_user(principal, request.user)?;
        if request.delay.is_some_and(|delay| delay > MAX_DELAY) {
            return Err(Error::invalid(format!("delay is at most {} days", MAX_DELAY.as_secs() / 86_400)));
        }
        let catalog = self.catalog().await?;
        let action =
            catalog.find::<Action>(&request.action).ok_or_else(|| Error::not_found("action", &request.action))?;
        let plan = catalog.plan(action)?;
        plan.check_enabled()?;
        plan.check_given(&request.parameters)?;
        inputs.templates = request.parameters;
        let now = self.ports.clock.now();
        let id = Id::at(now, self.ports.clock.entropy());
        let began = request.trace.id.unwrap_or(id);
        let trace = trace.unwrap_or_else(|| request.trace.context(began, || format!("execution-{id}")));
        let mut context = request.context;
        context.insert("user".to_owned(), json!(user));
        context.insert("pack".to_owned(), json!(action.reference.pack()));
        context.insert("trace_context".to_owned(), json!({"id_": trace.id, "trace_tag": trace.tag}));
        let origin = Origin {
            id,
            user,
            decrypts: principal.admin,
            context,
            rule: None,
            trigger: None,
            trace,
            not_before: request.delay.map(|delay| now.after(delay)),
            notify: request.notify,
            parent: None,
        };
        let requested = self.prepare(&plan, inputs, origin).await?;
        self.ports.store.commit(vec![requested.put()?]).await?;
        tracing::info!(audit = "execution.request", user = principal.user, execution = %id, action = action.reference.as_str());
        let wake = requested.wake();
        if let Some(reason) = requested.failure {
            return Err(Error::invalid(reason));
        }
        self.ports.wakes.send(wake.into_iter().collect()).await;
        Ok(requested.execution)
    }

    /// The execution that a request makes; failed already where its inputs are wrong.
    pub(crate) async fn prepare(&self, plan: &ActionPlan, inputs: Inputs, origin: Origin) -> Result<Requested, Error> {
        let now = self.ports.clock.now();
        let mut execution = blank(plan, origin, now);
        let reader = Reader { user: execution.user.clone(), decrypts: execution.decrypts };
        let mut resolved =
            self.with_datastore(&reader, |keys| plan.resolve(&self.jinja, &inputs, &execution.context, keys)).await?;
        resolved.secrets.extend(inputs.secrets);
        let failure = match resolved.value {
            Ok(values) => {
                self.seal(plan, &mut execution, values, &resolved.secrets).await?;
                None
            }
            Err(reason) => Some(Redactor::new(std::iter::empty(), &resolved.secrets).text(reason)),
        };
        if let Some(reason) = &failure {
            execution.advance(ExecutionStatus::Failed, now).map_err(Error::damaged)?;
            let (payload, size) = self.payload_of(json!({"error": reason})).await?;
            (execution.result, execution.result_size) = (Some(payload), size);
        }
        let ttl = failure.is_some().then(|| now.after(self.options.retention));
        Ok(Requested { execution, failure, ttl })
    }

    /// Puts the parameters into the execution: shown without secrets, and sealed what was taken out. Secret is what the schema says,
    /// and whatever was decrypted on the way.
    async fn seal(
        &self,
        plan: &ActionPlan,
        execution: &mut Execution,
        values: Map<String, Value>,
        decrypted: &[Secret<String>],
    ) -> Result<(), Error> {
        let redactor = Redactor::new(std::iter::empty(), decrypted);
        let mut shown = redactor.map(values.clone());
        model::mask_parameters(&mut shown, &plan.parameters);
        let secrets: Map<String, Value> =
            values.into_iter().filter(|(name, value)| shown.get(name) != Some(value)).collect();
        if !secrets.is_empty() {
            execution.sealed = Some(self.seal_fields(&super::seal_context(execution.id), &secrets).await?);
        }
        execution.parameters = shown;
        Ok(())
    }

    /// The action that an execution runs and the pack version that holds its files: those of the time of the request, also where
    /// another version is live by now.
    pub(crate) async fn action_of(&self, execution: &Execution) -> Result<(Arc<Action>, Option<PackVersion>), Error> {
        let catalog = self.catalog().await?;
        let pack_ref = execution.action.pack();
        let live = catalog.packs.get(pack_ref);
        let gone = || Error::new(ErrorKind::NotFound, format!("action {} is not there any more", execution.action));
        match &execution.pack_version {
            Some(digest) if live.is_none_or(|pack| pack.digest != *digest) => {
                let content = self.pack_version(pack_ref, digest).await?;
                let of_version =
                    content.actions.iter().find(|action| action.reference == execution.action).cloned().map(Arc::new);
                let action = of_version.or_else(|| catalog.actions.get(&execution.action).cloned()).ok_or_else(gone)?;
                let files = content.files.clone().into();
                Ok((action, Some(PackVersion { pack: pack_ref.to_owned(), digest: digest.clone(), files })))
            }
            _ => {
                let action = catalog.actions.get(&execution.action).cloned().ok_or_else(gone)?;
                let version = live.map(|pack| PackVersion {
                    pack: pack_ref.to_owned(),
                    digest: pack.digest.clone(),
                    files: Arc::clone(&pack.files),
                });
                Ok((action, version))
            }
        }
    }
}

/// In whose name a request acts: the principal's, or for admins another's. Nothing but the credential says who the principal is.
fn acting_user(principal: &Principal, asked: Option<String>) -> Result<String, Error> {
    match asked {
        Some(user) if user != principal.user => {
            principal.require_admin("act as another user")?;
            Ok(user)
        }
        _ => Ok(principal.user.clone()),
    }
}

/// As it is requested, before its parameters are known.
fn blank(plan: &ActionPlan, origin: Origin, now: Timestamp) -> Execution {
    let (parent, task) = origin.parent.unzip();
    Execution {
        id: origin.id,
        action: plan.action.reference.clone(),
        runner: plan.action.runner_type.clone(),
        pack_version: plan.pack_version.clone(),
        status: ExecutionStatus::Requested,
        start: now,
        end: None,
        not_before: origin.not_before,
        waits_until: None,
        parameters: Map::new(),
        sealed: None,
        result: None,
        sealed_result: None,
        result_size: 0,
        context: origin.context,
        log: vec![ExecutionLog { timestamp: now, status: ExecutionStatus::Requested }],
        parent,
        task,
        rule: origin.rule,
        trigger: origin.trigger,
        user: origin.user,
        decrypts: origin.decrypts,
        trace: origin.trace,
        notify: origin.notify,
        places: Vec::new(),
        lease: None,
    }
}
