//! A server, a PagerDuty beside it, and somebody who kills the server at chosen steps.
//!
//! PagerDuty is the stand-in behind a socket. It delivers its webhooks one after the other, and
//! again until they are taken, as PagerDuty does for 48 hours.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use im::clock::Clock;
use pd_sim::account::Account;
use pd_sim::{Delivery, DeliveryResult, Request, Sim};
use serde_json::{Value, json};

use crate::process::place::{Kind, Place};
use crate::process::server::Server;
use crate::process::wire::{self, Message};

/// The connector of every world.
pub(crate) const CONNECTOR: &str = "pd";
/// How long one waits for something to happen before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(40);
/// How often one looks before giving up: a minute at least.
const LOOKS_MAX: u32 = 1_500;

/// What a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// A person's command, over the API.
    Command,
    /// A webhook.
    Webhook,
    /// A call to PagerDuty.
    Call,
}

/// A step of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Point {
    /// A request to us is half sent; a request to PagerDuty is there and nothing is done yet.
    Before,
    /// A request to us is sent; PagerDuty has done its work. Nothing is answered yet.
    During,
    /// The answer is there.
    Answered,
    /// A little later.
    Later,
}

impl Point {
    pub(crate) const ALL: [Self; 4] = [Self::Before, Self::During, Self::Answered, Self::Later];
}

/// One place where the server can be struck.
pub(crate) type Step = (What, usize, Point);

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Stop,
}

/// What is going to happen to the server.
pub(crate) type Blows = BTreeMap<Step, Blow>;

#[derive(Default)]
struct Fate {
    blows: Blows,
    /// How many exchanges of each sort there were since counting began.
    seen: BTreeMap<What, usize>,
    counts: bool,
    times: Times,
}

/// How long things take.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    /// What [`Point::Later`] means: what an answer set off is under way.
    pub(crate) later: Duration,
    /// From a kill to the next start.
    pub(crate) rest: Duration,
}

/// What the test and the threads of PagerDuty share.
pub(crate) struct World {
    sim: Mutex<Sim>,
    /// Something happened at PagerDuty.
    moved: Condvar,
    server: Mutex<Server>,
    server_address: SocketAddr,
    sim_address: SocketAddr,
    fate: Mutex<Fate>,
    acked: Mutex<BTreeSet<String>>,
    trouble: Mutex<Vec<String>>,
    is_over: AtomicBool,
    /// What is in PagerDuty.
    pub(crate) account: Account,
}

/// A world and the threads in it.
pub(crate) struct Running {
    pub(crate) world: Arc<World>,
    threads: Vec<JoinHandle<()>>,
}

impl std::ops::Deref for Running {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.world.is_over.store(true, Ordering::SeqCst);
        // Wakes who waits for a connection.
        drop(TcpStream::connect(self.world.sim_address));
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

/// A server with a two-way connector whose webhook is on, and nothing to do.
pub(crate) fn begin(kind: Kind) -> Running {
    begin_with(Server::new(Place::new(kind)))
}

/// The same with a server that has lived already.
pub(crate) fn begin_with(server: Server) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sim_address = listener.local_addr().unwrap();
    let now = Clock::System.now();
    let options = pd_sim::Options {
        base_url: format!("http://{sim_address}"),
        ..pd_sim::Options::default()
    };
    let mut sim = Sim::new(options, now);
    let account = pd_sim::account::lively(&mut sim, now);
    let world = Arc::new(World {
        sim: Mutex::new(sim),
        moved: Condvar::new(),
        server_address: server.address,
        server: Mutex::new(server),
        sim_address,
        fate: Mutex::default(),
        acked: Mutex::default(),
        trouble: Mutex::default(),
        is_over: AtomicBool::new(false),
        account,
    });
    let (answers, delivers) = (Arc::clone(&world), Arc::clone(&world));
    let threads = vec![
        std::thread::spawn(move || answers.listen(&listener)),
        std::thread::spawn(move || delivers.deliver_all()),
    ];
    let running = Running { world, threads };
    running.connect();
    running
}

impl World {
    /// Adds the connector and lets its first comparison end.
    fn connect(&self) {
        let account = &self.account;
        let config = json!({
            "api_key": account.api_key,
            "base_url": format!("http://{}", self.sim_address),
            "sync_direction": "bidirectional",
            // Only what is stored may heal what a kill broke, not a comparison.
            "sync_interval": "1h",
            "custom": {
                "service_id": account.services[0].0,
                "from_email": account.users[0].2,
                "service_mappings": {"db": account.services[2].0},
            },
        });
        let path = format!("/api/v1/connectors/{CONNECTOR}");
        let new = json!({"name": CONNECTOR, "type": "pagerduty", "config": config});
        self.must("/api/v1/connectors", &new);
        self.must(
            &format!("{path}/webhook"),
            &json!({"action": "enable", "insecure": true}),
        );
        self.must(&format!("{path}/sync"), &json!({}));
        self.until("the first comparison", || {
            let view = self.get(&path);
            view["webhook"]["state"] == "enabled" && view["last_sync"].is_string()
        });
        self.quiet();
    }

