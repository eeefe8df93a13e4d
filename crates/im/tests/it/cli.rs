//! Runs the command line against an API that answers what a test tells it to.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Response, header};
use im::cli::{Machine, Prompt, Question};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// An API with answers, and a memory of what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Fake {
    answers: Arc<Mutex<Vec<Scripted>>>,
    seen: Arc<Mutex<Vec<String>>>,
}

struct Scripted {
    call: String,
    status: u16,
    body: String,
}

impl Fake {
    /// Answers `call` (`GET /api/v1/doctor`, without parameters) with `body`.
    pub(crate) fn on(self, call: &str, status: u16, body: &Value) -> Self {
        let body = match body {
            Value::Null => String::new(),
            other => other.to_string(),
        };
        self.answers.lock().unwrap().push(Scripted {
            call: call.to_owned(),
            status,
            body,
        });
        self
    }

    /// What was asked: method, path and parameters, who acts, body.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Answers on a port of this machine, for as long as the test lives.
    pub(crate) fn listen(&self) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.router();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        format!("http://{address}")
    }

    fn router(&self) -> Router {
        let fake = self.clone();
        Router::new().fallback(move |request: Request| {
            let fake = fake.clone();
            async move { fake.answer(request).await }
        })
    }

    async fn answer(&self, request: Request) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let mut line = format!("{} {}", head.method, head.uri.path_and_query().unwrap());
        for name in ["authorization", "im-as"] {
            if let Some(value) = head.headers.get(name) {
                write!(line, " {name}={}", value.to_str().unwrap()).unwrap();
            }
        }
        if !body.is_empty() {
            write!(line, " {}", String::from_utf8(body.to_vec()).unwrap()).unwrap();
        }
        self.seen.lock().unwrap().push(line);
        let call = format!("{} {}", head.method, head.uri.path());
        let mut answers = self.answers.lock().unwrap();
        let found = answers.iter().position(|answer| answer.call == call);
        let (status, body) = match found {
            // The last of several answers to one call stays.
            Some(index) if answers.iter().filter(|answer| answer.call == call).count() > 1 => {
                let answer = answers.remove(index);
                (answer.status, answer.body)
            }
            Some(index) => (answers[index].status, answers[index].body.clone()),
            None => (500, format!("no answer for {call}")),
        };
        Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap()
    }
}

/// What a command left behind.
pub(crate) struct Said {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
    /// Both as a terminal shows them, with what was asked and answered there.
    pub(crate) screen: String,
}

impl Said {
    /// Everything, as a snapshot shows it.
    pub(crate) fn all(&self) -> String {
        let mut all = self.out.clone();
        if !self.err.is_empty() {
            write!(all, "--- stderr\n{}", self.err).unwrap();
        }
        if self.code != 0 {
            writeln!(all, "--- exit code {}", self.code).unwrap();
        }
        all
    }
}

/// One run of `im`, being prepared.
pub(crate) struct Run {
    api: Option<Router>,
    stdin: String,
    answers: Option<Vec<String>>,
    env: fn(&str) -> Option<String>,
    now: Timestamp,
    width: u16,
    zone: TimeZone,
    piped: bool,
    coloured: bool,
}

/// Runs `im` on `fake`, 80 columns wide, with nobody at the terminal.
pub(crate) fn on(fake: &Fake) -> Run {
    on_router(fake.router())
}

/// The same on any API.
pub(crate) fn on_router(api: Router) -> Run {
    Run {
        api: Some(api),
        ..without_api()
    }
}

/// Runs `im` where flags say which API to use.
pub(crate) fn without_api() -> Run {
    Run {
        api: None,
        stdin: String::new(),
        answers: None,
        env: |_| None,
        now: "2026-11-20T09:18:30Z".parse().unwrap(),
        width: 80,
        zone: TimeZone::UTC,
        piped: false,
        coloured: false,
    }
}

impl Run {
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// Somebody is there and answers this.
    pub(crate) fn answering(mut self, answers: &[&str]) -> Self {
        self.answers = Some(answers.iter().map(|&answer| answer.to_owned()).collect());
        self
    }

