//! Whose keys are whose.

use alloc::{string::String, vec::Vec};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Question, TrustError, is_valid};
use crate::manifest::{KEY_DIGITS, MAX_SIGNATURES, is_hex, is_version};

/// Most keys of a root.
pub const MAX_KEYS: usize = MAX_SIGNATURES;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "lowercase"))]
pub enum Role {
    /// Whose keys are whose.
    Root,
    /// What is in force.
    Release,
    /// Which release is the latest.
    Timestamp,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Root, Self::Release, Self::Timestamp];

    /// Its name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Release => "release",
            Self::Timestamp => "timestamp",
        }
    }

    /// The bytes that are signed before the text: a text that was signed as one role's is none of another's, even where a
    /// key has both.
    pub const fn domain(self) -> &'static str {
        match self {
            Self::Root => "segue-root-v1\n",
            Self::Release => "segue-release-v1\n",
            Self::Timestamp => "segue-timestamp-v1\n",
        }
    }
}

/// Whose keys are whose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Root {
    /// Counts up by one for each root, from 1.
    pub version: u64,
    /// From when on nobody should believe it, in milliseconds since the Unix epoch.
    pub expires: i64,
    /// Public keys by name; an object in JSON.
    #[cfg_attr(feature = "serde", serde(with = "object"))]
    pub keys: Vec<Key>,
    /// Who signs what.
    pub roles: Roles,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, 16 hexadecimal digits.
    pub id: String,
    /// 32 bytes of Ed25519, 64 hexadecimal digits.
    pub public: String,
}

/// Who signs what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Roles {
    /// The next root.
    pub root: Quorum,
    /// Releases.
    pub release: Quorum,
    /// Timestamps.
    pub timestamp: Quorum,
}

/// Keys, and how many of them it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Quorum {
    /// Names of keys.
    pub keys: Vec<String>,
    /// How many of them must sign.
    pub threshold: usize,
}

impl Root {
    /// Checks everything that the types cannot. Cost: keys squared.
    pub fn validate(&self) -> Result<(), TrustError> {
        match self.fault() {
            Some(what) => Err(TrustError::Root { version: self.version, what }),
            None => Ok(()),
        }
    }

    fn fault(&self) -> Option<&'static str> {
        if !is_version(self.version) {
            return Some("versions count from 1");
        }
        if !(1..=MAX_KEYS).contains(&self.keys.len()) {
            return Some("it has no keys, or too many");
        }
        for (index, key) in self.keys.iter().enumerate() {
            if !is_hex(&key.id, KEY_DIGITS) || !is_hex(&key.public, 64) {
                return Some("a key is not hexadecimal digits");
            }
            // A key under two names would count twice.
            let same = |other: &Key| other.id == key.id || other.public == key.public;
            if self.keys[..index].iter().any(same) {
                return Some("a key is there twice");
            }
        }
        for role in Role::ALL {
            let Quorum { keys, threshold } = self.quorum(role);
            let named =
                |(at, id): (usize, &String)| self.public(id).is_some() && !keys[..at].contains(id);
            if !keys.iter().enumerate().all(named) {
                return Some("a role names a key that is not there, or one twice");
            }
            if !(1..=keys.len()).contains(threshold) {
                return Some("a role takes no keys, or more than it has");
            }
        }
        None
    }

    /// Who signs for a role.
    pub const fn quorum(&self, role: Role) -> &Quorum {
        match role {
            Role::Root => &self.roles.root,
            Role::Release => &self.roles.release,
            Role::Timestamp => &self.roles.timestamp,
        }
    }

    /// The public key of this name.
    pub fn public(&self, id: &str) -> Option<&String> {
        self.keys.iter().find(|key| key.id == id).map(|key| &key.public)
    }

    /// The public keys of a role.
    fn publics(&self, role: Role) -> impl Iterator<Item = &String> {
        self.quorum(role).keys.iter().filter_map(|id| self.public(id))
    }

    /// Whether enough of a role's keys signed a document. Keys are counted, not signatures.
    pub(super) fn signed(
        &self,
        role: Role,
        document: usize,
        version: u64,
        valid: &[Question<'_>],
    ) -> Result<(), TrustError> {
        let found = self.publics(role).filter(|public| is_valid(valid, document, public)).count();
        let threshold = self.quorum(role).threshold;
        if found >= threshold {
            Ok(())
        } else {
            Err(TrustError::Signatures { role, version, found, threshold })
        }
    }

    /// Whether `next` no longer has one of a role's keys.
    pub fn lost(&self, role: Role, next: &Self) -> bool {
        self.publics(role).any(|public| !next.publics(role).any(|kept| kept == public))
    }
}

/// Keys as an object.
#[cfg(feature = "serde")]
mod object {
    use alloc::{string::String, vec::Vec};
    use core::fmt;
    use serde::{Deserializer, Serializer, de};

    use super::Key;

    pub(super) fn serialize<S: Serializer>(keys: &[Key], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(keys.iter().map(|key| (&key.id, &key.public)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Key>, D::Error> {
        struct Keys;

        impl<'de> de::Visitor<'de> for Keys {
            type Value = Vec<Key>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of public keys by name")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Vec<Key>, A::Error> {
                let mut keys = Vec::new();
                while let Some((id, public)) = map.next_entry::<String, String>()? {
                    keys.push(Key { id, public });
                }
                Ok(keys)
            }
        }

        from.deserialize_map(Keys)
    }
}
