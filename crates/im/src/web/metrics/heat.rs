//! When things happen: a cell for each hour of the week, or for each day or hour of a service.

use axum::http::StatusCode;
use im_metrics::{Behind, Dimension, Hourly, Weekly};
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::about::About;
use super::address::Address;
use super::asked::{Asked, Wrong};
use super::bar;
use super::part::{HOUR, WEEKDAY};
use crate::figures::Known;

const DAYS: [(&str, &str); 7] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];

/// More services are not read; the table by service has them.
const SERVICES_MAX: usize = 12;

/// The shades above none.
const SHADES: u64 = 5;

/// An hour of the week: days since Monday, and the hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hour {
    pub(super) day: usize,
    pub(super) hour: usize,
}

impl Hour {
    /// The hour that an item falls into.
    pub(super) fn of(item: &Behind, zone: &TimeZone) -> Self {
        let (day, hour) = im_metrics::hour_of_week(item.at, zone);
        Self { day, hour }
    }

    /// `Thursday`.
    pub(super) fn day(self) -> &'static str {
        DAYS.get(self.day).map_or("", |(_, day)| day)
    }

    /// `Thursday 18:00 to 19:00`.
    pub(super) fn say(self) -> String {
        format!("{} {}", self.day(), self.clock())
    }

    /// `Thursday 18:00 to 21:00`.
    pub(super) fn three(self) -> String {
        let (day, hour) = (self.day(), self.hour);
        format!("{day} {hour:02}:00 to {:02}:00", hour + 3)
    }

    /// `18:00 to 19:00`.
    pub(super) fn clock(self) -> String {
        format!("{:02}:00 to {:02}:00", self.hour, (self.hour + 1) % 24)
    }

    /// Its sides on the edge of the hours at which people usually work.
    fn edges(self) -> String {
        let is_usual = self.day < 5 && (8..18).contains(&self.hour);
        let edges = [
            (self.day == 0, " edge-t"),
            (self.day == 4, " edge-b"),
            (self.hour == 8, " edge-l"),
            (self.hour == 17, " edge-r"),
        ];
        let edges = edges.into_iter().filter(|(holds, _)| is_usual && *holds);
        edges.map(|(_, class)| class).collect()
    }
}

/// How many of each hour.
pub(super) struct Heat(Hourly);

impl Heat {
    /// Those of all services.
    pub(super) fn of(weekly: &[Weekly]) -> Self {
        let mut counts = Hourly::default();
        for service in weekly {
            let hours = counts.iter_mut().flatten();
            for (count, more) in hours.zip(service.hours.iter().flatten()) {
                *count += more;
            }
        }
        Self(counts)
    }

    /// The three hours on end of one day with the most, and how many that is.
    pub(super) fn worst(&self) -> (Hour, u64) {
        let starts = (0..7).flat_map(|day| (0..22).map(move |hour| Hour { day, hour }));
        let sum = |at: Hour| -> u64 {
            let day = self.0.get(at.day).map_or(&[][..], |day| day.as_slice());
            day.iter().skip(at.hour).take(3).sum()
        };
        let all = starts.map(|at| (at, sum(at)));
        // Of equal ones the earliest.
        all.fold((Hour { day: 0, hour: 0 }, 0), |best, next| {
            if next.1 > best.1 { next } else { best }
        })
    }

    /// A line for each day; the working hours that hold while nobody has set any are framed if they do.
    fn lines(&self, is_usual: bool) -> Vec<Line<'_>> {
        let days = DAYS.iter().enumerate().zip(&self.0);
        let lines = days.map(|((day, (short, long)), hours)| Line {
            name: (*short).to_owned(),
            title: long,
            cells: hours
                .iter()
                .enumerate()
                .map(|(hour, count)| {
                    let at = Hour { day, hour };
                    Cell {
                        count: *count,
                        said: at.say(),
                        chosen: vec![(WEEKDAY, day.to_string()), (HOUR, hour.to_string())],
                        edges: if is_usual { at.edges() } else { String::new() },
                    }
                })
                .collect(),
        });
        lines.collect()
    }
}

