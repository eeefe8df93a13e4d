//! What stands in charts beside their own figures: published levels, and what else happened.

use serde_json::json;

use super::count;
use super::figures::{deployed, has, page, twelve_weeks};

#[tokio::test]
async fn mw17_levels_are_drawn_where_they_are_asked_for_and_named() {
    let server = twelve_weeks().await;
    for (id, finished) in [
        ("d1", "2026-11-04T09:00:00Z"),
        ("d2", "2026-11-05T09:00:00Z"),
        // Before an incident of the service, so that there is a rate.
        ("d3", "2026-11-13T08:00:00Z"),
    ] {
        deployed(&server, id, "payments", finished).await;
    }
    let plain = page(&server, "/metric/change_failure_rate?benchmark=none").await;
    assert_eq!(count(&plain, "class=\"zone\""), 0, "{plain}");
    let shown = page(&server, "/metric/change_failure_rate?benchmark=2023").await;
    let names = shown.split("class=\"zone-name\"").skip(1);
    let names: Vec<&str> = names
        .filter_map(|rest| rest.split_once('>')?.1.split('<').next())
        .collect();
    // As far up as the scale goes, those that are too low to be written in are left to the key.
    assert!(names.contains(&"low"), "{names:?}");
    assert!(count(&shown, "class=\"zone\"") >= names.len());
    has(&shown, "levels as DORA published them in 2023");
    let odd = page(&server, "/metric/change_failure_rate?benchmark=2024").await;
    has(
        &odd,
        "published them in 2024, some bounds weaker than the next",
    );
    let form = page(&server, "/metric/change_failure_rate?choose=filter").await;
    assert!(form.contains("<select name=\"benchmark\">"), "{form}");
    // A month has no one number of days.
    let monthly = "/metric/deployment_frequency?benchmark=2023&bucket=month";
    assert_eq!(count(&page(&server, monthly).await, "class=\"zone\""), 0);
    let weekly = "/metric/deployment_frequency?benchmark=2023&bucket=week";
    assert!(count(&page(&server, weekly).await, "class=\"zone\"") > 0);
}

#[tokio::test]
async fn m005_a_target_is_drawn_where_the_chart_is_what_it_is_of_and_said_elsewhere() {
    let server = twelve_weeks().await;
    let all = page(&server, "/metric/page_disruptions").await;
    assert_eq!(count(&all, "class=\"target\""), 0, "{all}");
    has(&all, "target: at most 7 a week for each person");
    assert_eq!(
        count(&page(&server, "/metric/mttr").await, "class=\"target\""),
        0
    );
    let target = json!({"name": "mttr", "at_most": 3600.0});
    server.post("/api/v1/targets", target).await.is(200);
    let shown = page(&server, "/metric/mttr").await;
    assert_eq!(count(&shown, "class=\"target\""), 1, "{shown}");
    has(&shown, "target: at most 1 h");
}

#[tokio::test]
async fn deployments_are_marked_in_their_bucket_for_the_services_that_are_asked_for() {
    let server = twelve_weeks().await;
    let plain = page(&server, "/metric/mttr").await;
    assert_eq!(count(&plain, "class=\"marked\""), 0, "{plain}");
    for (id, service) in [("d1", "payments"), ("d2", "payments"), ("d3", "ledger")] {
        deployed(&server, id, service, "2026-11-04T09:00:00Z").await;
    }
    let shown = page(&server, "/metric/mttr").await;
    assert_eq!(count(&shown, "class=\"marked\""), 1, "{shown}");
    assert!(
        shown.contains(". 3 deployments"),
        "who listens hears it: {shown}"
    );
    has(&shown, "3 deployments");
    let one = page(&server, "/metric/mttr?service=ledger").await;
    assert!(one.contains(". 1 deployment."), "{one}");
    let of_deployments = page(&server, "/metric/deployment_frequency").await;
    assert_eq!(
        count(&of_deployments, "class=\"marked\""),
        0,
        "they are the figure"
    );
}

#[tokio::test]
async fn what_is_in_most_buckets_is_named_there_and_has_no_diamond() {
    let server = twelve_weeks().await;
    for day in ["10-14", "10-21", "10-28"] {
        deployed(&server, day, "payments", &format!("2026-{day}T09:00:00Z")).await;
    }
    let shown = page(&server, "/metric/mttr").await;
    assert_eq!(
        count(&shown, "class=\"marked\""),
        3,
        "three of seven: {shown}"
    );
    assert!(
        shown.contains("<span class=\"swatch diamond\"></span>deployments"),
        "{shown}"
    );
    deployed(&server, "often", "payments", "2026-11-04T09:00:00Z").await;
    let shown = page(&server, "/metric/mttr").await;
    assert_eq!(
        count(&shown, "class=\"marked\""),
        0,
        "four of seven: {shown}"
    );
    has(&shown, "1 deployment");
}

#[tokio::test]
async fn other_working_hours_are_marked_where_they_count() {
    let server = twelve_weeks().await;
    let hours = json!({"of": "organisation", "effective_from": "2026-11-03",
        "week": {"monday": ["06:00-22:00"], "friday": ["06:00-22:00"]}});
    server.post("/api/v1/hours", hours).await.is(200);
    let shown = page(&server, "/metric/page_disruptions").await;
    has(&shown, "Other working hours since 2026-11-03");
    let elsewhere = page(&server, "/metric/mttr").await;
    assert!(!elsewhere.contains("Other working hours"), "{elsewhere}");
}

#[tokio::test]
async fn a_chart_is_offered_as_a_picture_to_whoever_has_script() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/metric/mttr").await;
    let offer = "<li hidden><button class=\"quietly\" type=\"button\" data-picture=\"mttr\">Chart as PNG</button></li>";
    assert_eq!(count(&shown, offer), 1, "{shown}");
}

/// A colour of the style, as three parts of 255.
fn colour(scheme: &str, name: &str) -> [f64; 3] {
    let (_, rest) = scheme.split_once(&format!("--{name}: #")).unwrap();
    let digits = rest.split(';').next().unwrap();
    let number = u32::from_str_radix(digits, 16).unwrap();
    let part = |at: u32| {
        let part = if digits.len() == 6 {
            number >> (16 - 8 * at) & 0xFF
        } else {
            (number >> (8 - 4 * at) & 0xF) * 0x11
        };
        f64::from(part)
    };
    [part(0), part(1), part(2)]
}

/// How bright it is, as WCAG counts.
fn brightness(colour: [f64; 3]) -> f64 {
    let part = |part: f64| {
        let part = part / 255.0;
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    let [red, green, blue] = colour.map(part);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[test]
fn numbers_in_bars_of_the_rest_have_the_contrast_of_text_in_both_schemes() {
    let app = include_str!("../../../src/web/assets/app.css");
    let style = include_str!("../../../src/web/assets/metrics.css");
    assert!(style.contains(".chart .inside.rest { fill: var(--text); }"));
    assert!(style.contains(".bar.rest { fill: var(--rest); fill-opacity: .6;"));
    let (light, dark) = app.split_once("prefers-color-scheme: dark").unwrap();
    for scheme in [light, dark] {
        let (rest, ground) = (colour(scheme, "rest"), colour(scheme, "bg"));
        let bar = [0, 1, 2].map(|part| 0.6 * rest[part] + 0.4 * ground[part]);
        let both = [brightness(colour(scheme, "text")), brightness(bar)];
        let contrast = (both[0].max(both[1]) + 0.05) / (both[0].min(both[1]) + 0.05);
        assert!(contrast >= 4.5, "{contrast}");
    }
}
