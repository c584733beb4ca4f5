//! Who is told of the end of an execution: one event for each route, in the commit of the end, where a rule listens.

use expressions::Context;
use model::{Execution, ExecutionStatus, Trigger, core_types};
use ports::{Operation, Wake};
use serde_json::{Map, Value, json};

use crate::{Engine, Error, datastore::Reader, redact::Redactor};

/// Routes that are told of one end; what follows from it must fit into one commit.
const MOST_ROUTES: usize = 40;

/// What is said where.
struct Notice<'a> {
    message: String,
    data: Map<String, Value>,
    routes: Vec<&'a str>,
}

impl Engine {
    /// Adds the events of the request's `notify`, else of the action's.
    pub(crate) async fn add_notifications(
        &self,
        execution: &Execution,
        result: &Value,
        (operations, wakes): (&mut Vec<Operation>, &mut Vec<Wake>),
    ) -> Result<(), Error> {
        let catalog = self.catalog().await?;
        if !catalog.is_listened(core_types::NOTIFY) {
            return Ok(());
        }
        let of_action = || catalog.actions.get(&execution.action).and_then(|action| action.notify.as_ref());
        let Some(notify) = execution.notify.as_ref().or_else(of_action) else { return Ok(()) };
        let mut left = MOST_ROUTES;
        for notice in notices(notify, execution) {
            let (message, data) = self.said(&notice, execution, result).await?;
            for route in notice.routes {
                if left == 0 {
                    tracing::warn!(execution = %execution.id, route, "the route is not told: one end is told to {MOST_ROUTES} routes");
                    continue;
                }
                left -= 1;
                let trigger = Trigger::new(core_types::NOTIFY.parse().map_err(Error::damaged)?, Map::new());
                let payload = json!({
                    "execution_id": execution.id,
                    "status": execution.status,
                    "start_timestamp": execution.start.to_string(),
                    "end_timestamp": execution.end.map(|end| end.to_string()),
                    "action_ref": execution.action,
                    "runner_ref": execution.runner,
                    "route": route,
                    "channel": route,
                    "message": message,
                    "data": data,
                });
                let (operation, wake) = self.pending_instance(trigger, payload, Some(execution)).await?;
                operations.push(operation);
                wakes.push(wake);
            }
        }
        Ok(())
    }

    /// Message and data, rendered. What can't be rendered is said as it is written.
    async fn said(
        &self,
        notice: &Notice<'_>,
        execution: &Execution,
        result: &Value,
    ) -> Result<(Value, Map<String, Value>), Error> {
        let message = Value::from(notice.message.as_str());
        let message_names = Map::from_iter([("message".to_owned(), message.clone())]);
        let message = self.rendered(message, &message_names, (execution, result)).await?;
        let data = self.rendered(Value::Object(notice.data.clone()), &notice.data, (execution, result)).await?;
        let mut data = data.as_object().cloned().unwrap_or_default();
        // As text: rules see what it is, and don't look into it.
        data.insert("result".to_owned(), Value::from(result.to_string()));
        Ok((message, data))
    }

    async fn rendered(
        &self,
        value: Value,
        names: &Map<String, Value>,
        (execution, result): (&Execution, &Value),
    ) -> Result<Value, Error> {
        // An event is stored and shown as it is: the system's secrets have no place in it.
        let reader = Reader { user: execution.user.clone(), decrypts: false };
        let evaluated = self
            .with_datastore(&reader, |keys| {
                let mut context = Context::new()
                    .with("action_parameters", Value::Object(execution.parameters.clone()))
                    .with("action_context", Value::Object(execution.context.clone()))
                    .with("action_results", result.clone())
                    .with_system_keys(keys.clone())
                    .with_datastore(keys);
                names.iter().for_each(|(name, value)| context.insert(name.clone(), value.clone()));
                self.jinja.render_value(&value, &context)
            })
            .await;
        let said = match evaluated {
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => Err(error.message),
            Ok(evaluated) => {
                let redactor = Redactor::new(std::iter::empty(), &evaluated.secrets);
                evaluated.value.map(|said| redactor.value(said)).map_err(|error| redactor.text(error.to_string()))
            }
        };
        match said {
            Ok(said) => Ok(said),
            Err(error) => {
                tracing::warn!(execution = %execution.id, error, "a notification can't be rendered; it is sent as it is written");
                Ok(value)
            }
        }
    }
}

/// What `notify` says to this end: `on-complete` always, then `on-success` or `on-failure`.
fn notices<'a>(notify: &'a Value, execution: &Execution) -> Vec<Notice<'a>> {
    let by_status = match execution.status {
        ExecutionStatus::Succeeded => Some((["on-success", "on_success"], "succeeded.")),
        status if status.is_failure() => Some((["on-failure", "on_failure"], "failed.")),
        _ => None,
    };
    let sections = [Some((["on-complete", "on_complete"], "completed.")), by_status];
    let notice = |(keys, ending): ([&str; 2], &str)| {
        let section = keys.iter().find_map(|key| notify.get(key))?;
        let given = |key: &str| section.get(key).filter(|value| !value.is_null());
        let list = |key: &str| given(key).and_then(Value::as_array).filter(|list| !list.is_empty());
        let routes = list("routes").or_else(|| list("channels"))?.iter().filter_map(Value::as_str).collect();
        let message = given("message").and_then(Value::as_str).filter(|message| !message.is_empty());
        Some(Notice {
            message: message.map_or_else(|| format!("Action {} {ending}", execution.action), str::to_owned),
            data: given("data").and_then(Value::as_object).cloned().unwrap_or_default(),
            routes,
        })
    };
    sections.into_iter().flatten().filter_map(notice).collect()
}
