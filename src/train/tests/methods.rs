//! The methods that make factors: what each finds, and what none of them trips over.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::time::Duration;

use nalgebra::DMatrix;
use segue_core::{
    event::Kind,
    fold_in::Pull,
    ids::{Row, fingerprint},
    model::{Loss, Responses},
    rng::SplitMix64,
    session::Evidence,
};
use segue_train::{
    contrast,
    evaluate::ranking::Case,
    factors::{Method, Settings, Start, Training, train},
    matrix::Matrix,
    progress::Progress,
    search::{Attempts, Effort, Task, search},
    spectral::{Degrees, Shape, Spectra, Spectrum},
};

const YES: Pull = Pull { weight: 1.0, information: 1.0 };
const NONE: Degrees = Degrees { listeners: 0.0, tracks: 0.0, beyond: 0.0 };
const FLAT: Shape = Shape { ridge: 0.0, popularity: 0.0 };
const LOSS: Loss = Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 };
const CONTRAST: contrast::Settings =
    contrast::Settings { rate: 0.01, decay: 0.1, dropout: 0.2, popularity: 0.5 };

/// Every method, with settings that suit small worlds.
fn methods() -> [Method; 4] {
    let degrees = Degrees { listeners: 0.5, tracks: 0.5, beyond: 1.0 };
    let contrast = Method::Contrast(degrees, FLAT, CONTRAST);
    [Method::Popularity, Method::Spectral(degrees, FLAT), Method::Als, contrast]
}

fn matrix(tracks: usize, rows: &[Vec<u32>]) -> Matrix {
    let rows = rows.iter().map(|row| {
        let mut row = row.clone();
        row.sort_unstable();
        row.dedup();
        row.into_iter().map(|track| (track, YES))
    });
    Matrix::from_rows(tracks, rows)
}

/// Listeners of four kinds, each of whom hears half of the 20 tracks of their kind.
fn kinds() -> Vec<Vec<u32>> {
    let mut rng = SplitMix64::new(5);
    let row = |listener: u32, rng: &mut SplitMix64| {
        (0..10).map(|_| listener % 4 * 20 + rng.below(20) as u32).collect()
    };
    (0..120).map(|listener| row(listener, &mut rng)).collect()
}

fn trained(rows: &[Vec<u32>], tracks: usize, dim: usize, method: Method) -> Vec<f32> {
    let by_user = matrix(tracks, rows);
    let by_item = by_user.transposed();
    let settings = Settings { method, loss: LOSS, epochs: 12 };
    let pairs = (&by_user, &by_item);
    let mut trainer = train(pairs, dim, &settings, 1, Start::Anew, &Progress::silent()).unwrap();
    trainer.solve_users(&settings.fold_in(tracks), &|| false);
    assert!(trainer.factors.are_finite(), "{method:?} {tracks} {rows:?}");
    trainer.factors.items
}

