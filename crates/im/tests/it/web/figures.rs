//! The pages of figures: what a browser gets is what the API computes, and leads to what is behind it.

use im::clock::Clock;
use serde_json::{Value, json};

use super::site::busy;
use super::{count, values};
use crate::http::Server;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// Twelve weeks that end on Thursday, 19 November, at 09:14 UTC. On each Friday but one there are two
/// incidents of `payments` in working hours and one of `ledger` in the evening. In the first six weeks
/// recoveries take an hour, in the last six those of `payments` take two and those of `ledger` half of
/// one. Each is acknowledged by a person after four minutes.
pub(super) async fn twelve_weeks() -> Server {
    let clock = Clock::manual("2026-08-27T09:14:05Z".parse().unwrap());
    let server = Server::with_clock(clock, true);
    for week in 0..12 {
        server.pass(DAY);
        let mut spent = 0;
        if week != 8 {
            let (payments, ledger) = if week < 6 { (60, 60) } else { (120, 30) };
            over(&server, "payments", payments).await;
            over(&server, "payments", payments).await;
            server.pass(6 * 60 * MINUTE);
            over(&server, "ledger", ledger).await;
            spent = 2 * payments + 6 * 60 + ledger;
        }
        server.pass(6 * DAY - spent * MINUTE);
    }
    server
}

/// An incident from its declaration to its end.
async fn over(server: &Server, service: &str, minutes: i64) {
    let new =
        json!({"title": format!("{service} is slow"), "severity": "sev2", "service": service});
    let made = server.post("/api/v1/incidents", new).await;
    let id = made.is(201)["incident"]["id"].as_str().unwrap().to_owned();
    server.pass(4 * MINUTE);
    act(server, &id, "acknowledge").await;
    server.pass((minutes - 4) * MINUTE);
    act(server, &id, "resolve").await;
}

/// A person does something to an incident.
async fn act(server: &Server, id: &str, step: &str) {
    let path = format!("/api/v1/incidents/{id}/{step}");
    let answer = server.post_as("priya@example.com", &path).await;
    answer.is(200);
}

pub(super) async fn deployed(server: &Server, id: &str, service: &str, finished: &str) {
    let new = json!({"id": id, "service": service, "version": "v7", "finished_at": finished});
    server.post("/api/v1/deployments", new).await.is(201);
}

/// A page as text.
pub(super) async fn page(server: &Server, path: &str) -> String {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body.as_str().unwrap().to_owned()
}

/// The text of a page: tags become spaces.
pub(super) fn text(page: &str) -> String {
    let (_, shown) = page.split_once("<main").unwrap();
    let pieces = shown
        .split('<')
        .map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    let words: Vec<&str> = pieces.flat_map(str::split_whitespace).collect();
    words.join(" ").replace("&amp;", "&")
}

#[track_caller]
pub(super) fn has(page: &str, words: &str) {
    let text = text(page);
    assert!(text.contains(words), "no `{words}` in: {text}");
}

/// A length as the pages say it; only for whole minutes and seconds.
fn length(seconds: &Value) -> String {
    let seconds = seconds.as_f64().unwrap();
    let (hours, minutes, rest) = (
        (seconds / 3600.0).floor(),
        (seconds % 3600.0 / 60.0).floor(),
        seconds % 60.0,
    );
    match (hours > 0.0, minutes > 0.0) {
        (true, true) => format!("{hours} h {minutes} min"),
        (true, false) => format!("{hours} h"),
        (false, true) if rest > 0.0 => format!("{minutes} min {rest} s"),
        (false, _) => format!("{minutes} min"),
    }
}

