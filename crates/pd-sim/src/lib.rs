//! A stand-in for PagerDuty: a pure function of (request, now).
//!
//! [`Sim`] holds one account. Requests come in through [`Sim::handle`]; what PagerDuty would do
//! by itself happens in [`Sim::due`], each timer at its own instant; what people do in
//! PagerDuty's pages comes through the methods in `people`, what monitoring does through those in
//! `machines`. Webhooks leave as [`Delivery`].
//!
//! Invariants
//! - The same seed, requests and instants give the same answers and deliveries, byte for byte.
//! - Time never goes back: an earlier `now` than the last counts as the last.
//! - A request whose answer is lost has done its work; a refused request has done nothing.
//!
//! Nothing here knows sockets, threads, files or the clock of the machine, and nothing here
//! knows the product that is tested against it.

pub mod account;
mod asked;
mod auth;
pub mod data;
mod events;
mod faults;
mod http;
mod ids;
mod kept;
mod lifecycle;
mod limits;
mod machines;
mod oauth;
mod options;
mod people;
mod refs;
mod rest;
mod schedule;
mod shelf;
mod shifts;
mod state;
mod table;
mod timers;
mod views;
mod webhooks;

use jiff::Timestamp;

pub use account::Account;
pub use faults::{Chances, Fault, Faults, Outage, ScriptedView};
pub use http::{Request, Response};
pub use machines::Trouble;
pub use oauth::{Consent, OAuthApp, OAuthKind};
pub use options::Options;
pub use state::{KeyKind, Page, Write};
pub use views::{IncidentView, LogEntryView};
pub use webhooks::{AttemptView, Delivery, DeliveryResult, SubscriptionView, WebhookFaults};

use auth::Caller;
use limits::{Limits, Verdict};
use state::World;

/// Requests per minute and credential (docs/sim.md).
const LIMIT_PER_MINUTE: u32 = 960;
/// `POST /incidents` per minute and account.
const CREATES_PER_MINUTE: u32 = 300;
/// `PUT /incidents` per minute and account.
const BULK_CHANGES_PER_MINUTE: u32 = 500;

/// One simulated account.
#[derive(Debug, Clone)]
pub struct Sim {
    world: World,
    faults: Faults,
    limits: Option<Limits>,
    writes: Vec<Write>,
    /// Numbers the requests for `x-request-id`.
    requests: u64,
}

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer; not to be looked at when it is lost or nothing was reached.
    pub response: Response,
    /// The work is done but the caller never gets the answer.
    pub lost: bool,
    /// Nothing is done and there is no answer: the connection failed.
    pub unreachable: bool,
}

impl Sim {
    /// An empty account.
    pub fn new(options: Options, now: Timestamp) -> Self {
        let faults = Faults::new(options.seed);
        let limits = options.limits.map(|scale| Limits::new(Some(scale)));
        Self {
            world: World::new(options, now),
            faults,
            limits,
            writes: Vec::new(),
            requests: 0,
        }
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Answered {
        self.world.run_until(now);
        self.world.late_log_entries_s = self.faults.late_log_entries_s;
        let fault = self.faults.meet(request, self.world.now);
        let refused = fault.and_then(faults::refusal);
        let is_refused = refused.is_some();
        let mut response = refused.unwrap_or_else(|| self.answer(request));
        if self.faults.odd_answers && !is_refused {
            faults::make_odd(&mut response);
        }
        self.requests += 1;
        let id = format!("{:032x}", self.requests);
        response.headers.push(("x-request-id".to_owned(), id));
        response.headers.push(self.date_header());
        Answered {
            response,
            lost: fault == Some(Fault::LoseAnswer) && !is_refused,
            unreachable: fault == Some(Fault::Unreachable),
        }
    }

    fn answer(&mut self, request: &Request) -> Response {
        let world = &mut self.world;
        if let Some(response) = events::route(world, request) {
            return response;
        }
        if request.method == "POST" && request.path == "/oauth/token" {
            let base_url = &world.options.base_url;
            return world
                .oauth
                .token(request, base_url, &mut world.ids, world.now);
        }
        if let Some(response) = oauth::identity::route(&world.options.base_url, request) {
            return response;
        }
        if request.method == "GET" && request.path == "/oauth/authorize" {
            return world.consent_page(request);
        }
        let caller = match world.authenticate(request) {
            Ok(caller) => caller,
            Err(refused) => return refused,
        };
        let verdict = self.count(&caller, request);
        let mut response = match verdict {
            Some(verdict) if !verdict.allowed => {
                Response::error(429, 2020, "Rate Limit Exceeded", &[])
            }
            _ => self.work(&caller, request),
        };
        response
            .headers
            .extend(verdict.into_iter().flat_map(limit_headers));
        response
    }

    /// What every HTTP server says; this one goes by the account's own clock.
    fn date_header(&self) -> (String, String) {
        let date = self.world.now.strftime("%a, %d %b %Y %H:%M:%S GMT");
        ("date".to_owned(), date.to_string())
    }

    fn work(&mut self, caller: &Caller, request: &Request) -> Response {
        let response = rest::route(&mut self.world, caller, request);
        if request.method != "GET" {
            self.note_write(request, &response);
        }
        response
    }

    /// Counts a request; the answer tells of the limit that is nearest.
    fn count(&mut self, caller: &Caller, request: &Request) -> Option<Verdict> {
        let now = self.world.now;
        let limits = self.limits.as_mut()?;
        let all = limits.check(&caller.bucket, LIMIT_PER_MINUTE, now);
        let own = match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/incidents") => limits.check("POST /incidents", CREATES_PER_MINUTE, now),
            ("PUT", "/incidents") => limits.check("PUT /incidents", BULK_CHANGES_PER_MINUTE, now),
            _ => return Some(all),
        };
        Some(if all.remaining < own.remaining {
            all
        } else {
            own
        })
    }

