//! Lists that are read with a cursor (docs/sim.md).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Answer;
use crate::http::{Request, Response, invalid};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 100;

/// Where a list goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    from: usize,
    limit: usize,
}

impl Cursor {
    pub(super) fn of(request: &Request) -> Answer<Self> {
        let limit = request.query("limit").map(str::parse::<usize>);
        let limit = limit.unwrap_or(Ok(LIMIT_DEFAULT));
        let limit = limit.map_err(|_error| invalid("Limit must be a number."))?;
        let cursor = request.query("cursor").filter(|cursor| !cursor.is_empty());
        let from = cursor.map_or(Some(0), |cursor| {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
            text.strip_prefix("from:")?.parse().ok()
        });
        Ok(Self {
            from: from.ok_or_else(|| invalid("Cursor is none that was given."))?,
            limit: limit.clamp(1, LIMIT_MAX),
        })
    }

    pub(super) fn answer(self, key: &str, rows: &[impl Serialize]) -> Response {
        let page: Vec<Value> = rows
            .iter()
            .skip(self.from)
            .take(self.limit)
            .map(|row| json!(row))
            .collect();
        let next = self.from + page.len();
        let next = (next < rows.len()).then(|| URL_SAFE_NO_PAD.encode(format!("from:{next}")));
        let mut body = Map::new();
        body.insert(key.to_owned(), page.into());
        body.insert("limit".to_owned(), self.limit.into());
        body.insert("next_cursor".to_owned(), next.into());
        Response::json(200, &body.into())
    }
}
