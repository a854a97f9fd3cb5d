//! Whose manifests are believed, after The Update Framework (TUF specification 1.0.33, section 5).
//!
//! Three roles sign. **Root** says whose keys are the others', and its own; it is kept offline. **Release** says what is
//! in force ([`Release`](crate::manifest::Release)). **Timestamp** says which release is the latest, for some days at a
//! time; its key lies where the registry is served. TUF's targets and snapshot are one document here: a release names
//! every blob of every model by digest, so there is nothing left to be mixed and matched.
//!
//! ```json
//! { "version": 2, "expires": 1795536000000,
//!   "keys": { "3f1a…": "8c2d…" },
//!   "roles": { "root": { "keys": ["3f1a…"], "threshold": 1 }, "release": {…}, "timestamp": {…} } }
//! { "version": 80, "expires": 1764600000000, "release": { "version": 7, "hash": "b5d0…" } }
//! ```
//!
//! A root maps the names of keys to public keys of Ed25519, 32 bytes in hexadecimal. `hash` is the SHA-256 of the release's
//! signed text. Roots lie in the registry as `root/<version>`, envelopes each, so that who is behind can go from one to
//! the next: each is signed by enough keys of the one before it, and by enough of its own.
//!
//! **No cryptography and no clock here.** [`Trust::questions`] lists what is to be verified, with which key; whoever can
//! (WebCrypto in a browser) answers each by yes or no, and [`Trust::advance`] decides, in this order:
//!
//! | | check | against |
//! |---|---|---|
//! | 1 | documents are sound and within limits | endless data |
//! | 2 | each root follows the one before by one, signed by the thresholds of both; the first by the key that is the anchor | arbitrary install, a compromised key that was replaced |
//! | 3 | where a root no longer has a key of a role, the versions that were seen of it and of what it vouches for are forgotten | fast-forward |
//! | 4 | the last root has not expired | freeze |
//! | 5 | the timestamp is signed by its threshold | arbitrary install, malicious mirror |
//! | 6 | its version is not below the last one, nor that of its release | rollback |
//! | 7 | it has not expired | freeze |
//! | 8 | the release is the one that the timestamp names, version and digest | mix and match |
//! | 9 | it is signed by its threshold | arbitrary install, a compromised timestamp key |
//! | 10 | it is not below the last one, and the same where it is of the same version | rollback |
//! | 11 | it has not expired | freeze |
//!
//! A key that was added revokes nothing, so nothing is forgotten for it: forgetting opens the door to what is older.
//! What is refused changes nothing, but for roots that were sound: keys that were revoked are not to be believed again
//! because something that followed was refused.

mod error;
mod root;

use alloc::{string::String, vec::Vec};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::manifest::{Envelope, MAX_SIGNATURES, ManifestError, Release, is_hex, is_version};
pub use error::TrustError;
pub use root::{Key, Quorum, Role, Roles, Root};

/// Most roots that are gone through at a time.
pub const MAX_ROOTS: usize = 64;

/// Which release is the latest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Timestamp {
    /// Counts up with each signing, from 1.
    pub version: u64,
    /// From when on nobody should believe it, in milliseconds since the Unix epoch.
    pub expires: i64,
    /// The release.
    pub release: Named,
}

/// A release by version and content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Named {
    /// Its version.
    pub version: u64,
    /// SHA-256 of its signed text, 64 lower-case hexadecimal digits.
    pub hash: String,
}

impl Timestamp {
    /// Checks everything that the types cannot.
    pub fn validate(&self) -> Result<(), ManifestError> {
        if !is_version(self.version) || !is_version(self.release.version) {
            return Err(ManifestError::Version);
        }
        if is_hex(&self.release.hash, 64) {
            Ok(())
        } else {
            Err(ManifestError::Hash("release".into()))
        }
    }
}

/// A document and the envelope whose text it was read from.
#[derive(Debug)]
pub struct Signed<'a, T> {
    /// What the text says.
    pub document: &'a T,
    /// The text, and who signed it.
    pub envelope: &'a Envelope,
}

/// What a registry showed.
#[derive(Debug)]
pub struct Shown<'a> {
    /// Roots in ascending order; those that are known already are passed over.
    pub roots: &'a [Signed<'a, Root>],
    /// The manifest's timestamp; `None` where it has none.
    pub timestamp: Option<Signed<'a, Timestamp>>,
    /// The manifest's release.
    pub release: Signed<'a, Release>,
    /// SHA-256 of the release's signed text, 64 lower-case hexadecimal digits, as whoever fetched it made it.
    pub hash: &'a str,
}

