//! Every number leads to what is behind it, and every sentence to what can be done.

use serde_json::json;

use super::figures::{deployed, has, page, text, twelve_weeks};
use super::{count, values};
use crate::http::Server;

/// What the link of a number opens, by the name of the number.
async fn behind(server: &Server, shown: &str, name: &str) -> String {
    let start = format!("<dt>{name}</dt><dd><a href=\"");
    let found = shown.split_once(&start);
    let (_, rest) = found.unwrap_or_else(|| panic!("no `{start}` in {shown}"));
    let link = rest.split('"').next().unwrap().replace("&amp;", "&");
    page(server, &link).await
}

fn listed(items: &str) -> usize {
    count(items, "<td class=\"at\">")
}

/// An incident that nobody has taken yet.
async fn still_open(server: &Server) {
    let new = json!({"title": "Checkout is down", "severity": "sev1", "service": "payments"});
    server.post("/api/v1/incidents", new).await.is(201);
}

#[tokio::test]
async fn mw11_each_number_of_a_metric_opens_what_is_behind_it() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/metric/mttr").await;
    for name in ["Mean, six weeks", "Median", "p90", "Incidents"] {
        assert_eq!(listed(&behind(&server, &shown, name).await), 15, "{name}");
    }
    let longest = behind(&server, &shown, "p90").await;
    has(&longest, "Longest first");
    let place = |words: &str| longest.find(words).unwrap();
    assert!(place(">2 h<") < place(">30 min<"));
    let before = "/metric/mttr/items?from=2026-08-28&amp;to=2026-10-08";
    assert!(
        shown.contains(&format!("was <a href=\"{before}\">1 h</a>")),
        "{shown}"
    );
    assert!(shown.contains(&format!("<a href=\"{before}\">18 before</a>")));
    assert_eq!(
        listed(&page(&server, &before.replace("&amp;", "&")).await),
        18
    );
    let shown = page(&server, "/metric/page_disruptions").await;
    let told = server
        .get("/api/v1/metrics/page_disruptions?when=out_of_hours")
        .await;
    let out = told.is(200)["series"][0]["total"]["n"].as_u64().unwrap();
    for name in ["Out of hours", "Share out of hours"] {
        let items = behind(&server, &shown, name).await;
        assert_eq!(u64::try_from(listed(&items)).unwrap(), out, "{name}");
    }
}

#[tokio::test]
async fn a_page_that_does_not_exist_says_how_many_there_are() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/metric/mttr/items?page=9").await;
    has(&shown, "There is no such page");
    has(&shown, "There are 15, on 1 page");
    assert!(!shown.contains("Nothing is behind this"), "{shown}");
    let first = page(&server, "/metric/mttr/items").await;
    assert_eq!(listed(&first), 15);
    assert!(
        shown.contains("href=\"/metric/mttr/items\">To the first page"),
        "{shown}"
    );
}

#[tokio::test]
async fn mw11_what_is_left_out_opens_and_so_does_what_failed() {
    let server = twelve_weeks().await;
    still_open(&server).await;
    deployed(&server, "good", "ledger", "2026-11-16T08:00:00Z").await;
    deployed(&server, "bad", "payments", "2026-11-19T09:00:00Z").await;
    let shown = page(&server, "/metric/mttr").await;
    let link = "/metric/mttr/items?left_out=open";
    assert!(
        shown.contains(&format!("Left out: <a href=\"{link}\">1 open</a>")),
        "{shown}"
    );
    let open = page(&server, link).await;
    has(&open, "Left out of time to recovery 1");
    has(&open, "Checkout is down");
    assert_eq!(listed(&open), 1);
    let overview = page(&server, "/overview").await;
    assert!(overview.contains(&format!("<a href=\"{link}\">1 open left out</a>")));
    for (metric, reason) in [("mtta", "unacknowledged"), ("mttr", "test")] {
        let told = server.get(&format!("/api/v1/metrics/{metric}")).await;
        let n = told.is(200)["left_out"][reason].as_u64().unwrap();
        let items = page(
            &server,
            &format!("/metric/{metric}/items?left_out={reason}"),
        )
        .await;
        assert_eq!(
            u64::try_from(listed(&items)).unwrap(),
            n,
            "{metric} {reason}"
        );
    }
    let rate = page(&server, "/metric/change_failure_rate").await;
    let failed = behind(&server, &rate, "Failed").await;
    has(&failed, "Only what failed");
    has(&failed, "failed: Checkout is down");
    assert_eq!(
        (
            listed(&failed),
            listed(&behind(&server, &rate, "Deployments").await)
        ),
        (1, 2)
    );
    for (question, works) in [
        ("left_out=odd", "use one of test, merged, open"),
        ("order=odd", "use longest"),
        ("failed=no", "use yes"),
    ] {
        let wrong = server.get(&format!("/metric/mttr/items?{question}")).await;
        assert_eq!(wrong.status, 400, "{question}");
        has(wrong.body.as_str().unwrap(), works);
    }
}

