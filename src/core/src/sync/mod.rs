//! From what a registry shows to the model that is in use: which step comes next, and what it needs.
//!
//! ```text
//!             show                root                 answer               applied
//! [Idle] ───────────▶ Root(n) ───────────▶ Verify ───────────────▶ Fetch ───────────▶ [Idle]
//!    ▲                   │                    │ nothing new           │
//!    └───────────────────┴────────────────────┴───────────────────────┘  abandon, or an error
//! ```
//!
//! **Absent:** network, storage, clock, cryptography. Whoever drives this fetches what [`Next`] names, verifies what
//! [`Sync::questions`] asks, fetches what [`Sync::plan`] lists and holds each blob against its digest, builds the next model
//! beside the one in use ([`Model::patched`](crate::model::Model::patched), which proves deltas by what they make), puts it
//! in its place at once, and calls [`Sync::applied`]. A step that fails leaves what is in use as it is; so at any moment
//! there is a whole model, the old one or the new one. [`Sync::trust`] is to be kept by the device after each step, also
//! after one that failed: what was seen must not be unseen.

mod error;

use alloc::{boxed::Box, string::String, vec::Vec};

use crate::{
    manifest::{Envelope, Manifest, ModelRef, Release, SectionRef},
    plan::{Plan, Wanted, plan},
    trust::{Question, Root, Shown, Signed, Timestamp, Trust, TrustError},
};
pub use error::SyncError;

/// A manifest and what its documents say, as whoever fetched it read them.
#[derive(Clone, Debug)]
pub struct Offer {
    /// As it was fetched.
    pub manifest: Manifest,
    /// What its root's text says; there where it has one.
    pub root: Option<Root>,
    /// What its release's text says.
    pub release: Release,
    /// What its timestamp's text says; there where it has one.
    pub timestamp: Option<Timestamp>,
    /// SHA-256 of the release's text, 64 lower-case hexadecimal digits.
    pub hash: String,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Fetch the root of this version and show it to [`Sync::root`].
    Root(u64),
    /// Answer [`Sync::questions`] by [`Sync::answer`], which may ask for more roots.
    Verify,
    /// Fetch what [`Sync::plan`] lists, build the model, and call [`Sync::applied`].
    Fetch,
    /// Nothing: the model in use is the one in force.
    Current,
}

/// Which model is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// Its version; 0 where there is none.
    pub version: u64,
    /// The version of the last release that was believed; 0 where none was.
    pub release: u64,
}

#[derive(Debug)]
enum Stage {
    Idle,
    /// Roots are being collected.
    Shown {
        offer: Box<Offer>,
        roots: Vec<(Envelope, Root)>,
    },
    /// Believed, and another model than the one in use.
    Chosen {
        release: u64,
        model: ModelRef,
    },
}

/// A device that follows a registry.
#[derive(Debug)]
pub struct Sync {
    trust: Option<Trust>,
    device: Option<String>,
    in_use: InUse,
    stage: Stage,
}

impl Sync {
    /// Nothing is in use yet. Without `trust` whatever a registry shows is believed, as in development. `device` tells it
    /// from others where a model goes to some first ([`crate::rollout`]); without it, it is never among them.
    pub const fn new(trust: Option<Trust>, device: Option<String>) -> Self {
        let in_use = InUse { version: 0, release: 0 };
        Self { trust, device, in_use, stage: Stage::Idle }
    }

    /// A model that was kept is in use again, and what was believed is believed, unless more was seen since. Returns false,
    /// and takes up nothing, where one of them trusts a key and the other another one, or none.
    pub fn resume(&mut self, in_use: InUse, trust: Option<Trust>) -> bool {
        match (&mut self.trust, trust) {
            (Some(known), Some(kept)) if known.anchor == kept.anchor => {
                if !known.is_after(&kept) {
                    *known = kept;
                }
            }
            (None, None) => {}
            _ => return false,
        }
        self.in_use = in_use;
        true
    }

    /// Which model is in use.
    pub const fn in_use(&self) -> InUse {
        self.in_use
    }

    /// What is believed, to be kept.
    pub const fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// Starts with a manifest, whatever was begun before.
    pub fn show(&mut self, offer: Offer) -> Result<Next, SyncError> {
        self.stage = Stage::Idle;
        offer.validate()?;
        if self.trust.is_none() {
            let old = offer.release.version < self.in_use.release;
            return Ok(if old { Next::Current } else { self.choose(&offer.release) });
        }
        if offer.root.is_none() {
            return Err(TrustError::Unsigned.into());
        }
        self.stage = Stage::Shown { offer: Box::new(offer), roots: Vec::new() };
        self.gather()
    }

    /// A root that was asked for by [`Next::Root`].
    pub fn root(&mut self, envelope: Envelope, root: Root) -> Result<Next, SyncError> {
        let wanted = match self.gather()? {
            Next::Root(version) => version,
            _ => return Err(SyncError::Order),
        };
        // At once: nobody has signed it yet, and it is not to take more memory than it may.
        let sound =
            envelope.validate().map_err(TrustError::Manifest).and_then(|()| root.validate());
        let other = TrustError::Gap { lacking: wanted, found: root.version };
        let next = if root.version == wanted { sound } else { sound.and(Err(other)) };
        if let Err(refused) = next {
            self.stage = Stage::Idle;
            return Err(refused.into());
        }
        if let Stage::Shown { roots, .. } = &mut self.stage {
            roots.push((envelope, root));
        }
        self.gather()
    }

