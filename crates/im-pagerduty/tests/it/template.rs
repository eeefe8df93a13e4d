//! Templates of descriptions.

use im_pagerduty::{Placeholder, Template};

/// What a template makes of the values `title`, `service` and nothing else.
fn filled(source: &str) -> String {
    Template::parse(source).unwrap().fill(|one| match one {
        Placeholder::Title => Some("Database is slow".to_owned()),
        Placeholder::Service => Some("db <1>".to_owned()),
        Placeholder::Description
        | Placeholder::Severity
        | Placeholder::SeverityMeaning
        | Placeholder::Services
        | Placeholder::Fields
        | Placeholder::Incident
        | Placeholder::DeclaredBy
        | Placeholder::DeclaredAt => None,
    })
}

#[test]
fn i126_a_template_is_filled_and_says_nothing_where_there_is_nothing_to_say() {
    assert_eq!(
        filled("{title} ({service})\n\nImpact: {description}\n\nRunbook: https://wiki/{ service }"),
        "Database is slow (db <1>)\n\nRunbook: https://wiki/db <1>",
        "a line without a value leaves no gap, and nothing is escaped in plain text"
    );
    assert_eq!(
        filled("By {declared_by} on {service}"),
        "By  on db <1>",
        "one value is enough"
    );
    assert_eq!(
        filled("{{service}} is {{{service}}}"),
        "{service} is {db <1>}"
    );
    assert_eq!(filled("no placeholder"), "no placeholder");
    assert_eq!(filled("{description}"), "");
}

#[test]
fn i126_what_a_value_says_is_no_template() {
    let template = Template::parse("{title}").unwrap();
    assert_eq!(
        template.fill(|_| Some("{service} }{".to_owned())),
        "{service} }{"
    );
}

#[test]
fn i126_an_unknown_placeholder_is_refused_with_those_that_are_known() {
    let refused = |source: &str| Template::parse(source).unwrap_err().to_string();
    assert_eq!(
        refused("Hello\n{descripton}"),
        "has the unknown placeholder {descripton}: use {title}, {description}, {severity}, \
         {severity_meaning}, {service}, {services}, {fields}, {incident}, {declared_by}, {declared_at}"
    );
    for source in ["{title", "title}", "{", "a { b"] {
        assert_eq!(
            refused(source),
            "has a brace without its other half: write {{ or }} for a brace",
            "{source}"
        );
    }
}