#[tokio::test]
async fn of_many_failures_of_a_deployment_ten_are_told_and_each_is_a_link() {
    let server = Server::start();
    let deployed = json!({"service": "payments", "status": "success"});
    server.post("/api/v1/deployments", deployed).await.is(201);
    server.pass(60);
    for _ in 0..13 {
        still_open(&server).await;
    }
    let items = page(&server, "/metric/change_failure_rate/items").await;
    assert_eq!(count(&items, "failed: <a"), 10, "{items}");
    has(&items, "and 3 more:");
    for number in 1..=13 {
        let link = format!("href=\"/incidents/INC-{number}\"");
        assert!(items.contains(&link), "{link}: {items}");
    }
}

#[tokio::test]
async fn mw11_mw12_each_figure_of_the_overview_opens_what_is_behind_it_and_says_what_to_do() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/overview").await;
    for (metric, said) in [
        ("mttr", "1 h 30 min"),
        ("mtta", "4 min"),
        ("incident_frequency", "0.4 a day"),
        ("pages", "15"),
    ] {
        let figure = format!("<b><a href=\"/metric/{metric}/items\">{said}</a></b>");
        assert!(shown.contains(&figure), "no {figure} in {shown}");
        assert_eq!(
            listed(&page(&server, &format!("/metric/{metric}/items")).await),
            15
        );
    }
    has(
        &shown,
        "Incident frequency 0.4 a day 17 % fewer was 0.4 a day",
    );
    has(&shown, "15 triggered in 42 days");
    has(
        &shown,
        "payments moved it most: read its slowest incidents for what they waited for.",
    );
    assert!(shown.contains(
        "<a href=\"/metric/mttr/items?service=payments&amp;order=longest\">payments</a> moved"
    ));
}

#[tokio::test]
async fn m013_each_sentence_says_value_trend_and_what_to_do() {
    let server = twelve_weeks().await;
    let worse = page(&server, "/metric/mttr").await;
    has(
        &worse,
        "Recovery is 50 % slower than in the six weeks before: 1 h 30 min, was 1 h.",
    );
    has(
        &worse,
        "payments moved it most: read its slowest incidents for what they waited for.",
    );
    let first = page(&server, "/metric/mttr?from=2026-08-28&to=2026-10-08").await;
    has(
        &first,
        "Recovery: 1 h ; nothing in the six weeks before to compare with.",
    );
    has(
        &first,
        "There is too little to say what to do; a longer time would tell. Open the slowest first",
    );
    let same = page(&server, "/metric/mtta").await;
    has(
        &same,
        "Acknowledgement: 4 min , unchanged (4 min in the six weeks before).",
    );
    has(&same, "Nothing to do; look again in a week.");
    let told = server.get("/api/v1/metrics/mttr/insights").await;
    let told = told.is(200)[0]["text"].as_str().unwrap();
    assert!(
        told.ends_with("read its slowest incidents for what they waited for."),
        "{told}"
    );
    // A figure that is as it was misses its target all the same, and what is behind it is not good.
    let target = json!({"name": "mtta", "at_most": 180.0});
    server.post("/api/v1/targets", target).await.is(200);
    let missed = page(&server, "/metric/mtta").await;
    has(&missed, "It misses its target of at most 3 min.");
    has(&missed, "Look at who is paged first, and by which channel.");
    assert!(
        !text(&missed).contains("Nothing to do"),
        "{}",
        text(&missed)
    );
    let told = server.get("/api/v1/metrics/mtta/insights").await;
    let told = &told.is(200)[0];
    assert_eq!(told["on_target"], false);
    assert!(
        told["text"]
            .as_str()
            .unwrap()
            .contains("which misses its target of at most 3m 00s")
    );
    let overview = page(&server, "/overview").await;
    has(&overview, "Off target: Time to acknowledge");
    has(&overview, "target missed: at most 3 min");
    let target = json!({"name": "mtta", "at_most": 300.0});
    server.post("/api/v1/targets", target).await.is(200);
    has(
        &page(&server, "/metric/mtta").await,
        "It meets its target of at most 5 min.",
    );
    has(&page(&server, "/overview").await, "Every target is met.");
    let alone = page(&server, "/metric/mttr?compare=none").await;
    has(&alone, "Compare with the six weeks before to see a trend.");
    still_open(&server).await;
    let few = page(&server, "/metric/mttr?from=2026-11-13").await;
    has(&few, "too few to tell a trend. Recovery: ");
    let more = page(&server, "/metric/incident_frequency?from=2026-11-13").await;
    has(&more, "Open what is behind it");
}

