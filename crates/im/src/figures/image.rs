//! The image of the figures: a file beside the database that holds what facts told, so that a start need not
//! read all facts again.
//!
//! It is a copy and may go at any time. It is used only by the program that wrote it, for the database and the tables of
//! connectors that it was made from, and only whole: anything else about it is as good as none, and the facts are
//! read. What is erased from the database is erased with the image ([`Image::forget`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::UNIX_EPOCH;

use im_core::Mapping;
use im_metrics::Engine;
use im_metrics::input::Settings;
use im_store::facts::Identity;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Told;
use crate::secret;

/// Its name in the data directory.
const NAME: &str = "figures.image";
const BUFFER: usize = 1 << 20;
/// Bytes of the checksum at its end.
const SUM: u64 = 32;

/// Where the image is, if it is anywhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    path: Option<PathBuf>,
}

/// What it says of itself and of everything that is not in the engine.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// The program that wrote it.
    pub(super) program: Option<String>,
    /// The last fact in it.
    pub(super) seq: i64,
    /// What that fact is: another one has this number in another database.
    pub(super) last: Identity,
    /// What was erased up to this fact is not in it.
    pub(super) begun: i64,
    /// The last annotation in it, and what it is, if there is any.
    pub(super) said: i64,
    pub(super) last_said: Option<(i64, String, i64)>,
    /// The tables by which incidents were read.
    pub(super) mappings: BTreeMap<String, Mapping>,
    /// The services that incidents were on.
    pub(super) services: BTreeSet<String>,
    /// The names that facts tell.
    pub(super) names: BTreeMap<String, Told>,
    /// The incidents of which anything was said.
    pub(super) annotated: BTreeSet<i64>,
}

impl Image {
    pub(super) fn in_dir(dir: &Path) -> Self {
        Self {
            path: Some(dir.join(NAME)),
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        self.path.is_some()
    }

    /// What is in it, if it is whole and this program wrote it for these tables.
    pub(super) fn read(
        &self,
        mappings: &BTreeMap<String, Mapping>,
        settings: Settings,
    ) -> Option<(Head, Engine)> {
        let path = self.path.as_ref()?;
        let file = File::open(path).ok()?;
        match read(file, mappings, settings) {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(
                    "{} is damaged ({error}): facts are read instead",
                    path.display()
                );
                None
            }
        }
    }

    /// Writes it, in place of what was there; says whether it did.
    pub(super) fn write(&self, head: &Head, engine: &Engine) -> bool {
        let Some(path) = &self.path else {
            return false;
        };
        let new = path.with_extension("new");
        drop(fs::remove_file(&new));
        let written = write(&new, head, engine).and_then(|()| fs::rename(&new, path));
        if let Err(error) = &written {
            drop(fs::remove_file(&new));
            tracing::warn!(
                "cannot write {}, so the next start takes longer: {error}",
                path.display()
            );
        }
        written.is_ok()
    }

    /// Removes it: something in it is to be erased.
    pub(super) fn forget(&self) {
        let Some(path) = &self.path else { return };
        for path in [path, &path.with_extension("new")] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => tracing::error!(
                    "cannot remove {}, which holds what is erased: remove it by hand: {error}",
                    path.display()
                ),
                Ok(()) | Err(_) => {}
            }
        }
    }
}

/// The program that is running, as its file was when it was first asked: another one may read facts in another way.
pub(super) fn program() -> Option<String> {
    static PROGRAM: LazyLock<Option<String>> = LazyLock::new(|| {
        let file = fs::metadata(std::env::current_exe().ok()?).ok()?;
        let built = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let version = env!("CARGO_PKG_VERSION");
        Some(format!("{version} {} {}", file.len(), built.as_nanos()))
    });
    PROGRAM.clone()
}

fn write(path: &Path, head: &Head, engine: &Engine) -> io::Result<()> {
    let file = secret::create_private(path)?;
    let mut to = BufWriter::with_capacity(
        BUFFER,
        Summing {
            of: file,
            sum: Sha256::new(),
        },
    );
    let head = serde_json::to_vec(head)?;
    let length = u32::try_from(head.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&head)?;
    engine.write_image(&mut to)?;
    let Summing { mut of, sum } = to.into_inner().map_err(io::Error::from)?;
    of.write_all(&sum.finalize())
}

fn read(
    mut file: File,
    mappings: &BTreeMap<String, Mapping>,
    settings: Settings,
) -> io::Result<Option<(Head, Engine)>> {
    let length = file.metadata()?.len();
    let body = Read::by_ref(&mut file).take(length.saturating_sub(SUM));
    let mut from = BufReader::with_capacity(
        BUFFER,
        Summing {
            of: body,
            sum: Sha256::new(),
        },
    );
    let head = read_head(&mut from)?;
    if head.program.is_none() || head.program != program() || head.mappings != *mappings {
        return Ok(None);
    }
    let engine = Engine::read_image(settings, &mut from)?;
    let is_at_end = from.read(&mut [0])? == 0;
    let sum = from.into_inner().sum.finalize();
    let mut told = [0; 32];
    file.read_exact(&mut told)?;
    if !is_at_end || sum.as_slice() != told {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "its checksum is wrong",
        ));
    }
    Ok(Some((head, engine)))
}

fn read_head(from: &mut impl Read) -> io::Result<Head> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut head = Vec::new();
    from.take(u32::from_le_bytes(length).into())
        .read_to_end(&mut head)?;
    Ok(serde_json::from_slice(&head)?)
}

/// Sums up what passes.
struct Summing<T> {
    of: T,
    sum: Sha256,
}

impl<T: Read> Read for Summing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.of.read(buffer)?;
        self.sum.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<T: Write> Write for Summing<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.of.write(buffer)?;
        self.sum.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.of.flush()
    }
}
