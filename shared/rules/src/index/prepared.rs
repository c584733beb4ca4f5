//! A set of rules as bytes that are ready to match after a few milliseconds, whatever their number.
//!
//! A header, the plan (postcard), and the rules as JSON, each of which is read only when it matches. Everything is covered by a checksum.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};

use super::{
    RuleSet,
    compile::as_u32,
    plan::Plan,
    tier::{Rules, Tier, Written},
};

const MAGIC: &[u8; 8] = b"SQUALLRI";
/// Raised whenever a plan means something else than before.
const VERSION: u32 = 2;
const HEADER: usize = 20;

/// Why bytes are no prepared index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreparedError {
    /// Something else, or cut off.
    #[error("these bytes are no prepared rule index")]
    NoIndex,
    /// Written by another version: build it anew from the rules.
    #[error("the rule index is of version {0}, and only version {VERSION} can be read; build it anew from the rules")]
    Version(u32),
    /// The checksum is wrong, or the contents contradict themselves.
    #[error("the rule index is damaged; build it anew from the rules")]
    Damaged,
    /// A rule that JSON has no form for, or more than 4 GiB of rules.
    #[error("the rules can't be written: {0}")]
    Unwritable(String),
}

/// All but the rules themselves.
#[derive(Serialize, Deserialize)]
struct Contents {
    plan: Plan,
    backstops_from: u32,
    ends: Vec<u32>,
    refs: String,
    ref_ends: Vec<u32>,
}

impl RuleSet {
    /// The set as bytes. Changes since it was built are worked in.
    pub fn to_prepared(&self) -> Result<Vec<u8>, PreparedError> {
        let built;
        let tier = if self.changed() == 0 {
            &self.base
        } else {
            built = Tier::build(self.rules(), &[]);
            &built
        };
        write(tier)
    }

    /// The set that was written. Rules are read one by one, as they match.
    pub fn from_prepared(bytes: impl Into<Bytes>) -> Result<RuleSet, PreparedError> {
        let bytes: Bytes = bytes.into();
        let (contents, rules) = read(&bytes)?;
        let Contents { plan, backstops_from, ends, refs, ref_ends } = contents;
        let count = plan.programs.len();
        let whole = ends.last().is_none_or(|end| *end as usize == rules.len());
        if ends.len() != count || ref_ends.len() != count || backstops_from as usize > count || !whole {
            return Err(PreparedError::Damaged);
        }
        let compiled = (0..count).map(|_| OnceLock::new()).collect();
        let written = Written { bytes: rules, ends, refs, ref_ends, compiled };
        let base = Arc::new(Tier::new(Rules::Written(written), backstops_from, plan));
        Ok(RuleSet { base, ..RuleSet::default() })
    }
}

fn write(tier: &Tier) -> Result<Vec<u8>, PreparedError> {
    let unwritable = |error: &dyn std::fmt::Display| PreparedError::Unwritable(error.to_string());
    let (mut rules, mut refs, mut ends, mut ref_ends) = (Vec::new(), String::new(), Vec::new(), Vec::new());
    for rule in (0_u32..).take(tier.len()).filter_map(|id| tier.rule(id)) {
        serde_json::to_writer(&mut rules, &**rule.rule()).map_err(|error| unwritable(&error))?;
        refs.push_str(rule.rule().reference.as_str());
        ends.push(u32::try_from(rules.len()).map_err(|error| unwritable(&error))?);
        ref_ends.push(as_u32(refs.len()));
    }
    let contents = Contents { plan: tier.plan().clone(), backstops_from: tier.backstops_from(), ends, refs, ref_ends };
    let contents = postcard::to_allocvec(&contents).map_err(|error| unwritable(&error))?;
    let length = u32::try_from(contents.len()).map_err(|error| unwritable(&error))?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(&contents);
    hasher.update(&rules);
    let mut bytes = Vec::with_capacity(HEADER + contents.len() + rules.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&hasher.finalize().to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&contents);
    bytes.extend_from_slice(&rules);
    Ok(bytes)
}

fn read(bytes: &Bytes) -> Result<(Contents, Bytes), PreparedError> {
    let number =
        |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes));
    if !bytes.starts_with(MAGIC) {
        return Err(PreparedError::NoIndex);
    }
    let (Some(version), Some(checksum), Some(length)) = (number(8), number(12), number(16)) else {
        return Err(PreparedError::NoIndex);
    };
    if version != VERSION {
        return Err(PreparedError::Version(version));
    }
    if bytes.get(16..).map(crc32fast::hash) != Some(checksum) {
        return Err(PreparedError::Damaged);
    }
    let end = HEADER + length as usize;
    let contents = bytes.get(HEADER..end).ok_or(PreparedError::Damaged)?;
    let contents = postcard::from_bytes(contents).map_err(|_| PreparedError::Damaged)?;
    Ok((contents, bytes.slice(end..)))
}
