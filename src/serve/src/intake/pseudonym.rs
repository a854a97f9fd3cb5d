//! Names that stand for listeners: a keyed hash of what they call themselves, by a secret that changes.
//!
//! A pseudonym is HMAC-SHA-256 of the listener's id, cut to 128 bits, in base64url; a session's is that of the listener
//! and the session, cut to 96. Whoever reads the events cannot tell who it was without the secret, and cannot tell that
//! two pseudonyms of different secrets are one listener. Collectors that write to one lake share the file of secrets; it
//! is written whole or not at all, under a lock.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{IntakeError, seen::Key};

/// The file, in the folder of an intake.
const FILE: &str = "pseudonyms.json";
const FORMAT: u32 = 1;
/// Bytes of a pseudonym of a listener, and of a session.
const USER: usize = 16;
const SESSION: usize = 12;

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    /// What keys of events are made with; it stays, as an event may come twice across a change of the others.
    events: String,
    secrets: Vec<WrittenSecret>,
}

#[derive(Serialize, Deserialize)]
struct WrittenSecret {
    /// Milliseconds since 1970 from which on it is used.
    from: i64,
    secret: String,
}

/// What makes keys of events, and the secrets, the last one at the end.
type Held = ([u8; 32], Vec<Arc<Secret>>);

/// The secrets of a folder.
pub(super) struct Pseudonyms {
    path: PathBuf,
    rotate: Option<Duration>,
    secrets: RwLock<Vec<Arc<Secret>>>,
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonyms({})", self.path.display())
    }
}

/// What makes pseudonyms for a while.
pub(super) struct Secret {
    from: i64,
    bytes: [u8; 32],
    mac: Hmac<Sha256>,
    events: Sha256,
}

impl Secret {
    fn new(from: i64, bytes: [u8; 32], events: &[u8; 32]) -> Self {
        // A key is followed by zeros as far as a block goes, as RFC 2104 has it.
        let mut block = [0; 64];
        block[..bytes.len()].copy_from_slice(&bytes);
        Self { from, bytes, mac: Hmac::new(&block.into()), events: Sha256::new_with_prefix(events) }
    }

    /// The pseudonym of a listener.
    pub(super) fn user(&self, user: &str) -> String {
        self.name(USER, &[user.as_bytes()])
    }

    /// The pseudonym of a session of a listener.
    pub(super) fn session(&self, user: &str, session: &str) -> String {
        self.name(SESSION, &[user.as_bytes(), &[0xff], session.as_bytes()])
    }

    fn name(&self, bytes: usize, parts: &[&[u8]]) -> String {
        let mut mac = self.mac.clone();
        parts.iter().for_each(|part| mac.update(part));
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..bytes])
    }

    /// What tells an event from others: the same under every secret.
    pub(super) fn event(&self, user: &str, id: &str) -> Key {
        let mut hash = self.events.clone();
        hash.update(user);
        // In no text: ("ab", "c") is another pair than ("a", "bc").
        hash.update([0xff]);
        hash.update(id);
        let digest = hash.finalize();
        let mut key = [0; 8];
        key.copy_from_slice(&digest[..8]);
        Key::from_le_bytes(key)
    }
}

impl Pseudonyms {
    /// Reads the secrets of a folder; the first is made when it is needed.
    pub(super) fn open(dir: &Path, rotate: Option<Duration>) -> Result<Self, IntakeError> {
        let path = dir.join(FILE);
        let mut opened = Self { path, rotate, secrets: RwLock::default() };
        if let Some((_, secrets)) = opened.read()? {
            opened.secrets = RwLock::new(secrets);
        }
        Ok(opened)
    }

    /// The secret that makes pseudonyms at `now`: a new one where the last has served its time.
    pub(super) fn at(&self, now: i64) -> Result<Arc<Secret>, IntakeError> {
        if let Some(secret) = self.current(now) {
            return Ok(secret);
        }
        self.read_or_make(now)?;
        self.current(now).ok_or(IntakeError::Closed)
    }

