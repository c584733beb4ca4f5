//! `aliases/*.yaml`.

use yaml::{Content, Node};

use super::{Origin, finding::Findings, form::Form};
use crate::ActionAlias;

const KEYS: [&str; 14] = [
    "name",
    "pack",
    "action_ref",
    "description",
    "enabled",
    "formats",
    "ack",
    "result",
    "extra",
    "immutable_parameters",
    "metadata_file",
    "ref",
    "uid",
    "id",
];

pub(super) fn read(node: &Node, origin: Origin<'_>, findings: &mut Findings) -> Option<ActionAlias> {
    let mut form = Form::open(node, "", findings)?;
    form.close(&KEYS);
    let identity = form.identity("name", origin);
    let action_ref = form.reference("action_ref");
    let enabled = form.flag("enabled", true);
    form.text("description");
    for key in ["extra", "immutable_parameters"] {
        form.map(key);
    }
    check_formats(&mut form);
    for (key, known) in
        [("ack", &["enabled", "format", "extra", "append_url"][..]), ("result", &["enabled", "format", "extra"])]
    {
        if let Some(mut inner) = form.inner(key) {
            inner.close(known);
            inner.text("format");
            inner.flag("enabled", true);
        }
    }
    let (reference, metadata_file) = identity?;
    let own = ["ref", "action_ref", "enabled", "uid", "id"];
    let others = form.entries().iter().filter(|entry| !own.contains(&entry.key.as_str()));
    let mut body: serde_json::Map<_, _> = others.map(|entry| (entry.key.clone(), entry.value.to_json())).collect();
    body.insert("pack".to_owned(), reference.pack().into());
    body.insert("metadata_file".to_owned(), metadata_file.into());
    Some(ActionAlias { reference, action_ref: action_ref?, enabled, body })
}

fn check_formats(form: &mut Form<'_, '_>) {
    for (at, item) in form.list("formats").iter().enumerate() {
        let path = format!("formats[{at}]");
        if matches!(item.content, Content::Text(_)) {
            continue;
        }
        let Some(mut inner) = Form::open(item, &path, form.findings) else { continue };
        inner.close(&["display", "representation", "match_multiple"]);
        inner.text("display");
        inner.list("representation");
        inner.flag("match_multiple", false);
    }
}
