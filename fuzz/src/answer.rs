//! What PagerDuty's REST API answers. Input: a call as JSON, the status, headers up to an empty line,
//! the body.

use im_pagerduty::{Answer, Call, Outcome, Page, Reply, read, request};
use jiff::Timestamp;

use crate::line;

pub(crate) fn check(input: &[u8]) {
    let (call, mut rest) = line(input);
    let Ok(call) = serde_json::from_slice::<Call>(call) else {
        return;
    };
    let written = serde_json::to_string(&call).expect("a call can be kept");
    assert_eq!(
        serde_json::from_str::<Call>(&written).ok().as_ref(),
        Some(&call),
        "what is kept of a call is the call"
    );
    let mut reply = Reply::default();
    let (status, after) = line(rest);
    reply.status = text(status).trim().parse().unwrap_or(200);
    rest = after;
    loop {
        let (header, after) = line(rest);
        rest = after;
        match text(header).split_once(':') {
            Some((name, value)) => reply.headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    reply.body = rest.to_vec();
    let read_at = Timestamp::UNIX_EPOCH;
    let outcome = read(&call, &reply, read_at);
    let is_success = (200..300).contains(&reply.status);
    match &outcome {
        Outcome::Done(answer) => {
            assert!(is_success, "{} is no success", reply.status);
            pages(&call, answer);
        }
        Outcome::Unclear(_) => {}
        Outcome::Wait { .. } | Outcome::Gone | Outcome::Refused(_) => {
            assert!(!is_success, "a success was read as {outcome:?}");
        }
    }
    let ahead = reply.limits().clock_ahead(read_at, read_at);
    assert_eq!(ahead.is_some(), reply.limits().date.is_some());
    drop(request(&call));
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn pages(call: &Call, answer: &Answer) {
    match answer {
        Answer::Notes(page) => forward(call, page),
        Answer::Incidents(page) => forward(call, page),
        Answer::LogEntries(page) => forward(call, page),
        Answer::Services(page) => forward(call, page),
        Answer::Users(page) => forward(call, page),
        Answer::Policies(page) => forward(call, page),
        Answer::Priorities(page) => forward(call, page),
        Answer::Oncalls(page) => forward(call, page),
        Answer::Subscriptions(page) => forward(call, page),
        Answer::Teams(page) => forward(call, page),
        Answer::Schedules(page) => forward(call, page),
        Answer::Incident(_)
        | Answer::Note(_)
        | Answer::Fields(_)
        | Answer::FieldKinds(_)
        | Answer::Service(_)
        | Answer::User(_)
        | Answer::Policy(_)
        | Answer::Abilities(_)
        | Answer::Subscription(_)
        | Answer::Nothing => {}
    }
}

/// Whoever follows the pages of a list comes to its end.
fn forward<T>(call: &Call, page: &Page<T>) {
    if let Some(next) = page.next_offset {
        let offset = call.offset().unwrap_or_default();
        assert!(page.more, "there is a next page where there is no more");
        assert!(
            next > offset || offset == u32::MAX,
            "from {offset} to {next}"
        );
    }
}
