//! Lines of comma-separated values, as RFC 4180 has them but for the line end.

use crate::plain;

/// The line of some cells. Nothing in it steers a terminal.
pub(crate) fn line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let cells: Vec<String> = cells
        .into_iter()
        .map(|cell| quoted(cell.as_ref()))
        .collect();
    format!("{}\n", cells.join(","))
}

fn quoted(cell: &str) -> String {
    let cell = plain::text(cell);
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.into_owned()
    }
}
