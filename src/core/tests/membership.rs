//! How a taste lies among the clusters, what people of these clusters finish, and artists near an artist.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use segue_core::{
    artists,
    bytes::Aligned,
    event::Kind,
    ids::Row,
    membership::{Kindred, also_finished, membership, shares},
    model::{
        self, Entry, IdsDigest, Model, ModelError, SectionKind, encode_clusters, encode_finished,
    },
    session::Session,
};
use support::DIM;

const TRACKS: usize = 40;
const CLUSTERS: usize = 4;

/// A model whose track n is in cluster n % 4, along every fourth axis from that number on. The people of a
/// cluster finish tracks 0 to 19 of it, the lower the more.
fn sections() -> (IdsDigest, Vec<(SectionKind, Aligned)>) {
    let plain = support::model(TRACKS, 1);
    let ids = plain.ids_digest();
    let centroids: Vec<f32> =
        (0..CLUSTERS * DIM)
            .map(|at| {
                if at % DIM % CLUSTERS == at / DIM { 8.0 / (DIM as f32 / 4.0).sqrt() } else { 0.0 }
            })
            .collect();
    let assignment: Vec<u16> = (0..TRACKS).map(|row| (row % CLUSTERS) as u16).collect();
    let mut sections = support::sections(TRACKS, 1);
    sections.retain(|(kind, _)| *kind != SectionKind::Clusters);
    sections.push((SectionKind::Clusters, encode_clusters(ids, DIM, &centroids, &assignment)));
    sections.push((SectionKind::Finished, lists(ids, CLUSTERS)));
    (ids, sections)
}

fn lists(ids: IdsDigest, clusters: usize) -> Aligned {
    let entry = |n: usize| Entry::new(Row(n as u32), 200 - n as u8);
    let list = |cluster| (0..20).filter(|n| n % CLUSTERS == cluster).map(entry).collect();
    let lists: Vec<Vec<Entry>> = (0..clusters).map(list).collect();
    encode_finished(ids, TRACKS, 0.001, &lists.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn model() -> Model {
    Model::from_sections(sections().1).unwrap()
}

fn shares_of(model: &Model, session: &mut Session) -> Vec<f32> {
    membership(model, session, None)
}

fn strongest(shares: &[f32]) -> usize {
    (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b])).unwrap()
}