#[test]
fn all_but_popularity_bring_tracks_of_one_kind_together() {
    for method in methods() {
        let items = trained(&kinds(), 80, 8, method);
        let factor = |track: usize| &items[track * 8..][..8];
        let cosine = |a: usize, b: usize| {
            let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
            let (a, b) = (factor(a), factor(b));
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        let mean = |of: fn(usize, usize) -> bool| {
            let pairs = (0..80).flat_map(|a| (0..a).map(move |b| (a, b)));
            let some: Vec<f32> =
                pairs.filter(|&(a, b)| of(a, b)).map(|(a, b)| cosine(a, b)).collect();
            some.iter().sum::<f32>() / some.len() as f32
        };
        let within = mean(|a, b| a / 20 == b / 20);
        let across = mean(|a, b| a / 20 != b / 20);
        if method == Method::Popularity {
            assert!(within > 0.999 && across > 0.999, "{within} {across}");
        } else {
            assert!(within > 0.5 && across < 0.2, "{method:?}: {within} {across}");
        }
    }
}

#[test]
fn factors_are_those_of_the_singular_value_decomposition_shrunk_by_the_ridge() {
    let rows = kinds();
    let by_user = matrix(80, &rows);
    let by_item = by_user.transposed();
    let dense = DMatrix::from_fn(120, 80, |u, i| {
        if by_user.row(u).iter().any(|(track, _)| track == i) { 1.0_f64 } else { 0.0 }
    });
    let exact = dense.svd(false, true);
    let axes = exact.v_t.unwrap();
    let mut order: Vec<usize> = (0..80).collect();
    order.sort_by(|&a, &b| exact.singular_values[b].total_cmp(&exact.singular_values[a]));
    // Products of factors are the entries of V·S²/(S² + λ)·Vᵀ, λ in squares of the least S.
    let shape = Shape { ridge: 3.0, popularity: 0.0 };
    let dim = 4;
    let ridge = 3.0 * exact.singular_values[order[dim - 1]].powi(2);
    let kept = |square: f64| square / (square + ridge);
    let found = Spectrum::of((&by_user, &by_item), dim, NONE, 3).unwrap().factors(shape);
    let truth = |a: usize, b: usize| -> f64 {
        let axis =
            |&k: &usize| kept(exact.singular_values[k].powi(2)) * axes[(k, a)] * axes[(k, b)];
        order.iter().take(dim).map(axis).sum()
    };
    let product = |a: usize, b: usize| -> f64 {
        (0..dim).map(|k| f64::from(found[a * dim + k] * found[b * dim + k])).sum()
    };
    // Factors are scaled to a mean square length of one.
    let scale = (0..80).map(|a| truth(a, a)).sum::<f64>() / 80.0;
    for a in 0..80 {
        for b in 0..80 {
            let (truth, product) = (truth(a, b) / scale, product(a, b));
            assert!((truth - product).abs() < 1e-3, "{a} {b}: {truth} {product}");
        }
    }
}

#[test]
fn a_ridge_shrinks_where_there_are_fewer_directions_than_components_too() {
    // Two kinds of listeners, one of them more numerous: two directions for eight components.
    let rows: Vec<Vec<u32>> =
        (0..30).map(|listener| if listener < 20 { vec![0, 1, 2] } else { vec![3, 4, 5] }).collect();
    let by_user = matrix(6, &rows);
    let by_item = by_user.transposed();
    let spectrum = Spectrum::of((&by_user, &by_item), 8, NONE, 3).unwrap();
    let length = |factors: &[f32], track: usize| -> f64 {
        factors[track * 8..][..8].iter().map(|&x| f64::from(x).powi(2)).sum()
    };
    let [flat, shrunk] = [0.0, 1.0].map(|ridge| spectrum.factors(Shape { ridge, popularity: 0.0 }));
    assert!((length(&flat, 0) / length(&flat, 3) - 1.0).abs() < 1e-4);
    // Squares of 60 and 30, under a ridge of 30: 2/3 to 1/2.
    let ratio = length(&shrunk, 0) / length(&shrunk, 3);
    assert!((ratio - 4.0 / 3.0).abs() < 1e-4, "{ratio}");
}

#[test]
fn every_method_gives_the_same_bits_at_any_number_of_threads() {
    for method in methods() {
        let [one, three] = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| trained(&kinds(), 80, 8, method))
        });
        assert!(one.iter().zip(&three).all(|(a, b)| a.to_bits() == b.to_bits()), "{method:?}");
    }
}

#[test]
fn no_method_trips_over_worlds_that_are_hardly_there() {
    let alike: Vec<Vec<u32>> = vec![(0..5).collect(); 30];
    let worlds: [(&str, usize, Vec<Vec<u32>>); 6] = [
        ("one pair", 1, vec![vec![0]]),
        ("one listener of two tracks", 2, vec![vec![0, 1]]),
        ("listeners without tracks", 3, vec![vec![], vec![0, 2], vec![]]),
        ("tracks without listeners", 50, vec![vec![7, 9], vec![9, 20]]),
        ("listeners who are all alike", 5, alike),
        ("one listener of everything", 300, vec![(0..300).collect(), vec![1], vec![]]),
    ];
    for (name, tracks, rows) in worlds {
        for method in methods() {
            // More dimensions than tracks, or than listeners.
            let items = trained(&rows, tracks, 16, method);
            assert_eq!(items.len(), tracks * 16, "{name}");
        }
    }
}

#[test]
fn contrastive_training_that_is_asked_to_stop_stops() {
    let by_user = matrix(80, &kinds());
    let by_item = by_user.transposed();
    let [.., method] = methods();
    let settings = Settings { method, loss: LOSS, epochs: 1 };
    let start = || {
        let mut spectra = Spectra::new((&by_user, &by_item), 8, 1);
        Training::new(&mut spectra, &settings, 1).unwrap()
    };
    let (mut stopped, untouched) = (start(), start());
    stopped.epoch(&|| true);
    assert_eq!(stopped.into_solver().factors.items, untouched.into_solver().factors.items);
}

fn task<'a>(pairs: (&'a Matrix, &'a Matrix), names: &'a [u64], cases: &'a [Case]) -> Task<'a> {
    Task {
        fingerprints: names,
        by_user: pairs.0,
        by_item: pairs.1,
        tracks: names.len(),
        validation: cases,
        responses: Responses::default(),
        dim: 8,
        seed: 1,
        head: None,
        effort: Effort::QUICK,
    }
}

/// One track of each listener is asked for, the others are known.
fn cases(rows: &[Vec<u32>]) -> (Vec<Vec<u32>>, Vec<Case>) {
    let split = rows.iter().filter_map(|row| {
        let mut row = row.clone();
        row.sort_unstable();
        row.dedup();
        let held_out = row.remove(row.len() / 2);
        let known = row.iter().map(|&track| {
            let mut evidence = Evidence::new(Row(track));
            evidence.add(Kind::Play, 1.0);
            evidence
        });
        let case =
            Case { known: known.collect(), held_out: vec![Row(held_out)], ..Case::default() };
        (!row.is_empty()).then_some((row, case))
    });
    split.unzip()
}