#[tokio::test]
async fn what_recurs_is_behind_a_link_on_pages_and_a_command_in_the_api() {
    let server = twelve_weeks().await;
    let target = json!({"name": "incident_frequency", "at_most": 0.01});
    server.post("/api/v1/targets", target).await.is(200);
    for path in ["/metric/incident_frequency", "/overview"] {
        let often = page(&server, path).await;
        assert!(
            text(&often)
                .to_lowercase()
                .contains("mend what recurs. see the findings"),
            "{}",
            text(&often)
        );
        assert!(often.contains("href=\"/findings"), "{often}");
        assert!(!often.contains("im findings"), "{often}");
    }
    let told = server
        .get("/api/v1/metrics/incident_frequency/insights")
        .await;
    let told = told.is(200)[0]["text"].as_str().unwrap().to_owned();
    assert!(
        told.ends_with("mend what recurs (`im findings`)."),
        "{told}"
    );
}

#[tokio::test]
async fn mw15_the_heat_map_shows_services_by_weekday_and_by_hour() {
    let server = twelve_weeks().await;
    for (view, param) in [("service_weekday", "weekday="), ("service_hour", "hour=")] {
        let shown = page(
            &server,
            &format!("/metric/pages?heat={view}&severity=SEV-2"),
        )
        .await;
        let links = values(&shown, "href").into_iter();
        let cells: Vec<String> = links
            .filter(|link| link.contains(param) && link.contains("service="))
            .map(|link| link.replace("&amp;", "&"))
            .collect();
        let mut all = 0;
        for cell in &cells {
            assert!(
                cell.contains("severity=SEV-2") && !cell.contains("heat="),
                "{cell}"
            );
            let items = page(&server, cell).await;
            let said = format!("<a href=\"{}\"", cell.replace('&', "&amp;"));
            let (_, rest) = shown.split_once(&said).unwrap();
            let (_, number) = rest.split_once('>').unwrap();
            let n = listed(&items);
            assert!(number.starts_with(&format!("{n}</a>")), "{cell}");
            all += n;
        }
        assert_eq!(all, 15, "each incident is in one cell: {cells:?}");
        assert!(shown.contains("<span title=\"ledger\">ledger</span>"));
        let usual = "href=\"/metric/pages?severity=SEV-2#when\">Weekday and hour</a>";
        assert!(shown.contains(usual), "{shown}");
    }
    let wrong = server.get("/metric/pages?heat=odd").await;
    assert_eq!(wrong.status, 400);
    has(
        wrong.body.as_str().unwrap(),
        "use service_weekday or service_hour",
    );
}

#[tokio::test]
async fn two_that_have_as_much_are_both_named() {
    let server = Server::start();
    for service in ["ledger", "payments"] {
        for title in ["Slow", "Down", "Odd"] {
            let new = json!({"title": title, "severity": "sev2", "service": service});
            server.post("/api/v1/incidents", new).await.is(201);
        }
    }
    let shown = page(&server, "/metric/incident_frequency").await;
    has(&shown, "ledger and payments have 50 % of them each.");
}
