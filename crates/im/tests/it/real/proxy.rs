//! The proxies between the processes: each passes requests on, and not always.
//!
//! What is told of an exchange is what was seen on the wire: an answer that came after a kill was sent before it.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::plan::{Fate, Point, Way};
use super::world::{Doom, World};
use crate::process::wire::{self, Message};

/// Takes the webhooks of all accounts.
pub(crate) fn webhooks(world: &Arc<World>, listener: TcpListener) {
    listen(world, listener, Way::Webhook, 0, world.server_address);
}

/// Takes our calls to one account.
pub(crate) fn calls(world: &Arc<World>, account: usize, listener: TcpListener) {
    let to = world.stand_ins[account].address;
    listen(world, listener, Way::Call, account, to);
}

fn listen(world: &Arc<World>, listener: TcpListener, way: Way, account: usize, to: SocketAddr) {
    let world = Arc::clone(world);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let world = Arc::clone(&world);
            std::thread::spawn(move || {
                let Ok(mut client) = client else { return };
                let mut line = Line {
                    world,
                    way,
                    account,
                    to,
                    onward: None,
                };
                while let Ok(request) = wire::receive(&mut client) {
                    let under_way = &line.world.under_way;
                    under_way.fetch_add(1, Ordering::SeqCst);
                    let goes_on = line.exchange(&mut client, &request);
                    line.world.under_way.fetch_sub(1, Ordering::SeqCst);
                    if !goes_on {
                        return;
                    }
                }
            });
        }
    });
}

/// One connection to a proxy, and the one that goes on from there.
struct Line {
    world: Arc<World>,
    way: Way,
    account: usize,
    to: SocketAddr,
    onward: Option<TcpStream>,
}

impl Line {
    /// One exchange; `false`: the connection ends.
    fn exchange(&mut self, client: &mut TcpStream, request: &Message) -> bool {
        let account = match self.way {
            Way::Webhook => account_of(request),
            Way::Call | Way::Command => self.account,
        };
        let doom = self
            .world
            .fate(account, self.way, request.header("x-webhook-id"));
        let mut seen = told(self.way, account, request);
        if self.way == Way::Call {
            self.world.counts.calls.fetch_add(1, Ordering::SeqCst);
        }
        let goes_on = match doom {
            Doom::Kill(point, rest) => {
                seen["fate"] = json!(format!("killed {}", point.word()));
                let kill = json!({"what": "kill", "way": self.way.word(), "point": point.word()});
                self.struck(client, request, point, &mut seen, || {
                    self.world.kill(rest, &kill);
                })
            }
            Doom::Fate(fate) => {
                seen["fate"] = json!(fate.word());
                self.met(client, request, fate, &mut seen)
            }
        };
        self.world.history.tell(seen);
        goes_on
    }

    /// An exchange that goes wrong, or not.
    fn met(
        &mut self,
        client: &mut TcpStream,
        request: &Message,
        fate: Fate,
        seen: &mut Value,
    ) -> bool {
        let counts = &self.world.counts;
        match fate {
            Fate::CutBefore => {
                counts.cuts.fetch_add(1, Ordering::SeqCst);
                return false;
            }
            Fate::HoldBefore(hold) => {
                counts.holds.fetch_add(1, Ordering::SeqCst);
                self.world.pause(hold);
                if self.way == Way::Call && is_gone(client) {
                    seen["fate"] = json!("held until the caller was gone");
                    return false;
                }
            }
            Fate::Straight | Fate::CutAfter | Fate::HoldAfter(_) | Fate::Twice(_) => {}
        }
        let Some(answer) = self.ask(request) else {
            return false;
        };
        self.note(&answer, seen);
        match fate {
            Fate::CutAfter => {
                self.world.counts.cuts.fetch_add(1, Ordering::SeqCst);
                return false;
            }
            Fate::HoldAfter(hold) => {
                self.world.counts.holds.fetch_add(1, Ordering::SeqCst);
                self.world.pause(hold);
            }
            Fate::Twice(later) => {
                self.world.under_way.fetch_add(1, Ordering::SeqCst);
                let copy = Self {
                    world: Arc::clone(&self.world),
                    onward: None,
                    ..*self
                };
                let bytes = request.as_it_came();
                let mut seen = seen.clone();
                std::thread::spawn(move || {
                    copy.world.pause(later);
                    copy.repeat(&bytes, &mut seen);
                    copy.world.under_way.fetch_sub(1, Ordering::SeqCst);
                });
            }
            Fate::Straight | Fate::CutBefore | Fate::HoldBefore(_) => {}
        }
        client.write_all(&answer.as_it_came()).is_ok()
    }

