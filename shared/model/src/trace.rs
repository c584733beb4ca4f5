//! Traces: which chain of events something belongs to, here and in the traces of whoever called.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

use crate::Id;

/// The chain of events that something belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceContext {
    /// The trace's id.
    pub id: Id,
    /// Its tag, not unique. One that nobody gave ends in a dash and the trace's id.
    pub tag: String,
    /// Where whoever began it stands in a distributed trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TraceParent>,
}

impl TraceContext {
    /// A trace that is no part of another.
    pub fn new(id: Id, tag: impl Into<String>) -> TraceContext {
        TraceContext { id, tag: tag.into(), parent: None }
    }

    /// The id that a tag ends in where it was made from one; a tag that somebody gave may look like that too.
    pub fn id_in_tag(tag: &str) -> Option<Id> {
        tag.rsplit_once('-')?.1.parse().ok()
    }

    /// Does the tag tell nothing but the id?
    pub fn is_tagged_by_id(&self) -> bool {
        TraceContext::id_in_tag(&self.tag) == Some(self.id)
    }

    /// What an execution tells those whom it calls: the distributed trace of its caller, or one that is a function of this trace's id, and a
    /// span that is a function of the execution's.
    pub fn parent_of(&self, execution: Id) -> TraceParent {
        let id = self.id.to_string();
        // X-Ray wants a trace's id to begin with its time in seconds, as an id of ours nearly does.
        let own = || format!("{}{id}", id.get(..8).unwrap_or_default());
        let trace = self.parent.as_ref().map_or_else(own, |parent| parent.trace.clone());
        let span = execution.to_string().get(8..).unwrap_or_default().to_owned();
        TraceParent { trace, span, sampled: self.parent.as_ref().is_none_or(|parent| parent.sampled) }
    }
}

/// A place in a distributed trace, as W3C's header `traceparent` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    trace: String,
    span: String,
    sampled: bool,
}

/// The text is no `traceparent`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no traceparent: 00-<32 hex digits>-<16 hex digits>-<2 hex digits> is wanted")]
pub struct TraceParentError(String);

impl TraceParent {
    /// From X-Ray's header: `Root=1-<8 hex digits>-<24>;Parent=<16>;Sampled=1`, of which only the root must be there.
    pub fn from_xray(header: &str) -> Option<TraceParent> {
        let field = |name: &str| {
            let mut fields = header.split(';').filter_map(|field| field.trim().split_once('='));
            fields.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let trace = field("Root")?.strip_prefix("1-")?.replacen('-', "", 1);
        let span = field("Parent").or_else(|| trace.get(16..)).unwrap_or_default().to_owned();
        let sampled = field("Sampled") == Some("1");
        (is_id(&trace, 32) && is_id(&span, 16)).then_some(TraceParent { trace, span, sampled })
    }
}

/// So many lower-case hex digits.
fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

/// An id of so many digits, which are not all zeros.
fn is_id(text: &str, digits: usize) -> bool {
    is_hex(text, digits) && text.bytes().any(|byte| byte != b'0')
}

impl FromStr for TraceParent {
    type Err = TraceParentError;

    /// Versions after 00 may have more behind what we know.
    fn from_str(text: &str) -> Result<TraceParent, TraceParentError> {
        let refused = || TraceParentError(text.chars().take(64).collect());
        let mut parts = text.trim().split('-');
        let mut part = || parts.next().unwrap_or_default();
        let (version, trace, span, flags) = (part(), part(), part(), part());
        let known = version == "00" && parts.next().is_none();
        let newer = version != "00" && version != "ff" && is_hex(version, 2);
        if !(known || newer) || !is_id(trace, 32) || !is_id(span, 16) || !is_hex(flags, 2) {
            return Err(refused());
        }
        let flags = u8::from_str_radix(flags, 16).map_err(|_| refused())?;
        Ok(TraceParent { trace: trace.to_owned(), span: span.to_owned(), sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

impl Serialize for TraceParent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceParent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TraceParent, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn headers_are_read_or_refused() {
        assert_eq!(PARENT.parse::<TraceParent>().unwrap().to_string(), PARENT);
        let newer = PARENT.replacen("00", "01", 1) + "-what-will-be";
        assert_eq!(newer.parse::<TraceParent>().unwrap().to_string(), PARENT);
        let wrong = [
            String::new(),
            PARENT.to_uppercase(),
            PARENT.replacen("00", "ff", 1),
            format!("{PARENT}-more"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            PARENT.replace("-01", "-+1"),
            PARENT.replace("-01", "-1"),
        ];
        for text in wrong {
            assert!(text.parse::<TraceParent>().is_err(), "{text}");
        }
    }

    #[test]
    fn x_ray_names_the_same_trace() {
        let parent =
            TraceParent::from_xray("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
        assert_eq!(parent.unwrap().to_string(), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
        let root = TraceParent::from_xray("Root=1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(root.unwrap().to_string(), "00-5759e988bd862e3fe1be46a994272793-e1be46a994272793-00");
        assert_eq!(TraceParent::from_xray("Root=2-5759e988-bd862e3fe1be46a994272793"), None);
        assert_eq!(TraceParent::from_xray("Parent=53995c3f42cd8ad8"), None);
    }

    #[test]
    fn an_execution_goes_on_with_its_callers_trace_or_begins_one() {
        let (id, execution) = (Id::named(&["trace"]), Id::named(&["execution"]));
        let begun = TraceContext::new(id, "t");
        let own = begun.parent_of(execution);
        assert_eq!(own.to_string().parse::<TraceParent>().unwrap(), own);
        assert!(own.to_string().contains(&id.to_string()), "{own}");
        let called = TraceContext { parent: PARENT.parse().ok(), ..begun };
        assert!(called.parent_of(execution).to_string().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert_eq!(serde_json::from_value::<TraceContext>(serde_json::to_value(&called).unwrap()).unwrap(), called);
    }
}
