//! A retrieval structure gives every key its own value, from about a slot a key.

use proptest::{collection::hash_set, prelude::*};
use segue_core::retrieval::{Layout, Retrieval, build, mix};

fn keys(n: u64) -> Vec<u64> {
    (0..n).map(|key| mix(key, 7)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_key_has_its_value(
        keys in hash_set(any::<u64>(), 0..600),
        bits in 1_u32..=32,
        salt in any::<u64>(),
    ) {
        let keys: Vec<u64> = keys.into_iter().collect();
        let values: Vec<u32> =
            keys.iter().map(|&key| mix(key, salt) as u32 >> (32 - bits)).collect();
        let layout = Layout::of(keys.len(), bits);
        let (seed, words) = build(layout, &keys, &values).unwrap();
        let retrieval = Retrieval::new(layout, seed, &words).unwrap();
        for (&key, &value) in keys.iter().zip(&values) {
            prop_assert_eq!(retrieval.get(key), value);
        }
    }

    #[test]
    fn any_layout_is_refused_or_answers_for_any_key(
        segment_bits in 0_u32..20,
        starts in 0_u32..9,
        bits in 0_u32..40,
        len in 0_usize..99,
        key in any::<u64>(),
    ) {
        let layout = Layout { segment_bits, starts, bits };
        let words = vec![u64::MAX; layout.words().unwrap_or(len).min(1 << 20)];
        if let Some(retrieval) = Retrieval::new(layout, 0, &words) {
            let value = retrieval.get(key);
            prop_assert!(u64::from(value) < 1 << bits);
        }
        prop_assert!(Retrieval::new(layout, 0, &words[..words.len().saturating_sub(1)]).is_none());
    }
}

#[test]
fn a_large_set_costs_eight_per_cent_over_its_values() {
    let keys = keys(200_000);
    let values: Vec<u32> = (0..200_000).map(|key| key & 0xfff).collect();
    let layout = Layout::of(keys.len(), 12);
    let (seed, words) = build(layout, &keys, &values).unwrap();
    let retrieval = Retrieval::new(layout, seed, &words).unwrap();
    assert!(keys.iter().zip(&values).all(|(&key, &value)| retrieval.get(key) == value));
    let bits = words.len() * 64;
    assert!(bits < 200_000 * 12 * 112 / 100, "{bits} bits");
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let mut keys = keys(50);
    keys.push(keys[3]);
    assert_eq!(build(Layout::of(keys.len(), 8), &keys, &[0; 51]), None);
}
