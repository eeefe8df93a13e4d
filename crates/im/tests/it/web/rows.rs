//! What of an incident has to be seen at once, and what must not be seen.

use im_core::{Actor, ActorKind, Command, IncidentNumber, Kind, PeerStatus, Severity};
use im_engine::commands;
use im_store::{facts, params, settings};

use super::site::{Site, Told, Twin, at};

fn lag(who: &'static str) -> Twin {
    Twin {
        number: 4102,
        service: "Search",
        status: PeerStatus::Triggered,
        who,
        merged_into: None,
    }
}

#[tokio::test]
async fn s49_an_incident_that_nobody_has_is_unowned_on_every_page() {
    let site = Site::new();
    site.connect();
    let log = vec![
        Told::new("13:00:00", Kind::Triggered),
        Told::new("14:00:00", Kind::Exhausted),
    ];
    let number = site.hear("Search lags", lag(""), log);
    for page in ["/", "/overview"] {
        let body = site.get(page).await.body;
        assert!(body.contains("Unowned</span>"), "{page}: {body}");
    }
    let path = format!("/incidents/{number}");
    let said = "Nobody has it: its escalation policy came to its end";
    assert!(site.get(&path).await.body.contains(said));
    site.act(number, "14:10:00", "Hanna Becker", Command::Acknowledge);
    for page in ["/", "/overview", &path] {
        let body = site.get(page).await.body;
        assert!(
            !body.contains("Unowned</span>") && !body.contains(said),
            "{page}: {body}"
        );
    }
}

#[tokio::test]
async fn a_list_says_of_what_is_resolved_whether_its_target_was_met() {
    let site = Site::new();
    let done = |title: &str, begun: &str, ended: &str, command: Command| {
        let number = site.declare(begun, title, Severity::Sev1, "db");
        site.act(number, ended, "Hanna Becker", command);
        number
    };
    let quick = done("Disk full", "13:00:00", "13:10:00", Command::Resolve);
    let slow = done("Disk slow", "06:00:00", "14:00:00", Command::Resolve);
    let none = done("Disk gone", "06:00:00", "14:00:00", Command::Cancel);
    let list = site.get("/").await.body;
    let row = |number: IncidentNumber| {
        let (_, row) = list.split_once(&format!("data-key=\"{number}\"")).unwrap();
        row.split_once("</tr>").unwrap().0
    };
    assert!(row(quick).contains("target met"), "{list}");
    assert!(row(slow).contains("target missed"), "{list}");
    assert!(!row(none).contains("target"), "{list}");
}

