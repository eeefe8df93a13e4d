//! How a metric is computed: the words of `docs/metrics.md`, which is compiled in, so that the pages
//! never say anything else.

use maud::{Markup, html};

use super::about::About;

const DEFINITIONS: &str = include_str!("../../../../../docs/metrics.md");

/// A definition as a section of a page.
pub(super) fn section(about: &About) -> Markup {
    html! {
        section.computed aria-labelledby="computed" {
            h2 #computed { "How is this computed?" }
            div.panel.pad {
                @if let Some([of, value, bucket]) = row(about.metric.as_str()) {
                    dl.facts {
                        @for (name, said) in [("Of", of), ("Value", value), ("In the bucket of", bucket)] {
                            // The paragraphs below are what is seen.
                            @if said != "see below" { dt { (name) } dd { (inline(said)) } }
                        }
                    }
                }
                @for paragraph in about.paragraphs.iter().filter_map(|start| paragraph(start)) {
                    p { (inline(&paragraph)) }
                }
                @for item in left_out() { p { (inline(&item)) } }
                p.small { "From docs/metrics.md. The same figures: " code { "im metrics " (about.metric.as_str()) } }
            }
        }
    }
}

/// What the table of metrics says of one.
fn row(metric: &str) -> Option<[&'static str; 3]> {
    let (_, metrics) = DEFINITIONS.split_once("\n## Metrics\n")?;
    let start = format!("| `{metric}` |");
    let row = metrics.lines().find_map(|line| line.strip_prefix(&start))?;
    let mut cells = row.trim_end_matches('|').split(" | ").map(str::trim);
    Some([cells.next()?, cells.next()?, cells.next()?])
}

/// The paragraph that begins with some words, its lines joined.
fn paragraph(start: &str) -> Option<String> {
    let mut paragraphs = DEFINITIONS.split("\n\n");
    let found = paragraphs.find(|paragraph| paragraph.starts_with(start))?;
    Some(found.replace('\n', " "))
}

/// What counts nowhere.
fn left_out() -> Vec<String> {
    let found = DEFINITIONS.split_once("\n## Left out, everywhere the same\n\n");
    let list = found.and_then(|(_, rest)| rest.split_once("\n\n"));
    let list = list.map_or("", |(list, _)| list);
    let items = list.split("\n- ").map(|item| item.replace('\n', " "));
    let items = items.map(|item| item.trim_start_matches("- ").trim_end().to_owned());
    items.collect()
}

/// The marks that the definitions use: code, strong, emphasis.
fn inline(text: &str) -> Markup {
    let mut pieces = text.split('`');
    html! {
        @while let Some(plain) = pieces.next() {
            (strong(plain))
            @if let Some(code) = pieces.next() { code { (code) } }
        }
    }
}

fn strong(text: &str) -> Markup {
    let mut pieces = text.split("**");
    html! {
        @while let Some(plain) = pieces.next() {
            (plain.replace('*', ""))
            @if let Some(bold) = pieces.next() { strong { (bold) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::about::ABOUT;
    use super::*;

    #[test]
    fn each_page_finds_its_definition() {
        for about in &ABOUT {
            let name = about.metric.as_str();
            assert!(row(name).is_some(), "no row of {name}");
            for start in about.paragraphs {
                assert!(
                    paragraph(start).is_some(),
                    "no paragraph {start} for {name}"
                );
            }
        }
        assert!(left_out().len() >= 3);
    }

    #[test]
    fn marks_of_the_definitions_become_elements() {
        let shown = inline("**Pages.** By `source=a|b` *one* <b>").into_string();
        assert_eq!(
            shown,
            "<strong>Pages.</strong> By <code>source=a|b</code> one &lt;b&gt;"
        );
    }
}
