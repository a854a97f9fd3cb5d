//! Any bytes are a manifest and documents or errors, those that are sound stay so, and what leads to a model is no more
//! than its sections.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_core::{
    manifest::{Manifest, Release},
    plan::{Wanted, plan},
    trust::{Root, Timestamp},
};

fuzz_target!(|bytes: &[u8]| {
    same::<Manifest>(bytes, |manifest| manifest.validate().is_ok());
    same::<Root>(bytes, |root| root.validate().is_ok());
    same::<Timestamp>(bytes, |timestamp| timestamp.validate().is_ok());
    same::<Release>(bytes, |release| {
        let sound = release.validate().is_ok();
        if sound {
            planned(release);
        }
        sound
    });
});

/// Reads a document and, where it is sound, writes it and reads it again.
fn same<T>(bytes: &[u8], is_sound: impl Fn(&T) -> bool)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    if let Ok(document) = serde_json::from_slice::<T>(bytes)
        && is_sound(&document)
    {
        let written = serde_json::to_vec(&document).expect("what was read can be written");
        assert_eq!(serde_json::from_slice::<T>(&written).ok(), Some(document));
    }
}

fn planned(release: &Release) {
    let model = release.model_for(Some(b"device")).expect("a sound release has one");
    let from = model.deltas.first().map(|delta| delta.from);
    let wanted = [0, 1].map(|shard| Wanted { shard, have: from });
    let whole = |shard: u8| model.sections.iter().filter(move |section| section.shard == shard);
    let most: u64 = (0..2).flat_map(whole).map(|section| section.bytes).sum();
    assert!(plan(model, &wanted, |_| false).bytes <= most);
}
