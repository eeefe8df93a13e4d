//! Addresses: every view has one, so each link says what it changes of the present one.

use maud::{Markup, html};

/// A path and its parameters, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    path: String,
    params: Vec<(String, String)>,
}

impl Address {
    /// An address. A form sends a field that was left empty, which means nothing.
    pub(super) fn new(path: impl Into<String>, params: Vec<(String, String)>) -> Self {
        let params = params.into_iter();
        Self {
            path: path.into(),
            params: params
                .filter(|(_, value)| !value.trim().is_empty())
                .collect(),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let params = self.params.iter();
        params.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.pairs();
        pairs
            .find(|(given, _)| *given == name)
            .map(|(_, value)| value)
    }

    /// The same with another path.
    pub(super) fn to(&self, path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            params: self.params.clone(),
        }
    }

    /// The same with this value of a parameter and no other.
    pub(super) fn with(&self, name: &str, value: impl Into<String>) -> Self {
        self.without(name).and(name, value)
    }

    /// The same with one more value of a parameter.
    pub(super) fn and(&self, name: &str, value: impl Into<String>) -> Self {
        let mut more = self.clone();
        more.params.push((name.to_owned(), value.into()));
        more
    }

    /// The same without a parameter.
    pub(super) fn without(&self, name: &str) -> Self {
        self.only(|given, _| given != name)
    }

    /// The same without one value of a parameter.
    pub(super) fn without_value(&self, name: &str, value: &str) -> Self {
        self.only(|given, has| (given, has) != (name, value))
    }

    /// The same with those parameters alone that `keeps`.
    pub(super) fn only(&self, keeps: impl Fn(&str, &str) -> bool) -> Self {
        let params = self.params.iter();
        Self {
            path: self.path.clone(),
            params: params
                .filter(|(name, value)| keeps(name, value))
                .cloned()
                .collect(),
        }
    }

    /// What a form has to send besides its own fields.
    pub(super) fn hidden(&self, fields: &[&str]) -> Markup {
        html! {
            @for (name, value) in self.pairs().filter(|(name, _)| !fields.contains(name)) {
                input type="hidden" name=(name) value=(value);
            }
        }
    }

    /// As a link has it.
    pub(super) fn link(&self) -> String {
        let mut link = self.path.clone();
        for (index, (name, value)) in self.params.iter().enumerate() {
            link.push(if index == 0 { '?' } else { '&' });
            encode(name, &mut link);
            link.push('=');
            encode(value, &mut link);
        }
        link
    }
}

fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push_str(&hex::encode_upper([byte]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_changes_what_it_says_and_keeps_the_rest() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let params = vec![pair("service", "A"), pair("service", "B"), pair("team", "")];
        let address = Address::new("/metric/mttr", params);
        assert_eq!(address.link(), "/metric/mttr?service=A&service=B");
        assert_eq!(
            address.without_value("service", "A").link(),
            "/metric/mttr?service=B"
        );
        assert_eq!(
            address.with("service", "C").link(),
            "/metric/mttr?service=C"
        );
        let odd = address.without("service").and("title", "a&b=c d é");
        assert_eq!(odd.link(), "/metric/mttr?title=a%26b%3Dc%20d%20%C3%A9");
    }
}
