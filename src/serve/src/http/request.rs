//! What a request is called, in the log and in its answer.

use std::{
    fmt::Write,
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header that has it.
pub(super) const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// Longest name that a caller may give.
const MOST_BYTES: usize = 64;

static PROCESS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A name of letters, digits and `-_.:`, so that it can be a header and part of a line.
pub(super) struct Name(String);

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Name> for HeaderValue {
    fn from(Name(name): Name) -> Self {
        Self::try_from(name).unwrap_or_else(|_| Self::from_static("unnamed"))
    }
}

/// The name that the caller gave, or one of its own.
pub(super) fn name(headers: &HeaderMap) -> Name {
    let given = headers.get(NAME).and_then(|name| name.to_str().ok());
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let given =
        given.filter(|name| (1..=MOST_BYTES).contains(&name.len()) && name.bytes().all(sound));
    given.map_or_else(drawn, |name| Name(name.to_owned()))
}

fn drawn() -> Name {
    let mut name = String::with_capacity(16);
    // Writing to a string cannot fail.
    let _ = write!(name, "{:016x}", PROCESS.hash_one(NEXT.fetch_add(1, Ordering::Relaxed)));
    Name(name)
}
