//! What a test may choose about the account before it starts.

/// The switches of one simulated account.
#[derive(Debug, Clone)]
pub struct Options {
    /// Fixes every id and every seeded fault.
    pub seed: u64,
    /// The host that `self` links name.
    pub base_url: String,
    /// The host that `html_url` links name.
    pub web_url: String,
    /// `false`: a resolved incident answers 400 with code 1001, as before September 2025.
    pub reopen_allowed: bool,
    /// `true`: reassigning an acknowledged incident makes it triggered again, without a log
    /// entry of its own. The published state table does not list that, so it is off.
    pub reassign_retriggers: bool,
    /// Factor on the published rate limits; `None` switches them off.
    pub limits: Option<f64>,
    /// Abilities of the plan. A missing one answers 402 where it is needed.
    pub abilities: Vec<String>,
    /// The account's time zone: dates without an offset are read in it.
    pub time_zone: String,
    /// How far behind analytics are, in seconds.
    pub analytics_lag_s: i64,
    /// The number before that of the first incident.
    pub last_incident_number: u64,
    /// So many rows of a list can be reached by paging. PagerDuty's 10,000 are the most; with
    /// fewer, a test meets the end with less.
    pub rows_reach: usize,
}

impl Default for Options {
    fn default() -> Self {
        let abilities = [
            "teams",
            "urgencies",
            "advanced_permissions",
            "coordinated_responding",
            "service_support_hours",
            "read_only_users",
            "priorities",
            "audit_records",
        ];
        Self {
            seed: 1,
            base_url: "https://api.pagerduty.com".to_owned(),
            web_url: "https://lighthouse-works.pagerduty.com".to_owned(),
            reopen_allowed: true,
            reassign_retriggers: false,
            limits: None,
            abilities: abilities.map(str::to_owned).to_vec(),
            time_zone: "UTC".to_owned(),
            analytics_lag_s: 3_600,
            last_incident_number: 100,
            rows_reach: 10_000,
        }
    }
}
