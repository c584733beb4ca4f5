//! For a terminal: tasks layer by layer, below each what it leads to.

use super::{Arrow, Node, NodeRun, Picture};
use crate::{
    Ink, Look,
    console::printable,
    output::{cut, duration},
};

/// Lines are cut to this where there is no terminal to fit.
const LONGEST: usize = 160;

/// The picture as lines.
pub(crate) fn text(look: Look, picture: &Picture) -> String {
    let width = look.width.map_or(LONGEST, usize::from);
    let mut lines = Vec::new();
    let status = picture.status.as_deref().map(|status| format!("  {}", painted(look, status))).unwrap_or_default();
    lines.push(format!("{}{status}", look.paint(Ink::Bold, &printable(&picture.name))));
    let mut order: Vec<(usize, &Node)> =
        picture.boxes.iter().enumerate().filter(|(_, node)| !node.is_command).collect();
    order.sort_by_key(|(number, node)| (node.layer, *number));
    let widest = order.iter().map(|(_, node)| node.title.chars().count()).max().unwrap_or(0);
    let mut layer = None;
    for (number, node) in order {
        // Tasks of one layer may run at once.
        let margin = if layer == Some(node.layer) { String::new() } else { (node.layer + 1).to_string() };
        layer = Some(node.layer);
        lines.push(String::new());
        lines.push(head(look, node, &margin, widest, width));
        let arrows: Vec<&Arrow> = picture.arrows.iter().filter(|arrow| arrow.from == number).collect();
        for (at, arrow) in arrows.iter().enumerate() {
            let corner = if at + 1 == arrows.len() { "└─" } else { "├─" };
            lines.push(branch(look, picture, arrow, corner, width));
        }
    }
    if !picture.never.is_empty() {
        let never = format!("never runs: {}", picture.never.join(", "));
        lines.extend([String::new(), look.paint(Ink::Yellow, &printable(&never))]);
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn head(look: Look, node: &Node, margin: &str, widest: usize, width: usize) -> String {
    let mark = node.run.as_ref().map(|run| format!("{} ", mark(look, &run.status))).unwrap_or_default();
    let title = format!("{:<widest$}", printable(&node.title));
    let mut about: Vec<String> = Vec::new();
    about.extend(Some(node.action.clone()).filter(|action| !action.is_empty()));
    about.extend(node.marks.iter().map(|mark| format!("[{mark}]")));
    about.extend(node.run.as_ref().map(told));
    let about = cut(&printable(&about.join("  ")), width.saturating_sub(widest + 9));
    format!("{}  {mark}{}  {about}", look.paint(Ink::Dim, &format!("{margin:>3}")), look.paint(Ink::Bold, &title))
}

fn branch(look: Look, picture: &Picture, arrow: &Arrow, corner: &str, width: usize) -> String {
    let target = picture.boxes.get(arrow.to).map(|node| printable(&node.title)).unwrap_or_default();
    let back = match arrow {
        arrow if arrow.from == arrow.to => " ↺ itself",
        arrow if arrow.is_back => " ↺",
        _ => "",
    };
    let room = width.saturating_sub(target.chars().count() + 20);
    let when = cut(&printable(&arrow.when), room);
    let when = if when.is_empty() { String::new() } else { format!("{when} ") };
    let (ink, gone) = match arrow.is_taken {
        Some(true) => (Ink::Green, "✔ "),
        Some(false) => (Ink::Dim, "· "),
        None => (Ink::Cyan, ""),
    };
    format!("     {} {gone}{when}→ {}{back}", look.paint(Ink::Dim, corner), look.paint(ink, &target))
}

/// What became of a task, in a line.
pub(super) fn told(run: &NodeRun) -> String {
    let times = if run.times > 1 { format!(" {}×", run.times) } else { String::new() };
    let seconds = run.seconds.map(|seconds| format!(", {}", duration(seconds))).unwrap_or_default();
    let routes: Vec<String> = run.routes.iter().map(ToString::to_string).collect();
    let routes = if routes.is_empty() { String::new() } else { format!(", routes {}", routes.join(" ")) };
    format!("{}{times}{seconds}{routes}", run.status)
}

fn painted(look: Look, status: &str) -> String {
    Ink::of_status(status).map_or_else(|| status.to_owned(), |ink| look.paint(ink, status))
}

fn mark(look: Look, status: &str) -> String {
    let mark = match status {
        "succeeded" => "✔",
        "failed" | "timeout" | "abandoned" => "✘",
        "running" | "requested" | "scheduled" | "delayed" | "resuming" => "▶",
        "paused" | "pausing" | "pending" => "‖",
        "canceled" | "canceling" => "■",
        _ => "·",
    };
    Ink::of_status(status).map_or_else(|| mark.to_owned(), |ink| look.paint(ink, mark))
}
