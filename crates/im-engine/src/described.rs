//! The plain text that PagerDuty shows with a new incident: by the connector's template, or ours.
//!
//! Our number stands in it whatever the template says: it is one for all incidents that PagerDuty
//! has of ours (ADR 0009). So do the fields for which PagerDuty has no custom field.

use im_core::{IncidentNumber, Story};
use im_pagerduty::{NOTE_CHARS_MAX, Placeholder, Template, body};

/// What there is to tell.
pub(crate) struct About<'a> {
    /// The number that people say.
    pub(crate) incident: IncidentNumber,
    /// What is true of it.
    pub(crate) story: &'a Story,
    /// For a part: every service of its incident.
    pub(crate) spanned: Option<String>,
    /// The lines of the fields that PagerDuty does not hold.
    pub(crate) fields: String,
}

impl About<'_> {
    /// The text.
    pub(crate) fn text(&self, template: Option<&Template>) -> String {
        match template {
            Some(template) => self.by(template),
            None => self.plainly(),
        }
    }

    fn by(&self, template: &Template) -> String {
        let text = template.fill(|placeholder| self.value(placeholder));
        // What stands in a text that is shortened may not be seen.
        let tells = |what| template.shows(what) && text.chars().count() <= NOTE_CHARS_MAX;
        let fields = Some(self.fields.clone()).filter(|lines| !lines.is_empty());
        let fields = fields.filter(|_| !tells(Placeholder::Fields));
        let declared = (!tells(Placeholder::Incident)).then(|| self.declared());
        body(&text, &paragraphs([fields, declared]))
    }

    fn plainly(&self) -> String {
        let severity = self.story.severity;
        let severity = severity.map(|(one, _)| format!("{one}: {}", one.description()));
        let spanned = self
            .spanned
            .as_ref()
            .map(|services| format!("It is about {services}, with a PagerDuty incident for each"));
        let fields = Some(self.fields.clone()).filter(|lines| !lines.is_empty());
        let end = paragraphs([severity, fields, Some(self.declared()), spanned]);
        body(self.story.description.as_deref().unwrap_or_default(), &end)
    }

    fn declared(&self) -> String {
        let by = self.story.declared_by.label();
        let by = by.map(|who| format!(" by {who}")).unwrap_or_default();
        format!("Declared in im as {}{by}", self.incident)
    }

    fn value(&self, placeholder: Placeholder) -> Option<String> {
        let story = self.story;
        let severity = story.severity.map(|(severity, _)| severity);
        match placeholder {
            Placeholder::Title => Some(story.title.clone()),
            Placeholder::Description => story.description.clone(),
            Placeholder::Severity => severity.map(|one| one.to_string()),
            Placeholder::SeverityMeaning => severity.map(|one| one.description().to_owned()),
            Placeholder::Service => story.service.clone(),
            Placeholder::Services => self.spanned.clone().or_else(|| story.service.clone()),
            Placeholder::Incident => Some(self.incident.to_string()),
            Placeholder::Fields => Some(self.fields.clone()),
            Placeholder::DeclaredBy => story.declared_by.label().map(str::to_owned),
            Placeholder::DeclaredAt => {
                let at = story.created_at.strftime("%Y-%m-%d %H:%M UTC");
                Some(at.to_string())
            }
        }
    }
}

fn paragraphs<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}
