//! When things happen: a cell for each hour of the week.

use im_metrics::Behind;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::about::About;
use super::address::Address;

const DAYS: [(&str, &str); 7] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];

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
        let local = item.at.to_zoned(zone.clone());
        let day = local.weekday().to_monday_zero_offset();
        Self {
            day: usize::try_from(day).unwrap_or_default(),
            hour: usize::try_from(local.hour()).unwrap_or_default(),
        }
    }

    /// `Thursday 18:00 to 19:00`.
    pub(super) fn say(self) -> String {
        let day = DAYS.get(self.day).map_or("", |(_, day)| day);
        format!(
            "{day} {:02}:00 to {:02}:00",
            self.hour,
            (self.hour + 1) % 24
        )
    }

    /// `Thursday 18:00 to 21:00`.
    pub(super) fn three(self) -> String {
        let day = DAYS.get(self.day).map_or("", |(_, day)| day);
        format!("{day} {:02}:00 to {:02}:00", self.hour, self.hour + 3)
    }

    /// Whether it is one of the hours at which people usually work.
    fn is_usual(self) -> bool {
        self.day < 5 && (8..18).contains(&self.hour)
    }
}

/// How many of each hour.
pub(super) struct Heat([[u64; 24]; 7]);

impl Heat {
    pub(super) fn of(items: &[Behind], zone: &TimeZone) -> Self {
        let mut counts = [[0; 24]; 7];
        for item in items {
            let Hour { day, hour } = Hour::of(item, zone);
            if let Some(count) = counts.get_mut(day).and_then(|day| day.get_mut(hour)) {
                *count += 1;
            }
        }
        Self(counts)
    }

    fn most(&self) -> u64 {
        self.0.iter().flatten().copied().max().unwrap_or_default()
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

    /// The section; each cell opens what is in it. The working hours that hold while nobody has set any are framed if they do.
    pub(super) fn section(
        &self,
        about: &About,
        items: &Address,
        (zone, is_usual): (&str, bool),
    ) -> Markup {
        let most = self.most();
        html! {
            section aria-labelledby="when" {
                h2 #when { "When" span.number { "weekday and hour in " (zone) @if is_usual { "; inside the dashed line is Monday to Friday, 08:00 to 18:00" } } }
                div.panel.pad {
                    table.heat.framed[is_usual] {
                        thead {
                            tr {
                                td {}
                                @for hour in 0..24 {
                                    th scope="col" { @if hour % 3 == 0 { (format!("{hour:02}:00")) } @else { span.hidden { (format!("{hour:02}:00")) } } }
                                }
                            }
                        }
                        tbody {
                            @for ((day, (short, long)), hours) in DAYS.iter().enumerate().zip(&self.0) {
                                tr {
                                    th scope="row" { abbr title=(long) { (short) } }
                                    @for (hour, count) in hours.iter().enumerate() {
                                        (cell(Hour { day, hour }, *count, most, about, items))
                                    }
                                }
                            }
                        }
                    }
                    (legend(most))
                }
            }
        }
    }
}

fn cell(at: Hour, count: u64, most: u64, about: &About, items: &Address) -> Markup {
    let edges = [
        (at.is_usual() && at.day == 0, " edge-t"),
        (at.is_usual() && at.day == 4, " edge-b"),
        (at.is_usual() && at.hour == 8, " edge-l"),
        (at.is_usual() && at.hour == 17, " edge-r"),
    ];
    let edges: String = edges
        .into_iter()
        .filter_map(|(holds, class)| holds.then_some(class))
        .collect();
    let link = || {
        let day = items.with("weekday", at.day.to_string());
        day.with("hour", at.hour.to_string()).link()
    };
    html! {
        td class={ "heat-" (shade(count, most)) (edges) } {
            @if count > 0 {
                a href=(link()) title={ (at.say()) ": " (about.count(count)) } { (count) }
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
