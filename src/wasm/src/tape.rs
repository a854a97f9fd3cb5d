//! Documents on their way in: fields, one after the other, with U+0000 between them. JSON holds no such character
//! outside of its strings' escapes, and whoever writes a tape refuses it in those.

use alloc::{string::String, vec::Vec};
use core::str::{FromStr, Split};
use segue_core::{
    manifest::{DeltaRef, Envelope, Manifest, ModelRef, Release, SectionRef, Signature},
    sync::Offer,
    trust::{Key, Named, Quorum, Role, Roles, Root, Timestamp, Trust},
    words::decimal,
};

/// Fields that are read from the front. One that is lacking, or no number, is `None`.
pub struct Tape<'a>(Split<'a, char>);

/// Most items of a list: more than any document may have.
const MOST: usize = 1 << 20;

impl<'a> Tape<'a> {
    /// Of these fields.
    pub fn new(fields: &'a str) -> Self {
        Self(fields.split('\0'))
    }

    fn text(&mut self) -> Option<String> {
        self.0.next().map(String::from)
    }

    fn number<T: FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    /// A number, or an empty field where there is none.
    fn maybe<T: FromStr>(&mut self) -> Option<Option<T>> {
        match self.0.next()? {
            "" => Some(None),
            digits => Some(Some(digits.parse().ok()?)),
        }
    }

    /// How many there are, and each of them.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let items: usize = self.number()?;
        let mut list = Vec::new();
        for _ in 0..items.min(MOST) {
            list.push(item(self)?);
        }
        Some(list)
    }

    fn optional<T>(&mut self, item: impl FnMut(&mut Self) -> Option<T>) -> Option<Option<T>> {
        self.list(item).map(|mut found| found.pop())
    }

    /// A root as it was signed: its envelope, and what that says.
    pub fn root(&mut self) -> Option<(Envelope, Root)> {
        Some((self.envelope()?, self.root_document()?))
    }

    fn root_document(&mut self) -> Option<Root> {
        Some(Root {
            version: self.number()?,
            expires: self.number()?,
            keys: self.list(|tape| Some(Key { id: tape.text()?, public: tape.text()? }))?,
            roles: Roles {
                root: self.quorum()?,
                release: self.quorum()?,
                timestamp: self.quorum()?,
            },
        })
    }

    /// What was believed, as [`written`] wrote it.
    pub fn trust(&mut self) -> Option<Trust> {
        let trust = Trust {
            anchor: self.text()?,
            root: self.optional(Self::root_document)?,
            timestamp: self.number()?,
            release: self.number()?,
            hash: self.text()?,
        };
        trust.root.as_ref().is_none_or(|root| root.validate().is_ok()).then_some(trust)
    }

    /// A manifest, and what its documents say.
    pub fn offer(&mut self) -> Option<Offer> {
        let format = self.number()?;
        let root = self.optional(Self::root)?;
        let release = self.envelope()?;
        let document = self.release()?;
        let hash = self.text()?;
        let timestamp = self.optional(|tape| Some((tape.envelope()?, tape.timestamp()?)))?;
        let (root, root_document) = root.unzip();
        let (timestamp, timestamp_document) = timestamp.unzip();
        Some(Offer {
            manifest: Manifest { format, root, release, timestamp },
            root: root_document,
            release: document,
            timestamp: timestamp_document,
            hash,
        })
    }

    fn envelope(&mut self) -> Option<Envelope> {
        let signed = self.text()?;
        let signature = |tape: &mut Self| Some(Signature { key: tape.text()?, sig: tape.text()? });
        Some(Envelope { signed, signatures: self.list(signature)? })
    }

    fn quorum(&mut self) -> Option<Quorum> {
        Some(Quorum { threshold: self.number()?, keys: self.list(Self::text)? })
    }

    fn timestamp(&mut self) -> Option<Timestamp> {
        Some(Timestamp {
            version: self.number()?,
            expires: self.number()?,
            release: Named { version: self.number()?, hash: self.text()? },
        })
    }

    fn release(&mut self) -> Option<Release> {
        Some(Release {
            version: self.number()?,
            created_at: self.number()?,
            expires: self.maybe()?,
            models: self.list(Self::model)?,
        })
    }

    fn model(&mut self) -> Option<ModelRef> {
        Some(ModelRef {
            version: self.number()?,
            share: self.maybe()?,
            sections: self.list(|tape| {
                Some(SectionRef {
                    kind: tape.text()?,
                    shard: tape.number()?,
                    hash: tape.text()?,
                    bytes: tape.number()?,
                })
            })?,
            deltas: self.list(|tape| {
                Some(DeltaRef {
                    from: tape.number()?,
                    to: tape.maybe()?,
                    shard: tape.number()?,
                    hash: tape.text()?,
                    bytes: tape.number()?,
                })
            })?,
        })
    }
}

/// What is believed, as fields.
pub fn written(trust: &Trust) -> String {
    let mut fields = Vec::new();
    fields.push(trust.anchor.clone());
    fields.push(decimal(trust.root.is_some().into()));
    if let Some(root) = &trust.root {
        // One that expired before 1970 is as good as one that expired then.
        fields.extend([decimal(root.version), decimal(root.expires.max(0).unsigned_abs())]);
        fields.push(decimal(root.keys.len() as u64));
        for key in &root.keys {
            fields.extend([key.id.clone(), key.public.clone()]);
        }
        for role in Role::ALL {
            let Quorum { keys, threshold } = root.quorum(role);
            fields.extend([decimal(*threshold as u64), decimal(keys.len() as u64)]);
            fields.extend(keys.iter().cloned());
        }
    }
    fields.extend([decimal(trust.timestamp), decimal(trust.release), trust.hash.clone()]);
    fields.join("\0")
}
