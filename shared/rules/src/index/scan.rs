//! One pass over the bytes of a payload that takes out the values at the paths that rules ask for, and builds nothing else.
//!
//! It accepts less than a JSON reader does, never more: where it gives up, the payload is read as a document instead.

use expressions::python::Numeric;
use std::borrow::Cow;

use super::{
    slot::{Slot, Slots},
    trie::{Node, Trie},
};

/// How deep it follows; documents may be deeper.
const MAX_DEPTH: usize = 100;

/// The values at the paths of the trie. `None`: this needs a real reader, which may find that it is no JSON at all.
pub(super) fn scan<'a>(trie: &Trie, bytes: &'a [u8], visited: &mut Vec<bool>) -> Option<Slots<'a>> {
    let text = std::str::from_utf8(bytes).ok()?;
    visited.clear();
    visited.resize(trie.len(), false);
    let mut scanner = Scanner { text, bytes, trie, visited, slots: Slots::missing(trie.slots()) };
    let start = scanner.space(0);
    if scanner.byte(start) != Some(b'{') {
        return None;
    }
    let end = scanner.value(start, trie.root(), 0)?;
    let whole = scanner.space(end) == bytes.len();
    whole.then_some(scanner.slots)
}

/// Everything is told where it starts, and tells where it ends.
struct Scanner<'a, 't> {
    text: &'a str,
    bytes: &'a [u8],
    trie: &'t Trie,
    /// A name that comes twice in an object counts the last time, which is left to the reader of documents.
    visited: &'t mut [bool],
    slots: Slots<'a>,
}

impl<'a> Scanner<'a, '_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The next place that is no space.
    fn space(&self, mut at: usize) -> usize {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte(at) {
            at += 1;
        }
        at
    }

    fn value(&mut self, at: usize, node: Option<&Node>, depth: usize) -> Option<usize> {
        let slot = node.and_then(|node| node.slot);
        let (end, found) = match self.byte(at)? {
            b'"' => {
                let (end, escaped) = self.string(at)?;
                match slot {
                    Some(_) => (end, Slot::Text(self.content(at, end, escaped)?)),
                    None => (end, Slot::Null),
                }
            }
            b'{' => (self.object(at, node, depth)?, Slot::Composite),
            b'[' => (self.array(at, depth)?, Slot::Composite),
            b'-' | b'0'..=b'9' => {
                let (end, number) = self.number(at, slot.is_some())?;
                (end, Slot::Number(number))
            }
            b't' => (self.word(at, "true")?, Slot::Number(Numeric::Int(1))),
            b'f' => (self.word(at, "false")?, Slot::Number(Numeric::Int(0))),
            b'n' => (self.word(at, "null")?, Slot::Null),
            _ => return None,
        };
        if let Some(slot) = slot {
            self.slots.set(slot, found);
        }
        Some(end)
    }

    fn word(&self, at: usize, word: &str) -> Option<usize> {
        let end = at + word.len();
        (self.bytes.get(at..end) == Some(word.as_bytes())).then_some(end)
    }

    fn object(&mut self, at: usize, node: Option<&Node>, depth: usize) -> Option<usize> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let mut at = self.space(at + 1);
        if self.byte(at)? == b'}' {
            return Some(at + 1);
        }
        self.slots.fill(depth);
        loop {
            if self.byte(at)? != b'"' {
                return None;
            }
            let (end, escaped) = self.string(at)?;
            let child = match node {
                Some(node) => self.child(node, at, end, escaped)?,
                None => None,
            };
            at = self.space(end);
            if self.byte(at)? != b':' {
                return None;
            }
            at = self.value(self.space(at + 1), child.and_then(|child| self.trie.node(child)), depth + 1)?;
            at = self.space(at);
            match self.byte(at)? {
                b',' => at = self.space(at + 1),
                b'}' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// Who in the trie has the name that stands here, if any: the outer `None` gives up.
    #[expect(clippy::option_option, reason = "to give up is not to find nothing")]
    fn child(&mut self, node: &Node, at: usize, end: usize, escaped: bool) -> Option<Option<usize>> {
        let found = if escaped {
            node.child(self.content(at, end, escaped)?.as_bytes())
        } else {
            node.child(self.bytes.get(at + 1..end - 1)?)
        };
        if let Some(child) = found
            && std::mem::replace(self.visited.get_mut(child)?, true)
        {
            return None;
        }
        Some(found)
    }

    fn array(&mut self, at: usize, depth: usize) -> Option<usize> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let mut at = self.space(at + 1);
        if self.byte(at)? == b']' {
            return Some(at + 1);
        }
        loop {
            at = self.value(at, None, depth + 1)?;
            at = self.space(at);
            match self.byte(at)? {
                b',' => at = self.space(at + 1),
                b']' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// Where the text that starts at this quote ends, and whether anything in it is escaped.
    fn string(&self, at: usize) -> Option<(usize, bool)> {
        let mut at = at + 1;
        let mut escaped = false;
        loop {
            at = self.plain_until(at);
            match self.byte(at)? {
                b'"' => return Some((at + 1, escaped)),
                b'\\' => {
                    escaped = true;
                    at += 2;
                }
                _ => return None,
            }
        }
    }

    /// The text between the quotes.
    fn content(&self, at: usize, end: usize, escaped: bool) -> Option<Cow<'a, str>> {
        if escaped {
            return serde_json::from_str::<String>(self.text.get(at..end)?).ok().map(Cow::Owned);
        }
        self.text.get(at + 1..end - 1).map(Cow::Borrowed)
    }

    /// From here on, the first quote, backslash or control character; eight bytes are looked at in one step.
    fn plain_until(&self, mut at: usize) -> usize {
        while let Some(word) = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            match special(u64::from_le_bytes(*word)) {
                0 => at += 8,
                found => return at + (found.trailing_zeros() / 8) as usize,
            }
        }
        while self.bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
            at += 1;
        }
        at
    }

    fn digits(&self, mut at: usize) -> Option<usize> {
        let start = at;
        while let Some(b'0'..=b'9') = self.byte(at) {
            at += 1;
        }
        (at > start).then_some(at)
    }

    /// The number itself only where it is asked for; but one that is too large is none.
    fn number(&self, start: usize, asked: bool) -> Option<(usize, Numeric)> {
        let first = start + usize::from(self.byte(start) == Some(b'-'));
        let mut end = self.digits(first)?;
        let digits = end - first;
        if digits > 1 && self.byte(first) == Some(b'0') {
            return None;
        }
        let mut whole = true;
        if self.byte(end) == Some(b'.') {
            end = self.digits(end + 1)?;
            whole = false;
        }
        let mut small = digits < 19;
        if let Some(b'e' | b'E') = self.byte(end) {
            let sign = usize::from(matches!(self.byte(end + 1), Some(b'+' | b'-')));
            end = self.digits(end + 1 + sign)?;
            (whole, small) = (false, false);
        }
        if small && !asked {
            return Some((end, Numeric::Int(0)));
        }
        let text = self.text.get(start..end)?;
        if whole && small {
            return text.parse().ok().map(|int: i64| (end, Numeric::Int(i128::from(int))));
        }
        if whole
            && let Ok(int) = text.parse::<i128>()
            && int >= i128::from(i64::MIN)
            && int <= i128::from(u64::MAX)
        {
            return Some((end, Numeric::Int(int)));
        }
        text.parse().ok().filter(|float: &f64| float.is_finite()).map(|float| (end, Numeric::Float(float)))
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of the first byte that is a quote, a backslash or a control character; bits after it mean nothing.
const fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5c);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    ((quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash) | control) & HIGH
}
