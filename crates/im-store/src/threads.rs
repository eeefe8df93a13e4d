//! A database on threads of its own.
//!
//! A thread owns one connection and takes jobs from a bounded queue. The one writer takes
//! everything that waits and commits once for all of it, because the disk's flush is what costs.
//! Each job has a savepoint, so one that fails takes nobody with it.
//!
//! Invariants
//! - A caller gets `Ok` only after the commit.
//! - Callers never wait for room: a full queue answers [`StoreError::Overloaded`].
//! - A panic in a job fails that job and nothing else.
//! - Dropping the last [`Db`] runs what waits, then closes the connections.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
};

use crate::{
    Address, Cause, Connection, DbOptions, Pending, PostgresConnection, SqliteConnection,
    StoreError, Tx, TxKind, migrate,
    queue::Queue,
    reply::{self, Reply},
    session::Session,
    tx::{Task, Work, run_alone, run_group},
};

/// Jobs in one commit. With more, all who send wait for one commit at the same time and the writer
/// then waits for all of them; with this many, the next group comes in while one is committed.
const GROUP_MAX: usize = 64;

/// A database with its threads. Clones share them.
#[derive(Clone)]
pub struct Db {
    threads: Arc<Threads>,
}

struct Threads {
    writes: Arc<Queue<AnyJob>>,
    reads: Arc<Queue<AnyJob>>,
    handles: Vec<JoinHandle<()>>,
}

impl Db {
    /// Opens the database, brings its schema up to date and starts the threads.
    pub fn open(options: &DbOptions) -> Result<Self, StoreError> {
        let writes = Arc::new(Queue::new(options.queue_max));
        let mut threads = Threads {
            reads: Arc::clone(&writes),
            writes,
            handles: Vec::new(),
        };
        if matches!(options.address, Address::SqliteMemory) {
            threads.start("im-store", Role::Alone, options)?;
            return Ok(Self {
                threads: Arc::new(threads),
            });
        }
        threads.reads = Arc::new(Queue::new(options.queue_max));
        threads.start("im-store-write", Role::Grouped, options)?;
        for _ in 0..options.readers.max(1) {
            threads.start("im-store-read", Role::Reader, options)?;
        }
        Ok(Self {
            threads: Arc::new(threads),
        })
    }

    /// Runs `work` in a transaction and keeps what it did, unless it fails.
    ///
    /// It starts now, not when the result is awaited.
    pub fn write<T, E, F>(&self, work: F) -> Pending<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        send(&self.threads.writes, TxKind::Write, work)
    }

    /// Runs `work`, which sees one state and changes nothing.
    pub fn read<T, E, F>(&self, work: F) -> Pending<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        send(&self.threads.reads, TxKind::Read, work)
    }

    /// Writes that wait for a thread: the number to watch for overload.
    pub fn writes_waiting(&self) -> usize {
        self.threads.writes.len()
    }

    /// Writes that are not answered yet, whether they wait or are in the commit that is being made.
    pub fn writes_under_way(&self) -> usize {
        self.threads.writes.under_way()
    }
}

fn send<T, E, F>(queue: &Queue<AnyJob>, kind: TxKind, work: F) -> Pending<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    let (reply, pending) = reply::pair();
    let job = AnyJob {
        kind,
        job: Box::new(TypedJob {
            task: Task::new(work),
            reply,
        }),
    };
    if let Err((mut job, error)) = queue.push(job) {
        job.job.fail(error);
        job.job.answer();
    }
    pending
}

/// Opens one connection as the options say.
pub(crate) fn connect(options: &DbOptions) -> Result<Box<dyn Connection>, StoreError> {
    let connection: Box<dyn Connection> = match &options.address {
        Address::SqliteFile(path) => {
            Box::new(SqliteConnection::open_file(path, options.busy_wait)?)
        }
        Address::SqliteMemory => Box::new(SqliteConnection::open_memory()?),
        Address::Postgres(address) => Box::new(PostgresConnection::open(address)?),
    };
    #[cfg(feature = "fault")]
    if let Some(faults) = &options.faults {
        return Ok(faults.wrap(connection));
    }
    Ok(connection)
}

