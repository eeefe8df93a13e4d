//! Who is on call, read from PagerDuty now: for a service of ours, a policy or a person.
//!
//! What a service's incidents page by can differ: by the connector's tables for what is declared
//! here, by the service's own policy for what begins in PagerDuty. Each policy is told apart.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use im_core::{ServiceChoice, Severity};
use im_engine::connector::{self, Connector};
use im_engine::named;
use im_pagerduty::oncall::{Turn, Uncovered, Watch, current, next, turns, watches};
use im_pagerduty::{Answer, Call, Oncall, Policy, Service, User};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::ask;
use super::{find, lists};
use crate::http::App;
use crate::http::api::settings::hides_emails;
use crate::http::api::types::Named;
use crate::http::error::ApiError;
use crate::http::input::Params;
use crate::http::openapi::{Conflict, NoAnswer, WrongValue};

/// Most hand-overs come within this time …
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 14);
/// … and PagerDuty answers for 90 days at most, by its own clock.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24 * 89);
/// Pages of 100 shifts that one question reads.
const PAGES_MAX: usize = 20;
/// Names that are offered where one is not known.
const OFFERED_MAX: usize = 10;

/// Who is on call.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OncallView {
    /// By which connector PagerDuty was asked.
    pub(crate) connector: String,
    /// Whether somebody stands on the first level of each policy.
    pub(crate) ok: bool,
    /// The service that was asked for.
    pub(crate) service: Option<ServiceView>,
    /// The policies, for a service or a policy.
    pub(crate) policies: Vec<PolicyView>,
    /// The person who was asked for.
    pub(crate) user: Option<UserView>,
    /// What that person is on call for.
    pub(crate) duties: Vec<DutyView>,
    /// PagerDuty was asked for shifts up to here.
    pub(crate) looked_until: Timestamp,
}

/// A service of ours and PagerDuty's for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ServiceView {
    /// Our name.
    pub(crate) name: String,
    /// PagerDuty's service.
    pub(crate) pagerduty: Named,
    /// Whether it is only the connector's default, since the name is in no table and PagerDuty has no such service.
    pub(crate) is_default: bool,
}

/// A policy and its levels.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PolicyView {
    /// PagerDuty's id and name.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Which incidents of the service page by it; null where all do.
    pub(crate) applies_to: Option<String>,
    /// How often it starts again after its last level.
    pub(crate) repeats: i64,
    /// Its levels, the first one first.
    pub(crate) levels: Vec<LevelView>,
}

/// One level.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LevelView {
    /// From 1.
    pub(crate) level: usize,
    /// Minutes after the trigger until it is told; null while nobody stands on it.
    pub(crate) after_minutes: Option<i64>,
    /// Minutes until the next level.
    pub(crate) delay_minutes: Option<i64>,
    /// Whether one of its people is told, by turns.
    pub(crate) round_robin: bool,
    /// Users and schedules that stand on it.
    pub(crate) targets: Vec<Named>,
    /// Who has it now.
    pub(crate) current: Vec<TurnView>,
    /// Who begins next.
    pub(crate) next: Vec<TurnView>,
    /// The first time with nobody.
    pub(crate) gap: Option<GapView>,
}

/// Somebody's time on call.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TurnView {
    /// Who.
    pub(crate) user: UserView,
    /// By which schedule; null for a direct target.
    pub(crate) schedule: Option<Named>,
    /// Since when; null for a direct target.
    pub(crate) from: Option<Timestamp>,
    /// Until when; null if never, or after `looked_until`.
    pub(crate) until: Option<Timestamp>,
}

/// A person of PagerDuty's.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct UserView {
    /// PagerDuty's id.
    pub(crate) id: String,
    /// The name.
    pub(crate) name: String,
    /// The address.
    pub(crate) email: Option<String>,
    /// The person's own zone.
    pub(crate) time_zone: Option<String>,
}

/// A time with nobody on call.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct GapView {
    /// From here on.
    pub(crate) from: Timestamp,
    /// Until here; null if nobody comes up to `looked_until`.
    pub(crate) until: Option<Timestamp>,
}