#[tokio::test]
async fn mw12_mw14_a_metric_page_shows_the_figures_of_the_api_week_by_week() {
    let server = twelve_weeks().await;
    let told = server.get("/api/v1/metrics/mttr?compare=previous").await;
    let told = told.is(200);
    let total = &told["series"][0]["total"];
    assert_eq!(total["n"], 15, "the story is not the one that is meant");
    let shown = page(&server, "/metric/mttr").await;
    for figure in ["mean", "median", "p90"] {
        has(&shown, &length(&total[figure]));
    }
    has(&shown, "50 % slower , was 1 h");
    // Each week is there with its own figures, the empty one without any.
    let spoken = values(&shown, "aria-label");
    let weeks: Vec<&&str> = spoken
        .iter()
        .filter(|label| label.contains("Mean"))
        .collect();
    let buckets = told["buckets"].as_array().unwrap();
    assert_eq!(weeks.len(), buckets.len());
    for (week, value) in weeks
        .iter()
        .zip(told["series"][0]["values"].as_array().unwrap())
    {
        let mean = if value["n"] == 0 {
            "none".to_owned()
        } else {
            length(&value["mean"])
        };
        assert!(week.contains(&format!("Mean {mean},")), "{week}");
        assert!(
            week.contains(&format!("Incidents {}", value["n"])),
            "{week}"
        );
    }
    assert!(
        weeks.iter().any(|week| week.contains("Mean none")),
        "an empty week is said"
    );
    assert!(weeks.last().unwrap().contains("(so far)"), "{weeks:?}");
    assert!(weeks.first().unwrap().contains("days)"), "{weeks:?}");
}

#[tokio::test]
async fn mw11_each_number_opens_the_incidents_behind_it() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/metric/mttr?severity=SEV-2").await;
    let (_, chart) = shown.split_once("class=\"hits\"").unwrap();
    let links: Vec<String> = values(chart, "href")
        .into_iter()
        .take_while(|link| link.contains("/items?"))
        .map(|link| link.replace("&amp;", "&"))
        .collect();
    let told = server.get("/api/v1/metrics/mttr?severity=SEV-2").await;
    let weeks = told.is(200)["series"][0]["values"]
        .as_array()
        .unwrap()
        .clone();
    let full: Vec<&Value> = weeks.iter().filter(|week| week["n"] != 0).collect();
    assert!(links.len() >= full.len(), "{links:?}");
    for (link, week) in links.iter().zip(full) {
        let items = page(&server, link).await;
        let n = usize::try_from(week["n"].as_u64().unwrap()).unwrap();
        assert_eq!(count(&items, "<a href=\"/incidents/INC-"), n, "{link}");
        assert!(
            link.contains("severity=SEV-2"),
            "the filter is kept: {link}"
        );
    }
    let items = page(&server, &links[0]).await;
    has(&items, "payments is slow");
    has(&items, "2 h");
}

#[tokio::test]
async fn mw11_a_group_opens_its_own_and_what_is_to_be_done_names_it() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/metric/mttr").await;
    has(
        &shown,
        "Recovery is 50 % slower than in the six weeks before: 1 h 30 min, was 1 h.",
    );
    has(
        &shown,
        "payments has 89 % of the time to recovery. Open those 10 incidents .",
    );
    let items = page(&server, "/metric/mttr/items?service=ledger").await;
    assert_eq!(count(&items, "<a href=\"/incidents/INC-"), 5);
    assert!(!text(&items).contains("payments is slow"));
    assert!(shown.contains("href=\"/metric/mttr/items?service=ledger\""));
}

#[tokio::test]
async fn mw16_the_overview_ranks_services_by_what_got_worse() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/overview").await;
    has(&shown, "Nothing is open.");
    has(
        &shown,
        "There are 17 % fewer pages than in the six weeks before, but recovery is 50 % slower.",
    );
    has(&shown, "1 h 30 min 50 % slower was 1 h");
    let text = text(&shown);
    let (_, ranked) = text.split_once("What changed most").unwrap();
    let worse = ranked.find("payments 10 2 h 100 % slower").unwrap();
    let better = ranked.find("ledger 5 30 min 50 % quicker").unwrap();
    assert!(worse < better, "{ranked}");
}

