//! OAuth apps and tokens in a file of ours. Codes live for seconds and are not kept.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Grant, OAuth, OAuthApp, OAuthKind, Refresh, Token};
use crate::kept::{need, need_instant, rows, text, texts};

impl OAuth {
    /// Apps, access tokens and refresh tokens as they are kept.
    pub(crate) fn kept(&self) -> Value {
        let apps = self.apps.iter().map(|app| {
            json!({
                "kind": match app.kind {
                    OAuthKind::Classic => "classic",
                    OAuthKind::Scoped => "scoped",
                },
                "client_id": app.client_id,
                "client_secret": app.client_secret,
                "scopes": app.scopes,
                "redirect_uri": app.redirect_uri,
                "account": app.account,
            })
        });
        let tokens = self
            .tokens
            .iter()
            .map(|one| kept(&one.access, one.expires_at, &one.grant));
        let refreshes = self.refreshes.iter().map(|one| {
            let mut kept = kept(&one.token, one.expires_at, &one.grant);
            if let Some(fields) = kept.as_object_mut() {
                fields.insert("client_id".to_owned(), one.client_id.clone().into());
            }
            kept
        });
        json!({
            "apps": apps.collect::<Vec<_>>(),
            "tokens": tokens.collect::<Vec<_>>(),
            "refresh_tokens": refreshes.collect::<Vec<_>>(),
        })
    }

    /// Takes them back; says what is missing.
    pub(crate) fn restore(&mut self, kept: &Value) -> Result<(), String> {
        for app in rows(kept, "apps") {
            let kind = match need(app, "kind")?.as_str() {
                "classic" => OAuthKind::Classic,
                "scoped" => OAuthKind::Scoped,
                other => return Err(format!("{other} is no kind of app")),
            };
            self.register(OAuthApp {
                kind,
                client_id: need(app, "client_id")?,
                client_secret: text(app, "client_secret"),
                scopes: texts(app, "scopes"),
                redirect_uri: need(app, "redirect_uri")?,
                account: need(app, "account")?,
            });
        }
        for row in rows(kept, "tokens") {
            self.tokens.push(Token {
                access: need(row, "token")?,
                expires_at: need_instant(row, "ends")?,
                grant: grant(row),
            });
        }
        for row in rows(kept, "refresh_tokens") {
            self.refreshes.push(Refresh {
                token: need(row, "token")?,
                client_id: need(row, "client_id")?,
                expires_at: need_instant(row, "ends")?,
                grant: grant(row),
            });
        }
        Ok(())
    }
}

fn kept(token: &str, ends: Timestamp, grant: &Grant) -> Value {
    json!({"token": token, "ends": ends, "scopes": grant.scopes, "user": grant.user_id})
}

fn grant(row: &Value) -> Grant {
    Grant {
        scopes: texts(row, "scopes"),
        user_id: text(row, "user"),
    }
}
