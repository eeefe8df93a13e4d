//! The settings of this installation.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use im_core::StatusModel;
use im_engine::commands::{self, STATUS_MODEL};
use im_engine::events::{self, NOTIFY_URL};
use im_store::accounts::Role;
use im_store::{StoreError, Tx, settings};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::default_filter::{self, Filter, priorities};
use crate::access::oidc::setting as oidc;
use crate::access::{self, Who};
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::WrongValue;
use crate::organisation::zone_name;

/// The setting that holds the address under which PagerDuty reaches us.
pub const PUBLIC_URL: &str = "public_url";

/// The setting that holds where the last server on this data is for its own machine.
const SERVED_AT: &str = "served_at";
/// The setting that says how many proxies stand in front of us.
const TRUSTED_PROXY_HOPS: &str = "trusted_proxy_hops";
/// The setting that holds the organisation's time zone.
const TIME_ZONE: &str = "time_zone";
/// The setting that holds the header which names the connector at `/events`.
const IDENTITY_HEADER: &str = "identity_header";
/// The setting that leaves e-mail addresses out.
const HIDE_EMAILS: &str = "hide_emails";
/// The setting that holds what marks a test incident.
const TEST_KEYWORD: &str = "test_keyword";
/// The setting that says whom people ask for help.
const CONTACT: &str = "contact";
/// Longer than any address of help.
const CONTACT_MAX: usize = 200;
/// Longer than anybody writes into a title to mark a test.
const KEYWORD_MAX: usize = 100;
/// That header unless it was set.
const IDENTITY_HEADER_DEFAULT: &str = "multitudesId";
/// Nobody has more proxies in a row; a larger number is a mistake.
const HOPS_MAX: usize = 9;

/// The settings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Settings {
    /// `documented` (acknowledging mitigates) or `lifecycle` (two states).
    pub(crate) status_model: &'static str,
    /// The address under which PagerDuty reaches this server.
    pub(crate) public_url: Option<String>,
    /// The webhook that is told when something about a connector changes.
    pub(crate) notify_url: Option<String>,
    /// How many proxies in front of this server are ours: 0 if X-Forwarded-For is not believed.
    pub(crate) trusted_proxy_hops: usize,
    /// The zone of the organisation's dates, in which metrics count days; UTC unless it was set.
    #[schema(example = "Europe/Berlin")]
    pub(crate) time_zone: String,
    /// The header that names the connector of a webhook at `/events`.
    pub(crate) identity_header: String,
    /// Whether the e-mail addresses that PagerDuty tells of its users are left out of answers. Addresses that were given here
    /// stay in what was given: people, links, teams, hours, the data document.
    pub(crate) hide_emails: bool,
    /// What stands in the title of a test incident, in any case: figures leave it out. Empty: nothing is a test.
    #[schema(example = "[test]")]
    pub(crate) test_keyword: String,
    /// Which incidents figures on pages are of: `all`, `urgency=high`, `priority=P1,P2`; null: none was chosen.
    #[schema(example = "urgency=high")]
    pub(crate) default_filter: Option<String>,
    /// Whom people ask for help: an e-mail address, an https:// address, or words.
    #[schema(example = "help@example.com")]
    pub(crate) contact: Option<String>,
    /// The provider by which people sign in (OpenID Connect); null: by none.
    pub(crate) oidc_issuer: Option<String>,
    /// What this server is called at the provider.
    pub(crate) oidc_client_id: Option<String>,
    /// Masked; null for a client without a secret.
    pub(crate) oidc_client_secret: Option<&'static str>,
    /// Whose addresses need no invitation, and the role that they begin with.
    #[schema(example = "example.com=viewer")]
    pub(crate) oidc_domains: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    /// `documented` or `lifecycle`.
    pub(crate) status_model: Option<String>,
    /// An address that begins with https://; empty for none.
    pub(crate) public_url: Option<String>,
    /// An address that begins with https://, or is of this machine; empty for none.
    pub(crate) notify_url: Option<String>,
    /// A number from 0 to 9, as a number or as text.
    #[schema(value_type = Option<u8>)]
    pub(crate) trusted_proxy_hops: Option<Value>,
    /// The IANA name of a zone, e.g. Europe/Berlin.
    pub(crate) time_zone: Option<String>,
    /// The name of a header.
    pub(crate) identity_header: Option<String>,
    /// true or false, as such or as text.
    #[schema(value_type = Option<bool>)]
    pub(crate) hide_emails: Option<Value>,
    /// What stands in the title of a test incident; empty for nothing.
    pub(crate) test_keyword: Option<String>,
    /// `all`, `urgency=high`, `urgency=low` or `priority=` with names or ids, `none` among them; empty for none.
    pub(crate) default_filter: Option<String>,
    /// Whom people ask for help; empty for nobody.
    pub(crate) contact: Option<String>,
    /// The address of a provider of OpenID Connect, as it writes it; empty for none. It is asked before it is kept.
    pub(crate) oidc_issuer: Option<String>,
    /// What this server is called there; empty for nothing.
    pub(crate) oidc_client_id: Option<String>,
    /// The secret of this server there; empty for none.
    pub(crate) oidc_client_secret: Option<String>,
    /// `example.com=viewer,ops.example.com=responder`: whose addresses need no invitation; empty for nobody's.
    pub(crate) oidc_domains: Option<String>,
}

