//! Incidents as lists show them: the fold of their facts, one row each.
//!
//! An incident of several services has a row, and each of its parts has one (`im_core::gather`).
//! People see the whole alone: lists and counts leave the parts out.

use std::ops::Range;

use im_core::{IncidentNumber, Person, Severity, SeveritySource, Status, Story};
use jiff::Timestamp;

use crate::facts::{json, word};
use crate::statements::statements;
use crate::{Row, StoreError, Tx, Value, counter, params};

/// One incident as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRow {
    /// Its number.
    pub number: IncidentNumber,
    /// The connector it belongs to.
    pub connector: Option<String>,
    /// The key that its twin is made with.
    pub pd_key: Option<String>,
    /// PagerDuty's id.
    pub pd_id: Option<String>,
    /// PagerDuty's number.
    pub pd_number: Option<i64>,
    /// Where people find the twin.
    pub pd_url: Option<String>,
    /// PagerDuty's state.
    pub pd_status: Option<String>,
    /// Its state.
    pub status: Status,
    /// What people call it.
    pub title: String,
    /// How bad it is, and how we know.
    pub severity: Option<(Severity, SeveritySource)>,
    /// What it affects.
    pub service: Option<String>,
    /// Who has it.
    pub assignees: Vec<Person>,
    /// When it began.
    pub created_at: Timestamp,
    /// When somebody first took it.
    pub acknowledged_at: Option<Timestamp>,
    /// When it was last over.
    pub resolved_at: Option<Timestamp>,
    /// When anything last happened.
    pub updated_at: Timestamp,
    /// Whether it was removed here.
    pub deleted: bool,
    /// Whether it is on a service that is not chosen to be synced.
    pub hidden: bool,
    /// How many parts it has: one for each service, where there are several.
    pub parts: i64,
    /// Grows with each write.
    pub version: i64,
}

/// Which of the incidents on services that are not chosen to be synced are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hidden {
    /// None of them.
    #[default]
    Not,
    /// They alone.
    Only,
    /// They, too.
    Too,
}

/// Who has the incidents that are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Assigned {
    /// Anybody or nobody.
    #[default]
    Whoever,
    /// Nobody.
    Nobody,
    /// Any of these people, by id or by name, in any case.
    To(Vec<String>),
}

/// Which incidents to list. Empty lists choose all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Any of these states.
    pub statuses: Vec<Status>,
    /// Any of these severities.
    pub severities: Vec<Severity>,
    /// A service that goes by any of these names; by whichever if there is none.
    pub services: Vec<String>,
    /// This connector.
    pub connector: Option<String>,
    /// Who has them.
    pub assigned: Assigned,
    /// A part of the title in any case, or a number: `INC-42`, `42`, PagerDuty's `#4102`.
    pub search: Option<String>,
    /// Only those that began at this instant or later.
    pub from: Option<Timestamp>,
    /// Only those that began before this instant.
    pub until: Option<Timestamp>,
    /// These alone.
    pub among: Option<Vec<IncidentNumber>>,
    /// Those on services that are not chosen to be synced.
    pub hidden: Hidden,
    /// Only those that began before this one.
    pub before: Option<IncidentNumber>,
    /// At most so many.
    pub limit: u32,
}

/// Letters of the longest name of a service that the index has.
const INDEXED_MAX: usize = 200;

const COLUMNS: &str = "number, connector, pd_key, pd_id, pd_number, pd_url, pd_status, status, title, severity,
    severity_source, service, assignees, created_at, acknowledged_at, resolved_at, updated_at, deleted, hidden,
    parts, version";

