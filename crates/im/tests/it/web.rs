//! The pages as a browser gets them.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::StreamExt;
use im_core::{Command, Severity};
use im_engine::commands;
use im_store::connectors::{self, State};
use im_store::{DbOptions, outbox, settings};
use jiff::{SignedDuration, Timestamp};

mod charts;
mod connector;
mod drill;
mod figures;
mod findings;
mod rows;
mod site;
mod zone;

use site::{Answer, CONNECTOR, Site, busy, person};

/// What the browser shows of a page, a tag in a line, without what every page has.
fn shown(answer: &Answer) -> String {
    let (_, shown) = answer
        .body
        .split_once("</defs></svg>")
        .expect("each page has the shapes");
    let (shown, _) = shown
        .split_once("<div class=\"help\"")
        .unwrap_or((shown, ""));
    let shown = shown.replace("><", ">\n<");
    // Each form that makes something is shown with another word.
    let shown = values(&shown, "name=\"once\" value")
        .into_iter()
        .fold(shown.clone(), |shown, once| shown.replace(once, "…"));
    // The mark of a row follows from the rest of it.
    let marks = values(&shown, "data-mark").into_iter();
    marks.fold(shown.clone(), |shown, mark| {
        shown.replace(&format!(" data-mark=\"{mark}\""), "")
    })
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// The values of an attribute.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    html.split(&format!(" {attribute}=\""))
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(value, _)| value)
        .collect()
}

#[tokio::test]
async fn an_empty_list_says_what_would_be_here_and_what_to_do() {
    let page = Site::new().get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    insta::assert_snapshot!("empty", shown(&page));
}

#[tokio::test]
async fn the_list_shows_what_is_open_and_what_is_over() {
    insta::assert_snapshot!("list", shown(&busy().get("/").await));
}

#[tokio::test]
async fn when_nothing_is_open_the_list_says_so() {
    let site = Site::new();
    let incident = site.declare("13:00:00", "Disk full", Severity::Sev3, "db");
    site.act(incident, "13:42:03", "Hanna Becker", Command::Resolve);
    let page = site.get("/").await.body;
    assert!(
        page.contains("Nothing is open. The last one ended 1 h ago."),
        "{page}"
    );
    assert!(page.contains("none open"));
}

#[tokio::test]
async fn an_incident_shows_both_sides_of_its_story() {
    let page = busy().get("/incidents/INC-5").await;
    insta::assert_snapshot!("incident", shown(&page));
}

#[tokio::test]
async fn each_line_that_pagerduty_saw_names_its_incident_there_and_lines_can_be_chosen() {
    let site = busy();
    let lines = async |question: &str| {
        let page = site.get(&format!("/incidents/INC-5{question}")).await.body;
        let (_, lines) = page.split_once("id=\"timeline\"").unwrap();
        lines.split_once("<aside").unwrap().0.to_owned()
    };
    let all = lines("").await;
    let seen = count(&all, "title=\"Seen by PagerDuty\"");
    assert!(seen > 0, "{all}");
    assert_eq!(count(&all, "#482"), seen, "{all}");
    let there = lines("?lines=pagerduty").await;
    assert_eq!(count(&there, "<li"), seen, "{there}");
    let notes = lines("?lines=notes").await;
    assert!(count(&notes, "<li") < count(&all, "<li"), "{notes}");
    assert_eq!(
        count(&notes, "<li"),
        count(&notes, "class=\"note\""),
        "{notes}"
    );
}

#[tokio::test]
async fn an_incident_whose_connector_was_removed_says_so_and_keeps_its_values() {
    let site = busy();
    let before = site.get("/incidents/INC-5").await.body;
    assert!(before.contains(" in sync") && before.contains("Both sides agree"));
    let inferred = site.get("/").await.body;
    site.write(|tx| im_engine::connector::forget(tx, CONNECTOR, site::now()));
    let page = site.get("/incidents/INC-5").await.body;
    assert!(
        !page.contains("in sync") && !page.contains("Both sides agree"),
        "{page}"
    );
    assert!(
        page.contains("Connector prod-pagerduty was removed"),
        "{page}"
    );
    let list = site.get("/").await.body;
    for severity in ["SEV-1", "SEV-2", "SEV-3", "SEV-4"] {
        assert_eq!(
            count(&list, severity),
            count(&inferred, severity),
            "{severity}"
        );
        assert_eq!(
            count(&page, severity),
            count(&before, severity),
            "{severity}"
        );
    }
    assert!(!list.contains("not in PagerDuty yet"), "{list}");
}

