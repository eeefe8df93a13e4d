//! A site with made-up incidents, asked without a socket.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use im::clock::Clock;
use im::local::assemble;
use im::secret::Vault;
use im::web::{WebState, routes};
use im_core::{
    Actor, Command, Conflict, Fact, Field, IncidentNumber, Kind, PeerStatus, Person, Severity,
    Snapshot, Source, Strategy,
};
use im_engine::{commands, connector, record};
use im_pagerduty::Secret;
use im_store::connectors::{self, State};
use im_store::{Db, DbOptions, StoreError, Tx, conflicts, incidents};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(crate) const CONNECTOR: &str = "prod-pagerduty";
/// A page may be larger than this only by mistake.
const BODY_MAX: usize = 1 << 20;

/// The instant at which every page is made.
pub(crate) fn now() -> Timestamp {
    at("14:42:03")
}

/// An instant of the day, on which every story is told.
pub(crate) fn at(clock: &str) -> Timestamp {
    format!("2026-11-20T{clock}Z").parse().unwrap()
}

pub(crate) fn person(name: &str) -> Person {
    Person {
        id: format!("{}@example.com", name.to_lowercase().replace(' ', ".")),
        name: Some(name.to_owned()),
    }
}

fn actor(name: &str) -> Actor {
    Actor::user(person(name).id, name)
}

