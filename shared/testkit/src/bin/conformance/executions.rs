//! Actions requested of a fresh embedded host, with what came of them and of their children.

use std::path::{Path, PathBuf};
use std::time::Duration;

use embedded::{Host, HostOptions, read_pack_directory};
use engine::{Engine, ExecutionFilter, ExecutionRequest, PageRequest, Principal, SetKey};
use model::{Execution, KeyScope, Secret};
use serde_json::{Value, json};

use crate::Answer;
use crate::jinja::map;

/// How long a case may take.
const LONGEST: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) fn answer(case: &Value) -> Answer {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(run(case))
}

async fn run(case: &Value) -> Answer {
    let data = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut options = HostOptions::new(data.path());
    options.engine.api_url = Some("http://127.0.0.1/v1".to_owned());
    let host = Host::start(options).await.map_err(|error| error.to_string())?;
    let root = Principal { user: "root".to_owned(), admin: true };
    let answer = Case { engine: host.engine(), root, case }.run().await;
    host.stop(Duration::from_secs(1)).await;
    answer
}

struct Case<'a> {
    engine: &'a Engine,
    root: Principal,
    case: &'a Value,
}

impl Case<'_> {
    async fn run(&self) -> Answer {
        for pack in self.case["packs"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let files = read_pack_directory(&directory(pack)?).map_err(|error| error.to_string())?;
            self.engine.register_pack(&Principal::system(), files).await.map_err(|error| told(&error))?;
        }
        for (name, value) in map(&self.case["kv"], "system") {
            let value = Secret::new(value.as_str().unwrap_or_default().to_owned());
            let set = SetKey { name, value, scope: KeyScope::System, ..SetKey::default() };
            self.engine.set_key(&self.root, set).await.map_err(|error| told(&error))?;
        }
        let request = ExecutionRequest {
            action: self.case["action"].as_str().unwrap_or_default().to_owned(),
            parameters: map(self.case, "parameters"),
            ..ExecutionRequest::default()
        };
        let requested = self.engine.request(&self.root, request).await.map_err(|error| told(&error))?;
        let ended = tokio::time::timeout(LONGEST, self.ended(&requested)).await;
        let ended = ended.map_err(|_| "it does not end".to_owned())??;
        let mut children = Vec::new();
        self.children(&ended, 1, &mut children).await?;
        Ok(json!({"status": ended.status, "result": self.result(&ended).await?, "children": children}))
    }

    /// Waits for the end; whenever an inquiry waits, it gets the next answer.
    async fn ended(&self, requested: &Execution) -> Result<Execution, String> {
        let responses = self.case["inquiry_responses"].as_array();
        let mut responses = responses.into_iter().flatten().cycle();
        loop {
            let open =
                self.engine.inquiries(&self.root, &PageRequest::default()).await.map_err(|error| told(&error))?;
            for asked in &open.items {
                let Some(response) = responses.next() else { break };
                // Another look finds it answered.
                let _answered = self.engine.respond(&self.root, asked.id, response.clone()).await;
            }
            let execution = self.engine.execution(&self.root, requested.id).await.map_err(|error| told(&error))?;
            if execution.status.is_final() {
                return Ok(execution);
            }
            let clock = &self.engine.ports().clock;
            clock.sleep_until(clock.now().after(LOOK_EVERY)).await;
        }
    }

    async fn result(&self, execution: &Execution) -> Result<Value, String> {
        let result = self.engine.result(&self.root, execution, false).await.map_err(|error| told(&error))?;
        let mut result = result.unwrap_or_default();
        without_lines(&mut result);
        // The recording has no times.
        for task in result.get_mut("tasks").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(task) = task.as_object_mut() {
                task.retain(|name, _| name != "created_at" && name != "updated_at");
            }
        }
        Ok(result)
    }

    async fn children(&self, parent: &Execution, depth: u32, all: &mut Vec<Value>) -> Result<(), String> {
        let filter = ExecutionFilter { parent: Some(parent.id), ..ExecutionFilter::default() };
        let page = PageRequest { limit: 1_000, descending: false, ..PageRequest::default() };
        let found = self.engine.executions(&self.root, &filter, &page).await.map_err(|error| told(&error))?;
        for child in &found.items {
            let mut shown = json!({
                "depth": depth, "action": child.action, "status": child.status, "parameters": child.parameters,
                "result": self.result(child).await?,
            });
            if let (Some(shown), Some(task)) = (shown.as_object_mut(), &child.task) {
                shown.insert("task".to_owned(), json!(task.name));
                if child.context.contains_key("orquesta") {
                    shown.insert("route".to_owned(), json!(task.route));
                }
                shown.extend(task.item.map(|item| ("item_id".to_owned(), json!(item))));
            }
            all.push(shown);
            Box::pin(self.children(child, depth + 1, all)).await?;
        }
        Ok(())
    }
}

/// Where a pack lies: `core` is our own, the others come with the cases.
fn directory(pack: &str) -> Result<PathBuf, String> {
    if pack == "core" {
        return Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/core"));
    }
    let packs = std::env::var_os("CONFORMANCE_PACKS").ok_or("CONFORMANCE_PACKS names no folder")?;
    Ok(Path::new(&packs).join(pack))
}

fn told(error: &engine::Error) -> String {
    let details: Vec<String> = error.diagnostics.iter().map(ToString::to_string).collect();
    format!("{} {}", error.message, details.join("; "))
}

/// The lines of a workflow's errors are ours: StackStorm's results have none.
fn without_lines(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for error in fields.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
                error.as_object_mut().map(|error| error.remove("line"));
            }
            fields.values_mut().for_each(without_lines);
        }
        Value::Array(items) => items.iter_mut().for_each(without_lines),
        _ => {}
    }
}
