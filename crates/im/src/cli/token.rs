//! `im token`: who may use the API from elsewhere.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::error::{Exit, Failure};
use super::table::{self, Column};
use super::time;
use super::types::Token;
use super::user::RoleArg;
use crate::client::Call;

/// Make, list or revoke the tokens of the API
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print its secret, this once
    Create {
        /// What it is for
        name: String,
        /// The person who acts with it
        #[arg(long)]
        email: Option<String>,
        /// What it may do [default: responder]
        #[arg(long, value_enum)]
        role: Option<RoleArg>,
        /// What it may see beside that: personal_load (how single people respond)
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<String>,
    },
    /// List the tokens, without their secrets
    List,
    /// Make a token worthless
    Revoke {
        /// Which
        name: String,
    },
}

pub(crate) async fn run(args: TokenArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        TokenCommand::Create {
            name,
            email,
            role,
            scope,
        } => create(name, email, (role, scope), cx).await?,
        TokenCommand::List => list(cx).await?,
        TokenCommand::Revoke { name } => revoke(&name, cx).await?,
    }
    Ok(Exit::Done)
}

async fn create(
    name: String,
    email: Option<String>,
    (role, scopes): (Option<RoleArg>, Vec<String>),
    cx: &mut Context,
) -> Result<(), Failure> {
    let mut body = Map::from_iter([("name".to_owned(), Value::from(name))]);
    if let Some(email) = email {
        body.insert("email".to_owned(), email.into());
    }
    if let Some(role) = role {
        body.insert("role".to_owned(), role.as_str().into());
    }
    if !scopes.is_empty() {
        body.insert("scopes".to_owned(), scopes.into());
    }
    let answer = cx.send(Call::post(["tokens"], body.into())).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let token: Token = answer.read()?;
    cx.ui.say(token.secret.unwrap_or_default());
    cx.ui.note(format_args!(
        "Created token {} ({}). The line above is its secret and is not shown again.",
        token.name, token.role
    ));
    cx.ui
        .hint("set IM_TOKEN to it where `im` runs, and IM_SERVER to this server");
    Ok(())
}

async fn list(cx: &mut Context) -> Result<(), Failure> {
    let answer = cx.send(Call::get(["tokens"])).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let tokens: Vec<Token> = answer.read()?;
    if tokens.is_empty() {
        cx.ui.note("No tokens. `im token create NAME` makes one.");
        return Ok(());
    }
    let columns = [
        Column::Rest("Name"),
        Column::Rest("Person"),
        Column::Whole("Created"),
        Column::Whole("Last Used"),
        Column::Whole("Role"),
        Column::Whole("Scopes"),
    ];
    let when = |at: Option<_>, never: &str| {
        at.map_or_else(|| never.to_owned(), |at| time::ago(at, cx.now))
    };
    let rows = tokens.iter().map(|token| {
        vec![
            Cell::new(&token.name),
            Cell::new(token.email.as_deref().unwrap_or("-")),
            Cell::new(when(token.created_at, "-")),
            Cell::new(when(token.last_used_at, "never")),
            Cell::new(&token.role),
            Cell::new(match &*token.scopes {
                [] => "-".to_owned(),
                scopes => scopes.join(", "),
            }),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.width);
    cx.ui.say(text);
    Ok(())
}

async fn revoke(name: &str, cx: &mut Context) -> Result<(), Failure> {
    cx.send(Call::delete(["tokens", name])).await?;
    if cx.ui.json {
        cx.ui
            .document(json!({ "revoked": name }).to_string().as_bytes());
    } else {
        cx.ui.say(format_args!("Revoked token {name}"));
    }
    Ok(())
}
