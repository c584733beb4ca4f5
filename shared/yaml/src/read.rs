//! From the parser's events to the tree.

use granit_parser::{ErrorKind as Syntax, Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag, options};
use indexmap::IndexMap;
use serde_json::{Number, Value};
use std::collections::HashMap;

use crate::{Content, Entry, Error, ErrorKind, Node, Position, scalar};

/// The namespace of the tags that are written `!!name`.
const CORE_TAGS: &str = "tag:yaml.org,2002:";
/// A text counts as one value more for every so many bytes.
const BYTES_PER_VALUE: usize = 64;

/// How a text is read, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// How long the text may be.
    pub max_bytes: usize,
    /// How many values the tree may have once aliases are expanded.
    pub max_values: usize,
    /// How deep it may be nested.
    pub max_depth: usize,
    /// Of a key that stands twice the last value wins, as in PyYAML; otherwise that is an error.
    pub last_key_wins: bool,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions { max_bytes: 8 * 1024 * 1024, max_values: 500_000, max_depth: 128, last_key_wins: false }
    }
}

/// Reads one document; an empty text is a null.
pub fn read(text: &str) -> Result<Node, Error> {
    read_with(text, &ReadOptions::default())
}

/// Reads one document within these limits.
pub fn read_with(text: &str, options: &ReadOptions) -> Result<Node, Error> {
    if text.len() > options.max_bytes {
        let message = format!("the text has {} bytes, and {} is the limit", text.len(), options.max_bytes);
        return Err(Error::new(ErrorKind::TooLarge, Position { line: 1, column: 1 }, message));
    }
    check_characters(text)?;
    Reader::new(text, *options).document()
}

fn check_characters(text: &str) -> Result<(), Error> {
    let allowed = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => !other.is_control(),
    };
    let Some(at) = text.find(|c| !allowed(c)) else { return Ok(()) };
    let (before, rest) = text.split_at_checked(at).unwrap_or((text, ""));
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let code = rest.chars().next().map_or(0, u32::from);
    let message = format!("the character U+{code:04X} is not allowed in YAML");
    let hint = format!("in a text in double quotes write it as \"\\u{code:04x}\"");
    Err(Error::new(ErrorKind::Character, position_of(line, column), message).with_hint(hint))
}

fn position_of(line: usize, column: usize) -> Position {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: narrow(line), column: narrow(column) }
}

fn position(mark: &Marker) -> Position {
    position_of(mark.line(), mark.col() + 1)
}

