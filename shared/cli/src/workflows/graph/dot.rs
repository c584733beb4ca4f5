//! For Graphviz.

use super::{Arrow, Node, Picture, svg::colour};

/// The picture as a DOT file.
pub(crate) fn dot(picture: &Picture) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&picture.name));
    text.push_str("  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=monospace];\n");
    text.push_str("  edge [fontname=monospace, fontsize=10];\n");
    for (number, node) in picture.boxes.iter().enumerate() {
        text.push_str(&format!("  n{number} [{}];\n", node_attributes(node)));
    }
    for arrow in &picture.arrows {
        let attributes = arrow_attributes(arrow);
        text.push_str(&format!("  n{} -> n{} [{attributes}];\n", arrow.from, arrow.to));
    }
    text.push_str("}\n");
    text
}

fn node_attributes(node: &Node) -> String {
    let mut lines = vec![node.title.clone()];
    lines.extend(Some(node.action.clone()).filter(|action| !action.is_empty()));
    lines.extend(node.marks.iter().map(|mark| format!("[{mark}]")));
    lines.extend(node.run.as_ref().map(super::text::told));
    let mut attributes = format!("label={}", quoted(&lines.join("\n")));
    if node.is_command {
        attributes.push_str(", shape=plaintext, style=\"\"");
    }
    if let Some(run) = &node.run {
        attributes.push_str(&format!(", fillcolor=\"{}\"", colour(&run.status).0));
    }
    attributes
}

fn arrow_attributes(arrow: &Arrow) -> String {
    let mut attributes = format!("label={}", quoted(&arrow.when));
    match arrow.is_taken {
        Some(true) => attributes.push_str(", penwidth=2"),
        Some(false) => attributes.push_str(", color=gray, fontcolor=gray"),
        None => {}
    }
    if arrow.is_back {
        attributes.push_str(", style=dashed");
    }
    attributes
}

/// Line ends are `\n` in a DOT text.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