statements! {
    INSERT = "-- incidents.insert
        INSERT INTO incident (number, connector, pd_key, status, title, assignees, created_at, updated_at, version)
        VALUES (?1, ?2, ?3, 'open', '', '[]', ?4, ?4, 0)";
    UPDATE = "-- incidents.update
        UPDATE incident
           SET pd_id = ?2, pd_number = ?3, pd_url = ?4, pd_status = ?5, status = ?6, title = ?7, severity = ?8,
               severity_source = ?9, service = ?10, assignees = ?11, created_at = ?12, acknowledged_at = ?13,
               resolved_at = ?14, updated_at = ?15, deleted = ?16, parts = ?17, hidden = ?18,
               version = version + 1
         WHERE number = ?1";
    BY_NUMBER = "-- incidents.by_number
        SELECT number, connector, pd_key, pd_id, pd_number, pd_url, pd_status, status, title, severity,
               severity_source, service, assignees, created_at, acknowledged_at, resolved_at, updated_at, deleted,
               hidden, parts, version
          FROM incident WHERE number = ?1";
    CONNECTORS_IN = "-- incidents.connectors_in
        SELECT number, connector FROM incident WHERE number >= ?1 AND number < ?2 ORDER BY number";
    HAS_PARTS = "-- incidents.has_parts
        SELECT 1 FROM incident WHERE number >= ?1 LIMIT 1";
    LAST_WHOLE = "-- incidents.last_whole
        SELECT COALESCE(MAX(number), 0) FROM incident WHERE number < ?1";
    HAS_OWN = "-- incidents.has_own_on
        SELECT 1 FROM incident
         WHERE service = ?1 AND LENGTH(service) <= 200 AND pd_id IS NULL AND parts = 0 AND deleted = 0 LIMIT 1";
    BY_TWIN = "-- incidents.by_twin
        SELECT number FROM incident WHERE connector = ?1 AND pd_id = ?2";
    BY_KEY = "-- incidents.by_key
        SELECT number FROM incident WHERE connector = ?1 AND pd_key = ?2";
    SEEN = "-- incidents.seen
        UPDATE incident SET seen_run = ?3 WHERE connector = ?1 AND pd_id = ?2";
    OPEN_UNSEEN = "-- incidents.open_unseen
        SELECT pd_id FROM incident
         WHERE connector = ?1 AND pd_id IS NOT NULL AND pd_status <> 'resolved' AND seen_run <> ?2
         ORDER BY number LIMIT ?3";
    OPEN_TWINS = "-- incidents.open_twins
        SELECT number FROM incident WHERE connector = ?1 AND pd_status <> 'resolved' ORDER BY number";
    OPEN_EXHAUSTED = "-- incidents.open_exhausted
        SELECT number FROM incident
         WHERE connector = ?1 AND status IN ('open', 'acknowledged', 'mitigated')
           AND status = 'open' AND deleted = 0 AND hidden = 0
           AND EXISTS (SELECT 1 FROM fact WHERE fact.incident = incident.number AND fact.kind = 'exhausted')
         ORDER BY number + 0";
    EXHAUSTED = "-- incidents.exhausted
        SELECT number FROM incident
         WHERE status IN ('open', 'acknowledged', 'mitigated')
           AND status = 'open' AND deleted = 0 AND hidden = 0
           AND EXISTS (SELECT 1 FROM fact WHERE fact.incident = incident.number AND fact.kind = 'exhausted')
         ORDER BY number + 0 DESC LIMIT ?1";
    SERVICES = "-- incidents.services
        WITH RECURSIVE each_one(service) AS (
            SELECT MIN(service) FROM incident WHERE LENGTH(service) <= 200
             UNION ALL
            SELECT (SELECT MIN(incident.service) FROM incident
                     WHERE incident.service > each_one.service AND LENGTH(incident.service) <= 200)
              FROM each_one WHERE each_one.service IS NOT NULL)
        SELECT service FROM each_one
         WHERE EXISTS (SELECT 1 FROM incident
                        WHERE incident.service = each_one.service AND LENGTH(incident.service) <= 200
                          AND deleted = 0 AND hidden = 0)
         LIMIT ?1";
    LINKED_AFTER = "-- incidents.linked_after
        SELECT number FROM incident WHERE connector = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    SYNCED_SINCE = "-- incidents.synced_since
        SELECT COUNT(*) FROM incident WHERE connector = ?1 AND updated_at >= ?2 AND pd_id IS NOT NULL";
    LINKED = "-- incidents.linked
        SELECT COUNT(*) FROM incident WHERE connector = ?1 AND pd_id IS NOT NULL";
    COUNT_OPEN = "-- incidents.count_open
        SELECT COUNT(*) FROM incident WHERE status IN ('open', 'acknowledged', 'mitigated') AND deleted = 0 AND hidden = 0
           AND number + 0 < ?1";
}

