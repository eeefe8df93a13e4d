//! What every file owes its readers.

use super::source::{Source, has_word};
use super::{Place, Rule, workspace};

/// A file of more lines has surely more than one purpose.
const LINES_MAX: usize = 900;

/// A file of more lines is worth a question.
const LINES_MANY: usize = 700;

const MODULE_DOCS: Rule = Rule {
    wrong: "no module docs",
    instead: "begin the file with `//!`: its purpose, its invariants, what is absent",
    find: |sources| {
        rust(sources)
            .filter(|source| !source.text.trim_start().starts_with("//!"))
            .map(|source| Place::new(source, 1, first_line(source)))
            .collect()
    },
};

const LENGTH: Rule = Rule {
    wrong: "a long file",
    instead: "split it by purpose; 900 lines are the limit, 700 a reason to look",
    find: |sources| {
        long(sources, LINES_MAX)
            .map(|(source, lines)| Place::new(source, lines, format!("{lines} lines")))
            .collect()
    },
};

const ALLOW: Rule = Rule {
    wrong: "a lint switched off without end",
    instead: "write `#[expect(lint, reason = \"…\")]`, which tells when it is needed no more",
    find: |sources| words(sources, &["#[allow(", "#![allow("]),
};

const UNFINISHED: Rule = Rule {
    wrong: "unfinished code",
    instead: "finish it, or leave out what calls it",
    find: |sources| words(sources, &["todo!", "unimplemented!"]),
};

const TO_DO: Rule = Rule {
    wrong: "a promise in a comment",
    instead: "do it now, or open an issue; a comment says how things are",
    find: |sources| {
        let mut places = Vec::new();
        for source in rust(sources) {
            for (line, comment) in source.comment_lines() {
                let marks = ["TODO", "FIXME", "XXX"];
                let found = marks.into_iter().find(|mark| has_word(comment, mark));
                places.extend(found.map(|mark| Place::new(source, line, mark)));
            }
        }
        places
    },
};

const REFERENCES: Rule = Rule {
    wrong: "a reference to a page that is not there",
    instead: "mend the path, or write the page",
    find: |sources| {
        let exists = |page: &str| sources.iter().any(|source| source.path.starts_with(page));
        let mut places = Vec::new();
        for source in rust(sources) {
            for (line, comment) in source.comment_lines() {
                let missing = pages(comment).into_iter().filter(|page| !exists(page));
                places.extend(missing.map(|page| Place::new(source, line, page)));
            }
        }
        places
    },
};

fn rust(sources: &[Source]) -> impl Iterator<Item = &Source> {
    sources.iter().filter(|source| source.is_rust())
}

fn first_line(source: &Source) -> &str {
    source.text.lines().next().unwrap_or_default()
}

fn long(sources: &[Source], limit: usize) -> impl Iterator<Item = (&Source, usize)> {
    rust(sources)
        .filter(|source| !source.is_test())
        .map(|source| (source, source.text.lines().count()))
        .filter(move |(_, lines)| *lines > limit)
}

fn words(sources: &[Source], words: &[&str]) -> Vec<Place> {
    let mut places = Vec::new();
    for source in rust(sources) {
        for (line, code) in source.code_lines() {
            let found = words.iter().find(|word| has_word(code, word));
            places.extend(found.map(|word| Place::new(source, line, *word)));
        }
    }
    places
}

/// The pages that a comment sends its reader to: paths under `docs/`, and decisions by number.
fn pages(comment: &str) -> Vec<String> {
    let mut pages = Vec::new();
    for (at, _) in comment.match_indices("docs/") {
        let (before, from) = comment.split_at(at);
        let is_path = |c: char| c.is_ascii_alphanumeric() || "/-_.".contains(c);
        let path: String = from.chars().take_while(|c| is_path(*c)).collect();
        // `site.example/docs/x.md` and `their/docs/x.md` are not pages of ours.
        let page = path.trim_end_matches('.').strip_suffix(".md");
        if let Some(page) = page.filter(|_| !before.ends_with(is_path)) {
            pages.push(format!("{page}.md"));
        }
    }
    for (at, mark) in comment.match_indices(".md") {
        let (before, _) = comment.split_at(at);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "/-_.…".contains(c);
        let name = before.trim_end_matches(is_name).len();
        let name = before.split_at(name).1;
        // A page by its name alone.
        if !name.is_empty() && !name.contains(['/', '…']) {
            pages.push(format!("{name}{mark}"));
        }
    }
    for (at, mark) in comment.match_indices("ADR ") {
        let (_, from) = comment.split_at(at);
        let number: String = from.chars().skip(mark.len()).take(4).collect();
        if number.len() == 4 && number.chars().all(|c| c.is_ascii_digit()) {
            pages.push(format!("docs/adr/{number}-"));
        }
    }
    pages
}

#[test]
fn each_file_says_what_it_is_for() {
    let path = "crates/im-core/src/id.rs";
    MODULE_DOCS.breaks(path, "use std::fmt;\n", &[1]);
    MODULE_DOCS.breaks(path, "// Ids.\n", &[1]);
    MODULE_DOCS.breaks(path, "//! Ids.\n", &[]);
    MODULE_DOCS.breaks("docs/api.md", "# API\n", &[]);
    MODULE_DOCS.keep();
}

#[test]
fn no_file_is_long() {
    let path = "crates/im-core/src/id.rs";
    LENGTH.breaks(path, &"\n".repeat(901), &[901]);
    LENGTH.breaks(path, &"\n".repeat(900), &[]);
    LENGTH.keep();
    for (source, lines) in long(&workspace(), LINES_MANY) {
        println!(
            "{} has {lines} lines: does it have one purpose?",
            source.path
        );
    }
}

#[test]
fn no_lint_is_switched_off_without_end() {
    let path = "xtask/src/main.rs";
    ALLOW.breaks(path, "#![allow(dead_code)]\n  #[allow(unused)]\n", &[1, 2]);
    ALLOW.breaks(path, "#[expect(unused, reason = \"#[allow(\")]", &[]);
    ALLOW.keep();
}

#[test]
fn nothing_is_unfinished() {
    let path = "crates/im/src/web.rs";
    UNFINISHED.breaks(
        path,
        "fn a() { todo!() }\nfn b() { unimplemented!(\"x\") }",
        &[1, 2],
    );
    UNFINISHED.breaks(path, "// todo!\nmy_todo!()", &[]);
    UNFINISHED.keep();
}

#[test]
fn no_comment_makes_a_promise() {
    let path = "crates/im/src/web.rs";
    let mark = concat!("TO", "DO");
    TO_DO.breaks(
        path,
        &format!("let a = 1; // {mark}: b\n/* {mark} */"),
        &[1, 2],
    );
    TO_DO.breaks(path, &format!("let a = \"{mark}\";"), &[]);
    TO_DO.keep();
}

#[test]
fn pages_that_comments_name_exist() {
    let path = "crates/im/src/web.rs";
    REFERENCES.breaks(path, "// See `docs/none.md`.", &[1]);
    REFERENCES.breaks(path, "//! (ADR 9999)", &[1]);
    REFERENCES.breaks(path, "//! As in elsewhere.md.", &[1]);
    REFERENCES.breaks(path, "//! docs/….md, https://a.example/docs/b.md", &[]);
    let page = Source::read("docs/adr/0001-pure-core.md", "# Pure core");
    let code = Source::read(path, "// ADR 0001, docs/adr/0001-pure-core.md.");
    assert!(REFERENCES.check(&[page, code]).is_empty());
    REFERENCES.keep();
}
