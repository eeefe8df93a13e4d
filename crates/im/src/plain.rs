//! Text that others wrote, on its way to a terminal or a file.
//!
//! What PagerDuty says is kept as it was said, and a title of its may have anything in it. What steers a
//! terminal, or turns the text around it, is told apart by [`steers`] and reaches nobody who reads: text has
//! U+FFFD in its place, and JSON its number.

use std::borrow::Cow;
use std::fmt::Write as _;

use im_core::steers;
use serde_json::Value;

/// Line ends and tabs are what text is laid out with.
fn is_odd(c: char) -> bool {
    !matches!(c, '\n' | '\t') && steers(c)
}

/// Text without what steers.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains(is_odd) {
        // Who writes at Windows ends lines so.
        let text = text.replace("\r\n", "\n");
        Cow::Owned(text.replace(is_odd, "\u{FFFD}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The same on one line.
pub(crate) fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    self::text(&words.join(" ")).into_owned()
}

/// The same of each text in a document; names of fields are ours or were checked.
pub(crate) fn value(value: &mut Value) {
    match value {
        Value::String(one) => {
            if let Cow::Owned(plain) = text(one) {
                *one = plain;
            }
        }
        Value::Array(all) => all.iter_mut().for_each(self::value),
        Value::Object(fields) => fields.values_mut().for_each(self::value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A document of JSON with the same meaning, in which nothing steers. Between its texts it has line ends alone.
pub(crate) fn json(document: &str) -> Cow<'_, str> {
    let is_odd = |c| c != '\r' && is_odd(c);
    if !document.contains(is_odd) {
        return Cow::Borrowed(document);
    }
    let mut escaped = String::with_capacity(document.len());
    for c in document.chars() {
        if is_odd(c) {
            // All of them have four digits at most.
            write!(escaped, "\\u{:04x}", u32::from(c)).expect("a String takes everything");
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_in_no_text_and_no_document() {
        let title = "a\u{1b}]0;x\u{7}b\u{9b}2Jc\u{202e}d\r\n\te";
        assert_eq!(
            text(title),
            "a\u{FFFD}]0;x\u{FFFD}b\u{FFFD}2Jc\u{FFFD}d\n\te"
        );
        assert_eq!(line(title), "a\u{FFFD}]0;x\u{FFFD}b\u{FFFD}2Jc\u{FFFD}d e");
        assert!(matches!(text("Zürich → 東京\n"), Cow::Borrowed(_)));
        let written = serde_json::to_string(title).unwrap();
        let shown = json(&written);
        assert!(!shown.contains(steers), "{shown:?}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), title);
    }
}
