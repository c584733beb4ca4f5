//! YAML 1.1 as PyYAML's safe loader reads it, into a tree that knows where everything stands in the text.
//!
//! What a pack's author wrote for StackStorm means the same here: `on`, `off`, `yes` and `no` are booleans, `0755` is octal, `12:30` is
//! 750, `1_000` is a thousand, `1e3` is a text, `<<` merges. The deliberate differences: dates stay text, keys become the text that JSON
//! would have, a key that stands twice is an error, infinities and tags that JSON has no value for are not read.

mod error;
mod node;
mod read;
mod scalar;
mod write;

pub use error::{Error, ErrorKind, Position};
pub use node::{Content, Entry, Node};
pub use read::{ReadOptions, read, read_with};
pub use write::{WriteOptions, to_string, to_string_with};
