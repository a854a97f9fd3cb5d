//! A catalogue that was split ranks as the whole does once its shards are here; before that, tracks
//! are placed by their cells, and what does not belong is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use segue_core::{
    bytes::Aligned,
    event::Kind,
    ids::Row,
    kernel::{MAX_SHIFT, Place},
    model::{Model, ModelError, SectionId, SectionKind, encode_neighbours},
    rank::{UNKNOWN, nearest, rank, score, top},
    session::{Observation, Session},
};
use support::{DIM, model, shifted_sections, split_sections};

const TRACKS: usize = 400;

fn whole() -> Model {
    Model::from_sections(split_sections(TRACKS, 1)).unwrap()
}

/// The sections for which `keep` holds, as a model.
fn part(keep: impl Fn(SectionId) -> bool) -> Result<Model, ModelError> {
    Model::from_sections(split_sections(TRACKS, 1).into_iter().filter(|(id, _)| keep(*id)))
}

fn head() -> Model {
    part(|id| id.shard == 0).unwrap()
}

fn of_shard(shard: u8, seed: u64) -> Vec<(SectionId, Aligned)> {
    let sections = split_sections(TRACKS, seed).into_iter();
    sections.filter(|(id, _)| id.shard == shard).collect()
}

/// A listener who liked some tracks, by their ids.
fn listener(model: &Model, liked: &[&str]) -> Session {
    let mut session = Session::new(model);
    for id in liked {
        let row = model.row(id).unwrap();
        session.observe(model, Observation { row, kind: Kind::Like, heard: None });
    }
    session
}

/// The scores of all tracks, by the numbers of their ids.
fn scores(model: &Model, session: &mut Session) -> Vec<f32> {
    let rows: Vec<Option<Row>> = (0..TRACKS).map(|i| model.row(&format!("t{i}"))).collect();
    let mut queue = Vec::new();
    rank(model, session, &rows, TRACKS, &mut queue);
    let mut scores = vec![0.0; TRACKS];
    for place in queue {
        scores[place.index() as usize] = score(model, session.query(model), place.points());
    }
    scores
}

fn is_estimate(model: &Model, track: usize) -> bool {
    model.row(&format!("t{track}")).unwrap().is_estimate()
}

#[test]
fn with_every_shard_here_it_ranks_as_the_catalogue_that_was_not_split() {
    // Factors alone: a pair of tracks of two shards is left out where a catalogue is split.
    let of_factors = support::sections(TRACKS, 1).into_iter();
    let of_factors = of_factors.filter(|(kind, _)| *kind != SectionKind::Neighbours);
    let (split, unsplit) = (whole(), Model::from_sections(of_factors).unwrap());
    assert_eq!((split.len(), split.catalogue()), (TRACKS, TRACKS));
    let liked = ["t1", "t20", "t33"];
    let (mut a, mut b) = (listener(&split, &liked), listener(&unsplit, &liked));
    assert_eq!(scores(&split, &mut a), scores(&unsplit, &mut b));

    let names = |model: &Model, session: &mut Session| -> Vec<String> {
        let mut found = Vec::<Place>::new();
        top(model, session, 30, |_| true, &mut found);
        let title = |place: &Place| {
            let (text, row) = model.text_of(Row(place.index())).unwrap();
            text.title(row).to_owned()
        };
        found.iter().map(title).collect()
    };
    assert_eq!(names(&split, &mut a), names(&unsplit, &mut b));
}

/// The sum of the products of a track's factor and the listener's taste.
fn expected(model: &Model, session: &mut Session, row: Row) -> f32 {
    let mut factor = vec![0.0; DIM];
    model.decode(row, &mut factor);
    factor.iter().zip(&session.posterior(model).mean).map(|(v, u)| v * u).sum()
}

