//! `docs/cli.md` is a record: each command in it is run, and below it stands what was said.
//!
//! What begins with `$` in a `console` block is run in order, 80 columns wide, with the stand-in for
//! PagerDuty on the other side: `im …`, also with `> FILE` behind it or in `export NAME=$(…)`, and
//! `echo $?`. Addresses of this machine are shown as others of the same length. Between the blocks,
//! where no reader sees it, a comment says what else happens:
//!
//! - `<!-- run: new -->`: both sides begin anew, not connected, with four weeks behind PagerDuty;
//! - `<!-- run: connected -->`: they begin anew with a connector that works;
//! - `<!-- run: as EMAIL -->`: who gives the commands from here on;
//! - `<!-- run: later 2m -->`: time goes by;
//! - `<!-- run: there ADDRESS -->`: somebody posts to the stand-in's control API (`docs/sim.md`);
//! - `<!-- run: file NAME = TEXT -->`: a file is written, which `@NAME` reads;
//! - `<!-- run: answers ONE | TWO -->`: the next command asks, and is answered this;
//! - `<!-- run: im … -->`: a command that is not shown, and succeeds.
//!
//! Each command begins when both sides have nothing more to do. `cargo xtask docs` writes the document anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::cli::Said;
use crate::cli_help::COMMANDS;
use crate::cli_stories::Story;
use crate::company::{KEY, PAGERDUTY_URL, PUBLIC_URL, company_with_past};

/// Commands that no document can show with what they said, and why.
const NOT_RUN: [(&str, &str); 4] = [
    ("serve", "it says nothing until it is stopped"),
    ("sim", "it says nothing until it is stopped"),
    ("demo", "it says nothing until it is stopped"),
    ("logs", "its lines have the machine's time"),
];

#[test]
fn the_command_line_document_is_what_the_commands_say() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md"));
    let written = fs::read_to_string(path).unwrap();
    let mut record = Recorder::new();
    let said = record.record(&written);
    if std::env::var("IM_DOCS").is_ok_and(|word| word == "write") {
        fs::write(path, &said).unwrap();
    } else {
        assert!(
            said == written,
            "docs/cli.md is not what the commands say (`cargo xtask docs` writes it anew):\n{}",
            difference(&written, &said)
        );
    }
    for command in COMMANDS {
        let named = format!("im {command}");
        let is_it = |line: &String| {
            line.strip_prefix(&named)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        match NOT_RUN.iter().find(|(known, _)| known == command) {
            Some((_, why)) => assert!(written.contains(&named), "{command} is not named; {why}"),
            None if command.is_empty() => {}
            None => assert!(
                record.ran.iter().any(is_it),
                "no console block runs `{named}`"
            ),
        }
    }
}

/// The lines between the first and the last that differ.
fn difference(written: &str, recorded: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (written.lines().collect(), recorded.lines().collect());
    let same =
        |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let first = same(&mut old.iter().zip(&new));
    let rest = same(&mut old[first..].iter().rev().zip(new[first..].iter().rev()));
    let mut text = format!("@@ line {} @@\n", first + 1);
    for line in &old[first..old.len() - rest] {
        writeln!(text, "-{line}").unwrap();
    }
    for line in &new[first..new.len() - rest] {
        writeln!(text, "+{line}").unwrap();
    }
    text
}

struct Recorder {
    story: Story,
    /// Where files of the document are.
    files: PathBuf,
    acts_as: Option<String>,
    answers: Option<Vec<String>>,
    last_code: u8,
    /// Each command that was run and shown.
    ran: Vec<String>,
}

impl Recorder {
    fn new() -> Self {
        let files = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli-document");
        drop(fs::remove_dir_all(&files));
        fs::create_dir_all(&files).unwrap();
        Self {
            story: Story::of(company_with_past),
            files,
            acts_as: None,
            answers: None,
            last_code: 0,
            ran: Vec::new(),
        }
    }

    /// The document with what is said now.
    fn record(&mut self, document: &str) -> String {
        let mut recorded = String::new();
        let mut fence = None;
        let mut lines = document.lines();
        while let Some(line) = lines.next() {
            let opens = line.strip_prefix("```");
            match (fence, opens) {
                (None, Some(kind)) => fence = Some(kind),
                (Some(_), Some(_)) => fence = None,
                (Some("console"), None) => {
                    let Some(command) = line.strip_prefix("$ ") else {
                        continue;
                    };
                    writeln!(recorded, "{line}").unwrap();
                    let mut command = command.to_owned();
                    while let Some(begun) = command.strip_suffix('\\') {
                        let more = lines.next().unwrap_or_default();
                        writeln!(recorded, "{more}").unwrap();
                        command = format!("{begun}{}", more.trim_start());
                    }
                    recorded += &self.shell(&command);
                    continue;
                }
                (None, None) => {
                    let step = line.strip_prefix("<!-- run: ");
                    if let Some(step) = step.and_then(|step| step.strip_suffix(" -->")) {
                        self.step(step);
                    }
                }
                (Some(_), None) => {}
            }
            writeln!(recorded, "{line}").unwrap();
        }
        recorded
    }

