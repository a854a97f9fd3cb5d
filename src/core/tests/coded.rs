//! A coded `factors` section that is not what it says is refused, whatever is wrong with it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use segue_core::{
    bytes::Aligned,
    model::{Model, ModelError, SectionKind},
};

/// Bytes before the coded ones: the prefix, the steps of [`support::DIM`] axes, the digest, the length.
const HEAD: usize = 16 + 4 * support::DIM + 32;

/// What a model says whose `factors` section was changed by `change`.
fn refused(change: impl FnOnce(&mut Vec<u8>)) -> ModelError {
    let mut sections = support::sections(50, 1);
    let (kind, factors) = &mut sections[1];
    assert_eq!(*kind, SectionKind::Factors);
    let mut bytes = factors.as_slice().to_vec();
    change(&mut bytes);
    *factors = Aligned::copy_of(&bytes);
    Model::from_sections(sections).unwrap_err()
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn codes_that_are_cut_or_go_on_are_refused() {
    let shape = ModelError::Shape(SectionKind::Factors);
    for length in [0, 8, 16, HEAD - 16, HEAD, HEAD + 16] {
        assert_eq!(refused(|bytes| bytes.truncate(length)), shape, "{length} bytes");
    }
    assert_eq!(refused(|bytes| bytes.extend([0; 16])), shape);
    // Cut with a length that says so: what is left does not give all rows.
    let error = refused(|bytes| {
        bytes.truncate(HEAD + 48);
        put(bytes, HEAD - 16, 48);
    });
    assert!(error.to_string().contains("do not have the length that they claim"), "{error}");
}

#[test]
fn a_wrong_shape_is_refused() {
    let mixed = ModelError::Mixed(SectionKind::Factors);
    assert_eq!(refused(|bytes| put(bytes, 0, 51)), mixed, "one row more than ids");
    assert_eq!(refused(|bytes| put(bytes, 0, u32::MAX)), mixed);
    let limit = ModelError::Limit(SectionKind::Factors);
    assert_eq!(refused(|bytes| put(bytes, 4, 0)), limit, "no components");
    assert_eq!(refused(|bytes| put(bytes, 4, 257)), limit);
    assert!(matches!(refused(|bytes| put(bytes, 4, 24)), ModelError::Shape(_)));
}

#[test]
fn codes_other_than_those_that_were_written_are_refused() {
    let last = |bytes: &[u8]| bytes.len() - 20;
    for flip in [HEAD, HEAD + 9, HEAD + 200] {
        let error = refused(|bytes| bytes[flip] ^= 0x40);
        let told = matches!(error, ModelError::Checksum(_) | ModelError::Value { .. });
        assert!(told, "byte {flip}: {error}");
    }
    let error = refused(|bytes| {
        let at = last(bytes);
        bytes[at..].fill(0xff);
    });
    assert!(matches!(error, ModelError::Checksum(_) | ModelError::Value { .. }), "{error}");
}

#[test]
fn steps_that_make_no_factors_are_refused() {
    for step in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e6] {
        let error = refused(|bytes| put(bytes, 16, step.to_bits()));
        assert!(error.to_string().contains("a step is not above 0"), "{step}: {error}");
    }
}
