//! What of an incident has to be seen at once, and what must not be seen.

use im_core::{Actor, ActorKind, Command, Kind, PeerStatus, Severity};
use im_engine::commands;
use im_store::{params, settings};

use super::site::{Site, Told, Twin, at};

fn lag(who: &'static str) -> Twin {
    Twin {
        number: 4102,
        service: "Search",
        status: PeerStatus::Triggered,
        who,
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
