//! `actions/*.yaml`.

use yaml::Node;

use super::{
    Origin,
    finding::{Finding, Findings},
    form::Form,
    parameters,
};
use crate::{Action, RunnerType, runner_type, runner_types};

const KEYS: [&str; 15] = [
    "name",
    "runner_type",
    "pack",
    "description",
    "enabled",
    "entry_point",
    "parameters",
    "output_schema",
    "tags",
    "notify",
    "metadata_file",
    "ref",
    "uid",
    "id",
    "data_files",
];
/// Runners that run a file of the pack.
const RUN_A_FILE: [&str; 6] =
    ["local-shell-script", "remote-shell-script", "python-script", "orquesta", "action-chain", "winrm-ps-script"];

pub(super) fn read(node: &Node, origin: Origin<'_>, findings: &mut Findings) -> Option<Action> {
    let mut form = Form::open(node, "", findings)?;
    form.close(&KEYS);
    let identity = form.identity("name", origin);
    let runner = runner(&mut form);
    let entry_point = form.text("entry_point").unwrap_or_default();
    check_entry_point(&mut form, entry_point, runner, origin);
    let parameters = parameters::read(&mut form, runner);
    let output_schema = form.map("output_schema");
    check_notify(&mut form);
    let (description, enabled, tags) = (form.text("description"), form.flag("enabled", true), form.tags());
    let notify = form.value("notify").map(Node::to_json);
    let (reference, metadata_file) = identity?;
    Some(Action {
        reference,
        description: description.unwrap_or_default().to_owned(),
        enabled,
        runner_type: runner?.name.clone(),
        entry_point: entry_point.to_owned(),
        parameters,
        output_schema: (!output_schema.is_empty()).then(|| output_schema.into()),
        tags,
        notify,
        metadata_file,
    })
}

fn runner(form: &mut Form<'_, '_>) -> Option<&'static RunnerType> {
    let name = form.required_text("runner_type")?;
    let found = runner_type(name);
    if found.is_none() {
        let position = form.value("runner_type").map_or(form.node.position, |value| value.position);
        let finding = Finding::error("unknown-runner", position, format!("there is no runner type \"{name}\""));
        let finding = match name {
            "mistral-v2" | "mistral" => {
                finding.hint("Mistral is gone since StackStorm 3.3: write the workflow for orquesta")
            }
            "run-local" | "run-local-script" | "run-remote" | "run-remote-script" | "run-python" => {
                finding.hint("this is the name of long ago: see the list of runner types for today's")
            }
            _ => finding.suggest(name, runner_types().iter().map(|kind| kind.name.as_str())),
        };
        form.findings.push(finding.at("runner_type"));
    }
    found
}

fn check_entry_point(form: &mut Form<'_, '_>, entry_point: &str, runner: Option<&RunnerType>, origin: Origin<'_>) {
    let Origin::File { files, .. } = origin else { return };
    let Some(runner) = runner.filter(|runner| RUN_A_FILE.contains(&runner.name.as_str())) else { return };
    if entry_point.is_empty() {
        let message = format!("is missing: the runner {} runs a file of the pack", runner.name);
        form.error("missing-entry-point", "entry_point", message, Some("give the path of the file, below actions/"));
        return;
    }
    let Some(path) = below_actions(entry_point) else {
        let message = format!("\"{entry_point}\" is not inside of the pack");
        form.error("bad-entry-point", "entry_point", message, Some("give the path of the file, below actions/"));
        return;
    };
    if files.get(&path).is_none() {
        let position = form.value("entry_point").map_or(form.node.position, |value| value.position);
        let finding = Finding::error("missing-entry-point", position, format!("the pack has no file {path}"));
        let known = files.files().iter().map(|file| file.path.as_str());
        form.findings.push(finding.at("entry_point").suggest(&path, known));
    }
}

/// The path inside the pack of a path below `actions/`.
fn below_actions(entry_point: &str) -> Option<String> {
    let mut parts = vec!["actions"];
    for part in entry_point.split('/') {
        match part {
            "" if entry_point.starts_with('/') => return None,
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn check_notify(form: &mut Form<'_, '_>) {
    let Some(mut notify) = form.inner("notify") else { return };
    let when = ["on-complete", "on-failure", "on-success", "on_complete", "on_failure", "on_success"];
    notify.close_leniently(&when);
    for key in when {
        if let Some(mut inner) = notify.inner(key) {
            inner.close_leniently(&["message", "data", "routes", "channels"]);
            inner.text("message");
            inner.map("data");
            inner.list("routes");
            inner.list("channels");
        }
    }
}
