//! The connector's configuration, as people write it in JSON.
//!
//! What is wrong is named by its full path (`custom.service_id`) together with what would be
//! right. A key that nobody knows is an error, for it is usually a misspelt one. Values of
//! secrets are in no message.

mod escalation;
mod json;
mod ownership;
mod rules;

use std::str::FromStr;

use im_core::{
    Direction, Mapping, Ownership, ResolveRule, ServiceChoice, ServiceRule, Severity, Urgency,
    set_fields,
};
use jiff::SignedDuration;

use crate::secret::Secret;
use crate::template::Template;
pub use escalation::EscalationChoice;
pub use json::nearest;
use json::{Fields, Json};

/// PagerDuty's US region, where most accounts live. The other is `https://api.eu.pagerduty.com`.
pub const BASE_URL_DEFAULT: &str = "https://api.pagerduty.com";

/// How often we look for missed changes unless told otherwise.
pub const SYNC_INTERVAL_DEFAULT: SignedDuration = SignedDuration::from_mins(5);

/// More often would spend the account's allowance on looking.
pub const SYNC_INTERVAL_MIN: SignedDuration = SignedDuration::from_secs(10);

/// A connector to one PagerDuty account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorConfig {
    /// Where the API is, without a slash at the end.
    pub base_url: String,
    /// The API key.
    pub api_key: Secret,
    /// Which way changes go.
    pub sync_direction: Direction,
    /// How often we look for missed changes.
    pub sync_interval: SignedDuration,
    /// Whether webhooks are taken.
    pub enable_webhook: bool,
    /// The signing secret, where the subscription was made by hand.
    pub webhook_secret: Option<Secret>,
    /// Networks that webhooks may come from, as written; none means all.
    pub allow_ips: Vec<String>,
    /// What of the talk with PagerDuty is logged.
    pub logging: Logging,
    /// What is PagerDuty's own.
    pub custom: Custom,
}

/// What of the talk with PagerDuty is logged for anybody to see, besides failures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Logging {
    /// Each call with its outcome.
    pub debug: bool,
    /// Each request: method, path, status, milliseconds.
    pub requests: bool,
    /// Each answer's body, without secrets and addresses.
    pub responses: bool,
}

/// The part of the configuration that only PagerDuty has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom {
    /// The service for incidents whose service is not mapped.
    pub service_id: String,
    /// The user on whose behalf we write when the person is not known there.
    pub from_email: String,
    /// The policy for new incidents; the service's own if absent.
    pub escalation_policy_id: Option<String>,
    /// Policies by service and severity, which come before that.
    pub escalation_mappings: Vec<EscalationChoice>,
    /// Urgencies that differ from the severity's own.
    pub urgency_mapping: Vec<(Severity, Urgency)>,
    /// Ids of PagerDuty's priorities, by severity.
    pub priority_mapping: Vec<(Severity, String)>,
    /// Our service's name and PagerDuty's id, by name.
    pub service_mappings: Vec<(String, String)>,
    /// Rules that come before those names, the first one first.
    pub service_rules: Vec<ServiceRule>,
    /// PagerDuty's ids of the services that are synced; `None`: all.
    pub synced_services: Option<Vec<String>>,
    /// What PagerDuty shows of a new incident, by our name of the service or `default`.
    pub description_templates: Vec<(String, Template)>,
    /// Our field's name and that of PagerDuty's custom field, by ours.
    #[expect(clippy::struct_field_names, reason = "the configuration's own word")]
    pub custom_field_mappings: Vec<(String, String)>,
    /// Whether resolving here resolves there.
    pub auto_resolve: bool,
    /// Whether notes go both ways.
    pub sync_notes: bool,
    /// When an incident of several services is over.
    pub resolve_rule: ResolveRule,
    /// Whose value counts where both sides changed a field.
    pub ownership: Ownership,
    /// The severity to assume from an urgency; `None`: assume none.
    pub severity_from_urgency: Option<InferredSeverity>,
}