#[tokio::test]
async fn s46_who_helps_is_named_with_the_time_to_mobilise() {
    let site = Site::new();
    site.connect();
    let asked = |clock, name, answer| {
        let told = Told::new(clock, Kind::Responder).by("Hanna Becker");
        told.about(name).value(answer)
    };
    let log = vec![
        Told::new("13:00:00", Kind::Triggered),
        asked("13:02:00", "Ann Lee", "pending"),
        asked("13:02:00", "Bob Ray", "pending"),
        asked("13:05:00", "Ann Lee", "joined"),
        asked("13:06:00", "Bob Ray", "joined"),
    ];
    let number = site.hear("Search lags", lag("Hanna Becker"), log);
    let body = site.get(&format!("/incidents/{number}")).await.body;
    for part in [
        "<dt>Asked to help</dt><dd>Ann Lee (joined), Bob Ray (joined)</dd>",
        "<dt>Mobilised</dt>",
        ", in 6 min",
        "<dt>Major</dt><dd>Yes</dd>",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
}

#[tokio::test]
async fn mw39_what_is_left_out_is_on_no_list_and_its_page_says_why() {
    let site = Site::new();
    site.connect();
    let log = vec![Told::new("13:00:00", Kind::Triggered)];
    let number = site.hear("Search lags", lag(""), log);
    site.write(|tx| {
        tx.execute("UPDATE incident SET hidden = 1", params![])
            .map(drop)
    });
    let list = site.get("/").await.body;
    assert!(
        !list.contains("Search lags") && list.contains("none open"),
        "{list}"
    );
    let page = site.get(&format!("/incidents/{number}")).await.body;
    assert!(
        page.contains("Its service is not synced any more"),
        "{page}"
    );
}

#[tokio::test]
async fn mw04_addresses_are_on_no_page_where_they_are_hidden() {
    let site = Site::new();
    let number = site.declare("13:00:00", "Disk full", Severity::Sev3, "db");
    site.write(move |tx| {
        let nameless = Actor {
            kind: ActorKind::User,
            id: Some("nameless@example.com".to_owned()),
            name: None,
        };
        let now = at("13:10:00");
        let done = commands::act(tx, number, &Command::Resolve, None, &nameless, now);
        done.expect("it is open");
        Ok(())
    });
    let path = format!("/incidents/{number}");
    assert!(site.get(&path).await.body.contains("nameless@example.com"));
    site.write(|tx| settings::put(tx, "hide_emails", "true"));
    for page in ["/", "/overview", &path] {
        let body = site.get(page).await.body;
        assert!(!body.contains('@'), "{page}: {body}");
    }
}

#[tokio::test]
async fn mw_11_the_facts_of_an_incident_are_shown_as_each_source_reported_them() {
    let site = Site::new();
    site.connect();
    let log = vec![
        Told::new("13:00:00", Kind::Triggered),
        Told::new("13:04:00", Kind::Acknowledged).by("Hanna Becker"),
        Told::new("13:05:00", Kind::Noted)
            .by("Hanna Becker")
            .value("<b>Restarting</b> it"),
    ];
    let number = site.hear("Search lags", lag("Hanna Becker"), log);
    site.act(number, "14:10:00", "Ann Lee", Command::Resolve);
    let page = site.get(&format!("/incidents/{number}")).await.body;
    let address = format!("/incidents/{number}/facts");
    assert!(page.contains(&format!("href=\"{address}\"")), "{page}");
    let shown = site.get(&address).await.body;
    let rows: Vec<&str> = shown.split("<tr>").skip(2).collect();
    // The last recorded first, and each with both times, its source and the source's id for it.
    let first = [
        "Resolved",
        "14:10:00Z",
        "Ann Lee",
        "ann.lee@example.com",
        "Command",
    ];
    let last = [
        "Triggered",
        "13:00:00Z",
        "14:42:00Z",
        "Search lags",
        "Log entry",
        "4102-0",
    ];
    for (row, parts) in [(rows[0], &first[..]), (rows[rows.len() - 1], &last)] {
        for part in parts {
            assert!(row.contains(part), "{part}: {row}");
        }
    }
    let noted = rows.iter().find(|row| row.contains("Restarting")).unwrap();
    for part in [
        "&lt;b&gt;Restarting&lt;/b&gt; it",
        "at PagerDuty then: service PPAY001, policy PPOL001, urgency high, priority PPRIO1",
    ] {
        assert!(noted.contains(part), "{part}: {noted}");
    }
    let facts = site.write(move |tx| facts::of_incident(tx, number));
    assert_eq!(rows.len(), facts.len());
    assert_eq!(site.get("/incidents/INC-7/facts").await.status, 404);
}

#[tokio::test]
async fn what_it_was_merged_into_is_named_as_it_is_here() {
    let site = Site::new();
    site.connect();
    let log = |value| {
        vec![
            Told::new("13:00:00", Kind::Triggered),
            Told::new("13:05:00", Kind::Resolved).value(value),
        ]
    };
    let target = site.hear("Database is away", lag(""), log("human"));
    let merged = |number, merged_into| Twin {
        number,
        status: PeerStatus::Resolved,
        merged_into: Some(merged_into),
        ..lag("")
    };
    let known = site.hear("Search lags", merged(4103, "Q4102"), log("merge"));
    let page = site.get(&format!("/incidents/{known}")).await.body;
    let link = format!("<dt>Merged into</dt><dd><a href=\"/incidents/{target}\">{target}</a></dd>");
    assert!(page.contains(&link), "{page}");
    let unknown = site.hear("Search lags", merged(4104, "QELSE"), log("merge"));
    let page = site.get(&format!("/incidents/{unknown}")).await.body;
    assert!(
        page.contains("<dt>Merged into</dt><dd>QELSE</dd>"),
        "{page}"
    );
}

#[tokio::test]
async fn of_many_facts_each_is_on_one_page() {
    let site = Site::new();
    site.connect();
    let log = (0..250)
        .map(|place| {
            let kind = if place == 0 {
                Kind::Triggered
            } else {
                Kind::Noted
            };
            Told::new("13:00:00", kind)
        })
        .collect();
    let number = site.hear("Search lags", lag(""), log);
    let mut path = format!("/incidents/{number}/facts");
    let mut seen = Vec::new();
    for rows in [100, 100, 50] {
        let shown = site.get(&path).await.body;
        let ids: Vec<&str> = shown.split(">4102-").skip(1).collect();
        assert_eq!(ids.len(), rows, "{path}");
        let ids = ids
            .iter()
            .map(|id| id.split('<').next().unwrap().to_owned());
        seen.extend(ids);
        if let Some((_, link)) = shown.split_once("?before=") {
            let before = link.split('"').next().unwrap();
            path = format!("/incidents/{number}/facts?before={before}");
        }
    }
    let all: Vec<String> = (0..250).rev().map(|place| place.to_string()).collect();
    assert_eq!(seen, all);
}