#[tokio::test]
async fn mw_13_the_report_of_a_period_is_what_the_overview_shows() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/overview").await;
    assert!(shown.contains("href=\"/overview/report.csv\""));
    let report = server.get("/overview/report.csv").await;
    let file = report.headers["content-disposition"].to_str().unwrap();
    assert_eq!(file, "attachment; filename=\"report.csv\"");
    let csv = report.body.as_str().unwrap();
    // As in `mw16_the_overview_ranks_services_by_what_got_worse`.
    for line in [
        "metric,title,service,unit,value,n,value_before,n_before,change",
        "mttr,Time to recovery,,seconds,5400,15,3600,18,50 % slower",
        "mttr,Time to recovery,payments,seconds,7200,10,3600,12,100 % slower",
        "mttr,Time to recovery,ledger,seconds,1800,5,3600,6,50 % quicker",
    ] {
        assert!(csv.lines().any(|told| told == line), "{line}\n{csv}");
    }
    let some = "/overview/report.json?service=ledger&from=2026-11-01&to=2026-11-19";
    let report = server.get(some).await;
    let told = report.is(200);
    assert_eq!(
        (&told["from"], &told["to"], &told["filters"]),
        (
            &json!("2026-11-01"),
            &json!("2026-11-19"),
            &json!([["service", "ledger"]])
        )
    );
    let services = told["rows"].as_array().unwrap().iter();
    let services: Vec<&Value> = services
        .map(|row| &row["service"])
        .filter(|name| !name.is_null())
        .collect();
    assert_eq!(services, [&json!("ledger")]);
    for wrong in ["measure=hours", "service=nonesuch"] {
        let path = format!("/overview/report.csv?{wrong}");
        assert_eq!(server.get(&path).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn mw17_an_overview_of_some_services_has_their_figures_only() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/overview?service=ledger").await;
    has(&shown, "30 min 50 % quicker was 1 h");
    assert!(!text(&shown).contains("payments"), "{}", text(&shown));
    assert!(shown.contains("href=\"/overview\" aria-label=\"Take away service ledger\""));
    // What burns is of the same services.
    for (title, service) in [
        ("Ledger is behind", "ledger"),
        ("Payments fail", "payments"),
    ] {
        let new = json!({"title": title, "severity": "SEV-1", "service": service});
        server.post("/api/v1/incidents", new).await.is(201);
    }
    let burns = text(&page(&server, "/overview?service=ledger").await);
    assert!(burns.contains("Ledger is behind"), "{burns}");
    assert!(!burns.contains("Payments fail"), "{burns}");
    let none = page(&server, "/overview?service=ledger&environment=staging").await;
    has(&none, "Nothing of it is open.");
    has(&page(&server, "/overview").await, "Payments fail");
    let both = page(&server, "/overview?service=ledger&service=payments").await;
    has(&both, "1 h 30 min 50 % slower was 1 h");
    let form = page(&server, "/overview?choose=filter").await;
    assert!(form.contains("<option value=\"payments\">payments</option>"));
}

#[tokio::test]
async fn mw12_changes_and_their_failures_are_shown_with_the_published_level() {
    let server = twelve_weeks().await;
    // The first incident of `payments` in the last week is declared on the day before.
    let told = server
        .get("/api/v1/metrics/pages/items?service=payments&from=2026-11-13")
        .await;
    let first = told.is(200)["items"][0]["at"].as_str().unwrap().to_owned();
    let day = first.split_once('T').unwrap().0;
    deployed(&server, "bad", "payments", &format!("{day}T00:10:00Z")).await;
    deployed(&server, "good", "ledger", "2026-11-16T08:00:00Z").await;
    let rate = server.get("/api/v1/metrics/change_failure_rate").await;
    let total = &rate.is(200)["series"][0]["total"];
    assert_eq!(
        (&total["numerator"], &total["denominator"]),
        (&json!(1), &json!(2))
    );
    let overview = page(&server, "/overview").await;
    has(&overview, "1 of 1 deployments failed");
    let shown = page(&server, "/metric/change_failure_rate").await;
    has(&shown, "Rate, six weeks 50 %");
    has(&shown, "Failed 1 Deployments 2");
    has(&shown, "Level by DORA");
    let items = page(&server, "/metric/change_failure_rate/items").await;
    has(&items, "failed: payments is slow");
    has(&items, "the newest successful deployment of its service");
    has(&items, "none failed");
}

#[tokio::test]
async fn mw13_an_export_is_what_the_api_answers_and_what_the_page_shows() {
    let server = twelve_weeks().await;
    let question = "service=payments&bucket=month";
    let json = server
        .get(&format!("/metric/mttr/figures.json?{question}"))
        .await;
    let told = server
        .get(&format!("/api/v1/metrics/mttr?{question}&compare=previous"))
        .await;
    assert_eq!(json.is(200), told.is(200));
    assert_eq!(
        json.headers["content-disposition"],
        "attachment; filename=\"mttr.json\""
    );
    let csv = server
        .get(&format!("/metric/mttr/figures.csv?{question}"))
        .await;
    let csv = csv.is(200).as_str().unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "period,start,from,to,partial,incomplete,n,mean,median,p90,min,max"
    );
    // A page compares with the time before, and so does its file.
    let buckets = |answer: &Value| answer["buckets"].as_array().unwrap().len();
    let both = buckets(&told.body) + buckets(&told.body["previous"]);
    assert_eq!(lines.len(), 1 + both);
    let n = &told.body["series"][0]["values"][0]["n"];
    assert!(lines[1].contains(&format!(",{n},7200.0,")), "{}", lines[1]);
    let shown = page(&server, &format!("/metric/mttr?{question}")).await;
    for kind in ["csv", "json"] {
        let link =
            format!("href=\"/metric/mttr/figures.{kind}?service=payments&amp;bucket=month\"");
        assert!(shown.contains(&link), "no {link}");
    }
}

