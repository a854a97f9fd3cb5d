//! Golden files: each version of the model format, kept for ever. A file here is never written
//! anew; a new format version gets a new one.

use segue_core::{
    bytes::Aligned,
    event::Kind,
    ids::Row,
    kernel::Place,
    membership::{also_finished, membership},
    model::{Model, ModelError, SectionKind, delta},
    rank::{skip, top},
    session::{Observation, Session},
    slate::{self, Options, Slate},
};

const MODEL_1: &[u8] = include_bytes!("golden/model-1.segue");
const MODEL_2: &[u8] = include_bytes!("golden/model-2.segue");
/// With the section `finished`.
const FINISHED_2: &[u8] = include_bytes!("golden/finished-2.segue");

/// With the sections `rates`, `ranker`, `tags` and `context`.
const RANKED_2: &[u8] = include_bytes!("golden/ranked-2.segue");

/// With the sections `rates`, `ranker` and `albums`.
const ALBUMS_2: &[u8] = include_bytes!("golden/albums-2.segue");

/// A delta, and the models that it leads from and to: tracks that come and go, and something of every section.
const DELTA_1: [&[u8]; 3] = [
    include_bytes!("golden/delta-1-before.segue"),
    include_bytes!("golden/delta-1.delta"),
    include_bytes!("golden/delta-1-after.segue"),
];

/// Rows and points of the first eight that are chosen of it by everything that there is, after a like, a play and a
/// skip, and by how many places each was moved up.
const CHOSEN_2: [(u32, i32, i32); 8] = [
    (57, 4_050_353, 0),
    (42, 3_945_546, 1),
    (27, 3_987_557, -1),
    (56, 3_815_954, 2),
    (52, 3_376_447, 8),
    (55, 3_909_637, -2),
    (1, 3_802_630, 1),
    (31, 3_823_901, -3),
];

/// Rows and points of the best five of the ranked one after a like, a play and a skip, and the bits of the probability that
/// each is skipped.
const BEST_RANKED_2: [(u32, i32, u32); 5] = [
    (55, 3_711_738, 1_021_773_291),
    (17, 3_643_734, 1_022_757_270),
    (57, 3_616_708, 1_023_165_295),
    (27, 3_546_271, 1_023_843_207),
    (42, 3_513_200, 1_024_116_290),
];

/// Rows and points of the best five of the second after a like, a play and a skip.
const BEST_2: [(u32, i32); 5] =
    [(21, 5_297_074), (55, 5_262_709), (49, 5_252_143), (52, 5_240_690), (6, 5_234_877)];

/// The bits of the shares of each cluster after a like, and rows, bits of scores and clusters of the best
/// three of what people of that taste finish.
const SHARES_2: [u32; 3] = [1_048_826_459, 1_048_773_979, 1_056_516_170];
const ALSO_2: [(u32, u32, u32); 3] =
    [(56, 1_048_127_563, 2), (1, 1_046_821_260, 2), (27, 1_045_514_958, 2)];

/// A like, a play and a skip.
fn listener(model: &Model) -> Session {
    let mut session = Session::new(model);
    session.add(model, Row(3), Kind::Like, 1.0);
    session.add(model, Row(8), Kind::Play, 0.75);
    session.add(model, Row(20), Kind::Skip, 0.5);
    session
}

#[test]
fn a_model_of_format_1_is_refused_by_its_number() {
    assert_eq!(Model::from_file(MODEL_1).unwrap_err(), ModelError::Format(1));
}

#[test]
fn a_model_of_format_2_reads_and_ranks_as_it_did_when_it_was_written() {
    let model = Model::from_file(MODEL_2).unwrap();
    assert!(model.sections().map(|(id, _)| id.kind).eq(SectionKind::ALL[..5].iter().copied()));
    assert_eq!(model.to_file(), MODEL_2);
    let mut session = listener(&model);
    let mut best: Vec<Place> = Vec::new();
    top(&model, &mut session, 5, |_| true, &mut best);
    let found: Vec<(u32, i32)> = best.iter().map(|s| (s.index(), s.points())).collect();
    assert_eq!(found, BEST_2);
}

#[test]
fn the_ranker_of_format_2_reads_and_ranks_as_it_did_when_it_was_written() {
    let model = Model::from_file(RANKED_2).unwrap();
    assert_eq!(model.to_file(), RANKED_2);
    let mut session = listener(&model);
    let mut best: Vec<Place> = Vec::new();
    top(&model, &mut session, 5, |_| true, &mut best);
    let skip = |points| skip(&model, points).unwrap().to_bits();
    let found: Vec<_> = best.iter().map(|s| (s.index(), s.points(), skip(s.points()))).collect();
    assert_eq!(found, BEST_RANKED_2);
}

#[test]
fn the_finished_section_of_format_2_reads_as_it_did_when_it_was_written() {
    let model = Model::from_file(FINISHED_2).unwrap();
    assert!(model.sections().any(|(id, _)| id.kind == SectionKind::Finished));
    assert_eq!(model.to_file(), FINISHED_2);
    let mut session = Session::new(&model);
    session.add(&model, Row(3), Kind::Like, 1.0);
    let shares = membership(&model, &mut session, None);
    assert_eq!(shares.iter().map(|share| share.to_bits()).collect::<Vec<_>>(), SHARES_2);
    let found = also_finished(&model, &mut session, 3, |_| true);
    let found: Vec<_> = found.iter().map(|k| (k.row, k.score.to_bits(), k.cluster)).collect();
    assert_eq!(found, ALSO_2);
}

#[test]
fn the_albums_of_format_2_read_and_keep_apart_as_they_did_when_they_were_written() {
    let model = Model::from_file(ALBUMS_2).unwrap();
    assert!(model.sections().any(|(id, _)| id.kind == SectionKind::Albums));
    assert_eq!(model.to_file(), ALBUMS_2);
    let mut session = Session::new(&model);
    for (row, kind) in [(3, Kind::Like), (8, Kind::Play), (20, Kind::Skip)] {
        session.observe(&model, Observation { row: Row(row), kind, heard: Some(0.75) });
    }
    let candidates: Vec<Option<Row>> = model.rows().map(Some).collect();
    let options = Options {
        diversity: 0.3,
        artist_gap: 2,
        album_gap: 4,
        fatigue: 0.5,
        explore: 0.2,
        seed: Some(7),
    };
    let (mut slate, mut queue) = (Slate::default(), Vec::new());
    slate::rank(&model, &mut session, &candidates, 8, &options, &mut slate, &mut queue);
    let places = (0..).zip(&queue);
    let found: Vec<_> =
        places.map(|(at, place)| (place.index(), place.points(), slate.moved(at))).collect();
    assert_eq!(found, CHOSEN_2);
}

#[test]
fn a_delta_of_format_1_leads_where_it_did_when_it_was_written() {
    let [before, delta, after] = DELTA_1;
    let [before, after] = [before, after].map(|file| Model::from_file(file).unwrap());
    let made = before.patched(&[delta], Vec::<(SectionKind, Aligned)>::new()).unwrap();
    assert!(made.to_file() == after.to_file());
    assert_eq!(made.state(0), after.state(0));
    // Whoever writes one today writes these bytes.
    assert_eq!(delta::between(&before, &after, 0).as_deref(), Some(delta));
}
