//! The databases that a test runs on, each fresh and gone afterwards.

use std::{
    env, fs,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use im_store::{Address, Connection, Db, DbOptions, LocalDb, PostgresConnection, SqliteConnection};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A fresh, empty place for a database.
pub(crate) struct Backend {
    pub(crate) options: DbOptions,
    place: Place,
}

enum Place {
    Memory,
    Folder(PathBuf),
    Schema { server: DbOptions, name: String },
}

impl Backend {
    pub(crate) fn memory() -> Self {
        Self {
            options: options("sqlite::memory:"),
            place: Place::Memory,
        }
    }

    pub(crate) fn file() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique_name());
        fs::create_dir_all(&folder).unwrap();
        Self {
            options: options(&format!("sqlite:{}", folder.join("im.db").display())),
            place: Place::Folder(folder),
        }
    }

    /// Nothing where no server is named.
    pub(crate) fn postgres() -> Option<Self> {
        let url = env::var("IM_TEST_POSTGRES_URL").ok()?;
        let name = unique_name();
        let server = options(&url);
        let backend = Self {
            options: options(&with_parameter(
                &url,
                &format!("options=-c%20search_path%3D{name}"),
            )),
            place: Place::Schema { server, name },
        };
        backend.on_server("CREATE SCHEMA");
        Some(backend)
    }

    pub(crate) fn local(&self) -> LocalDb {
        LocalDb::open(&self.options).unwrap()
    }

    pub(crate) fn db(&self) -> Db {
        Db::open(&self.options).unwrap()
    }

    /// A connection to the database as it is, without migrations.
    pub(crate) fn connection(&self) -> Box<dyn Connection> {
        connect(&self.options)
    }

    fn on_server(&self, what: &str) {
        if let Place::Schema { server, name } = &self.place {
            connect(server).script(&format!("{what} {name}")).unwrap();
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        match &self.place {
            Place::Memory => {}
            Place::Folder(folder) => drop(fs::remove_dir_all(folder)),
            Place::Schema { server, name } => {
                let script = format!("SET client_min_messages = error; DROP SCHEMA {name} CASCADE");
                drop(connect(server).script(&script));
            }
        }
    }
}

fn unique_name() -> String {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("store_{}_{number}", std::process::id())
}

fn options(address: &str) -> DbOptions {
    DbOptions::new(address, 7).unwrap()
}

fn with_parameter(url: &str, parameter: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}{parameter}")
}

fn connect(options: &DbOptions) -> Box<dyn Connection> {
    match &options.address {
        Address::SqliteMemory => Box::new(SqliteConnection::open_memory().unwrap()),
        Address::SqliteFile(path) => {
            Box::new(SqliteConnection::open_file(path, options.busy_wait).unwrap())
        }
        Address::Postgres(address) => Box::new(PostgresConnection::open(address).unwrap()),
    }
}

/// Runs `test` on each database.
pub(crate) fn each(test: impl Fn(&mut Backend)) {
    test(&mut Backend::memory());
    each_shared(test);
}

/// Runs `test` on each database that several connections can open.
pub(crate) fn each_shared(test: impl Fn(&mut Backend)) {
    test(&mut Backend::file());
    if let Some(mut backend) = Backend::postgres() {
        test(&mut backend);
    }
}
