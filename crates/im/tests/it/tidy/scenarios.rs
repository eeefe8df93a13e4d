//! Each scenario that must be covered has tests, and `docs/scenarios.md` names them.
//!
//! A test says by its name which scenarios it covers (`s22_…`), so the page can be checked against
//! the tree in both directions. What is not covered yet stands in a list of its own, here and
//! on the page: it can become shorter, but nothing leaves it without a test.

use std::ops::RangeInclusive;

use super::source::{Source, has_word};
use super::{Place, Rule};

const PAGE: &str = "docs/scenarios.md";

/// The scenarios that must have a row.
const REQUIRED: [(char, RangeInclusive<u8>); 3] = [('S', 1..=51), ('S', 53..=104), ('G', 1..=15)];

const ROWS: Rule = Rule {
    wrong: "the page of scenarios does not keep its list",
    instead: "give each scenario one row with its tests",
    find: |sources| {
        let Some(page) = page(sources) else {
            return Vec::new();
        };
        let rows = rows(page);
        let mut places = Vec::new();
        for id in required() {
            let mut of_it = rows.iter().filter(|row| row.id == id);
            let is_kept = match (of_it.next(), of_it.next()) {
                (Some(row), None) => !row.tests.is_empty(),
                _ => false,
            };
            if !is_kept {
                let line = rows.iter().find(|row| row.id == id);
                places.push(Place::new(page, line.map_or(1, |row| row.line), id));
            }
        }
        places
    },
};

const NAMED: Rule = Rule {
    wrong: "the page of scenarios names a test that is not there",
    instead: "name it as it is called, with its path below `crates/`",
    find: |sources| {
        let Some(page) = page(sources) else {
            return Vec::new();
        };
        let mut places = Vec::new();
        for row in rows(page) {
            let missing = row.tests.iter().filter(|test| !exists(sources, test));
            places.extend(missing.map(|test| Place::new(page, row.line, test)));
        }
        places
    },
};

const LISTED: Rule = Rule {
    wrong: "a test of a scenario that the page of scenarios does not name",
    instead: "name it in the row of each id that begins its name in `docs/scenarios.md`",
    find: |sources| {
        let rows = page(sources).map(rows).unwrap_or_default();
        let mut places = Vec::new();
        for source in sources {
            let Some(path) = source.path.strip_prefix("crates/") else {
                continue;
            };
            for (line, name) in functions(source) {
                let test = format!("{path}::{name}");
                let is_listed = |id: &String| {
                    rows.iter()
                        .any(|row| row.id == *id && row.tests.contains(&test))
                };
                if !ids(name).iter().all(is_listed) {
                    places.push(Place::new(source, line, name));
                }
            }
        }
        places
    },
};

/// A line of the page.
struct Row {
    line: usize,
    id: String,
    /// As `im-engine/tests/it/crash.rs::name`.
    tests: Vec<String>,
}

fn page(sources: &[Source]) -> Option<&Source> {
    sources.iter().find(|source| source.path == PAGE)
}

fn rows(page: &Source) -> Vec<Row> {
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(page.text.lines()) {
        let mut cells = text.split('|').map(str::trim).skip(1);
        let Some(id) = cells.next().filter(|cell| is_id(cell)) else {
            continue;
        };
        let quoted = text.split('`').skip(1).step_by(2);
        rows.push(Row {
            line,
            id: id.to_owned(),
            tests: quoted
                .filter(|word| word.contains("::"))
                .map(str::to_owned)
                .collect(),
        });
    }
    rows
}

fn required() -> Vec<String> {
    REQUIRED
        .into_iter()
        .flat_map(|(letter, numbers)| numbers.map(move |number| format!("{letter}{number:02}")))
        .collect()
}

/// `S07`, `S104`, `G15`.
fn is_id(word: &str) -> bool {
    let number = word.strip_prefix(['S', 'G']);
    number.is_some_and(|number| {
        (2..=3).contains(&number.len()) && number.chars().all(|c| c.is_ascii_digit())
    })
}

