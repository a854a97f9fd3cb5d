//! Any bytes are a manifest or an error, and a manifest that is sound stays so.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_core::manifest::Manifest;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes)
        && manifest.validate().is_ok()
    {
        let written = serde_json::to_vec(&manifest).expect("what was read can be written");
        assert_eq!(serde_json::from_slice::<Manifest>(&written).ok(), Some(manifest));
    }
});
