//! A tab, used as a person does: by the words on the page, with mouse and keyboard.
//!
//! Everything waits in the page until it is possible. What is not so within [`PATIENCE_MS`] fails with what the page shows.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use super::chromium::Chromium;

/// Nothing takes so long, unless something is broken.
const PATIENCE_MS: u32 = 20_000;
/// So often a page may be left while somebody waits for something on it.
const PAGES_MAX: u32 = 50;
/// What a page is asked with.
const WORDS: &str = include_str!("words.js");
/// The width of a usual window, and of a telephone.
pub(super) const WIDE: u32 = 1280;
pub(super) const NARROW: u32 = 360;
const HEIGHT: u32 = 900;

/// A browser with its own cookies.
#[derive(Clone)]
pub(super) struct Browser(Rc<RefCell<Chromium>>);

impl Browser {
    pub(super) fn start() -> Self {
        Self(Rc::new(RefCell::new(Chromium::start())))
    }

    /// A window of its own, in front of the others.
    pub(super) fn open(&self, url: &str) -> Tab {
        let mut chromium = self.0.borrow_mut();
        let new = json!({"url": "about:blank", "newWindow": true, "width": WIDE, "height": HEIGHT});
        let target = chromium.call(None, "Target.createTarget", &new).unwrap();
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = chromium.call(None, "Target.attachToTarget", &attach);
        drop(chromium);
        let tab = Tab {
            browser: self.clone(),
            session: session.unwrap()["sessionId"].as_str().unwrap().to_owned(),
            hosts: RefCell::default(),
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), &json!({}));
        }
        tab.go(url);
        tab
    }
}

pub(super) struct Tab {
    browser: Browser,
    session: String,
    /// Whom it has asked for anything.
    hosts: RefCell<BTreeSet<String>>,
}