/// An answer, read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// The pages over a database in memory.
pub(crate) struct Site {
    pub(crate) db: Db,
    state: WebState,
    pub(crate) changes: watch::Sender<i64>,
    pub(crate) stop: CancellationToken,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(&DbOptions::new("sqlite::memory:", 7).unwrap())
    }

    pub(crate) fn with(options: &DbOptions) -> Self {
        let db = Db::open(options).unwrap();
        let vault = Arc::new(Vault::with_key(Secret::new("ab".repeat(32))));
        let app = assemble(db.clone(), vault, Clock::manual(now()), true);
        let (changes, stop) = (watch::Sender::new(1), app.stop.clone());
        Self {
            db,
            state: WebState::new(Arc::new(app), changes.subscribe()),
            changes,
            stop,
        }
    }

    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.db.write(work).wait().unwrap()
    }

    pub(crate) fn connect(&self) {
        self.write(|tx| {
            let config = r#"{"sync_direction": "bidirectional",
                "custom": {"service_id": "PPAY001", "from_email": "im@example.com"}}"#;
            connectors::insert(tx, CONNECTOR, config, "sealed", &[], at("08:00:00"))?;
            connectors::set_webhook(tx, CONNECTOR, Some("PHOOK01"), &["sealed".to_owned()])?;
            connectors::set_state(tx, CONNECTOR, State::Active, None, Timestamp::UNIX_EPOCH)
        });
    }

    pub(crate) fn declare(
        &self,
        clock: &str,
        title: &str,
        severity: Severity,
        service: &str,
    ) -> IncidentNumber {
        self.declare_as(clock, title, severity, &[service])
    }

    /// Lets the connector have a service of its own for one of ours.
    pub(crate) fn map(&self, service: &'static str, id: &'static str) {
        self.write(move |tx| {
            let row = connectors::find(tx, CONNECTOR)?.unwrap();
            let mut config: serde_json::Value = serde_json::from_str(&row.config).unwrap();
            config["custom"]["service_mappings"][service] = id.into();
            connectors::configure(tx, CONNECTOR, &config.to_string(), &row.api_key, row.state)
        });
    }

    /// An incident of several services.
    pub(crate) fn declare_for(
        &self,
        clock: &str,
        title: &str,
        services: &[&str],
    ) -> IncidentNumber {
        self.declare_as(clock, title, Severity::Sev1, services)
    }

    fn declare_as(
        &self,
        clock: &str,
        title: &str,
        severity: Severity,
        services: &[&str],
    ) -> IncidentNumber {
        let command = Command::Declare {
            title: title.to_owned(),
            severity,
            description: None,
            services: services.iter().map(|name| (*name).to_owned()).collect(),
        };
        let now = at(clock);
        let asked = self
            .db
            .write(move |tx| commands::declare(tx, &command, None, &actor("Hanna Becker"), now));
        asked.wait().unwrap().incident
    }

    pub(crate) fn act(&self, incident: IncidentNumber, clock: &str, by: &str, command: Command) {
        let (now, by) = (at(clock), actor(by));
        let asked = self
            .db
            .write(move |tx| commands::act(tx, incident, &command, None, &by, now));
        asked.wait().unwrap();
    }

    /// Both sides renamed an incident, and a person is to decide.
    pub(crate) fn hold(&self, number: i64) {
        let found = Conflict {
            field: Field::Title,
            base: "Slow".to_owned(),
            ours: "Slow checkout".to_owned(),
            ours_at: at("14:20:00"),
            ours_by: Some("Hanna Becker".to_owned()),
            theirs: "Slow payments".to_owned(),
            theirs_at: at("14:21:00"),
            strategy: Strategy::ManualReview,
            verdict: None,
        };
        let of = (CONNECTOR, IncidentNumber::new(number).unwrap());
        self.write(move |tx| {
            let pending = conflicts::State::Pending;
            conflicts::put(tx, of, &found, "c1", pending, at("14:22:00"))
        });
    }

    /// An incident that PagerDuty tells of, by its log.
    pub(crate) fn hear(&self, title: &str, twin: Twin, log: Vec<Told>) -> IncidentNumber {
        let title = title.to_owned();
        self.write(move |tx| {
            let connector = connector::load(tx, CONNECTOR)?;
            let now = at("14:42:00");
            let incident = incidents::insert(tx, Some(CONNECTOR), |_| None, now)?;
            let facts = log.iter().enumerate().map(|(index, told)| {
                let id = format!("{}-{index}", twin.number);
                let mut fact = told.fact(id);
                if index == 0 {
                    fact.value = Some(title.clone());
                }
                if index + 1 == log.len() {
                    fact = fact.showing(twin.snapshot(&title, told));
                }
                (fact, None)
            });
            let facts: Vec<_> = facts.collect();
            record::record(tx, incident, connector.as_ref(), &facts, now)?;
            Ok(incident)
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        // The word of a form follows from it.
        let secret = "a".repeat(64);
        let cookie = format!("im={secret}; __Host-im={secret}");
        let request = Request::get(path).header("cookie", cookie);
        read(self.ask(request.body(Body::empty()).unwrap()).await).await
    }

    pub(crate) async fn get_from(&self, peer: &str, headers: &[(&str, &str)]) -> Answer {
        let peer: SocketAddr = peer.parse().unwrap();
        let mut request = Request::get("/").extension(ConnectInfo(peer));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(self.ask(request.body(Body::empty()).unwrap()).await).await
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Response {
        routes(self.state.clone()).oneshot(request).await.unwrap()
    }
}

async fn read(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        // A font is no text.
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// PagerDuty's side of an incident.
#[derive(Clone)]
pub(crate) struct Twin {
    pub(crate) number: i64,
    pub(crate) service: &'static str,
    pub(crate) status: PeerStatus,
    pub(crate) who: &'static str,
    /// PagerDuty's id of the incident that it was merged into.
    pub(crate) merged_into: Option<&'static str>,
}

impl Twin {
    fn snapshot(&self, title: &str, last: &Told) -> Snapshot {
        let named = |id: &str, name: &str| im_core::Named {
            id: id.to_owned(),
            name: Some(name.to_owned()),
        };
        Snapshot {
            version: at(last.clock),
            read_at: None,
            answered_at: None,
            id: format!("Q{}", self.number),
            number: Some(self.number),
            html_url: Some(format!(
                "https://northwind.pagerduty.com/incidents/Q{}",
                self.number
            )),
            incident_key: None,
            created_at: None,
            status: Some(self.status),
            title: Some(title.to_owned()),
            urgency: Some(im_core::Urgency::High),
            priority: Some(Some(named("PPRIO1", "P1"))),
            service: Some(named("PPAY001", self.service)),
            policy: Some(named("PPOL001", "Payments primary")),
            assignees: (!self.who.is_empty()).then(|| vec![person(self.who)]),
            teams: Some(vec![named("PTEAM01", "Payments")]),
            merged_into: self.merged_into.map(str::to_owned),
        }
    }
}

/// A line of PagerDuty's log.
#[derive(Clone)]
pub(crate) struct Told {
    clock: &'static str,
    kind: Kind,
    by: Actor,
    value: Option<&'static str>,
    about: &'static str,
}

impl Told {
    pub(crate) fn new(clock: &'static str, kind: Kind) -> Self {
        Self {
            clock,
            kind,
            by: Actor::NOBODY,
            value: None,
            about: "",
        }
    }

    pub(crate) fn by(mut self, name: &str) -> Self {
        self.by = actor(name);
        self
    }

    pub(crate) fn value(mut self, value: &'static str) -> Self {
        self.value = Some(value);
        self
    }

    pub(crate) fn about(mut self, name: &'static str) -> Self {
        self.about = name;
        self
    }

    fn fact(&self, id: String) -> Fact {
        let mut fact = Fact::new(
            Source::LogEntry,
            id,
            self.kind,
            self.by.clone(),
            at(self.clock),
        );
        fact.value = self.value.map(str::to_owned);
        if !self.about.is_empty() {
            fact.people = vec![person(self.about)];
        }
        fact
    }
}

/// A day of many incidents, some of them open.
pub(crate) fn busy() -> Site {
    let site = Site::new();
    site.connect();
    over(&site);
    let search = vec![
        Told::new("12:51:00", Kind::Triggered),
        Told::new("13:20:00", Kind::Acknowledged).by("Amara Osei"),
    ];
    site.hear(
        "Search results stale for sellers in ES",
        twin(
            48201,
            "search-indexer",
            PeerStatus::Acknowledged,
            "Amara Osei",
        ),
        search,
    );
    site.hear(
        "Checkout returns 502 for card payments in EU",
        twin(
            48213,
            "payments-api",
            PeerStatus::Acknowledged,
            "Priya Raman",
        ),
        checkout(),
    );
    let lag = site.declare(
        "14:20:11",
        "Ledger replica lag above 90 s",
        Severity::Sev2,
        "ledger-db",
    );
    site.act(
        lag,
        "14:21:40",
        "Hanna Becker",
        Command::Assign {
            to: vec![person("Tomás Oliveira")],
        },
    );
    site
}

/// What was over by noon.
fn over(site: &Site) {
    let adyen = vec![
        Told::new("02:46:10", Kind::Triggered),
        Told::new("02:49:02", Kind::Acknowledged).by("Priya Raman"),
        Told::new("03:38:40", Kind::Resolved)
            .by("Priya Raman")
            .value("human"),
    ];
    site.hear(
        "Adyen webhook retries exhausted",
        twin(48166, "payments-api", PeerStatus::Resolved, ""),
        adyen,
    );
    let queue = vec![
        Told::new("07:42:00", Kind::Triggered),
        Told::new("08:13:20", Kind::Resolved).value("timer"),
    ];
    site.hear(
        "Notifications queue deeper than 50,000",
        twin(48174, "notifications", PeerStatus::Resolved, ""),
        queue,
    );
    let keys = vec![
        Told::new("09:39:00", Kind::Triggered),
        Told::new("09:41:10", Kind::Acknowledged).by("Jun Watanabe"),
        Told::new("10:26:30", Kind::Resolved)
            .by("Jun Watanabe")
            .value("human"),
    ];
    site.hear(
        "auth-gateway: many 401s after key rotation",
        twin(48188, "auth-gateway", PeerStatus::Resolved, ""),
        keys,
    );
}

fn twin(number: i64, service: &'static str, status: PeerStatus, who: &'static str) -> Twin {
    Twin {
        number,
        service,
        status,
        who,
        merged_into: None,
    }
}

/// What happened at the checkout.
pub(crate) fn checkout() -> Vec<Told> {
    vec![
        Told::new("14:02:03", Kind::Triggered),
        Told::new("14:02:05", Kind::Notified)
            .about("Priya Raman")
            .value("push"),
        Told::new("14:03:05", Kind::Notified)
            .about("Priya Raman")
            .value("phone"),
        Told::new("14:04:37", Kind::Acknowledged).by("Priya Raman"),
        Told::new("14:09:12", Kind::PriorityChanged)
            .by("Priya Raman")
            .value("P1"),
        Told::new("14:21:47", Kind::Responder)
            .about("Tomás Oliveira")
            .value("joined"),
        Told::new("14:41:08", Kind::Noted).by("Priya Raman").value(
            "Rolled back payments-api to 2026.11.20-3. The 502 rate fell from 31 % to 2 %. \
             Watching it for ten minutes before I resolve.",
        ),
    ]
}
