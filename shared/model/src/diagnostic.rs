//! What is wrong with a pack, where, and how to mend it.

use serde::Serialize;
use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pack can't be registered.
    Error,
    /// The pack can be registered, but likely does not do what its author meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// One thing that is wrong with a pack. Shown as `file:line:column: error[code]: message`, and a line of help where there is some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// A stable name of the kind of problem.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// Path inside the pack.
    pub file: String,
    /// From 1; 0 where the whole file is meant.
    pub line: u32,
    /// From 1; 0 where the whole file is meant.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Does it keep the pack from being registered?
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}[{}]: {}", self.severity, self.code, self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "\n  help: {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_as_compilers_do() {
        let mut diagnostic = Diagnostic {
            code: "unknown-key",
            severity: Severity::Error,
            file: "rules/a.yaml".into(),
            line: 3,
            column: 1,
            message: "there is no key \"criterai\"".into(),
            hint: Some("did you mean \"criteria\"?".into()),
        };
        assert_eq!(
            diagnostic.to_string(),
            "rules/a.yaml:3:1: error[unknown-key]: there is no key \"criterai\"\n  help: did you mean \"criteria\"?"
        );
        diagnostic.line = 0;
        diagnostic.hint = None;
        assert_eq!(diagnostic.to_string(), "rules/a.yaml: error[unknown-key]: there is no key \"criterai\"");
    }
}
