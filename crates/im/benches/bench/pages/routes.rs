//! Every route that shows something to people, with the addresses at which it is measured.
//!
//! Who is signed in is asked, but at the doors, which are asked by nobody. A test (`each_page_is_measured`) compares the routes
//! with the rules of access, so that no new page is left out.

/// Routes and addresses.
pub(crate) const ROUTES: &[(&str, &[&str])] = &[
    (
        "/",
        &[
            "/",
            "/?q=rate",
            "/?service=Checkout%20API",
            "/?status=active&choose=filter",
        ],
    ),
    ("/incidents/{id}", &["/incidents/INC-99999"]),
    ("/incidents/{id}/facts", &["/incidents/INC-99999/facts"]),
    ("/declare", &["/declare"]),
    (
        "/overview",
        &[
            "/overview",
            "/overview?choose=filter",
            "/overview?service=PSVC007",
        ],
    ),
    ("/overview/report.csv", &["/overview/report.csv"]),
    ("/overview/report.json", &["/overview/report.json"]),
    ("/findings", &["/findings", "/findings?choose=filter"]),
    (
        "/metric/{name}",
        &[
            "/metric/mttr",
            "/metric/mtta",
            "/metric/pages",
            "/metric/change_failure_rate",
            "/metric/deployment_frequency",
            "/metric/page_disruptions",
            "/metric/incident_frequency",
            "/metric/oncall_load",
            "/metric/mttr?choose=filter",
            "/metric/change_failure_rate?choose=filter",
            "/metric/mtta?group_by=service&bucket=day",
            "/metric/page_disruptions?group_by=user",
            "/metric/pages?heat=service_weekday",
            "/metric/change_failure_rate?heat=service_hour",
        ],
    ),
    (
        "/metric/{name}/items",
        &[
            "/metric/mttr/items",
            "/metric/mttr/items?order=longest",
            "/metric/mttr/items?left_out=open",
            "/metric/mtta/items",
            "/metric/pages/items",
            "/metric/change_failure_rate/items",
            "/metric/change_failure_rate/items?failed=yes",
            "/metric/deployment_frequency/items",
            "/metric/page_disruptions/items",
            "/metric/incident_frequency/items",
            "/metric/incident_frequency/items?weekday=1&hour=3",
            "/metric/oncall_load/items",
        ],
    ),
    ("/metric/{name}/figures.csv", &["/metric/mttr/figures.csv"]),
    (
        "/metric/{name}/figures.json",
        &["/metric/change_failure_rate/figures.json"],
    ),
    ("/on-call", &["/on-call"]),
    ("/integrations", &["/integrations"]),
    (
        "/integrations/connect",
        &["/integrations/connect", "/integrations/connect?by=oauth"],
    ),
    ("/integrations/oauth", &["/integrations/oauth?state=none"]),
    ("/integrations/users", &["/integrations/users"]),
    ("/integrations/filter", &["/integrations/filter"]),
    ("/connectors/{name}", &["/connectors/prod"]),
    ("/connectors/{name}/setup", &["/connectors/prod/setup"]),
    (
        "/connectors/{name}/settings",
        &["/connectors/prod/settings"],
    ),
    ("/connectors/{name}/unlink", &["/connectors/prod/unlink"]),
    ("/status", &["/status"]),
    ("/settings", &["/settings"]),
    ("/people", &["/people"]),
    ("/account", &["/account"]),
    ("/audit", &["/audit"]),
    ("/audit/calls", &["/audit/calls"]),
    ("/tokens", &["/tokens"]),
    ("/help", &["/help"]),
];

/// Those that are shown to whoever is not signed in.
pub(crate) const DOORS: &[(&str, &[&str])] = &[
    ("/sign-in", &["/sign-in"]),
    ("/sign-in/oidc", &["/sign-in/oidc"]),
    ("/sign-in/oidc/back", &["/sign-in/oidc/back?state=none"]),
    ("/set-password", &["/set-password?link=none"]),
    ("/give-key", &["/give-key?link=none"]),
];
