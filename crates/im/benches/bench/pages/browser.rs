//! Pages in Chromium, as the tests open them: when somebody can use one, and when one shows what happened.
//!
//! A page is interactive once its scripts have run, a frame with its charts was painted, and nothing keeps the main thread busy
//! any more: its own clock tells, from the start of the navigation.

#[expect(clippy::panic, reason = "a measurement has nobody to tell either")]
#[path = "../../../tests/it/browser/chromium.rs"]
mod chromium;
#[expect(clippy::panic, dead_code, reason = "tests do more with a tab")]
#[path = "../../../tests/it/browser/tab.rs"]
mod tab;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tab::{Browser, Tab};

use crate::report::{Figure, Report, Target, say};
use crate::spread::Spread;

const PAGES: [&str; 8] = [
    "/overview",
    "/metric/mttr",
    "/metric/mtta",
    "/metric/pages",
    "/metric/change_failure_rate",
    "/metric/incident_frequency",
    "/metric/deployment_frequency",
    "/metric/page_disruptions",
];
const AGAIN: usize = 30;
const FIRST: usize = 10;

/// Runs in each page before anything of its own.
const WATCH: &str = r#"
    window.busy = [];
    const note = (tasks) => busy.push(...tasks.getEntries().map((task) => task.startTime + task.duration));
    new PerformanceObserver(note).observe({ type: "longtask", buffered: true });
    // A task after a frame: scripts have run, what is there was painted, and the next click would be heard.
    addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => setTimeout(() => { window.free = performance.now(); })));
"#;
/// Once nothing was long for a while.
const READ: &str = r##"new Promise((end) => setTimeout(() => end({
    at: Math.max(free, performance.getEntriesByType("navigation")[0].loadEventEnd, ...busy),
    charts: [...document.querySelectorAll("#main .chart svg, #main svg.spark")].filter((e) => e.clientHeight > 0).length,
}), 150))"##;

/// Why nothing can be measured here.
pub(super) fn is_missing() -> Option<String> {
    if chromium::is_left_out() {
        return Some("the environment leaves it out".to_owned());
    }
    chromium::program().err()
}

/// How soon the pages of figures can be used.
pub(super) fn measure(address: SocketAddr, report: &mut Report) {
    say("the pages of figures in Chromium");
    for (name, rounds, is_first) in [
        ("a page of figures is interactive", AGAIN, false),
        (
            "the same on a first visit, with nothing in the browser's cache",
            FIRST,
            true,
        ),
    ] {
        let browser = Browser::start();
        let tab = browser.open("about:blank");
        tab.call(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({"source": WATCH}),
        );
        let mut slowest = (0.0, "");
        for path in PAGES {
            let url = format!("http://{address}{path}");
            if !is_first {
                load(&tab, &url);
            }
            let loads = (0..rounds).map(|_| {
                if is_first {
                    tab.call("Network.clearBrowserCache", &json!({}));
                }
                load(&tab, &url)
            });
            let spread = Spread::of(loads.collect());
            println!("    {path}: {}", spread.words());
            if spread.percentile_ms(95) > slowest.0 {
                slowest = (spread.percentile_ms(95), path);
            }
        }
        report.add(Figure {
            name,
            value: format!("p95 {:.0} ms", slowest.0),
            limit: format!("{}, the slowest of {}", slowest.1, PAGES.len()),
            target: Some(Target::at_most(slowest.0, 300.0, "ms")),
        });
    }
}

fn load(tab: &Tab, url: &str) -> Duration {
    tab.go(url);
    let read = tab.ask(READ);
    let charts = read["charts"].as_u64();
    assert!(charts > Some(0), "{url} shows no chart");
    Duration::from_secs_f64(read["at"].as_f64().unwrap() / 1_000.0)
}

/// One open list that notes when it shows something new.
pub(super) struct Open(Tab);

impl Open {
    pub(super) fn list(address: SocketAddr, cookie: &str) -> Self {
        let browser = Browser::start();
        let tab = browser.open("about:blank");
        let url = format!("http://{address}/");
        let cookie = json!({"name": "im", "value": cookie, "url": url, "httpOnly": true});
        tab.call("Network.setCookie", &cookie);
        tab.go(&url);
        let watch = r##"new MutationObserver(() => {
            if (document.querySelector("#news").textContent) requestAnimationFrame(() => setTimeout(() => { window.shown ??= Date.now(); }));
        }).observe(document.querySelector("#news"), { childList: true, characterData: true, subtree: true })"##;
        tab.ask(&format!("void {watch}"));
        Self(tab)
    }

    /// When it showed the newest, on the clock of this machine, in milliseconds; it forgets it.
    pub(super) fn shown_ms(&self) -> f64 {
        let shown = self.0.until("something new", "window.shown");
        self.0.ask("delete window.shown");
        shown.as_f64().unwrap()
    }
}
