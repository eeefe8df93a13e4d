//! What can break at each service, and what it is when somebody has looked.

use fastrand::Rng;

use super::{pick, weighted};

/// Where the database is in the account's order of services.
pub(super) const DATABASE: usize = 2;
/// Where search is.
pub(super) const SEARCH: usize = 3;

/// A thing that breaks.
#[derive(Clone, Copy)]
pub(super) struct Trouble {
    pub(super) title: &'static str,
    pub(super) severity: &'static str,
    /// What is noted while it lasts.
    pub(super) seen: &'static str,
    /// What was behind it.
    pub(super) cause: &'static str,
    /// Whether no change of the company's own can have caused it.
    pub(super) outside: bool,
}

const fn critical(title: &'static str, seen: &'static str, cause: &'static str) -> Trouble {
    Trouble {
        title,
        severity: "critical",
        seen,
        cause,
        outside: false,
    }
}

const fn warning(title: &'static str, seen: &'static str, cause: &'static str) -> Trouble {
    Trouble {
        severity: "warning",
        ..critical(title, seen, cause)
    }
}

const fn outside(title: &'static str, seen: &'static str) -> Trouble {
    Trouble {
        outside: true,
        ..critical(title, seen, "root cause: outage of a provider")
    }
}

const SLOW_QUERY: &str = "root cause: slow query";
const LOAD: &str = "root cause: load";
const CONFIGURATION: &str = "root cause: configuration";
const FULL_DISK: &str = "root cause: full disk";
const CONNECTIONS: &str = "root cause: exhausted connections";
const DEFECT: &str = "root cause: old defect";
const CERTIFICATE: &str = "root cause: expired certificate";

/// Those of each service, in the account's order; the first ones come most often.
const TROUBLES: [[Trouble; 5]; 6] = [
    [
        critical(
            "Card payments: error rate above 5 %",
            "All errors come from one node; it is out of rotation.",
            CONFIGURATION,
        ),
        warning(
            "Payments: p99 latency above 1 s",
            "The cache was cold after the restart.",
            LOAD,
        ),
        outside(
            "Card payments: provider times out",
            "The provider's status page is yellow.",
        ),
        outside(
            "Refunds fail for one bank",
            "The bank answers 503; refunds are queued.",
        ),
        warning(
            "Reconciliation is 30 min behind",
            "One worker hung; restarted.",
            SLOW_QUERY,
        ),
    ],
    [
        critical(
            "Checkout: p95 above 3 s",
            "The basket is read twice for each step.",
            SLOW_QUERY,
        ),
        critical(
            "Checkout: 502 from the gateway",
            "Two of six nodes do not answer.",
            LOAD,
        ),
        warning(
            "Checkout: script errors above 1 %",
            "Only one old browser.",
            CONFIGURATION,
        ),
        critical(
            "Checkout: payment page is blank for some",
            "The script is blocked by our own policy header.",
            CONFIGURATION,
        ),
        warning(
            "Checkout: basket service is slow",
            "Back to normal by itself.",
            LOAD,
        ),
    ],
    [
        critical(
            "Replica lag above 60 s",
            "A report reads the whole order table.",
            SLOW_QUERY,
        ),
        warning(
            "Disk 90 % full on db-2",
            "Old write-ahead logs removed.",
            FULL_DISK,
        ),
        critical(
            "Connections exhausted on db-1",
            "A batch job holds its connections.",
            CONNECTIONS,
        ),
        warning(
            "Slow queries above 50 a minute",
            "An index is missing on `orders`.",
            SLOW_QUERY,
        ),
        warning("Backup did not finish", "Started again by hand.", FULL_DISK),
    ],
    [
        critical(
            "Search: p99 latency above 2 s",
            "One shard takes all the load.",
            LOAD,
        ),
        critical(
            "Index older than an hour",
            "The indexer waits for a lock.",
            SLOW_QUERY,
        ),
        critical(
            "Search: error rate above 2 %",
            "A shard is rebuilding.",
            FULL_DISK,
        ),
        warning(
            "Search: suggestions are empty",
            "The nightly list was not built.",
            CONFIGURATION,
        ),
        warning("Search: heap above 90 %", "Node restarted.", LOAD),
    ],
    [
        critical(
            "Mail queue older than 10 min",
            "A campaign went out at noon.",
            LOAD,
        ),
        warning("Push messages are late", "The queue drains.", LOAD),
        outside(
            "SMS provider refuses messages",
            "Switched to the second provider.",
        ),
        warning(
            "Bounce rate above 3 %",
            "One domain refuses everything.",
            CONFIGURATION,
        ),
        critical(
            "Mail: templates cannot be read",
            "The bucket's policy changed.",
            CONFIGURATION,
        ),
    ],
    [
        critical(
            "Invoices are not sent",
            "The job died at an invoice without an address.",
            CONFIGURATION,
        ),
        warning("Invoice run is late", "Waits for the database.", SLOW_QUERY),
        outside(
            "VAT service does not answer",
            "Numbers are checked tomorrow.",
        ),
        warning("Dunning run took 2 hours", "More letters than usual.", LOAD),
        critical(
            "Billing: p95 above 5 s",
            "Exports are made during the day.",
            SLOW_QUERY,
        ),
    ],
];