#[test]
fn shares_are_together_one_and_largest_where_the_taste_is() {
    let model = model();
    let mut session = Session::new(&model);
    for row in [1, 5, 9] {
        session.add(&model, Row(row), Kind::Like, 1.0);
    }
    let of_listener = shares_of(&model, &mut session);
    assert_eq!(of_listener.len(), CLUSTERS);
    assert!((of_listener.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{of_listener:?}");
    assert_eq!(strongest(&of_listener), 1);
    for row in 0..TRACKS as u32 {
        let of_track = membership(&model, &mut session, Some(Row(row)));
        assert_eq!(strongest(&of_track), row as usize % CLUSTERS, "track {row}");
        assert!((of_track.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

#[test]
fn a_listener_who_skips_one_cluster_and_likes_another_moves_there() {
    let model = model();
    let mut session = Session::new(&model);
    for row in [0, 4, 8] {
        session.add(&model, Row(row), Kind::Like, 1.0);
    }
    let mut before = shares_of(&model, &mut session);
    assert_eq!(strongest(&before), 0);
    for step in 0..4 {
        session.add(&model, Row(12 + 4 * step), Kind::Skip, 1.0);
        session.add(&model, Row(2 + 4 * step), Kind::Like, 1.0);
        let now = shares_of(&model, &mut session);
        assert!(now[2] > before[2], "step {step}: {before:?} to {now:?}");
        before = now;
    }
    assert_eq!(strongest(&before), 2);
}

#[test]
fn a_taste_of_nothing_is_in_all_clusters_alike_and_none_overflows() {
    let centroids = [[1.0, 0.0], [0.0, 1.0], [1e6, -1e6]];
    let of = |factor: &[f32]| shares(centroids.iter().map(|centroid| &centroid[..]), factor);
    assert_eq!(of(&[0.0, 0.0]), [1.0 / 3.0; 3]);
    for x in [1e-38, 1e-25, 1e-20, 1.0, 1e19, 1e20] {
        for factor in [[x, x], [x, -x], [-x, x], [x, 0.0]] {
            let shares = of(&factor);
            assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{factor:?}: {shares:?}");
        }
    }
}

#[test]
fn a_model_without_clusters_says_nothing() {
    let (_, mut sections) = sections();
    sections.retain(|(kind, _)| *kind != SectionKind::Clusters);
    let model = Model::from_sections(sections).unwrap();
    let mut session = Session::new(&model);
    assert!(shares_of(&model, &mut session).is_empty());
    assert!(also_finished(&model, &mut session, 5, |_| true).is_empty());
}

#[test]
fn what_people_of_a_taste_finish_leaves_out_what_the_listener_knows_and_what_is_not_let_through() {
    let model = model();
    let mut session = Session::new(&model);
    for (row, kind) in [(1, Kind::Like), (5, Kind::Like), (9, Kind::Impression)] {
        session.add(&model, Row(row), kind, 1.0);
    }
    let found = also_finished(&model, &mut session, 3, |row| row != Row(13));
    assert_eq!(found[0].row, 17);
    assert_eq!(found[0].cluster, 1);
    let all = also_finished(&model, &mut session, usize::MAX, |_| true);
    assert_eq!(all.len(), 20 - 3);
    assert_eq!(all[0].row, 13);
    assert!(all.windows(2).all(|pair| pair[0].score >= pair[1].score), "{all:?}");
    let shares = shares_of(&model, &mut session);
    let Kindred { row, score, cluster } = all[5];
    let expected = shares[cluster as usize] * (200 - row) as f32 * 0.001;
    assert!((score - expected).abs() < 1e-6, "{score} {expected}");
    assert!(also_finished(&model, &mut session, 0, |_| true).is_empty());
}

#[test]
fn lists_that_do_not_fit_the_model_are_refused() {
    let (ids, good) = sections();
    let with = |section: Aligned| {
        let others = good.iter().filter(|(kind, _)| *kind != SectionKind::Finished).cloned();
        Model::from_sections(others.chain([(SectionKind::Finished, section)])).map(drop)
    };
    let entry = |row: usize| [Entry::new(Row(row as u32), 1)];
    let refused = |section| with(section).unwrap_err();
    let value = |error| matches!(error, ModelError::Value { section: SectionKind::Finished, .. });
    assert!(with(encode_finished(ids, TRACKS, 1.0, &[&entry(TRACKS - 1)])).is_ok());
    assert!(value(refused(encode_finished(ids, TRACKS, 1.0, &[&entry(TRACKS)]))));
    assert!(value(refused(encode_finished(ids, TRACKS, f32::NAN, &[&entry(0)]))));
    assert_eq!(
        refused(encode_finished(ids, TRACKS, 1.0, &[])),
        ModelError::Limit(SectionKind::Finished)
    );
    assert_eq!(
        refused(encode_finished(ids, TRACKS + 1, 1.0, &[&entry(0)])),
        ModelError::Mixed(SectionKind::Finished)
    );
    let other = support::model(TRACKS + 1, 2).ids_digest();
    assert_eq!(refused(lists(other, 4)), ModelError::Mixed(SectionKind::Finished));
    let whole = lists(ids, CLUSTERS);
    let cut = Aligned::copy_of(&whole.as_slice()[..whole.as_slice().len() - 16]);
    assert_eq!(refused(cut), ModelError::Shape(SectionKind::Finished));
    let mut twice = model();
    assert_eq!(
        twice.add([(SectionKind::Finished, whole)]).unwrap_err(),
        ModelError::Duplicate(SectionKind::Finished)
    );
}

/// Tracks of four artists, two along each of two axes; the last track of the second one is off its way, and
/// nobody expects anything of it.
fn of_artists() -> Model {
    const NAMES: [&str; 8] = ["a", "b", "c", "d", "a", "b", "c", "b"];
    let fingerprints: Vec<u64> = (0..8).map(|n| n << 60).collect();
    let codes: Vec<i8> = [[9, 1], [8, 2], [1, 9], [2, 8], [7, 0], [9, 0], [0, 9], [-1, 9]].concat();
    let taste = model::TasteParts {
        loss: model::Loss { unobserved: 0.1, ridge: 0.1, exponent: 1.0 },
        catalogue: 8.0,
        pull: 1.0,
        responses: model::Responses::default(),
        mean: vec![1.0, 0.1],
        gram: None,
    };
    let (ids, mut sections) = model::encode_ranking(&fingerprints, &[0.1; 2], &codes, &taste);
    let names = NAMES.iter().map(|&name| ("", name, 0));
    sections.push((SectionKind::Text, model::encode_text(ids, names, &[])));
    Model::from_sections(sections).unwrap()
}

#[test]
fn the_artists_nearest_to_one_are_those_whose_tracks_the_same_people_like() {
    let model = of_artists();
    let text = model.text().unwrap();
    let near = |artist, k| -> Vec<String> {
        let found = artists::near(&model, artist, k);
        found.iter().map(|place| text.artist(Row(place.index())).into()).collect()
    };
    assert_eq!(near("a", 9), ["b", "d", "c"]);
    assert_eq!(near("c", 1), ["d"]);
    let cosines = artists::near(&model, "a", 9);
    let cosines: Vec<f32> = cosines.iter().map(|place| artists::cosine(place.points())).collect();
    assert!(cosines[0] > 0.99 && cosines[2] < 0.2, "{cosines:?}");
}

#[test]
fn an_artist_whom_the_model_does_not_name_has_none_near() {
    assert!(artists::near(&of_artists(), "nobody", 5).is_empty());
    assert!(artists::near(&of_artists(), "a", 0).is_empty());
    let (_, mut sections) = sections();
    sections.retain(|(kind, _)| *kind != SectionKind::Text);
    assert!(artists::near(&Model::from_sections(sections).unwrap(), "Ana", 5).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damage that no checksum guards is refused, or does no harm.
    #[test]
    fn forged_lists_and_clusters_are_refused_or_harmless(
        clusters: bool,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in prop::option::of(0_usize..2000),
    ) {
        let forged = if clusters { SectionKind::Clusters } else { SectionKind::Finished };
        let (_, mut sections) = sections();
        for (_, section) in sections.iter_mut().filter(|(kind, _)| *kind == forged) {
            let mut bytes = section.as_slice().to_vec();
            for (at, value) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            bytes.resize(length.unwrap_or(bytes.len()), 0);
            *section = Aligned::copy_of(&bytes);
        }
        if let Ok(model) = Model::from_sections(sections) {
            let mut session = Session::new(&model);
            session.add(&model, Row(3), Kind::Like, 1.0);
            let shares = shares_of(&model, &mut session);
            prop_assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-3);
            for found in also_finished(&model, &mut session, 50, |_| true) {
                prop_assert!(model.has(Row(found.row)) && !found.score.is_nan());
            }
            for row in (0..TRACKS as u32).map(Row) {
                membership(&model, &mut session, Some(row));
            }
        }
    }
}
