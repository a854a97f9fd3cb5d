//! From one release to the next: deltas, roll-outs, rollbacks, and what is collected.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use segue_core::{
    bytes::Aligned,
    manifest::{ModelRef, Release},
    model::Model,
    plan::{Plan, Wanted, plan},
};
use segue_serve::registry::{BlobHash, Collecting, Options, Registry, RegistryError};
use std::{collections::BTreeSet, fs, sync::Barrier, thread, time::Duration};
use support::{
    NOW, at, empty_registry,
    signed::{DAY, Signed, evolving},
    tamper,
};

fn publish(registry: &Registry, generations: std::ops::Range<u64>) {
    for generation in generations {
        registry.publish(&evolving(generation), &at(NOW)).unwrap();
    }
}

fn in_force(registry: &Registry) -> Release {
    registry.release().unwrap().unwrap()
}

fn blob(registry: &Registry, hash: &str) -> Vec<u8> {
    registry.blob(hash.parse().unwrap()).unwrap()
}

/// What a device makes of a plan, beginning with `have`.
fn follow(registry: &Registry, have: &Model, plan: &Plan<'_>) -> Model {
    let steps = plan.deltas.iter().map(|delta| blob(registry, &delta.hash));
    steps.fold(have.clone(), |model, delta| {
        model.patched(&[&delta], [] as [(segue_core::model::SectionKind, Aligned); 0]).unwrap()
    })
}

fn plan_from(entry: &ModelRef, version: u64) -> Plan<'_> {
    plan(entry, &[Wanted { shard: 0, have: Some(version) }], |_| false)
}

#[test]
fn a_device_is_led_to_the_last_model_from_each_of_those_before_it() {
    let (_folder, registry) = empty_registry();
    publish(&registry, 0..8);
    let release = in_force(&registry);
    release.validate().unwrap();
    let entry = &release.models[0];
    assert_eq!((release.version, entry.version), (8, 8));
    let whole = entry.sections.iter().map(|section| section.bytes).sum::<u64>();
    for version in 1..8 {
        let plan = plan_from(entry, version);
        assert!(plan.sections.is_empty() && plan.bytes < whole, "{version}: {} bytes", plan.bytes);
        let made = follow(&registry, &evolving(version - 1), &plan);
        assert!(made.to_file() == evolving(7).to_file(), "{version}");
    }
    // From models before the last five it takes steps that were listed earlier.
    assert!(plan_from(entry, 1).deltas.len() > 1);
    registry.verify().unwrap();
}

#[test]
fn deltas_are_made_from_as_many_models_as_are_asked_for() {
    for deltas in [0, 1, 3] {
        let (_folder, registry) = empty_registry();
        for generation in 0..5 {
            let options = Options { deltas, ..at(NOW) };
            registry.publish(&evolving(generation), &options).unwrap();
        }
        let release = in_force(&registry);
        let direct = release.models[0].deltas.iter().filter(|delta| delta.to.is_none()).count();
        assert_eq!(direct, deltas);
    }
}

#[test]
fn a_delta_that_is_no_smaller_than_what_it_replaces_is_not_there() {
    let (_folder, registry) = support::registry();
    registry.publish(&support::model(2), &at(NOW)).unwrap();
    for delta in &in_force(&registry).models[0].deltas {
        let all = in_force(&registry).models[0].sections.iter().map(|section| section.bytes).sum();
        assert!(delta.bytes < all);
    }
    let split = |name: &[u8]| Model::from_file(name).unwrap();
    let first = split(include_bytes!("../../../pkg/test/fixtures/split.segue"));
    let second = split(include_bytes!("../../../pkg/test/fixtures/split-second.segue"));
    let (_folder, registry) = empty_registry();
    registry.publish(&first, &at(NOW)).unwrap();
    registry.publish(&second, &at(NOW)).unwrap();
    let release = in_force(&registry);
    let entry = &release.models[0];
    let shards: BTreeSet<u8> = entry.sections.iter().map(|section| section.shard).collect();
    for shard in shards {
        let wanted = Wanted { shard, have: Some(1) };
        let lacking = |section: &segue_core::manifest::SectionRef| section.kind == "cells";
        let bytes = plan(entry, &[wanted], lacking).bytes;
        assert!(bytes <= plan(entry, &[Wanted { shard, have: None }], lacking).bytes);
    }
    registry.verify().unwrap();
}

