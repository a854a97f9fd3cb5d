//! A device that is a file: brings a model to the version in force, as a page does, by the same steps.

use std::collections::BTreeMap;

use segue_core::{
    bytes::Aligned,
    manifest::{ModelRef, SectionRef},
    model::{Model, ModelError, SectionId, SectionKind, delta::DeltaError},
    sync::{InUse, Next, Offer, Sync, SyncError},
    trust::{Trust, TrustError},
};
use serde::{Deserialize, Serialize};

use crate::{
    keys::answers,
    registry::{BlobHash, InForce, Registry, RegistryError},
};

/// What a device knows beside its model, to be kept even where pulling failed: what was seen must not be unseen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What it believes; `None` where it was given no key.
    pub trust: Option<Trust>,
    /// The version of its model; 0 where it has none.
    pub version: u64,
    /// The version of the last release.
    pub release: u64,
}

/// A model that was brought.
#[derive(Debug)]
pub struct Pulled {
    /// The model in force for this device.
    pub model: Model,
    /// How many deltas led to it; 0 where it was fetched whole.
    pub deltas: usize,
    /// Bytes that were fetched, before any content coding.
    pub bytes: u64,
}

/// Why a model cannot be brought to the version in force. Who calls says of which registry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// The registry cannot be read, or its documents are not sound.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What it shows is refused.
    #[error(transparent)]
    Refused(#[from] SyncError),
    /// What was fetched is no model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What is known beside the model was verified with another key, and now with none or with another.
    #[error("what was seen before was verified with the public key {0}, and now with {now}: pass that key, or begin with a new file", now = .1.as_deref().unwrap_or("none"))]
    OtherKey(String, Option<String>),
}

/// What a device is.
#[derive(Clone, Debug, Default)]
pub struct Puller<'a> {
    /// The public key that the first root must be signed by; without one, whatever the registry has is taken.
    pub public_key: Option<&'a str>,
    /// What tells it from others.
    pub device: Option<&'a str>,
    /// By its clock, in milliseconds since the Unix epoch.
    pub now_ms: i64,
}

impl Puller<'_> {
    /// The model in force, of which `held` is an earlier version, as `state` says; `None` where that is it. Afterwards
    /// `state` says what is to be kept beside the model, whether that came or not.
    pub fn pull(
        &self,
        registry: &Registry,
        held: Option<&Model>,
        state: &mut State,
    ) -> Result<Option<Pulled>, PullError> {
        if let Some(trust) = &state.trust
            && self.public_key != Some(&trust.anchor)
        {
            let now = self.public_key.map(str::to_owned);
            return Err(PullError::OtherKey(trust.anchor.clone(), now));
        }
        let malformed = SyncError::Trust(TrustError::Anchor);
        let trust = self.public_key.map(|key| Trust::new(key).ok_or(malformed)).transpose()?;
        let mut sync = Sync::new(trust, self.device.map(str::to_owned));
        // A file that is not what it is said to be is none.
        let in_force = registry.some_in_force()?.release;
        let said = in_force.models.iter().find(|model| model.version == state.version);
        let held = held.filter(|held| said.is_none_or(|said| is_all(held, said)));
        let version = held.map_or(0, |_| state.version);
        sync.resume(InUse { version, release: state.release }, state.trust.clone());
        let chosen = self.choose(registry, &mut sync);
        state.trust = sync.trust().cloned();
        state.release = sync.in_use().release;
        if chosen? == Next::Current {
            return Ok(None);
        }
        let pulled = fetch(registry, &sync, held)?;
        sync.applied()?;
        InUse { version: state.version, release: state.release } = sync.in_use();
        Ok(Some(pulled))
    }

    /// Goes through the steps to what is to be fetched.
    fn choose(&self, registry: &Registry, sync: &mut Sync) -> Result<Next, PullError> {
        let InForce { manifest, release, root, timestamp } = registry.some_in_force()?;
        let hash = BlobHash::of(manifest.release.signed.as_bytes()).to_string();
        let mut next = sync.show(Offer { manifest, root, release, timestamp, hash })?;
        loop {
            next = match next {
                Next::Root(version) => {
                    let (envelope, root) = registry.root(version)?;
                    sync.root(envelope, root)?
                }
                Next::Verify => {
                    let answers = sync.questions(answers)?;
                    sync.answer(&answers, self.now_ms)?
                }
                Next::Fetch | Next::Current => return Ok(next),
            };
        }
    }
}

