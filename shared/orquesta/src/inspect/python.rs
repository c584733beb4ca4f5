//! Values as Python prints them, for messages that are to read the same.

use yaml::{Content, Node};

pub(super) fn print(node: &Node) -> String {
    match &node.content {
        Content::Null => "None".to_owned(),
        Content::Bool(true) => "True".to_owned(),
        Content::Bool(false) => "False".to_owned(),
        Content::Number(number) => number.to_string(),
        Content::Text(text) => quote(text),
        Content::List(items) => format!("[{}]", items.iter().map(print).collect::<Vec<_>>().join(", ")),
        Content::Map(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|entry| format!("{}: {}", quote(&entry.key), print(&entry.value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

pub(super) fn quote(text: &str) -> String {
    if text.contains('\'') && !text.contains('"') { format!("\"{text}\"") } else { format!("'{text}'") }
}
