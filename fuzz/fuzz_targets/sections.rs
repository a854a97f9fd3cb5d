//! Sections that no checksum protects, as a registry's blobs would be if their hashes were forged,
//! too: a sound file whose sections were overwritten and cut, then read one by one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_core::{
    bytes::Aligned,
    model::{Model, SectionId, container},
};

const FILES: [&[u8]; 3] = [
    include_bytes!("../../pkg/test/fixtures/whole.segue"),
    include_bytes!("../../pkg/test/fixtures/kindred.segue"),
    include_bytes!("../../pkg/test/fixtures/split.segue"),
];

fuzz_target!(|edits: (u8, bool, Vec<(u8, u16, u8)>, Option<(u8, u16)>)| {
    let (file, late, bytes, cut) = edits;
    let Ok(sound) = container::split(FILES[usize::from(file) % FILES.len()]) else { return };
    let mut sections: Vec<(SectionId, Vec<u8>)> =
        sound.into_iter().map(|(id, bytes)| (id, bytes.to_vec())).collect();
    let count = sections.len();
    for (section, at, value) in bytes {
        let section = &mut sections[usize::from(section) % count].1;
        let at = usize::from(at) % section.len();
        section[at] = value;
    }
    if let Some((section, length)) = cut {
        sections[usize::from(section) % count].1.resize(length.into(), 0);
    }
    let aligned = |(id, bytes): (SectionId, Vec<u8>)| (id, Aligned::copy_of(&bytes));
    let (head, rest): (Vec<_>, Vec<_>) =
        sections.into_iter().map(aligned).partition(|(id, _)| id.shard == 0 || !late);
    if let Ok(mut model) = Model::from_sections(head) {
        segue_fuzz::use_all(&model);
        for section in rest.chunk_by(|(a, _), (b, _)| a.shard == b.shard) {
            // A refusal leaves a model that works.
            let _ = model.add(section.to_vec());
            segue_fuzz::use_all(&model);
        }
    }
});