/// What a person is on call for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DutyView {
    /// The policy.
    pub(crate) policy: Named,
    /// The level.
    pub(crate) level: i64,
    /// The turn that is on.
    pub(crate) current: Option<TurnView>,
    /// The next one.
    pub(crate) next: Option<TurnView>,
}

/// Say who is on call for a service, a policy or a person
#[utoipa::path(
    get, path = "/api/v1/oncall", tag = "connectors", operation_id = "show_oncall",
    params(
        ("service" = Option<String>, Query, description = "A service of ours, or one of PagerDuty's by id or name"),
        ("policy" = Option<String>, Query, description = "An escalation policy, by id or name"),
        ("user" = Option<String>, Query, description = "A person, by e-mail address, id or name"),
        ("connector" = Option<String>, Query, description = "Whose PagerDuty to ask, where there are several"),
    ),
    responses((status = 200, body = OncallView, description = "Who is on call"), Conflict, WrongValue, NoAnswer),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<OncallView>, ApiError> {
    answer(&app, &params).await.map(Json)
}

/// Who is on call, as PagerDuty says now.
pub(crate) async fn answer(app: &App, params: &Params) -> Result<OncallView, ApiError> {
    params.must_be(&["service", "policy", "user", "connector"])?;
    let given = ["service", "policy", "user"].map(|name| params.one(name));
    let asked: Vec<&str> = given.iter().flatten().copied().collect();
    let [asked] = asked.as_slice() else {
        return Err(
            ApiError::bad_request("one of `service`, `policy` and `user` is needed")
                .hint("write ?service=api, ?policy=NAME or ?user=ann@example.com"),
        );
    };
    let [service, policy, _] = given;
    let connector = which(app, params.one("connector"), service).await?;
    let look = Look {
        app,
        connector: &connector,
        hides_emails: app.db.read(hides_emails).await?,
        now: app.clock.now(),
    };
    if service.is_some() {
        look.service(asked).await
    } else if policy.is_some() {
        look.policy(asked).await
    } else {
        look.user(asked).await
    }
}

/// Whose PagerDuty is meant.
async fn which(
    app: &App,
    given: Option<&str>,
    service: Option<&str>,
) -> Result<Connector, ApiError> {
    if let Some(name) = given {
        return find(app, name).await;
    }
    let asked = service.map(str::to_owned);
    let read = app.db.read(move |tx| {
        let (all, mut having) = (connector::all(tx)?, Vec::new());
        let names: Vec<String> = all.iter().map(|one| one.name().to_owned()).collect();
        for one in all {
            let has = |tx, asked| named::is_known(tx, &one, asked);
            let is_meant = match &asked {
                _ if names.len() == 1 => true,
                Some(asked) => has(tx, asked)?,
                None => false,
            };
            having.extend(is_meant.then_some(one));
        }
        Ok::<_, ApiError>((having, names))
    });
    let (mut all, names) = read.await?;
    match (all.pop(), all.is_empty(), names.is_empty()) {
        (Some(one), true, _) => Ok(one),
        (_, _, true) => Err(ApiError::not_found("there is no connector to ask")
            .hint("`im connector add pagerduty NAME` adds one")),
        _ => Err(ApiError::conflict(
            "which_connector",
            format!("there are several connectors: {}", names.join(", ")),
        )
        .hint("`--connector NAME` says whose PagerDuty to ask")),
    }
}

/// What is asked by: one PagerDuty at one moment.
struct Look<'a> {
    app: &'a App,
    connector: &'a Connector,
    hides_emails: bool,
    now: Timestamp,
}

