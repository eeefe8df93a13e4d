//! Matters that come again.

use hashbrown::HashMap;
use jiff::Timestamp;

use crate::columns::Row;
use crate::findings::{DAY, RECURS_WITHIN_DAYS, Recurring};
use crate::gather::in_threads;
use crate::names::NONE;
use crate::num;
use crate::plan::Plan;
use crate::query::Dimension;

/// Matters that came at least twice, of rows in their order: neighbours of one title, or of one key, at most 30 days apart.
pub(crate) fn recurring(plan: &Plan<'_>, rows: &[Row<'_>]) -> Vec<Recurring> {
    // The first of each matter stands for it.
    let mut first: Vec<usize> = (0..rows.len()).collect();
    let mut last_of: HashMap<(u32, bool, u32), usize> = HashMap::new();
    for (place, (row, title)) in rows.iter().zip(titles(plan, rows)).enumerate() {
        let service = plan.field(*row, Dimension::Service);
        let key = (row.key() != NONE).then_some((true, row.key()));
        for (is_key, name) in [Some((false, title)), key].into_iter().flatten() {
            let before = last_of.insert((service, is_key, name), place);
            let before = before.filter(|before| {
                let earlier = rows.get(*before).map_or(i64::MIN, |row| row.trigger());
                row.trigger() - earlier <= RECURS_WITHIN_DAYS * DAY
            });
            if let Some(before) = before {
                join(&mut first, before, place);
            }
        }
    }
    let mut matters: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
    for place in 0..rows.len() {
        if let Some(matter) = matters.get_mut(root(&first, place)) {
            matter.push(place);
        }
    }
    let mut found: Vec<Recurring> = matters
        .into_iter()
        .filter(|places| places.len() > 1)
        .filter_map(|places| told(plan, rows, &places))
        .collect();
    found.sort_by(|a, b| {
        let count = |one: &Recurring| one.incidents.len();
        (count(b), b.last, &a.title).cmp(&(count(a), a.last, &b.title))
    });
    found
}

/// A number for the title of each row: the same for titles that are one.
fn titles(plan: &Plan<'_>, rows: &[Row<'_>]) -> Vec<u32> {
    let shares = in_threads(plan.engine.shares(rows), |rows| {
        let (mut known, mut text) = (HashMap::new(), String::new());
        let numbers = rows.iter().map(|row| {
            write_normal(plan.engine.title(*row), &mut text);
            number_of(&mut known, &text)
        });
        let numbers: Vec<u32> = numbers.collect();
        (known, numbers)
    });
    let (mut known, mut all) = (HashMap::new(), Vec::with_capacity(rows.len()));
    for (of_share, numbers) in shares {
        let of_all = of_share.into_iter();
        let of_all: HashMap<u32, u32> = of_all
            .map(|(text, number)| (number, number_of(&mut known, &text)))
            .collect();
        all.extend(numbers.iter().filter_map(|number| of_all.get(number)));
    }
    all
}

/// The number of a text, a new one if it has none.
fn number_of(known: &mut HashMap<String, u32>, text: &str) -> u32 {
    let next = num::id(known.len());
    *known.entry_ref(text).or_insert(next)
}

fn root(first: &[usize], place: usize) -> usize {
    let mut place = place;
    while let Some(up) = first.get(place).copied().filter(|up| *up != place) {
        place = up;
    }
    place
}

fn join(first: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(first, a), root(first, b));
    if let Some(slot) = first.get_mut(a.max(b)) {
        *slot = a.min(b);
    }
}

fn told(plan: &Plan<'_>, rows: &[Row<'_>], places: &[usize]) -> Option<Recurring> {
    let of: Vec<Row<'_>> = places
        .iter()
        .filter_map(|place| rows.get(*place).copied())
        .collect();
    let (begin, end) = (of.first()?, of.last()?);
    let at = |row: &Row<'_>| Timestamp::from_microsecond(row.trigger()).ok();
    let service = plan.field(*end, Dimension::Service);
    Some(Recurring {
        service: plan.engine.names.text(service).map(str::to_owned),
        title: normal(plan.engine.title(*end)),
        incidents: of.iter().map(|row| row.number()).collect(),
        first: at(begin)?,
        last: at(end)?,
    })
}

/// A title without what differs from time to time: words with a digit in them (numbers, ids, hosts)
/// and words with dots in them (hosts, paths). If nothing is left it stays as it is.
pub(crate) fn normal(title: &str) -> String {
    let mut text = String::new();
    write_normal(title, &mut text);
    text
}

/// The same, in place of what is in `text`.
fn write_normal(title: &str, text: &mut String) {
    text.clear();
    for word in title.split_whitespace() {
        // Most words are letters alone, of which nothing has to be looked at twice.
        let inner = if word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            word
        } else {
            let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
            let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
            if inner.is_empty() || has_digit || inner.contains(['.', '/']) {
                continue;
            }
            inner
        };
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(inner);
    }
    if text.is_empty() {
        text.push_str(title);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mw_19_titles_are_one_without_numbers_ids_and_hosts() {
        let rows = [
            ("disk full on db-12.eu.example.com", "disk full on"),
            ("disk full on db-7.eu.example.com!", "disk full on"),
            ("[firing:2] cpu high (host web.internal)", "cpu high host"),
            ("error 0x7fe3 in job a81c", "error in job"),
            ("404", "404"),
        ];
        for (title, want) in rows {
            assert_eq!(normal(title), want, "{title}");
        }
    }
}
