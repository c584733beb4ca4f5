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
    let mut scanner = Scanner { text, bytes, at: 0, trie, visited, slots: Slots::missing(trie.slots()) };
    scanner.space();
    if scanner.peek() != Some(b'{') {
        return None;
    }
    scanner.value(trie.root(), 0)?;
    scanner.space();
    let whole = scanner.at == bytes.len();
    whole.then_some(scanner.slots)
}

struct Scanner<'a, 't> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    trie: &'t Trie,
    /// A name that comes twice in an object counts the last time, which is left to the reader of documents.
    visited: &'t mut [bool],
    slots: Slots<'a>,
}

impl<'a> Scanner<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes the next byte that is no space, if it is this one.
    fn take(&mut self, wanted: u8) -> bool {
        self.space();
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, node: Option<&Node>, depth: usize) -> Option<()> {
        let slot = node.and_then(|node| node.slot);
        let found = match self.peek()? {
            b'"' => {
                let text = self.string()?;
                slot.is_some().then_some(Slot::Text(text))
            }
            b'{' => {
                self.object(node, depth)?;
                Some(Slot::Composite)
            }
            b'[' => {
                self.array(depth)?;
                Some(Slot::Composite)
            }
            b'-' | b'0'..=b'9' => Some(Slot::Number(self.number()?)),
            b't' => Some(self.word("true", Slot::Number(Numeric::Int(1)))?),
            b'f' => Some(self.word("false", Slot::Number(Numeric::Int(0)))?),
            b'n' => Some(self.word("null", Slot::Null)?),
            _ => return None,
        };
        if let Some(slot) = slot {
            self.slots.set(slot, found?);
        }
        Some(())
    }

    fn word(&mut self, word: &str, slot: Slot<'a>) -> Option<Slot<'a>> {
        let end = self.at + word.len();
        let found = self.bytes.get(self.at..end) == Some(word.as_bytes());
        self.at = end;
        found.then_some(slot)
    }

    fn object(&mut self, node: Option<&Node>, depth: usize) -> Option<()> {
        if depth >= MAX_DEPTH {
            return None;
        }
        self.at += 1;
        if self.take(b'}') {
            return Some(());
        }
        self.slots.fill(depth);
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return None;
            }
            let name = self.string()?;
            if !self.take(b':') {
                return None;
            }
            self.space();
            let child = match node.and_then(|node| node.child(&name)) {
                Some(child) => {
                    let visited = self.visited.get_mut(child)?;
                    if std::mem::replace(visited, true) {
                        return None;
                    }
                    self.trie.node(child)
                }
                None => None,
            };
            self.value(child, depth + 1)?;
            if self.take(b',') {
                continue;
            }
            return self.take(b'}').then_some(());
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        if depth >= MAX_DEPTH {
            return None;
        }
        self.at += 1;
        if self.take(b']') {
            return Some(());
        }
        loop {
            self.space();
            self.value(None, depth + 1)?;
            if self.take(b',') {
                continue;
            }
            return self.take(b']').then_some(());
        }
    }

    /// The text that starts at this quote.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = self.plain_until(at);
            match self.bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    at += 2;
                }
                _ => return None,
            }
        }
        self.at = at + 1;
        if escaped {
            return serde_json::from_str::<String>(self.text.get(start - 1..=at)?).ok().map(Cow::Owned);
        }
        self.text.get(start..at).map(Cow::Borrowed)
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

    fn digits(&mut self) -> Option<usize> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        Some(self.at - start).filter(|count| *count > 0)
    }

    fn number(&mut self) -> Option<Numeric> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let first = self.peek()?;
        let digits = self.digits()?;
        if first == b'0' && digits > 1 {
            return None;
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
            whole = false;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
            whole = false;
        }
        let text = self.text.get(start..self.at)?;
        if whole && digits < 19 {
            return text.parse().ok().map(|int: i64| Numeric::Int(i128::from(int)));
        }
        if whole
            && let Ok(int) = text.parse::<i128>()
            && int >= i128::from(i64::MIN)
            && int <= i128::from(u64::MAX)
        {
            return Some(Numeric::Int(int));
        }
        text.parse().ok().filter(|float: &f64| float.is_finite()).map(Numeric::Float)
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
