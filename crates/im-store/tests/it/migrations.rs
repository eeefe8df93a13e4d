//! The schema: order, checksums, newer databases, two migrators.

use std::thread;

use im_store::{
    Connection, LocalDb, MigrateError, StoreError, all_statements,
    fault::Faults,
    migrate::{self, MIGRATIONS, Migration},
    prepare_all,
};

use crate::backend::{each, each_shared};

const ADD: &str = "CREATE TABLE added (id BIGINT NOT NULL PRIMARY KEY)";
const BROKEN: &str = "CREATE TABLE half (id BIGINT); CREATE TABLE half (id BIGINT)";

fn with(extra: &[Migration]) -> Vec<Migration> {
    [MIGRATIONS, extra].concat()
}

fn extra(name: &'static str, sql: &'static str) -> Migration {
    let last = MIGRATIONS.iter().map(|step| step.number).max().unwrap();
    Migration::new(last + 1, name, sql, sql)
}

fn run(connection: &mut Box<dyn Connection>, steps: &[Migration]) -> Result<(), StoreError> {
    migrate::run(connection.as_mut(), steps)
}

#[test]
fn numbers_have_no_gaps_and_names_begin_with_them() {
    for (number, step) in (1..).zip(MIGRATIONS) {
        assert_eq!(step.number, number);
        assert!(
            step.name.starts_with(&format!("{number:04}_")),
            "{}",
            step.name
        );
    }
}

#[test]
fn every_statement_is_understood() {
    each(|backend| {
        let statements = all_statements();
        assert!(statements.len() > 2);
        backend
            .local()
            .read(|tx| prepare_all(tx, &statements))
            .unwrap();
    });
}

#[test]
fn a_statement_that_is_not_understood_is_named() {
    each(|backend| {
        let wrong = [
            ("good", "SELECT value FROM counter"),
            ("bad", "SELECT nothing FROM counter"),
        ];
        let result = backend.local().read(|tx| prepare_all(tx, &wrong));
        match result {
            Err(StoreError::Sql { statement, .. }) => assert_eq!(statement, "bad"),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_new_step_is_applied_once() {
    each(|backend| {
        let mut connection = backend.connection();
        run(&mut connection, MIGRATIONS).unwrap();
        assert!(!connection.has_table("added").unwrap());
        let steps = with(&[extra("9999_added", ADD)]);
        run(&mut connection, &steps).unwrap();
        run(&mut connection, &steps).unwrap();
        assert!(connection.has_table("added").unwrap());
    });
}

#[test]
fn a_step_that_fails_leaves_nothing() {
    each(|backend| {
        let mut connection = backend.connection();
        let steps = with(&[extra("9999_broken", BROKEN)]);
        assert!(matches!(
            run(&mut connection, &steps),
            Err(StoreError::Sql { .. })
        ));
        assert!(!connection.has_table("half").unwrap());
        assert!(!connection.has_table("counter").unwrap());
        run(&mut connection, MIGRATIONS).unwrap();
    });
}

#[test]
fn an_edited_step_is_refused_by_name() {
    each(|backend| {
        let mut connection = backend.connection();
        run(&mut connection, &with(&[extra("9999_added", ADD)])).unwrap();
        let edited = with(&[extra("9999_added", "CREATE TABLE other (id BIGINT)")]);
        match run(&mut connection, &edited) {
            Err(StoreError::Misfit(MigrateError::Changed { name })) => {
                assert_eq!(name, "9999_added");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_newer_database_is_refused_unless_it_says_otherwise() {
    each(|backend| {
        let mut connection = backend.connection();
        let step = extra("9999_added", ADD);
        run(&mut connection, &with(&[step.usable_since(1)])).unwrap();
        run(&mut connection, MIGRATIONS).unwrap();
        connection
            .execute(
                "UPDATE migration SET needs = number WHERE name = '9999_added'",
                &[],
            )
            .unwrap();
        match run(&mut connection, MIGRATIONS) {
            Err(StoreError::Misfit(MigrateError::Newer { needed, known })) => {
                assert_eq!((needed, known), (step.number, step.number - 1));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn many_may_open_a_new_database_at_once() {
    each_shared(|backend| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| backend.local());
            }
        });
        let numbers = backend
            .local()
            .read(|tx| tx.query("SELECT number FROM migration", &[]))
            .unwrap();
        assert_eq!(numbers.len(), MIGRATIONS.len());
    });
}

#[test]
fn opening_again_costs_one_query() {
    each_shared(|backend| {
        backend.local();
        let faults = Faults::new();
        backend.options.faults = Some(faults.clone());
        faults.fail_statement(2, im_store::fault::Fault::Full);
        LocalDb::open(&backend.options).unwrap();
        assert!(faults.disarm(), "there was no second statement");
    });
}
