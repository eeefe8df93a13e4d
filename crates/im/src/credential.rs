//! What PagerDuty is called with: an API key, or the tokens of somebody who signed in (OAuth).
//!
//! Both are one text, which is sealed and stored where a connector's key is. That of tokens begins with
//! [`FORM`]; no API key of PagerDuty's does.
//!
//! Absent: asking anybody for tokens (`run::Caller`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use im_pagerduty::{Secret, authorization, bearer};
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// In front of tokens.
const FORM: &str = "oauth:";
/// Tokens that end within this time are renewed first: calls are under way for a while.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// What a connector has.
pub(crate) enum Credential {
    /// An API key.
    Key(Secret),
    /// Tokens.
    Tokens(Box<Tokens>),
}

impl Credential {
    /// Reads the text that was sealed.
    pub(crate) fn read(text: Secret) -> Self {
        let read = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(FORM)?).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        match read(text.expose()) {
            Some(tokens) => Self::Tokens(Box::new(tokens)),
            None => Self::Key(text),
        }
    }

    /// What is shown of it.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Key(key) => masked(Some(key)),
            Self::Tokens(tokens) => tokens.app.label(),
        }
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> Secret {
        Secret::new(match self {
            Self::Key(key) => authorization(key.expose()),
            Self::Tokens(tokens) => bearer(&tokens.access),
        })
    }
}

/// Enough of a key to tell two apart.
pub(crate) fn masked(secret: Option<&Secret>) -> String {
    const SHOWN: usize = 4;
    let end = secret.map(Secret::expose).and_then(|text| {
        let from = text.len().checked_sub(SHOWN)?;
        // A short key would be shown to its half.
        (text.len() >= 4 * SHOWN).then(|| text.get(from..))?
    });
    format!("********{}", end.unwrap_or_default())
}

/// An app that is registered at PagerDuty.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OAuthApp {
    /// What it is called there.
    pub(crate) client_id: String,
    /// Its secret; empty for one that has none.
    pub(crate) client_secret: String,
    /// Where tokens are given.
    pub(crate) token_url: String,
}

impl OAuthApp {
    /// What is shown of somebody's sign-in by it.
    pub(crate) fn label(&self) -> String {
        format!("signed in by OAuth app {}", self.client_id)
    }

    /// A form for tokens.
    pub(crate) fn form(&self, fields: &[(&str, &str)]) -> String {
        let mut url = Url::parse("http://localhost").expect("it is an address");
        {
            let mut pairs = url.query_pairs_mut();
            pairs.extend_pairs(fields);
            pairs.append_pair("client_id", &self.client_id);
            if !self.client_secret.is_empty() {
                pairs.append_pair("client_secret", &self.client_secret);
            }
        }
        url.query().unwrap_or_default().to_owned()
    }
}

/// The tokens of somebody who signed in by an app.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Tokens {
    /// By which app.
    pub(crate) app: OAuthApp,
    /// Of which kind that is: `scoped` or `classic`.
    pub(crate) kind: String,
    access: String,
    refresh: String,
    /// When the access ends.
    expires_at: Timestamp,
}

/// What PagerDuty answers to a form for tokens.
#[derive(Deserialize)]
pub(crate) struct Given {
    access_token: String,
    refresh_token: String,
    expires_in: i64,
    /// What they are for, with blanks between.
    #[serde(default)]
    pub(crate) scope: String,
    /// Who signed in to which account, as a signed statement.
    pub(crate) id_token: Option<String>,
}

impl Tokens {
    /// Tokens that were just given.
    pub(crate) fn of(app: OAuthApp, kind: String, given: &Given, now: Timestamp) -> Self {
        let lasts = SignedDuration::from_secs(given.expires_in.max(0));
        Self {
            app,
            kind,
            access: given.access_token.clone(),
            refresh: given.refresh_token.clone(),
            expires_at: now.checked_add(lasts).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether they should be renewed before they are used.
    pub(crate) fn are_ending(&self, now: Timestamp) -> bool {
        self.expires_at.duration_since(now) < MARGIN
    }

    /// Whether others give the same access.
    pub(crate) fn give_the_same(&self, other: &Self) -> bool {
        self.access == other.access
    }

    /// Whether they can still be used.
    pub(crate) fn are_valid(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// The form that renews them.
    pub(crate) fn renewal(&self) -> String {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", self.refresh.as_str()),
        ];
        self.app.form(&fields)
    }

    /// The text that is sealed.
    pub(crate) fn text(&self) -> Secret {
        let json = serde_json::to_vec(self).expect("tokens are texts");
        Secret::new(format!("{FORM}{}", URL_SAFE_NO_PAD.encode(json)))
    }
}

/// The address of the REST API of the account that somebody signed in to. The statement came from PagerDuty
/// itself over an encrypted connection, so its signature would add nothing.
pub(crate) fn base_url(id_token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        aud: Vec<String>,
    }
    let claims = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    let mut named = claims.aud.into_iter();
    named.find(|named| named.starts_with("https://") || named.starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_by_its_end_if_it_is_long_enough() {
        let shown = masked(Some(&Secret::new("u+abcdefghijklmnopWXYZ")));
        assert_eq!(shown, "********WXYZ");
        assert_eq!(masked(Some(&Secret::new("short"))), "********");
    }

    #[test]
    fn tokens_are_read_as_they_were_written_and_a_key_stays_a_key() {
        let app = OAuthApp {
            client_id: "app".to_owned(),
            client_secret: "s&t".to_owned(),
            token_url: "https://identity.pagerduty.com/oauth/token".to_owned(),
        };
        let given = Given {
            access_token: "pdus+_0".to_owned(),
            refresh_token: "pdus+_1".to_owned(),
            expires_in: 3600,
            scope: String::new(),
            id_token: None,
        };
        let now = "2026-11-20T09:00:00Z".parse().unwrap();
        let text = Tokens::of(app, "scoped".to_owned(), &given, now).text();
        assert!(text.expose().bytes().all(|byte| byte.is_ascii_graphic()));
        let read = Credential::read(text);
        assert_eq!(read.header().expose(), "Bearer pdus+_0");
        let Credential::Tokens(tokens) = read else {
            unreachable!("they are tokens");
        };
        assert!(!tokens.are_ending(now + SignedDuration::from_mins(55)));
        assert!(tokens.are_ending(now + SignedDuration::from_mins(56)));
        assert!(tokens.renewal().contains("client_secret=s%26t"));
        for key in ["u+abcdef", "oauth:nonsense"] {
            let header = Credential::read(Secret::new(key)).header();
            assert_eq!(header.expose(), format!("Token token={key}"));
        }
    }
}
