//! Between the engine and PagerDuty's REST: calls, answers and what goes wrong on the way.

use im_engine::Planned;
use im_pagerduty::{Call, HttpRequest, Limits, Outcome, Reply, Transport, transport_outcome};
use jiff::{SignedDuration, Timestamp};
use pd_sim::{Account, Request, Sim};

use super::{Death, InFlight, World};

/// After this time an answer that did not come will not come.
const TIME_OUT: SignedDuration = SignedDuration::from_secs(30);

/// Changes answers on their way.
pub(crate) type Tamper = Box<dyn FnMut(&Call, Reply) -> Reply>;

/// Answers some calls, which PagerDuty then never sees.
pub(crate) type Instead = Box<dyn FnMut(&Call) -> Option<Reply>>;

/// A request that was made.
pub(crate) struct Asked {
    /// When, on PagerDuty's clock.
    pub(crate) at: Timestamp,
    pub(crate) connector: String,
    pub(crate) base_url: String,
    pub(crate) call: Call,
    pub(crate) path_and_query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl World {
    /// PagerDuty does its part now; we hear of it later, or never. `None` if our
    /// program dies of it.
    pub(super) fn perform(&mut self, planned: Planned) -> Option<()> {
        let death = self.next_step();
        if death == Some(Death::Before) {
            return None;
        }
        self.calls.push(planned.call.name());
        let (outcome, limits, wait) = self.exchange(&planned);
        if death.is_some() {
            self.unheard.push(planned.call);
            return None;
        }
        let done_at = self.now + wait;
        self.in_flight.push(InFlight {
            planned,
            outcome,
            limits,
            done_at,
        });
        Some(())
    }

    fn exchange(&mut self, planned: &Planned) -> (Outcome, Limits, SignedDuration) {
        let call: &Call = &planned.call;
        let http = im_pagerduty::request(call);
        self.asked.push(Asked {
            at: self.now,
            connector: planned.connector.clone(),
            base_url: planned.base_url.clone(),
            call: call.clone(),
            path_and_query: http.path_and_query.clone(),
            headers: http.headers.clone(),
        });
        if !self.wire_up {
            return (
                transport_outcome(call, Transport::NotSent),
                Limits::default(),
                self.latency,
            );
        }
        let answer = self.instead.as_mut().and_then(|instead| instead(call));
        if let Some(reply) = answer {
            let outcome = im_pagerduty::read(call, &reply, planned.at);
            return (outcome, reply.limits(), self.latency);
        }
        let request = request(http, &planned.api_key);
        let other = self
            .others
            .iter_mut()
            .find(|other| other.connector == planned.connector);
        let sim = other.map_or(&mut self.sim, |other| &mut other.sim);
        let answered = sim.handle(&request, self.now);
        if answered.unreachable {
            let outcome = transport_outcome(call, Transport::NotSent);
            return (outcome, Limits::default(), self.latency);
        }
        if answered.lost {
            self.unheard.push(call.clone());
            return (
                transport_outcome(call, Transport::MaybeSent),
                Limits::default(),
                TIME_OUT,
            );
        }
        let response = answered.response;
        let mut reply = Reply {
            status: response.status,
            headers: response.headers,
            body: response.body,
        };
        if let Some(tamper) = &mut self.tamper {
            reply = tamper(call, reply);
        }
        (
            im_pagerduty::read(call, &reply, planned.at),
            reply.limits(),
            self.latency,
        )
    }
}

/// What PagerDuty gets to see of a call.
fn request(http: HttpRequest, api_key: &str) -> Request {
    let (path, query) = split_query(&http.path_and_query);
    let named = http.headers.into_iter();
    let mut headers: Vec<(String, String)> = named
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    headers.push((
        "Authorization".to_owned(),
        im_pagerduty::authorization(api_key),
    ));
    Request {
        method: http.method.as_str().to_owned(),
        path,
        query,
        headers,
        body: http.body.unwrap_or_default(),
    }
}

/// Asks PagerDuty something as a client of its own, outside the engine.
pub(crate) fn ask(
    sim: &mut Sim,
    account: &Account,
    method: &str,
    path: &str,
    body: Vec<u8>,
    now: Timestamp,
) -> Reply {
    let headers = vec![
        (
            "Authorization".to_owned(),
            im_pagerduty::authorization(&account.api_key),
        ),
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("From".to_owned(), account.users[0].2.clone()),
    ];
    let (path, query) = split_query(path);
    let request = Request {
        method: method.to_owned(),
        path,
        query,
        headers,
        body,
    };
    let response = sim.handle(&request, now).response;
    Reply {
        status: response.status,
        headers: response.headers,
        body: response.body,
    }
}

/// Makes a webhook subscription; its id and secret.
pub(crate) fn subscribe(
    sim: &mut Sim,
    account: &Account,
    connector: &str,
    events: &[&str],
    scope: &str,
    of: Option<&str>,
    now: Timestamp,
) -> (String, String) {
    let mut filter = serde_json::json!({"type": scope});
    if let Some(id) = of {
        filter["id"] = id.into();
    }
    let url = format!("https://im.test/connectors/{connector}/webhook");
    let body = serde_json::json!({"webhook_subscription": {
        "type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": url},
        "description": "im",
        "events": events,
        "filter": filter
    }});
    let body = body.to_string().into_bytes();
    let reply = ask(sim, account, "POST", "/webhook_subscriptions", body, now);
    let answer: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let subscription = &answer["webhook_subscription"];
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (
        text(&subscription["id"]),
        text(&subscription["delivery_method"]["secret"]),
    )
}

fn split_query(path_and_query: &str) -> (String, Vec<(String, String)>) {
    let (path, query) = path_and_query
        .split_once('?')
        .unwrap_or((path_and_query, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    });
    (decode(path), pairs.collect())
}

fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                decoded.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            b'+' => decoded.push(b' '),
            byte => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).unwrap()
}
