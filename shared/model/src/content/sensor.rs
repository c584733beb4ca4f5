//! `sensors/*.yaml`.

use yaml::{Content, Node};

use super::{Origin, finding::Findings, form::Form, trigger_type};
use crate::{SensorType, TriggerType};

const KEYS: [&str; 13] = [
    "class_name",
    "entry_point",
    "description",
    "enabled",
    "poll_interval",
    "trigger_types",
    "pack",
    "artifact_uri",
    "metadata_file",
    "name",
    "ref",
    "uid",
    "id",
];
const TRIGGER_KEYS: [&str; 8] =
    ["name", "description", "payload_schema", "parameters_schema", "pack", "tags", "ref", "metadata_file"];
/// StackStorm polls no more often.
const LEAST_POLL_INTERVAL: u64 = 4;

pub(super) fn read(node: &Node, origin: Origin<'_>, findings: &mut Findings) -> Option<(SensorType, Vec<TriggerType>)> {
    let mut form = Form::open(node, "", findings)?;
    form.close_leniently(&KEYS);
    let identity = form.identity("class_name", origin);
    let entry_point = form.required_text("entry_point");
    check_entry_point(&mut form, entry_point, origin);
    let description = form.text("description").unwrap_or_default().to_owned();
    let enabled = form.flag("enabled", true);
    let poll_interval = poll_interval(&mut form);
    let types = trigger_types(&mut form, origin);
    let (reference, metadata_file) = identity?;
    let sensor = SensorType {
        class_name: reference.name().to_owned(),
        reference,
        entry_point: entry_point?.to_owned(),
        description,
        enabled,
        poll_interval,
        trigger_types: types.iter().map(|kind| kind.reference.clone()).collect(),
        metadata_file,
    };
    Some((sensor, types))
}

fn check_entry_point(form: &mut Form<'_, '_>, entry_point: Option<&str>, origin: Origin<'_>) {
    let (Some(entry_point), Origin::File { files, .. }) = (entry_point, origin) else { return };
    let path = format!("sensors/{}", entry_point.trim_start_matches("./"));
    if files.get(&path).is_none() {
        form.error("missing-entry-point", "entry_point", format!("the pack has no file {path}"), None);
    }
}

fn poll_interval(form: &mut Form<'_, '_>) -> Option<u64> {
    let value = form.value("poll_interval")?;
    let seconds = match &value.content {
        Content::Number(number) => number.as_u64(),
        _ => None,
    };
    match seconds {
        Some(seconds) if seconds >= LEAST_POLL_INTERVAL => Some(seconds),
        _ => {
            let message = format!("must be a whole number of seconds, at least {LEAST_POLL_INTERVAL}");
            form.error("bad-poll-interval", "poll_interval", message, None);
            None
        }
    }
}

fn trigger_types(form: &mut Form<'_, '_>, origin: Origin<'_>) -> Vec<TriggerType> {
    let items = form.list("trigger_types");
    let mut types = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let path = format!("trigger_types[{at}]");
        let Some(mut inner) = Form::open(item, &path, form.findings) else { continue };
        inner.close_leniently(&TRIGGER_KEYS);
        types.extend(trigger_type::read_form(&mut inner, origin));
    }
    types
}
