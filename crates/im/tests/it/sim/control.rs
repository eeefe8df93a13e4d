//! The control API, as a stranger's script uses it.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::Here;

#[tokio::test]
async fn what_people_do_without_a_key_shows_in_the_api() {
    let here = Here::new();
    let said = here
        .post("/_sim/trigger?title=Search%20is%20slow", "service=Search")
        .await;
    assert_eq!(
        (said.status, said.json()["said"].clone()),
        (200, "triggered #101: Search is slow".into())
    );
    let said = here
        .post("/_sim/incidents/101/acknowledge", "user=bram+osei")
        .await;
    assert_eq!(
        (said.status, said.json()["said"].clone()),
        (200, "Bram Osei: acknowledge #101".into())
    );

    let listed = here
        .rest("GET", "/incidents?statuses%5B%5D=acknowledged")
        .await
        .json();
    assert_eq!(listed["incidents"][0]["title"], "Search is slow");
    let url = listed["incidents"][0]["html_url"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = url.strip_prefix(&here.stand_in.base_url).unwrap();
    let shown = here.get(path).await.json();
    let entries = shown["log_entries"].as_array().unwrap();
    assert_eq!(
        entries.last().unwrap()["summary"],
        "Acknowledged by Bram Osei."
    );
    let open = here.get("/_sim/incidents?status=open").await.json();
    assert_eq!(open["incidents"][0]["number"], 101);
}

#[tokio::test]
async fn every_act_of_a_person_can_be_done() {
    let here = Here::new();
    let (bram, policy) = ("Bram Osei", "Everyone awake");
    for _ in 0..2 {
        here.post("/_sim/trigger", "service=Database&title=Lag")
            .await;
    }
    let acts = [
        ("rename", "title=Replica+lag"),
        ("priority", "priority=P2"),
        ("acknowledge", ""),
        ("unacknowledge", ""),
        ("escalate", "level=2"),
        ("note", "text=One+shard"),
        ("status_update", "text=On+it"),
        ("request_help", "from=Freya+Lindgren&text=Please"),
        ("reassign", "to=Ines+Halloran"),
        ("snooze", "for=1h"),
        ("urgency", "urgency=low"),
        ("move", "service=Search"),
        ("merge", "source=%23102"),
        ("resolve", ""),
        ("reopen", ""),
        ("priority", "priority=none"),
    ];
    for (act, form) in acts {
        let said = here
            .post(
                &format!(
                    "/_sim/incidents/101/{act}?user={}",
                    bram.replace(' ', "%20")
                ),
                form,
            )
            .await;
        assert_eq!(said.status, 200, "{act}: {}", said.text);
    }
    let said = here
        .post("/_sim/incidents/101/delegate", &format!("policy={policy}"))
        .await;
    assert_eq!(said.status, 200, "{}", said.text);
    let said = here
        .post(
            "/_sim/incidents/101/reply",
            "user=Freya+Lindgren&answer=accept",
        )
        .await;
    assert_eq!(said.status, 200, "{}", said.text);
    let body = json!({"user": "Carla Nowak", "service": "Search", "title": "Made by hand"});
    let said = here.post("/_sim/trigger", &body.to_string()).await;
    assert_eq!(said.status, 200, "{}", said.text);
    let shown = here.get("/_sim/incidents/101").await.json();
    assert_eq!(shown["incident"]["title"], "Replica lag");
    assert_eq!(
        here.get("/_sim/incidents/102").await.json()["incident"]["status"],
        "resolved"
    );
    assert_eq!(
        here.get("/_sim/incidents/103").await.json()["incident"]["alerts"]["all"],
        0
    );
}

/// Address, parameters, status, and words of the refusal.
const WRONG: [(&str, &str, u16, &str); 18] = [
    (
        "/_sim/incidents/7/resolve",
        "",
        404,
        "there is no incident 7",
    ),
    ("/_sim/incidents/101/dance", "", 404, "nobody can `dance`"),
    ("/_sim/incidents/101/reopen", "", 409, "it is open"),
    ("/_sim/incidents/101/note", "", 400, "`text` is missing"),
    (
        "/_sim/incidents/101/resolve",
        "user=Nobody",
        400,
        "no user has the id or name `Nobody`",
    ),
    (
        "/_sim/incidents/101/resolve",
        "usr=Bram",
        400,
        "unknown parameter `usr`; known: user",
    ),
    ("/_sim/incidents/101/snooze", "for=soon", 400, "not `soon`"),
    (
        "/_sim/trigger",
        "service=Nothing",
        400,
        "no service has the id or name `Nothing`",
    ),
    (
        "/_sim/faults",
        "lose_answer=10&server_error=101",
        400,
        "`server_error` must be a number from 0 to 100",
    ),
    (
        "/_sim/faults",
        "{\"outage\": \"total\"}",
        400,
        "one of none, unavailable, unreachable",
    ),
    (
        "/_sim/faults/next",
        "fault=bad_gateway&status=504",
        400,
        "`status` is for",
    ),
    (
        "/_sim/clock",
        "",
        400,
        "name one of mode, factor, advance, at",
    ),
    (
        "/_sim/clock",
        "at=2020-01-01T00:00:00Z",
        409,
        "time does not go back",
    ),
    ("/_sim/clock", "{\"advance\": ", 400, "not a JSON object"),
    ("/_sim/keys", "kind=user", 400, "a user key needs a `user`"),
    (
        "/_sim/subscriptions/PNONE/enable",
        "",
        404,
        "no webhook subscription PNONE",
    ),
    (
        "/_sim/options",
        "rate_limits=many",
        400,
        "`rate_limits` must be a number",
    ),
    ("/_sim/nothing", "", 404, "nothing at this address"),
];

#[tokio::test]
async fn a_wrong_request_says_what_is_wrong_and_changes_nothing() {
    let here = Here::new();
    here.post("/_sim/trigger", "").await;
    let before = here.get("/_sim/faults").await.text;
    for (path, form, status, words) in WRONG {
        let said = here.post(path, form).await;
        assert_eq!(said.status, status, "{path} {form}: {}", said.text);
        let detail = said.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{path} {form}: {detail}");
    }
    assert_eq!(here.get("/_sim/faults").await.text, before);
}

#[tokio::test]
async fn a_clock_that_is_pushed_lets_everything_happen_on_the_way() {
    let here = Here::new();
    here.post("/_sim/trigger", "service=Payments+API").await;
    here.post("/_sim/incidents/101/acknowledge", "").await;
    let said = here.post("/_sim/clock", "advance=30m").await;
    assert_eq!(said.json()["now"], "2026-11-20T09:30:00Z", "{}", said.text);
    let shown = here.get("/_sim/incidents/101").await.json();
    assert_eq!(shown["incident"]["status"], "triggered");
    let last = shown["log_entries"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .find(|entry| entry["type"] == "unacknowledge_log_entry");
    assert_eq!(last.unwrap()["at"], "2026-11-20T09:30:00Z");
    here.post("/_sim/clock", "at=2026-11-20T14:00:00Z").await;
    assert_eq!(
        here.get("/_sim/incidents/101").await.json()["incident"]["status"],
        "resolved"
    );
    let told = here.get("/_sim/notifications").await.json();
    assert!(told["notifications"].as_array().unwrap().len() > 4);
    assert_eq!(here.get("/_sim/clock").await.json()["mode"], "manual");
    assert_eq!(
        here.post("/_sim/clock", "factor=60").await.json()["factor"],
        60.0
    );
}

#[tokio::test]
async fn faults_are_switched_met_and_ended() {
    let here = Here::new();
    here.post(
        "/_sim/faults/next",
        "fault=server_error&status=504&path=/users&count=2",
    )
    .await;
    assert_eq!(here.rest("GET", "/services").await.status, 200);
    let statuses = [
        here.rest("GET", "/users").await.status,
        here.rest("GET", "/users").await.status,
        here.rest("GET", "/users").await.status,
    ];
    assert_eq!(statuses, [504, 504, 200]);
    for (fault, status) in [
        ("bad_gateway", 502),
        ("locked", 400),
        ("text_error", 400),
        ("rate_limited", 429),
        ("rate_limited_bare", 429),
    ] {
        here.post("/_sim/faults/next", &format!("fault={fault}&method=get"))
            .await;
        assert_eq!(here.rest("GET", "/users").await.status, status, "{fault}");
    }
    let set = here.post("/_sim/faults", "{\"outage\": \"unavailable\", \"outage_for\": \"1m\", \"webhook_duplicate\": 20, \"webhook_lost\": true}").await.json();
    assert_eq!(set["outage_until"], "2026-11-20T09:01:00Z");
    assert_eq!(here.rest("GET", "/users").await.status, 503);
    here.post("/_sim/clock", "advance=60").await;
    assert_eq!(here.rest("GET", "/users").await.status, 200);
    let shown = here.get("/_sim/faults").await.json();
    assert_eq!(
        (
            shown["webhook_duplicate"].clone(),
            shown["webhook_lost"].clone(),
            shown["outage"].clone()
        ),
        (20.into(), true.into(), "none".into())
    );
    here.post("/_sim/faults/clear", "").await;
    assert_eq!(
        here.get("/_sim/faults").await.json()["webhook_duplicate"],
        0
    );
}

#[tokio::test]
async fn an_answer_that_is_lost_has_done_its_work() {
    let here = Here::new();
    here.post("/_sim/faults", "silence=0").await;
    here.post("/_sim/faults/next", "fault=lose_answer&method=POST")
        .await;
    let key = here.stand_in.account.services[0].2.clone();
    let event = json!({"routing_key": key, "event_action": "trigger",
        "payload": {"summary": "Disk full", "source": "db-1", "severity": "critical"}});
    assert_eq!(
        here.post("/v2/enqueue", &event.to_string()).await.status,
        504
    );
    assert_eq!(
        here.get("/_sim/incidents").await.json()["incidents"][0]["title"],
        "Disk full"
    );
}

#[tokio::test]
async fn limits_are_on_and_can_be_turned() {
    let here = Here::new();
    assert_eq!(here.get("/_sim/options").await.json()["rate_limits"], 1.0);
    here.post("/_sim/options", "rate_limits=0.002").await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(here.rest("GET", "/users").await.status);
    }
    assert_eq!(statuses, [200, 200, 429]);
    here.post(
        "/_sim/options",
        "rate_limits=off&without=teams,urgencies&reopen=off",
    )
    .await;
    assert_eq!(here.rest("GET", "/abilities/teams").await.status, 402);
    here.post("/_sim/options", "{\"with\": [\"teams\"]}").await;
    assert_eq!(here.rest("GET", "/abilities/teams").await.status, 204);
    here.post("/_sim/trigger", "").await;
    here.post("/_sim/incidents/101/resolve", "").await;
    assert_eq!(
        here.post("/_sim/incidents/101/reopen", "").await.status,
        409
    );
}

#[tokio::test]
async fn keys_come_and_go() {
    let here = Here::new();
    let made = here.post("/_sim/keys", "kind=read_only").await.json();
    let key = made["key"].as_str().unwrap();
    let listed = here.get("/_sim/keys").await.json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 4);
    let revoked = Request::delete(format!("/_sim/keys/{key}"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(here.send(revoked).await.status, 200);
    let chosen = here
        .post(
            "/_sim/keys",
            "user=bram.osei@lighthouse-works.example&key=mine",
        )
        .await
        .json();
    assert_eq!(
        (chosen["key"].clone(), chosen["kind"].clone()),
        ("mine".into(), "user".into())
    );
}

#[tokio::test]
async fn a_subscription_is_disabled_enabled_and_rotated() {
    let here = Here::new();
    let body = json!({"webhook_subscription": {"type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": "http://127.0.0.1:9/"},
        "events": ["incident.triggered"], "filter": {"type": "account_reference"}}});
    let request = Request::post("/webhook_subscriptions")
        .header(
            "Authorization",
            format!("Token token={}", here.stand_in.account.api_key),
        )
        .header("Content-Type", "application/json")
        .body(Body::from(body.to_string()));
    let made = here.send(request.unwrap()).await.json();
    let id = made["webhook_subscription"]["id"].as_str().unwrap();
    here.post(&format!("/_sim/subscriptions/{id}/disable"), "")
        .await;
    let shown = here.get("/_sim/subscriptions").await.json();
    assert_eq!(
        shown["subscriptions"][0]["disabled_until"],
        "2026-11-21T09:00:00Z"
    );
    here.post(&format!("/_sim/subscriptions/{id}/enable"), "")
        .await;
    let rotated = here
        .post(&format!("/_sim/subscriptions/{id}/rotate"), "")
        .await
        .json();
    assert_eq!(rotated["secret"].as_str().unwrap().len(), 64);
    assert_eq!(
        here.get("/_sim/subscriptions").await.json()["subscriptions"][0]["secrets"],
        2
    );
    here.post(&format!("/_sim/subscriptions/{id}/finish_rotation"), "")
        .await;
    assert_eq!(
        here.get("/_sim/subscriptions").await.json()["subscriptions"][0]["secrets"],
        1
    );
}

#[tokio::test]
async fn everything_that_a_script_needs_is_in_one_document() {
    let here = Here::new();
    let app = "client_id=app&client_secret=s3cret&redirect_uri=http://localhost/back&scopes=incidents.read,users.read";
    assert_eq!(here.post("/_sim/oauth/apps", app).await.status, 200);
    let document = here.get("/_sim/account").await.json();
    assert_eq!(document, im::sim::document(&here.stand_in));
    for key in [
        "base_url",
        "control_url",
        "page_url",
        "events_url",
        "api_key",
        "read_only_key",
        "user_key",
        "services",
        "integration_keys",
        "users",
        "escalation_policies",
        "schedules",
        "priorities",
    ] {
        assert!(
            document.get(key).is_some_and(|value| !value.is_null()),
            "{key}"
        );
    }
    let oauth = &document["oauth"];
    assert_eq!(oauth["scopes"][0], "as_account-us.lighthouse-works");
    let form = format!(
        "grant_type=client_credentials&client_id=app&client_secret=s3cret&scope={}%20incidents.read",
        oauth["account_scope"].as_str().unwrap()
    );
    let token = here.post("/oauth/token", &form).await.json();
    let asked = |path: &str| {
        Request::get(path.to_owned())
            .header(
                "Authorization",
                format!("Bearer {}", token["access_token"].as_str().unwrap()),
            )
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(here.send(asked("/incidents")).await.status, 200);
    assert_eq!(here.send(asked("/services")).await.status, 403);
    here.post("/_sim/oauth/revoke", "").await;
    assert_eq!(here.send(asked("/incidents")).await.status, 401);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_act() {
    let here = Here::new();
    let from = |origin: &str| {
        Request::post("/_sim/trigger")
            .header("Host", "127.0.0.1:8081")
            .header("Origin", origin)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(
        here.send(from("https://elsewhere.example")).await.status,
        403
    );
    assert_eq!(here.send(from("null")).await.status, 403);
    assert_eq!(here.send(from("http://127.0.0.1:8081")).await.status, 200);
}

#[tokio::test]
async fn the_addresses_are_listed_for_whoever_asks() {
    let here = Here::new();
    let said = here.get("/_sim").await;
    assert_eq!(said.status, 200);
    assert!(
        said.text.contains("POST   /_sim/faults/next"),
        "{}",
        said.text
    );
}

#[tokio::test]
async fn an_account_is_saved_only_where_the_command_line_says() {
    let said = Here::new().post("/_sim/save", "").await;
    assert_eq!(said.status, 409);
    assert!(said.json()["hint"].as_str().unwrap().contains("--save DIR"));
}
