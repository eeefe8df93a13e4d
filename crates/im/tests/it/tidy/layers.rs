//! Who may do what: IO, SQL, printing, talking to other systems.

use super::source::has_word;
use super::{Place, Rule};

/// Crates that compute and nothing else.
const PURE: [&str; 6] = [
    "im-core",
    "im-metrics",
    "im-pagerduty",
    "im-engine",
    "im-report",
    "pd-sim",
];

/// The parts of `std` through which a program meets its machine.
const OUTSIDE: [&str; 4] = ["fs", "net", "env", "process"];

/// Files of im-store, and what of `std` they need none the less.
const STORE_MAY: [(&str, &str); 4] = [
    ("crates/im-store/src/migrate", "fs"),
    ("crates/im-store/src/postgres", "env"),
    ("crates/im-store/src/postgres", "fs"),
    ("crates/im-store/src/sqlite", "fs"),
];

/// Where the program talks to a terminal.
const MAY_PRINT: [&str; 1] = ["crates/im/src/cli/ui.rs"];

/// Who knows the adapters: they themselves, the loop that performs calls, and the wiring.
const MAY_CALL: [&str; 5] = [
    "crates/im/src/adapters",
    "crates/im/src/demo",
    "crates/im/src/lib.rs",
    "crates/im/src/run",
    "crates/im/src/sim",
];

const IO: Rule = Rule {
    wrong: "IO in a crate without IO",
    instead: "take the value as an argument, or return a call that the crate `im` performs",
    find: |sources| {
        let mut places = Vec::new();
        for source in sources.iter().filter(|source| source.is_shipped()) {
            let name = source.crate_name().unwrap_or_default();
            if !PURE.contains(&name) && name != "im-store" {
                continue;
            }
            for (line, code) in source.code_lines() {
                let words = ["async", "tokio"];
                let found = words.into_iter().find(|word| has_word(code, word));
                places.extend(found.map(|word| Place::new(source, line, word)));
            }
            for (line, module) in std_modules(&source.code) {
                let may = STORE_MAY
                    .iter()
                    .any(|(file, what)| source.path.starts_with(file) && *what == module);
                if OUTSIDE.contains(&module.as_str()) && !may {
                    places.push(Place::new(source, line, format!("std::{module}")));
                }
            }
        }
        places
    },
};

/// Each module of `std` that is named, alone or within braces.
fn std_modules(code: &str) -> Vec<(usize, String)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut modules = Vec::new();
    for (at, found) in code.match_indices("std::") {
        let (before, from) = code.split_at(at);
        if before.ends_with(is_part) {
            continue;
        }
        let mut line = 1 + before.matches('\n').count();
        let mut depth = 0_usize;
        let mut name = String::new();
        let mut is_deeper = false;
        for c in from.chars().skip(found.len()) {
            if is_part(c) && !is_deeper {
                name.push(c);
                continue;
            }
            if !name.is_empty() {
                modules.push((line, std::mem::take(&mut name)));
                is_deeper = true;
            }
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                '\n' => line += 1,
                _ => {}
            }
            is_deeper = is_deeper && !(c == ',' && depth == 1);
            let is_space = c.is_whitespace() && depth > 0;
            if depth == 0 || (!is_space && !is_part(c) && !"{},:*".contains(c)) {
                break;
            }
        }
    }
    modules
}

const SQL: Rule = Rule {
    wrong: "SQL outside im-store",
    instead: "make it a statement of im-store and call its function",
    find: |sources| {
        let mut places = Vec::new();
        for source in sources.iter().filter(|source| source.is_shipped()) {
            if source.crate_name() == Some("im-store") {
                continue;
            }
            for literal in &source.strings {
                let found = sql(&literal.text).filter(|_| !source.is_unit_test(literal.line));
                places.extend(found.map(|verb| Place::new(source, literal.line, verb)));
            }
        }
        places
    },
};

