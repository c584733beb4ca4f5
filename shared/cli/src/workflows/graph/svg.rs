//! As an image that needs nothing else. Texts have the lengths that their boxes were made for, whatever font there is.

use super::{
    Arrow, Node, Picture,
    layout::{self, Link, Point, Size},
    text::told,
};
use crate::output::cut;

const MARGIN: f64 = 24.0;
const PADDING: f64 = 12.0;
const LINE: f64 = 18.0;
/// Of the font in boxes and of the one on arrows: size, and the width of a letter.
const FONT: (f64, f64) = (13.0, 7.8);
const SMALL: (f64, f64) = (11.0, 6.6);
/// Letters of a line; what is longer is cut, and whole in the tooltip.
const LONGEST: usize = 44;
const LONGEST_LABEL: usize = 34;

/// Fill and stroke of a status.
pub(super) fn colour(status: &str) -> (&'static str, &'static str) {
    match status {
        "succeeded" => ("#d8f3dc", "#2d6a4f"),
        "failed" | "timeout" | "abandoned" => ("#ffd9d9", "#b3261e"),
        "canceled" | "canceling" | "paused" | "pausing" => ("#fff0c2", "#8a6100"),
        "running" | "requested" | "scheduled" | "delayed" | "resuming" | "pending" => ("#d6e8ff", "#1d4f91"),
        _ => ("#ffffff", "#6b7280"),
    }
}

/// The lines of a box.
fn lines(node: &Node) -> Vec<String> {
    let action = Some(node.action.clone()).filter(|action| !action.is_empty());
    let mut lines = vec![node.title.clone()];
    lines.extend(action.into_iter().chain(node.marks.iter().map(|mark| format!("[{mark}]"))));
    lines.extend(node.run.as_ref().map(told));
    lines.iter().map(|line| cut(line, LONGEST)).collect()
}

/// How wide a text is: letters of some scripts take the room of two.
fn width(text: &str, letter: f64) -> f64 {
    text.chars()
        .map(|c| if u32::from(c) >= 0x1100 && !('\u{2000}'..'\u{2e80}').contains(&c) { 2.0 } else { 1.0 })
        .sum::<f64>()
        * letter
}

fn count(lines: &[String]) -> f64 {
    lines.iter().map(|_| 1.0).sum()
}

/// The picture as an SVG file.
pub(crate) fn svg(picture: &Picture) -> String {
    let texts: Vec<Vec<String>> = picture.boxes.iter().map(lines).collect();
    let size = |lines: &Vec<String>| Size {
        width: lines.iter().map(|line| width(line, FONT.1)).fold(0.0, f64::max) + 2.0 * PADDING,
        height: count(lines) * LINE + PADDING,
    };
    let sizes: Vec<Size> = texts.iter().map(size).collect();
    let labels: Vec<String> = picture.arrows.iter().map(|arrow| cut(&arrow.when, LONGEST_LABEL)).collect();
    let label = |text: &String| match text.is_empty() {
        true => Size::default(),
        false => Size { width: width(text, SMALL.1) + 8.0, height: LINE },
    };
    let links = picture.arrows.iter().zip(&labels);
    let links: Vec<Link> =
        links.map(|(arrow, text)| Link { from: arrow.from, to: arrow.to, label: label(text) }).collect();
    let plan = layout::plan(&sizes, &links);
    let title = format!("{}{}", picture.name, picture.status.as_ref().map(|s| format!(": {s}")).unwrap_or_default());
    let title = cut(&title, 100);
    let whole = Size {
        width: plan.size.width.max(width(&title, FONT.1)) + 2.0 * MARGIN,
        height: plan.size.height + 3.0 * MARGIN,
    };
    let mut drawn = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0}\" height=\"{1:.0}\" viewBox=\"0 0 {0:.0} {1:.0}\" \
         font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"{2}\">\n\
         <title>{3}</title>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0 10 5 0 10z\" fill=\"#374151\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fafafa\"/>\n",
        whole.width,
        whole.height,
        FONT.0,
        escaped(&title),
    );
    drawn.push_str(&text_at(&title, Point { x: MARGIN, y: MARGIN }, FONT, "start", "font-weight=\"bold\""));
    drawn.push_str(&format!("<g transform=\"translate({MARGIN} {:.1})\">\n", 2.0 * MARGIN));
    for (arrow, way) in picture.arrows.iter().zip(&plan.ways) {
        drawn.push_str(&line(arrow, way));
    }
    for ((arrow, text), middle) in picture.arrows.iter().zip(&labels).zip(&plan.labels) {
        if let Some(middle) = middle {
            drawn.push_str(&on_arrow(arrow, text, *middle));
        }
    }
    for (number, ((node, lines), size)) in picture.boxes.iter().zip(&texts).zip(&sizes).enumerate() {
        let loops: Vec<&Arrow> =
            picture.arrows.iter().filter(|arrow| arrow.from == number && arrow.to == number).collect();
        if let Some(middle) = plan.boxes.get(number) {
            drawn.push_str(&boxed(node, lines, *size, *middle, &loops));
        }
    }
    drawn.push_str("</g>\n</svg>\n");
    drawn
}