/// A new row, empty until its facts are folded.
pub fn insert(
    tx: &mut Tx<'_>,
    connector: Option<&str>,
    pd_key: impl FnOnce(IncidentNumber) -> Option<String>,
    now: Timestamp,
) -> Result<IncidentNumber, StoreError> {
    let number = counter::next(tx, "incident", 1)?;
    let number = IncidentNumber::new(number).ok_or(StoreError::Stale)?;
    let pd_key = pd_key(number);
    insert_as(tx, number, connector, pd_key.as_deref(), now)?;
    Ok(number)
}

/// The same under a number that is known: that of a part.
pub fn insert_as(
    tx: &mut Tx<'_>,
    number: IncidentNumber,
    connector: Option<&str>,
    pd_key: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(INSERT, params![number.get(), connector, pd_key, now])?;
    Ok(())
}

/// Writes what the facts add up to, and whether lists and figures leave it out.
pub fn update(
    tx: &mut Tx<'_>,
    number: IncidentNumber,
    story: &Story,
    hidden: bool,
) -> Result<(), StoreError> {
    let peer = story.peer.as_ref();
    tx.execute(
        UPDATE,
        params![
            number.get(),
            peer.map(|peer| peer.id.as_str()),
            peer.and_then(|peer| peer.number),
            peer.and_then(|peer| peer.html_url.as_deref()),
            peer.map(|peer| peer.status.as_str()),
            story.status.as_str(),
            story.title.as_str(),
            story.severity.map(|(severity, _)| severity.as_str()),
            story.severity.map(|(_, source)| source_word(source)),
            story.service.as_deref(),
            json(&story.assignees),
            story.created_at,
            story.acknowledged_at,
            story.resolved_at,
            story.updated_at,
            story.deleted,
            story.spans.last().map_or(0, |span| i64::from(span.part)),
            hidden,
        ],
    )?;
    Ok(())
}

/// One incident, a deleted one too.
pub fn find(tx: &mut Tx<'_>, number: IncidentNumber) -> Result<Option<IncidentRow>, StoreError> {
    tx.query_one(BY_NUMBER, params![number.get()])?
        .as_ref()
        .map(read)
        .transpose()
}

/// The incidents whose numbers are in a range, each with the connector that it belongs to.
pub fn connectors_in(
    tx: &mut Tx<'_>,
    range: Range<i64>,
) -> Result<Vec<(IncidentNumber, Option<String>)>, StoreError> {
    let mut all = Vec::new();
    for mut row in tx.query(CONNECTORS_IN, params![range.start, range.end])? {
        if let Some(number) = IncidentNumber::new(row.int(0)?) {
            all.push((number, row.take_opt_text(1)?));
        }
    }
    Ok(all)
}

/// The greatest number of an incident that is no part of one; 0 where there is none.
pub fn last_whole(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let row = tx.query_one(LAST_WHOLE, params![IncidentNumber::FIRST_OF_PARTS])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// Whether an incident that PagerDuty does not know is on a service of ours; names are of at most 200 characters.
pub fn has_own_on(tx: &mut Tx<'_>, service: &str) -> Result<bool, StoreError> {
    Ok(tx.query_one(HAS_OWN, params![service])?.is_some())
}

/// The incident whose twin is `pd_id`.
pub fn by_twin(
    tx: &mut Tx<'_>,
    connector: &str,
    pd_id: &str,
) -> Result<Option<IncidentNumber>, StoreError> {
    number_of(tx, BY_TWIN, connector, pd_id)
}

/// The incident whose twin is made with `pd_key`.
pub fn by_key(
    tx: &mut Tx<'_>,
    connector: &str,
    pd_key: &str,
) -> Result<Option<IncidentNumber>, StoreError> {
    number_of(tx, BY_KEY, connector, pd_key)
}

/// Those of some incidents that there are, deleted ones too, in no order.
pub fn of_numbers(
    tx: &mut Tx<'_>,
    numbers: &[IncidentNumber],
) -> Result<Vec<IncidentRow>, StoreError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<Value> = numbers.iter().map(|number| number.get().into()).collect();
    let marks: Vec<String> = (1..=values.len()).map(|mark| format!("?{mark}")).collect();
    let sql = format!(
        "-- incidents.of_numbers\n SELECT {COLUMNS} FROM incident WHERE number IN ({})",
        marks.join(", ")
    );
    tx.query(&sql, &values)?.iter().map(read).collect()
}