/// Fetches what was chosen, by deltas where these lead there.
fn fetch(registry: &Registry, sync: &Sync, held: Option<&Model>) -> Result<Pulled, PullError> {
    let Some(model) = sync.chosen() else { return Err(SyncError::Order.into()) };
    if let Some(held) = held {
        match by_deltas(registry, sync, model, held)? {
            Some(pulled) => return Ok(pulled),
            // They were published so: what they should have made is there all the same.
            None => tracing::debug!("model {} is fetched whole", model.version),
        }
    }
    let mut bytes = 0;
    let mut sections = Vec::new();
    for section in &model.sections {
        let Some(id) = id_of(section) else { continue };
        let here = held.and_then(|held| held.section(id)).filter(|here| is(here, section));
        let content = match here {
            Some(here) => Aligned::copy_of(here),
            None => {
                bytes += section.bytes;
                Aligned::copy_of(&registry.named(&section.hash, section.bytes)?)
            }
        };
        sections.push((id, content));
    }
    let model = Model::from_sections(sections)?;
    Ok(Pulled { model, deltas: 0, bytes })
}

/// Whether a model is the one that a release names.
fn is_all(held: &Model, model: &ModelRef) -> bool {
    model.sections.iter().all(|section| {
        let content = id_of(section).map(|id| held.section(id));
        content.is_none_or(|content| content.is_some_and(|content| is(content, section)))
    })
}

/// What deltas make of the model that is held; `None` where there are none, or they do not.
fn by_deltas(
    registry: &Registry,
    sync: &Sync,
    model: &ModelRef,
    held: &Model,
) -> Result<Option<Pulled>, PullError> {
    let shards: BTreeMap<u8, bool> = model
        .sections
        .iter()
        .map(|section| (section.shard, held.state(section.shard).is_some()))
        .collect();
    let shards: Vec<(u8, bool)> = shards.into_iter().collect();
    let here = |section: &SectionRef| {
        let content = id_of(section).and_then(|id| held.section(id));
        content.is_some_and(|content| is(content, section))
    };
    let plan = sync.plan(&shards, here)?;
    // In a split catalogue shards are made side by side, each by one delta.
    let direct = plan.deltas.iter().all(|delta| model.target(delta) == model.version);
    if plan.deltas.is_empty() || (shards.len() > 1 && !direct) {
        return Ok(None);
    }
    let mut deltas = Vec::new();
    for delta in &plan.deltas {
        match registry.named(&delta.hash, delta.bytes) {
            Ok(bytes) => deltas.push(bytes),
            // It is only a shortcut that is lost; where nothing answers, it is not that.
            Err(error @ RegistryError::Io { .. }) => return Err(error.into()),
            Err(_) => return Ok(None),
        }
    }
    let made = |shard| plan.deltas.iter().any(|delta| delta.shard == shard);
    let mut beside = Vec::new();
    for section in &model.sections {
        let Some(id) = id_of(section) else { continue };
        let fetched = plan.sections.iter().any(|wanted| std::ptr::eq(*wanted, section));
        if fetched {
            beside.push((id, Aligned::copy_of(&registry.named(&section.hash, section.bytes)?)));
        } else if !made(section.shard) || id.kind == SectionKind::Cells {
            beside.extend(held.section(id).map(|content| (id, Aligned::copy_of(content))));
        }
    }
    let slices: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
    Ok(match patched(held, &slices, beside, shards.len() == 1) {
        Ok(model) => Some(Pulled { model, deltas: deltas.len(), bytes: plan.bytes }),
        Err(error) => {
            tracing::warn!("a delta of {} is of no use: {error}", registry.dir().display());
            None
        }
    })
}

/// One delta after another of the only shard, or of each shard its own.
fn patched(
    held: &Model,
    deltas: &[&[u8]],
    beside: Vec<(SectionId, Aligned)>,
    in_turn: bool,
) -> Result<Model, DeltaError> {
    let Some((last, before)) = deltas.split_last().filter(|_| in_turn) else {
        return held.patched(deltas, beside);
    };
    let none = || Vec::<(SectionId, Aligned)>::new();
    let mut here = held.clone();
    for delta in before {
        here = here.patched(&[delta], none())?;
    }
    here.patched(&[last], beside)
}

fn id_of(section: &SectionRef) -> Option<SectionId> {
    let kind = SectionKind::from_name(&section.kind)?;
    Some(SectionId { shard: section.shard, kind })
}

fn is(content: &[u8], section: &SectionRef) -> bool {
    BlobHash::of(content).to_string() == section.hash
}