    /// Every pseudonym that a listener may have had.
    pub(super) fn all(&self, user: &str) -> Vec<String> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().map(|secret| secret.user(user)).collect()
    }

    /// Forgets the secrets that others replaced before `first`, milliseconds since 1970. Returns how many.
    pub(super) fn forget(&self, first: i64) -> Result<u64, IntakeError> {
        let _lock = self.lock()?;
        let Some((events, mut secrets)) = self.read()? else { return Ok(0) };
        let replaced = secrets.windows(2).take_while(|pair| pair[1].from < first).count();
        if replaced > 0 {
            secrets.drain(..replaced);
            self.write(&events, &secrets)?;
            *self.secrets.write().unwrap_or_else(PoisonError::into_inner) = secrets;
        }
        Ok(replaced as u64)
    }

    fn lock(&self) -> Result<File, IntakeError> {
        let lock = self.path.with_extension("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(IntakeError::io("open", &lock))?;
        file.lock().map_err(IntakeError::io("lock", &lock))?;
        Ok(file)
    }

    fn current(&self, now: i64) -> Option<Arc<Secret>> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back goes on with the last one.
        secrets.last().filter(|secret| !self.is_over(secret, now)).cloned()
    }

    fn is_over(&self, secret: &Secret, now: i64) -> bool {
        let most = self.rotate.map(|rotate| i64::try_from(rotate.as_millis()).unwrap_or(i64::MAX));
        most.is_some_and(|most| now.saturating_sub(secret.from) >= most)
    }

    /// Reads the file again, as another collector may have written it; adds a secret where none of it serves `now`.
    fn read_or_make(&self, now: i64) -> Result<(), IntakeError> {
        let _lock = self.lock()?;
        let (events, mut secrets) = match self.read()? {
            Some(read) => read,
            None => (random()?, Vec::new()),
        };
        let serves = |secret: &Arc<Secret>| !self.is_over(secret, now);
        if !secrets.last().is_some_and(serves) {
            secrets.push(Arc::new(Secret::new(now, random()?, &events)));
            self.write(&events, &secrets)?;
        }
        *self.secrets.write().unwrap_or_else(PoisonError::into_inner) = secrets;
        Ok(())
    }

    /// What the file holds, where there is one.
    fn read(&self) -> Result<Option<Held>, IntakeError> {
        match fs::read(&self.path) {
            Ok(json) => self.parsed(&json).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(IntakeError::io("read", &self.path)(error)),
        }
    }

    fn parsed(&self, json: &[u8]) -> Result<Held, IntakeError> {
        let wrong = |problem: String| IntakeError::Secrets { path: self.path.clone(), problem };
        let written: Written =
            serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
        if written.format != FORMAT {
            return Err(wrong(format!("format {} is not {FORMAT}", written.format)));
        }
        let bytes = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok();
            let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            bytes.ok_or_else(|| wrong("a secret is 32 bytes in base64url".into()))
        };
        let events = bytes(&written.events)?;
        let secret = |WrittenSecret { from, secret }: &WrittenSecret| {
            Ok(Arc::new(Secret::new(*from, bytes(secret)?, &events)))
        };
        Ok((events, written.secrets.iter().map(secret).collect::<Result<_, IntakeError>>()?))
    }

    fn write(&self, events: &[u8; 32], secrets: &[Arc<Secret>]) -> Result<(), IntakeError> {
        let encode = |bytes: &[u8; 32]| URL_SAFE_NO_PAD.encode(bytes);
        let secret = |secret: &Arc<Secret>| WrittenSecret {
            from: secret.from,
            secret: encode(&secret.bytes),
        };
        let written = Written {
            format: FORMAT,
            events: encode(events),
            secrets: secrets.iter().map(secret).collect(),
        };
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let write = || -> io::Result<()> {
            // For nobody but its owner to read.
            let mut file = tempfile::NamedTempFile::new_in(dir)?;
            serde_json::to_writer_pretty(&mut file, &written)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            File::open(dir)?.sync_all()
        };
        write().map_err(IntakeError::io("write", &self.path))
    }
}

fn random() -> Result<[u8; 32], IntakeError> {
    let mut bytes = [0; 32];
    let filled = getrandom::fill(&mut bytes).map_err(io::Error::other);
    filled.map_err(IntakeError::io("draw a secret for", Path::new(FILE)))?;
    Ok(bytes)
}