    fn note_write(&mut self, request: &Request, response: &Response) {
        let mut segments = request.path.trim_matches('/').split('/');
        let named = match (segments.next(), segments.next()) {
            (Some("incidents"), Some(id)) => Some(id.to_owned()),
            (Some("incidents"), None) => {
                let made = response.value().unwrap_or_default();
                made.pointer("/incident/id")
                    .and_then(|id| id.as_str())
                    .map(str::to_owned)
            }
            _ => None,
        };
        self.writes.push(Write {
            method: request.method.clone(),
            path: request.path.clone(),
            incident: named,
            at: self.world.now,
            status: response.status,
        });
    }

    /// Lets everything happen that is due by `now` and returns the webhooks to deliver.
    pub fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.world.run_until(now);
        let world = &mut self.world;
        world
            .webhooks
            .due(&self.faults.webhooks, &mut world.ids, world.now)
    }

    /// Reports what became of a delivery.
    pub fn delivered(&mut self, id: u64, result: DeliveryResult, now: Timestamp) {
        self.delivered_with(id, result, &[], now);
    }

    /// The same, with the body of the answer: it holds the token that was asked for.
    pub fn delivered_with(&mut self, id: u64, result: DeliveryResult, body: &[u8], now: Timestamp) {
        self.world.run_until(now);
        let now = self.world.now;
        self.world.webhooks.delivered(id, result, body, now);
    }

    /// What is to be asked elsewhere before a request is handled: PagerDuty tries the credentials
    /// of an OAuth client for webhooks when it is made or changed. The caller sends it, reports
    /// with [`Sim::delivered_with`] and then handles the request; credentials that nobody tried
    /// count as good.
    pub fn asks_first(&mut self, request: &Request) -> Option<Delivery> {
        let path = request.path.trim_matches('/');
        let path = path.strip_prefix("webhook_subscriptions/oauth_clients")?;
        let caller = self.world.authenticate(request).ok()?;
        rest::may_use_clients(&self.world, &caller, request).ok()?;
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        self.world.webhooks.test_for(request, &path)
    }

    /// When [`Sim::due`] has something to do next.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let webhooks = self.world.webhooks.wake_at();
        let timers = self.world.timers.wake_at();
        webhooks.into_iter().chain(timers).min()
    }

    /// How this account behaves.
    pub fn options(&self) -> &Options {
        &self.world.options
    }

    /// Changes how this account behaves, from the next request on.
    pub fn change_options(&mut self, change: impl FnOnce(&mut Options)) {
        let before = self.world.options.limits;
        change(&mut self.world.options);
        let limits = self.world.options.limits;
        if limits != before {
            self.limits = limits.map(|scale| Limits::new(Some(scale)));
        }
    }

    /// How this account misbehaves.
    pub fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }
}

fn limit_headers(verdict: Verdict) -> [(String, String); 3] {
    let rows = [
        ("ratelimit-limit", verdict.limit),
        ("ratelimit-remaining", verdict.remaining),
        ("ratelimit-reset", verdict.reset_s),
    ];
    rows.map(|(name, value)| (name.to_owned(), value.to_string()))
}
