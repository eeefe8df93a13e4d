//! PagerDuty's custom fields: what each takes, and our text in its form.
//!
//! Here a field says a text. PagerDuty wants numbers, true or false, lists, or one of the values that
//! the field lists; what does not fit is told before it is sent.

use serde::{Deserialize, Serialize};

/// What a custom field of incidents takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldKind {
    /// PagerDuty's name of it.
    pub name: String,
    /// `string`, `integer`, `float`, `boolean`, `datetime`, `url` …
    pub data_type: String,
    /// Whether it takes several values.
    pub many: bool,
    /// The values that it takes; none means any.
    pub options: Vec<String>,
}

/// A value as PagerDuty is sent it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldInput {
    /// None.
    Nothing,
    /// True or false.
    Flag(bool),
    /// A number, in digits.
    Number(String),
    /// A text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

impl FieldKind {
    /// A text in the form of this field, or why it has none.
    pub fn input(&self, text: Option<&str>) -> Result<FieldInput, String> {
        let Some(text) = text else {
            return Ok(FieldInput::Nothing);
        };
        let takes = |what: &str| {
            let name = &self.name;
            format!("PagerDuty's custom field `{name}` takes {what}, and this says `{text}`")
        };
        if self.many {
            let all: Vec<String> = text.split(',').map(|one| one.trim().to_owned()).collect();
            return match all.iter().find(|one| !self.lists(one)) {
                None => Ok(FieldInput::List(all)),
                Some(_) => Err(takes(&self.options.join(", "))),
            };
        }
        match self.data_type.as_str() {
            "integer" => match text.parse::<i64>() {
                Ok(number) => Ok(FieldInput::Number(number.to_string())),
                Err(_) => Err(takes("a whole number")),
            },
            "float" => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(FieldInput::Number(number.to_string())),
                _ => Err(takes("a number")),
            },
            "boolean" => match text {
                "true" | "yes" => Ok(FieldInput::Flag(true)),
                "false" | "no" => Ok(FieldInput::Flag(false)),
                _ => Err(takes("true or false")),
            },
            _ if self.lists(text) => Ok(FieldInput::Text(text.to_owned())),
            _ => Err(takes(&self.options.join(" or "))),
        }
    }

    fn lists(&self, value: &str) -> bool {
        self.options.is_empty() || self.options.iter().any(|option| option == value)
    }
}
