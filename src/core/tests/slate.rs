//! Places that are chosen with an eye on those before them: what they promise, whatever the candidates.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use segue_core::{
    bytes::Aligned,
    event::Kind,
    ids::Row,
    kernel::Place,
    model::{Model, ModelError, SectionKind, encode_albums},
    rank::{self, UNKNOWN},
    rng::SplitMix64,
    session::{Observation, Session},
    slate::{self, Options, Slate},
};

const TRACKS: usize = 120;
const WEIGHTS: [f32; 19] = [
    2.0, 0.5, 0.7, 0.1, 0.5, 0.25, 1.5, 0.75, -0.2, 0.8, -0.5, 0.6, -0.3, 1.0, 1.0, 1.0, 1.0, 1.0,
    1.0,
];

/// Three albums an artist.
fn album(row: usize) -> u8 {
    (row / 3 % 4) as u8
}

/// A model of which artists and albums are known, ordered by taste or by signals.
fn model(by_signals: bool) -> Model {
    let mut sections = match by_signals {
        true => support::ranked_sections(TRACKS, 1, WEIGHTS),
        false => support::sections(TRACKS, 1),
    };
    let ids = Model::from_sections(sections.clone()).unwrap().ids_digest();
    let albums: Vec<u8> = (0..TRACKS).map(album).collect();
    sections.push((SectionKind::Albums, encode_albums(ids, &albums)));
    Model::from_sections(sections).unwrap()
}

fn listener(model: &Model) -> Session {
    let mut session = Session::new(model);
    for (row, kind) in [(3, Kind::Like), (8, Kind::Play), (20, Kind::Skip), (31, Kind::Play)] {
        session.observe(model, Observation { row: Row(row), kind, heard: Some(0.75) });
    }
    session
}

fn everything() -> Vec<Option<Row>> {
    (0..TRACKS as u32).map(|row| Some(Row(row))).collect()
}

/// The queue, and how far each place of it was moved.
fn choose(
    model: &Model,
    candidates: &[Option<Row>],
    limit: usize,
    options: Options,
) -> (Vec<Place>, Vec<i32>) {
    let (mut slate, mut queue) = (Slate::default(), Vec::new());
    let mut session = listener(model);
    slate::rank(model, &mut session, candidates, limit, &options, &mut slate, &mut queue);
    let moved = (0..queue.len()).map(|place| slate.moved(place)).collect();
    (queue, moved)
}

fn by_score(model: &Model, candidates: &[Option<Row>], limit: usize) -> Vec<Place> {
    let mut queue = Vec::new();
    rank::rank(model, &mut listener(model), candidates, limit, &mut queue);
    queue
}

fn rows(queue: &[Place]) -> Vec<usize> {
    queue.iter().map(|place| place.index() as usize).collect()
}

fn factor(model: &Model, row: usize) -> Vec<f64> {
    let mut factor = vec![0.0; model.dim()];
    model.decode(Row(row as u32), &mut factor);
    factor.into_iter().map(f64::from).collect()
}

fn cosine(model: &Model, a: usize, b: usize) -> f64 {
    let (a, b) = (factor(model, a), factor(model, b));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}

/// How alike the tracks of a queue are, in the mean over their pairs.
fn likeness(model: &Model, queue: &[Place]) -> f64 {
    let rows = rows(queue);
    let pairs =
        rows.iter().enumerate().flat_map(|(at, &a)| rows[..at].iter().map(move |&b| (a, b)));
    let cosines: Vec<f64> = pairs.map(|(a, b)| cosine(model, a, b)).collect();
    cosines.iter().sum::<f64>() / cosines.len() as f64
}

/// Artist and album at each place of a queue of everything; nothing where they are not named.
fn names(queue: &[Place]) -> Vec<[Option<u64>; 2]> {
    let artist = |row: usize| [Some(1), Some(2), None][row % 3];
    let album = |row: usize| {
        artist(row).filter(|_| album(row) > 0).map(|artist| 10 * artist + u64::from(album(row)))
    };
    rows(queue).into_iter().map(|row| [artist(row), album(row)]).collect()
}

