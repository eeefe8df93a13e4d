//! What a control request asks for: names and values from the query and from the body, which is a
//! form or a JSON object.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::header;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::http::error::ApiError;
use crate::http::input;
use crate::length;
use crate::sim::api::decoded;

/// Where a form of a page wants to be afterwards.
const BACK: &str = "back";

/// Names and values.
pub(super) struct Asked {
    fields: Map<String, Value>,
    from_form: bool,
}

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let mut fields = Map::new();
        let query = request.uri().query().unwrap_or_default().to_owned();
        add(&mut fields, query.as_bytes())?;
        let accept = request.headers().get(header::ACCEPT);
        let accept = accept.and_then(|value| value.to_str().ok());
        let from_form = accept.is_some_and(|accept| accept.contains("text/html"));
        let body = input::bytes(request, state).await?;
        let text = body.trim_ascii();
        if text.starts_with(b"{") {
            let object: Map<String, Value> = serde_json::from_slice(text).map_err(|error| {
                ApiError::bad_request(format!("the body is not a JSON object: {error}"))
            })?;
            fields.extend(object);
        } else {
            add(&mut fields, text)?;
        }
        Ok(Self { fields, from_form })
    }
}

/// Adds the pairs of a form; a name that comes twice becomes a list.
fn add(fields: &mut Map<String, Value>, form: &[u8]) -> Result<(), ApiError> {
    let form = std::str::from_utf8(form)
        .map_err(|_not_text| ApiError::bad_request("the parameters are not UTF-8"))?;
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let [name, value] = [name, value].map(|text| decoded(&text.replace('+', " ")));
        let value = Value::String(value);
        match fields.get_mut(&name) {
            None => {
                fields.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(())
}

impl Asked {
    /// The page to go back to, for a browser that sent a form.
    pub(super) fn back(&self) -> Option<&str> {
        let path = self.fields.get(BACK).and_then(Value::as_str);
        let own = path.filter(|path| path.starts_with('/') && !path.starts_with("//"));
        self.from_form.then(|| own.unwrap_or("/"))
    }

    /// Refuses names that nobody knows.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let is_known = |name: &str| name == BACK || known.contains(&name);
        match self.fields.keys().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) if known.is_empty() => Err(ApiError::bad_request(format!(
                "unknown parameter `{name}`; there are none here"
            ))),
            Some(name) => Err(ApiError::bad_request(format!(
                "unknown parameter `{name}`; known: {}",
                known.join(", ")
            ))),
        }
    }

    /// A text; a number or a truth value is taken as it is written. Blank is absent.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, ApiError> {
        let text = match self.fields.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            Some(Value::Array(_) | Value::Object(_)) => {
                return Err(ApiError::bad_request(format!("`{name}` must be one text")));
            }
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A text that has to be there.
    pub(super) fn need(&self, name: &str) -> Result<String, ApiError> {
        self.text(name)?
            .ok_or_else(|| ApiError::bad_request(format!("`{name}` is missing")))
    }

    /// Several texts: a list, or one text with commas.
    pub(super) fn list(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let split = |text: &str| -> Vec<String> {
            let parts = text.split(',').map(str::trim);
            parts
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(split(text))),
            Some(Value::Array(list)) => {
                let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
                let texts = texts.ok_or_else(|| {
                    ApiError::bad_request(format!("`{name}` must be a list of texts"))
                })?;
                Ok(Some(texts.into_iter().flat_map(split).collect()))
            }
            Some(_) => Err(ApiError::bad_request(format!(
                "`{name}` must be a list of texts"
            ))),
        }
    }

    /// A number within bounds.
    pub(super) fn number<T>(
        &self,
        name: &str,
        may: RangeInclusive<T>,
    ) -> Result<Option<T>, ApiError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| may.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most) = (may.start(), may.end());
            ApiError::bad_request(format!(
                "`{name}` must be a number from {least} to {most}, not `{text}`"
            ))
        })
    }

    /// Yes or no.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true" | "on" | "yes" | "1") => Ok(Some(true)),
            Some("false" | "off" | "no" | "0") => Ok(Some(false)),
            Some(other) => Err(ApiError::bad_request(format!(
                "`{name}` must be on or off, not `{other}`"
            ))),
        }
    }

    /// A length of time: seconds, or with units as in `1h 30m` or `2d`.
    pub(super) fn length(&self, name: &str) -> Result<Option<Duration>, ApiError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        length::read_loosely(&text).map(Some).ok_or_else(|| {
            ApiError::bad_request(format!(
                "`{name}` must be seconds or a length of time such as `90s`, `1h 30m`, `2d`, not `{text}`"
            ))
        })
    }

    /// An instant.
    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_not_an_instant: jiff::Error| {
                ApiError::bad_request(format!(
                    "`{name}` must be an instant such as `2026-03-10T08:00:00Z`, not `{text}`"
                ))
            })
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| Some(*meaning)).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            ApiError::bad_request(format!(
                "`{name}` must be one of {}, not `{text}`",
                known.join(", ")
            ))
        })
    }
}
