//! The database of an intake: what was taken in and is not in the lake yet, and the keys of what was taken in last.
//!
//! | table | a row is |
//! |---|---|
//! | `batches` | the events of one request: when it came, what was added to its times, and one JSON object a line |
//! | `keys` | what was written in one transaction: 8 bytes for each event, up to the last `seq` of it |
//! | `moving` | the numbers of the batches that are being moved to the lake, while they are |
//! | `collector` | the one name of this database in a lake |
//!
//! SQLite with a write-ahead log and `synchronous = FULL`: a transaction that returned outlives a power failure.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};

use super::{IntakeError, batch::Batch, seen::Key};
use crate::lake::{Erasures, Row, is_erased};

/// The file, in the folder of an intake.
const FILE: &str = "events.sqlite";
/// Its format, which is the database's `user_version`.
const FORMAT: i64 = 1;

/// Events are blobs of some kilobytes: larger pages hold them with fewer links. What was moved or erased is overwritten, so
/// that nothing of it stays in pages that are free.
const SETTINGS: &str = "
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 2048;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -16384;
    PRAGMA trusted_schema = OFF;
    PRAGMA secure_delete = ON;
";

const TABLES: &str = "
    CREATE TABLE batches (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        arrived INTEGER NOT NULL,
        correction INTEGER NOT NULL,
        count INTEGER NOT NULL,
        events BLOB NOT NULL
    ) STRICT;
    CREATE TABLE keys (
        seq INTEGER PRIMARY KEY,
        count INTEGER NOT NULL,
        keys BLOB NOT NULL
    ) STRICT;
    CREATE TABLE moving (first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
    CREATE TABLE collector (name TEXT NOT NULL) STRICT;
    INSERT INTO collector VALUES (lower(hex(randomblob(8))));
    PRAGMA user_version = 1;
";

/// Bytes of a key.
const KEY: usize = size_of::<Key>();

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
    /// The rows of `keys` and how many keys each has, the oldest first.
    rows: VecDeque<(i64, usize)>,
    keys: usize,
}

/// Which events of a batch are written: those that are not among the ones seen.
pub(super) struct Chosen<'a> {
    pub(super) batch: &'a Batch,
    /// `None` for all of them.
    pub(super) lines: Option<Vec<usize>>,
}

impl Chosen<'_> {
    pub(super) fn len(&self) -> usize {
        self.lines.as_ref().map_or(self.batch.len(), Vec::len)
    }
}

impl Database {
    pub(super) fn open(dir: &Path) -> Result<Self, IntakeError> {
        let path = dir.join(FILE);
        let wrong = |action| IntakeError::database(action, &path);
        let mut connection = Connection::open(&path).map_err(wrong("open"))?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(wrong("open"))?;
        connection.execute_batch(SETTINGS).map_err(wrong("open"))?;
        let made = connection.transaction().map_err(wrong("open"))?;
        let found: i64 = made
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(wrong("read"))?;
        match found {
            0 => made.execute_batch(TABLES).map_err(wrong("write"))?,
            FORMAT => {}
            _ => return Err(IntakeError::Format { path, found, known: FORMAT }),
        }
        made.commit().map_err(wrong("write"))?;
        Ok(Self { connection, path, rows: VecDeque::new(), keys: 0 })
    }

