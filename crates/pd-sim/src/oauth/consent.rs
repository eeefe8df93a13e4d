//! `GET /oauth/authorize`: where an app sends people, answered as if they agreed at once.
//!
//! Two parameters are ours: `user` (id or e-mail) says who agrees, the first user without it, and
//! `deny=1` is a person who says no.

use super::Consent;
use crate::http::{Request, Response};
use crate::state::World;

impl World {
    /// Redirects with a code, or says on a page of ours why nobody could agree to this.
    pub(crate) fn consent_page(&mut self, request: &Request) -> Response {
        let text = |name: &str| request.query(name).unwrap_or_default().to_owned();
        let (redirect_uri, client_id) = (text("redirect_uri"), text("client_id"));
        if self
            .oauth
            .app(&client_id)
            .is_none_or(|app| app.redirect_uri != redirect_uri)
        {
            return refusal("the client is unknown, or the redirect is not the one it registered");
        }
        if text("response_type") != "code" {
            return refusal("response_type must be code");
        }
        if !matches!(request.query("code_challenge_method"), None | Some("S256")) {
            return refusal("code_challenge_method must be S256");
        }
        let state = request.query("state").map(|state| ("state", state));
        if request.query("deny").is_some() {
            let said = [
                ("error", "access_denied"),
                ("error_description", "The resource owner denied the request"),
            ];
            return redirect(&redirect_uri, said.into_iter().chain(state));
        }
        let named = text("user");
        let mut users = self.users.iter();
        let agrees = users.find(|user| named.is_empty() || user.id == named || user.email == named);
        let Some(user_id) = agrees.map(|user| user.id.clone()) else {
            return refusal("nobody of that name is there to agree");
        };
        let consent = Consent {
            client_id,
            redirect_uri: redirect_uri.clone(),
            scope: text("scope"),
            code_challenge: request.query("code_challenge").map(str::to_owned),
            user_id,
        };
        match self.oauth.authorize(consent, &mut self.ids, self.now) {
            Some(code) => redirect(
                &redirect_uri,
                [("code", code.as_str())].into_iter().chain(state),
            ),
            None => refusal("this client has to use PKCE: code_challenge is missing"),
        }
    }
}

fn refusal(why: &str) -> Response {
    Response {
        status: 400,
        headers: vec![(
            "Content-Type".to_owned(),
            "text/plain; charset=utf-8".to_owned(),
        )],
        body: format!("{why}\n").into_bytes(),
    }
}

fn redirect<'a>(to: &str, said: impl Iterator<Item = (&'a str, &'a str)>) -> Response {
    let pairs: Vec<String> = said
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    let mark = if to.contains('?') { '&' } else { '?' };
    let location = format!("{to}{mark}{}", pairs.join("&"));
    let mut response = Response::empty(302);
    response.headers.push(("Location".to_owned(), location));
    response
}

/// As it stands in a query.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            _ => {
                text.push('%');
                text.push_str(&hex::encode_upper([byte]));
            }
        }
    }
    text
}
