//! Tokens as a client asks for them.

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use super::*;

const BASE: &str = "https://api.pagerduty.com";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The pair of RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "https://im.example/oauth/callback";

macro_rules! example {
    ($path:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/",
            $path
        )))
        .unwrap()
    };
}

struct Host {
    oauth: OAuth,
    ids: Ids,
    now: Timestamp,
}

impl Host {
    fn with(kind: OAuthKind, client_secret: Option<&str>, scopes: &[&str]) -> Self {
        let mut oauth = OAuth::default();
        oauth.register(OAuthApp {
            kind,
            client_id: "im".to_owned(),
            client_secret: client_secret.map(str::to_owned),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            redirect_uri: REDIRECT.to_owned(),
            account: "us.harbor-lantern".to_owned(),
        });
        Self {
            oauth,
            ids: Ids::new(1),
            now: "2026-03-10T08:00:00Z".parse().unwrap(),
        }
    }

    fn scoped() -> Self {
        Self::with(
            OAuthKind::Scoped,
            Some("hush"),
            &["incidents.read", "services.read"],
        )
    }

    fn classic() -> Self {
        Self::with(OAuthKind::Classic, Some("hush"), &["read", "write"])
    }

    fn pass(&mut self, time: SignedDuration) {
        self.now = self.now.checked_add(time).unwrap();
    }

    fn code(&mut self, scope: &str, code_challenge: Option<&str>) -> Option<String> {
        let consent = Consent {
            client_id: "im".to_owned(),
            redirect_uri: REDIRECT.to_owned(),
            scope: scope.to_owned(),
            code_challenge: code_challenge.map(str::to_owned),
            user_id: "PUSRA01".to_owned(),
        };
        self.oauth.authorize(consent, &mut self.ids, self.now)
    }