/// Which severity an urgency stands for where nothing better is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InferredSeverity {
    /// For high urgency.
    pub high: Severity,
    /// For low urgency.
    pub low: Severity,
}

impl Default for InferredSeverity {
    fn default() -> Self {
        Self {
            high: Severity::Sev2,
            low: Severity::Sev3,
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What was expected there.
        message: String,
    },
    /// A key that nobody knows.
    #[error("unknown key `{key}`{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownKey {
        /// With its path.
        key: String,
        /// A known key that looks like it, with its path.
        nearest: Option<String>,
    },
    /// A key that has to be there.
    #[error("`{key}` is required; for example {example}")]
    Missing {
        /// With its path.
        key: String,
        /// What it could look like.
        example: &'static str,
    },
    /// A value of another kind.
    #[error("`{key}` must be {expected}, not {found}; for example {example}")]
    WrongType {
        /// With its path.
        key: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
        /// What it could look like.
        example: &'static str,
    },
    /// A value that means nothing.
    #[error("`{key}` {problem}; for example {example}")]
    BadValue {
        /// With its path.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// What it could look like.
        example: &'static str,
    },
}

const TOP_KEYS: [&str; 11] = [
    "base_url",
    "api_key",
    "sync_direction",
    "sync_interval",
    "enable_webhook",
    "webhook_secret",
    "allow_ips",
    "debug",
    "log_requests",
    "log_responses",
    "custom",
];

const CUSTOM_KEYS: [&str; 17] = [
    "service_id",
    "from_email",
    "escalation_policy_id",
    "escalation_mappings",
    "urgency_mapping",
    "priority_mapping",
    "service_mappings",
    "service_rules",
    "synced_services",
    "description_templates",
    "custom_field_mappings",
    "auto_resolve",
    "sync_notes",
    "resolve_rule",
    "conflict_strategy",
    "field_ownership",
    "severity_from_urgency",
];

/// Reads a configuration.
pub fn parse(json_text: &str) -> Result<ConnectorConfig, ConfigError> {
    read(&mut top(json_text)?)
}

/// Reads a configuration whose key is kept elsewhere: `api_key` stands for it.
pub fn parse_without_key(json_text: &str, api_key: &str) -> Result<ConnectorConfig, ConfigError> {
    let mut top = top(json_text)?;
    top.put("api_key", Json::Text(api_key.to_owned()));
    read(&mut top)
}

fn top(json_text: &str) -> Result<Fields, ConfigError> {
    const EXAMPLE: &str = "{\"api_key\": …, \"custom\": {…}}";
    Fields::of("", json::read(json_text)?, EXAMPLE)
}

fn read(top: &mut Fields) -> Result<ConnectorConfig, ConfigError> {
    top.only(&TOP_KEYS)?;
    let config = ConnectorConfig {
        base_url: base_url(top)?,
        api_key: api_key(top)?,
        sync_direction: direction(top)?,
        sync_interval: interval(top)?,
        enable_webhook: top.flag("enable_webhook")?.unwrap_or(true),
        webhook_secret: top
            .word("webhook_secret", "the secret that PagerDuty showed")?
            .map(Secret::new),
        allow_ips: networks(top)?,
        logging: Logging {
            debug: top.flag("debug")?.unwrap_or_default(),
            requests: top.flag("log_requests")?.unwrap_or_default(),
            responses: top.flag("log_responses")?.unwrap_or_default(),
        },
        custom: custom(top)?,
    };
    chosen(&config)?;
    Ok(config)
}