/// The ids that begin the name of a test.
fn ids(name: &str) -> Vec<String> {
    name.split('_')
        .map(str::to_uppercase)
        .take_while(|word| is_id(word))
        .collect()
}

/// The names of a file's functions, with their lines.
fn functions(source: &Source) -> Vec<(usize, &str)> {
    let mut functions = Vec::new();
    for (line, code) in source.code_lines() {
        if has_word(code, "fn")
            && let Some((_, after)) = code.split_once("fn ")
        {
            let end = after.find(|c: char| !c.is_alphanumeric() && c != '_');
            functions.push((line, end.map_or(after, |end| after.split_at(end).0)));
        }
    }
    functions
}

fn exists(sources: &[Source], test: &str) -> bool {
    test.split_once("::").is_some_and(|(path, name)| {
        sources.iter().any(|source| {
            source.path.strip_prefix("crates/") == Some(path)
                && functions(source).iter().any(|(line, function)| {
                    *function == name && (source.is_test() || source.is_unit_test(*line))
                })
        })
    })
}

/// A page in which everything is as the lists want it, with one row written differently.
fn sample(id: &str, row: &str) -> Source {
    let rows = required().into_iter().map(|have| {
        if have == id {
            row.to_owned()
        } else {
            format!("| {have} | A case. | `im/tests/a.rs::a_test` |\n")
        }
    });
    Source::read(PAGE, &rows.collect::<String>())
}

#[test]
fn each_scenario_has_its_row() {
    let good = "| S01 | A case. | `im/tests/a.rs::a_test` |\n";
    let line = |page: &Source| (ROWS.find)(std::slice::from_ref(page)).len();
    assert_eq!(line(&sample("S01", good)), 0);
    assert_eq!(line(&sample("S01", "")), 1, "no row");
    assert_eq!(line(&sample("S01", &good.repeat(2))), 1, "two rows");
    assert_eq!(line(&sample("S01", "| S01 | A case. | |\n")), 1, "no test");
    ROWS.keep();
}

#[test]
fn the_tests_that_the_page_of_scenarios_names_exist() {
    let page = Source::read(
        PAGE,
        "| S01 | A case. | `im/tests/a.rs::s01_b`<br>`im/src/a.rs::s01_c` |\n",
    );
    let test =
        |name: &str| Source::read("crates/im/tests/a.rs", &format!("async fn {name}() {{}}"));
    let unit = |attribute: &str| {
        Source::read(
            "crates/im/src/a.rs",
            &format!("{attribute}\nfn s01_c() {{}}\n"),
        )
    };
    let broken = |test, unit| {
        NAMED
            .check(&[Source::read(PAGE, &page.text), test, unit])
            .len()
    };
    assert_eq!(broken(test("s01_b"), unit("#[cfg(test)]")), 0);
    assert_eq!(broken(test("s01_bc"), unit("#[cfg(test)]")), 1);
    assert_eq!(broken(test("s01_b"), unit("")), 1, "no test");
    NAMED.keep();
}

#[test]
fn the_page_of_scenarios_names_each_test_of_one() {
    let page = "| S01 | A case. | `im/tests/a.rs::s01_s02_b` |\n";
    let listed = |rows: &str, name: &str| {
        let test = Source::read(
            "crates/im/tests/a.rs",
            &format!("    fn {name}(world) {{\n"),
        );
        LISTED.check(&[Source::read(PAGE, rows), test]).len()
    };
    assert_eq!(listed(page, "s01_s02_b"), 1, "the other id has no row");
    let both = format!("{page}{}", page.replace("| S01", "| S02"));
    assert_eq!(listed(&both, "s01_s02_b"), 0);
    assert_eq!(listed(&both, "s01_c"), 1);
    assert_eq!(listed(&both, "a_helper"), 0);
    LISTED.keep();
}
