//! What is wrong with a pack, with the lines that it is about.

use model::{Diagnostic, PackFiles};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

use crate::console::{Ink, Look};

/// A diagnostic of this process or of the host.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct DiagnosticView {
    code: String,
    severity: String,
    file: String,
    #[serde(default)]
    line: u32,
    #[serde(default)]
    column: u32,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl DiagnosticView {
    /// Those that the host answered with.
    pub(crate) fn all_of(answer: &Value, key: &str) -> Vec<DiagnosticView> {
        let listed = answer.get(key).and_then(Value::as_array).into_iter().flatten();
        listed.filter_map(|diagnostic| DiagnosticView::deserialize(diagnostic).ok()).collect()
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == "error"
    }
}

impl From<&Diagnostic> for DiagnosticView {
    fn from(diagnostic: &Diagnostic) -> DiagnosticView {
        DiagnosticView {
            code: diagnostic.code.to_owned(),
            severity: diagnostic.severity.to_string(),
            file: diagnostic.file.clone(),
            line: diagnostic.line,
            column: diagnostic.column,
            message: diagnostic.message.clone(),
            hint: diagnostic.hint.clone(),
        }
    }
}

/// The files that diagnostics are about, and the directory that they are in.
pub(crate) struct Excerpts<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) files: &'a PackFiles,
}

impl Excerpts<'_> {
    /// All of them, an empty line behind each.
    pub(crate) fn render(&self, look: Look, diagnostics: &[DiagnosticView]) -> String {
        diagnostics.iter().map(|diagnostic| format!("{}\n", self.one(look, diagnostic))).collect()
    }

    fn one(&self, look: Look, diagnostic: &DiagnosticView) -> String {
        let place = self.directory.join(&diagnostic.file);
        let position =
            if diagnostic.line > 0 { format!(":{}:{}", diagnostic.line, diagnostic.column) } else { String::new() };
        let ink = if diagnostic.is_error() { Ink::Red } else { Ink::Yellow };
        let label = look.paint(ink, &format!("{}[{}]", diagnostic.severity, diagnostic.code));
        let mut text = format!("{}{position}: {label}: {}\n", place.display(), diagnostic.message);
        if let Some(line) = self.line(diagnostic) {
            text.push_str(&excerpt(look, ink, line, diagnostic));
        }
        if let Some(hint) = &diagnostic.hint {
            text.push_str(&format!("  {} {hint}\n", look.paint(Ink::Cyan, "help:")));
        }
        text
    }

    fn line(&self, diagnostic: &DiagnosticView) -> Option<&str> {
        let at = usize::try_from(diagnostic.line.checked_sub(1)?).ok()?;
        let file = self.files.files().iter().find(|file| file.path == diagnostic.file)?;
        std::str::from_utf8(&file.bytes).ok()?.lines().nth(at)
    }
}

fn excerpt(look: Look, ink: Ink, line: &str, diagnostic: &DiagnosticView) -> String {
    let number = diagnostic.line.to_string();
    let margin = " ".repeat(number.len());
    let bar = look.paint(Ink::Dim, "|");
    let before = usize::try_from(diagnostic.column.saturating_sub(1)).unwrap_or(0);
    // Tabs stay tabs, so that the caret stands below its letter however wide they are shown.
    let indent: String = line.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let line = crate::console::printable(line);
    let caret = look.paint(ink, "^");
    format!("  {} {bar} {line}\n  {margin} {bar} {indent}{caret}\n", look.paint(Ink::Dim, &number))
}

/// `2 errors`, `1 rule`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix("policy"), noun.strip_suffix("alias")) {
        (1, ..) => format!("1 {noun}"),
        (_, Some(stem), _) => format!("{count} {stem}policies"),
        (_, _, Some(stem)) => format!("{count} {stem}aliases"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use model::SourceFile;

    #[test]
    fn the_line_and_the_place_in_it_are_shown() {
        let source = SourceFile {
            path: "rules/a.yaml".into(),
            bytes: b"name: a\npack: demo\ncriterai: {}\n".to_vec(),
            executable: false,
        };
        let files = PackFiles::new(vec![source]);
        let excerpts = Excerpts { directory: Path::new("packs/demo"), files: &files };
        let unknown_key = DiagnosticView {
            code: "unknown-key".into(),
            severity: "error".into(),
            file: "rules/a.yaml".into(),
            line: 3,
            column: 1,
            message: "there is no key \"criterai\"".into(),
            hint: Some("did you mean \"criteria\"?".into()),
        };
        let whole_file = DiagnosticView {
            code: "no-action".into(),
            severity: "warning".into(),
            file: "rules/b.yaml".into(),
            line: 0,
            column: 0,
            message: "the pack has no action".into(),
            hint: None,
        };
        assert_snapshot!(excerpts.render(Look::default(), &[unknown_key, whole_file]), @r#"
        packs/demo/rules/a.yaml:3:1: error[unknown-key]: there is no key "criterai"
          3 | criterai: {}
            | ^
          help: did you mean "criteria"?

        packs/demo/rules/b.yaml: warning[no-action]: the pack has no action
        "#);
    }

    #[test]
    fn nouns_are_counted() {
        assert_eq!(counted(1, "error"), "1 error");
        assert_eq!(counted(0, "error"), "0 errors");
        assert_eq!(counted(2, "policy"), "2 policies");
        assert_eq!(counted(2, "alias"), "2 aliases");
    }
}
