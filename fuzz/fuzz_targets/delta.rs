//! Deltas: any bytes make a shard or are refused; and of any two models that are sound, the delta between them makes the
//! second of the first, to the last byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_core::{
    bytes::Aligned,
    model::{Model, SectionId, SectionKind, container, delta},
};

const FILES: [&[u8]; 4] = [
    include_bytes!("../../pkg/test/fixtures/whole.segue"),
    include_bytes!("../../pkg/test/fixtures/kindred.segue"),
    include_bytes!("../../pkg/test/fixtures/ranked.segue"),
    include_bytes!("../../pkg/test/fixtures/split.segue"),
];

/// Where a delta's changes start, and where it names the state that it is for.
const CHANGES: usize = 48;
const FROM: std::ops::Range<usize> = 24..32;

/// Whether a model's sections are coded as they would be written: a delta from it to itself makes it so.
fn written(model: &Model) -> bool {
    let deltas: Vec<Vec<u8>> =
        (0..=u8::MAX).filter_map(|shard| delta::between(model, model, shard)).collect();
    let slices: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
    let cells = model.section(SectionKind::Cells.into()).map(Aligned::copy_of);
    let cells = cells.map(|bytes| (SectionKind::Cells, bytes));
    model.patched(&slices, cells).is_ok_and(|made| made.to_file() == model.to_file())
}

fuzz_target!(|input: (u8, Vec<(u8, u16, u8)>, &[u8])| {
    let (file, edits, changes) = input;
    let file = FILES[usize::from(file) % FILES.len()];
    let Ok(old) = Model::from_file(file) else { return };

    let mut bytes = vec![0; CHANGES];
    bytes[..16].copy_from_slice(&delta::LABEL);
    bytes[16] = 1;
    if let Some(state) = old.state(0) {
        bytes[FROM].copy_from_slice(&state.to_le_bytes());
    }
    bytes.extend_from_slice(changes);
    if let Ok(made) = old.patched(&[&bytes], Vec::<(SectionKind, Aligned)>::new()) {
        segue_fuzz::use_all(&made);
    }

    let Ok(sound) = container::split(file) else { return };
    let mut sections: Vec<(SectionId, Aligned)> =
        sound.into_iter().map(|(id, bytes)| (id, Aligned::copy_of(bytes))).collect();
    let count = sections.len();
    for (section, at, value) in edits {
        let bytes = sections[usize::from(section) % count].1.as_mut_slice();
        let at = usize::from(at) % bytes.len();
        bytes[at] = value;
    }
    let Ok(new) = Model::from_sections(sections) else { return };
    let deltas: Vec<Vec<u8>> =
        (0..=u8::MAX).filter_map(|shard| delta::between(&old, &new, shard)).collect();
    let slices: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
    let cells = new.section(SectionKind::Cells.into()).map(Aligned::copy_of);
    let cells = cells.map(|bytes| (SectionKind::Cells, bytes));
    match old.patched(&slices, cells) {
        Ok(made) => {
            // What nobody would write says the same in other bytes: what a delta makes is coded as it is written.
            if written(&new) {
                let other = |model: &Model| -> Vec<_> {
                    let sections = model.sections().filter(|(id, _)| id.kind != SectionKind::Text);
                    sections.map(|(id, bytes)| (id, bytes.into_owned())).collect()
                };
                assert!(other(&made) == other(&new));
                // Two artists of one name are one, where it is told who has it.
                for row in new.rows() {
                    let names = |model: &Model| {
                        let (text, row) = model.text_of(row)?;
                        Some((text.title(row).to_owned(), text.artist(row).to_owned(), text.duration_ms(row)))
                    };
                    assert_eq!(names(&made), names(&new));
                }
            }
            // And back, from what a delta made, by what whoever read both would send. Rows that are equal and that nobody
            // told so are other rows to one who did.
            let deltas: Vec<Vec<u8>> =
                (0..=u8::MAX).filter_map(|shard| delta::between(&new, &old, shard)).collect();
            let slices: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
            let cells = old.section(SectionKind::Cells.into()).map(Aligned::copy_of);
            let cells = cells.map(|bytes| (SectionKind::Cells, bytes));
            if let Ok(back) = made.patched(&slices, cells) {
                assert!(back.to_file() == old.to_file());
            }
        }
        // Of a section that nobody would write, such as pairs in no order, it says so.
        Err(delta::DeltaError::Digest(_)) => {}
        Err(refused) => panic!("{refused}"),
    }
});
