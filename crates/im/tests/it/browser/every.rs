//! Every page, as it is before anything has happened, in daily use, and where something is wrong.
//!
//! Whoever looks is called with each page when it is there, and its name.

use im::access::passwords::Passwords;
use im::access::people;
use im_core::{Conflict, Field, IncidentNumber, Strategy};
use im_pagerduty::Secret;
use im_store::accounts::{self, Role};
use im_store::{conflicts, sessions};
use jiff::{SignedDuration, ToSpan as _};
use pd_sim::{Fault, Outage};
use serde_json::{Value, json};

use super::past::{busy, quiet};
use super::stage::{Stage, begin};
use super::tab::{Browser, Tab};
use crate::http::access::oauth::{ALL, app};

const PASSWORD: &str = "correct horse battery";
/// The secret of the link for the first owner.
const FIRST: &str = "first";
pub(super) const CONNECTOR: &str = "prod-pagerduty";
/// A name of this machine that is not the server's.
pub(super) const FOREIGN: &str = "im.localhost";
const METRICS: [&str; 8] = [
    "mttr",
    "mtta",
    "pages",
    "change_failure_rate",
    "incident_frequency",
    "deployment_frequency",
    "page_disruptions",
    "oncall_load",
];

/// Who looks at pages.
pub(super) trait Look {
    /// A page is there. Of it the console may say that it was refused.
    fn at(&mut self, tab: &Tab, name: &str);
}

/// Pages to look at.
pub(super) type Pages = fn(&mut dyn Look);

/// Opens pages, one after the other.
struct Tour<'a> {
    stage: &'a Stage,
    tab: Tab,
    look: &'a mut dyn Look,
}

impl Tour<'_> {
    fn page(&mut self, name: &str, path: &str) {
        self.tab.go(&format!("{}{path}", self.stage.url));
        self.look.at(&self.tab, name);
    }

    /// Fails if the page that is open has none of what its data was made for.
    #[track_caller]
    fn has(&self, what: &str, selector: &str) {
        let found = format!("document.querySelector({}) !== null", json!(selector));
        assert_eq!(self.tab.ask(&found), true, "{what}: no `{selector}`");
    }

    fn pages(&mut self, pages: &[(&str, &str)]) {
        for (name, path) in pages {
            self.page(name, path);
        }
    }

    fn sign_in(&self, role: Role) {
        sign_in(self.stage, &self.tab, role);
    }
}

/// Signs in with the account of a role.
pub(super) fn sign_in(stage: &Stage, tab: &Tab, role: Role) {
    tab.go(&format!("{}/sign-in", stage.url));
    tab.fill("E-mail address", &address(role));
    tab.fill("Password", PASSWORD);
    tab.press_on("button.primary");
    tab.until("start", "location.pathname === '/'");
}

pub(super) fn address(role: Role) -> String {
    format!("{}@lighthouse-works.example", role.as_str())
}

/// An account of each role.
pub(super) fn add_people(stage: &Stage) {
    let passwords = Passwords::default();
    let hash = stage.wait(passwords.hash(Secret::new(PASSWORD))).unwrap();
    let names = ["Vera Lind", "Rui Costa", "Ada Moreau", "Ines Halloran"];
    let added = stage.app.db.write(move |tx| {
        for (role, name) in Role::ALL.into_iter().zip(names) {
            let email = address(role);
            accounts::insert(tx, &email, name, role, role == Role::Owner, begin())?;
            accounts::set_password(tx, &email, Some(&hash))?;
        }
        Ok::<_, im_store::StoreError>(())
    });
    added.wait().unwrap();
}

/// A connector that works both ways.
pub(super) fn connect(stage: &Stage) {
    let account = &stage.stand_in.account;
    let names = ["payments", "checkout", "db", "search", "notifications"];
    let services = names.iter().zip(&account.services);
    let mappings: Value = services
        .map(|(name, (id, ..))| ((*name).to_owned(), json!(id)))
        .collect();
    let config = json!({
        "api_key": account.api_key,
        "base_url": stage.stand_in.base_url,
        "sync_direction": "bidirectional",
        "custom": {"service_id": account.services[0].0, "from_email": account.users[0].2, "service_mappings": mappings},
    });
    let new = json!({"name": CONNECTOR, "type": "pagerduty", "config": config});
    stage.api("POST", "/api/v1/connectors", &new);
    let webhook = json!({"action": "enable", "insecure": true});
    stage.api(
        "POST",
        &format!("/api/v1/connectors/{CONNECTOR}/webhook"),
        &webhook,
    );
}