fn boxed(node: &Node, lines: &[String], size: Size, middle: Point, loops: &[&Arrow]) -> String {
    let (fill, stroke) = match &node.run {
        _ if node.is_command => ("#f3f4f6", "#9ca3af"),
        Some(run) => colour(&run.status),
        None => ("#ffffff", "#374151"),
    };
    let corner = if node.is_command { size.height / 2.0 } else { 6.0 };
    let (x, y) = (middle.x - size.width / 2.0, middle.y - size.height / 2.0);
    let mut told = vec![node.title.clone(), node.action.clone()];
    told.extend(node.marks.iter().cloned());
    told.extend(loops.iter().map(|arrow| format!("again when {}", arrow.when)));
    if node.line > 0 {
        told.push(format!("line {}", node.line));
    }
    told.retain(|line| !line.is_empty());
    let mut drawn = format!(
        "<g id=\"{}\"><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
         rx=\"{corner:.1}\" fill=\"{fill}\" stroke=\"{stroke}\"/>\n",
        escaped(&format!("{}-{}", if node.is_command { "command" } else { "task" }, node.title)),
        escaped(&told.join("\n")),
        size.width,
        size.height,
    );
    let mut baseline = y + PADDING / 2.0 + LINE * 0.72;
    for (at, line) in lines.iter().enumerate() {
        let look = if at == 0 { "font-weight=\"bold\"" } else { "fill=\"#4b5563\"" };
        drawn.push_str(&text_at(line, Point { x: middle.x, y: baseline }, FONT, "middle", look));
        baseline += LINE;
    }
    if !loops.is_empty() {
        let look = "fill=\"#374151\"";
        let corner = Point { x: x + size.width - PADDING, y: y + LINE * 0.8 };
        drawn.push_str(&text_at("↺", corner, FONT, "middle", look));
    }
    drawn.push_str("</g>\n");
    drawn
}

fn line(arrow: &Arrow, way: &[Point]) -> String {
    let Some((first, rest)) = way.split_first() else { return String::new() };
    let mut path = format!("M{:.1} {:.1}", first.x, first.y);
    let mut from = *first;
    for to in rest {
        let half = (from.y + to.y) / 2.0;
        path.push_str(&format!(" C{:.1} {half:.1} {:.1} {half:.1} {:.1} {:.1}", from.x, to.x, to.x, to.y));
        from = *to;
    }
    let dash = if arrow.is_back { " stroke-dasharray=\"5 4\"" } else { "" };
    let (stroke, wide) = stroke(arrow);
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{wide}\"{dash} marker-end=\"url(#tip)\"/>\n"
    )
}

fn stroke(arrow: &Arrow) -> (&'static str, &'static str) {
    match arrow.is_taken {
        Some(true) => ("#1f2937", "2"),
        Some(false) => ("#c4c9d1", "1"),
        None => ("#6b7280", "1.2"),
    }
}

fn on_arrow(arrow: &Arrow, text: &str, middle: Point) -> String {
    let wide = width(text, SMALL.1) + 8.0;
    let fill = if arrow.is_taken == Some(false) { "fill=\"#9ca3af\"" } else { "fill=\"#374151\"" };
    let text = text_at(text, Point { x: middle.x, y: middle.y + 4.0 }, SMALL, "middle", fill);
    format!(
        "<g><title>{}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{LINE}\" fill=\"#fafafa\"/>{text}</g>\n",
        escaped(&arrow.when),
        middle.x - wide / 2.0,
        middle.y - LINE / 2.0,
    )
}

fn text_at(text: &str, at: Point, (size, letter): (f64, f64), anchor: &str, look: &str) -> String {
    format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" textLength=\"{:.1}\" \
         lengthAdjust=\"spacingAndGlyphs\" {look}>{}</text>\n",
        at.x,
        at.y,
        width(text, letter),
        escaped(text),
    )
}

fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
