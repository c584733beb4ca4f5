//! Packs as files: read, checked, and turned into nouns.

use serde_json::Value;

use crate::{Action, Diagnostic, PackContent, Rule, TriggerType};

/// One file of a pack as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path inside the pack, with `/`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// May it be executed?
    pub executable: bool,
}

/// All files of one pack version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackFiles {
    files: Vec<SourceFile>,
}

impl PackFiles {
    /// Takes the files in any order.
    pub fn new(files: Vec<SourceFile>) -> PackFiles {
        PackFiles { files }
    }

    /// The files, sorted by path.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }
}

/// Something wrong with a body that came by the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `trigger.type`; empty for the whole body.
    pub path: String,
    /// What, and how to mend it where that is known: fit for a `faultstring`.
    pub message: String,
}

/// Reads a whole pack: what it holds and what to be warned of, or everything that is wrong with it.
pub fn load_pack(_files: &PackFiles) -> Result<(PackContent, Vec<Diagnostic>), Vec<Diagnostic>> {
    Err(Vec::new())
}

/// Reads a rule from a body of the API.
pub fn parse_rule(_body: &Value) -> Result<Rule, Vec<Problem>> {
    Err(Vec::new())
}

/// Reads an action from a body of the API.
pub fn parse_action(_body: &Value) -> Result<Action, Vec<Problem>> {
    Err(Vec::new())
}

/// Reads a trigger type from a body of the API.
pub fn parse_trigger_type(_body: &Value) -> Result<TriggerType, Vec<Problem>> {
    Err(Vec::new())
}
