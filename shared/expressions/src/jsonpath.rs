//! JSONPath as `jsonpath_rw` reads it: what the filter `jsonpath_query` and the keys of criteria are written in.

mod find;
mod parse;

use serde_json::Value;

/// How many steps one search may take.
const MOST_STEPS: usize = 1_000_000;

/// A compiled path.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath(Path);

/// Why a path has no matches to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonPathError {
    /// The text isn't a path; the character at which reading stopped, from 0.
    Syntax(usize),
    /// The path is nested too deep.
    TooDeep,
    /// The search takes too many steps on this value.
    TooManySteps,
}

impl std::fmt::Display for JsonPathError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            JsonPathError::Syntax(at) => write!(f, "the text isn't a JSONPath: unexpected at character {}", at + 1),
            JsonPathError::TooDeep => f.write_str("the JSONPath is nested too deep"),
            JsonPathError::TooManySteps => f.write_str("the JSONPath takes too many steps on this value"),
        }
    }
}

impl std::error::Error for JsonPathError {}

#[derive(Clone, Debug, PartialEq)]
enum Path {
    Root,
    This,
    Parent,
    Fields(Vec<String>),
    AllFields,
    Index(i64),
    Slice { start: Option<i64>, end: Option<i64>, step: Option<i64> },
    Child(Box<Path>, Box<Path>),
    Descendants(Box<Path>, Box<Path>),
    Where(Box<Path>, Box<Path>),
    Union(Box<Path>, Box<Path>),
}

impl JsonPath {
    /// Reads a path such as `body.labels[*].name`.
    pub fn parse(text: &str) -> Result<JsonPath, JsonPathError> {
        parse::parse(text).map(JsonPath)
    }

    /// All matches in the value, in order.
    pub fn find<'v>(&self, value: &'v Value) -> Result<Vec<&'v Value>, JsonPathError> {
        find::find(&self.0, value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::JsonPath;

    fn found(path: &str, value: &Value) -> Value {
        let path = JsonPath::parse(path).unwrap();
        Value::from(path.find(value).unwrap().into_iter().cloned().collect::<Vec<_>>())
    }

    #[test]
    fn paths_find_what_jsonpath_rw_finds() {
        let doc = json!({"a": {"b": [{"n": 1}, {"n": 2}, {"m": 3}], "k-d": 4, "x.y": 5}, "n": 9});
        let cases = [
            ("a.b[*].n", json!([1, 2])),
            ("$.a.b[0].n", json!([1])),
            ("a.b[-1].m", json!([3])),
            ("a.b[0:2].n", json!([1, 2])),
            ("a.b[::2]", json!([{"n": 1}, {"m": 3}])),
            ("a['k-d']", json!([4])),
            ("a.k-d", json!([4])),
            ("a.\"x.y\"", json!([5])),
            ("$..n", json!([9, 1, 2])),
            ("a.*", json!([[{"n": 1}, {"n": 2}, {"m": 3}], 4, 5])),
            ("a.b[*] where n", json!([{"n": 1}, {"n": 2}])),
            ("n | missing", json!([9])),
            ("a[*].k-d", json!([4])),
            ("a.b[*].n.`parent`", json!([{"n": 1}, {"n": 2}])),
            ("missing", json!([])),
            ("a.b[9]", json!([])),
        ];
        for (path, expected) in cases {
            assert_eq!(found(path, &doc), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["a[", "a..", "a b", "[", "a.b]", "a.[", "'a", "a[1:2:3:4]", "(a"] {
            assert!(JsonPath::parse(text).is_err(), "{text}");
        }
        assert!(JsonPath::parse(&"(".repeat(100_000)).is_err());
        assert!(JsonPath::parse(&"a.".repeat(100_000)).is_err());
    }
}
