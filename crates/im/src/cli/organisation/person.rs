//! `im person`: people, and which users of PagerDuty's they are.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{dash, list, object, put, remove};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::Column;
use crate::client::Call;

const STATES: [&str; 4] = ["linked", "ignored", "suggested", "unknown"];

/// Add people, and say which users of PagerDuty's they are
///
/// Figures about people count a linked user as the person, in the past as well. An e-mail address,
/// or else a name, only suggests a link. What the person does here is done at PagerDuty in the user's
/// name.
#[derive(Debug, Args)]
pub(crate) struct PersonArgs {
    #[command(subcommand)]
    command: PersonCommand,
}

#[derive(Debug, Subcommand)]
enum PersonCommand {
    /// List the people
    List,
    /// Add a person, or give a name
    Add {
        /// The e-mail address
        email: String,
        /// What people say
        #[arg(long)]
        name: Option<String>,
    },
    /// Remove a person who is no user
    Remove {
        /// The e-mail address
        email: String,
    },
    /// List PagerDuty's users, and who each is or may be
    Users {
        /// Only those: linked, ignored, suggested or unknown; may be given more than once
        #[arg(long, value_parser = STATES)]
        state: Vec<String>,
    },
    /// Say which person a user is, or confirm who is suggested
    Link {
        /// PagerDuty's id of the user
        user: String,
        /// The person, by e-mail address [default: who is suggested]
        email: Option<String>,
    },
    /// Say that a user is nobody's
    Ignore {
        /// PagerDuty's id of the user
        user: String,
    },
    /// Take back what was said of a user
    Unlink {
        /// PagerDuty's id of the user
        user: String,
    },
}

#[derive(Debug, Deserialize)]
struct Person {
    id: String,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
    name: Option<String>,
    email: Option<String>,
    state: String,
    person: Option<String>,
    person_name: Option<String>,
    suggested_by: Option<String>,
}

impl User {
    /// The person by address, or by name where addresses are left out.
    fn person(&self) -> Option<&String> {
        let name = self.person_name.as_ref();
        name.filter(|_| self.email.is_none())
            .or(self.person.as_ref())
    }
}

pub(crate) async fn run(args: PersonArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        PersonCommand::List => {
            let columns = vec![Column::Rest("Person"), Column::Rest("Name")];
            let none = "No people. `im person add EMAIL` adds one.";
            let row = |person: &Person| {
                vec![Cell::new(&person.id), Cell::new(dash(person.name.as_ref()))]
            };
            list(Call::get(["people"]), (columns, none), row, cx).await?;
        }
        PersonCommand::Add { email, name } => {
            let said = format!("Added {email}");
            let body = object([("id", Some(email.into())), ("name", name.map(Value::from))]);
            put(Call::post(["people"], body), &said, cx).await?;
        }
        PersonCommand::Remove { email } => {
            let said = format!("Removed {email}");
            remove(Call::delete(["people", &email]), &email, &said, cx).await?;
        }
        PersonCommand::Users { state } => users(state, cx).await?,
        PersonCommand::Link { user, email } => {
            let email = match email {
                Some(email) => email,
                None => suggested(&user, cx).await?,
            };
            let said = format!("Linked {user} to {email}");
            let body = json!({ "user": user, "person": email });
            put(Call::post(["users"], body), &said, cx).await?;
        }
        PersonCommand::Ignore { user } => {
            let said = format!("Ignored {user}");
            let body = json!({ "user": user, "ignored": true });
            put(Call::post(["users"], body), &said, cx).await?;
        }
        PersonCommand::Unlink { user } => {
            let said = format!("Took back what was said of {user}");
            remove(Call::delete(["users", &user]), &user, &said, cx).await?;
        }
    }
    Ok(Exit::Done)
}

async fn users(states: Vec<String>, cx: &mut Context) -> Result<(), Failure> {
    let none = match &*states {
        [] => "No users. A connector reads them from PagerDuty.".to_owned(),
        states => format!(
            "No user is {}. `im person users` shows all.",
            states.join(" or ")
        ),
    };
    let call = states
        .into_iter()
        .fold(Call::get(["users"]), |call, state| {
            call.query("state", state)
        });
    let columns = vec![
        Column::Whole("User"),
        Column::Rest("Name"),
        Column::Optional("Email", 0),
        Column::Whole("State"),
        Column::Rest("Person"),
    ];
    let row = |user: &User| {
        let state = match &user.suggested_by {
            Some(by) => format!("suggested by {by}"),
            None => user.state.clone(),
        };
        vec![
            Cell::new(&user.id),
            Cell::new(dash(user.name.as_ref())),
            Cell::new(dash(user.email.as_ref())),
            Cell::new(state),
            Cell::new(dash(user.person())),
        ]
    };
    list(call, (columns, &none), row, cx).await
}

/// Who is suggested for a user.
async fn suggested(user: &str, cx: &mut Context) -> Result<String, Failure> {
    let call = Call::get(["users"]).query("state", "suggested");
    let users: Vec<User> = cx.send(call).await?.read()?;
    let mut users = users.into_iter();
    let found = users.find(|one| one.id == user).and_then(|one| one.person);
    found.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("nobody is suggested for {user}")).hint(format!(
            "`im person link {user} EMAIL` says who it is; `im person users` shows the users"
        ))
    })
}