/// Show the settings
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "server", operation_id = "show_settings",
    responses((status = 200, body = Settings, description = "The settings")),
)]
pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Json<Settings>, ApiError> {
    let found = app.db.read(|tx| Ok::<_, ApiError>(read(tx)?)).await?;
    Ok(Json(found))
}

/// Change settings
#[utoipa::path(
    patch, path = "/api/v1/settings", tag = "server", operation_id = "change_settings", request_body = Changes,
    responses((status = 200, body = Settings, description = "The settings now"), WrongValue),
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    who: Who,
    Body(changes): Body<Changes>,
) -> Result<Json<Settings>, ApiError> {
    apply(&app, changes, &who).await.map(Json)
}

/// Changes settings, all or none.
pub(crate) async fn apply(app: &App, changes: Changes, who: &Who) -> Result<Settings, ApiError> {
    // Links of owners begin with the one, and the other decides whose attempts are whose.
    let is_owners = changes.public_url.is_some() || changes.trusted_proxy_hops.is_some();
    let sign_in = if is_owners || changes.change_sign_in() {
        who.must_be(Role::Owner)?;
        sign_in_changes(app, &changes).await?
    } else {
        Vec::new()
    };
    let model = changes.status_model.as_deref().map(model).transpose()?;
    let url = changes.public_url.as_deref().map(public_url).transpose()?;
    let notify = changes.notify_url.as_deref().map(notify_url).transpose()?;
    let hops = changes.trusted_proxy_hops.as_ref().map(hops).transpose()?;
    let zone = changes.time_zone.as_deref().map(zone).transpose()?;
    let header = changes.identity_header.as_deref().map(header).transpose()?;
    let hide = changes.hide_emails.as_ref().map(hide).transpose()?;
    let keyword = changes.test_keyword.as_deref().map(keyword).transpose()?;
    let contact = changes.contact.as_deref().map(whom).transpose()?;
    let now = app
        .db
        .write(move |tx| {
            for (name, value) in &sign_in {
                settings::put(tx, name, value)?;
            }
            if let Some(hide) = hide {
                settings::put(tx, HIDE_EMAILS, &hide.to_string())?;
            }
            if let Some(text) = changes.default_filter.as_deref().map(str::trim) {
                let stored = match text {
                    "" => String::new(),
                    text => Filter::read(text, &priorities(tx)?)?.stored()?,
                };
                settings::put(tx, default_filter::SETTING, &stored)?;
            }
            if let Some(contact) = &contact {
                settings::put(tx, CONTACT, contact)?;
            }
            if let Some(keyword) = &keyword {
                settings::put(tx, TEST_KEYWORD, keyword)?;
            }
            if let Some(header) = &header {
                settings::put(tx, IDENTITY_HEADER, header)?;
            }
            if let Some(zone) = &zone {
                put_zone(tx, zone)?;
            }
            if let Some(hops) = hops {
                settings::put(tx, TRUSTED_PROXY_HOPS, &hops.to_string())?;
            }
            if let Some(model) = model {
                settings::put(tx, STATUS_MODEL, model.as_str())?;
            }
            if let Some(url) = &url {
                settings::put(tx, PUBLIC_URL, url)?;
            }
            if let Some(url) = &notify {
                events::notify_at(tx, url)?;
            }
            Ok::<_, ApiError>(read(tx)?)
        })
        .await?;
    Ok(now)
}

impl Changes {
    /// Whether they say who signs in by which provider.
    fn change_sign_in(&self) -> bool {
        let texts = [
            &self.oidc_issuer,
            &self.oidc_client_id,
            &self.oidc_client_secret,
            &self.oidc_domains,
        ];
        texts.into_iter().any(Option::is_some)
    }
}

