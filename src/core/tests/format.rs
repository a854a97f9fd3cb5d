//! The model format: what is written is read, and no bytes make the reader panic.

mod support;

use proptest::prelude::*;
use segue_core::{
    event::Kind,
    ids::Row,
    model::{Model, ModelError, SectionKind, container},
    rank::{UNKNOWN, rank, score},
    reason::Explainer,
    session::{Observation, Session},
};

#[test]
fn a_written_model_reads_back_the_same() {
    let model = support::model(50, 1);
    let file = model.to_file();
    let again = Model::from_file(&file).unwrap();
    assert_eq!(again.to_file(), file);
    assert_eq!((again.len(), again.dim()), (50, support::DIM));
    let text = again.text().unwrap();
    assert_eq!((text.title(Row(7)), text.artist(Row(7))), ("Song Nº 7", "Björk"));
    assert_eq!((text.cluster_name(0), text.cluster_name(1)), (Some("rock"), None));
    assert_eq!((text.cluster_name(99), text.duration_ms(Row(7))), (None, 7000));
}

#[test]
fn every_track_is_found_by_its_id_and_no_other_is() {
    let model = support::model(3000, 1);
    for i in 0..3000 {
        let row = model.row(&format!("t{i}")).unwrap();
        assert_eq!(model.stem(row).and_then(|stem| model.find_stem(stem)), Some(row));
    }
    assert!((3000..9000).all(|i| model.row(&format!("t{i}")).is_none()));
}

#[test]
fn sections_may_arrive_in_any_order() {
    let mut sections = support::sections(20, 1);
    sections.reverse();
    assert_eq!(Model::from_sections(sections).unwrap().to_file(), support::model(20, 1).to_file());
}

#[test]
fn each_required_section_is_required_and_the_others_are_not() {
    for left_out in SectionKind::ALL {
        let sections = support::sections(20, 1).into_iter().filter(|(kind, _)| *kind != left_out);
        let needed = [SectionKind::Ids, SectionKind::Factors, SectionKind::Taste];
        match Model::from_sections(sections) {
            Ok(_) => assert!(!needed.contains(&left_out)),
            Err(error) => assert_eq!(error, ModelError::Missing(left_out)),
        }
    }
}

#[test]
fn sections_of_two_versions_are_not_read_together() {
    for foreign in [SectionKind::Factors, SectionKind::Clusters, SectionKind::Text] {
        let other = support::sections(21, 2).into_iter().find(|(kind, _)| *kind == foreign);
        let mixed = support::sections(20, 1).into_iter().filter(|(kind, _)| *kind != foreign);
        let error = Model::from_sections(mixed.chain(other)).unwrap_err();
        assert_eq!(error, ModelError::Mixed(foreign));
    }
}

#[test]
fn a_section_given_twice_is_refused() {
    let twice = support::sections(20, 1).into_iter().chain(support::sections(20, 1));
    assert_eq!(Model::from_sections(twice).unwrap_err(), ModelError::Duplicate(SectionKind::Ids));
}

#[test]
fn a_later_format_is_refused_by_its_number() {
    let mut file = support::model(20, 1).to_file();
    file[16] = 3;
    assert_eq!(Model::from_file(&file).unwrap_err(), ModelError::Format(3));
    assert!(ModelError::Format(3).to_string().contains("format version 3"));
}

#[test]
fn something_else_is_not_a_model() {
    for bytes in [&b""[..], b"segue", b"{\"json\": true} and more of it", &[0; 4096]] {
        assert_eq!(Model::from_file(bytes).unwrap_err(), ModelError::NotAModel);
    }
}

#[test]
fn a_model_cut_anywhere_is_refused() {
    let file = support::model(20, 1).to_file();
    for end in 0..file.len() {
        assert!(Model::from_file(&file[..end]).is_err(), "cut at {end}");
    }
    let longer = [&file[..], b"x"].concat();
    assert_eq!(Model::from_file(&longer).unwrap_err(), ModelError::Trailing(1));
}

#[test]
fn a_model_with_any_one_bit_flipped_is_refused() {
    let file = support::model(12, 1).to_file();
    for bit in 0..file.len() * 8 {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Model::from_file(&damaged).is_err(), "bit {bit}");
    }
}

