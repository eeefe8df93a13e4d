//! One person is one row: who acts here under an address is suggested for the user that PagerDuty knows.

use im_store::people::{self, UserRow};

use super::organisation::{acknowledged_by_ann, done, groups, im};
use super::{Server, config};

/// PagerDuty's Ann and Bob; Ann acknowledged an incident here under her address.
async fn with_ann() -> Server {
    let server = Server::with_connector(config()).await;
    let users = [
        ("PUANN01", "Ann@example.com", "Ann Lee"),
        ("PUBOB01", "bob@old.example", "Bob Ray"),
        ("PUKIM01", "kim@example.com", "Kim"),
    ];
    server
        .write(move |tx| {
            for (id, email, name) in users {
                let row = UserRow {
                    id: id.to_owned(),
                    email: email.to_owned(),
                    name: Some(name.to_owned()),
                };
                people::put(tx, "prod", &row)?;
            }
            Ok(())
        })
        .await;
    acknowledged_by_ann(&server).await;
    server.pass(60);
    server
}

#[tokio::test]
async fn m_032_an_address_that_acted_here_and_an_account_are_suggested_and_become_a_person() {
    let server = with_ann().await;
    // From now on only who sits at the machine needs no token.
    let added = im(
        &server,
        "user add bob@example.com --name 'Bob Ray' --role owner",
    )
    .await;
    assert_eq!(added.code, 0, "{}", added.all());
    let users = done(&server, "person users --state suggested").await;
    for (user, by, person) in [
        ("PUANN01", "suggested by email", "ann@example.com"),
        ("PUBOB01", "suggested by name", "bob@example.com"),
    ] {
        let line = users.lines().find(|line| line.contains(user)).unwrap_or("");
        assert!(line.contains(by) && line.contains(person), "{users}");
    }
    assert!(!users.contains("PUKIM01"), "{users}");
    done(&server, "person link PUANN01").await;
    done(&server, "person link PUBOB01").await;
    let people = done(&server, "person list").await;
    assert!(people.contains("ann@example.com"), "{people}");
    assert!(people.contains("Bob Ray"), "{people}");
    // Who neither acted nor has an account is still added first.
    let unknown = im(&server, "person link PUKIM01 kim@example.com").await;
    assert_eq!(unknown.code, 2, "{}", unknown.all());
}

#[tokio::test]
async fn m_033_answers_by_person_and_team_say_who_may_be_counted_twice() {
    let server = with_ann().await;
    let asked = [
        "page_disruptions?group_by=user",
        "page_disruptions?group_by=team",
        "oncall_load?bucket=all",
    ];
    for path in asked {
        let answer = server.get(&format!("/api/v1/metrics/{path}")).await;
        let hint = answer.is(200)["hint"].as_str().unwrap_or_default();
        let next = "`im person link PUANN01` confirms";
        assert!(hint.contains(next), "{path}: {hint}");
    }
    let pages = [
        ("/metric/page_disruptions?group_by=team", true),
        ("/metric/page_disruptions?group_by=user", true),
        ("/metric/page_disruptions", false),
    ];
    for (path, is_told) in pages {
        let page = server.get(path).await;
        let page = page.is(200).as_str().unwrap();
        let told = "User PUANN01 of PagerDuty's may be somebody who acts here under an address, and is counted apart. <a href=\"/integrations/users\">Link users</a>";
        assert_eq!(page.contains(told), is_told, "{path}: {page}");
    }
    let other = server.get("/api/v1/metrics/page_disruptions").await;
    assert_eq!(other.is(200).get("hint"), None, "nobody is told apart here");
    done(&server, "person link PUANN01").await;
    for path in asked {
        let answer = server.get(&format!("/api/v1/metrics/{path}")).await;
        assert_eq!(answer.is(200).get("hint"), None, "{path}");
    }
    for (path, _) in pages {
        let page = server.get(path).await;
        assert!(
            !page.is(200).as_str().unwrap().contains("counted apart"),
            "{path}"
        );
    }
    let by_user = "page_disruptions?group_by=user";
    assert_eq!(groups(&server, by_user).await.len(), 1);
}