#[test]
fn tracks_of_the_head_may_be_so_large_that_their_codes_count_more() {
    for shift in [0, 1, 3, MAX_SHIFT] {
        let model = Model::from_sections(shifted_sections(TRACKS, 1, shift)).unwrap();
        let mut session = listener(&model, &["t1", "t20", "t33"]);
        let scores = scores(&model, &mut session);
        // The more codes of the head count, the fewer bits are left for the tail.
        let bits = [0.002, 0.002 + 0.0002 * (1 << shift) as f32];
        for (of_head, share) in [true, false].into_iter().zip(bits) {
            let rows = (0..TRACKS).map(|track| model.row(&format!("t{track}")).unwrap());
            let part: Vec<(f32, Row)> = scores.iter().copied().zip(rows).collect();
            let part = || part.iter().filter(|(_, row)| (row.shard() == 0) == of_head);
            let most = part().fold(0.0_f32, |most, (score, _)| most.max(score.abs()));
            for (score, row) in part() {
                let expected = expected(&model, &mut session, *row);
                assert!((score - expected).abs() < share * most, "{shift}: {score} {expected}");
            }
        }
        // A search and a ranking of everything agree, whatever the search leaves out.
        let rows: Vec<Row> = model.rows().collect();
        let candidates: Vec<Option<Row>> = rows.iter().copied().map(Some).collect();
        let (mut ranked, mut found) = (Vec::new(), Vec::new());
        rank(&model, &mut session, &candidates, TRACKS, &mut ranked);
        let points = |places: &[Place]| places.iter().map(|p| p.points()).collect::<Vec<_>>();
        for k in [1, 10, 150, TRACKS] {
            top(&model, &mut session, k, |_| true, &mut found);
            assert_eq!(points(&found), points(&ranked[..k]), "the best {k} at {shift}");
        }
        let head = ranked.iter().take(TRACKS / 4);
        let of_head = head.filter(|place| rows[place.index() as usize].shard() == 0).count();
        assert!(shift < 3 || of_head > TRACKS / 5, "{of_head}: large tracks score much");
    }
}

#[test]
fn a_listener_is_the_same_whether_codes_count_more_or_there_are_more_of_them() {
    // Codes of the head that count four times as much make the same factors and the same Gram matrix
    // as codes that are four times as large.
    let sections = shifted_sections(TRACKS, 1, 2);
    let model = Model::from_sections(sections).unwrap();
    let mut gram = vec![0.0_f64; DIM * (DIM + 1) / 2];
    let mut factor = vec![0.0; DIM];
    for row in model.rows() {
        model.decode(row, &mut factor);
        let pairs = (0..DIM).flat_map(|i| (0..=i).map(move |j| (i, j)));
        gram.iter_mut().zip(pairs).for_each(|(sum, (i, j))| {
            *sum += f64::from(factor[i]) * f64::from(factor[j]);
        });
    }
    let mut held = Vec::new();
    model.taste().unobserved_gram(&mut held);
    let alpha = f64::from(model.taste().loss().unobserved);
    for (held, wanted) in held.iter().zip(gram) {
        assert!((f64::from(*held) - alpha * wanted).abs() < 1e-3 * wanted.abs().max(1.0));
    }
}

#[test]
fn a_head_whose_steps_are_not_what_the_shift_says_is_refused() {
    let mut sections = shifted_sections(TRACKS, 1, 2);
    let shards = sections.iter_mut().find(|(id, _)| id.kind == SectionKind::Shards).unwrap();
    // The prefix has 16 bytes, the unit four.
    for shift in [0, 1, 3, MAX_SHIFT + 1, 40, u32::MAX] {
        let mut bytes = shards.1.as_slice().to_vec();
        bytes[20..24].copy_from_slice(&shift.to_le_bytes());
        shards.1 = Aligned::copy_of(&bytes);
        let head = [shards.clone()];
        let others = shifted_sections(TRACKS, 1, 2).into_iter();
        let others = others.filter(|(id, _)| id.shard == 0 && id.kind < SectionKind::Shards);
        let refused = Model::from_sections(others.chain(head)).unwrap_err();
        assert!(refused.to_string().contains("steps are not the head's"), "{shift}: {refused}");
    }
}

#[test]
fn a_file_of_all_shards_reads_back_as_it_was() {
    let model = whole();
    let again = Model::from_file(&model.to_file()).unwrap();
    assert!(again.to_file() == model.to_file());
    assert_eq!(again.len(), TRACKS);
}

#[test]
fn a_file_reads_back_whichever_lists_go_beside_the_factors_of_its_head() {
    for kinds in
        [&[SectionKind::Neighbours, SectionKind::Transitions][..], &[SectionKind::Transitions]]
    {
        let mut model = whole();
        let lists = support::neighbours(model.factors().len());
        for &kind in kinds {
            let section = encode_neighbours(model.ids_digest(), &lists).unwrap();
            model.add([(kind, section)]).unwrap();
        }
        let again = Model::from_file(&model.to_file()).unwrap();
        assert!(again.to_file() == model.to_file());
        assert_eq!(again.transitions(0).unwrap().pairs(), lists.pairs.len());
    }
}