fn found(rows: &[Vec<u32>], tracks: usize, effort: Effort) -> (Settings, Vec<Attempts>) {
    let (rows, cases) = cases(rows);
    let by_user = matrix(tracks, &rows);
    let by_item = by_user.transposed();
    let mut names: Vec<u64> = (0..tracks).map(|track| fingerprint(&track.to_string())).collect();
    names.sort_unstable();
    let task = Task { effort, ..task((&by_user, &by_item), &names, &cases) };
    let found = search(&task, &Progress::silent()).unwrap();
    (found.settings, found.tried)
}

#[test]
fn where_listeners_differ_a_method_that_tells_them_apart_is_found() {
    let (settings, tried) = found(&kinds(), 80, Effort::QUICK);
    assert_ne!(settings.method, Method::Popularity);
    let told: Vec<&str> = tried.iter().map(|tried| tried.best.method.name()).collect();
    assert_eq!(told, ["popularity", "spectral", "autoencoder", "als", "contrastive"]);
}

/// Tracks of 80, the first drawn most often.
fn of_one_urn(rng: &mut SplitMix64, tracks: usize) -> Vec<u32> {
    // Track k is drawn about as often as 1/(k + 1).
    (0..tracks).map(|_| (81.0_f64.powf(rng.unit()) - 1.0) as u32).collect()
}

#[test]
fn first_listeners_who_are_easy_do_not_decide_for_all() {
    // Early rounds look at the first listeners alone, who are told apart at once.
    let mut rng = SplitMix64::new(11);
    let easy: Vec<Vec<u32>> = kinds().into_iter().cycle().take(840).collect();
    let hard = (0..1200).map(|_| of_one_urn(&mut rng, 12));
    let rows: Vec<Vec<u32>> = easy.into_iter().chain(hard).collect();
    assert_ne!(found(&rows, 80, Effort::QUICK).0.method, Method::Popularity);
}

#[test]
fn a_search_without_time_tries_each_method_once_and_finds_the_best_of_these() {
    let none = Effort::QUICK.within(Some(Duration::ZERO));
    let (settings, tried) = found(&kinds(), 80, none);
    assert_ne!(settings.method, Method::Popularity, "each of the others is better");
    let counts = tried.iter().map(|attempts| attempts.count);
    assert!(counts.clone().all(|count| count == 1), "{:?}", counts.collect::<Vec<_>>());
    assert_eq!(tried.len(), 4);
    let most = Effort::QUICK.within(Some(Duration::MAX));
    assert_eq!(found(&kinds(), 80, most), found(&kinds(), 80, Effort::QUICK));
}

#[test]
fn where_listeners_say_no_only_methods_with_a_place_for_it_compete() {
    let (rows, cases) = cases(&kinds());
    let no = Pull { weight: 1.0, information: 0.0 };
    let refused = |row: &Vec<u32>| (row[0] / 20 + 1) % 4 * 20;
    let rows = rows.iter().map(|row| {
        let mut row: Vec<(u32, Pull)> =
            row.iter().map(|&track| (track, YES)).chain([(refused(row), no)]).collect();
        row.sort_unstable_by_key(|(track, _)| *track);
        row
    });
    let by_user = Matrix::from_rows(80, rows);
    assert!(by_user.has_noes() && !matrix(80, &kinds()).has_noes());
    let by_item = by_user.transposed();
    let mut names: Vec<u64> = (0..80).map(|track| fingerprint(&track.to_string())).collect();
    names.sort_unstable();
    let found = search(&task((&by_user, &by_item), &names, &cases), &Progress::silent()).unwrap();
    assert!(found.tried.iter().all(|attempts| !attempts.best.method.sums()));
    assert_eq!(found.settings.method, Method::Als);
}

#[test]
fn a_plain_no_is_the_opposite_of_a_yes_where_tracks_are_summed() {
    let plain = Responses::default();
    let [popularity, spectral, als, contrast] = methods();
    for sum in [spectral, contrast] {
        let heeded = sum.heeding_noes(plain);
        assert_eq!(heeded.of(Kind::Skip).target, -1.0);
        assert_eq!(heeded.of(Kind::Like), plain.of(Kind::Like));
        assert_eq!(heeded.of(Kind::Impression), plain.of(Kind::Impression), "says nothing");
    }
    assert_eq!(als.heeding_noes(plain), plain);
    assert_eq!(popularity.heeding_noes(plain), plain);
}

#[test]
fn where_all_listeners_draw_from_one_urn_popularity_is_found() {
    let mut rng = SplitMix64::new(9);
    let rows: Vec<Vec<u32>> = (0..200).map(|_| of_one_urn(&mut rng, 12)).collect();
    let (settings, _) = found(&rows, 80, Effort::QUICK);
    assert_eq!(settings.method, Method::Popularity);
}
