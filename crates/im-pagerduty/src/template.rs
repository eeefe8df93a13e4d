//! The text of a new incident by a template.
//!
//! A template is plain text with placeholders in braces, `{service}`; `{{` and `}}` are braces. A line
//! whose placeholders are all empty is left out, so `Impact: {description}` says nothing where there
//! is nothing to say. The names are known when a template is read: a misspelt one is refused.
//!
//! Absent: conditions, loops, HTML. PagerDuty shows the text as it is.

use std::fmt;

/// What a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The title.
    Title,
    /// The description that people gave.
    Description,
    /// `SEV-1` … `SEV-4`.
    Severity,
    /// What the severity means.
    SeverityMeaning,
    /// Our name of the service.
    Service,
    /// Every service of an incident of several.
    Services,
    /// Fields that PagerDuty has no custom field for, a line each.
    Fields,
    /// Our number, `INC-42`.
    Incident,
    /// Who declared it.
    DeclaredBy,
    /// When, in UTC.
    DeclaredAt,
}

impl Placeholder {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 10] = [
        Self::Title,
        Self::Description,
        Self::Severity,
        Self::SeverityMeaning,
        Self::Service,
        Self::Services,
        Self::Fields,
        Self::Incident,
        Self::DeclaredBy,
        Self::DeclaredAt,
    ];

    /// The name in the braces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::Severity => "severity",
            Self::SeverityMeaning => "severity_meaning",
            Self::Service => "service",
            Self::Services => "services",
            Self::Fields => "fields",
            Self::Incident => "incident",
            Self::DeclaredBy => "declared_by",
            Self::DeclaredAt => "declared_at",
        }
    }
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateError {
    /// A name that nobody knows.
    Unknown(String),
    /// A brace without its other half.
    Brace,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                let known = Placeholder::ALL.map(|one| format!("{{{}}}", one.as_str()));
                let known = known.join(", ");
                write!(f, "has the unknown placeholder {{{name}}}: use {known}")
            }
            Self::Brace => write!(
                f,
                "has a brace without its other half: write {{{{ or }}}} for a brace"
            ),
        }
    }
}

/// A template that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    lines: Vec<Vec<Piece>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Placeholder),
}

impl Template {
    /// Reads a template.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let lines = source.lines().map(pieces).collect::<Result<_, _>>()?;
        Ok(Self {
            source: source.to_owned(),
            lines,
        })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it shows what a placeholder stands for.
    pub fn shows(&self, wanted: Placeholder) -> bool {
        let mut pieces = self.lines.iter().flatten();
        pieces.any(|piece| *piece == Piece::Value(wanted))
    }

    /// The text, with `value` for each placeholder.
    pub fn fill(&self, value: impl Fn(Placeholder) -> Option<String>) -> String {
        let mut text: Vec<String> = Vec::new();
        for pieces in &self.lines {
            let mut line = String::new();
            let (mut asked, mut told) = (false, false);
            for piece in pieces {
                match piece {
                    Piece::Text(text) => line.push_str(text),
                    Piece::Value(placeholder) => {
                        let value = value(*placeholder).unwrap_or_default();
                        asked = true;
                        told |= !value.trim().is_empty();
                        line.push_str(&value);
                    }
                }
            }
            // Two blank lines are what a line that was left out leaves behind.
            let is_second_blank = line.is_empty() && text.last().is_none_or(String::is_empty);
            if (told || !asked) && !is_second_blank {
                text.push(line);
            }
        }
        text.join("\n")
    }
}

fn pieces(line: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        text.push_str(before);
        rest = if let Some(after) = brace.strip_prefix("{{") {
            text.push('{');
            after
        } else if let Some(after) = brace.strip_prefix("}}") {
            text.push('}');
            after
        } else {
            let inside = brace
                .strip_prefix('{')
                .and_then(|after| after.split_once('}'));
            let (name, after) = inside.ok_or(TemplateError::Brace)?;
            let mut known = Placeholder::ALL.into_iter();
            let known = known.find(|one| one.as_str() == name.trim());
            let known = known.ok_or_else(|| TemplateError::Unknown(name.trim().to_owned()))?;
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Value(known));
            after
        };
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}