#[test]
fn a_track_whose_shard_is_not_here_has_the_mean_score_of_its_cell() {
    let (head, whole) = (head(), whole());
    assert_eq!((head.len(), head.catalogue()), (TRACKS / 4, TRACKS));
    let of_head = (0..TRACKS).find(|&i| !is_estimate(&head, i)).unwrap();
    let liked = format!("t{of_head}");
    let estimated = scores(&head, &mut listener(&head, &[&liked]));
    let exact = scores(&whole, &mut listener(&whole, &[&liked]));
    let mut cells: Vec<Vec<usize>> = vec![Vec::new(); 8];
    for track in 0..TRACKS {
        let row = head.row(&format!("t{track}")).unwrap();
        if row.is_estimate() {
            cells[row.index()].push(track);
        } else {
            assert_eq!(estimated[track], exact[track]);
        }
    }
    for cell in cells {
        let mean = cell.iter().map(|&track| exact[track]).sum::<f32>() / cell.len() as f32;
        assert!((estimated[cell[0]] - mean).abs() < 0.01, "{} {mean}", estimated[cell[0]]);
    }
}

#[test]
fn shards_may_come_one_by_one_and_each_ends_its_own_estimates() {
    let mut model = head();
    let mut here = TRACKS / 4;
    for shard in [3, 1, 4, 2] {
        assert!(model.is_absent(shard));
        model.add(of_shard(shard, 1)).unwrap();
        here += TRACKS * 3 / 16;
        assert!(!model.is_absent(shard));
        let estimates = (0..TRACKS).filter(|&track| is_estimate(&model, track)).count();
        // The split is not quite even.
        assert_eq!(model.len(), TRACKS - estimates);
        assert!(model.len().abs_diff(here) < 12, "{} {here}", model.len());
    }
    assert!(model.to_file() == whole().to_file());
}

#[test]
fn without_cells_the_tail_is_unknown_and_no_shard_is_taken() {
    let mut model = part(|id| id.shard == 0 && id.kind != SectionKind::Cells).unwrap();
    let known = (0..TRACKS).filter(|i| model.row(&format!("t{i}")).is_some()).count();
    assert_eq!(known, TRACKS / 4);
    let error = model.add(of_shard(1, 1)).unwrap_err();
    let missing = ModelError::Missing(SectionKind::Cells);
    assert_eq!(error, ModelError::Shard { number: 1, source: Box::new(missing) });
    let cells = split_sections(TRACKS, 1).into_iter().find(|(id, _)| id.kind == SectionKind::Cells);
    model.add(cells).unwrap();
    model.add(of_shard(1, 1)).unwrap();
}

#[test]
fn names_may_come_after_the_rest_of_a_shard() {
    let mut model = part(|id| id.kind != SectionKind::Text).unwrap();
    let row = model.rows().last().unwrap();
    assert!(model.text_of(row).is_none());
    let names = |(id, _): &(SectionId, Aligned)| id.kind == SectionKind::Text;
    model.add(split_sections(TRACKS, 1).into_iter().filter(names)).unwrap();
    assert!(model.text_of(row).is_some());
    assert!(model.to_file() == whole().to_file());
}

#[test]
fn what_belongs_elsewhere_is_refused_and_the_model_goes_on() {
    let mut model = head();
    let refused = |model: &mut Model, sections: Vec<(SectionId, Aligned)>| {
        let error = model.add(sections).unwrap_err();
        assert_eq!(model.len(), TRACKS / 4);
        error.to_string()
    };
    let other = refused(&mut model, of_shard(2, 9));
    assert!(other.contains("shard 2") && other.contains("another version"), "{other}");
    let renamed = of_shard(2, 1).into_iter();
    let renamed = renamed.map(|(id, bytes)| (SectionId { shard: 3, ..id }, bytes)).collect();
    assert!(refused(&mut model, renamed).contains("shard 3"));
    let beyond = of_shard(2, 1).into_iter();
    let beyond = beyond.map(|(id, bytes)| (SectionId { shard: 77, ..id }, bytes)).collect();
    assert!(refused(&mut model, beyond).contains("shard 77"));
    let other_cells = split_sections(TRACKS + 40, 1).into_iter();
    let other_cells = other_cells.filter(|(id, _)| id.kind == SectionKind::Cells).collect();
    let mut without = part(|id| id.shard == 0 && id.kind != SectionKind::Cells).unwrap();
    assert!(refused(&mut without, other_cells).contains("`cells` belongs to another version"));

    model.add(of_shard(2, 1)).unwrap();
    let twice = model.add(of_shard(2, 1)).unwrap_err();
    assert!(twice.to_string().contains("given twice"), "{twice}");
    let whole = support::model(TRACKS, 1);
    let mut unsplit = whole.clone();
    assert!(unsplit.add(of_shard(2, 1)).unwrap_err().to_string().contains("`shards` is missing"));
    assert!(unsplit.to_file() == whole.to_file());
}

