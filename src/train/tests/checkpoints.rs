//! A run that was stopped goes on from what it kept, and ends as it would have.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use proptest::prelude::*;
use segue_core::{
    event::Kind,
    fold_in::Pull,
    ids::{Row, fingerprint},
    model::{Loss, Responses},
    rng::SplitMix64,
    session::Evidence,
};
use segue_train::{
    TrainError,
    checkpoints::Checkpoints,
    contrast,
    evaluate::ranking::Case,
    factors::{Method, Settings, Start, train},
    matrix::Matrix,
    progress::{Progress, Report},
    search::{Attempts, Effort, Task, search},
    spectral::{Degrees, Shape},
};
use tempfile::TempDir;
use xxhash_rust::xxh64::xxh64;

const TRACKS: usize = 60;
const DIM: usize = 4;
const LOSS: Loss = Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 };

/// Listeners of three kinds, each of whom hears some of the 20 tracks of their kind.
fn world(seed: u64) -> Matrix {
    let yes = Pull { weight: 1.0, information: 1.0 };
    let mut rng = SplitMix64::new(seed);
    let rows = (0..90).map(|listener| {
        let mut row: Vec<u32> = (0..9).map(|_| listener % 3 * 20 + rng.below(20) as u32).collect();
        row.sort_unstable();
        row.dedup();
        row.into_iter().map(move |track| (track, yes)).collect::<Vec<_>>()
    });
    Matrix::from_rows(TRACKS, rows)
}

fn methods() -> [Method; 2] {
    let (degrees, shape) = (Degrees { listeners: 0.5, tracks: 0.5, beyond: 1.0 }, Shape::default());
    let contrast = contrast::Settings { rate: 0.01, decay: 0.1, dropout: 0.2, popularity: 0.5 };
    [Method::Als, Method::Contrast(degrees, shape, contrast)]
}

/// Keeps what it finds at every opportunity.
fn kept_in(folder: &TempDir) -> Checkpoints {
    Checkpoints::open(folder.path()).unwrap().every(Duration::ZERO)
}