    /// Posts a form; `&id` and `&secret` stand for the right credentials.
    fn post(&mut self, form: &str) -> (u16, Value) {
        let form = form
            .replace("&id", "&client_id=im")
            .replace("&secret", "&client_secret=hush");
        let request = Request {
            method: "POST".to_owned(),
            body: form.into_bytes(),
            ..Request::default()
        };
        let answer = self.oauth.token(&request, BASE, &mut self.ids, self.now);
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    #[track_caller]
    fn check_refused(&mut self, form: &str, error: &str) {
        let (status, body) = self.post(form);
        assert_eq!(body["error"], error, "{form}");
        assert!(status == 400 || status == 401);
    }

    fn exchange(&mut self, scope: &str) -> Value {
        let code = self.code(scope, Some(CHALLENGE)).unwrap();
        let form = format!(
            "grant_type=authorization_code&id&secret&code={code}&redirect_uri={REDIRECT}&code_verifier={VERIFIER}"
        );
        let (status, body) = self.post(&form);
        assert_eq!(status, 200, "{body}");
        body
    }

    fn grant(&self, body: &Value) -> Option<Grant> {
        self.oauth
            .bearer(body["access_token"].as_str().unwrap(), self.now)
    }
}

fn names(body: &Value) -> Vec<&String> {
    body.as_object().unwrap().keys().collect()
}

#[test]
fn an_app_token_has_the_published_shape_and_lives_a_day() {
    let mut host = Host::scoped();
    let (status, body) = host.post(
        "grant_type=client_credentials&id&secret&scope=as_account-us.harbor-lantern+incidents.read%20services.read",
    );
    let example = example!("oauth/token-client-credentials.response.json");
    assert_eq!((status, names(&body)), (200, names(&example)));
    for same in ["scope", "token_type", "expires_in"] {
        assert_eq!(body[same], example[same]);
    }
    let grant = host.grant(&body).unwrap();
    assert_eq!(grant.user_id, None);
    assert_eq!(
        grant.scopes,
        [
            "as_account-us.harbor-lantern",
            "incidents.read",
            "services.read"
        ]
    );
    host.pass(SignedDuration::from_hours(24));
    assert_eq!(host.grant(&body), None);
}

#[test]
fn unknown_scopes_are_left_out_without_a_word() {
    let mut host = Host::scoped();
    let (status, body) = host.post(
        "grant_type=client_credentials&id&secret&scope=as_account-us.harbor-lantern incidents.raed",
    );
    assert_eq!(
        (status, &body["scope"]),
        (200, &json!("as_account-us.harbor-lantern"))
    );
    assert_eq!(host.exchange("teams.read")["scope"], "openid");
}

#[test]
fn an_app_token_needs_its_account_and_a_scoped_app() {
    let form = "grant_type=client_credentials&id&secret&scope=incidents.read";
    Host::scoped().check_refused(form, "invalid_scope");
    Host::classic().check_refused(form, "unauthorized_client");
}

#[test]
fn a_code_becomes_tokens_of_the_published_shape() {
    let mut host = Host::classic();
    let body = host.exchange("write");
    let example = example!("oauth/token-authorization-code.response.json");
    assert_eq!(names(&body), names(&example));
    for same in ["client_info", "token_type", "scope", "expires_in"] {
        assert_eq!(body[same], example[same]);
    }
    let grant = host.grant(&body).unwrap();
    assert_eq!(grant.user_id.as_deref(), Some("PUSRA01"));

    let claims = verified(body["id_token"].as_str().unwrap());
    let published = example!("oauth/id-token-claims.json");
    assert_eq!(names(&claims), names(&published));
    for same in ["iss", "user_id", "subdomain", "region", "purpose"] {
        assert_eq!(claims[same], published[same]);
    }
    assert_eq!(claims["aud"][0], BASE);
}

/// The claims of an ID token, if the published key made it.
#[track_caller]
fn verified(token: &str) -> Value {
    let (text, signature) = token.rsplit_once('.').unwrap();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let part = |at: usize| -> Value {
        serde_json::from_slice(&decode(text.split('.').nth(at).unwrap())).unwrap()
    };
    let asked = Request::new("GET", "/global/oauth/anonymous/jwks");
    let keys = identity::route(BASE, &asked).unwrap().value().unwrap();
    let key = &keys["keys"][0];
    assert_eq!(part(0)["kid"], key["kid"]);
    let number = |name: &str| decode(key[name].as_str().unwrap());
    let key = RsaPublicKeyComponents {
        n: number("n"),
        e: number("e"),
    };
    let (text, signature) = (text.as_bytes(), decode(signature));
    key.verify(&RSA_PKCS1_2048_8192_SHA256, text, &signature)
        .unwrap();
    part(1)
}

#[test]
fn discovery_names_the_stand_in_itself() {
    let asked = Request::new(
        "GET",
        "/global/oauth/anonymous/.well-known/openid-configuration",
    );
    let base = "http://127.0.0.1:8081";
    let told = identity::route(base, &asked).unwrap().value().unwrap();
    assert_eq!(told["token_endpoint"], format!("{base}/oauth/token"));
    assert_eq!(
        told["jwks_uri"],
        format!("{base}/global/oauth/anonymous/jwks")
    );
    let published = example!("oauth/id-token-claims.json");
    let told = identity::route(BASE, &asked).unwrap().value().unwrap();
    assert_eq!(told["issuer"], published["iss"]);
}

#[test]
fn a_code_is_good_for_one_try_within_30_seconds() {
    let mut host = Host::classic();
    let form = |code: &str| {
        format!("grant_type=authorization_code&id&secret&code={code}&redirect_uri={REDIRECT}")
    };

    let code = host.code("read", None).unwrap();
    assert_eq!(host.post(&form(&code)).0, 200);
    host.check_refused(&form(&code), "invalid_grant");

    let code = host.code("read", None).unwrap();
    host.check_refused(
        &form(&code).replace("callback", "elsewhere"),
        "invalid_grant",
    );
    host.check_refused(&form(&code), "invalid_grant");

    let code = host.code("read", None).unwrap();
    host.pass(SignedDuration::from_secs(30));
    host.check_refused(&form(&code), "invalid_grant");
}

#[test]
fn pkce_is_required_and_verified() {
    let mut host = Host::scoped();
    assert_eq!(host.code("incidents.read", None), None);
    for verifier in [
        "",
        "&code_verifier=short",
        &format!("&code_verifier={VERIFIER}x"),
    ] {
        let code = host.code("incidents.read", Some(CHALLENGE)).unwrap();
        let form = format!(
            "grant_type=authorization_code&id&secret&code={code}&redirect_uri={REDIRECT}{verifier}"
        );
        host.check_refused(&form, "invalid_grant");
    }
    host.exchange("incidents.read");
}

#[test]
fn a_public_client_needs_pkce_instead_of_a_secret() {
    let mut host = Host::with(OAuthKind::Classic, None, &["read"]);
    assert_eq!(host.code("read", None), None);
    let code = host.code("read", Some(CHALLENGE)).unwrap();
    let form = format!(
        "grant_type=authorization_code&id&code={code}&redirect_uri={REDIRECT}&code_verifier={VERIFIER}"
    );
    assert_eq!(host.post(&form).0, 200);
}

#[test]
fn a_refresh_token_works_once_and_brings_the_next() {
    let mut host = Host::classic();
    let first = host.exchange("write");
    let form = |body: &Value| {
        format!(
            "grant_type=refresh_token&id&secret&refresh_token={}",
            body["refresh_token"].as_str().unwrap()
        )
        .replace("+_", "%2B_")
    };
    let (status, second) = host.post(&form(&first));
    let example = example!("oauth/token-refresh.response.json");
    assert_eq!((status, names(&second)), (200, names(&example)));
    assert_eq!(second["scope"], example["scope"]);
    assert_eq!(host.grant(&second), host.grant(&first), "same rights");
    host.check_refused(&form(&first), "invalid_grant");
    assert_eq!(host.post(&form(&second)).0, 200);

    let last = host.exchange("write");
    host.pass(SignedDuration::from_hours(210 * 24));
    host.check_refused(&form(&last), "invalid_grant");
}

#[test]
fn bad_requests_are_refused_by_name() {
    let mut host = Host::scoped();
    host.check_refused("", "invalid_request");
    host.check_refused("grant_type=password&id&secret", "unsupported_grant_type");
    host.check_refused(
        "grant_type=client_credentials&client_id=im&client_secret=guess",
        "invalid_client",
    );
    host.check_refused("grant_type=client_credentials&id", "invalid_client");
    host.check_refused(
        "grant_type=client_credentials&client_id=other&secret",
        "invalid_client",
    );
    host.check_refused("grant_type=authorization_code&id&secret", "invalid_request");
    host.check_refused(
        "grant_type=refresh_token&id&secret&refresh_token=x",
        "invalid_grant",
    );
}

#[test]
fn revoking_ends_every_session() {
    let mut host = Host::classic();
    let body = host.exchange("read");
    host.oauth.revoke_all();
    assert_eq!(host.grant(&body), None);
}