impl Look<'_> {
    async fn service(&self, name: &str) -> Result<OncallView, ApiError> {
        let mapping = &self.connector.mapping;
        let is_mapped = mapping.service_row(name).is_some();
        // A name of PagerDuty's is not one of ours, and never means the default.
        let theirs = if is_mapped {
            None
        } else {
            self.service_of_theirs(name).await?
        };
        let ours = match &theirs {
            Some(id) => mapping.service_name(id),
            None => Some(name),
        };
        let id = theirs.as_deref();
        let service = self
            .read_service(mapping.service_id(Some(name), id))
            .await?;
        let mut policies = Vec::new();
        let mut until = self.now + AHEAD;
        for (id, applies_to) in self.policies_of(&service, ours) {
            let (view, looked) = self.read(&id, applies_to).await?;
            until = until.max(looked);
            policies.push(view);
        }
        let pagerduty = Named {
            name: service.name.unwrap_or_else(|| service.id.clone()),
            id: service.id,
        };
        let asked = ServiceView {
            name: ours.unwrap_or(name).to_owned(),
            pagerduty,
            is_default: !is_mapped && theirs.is_none(),
        };
        Ok(OncallView {
            service: Some(asked),
            ..self.view(policies, until)
        })
    }

    /// The id of PagerDuty's service of that id or name, if it has one.
    async fn service_of_theirs(&self, asked: &str) -> Result<Option<String>, ApiError> {
        if is_pagerduty_id(asked) {
            return Ok(Some(asked.to_owned()));
        }
        let all = lists::all_services(self.app, self.connector).await?;
        let all: Vec<ServiceChoice> = all
            .into_iter()
            .map(|Named { id, name }| ServiceChoice { name, id })
            .collect();
        Ok(named::find(&all, asked).map(|one| one.id.clone()))
    }

    async fn policy(&self, asked: &str) -> Result<OncallView, ApiError> {
        let id = if is_pagerduty_id(asked) {
            asked.to_owned()
        } else {
            policy_id(self.app, self.connector, asked).await?
        };
        let (view, until) = self.read(&id, None).await?;
        Ok(self.view(vec![view], until))
    }

    async fn user(&self, asked: &str) -> Result<OncallView, ApiError> {
        let user = self.find_user(asked).await?;
        let (mut rows, mut until) = self.rows(&[], std::slice::from_ref(&user.id)).await?;
        let is_open = |duty: &DutyView| duty.next.is_none() && by_schedule(duty.current.as_ref());
        let mut duties = self.duties(&rows, until);
        if duties.is_empty() || duties.iter().any(is_open) {
            (rows, until) = self
                .more_rows(&[], std::slice::from_ref(&user.id), rows)
                .await?;
            duties = self.duties(&rows, until);
        }
        Ok(OncallView {
            user: Some(user_view(&user)),
            duties,
            ..self.view(Vec::new(), until)
        })
    }

    fn view(&self, policies: Vec<PolicyView>, looked_until: Timestamp) -> OncallView {
        let has_first = |policy: &PolicyView| {
            let first = policy.levels.first();
            first.is_some_and(|level| !level.current.is_empty())
        };
        OncallView {
            connector: self.connector.name().to_owned(),
            ok: policies.iter().all(has_first),
            service: None,
            policies,
            user: None,
            duties: Vec::new(),
            looked_until,
        }
    }

    async fn read_service(&self, id: &str) -> Result<Service, ApiError> {
        let call = Call::ReadService { id: id.to_owned() };
        match ask(self.app, self.connector, &call).await? {
            Answer::Service(service) => Ok(service),
            _ => Err(ApiError::internal()),
        }
    }

    /// The policies by which incidents of a service page, and which these are.
    fn policies_of(&self, service: &Service, ours: Option<&str>) -> Vec<(String, Option<String>)> {
        let custom = &self.connector.config.custom;
        let own = service.policy.as_ref().map(|policy| policy.id.as_str());
        let mut found: Vec<(&str, Vec<Severity>)> = Vec::new();
        for severity in Severity::ALL {
            let set = custom.policy_for(ours, Some(severity), false);
            let Some(id) = set.or(own) else { continue };
            match found.iter_mut().find(|(known, _)| *known == id) {
                Some((_, severities)) => severities.push(severity),
                None => found.push((id, vec![severity])),
            }
        }
        if let Some(own) = own.filter(|own| !found.iter().any(|(id, _)| id == own)) {
            found.push((own, Vec::new()));
        }
        let is_one = found.len() == 1;
        let told = found.into_iter().map(|(id, severities)| {
            let names: Vec<&str> = severities.iter().map(|one| one.as_str()).collect();
            let begun = "what begins in PagerDuty";
            let which = match (names.as_slice(), Some(id) == own) {
                ([], _) => begun.to_owned(),
                (names, false) => format!("declared here: {}", names.join(", ")),
                (names, true) => format!("declared here: {}; {begun}", names.join(", ")),
            };
            (id.to_owned(), (!is_one).then_some(which))
        });
        told.collect()
    }

    /// A policy and who stands on its levels, and how far ahead that was looked at.
    async fn read(
        &self,
        id: &str,
        applies_to: Option<String>,
    ) -> Result<(PolicyView, Timestamp), ApiError> {
        let call = Call::ReadPolicy { id: id.to_owned() };
        let Answer::Policy(policy) = ask(self.app, self.connector, &call).await? else {
            return Err(ApiError::internal());
        };
        let ids = [policy.id.clone()];
        let (mut rows, mut until) = self.rows(&ids, &[]).await?;
        let mut levels = watches(&policy, &rows, until, self.now);
        if levels.iter().any(is_open) {
            (rows, until) = self.more_rows(&ids, &[], rows).await?;
            levels = watches(&policy, &rows, until, self.now);
        }
        Ok((policy_view(&policy, applies_to, &levels), until))
    }

    /// The shifts of the next days, and up to when these are.
    async fn rows(
        &self,
        policies: &[String],
        users: &[String],
    ) -> Result<(Vec<Oncall>, Timestamp), ApiError> {
        let until = self.now + AHEAD;
        let found = self.rows_until(policies, users, until).await?;
        let rows = found.ok_or_else(|| {
            ApiError::new(
                axum::http::StatusCode::BAD_GATEWAY,
                "pagerduty",
                format!(
                    "PagerDuty lists more than {} shifts for two weeks",
                    PAGES_MAX * 100
                ),
            )
            .hint("ask for one policy: `im oncall --policy NAME`")
        })?;
        Ok((rows, until))
    }

    /// The shifts as far as PagerDuty plans, or `known` where these are too many.
    async fn more_rows(
        &self,
        policies: &[String],
        users: &[String],
        known: Vec<Oncall>,
    ) -> Result<(Vec<Oncall>, Timestamp), ApiError> {
        let until = self.now + AHEAD_MAX;
        let found = self.rows_until(policies, users, until).await?;
        Ok(found.map_or((known, self.now + AHEAD), |rows| (rows, until)))
    }

    /// Every shift up to `until`; `None` if there are more than one question reads.
    async fn rows_until(
        &self,
        policies: &[String],
        users: &[String],
        until: Timestamp,
    ) -> Result<Option<Vec<Oncall>>, ApiError> {
        let mut rows = Vec::new();
        let mut at = Some(0);
        for _ in 0..PAGES_MAX {
            let Some(offset) = at else { break };
            let call = Call::ListOncalls {
                policy_ids: policies.to_vec(),
                user_ids: users.to_vec(),
                since: Some(self.now),
                until: Some(until),
                earliest: false,
                offset,
            };
            let Answer::Oncalls(page) = ask(self.app, self.connector, &call).await? else {
                return Err(ApiError::internal());
            };
            rows.extend(page.items.into_iter().map(|mut row| {
                row.user.email.take_if(|_| self.hides_emails);
                row
            }));
            at = page.next_offset;
        }
        Ok(at.is_none().then_some(rows))
    }

    async fn find_user(&self, asked: &str) -> Result<User, ApiError> {
        let users = if asked.contains('@') {
            let call = Call::FindUser {
                email: asked.to_owned(),
            };
            match ask(self.app, self.connector, &call).await? {
                Answer::Users(page) => page.items,
                _ => Vec::new(),
            }
        } else {
            lists::all_users(self.app, self.connector).await?
        };
        let is_meant = |user: &User| {
            let texts = [user.email.as_deref(), user.name.as_deref()];
            let mut texts = texts.into_iter().flatten();
            user.id == asked || texts.any(|text| text.eq_ignore_ascii_case(asked))
        };
        let found = users.into_iter().find(is_meant).map(|mut user| {
            user.email.take_if(|_| self.hides_emails);
            user
        });
        found.ok_or_else(|| {
            ApiError::wrong_value("user", format!("PagerDuty has no user {asked}"))
                .hint("give the e-mail address, the id or the whole name of a user there")
        })
    }

    /// Whatever the rows of one person are about, by policy and level.
    fn duties(&self, rows: &[Oncall], until: Timestamp) -> Vec<DutyView> {
        let mut places: Vec<(Named, i64)> = Vec::new();
        for row in rows {
            let (Some(policy), Some(level)) = (&row.policy, row.level) else {
                continue;
            };
            if !places
                .iter()
                .any(|(known, at)| known.id == policy.id && *at == level)
            {
                places.push((Named::from(policy), level));
            }
        }
        places.sort_by(|a, b| (&a.0.name, a.1).cmp(&(&b.0.name, b.1)));
        let duty = |(policy, level): (Named, i64)| {
            let is_here = |row: &&Oncall| {
                row.level == Some(level)
                    && row.policy.as_ref().is_some_and(|one| one.id == policy.id)
            };
            let turns = turns(rows.iter().filter(is_here), until);
            DutyView {
                level,
                current: current(&turns, self.now).first().map(turn_view),
                next: next(&turns, self.now).first().map(turn_view),
                policy,
            }
        };
        places.into_iter().map(duty).collect()
    }
}