/// Before anything has happened; while nobody has an account.
pub(super) fn empty(look: &mut dyn Look) {
    let stage = Stage::new(quiet);
    let browser = Browser::start();
    let tab = browser.open(&stage.url);
    let mut tour = Tour {
        stage: &stage,
        tab,
        look,
    };
    tour.pages(&[
        ("incidents", "/"),
        ("declare", "/declare"),
        ("overview", "/overview"),
        ("on-call", "/on-call"),
        ("status", "/status"),
        ("integrations", "/integrations"),
        ("connect", "/integrations/connect"),
        ("connect-oauth", "/integrations/connect?by=oauth"),
        ("users", "/integrations/users"),
        ("filter", "/integrations/filter"),
        ("settings", "/settings"),
        ("tokens", "/tokens"),
        ("people", "/people"),
        ("audit", "/audit"),
        ("items", "/metric/mttr/items"),
        ("findings", "/findings"),
    ]);
    for metric in METRICS {
        tour.page(&format!("metric-{metric}"), &format!("/metric/{metric}"));
    }
    from_elsewhere(&mut tour);
    by_link(&mut tour);
    tour.tab = browser.open(&stage.stand_in.base_url);
    tour.look.at(&tour.tab, "stand-in");
}

/// What another machine is shown while nobody has an account.
fn from_elsewhere(tour: &mut Tour<'_>) {
    let say = |headers: &Value| {
        let set = json!({ "headers": headers });
        tour.tab.call("Network.setExtraHTTPHeaders", &set);
    };
    say(&json!({"X-Forwarded-For": "192.0.2.7"}));
    tour.tab.go(&tour.stage.url);
    tour.tab.sees("it came through a proxy or a tunnel");
    tour.look.at(&tour.tab, "elsewhere");
    say(&json!({}));
}

/// What people are sent a link to: to give a key, and to be the first owner.
fn by_link(tour: &mut Tour<'_>) {
    let connect = format!("{}/integrations/connect", tour.stage.url);
    tour.tab.go(&connect);
    tour.tab.press("I am not a PagerDuty admin");
    tour.tab.press("Make a link");
    tour.tab.sees("Send this link");
    tour.look.at(&tour.tab, "hand-over");
    let link = tour.tab.ask("document.querySelector('pre.link').innerText");
    tour.tab.go(link.as_str().unwrap());
    tour.look.at(&tour.tab, "give-key");
    tour.page("give-key-over", "/give-key?link=nobody-has-it");
    let db = &tour.stage.app.db;
    let made = db.write(|tx| people::first_owner(tx, FIRST, begin()));
    made.wait().unwrap().unwrap();
    tour.page("first-owner", &format!("/set-password?link={FIRST}"));
    tour.tab.fill("E-mail address", &address(Role::Owner));
    tour.tab.fill("New password", PASSWORD);
    tour.tab.fill("The same again", "correct horse");
    tour.tab.press("Choose this password");
    tour.tab.sees("are not the same");
    tour.look.at(&tour.tab, "first-owner-refused");
}

/// In daily use: incidents, figures, people on call.
pub(super) fn full(look: &mut dyn Look) {
    let stage = Stage::new(busy);
    let browser = Browser::start();
    let mut tour = used(&stage, &browser, look);
    tour.pages(&[
        ("incidents", "/"),
        ("incidents-filter", "/?status=active&choose=filter"),
        ("incidents-found", "/?severity=SEV-1&status=any"),
        ("incident", &stage.incident("Checkout returns 502")),
        ("incident-parked", &stage.incident("Ledger replica")),
        ("incident-over", &stage.incident("Index older")),
        (
            "facts",
            &format!("{}/facts", stage.incident("Checkout returns 502")),
        ),
        ("declare", "/declare"),
        ("overview", "/overview"),
        ("overview-team", "/overview?service=payments&compare=none"),
        (
            "metric-filter",
            "/metric/mttr?choose=filter&group_by=service",
        ),
        (
            "metric-groups",
            "/metric/mtta?group_by=service&bucket=month",
        ),
        ("items", "/metric/mttr/items"),
        ("on-call", "/on-call"),
        ("findings", "/findings"),
        ("findings-filter", "/findings?service=db&choose=filter"),
        (
            "items-cause",
            "/metric/incident_frequency/items?cause=null&service=db",
        ),
        ("items-left-out", "/metric/mttr/items?left_out=open"),
        ("metric-services", "/metric/pages?heat=service_weekday"),
        (
            "metric-service-hours",
            "/metric/page_disruptions?heat=service_hour",
        ),
        ("metric-days", "/metric/mtta?bucket=day"),
    ]);
    tour.has("a bucket with nothing in it", ".hit:not([href])");
    for metric in METRICS {
        tour.page(&format!("metric-{metric}"), &format!("/metric/{metric}"));
    }
    tour.tab.go(&format!("{}/metric/mttr", stage.url));
    for shade in 0..=5 {
        tour.has("each shade", &format!("tbody .heat-{shade}"));
    }
    loads(&tour);
    opened(&mut tour);
}

