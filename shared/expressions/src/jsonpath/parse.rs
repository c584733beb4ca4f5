//! Reading a path. `where` binds closest, then `|`, then `.`, then `..`.

use super::{JsonPathError, Path};

/// How many steps and parentheses a path may have.
const MOST_PARTS: usize = 200;

pub(super) fn parse(text: &str) -> Result<Path, JsonPathError> {
    let mut parser = Parser { rest: text, whole: text.len(), parts: 0 };
    let path = parser.descendants()?;
    match parser.peek() {
        None => Ok(path),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser<'t> {
    rest: &'t str,
    whole: usize,
    parts: usize,
}

type Parsed = Result<Path, JsonPathError>;

impl Parser<'_> {
    fn unexpected(&self) -> JsonPathError {
        JsonPathError::Syntax(self.whole - self.rest.len())
    }

    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        self.peek();
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        true
    }

    fn expect(&mut self, token: &str) -> Result<(), JsonPathError> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn descendants(&mut self) -> Parsed {
        let mut path = self.children()?;
        while self.eat("..") {
            path = Path::Descendants(Box::new(path), Box::new(self.children()?));
        }
        Ok(path)
    }

    fn children(&mut self) -> Parsed {
        let mut path = self.union()?;
        while self.peek() == Some('.') && !self.rest.starts_with("..") {
            self.expect(".")?;
            path = Path::Child(Box::new(path), Box::new(self.union()?));
        }
        Ok(path)
    }

    fn union(&mut self) -> Parsed {
        let mut path = self.filtered()?;
        while self.eat("|") {
            path = Path::Union(Box::new(path), Box::new(self.filtered()?));
        }
        Ok(path)
    }

    fn filtered(&mut self) -> Parsed {
        let mut path = self.bracketed()?;
        while self.peek().is_some() && self.is_where() {
            self.expect("where")?;
            path = Path::Where(Box::new(path), Box::new(self.bracketed()?));
        }
        Ok(path)
    }

    fn is_where(&self) -> bool {
        self.rest.strip_prefix("where").is_some_and(|rest| !rest.starts_with(is_word))
    }

    fn bracketed(&mut self) -> Parsed {
        let mut path = self.atom()?;
        while self.eat("[") {
            self.count()?;
            path = Path::Child(Box::new(path), Box::new(self.in_brackets()?));
        }
        Ok(path)
    }

    fn count(&mut self) -> Result<(), JsonPathError> {
        self.parts += 1;
        if self.parts > MOST_PARTS { Err(JsonPathError::TooDeep) } else { Ok(()) }
    }

    fn atom(&mut self) -> Parsed {
        self.count()?;
        if self.eat("(") {
            let path = self.descendants()?;
            self.expect(")")?;
            return Ok(path);
        }
        for (token, path) in [("$", Path::Root), ("`this`", Path::This), ("`parent`", Path::Parent)] {
            if self.eat(token) {
                return Ok(path);
            }
        }
        if self.eat("[") {
            return self.in_brackets();
        }
        self.fields()
    }

    /// What stands in `[…]`: an index, a slice, or names.
    fn in_brackets(&mut self) -> Parsed {
        let path = match self.peek() {
            Some('*') => {
                self.expect("*")?;
                Path::Slice { start: None, end: None, step: None }
            }
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | ':') => self.index_or_slice()?,
            _ => self.fields()?,
        };
        self.expect("]")?;
        Ok(path)
    }

    fn index_or_slice(&mut self) -> Parsed {
        let start = self.number()?;
        match (self.eat(":"), start) {
            (false, Some(index)) => Ok(Path::Index(index)),
            (false, None) => Err(self.unexpected()),
            (true, start) => {
                let end = self.number()?;
                let step = if self.eat(":") { self.number()? } else { None };
                Ok(Path::Slice { start, end, step })
            }
        }
    }

    fn number(&mut self) -> Result<Option<i64>, JsonPathError> {
        if !self.peek().is_some_and(|c| c.is_ascii_digit() || c == '-') {
            return Ok(None);
        }
        let end =
            self.rest.char_indices().skip(1).find(|(_, c)| !c.is_ascii_digit()).map_or(self.rest.len(), |(at, _)| at);
        let digits = self.rest.get(..end).and_then(|digits| digits.parse().ok()).ok_or_else(|| self.unexpected())?;
        self.rest = self.rest.get(end..).unwrap_or_default();
        Ok(Some(digits))
    }

    fn fields(&mut self) -> Parsed {
        if self.eat("*") {
            return Ok(Path::AllFields);
        }
        let mut names = vec![self.name()?];
        while self.eat(",") {
            names.push(self.name()?);
        }
        Ok(Path::Fields(names))
    }

    fn name(&mut self) -> Result<String, JsonPathError> {
        match self.peek() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            Some(c) if c.is_ascii_alphabetic() || matches!(c, '_' | '@') => {
                let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                let name = self.rest.get(..end).unwrap_or_default().to_owned();
                self.rest = self.rest.get(end..).unwrap_or_default();
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, JsonPathError> {
        let mut name = String::new();
        let mut chars = self.rest.chars();
        chars.next();
        loop {
            match chars.next() {
                None => return Err(self.unexpected()),
                Some('\\') => name.extend(chars.next()),
                Some(c) if c == quote => break,
                Some(c) => name.push(c),
            }
        }
        self.rest = chars.as_str();
        Ok(name)
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '-')
}
