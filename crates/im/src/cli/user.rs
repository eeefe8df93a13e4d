//! `im user`: who signs in on the pages, and what they may do.

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Cell;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::error::{Exit, Failure};
use super::table::{self, Column};
use super::time;
use crate::client::{Answer, Call};

/// Let people sign in on the pages: accounts, roles, links for passwords
#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

/// What an account or a token may do; each role may what those before it may.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RoleArg {
    /// Read
    Viewer,
    /// Act on incidents
    Responder,
    /// Change connectors, the organisation, settings and tokens
    Admin,
    /// Give and take roles
    Owner,
}

impl RoleArg {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make an account and print a link with which its person chooses a password
    Add {
        /// The person's e-mail address
        email: String,
        /// What the person may do; the first account is an owner's
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleArg,
        /// What the person is called
        #[arg(long)]
        name: Option<String>,
        /// Let the person see how single people respond
        #[arg(long)]
        personal_load: bool,
    },
    /// List the accounts
    List,
    /// Change what an account may do
    Role {
        /// Whose
        email: String,
        /// What the person may do from now on
        #[arg(value_enum, required_unless_present = "personal_load")]
        role: Option<RoleArg>,
        /// Whether the person may see how single people respond
        #[arg(long, value_enum, value_name = "on|off", hide_possible_values = true)]
        personal_load: Option<Switch>,
    },
    /// End what an account may do: its sessions end, tokens of its person are refused
    Disable {
        /// Whose
        email: String,
    },
    /// Let a disabled account do again what it may
    Enable {
        /// Whose
        email: String,
    },
    /// Make a password worthless, forget who signs in by a provider, end all sessions, and print a link for a new password
    Reset {
        /// Whose
        email: String,
    },
}

#[derive(Debug, Deserialize)]
struct Account {
    email: String,
    name: String,
    role: String,
    personal_load: bool,
    state: String,
    created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Invited {
    account: Account,
    link: String,
    url: Option<String>,
    local_url: Option<String>,
    link_expires_at: Timestamp,
    is_first: bool,
}

pub(crate) async fn run(args: UserArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        UserCommand::Add {
            email,
            role,
            name,
            personal_load,
        } => {
            let body = json!({
                "email": email,
                "name": name.unwrap_or_default(),
                "role": role.as_str(),
                "personal_load": personal_load,
            });
            let answer = cx.send(Call::post(["accounts"], body)).await?;
            invited(&answer, "Added", cx)?;
        }
        UserCommand::List => list(cx).await?,
        UserCommand::Role {
            email,
            role,
            personal_load,
        } => {
            let mut body = Map::new();
            if let Some(role) = role {
                body.insert("role".to_owned(), role.as_str().into());
            }
            if let Some(switch) = personal_load {
                let is_on = matches!(switch, Switch::On);
                body.insert("personal_load".to_owned(), is_on.into());
            }
            change(cx, (&email, "role"), Value::Object(body)).await?;
        }
        UserCommand::Disable { email } => change(cx, (&email, "disable"), json!({})).await?,
        UserCommand::Enable { email } => change(cx, (&email, "enable"), json!({})).await?,
        UserCommand::Reset { email } => {
            let call = Call::post(["accounts", &email, "reset"], json!({}));
            let answer = cx.send(call).await?;
            invited(&answer, "Reset", cx)?;
        }
    }
    Ok(Exit::Done)
}

/// Prints a link, and nothing else where only a link is wanted.
fn invited(answer: &Answer, done: &str, cx: &mut Context) -> Result<(), Failure> {
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let Invited {
        account,
        link,
        url,
        local_url,
        link_expires_at,
        is_first,
    } = answer.read()?;
    let knows_itself = url.is_some();
    let url = url.or(local_url.filter(|_| cx.is_local()));
    cx.ui
        .say(url.unwrap_or_else(|| format!("{}{link}", cx.server())));
    let until = time::full(link_expires_at, &cx.zone);
    cx.ui.note(format_args!(
        "{done} {} ({}). The line above lets them choose a password, once, until {until}; it is not shown again.",
        account.email, account.role
    ));
    if is_first {
        cx.ui.hint("from now on everybody signs in on the pages, and the API needs a token, on the server's machine, too: where commands go to a server (IM_SERVER), `im token create NAME --role owner` makes one for IM_TOKEN");
    }
    if !knows_itself {
        cx.ui
            .hint("`im config set public_url https://im.example.com` makes such links begin with the server's own address");
    }
    Ok(())
}

async fn change(cx: &mut Context, (email, act): (&str, &str), body: Value) -> Result<(), Failure> {
    let answer = cx.send(Call::post(["accounts", email, act], body)).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let account: Account = answer.read()?;
    let right = if account.personal_load {
        ", sees how single people respond"
    } else {
        ""
    };
    cx.ui.say(format_args!(
        "{} is {} and {}{right}",
        account.email, account.role, account.state
    ));
    Ok(())
}

async fn list(cx: &mut Context) -> Result<(), Failure> {
    let answer = cx.send(Call::get(["accounts"])).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let accounts: Vec<Account> = answer.read()?;
    if accounts.is_empty() {
        cx.ui.note(
            "No accounts: the pages are for the server's own machine. `im user add EMAIL --role owner` makes the first.",
        );
        return Ok(());
    }
    let columns = [
        Column::Rest("E-mail"),
        Column::Rest("Name"),
        Column::Whole("Role"),
        Column::Whole("State"),
        Column::Whole("Right"),
        Column::Whole("Since"),
    ];
    let rows = accounts.iter().map(|account| {
        vec![
            Cell::new(&account.email),
            Cell::new(match &*account.name {
                "" => "-",
                name => name,
            }),
            Cell::new(&account.role),
            Cell::new(&account.state),
            Cell::new(if account.personal_load {
                "personal_load"
            } else {
                "-"
            }),
            Cell::new(time::ago(account.created_at, cx.now)),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.width);
    cx.ui.say(text);
    Ok(())
}