    /// From now on exchanges are counted, and these blows fall.
    pub(crate) fn let_fall(&self, blows: Blows, times: Times) {
        let mut fate = self.fate.lock().unwrap();
        *fate = Fate {
            blows,
            seen: BTreeMap::new(),
            counts: true,
            times,
        };
    }

    /// How many exchanges of each sort there were.
    pub(crate) fn seen(&self) -> BTreeMap<What, usize> {
        self.fate.lock().unwrap().seen.clone()
    }

    /// The blows that have not fallen.
    pub(crate) fn pending_blows(&self) -> Vec<Step> {
        self.fate.lock().unwrap().blows.keys().copied().collect()
    }

    /// The events that were answered with 202.
    pub(crate) fn acked(&self) -> BTreeSet<String> {
        self.acked.lock().unwrap().clone()
    }

    /// What went wrong in PagerDuty's threads.
    pub(crate) fn trouble(&self) -> Vec<String> {
        self.trouble.lock().unwrap().clone()
    }

    /// The server, while nobody strikes it.
    pub(crate) fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap()
    }

    /// Looks at PagerDuty, or acts there.
    pub(crate) fn at_pagerduty<T>(&self, act: impl FnOnce(&mut Sim, jiff::Timestamp) -> T) -> T {
        let done = act(&mut self.sim.lock().unwrap(), Clock::System.now());
        self.moved.notify_all();
        done
    }

    fn number(&self, what: What) -> usize {
        let mut fate = self.fate.lock().unwrap();
        if !fate.counts {
            return usize::MAX;
        }
        let seen = fate.seen.entry(what).or_default();
        *seen += 1;
        *seen
    }

    fn will_strike(&self, step: Step) -> bool {
        self.fate.lock().unwrap().blows.contains_key(&step)
    }

    /// Strikes the server if that is its fate; it runs again afterwards.
    fn strike(&self, step: Step) {
        if !self.will_strike(step) {
            return;
        }
        if step.2 == Point::Later {
            let later = self.fate.lock().unwrap().times.later;
            let sim = self.sim.lock().unwrap();
            drop(self.moved.wait_timeout(sim, later).unwrap());
        }
        let mut server = self.server();
        let (blow, times) = {
            let mut fate = self.fate.lock().unwrap();
            (fate.blows.remove(&step), fate.times)
        };
        match blow {
            Some(Blow::Kill) => server.kill(times.rest),
            Some(Blow::Stop) => server.restart(),
            None => {}
        }
    }

    /// Waits until the server runs.
    fn running(&self) {
        self.server().check();
    }

    /// Waits for something to happen at PagerDuty, and not long.
    fn wait(&self) {
        let sim = self.sim.lock().unwrap();
        drop(self.moved.wait_timeout(sim, LOOK_AGAIN).unwrap());
    }

    /// Waits until something is so.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        for _ in 0..LOOKS_MAX {
            if is_so() {
                return;
            }
            self.wait();
        }
        let seen = self.get("/api/v1/incidents");
        panic!("never came: {what}\n{seen:#}\n{}", self.server().log());
    }

    /// Waits until neither side has anything left to tell.
    pub(crate) fn quiet(&self) {
        self.until("quiet", || {
            let before = self.seen();
            let is_told = || {
                self.at_rest()
                    .subscriptions()
                    .iter()
                    .all(|subscription| subscription.queued.is_empty())
            };
            is_told()
                && self.is_digested()
                && self.owes_nothing()
                && is_told()
                && before == self.seen()
        });
    }

    fn at_rest(&self) -> MutexGuard<'_, Sim> {
        self.sim.lock().unwrap()
    }

    fn is_digested(&self) -> bool {
        let metrics = self.ask(&Message::request("GET", "/metrics", &self.headers(), b""));
        let text = String::from_utf8(metrics.body).unwrap();
        let has = |line: &str| text.lines().any(|found| found.starts_with(line));
        assert!(has("im_inbox_waiting "), "{text}");
        has("im_inbox_waiting 0")
    }

    fn owes_nothing(&self) -> bool {
        let incidents = self.get("/api/v1/incidents?limit=1000");
        let all = incidents.as_array().unwrap();
        all.iter().all(|incident| {
            let twin = &incident["pagerduty"];
            twin["id"].is_string() && twin["in_sync"] == true && twin["pending"] == json!([])
        })
    }
}

