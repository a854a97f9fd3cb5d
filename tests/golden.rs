//! Golden files: each version of the model format, kept for ever. A file here is never written
//! anew; a new format version gets a new one.

use segue_core::{
    event::Kind,
    ids::Row,
    kernel::Scored,
    model::{Model, SectionKind},
    rank::top,
    session::Session,
};

const MODEL_1: &[u8] = include_bytes!("golden/model-1.segue");

/// Rows and bits of the scores of the best five after a like, a play and a skip.
const BEST_1: [(u32, u32); 5] = [
    (21, 1_059_932_774),
    (55, 1_059_860_915),
    (49, 1_059_817_183),
    (6, 1_059_799_239),
    (52, 1_059_762_671),
];

#[test]
fn a_model_of_format_1_reads_and_ranks_as_it_did_when_it_was_written() {
    let model = Model::from_file(MODEL_1).unwrap();
    assert!(model.sections().map(|(kind, _)| kind).eq(SectionKind::ALL));
    assert_eq!(model.to_file(), MODEL_1);
    let mut session = Session::new(&model);
    session.add(&model, Row(3), Kind::Like, 1.0);
    session.add(&model, Row(8), Kind::Play, 0.75);
    session.add(&model, Row(20), Kind::Skip, 0.5);
    let mut best: Vec<Scored> = Vec::new();
    top(&model, &mut session, 5, |_| true, &mut best);
    let found: Vec<(u32, u32)> = best.iter().map(|s| (s.row.0, s.score.to_bits())).collect();
    assert_eq!(found, BEST_1);
}
