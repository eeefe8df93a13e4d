//! Passwords: what one must be like, and its hash.
//!
//! Argon2id in version 19 with 19 MiB, two passes and one lane: what OWASP's cheat sheet on storing
//! passwords asks for at least: some 40 ms on a core of a small server. A hash names its own parameters,
//! so those of old passwords stay valid when these grow.
//!
//! Invariants
//! - Hashing keeps no request waiting that has nothing to do with it: it runs on threads of its own,
//!   at most [`AT_ONCE`] at a time, so strangers can take 38 MiB and two cores, and no more.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::http::StatusCode;
use im_pagerduty::Secret;
use tokio::sync::Semaphore;

use crate::http::error::ApiError;
use crate::secret;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// Hashes that are computed at the same time.
const AT_ONCE: usize = 2;
/// Whoever waits longer for a turn is sent away.
const TURN_WAIT: Duration = Duration::from_secs(10);
/// Shorter ones are guessed; NIST SP 800-63B asks for 8 at least.
pub const CHARS_MIN: usize = 12;
/// Longer ones are a way to keep us busy.
const BYTES_MAX: usize = 1024;

/// What is compared where there is no password, so that the work is the same.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| {
    let password = secret::random::<SALT_BYTES>().ok()?;
    hash_now(&password)
});

/// Hashes, a few at a time.
#[derive(Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::at_once(AT_ONCE)
    }
}

impl Passwords {
    /// Hashes, so many at a time; with 0, whoever asks is sent away.
    pub fn at_once(turns: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    /// The hash of a password.
    pub async fn hash(&self, password: Secret) -> Result<String, ApiError> {
        let hash = self.work(move || hash_now(password.expose().as_bytes()));
        hash.await?.ok_or_else(ApiError::internal)
    }

    /// Whether it is the password behind `hash`. Without one it is not, after the same work.
    pub async fn is_right(&self, password: Secret, hash: Option<String>) -> Result<bool, ApiError> {
        let compare = move || {
            let known = hash.as_deref().or(NOBODYS.as_deref());
            let is_same = known.is_some_and(|known| is_same(password.expose(), known));
            is_same && hash.is_some()
        };
        self.work(compare).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(TURN_WAIT, turn).await else {
            let detail = "too many people are signing in at this moment";
            return Err(
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
                    .hint("try again in a few seconds"),
            );
        };
        // Whoever goes away before the end frees no turn by it.
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_panic| ApiError::internal())
    }
}

/// What is wrong with a new password, if anything is.
pub fn fault(password: &str, email: &str) -> Option<&'static str> {
    let mut chars = password.chars();
    let first = chars.next();
    let (name, _) = email.split_once('@').unwrap_or((email, ""));
    let folded = password.to_lowercase();
    if password.chars().count() < CHARS_MIN {
        Some("it has fewer than 12 characters")
    } else if password.len() > BYTES_MAX {
        Some("it has more than 1,024 bytes")
    } else if chars.all(|c| Some(c) == first) {
        Some("it is one character again and again")
    } else if folded == email.to_lowercase() || (name.len() > 3 && folded.starts_with(name)) {
        Some("it begins with your e-mail address")
    } else {
        None
    }
}

/// What is said of a new password that cannot be one.
pub fn refuse(fault: &str) -> ApiError {
    let detail = format!("the password cannot be this: {fault}");
    ApiError::wrong_value("password", detail)
        .hint("use a phrase of several words, or what a password manager makes")
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8]) -> Option<String> {
    let salt = secret::random::<SALT_BYTES>().ok()?;
    let hash: PasswordHash = argon2()?.hash_password_with_salt(password, &salt).ok()?;
    Some(hash.to_string())
}

fn is_same(password: &str, hash: &str) -> bool {
    argon2().is_some_and(|argon2| argon2.verify_password(password.as_bytes(), hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_names_how_it_was_made_and_fits_its_password_alone() {
        let hash = hash_now(b"correct horse battery").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(is_same("correct horse battery", &hash));
        assert!(!is_same("correct horse batterz", &hash));
        assert!(!is_same("correct horse battery", "no hash"));
        assert_ne!(hash_now(b"correct horse battery").unwrap(), hash);
    }

    #[test]
    fn a_password_that_is_easy_to_guess_is_named() {
        let email = "ann.lee@example.com";
        let wrong = [
            ("short", "fewer than 12"),
            ("äöüäöüäöüäö", "fewer than 12"),
            ("aaaaaaaaaaaa", "again and again"),
            ("Ann.Lee@example.com", "e-mail address"),
            ("ann.lee-2026!", "e-mail address"),
        ];
        for (password, why) in wrong {
            assert!(fault(password, email).unwrap().contains(why), "{password}");
        }
        assert!(fault(&"x1".repeat(600), email).is_some());
        assert_eq!(fault("correct horse", email), None);
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        let passwords = Passwords::default();
        let given = || Secret::new("correct horse");
        let hash = passwords.hash(given()).await.unwrap();
        assert!(passwords.is_right(given(), Some(hash)).await.unwrap());
        assert!(!passwords.is_right(given(), None).await.unwrap());
    }
}