    /// A copy of a webhook; nobody waits for its answer.
    fn repeat(&self, bytes: &[u8], seen: &mut Value) {
        self.world.counts.copies.fetch_add(1, Ordering::SeqCst);
        seen["fate"] = json!("copy");
        seen["answer"] = Value::Null;
        let answer = wire::send(self.to, bytes).and_then(|mut line| wire::receive(&mut line));
        if let Ok(answer) = answer {
            self.note(&answer, seen);
        }
        self.world.history.tell(seen.take());
    }

    /// An exchange in which the server dies.
    fn struck(
        &self,
        client: &mut TcpStream,
        request: &Message,
        point: Point,
        seen: &mut Value,
        kill: impl FnOnce(),
    ) -> bool {
        let bytes = request.as_it_came();
        if point == Point::Before {
            // Half a request to us; a call that was under way is not passed on.
            let half = bytes.len() - request.body.len() / 2;
            let half = (self.way == Way::Webhook).then(|| wire::send(self.to, &bytes[..half]));
            kill();
            drop(half);
            return false;
        }
        let Ok(mut line) = wire::send(self.to, &bytes) else {
            kill();
            return false;
        };
        if point == Point::During {
            kill();
            if let Ok(answer) = wire::receive(&mut line) {
                self.note(&answer, seen);
            }
            return false;
        }
        let answer = wire::receive(&mut line);
        if let Ok(answer) = &answer {
            self.note(answer, seen);
        }
        if let (Ok(answer), Point::Later(later)) = (&answer, point) {
            drop(client.write_all(&answer.as_it_came()));
            self.world.pause(later);
        }
        kill();
        false
    }

    /// Passes a request on, on the connection that is there or on a new one.
    fn ask(&mut self, request: &Message) -> Option<Message> {
        let bytes = request.as_it_came();
        // A connection that is kept may be one to a process that is dead: then nothing was read.
        if let Some(mut kept) = self.onward.take().filter(|kept| !is_gone(kept)) {
            kept.write_all(&bytes).ok()?;
            let answer = wire::receive(&mut kept).ok()?;
            self.onward = Some(kept);
            return Some(answer);
        }
        let mut line = wire::send(self.to, &bytes).ok()?;
        let answer = wire::receive(&mut line).ok()?;
        self.onward = Some(line);
        Some(answer)
    }

    fn note(&self, answer: &Message, seen: &mut Value) {
        seen["answer"] = json!(answer.status());
        if self.way == Way::Webhook && answer.status() < 300 {
            self.world.counts.taken.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Whether the other end has closed.
fn is_gone(stream: &TcpStream) -> bool {
    let mut byte = [0];
    let looked = stream
        .set_nonblocking(true)
        .and_then(|()| stream.peek(&mut byte));
    let back = stream.set_nonblocking(false);
    let is_open = matches!(&looked, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
    !is_open || back.is_err()
}

/// `/connectors/pd7/webhook`.
fn account_of(request: &Message) -> usize {
    let name = request
        .start
        .split('/')
        .find_map(|part| part.strip_prefix("pd"));
    name.and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// What the history says of a request.
fn told(way: Way, account: usize, request: &Message) -> Value {
    let mut what = json!({"what": way.word(), "account": account, "answer": null});
    match way {
        Way::Webhook => {
            let event = &request.json()["event"];
            what["event"] = event["id"].clone();
            what["type"] = event["event_type"].clone();
            what["of"] = event["data"]["id"].clone();
        }
        Way::Call | Way::Command => {
            let start = request.start.trim_end_matches(" HTTP/1.1");
            what["request"] = json!(start);
            if !request.body.is_empty() {
                what["body"] = request.json();
            }
        }
    }
    what
}