/// What is declared here must travel: each service to which it may go is chosen to be synced.
fn chosen(config: &ConnectorConfig) -> Result<(), ConfigError> {
    let mapping = config.mapping();
    let by_name = mapping.services.iter().map(|row| &row.id);
    let by_rule = mapping.rules.iter().map(|rule| &rule.id);
    let mut all = by_name.chain(by_rule).chain([&mapping.default_service]);
    match all.find(|id| !mapping.is_synced(id)) {
        None => Ok(()),
        Some(id) => Err(ConfigError::BadValue {
            key: "custom.synced_services".to_owned(),
            problem: format!(
                "leaves out {id}, to which incidents are declared by service_id, service_mappings or service_rules"
            ),
            example: SYNCED_EXAMPLE,
        }),
    }
}

const SYNCED_EXAMPLE: &str = "[\"PAPI001\", \"PDAT001\"]";

fn synced_services(custom: &mut Fields) -> Result<Option<Vec<String>>, ConfigError> {
    const NAME: &str = "synced_services";
    const EXPECTED: &str = "a list of PagerDuty's service ids";
    let rows = match custom.take(NAME) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::List(rows)) => rows,
        Some(other) => return Err(custom.wrong(NAME, EXPECTED, &other, SYNCED_EXAMPLE)),
    };
    let mut ids = Vec::new();
    for row in rows {
        match row {
            Json::Text(id) => ids.push(id),
            other => return Err(custom.wrong(NAME, EXPECTED, &other, SYNCED_EXAMPLE)),
        }
    }
    ids.sort();
    ids.dedup();
    Ok(Some(ids))
}

fn custom(top: &mut Fields) -> Result<Custom, ConfigError> {
    const EXAMPLE: &str = "{\"service_id\": \"PXXXXXX\", \"from_email\": \"ops@company.com\"}";
    let Some(value) = top.take("custom") else {
        return Err(top.missing("custom", EXAMPLE));
    };
    let mut custom = Fields::of("custom", value, EXAMPLE)?;
    custom.only(&CUSTOM_KEYS)?;
    Ok(Custom {
        service_id: custom
            .word("service_id", "\"PXXXXXX\"")?
            .ok_or_else(|| custom.missing("service_id", "\"PXXXXXX\""))?,
        from_email: from_email(&mut custom)?,
        escalation_policy_id: custom.word("escalation_policy_id", "\"PXXXXXX\"")?,
        escalation_mappings: escalation::escalation_mappings(&mut custom)?,
        urgency_mapping: urgency_mapping(&mut custom)?,
        priority_mapping: priority_mapping(&mut custom)?,
        service_mappings: service_mappings(&mut custom)?,
        service_rules: rules::service_rules(&mut custom)?,
        synced_services: synced_services(&mut custom)?,
        description_templates: templates(&mut custom)?,
        custom_field_mappings: custom_field_mappings(&mut custom)?,
        auto_resolve: custom.flag("auto_resolve")?.unwrap_or(true),
        sync_notes: custom.flag("sync_notes")?.unwrap_or(true),
        resolve_rule: resolve_rule(&mut custom)?,
        ownership: ownership::ownership(&mut custom)?,
        severity_from_urgency: severity_from_urgency(&mut custom)?,
    })
}

fn base_url(top: &mut Fields) -> Result<String, ConfigError> {
    const EXAMPLE: &str = "\"https://api.pagerduty.com\" or \"https://api.eu.pagerduty.com\"";
    let Some(text) = top.word("base_url", EXAMPLE)? else {
        return Ok(BASE_URL_DEFAULT.to_owned());
    };
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let fits = rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        let odd = |c: char| c.is_whitespace() || c.is_control() || "?#@\\".contains(c);
        !host.is_empty() && !rest.contains(odd)
    });
    if !fits {
        let problem = "must be an http:// or https:// address without user, query or fragment";
        return Err(top.bad("base_url", problem, EXAMPLE));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn api_key(top: &mut Fields) -> Result<Secret, ConfigError> {
    const EXAMPLE: &str = "\"u+xxxxxxxxxxxxxxxxxxxxxx\"";
    let key = top.word("api_key", EXAMPLE)?;
    let key = key.ok_or_else(|| top.missing("api_key", EXAMPLE))?;
    // It goes into a header, where nothing else is possible.
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = "has characters that no API key has (spaces, line breaks, accents)";
        return Err(top.bad("api_key", problem, EXAMPLE));
    }
    Ok(Secret::new(key))
}