#[test]
fn without_options_a_queue_is_that_of_the_scores_and_nothing_is_moved() {
    for model in [model(false), model(true)] {
        for limit in [0, 1, 7, TRACKS, 1000] {
            let (queue, moved) = choose(&model, &everything(), limit, Options::OFF);
            assert_eq!(queue, by_score(&model, &everything(), limit));
            assert!(moved.len() == queue.len() && moved.iter().all(|&by| by == 0));
        }
    }
}

#[test]
fn options_that_are_no_numbers_or_too_large_ones_make_some_queue_all_the_same() {
    for wild in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        for options in [
            Options { diversity: wild, ..all() },
            Options { fatigue: wild, ..all() },
            Options { explore: wild, ..all() },
        ] {
            let model = model(false);
            let (queue, _) = choose(&model, &everything(), TRACKS, options);
            let mut rows = rows(&queue);
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..TRACKS), "{options:?}");
        }
    }
}

#[test]
fn an_option_of_nothing_changes_nothing_beside_others() {
    // No two tracks are of one album, so no gap is ever broken.
    let model = Model::from_sections(support::ranked_sections(TRACKS, 1, WEIGHTS)).unwrap();
    let options = Options { album_gap: 9, ..Options::OFF };
    let (queue, moved) = choose(&model, &everything(), 50, options);
    assert_eq!(queue, by_score(&model, &everything(), 50));
    assert!(moved.iter().all(|&by| by == 0));
}

#[test]
fn the_more_diversity_the_less_alike_are_the_tracks_of_a_queue() {
    for model in [model(false), model(true)] {
        let queue =
            |diversity| choose(&model, &everything(), 12, Options { diversity, ..Options::OFF }).0;
        let [none, some, most] =
            [0.0, 0.5, 1.0].map(|diversity| likeness(&model, &queue(diversity)));
        assert!(most < some && some < none, "{none} {some} {most}");
    }
}

#[test]
fn diversity_alone_picks_the_track_that_is_farthest_from_those_before_it() {
    let model = model(false);
    let options = Options { diversity: 1.0, ..Options::OFF };
    let (queue, _) = choose(&model, &everything(), 6, options);
    let rows = rows(&queue);
    assert_eq!(rows[0], by_score(&model, &everything(), 1)[0].index() as usize);
    for at in 1..rows.len() {
        let nearest = |row: usize| {
            rows[..at].iter().map(|&other| cosine(&model, row, other)).fold(-1.0, f64::max)
        };
        let left = (0..TRACKS).filter(|row| !rows[..at].contains(row));
        let least = left.map(nearest).fold(1.0, f64::min);
        assert!(nearest(rows[at]) < least + 1e-3, "place {at}: {} {least}", nearest(rows[at]));
    }
}

#[test]
fn a_queue_of_two_artists_takes_turns_until_one_has_no_more() {
    let model = model(false);
    // All of one artist, then three of the other.
    let rows = (0..10).map(|n| 3 * n).chain([1, 4, 7]);
    let candidates: Vec<Option<Row>> = rows.map(|row| Some(Row(row))).collect();
    let options = Options { artist_gap: 1, ..Options::OFF };
    let (queue, _) = choose(&model, &candidates, 13, options);
    let artists: Vec<u32> =
        queue.iter().map(|place| candidates[place.index() as usize].unwrap().0 % 3).collect();
    let turns = artists.windows(2).take_while(|pair| pair[0] != pair[1]).count();
    assert!(turns >= 5, "{artists:?}");
    assert_eq!(artists.iter().filter(|&&artist| artist == 0).count(), 10);
}

#[test]
fn gaps_alone_choose_what_they_choose_beside_an_option_that_does_next_to_nothing() {
    for model in [model(false), model(true)] {
        for (artist_gap, album_gap, limit) in [
            (1, 0, 20),
            (2, 0, 50),
            (2, 5, 50),
            (0, 3, 50),
            (255, 255, 50),
            (3, 1, 1000),
            (1, 1, 0),
        ] {
            let options = Options { artist_gap, album_gap, ..Options::OFF };
            let mut candidates = everything();
            candidates.insert(7, None);
            let alone = choose(&model, &candidates, limit, options);
            let beside = choose(&model, &candidates, limit, Options { fatigue: 1e-30, ..options });
            assert_eq!(alone, beside, "{options:?}");
        }
    }
}

