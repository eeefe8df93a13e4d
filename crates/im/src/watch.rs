//! What a server looks at by itself: each minute what changed about a connector (I-129), each hour
//! the certificate of its public address (G12) and what is too old to be kept.
//!
//! PagerDuty is not asked: what comparisons and calls brought is judged. The engine keeps and says
//! what changed (`im_engine::events`); this looks, and carries events to the webhook of the settings.
//!
//! Invariants
//! - A change is an event once two looks in a row have seen it: what is over a minute later is none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use im_engine::events::{self, Standing};
use im_engine::{connector, old};
use im_store::StoreError;
use im_store::connector_events::{EventRow, Kind};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::access;
use crate::http::App;
use crate::http::api::connectors::watched;
use crate::http::certificate;
use crate::run::{calls, chain};

const EVERY: Duration = Duration::from_mins(1);
/// Looks between two at the certificate and at what is old.
const HOURLY: u64 = 60;

/// What was seen is about this.
type About = (String, Kind, String);

/// Looks at connectors, and remembers what the last look saw.
pub struct Watch {
    app: Arc<App>,
    seen: BTreeMap<About, &'static str>,
}

/// Looks now and each minute, until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut watch = Watch::new(Arc::clone(&app));
    let mut looks = 0_u64;
    loop {
        let is_hour = looks.is_multiple_of(HOURLY);
        if is_hour {
            look_at_certificate(&app).await;
        }
        looks += 1;
        let mut done = vec![watch.look().await, tell(&app).await];
        if is_hour {
            done.push(forget_old(&app).await);
        }
        for done in done {
            if let Err(error) = done {
                tracing::warn!("connectors were not watched: {}", chain(&error));
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

impl Watch {
    /// A watch that has seen nothing yet.
    pub fn new(app: Arc<App>) -> Self {
        Self {
            app,
            seen: BTreeMap::new(),
        }
    }

    /// Looks once at every connector; what the look before saw, too, and was not said yet, is kept.
    pub async fn look(&mut self) -> Result<(), StoreError> {
        let now = self.app.clock.now();
        let look = self.app.db.read(move |tx| {
            let mut found = Vec::new();
            for connector in connector::all(tx)? {
                for standing in watched::standings(tx, &connector, now)? {
                    let is_news = events::is_news(tx, connector.name(), &standing)?;
                    found.push((connector.name().to_owned(), standing, is_news));
                }
            }
            Ok::<_, StoreError>(found)
        });
        let found = look.await?;
        let before = std::mem::take(&mut self.seen);
        let mut news = Vec::new();
        for (name, standing, is_news) in found {
            let about = (name.clone(), standing.kind, standing.subject.clone());
            let is_lasting = before.get(&about) == Some(&standing.word);
            self.seen.insert(about, standing.word);
            if is_news && is_lasting {
                news.push((name, standing));
            }
        }
        self.keep(news).await
    }

    async fn keep(&self, news: Vec<(String, Standing)>) -> Result<(), StoreError> {
        if news.is_empty() {
            return Ok(());
        }
        let now = self.app.clock.now();
        let keep = self.app.db.write(move |tx| {
            for (connector, standing) in &news {
                events::note(tx, connector, standing, now)?;
            }
            Ok(())
        });
        keep.await
    }
}

/// Forgets what is too old to be kept.
pub async fn forget_old(app: &App) -> Result<(), StoreError> {
    let now = app.clock.now();
    let forget = app.db.write(move |tx| {
        old::forget(tx, now)?;
        access::forget(tx, now)?;
        calls::forget(tx, now)
    });
    forget.await
}

/// Tells the webhook of the settings what it does not know yet.
pub async fn tell(app: &App) -> Result<(), StoreError> {
    loop {
        let now = app.clock.now();
        let next = app.db.write(move |tx| events::claim_next(tx, now)).await?;
        let Some((url, row)) = next else {
            return Ok(());
        };
        let answer = app.caller.tell(&url, &body(&row)).await;
        let is_refused = answer.is_err();
        let now = app.clock.now();
        app.db
            .write(move |tx| events::settle(tx, &row, &answer, now))
            .await?;
        if is_refused {
            return Ok(());
        }
    }
}

/// What the webhook gets: `text` is what chats show, the rest is for programs.
fn body(row: &EventRow) -> Value {
    let change = &row.change;
    let next = change.next.as_deref().map(|next| format!(". Next: {next}"));
    json!({
        "text": format!("{}{}", events::text(&row.connector, change), next.unwrap_or_default()),
        "id": row.id,
        "at": row.at,
        "connector": row.connector,
        "kind": change.kind.as_str(),
        "subject": (!change.subject.is_empty()).then_some(&change.subject),
        "from": change.from,
        "to": change.to,
        "reasons": change.reasons,
        "next": change.next,
    })
}

/// Looks once, and logs what a person has to see to.
pub async fn look_at_certificate(app: &App) {
    match certificate::look(app).await {
        Ok(None) => {}
        Ok(Some(Ok(seen))) => {
            if let Some((cause, next)) = seen.trouble(app.clock.now()) {
                tracing::warn!("{}: {cause}; {next}", seen.text());
            }
        }
        Ok(Some(Err(why))) => {
            tracing::warn!("the certificate of the public address cannot be seen: {why}");
        }
        Err(error) => tracing::warn!("the public address was not looked at: {}", error.detail()),
    }
}
