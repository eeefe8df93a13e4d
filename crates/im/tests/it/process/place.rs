//! Where one server keeps its data: a folder, and a PostgreSQL schema where one is asked for.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use im_store::{Address, Connection as _, DbOptions, PostgresAddress, PostgresConnection};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Which database.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Sqlite,
    /// The address of a server.
    Postgres(String),
}

impl Kind {
    /// Every database there is to test on.
    pub(crate) fn all() -> Vec<Self> {
        let postgres = Self::postgres();
        std::iter::once(Self::Sqlite).chain(postgres).collect()
    }

    /// The server to test on, if there is one.
    pub(crate) fn postgres() -> Option<Self> {
        let server = std::env::var("IM_TEST_POSTGRES_URL").ok();
        server.map(Self::Postgres)
    }
}

/// A folder that goes when it is not needed any more, with its schema.
pub(crate) struct Place {
    folder: PathBuf,
    name: String,
    kind: Kind,
}

impl Place {
    pub(crate) fn new(kind: Kind) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kill_{}_{number}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(&name);
        // What a test run of the same number left behind.
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let place = Self { folder, name, kind };
        place.on_server("CREATE SCHEMA");
        place
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// None: the file in the folder.
    pub(crate) fn database_url(&self) -> Option<String> {
        let Kind::Postgres(server) = &self.kind else {
            return None;
        };
        let mark = if server.contains('?') { '&' } else { '?' };
        let name = &self.name;
        Some(format!("{server}{mark}options=-c%20search_path%3D{name}"))
    }

    fn on_server(&self, what: &str) {
        if let Kind::Postgres(server) = &self.kind {
            let script = format!("SET client_min_messages = error; {what} {}", self.name);
            connect(server).script(&script).unwrap();
        }
    }
}

fn connect(server: &str) -> PostgresConnection {
    let address: PostgresAddress = match DbOptions::new(server, 7).unwrap().address {
        Address::Postgres(address) => *address,
        Address::SqliteFile(_) | Address::SqliteMemory => unreachable!("{server} is a file"),
    };
    PostgresConnection::open(&address).unwrap()
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
        if let Kind::Postgres(server) = &self.kind {
            let script = format!(
                "SET client_min_messages = error; DROP SCHEMA {} CASCADE",
                self.name
            );
            drop(connect(server).script(&script));
        }
    }
}