/// The load of each person is what the API says of it.
fn loads(tour: &Tour<'_>) {
    let told = tour
        .stage
        .api("GET", "/api/v1/metrics/oncall_load", &Value::Null);
    let people = told["series"].as_array().unwrap();
    assert!(people.len() > 1, "{told}");
    tour.tab
        .go(&format!("{}/metric/oncall_load", tour.stage.url));
    tour.tab.sees(&format!("People paged {}", people.len()));
    for one in people {
        let name = one["group"][0]["name"].as_str().unwrap();
        tour.tab.sees(&format!("{name} {} ", one["total"]["n"]));
    }
}

/// In daily use: the connection, what is arranged, who may do what; and the stand-in.
pub(super) fn arranged(look: &mut dyn Look) {
    let stage = Stage::new(busy);
    let browser = Browser::start();
    let mut tour = used(&stage, &browser, look);
    tour.pages(&[
        ("status", "/status"),
        ("integrations", "/integrations"),
        ("connect", "/integrations/connect"),
        ("users", "/integrations/users"),
        ("filter", "/integrations/filter"),
        ("connector", &format!("/connectors/{CONNECTOR}")),
        ("connector-setup", &format!("/connectors/{CONNECTOR}/setup")),
        (
            "connector-settings",
            &format!("/connectors/{CONNECTOR}/settings"),
        ),
        (
            "connector-unlink",
            &format!("/connectors/{CONNECTOR}/unlink"),
        ),
        ("settings", "/settings"),
        ("tokens", "/tokens"),
        ("people", "/people"),
        ("account", "/account"),
        ("audit", "/audit"),
        ("audit-calls", "/audit/calls"),
        ("help-page", "/help"),
    ]);
    shown_once(&mut tour);
    second_step(&mut tour);
    with_less(&mut tour);
    tour.tab = browser.open(&stage.stand_in.base_url);
    tour.look.at(&tour.tab, "stand-in");
    tour.tab.press("Checkout returns 502");
    tour.tab.sees("Log entries");
    tour.look.at(&tour.tab, "stand-in-incident");
}

/// A server of an organisation, whose owner has signed in.
fn used<'a>(stage: &'a Stage, browser: &Browser, look: &'a mut dyn Look) -> Tour<'a> {
    connect(stage);
    in_use(stage);
    add_people(stage);
    let tab = browser.open(&stage.url);
    let tour = Tour { stage, tab, look };
    tour.sign_in(Role::Owner);
    tour
}

/// What is only there once somebody has pressed something.
fn opened(tour: &mut Tour<'_>) {
    tour.tab.go(&format!(
        "{}{}",
        tour.stage.url,
        tour.stage.incident("Mail queue")
    ));
    tour.tab.sees("unless somebody acknowledges before");
    tour.tab.sees("Seen before");
    tour.look.at(&tour.tab, "incident-waiting");
    tour.tab.press("Edit");
    tour.tab.sees("Save changes");
    tour.look.at(&tour.tab, "incident-edit");
    tour.tab.go(&format!("{}/status", tour.stage.url));
    tour.tab.press("Keyboard shortcuts");
    tour.tab.sees("declare an incident");
    tour.look.at(&tour.tab, "help");
    tour.tab.go(&format!("{}/metric/mttr", tour.stage.url));
    tour.tab.press("Table");
    tour.look.at(&tour.tab, "metric-table");
}

