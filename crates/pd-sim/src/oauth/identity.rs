//! Who agreed, as a signed statement: ID tokens, the keys that verify them, and where those are (docs/sim.md).
//!
//! The key is in the source for everybody to read: it proves that a client verifies, and nothing else.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::OAuthApp;
use crate::http::{Request, Response};
use crate::ids::Ids;

const KEY_ID: &str = "im-sim-1";
const PLACE: &str = "/global/oauth/anonymous";
const ISSUER: &str = "https://identity.pagerduty.com/global/oauth/anonymous";

/// Answers what needs no credentials on the identity host.
pub(crate) fn route(base_url: &str, request: &Request) -> Option<Response> {
    let place = request.path.strip_prefix(PLACE)?;
    let body = match (request.method.as_str(), place) {
        ("GET", "/jwks") => keys(),
        ("GET", "/.well-known/openid-configuration") => configuration(base_url),
        _ => return None,
    };
    Some(Response::json(200, &body))
}

/// What discovery says. PagerDuty's own address stands for itself; a stand-in names its own.
fn configuration(base_url: &str) -> Value {
    let host = match issuer(base_url).strip_suffix(PLACE) {
        Some(host) => host.to_owned(),
        None => base_url.to_owned(),
    };
    json!({
        "issuer": issuer(base_url),
        "authorization_endpoint": format!("{host}/oauth/authorize"),
        "token_endpoint": format!("{host}/oauth/token"),
        "jwks_uri": format!("{host}{PLACE}/jwks"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "subject_types_supported": ["public"],
    })
}

fn issuer(base_url: &str) -> String {
    if base_url.ends_with(".pagerduty.com") {
        return ISSUER.to_owned();
    }
    format!("{base_url}{PLACE}")
}

fn keys() -> Value {
    let public: PublicKeyComponents<Vec<u8>> = KEY.public_key().into();
    json!({"keys": [{
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": KEY_ID,
        "x5t": thumbprint(),
        "n": URL_SAFE_NO_PAD.encode(public.n),
        "e": URL_SAFE_NO_PAD.encode(public.e),
    }]})
}

/// There is no certificate; this only has to be the same wherever it stands.
fn thumbprint() -> String {
    let digest = Sha256::digest(KEY.public_key().as_ref());
    URL_SAFE_NO_PAD.encode(digest.get(..20).unwrap_or_default())
}

/// What is said about one consent.
pub(super) struct Said<'a> {
    pub(super) app: &'a OAuthApp,
    pub(super) user_id: &'a str,
    pub(super) access_token: &'a str,
    pub(super) base_url: &'a str,
}

pub(super) fn id_token(said: &Said<'_>, ids: &mut Ids, now: Timestamp) -> String {
    let Said {
        app,
        user_id,
        access_token,
        base_url,
    } = *said;
    let (region, subdomain) = app.account.split_once('.').unwrap_or(("us", &app.account));
    // How an account in Europe is worded here is not published.
    let region = if region == "eu" {
        "EuropeanUnion"
    } else {
        "UnitedStates"
    };
    let means = format!("acr:html-form:{}", region.to_lowercase());
    let issued = now.as_second();
    let hash = Sha256::digest(access_token);
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": KEY_ID, "x5t": thumbprint()});
    let claims = json!({
        "iss": issuer(base_url),
        "aud": [base_url, app.client_id],
        "sub": user_id,
        "user_id": user_id,
        "account_id": "PACCTIM",
        "azp": app.client_id,
        "jti": ids.uuid(),
        "sid": ids.token20(),
        "delegation_id": ids.uuid(),
        "purpose": "id",
        "at_hash": URL_SAFE_NO_PAD.encode(hash.get(..16).unwrap_or_default()),
        "acr": means,
        "amr": means,
        "iat": issued,
        "nbf": issued,
        "auth_time": issued,
        "exp": issued + 3600,
        "subdomain": subdomain,
        "region": region,
    });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let text = format!("{}.{}", encode(&header), encode(&claims));
    let mut signature = vec![0; KEY.public().modulus_len()];
    // The signature is the same each time; chance only hides how long the work takes.
    KEY.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .expect("the buffer has the length of the key");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| {
    let document = STANDARD.decode(DOCUMENT).expect("the key below is base64");
    RsaKeyPair::from_pkcs8(&document).expect("the key below is a PKCS 8 document")
});