/// A signature to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Whose [`Role::domain`] goes before the text.
    pub role: Role,
    /// The text.
    pub signed: &'a str,
    /// The Ed25519 public key, 64 hexadecimal digits.
    pub public: &'a str,
    /// The signature in base64.
    pub sig: &'a str,
    /// Which of the documents: roots first, then the timestamp and the release.
    document: usize,
}

impl<'a> Question<'a> {
    /// Whether `sig` is `role`'s signature of a text, by a key.
    pub const fn new(role: Role, signed: &'a str, public: &'a str, sig: &'a str) -> Self {
        Self { role, signed, public, sig, document: 0 }
    }
}

/// What a device knows of a registry, to be kept on it: without that memory, whoever answers for a registry may show it
/// an older one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Trust {
    /// The public key that the first root must be signed by, 64 hexadecimal digits.
    pub anchor: String,
    /// The root that is trusted, once there is one.
    pub root: Option<Root>,
    /// The version of the last timestamp; 0 before there was one.
    pub timestamp: u64,
    /// The version of the last release; 0 before there was one.
    pub release: u64,
    /// The digest of the last release; empty before there was one.
    pub hash: String,
}

impl Trust {
    /// Trusts a public key of Ed25519, and knows nothing else. `None` where that is not 64 lower-case hexadecimal digits.
    pub fn new(anchor: &str) -> Option<Self> {
        let fresh = || Self {
            anchor: anchor.into(),
            root: None,
            timestamp: 0,
            release: 0,
            hash: String::new(),
        };
        is_hex(anchor, 64).then(fresh)
    }

    /// The version of the root that is trusted; 0 where there is none. Those after it are to be fetched.
    pub fn root_version(&self) -> u64 {
        self.root.as_ref().map_or(0, |root| root.version)
    }

    /// Whether more was seen than `other` has: a later root, or under the same one something later.
    pub fn is_after(&self, other: &Self) -> bool {
        let seen = |trust: &Self| (trust.root_version(), trust.timestamp, trust.release);
        seen(self) > seen(other)
    }

    /// The signatures that are to be verified, each with a key that it claims to be by. Cost: signatures times keys.
    pub fn questions<'a>(&'a self, shown: &Shown<'a>) -> Vec<Question<'a>> {
        let mut questions = Vec::new();
        let last = self.ask_of_roots(shown.roots, &mut questions);
        let at = shown.roots.len();
        if let Some(timestamp) = &shown.timestamp {
            ask(&mut questions, Role::Timestamp, timestamp.envelope, at, &[last]);
        }
        ask(&mut questions, Role::Release, shown.release.envelope, at + 1, &[last]);
        questions
    }

