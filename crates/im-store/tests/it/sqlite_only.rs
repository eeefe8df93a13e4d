//! What only SQLite has: copies of an image, full and damaged files.

use std::fs;

use im_store::{Address, LocalDb, SqliteImage, StoreError, counter, params};

use crate::backend::Backend;

#[test]
fn copies_of_an_image_are_apart() {
    let image = SqliteImage::new().unwrap();
    let mut one = LocalDb::from_image(&image, 1).unwrap();
    let mut two = LocalDb::from_image(&image, 1).unwrap();
    let first = one.write(|tx| counter::next(tx, "fact", 5)).unwrap();
    let second = two.write(|tx| counter::next(tx, "fact", 1)).unwrap();
    assert_eq!((first, second), (1, 1));
    assert_eq!(one.read(|tx| counter::last(tx, "fact")).unwrap(), 5);
}

/// A second tree for a number that is the row's own place would cost each write and each look.
#[test]
fn a_key_that_is_a_number_is_the_row_id() {
    let mut db = LocalDb::from_image(&SqliteImage::new().unwrap(), 1).unwrap();
    let with_second_tree = "
        SELECT tables.name FROM sqlite_schema AS tables
          JOIN pragma_index_list(tables.name) AS indexes ON indexes.origin = 'pk'
          JOIN pragma_table_info(tables.name) AS columns ON columns.pk = 1
         WHERE columns.type <> 'TEXT'";
    let found = db.read(|tx| tx.query(with_second_tree, &[])).unwrap();
    let tables: Vec<_> = found.iter().map(|row| row.text(0).unwrap()).collect();
    assert!(tables.is_empty(), "{tables:?}");
}

#[test]
fn foreign_keys_are_checked_in_a_copy_too() {
    let mut db = LocalDb::from_image(&SqliteImage::new().unwrap(), 1).unwrap();
    db.write(|tx| {
        tx.execute("CREATE TABLE parent (id BIGINT NOT NULL PRIMARY KEY)", &[])?;
        tx.execute("CREATE TABLE child (id BIGINT REFERENCES parent (id))", &[])
    })
    .unwrap();
    let orphan = db.write(|tx| tx.execute("INSERT INTO child (id) VALUES (1)", &[]));
    assert!(matches!(orphan, Err(StoreError::Sql { .. })), "{orphan:?}");
}

#[test]
fn a_full_disk_is_told_apart_and_survived() {
    let backend = Backend::file();
    let mut connection = backend.connection();
    let create = "CREATE TABLE blob (id BIGINT NOT NULL PRIMARY KEY, text TEXT)";
    connection.script(create).unwrap();
    connection.script("PRAGMA max_page_count = 40").unwrap();
    let mut db = LocalDb::on(connection, 1);
    let put = "INSERT INTO blob (id, text) VALUES (?1, ?2)";
    let text = "x".repeat(1 << 20);
    db.write(|tx| tx.execute(put, params![1_i64, "small"]))
        .unwrap();
    let big = db.write(|tx| tx.execute(put, params![2_i64, text.as_str()]));
    assert!(matches!(big, Err(StoreError::Full(_))), "{big:?}");
    db.write(|tx| tx.execute(put, params![3_i64, "small"]))
        .unwrap();
    let ids = db.read(|tx| tx.query("SELECT id FROM blob", &[])).unwrap();
    assert_eq!(ids.len(), 2);
}

#[test]
fn a_file_that_is_no_database_is_corrupt() {
    let backend = Backend::file();
    let Address::SqliteFile(path) = &backend.options.address else {
        unreachable!()
    };
    fs::write(
        path,
        "not a database, but long enough to be looked at".repeat(50),
    )
    .unwrap();
    let opened = LocalDb::open(&backend.options).map(drop);
    assert!(
        matches!(opened, Err(StoreError::Corrupt { .. })),
        "{opened:?}"
    );
}

#[test]
fn a_folder_that_is_missing_is_unavailable() {
    let mut backend = Backend::file();
    backend.options.address = Address::parse("/nowhere/at/all/im.db").unwrap();
    let opened = LocalDb::open(&backend.options).map(drop);
    assert!(
        matches!(opened, Err(StoreError::Unavailable(_))),
        "{opened:?}"
    );
}