/// A key as it was read.
struct Key {
    text: String,
    merges: bool,
    position: Position,
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    options: ReadOptions,
    /// `None` while the anchored value is being read.
    anchors: HashMap<usize, Option<Node>>,
    values: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, options: ReadOptions) -> Reader<'a> {
        let parser_options = options! {
            emit_comments: false,
            block_scalar_eof_without_line_feed: true,
            flow_nesting_limit: options.max_depth + 2,
            block_nesting_limit: options.max_depth + 2,
        };
        let parser = Parser::new_from_str_with_options(text, parser_options);
        Reader { text, parser, options, anchors: HashMap::new(), values: 0 }
    }

    fn document(mut self) -> Result<Node, Error> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    let message = "a second document begins here, and a file holds one";
                    return Err(Error::new(ErrorKind::SeveralDocuments, position(&span.start), message)
                        .with_hint("remove the \"---\", or make a file of each document"));
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => root = Some(self.node(event, &span, 1)?),
            }
        }
        Ok(root.unwrap_or(Node { content: Content::Null, position: Position { line: 1, column: 1 } }))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Error> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(syntax_error(self.text, &error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node, Error> {
        let at = position(&span.start);
        if let Event::Alias(id) = event {
            return self.alias(id, at, depth);
        }
        if depth > self.options.max_depth {
            return Err(self.too_deep(at));
        }
        let tagged_at = span.tag_start().map_or(at, |mark| position(&mark));
        let (anchor, content) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.charge(1 + text.len() / BYTES_PER_VALUE, at)?;
                (anchor, scalar_content(&text, style, tag.as_deref(), tagged_at)?)
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_collection_tag(tag.as_deref(), "seq", tagged_at)?;
                self.open(anchor, at)?;
                (anchor, Content::List(self.items(depth)?))
            }
            Event::MappingStart(_, anchor, tag) => {
                check_collection_tag(tag.as_deref(), "map", tagged_at)?;
                self.open(anchor, at)?;
                (anchor, Content::Map(self.entries(depth)?))
            }
            _ => return Err(Error::new(ErrorKind::Syntax, at, "a value is missing here")),
        };
        let node = Node { content, position: at };
        if anchor > 0 {
            self.charge(measure(&node).0, at)?;
            self.anchors.insert(anchor, Some(node.clone()));
        }
        Ok(node)
    }

    fn open(&mut self, anchor: usize, at: Position) -> Result<(), Error> {
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        self.charge(1, at)
    }

    fn alias(&mut self, id: usize, at: Position, depth: usize) -> Result<Node, Error> {
        match self.anchors.get(&id) {
            Some(Some(anchored)) => {
                let (values, height) = measure(anchored);
                let copy = anchored.clone();
                self.charge(values, at)?;
                if depth + height - 1 > self.options.max_depth {
                    return Err(self.too_deep(at));
                }
                Ok(Node { content: copy.content, position: at })
            }
            Some(None) => {
                let message = "this alias stands inside of the value that it stands for";
                Err(Error::new(ErrorKind::RecursiveAnchor, at, message))
            }
            None => Err(Error::new(ErrorKind::UnknownAnchor, at, "no anchor of this name stands before this alias")),
        }
    }

    fn too_deep(&self, at: Position) -> Error {
        let message = format!("this is nested deeper than {} levels", self.options.max_depth);
        Error::new(ErrorKind::TooDeep, at, message)
    }

    fn charge(&mut self, values: usize, at: Position) -> Result<(), Error> {
        self.values = self.values.saturating_add(values);
        if self.values <= self.options.max_values {
            return Ok(());
        }
        let message = format!("there are more than {} values once aliases are expanded", self.options.max_values);
        Err(Error::new(ErrorKind::TooManyValues, at, message).with_hint("look for aliases of what holds aliases"))
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Error> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, &span, depth + 1)?),
            }
        }
    }

    /// What is merged comes first and gives way to the mapping's own entries, wherever `<<` stands.
    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Error> {
        let mut merged: IndexMap<String, Entry> = IndexMap::new();
        let mut own: IndexMap<String, Entry> = IndexMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                break;
            }
            let key = self.key(event, &span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span, depth + 1)?;
            if key.merges {
                merge(&mut merged, value)?;
                continue;
            }
            if let Some(first) = own.get(&key.text).filter(|_| !self.options.last_key_wins) {
                return Err(duplicate(&key, first.position));
            }
            own.insert(key.text.clone(), Entry { key: key.text, position: key.position, value });
        }
        merged.extend(own);
        Ok(merged.into_values().collect())
    }

    /// Keys are the text that JSON would have: `1`, `true`, `null`.
    fn key(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Key, Error> {
        let at = position(&span.start);
        let merges = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
        let written = match &event {
            Event::Scalar(text, ScalarStyle::Plain, _, None) => Some(text.clone()),
            _ => None,
        };
        if let Some(text) = written.filter(|text| merges || text == "=") {
            return Ok(Key { text: text.into_owned(), merges, position: at });
        }
        let text = match self.node(event, span, depth)?.to_json() {
            Value::String(text) => text,
            Value::Array(_) | Value::Object(_) => {
                let message = "a key must be a text, and this is a list or a mapping";
                let hint = "a template must be quoted: \"{{ … }}\"";
                return Err(Error::new(ErrorKind::KeyNotScalar, at, message).with_hint(hint));
            }
            other => other.to_string(),
        };
        Ok(Key { text, merges, position: at })
    }
}

fn merge(into: &mut IndexMap<String, Entry>, value: Node) -> Result<(), Error> {
    let refuse = |node: &Node| {
        let message = format!("\"<<\" merges a mapping or a list of mappings, and this is {}", node.kind());
        Err(Error::new(ErrorKind::Merge, node.position, message).with_hint("write it as: <<: *anchor"))
    };
    match value.content {
        Content::Map(entries) => into.extend(entries.into_iter().map(|entry| (entry.key.clone(), entry))),
        Content::List(items) => {
            for item in items.into_iter().rev() {
                if item.as_map().is_none() {
                    return refuse(&item);
                }
                merge(into, item)?;
            }
        }
        content => return refuse(&Node { content, position: value.position }),
    }
    Ok(())
}

fn duplicate(key: &Key, first: Position) -> Error {
    let message = format!("the key \"{}\" stands here and in line {} already", key.text, first.line);
    Error::new(ErrorKind::DuplicateKey, key.position, message)
        .with_hint("StackStorm silently takes the last of them: remove the others")
}