/// PagerDuty's id of an escalation policy that is named.
pub(super) async fn policy_id(
    app: &App,
    connector: &Connector,
    asked: &str,
) -> Result<String, ApiError> {
    let all = lists::all_policies(app, connector).await?;
    let is_meant = |one: &&Named| one.id == asked || one.name.eq_ignore_ascii_case(asked);
    if let Some(found) = all.iter().find(is_meant) {
        return Ok(found.id.clone());
    }
    let offered: Vec<String> = all
        .iter()
        .take(OFFERED_MAX)
        .map(|one| format!("{} ({})", one.id, one.name))
        .collect();
    Err(ApiError::wrong_value(
        "policy",
        format!("PagerDuty has no escalation policy {asked}"),
    )
    .hint(format!("there are: {}", offered.join(", "))))
}

/// Whether a text has the form of PagerDuty's ids.
pub(super) fn is_pagerduty_id(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.len() >= 7 && text.starts_with(['P', 'Q']) && text.bytes().all(is_part)
}

/// Whether who comes next may stand further ahead.
fn is_open(watch: &Watch) -> bool {
    let by_schedule = watch.now.iter().any(|turn| turn.schedule.is_some());
    watch.next.is_empty() && (by_schedule || watch.now.is_empty())
}

fn by_schedule(turn: Option<&TurnView>) -> bool {
    turn.is_some_and(|turn| turn.schedule.is_some())
}

