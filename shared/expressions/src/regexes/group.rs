//! What stands in parentheses.

use super::{
    ast::{FlagChange, Flags, Node},
    parse::{Parse, Parser},
};

impl Parser {
    /// After `(`. Comments and flags for the whole pattern leave nothing.
    pub(super) fn group(&mut self, verbose: bool) -> Parse<Option<Node>> {
        if !self.take('?') {
            return self.capturing(None, verbose).map(Some);
        }
        match self.next() {
            Some('P') => self.named(verbose).map(Some),
            Some(':') => self.plain_group(None, verbose).map(Some),
            Some('#') => {
                self.take_while(usize::MAX, |char| char != ')');
                if self.take(')') { Ok(None) } else { self.fail("missing ), unterminated comment") }
            }
            Some('=') => self.look(true, false, verbose).map(Some),
            Some('!') => self.look(true, true, verbose).map(Some),
            Some('<') => match self.next() {
                Some('=') => self.look(false, false, verbose).map(Some),
                Some('!') => self.look(false, true, verbose).map(Some),
                _ => self.fail("unknown extension ?<; a named group is written (?P<name>…)"),
            },
            Some('(') => self.conditional(verbose).map(Some),
            Some(flag) if flag == '-' || "aiLmsux".contains(flag) => {
                self.at -= 1;
                self.flags(verbose)
            }
            Some(other) => self.fail(&format!("unknown extension ?{other}")),
            None => self.fail("unexpected end of pattern"),
        }
    }

    fn close(&mut self, inner: Node) -> Parse<Box<Node>> {
        if self.take(')') { Ok(Box::new(inner)) } else { self.fail("missing ), unterminated subpattern") }
    }

    fn capturing(&mut self, name: Option<String>, verbose: bool) -> Parse<Node> {
        let number = self.groups.len();
        self.groups.push(None);
        self.names.extend(name.map(|name| (name, number)));
        let inner = self.alternatives(verbose)?;
        let inner = self.close(inner)?;
        let widths: Vec<_> = self.groups.iter().map(|width| width.unwrap_or((0, None))).collect();
        let width = inner.width(&widths);
        self.groups.iter_mut().skip(number).take(1).for_each(|group| *group = Some(width));
        Ok(Node::Group { capturing: true, flags: None, inner })
    }

    fn plain_group(&mut self, flags: Option<FlagChange>, verbose: bool) -> Parse<Node> {
        let inner = self.alternatives(verbose)?;
        Ok(Node::Group { capturing: false, flags, inner: self.close(inner)? })
    }

    fn named(&mut self, verbose: bool) -> Parse<Node> {
        if self.take('<') {
            let name = self.name('>')?;
            if self.names.iter().any(|(known, _)| *known == name) {
                return self.fail(&format!("the group name {name} is taken"));
            }
            return self.capturing(Some(name), verbose);
        }
        if self.take('=') {
            let name = self.name(')')?;
            return match self.numbered(&name) {
                Some(group) => self.back_reference(group),
                None => self.fail(&format!("there is no group {name}")),
            };
        }
        self.fail("unknown extension ?P")
    }

    fn numbered(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, number)| *number)
    }

    fn name(&mut self, end: char) -> Parse<String> {
        let name = self.take_while(usize::MAX, |char| char != end);
        let starts_well = name.chars().next().is_some_and(|first| first == '_' || first.is_alphabetic());
        if !self.take(end) || !starts_well || !name.chars().all(|char| char == '_' || char.is_alphanumeric()) {
            return self.fail("bad group name");
        }
        Ok(name)
    }

    fn look(&mut self, ahead: bool, negated: bool, verbose: bool) -> Parse<Node> {
        let inner = self.alternatives(verbose)?;
        let inner = self.close(inner)?;
        let widths: Vec<_> = self.groups.iter().map(|width| width.unwrap_or((0, None))).collect();
        let (least, most) = inner.width(&widths);
        if !ahead && most != Some(least) {
            return self.fail("look-behind requires a pattern of fixed width");
        }
        Ok(Node::Look { ahead, negated, inner })
    }

    fn conditional(&mut self, verbose: bool) -> Parse<Node> {
        let name = self.take_while(usize::MAX, |char| char != ')');
        if !self.take(')') {
            return self.fail("missing ), unterminated name");
        }
        let group = match (name.parse::<usize>().ok(), self.numbered(&name)) {
            (Some(number), _) if number > 0 && number <= self.chars.len() => number,
            (_, Some(number)) => number,
            _ => return self.fail(&format!("there is no group {name}")),
        };
        self.asked.push(group);
        let yes = Box::new(self.sequence(verbose)?);
        let no = if self.take('|') { Some(Box::new(self.sequence(verbose)?)) } else { None };
        if self.peek() == Some('|') {
            return self.fail("a conditional has two branches at most");
        }
        if self.take(')') {
            Ok(Node::Conditional { group, yes, no })
        } else {
            self.fail("missing ), unterminated subpattern")
        }
    }

    /// `(?i)` for the whole pattern, wherever it stands, or `(?i-s:…)` for one group.
    fn flags(&mut self, verbose: bool) -> Parse<Option<Node>> {
        let added = self.take_while(usize::MAX, |char| char.is_ascii_alphabetic());
        let removed =
            if self.take('-') { Some(self.take_while(usize::MAX, |char| char.is_ascii_alphabetic())) } else { None };
        let mut change = FlagChange::default();
        let removed_flags = || removed.iter().flat_map(|text| text.chars());
        let known = added.chars().all(|flag| set(if flag == 'u' { &mut change.off } else { &mut change.on }, flag));
        let removable = removed_flags().all(|flag| "imsx".contains(flag) && set(&mut change.off, flag));
        let twice = removed_flags().any(|flag| added.contains(flag)) || (added.contains('a') && added.contains('u'));
        if !known || !removable || twice || removed.as_deref() == Some("") {
            return self.fail("bad inline flags");
        }
        match self.next() {
            Some(')') if removed.is_none() => {
                self.global = change.apply(self.global);
                Ok(None)
            }
            Some(':') => {
                let verbose = (verbose || change.on.verbose) && !change.off.verbose;
                self.plain_group(Some(change), verbose).map(Some)
            }
            _ => self.fail("bad inline flags"),
        }
    }
}

/// Sets a flag; false where there is no such flag for texts. `u` is the absence of `a`.
const fn set(flags: &mut Flags, flag: char) -> bool {
    match flag {
        'i' => flags.ignore_case = true,
        'm' => flags.multi_line = true,
        's' => flags.dot_all = true,
        'x' => flags.verbose = true,
        'a' | 'u' => flags.ascii = true,
        _ => return false,
    }
    true
}
