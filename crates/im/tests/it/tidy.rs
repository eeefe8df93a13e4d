//! Rules of the workspace that neither the compiler nor clippy can keep.
//!
//! Each rule is a function over the sources, with samples beside it that it must refuse and
//! samples that it must leave alone: a rule that cannot fail is worth nothing.

use std::fs;
use std::path::Path;

mod layers;
mod manifests;
mod pages;
mod scenarios;
mod source;

use source::Source;

/// Something that must not be.
struct Rule {
    /// What is wrong.
    wrong: &'static str,
    /// What to do instead.
    instead: &'static str,
    find: fn(&[Source]) -> Vec<Place>,
}

/// Where a rule is broken, and by what.
struct Place {
    path: String,
    line: usize,
    what: String,
}

impl Place {
    fn new(source: &Source, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: source.path.clone(),
            line,
            what: what.into(),
        }
    }
}

impl Rule {
    /// Each broken place as a line for people.
    fn check(&self, sources: &[Source]) -> Vec<String> {
        (self.find)(sources)
            .into_iter()
            .map(|Place { path, line, what }| {
                format!("{path}:{line}: {}: `{what}`; {}", self.wrong, self.instead)
            })
            .collect()
    }

    /// Fails if the workspace breaks it.
    #[track_caller]
    fn keep(&self) {
        let broken = self.check(&workspace());
        assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    }

    /// Fails if a sample does not break it in exactly these lines.
    #[track_caller]
    fn breaks(&self, path: &str, text: &str, lines: &[usize]) {
        let found: Vec<usize> = (self.find)(&[Source::read(path, text)])
            .into_iter()
            .map(|place| place.line)
            .collect();
        assert_eq!(found, lines, "{} in {path}:\n{text}", self.wrong);
    }
}

/// What the rules read: Rust, SQL, manifests and documents.
fn workspace() -> Vec<Source> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut sources = Vec::new();
    for folder in ["crates", "fuzz", "xtask", "docs"] {
        read(root, folder, &mut sources);
    }
    assert!(
        sources.len() > 50,
        "the workspace is not at {}",
        root.display()
    );
    sources
}

fn read(root: &Path, folder: &str, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(root.join(folder)).expect("the workspace has this folder");
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    names.sort();
    for name in names {
        let path = format!("{folder}/{name}");
        let file = root.join(&path);
        if file.is_dir() {
            read(root, &path, sources);
        } else if Path::new(&name)
            .extension()
            .is_some_and(|kind| ["rs", "sql", "toml", "md"].iter().any(|read| kind == *read))
        {
            let text = fs::read_to_string(&file).expect("sources are UTF-8");
            sources.push(Source::read(&path, &text));
        }
    }
}

#[test]
fn a_broken_rule_says_where_and_what_to_do() {
    let source = Source::read(
        "crates/im/src/web.rs",
        "//! Pages.\n\nfn show() {\n    println!(\"hello\");\n}\n",
    );
    assert_eq!(
        layers::PRINTING.check(&[source]),
        [
            "crates/im/src/web.rs:4: printing outside cli/ui.rs: `println!`; \
          hand the text to `cli::ui`, or log it with `tracing`"
        ]
    );
}