/// What is shown once, and what the links in it lead to.
fn shown_once(tour: &mut Tour<'_>) {
    let url = tour.stage.url.clone();
    let link = |tour: &Tour<'_>| {
        let link = tour
            .tab
            .until("a link", "document.querySelector('pre.link').innerText");
        link.as_str().unwrap().to_owned()
    };
    tour.tab.go(&format!("{url}/tokens"));
    tour.tab.fill("What it is for", "status board");
    tour.tab.press("Make token");
    tour.tab.sees("Keep it now");
    tour.look.at(&tour.tab, "tokens-new");
    tour.tab.go(&format!("{url}/people"));
    tour.tab
        .fill("E-mail address", "mara.okafor@lighthouse-works.example");
    tour.tab.press("Make a link");
    tour.tab.sees("It works once");
    tour.look.at(&tour.tab, "people-link");
    tour.tab.go(&link(tour));
    tour.tab.sees("Choose this password");
    tour.look.at(&tour.tab, "set-password");
    tour.tab.go(&format!("{url}/integrations/connect"));
    tour.tab.press("I am not a PagerDuty admin");
    tour.tab.press_on("form[action$='/hand-over'] button");
    tour.tab.sees("Send this link to a PagerDuty admin");
    tour.look.at(&tour.tab, "connect-hand-over");
    tour.tab.go(&link(tour));
    tour.tab.sees("Give this key");
    tour.look.at(&tour.tab, "give-key");
}

/// A sign-in to PagerDuty: what is asked for, and a key in its place where less was given.
fn with_less(tour: &mut Tour<'_>) {
    let stage = tour.stage;
    let less = app(&stage.url, &ALL[..14]);
    stage.stand_in.with(|sim| sim.register_app(less));
    tour.tab.press("Use another key");
    tour.tab.sees("I am not a PagerDuty admin");
    tour.tab.press("By signing in (OAuth)");
    tour.tab.fill("Client id", "our-app");
    tour.tab.fill("Client secret", "our-secret");
    tour.tab.press("Another address of the sign-in");
    tour.tab
        .fill("Only for a stand-in", &stage.stand_in.base_url);
    tour.tab.press("Sign in to PagerDuty");
    tour.tab.sees("PagerDuty asks whether our-app may do this");
    tour.look.at(&tour.tab, "connect-consent");
    tour.tab.press("Continue to PagerDuty");
    tour.tab.sees("webhook_subscriptions.write is missing");
    tour.look.at(&tour.tab, "connect-key-asked");
}

/// A key that was tried.
fn second_step(tour: &mut Tour<'_>) {
    tour.tab
        .go(&format!("{}/integrations/connect", tour.stage.url));
    tour.tab
        .fill("API key", &tour.stage.stand_in.account.read_only_key);
    tour.tab.fill("Name of the connection", "second");
    tour.tab.press("Another address of the API");
    // Under another name it passes for another account.
    let base_url = tour
        .stage
        .stand_in
        .base_url
        .replace("127.0.0.1", "localhost");
    tour.tab.fill("Only for a stand-in", &base_url);
    tour.tab.press("Add key");
    tour.tab.sees("Choose how it is used");
    tour.look.at(&tour.tab, "connect-second-step");
}

/// What an organisation has arranged, has deployed and is at.
fn in_use(stage: &Stage) {
    let import = format!("/api/v1/connectors/{CONNECTOR}/backfill");
    let look = |path: &str| stage.api("GET", path, &Value::Null);
    stage.until("the past is read", |_| look(&import)["state"] == "finished");
    stage.until("people are read", |_| look("/api/v1/users")[0].is_object());
    stage.api("PUT", "/api/v1/data", &arrangements(stage));
    for (name, role) in [("grafana", "viewer"), ("deploy pipeline", "responder")] {
        stage.api(
            "POST",
            "/api/v1/tokens",
            &json!({"name": name, "role": role}),
        );
    }
    // PagerDuty tells of one, and one is not taken there.
    let service = stage.stand_in.account.services[1].0.clone();
    stage.stand_in.with(|sim| {
        sim.trigger(
            &service,
            "Checkout: p95 above 3 s",
            begin() + SignedDuration::from_secs(1),
        )
    });
    stage.until("it is told", |_| {
        look("/api/v1/incidents?status=active")
            .as_array()
            .unwrap()
            .len()
            == 4
    });
    stage.stand_in.with(|sim| {
        sim.faults()
            .next_matching("POST", "/incidents", Fault::TextError);
    });
    let new = json!({"title": "Ledger replica lags 90 s behind", "severity": "SEV-2", "service": "db",
        "description": "Seen in the dashboard of ledger-db since 14:30."});
    stage.api("POST", "/api/v1/incidents?wait=5s", &new);
    hold(stage);
}