#[test]
fn a_model_whose_base_is_damaged_is_published_without_that_shortcut() {
    let (_folder, registry) = empty_registry();
    publish(&registry, 0..1);
    let first = in_force(&registry).models[0].sections[1].hash.clone();
    tamper(&registry.dir().join("blob").join(&first));
    let published = registry.publish(&evolving(1), &at(NOW)).unwrap();
    assert_eq!((published.version, published.deltas), (2, 0));
    // A release in the archive that is damaged does no more harm.
    fs::write(registry.dir().join("release/1"), b"{").unwrap();
    assert_eq!(registry.publish(&evolving(2), &at(NOW)).unwrap().version, 3);
}

#[test]
fn a_candidate_lies_beside_the_model_of_all_until_it_is_promoted_or_withdrawn() {
    let signed = Signed::published();
    let rollout = Options { share: Some(1000), ..signed.on(0) };
    let published = signed.registry.publish(&evolving(1), &rollout).unwrap();
    assert_eq!((published.version, published.release), (2, 2));
    let release = in_force(&signed.registry);
    let shares: Vec<_> = release.models.iter().map(|model| (model.version, model.share)).collect();
    assert_eq!(shares, [(1, None), (2, Some(1000))]);
    assert_eq!(plan_from(&release.models[1], 1).deltas.len(), 1);

    let more = signed.registry.roll_out(5000, &signed.on(0)).unwrap();
    assert_eq!((more.release, more.version, more.candidate), (3, 1, Some((2, 5000))));
    let all = signed.registry.roll_out(10_000, &signed.on(0)).unwrap();
    assert_eq!((all.release, all.version, all.candidate), (4, 2, None));
    assert_eq!(signed.registry.load().unwrap().1.to_file(), evolving(1).to_file());
    let error = signed.registry.roll_out(5000, &signed.on(0)).unwrap_err();
    assert!(error.to_string().contains("--rollout PERCENT"), "{error}");

    signed.registry.publish(&evolving(2), &rollout).unwrap();
    let none = signed.registry.roll_out(0, &signed.on(0)).unwrap();
    assert_eq!((none.version, none.candidate), (2, None));
    signed.registry.believe(&signed.anchor(), NOW).unwrap();
}

#[test]
fn a_candidate_is_another_model_than_that_of_all_and_there_is_one() {
    let signed = Signed::new();
    let rollout = Options { share: Some(1000), ..signed.on(0) };
    let error = signed.registry.publish(&evolving(0), &rollout).unwrap_err();
    assert!(matches!(error, RegistryError::NothingForAll(_)), "{error}");
    signed.publish(&evolving(0), 0);
    let error = signed.registry.publish(&evolving(0), &rollout).unwrap_err();
    assert!(matches!(error, RegistryError::ForAll { version: 1, .. }), "{error}");
    signed.registry.publish(&evolving(1), &rollout).unwrap();
    // Published for all, the candidate is no other model than it was.
    let published = signed.registry.publish(&evolving(1), &signed.on(0)).unwrap();
    assert_eq!((published.version, published.release), (2, 3));
    assert_eq!(in_force(&signed.registry).models.len(), 1);
}

#[test]
fn a_rollback_is_a_later_release_of_an_earlier_model() {
    let signed = Signed::published();
    (1..4).for_each(|generation| signed.publish(&evolving(generation), generation as i64));
    let back = signed.registry.roll_back(None, &signed.on(4)).unwrap();
    assert_eq!((back.release, back.version), (5, 3));
    assert_eq!(signed.registry.load().unwrap().1.to_file(), evolving(2).to_file());
    // Devices that have what was withdrawn are led back by a delta.
    let release = in_force(&signed.registry);
    let plan = plan_from(&release.models[0], 4);
    assert!(!plan.deltas.is_empty());
    let made = follow(&signed.registry, &evolving(3), &plan);
    assert!(made.to_file() == evolving(2).to_file());
    // Once more goes further back, not forth.
    assert_eq!(signed.registry.roll_back(None, &signed.on(4)).unwrap().version, 2);
    let named = signed.registry.roll_back(Some(4), &signed.on(4)).unwrap();
    assert_eq!((named.release, named.version), (7, 4));
    let error = signed.registry.roll_back(Some(9), &signed.on(4)).unwrap_err();
    assert!(error.to_string().contains("no earlier model 9"), "{error}");
    let trust = signed.registry.believe(&signed.anchor(), NOW + 4 * DAY).unwrap();
    assert_eq!(trust.release, 7);
    // A new model is none of the numbers that were used.
    let published = signed.registry.publish(&evolving(9), &signed.on(4)).unwrap();
    assert_eq!((published.version, published.release), (8, 8));
}

