//! Tables and paragraphs that fit the line.

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Row, Table, TableStyle};

use crate::plain;

/// A column and what happens to it when the line is short.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// Never cut.
    Whole(&'static str),
    /// Never cut, and left out where the line is too short: the lowest rank first.
    Optional(&'static str, u8),
    /// Gets what the others leave, and is cut with ….
    Rest(&'static str),
    /// Gets what the others leave, and goes on below.
    Wrapped(&'static str),
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Whole(name)
            | Self::Optional(name, _)
            | Self::Rest(name)
            | Self::Wrapped(name) => name,
        }
    }
}

/// Spaces between two columns.
const GAP: u16 = 2;
/// What gets the rest and has less than this says nothing.
const REST_MIN: usize = 10;
/// Text breaks at spaces; what is cut anyway is cut where the column ends.
const NOWHERE: char = '\u{0}';

/// Takes optional columns out until what is left has room; returns their names.
pub(crate) fn fit(
    columns: &mut Vec<Column>,
    rows: &mut [Vec<Cell>],
    width: u16,
) -> Vec<&'static str> {
    let mut left_out = Vec::new();
    while needed(columns, rows) > usize::from(width) {
        let ranks = columns
            .iter()
            .enumerate()
            .filter_map(|(index, column)| match column {
                Column::Optional(_, rank) => Some((*rank, index)),
                Column::Whole(_) | Column::Rest(_) | Column::Wrapped(_) => None,
            });
        let Some((_, index)) = ranks.min() else { break };
        left_out.push(columns.remove(index).name());
        for row in rows.iter_mut() {
            row.remove(index);
        }
    }
    left_out
}

/// The columns that a table needs to say anything.
fn needed(columns: &[Column], rows: &[Vec<Cell>]) -> usize {
    let last = columns.len().saturating_sub(1);
    let widths = columns.iter().enumerate().map(|(index, column)| {
        let cells = rows.iter().filter_map(|row| row.get(index));
        let widest = cells.map(|cell| cell.content().chars().count()).max();
        let widest = widest.unwrap_or(0).max(column.name().len());
        let width = match column {
            Column::Whole(_) | Column::Optional(..) => widest,
            Column::Rest(_) | Column::Wrapped(_) => widest.min(REST_MIN),
        };
        width + if index == last { 0 } else { usize::from(GAP) }
    });
    widths.sum()
}

/// Lays out rows under a header; each is one line unless a column is wrapped. Where the line is
/// too short even so, the table is wider than it.
pub(crate) fn rows(columns: &[Column], rows: Vec<Vec<Cell>>, width: u16) -> String {
    let wraps = columns
        .iter()
        .any(|column| matches!(column, Column::Wrapped(_)));
    let rows = if wraps { rows } else { on_one_line(rows) };
    let needed = u16::try_from(needed(columns, &rows)).unwrap_or(u16::MAX);
    let mut table = empty(width.max(needed));
    table.set_header(columns.iter().map(|column| column.name()));
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
            Column::Whole(_) | Column::Optional(..) => {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            Column::Rest(_) => {
                column.set_delimiter(NOWHERE);
            }
            Column::Wrapped(_) => {}
        }
    }
    finish(&table)
}

/// A text of several lines goes on behind its first one.
fn on_one_line(mut rows: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
    for cell in rows.iter_mut().flatten() {
        let content = cell.content();
        if content.contains(['\n', '\t']) {
            *cell = Cell::new(plain::line(&content));
        }
    }
    rows
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

/// `text` as it stands behind `head`, which may be coloured and is put there by the caller.
pub(crate) fn flow(head: &str, text: &str, width: u16) -> String {
    if head.is_empty() {
        let mut table = empty(width);
        table.add_row([text]);
        for column in table.column_iter_mut() {
            column.set_padding((0, 0));
        }
        return finish(&table);
    }
    let blank = " ".repeat(head.chars().count());
    let laid = hanging(&blank, text, width);
    laid.strip_prefix(&blank).unwrap_or(&laid).to_owned()
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
