//! What every page of an error says: its cause, a next step, and lines to send along.

use axum::http::HeaderValue;
use im_store::accounts::Role;

use super::{Browser, Page};
use crate::http::Server;

/// Asks as a browser does, by a name of the server.
async fn asked(browser: &mut Browser<'_>, host: &str, path: &str) -> Page {
    let mut request = browser.request("GET", path);
    let headers = request.headers_mut();
    headers.insert("accept", HeaderValue::from_static("text/html,*/*;q=0.8"));
    headers.insert("host", HeaderValue::from_str(host).unwrap());
    browser.send(request).await
}

#[track_caller]
fn must_tell(page: &Page, path: &str, status: u16, code: &str) {
    let body = &page.body;
    assert_eq!(page.status, status, "{path}: {body}");
    let (_, lines) = body
        .split_once("<pre class=\"diagnostic\">")
        .unwrap_or_else(|| panic!("{path} has nothing to send along: {body}"));
    let lines = lines.split("</pre>").next().unwrap();
    let head = format!("im {}\n{status} {code}: ", env!("CARGO_PKG_VERSION"));
    assert!(lines.contains(&head), "{path}: {lines}");
}

#[tokio::test]
async fn mw32_each_page_of_an_error_has_a_code_and_lines_to_send_along() {
    let server = Server::with_people().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let ours = super::HOST;
    for (path, status, code) in [
        ("/incidents/INC-9999", 404, "not_found"),
        ("/connectors/nobody", 404, "not_found"),
        ("/connectors/nobody/setup", 404, "not_found"),
        ("/connectors/nobody/settings", 404, "not_found"),
        ("/nowhere", 404, "not_found"),
        ("/?severity=SEV-9", 400, "bad_request"),
        ("/metric/mttr?from=yesterday-ish", 400, "bad_request"),
        ("/metric/nothing", 404, "not_found"),
        ("/set-password?link=nobody-has-it", 410, "link_over"),
        ("/give-key?link=nobody-has-it", 410, "link_over"),
        ("/on-call?service=search", 404, "not_found"),
    ] {
        let page = asked(&mut admin, ours, path).await;
        must_tell(&page, path, status, code);
    }
    let long = "checkout ".repeat(150);
    let fields = [("title", &*long), ("severity", "SEV-3")];
    let page = admin.post("/declare", "/declare", &fields).await;
    must_tell_of_a_form(&page, "422 title_too_long: ");
    let page = asked(&mut admin, "evil.example", "/").await;
    must_tell(&page, "a foreign name", 421, "wrong_name");
    let mut viewer = server.signed_in(Role::Viewer).await;
    let page = asked(&mut viewer, ours, "/settings").await;
    must_tell(&page, "/settings", 403, "role");
    let mut nobody = Browser::new(&server);
    let page = nobody
        .sign_in("viewer@example.com", "wrong wrong wrong")
        .await;
    must_tell_of_a_form(&page, "401 wrong_password: ");
    // While nobody has an account.
    let open = Server::start();
    let mut stranger = Browser::new(&open);
    let page = asked(&mut stranger, "localhost", "/").await;
    must_tell(&page, "from elsewhere", 403, "not_this_machine");
    assert_eq!(
        open.last_act().await,
        "nobody : asked for / [] 403",
        "it is kept, too"
    );
}

/// A form that comes back has its lines folded away.
#[track_caller]
fn must_tell_of_a_form(page: &Page, line: &str) {
    let lines = page.body.split("<pre class=\"diagnostic\">").nth(1);
    let lines = lines.and_then(|rest| rest.split("</pre>").next());
    assert!(
        lines.is_some_and(|lines| lines.contains(line)),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn programs_and_terminals_are_told_the_same_in_text() {
    let server = Server::with_people().await;
    let mut request = Browser::new(&server).request("GET", "/");
    let foreign = HeaderValue::from_static("evil.example");
    request.headers_mut().insert("host", foreign);
    let page = Browser::new(&server).send(request).await.is(421);
    assert_eq!(page.headers["content-type"], "text/plain; charset=utf-8");
    assert!(page.body.ends_with("\nwrong_name\n"), "{}", page.body);
}