fn number_of(
    tx: &mut Tx<'_>,
    sql: &str,
    connector: &str,
    name: &str,
) -> Result<Option<IncidentNumber>, StoreError> {
    let row = tx.query_one(sql, params![connector, name])?;
    row.map(|row| number(&row, 0)).transpose()
}

fn number(row: &Row, column: usize) -> Result<IncidentNumber, StoreError> {
    let number = row.int(column)?;
    IncidentNumber::new(number)
        .ok_or_else(|| row.content(column, "an incident number", number.to_string()))
}

/// Notes that a sync run met the twin among PagerDuty's open incidents, or reads it by itself.
pub fn mark_seen(
    tx: &mut Tx<'_>,
    connector: &str,
    pd_id: &str,
    run: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(SEEN, params![connector, pd_id, run])? > 0)
}

/// Twins that we hold for open and that the run did not meet, at most `limit`.
pub fn open_unseen(
    tx: &mut Tx<'_>,
    connector: &str,
    run: i64,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let rows = tx.query(OPEN_UNSEEN, params![connector, run, limit])?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// Incidents whose twin is open, as far as we know.
pub fn open_twins(tx: &mut Tx<'_>, connector: &str) -> Result<Vec<IncidentNumber>, StoreError> {
    tx.query(OPEN_TWINS, params![connector])?
        .iter()
        .map(|row| number(row, 0))
        .collect()
}

/// Open incidents of a connector whose escalation policy came to its end, ever.
pub fn open_exhausted(tx: &mut Tx<'_>, connector: &str) -> Result<Vec<IncidentNumber>, StoreError> {
    tx.query(OPEN_EXHAUSTED, params![connector])?
        .iter()
        .map(|row| number(row, 0))
        .collect()
}

/// Those of some incidents whose escalation policy came to its end, ever.
pub fn exhausted_of(
    tx: &mut Tx<'_>,
    numbers: &[IncidentNumber],
) -> Result<Vec<IncidentNumber>, StoreError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<Value> = numbers.iter().map(|number| number.get().into()).collect();
    let marks: Vec<String> = (1..=values.len()).map(|mark| format!("?{mark}")).collect();
    let sql = format!(
        "-- incidents.exhausted_of\n SELECT DISTINCT incident FROM fact WHERE incident IN ({}) AND kind = 'exhausted' ORDER BY incident",
        marks.join(", ")
    );
    let rows = tx.query(&sql, &values)?;
    rows.iter().map(|row| number(row, 0)).collect()
}

