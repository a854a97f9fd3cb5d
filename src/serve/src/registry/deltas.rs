//! What leads to a model from those before it.

use segue_core::{
    bytes::Aligned,
    manifest::{DeltaRef, MAX_DELTAS, ModelRef, SectionRef},
    model::{Model, SectionId, SectionKind, delta},
    plan::{Wanted, plan},
};
use std::collections::{BTreeMap, BTreeSet};

use super::{
    Options, Registry, RegistryError,
    change::Before,
    publish::{Part, side_by_side},
};

/// Steps between earlier models are listed for as many times the models that deltas are made from directly.
const FURTHER: usize = 4;

/// A delta from the last version of a shard: the shard, the version, and the delta.
type Step<'a> = ((u8, u64), Part<'a>);

impl Registry {
    /// A model's entry with the deltas that lead to it from earlier models, and those of them that are new.
    ///
    /// A delta is made of each shard from each of the last few models, and applied to see that it makes the same bytes.
    /// Those stay, of these and of the steps that are listed already, that lie on the way of the fewest bytes from some
    /// model, where that way is shorter than what it replaces as it would be sent.
    pub(super) fn with_deltas<'a>(
        &self,
        before: &Before,
        mut entry: ModelRef,
        model: &Model,
        options: &Options<'_>,
    ) -> Result<(ModelRef, Vec<Part<'a>>), RegistryError> {
        let earlier = self.earlier(before, entry.version, options.deltas * FURTHER)?;
        let mut made = BTreeMap::new();
        for base in earlier.iter().take(options.deltas) {
            match self.load_model(base) {
                Ok(old) => made.extend(self.steps_from(base, &old, &entry, model)?),
                // It is only a shortcut that is lost.
                Err(error) => tracing::warn!("no deltas from model {}: {error}", base.version),
            }
        }
        let known: BTreeSet<u64> = earlier.iter().map(|base| base.version).collect();
        let mut listed: BTreeMap<(u8, u64, u64), DeltaRef> = BTreeMap::new();
        let in_force = before.base().map_or(&[][..], |base| &base.release.models);
        for model in in_force {
            for delta in &model.deltas {
                let to = model.target(delta);
                if known.contains(&delta.from) && delta.from != entry.version {
                    let step =
                        DeltaRef { to: (to != entry.version).then_some(to), ..delta.clone() };
                    listed.insert((delta.shard, delta.from, to), step);
                }
            }
        }
        for ((shard, from), part) in &made {
            let (hash, bytes) = (part.hash.to_string(), part.len());
            let step = DeltaRef { from: *from, to: None, shard: *shard, hash, bytes };
            listed.insert((*shard, *from, entry.version), step);
        }
        entry.deltas = listed.into_values().collect();
        entry.deltas = self.worth_while(&entry, &earlier)?;
        let named: BTreeSet<&str> = entry.deltas.iter().map(|delta| delta.hash.as_str()).collect();
        let new = made.into_values().filter(|part| named.contains(part.hash.to_string().as_str()));
        let new = new.collect();
        Ok((entry, new))
    }

    /// Up to `most` models that were in force before one of `version`, the latest first.
    pub(super) fn earlier(
        &self,
        before: &Before,
        version: u64,
        most: usize,
    ) -> Result<Vec<ModelRef>, RegistryError> {
        let mut found: BTreeMap<u64, ModelRef> = BTreeMap::new();
        let Some(base) = before.base() else { return Ok(Vec::new()) };
        let mut add = |models: Vec<ModelRef>| {
            found.extend(models.into_iter().map(|model| (model.version, model)));
            found.remove(&version);
            found.len() >= most
        };
        let mut enough = add(base.release.models.clone());
        for past in self.archive()?.into_iter().filter(|past| *past < base.release.version) {
            if enough {
                break;
            }
            // It is only a shortcut that is lost with one that is damaged.
            if let Ok(Some((_, release))) = self.archived(past) {
                enough = add(release.models);
            }
        }
        Ok(found.into_values().rev().take(most).collect())
    }

    /// The deltas from one model, by shard and its version, of the shards that changed.
    fn steps_from<'a>(
        &self,
        base: &ModelRef,
        old: &Model,
        entry: &ModelRef,
        new: &Model,
    ) -> Result<Vec<Step<'a>>, RegistryError> {
        let shards: BTreeSet<u8> = entry.sections.iter().map(|section| section.shard).collect();
        let shards: Vec<u8> = shards.into_iter().collect();
        let made = side_by_side(&shards, |&shard| {
            let whole = self.whole(entry, Some(base), shard)?;
            if whole == 0 {
                return Ok(None);
            }
            let delta = delta::between(old, new, shard)
                .filter(|delta| u64::try_from(delta.len()).is_ok_and(|len| len < whole));
            let sound = delta.filter(|delta| {
                let sound = makes(old, new, shard, delta);
                if !sound {
                    let from = base.version;
                    tracing::error!("a delta of shard {shard} from model {from} makes another one");
                }
                sound
            });
            Ok(sound.map(|delta| ((shard, base.version), Part::new(delta))))
        })?;
        Ok(made.into_iter().flatten().collect())
    }

    /// Bytes, as they are sent, of what a device lacks of a shard that has it of `base`.
    fn whole(
        &self,
        entry: &ModelRef,
        base: Option<&ModelRef>,
        shard: u8,
    ) -> Result<u64, RegistryError> {
        let here = |section: &SectionRef| base.is_some_and(|base| base.sections.contains(section));
        let lacking = entry
            .sections
            .iter()
            .filter(|section| section.shard == shard && !is_cells(section) && !here(section));
        lacking
            .map(|section| Ok(self.bytes_sent(self.hash_of(&section.hash)?, section.bytes)))
            .sum()
    }

    /// Those of an entry's deltas that a device takes from one of the earlier models, where it is better off with them
    /// than without.
    fn worth_while(
        &self,
        entry: &ModelRef,
        earlier: &[ModelRef],
    ) -> Result<Vec<DeltaRef>, RegistryError> {
        let shards: BTreeSet<u8> = entry.deltas.iter().map(|delta| delta.shard).collect();
        let mut taken: BTreeSet<(u8, u64, u64)> = BTreeSet::new();
        // The latest first: where there are too many it is the oldest that go without.
        for base in earlier {
            let mut ways = BTreeSet::new();
            for &shard in &shards {
                let wanted = Wanted { shard, have: Some(base.version) };
                let way = plan(entry, &[wanted], |section| {
                    is_cells(section) || base.sections.contains(section)
                });
                if !way.deltas.is_empty() && way.bytes < self.whole(entry, Some(base), shard)? {
                    let key = |delta: &&DeltaRef| (delta.shard, delta.from, entry.target(delta));
                    ways.extend(way.deltas.iter().map(key));
                }
            }
            if taken.union(&ways).count() > MAX_DELTAS {
                break;
            }
            taken.extend(ways);
        }
        let is_taken =
            |delta: &&DeltaRef| taken.contains(&(delta.shard, delta.from, entry.target(delta)));
        Ok(entry.deltas.iter().filter(is_taken).cloned().collect())
    }
}

fn is_cells(section: &SectionRef) -> bool {
    section.kind == SectionKind::Cells.name()
}

/// Whether a delta makes the very bytes of a shard.
fn makes(old: &Model, new: &Model, shard: u8, delta: &[u8]) -> bool {
    // A shard is read beside the head that it belongs to.
    let beside = |id: &SectionId| match shard {
        0 => id.kind == SectionKind::Cells,
        _ => id.shard == 0,
    };
    let rest = new.sections().filter(|(id, _)| beside(id));
    let rest = rest.map(|(id, bytes)| (id, Aligned::copy_of(&bytes)));
    old.patched(&[delta], rest).is_ok_and(|made| {
        let of = |id: &SectionId| id.shard == shard && id.kind != SectionKind::Cells;
        made.sections().filter(|(id, _)| of(id)).eq(new.sections().filter(|(id, _)| of(id)))
    })
}