/// Both sides renamed an incident, and a person is to decide.
fn hold(stage: &Stage) {
    let incident = stage.incident("Search results");
    let number = incident.rsplit_once('-').unwrap().1.parse().unwrap();
    let now = begin();
    let found = Conflict {
        field: Field::Title,
        base: "Search is stale".to_owned(),
        ours: "Search results are stale for sellers in ES".to_owned(),
        ours_at: now,
        ours_by: Some("Rui Costa".to_owned()),
        theirs: "ES: index of sellers is old".to_owned(),
        theirs_at: now,
        strategy: Strategy::ManualReview,
        verdict: None,
    };
    let of = (CONNECTOR, IncidentNumber::new(number).unwrap());
    let put = move |tx: &mut im_store::Tx<'_>| {
        conflicts::put(tx, of, &found, "c1", conflicts::State::Pending, now)
    };
    stage.app.db.write(put).wait().unwrap();
}

fn arrangements(stage: &Stage) -> Value {
    let account = &stage.stand_in.account;
    let people = account.users.iter().take(4);
    let linked: Vec<Value> = people
        .clone()
        .map(|(id, _, email)| json!({"user": id, "person": email}))
        .collect();
    let people: Vec<Value> = people
        .map(|(_, name, email)| json!({"id": email, "name": name}))
        .collect();
    let deployments: Vec<Value> = (0..60_i64)
        .map(|number| deployment(stage, number))
        .collect();
    let week = json!({"monday": ["09:00-17:30"], "tuesday": ["09:00-17:30"], "wednesday": ["09:00-17:30"],
        "thursday": ["09:00-17:30"], "friday": ["09:00-15:00"]});
    json!({
        "version": 1,
        "time_zone": "Europe/Berlin",
        "people": people,
        "users": linked,
        "teams": [{"id": "shop", "name": "Shop", "members": [{"person": account.users[0].2, "from": "2026-01-01"}],
            "services": [account.services[0].0, account.services[1].0], "pagerduty_teams": []}],
        "hours": [{"of": "organisation", "effective_from": "2026-01-01", "zone": "Europe/Berlin", "week": week}],
        "failure_rules": [{"id": "short", "shorter_than": "1m", "urgency": "low", "reason": "nobody noticed"}],
        "targets": [{"name": "SEV-1", "ack": "5m", "resolve": "30m"}, {"name": "SEV-2", "ack": "15m", "resolve": "4h"},
            {"name": "change_failure_rate", "at_most": 0.15}],
        "deployments": deployments,
    })
}

/// One of those that were made each working day.
fn deployment(stage: &Stage, number: i64) -> Value {
    let services = &stage.stand_in.account.services;
    let service = usize::try_from(number).unwrap() % 5;
    let finished = begin() - (number * 29 + 3).hours();
    let status = if number % 11 == 4 {
        "failure"
    } else {
        "success"
    };
    json!({
        "id": format!("build-{}", 412 - number),
        "service": services[service].0,
        "environment": "production",
        "version": format!("v1.{}", 112 - number),
        "started_at": finished - 8.minutes(),
        "finished_at": finished,
        "status": status,
        "unplanned_fix": number % 13 == 7,
    })
}