/// The server's API, as a person's program sees it.
impl World {
    fn headers(&self) -> Vec<(String, String)> {
        [
            ("host", self.server_address.to_string()),
            ("content-type", "application/json".to_owned()),
            ("im-as", self.account.users[1].2.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// Asks until there is an answer.
    fn ask(&self, request: &Message) -> Message {
        for _ in 0..LOOKS_MAX {
            let answered = wire::send(self.server_address, &request.bytes())
                .and_then(|mut stream| wire::receive(&mut stream));
            match answered {
                Ok(answer) => return answer,
                Err(_struck) => self.running(),
            }
        }
        panic!("no answer to {}", request.start);
    }

    /// Reads something.
    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask(&Message::request("GET", path, &self.headers(), b""));
        assert_eq!(answer.status(), 200, "{path}: {:#}", answer.json());
        answer.json()
    }

    fn must(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string().into_bytes();
        let answer = self.ask(&Message::request("POST", path, &self.headers(), &body));
        assert!(answer.status() < 300, "{path}: {:#}", answer.json());
        answer.json()
    }

    /// Gives a command. Whoever gets no answer looks whether it `happened`, and if not, says it
    /// again.
    pub(crate) fn command(&self, path: &str, body: &Value, happened: impl Fn() -> bool) {
        let number = self.number(What::Command);
        let body = body.to_string().into_bytes();
        let request = Message::request("POST", path, &self.headers(), &body);
        for _ in 0..LOOKS_MAX {
            match self.knock(What::Command, number, &request) {
                Some(answer) => {
                    assert!(answer.status() < 300, "{path}: {:#}", answer.json());
                    return;
                }
                None => self.running(),
            }
            if happened() {
                return;
            }
        }
        panic!("no answer to {path}");
    }

    /// One request to the server, struck where fate says so. No answer: nobody knows.
    fn knock(&self, what: What, number: usize, request: &Message) -> Option<Message> {
        let bytes = request.bytes();
        if self.will_strike((what, number, Point::Before)) {
            let half = bytes.len() - request.body.len() / 2;
            let stream = wire::send(self.server_address, &bytes[..half]);
            self.strike((what, number, Point::Before));
            drop(stream);
            return None;
        }
        let mut stream = wire::send(self.server_address, &bytes).ok()?;
        self.strike((what, number, Point::During));
        let answer = wire::receive(&mut stream).ok()?;
        self.strike((what, number, Point::Answered));
        self.strike((what, number, Point::Later));
        Some(answer)
    }
}

/// What PagerDuty does.
impl World {
    fn deliver_all(&self) {
        while !self.is_over.load(Ordering::SeqCst) {
            let due = self.at_rest().due(Clock::System.now());
            if due.is_empty() {
                self.wait();
            }
            for delivery in due {
                self.deliver(&delivery);
            }
        }
    }

    /// Tries until it is taken.
    fn deliver(&self, delivery: &Delivery) {
        let number = self.number(What::Webhook);
        let url: axum::http::Uri = delivery.url.parse().unwrap();
        let mut headers = delivery.headers.clone();
        headers.push(("host".to_owned(), self.server_address.to_string()));
        let request = Message::request("POST", url.path(), &headers, &delivery.body);
        while !self.is_over.load(Ordering::SeqCst) {
            match self.knock(What::Webhook, number, &request) {
                Some(answer) if answer.status() == 202 => {
                    let body: Value = serde_json::from_slice(&delivery.body).unwrap();
                    let event = body["event"]["id"].as_str().unwrap().to_owned();
                    self.acked.lock().unwrap().insert(event);
                    break;
                }
                Some(answer) if answer.status() >= 500 => self.wait(),
                Some(answer) => {
                    let text =
                        format!("a webhook was answered {}: {}", answer.start, answer.json());
                    self.trouble.lock().unwrap().push(text);
                    break;
                }
                None => self.running(),
            }
        }
        self.at_pagerduty(|sim, now| sim.delivered(delivery.id, DeliveryResult::Status(202), now));
    }

    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let world = Arc::clone(self);
            std::thread::spawn(move || world.answer(stream.unwrap()));
        }
    }

    /// Answers one call; whoever made it may be dead by then.
    fn answer(&self, mut stream: TcpStream) {
        let Ok(message) = wire::receive(&mut stream) else {
            return;
        };
        let request = request(&message);
        let number = if is_numbered(&request) {
            self.number(What::Call)
        } else {
            usize::MAX
        };
        let before = (What::Call, number, Point::Before);
        if self.will_strike(before) {
            self.strike(before);
            return;
        }
        let answered = self.at_pagerduty(|sim, now| sim.handle(&request, now));
        let response = answered.response;
        let answer = Message {
            start: format!("HTTP/1.1 {} As said", response.status),
            headers: response.headers,
            body: response.body,
        };
        self.strike((What::Call, number, Point::During));
        drop(std::io::Write::write_all(&mut stream, &answer.bytes()));
        self.strike((What::Call, number, Point::Answered));
        self.strike((What::Call, number, Point::Later));
    }
}

/// Comparisons come when they like; what belongs to an incident comes in the same order each time.
fn is_numbered(request: &Request) -> bool {
    let is_list = request.method == "GET" && request.path == "/incidents";
    request.path.starts_with("/incidents") && (!is_list || request.query("incident_key").is_some())
}

fn request(message: &Message) -> Request {
    let mut words = message.start.split(' ').map(str::to_owned);
    let method = words.next().unwrap_or_default();
    let target: axum::http::Uri = words.next().unwrap_or_default().parse().unwrap();
    let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&target);
    Request {
        method,
        path: target.path().to_owned(),
        query: query.unwrap().0,
        headers: message.headers.clone(),
        body: message.body.clone(),
    }
}