/// Incidents of a connector after `after`, in order.
pub fn linked_after(
    tx: &mut Tx<'_>,
    connector: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<IncidentNumber>, StoreError> {
    let rows = tx.query(LINKED_AFTER, params![connector, after, limit])?;
    rows.iter().map(|row| number(row, 0)).collect()
}

/// How many of a connector's incidents changed since `since`.
pub fn synced_since(tx: &mut Tx<'_>, connector: &str, since: Timestamp) -> Result<i64, StoreError> {
    tx.query_one(SYNCED_SINCE, params![connector, since])?
        .map_or(Ok(0), |row| row.int(0))
}

/// How many incidents of a connector have a twin at PagerDuty.
pub fn linked(tx: &mut Tx<'_>, connector: &str) -> Result<i64, StoreError> {
    tx.query_one(LINKED, params![connector])?
        .map_or(Ok(0), |row| row.int(0))
}

/// How many incidents are open.
pub fn count_open(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_one(COUNT_OPEN, params![IncidentNumber::FIRST_OF_PARTS])?
        .map_or(Ok(0), |row| row.int(0))
}

/// Open incidents whose escalation policy came to its end, ever: the newest, at most `limit`.
pub fn exhausted(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<IncidentNumber>, StoreError> {
    let rows = tx.query(EXHAUSTED, params![limit])?;
    rows.iter().map(|row| number(row, 0)).collect()
}

/// The names of services that incidents are on, at most `limit`, in no order: found one after another by the index.
pub fn services(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<String>, StoreError> {
    let rows = tx.query(SERVICES, params![limit])?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// Incidents that fit, the one that began last first: those that a sync found have the numbers in
/// which they were found.
pub fn list(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<IncidentRow>, StoreError> {
    let mut choice = Choice::of(tx, filter)?;
    if let Some(before) = filter.before {
        let before = choice.bind(before.get());
        let began = format!("(SELECT created_at FROM incident WHERE number = {before})");
        choice.wheres.push(format!(
            "(created_at < {began} OR (created_at = {began} AND number < {before}))"
        ));
    }
    let limit = choice.bind(filter.limit);
    let sql = format!(
        "-- incidents.list\n SELECT {COLUMNS} FROM incident WHERE {} ORDER BY created_at DESC, number DESC LIMIT {limit}",
        choice.wheres.join(" AND ")
    );
    tx.query(&sql, &choice.values)?.iter().map(read).collect()
}

/// How many incidents fit, whatever `before` and `limit` of the filter say; counting ends at `most`.
pub fn count(tx: &mut Tx<'_>, filter: &Filter, most: u32) -> Result<i64, StoreError> {
    let mut choice = Choice::of(tx, filter)?;
    let most = choice.bind(most);
    let sql = format!(
        "-- incidents.count\n SELECT COUNT(*) FROM (SELECT 1 FROM incident WHERE {} LIMIT {most}) AS counted",
        choice.wheres.join(" AND ")
    );
    let row = tx.query_one(&sql, &choice.values)?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// A filter as SQL.
struct Choice {
    wheres: Vec<String>,
    values: Vec<Value>,
}

impl Choice {
    fn of(tx: &mut Tx<'_>, filter: &Filter) -> Result<Self, StoreError> {
        let parts = IncidentNumber::FIRST_OF_PARTS;
        // The sum keeps the planners from reading by number what is ordered by time.
        let wheres = vec!["deleted = 0".to_owned(), format!("number + 0 < {parts}")];
        let mut choice = Self {
            wheres,
            values: Vec::new(),
        };
        match filter.hidden {
            Hidden::Not => choice.wheres.push("hidden = 0".to_owned()),
            Hidden::Only => choice.wheres.push("hidden = 1".to_owned()),
            Hidden::Too => {}
        }
        if !filter.statuses.is_empty() && filter.statuses.iter().all(|status| status.is_open()) {
            // As the index of what is open says it: few of many.
            choice
                .wheres
                .push("status IN ('open', 'acknowledged', 'mitigated')".to_owned());
        }
        choice.any_of("status", filter.statuses.iter().map(|one| one.as_str()));
        choice.any_of("severity", filter.severities.iter().map(|one| one.as_str()));
        let has_parts = tx.query_one(HAS_PARTS, params![parts])?.is_some();
        choice.whole_or_part("service", &filter.services, has_parts);
        // Most incidents may be of one connector: no index is of use.
        choice.whole_or_part("connector", filter.connector.as_slice(), true);
        choice.assigned(&filter.assigned);
        if let Some(text) = &filter.search {
            choice.search(text);
        }
        for (test, instant) in [(">=", filter.from), ("<", filter.until)] {
            if let Some(instant) = instant {
                let instant = choice.bind(instant);
                choice.wheres.push(format!("created_at {test} {instant}"));
            }
        }
        if let Some(numbers) = &filter.among {
            // No list of values is empty in SQL.
            choice
                .wheres
                .extend(numbers.is_empty().then(|| "1 = 0".to_owned()));
            choice.any_of("number", numbers.iter().map(|number| number.get()));
        }
        Ok(choice)
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    fn any_of<V: Into<Value>>(&mut self, column: &str, values: impl Iterator<Item = V>) {
        let marks: Vec<String> = values.map(|value| self.bind(value)).collect();
        if !marks.is_empty() {
            self.wheres
                .push(format!("{column} IN ({})", marks.join(", ")));
        }
    }

    /// What a whole has not, one of its parts may have: they are few, and found by their numbers. The empty text keeps
    /// the planners from gathering both before they sort.
    fn whole_or_part(&mut self, column: &str, values: &[String], has_parts: bool) {
        let is_long = |value: &String| value.chars().count() > INDEXED_MAX;
        let is_long = values.iter().any(is_long);
        let marks: Vec<String> = values
            .iter()
            .map(|value| self.bind(value.as_str()))
            .collect();
        let is_it = match &*marks {
            [] => return,
            [one] => format!("= {one}"),
            several => format!("IN ({})", several.join(", ")),
        };
        let parts = IncidentNumber::FIRST_OF_PARTS;
        self.wheres.push(if has_parts || is_long {
            format!(
                "({column} || '' {is_it} OR number IN (SELECT number % {parts} FROM incident WHERE number >= {parts} AND {column} {is_it}))"
            )
        } else {
            format!("{column} {is_it} AND LENGTH({column}) <= {INDEXED_MAX}")
        });
    }

    fn assigned(&mut self, assigned: &Assigned) {
        match assigned {
            Assigned::Whoever => {}
            Assigned::Nobody => self.wheres.push("assignees = '[]'".to_owned()),
            Assigned::To(people) => {
                let mut any = vec!["1 = 0".to_owned()];
                for person in people {
                    for field in ["id", "name"] {
                        // As `json` writes a field of a `Person`.
                        let pattern = format!("%\"{field}\":{}%", escape_like(&json(person)));
                        let pattern = self.bind(pattern);
                        any.push(format!("LOWER(assignees) LIKE LOWER({pattern}) ESCAPE '!'"));
                    }
                }
                self.wheres.push(format!("({})", any.join(" OR ")));
            }
        }
    }

    fn search(&mut self, text: &str) {
        let text = text.trim();
        let pattern = self.bind(format!("%{}%", escape_like(text)));
        let mut any = vec![format!("LOWER(title) LIKE LOWER({pattern}) ESCAPE '!'")];
        if let Ok(number) = text.parse::<IncidentNumber>() {
            let number = self.bind(number.get());
            any.push(format!("number = {number}"));
        }
        if let Ok(number) = text.strip_prefix('#').unwrap_or(text).parse::<i64>() {
            let (number, parts) = (self.bind(number), IncidentNumber::FIRST_OF_PARTS);
            any.push(format!(
                "pd_number = {number} OR number IN (SELECT number % {parts} FROM incident WHERE number >= {parts} AND pd_number = {number})"
            ));
        }
        self.wheres.push(format!("({})", any.join(" OR ")));
    }
}

fn escape_like(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            matches!(c, '!' | '%' | '_')
                .then_some('!')
                .into_iter()
                .chain([c])
        })
        .collect()
}

fn source_word(source: SeveritySource) -> &'static str {
    match source {
        SeveritySource::Explicit => "explicit",
        SeveritySource::Priority => "priority",
        SeveritySource::Inferred => "inferred",
    }
}

fn parse_source(word: &str) -> Option<SeveritySource> {
    [
        SeveritySource::Explicit,
        SeveritySource::Priority,
        SeveritySource::Inferred,
    ]
    .into_iter()
    .find(|source| source_word(*source) == word)
}

fn read(row: &Row) -> Result<IncidentRow, StoreError> {
    let text = |column: usize| Ok::<_, StoreError>(row.opt_text(column)?.map(str::to_owned));
    let severity = match (row.opt_parse(9)?, row.opt_text(10)?.and_then(parse_source)) {
        (Some(severity), Some(source)) => Some((severity, source)),
        _ => None,
    };
    Ok(IncidentRow {
        number: number(row, 0)?,
        connector: text(1)?,
        pd_key: text(2)?,
        pd_id: text(3)?,
        pd_number: row.opt_int(4)?,
        pd_url: text(5)?,
        pd_status: text(6)?,
        status: word(row, 7, Status::parse)?,
        title: row.text(8)?.to_owned(),
        severity,
        service: text(11)?,
        assignees: row.json(12)?,
        created_at: row.time(13)?,
        acknowledged_at: row.opt_time(14)?,
        resolved_at: row.opt_time(15)?,
        updated_at: row.time(16)?,
        deleted: row.bool(17)?,
        hidden: row.bool(18)?,
        parts: row.int(19)?,
        version: row.int(20)?,
    })
}
