//! Incidents of several services: a part for each, with its own twin at PagerDuty (ADR 0009).
//!
//! A part is an incident as any other, so what it owes, what is heard of it and how it is repaired
//! is not told here. This module makes parts, passes on what people do to the whole, and lets the
//! whole follow its parts.
//!
//! Invariants
//! - The row of a whole is what the facts of it and of its parts add up to ([`gather`]), written in
//!   the transaction that changed any of them.
//! - What is done to a whole is recorded, in one transaction and under one id, for it and for each
//!   part that it concerns.
//! - A whole has no connector and no twin, so it owes nothing itself.

use im_core::{
    Actor, Command, CustomField, Decided, Fact, GONE, IncidentNumber, Kind, Line, Part, Rejection,
    ResolveRule, Severity, StatusModel, Story, Traits, decide, gather, open_since,
};
use im_store::{StoreError, Tx, facts, incidents};
use jiff::Timestamp;

use crate::commands::{Asked, CommandError, reports, signed_word};
use crate::connector::{self, Connector};
use crate::record::{self, record};
use crate::{reconcile, whose};

/// The numbers of the parts of a whole, and the services that each is for.
pub fn of(whole: IncidentNumber, story: &Story) -> Vec<(IncidentNumber, String)> {
    let same_part = |a: &im_core::Span, b: &im_core::Span| a.part == b.part;
    let parts = story.spans.chunk_by(same_part);
    let named = parts.filter_map(|spans| {
        let names: Vec<&str> = spans.iter().map(|span| span.service.as_str()).collect();
        Some((whole.part(spans.first()?.part), names.join(", ")))
    });
    named.collect()
}

/// The parts of a whole with their stories; `own` is the story of what was done to all.
fn stories(
    tx: &mut Tx<'_>,
    whole: IncidentNumber,
    own: &Story,
) -> Result<Vec<(IncidentNumber, Part)>, StoreError> {
    let mut parts = Vec::new();
    for (part, service) in of(whole, own) {
        if let Some(story) = record::story(tx, part, None)? {
            parts.push((part, (service, story)));
        }
    }
    Ok(parts)
}

/// What a whole and its parts add up to.
pub(crate) fn gathered(
    tx: &mut Tx<'_>,
    whole: IncidentNumber,
    own: Story,
) -> Result<Story, StoreError> {
    let parts: Vec<Part> = stories(tx, whole, &own)?
        .into_iter()
        .map(|(_, part)| part)
        .collect();
    Ok(gather(own, &parts))
}

/// Whether every part of an incident is on a service that is not chosen to be synced.
pub(crate) fn are_hidden(
    tx: &mut Tx<'_>,
    whole: IncidentNumber,
    story: &Story,
) -> Result<bool, StoreError> {
    let mut are_hidden = false;
    for span in &story.spans {
        match incidents::find(tx, whole.part(span.part))? {
            Some(part) if !part.hidden => return Ok(false),
            Some(_) => are_hidden = true,
            // It was erased.
            None => {}
        }
    }
    Ok(are_hidden)
}

/// What is declared of all services together.
pub(crate) struct Declared {
    severity: Option<Severity>,
    fields: Vec<CustomField>,
}

impl Declared {
    pub(crate) fn of(decided: &[Decided]) -> Self {
        let severity = decided.iter().find(|one| one.kind == Kind::SeverityChanged);
        let fields = decided.iter().filter(|one| one.kind == Kind::FieldsChanged);
        let field = |one: &Decided| {
            Some(CustomField {
                name: one.detail.clone()?,
                value: one.value.clone()?,
            })
        };
        Self {
            severity: severity.and_then(|one| one.value.as_deref()?.parse().ok()),
            fields: fields.filter_map(field).collect(),
        }
    }

    /// The same of an incident as it is by now.
    pub(crate) fn as_it_is(story: &Story) -> Self {
        Self {
            severity: story.severity.map(|(severity, _)| severity),
            fields: story.fields.clone(),
        }
    }