#[test]
fn a_rollback_withdraws_a_candidate_first() {
    let (_folder, registry) = empty_registry();
    publish(&registry, 0..2);
    registry.publish(&evolving(2), &Options { share: Some(100), ..at(NOW) }).unwrap();
    let back = registry.roll_back(None, &at(NOW)).unwrap();
    assert_eq!((back.release, back.version, back.candidate), (4, 2, None));
    assert_eq!(registry.roll_back(None, &at(NOW)).unwrap().version, 1);
    let error = registry.roll_back(None, &at(NOW)).unwrap_err();
    assert!(matches!(error, RegistryError::NoEarlier { to: None, .. }), "{error}");
}

/// Whatever its age.
fn all(keep: usize) -> Collecting {
    Collecting { keep, grace: Duration::ZERO, dry_run: false }
}

fn files(registry: &Registry) -> BTreeSet<String> {
    let entries = fs::read_dir(registry.dir().join("blob")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_nothing_needs_is_collected_and_what_is_in_force_never_is() {
    let (_folder, registry) = empty_registry();
    publish(&registry, 0..8);
    let before = files(&registry);
    let dry = registry.collect(&Collecting { dry_run: true, ..all(2) }).unwrap();
    assert_eq!(files(&registry), before);
    let done = registry.collect(&all(2)).unwrap();
    assert_eq!((dry.files, dry.bytes, dry.releases), (done.files, done.bytes, done.releases));
    assert_eq!((done.releases, done.kept), (6, files(&registry).len()));
    assert!(done.files > 0 && done.files == before.len() - done.kept);
    registry.verify().unwrap();
    assert_eq!(registry.roll_back(None, &at(NOW)).unwrap().version, 7);
    registry.verify().unwrap();
    let error = registry.roll_back(Some(3), &at(NOW)).unwrap_err();
    assert!(matches!(error, RegistryError::NoEarlier { .. }), "{error}");
    let again = registry.collect(&all(2)).unwrap();
    assert_eq!(again.files + again.kept, files(&registry).len() + again.files);
    registry.verify().unwrap();
}

#[test]
fn what_is_young_or_of_others_stays() {
    let (_folder, registry) = empty_registry();
    publish(&registry, 0..4);
    let notes = registry.dir().join("blob/notes");
    fs::write(&notes, b"mine").unwrap();
    let none = registry.collect(&Collecting { keep: 1, ..Collecting::default() }).unwrap();
    assert_eq!(none.files, 0);
    // A blob that no release names, as of a publication that was interrupted.
    let stray = BlobHash::of(b"stray").to_string();
    let stray = registry.dir().join("blob").join(stray);
    fs::write(&stray, b"stray").unwrap();
    registry.collect(&all(1)).unwrap();
    assert!(notes.exists() && !stray.exists());
    registry.verify().unwrap();
}

#[test]
fn nothing_is_collected_where_it_cannot_be_told_what_is_needed() {
    let (_folder, registry) = empty_registry();
    assert!(registry.collect(&all(1)).is_err(), "nothing was published");
    publish(&registry, 0..4);
    let before = files(&registry);
    let kept = registry.dir().join("release/3");
    let whole = fs::read(&kept).unwrap();
    fs::write(&kept, &whole[..20]).unwrap();
    assert!(registry.collect(&all(3)).is_err());
    fs::write(&kept, whole).unwrap();
    let manifest = registry.dir().join("manifest");
    let whole = fs::read(&manifest).unwrap();
    fs::write(&manifest, b"{").unwrap();
    assert!(registry.collect(&all(1)).is_err());
    assert_eq!(files(&registry), before);
    fs::write(&manifest, whole).unwrap();
    registry.collect(&all(1)).unwrap();
}

#[test]
fn publishers_and_collectors_at_once_never_leave_a_release_without_its_blobs() {
    let (_folder, registry) = empty_registry();
    publish(&registry, 0..2);
    let start = Barrier::new(5);
    thread::scope(|scope| {
        for worker in 0..4 {
            let (registry, start) = (&registry, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..6 {
                    // One is turned away while another is at it.
                    let done = match worker {
                        0 => registry.collect(&all(1)).map(|_| ()),
                        _ => registry.publish(&evolving(worker * 10 + round), &at(NOW)).map(|_| ()),
                    };
                    assert!(matches!(done, Ok(()) | Err(RegistryError::Locked(_))), "{done:?}");
                }
            });
        }
        start.wait();
        for _ in 0..20 {
            let release = in_force(&registry);
            assert!(release.version >= 2);
        }
    });
    registry.verify().unwrap();
}