#[tokio::test]
async fn mw15_a_cell_of_the_heat_map_opens_what_happened_at_that_hour() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/metric/pages").await;
    let cells: Vec<String> = values(&shown, "href")
        .into_iter()
        .filter(|link| link.contains("weekday="))
        .map(|link| link.replace("&amp;", "&"))
        .collect();
    assert!(!cells.is_empty());
    let mut all = 0;
    for cell in &cells {
        let items = page(&server, cell).await;
        let n = count(&items, "<a href=\"/incidents/INC-");
        let said = format!("<a href=\"{}\"", cell.replace('&', "&amp;"));
        let (_, rest) = shown.split_once(&said).unwrap();
        let (_, number) = rest.split_once('>').unwrap();
        assert!(number.starts_with(&format!("{n}</a>")), "{cell}");
        all += n;
    }
    assert_eq!(all, 15, "each incident is in one cell");
    let wrong = server.get("/metric/pages/items?weekday=7").await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong
            .body
            .as_str()
            .unwrap()
            .contains("use a number from 0 to 6")
    );
}

#[tokio::test]
async fn mw14_cadence_range_group_and_comparison_are_links() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/metric/mttr?service=payments").await;
    for link in [
        "/metric/mttr?service=payments&amp;bucket=day",
        "/metric/mttr?service=payments&amp;bucket=quarter",
        "/metric/mttr?service=payments&amp;group_by=severity",
        "/metric/mttr?service=payments&amp;compare=none",
        "/metric/mttr?service=payments&amp;from=2026-11-06&amp;bucket=day",
        "/metric/mttr?service=payments&amp;from=2026-08-28&amp;to=2026-10-08",
        "/metric/mttr?service=payments&amp;choose=filter",
    ] {
        assert!(shown.contains(&format!("href=\"{link}\"")), "no {link}");
    }
    assert!(shown.contains("<form method=\"get\" action=\"/metric/mttr\"><input type=\"hidden\" name=\"service\" value=\"payments\">"));
    // A form sends what was left empty, too.
    let empty = page(&server, "/metric/mttr?from=&to=&service=&title=payments").await;
    has(&empty, "2 h");
    let alone = page(&server, "/metric/mttr?compare=none").await;
    has(&alone, "Recovery: 1 h 30 min in these six weeks.");
    assert!(!text(&alone).contains("slower"));
}

