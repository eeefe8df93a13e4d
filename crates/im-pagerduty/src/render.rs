//! Our fields in PagerDuty's form: lengths, plain text, and the mark by which we know our notes.
//!
//! PagerDuty has no key for notes. So each note that we write ends in a line that names its
//! author, our incident and a mark; a note that carries a mark of ours is not read back as new.

use im_core::IncidentNumber;

/// The documented length of an event's summary, which becomes a title.
pub const TITLE_CHARS_MAX: usize = 1_024;

/// Our own limit for notes and descriptions; PagerDuty documents none.
pub const NOTE_CHARS_MAX: usize = 25_000;

/// Between the author and the incident in the last line of a note.
const VIA: &str = "via im, ";

/// A title: one line, not empty, at most [`TITLE_CHARS_MAX`] characters.
pub fn title(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    if line.is_empty() {
        // PagerDuty refuses an empty title.
        return "Untitled incident".to_owned();
    }
    if line.chars().count() <= TITLE_CHARS_MAX {
        return line;
    }
    let mut short: String = line.chars().take(TITLE_CHARS_MAX - 1).collect();
    short.push('…');
    short
}

/// A description: plain text with plain line ends, at most [`NOTE_CHARS_MAX`] characters. Too long a
/// text is shortened and says so; its end is always whole.
pub fn body(text: &str, end: &str) -> String {
    with_end(text, &plain(end))
}

fn with_end(text: &str, end: &str) -> String {
    let room = NOTE_CHARS_MAX.saturating_sub(end.chars().count() + 2);
    let text = shortened(&plain(text), room);
    match (text.is_empty(), end.is_empty()) {
        (true, _) => end.to_owned(),
        (_, true) => text,
        _ => format!("{text}\n\n{end}"),
    }
}

/// A note with our last line: `Ann via im, INC-42 #8f2a61c3`. Too long a text is shortened and
/// says so; the last line is always whole.
///
/// A mark is one word of ASCII letters and digits, different for each note.
pub fn note_text(text: &str, author: Option<&str>, incident: IncidentNumber, mark: &str) -> String {
    let author = author.map(title).map(|author| format!("{author} "));
    let author = author.unwrap_or_default();
    let last = format!("{author}{VIA}{incident} #{mark}");
    with_end(text, &last)
}

/// The mark in the last line of a note that [`note_text`] wrote.
pub fn note_mark(text: &str) -> Option<&str> {
    let last = text.trim().lines().next_back()?;
    let (_, incident_and_mark) = last.rsplit_once(VIA)?;
    let (incident, mark) = incident_and_mark.split_once(" #")?;
    let mark = mark.trim();
    let ours = incident.starts_with("INC-") && incident.parse::<IncidentNumber>().is_ok();
    let one_word = !mark.is_empty() && mark.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (ours && one_word).then_some(mark)
}

/// Line feeds only, no other control characters, nothing at the ends.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
        .collect::<String>()
        .trim()
        .to_owned()
}

fn shortened(text: &str, chars_max: usize) -> String {
    let chars = text.chars().count();
    if chars <= chars_max {
        return text.to_owned();
    }
    let remark = format!("… [shortened: {chars} characters in all]");
    let room = chars_max.saturating_sub(remark.chars().count());
    let mut short: String = text.chars().take(room).collect();
    short.push_str(&remark);
    short
}