#[tokio::test]
async fn without_a_webhook_both_sides_agreed_when_they_were_compared() {
    let site = busy();
    site.write(|tx| {
        connectors::set_webhook(tx, CONNECTOR, None, &[])?;
        connectors::synced(tx, CONNECTOR, site::now() - SignedDuration::from_mins(3))
    });
    let page = site.get("/incidents/INC-5").await.body;
    for words in [
        "agreed when compared",
        "Both sides agreed when compared",
        "Compared 3 min ago; without a webhook",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(
        !page.contains("in sync") && !page.contains("Both sides agree<"),
        "{page}"
    );
}

#[tokio::test]
async fn while_pagerduty_refuses_the_key_no_page_says_that_something_is_on_its_way_or_agreed() {
    let site = busy();
    site.write(|tx| {
        connectors::set_state(
            tx,
            CONNECTOR,
            State::AuthFailed,
            Some("401"),
            Timestamp::UNIX_EPOCH,
        )
    });
    let agreed = site.get("/incidents/INC-5").await.body;
    assert!(
        agreed.contains("Both sides agreed when last heard"),
        "{agreed}"
    );
    assert!(
        agreed.contains("PagerDuty refuses the key or sign-in"),
        "{agreed}"
    );
    assert!(!agreed.contains("in sync"), "{agreed}");
    let owed = site.get("/incidents/INC-6").await.body;
    assert!(
        owed.contains("Not sent to PagerDuty") && owed.contains("Nobody was paged."),
        "{owed}"
    );
    assert!(
        owed.contains("/connectors/prod-pagerduty/settings"),
        "{owed}"
    );
    assert!(!owed.contains("On its way"), "{owed}");
    for address in ["/integrations", "/connectors/prod-pagerduty"] {
        let page = site.get(address).await.body;
        assert!(page.contains("Give another key"), "{address}: {page}");
        assert!(!page.contains("<td>to be sent"), "{address}: {page}");
    }
}

#[tokio::test]
async fn what_pagerduty_did_not_take_is_said_with_its_reason() {
    let site = busy();
    site.write(|tx| {
        for row in outbox::of_connector(tx, CONNECTOR, 1)? {
            outbox::park(tx, row.id, "PagerDuty answered 404: no service PPAY001")?;
        }
        Ok(())
    });
    let page = site.get("/incidents/6").await;
    assert!(page.body.contains("PagerDuty: 1 change needs a decision"));
    insta::assert_snapshot!("parked", shown(&page));
}

#[tokio::test]
async fn a_field_that_both_sides_changed_is_not_called_agreed() {
    let site = busy();
    site.hold(5);
    let page = site.get("/incidents/5").await.body;
    assert!(
        !page.contains("in sync") && !page.contains("Both sides agree"),
        "{page}"
    );
    assert!(page.contains("PagerDuty: 1 change needs a decision"));
    let (_, panel) = page.split_once("id=\"pagerduty\"").unwrap();
    insta::assert_snapshot!(
        "held",
        panel
            .split_once("</section>")
            .unwrap()
            .0
            .replace("><", ">\n<")
    );
}

#[tokio::test]
async fn each_status_has_a_word_and_a_shape_of_its_own() {
    let site = Site::new();
    site.write(|tx| settings::put(tx, commands::STATUS_MODEL, "lifecycle"));
    let first = site.declare("12:00:00", "The first", Severity::Sev4, "db");
    let ways = [
        ("acknowledged", "Acknowledged", Command::Acknowledge),
        ("mitigated", "Mitigated", Command::Mitigate),
        ("resolved", "Resolved", Command::Resolve),
        ("closed", "Closed", Command::Close),
        ("canceled", "Canceled", Command::Cancel),
        (
            "duplicate",
            "Duplicate",
            Command::MarkDuplicate { of: first },
        ),
    ];
    let said = |page: &str, shape: &str, word: &str| {
        page.contains(&format!(
            "<use href=\"#i-{shape}\"></use></svg>{word}</span>"
        ))
    };
    assert!(said(&site.get("/incidents/1").await.body, "open", "Open"));
    for (shape, word, command) in ways {
        let incident = site.declare("13:00:00", word, Severity::Sev2, "db");
        if command == Command::Mitigate {
            site.act(incident, "13:05:00", "Hanna Becker", Command::Acknowledge);
        }
        site.act(incident, "13:10:00", "Hanna Becker", command);
        let page = site.get(&format!("/incidents/{incident}")).await.body;
        assert!(said(&page, shape, word), "{word}: {page}");
        assert!(
            said(&site.get("/").await.body, shape, word),
            "{word} in the list"
        );
    }
}

#[tokio::test]
async fn what_people_wrote_is_text_and_never_markup() {
    let site = Site::new();
    let evil = "<script>alert(1)</script> \"quoted\" & more";
    let incident = site.declare("13:00:00", evil, Severity::Sev1, "<b>db</b>");
    let note = Command::Note {
        text: "<img src=x onerror=alert(1)>".to_owned(),
    };
    site.act(incident, "13:01:00", "<i>Eve</i>", note);
    let assign = Command::Assign {
        to: vec![person("<u>Eve</u>")],
    };
    site.act(incident, "13:02:00", "Hanna Becker", assign);
    for path in ["/", "/incidents/INC-1", "/incidents/%3Cscript%3Ealert(1)"] {
        let page = site.get(path).await.body;
        for tag in ["<script>alert", "<img", "<b>", "<i>", "<u>"] {
            assert!(!page.contains(tag), "{tag} in {path}");
        }
    }
    let page = site.get("/").await.body;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; &amp; more"));
}

#[tokio::test]
async fn a_long_title_is_there_in_full() {
    let site = Site::new();
    let title = "checkout ".repeat(25).trim_end().to_owned();
    let incident = site.declare("13:00:00", &title, Severity::Sev1, "web");
    for path in ["/".to_owned(), format!("/incidents/{incident}")] {
        assert!(site.get(&path).await.body.contains(&title), "{path}");
    }
}

#[tokio::test]
async fn a_list_that_is_too_long_says_where_the_rest_is() {
    let site = Site::new();
    for index in 0..200 {
        site.declare("13:00:00", &format!("Number {index}"), Severity::Sev4, "db");
    }
    let page = site.get("/").await.body;
    assert_eq!(count(&page, "data-key="), 200);
    let rest = "href=\"/?status=any\">All incidents, newest first</a>";
    assert!(!page.contains(rest));

    site.declare("13:00:01", "One more", Severity::Sev4, "db");
    let page = site.get("/").await.body;
    assert_eq!(count(&page, "data-key="), 200);
    assert!(page.contains(rest), "{page}");
    assert!(
        page.contains("201 open"),
        "the count is of all, not of what is shown"
    );
}

#[tokio::test]
async fn a_list_that_looks_again_is_sent_the_rows_that_it_lacks() {
    let site = Site::new();
    site.declare("13:00:00", "Disk full", Severity::Sev2, "db");
    let slow = site.declare("13:01:00", "Search is slow", Severity::Sev3, "db");
    let page = site.get("/").await.body;
    let marks = values(&page, "data-mark").join(" ");
    let again = async |marks: &str| {
        let headers = [("host", "localhost"), ("im-has", marks)];
        site.get_from("127.0.0.1:4000", &headers).await.body
    };
    let same = again(&marks).await;
    assert_eq!(count(&same, "data-same"), 2, "{same}");
    assert!(!same.contains("Disk full"), "{same}");

    site.act(slow, "13:02:00", "Hanna Becker", Command::Acknowledge);
    let changed = again(&marks).await;
    assert_eq!(count(&changed, "data-same"), 1, "{changed}");
    assert!(changed.contains("Search is slow"), "{changed}");
    assert!(!changed.contains("Disk full"), "{changed}");

    for unknown in ["", "no mark", "0000000000000000"] {
        let whole = again(unknown).await;
        assert_eq!(count(&whole, "data-same"), 0, "{unknown}: {whole}");
        assert!(whole.contains("Disk full"), "{unknown}: {whole}");
    }
}

#[tokio::test]
async fn an_incident_that_is_not_here_is_a_page_too() {
    let site = Site::new();
    let gone = site.declare("13:00:00", "Gone", Severity::Sev4, "db");
    site.act(gone, "13:01:00", "Hanna Becker", Command::Delete);
    for path in [
        "/incidents/INC-1",
        "/incidents/INC-9",
        "/incidents/nonsense",
    ] {
        let page = site.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.body.contains("is not here"), "{path}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_said_with_what_to_do() {
    let mut options = DbOptions::new("sqlite::memory:", 7).unwrap();
    options.queue_max = 0;
    let page = Site::with(&options).get("/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.headers["retry-after"], "10");
    let text = shown(&page).replace(env!("CARGO_PKG_VERSION"), "[version]");
    insta::assert_snapshot!("error", text);
}

#[tokio::test]
async fn only_this_machine_may_look() {
    let site = Site::new();
    let allowed = [
        ("127.0.0.1:4000", "localhost:8080"),
        ("127.0.0.1:4000", "LocalHost"),
        ("127.8.0.1:4000", "127.0.0.1:8080"),
        ("[::1]:4000", "[::1]:8080"),
        ("[::ffff:127.0.0.1]:4000", "localhost"),
    ];
    for (peer, host) in allowed {
        let answer = site.get_from(peer, &[("host", host)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{peer} for {host}");
    }
    let refused = [
        ("192.0.2.7:4000", "localhost:8080", "another machine"),
        ("[2001:db8::7]:4000", "localhost", "another machine"),
        ("127.0.0.1:4000", "evil.example", "another name"),
        (
            "127.0.0.1:4000",
            "localhost.evil.example:8080",
            "another name",
        ),
        ("127.0.0.1:4000", "127.0.0.1.evil.example", "another name"),
        ("127.0.0.1:4000", "not a host", "another name"),
        ("127.0.0.1:4000", "", "another name"),
    ];
    for (peer, host, reason) in refused {
        let answer = site.get_from(peer, &[("host", host)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{peer} for {host}");
        assert!(
            answer.body.contains(reason),
            "{peer} for {host}: {}",
            answer.body
        );
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    }
    let nameless = site.get_from("127.0.0.1:4000", &[]).await;
    assert_eq!(nameless.status, StatusCode::FORBIDDEN);
    for header in [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "via",
        "x-real-ip",
    ] {
        let carried = [("host", "localhost"), (header, "192.0.2.7")];
        let answer = site.get_from("127.0.0.1:4000", &carried).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{header}");
    }
}

#[tokio::test]
async fn every_answer_forbids_what_is_not_ours() {
    let site = busy();
    let refusal = site.get_from("192.0.2.7:1", &[]).await;
    let answers = [
        site.get("/").await,
        site.get("/incidents/INC-5").await,
        site.get("/incidents/INC-99").await,
        site.get("/assets/live.js").await,
        refusal,
    ];
    for answer in answers {
        insta::allow_duplicates! {
            insta::assert_snapshot!(
                answer.headers["content-security-policy"].to_str().unwrap(),
                @"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            );
        }
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        // With `no-referrer`, browsers say `Origin: null` of our own forms, which are then refused.
        assert_eq!(answer.headers["referrer-policy"], "same-origin");
        assert!(values(&answer.body, "style").is_empty());
        assert!(!answer.body.contains("<script>") && !answer.body.contains("<style"));
    }
}

#[tokio::test]
async fn everything_that_a_page_names_is_there() {
    let site = busy();
    let paths = [
        "/",
        "/incidents/INC-5",
        "/incidents/INC-6",
        "/?status=any&choose=filter",
        "/?severity=SEV-2&q=lag",
        "/declare",
        "/overview",
        "/overview?choose=filter",
        "/metric/mttr",
        "/metric/mttr?choose=filter&group_by=priority",
        "/metric/page_disruptions?measure=hours",
        "/metric/mttr/items",
        "/connectors/prod-pagerduty",
    ];
    for path in paths {
        let page = site.get(path).await.body;
        for name in [values(&page, "href"), values(&page, "src")].concat() {
            if let Some(id) = name.strip_prefix('#') {
                assert_eq!(count(&page, &format!("id=\"{id}\"")), 1, "{name} on {path}");
            } else if name.starts_with('/') {
                let name = name.replace("&amp;", "&");
                assert_eq!(
                    site.get(&name).await.status,
                    StatusCode::OK,
                    "{name} on {path}"
                );
            }
        }
        for once in ["<h1", "<main", "<header", "class=\"skip\"", " UTC</span>"] {
            assert_eq!(count(&page, once), 1, "{once} on {path}");
        }
    }
}

#[tokio::test]
async fn style_and_script_are_kept_for_ever_under_their_own_name_only() {
    let site = Site::new();
    let page = site.get("/").await.body;
    let named = [values(&page, "href"), values(&page, "src")].concat();
    let assets: Vec<&str> = named
        .into_iter()
        .filter(|name| name.starts_with("/assets/"))
        .collect();
    let (fonts, assets): (Vec<&str>, Vec<&str>) = assets
        .into_iter()
        .partition(|name| name.contains("/inter-"));
    let style = site.get("/assets/app.css").await.body;
    assert_eq!(fonts.len(), 3, "{fonts:?}");
    for font in fonts {
        let request = Request::get(font).body(Body::empty()).unwrap();
        let answer = site.ask(request).await;
        let headers = answer.headers();
        assert_eq!(headers["content-type"], "font/woff2");
        assert_eq!(
            headers["cache-control"],
            "public, max-age=31536000, immutable"
        );
        // What is loaded early is what the style asks for.
        assert!(style.contains(&format!("url({font})")), "{font}");
    }
    assert_eq!(assets.len(), 4, "{assets:?}");
    for asset in assets {
        let answer = site.get(asset).await;
        assert_eq!(
            answer.headers["cache-control"],
            "public, max-age=31536000, immutable"
        );
        let (plain, _) = asset.split_once('?').unwrap();
        assert_eq!(site.get(plain).await.headers["cache-control"], "no-cache");
    }
    assert_eq!(site.get("/").await.headers["cache-control"], "no-store");
    // There is no library beside them; compressed, all four are a third of this.
    for script in ["live", "chart", "keys", "aids"] {
        let script = site.get(&format!("/assets/{script}.js")).await;
        assert!(script.body.len() <= 8_192, "{}", script.body.len());
    }
}

#[tokio::test]
async fn an_open_page_is_told_of_each_change() {
    let site = Site::new();
    let response = site
        .ask(Request::get("/live").body(Body::empty()).unwrap())
        .await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    assert_eq!(stream.next().await.unwrap().unwrap(), "data: 1\n\n");

    site.changes.send(2).unwrap();
    site.changes.send(3).unwrap();
    let tick = stream.next().await.unwrap().unwrap();
    assert_eq!(
        tick, "data: 3\n\n",
        "changes that nobody waited for are one tick"
    );

    site.stop.cancel();
    assert!(
        stream.next().await.is_none(),
        "the stream ends with the server"
    );
}

#[tokio::test]
async fn s67_a_page_shows_the_pagerduty_incident_of_each_service() {
    let site = Site::new();
    site.connect();
    site.map("web", "PWEB001");
    let incident = site.declare_for("13:00:00", "Checkout is down", &["db", "web"]);
    let list = site.get("/").await.body;
    assert_eq!(count(&list, "Checkout is down"), 1, "{list}");
    assert!(list.contains("2 services"), "{list}");
    site.write(move |tx| {
        let row = outbox::of_incident(tx, incident.part(1))?.pop().unwrap();
        outbox::park(tx, row.id, "Service is disabled")
    });
    let page = site.get(&format!("/incidents/{incident}")).await.body;
    for service in ["db", "web"] {
        assert!(
            page.contains(&format!("<h3 class=\"service\">{service}</h3>")),
            "{page}"
        );
    }
    assert!(page.contains("Service is disabled"), "{page}");
    assert!(page.contains("On its way to PagerDuty"), "{page}");
    assert!(page.contains("Needs a decision"), "{page}");
    let part = site.get(&format!("/incidents/{}", incident.part(1))).await;
    assert_eq!(part.status, StatusCode::NOT_FOUND, "a part has no page");
}