#[tokio::test]
async fn m034_m035_figures_are_filtered_by_urgency_and_priority_and_none_is_a_value() {
    let site = busy();
    let numbers = async |path: &str| {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        text(&answer.body)
    };
    let all = numbers("/metric/pages?group_by=priority").await;
    assert!(
        all.contains("P1 4") && all.contains("no priority 2"),
        "{all}"
    );
    let high = numbers("/metric/pages?urgency=high").await;
    assert!(high.contains("Pages, six weeks 5"), "{high}");
    let first = numbers("/metric/pages?priority=PPRIO1").await;
    assert!(
        first.contains("Pages, six weeks 4") && first.contains("Priority P1"),
        "{first}"
    );
    let none = numbers("/metric/pages?priority=null").await;
    assert!(
        none.contains("Pages, six weeks 2") && none.contains("Priority no priority"),
        "{none}"
    );
    let form = site.get("/metric/pages?choose=filter").await.body;
    for option in [
        "value=\"high\">high",
        "value=\"PPRIO1\">P1",
        "value=\"null\">no priority",
        "value=\"PTEAM01\">Payments",
    ] {
        assert!(
            form.contains(&format!("<option {option}</option>")),
            "no {option}"
        );
    }
}

#[tokio::test]
async fn m014_disruptions_are_split_by_working_hours_and_counted_in_pages_or_hours() {
    let server = twelve_weeks().await;
    let figure = async |question: &str| {
        let told = server
            .get(&format!("/api/v1/metrics/page_disruptions?{question}"))
            .await;
        told.is(200)["series"][0]["total"]["n"].as_u64().unwrap()
    };
    let (all, out) = (figure("").await, figure("when=out_of_hours").await);
    let shown = page(&server, "/metric/page_disruptions").await;
    has(&shown, &format!("Pages, six weeks {all}"));
    has(&shown, &format!("Out of hours {out}"));
    let hours = page(
        &server,
        "/metric/page_disruptions?measure=hours&when=working_hours",
    )
    .await;
    let n = figure("measure=hours&when=working_hours").await;
    assert!(n > 0 && n < all + out);
    has(&hours, &format!("Disturbed hours, six weeks {n}"));
    assert!(hours.contains("<a href=\"/metric/page_disruptions?when=working_hours&amp;measure=hours\" aria-current=\"true\">Hours</a>"), "{hours}");
}

#[tokio::test]
async fn whoever_sits_at_the_machine_sees_single_people_while_nobody_has_an_account() {
    let server = twelve_weeks().await;
    for path in [
        "/metric/oncall_load",
        "/metric/oncall_load/items",
        "/metric/page_disruptions?choose=filter",
    ] {
        let shown = page(&server, path).await;
        assert!(!shown.contains("those alone who may see it"), "{path}");
    }
    let by_person = page(&server, "/metric/page_disruptions?group_by=user").await;
    assert!(by_person.contains("priya"), "{by_person}");
    let shown = page(&server, "/metric/page_disruptions").await;
    let told = server.get("/api/v1/metrics/page_disruptions").await;
    let pages = &told.is(200)["series"][0]["total"]["n"];
    let told = server
        .get("/api/v1/metrics/page_disruptions?when=out_of_hours")
        .await;
    let outside = &told.is(200)["series"][0]["total"]["n"];
    let told = server
        .get("/api/v1/metrics/page_disruptions?measure=hours")
        .await;
    let hours = &told.is(200)["series"][0]["total"]["n"];
    has(
        &shown,
        &format!("priya@example.com none {pages} {outside} {hours}"),
    );
    // Where teams are asked for, nobody is named, whoever asks.
    let shown = page(&server, "/overview").await;
    assert!(shown.contains("href=\"/metric/oncall_load\""), "{shown}");
    assert!(!shown.contains("priya"), "{shown}");
}

