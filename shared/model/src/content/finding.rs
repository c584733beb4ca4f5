//! What the readers report.

use yaml::Position;

use crate::{Diagnostic, Severity};

/// Something wrong with a body that came by the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `trigger.type`; empty for the whole body.
    pub path: String,
    /// What, and how to mend it where that is known: fit for a `faultstring`.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.message)
    }
}

/// One thing that a reader found.
pub(super) struct Finding {
    code: &'static str,
    severity: Severity,
    position: Position,
    path: String,
    message: String,
    hint: Option<String>,
}

impl Finding {
    pub(super) fn error(code: &'static str, position: Position, message: impl Into<String>) -> Finding {
        let message = message.into();
        Finding { code, severity: Severity::Error, position, path: String::new(), message, hint: None }
    }

    pub(super) fn warning(code: &'static str, position: Position, message: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(code, position, message) }
    }

    pub(super) fn at(mut self, path: &str) -> Finding {
        path.clone_into(&mut self.path);
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    /// "Did you mean", where something known is close.
    pub(super) fn suggest<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Finding {
        match crate::schema::suggestion(name, known) {
            Some(meant) => self.hint(format!("did you mean \"{meant}\"?")),
            None => self,
        }
    }

    pub(super) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    pub(super) fn in_file(self, file: &str) -> Diagnostic {
        let place = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        Diagnostic {
            code: self.code,
            severity: self.severity,
            file: file.to_owned(),
            line: self.position.line,
            column: self.position.column,
            message: format!("{place}{}", self.message),
            hint: self.hint,
        }
    }
}

impl From<Finding> for Problem {
    fn from(finding: Finding) -> Problem {
        let hint = finding.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        Problem { path: finding.path, message: format!("{}{hint}", finding.message) }
    }
}

/// All that a reader found.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