#[test]
fn few_strings_outside_the_catalogue_are_taken_for_absent_tracks_and_none_once_all_is_here() {
    let known = |model: &Model| (0..8000).filter(|i| model.row(&format!("x{i}")).is_some()).count();
    // One in 16 of those that name one of the eight cells, on average 500.
    let taken = known(&head());
    assert!((400..600).contains(&taken), "{taken}");
    assert_eq!(known(&whole()), 0);
}

#[test]
fn the_nearest_shard_is_that_of_the_cell_where_the_listener_expects_most() {
    let (head, whole) = (head(), whole());
    let of_head = (0..TRACKS).find(|&i| !is_estimate(&head, i)).unwrap();
    let mut session = listener(&head, &[&format!("t{of_head}")]);
    let mut found = Vec::new();
    nearest(&head, &mut session, &mut found);
    assert!(found.is_sorted_by(|a, b| a.points() >= b.points()));
    let estimates = scores(&head, &mut session);
    let estimated = (0..TRACKS).filter(|&i| is_estimate(&head, i));
    let best = estimated.max_by(|&a, &b| estimates[a].total_cmp(&estimates[b])).unwrap();
    let shard = head.shard_of(head.row(&format!("t{best}")).unwrap());
    assert_eq!(shard.map(u32::from), Some(found[0].index()));
    let mut shards: Vec<u32> = found.iter().map(|place| place.index()).collect();
    shards.sort_unstable();
    assert_eq!(shards, [1, 2, 3, 4]);

    let mut again = Vec::new();
    nearest(&whole, &mut listener(&whole, &[&format!("t{of_head}")]), &mut again);
    assert_eq!(again, found);
    let whole = model(50, 1);
    nearest(&whole, &mut Session::new(&whole), &mut found);
    assert!(found.is_empty());
}

#[test]
fn a_listener_keeps_what_is_known_of_every_shard_that_is_here() {
    let whole = whole();
    let liked: Vec<String> = (0..40).map(|i| format!("t{i}")).collect();
    let liked: Vec<&str> = liked.iter().map(String::as_str).collect();
    let session = listener(&whole, &liked);
    let other = Model::from_sections(split_sections(TRACKS, 2)).unwrap();
    assert_eq!(session.moved(&whole, &other).evidence().len(), 40);
    let here = liked.iter().filter(|id| !head().row(id).unwrap().is_estimate()).count();
    assert_eq!(session.moved(&whole, &head()).evidence().len(), here);
}

#[test]
fn a_row_that_does_not_exist_is_nothing_and_no_accident() {
    let whole = whole();
    for row in [u32::MAX, 400, 1 << 24 | 300, 5 << 24, 255 << 24 | 8, 254 << 24].map(Row) {
        assert!(!whole.has(row));
        assert_eq!((whole.shard_of(row), whole.cluster_of(row)), (None, None));
        assert!(whole.stem(row).is_none() && whole.codes(row).is_none());
        let mut queue = Vec::new();
        rank(&whole, &mut Session::new(&whole), &[Some(row)], 1, &mut queue);
        assert_eq!(queue[0].points(), UNKNOWN);
    }
}

#[test]
fn an_estimate_takes_no_evidence() {
    let model = head();
    let absent = (0..TRACKS).find(|&i| is_estimate(&model, i)).unwrap();
    assert!(listener(&model, &[&format!("t{absent}")]).evidence().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Sections are cut, continued or overwritten; no checksum stands in the way. What is let
    /// through must be safe to use.
    #[test]
    fn a_forged_section_of_a_split_catalogue_is_refused_or_harmless(
        section in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in prop::option::of(0_usize..3000),
    ) {
        let mut sections = split_sections(64, 3);
        let at = section.index(sections.len());
        let mut bytes = sections[at].1.as_slice().to_vec();
        for (index, value) in damage {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(length) = length {
            bytes.resize(length, 1);
        }
        sections[at].1 = Aligned::copy_of(&bytes);
        if let Ok(model) = Model::from_sections(sections) {
            let mut session = Session::new(&model);
            let rows: Vec<Option<Row>> =
                (0..80).map(|i| model.row(&format!("t{i}"))).chain([Some(Row(u32::MAX))]).collect();
            for row in rows.iter().flatten() {
                session.observe(&model, Observation { row: *row, kind: Kind::Skip, heard: None });
                let _ = model.text_of(*row).map(|(text, row)| text.title(row).len());
                let _ = (model.cluster_of(*row), model.stem(*row), model.shard_of(*row));
            }
            let mut queue = Vec::new();
            rank(&model, &mut session, &rows, 80, &mut queue);
            top(&model, &mut session, 80, |_| true, &mut queue);
            nearest(&model, &mut session, &mut queue);
        }
    }
}