#[test]
fn what_was_just_heard_rests_and_its_artist_with_it() {
    let model = model(true);
    let mut session = listener(&model);
    let mut place = |row: usize, fatigue| {
        let (mut slate, mut queue) = (Slate::default(), Vec::new());
        let options = Options { fatigue, ..Options::OFF };
        slate::rank(&model, &mut session, &everything(), TRACKS, &options, &mut slate, &mut queue);
        rows(&queue).iter().position(|&other| other == row).unwrap()
    };
    // 31 was the last, of the artist of 4; 8 before it is of nobody.
    assert!(place(31, 4.0) > place(31, 0.0) + 20);
    assert!(place(4, 4.0) > place(4, 0.0));
    assert!(place(8, 4.0) > place(8, 0.0));
    let other: Vec<usize> = (0..TRACKS).filter(|row| row % 3 == 2 && *row != 8).collect();
    assert!(other.iter().all(|&row| place(row, 4.0) <= place(row, 0.0)));
}

#[test]
fn a_seed_gives_one_draw_and_without_one_each_event_gives_another() {
    for model in [model(false), model(true)] {
        let queue = |seed| {
            choose(&model, &everything(), 50, Options { explore: 0.5, seed, ..Options::OFF })
        };
        assert_eq!(queue(Some(1)), queue(Some(1)));
        assert_ne!(queue(Some(1)), queue(Some(2)));
        assert_eq!(queue(None), queue(Some(listener(&model).events().into())));
        assert_ne!(queue(Some(1)).0, by_score(&model, &everything(), 50));
    }
}

#[test]
fn what_is_drawn_has_the_mean_and_the_covariance_of_the_posterior() {
    const DRAWS: usize = 20_000;
    let model = model(false);
    let mut session = listener(&model);
    let posterior = session.posterior(&model);
    let (dim, spread) = (model.dim(), 0.5);
    let (mut rng, mut taste) = (SplitMix64::new(7), Vec::new());
    let (mut sum, mut products) = (vec![0.0; dim], vec![0.0; dim * dim]);
    for _ in 0..DRAWS {
        posterior.draw(spread, &mut rng, &mut taste);
        let beside: Vec<f64> =
            taste.iter().zip(&posterior.mean).map(|(x, mean)| f64::from(x - mean)).collect();
        for i in 0..dim {
            sum[i] += beside[i];
            (0..dim).for_each(|j| products[i * dim + j] += beside[i] * beside[j]);
        }
    }
    let covariance = |i: usize| -> Vec<f64> {
        let mut column = vec![0.0; dim];
        column[i] = spread * spread;
        posterior.precision.solve(&mut column);
        column.into_iter().map(f64::from).collect()
    };
    let columns: Vec<Vec<f64>> = (0..dim).map(covariance).collect();
    // Five standard errors.
    let root = (DRAWS as f64).sqrt() / 5.0;
    for i in 0..dim {
        assert!(sum[i].abs() / DRAWS as f64 <= columns[i][i].sqrt() / root);
        for j in 0..dim {
            let [ii, jj, ij] = [columns[i][i], columns[j][j], columns[i][j]];
            let found = products[i * dim + j] / DRAWS as f64;
            assert!(
                (found - ij).abs() <= (ii * jj + ij * ij).sqrt() / root,
                "{i} {j}: {found} {ij}"
            );
        }
    }
}

#[test]
fn standard_normals_are_standard_and_normal() {
    let mut rng = SplitMix64::new(3);
    let draws: Vec<f64> = (0..100_000).map(|_| f64::from(rng.normal())).collect();
    let moment = |power| draws.iter().map(|x| x.powi(power)).sum::<f64>() / draws.len() as f64;
    let [mean, square, cube, fourth] = [1, 2, 3, 4].map(moment);
    assert!(mean.abs() < 0.016 && (square - 1.0).abs() < 0.023, "{mean} {square}");
    assert!(cube.abs() < 0.062 && (fourth - 3.0).abs() < 0.16, "{cube} {fourth}");
}

