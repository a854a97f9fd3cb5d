//! What is fetched for a model: never more than its sections, and a way that leads there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use segue_core::{
    manifest::{DeltaRef, ManifestError, ModelRef, Release, SectionRef},
    plan::{MAX_STEPS, Wanted, plan},
    rollout::{WHOLE, bucket},
};

const LATEST: u64 = 20;

fn section(kind: &str, shard: u8, bytes: u64) -> SectionRef {
    SectionRef { kind: kind.into(), shard, hash: format!("{bytes:064x}"), bytes }
}

fn delta(shard: u8, from: u64, to: Option<u64>, bytes: u64) -> DeltaRef {
    DeltaRef { from, to, shard, hash: format!("{bytes:064x}"), bytes }
}

fn model(mut deltas: Vec<DeltaRef>) -> ModelRef {
    let key = |delta: &DeltaRef| (delta.shard, delta.from, delta.to.unwrap_or(LATEST));
    deltas.sort_by_key(key);
    deltas.dedup_by_key(|delta| key(delta));
    let sections = vec![
        section("ids", 0, 300),
        section("factors", 0, 700),
        section("cells", 0, 50),
        section("ids", 1, 400),
        section("factors", 1, 100),
    ];
    let model = ModelRef { version: LATEST, share: None, sections, deltas };
    model.validate().unwrap();
    model
}

fn chosen(model: &ModelRef, shard: u8, have: Option<u64>) -> (Vec<(u64, u64)>, u64) {
    let plan = plan(model, &[Wanted { shard, have }], |section| section.kind == "cells");
    let way = plan.deltas.iter().map(|delta| (delta.from, model.target(delta))).collect();
    (way, plan.bytes)
}

#[test]
fn the_way_of_the_fewest_bytes_is_taken() {
    let model = model(vec![
        delta(0, 19, None, 100),
        delta(0, 18, Some(19), 100),
        delta(0, 18, None, 250),
        delta(0, 17, Some(18), 100),
        delta(0, 17, None, 290),
        delta(0, 3, None, 1000),
    ]);
    assert_eq!(chosen(&model, 0, Some(19)), (vec![(19, 20)], 100));
    assert_eq!(chosen(&model, 0, Some(18)), (vec![(18, 19), (19, 20)], 200));
    assert_eq!(chosen(&model, 0, Some(17)), (vec![(17, 20)], 290));
    // As many bytes as the sections are no gain.
    assert_eq!(chosen(&model, 0, Some(3)), (vec![], 1000));
    assert_eq!(chosen(&model, 0, Some(4)), (vec![], 1000));
    assert_eq!(chosen(&model, 0, None), (vec![], 1000));
    // Deltas of the head are none of a shard's.
    assert_eq!(chosen(&model, 1, Some(19)), (vec![], 500));
}

#[test]
fn a_section_that_is_here_costs_nothing_and_cells_come_whole() {
    let model = model(vec![delta(0, 19, None, 350), delta(1, 19, None, 20)]);
    let wanted = [0, 1].map(|shard| Wanted { shard, have: Some(19) });
    let all = plan(&model, &wanted, |_| false);
    assert_eq!((all.deltas.len(), all.bytes), (2, 350 + 20 + 50));
    assert_eq!(all.sections, [&model.sections[2]]);
    // Of the head only 300 bytes are lacking, which is less than its delta.
    let some = plan(&model, &wanted, |section| section.kind != "ids");
    assert_eq!(some.sections, [&model.sections[0]]);
    assert_eq!((some.deltas, some.bytes), (vec![&model.deltas[1]], 300 + 20));
    assert_eq!(plan(&model, &wanted, |_| true).bytes, 0);
}

#[test]
fn extraneous_dependencies_are_never_fetched() {
    let mut deltas: Vec<DeltaRef> = (1..19).map(|from| delta(0, from, None, 1)).collect();
    deltas.extend((1..18).map(|from| delta(7, from, Some(from + 1), 1 << 30)));
    deltas.push(delta(0, 19, None, 900));
    let model = model(deltas);
    let plan = plan(&model, &[Wanted { shard: 0, have: Some(19) }], |_| true);
    assert!(plan.sections.is_empty() && plan.deltas.is_empty());
    assert_eq!(chosen(&model, 0, Some(19)), (vec![(19, 20)], 900));
}

#[test]
fn a_way_has_no_more_steps_than_may_be() {
    let far = |steps: usize| {
        let from = LATEST - steps as u64;
        let deltas = (from..LATEST).map(|from| delta(0, from, Some(from + 1), 1)).collect();
        chosen(&model(deltas), 0, Some(from)).0.len()
    };
    assert_eq!(far(MAX_STEPS), MAX_STEPS);
    assert_eq!(far(MAX_STEPS + 1), 0);
}

