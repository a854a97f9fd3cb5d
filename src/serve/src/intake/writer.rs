//! The one thread that writes: whatever waits is one transaction.

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc, oneshot};

use super::{
    Batch, IntakeError, Receipt,
    database::{Chosen, Database},
    seen::Seen,
};

/// Bytes of one transaction, about.
const MOST_BYTES: usize = 4 << 20;
/// Requests that may wait; what bounds their memory is how many bytes may.
const MOST_WAITING: usize = 1 << 16;

/// How long to wait where the queue is full.
const BREATH: Duration = Duration::from_millis(5);

/// What an intake has done since it was opened, and what it has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Transactions.
    pub commits: u64,
    /// How long they took together.
    pub commit_time: Duration,
    /// Bytes of events that wait to be written.
    pub waiting_bytes: usize,
}

/// Transactions and the nanoseconds that they took, counted by the thread that writes.
#[derive(Debug, Default)]
struct Counted {
    commits: AtomicU64,
    nanos: AtomicU64,
}

impl Counted {
    fn add(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
    }
}

/// Hands batches to the thread that writes them.
#[derive(Debug)]
pub(super) struct Writer {
    counted: Arc<Counted>,
    /// How many bytes may wait.
    most: usize,
    jobs: Option<mpsc::Sender<Job>>,
    room: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Job {
    Take(Box<Taking>),
    /// Anything else that changes the database: only one thread does.
    Run(Box<dyn FnOnce(&mut Database) + Send>),
}

struct Taking {
    batch: Batch,
    /// Until it is written, whoever waits for that or does not any more.
    _room: OwnedSemaphorePermit,
    done: oneshot::Sender<Result<Receipt, Arc<IntakeError>>>,
}

impl Writer {
    pub(super) fn open(dir: &Path, remember: usize, bytes: usize) -> Result<Self, IntakeError> {
        let lock = lock(dir)?;
        let mut database = Database::open(dir)?;
        let mut seen = Seen::new(remember);
        database.each_key(|key| {
            seen.insert(key);
        })?;
        let (jobs, waiting) = mpsc::channel(MOST_WAITING);
        let counted = Arc::<Counted>::default();
        let counts = counted.clone();
        let thread = thread::Builder::new().name("intake".into()).spawn(move || {
            run(database, seen, waiting, &counts);
            drop(lock);
        });
        let thread = thread.map_err(IntakeError::io("start a thread for", dir))?;
        let most = bytes.min(Semaphore::MAX_PERMITS);
        let (jobs, room) = (Some(jobs), Arc::new(Semaphore::new(most)));
        Ok(Self { counted, most, jobs, room, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn figures(&self) -> Figures {
        Figures {
            commits: self.counted.commits.load(Ordering::Relaxed),
            commit_time: Duration::from_nanos(self.counted.nanos.load(Ordering::Relaxed)),
            waiting_bytes: self.most - self.room.available_permits(),
        }
    }

    pub(super) async fn take(&self, batch: Batch) -> Result<Receipt, IntakeError> {
        if batch.is_empty() {
            return Ok(batch.receipt(0));
        }
        let bytes = u32::try_from(batch.lines.len()).unwrap_or(u32::MAX);
        let room = match self.room.clone().try_acquire_many_owned(bytes) {
            Ok(room) => room,
            Err(TryAcquireError::NoPermits) => return Err(IntakeError::Busy),
            Err(TryAcquireError::Closed) => return Err(IntakeError::Closed),
        };
        let (done, wait) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(IntakeError::Closed)?;
        jobs.try_send(Job::Take(Box::new(Taking { batch, _room: room, done }))).map_err(
            |error| match error {
                mpsc::error::TrySendError::Full(_) => IntakeError::Busy,
                mpsc::error::TrySendError::Closed(_) => IntakeError::Closed,
            },
        )?;
        let written = wait.await.map_err(|_| IntakeError::Closed)?;
        written.map_err(IntakeError::Shared)
    }

    /// Does something else with the database, after what waits already; the caller waits for it.
    pub(super) fn run<T: Send + 'static>(
        &self,
        action: impl FnOnce(&mut Database) -> Result<T, IntakeError> + Send + 'static,
    ) -> Result<T, IntakeError> {
        let (done, wait) = std::sync::mpsc::sync_channel(1);
        let job = Job::Run(Box::new(move |database| {
            // Whoever asked waits until this.
            let _ = done.send(action(database));
        }));
        let jobs = self.jobs.as_ref().ok_or(IntakeError::Closed)?;
        let mut job = Some(job);
        while let Some(waiting) = job.take() {
            match jobs.try_send(waiting) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Closed(_)) => return Err(IntakeError::Closed),
                Err(mpsc::error::TrySendError::Full(waiting)) => {
                    job = Some(waiting);
                    thread::sleep(BREATH);
                }
            }
        }
        wait.recv().map_err(|_| IntakeError::Closed)?
    }
}

impl Drop for Writer {
    /// Everything that waits is written first.
    fn drop(&mut self) {
        drop(self.jobs.take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// Held as long as somebody takes events into a folder.
fn lock(dir: &Path) -> Result<File, IntakeError> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(IntakeError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(IntakeError::Taken(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(IntakeError::io("lock", &path)(source)),
    }
}

fn run(mut database: Database, mut seen: Seen, mut jobs: mpsc::Receiver<Job>, counted: &Counted) {
    let mut next = jobs.blocking_recv();
    while let Some(job) = next.take() {
        match job {
            Job::Run(action) => action(&mut database),
            Job::Take(first) => {
                let mut bytes = first.batch.lines.len();
                let mut group = vec![*first];
                while bytes < MOST_BYTES {
                    match jobs.try_recv() {
                        Ok(Job::Take(taking)) => {
                            bytes += taking.batch.lines.len();
                            group.push(*taking);
                        }
                        other => {
                            next = other.ok();
                            break;
                        }
                    }
                }
                write(&mut database, &mut seen, group, counted);
            }
        }
        next = next.or_else(|| jobs.blocking_recv());
    }
}

/// Writes what was not seen before, and answers everybody who waits for it.
fn write(database: &mut Database, seen: &mut Seen, group: Vec<Taking>, counted: &Counted) {
    let mut added = Vec::new();
    let chosen: Vec<Chosen<'_>> =
        group.iter().map(|taking| choose(&taking.batch, seen, &mut added)).collect();
    let accepted: Vec<usize> = chosen.iter().map(Chosen::len).collect();
    let start = Instant::now();
    let written = if added.is_empty() { Ok(()) } else { database.write(&chosen, seen.most()) };
    // Before anybody is answered: what was acknowledged has been counted.
    if !added.is_empty() {
        counted.add(start.elapsed());
    }
    match written {
        Ok(()) => {
            for (taking, accepted) in group.into_iter().zip(accepted) {
                let Taking { batch, done, _room: room } = taking;
                drop(room);
                // Who does not wait any more will ask again, and is told that it was taken in.
                let _ = done.send(Ok(batch.receipt(accepted)));
            }
        }
        Err(error) => {
            added.into_iter().for_each(|key| seen.remove(key));
            let error = Arc::new(error);
            for taking in group {
                let _ = taking.done.send(Err(error.clone()));
            }
        }
    }
}

/// The events of a batch that were not seen before; from now on they were.
fn choose<'a>(batch: &'a Batch, seen: &mut Seen, added: &mut Vec<u64>) -> Chosen<'a> {
    let before = added.len();
    let new = |&at: &usize| {
        let key = batch.keys[at];
        let new = seen.insert(key);
        if new {
            added.push(key);
        }
        new
    };
    let lines: Vec<usize> = (0..batch.len()).filter(new).collect();
    let all = added.len() - before == batch.len();
    Chosen { batch, lines: (!all).then_some(lines) }
}