/// An address, what is wrong with it, what works, and the address without that.
const WRONG: [(&str, &str, &str, &str); 7] = [
    (
        "/metric/mttr?bucket=year&service=db",
        "bucket cannot be year for mttr.",
        "use day, week, month, quarter or all",
        "/metric/mttr?service=db",
    ),
    (
        "/metric/mttr?from=2026-11-20&to=2026-11-01",
        "The range ends on 2026-11-01, before it starts on 2026-11-20.",
        "give from a date up to 2026-11-01",
        "/metric/mttr",
    ),
    (
        "/metric/mttr?from=1990-01-01&bucket=day",
        "A range from 1990-01-01 to 2026-11-19 has more than 3660 buckets of a day.",
        "use a longer bucket or a shorter range",
        "/metric/mttr?from=1990-01-01",
    ),
    (
        "/overview?from=yesterday",
        "from cannot be yesterday for the overview.",
        "a date such as",
        "/overview",
    ),
    (
        "/overview?measure=hours",
        "The overview has no parameter measure",
        "use from, to, bucket",
        "/overview",
    ),
    (
        "/metric/mttr/items?recovery=odd",
        "recovery cannot be odd for mttr.",
        "use last, first or open_time",
        "/metric/mttr/items",
    ),
    (
        "/metric/pages/figures.csv?source=x",
        "source cannot be x for pages.",
        "use incidents, notifications or acknowledgements",
        "/metric/pages",
    ),
];

#[tokio::test]
async fn mw32_a_question_that_cannot_be_answered_says_what_works() {
    let server = twelve_weeks().await;
    for (path, what, works, without) in WRONG {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        let page = answer.body.as_str().unwrap();
        has(page, what);
        has(page, works);
        assert!(
            page.contains(&format!("href=\"{without}\"")),
            "no {without} on {path}"
        );
        has(page, "400 bad_request");
        has(page, env!("CARGO_PKG_VERSION"));
        assert!(!page.contains("<script>"));
    }
    let answer = server.get("/metric/%3Cb%3Emttr").await;
    assert_eq!(answer.status, 404);
    let unknown = answer.body.as_str().unwrap();
    has(unknown, "there are pages of Time to recovery");
    assert!(!unknown.contains("<b>mttr"));
}

#[tokio::test]
async fn where_there_is_nothing_the_pages_say_why_and_what_to_do() {
    let server = Server::with_clock(Clock::manual("2026-11-20T09:14:05Z".parse().unwrap()), true);
    let overview = page(&server, "/overview").await;
    has(&overview, "Nothing to measure in these six weeks.");
    has(&overview, "read from PagerDuty: Integrations");
    assert_eq!(count(&overview, "class=\"nobody\">none<"), 8);
    let rate = page(&server, "/metric/change_failure_rate").await;
    has(
        &rate,
        "Figures appear as soon as deployments are told: im deployment record",
    );
    assert!(
        !rate.contains("class=\"chart\""),
        "nothing is drawn of nothing"
    );
    let filtered = page(&server, "/metric/mttr?service=db").await;
    assert!(
        filtered.contains("<a href=\"/metric/mttr\">Show the last six weeks without filters</a>")
    );
}