    fn traits<'a>(&'a self, service: &'a str, own: Option<&'a str>) -> Traits<'a> {
        Traits {
            service: Some(service),
            service_id: own,
            severity: self.severity,
            fields: &self.fields,
        }
    }
}

/// A part that is to be made: where it leaves, and the services that it is for.
pub(crate) struct Planned<'a> {
    connector: Option<Connector>,
    services: Vec<&'a str>,
    /// PagerDuty's id of its service, where the first was named as PagerDuty names it.
    own: Option<String>,
}

impl<'a> Planned<'a> {
    /// Sorts a service to the part that goes to the same service of PagerDuty's: nobody is paged
    /// twice for one incident.
    pub(crate) fn sort_in(
        planned: &mut Vec<Self>,
        (service, own): (&'a str, Option<&str>),
        connector: Option<Connector>,
        declared: &Declared,
    ) {
        let place = |connector: &Option<Connector>, service: &str, own: Option<&str>| {
            let connector = connector.as_ref()?;
            let traits = declared.traits(service, own);
            let there = connector.mapping.service_for(&traits).to_owned();
            Some((connector.name().to_owned(), there))
        };
        let wanted = place(&connector, service, own);
        let same = planned.iter_mut().find(|part| {
            let first = part.services.first().copied().unwrap_or_default();
            wanted.is_some() && place(&part.connector, first, part.own.as_deref()) == wanted
        });
        match same {
            Some(part) => part.services.push(service),
            None => planned.push(Self {
                connector,
                services: vec![service],
                own: own.map(str::to_owned),
            }),
        }
    }
}

/// The parts that there are, as they were planned.
pub(crate) fn planned<'a>(
    tx: &mut Tx<'_>,
    whole: IncidentNumber,
    story: &'a Story,
) -> Result<Vec<Planned<'a>>, StoreError> {
    let mut planned = Vec::new();
    for spans in story.spans.chunk_by(|a, b| a.part == b.part) {
        let Some(number) = spans.first().map(|span| whole.part(span.part)) else {
            continue;
        };
        let connector = connector_of(tx, number)?;
        let part = record::story_alone(tx, number, connector.as_ref())?;
        planned.push(Planned {
            connector,
            own: part.and_then(|part| part.service_id),
            services: spans.iter().map(|span| span.service.as_str()).collect(),
        });
    }
    Ok(planned)
}