fn direction(top: &mut Fields) -> Result<Direction, ConfigError> {
    let Some(word) = top.word("sync_direction", "\"bidirectional\"")? else {
        return Ok(Direction::default());
    };
    Direction::parse(&word).ok_or_else(|| {
        let problem = format!("cannot be `{word}`: use bidirectional, outbound, inbound or none");
        top.bad("sync_direction", &problem, "\"bidirectional\"")
    })
}

fn interval(top: &mut Fields) -> Result<SignedDuration, ConfigError> {
    const EXAMPLE: &str = "\"90s\", \"2m\" or \"1h\"";
    let Some(text) = top.word("sync_interval", EXAMPLE)? else {
        return Ok(SYNC_INTERVAL_DEFAULT);
    };
    let Some(interval) = parse_duration(&text) else {
        let problem = format!("cannot be `{text}`: write numbers with units");
        return Err(top.bad("sync_interval", &problem, EXAMPLE));
    };
    if interval < SYNC_INTERVAL_MIN {
        return Err(top.bad("sync_interval", "is too short: use 10s or more", EXAMPLE));
    }
    Ok(interval)
}

/// A length of time as people write it: `90s`, `2m`, `1h30m`. Units are `h`, `m` and `s`.
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let mut rest = text.trim();
    let mut seconds: i64 = 0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(unit_at)?;
        let mut after = after.chars();
        let unit = match after.next()? {
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        let part = number.parse::<i64>().ok()?.checked_mul(unit)?;
        seconds = seconds.checked_add(part)?;
        rest = after.as_str();
    }
    (!text.trim().is_empty()).then_some(SignedDuration::from_secs(seconds))
}

fn networks(top: &mut Fields) -> Result<Vec<String>, ConfigError> {
    const EXAMPLE: &str = "[\"44.242.69.192/32\"]";
    const EXPECTED: &str = "a list of networks";
    match top.take("allow_ips") {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::List(rows)) => rows
            .into_iter()
            .map(|row| match row {
                Json::Text(network) => Ok(network),
                other => Err(top.wrong("allow_ips", EXPECTED, &other, EXAMPLE)),
            })
            .collect(),
        Some(other) => Err(top.wrong("allow_ips", EXPECTED, &other, EXAMPLE)),
    }
}

fn from_email(custom: &mut Fields) -> Result<String, ConfigError> {
    const EXAMPLE: &str = "\"ops@company.com\"";
    let address = custom.word("from_email", EXAMPLE)?;
    let address = address.ok_or_else(|| custom.missing("from_email", EXAMPLE))?;
    let shaped = address.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !host.starts_with('.')
    });
    if !shaped || address.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let problem = format!("`{address}` is not an e-mail address");
        return Err(custom.bad("from_email", &problem, EXAMPLE));
    }
    Ok(address)
}

fn urgency_mapping(custom: &mut Fields) -> Result<Vec<(Severity, Urgency)>, ConfigError> {
    const EXAMPLE: &str = "{\"SEV-1\": \"high\", \"SEV-3\": \"low\"}";
    let Some(mut rows) = custom.object("urgency_mapping", EXAMPLE)? else {
        return Ok(Vec::new());
    };
    let mut mapping = Vec::new();
    for name in rows.names() {
        let Ok(severity) = Severity::from_str(&name) else {
            return Err(rows.unknown(&name, &Severity::ALL.map(Severity::as_str)));
        };
        let word = rows.word(&name, "\"high\"")?.unwrap_or_default();
        let Some(urgency) = Urgency::parse(&word) else {
            let problem = format!("cannot be `{word}`: use high or low");
            return Err(rows.bad(&name, &problem, "\"high\""));
        };
        mapping.push((severity, urgency));
    }
    mapping.sort_unstable();
    Ok(mapping)
}

