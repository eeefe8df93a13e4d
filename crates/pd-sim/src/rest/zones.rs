//! Answers in the zone that the request names (docs/sim.md).
//!
//! Only what PagerDuty itself dates is shown in another zone; what a sender wrote stays as it came.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::http::{Request, Response};
use crate::refs::local;
use crate::schedule::zone;

/// Resources whose reads take `time_zone`. Schedules see to it themselves.
const ZONED: [&str; 5] = [
    "incidents",
    "log_entries",
    "notifications",
    "oncalls",
    "services",
];
/// What a sender wrote.
const FOREIGN: [&str; 5] = [
    "details",
    "custom_details",
    "cef_details",
    "body",
    "contexts",
];
const INSTANTS: [&str; 5] = ["at", "start", "end", "timestamp", "last_incident_timestamp"];

/// The answer with its instants in the zone that the request names, else in that of the account.
pub(super) fn shown(request: &Request, account: &str, answer: Response) -> Response {
    let first = request.path.trim_matches('/').split('/').next();
    if request.method != "GET" || !first.is_some_and(|first| ZONED.contains(&first)) {
        return answer;
    }
    let asked = request.query("time_zone").unwrap_or(account);
    let utc = |zone: &TimeZone| matches!(zone.iana_name(), None | Some("UTC" | "Etc/UTC"));
    let Some(zone) = zone(asked).filter(|zone| !utc(zone)) else {
        return answer;
    };
    let Some(mut body) = answer.value() else {
        return answer;
    };
    rewrite(&mut body, &zone);
    Response::json(answer.status, &body)
}

fn rewrite(value: &mut Value, zone: &TimeZone) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| rewrite(one, zone)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let dated = name.ends_with("_at") || INSTANTS.contains(&name.as_str());
                match value {
                    Value::String(text) if dated => {
                        if let Some(at) = text
                            .parse::<Timestamp>()
                            .ok()
                            .filter(|_| text.ends_with('Z'))
                        {
                            *text = local(at, zone);
                        }
                    }
                    _ if FOREIGN.contains(&name.as_str()) => {}
                    other => rewrite(other, zone),
                }
            }
        }
        _ => {}
    }
}