/// Where something is wrong.
pub(super) fn wrong(look: &mut dyn Look) {
    let stage = Stage::new(busy);
    connect(&stage);
    add_people(&stage);
    let browser = Browser::start();
    let tab = browser.open(&stage.url);
    let mut tour = Tour {
        stage: &stage,
        tab,
        look,
    };
    tour.tab
        .fill("E-mail address", "somebody@lighthouse-works.example");
    tour.tab.fill("Password", "not the password");
    tour.tab.press_on("button.primary");
    tour.tab.sees("not");
    tour.look.at(&tour.tab, "sign-in-refused");
    locked(&mut tour);
    tour.page("link-over", "/set-password?link=nobody-has-it");
    tour.page("key-link-over", "/give-key?link=nobody-has-it");
    tour.sign_in(Role::Responder);
    tour.page("not-allowed", "/settings");
    tour.tab.press("Back to the incidents");
    tour.tab.press("Sign out");
    tour.tab
        .until("signed out", "location.pathname === '/sign-in'");
    tour.sign_in(Role::Admin);
    turned_away(&mut tour);
    tour.pages(&[
        ("no-incident", "/incidents/INC-9999"),
        ("no-facts", "/incidents/INC-9999/facts"),
        ("no-connector", "/connectors/nobody"),
        ("no-page", "/nowhere"),
        ("list-question", "/?severity=SEV-9"),
        ("metric-question", "/metric/mttr?from=yesterday-ish"),
        ("metric-unknown-value", "/metric/mttr?service=paymnets"),
        ("overview-question", "/overview?from=2026-13-01"),
        ("findings-question", "/findings?measure=hours"),
    ]);
    declare_refused(&mut tour);
    away(&mut tour);
}

/// After five attempts that failed.
fn locked(tour: &mut Tour<'_>) {
    for _ in 0..5 {
        tour.tab.fill("Password", "still not the password");
        tour.tab.press_on("button.primary");
        tour.tab.until(
            "an answer",
            "document.querySelector('input[type=password]')?.value === ''",
        );
    }
    tour.tab.sees("Too many attempts failed");
    tour.look.at(&tour.tab, "sign-in-locked");
}

/// What is refused before any page is made: another name, a form of another page, one of somebody who is not signed in
/// any more.
fn turned_away(tour: &mut Tour<'_>) {
    let url = tour.stage.url.clone();
    // Browsers find such names on their own machine.
    tour.tab.go(&url.replace("127.0.0.1", FOREIGN));
    tour.tab.sees("does not go by the name");
    tour.look.at(&tour.tab, "another-name");
    tour.tab.go(&format!("{url}/account"));
    tour.tab.ask("document.body.append(Object.assign(document.createElement('form'), { method: 'post', action: '/sign-out', id: 'own' })), own.submit()");
    tour.tab.sees("was sent by another page");
    tour.look.at(&tour.tab, "foreign-form");
    tour.tab.go(&format!("{url}/account"));
    let end = |tx: &mut im_store::Tx<'_>| sessions::end_of(tx, &address(Role::Admin));
    tour.stage.app.db.write(end).wait().unwrap();
    tour.tab.press("Sign out");
    tour.tab.sees("nobody is signed in");
    tour.look.at(&tour.tab, "signed-out-form");
    tour.sign_in(Role::Admin);
}

fn declare_refused(tour: &mut Tour<'_>) {
    tour.tab.go(&format!("{}/declare", tour.stage.url));
    tour.tab.fill("What is wrong", &"checkout ".repeat(150));
    tour.tab.press("Declare incident");
    tour.tab.sees("Put the rest into the description");
    tour.look.at(&tour.tab, "declare-refused");
}

/// PagerDuty is away, and then the database.
fn away(tour: &mut Tour<'_>) {
    let stage = tour.stage;
    stage
        .stand_in
        .with(|sim| sim.faults().outage = Some(Outage::Unavailable));
    tour.page("on-call-away", "/on-call");
    stage.api(
        "POST",
        &format!("/api/v1/connectors/{CONNECTOR}/sync"),
        &json!({}),
    );
    stage.until("it is seen", |stage| {
        let connector = stage.api(
            "GET",
            &format!("/api/v1/connectors/{CONNECTOR}"),
            &Value::Null,
        );
        connector["status"] != "active"
    });
    tour.pages(&[
        ("incidents-away", "/"),
        ("connector-away", &format!("/connectors/{CONNECTOR}")),
        (
            "connector-settings-away",
            &format!("/connectors/{CONNECTOR}/settings"),
        ),
        ("status-away", "/status"),
        ("integrations-away", "/integrations"),
    ]);
    let away = stage.overloaded();
    for (name, path) in [
        ("database-away", "/"),
        ("metric-database-away", "/metric/mttr"),
    ] {
        tour.tab.go(&format!("{away}{path}"));
        tour.look.at(&tour.tab, name);
    }
}
