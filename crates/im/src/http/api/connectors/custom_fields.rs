//! Which custom fields PagerDuty has, where fields of ours are mapped to some.

use im_engine::connector::{self, Connector};
use im_engine::fields;
use im_pagerduty::{Answer, Call, FieldKind, Outcome};

use super::ask::{outcome, trouble};
use crate::http::App;
use crate::http::api::types::Check;
use crate::http::error::ApiError;

/// Names that are told where one is not there.
const OFFERED_MAX: usize = 10;

/// Asks PagerDuty which custom fields it has, and remembers them; what is to be said of mapped ones
/// that it does not have. Where none is mapped, nothing is asked.
pub(super) async fn learn(app: &App, connector: &Connector) -> Result<Vec<Check>, ApiError> {
    const TEXT: &str = "Mapped custom fields found";
    let mapped = &connector.config.custom.custom_field_mappings;
    if mapped.is_empty() {
        return Ok(Vec::new());
    }
    let kinds = match outcome(app, connector, &Call::ListFields).await? {
        Outcome::Done(Answer::FieldKinds(kinds)) => kinds,
        other => {
            let (cause, next) = trouble(connector, &other);
            return Ok(vec![Check::failed(TEXT, cause, next)]);
        }
    };
    let is_lost = |(_, theirs): &&(String, String)| !kinds.iter().any(|one| one.name == *theirs);
    let lost: Vec<&str> = mapped
        .iter()
        .filter(is_lost)
        .map(|row| row.1.as_str())
        .collect();
    let check = if lost.is_empty() {
        Check::ok(TEXT)
    } else {
        Check::skipped(format!(
            "Custom field {}: not in PagerDuty",
            lost.join(", ")
        ))
        .next(written_instead(&kinds))
    };
    let name = connector.name().to_owned();
    app.db
        .write(move |tx| {
            if fields::remember(tx, &name, &kinds)? {
                connector::begin_attaching(tx, &name)?;
            }
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(vec![check])
}

fn written_instead(kinds: &[FieldKind]) -> String {
    let there: Vec<&str> = kinds
        .iter()
        .take(OFFERED_MAX)
        .map(|one| &*one.name)
        .collect();
    let there = if there.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", there.join(", "))
    };
    format!("what it says stands in the text of new incidents; {there}")
}