impl Tab {
    /// What the protocol answers to a command for it.
    pub(super) fn call(&self, method: &str, params: &Value) -> Value {
        let said = self.try_call(method, params);
        said.unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    fn try_call(&self, method: &str, params: &Value) -> Result<Value, String> {
        let mut chromium = self.browser.0.borrow_mut();
        chromium.call(Some(&self.session), method, params)
    }

    /// What an expression is on the page, or becomes.
    pub(super) fn ask(&self, expression: &str) -> Value {
        self.try_ask(expression)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_ask(&self, expression: &str) -> Result<Value, String> {
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut said = self.try_call("Runtime.evaluate", &asked)?;
        let wrong = &said["exceptionDetails"]["exception"];
        assert!(
            wrong.is_null(),
            "{}\n{expression}",
            wrong["description"].as_str().unwrap_or_default()
        );
        Ok(said["result"]["value"].take())
    }

    /// Waits until an expression is something on the page that is open by then; says what.
    #[track_caller]
    pub(super) fn until(&self, what: &str, expression: &str) -> Value {
        let wait =
            format!("(() => {{ {WORDS}; return until(() => ({expression}), {PATIENCE_MS}); }})()");
        for _ in 0..PAGES_MAX {
            // A page that is left answers nothing more.
            let Ok(found) = self.try_ask(&wait) else {
                continue;
            };
            if let Some(late) = found["late"].as_str() {
                panic!("{what}: not within {PATIENCE_MS} ms. The page shows:\n{late}");
            }
            return found["found"].clone();
        }
        panic!("{what}: the page was left {PAGES_MAX} times");
    }

    /// Opens an address.
    #[track_caller]
    pub(super) fn go(&self, url: &str) {
        let said = self.call("Page.navigate", &json!({"url": url}));
        assert!(said["errorText"].is_null(), "{url}: {}", said["errorText"]);
        self.until(url, "document.readyState === 'complete'");
    }

    /// Waits until the page shows a text, however it is broken into lines.
    #[track_caller]
    pub(super) fn sees(&self, text: &str) {
        self.until(&format!("see `{text}`"), &format!("shows({})", json!(text)));
    }

    /// Waits until the page does not show a text.
    #[track_caller]
    pub(super) fn sees_no(&self, text: &str) {
        self.until(
            &format!("not see `{text}`"),
            &format!("!shows({})", json!(text)),
        );
    }

    /// Presses a link, a button, a tick or what folds something out, by its words.
    #[track_caller]
    pub(super) fn press(&self, name: &str) {
        self.press_at(
            &format!("press `{name}`"),
            &format!("pressed({})", json!(name)),
        );
    }

    /// Presses what a selector finds first.
    #[track_caller]
    pub(super) fn press_on(&self, selector: &str) {
        let there = format!("place(document.querySelector({}))", json!(selector));
        self.press_at(&format!("press {selector}"), &there);
    }

    #[track_caller]
    fn press_at(&self, what: &str, place: &str) {
        let place = self.until(what, place);
        for kind in ["mousePressed", "mouseReleased"] {
            let mouse = json!({"type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &mouse);
        }
    }

    /// Types into a field, by its label, in place of what stands there.
    #[track_caller]
    pub(super) fn fill(&self, label: &str, text: &str) {
        let selected = format!("selected({})", json!(label));
        self.until(&format!("fill `{label}`"), &selected);
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Chooses from a list, by its label and the beginning of the words.
    #[track_caller]
    pub(super) fn choose(&self, label: &str, option: &str) {
        let chosen = format!("chosen({}, {})", json!(label), json!(option));
        self.until(&format!("choose `{option}` of `{label}`"), &chosen);
    }

    /// What went wrong in it since somebody looked, but that the `known` address was refused; so is a request to others than `is_ours` says.
    pub(super) fn wrongs(&self, is_ours: impl Fn(&str) -> bool, known: &str) -> Vec<String> {
        // By then everything before it was told.
        self.ask("1");
        let events = self.browser.0.borrow_mut().events_of(&self.session);
        let mut wrongs: Vec<String> = events
            .iter()
            .filter_map(|event| wrong(event, known))
            .collect();
        for url in events.iter().filter_map(requested) {
            let host = host(url);
            if !is_ours(host) {
                wrongs.push(format!("a request to {url}"));
            }
            self.hosts.borrow_mut().insert(host.to_owned());
        }
        wrongs
    }

    /// Fails if anything else went wrong in it than at the `known` address, or if it asked others than `hosts`, or one of them never.
    #[track_caller]
    pub(super) fn is_clean(&self, hosts: &[&str], known: &str) {
        let wrongs = self.wrongs(|host| hosts.contains(&host), known);
        assert!(wrongs.is_empty(), "{wrongs:#?}");
        let asked = self.hosts.borrow();
        let mut hosts = hosts.iter();
        assert!(
            hosts.all(|host| asked.contains(*host)),
            "only {asked:?} were asked"
        );
    }

    /// Where it is.
    pub(super) fn address(&self) -> String {
        self.ask("location.href").as_str().unwrap().to_owned()
    }

    /// Lets the window be so wide, and the system's colours dark.
    pub(super) fn looks(&self, width: u32, is_dark: bool) {
        let metrics =
            json!({"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// A picture of the whole page, at most so high, as PNG in base64.
    pub(super) fn picture(&self, width: u32, height_max: u32) -> String {
        let height = self.ask("document.documentElement.scrollHeight");
        let height = height.as_u64().unwrap().min(height_max.into());
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let asked = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let said = self.call("Page.captureScreenshot", &asked);
        said["data"].as_str().unwrap().to_owned()
    }
}

/// The address of a request over a network.
fn requested(event: &Value) -> Option<&str> {
    let url = match event["method"].as_str()? {
        "Network.requestWillBeSent" => event["params"]["request"]["url"].as_str()?,
        "Network.webSocketCreated" => event["params"]["url"].as_str()?,
        _ => return None,
    };
    (!url.starts_with("data:") && !url.starts_with("about:")).then_some(url)
}

/// `host:port` of an address.
fn host(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}

/// What a console shows as a warning or worse, and what a script did not catch.
fn wrong(event: &Value, known: &str) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if params["type"] != "log" => Some(params["args"].to_string()),
        "Log.entryAdded"
            if params["entry"]["level"] != "info" && params["entry"]["level"] != "verbose" =>
        {
            let entry = &params["entry"];
            // What a policy forbade is said of the page's own address, too.
            let is_answer = entry["source"] == "network";
            let is_known = is_answer && !known.is_empty() && entry["url"] == known;
            (!is_known).then(|| entry.to_string())
        }
        _ => None,
    }
}
