//! Tables.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Row, Table, presets};
use serde_json::Value;

use super::values::Kind;
use crate::console::{Ink, Look};

/// A column: its title, and where its values are in a row.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// A JSON pointer.
    pub(crate) pointer: &'static str,
    pub(crate) kind: Kind,
}

impl Column {
    pub(crate) const fn new(title: &'static str, pointer: &'static str) -> Column {
        Column { title, pointer, kind: Kind::Plain }
    }

    pub(crate) const fn of(mut self, kind: Kind) -> Column {
        self.kind = kind;
        self
    }
}

/// Rows as a table. On a terminal it fits, a row is a line, and what is too long ends with `…`; elsewhere nothing is cut.
pub(crate) fn table(look: Look, columns: &[Column], rows: &[Value]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_truncation_indicator("…");
    if look.colour {
        table.enforce_styling()
    } else {
        table.force_no_tty()
    };
    match look.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    let mut header = Row::from(columns.iter().map(|column| title(look, column)).collect::<Vec<_>>());
    header.max_height(1);
    table.set_header(header);
    for row in rows {
        let mut cells = Row::from(columns.iter().map(|column| cell(look, column, row)).collect::<Vec<_>>());
        cells.max_height(1);
        table.add_row(cells);
    }
    for (column, shown) in columns.iter().zip(table.column_iter_mut()) {
        shown.set_padding((0, 2));
        if column.kind == Kind::Id {
            shown.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn title(look: Look, column: &Column) -> Cell {
    let cell = Cell::new(column.title.to_uppercase());
    if look.colour { cell.add_attribute(Attribute::Bold) } else { cell }
}

fn cell(look: Look, column: &Column, row: &Value) -> Cell {
    let text = column.kind.text(row.pointer(column.pointer).unwrap_or(&Value::Null));
    let ink = column.kind.ink(&text).filter(|_| look.colour);
    let cell = Cell::new(text.replace(['\n', '\t'], " "));
    match ink {
        Some(Ink::Green) => cell.fg(Color::Green),
        Some(Ink::Red) => cell.fg(Color::Red),
        Some(Ink::Yellow) => cell.fg(Color::Yellow),
        Some(Ink::Cyan) => cell.fg(Color::Cyan),
        Some(Ink::Bold) => cell.add_attribute(Attribute::Bold),
        Some(Ink::Dim) => cell.add_attribute(Attribute::Dim),
        None => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use serde_json::json;

    const COLUMNS: [Column; 3] = [
        Column::new("ref", "/ref"),
        Column::new("status", "/status").of(Kind::Status),
        Column::new("description", "/description"),
    ];

    fn rows() -> Vec<Value> {
        vec![
            json!({"ref": "core.local", "status": "succeeded", "description": "Runs a command on this machine\nand more"}),
            json!({"ref": "core.noop", "status": "failed"}),
        ]
    }

    #[test]
    fn elsewhere_than_on_a_terminal_nothing_is_cut() {
        assert_snapshot!(table(Look::default(), &COLUMNS, &rows()), @"
        REF         STATUS     DESCRIPTION
        core.local  succeeded  Runs a command on this machine and more
        core.noop   failed
        ");
    }

    #[test]
    fn on_a_terminal_it_fits() {
        let look = Look { width: Some(44), ..Look::default() };
        assert_snapshot!(table(look, &COLUMNS, &rows()), @"
        REF         STATUS     DESCRIPTION
        core.local  succeeded  Runs a command on…
        core.noop   failed
        ");
    }

    #[test]
    fn status_has_a_colour() {
        let look = Look { width: Some(120), colour: true, live: false };
        assert_snapshot!(table(look, &COLUMNS, &rows()).replace('\u{1b}', "␛"), @"
        ␛[1mREF         ␛[0m␛[1mSTATUS     ␛[0m␛[1mDESCRIPTION                              ␛[0m
        core.local  ␛[38;5;10msucceeded  ␛[39mRuns a command on this machine and more
        core.noop   ␛[38;5;9mfailed     ␛[39m
        ");
    }
}