    /// The same for roots alone.
    pub fn root_questions<'a>(&'a self, roots: &'a [Signed<'a, Root>]) -> Vec<Question<'a>> {
        let mut questions = Vec::new();
        self.ask_of_roots(roots, &mut questions);
        questions
    }

    /// Asks of the roots that are not known yet. Returns the last one.
    fn ask_of_roots<'a>(
        &'a self,
        roots: &[Signed<'a, Root>],
        questions: &mut Vec<Question<'a>>,
    ) -> Option<&'a Root> {
        let mut last = self.root.as_ref();
        for (at, root) in roots.iter().enumerate().take(MAX_ROOTS) {
            if root.document.version > self.root_version() {
                ask(questions, Role::Root, root.envelope, at, &[last, Some(root.document)]);
                last = Some(root.document);
            }
        }
        last
    }

    /// Believes what was `shown`, or says why not; the module says what is checked, in which order. `answers` are those to
    /// [`Self::questions`], in order; one that is missing is a no. `now` is in milliseconds since the Unix epoch.
    pub fn advance(
        &mut self,
        shown: &Shown<'_>,
        answers: &[bool],
        now: i64,
    ) -> Result<(), TrustError> {
        let before = self.clone();
        let valid = affirmed(before.questions(shown), answers);
        validate(shown)?;
        self.follow_all(shown.roots, &valid)?;
        let root = self.root.as_ref().ok_or(TrustError::NoRoot)?;
        unexpired(Role::Root, Some(root.expires), now)?;

        let timestamp = shown.timestamp.as_ref().ok_or(TrustError::Unsigned)?.document;
        let at = shown.roots.len();
        root.signed(Role::Timestamp, at, timestamp.version, &valid)?;
        newer(Role::Timestamp, timestamp.version, self.timestamp)?;
        newer(Role::Release, timestamp.release.version, self.release)?;
        unexpired(Role::Timestamp, Some(timestamp.expires), now)?;

        let release = shown.release.document;
        if timestamp.release.version != release.version || timestamp.release.hash != shown.hash {
            return Err(TrustError::Mixed);
        }
        root.signed(Role::Release, at + 1, release.version, &valid)?;
        if release.version == self.release && shown.hash != self.hash {
            return Err(TrustError::Twice(release.version));
        }
        unexpired(Role::Release, release.expires, now)?;
        (self.timestamp, self.release) = (timestamp.version, release.version);
        self.hash = shown.hash.into();
        Ok(())
    }

    /// The first part of [`Self::advance`]: believes roots, whether they have expired or not. `answers` are those to
    /// [`Self::root_questions`].
    pub fn follow(
        &mut self,
        roots: &[Signed<'_, Root>],
        answers: &[bool],
    ) -> Result<(), TrustError> {
        let before = self.clone();
        let valid = affirmed(before.root_questions(roots), answers);
        validate_roots(roots)?;
        self.follow_all(roots, &valid)
    }

    fn follow_all(
        &mut self,
        roots: &[Signed<'_, Root>],
        valid: &[Question<'_>],
    ) -> Result<(), TrustError> {
        let mut each = roots.iter().enumerate();
        each.try_for_each(|(at, root)| self.follow_one(at, root.document, valid))
    }

    /// Takes the next root in the place of the one that is trusted.
    fn follow_one(
        &mut self,
        at: usize,
        next: &Root,
        valid: &[Question<'_>],
    ) -> Result<(), TrustError> {
        let here = self.root_version();
        if next.version <= here {
            return Ok(());
        }
        if next.version != here + 1 {
            return Err(TrustError::Gap { lacking: here + 1, found: next.version });
        }
        match &self.root {
            Some(root) => root.signed(Role::Root, at, next.version, valid)?,
            None => {
                let named = next.quorum(Role::Root).keys.iter().any(|id| {
                    next.public(id) == Some(&self.anchor) && is_valid(valid, at, &self.anchor)
                });
                if !named {
                    return Err(TrustError::Anchor);
                }
            }
        }
        next.signed(Role::Root, at, next.version, valid)?;
        if let Some(root) = &self.root {
            if root.lost(Role::Timestamp, next) {
                self.timestamp = 0;
            }
            // A timestamp vouches for the release that it names.
            if root.lost(Role::Timestamp, next) || root.lost(Role::Release, next) {
                self.release = 0;
                self.hash.clear();
            }
        }
        self.root = Some(next.clone());
        Ok(())
    }
}

/// The questions that were answered by yes.
fn affirmed<'a>(questions: Vec<Question<'a>>, answers: &[bool]) -> Vec<Question<'a>> {
    let yes = questions.into_iter().zip(answers).filter(|(_, yes)| **yes);
    yes.map(|(question, _)| question).collect()
}

fn validate_roots(roots: &[Signed<'_, Root>]) -> Result<(), TrustError> {
    if roots.len() > MAX_ROOTS {
        return Err(TrustError::Roots(roots.len()));
    }
    for root in roots {
        root.envelope.validate()?;
        root.document.validate()?;
    }
    Ok(())
}

fn validate(shown: &Shown<'_>) -> Result<(), TrustError> {
    validate_roots(shown.roots)?;
    if let Some(timestamp) = &shown.timestamp {
        timestamp.envelope.validate()?;
        timestamp.document.validate()?;
    }
    shown.release.envelope.validate()?;
    Ok(shown.release.document.validate()?)
}

/// Asks for each signature whether it is by the key that has its name in one of `roots`.
fn ask<'a>(
    questions: &mut Vec<Question<'a>>,
    role: Role,
    envelope: &'a Envelope,
    document: usize,
    roots: &[Option<&'a Root>],
) {
    // More are refused in any case, and need not be verified before they are.
    for signature in envelope.signatures.iter().take(MAX_SIGNATURES) {
        for root in roots.iter().flatten() {
            let Some(public) = root.public(&signature.key) else { continue };
            let question = Question::new(role, &envelope.signed, public, &signature.sig);
            let question = Question { document, ..question };
            if questions.last() != Some(&question) {
                questions.push(question);
            }
        }
    }
}

/// Whether a document has a valid signature of a key.
fn is_valid(valid: &[Question<'_>], document: usize, public: &str) -> bool {
    valid.iter().any(|question| question.document == document && question.public == public)
}

fn unexpired(role: Role, expires: Option<i64>, now: i64) -> Result<(), TrustError> {
    match expires {
        Some(expires) if now >= expires => {
            let days = now.saturating_sub(expires) / 86_400_000;
            Err(TrustError::Expired { role, days: days.unsigned_abs() })
        }
        _ => Ok(()),
    }
}

fn newer(role: Role, found: u64, seen: u64) -> Result<(), TrustError> {
    if found < seen { Err(TrustError::Rollback { role, found, seen }) } else { Ok(()) }
}
