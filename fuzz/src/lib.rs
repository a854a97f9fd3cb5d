//! What a listener does with a model, whatever bytes it was read from: everything that a page calls.

use segue_core::{
    artists,
    event::Kind,
    ids::Row,
    membership::{also_finished, membership},
    model::Model,
    moment::{Field, Moment},
    rank::{nearest, rank, score, skip, top},
    reason::Explainer,
    session::{Observation, Session},
    slate::{self, Options, Slate},
};

/// Observes, ranks, searches, explains and describes. Nothing of it may panic.
pub fn use_all(model: &Model) {
    let mut session = Session::new(model);
    session.at(Moment::default().with(Field::Mood, "calm").with(Field::Device, "phone").on(0, 60));
    let ids = ["", "t0", "jazz:00", "spotify:track:1", "\u{1f3b5}"];
    let named = ids.iter().map(|id| model.row(id));
    let rows: Vec<Row> = model.rows().take(64).collect();
    let some = rows.iter().copied().map(Some);
    let beyond = [u32::MAX, 1 << 24, 255 << 24, 7].map(|row| Some(Row(row)));
    let candidates: Vec<Option<Row>> = named.chain(some).chain(beyond).collect();
    for (row, kind) in candidates.iter().flatten().zip(Kind::ALL.into_iter().cycle()) {
        session.observe(model, Observation { row: *row, kind, heard: Some(0.3) });
    }
    let mut queue = Vec::new();
    rank(model, &mut session, &candidates, 50, &mut queue);
    for place in &queue {
        let _ = score(model, session.query(model), place.points());
    }
    let options = Options {
        diversity: 0.5,
        artist_gap: 2,
        album_gap: 4,
        fatigue: 1.0,
        explore: 0.5,
        seed: None,
    };
    let (mut slate, mut chosen) = (Slate::default(), Vec::new());
    slate::rank(model, &mut session, &candidates, 50, &options, &mut slate, &mut chosen);
    assert_eq!(chosen.len(), queue.len());
    let _ = slate.moved(0);
    let foretold = queue.iter().filter_map(|place| skip(model, place.points()));
    foretold.for_each(|p| assert!((0.0..=1.0).contains(&p)));
    top(model, &mut session, 20, |row| row.0 % 3 > 0, &mut queue);
    nearest(model, &mut session, &mut queue);
    let mut explainer = Explainer::new(model, &mut session);
    explainer.beside(model, &mut session, &rows);
    for &row in rows.iter().take(4) {
        let reasons = explainer.explain(model, &mut session, row);
        reasons.iter().for_each(|reason| drop(reason.text()));
    }
    for found in also_finished(model, &mut session, 20, |row| row.0 % 3 > 0) {
        assert!(model.has(Row(found.row)) && !found.score.is_nan());
    }
    for row in [None].into_iter().chain(candidates.iter().copied()) {
        let shares = membership(model, &mut session, row);
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
    }
    for place in artists::near(model, "Ana", 5) {
        assert!(model.has(Row(place.index())) && artists::cosine(place.points()).abs() < 1.01);
    }
    for row in candidates.iter().flatten() {
        let _ = (model.cluster_of(*row), model.shard_of(*row), model.credits(*row));
        let tag = model.tags_of(*row).trailing_zeros() as usize;
        let _ = model.tag_name(tag);
        if let Some((text, row)) = model.text_of(*row) {
            let _ = (text.title(row), text.artist(row), text.duration_ms(row));
        }
        let _ = model.stem(*row).and_then(|stem| model.find_stem(stem));
    }
    let moved = session.moved(model, model);
    assert!(moved.evidence().len() <= session.evidence().len());
}