#[test]
fn artists_are_the_same_in_every_shard_and_absent_tracks_stand_by_the_mean_of_their_cell() {
    let options = Options { artist_gap: 1, diversity: 0.5, fatigue: 1.0, explore: 0.3, ..all() };
    let sections = support::split_sections(400, 1);
    let head = sections.iter().filter(|(id, _)| id.shard == 0).cloned();
    for model in
        [Model::from_sections(head).unwrap(), Model::from_sections(sections.clone()).unwrap()]
    {
        let candidates: Vec<Option<Row>> = (0..60).map(|n| model.row(&format!("t{n}"))).collect();
        let mut session = Session::new(&model);
        let (mut slate, mut queue) = (Slate::default(), Vec::new());
        slate::rank(&model, &mut session, &candidates, 60, &options, &mut slate, &mut queue);
        let rows: Vec<Row> =
            queue.iter().map(|p| candidates[p.index() as usize].unwrap()).collect();
        assert!(rows.iter().any(|row| row.shard() > 0));
        assert_eq!(rows.iter().any(|row| row.is_estimate()), model.len() < 400);
        let artists: Vec<&str> = rows.iter().map(|&row| model.artist_of(row)).collect();
        assert!(artists.iter().filter(|artist| !artist.is_empty()).count() >= 8);
        let pairs = artists[..30].windows(2);
        let repeats = pairs.filter(|pair| !pair[0].is_empty() && pair[0] == pair[1]);
        assert_eq!(repeats.count(), 0);
    }
}

#[test]
fn albums_of_another_catalogue_or_another_length_are_refused() {
    let sections = support::sections(TRACKS, 1);
    let ids = Model::from_sections(sections.clone()).unwrap().ids_digest();
    let other = Model::from_sections(support::sections(TRACKS + 1, 1)).unwrap().ids_digest();
    let with = |albums| {
        let albums = (SectionKind::Albums, albums);
        Model::from_sections(sections.clone().into_iter().chain([albums])).map(drop)
    };
    let kind = SectionKind::Albums;
    assert_eq!(with(encode_albums(other, &[1; TRACKS])), Err(ModelError::Mixed(kind)));
    assert_eq!(with(encode_albums(ids, &[1; TRACKS - 1])), Err(ModelError::Mixed(kind)));
    let sound = encode_albums(ids, &[1; TRACKS]);
    let cut = Aligned::copy_of(&sound.as_slice()[..TRACKS]);
    assert_eq!(with(cut), Err(ModelError::Shape(kind)));
    assert_eq!(with(sound), Ok(()));
}

fn all() -> Options {
    Options {
        diversity: 0.4,
        artist_gap: 2,
        album_gap: 6,
        fatigue: 1.0,
        explore: 0.5,
        seed: Some(1),
    }
}

/// The least that a place is too soon for, over the names that it shares with those before it.
fn too_soon(
    names: &[[Option<u64>; 2]],
    at: usize,
    name: [Option<u64>; 2],
    gaps: [usize; 2],
) -> usize {
    let one = |which: usize| {
        let same = |other: &usize| name[which].is_some() && names[*other][which] == name[which];
        let last = (0..at).rev().find(same);
        last.map_or(0, |last| (last + 1 + gaps[which]).saturating_sub(at))
    };
    one(0).max(one(1))
}