/// How it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Week,
    ServiceByDay,
    ServiceByHour,
}

/// The parameter that says how.
pub(super) const HEAT: &str = "heat";

impl View {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Week, "", "Weekday and hour"),
        (Self::ServiceByDay, "service_weekday", "Service and weekday"),
        (Self::ServiceByHour, "service_hour", "Service and hour"),
    ];

    /// The one that an address asks for.
    pub(super) fn read(address: &Address) -> Result<Self, Wrong> {
        let asked = address.get(HEAT).unwrap_or_default();
        let found = Self::ALL.into_iter().find(|(_, value, _)| *value == asked);
        found.map(|(view, ..)| view).ok_or_else(|| Wrong {
            status: StatusCode::BAD_REQUEST,
            code: "bad_request",
            detail: format!("`{HEAT}` cannot be `{asked}`"),
            hint: "use service_weekday or service_hour, or leave it out".to_owned(),
            without: Some(address.without(HEAT).link()),
            plain: address.path().to_owned(),
        })
    }

    /// The links that change it.
    fn choice(self, address: &Address) -> Markup {
        html! {
            div.toggle role="group" aria-label="Seen by" {
                @for (view, value, words) in Self::ALL {
                    @let link = if value.is_empty() { address.without(HEAT) } else { address.with(HEAT, value) };
                    a href={ (link.link()) "#when" } aria-current=[(view == self).then_some("true")] { (words) }
                }
            }
        }
    }
}

/// A row of cells.
struct Line<'a> {
    name: String,
    title: &'a str,
    cells: Vec<Cell>,
}

struct Cell {
    count: u64,
    /// When and where it is.
    said: String,
    /// What chooses it of what is behind the figure.
    chosen: Vec<(&'static str, String)>,
    /// Its sides on the edge of the frame.
    edges: String,
}

/// A line for each of the services with most.
fn of_services(weekly: &[Weekly], view: View, known: &Known) -> Vec<Line<'static>> {
    let cells = |hours: &Hourly| -> Vec<u64> {
        let days = hours.iter();
        match view {
            View::ServiceByDay => days.map(|day| day.iter().sum()).collect(),
            View::Week | View::ServiceByHour => {
                let of_hour = |hour| days.clone().filter_map(|day| day.get(hour)).sum();
                (0..24_usize).map(of_hour).collect()
            }
        }
    };
    let counts = weekly.iter();
    let mut counts: Vec<(Option<&str>, Vec<u64>)> = counts
        .map(|one| (one.service.as_deref(), cells(&one.hours)))
        .collect();
    counts.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
    let lines = counts
        .into_iter()
        .take(SERVICES_MAX)
        .map(|(service, counts)| {
            let name = bar::key_name(Dimension::Service, service, known);
            let cells = counts.into_iter().enumerate().map(|(place, count)| {
                let at = Hour {
                    day: place,
                    hour: place,
                };
                let (param, said) = match view {
                    View::ServiceByDay => (WEEKDAY, at.day().to_owned()),
                    View::Week | View::ServiceByHour => (HOUR, at.clock()),
                };
                let key = service.unwrap_or("null").to_owned();
                Cell {
                    count,
                    said: format!("{name}, {said}"),
                    chosen: vec![
                        (Dimension::Service.as_str(), key),
                        (param, place.to_string()),
                    ],
                    edges: String::new(),
                }
            });
            Line {
                cells: cells.collect(),
                title: "",
                name,
            }
        });
    lines.collect()
}