fn sql(text: &str) -> Option<&'static str> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let follows = |first: &str, second: &str| words.windows(2).any(|pair| pair == [first, second]);
    let has = |word: &str| words.contains(&word);
    if has("SELECT") {
        Some("SELECT")
    } else if follows("INSERT", "INTO") {
        Some("INSERT INTO")
    } else if follows("DELETE", "FROM") {
        Some("DELETE FROM")
    } else if has("UPDATE") && has("SET") {
        Some("UPDATE … SET")
    } else {
        None
    }
}

const SQL_CLOCK: Rule = Rule {
    wrong: "a clock inside SQL",
    instead: "bind `now` as a parameter",
    find: |sources| {
        let mut places = Vec::new();
        for source in sources {
            if source.crate_name() != Some("im-store") {
                continue;
            }
            let mut texts: Vec<(usize, &str)> = source
                .strings
                .iter()
                .map(|literal| (literal.line, literal.text.as_str()))
                .collect();
            if source.is_a("sql") {
                texts.push((1, &source.text));
            }
            for (first, text) in texts {
                for (line, text) in (first..).zip(text.lines()) {
                    let found = clock(text);
                    places.extend(found.map(|clock| Place::new(source, line, clock)));
                }
            }
        }
        places
    },
};

fn clock(line: &str) -> Option<&'static str> {
    let statement = line
        .split("--")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let clocks = [
        "now()",
        "'now'",
        "current_timestamp",
        "current_time",
        "current_date",
        "clock_timestamp",
        "unixepoch",
    ];
    clocks.into_iter().find(|clock| has_word(&statement, clock))
}

pub(super) const PRINTING: Rule = Rule {
    wrong: "printing outside cli/ui.rs",
    instead: "hand the text to `cli::ui`, or log it with `tracing`",
    find: |sources| {
        let mut places = Vec::new();
        for source in sources.iter().filter(|source| source.is_shipped()) {
            if MAY_PRINT.contains(&source.path.as_str()) {
                continue;
            }
            for (line, code) in source.code_lines() {
                let macros = ["println!", "eprintln!", "print!", "eprint!"];
                let found = macros.into_iter().find(|name| has_word(code, name));
                let found = found.filter(|_| !source.is_unit_test(line));
                places.extend(found.map(|name| Place::new(source, line, name)));
            }
        }
        places
    },
};

const ADAPTERS: Rule = Rule {
    wrong: "an adapter used outside the run loop",
    instead: "owe an effect: `run.rs` performs its call after the row has committed",
    find: |sources| {
        let mut places = Vec::new();
        for source in sources.iter().filter(|source| source.is_shipped()) {
            let may = MAY_CALL.iter().any(|file| source.path.starts_with(file));
            if may || source.crate_name() != Some("im") {
                continue;
            }
            let imports = source.imports();
            let imported = imports
                .iter()
                .filter(|(_, import)| has_word(import, "adapters"));
            places.extend(imported.map(|(line, _)| Place::new(source, *line, "use … adapters")));
            for (line, code) in source.code_lines() {
                let is_import = imports.iter().any(|(import, _)| *import == line);
                if has_word(code, "adapters::") && !is_import {
                    places.push(Place::new(source, line, "adapters::"));
                }
            }
        }
        places
    },
};

const SLEEP: Rule = Rule {
    wrong: "a test that waits",
    instead: "pass a later `now`, or wait for the event itself",
    find: |sources| {
        let mut places = Vec::new();
        for source in sources.iter().filter(|source| source.is_rust()) {
            for (line, code) in source.code_lines() {
                let called = has_word(code, "thread::sleep") || has_word(code, "time::sleep");
                if called && (source.is_test() || source.is_unit_test(line)) {
                    places.push(Place::new(source, line, "sleep"));
                }
            }
        }
        places
    },
};

