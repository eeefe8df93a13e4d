//! Keys and signing secrets, sealed before they are stored.
//!
//! XChaCha20-Poly1305 under one key of this installation, with a random nonce for each text. The
//! key is in `secret.key` beside the database, or in `IM_SECRET_KEY`; a copy of the database alone
//! opens nothing.
//!
//! The key is made when something is sealed for the first time, never when something is opened:
//! a missing key is then said, not replaced. As with `ssh`, a key file that others can read is
//! not used.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use im_pagerduty::Secret;

const KEY_BYTES: usize = 32;
/// Permissions of anybody but the owner.
const OTHERS: u32 = 0o077;
/// What tells the drafts of key files apart.
const DRAFT_MARK_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
/// In front of what is sealed this way, so that another way can come later.
const FORM: &str = "x1:";

/// Why a secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no key and none could be made.
    #[error("cannot use the key file {}", path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others can read the key.
    #[error("the key file {} can be read by others than its owner (mode {mode:04o}), so it is not used", path.display())]
    ReadByOthers {
        /// Where it is.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key is no key.
    #[error("{place} does not hold a key: 64 hexadecimal digits")]
    NotAKey {
        /// Where it was read.
        place: String,
    },
    /// It was sealed with another key, or is damaged.
    #[error(
        "a stored secret cannot be opened with {place}: it was sealed with another key, or is damaged"
    )]
    WrongKey {
        /// The key that was tried.
        place: String,
    },
    /// The machine gives no random bytes.
    #[error("the system gives no random numbers: {0}")]
    NoRandom(String),
}

impl SecretError {
    /// The next step.
    pub fn next(&self) -> String {
        match self {
            Self::ReadByOthers { path, .. } => format!("`chmod 600 {}`", path.display()),
            Self::NoRandom(_) => "the system's log may say why".to_owned(),
            Self::File { .. } | Self::NotAKey { .. } | Self::WrongKey { .. } => "restore the key file or IM_SECRET_KEY that was in use when the connector was added; or give the connector its API key again with `im connector update`".to_owned(),
        }
    }
}

enum Source {
    Given(Secret),
    File(PathBuf),
}

/// Seals and opens.
pub struct Vault {
    source: Source,
    cipher: OnceLock<XChaCha20Poly1305>,
}

impl Vault {
    /// A vault whose key is in a file, made on first need.
    pub fn in_file(path: PathBuf) -> Self {
        Self {
            source: Source::File(path),
            cipher: OnceLock::new(),
        }
    }

    /// A vault with a given key, as 64 hexadecimal digits.
    pub fn with_key(key: Secret) -> Self {
        Self {
            source: Source::Given(key),
            cipher: OnceLock::new(),
        }
    }

    /// Makes a text unreadable without the key.
    pub fn seal(&self, secret: &Secret) -> Result<String, SecretError> {
        let nonce = XNonce::from(random::<NONCE_BYTES>()?);
        let sealed = self
            .cipher(true)?
            .encrypt(&nonce, secret.expose().as_bytes())
            .map_err(|_opaque| self.wrong_key())?;
        let bytes = [nonce.as_slice(), &sealed].concat();
        Ok(format!("{FORM}{}", STANDARD.encode(bytes)))
    }

    /// Makes a sealed text readable again.
    pub fn open(&self, sealed: &str) -> Result<Secret, SecretError> {
        let bytes = sealed
            .strip_prefix(FORM)
            .and_then(|text| STANDARD.decode(text).ok());
        let cipher = self.cipher(false)?;
        let opened = bytes.as_deref().and_then(|bytes| {
            let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
            let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).ok()?;
            cipher.decrypt(&XNonce::from(nonce), sealed).ok()
        });
        let text = opened.and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(Secret::new).ok_or_else(|| self.wrong_key())
    }

    fn wrong_key(&self) -> SecretError {
        SecretError::WrongKey {
            place: self.place(),
        }
    }

    fn place(&self) -> String {
        match &self.source {
            Source::Given(_) => "IM_SECRET_KEY".to_owned(),
            Source::File(path) => path.display().to_string(),
        }
    }

    fn cipher(&self, may_make: bool) -> Result<&XChaCha20Poly1305, SecretError> {
        if let Some(cipher) = self.cipher.get() {
            return Ok(cipher);
        }
        let text = match &self.source {
            Source::Given(key) => key.expose().to_owned(),
            Source::File(path) => {
                let file = |source| SecretError::File {
                    path: path.clone(),
                    source,
                };
                let text = key_file(path, may_make).map_err(file)?;
                let mode = mode(path).map_err(file)?;
                if mode & OTHERS != 0 {
                    return Err(SecretError::ReadByOthers {
                        path: path.clone(),
                        mode,
                    });
                }
                text
            }
        };
        let key = hex::decode(text.trim())
            .ok()
            .and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok())
            .ok_or_else(|| SecretError::NotAKey {
                place: self.place(),
            })?;
        Ok(self
            .cipher
            .get_or_init(|| XChaCha20Poly1305::new(&key.into())))
    }
}

/// Random bytes for keys, nonces and tokens.
pub fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| SecretError::NoRandom(error.to_string()))?;
    Ok(bytes)
}

fn key_file(path: &Path, may_make: bool) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && may_make => make_key_file(path),
        read => read,
    }
}

/// Two processes may come here at once: the file appears whole under its name, and who is second
/// takes the first one's key.
fn make_key_file(path: &Path) -> io::Result<String> {
    let key = random::<KEY_BYTES>().map_err(io::Error::other)?;
    // Not by the process id: in a container, the next process after a crash has the same.
    let mark = random::<DRAFT_MARK_BYTES>().map_err(io::Error::other)?;
    let draft = path.with_extension(format!("new-{}", hex::encode(mark)));
    let mut file = create_private(&draft)?;
    file.write_all(format!("{}\n", hex::encode(key)).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    // What is sealed with the key must not outlive it.
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    fs::read_to_string(path)
}

/// Who may use a file; where the system does not say, its owner.
fn mode(path: &Path) -> io::Result<u32> {
    #[cfg(unix)]
    return Ok(std::os::unix::fs::MetadataExt::mode(&fs::metadata(path)?) & 0o7777);
    #[cfg(not(unix))]
    return fs::metadata(path).map(|_| 0o600);
}

/// Makes a file that only its owner can read; it must not be there yet.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(digit: &str) -> Vault {
        Vault::with_key(Secret::new(digit.repeat(64)))
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let sealed = vault("a").seal(&Secret::new("u+key")).unwrap();
        assert!(!sealed.contains("u+key"));
        assert_eq!(vault("a").open(&sealed).unwrap().expose(), "u+key");
        let error = vault("b").open(&sealed).unwrap_err().to_string();
        assert!(error.contains("sealed with another key"), "{error}");
        assert!(vault("a").open("plain").is_err());
    }

    #[test]
    fn the_same_text_is_never_sealed_the_same_way_twice() {
        let vault = vault("a");
        let secret = Secret::new("x");
        assert_ne!(vault.seal(&secret).unwrap(), vault.seal(&secret).unwrap());
    }

    #[test]
    fn a_key_that_is_none_is_named_and_not_shown() {
        let vault = Vault::with_key(Secret::new("hunter2"));
        let error = vault.seal(&Secret::new("x")).unwrap_err().to_string();
        assert!(error.contains("IM_SECRET_KEY") && !error.contains("hunter2"));
    }
}
