//! The entropy code: what is written is read, and no bytes make the reader panic or go on for ever.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};
use segue_core::{
    codec::{
        Unreadable,
        range::{Bit, Coder, Decoder, Encoder},
        rows::{Before, decode, encode},
    },
    rng::SplitMix64,
};

fn decoded(bytes: &[u8], rows: usize, dim: usize) -> Result<Vec<i8>, Unreadable> {
    let table = decode(bytes, dim, rows)?;
    assert_eq!(table.of.len(), rows);
    Ok(table
        .of
        .iter()
        .flat_map(|&row| &table.codes[row as usize * dim..][..dim])
        .copied()
        .collect())
}

/// Rows as factors are: a few large components first, then ever more zeros; some rows twice.
fn table(rows: usize, dim: usize, seed: u64) -> Vec<i8> {
    let mut rng = SplitMix64::new(seed);
    let mut table: Vec<i8> = Vec::new();
    for row in 0..rows {
        if row > 0 && rng.below(3) == 0 {
            let from = rng.below(row) * dim;
            table.extend_from_within(from..from + dim);
        } else {
            table.extend((0..dim).map(|at| ((rng.unit() - 0.5) * 20.0 / (at + 1) as f64) as i8));
        }
    }
    table
}

#[test]
fn a_table_takes_little_more_than_its_entropy() {
    // One component in ten is one: an entropy of .469 bits, and a sign of one.
    let mut rng = SplitMix64::new(5);
    let table: Vec<i8> = (0..400_000)
        .map(|_| if rng.below(10) == 0 { if rng.below(2) == 0 { 1 } else { -1 } } else { 0 })
        .collect();
    let bits = encode(&table, 8).0.len() as f64 * 8.0 / table.len() as f64;
    assert!(bits < (0.469 + 0.1) * 1.02, "{bits} bits a component");
}

#[test]
fn rows_that_come_again_cost_next_to_nothing() {
    let zeros = vec![0; 64 * 100_000];
    assert!(encode(&zeros, 64).0.len() < 400);
    let table = table(1, 64, 3).repeat(100_000);
    assert!(encode(&table, 64).0.len() < 400);
}

#[test]
fn what_a_component_is_said_to_cost_is_what_coding_it_takes() {
    let dim = 12;
    let all = table(20_000, dim, 4);
    let mut seen = BTreeSet::new();
    let distinct = all.chunks_exact(dim).filter(|row| seen.insert(*row));
    let table: Vec<i8> = distinct.flatten().copied().collect();
    let (bytes, code) = encode(&table, dim);
    let costs = code.costs();
    let mut bits = 0.0;
    for row in table.chunks_exact(dim) {
        let mut before = Before::default();
        for (at, &value) in row.iter().enumerate() {
            bits += f64::from(costs.of(at, before, value));
            before.see(value);
        }
    }
    let taken = bytes.len() as f64 * 8.0;
    assert!((0.95..1.05).contains(&(taken / bits)), "{bits} bits said, {taken} taken");
    // What all values of a component cost together leaves no probability over.
    let mut before = Before::default();
    for value in [0, 3, -9, 40, 127, 1] {
        for at in 0..dim {
            let share = |value| f64::from(-costs.of(at, before, value)).exp2();
            let all: f64 = (-127..=127).map(share).sum();
            assert!((0.9..1.001).contains(&all), "{all} of component {at} after {before:?}");
        }
        before.see(value);
    }
}

#[test]
fn a_table_cut_anywhere_or_continued_is_refused() {
    let (rows, dim) = (60, 12);
    let bytes = encode(&table(rows, dim, 7), dim).0;
    let refused = |bytes: &[u8], rows| decoded(bytes, rows, dim) == Err(Unreadable::Length);
    assert!(decoded(&bytes, rows, dim).is_ok());
    for end in (0..bytes.len()).step_by(4) {
        assert!(refused(&bytes[..end], rows), "cut at {end}");
    }
    assert!(refused(&[&bytes[..], &[0; 4]].concat(), rows));
    assert!(refused(&bytes, rows + 40));
}

#[test]
fn of_equal_rows_one_is_read() {
    let (rows, dim) = (400, 5);
    let wanted = table(rows, dim, 1);
    let found = decode(&encode(&wanted, dim).0, dim, rows).unwrap();
    let all: BTreeSet<&[i8]> = wanted.chunks_exact(dim).collect();
    let read: BTreeSet<&[i8]> = found.codes.chunks_exact(dim).collect();
    assert!(all.len() < rows);
    assert_eq!(read, all);
    assert_eq!(found.codes.len(), all.len() * dim);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_table_reads_back_the_same(
        dim in 1_usize..20,
        codes in vec(prop_oneof![4 => Just(0_i8), 2 => -3_i8..=3, 1 => -127_i8..=127], 0..2000),
    ) {
        let codes = &codes[..codes.len() / dim * dim];
        let bytes = encode(codes, dim).0;
        prop_assert_eq!(decoded(&bytes, codes.len() / dim, dim).unwrap(), codes);
    }

    #[test]
    fn any_bytes_decode_to_codes_in_range_or_to_nothing(
        dim in 1_usize..20,
        rows in 0_usize..200,
        bytes in vec(any::<u8>(), 0..400),
    ) {
        if let Ok(table) = decoded(&bytes, rows, dim) {
            prop_assert!(table.iter().all(|&code| code != i8::MIN));
        }
    }

    #[test]
    fn any_sequence_of_symbols_reads_back_the_same(
        symbols in vec((any::<bool>(), 0_usize..4, any::<u32>(), 0_u32..=32), 0..600),
    ) {
        let mut coder = Encoder::default();
        let mut contexts = [Bit::default(); 4];
        for &(bit, context, value, count) in &symbols {
            coder.bit(bit, &mut contexts[context]);
            coder.raw(low(value, count), count);
        }
        let bytes = coder.finish();
        let mut coder = Decoder::new(&bytes);
        let mut contexts = [Bit::default(); 4];
        for &(bit, context, value, count) in &symbols {
            prop_assert_eq!(coder.bit(false, &mut contexts[context]), bit);
            prop_assert_eq!(coder.raw(0, count), low(value, count));
        }
        prop_assert!(coder.is_at_end());
    }
}

fn low(value: u32, count: u32) -> u32 {
    if count == 32 { value } else { value & ((1 << count) - 1) }
}