#[test]
fn only_the_program_does_io() {
    let core = "crates/im-core/src/fold.rs";
    IO.breaks(core, "async fn f() {}", &[1]);
    IO.breaks(core, "use tokio::sync::Mutex;", &[1]);
    IO.breaks(core, "use std::fs;\nuse std::{fmt, net::IpAddr};", &[1, 2]);
    IO.breaks(core, "use std::{\n    fmt,\n    process,\n};", &[3]);
    IO.breaks(core, "let a = std::env::args();", &[1]);
    IO.breaks(core, "use std::{fmt::{self, env}, collections};", &[]);
    IO.breaks(core, "// async: std::fs\nlet a = \"tokio\";", &[]);
    IO.breaks("crates/im/src/config.rs", "use std::fs;", &[]);
    IO.breaks("crates/im-store/src/sqlite.rs", "use std::{env, fs};", &[1]);
    IO.breaks("crates/im-store/src/facts.rs", "use std::fs;", &[1]);
    IO.breaks("crates/im-core/tests/it/main.rs", "use std::fs;", &[]);
    IO.keep();
}

#[test]
fn only_the_store_speaks_sql() {
    let web = "crates/im/src/web.rs";
    SQL.breaks(web, "f(\"SELECT id FROM a\")", &[1]);
    SQL.breaks(web, "f(\n  \"UPDATE a\n   SET b = 1\")", &[2]);
    SQL.breaks(web, "f(r#\"INSERT\n INTO a\"#)", &[1]);
    SQL.breaks(web, "f(\"-- x\n DELETE FROM a\")", &[1]);
    SQL.breaks(web, "f(\"Select a service\"); f(\"UPDATE\") // SELECT", &[]);
    SQL.breaks(
        web,
        "#[cfg(test)]\nmod tests {\n  f(\"SELECT 1\");\n}\nf(\"SELECT 1\")",
        &[5],
    );
    SQL.breaks("crates/im-store/src/facts.rs", "f(\"SELECT 1\")", &[]);
    SQL.keep();
}

#[test]
fn no_statement_reads_a_clock() {
    let facts = "crates/im-store/src/facts.rs";
    SQL_CLOCK.breaks(facts, "f(\"-- name\n SELECT now()\")", &[2]);
    SQL_CLOCK.breaks(facts, "f(\"WHERE at < CURRENT_TIMESTAMP\")", &[1]);
    SQL_CLOCK.breaks(facts, "let a = now();", &[]);
    SQL_CLOCK.breaks(facts, "f(\"SELECT 1 -- never now()\")", &[]);
    let migration = "crates/im-store/src/migrations/0001_meta.sql";
    SQL_CLOCK.breaks(migration, "-- now()\nx DEFAULT NOW()\n", &[2]);
    SQL_CLOCK.keep();
}

#[test]
fn only_the_terminal_module_prints() {
    let web = "crates/im/src/web.rs";
    PRINTING.breaks(web, "println!(); eprint!(\"\");", &[1]);
    PRINTING.breaks(web, "writeln!(out); // println!", &[]);
    PRINTING.breaks("crates/im/src/cli/ui.rs", "println!()", &[]);
    PRINTING.breaks(web, "#[cfg(test)]\nmod t {\n println!(); }", &[]);
    PRINTING.keep();
}

#[test]
fn only_the_run_loop_calls_adapters() {
    let http = "crates/im/src/http.rs";
    ADAPTERS.breaks(http, "crate::adapters::slack::send()", &[1]);
    ADAPTERS.breaks(http, "\nuse crate::{\n    adapters,\n    lib,\n};", &[2]);
    ADAPTERS.breaks(http, "use crate::adapters::slack;", &[1]);
    ADAPTERS.breaks(http, "let adapters = 1; // adapters::slack", &[]);
    ADAPTERS.breaks("crates/im/src/run.rs", "adapters::slack::send()", &[]);
    ADAPTERS.keep();
}

#[test]
fn no_test_sleeps() {
    let it = "crates/im/tests/it/http.rs";
    SLEEP.breaks(it, "std::thread::sleep(a);\ntokio::time::sleep(a)", &[1, 2]);
    SLEEP.breaks(it, "world.sleep(a); // thread::sleep", &[]);
    let run = "crates/im/src/run.rs";
    SLEEP.breaks(
        run,
        "time::sleep(a);\n#[cfg(test)]\nmod t { time::sleep(a) }",
        &[3],
    );
    SLEEP.keep();
}