/// How many values a tree has, and how many levels.
fn measure(node: &Node) -> (usize, usize) {
    let sum = |(values, height): (usize, usize), (more, deep): (usize, usize)| (values + more, height.max(deep));
    let (values, height) = match &node.content {
        Content::List(items) => items.iter().map(measure).fold((0, 0), sum),
        Content::Map(entries) => entries.iter().map(|entry| measure(&entry.value)).fold((0, 0), sum),
        Content::Text(text) => (text.len() / BYTES_PER_VALUE, 0),
        _ => (0, 0),
    };
    (values + 1, height + 1)
}

fn scalar_content(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> Result<Content, Error> {
    let Some(tag) = tag.filter(|tag| tag.parts() != ("", "!")) else {
        let plain = style == ScalarStyle::Plain;
        if plain && matches!(text, "=" | "<<") {
            let message = format!("\"{text}\" alone has a meaning of its own in YAML");
            return Err(Error::new(ErrorKind::Syntax, at, message).with_hint("quote it"));
        }
        return Ok(if plain { scalar::resolve(text) } else { Content::Text(text.to_owned()) });
    };
    let misfit = |what: &str| Error::new(ErrorKind::Tag, at, format!("\"{text}\" is not {what}, as its tag says"));
    match tag.suffix_in_namespace(CORE_TAGS).as_deref() {
        Some("str" | "timestamp") => Ok(Content::Text(text.to_owned())),
        Some("null") => Ok(Content::Null),
        Some("bool") => scalar::boolean(text).map(Content::Bool).ok_or_else(|| misfit("a boolean")),
        Some("int") => scalar::integer(text).map(Content::Number).ok_or_else(|| misfit("a whole number")),
        Some("float") => {
            let number = scalar::float(text).or_else(|| scalar::integer(text)?.as_f64().and_then(Number::from_f64));
            number.map(Content::Number).ok_or_else(|| misfit("a number"))
        }
        _ => Err(unknown_tag(tag, at)),
    }
}

fn check_collection_tag(tag: Option<&Tag>, wanted: &str, at: Position) -> Result<(), Error> {
    match tag.filter(|tag| tag.parts() != ("", "!")) {
        Some(tag) if tag.suffix_in_namespace(CORE_TAGS).as_deref() != Some(wanted) => Err(unknown_tag(tag, at)),
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, at: Position) -> Error {
    let message = format!("the tag \"{}\" can't be read here", tag.original());
    Error::new(ErrorKind::Tag, at, message)
        .with_hint("quote the text if it shall begin with \"!\", else leave the tag out")
}

fn syntax_error(text: &str, error: &ScanError) -> Error {
    let at = position(error.marker());
    let kind = match error.kind() {
        Syntax::UnknownAnchor => ErrorKind::UnknownAnchor,
        Syntax::RecursionLimitExceeded => ErrorKind::TooDeep,
        _ => ErrorKind::Syntax,
    };
    let line = text.lines().nth(error.marker().line().saturating_sub(1)).unwrap_or_default();
    let mut mapped = Error::new(kind, at, error.info());
    mapped.hint = syntax_hint(error.kind(), line).map(str::to_owned);
    mapped
}

fn syntax_hint(kind: &Syntax, line: &str) -> Option<&'static str> {
    let indentation = line.chars().take_while(|c| c.is_whitespace());
    match kind {
        _ if indentation.clone().any(|c| c == '\t') => Some("indent with spaces, not with tabs"),
        _ if line.contains("{{") || line.contains("{%") => Some("a template must be quoted: \"{{ … }}\""),
        Syntax::UnexpectedCharacter { .. } => Some("a text that begins with @, ` or % must be quoted"),
        Syntax::MappingValueNotAllowed | Syntax::InvalidColonPlacement | Syntax::SimpleKeyExpected => Some(
            "a text that holds \": \" must be quoted; otherwise look at the indentation of this line and the one before",
        ),
        Syntax::UnclosedQuotedScalar => Some("the closing quote is missing"),
        Syntax::UnclosedFlowCollection { .. } => Some("a closing bracket or brace is missing"),
        Syntax::ExpectedBlockMappingKey | Syntax::ExpectedBlockSequenceEntry | Syntax::InvalidIndentation => {
            Some("look at the indentation of this line and the one before")
        }
        _ => None,
    }
}