/// Uses everything that a model offers.
fn exercise(model: &Model) {
    let mut session = Session::new(model);
    let candidates: Vec<Option<Row>> =
        (0..model.len() as u32 + 2).map(|row| Some(Row(row))).chain([None]).collect();
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        let row = Row(at as u32 % model.len() as u32);
        session.observe(model, Observation { row, kind, heard: Some(0.4) });
    }
    let mut queue = Vec::new();
    rank(model, &mut session, &candidates, candidates.len(), &mut queue);
    assert_eq!(queue.len(), candidates.len());
    for place in &queue {
        let unknown = place.index() as usize >= model.len();
        assert_eq!(place.points() == UNKNOWN, unknown, "{place:?}");
        assert_eq!(
            score(model, session.query(model), place.points()).is_finite(),
            !unknown,
            "{place:?}"
        );
    }
    let mut explainer = Explainer::new(model, &mut session);
    for row in (0..model.len() as u32).map(Row) {
        let _ = explainer.explain(model, &mut session, row);
        let _ = model.text().map(|text| (text.title(row).len(), text.artist(row).len()));
        let _ = model.clusters().map(|clusters| clusters.of(row));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Random bytes, and random bytes as the sections of a sound container.
    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        sections in prop::collection::vec((0_usize..5, prop::collection::vec(any::<u8>(), 0..300)), 1..6),
    ) {
        prop_assert!(Model::from_file(&bytes).is_err());
        let parts: Vec<(SectionKind, &[u8])> =
            sections.iter().map(|(kind, bytes)| (SectionKind::ALL[*kind], bytes.as_slice())).collect();
        prop_assert!(Model::from_file(&container::join(&parts)).is_err());
    }

    /// Damage behind the checksums: sections are forged and the container is written anew, so that
    /// each section's own validation has to hold. What it lets through must be safe to use.
    #[test]
    fn a_forged_section_is_refused_or_harmless(
        section in 0_usize..5,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut sections = support::sections(12, 3);
        let bytes = sections[section].1.as_mut_slice();
        for (at, value) in &damage {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        let mut forged = bytes.to_vec();
        if let Some(cut) = cut {
            forged.truncate(cut.index(forged.len()));
        }
        let parts: Vec<(SectionKind, &[u8])> = sections
            .iter()
            .enumerate()
            .map(|(at, (kind, bytes))| (*kind, if at == section { &forged[..] } else { bytes.as_slice() }))
            .collect();
        if let Ok(model) = Model::from_file(&container::join(&parts)) {
            exercise(&model);
        }
    }
}

#[test]
fn a_device_passes_over_the_notes_of_those_who_train() {
    let sections = support::sections(20, 1);
    let plain: Vec<(SectionKind, &[u8])> =
        sections.iter().map(|(kind, bytes)| (*kind, bytes.as_slice())).collect();
    let mut ordered = plain.clone();
    ordered.sort_by_key(|(kind, _)| *kind);
    let file = container::join_with(
        &ordered,
        &[(container::RECIPE, b"alpha"), (container::RECIPE + 7, b"")],
    );
    let model = Model::from_file(&file).unwrap();
    assert_eq!(model.to_file(), container::join(&ordered));
    let notes = container::contents(&file).unwrap().notes;
    assert_eq!(notes, [(container::RECIPE, &b"alpha"[..]), (container::RECIPE + 7, &b""[..])]);
    // A note is checked like the rest, is there once, and comes last.
    let mut bent = file.clone();
    let at = bent.windows(5).position(|word| word == b"alpha").unwrap();
    bent[at] ^= 1;
    assert_eq!(Model::from_file(&bent).unwrap_err(), ModelError::Header);
    let twice =
        container::join_with(&ordered, &[(container::RECIPE, b"a"), (container::RECIPE, b"b")]);
    assert_eq!(Model::from_file(&twice).unwrap_err(), ModelError::Header);
    let unknown = container::join_with(&ordered, &[(99, b"a")]);
    assert_eq!(Model::from_file(&unknown).unwrap_err(), ModelError::Header);
}
