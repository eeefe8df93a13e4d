//! The metrics that have a page: what each is called, and which way is better.

use im_metrics::Metric;

/// A part of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Area {
    /// How well incidents and changes are handled.
    Work,
    /// What it costs people.
    Wellbeing,
}

impl Area {
    pub(in crate::web) const ALL: [Self; 2] = [Self::Work, Self::Wellbeing];

    pub(in crate::web) fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Wellbeing => "wellbeing",
        }
    }

    pub(in crate::web) fn name(self) -> &'static str {
        match self {
            Self::Work => "Quality of work",
            Self::Wellbeing => "Wellbeing",
        }
    }

    pub(in crate::web) fn icon(self) -> &'static str {
        match self {
            Self::Work => "bars",
            Self::Wellbeing => "heart",
        }
    }
}

/// Which way a figure should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Better {
    Lower,
    Higher,
}

/// What the pages say of a metric.
#[derive(Debug)]
pub(in crate::web) struct About {
    pub(in crate::web) metric: Metric,
    pub(in crate::web) area: Area,
    /// The title of its page.
    pub(in crate::web) title: &'static str,
    /// What its headline is called.
    pub(in crate::web) headline: &'static str,
    /// How a sentence about it begins.
    pub(in crate::web) subject: &'static str,
    /// What `n` counts: one, and several.
    pub(in crate::web) of: (&'static str, &'static str),
    pub(in crate::web) better: Better,
    /// The paragraphs of `docs/metrics.md` that define it besides its row in the table.
    pub(in crate::web) paragraphs: &'static [&'static str],
}

const fn about(
    metric: Metric,
    area: Area,
    [title, headline, subject]: [&'static str; 3],
    of: (&'static str, &'static str),
    better: Better,
    paragraphs: &'static [&'static str],
) -> About {
    About {
        metric,
        area,
        title,
        headline,
        subject,
        of,
        better,
        paragraphs,
    }
}

/// All of them, in the order of the navigation.
pub(in crate::web) static ABOUT: [About; 8] = [
    about(
        Metric::Mttr,
        Area::Work,
        ["Time to recovery", "Mean", "Recovery"],
        ("incident", "incidents"),
        Better::Lower,
        &["*Values at trigger*"],
    ),
    about(
        Metric::Mtta,
        Area::Work,
        ["Time to acknowledge", "Mean", "Acknowledgement"],
        ("incident", "incidents"),
        Better::Lower,
        &["*Values at trigger*"],
    ),
    about(
        Metric::Pages,
        Area::Work,
        ["Pages", "Pages", "Paging"],
        ("page", "pages"),
        Better::Lower,
        &["**Pages.**"],
    ),
    about(
        Metric::ChangeFailureRate,
        Area::Work,
        ["Change failure rate", "Rate", "The change failure rate"],
        ("deployment", "deployments"),
        Better::Lower,
        &["**Changes that fail.**", "**Published levels.**"],
    ),
    about(
        Metric::IncidentFrequency,
        Area::Work,
        ["Incident frequency", "A day", "Incidents"],
        ("incident", "incidents"),
        Better::Lower,
        &[],
    ),
    about(
        Metric::DeploymentFrequency,
        Area::Work,
        ["Deployments", "A day", "Deployments"],
        ("deployment", "deployments"),
        Better::Higher,
        &["**Published levels.**"],
    ),
    about(
        Metric::PageDisruptions,
        Area::Wellbeing,
        ["Page disruptions", "Pages", "Disruption"],
        ("page", "pages"),
        Better::Lower,
        &["**Disruptions.**", "**Pages.**"],
    ),
    about(
        Metric::OncallLoad,
        Area::Wellbeing,
        ["On-call load", "Pages", "On-call load"],
        ("page", "pages"),
        Better::Lower,
        &["**On-call load.**", "**Pages.**"],
    ),
];

/// Disruptions counted in hours.
static HOURS: About = about(
    Metric::PageDisruptions,
    Area::Wellbeing,
    ["Page disruptions", "Disturbed hours", "Disruption"],
    ("disturbed hour", "disturbed hours"),
    Better::Lower,
    &["**Disruptions.**", "**Pages.**"],
);

impl About {
    /// What the pages say where disruptions are counted in hours.
    pub(in crate::web) fn in_hours() -> &'static Self {
        &HOURS
    }

    /// What the pages say of a metric, by its name; of some there is no page.
    pub(in crate::web) fn of(name: &str) -> Option<&'static Self> {
        ABOUT.iter().find(|about| about.metric.as_str() == name)
    }

    /// Whether all of it is about single people, so that those alone see it who may see them.
    pub(in crate::web) fn is_personal(&self) -> bool {
        self.metric == Metric::OncallLoad
    }

    /// Where its page is.
    pub(in crate::web) fn address(&self) -> String {
        format!("/metric/{}", self.metric.as_str())
    }

    /// `1 incident`, `7 incidents`.
    pub(in crate::web) fn count(&self, n: u64) -> String {
        let (one, several) = self.of;
        let noun = if n == 1 { one } else { several };
        format!("{n} {noun}")
    }
}
