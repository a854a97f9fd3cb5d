//! What is signed, as JSON: the form stays, and no bytes make a reader panic.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use segue_core::{
    manifest::{Manifest, Release},
    trust::{Root, Timestamp},
};
use serde::{Serialize, de::DeserializeOwned};

const WHOLE: &str = include_str!("../../../fuzz/seeds/manifest/whole");

/// Reads a document and writes it again.
fn same<T: DeserializeOwned + Serialize>(json: &str) -> (T, String) {
    let document: T = serde_json::from_str(json).unwrap();
    let written = serde_json::to_string(&document).unwrap();
    (document, written)
}

#[test]
fn documents_are_written_as_they_were_read() {
    let (manifest, written) = same::<Manifest>(WHOLE);
    assert_eq!(written, WHOLE);
    manifest.validate().unwrap();
    let (root, written) = same::<Root>(&manifest.root.as_ref().unwrap().signed);
    assert_eq!(written, manifest.root.unwrap().signed);
    root.validate().unwrap();
    let (timestamp, written) = same::<Timestamp>(&manifest.timestamp.as_ref().unwrap().signed);
    assert_eq!(written, manifest.timestamp.unwrap().signed);
    timestamp.validate().unwrap();
    let (release, _) = same::<Release>(&manifest.release.signed);
    release.validate().unwrap();
    assert_eq!(release.models[0].deltas.len(), 3);
    assert_eq!(release.models[1].share, Some(100));
}

#[test]
fn a_key_that_a_root_names_twice_is_refused() {
    let (manifest, _) = same::<Manifest>(WHOLE);
    let root = manifest.root.unwrap().signed;
    let again = format!("\"9ac39ac39ac39ac3\":\"{}\",", "ab".repeat(32));
    let twice = root.replace("\"keys\":{", &format!("\"keys\":{{{again}"));
    let root: Root = serde_json::from_str(&twice).unwrap();
    assert!(root.validate().unwrap_err().to_string().contains("a key is there twice"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_damage_makes_a_reader_panic(
        at in any::<prop::sample::Index>(),
        byte: u8,
        cut: bool,
    ) {
        let (manifest, _) = same::<Manifest>(WHOLE);
        let texts = [
            WHOLE.to_owned(),
            manifest.root.unwrap().signed,
            manifest.release.signed,
            manifest.timestamp.unwrap().signed,
        ];
        for text in texts {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            let _ = serde_json::from_slice(&bytes).map(|found: Manifest| found.validate());
            let _ = serde_json::from_slice(&bytes).map(|found: Root| found.validate());
            let _ = serde_json::from_slice(&bytes).map(|found: Release| found.validate());
            let _ = serde_json::from_slice(&bytes).map(|found: Timestamp| found.validate());
        }
    }
}
