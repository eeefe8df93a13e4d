//! Tables and paragraphs that fit the line.

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Row, Table, TableStyle, Width};

/// A column and what happens to it when the line is short.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// Never cut.
    Whole(&'static str),
    /// Cut with … after so many columns.
    AtMost(&'static str, u16),
    /// Gets what the others leave, and is cut with ….
    Rest(&'static str),
    /// Gets what the others leave, and goes on below.
    Wrapped(&'static str),
}

/// Spaces between two columns.
const GAP: u16 = 2;
/// Text breaks at spaces; what is cut anyway is cut where the column ends.
const NOWHERE: char = '\u{0}';

/// Lays out rows under a header; each is one line unless a column is wrapped.
pub(crate) fn rows(columns: &[Column], rows: Vec<Vec<Cell>>, width: u16) -> String {
    let mut table = empty(width);
    table.set_header(columns.iter().map(|column| match column {
        Column::Whole(name)
        | Column::AtMost(name, _)
        | Column::Rest(name)
        | Column::Wrapped(name) => *name,
    }));
    let wraps = columns
        .iter()
        .any(|column| matches!(column, Column::Wrapped(_)));
    for cells in rows {
        let mut row = Row::from(cells);
        if !wraps {
            row.max_height(1);
        }
        table.add_row(row);
    }
    let last = columns.len().saturating_sub(1);
    for (index, (column, kind)) in table.column_iter_mut().zip(columns).enumerate() {
        let gap = if index == last { 0 } else { GAP };
        column.set_padding((0, gap));
        match kind {
            Column::Whole(_) => {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            Column::AtMost(_, most) => {
                column.set_delimiter(NOWHERE);
                column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(most + gap)));
            }
            Column::Rest(_) => {
                column.set_delimiter(NOWHERE);
            }
            Column::Wrapped(_) => {}
        }
    }
    finish(&table)
}

/// Wraps `text` at `width`, each line behind `indent` spaces. Line ends in the text are kept.
pub(crate) fn paragraph(text: &str, indent: u16, width: u16) -> String {
    hanging(&" ".repeat(indent.into()), text, width)
}

/// Wraps `text` at `width` behind `head`, which stands on the first line only.
pub(crate) fn hanging(head: &str, text: &str, width: u16) -> String {
    let mut table = empty(width);
    table.add_row([head, text]);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 0));
        if index == 0 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    finish(&table)
}

fn empty(width: u16) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new())
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_truncation_indicator("…")
        .set_width(width)
        .enforce_styling();
    table
}

fn finish(table: &Table) -> String {
    table.trim_fmt()
}
