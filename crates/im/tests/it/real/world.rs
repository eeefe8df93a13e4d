//! The processes of a run, and what their proxies and people share.

use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::history::History;
use super::plan::{BLOWS_MAX, Fate, Kills, Point, Way, stream};
use super::stand_in::StandIn;
use super::{Size, proxy};
use crate::process::place::{Kind, Place};
use crate::process::server::{Server, Setup};
use crate::process::wire::{self, Message};

/// How long one waits for something to happen before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Nothing takes so long, unless something is broken: the longest wait between two attempts of
/// PagerDuty's is 20 s after three failures, and of ours 60 s.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// What was counted.
#[derive(Default)]
pub(crate) struct Counts {
    /// Deliveries that were answered with 2xx.
    pub(crate) taken: AtomicU64,
    pub(crate) copies: AtomicU64,
    pub(crate) cuts: AtomicU64,
    pub(crate) holds: AtomicU64,
    pub(crate) kills: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) calls: AtomicU64,
}

pub(crate) struct World {
    pub(crate) size: Size,
    pub(crate) stand_ins: Vec<StandIn>,
    pub(crate) server_address: SocketAddr,
    server: Mutex<Server>,
    pub(crate) history: History,
    pub(crate) counts: Counts,
    /// Whether anything goes wrong.
    is_wild: AtomicBool,
    /// Exchanges that have not ended, and copies that have not come.
    pub(crate) under_way: AtomicU64,
    kills: Mutex<Kills>,
    chances: Mutex<BTreeMap<(usize, &'static str), Rng>>,
    blows: Mutex<HashMap<String, u32>>,
    rest: (Mutex<()>, Condvar),
}

/// A world whose processes end with it: its proxies outlive it.
pub(crate) struct Running(Arc<World>);

impl std::ops::Deref for Running {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stand_ins.iter().for_each(StandIn::end);
        // Somebody may have failed while he held it.
        let server = self.server.lock();
        server.unwrap_or_else(PoisonError::into_inner).end();
    }
}

/// The name of an account's connector.
pub(crate) fn connector(account: usize) -> String {
    format!("pd{account}")
}

impl World {
    /// Starts everything and connects it.
    pub(crate) fn begin(size: Size, folder: &Path) -> Running {
        let first = size.seed.wrapping_mul(1_000);
        let seeds = (0..size.accounts).map(|account| first + u64::try_from(account).unwrap());
        let stand_ins: Vec<StandIn> = seeds.map(StandIn::start).collect();
        let door = listen();
        let setup = Setup {
            lease: size.lease.to_owned(),
            public_url: Some(format!("http://{}", door.local_addr().unwrap())),
        };
        let server = Server::told(Place::new(Kind::Sqlite), setup);
        let world = Arc::new(Self {
            size,
            stand_ins,
            server_address: server.address,
            server: Mutex::new(server),
            history: History::begin(&folder.join("history.jsonl")),
            counts: Counts::default(),
            is_wild: AtomicBool::new(false),
            under_way: AtomicU64::new(0),
            kills: Mutex::new(Kills::new(size.seed, size.kill_every)),
            chances: Mutex::default(),
            blows: Mutex::default(),
            rest: Default::default(),
        });
        let running = Running(Arc::clone(&world));
        proxy::webhooks(&world, door);
        for account in 0..size.accounts {
            let line = listen();
            let address = line.local_addr().unwrap();
            proxy::calls(&world, account, line);
            world.connect(account, address);
        }
        running
    }

    /// Adds the connector of an account that is reached at `address`.
    fn connect(&self, account: usize, address: SocketAddr) {
        let known = &self.stand_ins[account];
        let config = json!({
            "api_key": known.account["api_key"],
            "base_url": format!("http://{address}"),
            "sync_direction": "bidirectional",
            // What was lost must not be mended by a comparison.
            "sync_interval": "24h",
            "custom": {
                "service_id": known.ids("services")[0],
                "from_email": known.account["users"][0]["email"],
            },
        });
        let name = connector(account);
        let path = format!("/api/v1/connectors/{name}");
        let new = json!({"name": name, "type": "pagerduty", "config": config});
        self.must("/api/v1/connectors", &new);
        let enable = json!({"action": "enable", "insecure": true});
        self.must(&format!("{path}/webhook"), &enable);
        self.must(&format!("{path}/sync"), &json!({}));
        self.until("the first comparison", || {
            let view = self.get(&path);
            let is_told = view["webhook"]["state"] == "enabled" && view["last_sync"].is_string();
            (!is_told).then(|| view.to_string())
        });
    }

    /// From now on things go wrong, or not any more.
    pub(crate) fn be_wild(&self, is_wild: bool) {
        self.is_wild.store(is_wild, Ordering::SeqCst);
    }

    /// Whether enough was delivered.
    pub(crate) fn is_enough(&self) -> bool {
        self.counts.taken.load(Ordering::SeqCst) >= self.size.deliveries
    }

