//! The server's log, kept where `im logs` finds it: lines of JSON in the data directory.
//!
//! One process writes, any reads. A line has a number, so that a reader can ask for what came
//! after it. Two files of [`FILE_BYTES_MAX`] are kept; the older one goes when the newer is full.
//!
//! Nothing here decides what is worth a line: that is the filter in `telemetry`.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::clock;
use crate::secret::create_private;

/// A file of about 40,000 lines.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
const FILE: &str = "im.log";
const OLDER: &str = "im.log.1";

/// The parts of the server that lines come from.
pub const COMPONENTS: [&str; 5] = ["webhook", "sync", "api", "http", "server"];

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its number: each is higher than the one before.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// One of [`COMPONENTS`].
    pub component: String,
    /// What happened, in words.
    pub text: String,
    /// What it is about: `connector`, `call`, `http.status` …
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

/// Which part of the server a line of this target comes from.
fn component(target: &str) -> &'static str {
    const PARTS: [(&str, &str); 10] = [
        ("im::http::hooks", "webhook"),
        ("im_engine::inbox", "webhook"),
        ("im_engine::subscription", "webhook"),
        ("im::watch", "webhook"),
        ("im::api", "api"),
        ("im::adapters", "api"),
        ("im::http", "http"),
        ("im::access::audit", "http"),
        ("im_engine", "sync"),
        ("im::run", "sync"),
    ];
    let found = PARTS.iter().find(|(prefix, _)| target.starts_with(prefix));
    found.map_or("server", |(_, part)| part)
}

/// Writes lines.
pub struct Journal {
    dir: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: Option<File>,
    bytes: u64,
    seq: u64,
}

impl Journal {
    /// Goes on where the last process stopped.
    pub fn open(dir: &Path) -> Self {
        let last = |name: &str| lines_of(&dir.join(name), None).last().map(|line| line.seq);
        let seq = last(FILE).or_else(|| last(OLDER)).unwrap_or_default();
        let state = State {
            file: None,
            bytes: 0,
            seq,
        };
        Self {
            dir: dir.to_owned(),
            state: Mutex::new(state),
        }
    }

    /// Writes a line. A disk that is full must not stop the server: what cannot be kept is not.
    pub fn write(&self, level: &str, component: &str, text: String, fields: Map<String, Value>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = Line {
            seq: state.seq + 1,
            at: clock::now(),
            level: level.to_owned(),
            component: component.to_owned(),
            text,
            fields,
        };
        if self.append(&mut state, &line).is_err() {
            state.file = None;
        }
    }

    fn append(&self, state: &mut State, line: &Line) -> io::Result<()> {
        let text = serde_json::to_string(line)? + "\n";
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        if state.file.is_some() && state.bytes + length > FILE_BYTES_MAX {
            state.file = None;
            fs::rename(self.dir.join(FILE), self.dir.join(OLDER))?;
        }
        if state.file.is_none() {
            let path = self.dir.join(FILE);
            // An error means that it is there already.
            drop(create_private(&path));
            let file = OpenOptions::new().append(true).open(path)?;
            state.bytes = file.metadata()?.len();
            state.file = Some(file);
        }
        if let Some(file) = &mut state.file {
            file.write_all(text.as_bytes())?;
        }
        state.bytes += length;
        state.seq = line.seq;
        Ok(())
    }
}

/// Which lines to read.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this component.
    pub component: Option<String>,
    /// With this text anywhere, in any case.
    pub filter: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// After the line of this number.
    pub after: Option<u64>,
    /// The newest of them, at most so many.
    pub limit: usize,
}

impl Wanted {
    fn has(&self, line: &Line) -> bool {
        let component = self.component.as_ref();
        component.is_none_or(|wanted| *wanted == line.component)
            && self.since.is_none_or(|since| line.at >= since)
            && self.after.is_none_or(|after| line.seq > after)
            && self.filter.as_ref().is_none_or(|text| line.mentions(text))
    }
}

impl Line {
    /// What has to do with PagerDuty does so whether or not the words say it.
    fn mentions(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let about = matches!(self.component.as_str(), "webhook" | "sync" | "api");
        let fields = self.fields.iter().map(|(name, value)| match value {
            Value::String(value) => format!("{name}={value}"),
            other => format!("{name}={other}"),
        });
        let mut all = vec![
            self.text.clone(),
            self.component.clone(),
            self.level.clone(),
        ];
        all.extend(fields);
        all.extend(about.then(|| "pagerduty".to_owned()));
        all.iter().any(|one| one.to_lowercase().contains(&text))
    }
}

/// The lines that are wanted, the oldest first.
pub fn read(dir: &Path, wanted: &Wanted) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    for name in [OLDER, FILE] {
        let lines = lines_of(&dir.join(name), wanted.after);
        found.extend(lines.filter(|line| wanted.has(line)));
        let excess = found.len().saturating_sub(wanted.limit);
        found.drain(..excess);
    }
    found
}

/// What can be read of a file after a line; one that was cut is left out.
fn lines_of(path: &Path, after: Option<u64>) -> impl Iterator<Item = Line> + use<> {
    let file = File::open(path).ok();
    let lines = file
        .into_iter()
        .flat_map(|file| BufReader::new(file).lines());
    let after = after.unwrap_or_default();
    lines
        .map_while(Result::ok)
        .filter(move |line| number(line) > after)
        .filter_map(|line| serde_json::from_str(&line).ok())
}

/// The number that a line begins with: most lines need not be read for it.
fn number(line: &str) -> u64 {
    let digits = line.strip_prefix("{\"seq\":").unwrap_or_default();
    let end = digits.find(',').unwrap_or_default();
    digits
        .get(..end)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let level = event.metadata().level().as_str().to_lowercase();
        let part = component(event.metadata().target());
        self.write(&level, part, said.text, said.fields);
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    text: String,
    fields: Map<String, Value>,
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        if field.name() != "message" {
            self.fields.insert(field.name().to_owned(), value);
        } else if let Value::String(text) = value {
            self.text = text;
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i110_a_full_file_makes_room_for_the_next_and_the_numbers_go_on() {
        let dir = std::env::temp_dir().join(format!("im-journal-{}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir).unwrap();
        let journal = Journal::open(&dir);
        let long = "x".repeat(1024 * 1024);
        for _ in 0..20 {
            journal.write("info", "server", long.clone(), Map::new());
        }
        let bytes = |name: &str| fs::metadata(dir.join(name)).unwrap().len();
        assert!(bytes(FILE) <= FILE_BYTES_MAX && bytes(OLDER) <= FILE_BYTES_MAX);
        let wanted = Wanted {
            limit: 100,
            ..Wanted::default()
        };
        let found = read(&dir, &wanted);
        assert!(found.len() < 20 && found.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
        assert_eq!(found.last().unwrap().seq, 20);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn i110_each_target_belongs_to_a_component() {
        for (target, expected) in [
            ("im::http::hooks", "webhook"),
            ("im::http::hooks::limit", "webhook"),
            ("im::http", "http"),
            ("im::api", "api"),
            ("im::run", "sync"),
            ("im_engine::reconcile", "sync"),
            ("im_engine::inbox", "webhook"),
            ("im::serve", "server"),
            ("hyper", "server"),
        ] {
            assert_eq!(component(target), expected, "{target}");
            assert!(COMPONENTS.contains(&component(target)));
        }
    }
}