/// What is to be stored of how people sign in by OpenID Connect. An issuer is asked first, as a key is tried (ADR 0015).
async fn sign_in_changes(
    app: &App,
    changes: &Changes,
) -> Result<Vec<(&'static str, String)>, ApiError> {
    let mut stored = Vec::new();
    if let Some(text) = &changes.oidc_issuer {
        let issuer = oidc::issuer(text)?;
        if !issuer.is_empty() {
            let met = access::oidc::meet(&app.caller, &issuer).await;
            met.map_err(|why| {
                let detail = format!("`{issuer}` is no provider of OpenID Connect: {why}");
                ApiError::wrong_value(oidc::ISSUER, detail).hint(format!(
                    "is {}/.well-known/openid-configuration there, and does it name exactly this issuer? Nothing was changed",
                    issuer.trim_end_matches('/')
                ))
            })?;
        }
        stored.push((oidc::ISSUER, issuer));
    }
    if let Some(text) = &changes.oidc_client_id {
        stored.push((oidc::CLIENT_ID, oidc::client_id(text)?));
    }
    if let Some(text) = &changes.oidc_client_secret {
        stored.push((oidc::CLIENT_SECRET, oidc::client_secret(text, &app.vault)?));
    }
    if let Some(text) = &changes.oidc_domains {
        oidc::domains(text)?;
        stored.push((oidc::DOMAINS, text.trim().to_owned()));
    }
    Ok(stored)
}

/// The settings that hold.
pub(crate) fn read(tx: &mut Tx<'_>) -> Result<Settings, StoreError> {
    Ok(Settings {
        status_model: commands::status_model(tx)?.as_str(),
        public_url: stored_public_url(tx)?,
        notify_url: events::notify_url(tx)?.map(|url| masked(&url)),
        trusted_proxy_hops: trusted_proxy_hops(tx)?,
        time_zone: stored_zone(tx)?,
        identity_header: identity_header(tx)?,
        hide_emails: hides_emails(tx)?,
        test_keyword: test_keyword(tx)?,
        default_filter: default_filter::chosen(tx)?.map(|filter| filter.written()),
        contact: contact(tx)?,
        oidc_issuer: oidc::stored(tx, oidc::ISSUER)?,
        oidc_client_id: oidc::stored(tx, oidc::CLIENT_ID)?,
        oidc_client_secret: oidc::stored(tx, oidc::CLIENT_SECRET)?.map(|_sealed| MASK),
        oidc_domains: oidc::stored(tx, oidc::DOMAINS)?,
    })
}