/// Begins an incident of several services.
pub(crate) fn declare(
    tx: &mut Tx<'_>,
    decided: &[Decided],
    planned: &[Planned<'_>],
    actor: &Actor,
    now: Timestamp,
) -> Result<Asked, StoreError> {
    let whole = incidents::insert(tx, None, |_| None, now)?;
    let mut told = reports(tx, decided, actor, now);
    place(&mut told, planned);
    facts::append(tx, whole, &told, now)?;
    told.retain(|(fact, _)| fact.kind != Kind::Spanned);
    for (index, part) in (1..).zip(planned) {
        begin(tx, whole.part(index), part, told.clone(), actor, (now, now))?;
    }
    record::refold_alone(tx, whole, None, now)?;
    Ok(Asked {
        incident: whole,
        changed: true,
    })
}

/// Lets a whole be about more services: of what is `planned`, what it does not have yet begins.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    (whole, story): (IncidentNumber, &Story),
    decided: &[Decided],
    planned: &[Planned<'_>],
    actor: &Actor,
    now: Timestamp,
) -> Result<Asked, StoreError> {
    let at = story.command_at(now);
    let mut told = reports(tx, decided, actor, at);
    place(&mut told, planned);
    facts::append(tx, whole, &told, now)?;
    let known = of(whole, story).len();
    for (index, part) in (1..).zip(planned).skip(known) {
        let own = reports(tx, &as_it_is(story), actor, at);
        begin(tx, whole.part(index), part, own, actor, (at, now))?;
    }
    record::refold_alone(tx, whole, None, now)?;
    Ok(Asked {
        incident: whole,
        changed: !decided.is_empty(),
    })
}

/// Says of each service to which part it belongs.
fn place(told: &mut [(Fact, Option<String>)], planned: &[Planned<'_>]) {
    let spans = told.iter_mut().map(|(fact, _)| fact);
    for fact in spans.filter(|fact| fact.kind == Kind::Spanned) {
        let service = fact.value.as_deref().unwrap_or_default();
        let mut parts = (1_u8..).zip(planned);
        let part = parts.find(|(_, part)| part.services.contains(&service));
        fact.detail = part.map(|(index, _)| index.to_string());
    }
}

/// Makes a part of what is told of it, `at` an instant of the whole.
fn begin(
    tx: &mut Tx<'_>,
    number: IncidentNumber,
    part: &Planned<'_>,
    mut told: Vec<(Fact, Option<String>)>,
    actor: &Actor,
    (at, now): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    let installation = whose::installation(tx)?;
    let (connector, service) = (part.connector.as_ref(), part.services.first().copied());
    let named = (service, part.own.as_deref());
    let key =
        connector.map(|connector| whose::key(&installation, number, &connector.mapping, named));
    let name = connector.map(Connector::name);
    incidents::insert_as(tx, number, name, key.as_deref(), now)?;
    let moved = Decided {
        detail: part.own.clone(),
        ..said(Kind::ServiceChanged, service.map(str::to_owned))
    };
    told.extend(reports(tx, &[moved], actor, at));
    facts::append(tx, number, &told, now)?;
    record::refold_alone(tx, number, connector, now)?;
    Ok(())
}

fn said(kind: Kind, value: Option<String>) -> Decided {
    Decided {
        kind,
        value,
        detail: None,
        people: Vec::new(),
    }
}

/// What a part begins with that comes later: what is said of the whole by then.
fn as_it_is(story: &Story) -> Vec<Decided> {
    let severity = story.severity.map(|(severity, _)| severity.to_string());
    let mut begun = vec![said(Kind::Triggered, Some(story.title.clone()))];
    begun.extend(severity.map(|severity| said(Kind::SeverityChanged, Some(severity))));
    let description = story.description.clone();
    begun.extend(description.map(|text| said(Kind::Described, Some(text))));
    begun.extend(story.fields.iter().map(|field| Decided {
        detail: Some(field.name.clone()),
        ..said(Kind::FieldsChanged, Some(field.value.clone()))
    }));
    begun
}

/// Does to a whole what was `decided` for it, and to each part what it means for that.
pub(crate) fn act(
    tx: &mut Tx<'_>,
    (whole, story): (IncidentNumber, &Story),
    (command, note, model): (&Command, Option<&str>, StatusModel),
    decided: Vec<Decided>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Asked, CommandError> {
    let mut changed = !decided.is_empty();
    let mut all = decided;
    let mut parts = Vec::new();
    for (number, (_, part)) in stories(tx, whole, story)? {
        let connector = connector_of(tx, number)?;
        let mut own = match decide(Some(&part), command, model) {
            Ok(own) => own,
            // Somebody has taken the whole, so the harm of this part may be contained, too.
            Err(Rejection::NotAcknowledged) => all.clone(),
            Err(_) => Vec::new(),
        };
        changed |= !own.is_empty();
        let is_moved = !own.is_empty();
        own.extend(signed_word(
            tx,
            connector.as_ref(),
            (command, note),
            is_moved,
            actor,
        )?);
        for one in &own {
            if !all
                .iter()
                .any(|known| is_same(known.kind, known.detail.as_deref(), one))
            {
                all.push(one.clone());
            }
        }
        parts.push((number, connector, own));
    }
    let told = reports(tx, &all, actor, story.command_at(now));
    facts::append(tx, whole, &told, now)?;
    for (number, connector, own) in parts {
        let of_part = |(fact, _): &(Fact, Option<String>)| {
            let own = own
                .iter()
                .find(|one| is_same(fact.kind, fact.detail.as_deref(), one))?;
            let fact = Fact {
                value: own.value.clone(),
                ..fact.clone()
            };
            Some((fact, None))
        };
        let own: Vec<_> = told.iter().filter_map(of_part).collect();
        if facts::append(tx, number, &own, now)? > 0 {
            record::refold_alone(tx, number, connector.as_ref(), now)?;
        }
    }
    record::refold_alone(tx, whole, None, now)?;
    Ok(Asked {
        incident: whole,
        changed,
    })
}

/// Whether a fact of this kind, about this, is what was decided. One command may set many fields.
fn is_same(kind: Kind, detail: Option<&str>, decided: &Decided) -> bool {
    let same_field = kind != Kind::FieldsChanged || detail == decided.detail.as_deref();
    kind == decided.kind && same_field
}

/// The connector by which an incident leaves.
fn connector_of(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
) -> Result<Option<Connector>, StoreError> {
    match incidents::find(tx, incident)?.and_then(|row| row.connector) {
        Some(name) => connector::load(tx, &name),
        None => Ok(None),
    }
}

/// How PagerDuty ended a part, where that says that the incident is over. One that was merged
/// goes on elsewhere, one whose service is gone was fixed by nobody, and as long as nobody looked
/// at it since, either may be so.
fn end(part: &Story) -> Option<&Line> {
    let mut ends = part.lines.iter().rev();
    let end = ends.find(|line| line.kind == Kind::Resolved)?;
    let is_told = !part.status.is_open() && end.command.is_none() && end.seen.peer;
    let is_end = !matches!(end.value.as_deref(), Some("merge" | GONE));
    (is_told && is_end && !reconcile::ended_unseen(part)).then_some(end)
}

/// Lets the end of a part be the end of the others, where the connector's rule says so. Which of the
/// two is heard of first does not matter: the end, or that the other had been opened again before.
/// What was so `before` is left alone: a change of the rule ends nothing.
pub(crate) fn end_others(
    tx: &mut Tx<'_>,
    connector: &Connector,
    changed: IncidentNumber,
    (before, after): (Option<&Story>, &Story),
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_any = connector.mapping.resolve_rule == ResolveRule::Any;
    let Some(whole) = changed.whole().filter(|_| is_any) else {
        return Ok(());
    };
    let ended = end(after).filter(|_| before.and_then(end).is_none());
    let (was_opened, opened) = (before.and_then(open_since), open_since(after));
    if ended.is_none() && opened == was_opened {
        return Ok(());
    }
    let Some(own) = record::story_alone(tx, whole, None)? else {
        return Ok(());
    };
    for (number, (_, other)) in stories(tx, whole, &own)? {
        if number == changed {
            continue;
        }
        if let (Some(end), Some(since)) = (ended, open_since(&other))
            && since <= end.at
        {
            end_with(tx, (number, &other), (after, end), now)?;
        } else if let Some(end) = end(&other)
            && is_before(opened, end)
            && !is_before(was_opened, end)
        {
            return end_with(tx, (changed, after), (&other, end), now);
        }
    }
    Ok(())
}

/// Whether something was opened before an end. PagerDuty tells seconds: who opened it in that of the end
/// may have been later.
fn is_before(opened: Option<Timestamp>, end: &Line) -> bool {
    opened.is_some_and(|opened| opened.as_second() < end.at.as_second())
}

/// Resolves a part because another has ended.
fn end_with(
    tx: &mut Tx<'_>,
    (number, part): (IncidentNumber, &Story),
    (ended, end): (&Story, &Line),
    now: Timestamp,
) -> Result<(), StoreError> {
    let said = ended.peer.as_ref().and_then(|peer| peer.number);
    let said = said.map_or_else(String::new, |number| format!(" #{number}"));
    let service = ended.service.as_deref().unwrap_or_default();
    let decided = [
        self::said(Kind::Resolved, None),
        self::said(
            Kind::Noted,
            Some(format!(
                "Resolved with PagerDuty incident{said} of {service} (resolve_rule is any)"
            )),
        ),
    ];
    let connector = connector_of(tx, number)?;
    let told = reports(tx, &decided, &end.actor, part.command_at(now));
    record(tx, number, connector.as_ref(), &told, now)?;
    Ok(())
}
