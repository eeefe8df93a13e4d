//! Deployments are told anew, and each change has a number of its own.

use im_core::IncidentNumber;
use im_store::deployments::{self, Commit, DeploymentRow, Status};
use im_store::incidents;
use im_store::{LocalDb, StoreError, Tx};
use jiff::Timestamp;

use crate::backend::each;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn deployment(id: &str, service: &str) -> DeploymentRow {
    DeploymentRow {
        id: id.to_owned(),
        service: service.to_owned(),
        environment: Some("production".to_owned()),
        version: None,
        started_at: at("2026-11-20T09:00:00.000001Z"),
        finished_at: None,
        status: Status::InProgress,
        unplanned_fix: true,
        commits: vec![Commit {
            sha: "abc123".to_owned(),
            time: at("2026-11-19T08:00:00Z"),
        }],
    }
}

fn write<T>(db: &mut LocalDb, work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
    db.write(work).unwrap()
}

#[test]
fn a_deployment_comes_back_as_it_was_told_last() {
    each(|backend| {
        let mut db = backend.local();
        let first = deployment("d1", "SDB");
        let mut over = first.clone();
        over.finished_at = Some(at("2026-11-20T09:05:00Z"));
        over.status = Status::Success;
        over.unplanned_fix = false;
        over.commits.clear();
        let other = deployment("d2", "SWEB");
        write(&mut db, |tx| deployments::put(tx, &first));
        write(&mut db, |tx| deployments::put(tx, &other));
        let (rows, last) = write(&mut db, |tx| deployments::after(tx, 0, 10)).unwrap();
        assert_eq!((rows, last), (vec![first.clone(), other.clone()], 2));
        write(&mut db, |tx| deployments::put(tx, &over));
        let news = write(&mut db, |tx| deployments::after(tx, 2, 10));
        assert_eq!(news, Some((vec![over.clone()], 3)));
        assert_eq!(write(&mut db, |tx| deployments::after(tx, 3, 10)), None);
        assert_eq!(
            write(&mut db, |tx| deployments::find(tx, "d1")),
            Some(over.clone())
        );
        assert_eq!(write(&mut db, |tx| deployments::find(tx, "d3")), None);
        let ids = ["d2", "d3"].map(str::to_owned);
        let some = write(&mut db, |tx| deployments::of_ids(tx, &ids));
        assert_eq!(
            some,
            std::slice::from_ref(&other),
            "an id that is not there is no row"
        );
        let none = write(&mut db, |tx| deployments::of_ids(tx, &[]));
        assert_eq!(none, []);
        let newest = write(&mut db, |tx| deployments::newest(tx, None, 10));
        assert_eq!(newest, [other, over.clone()]);
        let of_one = write(&mut db, |tx| deployments::newest(tx, Some("SDB"), 10));
        assert_eq!(of_one, [over]);
        let one = write(&mut db, |tx| deployments::newest(tx, None, 1));
        assert_eq!(one.len(), 1);
    });
}

#[test]
fn incidents_are_read_by_their_numbers_at_once() {
    each(|backend| {
        let mut db = backend.local();
        let now = at("2026-11-20T09:05:00Z");
        let numbers: Vec<IncidentNumber> = (0..3)
            .map(|_| write(&mut db, |tx| incidents::insert(tx, None, |_| None, now)))
            .collect();
        let asked = [numbers[2], numbers[0], IncidentNumber::new(77).unwrap()];
        let rows = write(&mut db, |tx| incidents::of_numbers(tx, &asked));
        let mut found: Vec<IncidentNumber> = rows.iter().map(|row| row.number).collect();
        found.sort();
        assert_eq!(found, [numbers[0], numbers[2]]);
        let none = write(&mut db, |tx| incidents::of_numbers(tx, &[]));
        assert_eq!(none, []);
    });
}
