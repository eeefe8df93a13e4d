//! Lines of ✓ and ✗: what a test looked at and found.

use owo_colors::OwoColorize as _;

use super::context::Context;
use super::table;
use super::types::Check;

/// The marks are two columns wide, and so is the indent of what explains them.
const INDENT: u16 = 2;

/// Prints each check, and below a failed one its cause and what to do.
pub(crate) fn say(lines: &[Check], cx: &mut Context) {
    for line in lines {
        let mark = match line.state.as_str() {
            "ok" => "✓".green().to_string(),
            "failed" => "✗".red().to_string(),
            _ => "-".dimmed().to_string(),
        };
        let skipped = if line.state == "skipped" {
            "skipped: "
        } else {
            ""
        };
        let width = cx.ui.width;
        let text = table::flow("✓ ", &format!("{skipped}{}", line.text), width);
        cx.ui.say(format_args!("{mark} {text}"));
        for (label, text) in [("cause: ", &line.cause), ("next:  ", &line.next)] {
            if let Some(text) = text {
                let head = format!("{}{label}", " ".repeat(INDENT.into()));
                cx.ui.say(table::hanging(&head, text, width));
            }
        }
    }
}