/// The section; each cell opens what is in it.
pub(super) fn section(
    asked: &Asked,
    (heat, weekly): (&Heat, &[Weekly]),
    view: View,
    known: &Known,
) -> Markup {
    let is_usual = view == View::Week && known.hours_since().next().is_none();
    let lines = match view {
        View::Week => heat.lines(is_usual),
        View::ServiceByDay | View::ServiceByHour => of_services(weekly, view, known),
    };
    let counts = lines.iter().flat_map(|line| &line.cells);
    let most = counts.map(|cell| cell.count).max().unwrap_or_default();
    let behind = asked.items();
    html! {
        section aria-labelledby="when" {
            h2 #when {
                "When"
                span.number {
                    (note(view))
                    @if is_usual { "; inside the dashed line is Monday to Friday, 08:00 to 18:00" }
                    @if view != View::Week && lines.len() == SERVICES_MAX { "; the " (SERVICES_MAX) " with most" }
                }
            }
            (view.choice(&asked.address))
            div.panel.pad {
                table.heat.framed[is_usual].by-service[view != View::Week] {
                    thead {
                        tr {
                            td {}
                            @if view == View::ServiceByDay {
                                @for (short, long) in DAYS { th scope="col" { abbr title=(long) { (short) } } }
                            } @else {
                                @for hour in 0..24 {
                                    th scope="col" { @if hour % 3 == 0 { (format!("{hour:02}:00")) } @else { span.hidden { (format!("{hour:02}:00")) } } }
                                }
                            }
                        }
                    }
                    tbody {
                        @for line in &lines {
                            tr {
                                th scope="row" {
                                    @if line.title.is_empty() { span title=(line.name) { (line.name) } }
                                    @else { abbr title=(line.title) { (line.name) } }
                                }
                                @for cell in &line.cells { (draw(cell, most, asked.about, &behind)) }
                            }
                        }
                    }
                }
                (legend(most))
            }
        }
    }
}

fn note(view: View) -> &'static str {
    match view {
        View::Week => "weekday and hour",
        View::ServiceByDay => "service and weekday",
        View::ServiceByHour => "service and hour",
    }
}

fn draw(cell: &Cell, most: u64, about: &About, items: &Address) -> Markup {
    let count = cell.count;
    let link = || {
        let chosen = cell.chosen.iter();
        let chosen = chosen.fold(items.clone(), |items, (name, value)| {
            items.with(name, value.as_str())
        });
        chosen.link()
    };
    html! {
        td class={ "heat-" (shade(count, most)) (cell.edges) } {
            @if count > 0 {
                a href=(link()) title={ (cell.said) ": " (about.count(count)) } { (count) }
            }
        }
    }
}

/// Which shade a count has: 0 for none, the strongest for the most.
fn shade(count: u64, most: u64) -> u64 {
    if most <= SHADES {
        count
    } else {
        (count * SHADES).div_ceil(most)
    }
}

/// What each shade means.
fn legend(most: u64) -> Markup {
    let ranges = (0..=SHADES).filter_map(|shade| {
        let counts = (0..=most).filter(|count| self::shade(*count, most) == shade);
        let (low, high) = counts.fold((None, 0), |(low, _), count| (low.or(Some(count)), count));
        low.map(|low| (shade, low, high))
    });
    html! {
        p.shades {
            "Shades "
            @for (shade, low, high) in ranges {
                span class={ "heat-" (shade) } { (low) @if high > low { "–" (high) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_go_from_none_to_the_most() {
        assert_eq!([0, 1, 3].map(|count| shade(count, 3)), [0, 1, 3]);
        assert_eq!(
            [0, 1, 20, 21, 100].map(|count| shade(count, 100)),
            [0, 1, 1, 2, 5]
        );
        let shown = legend(7).into_string();
        assert!(shown.contains("<span class=\"heat-0\">0</span>"), "{shown}");
        assert!(
            shown.contains("<span class=\"heat-5\">6–7</span>"),
            "{shown}"
        );
    }

    #[test]
    fn the_worst_time_is_three_hours_on_end() {
        let mut counts = [[0; 24]; 7];
        counts[3][18] = 5;
        counts[3][20] = 4;
        counts[0][3] = 6;
        let (at, n) = Heat(counts).worst();
        assert_eq!((at, n), (Hour { day: 3, hour: 18 }, 9));
        assert_eq!(at.say(), "Thursday 18:00 to 19:00");
    }
}
