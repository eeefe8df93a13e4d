//! What must be true in the end, whatever happened: the history against what both sides show.
//!
//! A command that was not answered, because the server died, may have happened once or not at all. Any other has happened once, or was
//! refused and has not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What people asked of one incident.
#[derive(Default)]
struct Asked {
    account: usize,
    number: Option<String>,
    twin: Option<String>,
    /// Somebody here declared it, and may not have heard of it.
    is_ours: bool,
    /// … and did.
    is_declared: bool,
    /// What it may be called in the end.
    titles: Vec<String>,
    /// Each note, and whether it is certain.
    notes: Vec<(String, bool)>,
    /// So many of these are from before it was opened again, without PagerDuty having heard of it till then: they may stay here.
    kept: usize,
    /// Whether the last change of its state was certain, and ended it.
    last_state: Option<(bool, bool)>,
    /// Which sides changed its state.
    sides: BTreeSet<&'static str>,
    /// How many writes to PagerDuty its commands may be worth.
    writes: usize,
}

/// What a history says must be.
#[derive(Default)]
pub(crate) struct Model {
    asked: BTreeMap<(usize, String), Asked>,
    /// The events of each account that were answered with 2xx.
    pub(crate) taken: BTreeMap<usize, BTreeSet<String>>,
    /// Changes at PagerDuty whose answer nobody heard, by incident.
    unheard: BTreeMap<String, usize>,
    /// Incidents of ours that PagerDuty was asked to make, by account and number.
    made: BTreeSet<(usize, String)>,
}

/// Both sides of an account, as they show themselves.
pub(crate) struct Sides {
    pub(crate) account: usize,
    /// Incidents, each with its `timeline`.
    pub(crate) here: Vec<Value>,
    pub(crate) there: Vec<Value>,
    pub(crate) writes: Vec<Value>,
}

/// What is wrong, in one line each.
#[derive(Debug, Default)]
pub(crate) struct Wrong {
    pub(crate) lost: Vec<String>,
    pub(crate) double: Vec<String>,
    pub(crate) diverged: Vec<String>,
}

impl Wrong {
    /// Each mistake with its sort before it, the worst first.
    pub(crate) fn all(&self) -> impl Iterator<Item = String> {
        let sorts = [
            ("lost", &self.lost),
            ("double", &self.double),
            ("diverged", &self.diverged),
        ];
        sorts
            .into_iter()
            .flat_map(|(sort, all)| all.iter().map(move |one| format!("{sort}: {one}")))
    }

