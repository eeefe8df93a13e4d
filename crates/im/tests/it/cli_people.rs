//! PagerDuty's people, as they are known and shown: MW-04.

use serde_json::json;

use crate::cli_stories::Story;

#[test]
fn mw04_who_responded_is_known_by_name_linked_to_own_people_and_shown_without_an_address() {
    let story = Story::connected(&json!({}));
    let users = story.stand_in.account.users.clone();
    let (first, second, third) = (&users[0], &users[1], &users[2]);
    let service = story.stand_in.account.services[2].0.clone();
    story.there(|sim, now| {
        let twin = sim.trigger(&service, "Disk full", now).unwrap();
        sim.reassign(&first.0, &twin, &second.0, now).unwrap();
        sim.acknowledge(&second.0, &twin, now).unwrap();
        sim.request_help(&second.0, &twin, &third.0, "Please", now)
            .unwrap();
        sim.accept(&third.0, &twin, now).unwrap();
    });
    story.done("connector sync prod");
    let shown = story.done("show 1") + &story.done("timeline 1");
    for (_, name, _) in [second, third] {
        assert!(shown.contains(name.as_str()), "{name}: {shown}");
    }
    story.done("person add own@company.example --name Own");
    story.done(&format!("person link {} own@company.example", second.0));
    let asked = [
        "--json directory users".to_owned(),
        "--json person users".to_owned(),
        "--json connector services prod".to_owned(),
        "--json show 1".to_owned(),
        "--json timeline 1".to_owned(),
        "--json list --all".to_owned(),
        format!("--json oncall --user {}", first.0),
        "--json oncall --service db".to_owned(),
        "directory users".to_owned(),
        "person users".to_owned(),
        format!("oncall --user {}", first.0),
    ];
    // One of them acts from here, by her address.
    story.done(&format!("--as {} note 1 'Looking'", first.2));
    let addresses = || {
        let all: Vec<String> = asked.iter().map(|line| story.im(line).all()).collect();
        let is_shown = |(_, _, email): &&(String, String, String)| {
            all.iter().any(|said| said.contains(email.as_str()))
        };
        users.iter().filter(is_shown).count()
    };
    assert_eq!(addresses(), users.len());
    story.done("config set hide_emails true");
    assert_eq!(addresses(), 0);
    let linked = story.done("person users");
    assert!(
        linked.contains(&second.1) && linked.contains("Own"),
        "{linked}"
    );
    let shown = story.done("timeline 1");
    assert!(shown.contains(&first.1), "{shown}");
}

#[test]
fn figures_name_a_linked_person_by_the_id_of_the_user_where_addresses_are_left_out() {
    let story = Story::connected(&json!({}));
    let (user, name, address) = story.stand_in.account.users[0].clone();
    let service = story.stand_in.account.services[2].0.clone();
    story.there(|sim, now| {
        let twin = sim.trigger(&service, "Disk full", now).unwrap();
        sim.acknowledge(&user, &twin, now).unwrap();
    });
    story.done("connector sync prod");
    // The same address as at PagerDuty; nobody gave a name.
    story.done(&format!("person add {address}"));
    story.done(&format!("person link {user} {address}"));
    let pages = "metrics pages --source acknowledgements";
    let asked = [
        format!("--json {pages} --group-by user"),
        format!("--json {pages} --group-by user --items"),
        format!("--json {pages} --group-by user --user {user}"),
    ];
    assert!(story.done(&asked[0]).contains(address.as_str()));
    story.done("config set hide_emails true");
    for line in asked {
        let said = story.done(&line);
        let is_named = said.contains(user.as_str()) && said.contains(name.as_str());
        assert!(
            is_named && !said.contains(address.as_str()),
            "{line}: {said}"
        );
    }
    let tables = story.done(&format!("{pages} --group-by user")) + &story.done("person users");
    assert!(
        tables.contains(name.as_str()) && !tables.contains(address.as_str()),
        "{tables}"
    );
}