    /// Looks whether every page and index is as it should be. Returns how many events wait, and their bytes.
    pub(super) fn check(&self) -> Result<(u64, u64), IntakeError> {
        let wrong = |action| IntakeError::database(action, &self.path);
        let said: String = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(wrong("read"))?;
        if said != "ok" {
            return Err(IntakeError::Corrupt { path: self.path.clone(), problem: said });
        }
        let sums = "SELECT coalesce(sum(count), 0), coalesce(sum(length(events)), 0) FROM batches";
        let sums = self.connection.query_row(sums, [], |row| {
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs()))
        });
        sums.map_err(wrong("read"))
    }

    /// Whether a folder has one.
    pub(super) fn is_in(dir: &Path) -> bool {
        dir.join(FILE).is_file()
    }

    /// Takes what was erased out of batches, and its bytes out of the file. Returns how many events that were.
    pub(super) fn erase(&mut self, erasures: &Erasures) -> Result<u64, IntakeError> {
        let Self { connection, path, .. } = self;
        let mut erase = || -> rusqlite::Result<u64> {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let gone = erase_within(&transaction, erasures)?;
            transaction.commit()?;
            truncate(connection)?;
            Ok(gone)
        };
        erase().map_err(IntakeError::database("write", path))
    }

    /// What this database is called in a lake.
    pub(super) fn collector(&self) -> Result<String, IntakeError> {
        let name = self.connection.query_row("SELECT name FROM collector", [], |row| row.get(0));
        name.map_err(IntakeError::database("read", &self.path))
    }

    /// The number of the last batch; 0 where there is none.
    pub(super) fn last(&self) -> Result<i64, IntakeError> {
        let last = "SELECT coalesce(max(seq), 0) FROM batches";
        let last = self.connection.query_row(last, [], |row| row.get(0));
        last.map_err(IntakeError::database("read", &self.path))
    }

    /// Which batches are to be moved next, none beyond `last`: those that were when this ended early, or the oldest that
    /// have `most` bytes together. From now on until they are forgotten it stays those.
    /// Returns also whether it was claimed before.
    pub(super) fn claim(
        &mut self,
        last: i64,
        most: usize,
    ) -> Result<Option<(Claim, bool)>, IntakeError> {
        let Self { connection, path, .. } = self;
        let mut claim = || -> rusqlite::Result<Option<(Claim, bool)>> {
            let transaction = connection.transaction()?;
            let claimed = transaction
                .query_row("SELECT first, last FROM moving", [], |row| {
                    Ok(Claim { first: row.get(0)?, last: row.get(1)? })
                })
                .optional()?;
            if let Some(claimed) = claimed {
                return Ok(Some((claimed, true)));
            }
            let found = oldest(&transaction, last, most)?;
            if let Some(Claim { first, last }) = found {
                transaction.execute("INSERT INTO moving VALUES (?1, ?2)", [first, last])?;
                transaction.commit()?;
            }
            Ok(found.map(|found| (found, false)))
        };
        claim().map_err(IntakeError::database("write", path))
    }

    /// Forgets the events of batches that are in the lake.
    pub(super) fn forget(&mut self, claim: Claim) -> Result<(), IntakeError> {
        let Self { connection, path, .. } = self;
        let mut forget = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            let Claim { first, last } = claim;
            transaction
                .execute("DELETE FROM batches WHERE seq BETWEEN ?1 AND ?2", [first, last])?;
            transaction.execute("DELETE FROM moving", [])?;
            transaction.commit()
        };
        forget().map_err(IntakeError::database("write", path))
    }

    /// Hands over every key that is kept, the oldest first.
    pub(super) fn each_key(&mut self, mut sink: impl FnMut(Key)) -> Result<(), IntakeError> {
        let Self { connection, rows, keys, path } = self;
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = connection.prepare("SELECT seq, keys FROM keys ORDER BY seq")?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let blob = row.get_ref(1)?.as_blob()?;
                blob.chunks_exact(KEY).for_each(|key| {
                    sink(Key::from_le_bytes(key.try_into().unwrap_or_default()));
                });
                rows.push_back((row.get(0)?, blob.len() / KEY));
                *keys += blob.len() / KEY;
            }
            Ok(())
        };
        read().map_err(IntakeError::database("read", path))
    }

    /// Writes all of it or nothing, durably; then forgets keys that are older than the last `most`.
    pub(super) fn write(&mut self, all: &[Chosen<'_>], most: usize) -> Result<(), IntakeError> {
        let Self { connection, path, rows, keys } = self;
        let wrong = |error| IntakeError::database("write", path)(error);
        let transaction = connection.transaction().map_err(wrong)?;
        let written: usize = all.iter().map(Chosen::len).sum();
        let seq = insert(&transaction, all).map_err(wrong)?;
        let mut gone = 0;
        let mut left = *keys + written;
        while let Some((_, count)) = rows.get(gone)
            && left - count >= most
        {
            left -= count;
            gone += 1;
        }
        if let Some((last, _)) = gone.checked_sub(1).and_then(|at| rows.get(at)) {
            transaction.execute("DELETE FROM keys WHERE seq <= ?1", [last]).map_err(wrong)?;
        }
        transaction.commit().map_err(wrong)?;
        rows.drain(..gone);
        rows.push_back((seq, written));
        *keys = left;
        Ok(())
    }
}

/// Batches that are moved to the lake together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) first: i64,
    pub(super) last: i64,
}

fn oldest(
    transaction: &Transaction<'_>,
    last: i64,
    most: usize,
) -> rusqlite::Result<Option<Claim>> {
    let mut statement = transaction
        .prepare_cached("SELECT seq, length(events) FROM batches WHERE seq <= ?1 ORDER BY seq")?;
    let mut found = statement.query([last])?;
    let (mut claim, mut bytes) = (None, 0);
    while let Some(row) = found.next()? {
        let seq = row.get(0)?;
        bytes += row.get::<_, i64>(1)?;
        let first = claim.map_or(seq, |Claim { first, .. }| first);
        claim = Some(Claim { first, last: seq });
        if usize::try_from(bytes).unwrap_or(usize::MAX) >= most {
            break;
        }
    }
    Ok(claim)
}

