//! What was asked and what was answered, one JSON object a line.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::{Value, json};

/// The file that is being written.
pub(crate) struct History {
    path: PathBuf,
    begun: Timestamp,
    file: Mutex<BufWriter<File>>,
}

impl History {
    /// An empty one.
    pub(crate) fn begin(path: &Path) -> Self {
        let file = File::create(path).unwrap();
        Self {
            path: path.to_owned(),
            begun: im::clock::now(),
            file: Mutex::new(BufWriter::new(file)),
        }
    }

    /// Adds what happened, which is an object.
    pub(crate) fn tell(&self, mut what: Value) {
        let after = im::clock::now().duration_since(self.begun);
        what["ms"] = json!(i64::try_from(after.as_millis()).unwrap());
        let mut file = self.file.lock().unwrap();
        writeln!(file, "{what}").unwrap();
        if what["what"] == "wait" {
            // Somebody may want to see why it takes so long.
            file.flush().unwrap();
        }
    }

    /// Everything that was told, from the file.
    pub(crate) fn read(&self) -> Vec<Value> {
        self.file.lock().unwrap().flush().unwrap();
        let lines = BufReader::new(File::open(&self.path).unwrap()).lines();
        lines
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect()
    }
}
