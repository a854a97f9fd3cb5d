//! Who may do what: bearer tokens, each of a site, with scopes.
//!
//! The file holds digests only. A token is 32 random bytes: nobody can guess one, so that a plain SHA-256 tells it.
//!
//! ```json
//! { "format": 1, "tokens": [{ "site": "player.example", "scopes": ["events"], "sha256": "…" }] }
//! ```

use std::{
    fmt, fs, io,
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::registry::BlobHash;

const FORMAT: u32 = 1;
/// What tokens begin with, so that whoever finds one knows what it is.
const PREFIX: &str = "segue_";

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To send events.
    Events,
    /// To read metrics.
    Metrics,
}

impl Scope {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Events, Self::Metrics];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Metrics => "metrics",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scope| scope.name() == name);
        found.ok_or_else(|| format!("there is no scope {name:?}: give events or metrics"))
    }
}

/// Why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// It cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is not such a file.
    #[error("{} is no file of tokens: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// One token, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Whose it is.
    pub site: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    tokens: Vec<Grant>,
}

/// The tokens of a file.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    grants: Vec<Grant>,
}

/// Why a request may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It has no token, or one that is none.
    Unknown,
    /// Its token is for something else.
    Scope,
}

impl Tokens {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, AccessError> {
        let wrong = |problem: String| AccessError::Malformed { path: path.to_owned(), problem };
        let json = fs::read(path).map_err(|source| AccessError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        let Written { format, tokens } =
            serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))?;
        if format != FORMAT {
            return Err(wrong(format!("format {format} is not {FORMAT}")));
        }
        match tokens.iter().find(|grant| grant.sha256.parse::<BlobHash>().is_err()) {
            Some(grant) => Err(wrong(format!("the sha256 of {} is not 64 hex digits", grant.site))),
            None => Ok(Self { grants: tokens }),
        }
    }

    /// Makes a token for a site. It is told once, and kept nowhere.
    pub fn grant(&mut self, site: &str, scopes: &[Scope]) -> Result<String, AccessError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| AccessError::Io {
            action: "draw a token for",
            path: site.into(),
            source: io::Error::other(error),
        })?;
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let sha256 = BlobHash::of(token.as_bytes()).to_string();
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        self.grants.push(Grant { site: site.to_owned(), scopes, sha256 });
        Ok(token)
    }

    /// Takes every token of a site back. Returns how many there were.
    pub fn revoke(&mut self, site: &str) -> usize {
        let before = self.grants.len();
        self.grants.retain(|grant| grant.site != site);
        before - self.grants.len()
    }

    /// What the file holds.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Writes the file whole or not at all, for its owner alone to read.
    pub fn write(&self, path: &Path) -> Result<(), AccessError> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(dir.unwrap_or(Path::new(".")))?;
            let written = Written { format: FORMAT, tokens: self.grants.clone() };
            serde_json::to_writer_pretty(&mut file, &written)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(|source| AccessError::Io { action: "write", path: path.to_owned(), source })
    }

    /// The site whose token it is, where that allows it.
    pub fn site(&self, token: Option<&str>, scope: Scope) -> Result<&str, Denied> {
        let sha256 = BlobHash::of(token.ok_or(Denied::Unknown)?.as_bytes()).to_string();
        let found = self.grants.iter().find(|grant| grant.sha256 == sha256);
        let Grant { site, scopes, .. } = found.ok_or(Denied::Unknown)?;
        if scopes.contains(&scope) { Ok(site) } else { Err(Denied::Scope) }
    }
}