/// Writes the log into the file and makes it empty, so that nothing of what was erased stays in it. Others may be in the
/// way for a moment; for longer it is an error, and what was erased is to be erased again.
fn truncate(connection: &Connection) -> rusqlite::Result<()> {
    for _ in 0..100 {
        let busy: bool =
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if !busy {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    Err(rusqlite::Error::SqliteFailure(
        busy,
        Some("others keep its log in use: do it again".into()),
    ))
}

fn erase_within(transaction: &Transaction<'_>, erasures: &Erasures) -> rusqlite::Result<u64> {
    let mut batches = transaction.prepare("SELECT seq, arrived, events FROM batches")?;
    let mut change =
        transaction.prepare("UPDATE batches SET events = ?2, count = ?3 WHERE seq = ?1")?;
    let mut remove = transaction.prepare("DELETE FROM batches WHERE seq = ?1")?;
    let mut found = batches.query([])?;
    let mut changed: Vec<(i64, Vec<u8>, i64)> = Vec::new();
    let mut gone = 0;
    while let Some(row) = found.next()? {
        let (seq, arrived, events) = (row.get(0)?, row.get(1)?, row.get_ref(2)?.as_blob()?);
        let (mut left, mut count, before) = (Vec::new(), 0, gone);
        for line in lines(events) {
            let user = serde_json::from_slice::<Whose<'_>>(line).map(|whose| whose.user);
            if user.is_ok_and(|user| is_erased(erasures, &user, arrived)) {
                gone += 1;
            } else {
                left.extend_from_slice(line);
                left.push(b'\n');
                count += 1;
            }
        }
        if gone > before {
            changed.push((seq, left, count));
        }
    }
    for (seq, left, count) in changed {
        if count == 0 {
            remove.execute([seq])?;
        } else {
            change.execute(params![seq, left, count])?;
        }
    }
    Ok(gone)
}

/// Of an event, whose it is.
#[derive(serde::Deserialize)]
struct Whose<'a> {
    #[serde(borrow)]
    user: std::borrow::Cow<'a, str>,
}

/// A second connection, to read beside the thread that writes.
pub(super) struct Reader {
    connection: Connection,
    path: PathBuf,
}

impl Reader {
    pub(super) fn open(dir: &Path) -> Result<Self, IntakeError> {
        let path = dir.join(FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags);
        let connection = connection.map_err(IntakeError::database("open", &path))?;
        Ok(Self { connection, path })
    }

    /// The events of some batches.
    pub(super) fn rows(&self, Claim { first, last }: Claim) -> Result<Vec<Row>, IntakeError> {
        let Self { connection, path } = self;
        let mut rows = Vec::new();
        let mut damaged = None;
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = connection.prepare(
                "SELECT seq, arrived, correction, events FROM batches WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
            )?;
            let mut found = statement.query([first, last])?;
            while let Some(row) = found.next()? {
                let (arrived, correction_ms) = (row.get(1)?, row.get(2)?);
                for line in lines(row.get_ref(3)?.as_blob()?) {
                    match serde_json::from_slice(line) {
                        Ok(event) => rows.push(Row { event, arrived, correction_ms }),
                        Err(error) => {
                            damaged = Some((row.get::<_, i64>(0)?, error.to_string()));
                            return Ok(());
                        }
                    }
                }
            }
            Ok(())
        };
        read().map_err(IntakeError::database("read", path))?;
        match damaged {
            None => Ok(rows),
            Some((batch, problem)) => {
                Err(IntakeError::Damaged { path: path.clone(), batch, problem })
            }
        }
    }
}

/// The lines of a batch.
pub(super) fn lines(events: &[u8]) -> impl Iterator<Item = &[u8]> {
    events.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

/// Returns the number of the last batch.
fn insert(transaction: &Transaction<'_>, all: &[Chosen<'_>]) -> rusqlite::Result<i64> {
    let mut keys = Vec::new();
    let mut statement = transaction.prepare_cached(
        "INSERT INTO batches (arrived, correction, count, events) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for chosen in all.iter().filter(|chosen| chosen.len() > 0) {
        let Batch { arrived, correction, lines, .. } = chosen.batch;
        let some: Vec<u8>;
        let events = match &chosen.lines {
            None => {
                chosen.batch.keys.iter().for_each(|key| keys.extend(key.to_le_bytes()));
                lines
            }
            Some(of) => {
                of.iter().for_each(|&at| keys.extend(chosen.batch.keys[at].to_le_bytes()));
                some = of.iter().flat_map(|&at| &lines[chosen.batch.line(at)]).copied().collect();
                &some
            }
        };
        statement.execute(params![arrived, correction, chosen.len() as i64, events])?;
    }
    let seq = transaction.last_insert_rowid();
    let count = (keys.len() / KEY) as i64;
    let mut statement =
        transaction.prepare_cached("INSERT INTO keys (seq, count, keys) VALUES (?1, ?2, ?3)")?;
    statement.execute(params![seq, count, keys])?;
    Ok(seq)
}