fn priority_mapping(custom: &mut Fields) -> Result<Vec<(Severity, String)>, ConfigError> {
    const EXAMPLE: &str = "{\"SEV-1\": \"PXXXXXX\", \"SEV-2\": \"PYYYYYY\"}";
    let Some(mut rows) = custom.object("priority_mapping", EXAMPLE)? else {
        return Ok(Vec::new());
    };
    let mut mapping = Vec::new();
    for name in rows.names() {
        let Ok(severity) = Severity::from_str(&name) else {
            return Err(rows.unknown(&name, &Severity::ALL.map(Severity::as_str)));
        };
        let id = rows.word(&name, "\"PXXXXXX\"")?;
        mapping.push((
            severity,
            id.ok_or_else(|| rows.missing(&name, "\"PXXXXXX\""))?,
        ));
    }
    mapping.sort();
    Ok(mapping)
}

fn service_mappings(custom: &mut Fields) -> Result<Vec<(String, String)>, ConfigError> {
    const EXAMPLE: &str = "{\"api\": \"PAPI001\", \"default\": \"PGEN001\"}";
    let Some(mut rows) = custom.object("service_mappings", EXAMPLE)? else {
        return Ok(Vec::new());
    };
    let mut mappings = Vec::new();
    for name in rows.names() {
        let id = rows.word(&name, "\"PAPI001\"")?;
        let id = id.ok_or_else(|| rows.missing(&name, "\"PAPI001\""))?;
        mappings.push((name, id));
    }
    // The fields of an object have no order, and what stores them keeps none.
    mappings.sort();
    Ok(mappings)
}

fn templates(custom: &mut Fields) -> Result<Vec<(String, Template)>, ConfigError> {
    const EXAMPLE: &str = "{\"default\": \"{description}\\n\\nService: {service}\"}";
    let Some(mut rows) = custom.object("description_templates", EXAMPLE)? else {
        return Ok(Vec::new());
    };
    let mut templates = Vec::new();
    for name in rows.names() {
        let text = rows.word(&name, "\"{description}\"")?;
        let text = text.ok_or_else(|| rows.missing(&name, "\"{description}\""))?;
        let template = Template::parse(&text)
            .map_err(|error| rows.bad(&name, &error.to_string(), "\"Service: {service}\""))?;
        templates.push((name, template));
    }
    templates.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(templates)
}

/// What the documented example writes before the name of a field.
const DETAILS: &str = "custom_details.";
/// The first line of that example is the head of its table.
const HEAD: (&str, &str) = ("im_field", "pd_custom_field");

fn custom_field_mappings(custom: &mut Fields) -> Result<Vec<(String, String)>, ConfigError> {
    const EXAMPLE: &str = "{\"environment\": \"environment\"}";
    let Some(mut rows) = custom.object("custom_field_mappings", EXAMPLE)? else {
        return Ok(Vec::new());
    };
    let mut mappings: Vec<(String, String)> = Vec::new();
    for name in rows.names() {
        let theirs = rows.word(&name, "\"environment\"")?;
        let theirs = theirs.ok_or_else(|| rows.missing(&name, "\"environment\""))?;
        if (name.as_str(), theirs.as_str()) == HEAD {
            continue;
        }
        // Incidents have no custom_details at PagerDuty: what is meant is a custom field.
        let theirs = theirs.strip_prefix(DETAILS).unwrap_or(&theirs).to_owned();
        if let Err(error) = set_fields(&[], &[(name.clone(), Some("x".to_owned()))]) {
            return Err(rows.bad(&name, &format!("is wrong: {error}"), EXAMPLE));
        }
        if let Some((other, _)) = mappings.iter().find(|(_, known)| *known == theirs) {
            let problem = format!("is `{theirs}`, which is that of `{other}` already");
            return Err(rows.bad(&name, &problem, EXAMPLE));
        }
        mappings.push((name, theirs));
    }
    mappings.sort();
    Ok(mappings)
}

