//! How people sign in by OpenID Connect: what owners set (`im config`).
//!
//! The client secret is sealed like the keys of connectors, and shown to nobody.

use im_store::accounts::Role;
use im_store::{StoreError, Tx, settings};
use reqwest::Url;

use super::super::people;
use crate::http::api::settings::MASK;
pub(super) use crate::http::api::settings::is_near;
use crate::http::error::ApiError;
use crate::secret::Vault;

/// The setting that holds the provider; empty: nobody signs in by it.
pub const ISSUER: &str = "oidc_issuer";
/// The setting that holds what this server is called there.
pub const CLIENT_ID: &str = "oidc_client_id";
/// The setting that holds its sealed secret; empty for a client that has none.
pub const CLIENT_SECRET: &str = "oidc_client_secret";
/// The setting that holds whose addresses need no invitation.
pub const DOMAINS: &str = "oidc_domains";
/// Nobody lists more.
const DOMAINS_MAX: usize = 50;

/// What is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The provider, exactly as it calls itself.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// Its sealed secret.
    pub client_secret: Option<String>,
    /// Whose addresses need no invitation, and the role that they begin with.
    pub domains: Vec<(String, Role)>,
}

impl Setting {
    /// The provider as people know it.
    pub fn host(&self) -> String {
        let url = Url::parse(&self.issuer).ok();
        let host = url.as_ref().and_then(Url::host_str);
        host.unwrap_or(&self.issuer).to_owned()
    }

    /// The role for an address that nobody was invited by.
    pub fn role_of(&self, email: &str) -> Option<Role> {
        let (_, domain) = email.rsplit_once('@')?;
        let mut listed = self.domains.iter();
        listed.find(|(known, _)| known == domain).map(|(_, r)| *r)
    }
}

/// A value as it is stored.
pub fn stored(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    Ok(settings::get(tx, name)?.filter(|value| !value.is_empty()))
}

/// What is set, if it is enough to sign in by.
pub fn read(tx: &mut Tx<'_>) -> Result<Option<Setting>, StoreError> {
    let (Some(issuer), Some(client_id)) = (stored(tx, ISSUER)?, stored(tx, CLIENT_ID)?) else {
        return Ok(None);
    };
    let listed = stored(tx, DOMAINS)?.unwrap_or_default();
    Ok(Some(Setting {
        issuer,
        client_id,
        client_secret: stored(tx, CLIENT_SECRET)?,
        // What is stored was checked.
        domains: domains(&listed).unwrap_or_default(),
    }))
}

/// Checks an issuer: what it says travels encrypted, or stays on this machine. It is kept to the letter, since it must
/// be what the provider calls itself.
pub fn issuer(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let wrong = |why: &str| {
        ApiError::wrong_value(ISSUER, format!("`{ISSUER}` cannot be `{text}`: {why}"))
            .hint("write it as the provider does, e.g. https://accounts.google.com")
    };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    match url.scheme() {
        "https" => {}
        "http" if is_near(text) => {}
        _ => return Err(wrong("it must begin with https://, except on this machine")),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("it must have no user, query or fragment"));
    }
    Ok(text.to_owned())
}

/// Checks a client id.
pub fn client_id(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.len() > 500 || text.chars().any(char::is_control) {
        let detail = format!("`{CLIENT_ID}` is longer than 500 bytes, or has more than one line");
        return Err(ApiError::wrong_value(CLIENT_ID, detail)
            .hint("copy it from where this server is registered at the provider"));
    }
    Ok(text.to_owned())
}

/// Seals a client secret.
pub fn client_secret(text: &str, vault: &Vault) -> Result<String, ApiError> {
    match text.trim() {
        "" => Ok(String::new()),
        MASK => {
            let detail = format!("`{CLIENT_SECRET}` is masked, as it is shown");
            Err(ApiError::wrong_value(CLIENT_SECRET, detail)
                .hint("give the secret itself, or leave it out to keep the one that is set"))
        }
        secret => Ok(vault.seal(&im_pagerduty::Secret::new(secret))?),
    }
}

/// Reads `example.com=viewer, ops.example.com=responder`.
pub fn domains(text: &str) -> Result<Vec<(String, Role)>, ApiError> {
    let wrong = |why: String| {
        ApiError::wrong_value(DOMAINS, format!("`{DOMAINS}` cannot be that: {why}"))
            .hint("write it like example.com=viewer,ops.example.com=responder; empty for none")
    };
    let mut listed = Vec::new();
    let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
    for part in parts {
        let (domain, word) = part
            .split_once('=')
            .ok_or_else(|| wrong(format!("`{part}` has no role")))?;
        let domain = people::address(domain);
        let is_domain = domain.contains('.')
            && domain.split('.').all(|label| !label.is_empty())
            && domain
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-'));
        if !is_domain {
            return Err(wrong(format!(
                "`{domain}` is no domain of e-mail addresses"
            )));
        }
        let role = Role::parse(word)
            .filter(|role| *role <= Role::Responder)
            .ok_or_else(|| {
                wrong(format!("`{word}` is neither viewer nor responder; more is given to people, not to domains"))
            })?;
        listed.push((domain, role));
    }
    if listed.len() > DOMAINS_MAX {
        return Err(wrong(format!("it lists more than {DOMAINS_MAX}")));
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_gives_its_role_to_its_own_addresses_alone() {
        let listed = "Example.com=viewer, ops.example.com=responder";
        let setting = Setting {
            issuer: "https://login.example.com/realms/ours".to_owned(),
            client_id: "im".to_owned(),
            client_secret: None,
            domains: domains(listed).unwrap(),
        };
        assert_eq!(setting.host(), "login.example.com");
        assert_eq!(setting.role_of("ann@example.com"), Some(Role::Viewer));
        assert_eq!(setting.role_of("a@ops.example.com"), Some(Role::Responder));
        for other in [
            "ann@evilexample.com",
            "ann@x.example.com",
            "example.com",
            "ann@example.com@evil.com",
            "ann@example.com.",
        ] {
            assert_eq!(setting.role_of(other), None, "{other}");
        }
        for (wrong, why) in [
            ("example.com", "has no role"),
            ("example.com=admin", "neither viewer nor responder"),
            ("example.com=owner", "neither viewer nor responder"),
            ("com=viewer", "no domain"),
            ("*.example.com=viewer", "no domain"),
        ] {
            let error = domains(wrong).unwrap_err();
            assert!(error.detail().contains(why), "{wrong}: {}", error.detail());
        }
    }

    #[test]
    fn an_issuer_is_kept_to_the_letter_and_reached_encrypted() {
        for right in ["https://a.example.com/", "http://127.0.0.1:9000/x"] {
            assert_eq!(issuer(right).unwrap(), right);
        }
        for wrong in [
            "a.example.com",
            "http://a.example.com",
            "https://a.example.com/?b",
            "https://ann@a.example.com",
            "ftp://a.example.com",
        ] {
            assert!(issuer(wrong).is_err(), "{wrong}");
        }
    }
}
