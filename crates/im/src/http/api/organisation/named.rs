//! Whom and what working hours, links of users, teams and rules for failures may name: people, users, teams, services and priorities
//! that somebody knows.
//!
//! A name that nobody knows is refused with what is near it, because what is settled of it would change nothing and say
//! nothing. Before anything of PagerDuty's was read nobody can say what there is: then its ids pass with a hint, so
//! that a data document can be brought in first. E-mail addresses are of people, who are added here, so they never
//! pass unknown. What is stored already may stay as it is.
//!
//! Services are stored by the id that incidents carry, whichever of their names was given.

use std::collections::{BTreeMap, BTreeSet};

use im_engine::services::Services;
use im_pagerduty::config::nearest;
use im_store::directory::{self, Kind};
use im_store::people::{self, UserRow};
use im_store::{StoreError, Tx, arrangements};

use super::store;
use crate::http::App;
use crate::http::api::settings::hides_emails;
use crate::http::error::ApiError;
use crate::organisation::{FailureRule, Hours, Person, Team, Text, Thing, User, Whose, is_email};

/// What questions call nobody.
const NO_TEAM: [&str; 2] = ["null", "none"];
/// What the id of a team may have beside letters and digits.
const ID_MARKS: &str = "-_.";

/// What a thing names, in the words of its document.
#[derive(Clone, Copy)]
pub(crate) enum Named<'a> {
    /// The team that is settled.
    Itself(&'a Text),
    /// A user of PagerDuty's, by id.
    User(&'a Text),
    /// A person by address, or a user of PagerDuty's by id.
    Person(&'a Text),
    /// A team of the organisation's own, or of PagerDuty's.
    Team(&'a Text),
    /// A team of PagerDuty's.
    Theirs(&'a Text),
    /// A service.
    Service(&'a Text),
    /// A priority.
    Priority(&'a Text),
}

/// A thing that names others.
pub(crate) trait Naming: Thing + PartialEq {
    /// Whom and what.
    fn names(&self) -> Vec<Named<'_>>;

    /// The same by ids, where it was given by names, with nothing twice.
    fn by_id(self, known: &Directory) -> Result<Self, ApiError>;
}

impl Naming for Hours {
    fn names(&self) -> Vec<Named<'_>> {
        match &self.of {
            Whose::Organisation => Vec::new(),
            Whose::Team(id) => vec![Named::Team(id)],
            Whose::Person(id) => vec![Named::Person(id)],
        }
    }

    fn by_id(self, _known: &Directory) -> Result<Self, ApiError> {
        Ok(self)
    }
}

impl Naming for User {
    fn names(&self) -> Vec<Named<'_>> {
        vec![Named::User(&self.user)]
    }

    fn by_id(self, _known: &Directory) -> Result<Self, ApiError> {
        Ok(self)
    }
}

impl Naming for Team {
    fn names(&self) -> Vec<Named<'_>> {
        let members = self.members.iter();
        let members = members.map(|member| Named::Person(&member.person));
        let services = self.services.iter().map(Named::Service);
        let theirs = self.pagerduty_teams.iter().map(Named::Theirs);
        let named = members.chain(services).chain(theirs);
        std::iter::once(Named::Itself(&self.id))
            .chain(named)
            .collect()
    }

    fn by_id(mut self, known: &Directory) -> Result<Self, ApiError> {
        for service in &mut self.services {
            *service = known.service(service)?;
        }
        once_each(&mut self.services);
        once_each(&mut self.pagerduty_teams);
        once_each(&mut self.members);
        Ok(self)
    }
}

/// Leaves out what is in a list already.
fn once_each<T: PartialEq>(list: &mut Vec<T>) {
    let mut once: Vec<T> = Vec::with_capacity(list.len());
    for one in list.drain(..) {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    *list = once;
}

impl Naming for FailureRule {
    fn names(&self) -> Vec<Named<'_>> {
        let service = self.service.iter().map(Named::Service);
        let priority = self.priority.iter().map(Named::Priority);
        service.chain(priority).collect()
    }

    fn by_id(mut self, known: &Directory) -> Result<Self, ApiError> {
        if let Some(service) = &mut self.service {
            *service = known.service(service)?;
        }
        Ok(self)
    }
}

/// Who and what is known.
pub(crate) struct Directory {
    people: Vec<Person>,
    links: BTreeMap<String, User>,
    users: Vec<UserRow>,
    /// The ids of the organisation's own teams, with what people call them.
    teams: BTreeMap<String, String>,
    /// The last name of each thing at PagerDuty.
    listed: BTreeMap<(Kind, String), String>,
    /// The names that services go by.
    services: Services,
    /// Services, users and priorities that incidents name.
    of_incidents: BTreeSet<String>,
    hides_emails: bool,
}

/// What incidents name; it is read before a transaction begins.
pub(crate) async fn of_incidents(app: &App) -> Result<BTreeSet<String>, StoreError> {
    Ok(app.figures.known(&app.db).await?.of_incidents())
}

impl Directory {
    pub(crate) fn read(
        tx: &mut Tx<'_>,
        of_incidents: BTreeSet<String>,
    ) -> Result<Self, StoreError> {
        let links: Vec<User> = arrangements::all(tx, User::SORT)?;
        let teams: Vec<Team> = arrangements::all(tx, Team::SORT)?;
        let listed = directory::all(tx)?.into_iter();
        let listed = listed.map(|row| {
            let name = row.name.unwrap_or_else(|| row.id.clone());
            ((row.kind, row.id), name)
        });
        let mut known = Self {
            people: arrangements::all(tx, Person::SORT)?,
            links: links
                .into_iter()
                .map(|link| (link.user.to_string(), link))
                .collect(),
            users: people::all(tx)?,
            teams: BTreeMap::new(),
            listed: listed.collect(),
            services: Services::read(tx)?,
            of_incidents,
            hides_emails: hides_emails(tx)?,
        };
        for team in &teams {
            known.learn(team);
        }
        Ok(known)
    }

    /// A team that is there from now on.
    pub(crate) fn learn(&mut self, team: &Team) {
        let name = team.name.as_ref().unwrap_or(&team.id);
        self.teams.insert(team.id.to_string(), name.to_string());
    }

    /// The id of a service that is named by it or by a name.
    fn service(&self, named: &Text) -> Result<Text, ApiError> {
        let id = self.services.id(named.as_str())?;
        id.try_into()
            .map_err(|why: String| ApiError::wrong_value("service", why))
    }

    /// What has to be said of a name, or that nobody knows it.
    fn judge(&self, named: Named<'_>) -> Result<Option<String>, ApiError> {
        match named {
            Named::Itself(team) => self.own(team.as_str()).map(|()| None),
            Named::Person(who) if is_email(who.as_str()) => self.address(who.as_str()),
            Named::User(user) | Named::Person(user) => self.id("user", Kind::User, user.as_str()),
            Named::Team(team) if self.teams.contains_key(team.as_str()) => Ok(None),
            Named::Team(team) => self.id("team", Kind::Team, team.as_str()),
            Named::Theirs(team) => self.id("team of PagerDuty's", Kind::Team, team.as_str()),
            Named::Service(service) => self.id("service", Kind::Service, service.as_str()),
            Named::Priority(priority) => self.id("priority", Kind::Priority, priority.as_str()),
        }
    }

    /// The id of a team of the organisation's own: figures of two teams with one id would be mixed.
    fn own(&self, id: &str) -> Result<(), ApiError> {
        if NO_TEAM.contains(&&*id.to_lowercase()) {
            let detail =
                format!("a team cannot be called `{id}`: filters mean by that what has no team");
            return Err(ApiError::wrong_value("id", detail).hint("give it another id"));
        }
        if id.contains(|c: char| !(c.is_alphanumeric() || ID_MARKS.contains(c))) {
            let detail = format!(
                "the id `{}` of a team has other characters than letters, digits and `{ID_MARKS}`",
                id.escape_debug()
            );
            return Err(ApiError::wrong_value("id", detail).hint(
                "leave them out; `name` is what people call it, with blanks and anything else",
            ));
        }
        let Some(name) = self.listed.get(&(Kind::Team, id.to_owned())) else {
            return Ok(());
        };
        let detail =
            format!("`{id}` is PagerDuty's team {name}: a team of your own has another id");
        Err(ApiError::wrong_value("id", detail).hint(format!(
            "`im team set ID --pagerduty-team {id}` makes one with {name} as a part of it"
        )))
    }

    /// An address of a person, or of a user of PagerDuty's who may become one.
    fn address(&self, address: &str) -> Result<Option<String>, ApiError> {
        let is_person = self.people.iter().any(|one| one.id.as_str() == address);
        let is_them = |link: &User| {
            link.person
                .as_ref()
                .is_some_and(|one| one.as_str() == address)
        };
        if self.links.values().any(is_them) || self.of_incidents.contains(address) {
            return Ok(None);
        }
        let mut users = self.users.iter();
        let user = users.find(|one| one.email == address && !self.links.contains_key(&one.id));
        match (is_person, user) {
            (true, None) if self.users.is_empty() => Ok(None),
            (true, None) => Ok(Some(format!(
                "no user of PagerDuty's is `{address}` yet, so this counts for nobody: `im person users` shows them, `im person link USER {address}` says who it is"
            ))),
            (true, Some(UserRow { id, .. })) => Ok(Some(format!(
                "user {id} of PagerDuty's is not linked to `{address}` yet, so this counts for nobody: `im person link {id} {address}` does that"
            ))),
            (false, Some(UserRow { id, .. })) => Ok(Some(format!(
                "`{address}` is user {id} of PagerDuty's and no person here yet, so this counts for nobody: `im person add {address}`, then `im person link {id} {address}`"
            ))),
            (false, None) => Err(self.unknown(
                ("person", Kind::User, address),
                format!("`im person add {address}` adds one"),
            )),
        }
    }

    fn id(&self, what: &'static str, kind: Kind, id: &str) -> Result<Option<String>, ApiError> {
        let is_user = kind == Kind::User
            && (self.links.contains_key(id) || self.users.iter().any(|user| user.id == id));
        let is_known = is_user
            || self.listed.contains_key(&(kind, id.to_owned()))
            || self.of_incidents.contains(id);
        match (is_known, self.listed.is_empty()) {
            (true, _) => Ok(None),
            (false, true) => Ok(Some(format!(
                "nothing of PagerDuty's is known yet, so nobody can say whether there is a {what} `{id}`"
            ))),
            (false, false) => {
                let list = match kind {
                    Kind::User => "`im person users` shows PagerDuty's users",
                    Kind::Service => "`im directory services` shows them",
                    Kind::Priority => "`im directory priorities` shows them",
                    Kind::Team | Kind::Policy | Kind::Schedule => {
                        "`im team list` and `im directory teams` show them"
                    }
                };
                Err(self.unknown((what, kind, id), list.to_owned()))
            }
        }
    }

    /// Nobody knows it; with the id of what is called almost so.
    fn unknown(&self, (what, kind, given): (&'static str, Kind, &str), next: String) -> ApiError {
        let listed = self.listed.iter().filter(|((of, _), _)| *of == kind);
        let mut words: BTreeMap<&str, &str> = listed
            .flat_map(|((_, id), name)| [(&**name, &**id), (&**id, &**id)])
            .collect();
        match kind {
            Kind::User => {
                let named = self.users.iter().flat_map(|user| {
                    let name = user.name.iter();
                    name.chain([&user.id]).map(|word| (&**word, &*user.id))
                });
                words.extend(named);
                let shown = self.users.iter().filter(|_| !self.hides_emails);
                words.extend(shown.map(|user| (&*user.email, &*user.email)));
                let people = self.people.iter();
                words.extend(people.map(|person| (person.id.as_str(), person.id.as_str())));
            }
            Kind::Team if what == "team" => {
                let own = self.teams.iter();
                words.extend(own.flat_map(|(id, name)| [(&**name, &**id), (&**id, &**id)]));
            }
            Kind::Team | Kind::Service | Kind::Policy | Kind::Schedule | Kind::Priority => {}
        }
        let all: Vec<&str> = words.keys().copied().collect();
        let near = nearest(given, &all).and_then(|near| words.get(near));
        let detail = format!("there is no {what} `{given}`");
        match near {
            Some(near) => {
                ApiError::wrong_value("unknown", format!("{detail}: did you mean `{near}`?"))
            }
            None => ApiError::wrong_value("unknown", detail),
        }
        .hint(next)
    }
}

/// Stores a thing that names what is known; returns it as it is stored, with what has to be known of it.
pub(crate) fn store_known<T: Naming>(
    tx: &mut Tx<'_>,
    thing: T,
    known: &Directory,
) -> Result<(T, Option<String>), ApiError> {
    let thing = thing.by_id(known)?;
    let stored: Option<T> = arrangements::find(tx, T::SORT, &thing.key())?;
    let mut hints = Vec::new();
    if stored.as_ref() != Some(&thing) {
        for named in thing.names() {
            hints.extend(known.judge(named)?);
        }
    }
    store(tx, &thing)?;
    Ok((thing, (!hints.is_empty()).then(|| hints.join("; "))))
}