fn resolve_rule(custom: &mut Fields) -> Result<ResolveRule, ConfigError> {
    let Some(word) = custom.word("resolve_rule", "\"all\"")? else {
        return Ok(ResolveRule::default());
    };
    ResolveRule::parse(&word).ok_or_else(|| {
        let problem = format!("cannot be `{word}`: use all or any");
        custom.bad("resolve_rule", &problem, "\"all\"")
    })
}

fn severity_from_urgency(custom: &mut Fields) -> Result<Option<InferredSeverity>, ConfigError> {
    const NAME: &str = "severity_from_urgency";
    const EXAMPLE: &str = "{\"high\": \"SEV-2\", \"low\": \"SEV-3\"} or false";
    let mut inferred = InferredSeverity::default();
    match custom.take(NAME) {
        None | Some(Json::Null | Json::Bool(true)) => return Ok(Some(inferred)),
        Some(Json::Bool(false)) => return Ok(None),
        Some(value @ Json::Object(_)) => custom.put(NAME, value),
        Some(other) => return Err(custom.wrong(NAME, "an object or false", &other, EXAMPLE)),
    }
    let Some(mut rows) = custom.object(NAME, EXAMPLE)? else {
        return Ok(Some(inferred));
    };
    rows.only(&["high", "low"])?;
    for (name, slot) in [("high", &mut inferred.high), ("low", &mut inferred.low)] {
        if let Some(word) = rows.word(name, "\"SEV-2\"")? {
            *slot = Severity::from_str(&word)
                .map_err(|error| rows.bad(name, &format!("is wrong: {error}"), "\"SEV-2\""))?;
        }
    }
    Ok(Some(inferred))
}

/// The name in the mappings for every service that is not mapped.
pub const DEFAULT_SERVICE: &str = "default";

impl Custom {
    /// The template for new incidents of a service of ours.
    pub fn template_for(&self, service: Option<&str>) -> Option<&Template> {
        let named = |wanted: &str| {
            let mut all = self.description_templates.iter();
            Some(&all.find(|(name, _)| name == wanted)?.1)
        };
        service.and_then(named).or_else(|| named(DEFAULT_SERVICE))
    }
}

impl ConnectorConfig {
    /// The tables by which fields are translated.
    pub fn mapping(&self) -> Mapping {
        let custom = &self.custom;
        let named = |name: &str| {
            custom
                .service_mappings
                .iter()
                .find(|(ours, _)| ours == name)
        };
        let default = named(DEFAULT_SERVICE).map_or(&custom.service_id, |(_, id)| id);
        let mut mapping = Mapping::new(self.sync_direction, default);
        let index = |severity| Severity::ALL.iter().position(|known| *known == severity);
        for (severity, urgency) in &custom.urgency_mapping {
            if let Some(slot) = index(*severity).and_then(|at| mapping.urgencies.get_mut(at)) {
                *slot = *urgency;
            }
        }
        for (severity, id) in &custom.priority_mapping {
            if let Some(slot) = index(*severity).and_then(|at| mapping.priority_ids.get_mut(at)) {
                *slot = Some(id.clone());
            }
        }
        mapping.severity_from_urgency = custom.severity_from_urgency.map(|by| (by.high, by.low));
        mapping.services = custom
            .service_mappings
            .iter()
            .filter(|(name, _)| name != DEFAULT_SERVICE)
            .map(|(name, id)| ServiceChoice {
                name: name.clone(),
                id: id.clone(),
            })
            .collect();
        mapping.synced.clone_from(&custom.synced_services);
        mapping.rules.clone_from(&custom.service_rules);
        mapping.auto_resolve = custom.auto_resolve;
        mapping.sync_notes = custom.sync_notes;
        mapping.resolve_rule = custom.resolve_rule;
        mapping.ownership = custom.ownership.clone();
        mapping
    }
}
