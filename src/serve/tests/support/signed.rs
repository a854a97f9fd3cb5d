//! Registries that are signed, and models that change a little.

use segue_core::{
    bytes::Aligned,
    ids::fingerprint,
    model::{self, Loss, Model, Responses, SectionKind, TasteParts},
    rng::SplitMix64,
};
use segue_serve::{
    keys::Keys,
    registry::{Options, Registry},
};
use std::path::PathBuf;
use tempfile::TempDir;

use super::{NOW, at};

/// A day, in milliseconds.
pub const DAY: i64 = 86_400_000;

/// A registry, and the keys that it is signed with.
pub struct Signed {
    pub folder: TempDir,
    pub registry: Registry,
    pub keys: Keys,
}

impl Signed {
    /// An empty one, and new keys.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let registry = Registry::create(folder.path().join("registry")).unwrap();
        let keys = folder.path().join("keys");
        let (keys, rooted) = Keys::create(&keys, &[], 1, NOW + 730 * DAY).unwrap();
        assert!(rooted.complete);
        Self { folder, registry, keys }
    }

    /// One in which a model is in force.
    pub fn published() -> Self {
        let signed = Self::new();
        signed.publish(&evolving(0), 0);
        signed
    }

    /// Publishes so many days on.
    pub fn publish(&self, model: &Model, days: i64) {
        self.registry.publish(model, &self.on(days)).unwrap();
    }

    /// Options to sign with so many days on.
    pub fn on(&self, days: i64) -> Options<'_> {
        Options { keys: Some(&self.keys), ..at(NOW + days * DAY) }
    }

    /// The public key that devices are given.
    pub fn anchor(&self) -> String {
        let root = &self.keys.roots()[0].0;
        root.public(&root.roles.root.keys[0]).unwrap().clone()
    }

    /// Where something of the registry is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.registry.dir().join(name)
    }
}

/// A model of which each generation differs a little from the one before.
pub fn evolving(generation: u64) -> Model {
    const TRACKS: usize = 400;
    const DIM: usize = 8;
    let mut fingerprints: Vec<u64> = (0..TRACKS).map(|i| fingerprint(&format!("t{i}"))).collect();
    fingerprints.sort_unstable();
    let mut noise = SplitMix64::new(1);
    let mut codes: Vec<i8> = (0..TRACKS * DIM).map(|_| noise.below(40) as i8 - 20).collect();
    for change in 0..generation {
        let mut noise = SplitMix64::new(1000 + change);
        for _ in 0..6 {
            codes[noise.below(TRACKS * DIM)] = noise.below(40) as i8 - 20;
        }
    }
    let taste = TasteParts {
        loss: Loss { unobserved: 0.05, ridge: 0.01, exponent: 1.0 },
        catalogue: TRACKS as f32,
        pull: 1.0,
        responses: Responses::default(),
        mean: vec![0.0; DIM],
        gram: None,
    };
    let (_, sections) = model::encode_ranking(&fingerprints, &[0.05; DIM], &codes, &taste);
    let sections: Vec<(SectionKind, Aligned)> = sections;
    Model::from_sections(sections).unwrap()
}
