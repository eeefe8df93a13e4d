//! Which crate may depend on which.

use super::source::Source;
use super::{Place, Rule};

/// What a crate may depend on.
enum May {
    Anything,
    /// These and what is [`FREE`].
    Use(&'static [&'static str]),
    /// A closed list.
    UseOnly(&'static [&'static str]),
}

/// What carries no IO and no opinion.
const FREE: [&str; 7] = [
    "base64",
    "hex",
    "jiff",
    "serde",
    "serde_json",
    "thiserror",
    "uuid",
];

const CRATES: [(&str, May); 8] = [
    ("im", May::Anything),
    (
        "im-core",
        May::UseOnly(&["jiff", "serde", "thiserror", "uuid"]),
    ),
    (
        "im-engine",
        May::Use(&["im-core", "im-pagerduty", "im-store", "tracing"]),
    ),
    (
        "im-metrics",
        May::UseOnly(&["hashbrown", "im-core", "jiff", "thiserror"]),
    ),
    (
        "im-pagerduty",
        May::Use(&["hmac", "im-core", "sha2", "subtle"]),
    ),
    ("im-report", May::Use(&["im-core", "krilla"])),
    (
        "im-store",
        May::Use(&[
            "fastrand",
            "im-core",
            "postgres",
            "rusqlite",
            "rustls",
            "sha2",
            "tokio-postgres-rustls",
        ]),
    ),
    ("pd-sim", May::Use(&["fastrand", "hmac", "ring", "sha2"])),
];

const DEPENDENCIES: Rule = Rule {
    wrong: "a dependency that this crate may not have",
    instead: "see the crate's place in ARCHITECTURE.md; a new crate, or a new dependency of a \
              crate without IO, needs a record in docs/adr and a line in tidy/manifests.rs",
    find: |sources| {
        let mut places = Vec::new();
        for (manifest, name) in manifests(sources) {
            let Some((_, may)) = CRATES.iter().find(|(known, _)| *known == name) else {
                places.push(Place::new(manifest, 1, name));
                continue;
            };
            for (line, is_shipped, dependency) in dependencies(&manifest.text) {
                let may = match may {
                    May::Anything => true,
                    May::Use(list) => list.contains(&dependency) || FREE.contains(&dependency),
                    May::UseOnly(list) => list.contains(&dependency),
                };
                if is_shipped && !may {
                    places.push(Place::new(manifest, line, dependency));
                }
            }
        }
        places
    },
};

const STRANGERS: Rule = Rule {
    wrong: "the simulator and our code share types",
    instead: "write the type twice: a client and a server of one author are wrong together",
    find: |sources| {
        let mut places = Vec::new();
        for (manifest, name) in manifests(sources) {
            for (line, is_shipped, dependency) in dependencies(&manifest.text) {
                let ours = dependency == "im" || dependency.starts_with("im-");
                let sim = dependency == "pd-sim" && is_shipped && name != "im";
                if (name == "pd-sim" && ours) || sim {
                    places.push(Place::new(manifest, line, dependency));
                }
            }
        }
        places
    },
};

fn manifests(sources: &[Source]) -> impl Iterator<Item = (&Source, &str)> {
    sources
        .iter()
        .filter(|source| source.path.ends_with("/Cargo.toml"))
        .filter_map(|source| Some((source, source.crate_name()?)))
}

/// Each dependency: its line, whether more than tests need it, and its name in the registry.
fn dependencies(manifest: &str) -> Vec<(usize, bool, &str)> {
    let mut found: Vec<(usize, bool, &str)> = Vec::new();
    let mut section = None;
    for (line, text) in (1..).zip(manifest.lines().map(str::trim)) {
        if let Some(header) = text.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let is_shipped = !header.contains("dev-dependencies");
            section = header.ends_with("dependencies").then_some(is_shipped);
            if let Some((_, name)) = header.split_once("dependencies.") {
                found.push((line, is_shipped, name));
            }
        } else if let (Some(is_shipped), Some((key, value))) = (section, text.split_once('=')) {
            let named = value.split_once("package = \"").map(|(_, name)| name);
            let renamed = named.and_then(|name| name.split('"').next());
            let key = key.split('.').next().unwrap_or_default().trim();
            if !key.starts_with('#') {
                found.push((line, is_shipped, renamed.unwrap_or(key)));
            }
        }
    }
    found
}

#[test]
fn each_crate_depends_on_what_it_may() {
    let core = "crates/im-core/Cargo.toml";
    let workspace = "{ workspace = true }";
    DEPENDENCIES.breaks(
        core,
        &format!("[dependencies]\nserde = {workspace}\nhex = {workspace}\n"),
        &[3],
    );
    DEPENDENCIES.breaks(core, "[dev-dependencies]\ninsta = \"1\"\n", &[]);
    DEPENDENCIES.breaks(core, "[dependencies.tokio]\nversion = \"1\"\n", &[1]);
    DEPENDENCIES.breaks(
        core,
        "[target.'cfg(unix)'.dependencies]\nlibc = \"0\"",
        &[2],
    );
    DEPENDENCIES.breaks(core, "[build-dependencies]\ncc.workspace = true\n", &[2]);
    DEPENDENCIES.breaks(core, "[features]\ntokio = []\n", &[]);
    DEPENDENCIES.breaks(
        core,
        "[dependencies]\n# hex = 1\nserde = { package = \"tokio\", version = \"1\" }\n",
        &[3],
    );
    let pagerduty = "crates/im-pagerduty/Cargo.toml";
    let plain = "[dependencies]\nhex.workspace = true\nim-store.workspace = true";
    DEPENDENCIES.breaks(pagerduty, plain, &[3]);
    DEPENDENCIES.breaks("crates/im/Cargo.toml", plain, &[]);
    DEPENDENCIES.breaks("crates/im-utils/Cargo.toml", "[package]", &[1]);
    DEPENDENCIES.keep();
}

#[test]
fn the_simulator_and_our_code_are_strangers() {
    let sim = "crates/pd-sim/Cargo.toml";
    STRANGERS.breaks(sim, "[dev-dependencies]\nim-core = 1\nimpl = 1", &[2]);
    let engine = "crates/im-engine/Cargo.toml";
    STRANGERS.breaks(engine, "[dependencies]\npd-sim = 1", &[2]);
    STRANGERS.breaks(engine, "[dev-dependencies]\npd-sim = 1", &[]);
    STRANGERS.keep();
}
