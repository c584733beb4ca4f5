//! Where a command writes to, and what that can show.

use std::io::{self, IsTerminal, Write};

use crate::{Environment, failure::Failure};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; `None` where the output goes elsewhere and nothing is cut.
    pub width: Option<u16>,
    /// Colours may be used.
    pub colour: bool,
    /// Somebody watches: a line of progress may be drawn and wiped on the error output.
    pub live: bool,
}

impl Look {
    /// The text in that ink, where there are colours.
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code()) } else { text.to_owned() }
    }
}

/// The few inks that we write with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Ink {
    const fn code(self) -> &'static str {
        match self {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Red => "31",
            Ink::Green => "32",
            Ink::Yellow => "33",
            Ink::Cyan => "36",
        }
    }

    /// The ink of a status, a verdict or a state: good, bad, stopped, under way.
    pub(crate) fn of_status(status: &str) -> Option<Ink> {
        match status {
            "succeeded" | "processed" | "match" => Some(Ink::Green),
            "failed" | "timeout" | "abandoned" | "processing_failed" | "error" => Some(Ink::Red),
            "canceled" | "canceling" | "paused" | "pausing" => Some(Ink::Yellow),
            "requested" | "scheduled" | "delayed" | "running" | "resuming" | "pending" | "processing" => {
                Some(Ink::Cyan)
            }
            _ => None,
        }
    }
}

/// Standard output and error output.
pub struct Console {
    out: Box<dyn Write + Send>,
    error: Box<dyn Write + Send>,
    look: Look,
    progress: bool,
}

impl Console {
    /// Writes to these two.
    pub fn new(out: Box<dyn Write + Send>, error: Box<dyn Write + Send>, look: Look) -> Console {
        Console { out, error, look, progress: false }
    }

    /// The process's own, looked at once.
    pub fn of_process(environment: &Environment) -> Console {
        let terminal = io::stdout().is_terminal();
        let dumb = environment.first(&["TERM"]) == Some("dumb");
        let look = Look {
            width: if terminal { terminal_width(environment) } else { None },
            colour: terminal && !dumb && environment.first(&["NO_COLOR"]).is_none(),
            live: terminal && !dumb && io::stderr().is_terminal(),
        };
        Console::new(Box::new(io::stdout()), Box::new(io::stderr()), look)
    }

    pub(crate) fn look(&self) -> Look {
        self.look
    }

    pub(crate) fn without_colour(&mut self) {
        self.look.colour = false;
    }

    /// Writes text as it is, without a line's end.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.end_progress()?;
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    /// Writes a line, or several.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.write(&format!("{}\n", text.trim_end_matches('\n')))
    }

    /// Says something beside the output: a note, a warning, an error.
    pub(crate) fn say(&mut self, ink: Ink, label: &str, text: &str) -> Result<(), Failure> {
        self.end_progress()?;
        let label = self.look.paint(ink, &format!("{label}:"));
        Ok(writeln!(self.error, "{label} {text}")?)
    }

    /// Writes to the error output as it is, for texts that come formatted.
    pub(crate) fn say_plain(&mut self, text: &str) -> Result<(), Failure> {
        self.end_progress()?;
        Ok(writeln!(self.error, "{}", text.trim_end())?)
    }

    /// Replaces the line of progress, where somebody watches.
    pub(crate) fn progress(&mut self, text: &str) -> Result<(), Failure> {
        if self.look.live {
            self.progress = true;
            write!(self.error, "\r\u{1b}[2K{}", self.look.paint(Ink::Dim, text))?;
            self.error.flush()?;
        }
        Ok(())
    }

    fn end_progress(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.progress) {
            write!(self.error, "\r\u{1b}[2K")?;
            self.error.flush()?;
        }
        Ok(())
    }
}

fn terminal_width(environment: &Environment) -> Option<u16> {
    let asked = environment.first(&["COLUMNS"]).and_then(|text| text.parse().ok());
    let width = asked.or_else(|| rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col));
    width.filter(|columns| *columns > 0)
}

/// Event data may hold anything: what would steer the terminal is shown, not obeyed.
pub(crate) fn printable(text: &str) -> String {
    if !text.contains(is_steering) {
        return text.to_owned();
    }
    text.chars().map(|c| if is_steering(c) { '\u{fffd}' } else { c }).collect()
}

fn is_steering(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_not_obeyed() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n\tc\u{9b}"), "a\u{fffd}[2Jb\u{fffd}\n\tc\u{fffd}");
    }

    #[test]
    fn there_is_no_colour_where_it_is_not_wanted() {
        let mut look = Look { width: None, colour: true, live: false };
        assert_eq!(look.paint(Ink::Red, "x"), "\u{1b}[31mx\u{1b}[0m");
        look.colour = false;
        assert_eq!(look.paint(Ink::Red, "x"), "x");
    }
}
