//! Criteria that hold criteria: `any`, `all` and `not`.

use model::MAX_CRITERIA_DEPTH;
use serde_json::Value;
use std::sync::Arc;

use crate::{
    criterion::{Criterion, Failure, Failures},
    pattern::Subject,
};

/// How the groups decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    Any,
    All,
    Not,
}

impl Join {
    /// The key that it is written under.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Join::Any => "any",
            Join::All => "all",
            Join::Not => "not",
        }
    }

    /// What is the case where it does not hold.
    pub(crate) const fn denial(self) -> &'static str {
        match self {
            Join::Any => "no group holds",
            Join::All => "not every group holds",
            Join::Not => "the group holds",
        }
    }
}

/// A compiled tree.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) join: Join,
    /// The criteria of a group must all hold; `not` has one group.
    pub(crate) groups: Vec<Vec<Criterion>>,
}

impl Tree {
    pub(crate) fn compile(name: &str, written: &Value, depth: usize) -> Result<Tree, String> {
        if depth >= MAX_CRITERIA_DEPTH {
            return Err(format!("criteria are nested more than {MAX_CRITERIA_DEPTH} deep"));
        }
        let group = |group: &Value| match group {
            Value::Object(criteria) => {
                Ok(criteria.iter().map(|(key, inner)| Criterion::compile(key, inner, depth + 1)).collect())
            }
            _ => Err("a group must be an object of criteria".to_owned()),
        };
        let join = match name {
            "any" => Join::Any,
            "all" => Join::All,
            _ => Join::Not,
        };
        let groups = match written {
            Value::Array(groups) => groups.iter().map(group).collect::<Result<_, _>>()?,
            other => vec![group(other)?],
        };
        Ok(Tree { join, groups })
    }

    /// Every criterion in it.
    pub(crate) fn criteria(&self) -> impl Iterator<Item = &Criterion> {
        self.groups.iter().flatten()
    }

    /// In the order written, up to what decides. What can't be evaluated is never taken for "does not hold".
    pub(crate) fn holds(&self, subject: &Subject<'_>, failures: &mut Failures<'_>) -> Result<bool, Failure> {
        let mut failed = Ok(false);
        for group in &self.groups {
            match (self.join, group_holds(group, subject, failures)) {
                (Join::Not, held) => return held.map(|held| !held),
                (Join::Any, Ok(true)) => return Ok(true),
                (Join::Any, Err(failure)) => failed = failed.and(Err(failure)),
                (Join::All, Ok(false)) => return Ok(false),
                (Join::All, Err(failure)) => return Err(failure),
                (Join::Any, Ok(false)) | (Join::All, Ok(true)) => {}
            }
        }
        if self.join == Join::All { Ok(true) } else { failed }
    }
}

fn group_holds(group: &[Criterion], subject: &Subject<'_>, failures: &mut Failures<'_>) -> Result<bool, Failure> {
    for criterion in group {
        let verdict = criterion.verdict(subject, failures);
        let within = |failure| Failure::Within { key: Arc::clone(&criterion.key), failure: Box::new(failure) };
        if !verdict.map_err(within)? {
            return Ok(false);
        }
    }
    Ok(true)
}
