//! The account in a directory: read before it is served, written when it is asked for.
//!
//! A file is written beside its place and then put there, so that a directory never holds half of
//! one. What the files mean is `pd_sim::data`'s business.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use pd_sim::data::{FILES, Loading, has_lines};
use pd_sim::{Options, Sim};

/// Serves what is in `dir`; a file that is not there is an empty one.
pub(super) fn load(dir: &Path, options: Options, now: Timestamp) -> anyhow::Result<Sim> {
    let mut loading = Loading::new(options, now);
    let mut found = 0;
    for name in FILES {
        let path = dir.join(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        found += 1;
        if has_lines(name) {
            lines(&mut loading, name, file)?;
        } else {
            let text = fs::read_to_string(&path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            loading.document(name, &text)?;
        }
    }
    if found == 0 {
        bail!(
            "{} holds no account: none of {} is there",
            dir.display(),
            FILES.join(", ")
        );
    }
    Ok(loading.finish())
}

fn lines(loading: &mut Loading, name: &str, file: File) -> anyhow::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        let read = reader.read_line(&mut line);
        if read.with_context(|| format!("cannot read {name}, line {number}"))? == 0 {
            break;
        }
        loading.line(name, number, &line)?;
    }
    Ok(())
}

/// Writes all files of the account into `dir`.
pub(super) fn save(dir: &Path, sim: &Sim) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    for name in FILES {
        let (beside, path) = (dir.join(format!("{name}.new")), dir.join(name));
        let written = File::create(&beside).and_then(|file| {
            let mut writer = BufWriter::with_capacity(1 << 20, file);
            sim.save(name, &mut writer)?;
            writer.flush()?;
            fs::rename(&beside, &path)
        });
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    tracing::info!("the account is saved in {}", dir.display());
    Ok(())
}
