//! The parameters of questions, as the description of the API lists them. They are read by `im_metrics::parse`.

use utoipa::IntoParams;

/// The dates of a question.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "fields are for the description alone")]
pub(in crate::http::api) struct Dates {
    /// The first local date; 41 days before `to` by default
    from: Option<String>,
    /// The last local date; today by default
    to: Option<String>,
}

/// What chooses incidents and deployments.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "fields are for the description alone")]
pub(in crate::http::api) struct Filters {
    /// Any of these, by PagerDuty's id or name or by the name that is mapped here; `null` is none
    service: Option<Vec<String>>,
    /// Any of these, by id or name
    team: Option<Vec<String>>,
    /// Any of these, in any case; of deployments where figures are of these
    environment: Option<Vec<String>>,
    /// Any of these, by id or name
    escalation_policy: Option<Vec<String>>,
    /// high, low or null
    urgency: Option<Vec<String>>,
    /// Any of these, by id or name
    priority: Option<Vec<String>>,
    /// Any of these, e.g. SEV-2
    severity: Option<Vec<String>>,
    /// pagerduty or im
    origin: Option<Vec<String>>,
    /// A part of the title, in any case
    title: Option<Vec<String>>,
    /// trigger or current: which service, policy, urgency and priority count
    as_of: Option<String>,
}

/// What a metric may be asked beside dates, filters, buckets and a comparison.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "fields are for the description alone")]
pub(super) struct Counting {
    /// service, `escalation_policy`, team, urgency, priority, severity, environment; `resolver_kind` for times to the resolve; user for pages of people; `oncall_load` takes service, team or urgency beside the user
    group_by: Option<String>,
    /// merge, human, timer, integration, api or none; for times to the resolve
    resolver_kind: Option<Vec<String>>,
    /// Any of these people, by id or name; for pages of people and `oncall_load`
    user: Option<Vec<String>>,
    /// The order of groups: key (unless given) or value, the largest first
    sort: Option<String>,
    /// all, or live: without incidents whose trigger was rebuilt from PagerDuty's log
    history: Option<String>,
    /// multitudes, middleware or datadog: how that product counts
    view: Option<String>,
    /// last, first or `open_time`; for mttr, `time_to_restore` and `failed_deployment_recovery_time`
    recovery: Option<String>,
    /// triggered or resolved; for mttr
    bucket_by: Option<String>,
    /// incidents, notifications or acknowledgements; for pages and `page_disruptions`
    source: Option<String>,
    /// Whether e-mail is a page; for notifications
    include_email: Option<bool>,
    /// Acknowledgements of one person this close are one page
    collapse_minutes: Option<u32>,
    /// pages or hours; for `page_disruptions`
    measure: Option<String>,
    /// all, `out_of_hours` or `working_hours`; for `page_disruptions`
    when: Option<String>,
    /// Whether an hour of several people is one; for `page_disruptions`
    distinct: Option<bool>,
    /// attributed or impact; for `change_failure_rate`
    mode: Option<String>,
    /// How late a failure may come after its deployment, e.g. 24h, or none; for `change_failure_rate` and `failed_deployment_recovery_time`
    max_lag: Option<String>,
    /// The year of the published levels, or none; for the metrics of DORA
    benchmark: Option<String>,
}