#[test]
fn deltas_out_of_order_or_to_nowhere_are_refused() {
    let sound = model(vec![delta(0, 18, Some(19), 5), delta(0, 19, None, 5)]);
    let rules: [fn(&mut ModelRef); 7] = [
        |model| model.deltas.swap(0, 1),
        |model| model.deltas[1] = model.deltas[0].clone(),
        |model| model.deltas[0].to = Some(18),
        |model| model.deltas[1].from = LATEST,
        |model| model.deltas[0].from = 0,
        |model| model.deltas[1].to = Some(u64::MAX),
        |model| model.deltas[0].shard = 1,
    ];
    for rule in rules {
        let mut broken = sound.clone();
        rule(&mut broken);
        assert_eq!(broken.validate().unwrap_err(), ManifestError::Order);
    }
    let mut broken = sound.clone();
    broken.deltas[0].bytes = 0;
    assert!(matches!(broken.validate().unwrap_err(), ManifestError::Size { .. }));
    let mut broken = sound;
    broken.deltas[0].hash = "../lock".into();
    assert!(matches!(broken.validate().unwrap_err(), ManifestError::Hash(_)));
}

/// The fewest bytes, by going through all ways.
fn least(model: &ModelRef, shard: u8, from: u64, steps: usize) -> Option<u64> {
    if from == model.version {
        return Some(0);
    }
    let ways = model.deltas.iter().filter(|delta| (delta.shard, delta.from) == (shard, from));
    let on = |delta: &DeltaRef| {
        let rest = least(model, shard, model.target(delta), steps.checked_sub(1)?)?;
        Some(delta.bytes + rest)
    };
    ways.filter_map(on).min()
}

proptest! {
    #[test]
    fn no_way_is_longer_than_the_sections_or_than_any_other_way(
        steps in proptest::collection::vec((0_u8..2, 14_u64..20, 14_u64..=20, 1_u64..600), 0..24),
        shard in 0_u8..2,
        have in 13_u64..20,
    ) {
        let steps = steps.into_iter().filter(|(_, from, to, _)| from != to);
        let model = model(steps.map(|(shard, from, to, bytes)| {
            delta(shard, from, (to != LATEST).then_some(to), bytes)
        }).collect());
        let whole = if shard == 0 { 1000 } else { 500 };
        let (way, bytes) = chosen(&model, shard, Some(have));
        let best = least(&model, shard, have, 7).unwrap_or(whole).min(whole);
        prop_assert_eq!(bytes, best);
        if !way.is_empty() {
            prop_assert_eq!((way[0].0, way[way.len() - 1].1), (have, LATEST));
            prop_assert!(way.windows(2).all(|pair| pair[0].1 == pair[1].0));
        }
    }

    #[test]
    fn raising_a_share_only_adds_devices(device: Vec<u8>, version: u64, share in 0..WHOLE) {
        let mine = bucket(&device, version);
        prop_assert!(mine < WHOLE);
        prop_assert!(mine >= share || mine < share + 1);
    }
}

#[test]
fn a_device_is_in_the_same_bucket_everywhere_and_for_ever() {
    for (device, version, expected) in GOLDEN {
        assert_eq!(bucket(device.as_bytes(), version), expected, "{device} {version}");
    }
}

/// Devices, versions of candidates, and buckets.
const GOLDEN: [(&str, u64, u16); 4] = [
    ("", 1, 875),
    ("device-1", 1, 6170),
    ("device-1", 2, 2260),
    ("0b9c4f0e-2f4e-4b6f-9d2a-6c1f0a3b5d7e", 7, 7256),
];

#[test]
fn a_tenth_of_the_devices_is_a_tenth_of_them_and_another_tenth_for_each_candidate() {
    let of = |version: u64| -> Vec<bool> {
        (0..20_000)
            .map(|n| bucket(format!("device {n}").as_bytes(), version) < WHOLE / 10)
            .collect()
    };
    let (first, second) = (of(1), of(2));
    let share = first.iter().filter(|chosen| **chosen).count();
    assert!((1850..2150).contains(&share), "{share}");
    let both = first.iter().zip(&second).filter(|(a, b)| **a && **b).count();
    assert!((140..260).contains(&both), "{both}");
}

#[test]
fn a_candidate_is_for_the_devices_of_its_share_and_for_no_other() {
    let all = model(vec![]);
    let some = ModelRef { version: 21, share: Some(2500), ..model(vec![]) };
    let release = Release { version: 21, created_at: 0, expires: None, models: vec![all, some] };
    release.validate().unwrap();
    for device in (0..1000).map(|n| format!("device {n}")) {
        let chosen = release.model_for(Some(device.as_bytes())).unwrap().version;
        assert_eq!(chosen == 21, bucket(device.as_bytes(), 21) < 2500);
    }
    assert_eq!(release.model_for(None).unwrap().version, LATEST);
    let rules: [fn(&mut Release); 5] = [
        |release| release.models[0].share = Some(5),
        |release| release.models[1].share = None,
        |release| release.models[1].share = Some(WHOLE + 1),
        |release| release.models[1].version = LATEST,
        |release| release.models.swap(0, 1),
    ];
    for rule in rules {
        let mut broken = release.clone();
        rule(&mut broken);
        assert_eq!(broken.validate().unwrap_err(), ManifestError::Share);
    }
}
