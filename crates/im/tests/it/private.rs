//! What is on disk is for its owner alone.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use im::local::{LocalOptions, build};
use im_pagerduty::Secret;

/// A directory that others may look into, made anew.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

fn options(folder: &Path) -> LocalOptions {
    LocalOptions {
        data_dir: folder.to_owned(),
        engine: true,
        ..LocalOptions::default()
    }
}

#[tokio::test]
async fn nobody_else_can_read_the_files_that_we_make() {
    let folder = folder("private-files");
    let app = build(&options(&folder), true).await.unwrap();
    app.vault.seal(&Secret::new("x")).unwrap();
    for name in ["im.db", "im.db-wal", "im.db-shm", "secret.key"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    tokio::task::spawn_blocking(move || drop(app))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_key_that_others_can_read_is_not_used() {
    let folder = folder("private-key");
    let app = build(&options(&folder), true).await.unwrap();
    let sealed = app.vault.seal(&Secret::new("x")).unwrap();
    tokio::task::spawn_blocking(move || drop(app))
        .await
        .unwrap();
    let key = folder.join("secret.key");
    for (bits, is_good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(bits)).unwrap();
        let app = build(&options(&folder), true).await.unwrap();
        match app.vault.open(&sealed) {
            Ok(_) => assert!(is_good, "{bits:o}"),
            Err(error) => {
                assert!(!is_good, "{bits:o}: {error}");
                assert!(
                    error.to_string().contains(&format!("(mode {bits:04o})")),
                    "{error}"
                );
                assert_eq!(error.next(), format!("`chmod 600 {}`", key.display()));
            }
        }
        tokio::task::spawn_blocking(move || drop(app))
            .await
            .unwrap();
    }
}

#[test]
fn the_place_of_the_data_is_said_without_a_password() {
    let place = |url: &str| {
        let options = LocalOptions {
            data_dir: "/var/lib/im".into(),
            database_url: (!url.is_empty()).then(|| url.to_owned()),
            ..LocalOptions::default()
        };
        options.place()
    };
    assert_eq!(place(""), "/var/lib/im");
    assert_eq!(
        place("postgres://im:hunter2@db.example.com:5433/incidents?sslmode=require&password=x"),
        "postgres://db.example.com:5433/incidents, key in /var/lib/im"
    );
    assert_eq!(
        place("sqlite:/srv/x.db"),
        "sqlite:/srv/x.db, key in /var/lib/im"
    );
}
