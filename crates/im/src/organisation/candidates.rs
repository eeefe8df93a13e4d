//! Who a user of PagerDuty's may be. A candidate is only suggested: two people may share an address or a name, and both
//! change.

use std::collections::BTreeMap;

use im_store::people::UserRow;

/// People by address, each with the name that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates(BTreeMap<String, Option<String>>);

impl Candidates {
    /// One more; a name that is given takes the place of the one before.
    pub fn add(&mut self, address: &str, name: Option<&str>) {
        let known = self.0.entry(address.to_lowercase()).or_default();
        if let Some(name) = name {
            *known = Some(name.to_owned());
        }
    }

    /// Whether an address is one of them.
    pub fn has(&self, address: &str) -> bool {
        self.0.contains_key(address)
    }

    /// The name of one of them, if it is known.
    pub fn name_of(&self, address: &str) -> Option<&str> {
        self.0.get(address)?.as_deref()
    }

    /// Who a user may be: by address, else by a name that one of them alone has; and which of both tells.
    pub fn suggest(&self, user: &UserRow) -> Option<(&str, &'static str)> {
        if let Some((address, _)) = self.0.get_key_value(&user.email.to_lowercase()) {
            return Some((address.as_str(), "email"));
        }
        let name = user.name.as_deref()?.trim().to_lowercase();
        let is_so = |(_, other): &(&String, &Option<String>)| {
            let other = other.as_deref();
            other.is_some_and(|other| other.trim().to_lowercase() == name)
        };
        let mut same = self.0.iter().filter(is_so);
        let (address, _) = same.next()?;
        same.next().is_none().then_some((address.as_str(), "name"))
    }
}