    /// The root that is lacking, or that none is, or that as many are here as are gone through at a time.
    fn gather(&self) -> Result<Next, SyncError> {
        let Stage::Shown { offer, roots } = &self.stage else { return Err(SyncError::Order) };
        let known = self.trust.as_ref().map_or(0, Trust::root_version) + roots.len() as u64;
        let last = offer.root.as_ref().map_or(0, |root| root.version);
        let lacking = known + 1 < last && !is_full(roots);
        Ok(if lacking { Next::Root(known + 1) } else { Next::Verify })
    }

    /// What `read` makes of the signatures that are to be verified: whether each is a key's of a text.
    pub fn questions<T>(&self, read: impl FnOnce(&[Question<'_>]) -> T) -> Result<T, SyncError> {
        let (Stage::Shown { offer, roots }, Some(trust)) = (&self.stage, &self.trust) else {
            return Err(SyncError::Order);
        };
        Ok(if is_full(roots) {
            read(&trust.root_questions(&signed(roots)))
        } else {
            read(&trust.questions(&offer.shown(&offer.roots(roots))))
        })
    }

    /// The answers to [`Self::questions`], in order, and the time, in milliseconds since the Unix epoch.
    pub fn answer(&mut self, answers: &[bool], now: i64) -> Result<Next, SyncError> {
        let stage = core::mem::replace(&mut self.stage, Stage::Idle);
        let (Stage::Shown { offer, roots }, Some(trust)) = (stage, &mut self.trust) else {
            return Err(SyncError::Order);
        };
        if is_full(&roots) {
            trust.follow(&signed(&roots), answers)?;
            self.stage = Stage::Shown { offer, roots: Vec::new() };
            return self.gather();
        }
        trust.advance(&offer.shown(&offer.roots(&roots)), answers, now)?;
        Ok(self.choose(&offer.release))
    }

    /// Which of a release's models this device is to use.
    fn choose(&mut self, release: &Release) -> Next {
        let device = self.device.as_ref().map(|device| device.as_bytes());
        match release.model_for(device) {
            Some(model) if model.version != self.in_use.version => {
                self.stage = Stage::Chosen { release: release.version, model: model.clone() };
                Next::Fetch
            }
            _ => {
                self.in_use.release = release.version;
                Next::Current
            }
        }
    }

    /// The model that is to be used next.
    pub const fn chosen(&self) -> Option<&ModelRef> {
        match &self.stage {
            Stage::Chosen { model, .. } => Some(model),
            _ => None,
        }
    }

    /// What to fetch for `shards` of it, each of which is wholly here as it is in use (`true`) or not, where sections are
    /// `here` as they were sent.
    pub fn plan(
        &self,
        shards: &[(u8, bool)],
        here: impl Fn(&SectionRef) -> bool,
    ) -> Result<Plan<'_>, SyncError> {
        let model = self.chosen().ok_or(SyncError::Order)?;
        let have = |whole: bool| (whole && self.in_use.version > 0).then_some(self.in_use.version);
        let wanted: Vec<Wanted> =
            shards.iter().map(|&(shard, whole)| Wanted { shard, have: have(whole) }).collect();
        Ok(plan(model, &wanted, here))
    }

    /// The model that was chosen is in use.
    pub fn applied(&mut self) -> Result<(), SyncError> {
        match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Chosen { release, model } => {
                self.in_use = InUse { version: model.version, release };
                Ok(())
            }
            _ => Err(SyncError::Order),
        }
    }

    /// Gives up what was begun. What is in use stays.
    pub fn abandon(&mut self) {
        self.stage = Stage::Idle;
    }
}

impl Offer {
    fn validate(&self) -> Result<(), SyncError> {
        self.manifest.validate()?;
        self.release.validate()?;
        let paired = self.root.is_some() == self.manifest.root.is_some()
            && self.timestamp.is_some() == self.manifest.timestamp.is_some();
        if paired { Ok(()) } else { Err(SyncError::Order) }
    }

    /// The roots that lead to the one of the manifest, and that one.
    fn roots<'a>(&'a self, before: &'a [(Envelope, Root)]) -> Vec<Signed<'a, Root>> {
        let last = self.root.as_ref().zip(self.manifest.root.as_ref());
        let last = last.map(|(document, envelope)| Signed { document, envelope });
        signed(before).into_iter().chain(last).collect()
    }

    fn shown<'a>(&'a self, roots: &'a [Signed<'a, Root>]) -> Shown<'a> {
        let timestamp = self.timestamp.as_ref().zip(self.manifest.timestamp.as_ref());
        Shown {
            roots,
            timestamp: timestamp.map(|(document, envelope)| Signed { document, envelope }),
            release: Signed { document: &self.release, envelope: &self.manifest.release },
            hash: &self.hash,
        }
    }
}

/// Roots that are held before they are verified, beside the manifest's own: nobody has signed them yet.
pub const MOST_HELD: usize = 8;

/// Whether as many roots are here as are verified at a time.
const fn is_full(roots: &[(Envelope, Root)]) -> bool {
    roots.len() >= MOST_HELD
}

fn signed(roots: &[(Envelope, Root)]) -> Vec<Signed<'_, Root>> {
    roots.iter().map(|(envelope, document)| Signed { document, envelope }).collect()
}