/// Runs until the `reports`-th report, or to the end where there are not so many.
fn until<T>(
    reports: usize,
    checkpoints: &Checkpoints,
    run: impl Fn(&Progress<'_>) -> Result<T, TrainError>,
) -> (Result<T, TrainError>, usize) {
    let (stop, seen) = (AtomicBool::new(false), AtomicUsize::new(0));
    let report = |_: Report<'_>| {
        if seen.fetch_add(1, Ordering::Relaxed) + 1 == reports {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let found = run(&Progress { report: &report, stop: &stop, checkpoints });
    (found, seen.into_inner())
}

fn factors(
    world: &Matrix,
    method: Method,
    progress: &Progress<'_>,
) -> Result<Vec<f32>, TrainError> {
    let transposed = world.transposed();
    let settings = Settings { method, loss: LOSS, epochs: 6 };
    train((world, &transposed), DIM, &settings, 1, Start::Anew, progress).map(|it| it.factors.items)
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn factors_whose_training_was_stopped_end_as_if_it_never_was() {
    let world = world(1);
    for method in methods() {
        let whole = factors(&world, method, &Progress::silent()).unwrap();
        let folder = TempDir::new().unwrap();
        let checkpoints = kept_in(&folder);
        let run = |progress: &Progress<'_>| factors(&world, method, progress);
        // Each time two of the six epochs are done, and the next is stopped on its way.
        for _ in 0..2 {
            assert!(until(2, &checkpoints, run).0.is_err(), "{method:?}");
        }
        let (found, epochs) = until(usize::MAX, &checkpoints, run);
        assert_eq!(found.unwrap(), whole, "{method:?}");
        assert!(epochs <= 2, "{method:?}: {epochs} epochs were left to do");
    }
}

/// What a search found: the settings, and what was tried.
type Found = (Settings, Vec<Attempts>, Vec<f32>);

fn found(world: &Matrix, progress: &Progress<'_>) -> Result<Found, TrainError> {
    found_for(world, |_| {}, progress)
}

/// The same, judged on cases that `change` has changed.
fn found_for(
    world: &Matrix,
    change: impl Fn(&mut [Case]),
    progress: &Progress<'_>,
) -> Result<Found, TrainError> {
    let heard = |row: usize| world.row(row).iter().map(|(track, _)| track as u32);
    let mut cases: Vec<Case> = (0..world.rows())
        .map(|row| {
            let mut known: Vec<Evidence> =
                heard(row).map(|track| Evidence::new(Row(track))).collect();
            known.iter_mut().for_each(|evidence| evidence.add(Kind::Play, 1.0));
            let held_out = vec![known.remove(known.len() / 2).row];
            Case { known, held_out, ..Case::default() }
        })
        .collect();
    let known = cases.iter().map(|case| {
        let yes = Pull { weight: 1.0, information: 1.0 };
        case.known.iter().map(move |evidence| (evidence.row.0, yes))
    });
    let by_user = Matrix::from_rows(TRACKS, known);
    let by_item = by_user.transposed();
    change(&mut cases);
    let mut names: Vec<u64> = (0..TRACKS).map(|track| fingerprint(&track.to_string())).collect();
    names.sort_unstable();
    let task = Task {
        fingerprints: &names,
        by_user: &by_user,
        by_item: &by_item,
        tracks: TRACKS,
        validation: &cases,
        responses: Responses::default(),
        dim: DIM,
        seed: 1,
        head: None,
        effort: Effort::QUICK,
    };
    let found = search(&task, progress)?;
    Ok((found.settings, found.tried, found.trainer.factors.items))
}

#[test]
fn a_search_that_was_stopped_again_and_again_finds_what_it_would_have() {
    let world = world(1);
    let whole = found(&world, &Progress::silent()).unwrap();
    let folder = TempDir::new().unwrap();
    let checkpoints = kept_in(&folder);
    let mut told = 0;
    for more in [1, 9, 30, 1, 20] {
        let before = files(&folder).len();
        let (stopped, reports) =
            until(told + more, &checkpoints, |progress| found(&world, progress));
        assert!(stopped.is_err(), "it is longer than {reports} reports");
        assert!(files(&folder).len() > before, "what was found by then is kept");
        told = reports;
    }
    let keeping = Progress { checkpoints: &checkpoints, ..Progress::silent() };
    assert_eq!(found(&world, &keeping).unwrap(), whole);
}

#[test]
fn what_was_kept_of_other_listening_is_not_looked_at() {
    let folder = TempDir::new().unwrap();
    let checkpoints = kept_in(&folder);
    let keeping = Progress { checkpoints: &checkpoints, ..Progress::silent() };
    found(&world(1), &keeping).unwrap();
    let other = world(2);
    assert_eq!(found(&other, &keeping).unwrap(), found(&other, &Progress::silent()).unwrap());
}

#[test]
fn what_was_kept_of_cases_who_know_other_tracks_is_not_looked_at() {
    /// Listeners who know as many tracks change places in what they know.
    fn exchanged(cases: &mut [Case]) {
        for at in 0..cases.len() - 1 {
            let [a, b] = &mut cases[at..at + 2] else { return };
            if a.known.len() == b.known.len() {
                std::mem::swap(&mut a.known, &mut b.known);
            }
        }
    }
    let folder = TempDir::new().unwrap();
    let checkpoints = kept_in(&folder);
    let keeping = Progress { checkpoints: &checkpoints, ..Progress::silent() };
    let world = world(1);
    let first = found(&world, &keeping).unwrap();
    let other = found_for(&world, exchanged, &keeping).unwrap();
    assert_ne!(other.1, first.1);
    assert_eq!(other, found_for(&world, exchanged, &Progress::silent()).unwrap());
}

#[test]
fn a_folder_that_cannot_be_had_is_an_error_that_names_it() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Checkpoints::open(&file).unwrap_err();
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    let gone = Checkpoints::open(&folder.path().join("new/folder")).unwrap();
    fs::remove_dir_all(folder.path().join("new")).unwrap();
    fs::write(folder.path().join("new"), "").unwrap();
    let keeping = Progress { checkpoints: &gone, ..Progress::silent() };
    assert!(matches!(found(&world(1), &keeping), Err(TrainError::NotKept(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Cut, changed, or of bytes that nobody wrote, with a checksum that fits or not.
    #[test]
    fn damaged_files_are_as_none(
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
        invented in prop::collection::vec(any::<u8>(), 0..3000),
        forged in any::<bool>(),
    ) {
        let [.., contrast] = methods();
        let world = world(1);
        let whole = factors(&world, contrast, &Progress::silent()).unwrap();
        let folder = TempDir::new().unwrap();
        let checkpoints = kept_in(&folder);
        let run = |progress: &Progress<'_>| factors(&world, contrast, progress);
        prop_assert!(until(3, &checkpoints, run).0.is_err());
        let [file] = &files(&folder)[..] else { panic!("one file is kept") };
        let bytes = fs::read(file).unwrap();
        let mut flipped = bytes.clone();
        flipped[flip.index(bytes.len())] ^= 1;
        let mut invented = invented;
        if forged {
            let checksum = xxh64(&invented, 0);
            invented.extend(checksum.to_le_bytes());
        }
        for damaged in [&bytes[..cut.index(bytes.len())], &flipped[..], &invented[..]] {
            fs::write(file, damaged).unwrap();
            let (found, _) = until(usize::MAX, &checkpoints, run);
            prop_assert_eq!(&found.unwrap(), &whole);
        }
    }
}

#[test]
fn a_folder_that_was_deleted_meanwhile_is_made_again() {
    let folder = TempDir::new().unwrap();
    let checkpoints = kept_in(&folder);
    fs::remove_dir_all(folder.path()).unwrap();
    let keeping = Progress { checkpoints: &checkpoints, ..Progress::silent() };
    found(&world(1), &keeping).unwrap();
    assert!(!files(&folder).is_empty());
}
