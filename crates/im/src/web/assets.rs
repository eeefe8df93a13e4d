//! Style and script, compiled in.
//!
//! Their addresses carry a hash of their content, so a browser may keep them for ever.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

pub(super) const CSS_PATH: &str = "/assets/app.css";
pub(super) const SCRIPT_PATH: &str = "/assets/live.js";
pub(super) const CHART_PATH: &str = "/assets/chart.js";
pub(super) const KEYS_PATH: &str = "/assets/keys.js";
pub(super) const AIDS_PATH: &str = "/assets/aids.js";

/// Where a weight of the font is. Its name has the version of what it is, so it needs no hash.
pub(super) const FONT_PATH: &str = "/assets/inter-3.19/{name}";
/// The weights that pages use (`assets/inter/LICENSE`, ADR 0040). The style names them, too.
const FONTS: [(&str, &[u8]); 3] = [
    ("400.woff2", include_bytes!("assets/inter/400.woff2")),
    ("500.woff2", include_bytes!("assets/inter/500.woff2")),
    ("600.woff2", include_bytes!("assets/inter/600.woff2")),
];
const FOR_EVER: &str = "public, max-age=31536000, immutable";

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

const CSS: &str = concat!(
    include_str!("assets/inter/inter.css"),
    include_str!("assets/app.css"),
    include_str!("assets/metrics.css"),
    include_str!("assets/access.css"),
    include_str!("assets/everyday.css"),
    include_str!("assets/integrations.css")
);
const SCRIPT: &str = include_str!("assets/live.js");
const CHART: &str = include_str!("assets/chart.js");
const KEYS: &str = include_str!("assets/keys.js");
const AIDS: &str = include_str!("assets/aids.js");

static CSS_QUERY: LazyLock<String> = LazyLock::new(|| query(CSS));
static SCRIPT_QUERY: LazyLock<String> = LazyLock::new(|| query(SCRIPT));
static CHART_QUERY: LazyLock<String> = LazyLock::new(|| query(CHART));
static KEYS_QUERY: LazyLock<String> = LazyLock::new(|| query(KEYS));
static AIDS_QUERY: LazyLock<String> = LazyLock::new(|| query(AIDS));

/// Where the style is.
pub(super) fn css_url() -> String {
    format!("{CSS_PATH}?{}", *CSS_QUERY)
}

/// Where the script is.
pub(super) fn script_url() -> String {
    format!("{SCRIPT_PATH}?{}", *SCRIPT_QUERY)
}

/// Where the script of the charts is.
pub(super) fn chart_url() -> String {
    format!("{CHART_PATH}?{}", *CHART_QUERY)
}

/// Where the script of the shortcuts is.
pub(super) fn keys_url() -> String {
    format!("{KEYS_PATH}?{}", *KEYS_QUERY)
}

/// Where the script of what helps on any page is.
pub(super) fn aids_url() -> String {
    format!("{AIDS_PATH}?{}", *AIDS_QUERY)
}

pub(super) async fn css(RawQuery(asked): RawQuery) -> Response {
    answer("text/css; charset=utf-8", CSS, &CSS_QUERY, asked.as_deref())
}

pub(super) async fn script(RawQuery(asked): RawQuery) -> Response {
    answer(JAVASCRIPT, SCRIPT, &SCRIPT_QUERY, asked.as_deref())
}

pub(super) async fn chart(RawQuery(asked): RawQuery) -> Response {
    answer(JAVASCRIPT, CHART, &CHART_QUERY, asked.as_deref())
}

pub(super) async fn keys(RawQuery(asked): RawQuery) -> Response {
    answer(JAVASCRIPT, KEYS, &KEYS_QUERY, asked.as_deref())
}

pub(super) async fn aids(RawQuery(asked): RawQuery) -> Response {
    answer(JAVASCRIPT, AIDS, &AIDS_QUERY, asked.as_deref())
}

/// Where each weight of the font is.
pub(super) fn font_urls() -> impl Iterator<Item = String> {
    let names = FONTS.iter().map(|(name, _)| *name);
    names.map(|name| FONT_PATH.replace("{name}", name))
}

pub(super) async fn font(Path(name): Path<String>) -> Response {
    let found = FONTS.iter().find(|(one, _)| *one == name);
    let Some((_, font)) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, "font/woff2"),
        // It is compressed as it is.
        (header::CONTENT_ENCODING, "identity"),
        (header::CACHE_CONTROL, FOR_EVER),
    ];
    (headers, *font).into_response()
}

fn answer(kind: &'static str, body: &'static str, current: &str, asked: Option<&str>) -> Response {
    // Only the address with the right hash will never mean anything else.
    let keep = if asked == Some(current) {
        FOR_EVER
    } else {
        "no-cache"
    };
    (
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)],
        body,
    )
        .into_response()
}

fn query(content: &str) -> String {
    let hash = Sha256::digest(content);
    let first = hash.first_chunk().expect("a SHA-256 hash has 32 bytes");
    format!("v={:016x}", u64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_class_is_laid_out_in_one_place() {
        // They are one style: of two layouts of one class the later is that of all pages.
        let mut layouts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in CSS.lines() {
            let Some((selector, rule)) = line.split_once('{') else {
                continue;
            };
            let selector = selector.trim_end();
            let is_bare = !selector.starts_with(char::is_whitespace)
                && selector
                    .chars()
                    .all(|one| one.is_ascii_alphanumeric() || ".-".contains(one));
            if is_bare && rule.contains("display:") {
                layouts.entry(selector).or_default().push(line);
            }
        }
        assert!(layouts.contains_key(".many"), "{layouts:?}");
        layouts.retain(|_, lines| lines.len() > 1);
        assert!(layouts.is_empty(), "{layouts:#?}");
    }
}