fn options() -> impl Strategy<Value = Options> {
    let share = || prop_oneof![Just(0.0_f32), 0.0_f32..=1.0, Just(1.0)];
    (share(), 0_u8..6, 0_u8..12, share(), share(), prop::option::of(0_u64..4)).prop_map(
        |(diversity, artist_gap, album_gap, fatigue, explore, seed)| Options {
            diversity,
            artist_gap,
            album_gap,
            fatigue,
            explore,
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the options and the candidates (some twice, some unknown, some beyond the model), a queue holds each
    /// candidate once at most, with the points of its score; the unknown come last as they were given; what is said of
    /// moves is so; and it comes out the same again.
    #[test]
    fn a_queue_is_a_part_of_the_candidates(
        given in prop::collection::vec(prop_oneof![4 => 0_u32..TRACKS as u32, 1 => Just(u32::MAX), 1 => any::<u32>()], 0..150),
        limit in 0_usize..160,
        options in options(),
        by_signals in any::<bool>(),
    ) {
        let model = model(by_signals);
        let row = |row: u32| (row != u32::MAX).then_some(Row(row));
        let candidates: Vec<Option<Row>> = given.into_iter().map(row).collect();
        let scored = by_score(&model, &candidates, candidates.len());
        let (queue, moved) = choose(&model, &candidates, limit, options);
        prop_assert_eq!(queue.len(), limit.min(candidates.len()));
        prop_assert_eq!(moved.len(), queue.len());
        for (at, (place, by)) in queue.iter().zip(&moved).enumerate() {
            prop_assert!(!queue[..at].contains(place));
            prop_assert_eq!(scored[(at as i32 + by) as usize], *place);
            if place.points() == UNKNOWN {
                prop_assert_eq!(*by, 0);
            }
        }
        prop_assert_eq!(choose(&model, &candidates, limit, options), (queue, moved));
    }

    /// At each place stands one of those that come least too soon: not too soon at all, if there is one.
    #[test]
    fn gaps_hold_wherever_anything_else_is_left(options in options(), by_signals in any::<bool>()) {
        let model = model(by_signals);
        let (queue, _) = choose(&model, &everything(), TRACKS, options);
        let names = names(&queue);
        let gaps = [options.artist_gap, options.album_gap].map(usize::from);
        for at in 0..TRACKS {
            let least = names[at..].iter().map(|&name| too_soon(&names, at, name, gaps)).min();
            prop_assert_eq!(Some(too_soon(&names, at, names[at], gaps)), least);
        }
    }

    /// Tracks of one album have one number wherever both their artist and their album are known, and no others have it.
    #[test]
    fn credits_tell_albums_apart_by_artist_and_number(
        albums in prop::collection::vec(any::<u8>(), TRACKS),
        [a, b] in [0..TRACKS, 0..TRACKS],
    ) {
        let mut sections = support::sections(TRACKS, 1);
        let ids = Model::from_sections(sections.clone()).unwrap().ids_digest();
        sections.push((SectionKind::Albums, encode_albums(ids, &albums)));
        let model = Model::from_sections(sections).unwrap();
        let [x, y] = [a, b].map(|row| model.credits(Row(row as u32)));
        let named = |row: usize| row % 3 < 2;
        prop_assert_eq!([x[0] != 0, x[1] != 0], [named(a), named(a) && albums[a] > 0]);
        prop_assert_eq!(x[0] == y[0], a % 3 == b % 3);
        if x[1] != 0 {
            prop_assert_eq!(x == y, a % 3 == b % 3 && albums[a] == albums[b]);
        }
    }

    /// How long a queue is wanted changes nothing of what comes first.
    #[test]
    fn a_shorter_queue_is_the_head_of_a_longer_one(options in options(), limit in 0_usize..TRACKS) {
        let model = model(false);
        let (whole, _) = choose(&model, &everything(), TRACKS, options);
        let (head, _) = choose(&model, &everything(), limit, options);
        prop_assert_eq!(&whole[..limit], &head[..]);
    }
}

#[test]
fn what_was_just_played_stands_before_the_first_place() {
    // The listener just played row 31, of the second artist, and row 8 before it, of one without a name.
    for by_signals in [false, true] {
        let model = model(by_signals);
        let options = Options { artist_gap: 3, ..Options::OFF };
        let (queue, _) = choose(&model, &everything(), TRACKS, options);
        assert!(rows(&queue)[..3].iter().all(|row| row % 3 != 1), "{:?}", &rows(&queue)[..4]);
        let alone: Vec<Option<Row>> = [1, 4, 7].map(|row| Some(Row(row))).into();
        let (queue, _) = choose(&model, &alone, 3, options);
        assert_eq!(queue.len(), 3, "where nothing else is left it has to be the artist again");
    }
}