#[tokio::test]
async fn a_comparison_of_few_is_not_made() {
    let server = Server::with_clock(Clock::manual("2026-11-18T09:00:00Z".parse().unwrap()), true);
    over(&server, "payments", 30).await;
    let shown = page(&server, "/metric/mttr").await;
    has(
        &shown,
        "Only 1 incident in these six weeks: too few to tell a trend.",
    );
    let overview = page(&server, "/overview").await;
    has(&overview, "Too few to tell a change.");
}

#[tokio::test]
async fn what_burns_now_stands_first_with_the_time_that_is_left() {
    let server = twelve_weeks().await;
    let new = json!({"title": "Checkout <is> down", "severity": "sev1", "service": "payments"});
    let made = server.post("/api/v1/incidents", new).await;
    let id = made.is(201)["incident"]["id"].as_str().unwrap().to_owned();
    server.pass(5 * MINUTE);
    has(
        &page(&server, "/overview").await,
        "10 min left to acknowledge",
    );
    server.pass(12 * MINUTE);
    has(
        &page(&server, "/overview").await,
        "2 min late to acknowledge",
    );
    act(&server, &id, "acknowledge").await;
    let shown = page(&server, "/overview").await;
    has(&shown, "43 min left to resolve");
    has(&shown, "Checkout &lt;is&gt; down");
    assert!(shown.contains(&format!("href=\"/incidents/{id}\"")));
    has(&page(&server, "/metric/mttr").await, "Left out: 1 open");
}

#[tokio::test]
async fn a_page_quotes_the_definition_of_the_documentation() {
    let server = twelve_weeks().await;
    let definitions = include_str!("../../../../../docs/metrics.md");
    let shown = page(&server, "/metric/mttr").await;
    let quoted = "incidents resolved at least once, not open now";
    assert!(definitions.contains(quoted));
    has(&shown, quoted);
    assert!(shown.contains("href=\"#computed\"") && count(&shown, "id=\"computed\"") == 1);
}

#[tokio::test]
async fn a_page_knows_a_service_by_its_name_as_the_api_does() {
    let server = twelve_weeks().await;
    let told = server.get("/api/v1/metrics/mttr?service=Payments").await;
    let mean = &told.is(200)["series"][0]["total"]["mean"];
    assert_eq!(
        mean.as_f64(),
        Some(7200.0),
        "the story is not the one that is meant"
    );
    has(
        &page(&server, "/metric/mttr?service=Payments").await,
        &length(mean),
    );
    let behind = page(&server, "/metric/mttr/items?service=Payments").await;
    has(&behind, "payments is slow");
    assert!(!behind.contains("ledger is slow"));
    let shown = page(&server, "/overview?service=Payments").await;
    has(&shown, "mean of 10 resolved");
    let file = server.get("/metric/mttr/figures.json?service=Payments");
    assert_eq!(
        file.await.is(200)["series"][0]["total"]["mean"].as_f64(),
        mean.as_f64()
    );
}

#[tokio::test]
async fn a_page_that_was_kept_says_which_of_its_services_is_not_there() {
    let server = twelve_weeks().await;
    for path in ["/overview", "/metric/mttr", "/metric/mttr/items"] {
        let shown = page(&server, &format!("{path}?service=paymints&from=2026-11-01")).await;
        has(
            &shown,
            "Nothing that is known here has the service paymints , so nothing here is of it: did you mean payments ? Ask without it",
        );
        let without = format!("href=\"{path}?from=2026-11-01\"");
        assert!(shown.contains(&without), "no {without} in {shown}");
    }
    // What else it asks for is counted.
    let both = page(
        &server,
        "/metric/mttr/items?service=paymints&service=payments",
    )
    .await;
    has(&both, "payments is slow");
    // A file has no room for such words.
    let file = server
        .get("/metric/mttr/figures.csv?service=paymints")
        .await;
    assert_eq!(file.status, 400);
    has(
        file.body.as_str().unwrap(),
        "did you mean payments ? Nothing was",
    );
}