/// How many proxies in front of us are believed.
pub fn trusted_proxy_hops(tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    let stored = settings::get(tx, TRUSTED_PROXY_HOPS)?;
    Ok(stored.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Sets the organisation's time zone to one that is known.
pub(super) fn put_zone(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    settings::put(tx, TIME_ZONE, name)
}

/// The header that names the connector of a webhook at `/events`.
pub fn identity_header(tx: &mut Tx<'_>) -> Result<String, StoreError> {
    let stored = settings::get(tx, IDENTITY_HEADER)?;
    Ok(stored.unwrap_or_else(|| IDENTITY_HEADER_DEFAULT.to_owned()))
}

/// A name that a header may have, and that means nothing else.
fn header(text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    let is_taken = [
        "authorization",
        "content-type",
        "x-pagerduty-signature",
        "host",
    ]
    .iter()
    .any(|taken| name.eq_ignore_ascii_case(taken));
    if HeaderName::from_bytes(name.as_bytes()).is_err() || is_taken {
        let detail = format!("`{IDENTITY_HEADER}` cannot be `{text}`");
        return Err(ApiError::wrong_value(IDENTITY_HEADER, detail).hint(format!(
            "write the name of a header, e.g. {IDENTITY_HEADER_DEFAULT}"
        )));
    }
    Ok(name.to_owned())
}

/// Whether the e-mail addresses of PagerDuty's people are left out of answers.
pub(crate) fn hides_emails(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(settings::get(tx, HIDE_EMAILS)?.as_deref() == Some("true"))
}

fn hide(given: &Value) -> Result<bool, ApiError> {
    let text = given
        .as_str()
        .map_or_else(|| given.to_string(), |text| text.trim().to_owned());
    text.parse().map_err(|_not_one| {
        let detail = format!("`{HIDE_EMAILS}` cannot be `{text}`");
        ApiError::wrong_value(HIDE_EMAILS, detail).hint("use true or false")
    })
}

/// The organisation's time zone.
pub fn time_zone(tx: &mut Tx<'_>) -> Result<TimeZone, StoreError> {
    Ok(TimeZone::get(&stored_zone(tx)?).unwrap_or(TimeZone::UTC))
}

/// The name of the organisation's time zone.
pub(super) fn stored_zone(tx: &mut Tx<'_>) -> Result<String, StoreError> {
    Ok(settings::get(tx, TIME_ZONE)?.unwrap_or_else(|| "UTC".to_owned()))
}

/// The name of a zone that is known.
fn zone(text: &str) -> Result<String, ApiError> {
    zone_name(text).ok_or_else(|| {
        ApiError::wrong_value(TIME_ZONE, format!("`{TIME_ZONE}` cannot be `{text}`"))
            .hint("write the IANA name of a zone, e.g. Europe/Berlin, America/New_York or UTC")
    })
}

fn hops(given: &Value) -> Result<usize, ApiError> {
    let text = given
        .as_str()
        .map_or_else(|| given.to_string(), |text| text.trim().to_owned());
    let hops = text.parse().ok().filter(|hops| *hops <= HOPS_MAX);
    hops.ok_or_else(|| {
        ApiError::wrong_value(
            TRUSTED_PROXY_HOPS,
            format!("`{TRUSTED_PROXY_HOPS}` cannot be `{text}`"),
        )
        .hint(format!(
            "write how many proxies of yours a request passes, 0 to {HOPS_MAX}; 0 believes no X-Forwarded-For"
        ))
    })
}

/// The address under which PagerDuty reaches us, without a slash at its end.
pub fn stored_public_url(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    Ok(settings::get(tx, PUBLIC_URL)?.filter(|url| !url.is_empty()))
}

/// Where the last server on this data is for its own machine, without a slash at its end.
pub(crate) fn served_at(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    settings::get(tx, SERVED_AT)
}

/// Keeps where a server is for its own machine, for commands that name it.
pub(crate) fn put_served_at(tx: &mut Tx<'_>, url: &str) -> Result<(), StoreError> {
    settings::put(tx, SERVED_AT, url)
}

fn model(word: &str) -> Result<StatusModel, ApiError> {
    StatusModel::parse(word).ok_or_else(|| {
        ApiError::wrong_value("status_model", format!("`status_model` cannot be `{word}`"))
            .hint("use documented (acknowledging mitigates) or lifecycle (two states)")
    })
}

/// Checks an address and takes the slash from its end.
pub fn public_url(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let wrong = |why: &str| {
        ApiError::wrong_value(
            "public_url",
            format!("`public_url` cannot be `{text}`: {why}"),
        )
        .hint("write it like https://im.example.com")
    };
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return Err(wrong("it must begin with https://"));
    }
    let url = reqwest::Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("it must have no user, query or fragment"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// What marks a test incident.
pub(crate) fn test_keyword(tx: &mut Tx<'_>) -> Result<String, StoreError> {
    let known = settings::get(tx, TEST_KEYWORD)?;
    Ok(known.unwrap_or_else(|| im_metrics::input::TEST_KEYWORD.to_owned()))
}

fn keyword(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.chars().count() > KEYWORD_MAX {
        let detail = format!("`{TEST_KEYWORD}` is longer than {KEYWORD_MAX} characters");
        return Err(ApiError::wrong_value(TEST_KEYWORD, detail)
            .hint("write what stands in the titles of tests, like [test]; empty for nothing"));
    }
    Ok(text.to_owned())
}

/// Whom people ask for help.
pub(crate) fn contact(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    Ok(settings::get(tx, CONTACT)?.filter(|contact| !contact.is_empty()))
}

fn whom(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.chars().count() > CONTACT_MAX || text.chars().any(char::is_control) {
        let detail = format!("`{CONTACT}` has at most {CONTACT_MAX} characters, in one line");
        return Err(ApiError::wrong_value(CONTACT, detail)
            .hint("write an address like help@example.com; empty for nobody"));
    }
    let is_page = text.starts_with("https://") || text.starts_with("http://");
    if !is_page && has_scheme(text) {
        let detail = format!("`{CONTACT}` cannot be `{text}`");
        return Err(ApiError::wrong_value(CONTACT, detail).hint(
            "write an e-mail address, a page that begins with https:// or http://, or words",
        ));
    }
    Ok(text.to_owned())
}

/// Whether it is an address with a scheme; `Help: ext. 12` is words.
fn has_scheme(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(is_part)
            && !rest.starts_with(char::is_whitespace)
    })
}

/// Checks where events are told: they travel encrypted, or stay on this machine.
fn notify_url(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    // The address may hold what is secret, so it is not repeated.
    let wrong = |why: &str| {
        ApiError::wrong_value(NOTIFY_URL, format!("`{NOTIFY_URL}` cannot be that: {why}"))
            .hint("write it like https://hooks.example.com/im")
    };
    let url = reqwest::Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    match url.scheme() {
        "https" => {}
        "http" if is_near(text) => {}
        _ => {
            return Err(wrong("it must begin with https://, except on this machine"));
        }
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it must have no user and no password"));
    }
    if text.ends_with(MASK) {
        return Err(wrong("it is masked, as it is shown"));
    }
    Ok(text.to_owned())
}

/// What stands for what is not shown.
pub(crate) const MASK: &str = "********";

/// What is shown of an address whose path or query may be the right to use it.
fn masked(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(url) => format!("{}/{MASK}", url.origin().ascii_serialization()),
        Err(_) => MASK.to_owned(),
    }
}

/// Whether an address is of this machine.
pub(crate) fn is_near(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}
