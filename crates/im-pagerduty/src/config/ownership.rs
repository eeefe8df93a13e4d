//! Whose value counts where both sides changed a field: `custom.conflict_strategy` and `custom.field_ownership`.

use im_core::{Field, Owner, Ownership, Side, Strategy};

use super::ConfigError;
use super::json::{Fields, Json};

/// Weights beyond this are a slip.
const PRIORITY_MAX: u8 = 100;

pub(super) fn ownership(custom: &mut Fields) -> Result<Ownership, ConfigError> {
    const EXAMPLE: &str = "{\"title\": {\"owner\": \"external\", \"priority\": 10}}";
    let strategy = strategy(custom)?;
    let Some(mut rows) = custom.object("field_ownership", EXAMPLE)? else {
        return Ok(Ownership {
            strategy,
            owners: Vec::new(),
        });
    };
    let mut owners = Vec::new();
    for name in rows.names() {
        let Some(field) = Field::parse(&name) else {
            return Err(rows.unknown(&name, &Field::ALL.map(Field::as_str)));
        };
        let Some(mut row) = rows.object(&name, "{\"owner\": \"external\", \"priority\": 10}")?
        else {
            continue;
        };
        row.only(&["owner", "priority"])?;
        let documented = Ownership::documented(field);
        let owner = Owner {
            side: side(&mut row)?.unwrap_or(documented.side),
            priority: priority(&mut row)?.unwrap_or(documented.priority),
        };
        match field.fixed() {
            Some(why) if owner != documented => {
                let problem = format!(
                    "cannot have another owner than {} with priority {}: {why}",
                    documented.side.as_str(),
                    documented.priority
                );
                return Err(rows.bad(&name, &problem, "{\"title\": {\"owner\": \"external\"}}"));
            }
            Some(_) => {}
            None => owners.push((field, owner)),
        }
    }
    owners.sort_by_key(|(field, _)| *field);
    Ok(Ownership { strategy, owners })
}

fn strategy(custom: &mut Fields) -> Result<Strategy, ConfigError> {
    const EXAMPLE: &str = "\"ownership-priority\"";
    let Some(word) = custom.word("conflict_strategy", EXAMPLE)? else {
        return Ok(Strategy::default());
    };
    Strategy::parse(&word).ok_or_else(|| {
        let problem =
            format!("cannot be `{word}`: use ownership-priority, last-write-wins or manual-review");
        custom.bad("conflict_strategy", &problem, EXAMPLE)
    })
}

fn side(row: &mut Fields) -> Result<Option<Side>, ConfigError> {
    let Some(word) = row.word("owner", "\"external\"")? else {
        return Ok(None);
    };
    let side = Side::parse(&word).ok_or_else(|| {
        let problem = format!("cannot be `{word}`: use platform (here) or external (PagerDuty)");
        row.bad("owner", &problem, "\"external\"")
    })?;
    Ok(Some(side))
}

fn priority(row: &mut Fields) -> Result<Option<u8>, ConfigError> {
    const EXAMPLE: &str = "10";
    match row.take("priority") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Number(number)) => {
            let fits = number
                .parse()
                .ok()
                .filter(|priority| *priority <= PRIORITY_MAX);
            let problem = format!("cannot be {number}: use 0 to {PRIORITY_MAX}");
            fits.map(Some)
                .ok_or_else(|| row.bad("priority", &problem, EXAMPLE))
        }
        Some(other) => Err(row.wrong("priority", "a number", &other, EXAMPLE)),
    }
}
