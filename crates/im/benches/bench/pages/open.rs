//! Two hundred people with an open page, told of what happens: each asks again for what it has not, on a connection that stays.
//!
//! Where there is Chromium, one more of them is a real browser.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use im::access;
use im_store::accounts::{self, Role};
use im_store::sessions::{self, SessionRow};
use im_store::{Db, StoreError, Tx};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::browser;
use crate::report::{Figure, Report, Target, say};
use crate::server::{Server, client};
use crate::spread::Spread;
use crate::wire::{self, Wire};

const OPEN: usize = 200;
/// What they have open, and whether it shows what is new.
const PAGES: [(&str, &str, bool); 3] = [
    (
        "/",
        "200 open lists are told of a new incident and have it",
        true,
    ),
    (
        "/overview",
        "200 open overviews are told of it and have it",
        true,
    ),
    (
        "/incidents/INC-99999",
        "200 open pages of another incident look again",
        false,
    ),
];
/// New incidents that open pages show.
const NEW: usize = 10;
/// Between two of them: a page looks once a second where much happens.
const BETWEEN: Duration = Duration::from_millis(1_500);
const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// An open page.
struct Open {
    told: TcpStream,
    asks: Wire,
    again: Vec<u8>,
}

/// Measures.
pub(super) fn measure(server: &Server, report: &mut Report) {
    say("200 people with an open page");
    let token = wire::post(
        "/api/v1/tokens",
        "",
        &json!({"name": "bench", "role": "responder"}).to_string(),
    );
    let token = client(async { Wire::open(server.address).await.send(&token).await.is(201) });
    let token = token["secret"].as_str().unwrap();
    let cookies = sign_in(&server.db);
    let mut tab = match browser::is_missing() {
        Some(_) => None,
        None => Some(browser::Open::list(server.address, &cookies[OPEN])),
    };
    let target = |spread: &Spread| Some(Target::at_most(spread.percentile_ms(95), 200.0, "ms"));
    for (path, name, shows) in PAGES {
        let open = (path, shows, &cookies[..OPEN]);
        let (pages, tabs) = client(all(server.address, token, open, tab.as_ref()));
        report.add(Figure {
            name,
            value: pages.words(),
            limit: "each page of another person, from before the incident is declared".to_owned(),
            target: target(&pages),
        });
        // It has the list open.
        if tab.take().is_some() {
            report.add(Figure {
                name: "a browser beside them shows it",
                value: tabs.words(),
                limit: "the frame is painted".to_owned(),
                target: target(&tabs),
            });
        }
    }
}

/// People who are signed in; what their browsers say.
fn sign_in(db: &Db) -> Vec<String> {
    let secrets: Vec<String> = (0..=OPEN).map(|number| format!("{number:064x}")).collect();
    let made = secrets.clone();
    let written = db.write(move |tx| {
        for (number, secret) in made.iter().enumerate() {
            let email = format!("person{number}@company.com");
            person(tx, &email, Role::Responder, secret)?;
        }
        Ok(())
    });
    written.wait().map_err(|error: StoreError| error).unwrap();
    secrets
}

/// Somebody who is signed in; an owner sees how single people respond, too.
pub(super) fn person(
    tx: &mut Tx<'_>,
    email: &str,
    role: Role,
    secret: &str,
) -> Result<(), StoreError> {
    let now = im::clock::now();
    accounts::insert(tx, email, email, role, role == Role::Owner, now)?;
    let session = SessionRow {
        hash: access::hash(secret),
        email: email.to_owned(),
        made_at: now,
        expires_at: now + DAY,
        address: String::new(),
        agent: String::new(),
        seen_at: now,
    };
    sessions::insert(tx, &session)
}

/// Opens pages, lets things happen, and waits until each has been told and has them.
async fn all(
    address: SocketAddr,
    token: &str,
    (path, shows, cookies): (&str, bool, &[String]),
    tab: Option<&browser::Open>,
) -> (Spread, Spread) {
    let mut open = Vec::new();
    for cookie in cookies {
        open.push(Open::page(address, path, cookie).await);
    }
    let headers = format!("authorization: Bearer {token}\r\n");
    let mut declares = Wire::open(address).await;
    let (mut pages, mut tabs) = (Vec::new(), Vec::new());
    for round in 0..NEW {
        let title = format!("Outage {round} of {path}");
        let new = json!({"title": title, "severity": "SEV-1"}).to_string();
        let new = wire::post("/api/v1/incidents", &headers, &new);
        tokio::time::sleep(BETWEEN).await;
        let (begun, on_the_clock) = (Instant::now(), now_ms());
        declares.send(&new).await.is(201);
        let mut looks = JoinSet::new();
        for mut page in open.drain(..) {
            looks.spawn(async move {
                page.look().await;
                (page, begun.elapsed())
            });
        }
        for (page, time) in looks.join_all().await {
            open.push(page);
            pages.push(time);
        }
        if let Some(tab) = tab {
            tabs.push(Duration::from_secs_f64(
                (tab.shown_ms() - on_the_clock) / 1_000.0,
            ));
        }
        if shows {
            open[0].has(&title).await;
        }
    }
    (Spread::of(pages), Spread::of(tabs))
}

fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs_f64() * 1_000.0
}

impl Open {
    async fn page(address: SocketAddr, path: &str, cookie: &str) -> Self {
        let cookie = format!("cookie: im={cookie}\r\n");
        let mut told = TcpStream::connect(address).await.unwrap();
        let listen = wire::get_with("/live", &cookie);
        told.write_all(&listen).await.unwrap();
        hear(&mut told).await;
        let mut asks = Wire::open(address).await;
        let page = asks.send(&wire::get_with(path, &cookie)).await;
        let page = String::from_utf8(page.body).unwrap();
        let marks = page.split("data-mark=\"").skip(1);
        let marks: Vec<&str> = marks.filter_map(|rest| rest.get(..16)).collect();
        let headers = format!("{cookie}im-has: {}\r\n", marks.join(" "));
        Self {
            told,
            asks,
            again: wire::get_with(path, &format!("{headers}accept-encoding: gzip\r\n")),
        }
    }

    /// Waits until it is told of something, and asks for it.
    async fn look(&mut self) {
        hear(&mut self.told).await;
        assert_eq!(self.asks.send(&self.again).await.status, 200);
    }

    /// Fails unless what it is shown has this incident in it.
    async fn has(&mut self, incident: &str) {
        let again = String::from_utf8(self.again.clone()).unwrap();
        let plain = again.replace("accept-encoding: gzip\r\n", "");
        let page = self.asks.send(plain.as_bytes()).await;
        let page = String::from_utf8_lossy(&page.body);
        assert!(page.contains(incident), "{incident} is not on the page");
    }
}

/// Waits for the next number.
async fn hear(stream: &mut TcpStream) {
    let mut told = Vec::new();
    while !told.windows(5).any(|some| some == b"data:") {
        assert!(stream.read_buf(&mut told).await.unwrap() > 0);
    }
}