/// What comes once in a while, in the same order.
const RARE: [[Trouble; 5]; 6] = [
    [
        critical(
            "Payouts are made twice in a test shop",
            "Only that shop.",
            DEFECT,
        ),
        warning(
            "Fraud scores are missing",
            "The model did not load.",
            CONFIGURATION,
        ),
        critical(
            "Webhook of the card network is refused",
            "Its certificate is new.",
            CERTIFICATE,
        ),
        warning(
            "Currency table is of yesterday",
            "The download was empty.",
            DEFECT,
        ),
        critical(
            "Wallet payments are declined",
            "One header is too long.",
            DEFECT,
        ),
    ],
    [
        critical(
            "Vouchers cannot be redeemed",
            "A date is read as of another zone.",
            DEFECT,
        ),
        warning(
            "Address search finds nothing",
            "Fell back to the old one.",
            CONFIGURATION,
        ),
        critical(
            "Login loops on old tablets",
            "A cookie is not taken.",
            DEFECT,
        ),
        warning(
            "Images are slow in one region",
            "The cache there was cleared.",
            LOAD,
        ),
        critical(
            "Baskets of guests are empty",
            "Their session was cut short.",
            CONFIGURATION,
        ),
    ],
    [
        critical(
            "Primary restarted by itself",
            "Out of memory; a report is back.",
            LOAD,
        ),
        warning("Vacuum runs since yesterday", "Let it end.", LOAD),
        critical(
            "Certificate of the pooler ended",
            "Renewed by hand.",
            CERTIFICATE,
        ),
        warning(
            "Archive of logs is incomplete",
            "The bucket was full.",
            FULL_DISK,
        ),
        critical(
            "Deadlocks on the order table",
            "Two jobs take rows in turn.",
            DEFECT,
        ),
    ],
    [
        critical(
            "Synonyms are ignored",
            "The list has a line too many.",
            CONFIGURATION,
        ),
        warning(
            "Crawler is blocked by our own rules",
            "Rule taken back.",
            CONFIGURATION,
        ),
        critical("A shard has no leader", "Elected by hand.", DEFECT),
        warning("Facets are counted twice", "Only in the outlet.", DEFECT),
        critical("Snapshot fills the disk", "Old ones removed.", FULL_DISK),
    ],
    [
        critical(
            "Reminders go to the wrong language",
            "Stopped the campaign.",
            DEFECT,
        ),
        warning(
            "Sender address fails its check",
            "The record has a typo.",
            CONFIGURATION,
        ),
        critical("Push certificate ended", "Renewed by hand.", CERTIFICATE),
        warning(
            "Unsubscribe page is slow",
            "The list is read as a whole.",
            SLOW_QUERY,
        ),
        critical(
            "Newsletter is sent twice",
            "The second half was stopped.",
            DEFECT,
        ),
    ],
    [
        critical(
            "Direct debits are rejected",
            "The bank has a new format.",
            CONFIGURATION,
        ),
        warning("Export for the accountants is late", "Started again.", LOAD),
        critical(
            "Credit notes have no number",
            "The sequence was at its end.",
            DEFECT,
        ),
        warning("Archive of invoices is full", "Given more room.", FULL_DISK),
        critical(
            "Discounts are counted as tax",
            "Only for two customers.",
            DEFECT,
        ),
    ],
];

/// What people tell before monitoring does.
pub(super) const DECLARED: [Trouble; 4] = [
    critical(
        "Customers report that orders are missing",
        "They are there; the list is cached.",
        CONFIGURATION,
    ),
    critical(
        "Support: prices differ between pages",
        "Two nodes have the old price list.",
        CONFIGURATION,
    ),
    critical(
        "Support: nobody gets a confirmation",
        "Mails are held by the filter.",
        CONFIGURATION,
    ),
    critical(
        "Partner cannot reach our API",
        "Their new address is not on the list.",
        CONFIGURATION,
    ),
];

/// What a release breaks at each service.
pub(super) const BROKEN: [Trouble; 6] = [
    critical(
        "Card payments: error rate above 5 %",
        "It began with the release; rolling back.",
        "root cause: release",
    ),
    critical(
        "Checkout: 502 from the gateway",
        "The new version does not become ready.",
        "root cause: release",
    ),
    critical(
        "Replica lag above 60 s",
        "The migration rewrites the table.",
        "root cause: migration",
    ),
    critical(
        "Search: error rate above 2 %",
        "The new version reads the old index.",
        "root cause: release",
    ),
    critical(
        "Mail queue older than 10 min",
        "The new worker sends nothing.",
        "root cause: release",
    ),
    critical(
        "Invoices are not sent",
        "The new version wants a field that old invoices lack.",
        "root cause: release",
    ),
];

/// Which service is hit.
pub(super) fn service(rng: &mut Rng) -> usize {
    weighted(rng, &[24, 22, 18, 10, 15, 11])
}

/// What breaks at a service.
pub(super) fn of(rng: &mut Rng, service: usize) -> Trouble {
    let rare = rng.u8(0..100) < 32;
    let (all, index) = if rare {
        (&RARE, rng.usize(0..5))
    } else {
        (&TROUBLES, weighted(rng, &[30, 25, 18, 14, 13]))
    };
    let found = all.get(service).and_then(|all| all.get(index)).copied();
    found.unwrap_or_else(|| pick(rng, &DECLARED))
}