/// 2,048 bits, made for this file; nobody's secret.
const DOCUMENT: &str = "\
     MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQDi21dumiK7jEKXj/fcwTRt+ac1RaDKu2jTBtbUFnUI6FeiQPd1JofSON8hk+uRFxRfPcWb\
     QbLsDrdf7FMGP9vfK8hWpB9ipBEufX0oU1mCW+QH9XZuv9xE+iZg5TjG6+e99guL+U6XMSSyWSPOD6IyR/44BSEdLSFdXu+onuT7h43xn8H2wGMq9peBUVij\
     IVdCKU2jAk6ycp3NxyMsI2BL1VaCxyek72oHOmLoCtHGXd9lce6lin6rNtnNMPFhKmqsFAPfA4045er1ygVxMmTfjAXMxyTU3wSP7Q1P7Sv3EMetp5i0T4g4\
     RVEvmGZayfKU1mW9HMrDlceWvHabSAuvAgMBAAECggEAXNNUoNioKqbXXs4VpXpXGkMD5NvzUdFCsMrFH+56gCUWKrm7p++WtvH3d3Vf+DQB7YDIuWE2NbpF\
     1ZXNWSrLLLPtG2q3vvSUZToK+vO0Fg/ErG8HwYR3PLBBAPf6dgb0gfnKOsHOIzaEJggsivZBr6JexwxuQtKDKwIcPZqa5sKJEOxbuPjNN46IN8hcoC+vAfXD\
     QX1Y8H1WUWhC4HY8Z+gnGpwhdl+TpFLdw24J9/MdzM3LajYgkkWuqOwyvs3jz9eD0Ex/TCkERcSVRBAtYHgw+ZQzH8kSsf4J6S2jACqfShBiY/eTn4piZct+\
     zNKTSYSAr/Hq1/ZWR7kW2AoOLQKBgQD2gnRIKRwSpQbhVauOFrFfeQxEHIMImrJkeGovjt8dVjsHYdwJpeFFOcEUYJI6JN4Ao+IDej9OcmFKnFv409LAFpR9\
     AFzW6A+KxBTG5NqKcaWhnrWLazWbZbDe46MDlESAh7QGJbDrdtsIqFCkMGU6dteUn2ZBn3AX+fY8YbhRHQKBgQDrlzGUTQOSNBkKOlzR1293AjK1zSdQdjC9\
     POs7ju+9RVGwmCySNEG6NXs7+k+XdsJ2kpkThruuE9IPrdLjYNYFWAL+OZKT9jETjaLUPkmzinFkQ2c3+SHUK2XC7czIn5ykWjTiZQ4WzzWnoeHcFLg4Xet5\
     VnhM22lpC40yZA2iOwKBgQDaqBSk/XIdR6y2q9skihSDb0fmErRYKYAbhoQJ810NFLP/dFpNZIpRcU1G2fJbCOCzCKsuEn2dA/Aw0kjyilHieST1TCENr4I5\
     wHv9gHopW21j0veN12cRlD4zNxAd2KJ6r+SLn1szQZZAM6x0N0lTdp77AfkeNGKlod886CEqMQKBgQCnYE6QHzsXRz42/wns59NASOaANVXmG2I7QCmbscxv\
     uuzzutmHseq0gcSg8xBS+sPj+/kXX1S9s0U9cHBwrN7BAyt1NLAHwRRS4QC7K9mu3f/7jMurf6tiEscEe3BPZN6kAZaq9cLRv7tN8nwFoQ7UtR1TonRrnkLA\
     p71T/LOW+wKBgQCv7gOk4TJ+Sik9ylIh9kvwWj79klIYnZ4UiOgT1YdSZrq/HiWFhCNTJuJfHfDUo7bDXct/NqK3wwCNVm0sl1UzTVnRDX5YKlgGz8K2Xi9j\
     PEKSWOk31GdeWUDHPSeWbnMdzDKXcgGYhqISz98p1+VXeESYBQH/DwnjKK6ozS7IOw==";
