//! Custom fields: what they take, and how they are written.

use im_pagerduty::{Answer, Call, FieldInput, FieldKind, Outcome, Reply, read, request};
use serde_json::{Value, json};

use crate::support::at;

fn kind(data_type: &str, many: bool, options: &[&str]) -> FieldKind {
    FieldKind {
        name: "field".to_owned(),
        data_type: data_type.to_owned(),
        many,
        options: options.iter().map(|one| (*one).to_owned()).collect(),
    }
}

/// What a field is sent for a text, as JSON, or why nothing is.
fn sent(kind: &FieldKind, text: &str) -> Result<Value, String> {
    let input = kind.input(Some(text))?;
    let values = vec![("field".to_owned(), input)];
    let request = request(&Call::SetFields {
        id: "PINC".to_owned(),
        values,
    });
    assert_eq!(
        request.path_and_query,
        "/incidents/PINC/custom_fields/values"
    );
    assert!(request.headers.iter().all(|(name, _)| *name != "From"));
    let body: Value = serde_json::from_slice(&request.body.unwrap()).unwrap();
    Ok(body["custom_fields"][0]["value"].clone())
}

#[test]
fn i094_a_text_takes_the_form_of_its_custom_field() {
    let text = kind("string", false, &[]);
    assert_eq!(sent(&text, "007"), Ok(json!("007")), "a text stays one");
    let listed = kind("string", false, &["production", "staging"]);
    assert_eq!(sent(&listed, "staging"), Ok(json!("staging")));
    assert_eq!(
        sent(&listed, "prod").unwrap_err(),
        "PagerDuty's custom field `field` takes production or staging, and this says `prod`"
    );
    let whole = kind("integer", false, &[]);
    assert_eq!(sent(&whole, "42"), Ok(json!(42)));
    assert!(
        sent(&whole, "4.2")
            .unwrap_err()
            .contains("takes a whole number")
    );
    let number = kind("float", false, &[]);
    assert_eq!(sent(&number, "4.25"), Ok(json!(4.25)));
    assert!(sent(&number, "inf").unwrap_err().contains("takes a number"));
    let flag = kind("boolean", false, &[]);
    assert_eq!(sent(&flag, "yes"), Ok(json!(true)));
    assert!(
        sent(&flag, "1")
            .unwrap_err()
            .contains("takes true or false")
    );
    let many = kind("string", true, &["eu", "us"]);
    assert_eq!(sent(&many, "eu, us"), Ok(json!(["eu", "us"])));
    assert!(sent(&many, "eu, asia").is_err());
    assert_eq!(listed.input(None), Ok(FieldInput::Nothing));
    // A type that is not known yet is sent as a text.
    assert_eq!(
        sent(&kind("paragraph", false, &[]), "long"),
        Ok(json!("long"))
    );
}

#[test]
fn i094_the_definitions_are_read_and_those_switched_off_are_not_there() {
    let body = json!({"fields": [
        {"id": "P1", "name": "environment", "data_type": "string", "field_type": "single_value_fixed", "enabled": true,
            "field_options": [{"id": "O1", "data": {"data_type": "string", "value": "production"}}, {"id": "O2", "data": null}]},
        {"id": "P2", "name": "regions", "data_type": "string", "field_type": "multi_value", "field_options": null},
        {"id": "P3", "name": "old", "data_type": "string", "field_type": "single_value", "enabled": false},
        {"id": "P4"},
    ]});
    let reply = Reply {
        status: 200,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    };
    let outcome = read(&Call::ListFields, &reply, at("2026-03-01T00:00:00Z"));
    let Outcome::Done(Answer::FieldKinds(kinds)) = outcome else {
        panic!("{outcome:?}");
    };
    let mut regions = kind("string", true, &[]);
    regions.name = "regions".to_owned();
    let mut environment = kind("string", false, &["production"]);
    environment.name = "environment".to_owned();
    assert_eq!(kinds, [environment, regions]);
}