    /// What happens to an exchange: a kill somewhere in it, or something else that goes wrong.
    pub(crate) fn fate(&self, account: usize, way: Way, webhook: Option<&str>) -> Doom {
        if !self.is_wild.load(Ordering::SeqCst) {
            return Doom::Fate(Fate::Straight);
        }
        if let Some((point, rest)) = self.kills.lock().unwrap().meet() {
            return Doom::Kill(point, rest);
        }
        let mut chances = self.chances.lock().unwrap();
        let part = 10 + u64::from(way == Way::Call);
        let rng = chances
            .entry((account, way.word()))
            .or_insert_with(|| stream(self.size.seed, account, part));
        let fate = Fate::draw(rng, way);
        let Some(webhook) = webhook.filter(|_| fate.is_blow()) else {
            return Doom::Fate(fate);
        };
        let mut blows = self.blows.lock().unwrap();
        let blows = blows.entry(webhook.to_owned()).or_default();
        *blows += 1;
        Doom::Fate(if *blows > BLOWS_MAX {
            Fate::Straight
        } else {
            fate
        })
    }

    /// Kills the server and starts it again.
    pub(crate) fn kill(&self, rest: Duration, what: &Value) {
        let mut server = self.server.lock().unwrap();
        server.check();
        server.kill(rest);
        self.counts.kills.fetch_add(1, Ordering::SeqCst);
        self.history.tell(what.clone());
    }

    /// Looks at the server while nobody kills it.
    pub(crate) fn with_server<T>(&self, look: impl FnOnce(&mut Server) -> T) -> T {
        look(&mut self.server.lock().unwrap())
    }

    /// Lets time pass, because that is what is tested: a pace, or a hold.
    pub(crate) fn pause(&self, pause: Duration) {
        let lock = self.rest.0.lock().unwrap();
        drop(self.rest.1.wait_timeout(lock, pause).unwrap());
    }

    /// Waits until nothing is missing any more; `missing` says what is.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, missing: impl Fn() -> Option<String>) {
        if let Err(missing) = self.settled(missing) {
            panic!("never came: {what}: {missing}");
        }
    }

    /// The same; an error says what was missing to the end.
    pub(crate) fn settled(&self, missing: impl Fn() -> Option<String>) -> Result<(), String> {
        let until: Timestamp = im::clock::now() + PATIENCE;
        let mut told = String::new();
        while let Some(missing) = missing() {
            if im::clock::now() > until {
                return Err(missing);
            }
            if told != missing {
                self.history.tell(json!({"what": "wait", "for": missing}));
                told = missing;
            }
            self.pause(LOOK_AGAIN);
        }
        Ok(())
    }

    /// What somebody still has to tell somebody.
    pub(crate) fn unrest(&self) -> Option<String> {
        let under_way = self.under_way.load(Ordering::SeqCst);
        if under_way > 0 {
            return Some(format!("{under_way} exchanges are under way"));
        }
        for (account, stand_in) in self.stand_ins.iter().enumerate() {
            let owed = stand_in.owed();
            if owed > 0 {
                return Some(format!(
                    "PagerDuty {account} has {owed} webhooks to deliver"
                ));
            }
        }
        let metrics = self.ask("GET", "/metrics", "", &Value::Null);
        let metrics = String::from_utf8(metrics.body).unwrap();
        let waiting = metrics
            .lines()
            .find(|line| line.starts_with("im_inbox_waiting "));
        if waiting != Some("im_inbox_waiting 0") {
            return Some(format!("the inbox is not empty: {waiting:?}"));
        }
        let all = self.get("/api/v1/connectors");
        let owes = |one: &&Value| one["pending"] != 0 || one["parked"] != 0;
        let owing = all.as_array().unwrap().iter().find(owes)?;
        let (name, pending, parked) = (&owing["name"], &owing["pending"], &owing["parked"]);
        Some(format!(
            "{name} owes {pending} and parked {parked}: {}",
            owing["status_reason"]
        ))
    }
}

/// What an exchange meets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Doom {
    Kill(Point, Duration),
    Fate(Fate),
}

/// The server's API.
impl World {
    /// One request of somebody's.
    pub(crate) fn request(&self, method: &str, path: &str, who: &str, body: &Value) -> Message {
        let mut headers = vec![
            ("host".to_owned(), self.server_address.to_string()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        if !who.is_empty() {
            headers.push(("im-as".to_owned(), who.to_owned()));
        }
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        Message::request(method, path, &headers, &body)
    }

    /// Asks until there is an answer; only for what may be asked twice.
    pub(crate) fn ask(&self, method: &str, path: &str, who: &str, body: &Value) -> Message {
        let request = self.request(method, path, who, body);
        let until: Timestamp = im::clock::now() + PATIENCE;
        while im::clock::now() < until {
            let answer = wire::send(self.server_address, &request.bytes())
                .and_then(|mut stream| wire::receive(&mut stream));
            match answer {
                Ok(answer) if answer.status() != 503 => return answer,
                // A kill takes as long as the next start.
                Ok(_) | Err(_) => self.with_server(Server::check),
            }
            self.pause(LOOK_AGAIN);
        }
        panic!("no answer to {method} {path}");
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "", &Value::Null);
        assert_eq!(answer.status(), 200, "{path}: {:#}", answer.json());
        answer.json()
    }

    fn must(&self, path: &str, body: &Value) {
        let answer = self.ask("POST", path, "", body);
        assert!(answer.status() < 300, "{path}: {:#}", answer.json());
    }
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}
