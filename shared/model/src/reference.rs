//! References to a pack's resources.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr, sync::Arc};

/// `<pack>.<name>`; the name may hold dots. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref {
    text: Arc<str>,
    dot: usize,
}

/// The text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a reference: write <pack>.<name>")]
pub struct RefError(pub String);

impl Ref {
    /// From its two halves; refused where one is empty or the pack holds a dot.
    pub fn new(pack: &str, name: &str) -> Result<Ref, RefError> {
        format!("{pack}.{name}").parse()
    }

    /// The pack.
    pub fn pack(&self) -> &str {
        self.text.get(..self.dot).unwrap_or_default()
    }

    /// The name within the pack.
    pub fn name(&self) -> &str {
        self.text.get(self.dot + 1..).unwrap_or_default()
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Ref {
    type Err = RefError;

    fn from_str(text: &str) -> Result<Ref, RefError> {
        match text.find('.') {
            Some(dot) if dot > 0 && dot + 1 < text.len() && !text.contains(char::is_whitespace) => {
                Ok(Ref { text: text.into(), dot })
            }
            _ => Err(RefError(text.chars().take(200).collect())),
        }
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Ref {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Ref {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ref, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