/// A job without its types.
struct AnyJob {
    kind: TxKind,
    job: Box<dyn Job>,
}

impl AsMut<dyn Work> for AnyJob {
    fn as_mut(&mut self) -> &mut (dyn Work + 'static) {
        self.job.as_mut()
    }
}

trait Job: Work + Send {
    /// Tells the caller. The last thing that happens to a job.
    fn answer(self: Box<Self>);
}

struct TypedJob<F, T, E> {
    task: Task<F, T, E>,
    reply: Reply<T, E>,
}

impl<F, T, E> Work for TypedJob<F, T, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
    E: From<StoreError>,
{
    fn attempt(&mut self, tx: &mut Tx<'_>) -> bool {
        match catch_unwind(AssertUnwindSafe(|| self.task.attempt(tx))) {
            Ok(keep) => keep,
            Err(panic) => {
                self.task.fail(StoreError::Panicked {
                    message: message(panic.as_ref()),
                });
                false
            }
        }
    }

    fn fail(&mut self, error: StoreError) {
        self.task.fail(error);
    }
}

impl<F, T, E> Job for TypedJob<F, T, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn answer(self: Box<Self>) {
        if let Some(result) = self.task.result {
            self.reply.send(result);
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
        .to_owned()
}

/// What a thread does.
#[derive(Clone, Copy)]
enum Role {
    /// Writes, many jobs in one commit.
    Grouped,
    /// Reads and writes, each in a transaction of its own.
    Alone,
    /// Reads only.
    Reader,
}

impl Threads {
    /// Starts a thread and waits until its connection is open.
    fn start(&mut self, name: &str, role: Role, options: &DbOptions) -> Result<(), StoreError> {
        let number = u64::try_from(self.handles.len()).unwrap_or(0);
        // Different threads must not hand out the same ids.
        let seed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let session = Session::new(options.seed.wrapping_add(seed));
        let queue = match role {
            Role::Grouped | Role::Alone => Arc::clone(&self.writes),
            Role::Reader => Arc::clone(&self.reads),
        };
        let options = options.clone();
        let (ready, opened) = reply::pair();
        let body = move || match open(role, &options) {
            Ok(connection) => {
                ready.send(Ok(()));
                serve(role, connection, session, &queue);
            }
            Err(error) => ready.send(Err(error)),
        };
        let handle = thread::Builder::new()
            .name(name.to_owned())
            .spawn(body)
            .map_err(|error| StoreError::Unavailable(Cause::new(error)))?;
        self.handles.push(handle);
        opened.wait()
    }
}

fn open(role: Role, options: &DbOptions) -> Result<Box<dyn Connection>, StoreError> {
    match role {
        Role::Grouped | Role::Alone => {
            let mut connection = connect(options)?;
            migrate::run(connection.as_mut(), migrate::MIGRATIONS)?;
            Ok(connection)
        }
        Role::Reader => connect(options),
    }
}

/// Runs jobs until the queue is closed and empty.
fn serve(
    role: Role,
    mut connection: Box<dyn Connection>,
    mut session: Session,
    queue: &Queue<AnyJob>,
) {
    let _guard = AbandonOnPanic(queue);
    let limit = match role {
        Role::Grouped => GROUP_MAX,
        Role::Alone | Role::Reader => 1,
    };
    loop {
        let mut jobs = queue.take(limit);
        if jobs.is_empty() {
            return;
        }
        match role {
            Role::Grouped => run_group(connection.as_mut(), &mut session, &mut jobs),
            Role::Alone | Role::Reader => {
                for job in &mut jobs {
                    run_alone(connection.as_mut(), &mut session, job.kind, job.as_mut());
                }
            }
        }
        for job in jobs {
            job.job.answer();
        }
    }
}

/// If a thread dies by a mistake of ours, nobody waits for it for ever.
struct AbandonOnPanic<'q>(&'q Queue<AnyJob>);

impl Drop for AbandonOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abandon();
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.writes.close();
        self.reads.close();
        for handle in self.handles.drain(..) {
            // A job may hold the last clone; a thread cannot wait for itself.
            if handle.thread().id() != thread::current().id() {
                // A thread that panicked has abandoned its queue already.
                drop(handle.join());
            }
        }
    }
}