    /// When it is given.
    pub(crate) fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    pub(crate) fn env(mut self, env: fn(&str) -> Option<String>) -> Self {
        self.env = env;
        self
    }

    pub(crate) fn width(mut self, width: u16) -> Self {
        self.width = width;
        self
    }

    /// The reader's clock on the wall.
    pub(crate) fn zone(mut self, name: &str) -> Self {
        self.zone = TimeZone::get(name).unwrap();
        self
    }

    /// Somebody else reads what it says.
    pub(crate) fn piped(mut self) -> Self {
        self.piped = true;
        self
    }

    /// Its terminal shows colours, and gets each byte of what is said.
    pub(crate) fn coloured(mut self) -> Self {
        self.coloured = true;
        self
    }

    /// Runs a command line as one would type it; `'…'` holds words together.
    pub(crate) fn im(self, line: &str) -> Said {
        let mut args = Vec::new();
        for (index, part) in line.split('\'').enumerate() {
            if index % 2 == 1 {
                args.push(part.to_owned());
            } else {
                args.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        self.with(args)
    }

    /// Runs `im` with these arguments.
    pub(crate) fn with(self, args: Vec<String>) -> Said {
        let (out, err, screen) = (Shared::default(), Shared::default(), Shared::default());
        let interactive = self.answers.is_some();
        let person = Person {
            answers: self.answers.unwrap_or_default().into(),
            screen: screen.clone(),
        };
        let stream = |stream: &Shared| {
            let both: Box<dyn Write> = Box::new(Both(stream.clone(), screen.clone()));
            if self.coloured { both } else { plain(both) }
        };
        let machine = Machine {
            now: self.now,
            zone: self.zone,
            width: self.width,
            terminal: !self.piped,
            interactive,
            stdin: Box::new(Cursor::new(self.stdin)),
            stdout: stream(&out),
            stderr: stream(&err),
            env: self.env,
            prompt: Box::new(person),
            api: self.api,
        };
        let code = im::cli::run([vec!["im".to_owned()], args].concat(), machine);
        Said {
            code,
            out: out.text(),
            err: err.text(),
            screen: screen.text(),
        }
    }
}

/// As a pipe: without colours.
fn plain(stream: Box<dyn Write>) -> Box<dyn Write> {
    Box::new(anstream::StripStream::new(stream))
}

/// A stream, and the screen that has it, too.
struct Both(Shared, Shared);

impl Write for Both {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.write_all(bytes)?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Somebody who answers questions; says again what was not accepted as the terminal would ask again.
struct Person {
    answers: VecDeque<String>,
    screen: Shared,
}

impl Person {
    /// Leaves the question and its answer as a terminal does.
    fn leave(&mut self, question: &str, answer: &str) {
        let line = format!("> {question} {answer}");
        writeln!(self.screen, "{}", line.trim_end()).unwrap();
    }

    fn answer(&mut self, question: Question<'_>) -> Option<String> {
        loop {
            let answer = self.answers.pop_front()?;
            let answer = match question.default {
                Some(default) if answer.is_empty() => default.to_owned(),
                _ => answer,
            };
            if (question.check)(&answer).is_ok() {
                return Some(answer);
            }
        }
    }
}

impl Prompt for Person {
    fn line(&mut self, question: Question<'_>) -> Option<String> {
        let answer = self.answer(question)?;
        self.leave(question.label, &answer);
        Some(answer)
    }

    fn hidden(&mut self, question: Question<'_>) -> Option<String> {
        let answer = self.answer(question)?;
        self.leave(question.label, "********");
        Some(answer)
    }

    fn choose(&mut self, question: &str, options: &[String]) -> Option<usize> {
        loop {
            let answer = self.answers.pop_front()?;
            let found = options
                .iter()
                .position(|option| option.contains(answer.as_str()));
            if let Some(option) = found.and_then(|at| options.get(at)) {
                self.leave(question, option);
                return found;
            }
        }
    }

    fn agree(&mut self, question: &str) -> Option<bool> {
        let agrees = self.answers.pop_front()? == "y";
        self.leave(question, if agrees { "Yes" } else { "No" });
        Some(agrees)
    }
}