    pub(crate) fn first(&self) -> Option<String> {
        self.all().next()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn account(line: &Value) -> usize {
    usize::try_from(line["account"].as_u64().unwrap_or_default()).unwrap()
}

impl Model {
    pub(crate) fn of(history: &[Value]) -> Self {
        let mut model = Self::default();
        for line in history {
            match line["what"].as_str().unwrap_or_default() {
                "webhook" => model.webhook(line),
                "call" => model.call(line),
                "command" => model.command(line),
                "there" => model.there(line),
                "found" => model.asked(line).number = line["number"].as_str().map(str::to_owned),
                _ => {}
            }
        }
        model
    }

    fn asked(&mut self, line: &Value) -> &mut Asked {
        let asked = self
            .asked
            .entry((account(line), text(&line["key"])))
            .or_default();
        asked.account = account(line);
        asked
    }

    fn webhook(&mut self, line: &Value) {
        if (200..300).contains(&line["answer"].as_u64().unwrap_or_default()) {
            let taken = self.taken.entry(account(line)).or_default();
            taken.insert(text(&line["event"]));
        }
    }

    /// A change whose answer did not come through may be made again, if somebody there changed it meanwhile.
    fn call(&mut self, line: &Value) {
        let request = text(&line["request"]);
        if request == "POST /incidents" {
            let key = text(&line["body"]["incident"]["incident_key"]);
            let number = key.split('-').skip_while(|word| *word != "INC").nth(1);
            let number = format!("INC-{}", number.unwrap_or_default());
            self.made.insert((account(line), number));
        }
        let is_heard = matches!(
            line["fate"].as_str(),
            Some("straight" | "held before" | "cut before" | "held until the caller was gone")
        );
        let Some(path) = request.strip_prefix("PUT /incidents") else {
            return;
        };
        if is_heard {
            return;
        }
        let named = path.trim_start_matches('/');
        let named = named.split(['/', '?']).next().unwrap_or_default();
        let many = line["body"]["incidents"].as_array();
        let many = many.into_iter().flatten().map(|one| text(&one["id"]));
        for id in many.chain([named.to_owned()]) {
            *self.unheard.entry(id).or_default() += 1;
        }
    }

    fn command(&mut self, line: &Value) {
        let (verb, body) = (text(&line["verb"]), line["body"].clone());
        let number = (account(line), text(&line["number"]));
        let is_made = self.made.contains(&number);
        let asked = self.asked(line);
        let is_unknown = line["answer"].is_null() || line["answer"].as_u64() >= Some(500);
        let is_done = line["answer"].as_u64().is_some_and(|status| status < 300);
        if !is_unknown && !is_done {
            return;
        }
        let changed = is_unknown || line["changed"] == true;
        asked.writes += usize::from(changed && verb != "note");
        let note = [&body["note"], &body["text"]].map(Value::as_str);
        if let Some(note) = note.into_iter().flatten().next() {
            asked.notes.push((note.to_owned(), is_done));
            asked.writes += 1;
        }
        match verb.as_str() {
            "declare" => {
                asked.is_ours = true;
                asked.is_declared = is_done;
                asked.titles = vec![text(&body["title"])];
                asked.number = line["number"].as_str().map(str::to_owned);
            }
            "rename" => {
                if is_done {
                    asked.titles.clear();
                }
                asked.titles.push(text(&body["title"]));
            }
            "acknowledge" | "resolve" | "reopen" if changed => {
                asked.last_state = Some((is_done, verb == "resolve"));
                asked.sides.insert("here");
                if verb == "reopen" && asked.is_ours && !is_made {
                    asked.kept = asked.notes.len();
                }
            }
            _ => {}
        }
    }

    fn there(&mut self, line: &Value) {
        let (verb, body) = (text(&line["verb"]), line["body"].clone());
        let is_done = line["answer"].as_u64().is_some_and(|status| status < 300);
        let asked = self.asked(line);
        if !is_done {
            return;
        }
        asked.twin = line["twin"].as_str().map(str::to_owned);
        match verb.as_str() {
            "trigger" => asked.titles = vec![text(&body["title"])],
            "note" => asked.notes.push((text(&body["text"]), true)),
            "acknowledge" | "resolve" | "reopen" => {
                asked.last_state = Some((true, verb == "resolve"));
                asked.sides.insert("there");
            }
            _ => {}
        }
    }

    /// Compares an account's two sides with each other and with what was asked.
    pub(crate) fn check(&self, sides: &Sides, wrong: &mut Wrong) {
        let twin_of = |one: &Value| text(&one["pagerduty"]["id"]);
        let mut here_by_twin: BTreeMap<String, &Value> = BTreeMap::new();
        for one in &sides.here {
            let twin = twin_of(one);
            let never = one["origin"] == "here" && one["status"] == "resolved";
            if twin.is_empty() && !never {
                wrong.lost.push(format!("{} has no twin", one["id"]));
            } else if let Some(other) = here_by_twin.insert(twin.clone(), one)
                && !twin.is_empty()
            {
                let (one, other) = (&one["id"], &other["id"]);
                wrong.double.push(format!("{one} and {other} are {twin}"));
            }
        }
        let mut keys = BTreeSet::new();
        for theirs in &sides.there {
            let id = text(&theirs["id"]);
            if theirs["incident_key"].is_string() && !keys.insert(text(&theirs["incident_key"])) {
                wrong.double.push(format!("the key of {id} was used twice"));
            }
            match here_by_twin.get(&id) {
                None => wrong.lost.push(format!("{id} is not here: {theirs}")),
                Some(ours) => differences(ours, theirs, wrong),
            }
        }
        self.made(sides, wrong);
        let asked = self
            .asked
            .values()
            .filter(|asked| asked.account == sides.account);
        for asked in asked {
            self.incident(asked, sides, wrong);
        }
    }

    /// PagerDuty made no more than was declared.
    fn made(&self, sides: &Sides, wrong: &mut Wrong) {
        let writes = sides.writes.iter().filter(|write| {
            write["method"] == "POST"
                && write["path"] == "/incidents"
                && write["status"].as_u64() < Some(300)
        });
        let (made, ours) = (writes.count(), |one: &&Value| one["origin"] == "here");
        let declared = sides.here.iter().filter(ours).count();
        let asked = self.asked.iter().filter(|((account, _), asked)| {
            *account == sides.account && asked.is_ours && asked.number.is_some()
        });
        let asked = asked.count();
        if made > declared || declared != asked {
            let what = format!(
                "account {}: {asked} incidents were declared, {declared} are here, {made} were made there",
                sides.account
            );
            wrong.double.push(what);
        }
    }

    fn incident(&self, asked: &Asked, sides: &Sides, wrong: &mut Wrong) {
        let is_it = |one: &&Value| {
            let is_number = asked.number.is_some() && one["id"].as_str() == asked.number.as_deref();
            let twin = one["pagerduty"]["id"].as_str();
            is_number || (asked.twin.is_some() && twin == asked.twin.as_deref())
        };
        let Some(ours) = sides.here.iter().find(is_it) else {
            if asked.is_declared || asked.twin.is_some() {
                let what = format!("{:?} is not here ({:?})", asked.titles, asked.twin);
                wrong.lost.push(what);
            }
            return;
        };
        let name = text(&ours["id"]);
        let twin = text(&ours["pagerduty"]["id"]);
        let theirs = sides.there.iter().find(|one| one["id"] == twin.as_str());
        let title = text(&ours["title"]);
        if !asked.titles.contains(&title) {
            let what = format!("{name} is called {title:?} and not {:?}", asked.titles);
            wrong.lost.push(what);
        }
        if let (Some((true, is_over)), 1) = (asked.last_state, asked.sides.len())
            && is_over != (ours["status"] == "resolved")
        {
            let what = format!("{name} is {} after {:?}", ours["status"], asked.last_state);
            wrong.lost.push(what);
        }
        for (place, (note, is_certain)) in asked.notes.iter().enumerate() {
            let told = ours["timeline"].as_array().into_iter().flatten();
            let here = told.filter(|line| is_note(&line["note"], note)).count();
            let there = theirs.map(|theirs| {
                let notes = theirs["notes"].as_array().into_iter().flatten();
                notes.filter(|line| is_note(line, note)).count()
            });
            let there = there.unwrap_or(here);
            let what = format!("{note:?} of {name} is {here} times here and {there} times there");
            if here > 1 || there > 1 {
                wrong.double.push(what);
            } else if *is_certain && here == 0 {
                wrong.lost.push(what);
            } else if here != there && (there > 0 || place >= asked.kept) {
                wrong.diverged.push(what);
            }
        }
        let written = sides.writes.iter().filter(|write| {
            write["incident"] == twin.as_str() && write["status"].as_u64() < Some(300)
        });
        let unheard = self.unheard.get(&twin).copied().unwrap_or_default();
        let (written, allowed) = (written.count(), asked.writes + unheard);
        if written > allowed {
            let what = format!("{name} ({twin}) was written {written} times for {allowed}");
            wrong.double.push(what);
        }
    }
}

/// A note of ours has a mark in its second line.
fn is_note(shown: &Value, note: &str) -> bool {
    let first = shown.as_str().and_then(|shown| shown.lines().next());
    first == Some(note)
}

/// What both sides must agree on.
fn differences(ours: &Value, theirs: &Value, wrong: &mut Wrong) {
    let name = text(&ours["id"]);
    let mut differ = |what: &str, here: &Value, there: &Value| {
        if here != there {
            let what = format!(
                "{what} of {name} ({}): {here} here, {there} there",
                theirs["id"]
            );
            wrong.diverged.push(what);
        }
    };
    let peer = &ours["pagerduty"];
    differ("title", &ours["title"], &theirs["title"]);
    differ("status", &peer["status"], &theirs["status"]);
    differ("urgency", &peer["urgency"], &theirs["urgency"]);
    let status = match ours["status"].as_str() {
        Some("open") => "triggered",
        Some("acknowledged" | "mitigated") => "acknowledged",
        _ => "resolved",
    };
    differ("state", &status.into(), &theirs["status"]);
    if status != "resolved" {
        let ids = ours["assignees"].as_array().into_iter().flatten();
        let mut here: Vec<String> = ids.map(|one| text(&one["id"])).collect();
        let ids = theirs["assignees"].as_array().into_iter().flatten();
        let mut there: Vec<String> = ids.map(text).collect();
        here.sort();
        there.sort();
        differ("assignees", &here.into(), &there.into());
    }
    if peer["in_sync"] != true || peer["pending"].as_array().is_none_or(|all| !all.is_empty()) {
        wrong
            .diverged
            .push(format!("{name} is not in sync: {}", peer["pending"]));
    }
}

/// The judge sees each kind of mistake.
#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Model, Sides, Wrong};

    /// An incident declared here, with a note and a change of its state, and the same in both sides' words.
    fn as_it_should_be() -> (Vec<Value>, Sides) {
        let command = |verb: &str, body: Value| {
            json!({"what": "command", "account": 0, "key": "one", "verb": verb, "body": body,
                "answer": 200, "changed": true, "number": "INC-1"})
        };
        let history = vec![
            json!({"what": "call", "account": 0, "answer": 201, "fate": "straight", "request": "POST /incidents",
                "body": {"incident": {"incident_key": "im-8085afd4-INC-1-PWEB-1"}}}),
            command("declare", json!({"title": "one"})),
            command("note", json!({"text": "first"})),
            command("rename", json!({"title": "uno"})),
            command("resolve", json!({})),
        ];
        let here = json!({
            "id": "INC-1", "title": "uno", "status": "resolved", "origin": "here", "assignees": [],
            "pagerduty": {"id": "Q1", "status": "resolved", "urgency": "high", "in_sync": true, "pending": []},
            "timeline": [{"note": "first"}, {"note": null}],
        });
        let there = json!({
            "id": "Q1", "title": "uno", "status": "resolved", "urgency": "high", "assignees": [],
            "incident_key": "k1", "notes": ["first\n(#12345678)"],
        });
        let write = |method: &str, path: &str| json!({"method": method, "path": path, "incident": "Q1", "status": 200});
        let sides = Sides {
            account: 0,
            here: vec![here],
            there: vec![there],
            writes: vec![
                write("POST", "/incidents"),
                write("POST", "/incidents/Q1/notes"),
                write("PUT", "/incidents/Q1"),
                write("PUT", "/incidents/Q1"),
            ],
        };
        (history, sides)
    }

    fn judged(break_it: impl FnOnce(&mut Vec<Value>, &mut Sides)) -> Option<String> {
        let (mut history, mut sides) = as_it_should_be();
        break_it(&mut history, &mut sides);
        let mut wrong = Wrong::default();
        Model::of(&history).check(&sides, &mut wrong);
        wrong.first()
    }

    #[track_caller]
    fn is_seen(as_what: &str, break_it: impl FnOnce(&mut Vec<Value>, &mut Sides)) {
        let found = judged(break_it).unwrap_or_default();
        assert!(found.starts_with(as_what), "{as_what}: {found:?}");
    }

    #[test]
    fn what_is_right_is_left_alone() {
        assert_eq!(judged(|_, _| {}), None);
        // Whoever was not answered may find it done, or not.
        let unanswered = |history: &mut Vec<Value>, _: &mut Sides| {
            history[2]["answer"] = Value::Null;
            history[4]["answer"] = Value::Null;
        };
        assert_eq!(judged(unanswered), None);
        let undone = |history: &mut Vec<Value>, sides: &mut Sides| {
            unanswered(history, sides);
            sides.here[0]["timeline"] = json!([]);
            sides.there[0]["notes"] = json!([]);
        };
        assert_eq!(judged(undone), None);
        // What had ended before PagerDuty was told, and was opened again, keeps here what was said before.
        let late = |history: &mut Vec<Value>, sides: &mut Sides| {
            let (made, mut again) = (history.remove(0), history[3].clone());
            again["verb"] = json!("reopen");
            history.insert(3, again);
            history.push(made);
            sides.there[0]["notes"] = json!([]);
        };
        assert_eq!(judged(late), None);
    }

    #[test]
    fn what_is_lost_is_seen() {
        is_seen("lost", |_, sides| {
            sides.here[0]["pagerduty"]["id"] = Value::Null;
        });
        is_seen("lost", |_, sides| {
            sides.there[0]["id"] = json!("Q2");
        });
        is_seen("lost", |_, sides| {
            sides.here.clear();
            sides.there.clear();
        });
        is_seen("lost", |_, sides| {
            sides.here[0]["timeline"] = json!([]);
            sides.there[0]["notes"] = json!([]);
        });
        is_seen("lost", |_, sides| {
            sides.here[0]["title"] = json!("one");
            sides.there[0]["title"] = json!("one");
        });
        is_seen("lost", |_, sides| {
            sides.here[0]["status"] = json!("open");
            sides.here[0]["pagerduty"]["status"] = json!("triggered");
            sides.there[0]["status"] = json!("triggered");
        });
    }

    #[test]
    fn what_is_double_is_seen() {
        let again = |rows: &mut Vec<Value>| rows.push(rows[0].clone());
        is_seen("double", |_, sides| again(&mut sides.here));
        is_seen("double", |_, sides| again(&mut sides.there));
        is_seen("double", |_, sides| again(&mut sides.writes));
        is_seen("double", |_, sides| {
            sides.writes.push(
                json!({"method": "PUT", "path": "/incidents/Q1", "incident": "Q1", "status": 200}),
            );
        });
        is_seen("double", |_, sides| {
            sides.there[0]["notes"] = json!(["first\n(#12345678)", "first\n(#12345678)"]);
        });
        is_seen("double", |_, sides| {
            sides.here[0]["timeline"] = json!([{"note": "first"}, {"note": "first"}]);
        });
    }

    #[test]
    fn what_diverged_is_seen() {
        is_seen("diverged", |_, sides| {
            sides.there[0]["status"] = json!("triggered");
        });
        is_seen("diverged", |_, sides| {
            sides.there[0]["title"] = json!("ein");
        });
        is_seen("diverged", |_, sides| {
            sides.there[0]["urgency"] = json!("low");
        });
        is_seen("diverged", |_, sides| sides.there[0]["notes"] = json!([]));
        is_seen("diverged", |history, sides| {
            history.pop();
            sides.writes.pop();
            sides.here[0]["status"] = json!("open");
            sides.here[0]["pagerduty"]["status"] = json!("triggered");
            sides.there[0]["status"] = json!("triggered");
            sides.there[0]["assignees"] = json!(["P1"]);
        });
    }
}
