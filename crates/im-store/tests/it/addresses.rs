//! Addresses that people write.

use im_store::{Address, StoreError};

#[track_caller]
fn check(address: &str, expect: &str) {
    let found = match Address::parse(address) {
        Ok(address) => format!("{address:?}"),
        Err(StoreError::Address(cause)) => format!("refused: {cause}"),
        Err(other) => format!("{other:?}"),
    };
    assert_eq!(found, expect);
}

#[test]
fn addresses_are_read_and_shown_without_their_password() {
    check("sqlite:im.db", "sqlite:im.db");
    check("sqlite:///var/im.db", "sqlite:/var/im.db");
    check("data/im.db", "sqlite:data/im.db");
    check(":memory:", "sqlite::memory:");
    check("sqlite::memory:", "sqlite::memory:");
    check("postgres://ann:secret@db/im", "postgres:[Tcp(\"db\")]/im");
    let hint = "refused: write `sqlite:PATH`, a path or `postgres://…`";
    check("", hint);
    check("mysql://db/im", hint);
    let modes = "write disable, allow, prefer, require, verify-ca or verify-full";
    check(
        "postgres://db/im?sslmode=yes",
        &format!("refused: sslmode is `yes`; {modes}"),
    );
}