fn policy_view(policy: &Policy, applies_to: Option<String>, levels: &[Watch]) -> PolicyView {
    PolicyView {
        id: policy.id.clone(),
        name: policy.name.clone().unwrap_or_else(|| policy.id.clone()),
        applies_to,
        repeats: policy.loops.unwrap_or_default(),
        levels: levels.iter().map(level_view).collect(),
    }
}

fn level_view(watch: &Watch) -> LevelView {
    LevelView {
        level: watch.level,
        after_minutes: watch.after_minutes,
        delay_minutes: watch.delay_minutes,
        round_robin: watch.round_robin,
        targets: watch.targets.iter().map(Named::from).collect(),
        current: watch.now.iter().map(turn_view).collect(),
        next: watch.next.iter().map(turn_view).collect(),
        gap: watch
            .gap
            .map(|Uncovered { from, until }| GapView { from, until }),
    }
}

fn turn_view(turn: &Turn) -> TurnView {
    TurnView {
        user: user_view(&turn.user),
        schedule: turn.schedule.as_ref().map(Named::from),
        from: turn.from,
        until: turn.until,
    }
}

fn user_view(user: &User) -> UserView {
    UserView {
        id: user.id.clone(),
        name: user.name.clone().unwrap_or_else(|| user.id.clone()),
        email: user.email.clone(),
        time_zone: user.time_zone.clone(),
    }
}
