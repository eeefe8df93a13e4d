//! Our fields in PagerDuty's form.

use im_core::IncidentNumber;
use im_pagerduty::{NOTE_CHARS_MAX, TITLE_CHARS_MAX, body, note_mark, note_text, title};
use proptest::prelude::*;

fn number() -> IncidentNumber {
    IncidentNumber::new(42).unwrap()
}

#[test]
fn a_title_is_one_line_of_some_length() {
    assert_eq!(title("  Disk\r\nfull\ton \u{0}db "), "Disk full on db");
    assert_eq!(title(" \n"), "Untitled incident");
    let long = title(&"ü".repeat(2_000));
    assert_eq!(long.chars().count(), TITLE_CHARS_MAX);
    assert!(long.ends_with('…'));
}

#[test]
fn a_note_ends_in_its_origin() {
    assert_eq!(
        note_text(
            "Investigating database locks\r\n",
            Some("Ann"),
            number(),
            "8f2a61c3"
        ),
        "Investigating database locks\n\nAnn via im, INC-42 #8f2a61c3"
    );
    assert_eq!(
        note_text("x", None, number(), "a1"),
        "x\n\nvia im, INC-42 #a1"
    );
    assert_eq!(
        note_text(" ", Some("Ann\nLee"), number(), "a1"),
        "Ann Lee via im, INC-42 #a1"
    );
}

#[test]
fn a_long_note_is_shortened_and_says_so() {
    let note = note_text(&"ß".repeat(30_000), Some("Ann"), number(), "8f2a61c3");
    assert_eq!(note.chars().count(), NOTE_CHARS_MAX);
    assert!(
        note.contains("… [shortened: 30000 characters in all]\n\nAnn via im, INC-42 #8f2a61c3")
    );
    assert_eq!(note_mark(&note), Some("8f2a61c3"));
    let long = body(&"x".repeat(30_000), "INC-1");
    assert_eq!(long.chars().count(), NOTE_CHARS_MAX);
    assert!(long.ends_with("[shortened: 30000 characters in all]\n\nINC-1"));
}

#[test]
fn only_our_own_last_line_is_a_mark() {
    for text in [
        "",
        "see #8f2a61c3",
        "via im, INC-42",
        "via im, INC-x #8f2a61c3",
        "via im, INC-42 #two words",
        "via im, INC-42 #",
        "Ann via im, INC-42 #8f2a61c3\nand somebody wrote below",
    ] {
        assert_eq!(note_mark(text), None, "{text}");
    }
    assert_eq!(
        note_mark("x\r\n\r\nAnn via im, INC-42 #8f2a61c3  \r\n"),
        Some("8f2a61c3")
    );
}

proptest! {
    #[test]
    fn the_mark_is_found_again(
        text in "\\PC{0,60}(\n|\r\n|\t)?\\PC{0,60}",
        author in prop::option::of("\\PC{1,30}"),
        incident in 1_i64..1_000_000,
        mark in "[0-9a-f]{8}",
        around in "[ \n]{0,3}",
    ) {
        let incident = IncidentNumber::new(incident).unwrap();
        let note = note_text(&text, author.as_deref(), incident, &mark);
        let note = format!("{around}{note}{around}");
        prop_assert_eq!(note_mark(&note), Some(mark.as_str()));
    }
}