    /// Something happens that the document does not show.
    fn step(&mut self, step: &str) {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        match verb {
            "new" => self.story = Story::of(company_with_past),
            "connected" => {
                self.story = Story::of(company_with_past);
                self.connect();
            }
            "as" => self.acts_as = Some(rest.to_owned()),
            "later" => {
                let by: SignedDuration = rest.parse().unwrap();
                self.story.pass(by.as_secs());
                self.story.rest();
            }
            "there" => {
                self.story.control(rest);
                self.story.rest();
            }
            "file" => {
                let (name, text) = rest.split_once(" = ").unwrap();
                fs::write(self.files.join(name), text).unwrap();
            }
            "answers" => {
                let answers = rest.split('|').map(|answer| self.real(answer.trim()));
                self.answers = Some(answers.collect());
            }
            "im" => {
                let said = self.im(rest);
                assert_eq!(said.code, 0, "{step}: {}", said.all());
            }
            _ => panic!("no step `{step}`"),
        }
    }

    fn connect(&mut self) {
        let config = json!({
            "api_key": KEY,
            "base_url": self.story.stand_in.base_url,
            "sync_direction": "bidirectional",
            "custom": {
                "service_id": "PGEN001",
                "from_email": "ops@company.com",
                "service_mappings": {"api": "PAPI001", "db": "PDAT001", "web": "PWEB001"},
            },
        });
        for command in [
            format!("config set public_url {PUBLIC_URL}"),
            format!("connector add pagerduty prod-pagerduty --since none --config '{config}'"),
            "connector webhook prod-pagerduty --enable".to_owned(),
            "connector sync prod-pagerduty".to_owned(),
        ] {
            self.step(&format!("im {command}"));
        }
    }

    /// Runs what somebody typed; returns what the terminal shows.
    fn shell(&mut self, line: &str) -> String {
        if line == "echo $?" {
            return format!("{}\n", self.last_code);
        }
        let taken = line
            .strip_prefix("export ")
            .and_then(|line| line.strip_suffix(')')?.split_once("=$("));
        let (line, file) = match (taken, line.split_once(" > ")) {
            (Some((_, line)), _) => (line, Some("/dev/null")),
            (None, Some((line, file))) => (line, Some(file)),
            (None, None) => (line, None),
        };
        let command = line.strip_prefix("im ");
        let command = command.unwrap_or_else(|| panic!("cannot run `{line}`"));
        self.ran.push(line.to_owned());
        let said = self.im(command);
        self.last_code = said.code;
        let Some(file) = file else {
            return self.shown(&said.screen);
        };
        fs::write(self.files.join(file), said.out).unwrap();
        self.shown(&said.err)
    }

    /// Gives a command, and waits until both sides have nothing more to do.
    fn im(&mut self, line: &str) -> Said {
        let mut args = words(&self.real(line));
        for arg in &mut args {
            let file = self.files.join(arg.trim_start_matches('@'));
            if file.is_file() {
                let at = if arg.starts_with('@') { "@" } else { "" };
                *arg = format!("{at}{}", file.display());
            }
        }
        if args.iter().any(|arg| arg == "--enable") {
            args.push("--insecure".to_owned());
        }
        if let Some(email) = &self.acts_as {
            args.extend(["--as".to_owned(), email.clone()]);
        }
        let run = self.story.run().at(self.now());
        let run = match self.answers.take() {
            Some(answers) => {
                let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
                run.answering(&answers)
            }
            None => run,
        };
        self.story.rest();
        let said = run.with(args);
        self.story.rest();
        said
    }

    fn now(&self) -> Timestamp {
        self.story.app.clock.now()
    }

    /// What is meant by what the document says.
    fn real(&self, text: &str) -> String {
        text.replace(PUBLIC_URL, &self.story.url)
            .replace(PAGERDUTY_URL, &self.story.stand_in.base_url)
            .replace("$KEY", KEY)
    }

    /// What the document says for what was said.
    fn shown(&self, text: &str) -> String {
        let text = text
            .replace(&self.story.url, PUBLIC_URL)
            .replace(&self.story.stand_in.base_url, PAGERDUTY_URL)
            .replace(&format!("{}/", self.files.display()), "");
        let mut shown = String::new();
        for line in text.lines() {
            // What was written over is gone.
            let line = line.rsplit('\r').next().unwrap_or_default();
            writeln!(shown, "{}", without_secret(line.trim_end())).unwrap();
        }
        shown
    }
}

/// The same line without the secret of a link, which is another each time.
fn without_secret(line: &str) -> String {
    match line.split_once("?link=") {
        Some((address, _)) => format!("{address}?link=SECRET"),
        None => line.to_owned(),
    }
}

/// The words of a line, as a shell takes them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}
