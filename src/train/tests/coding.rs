//! Coding for the network: what it may lose, and what head and tail are to each other.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use segue_core::{fold_in::Pull, model::Loss, rng::SplitMix64};
use segue_train::{
    als::{Factors, Trainer},
    coding::{Coded, compact, fine},
    matrix::Matrix,
};

const DIM: usize = 16;
const TRACKS: usize = 2000;
const LOSS: Loss = Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 };

/// Four groups of listeners, each of whom hears tracks of one of four kinds; low numbers are heard far
/// more than high ones.
fn listening() -> Matrix {
    let mut rng = SplitMix64::new(7);
    let seen = Pull { weight: 1.0, information: 1.0 };
    let rows = (0..600).map(|listener| {
        let track = |rng: &mut SplitMix64| {
            let place = (rng.unit().powi(8) * (TRACKS / 4) as f64) as usize;
            (4 * place + listener % 4) as u32
        };
        let mut rows: Vec<u32> = (0..20).map(|_| track(&mut rng)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.into_iter().map(|row| (row, seen)).collect::<Vec<_>>()
    });
    Matrix::from_rows(TRACKS, rows.collect::<Vec<_>>())
}

fn trained(by_user: &Matrix, by_item: &Matrix) -> Factors {
    let mut trainer = Trainer::new(by_user, by_item, DIM, 1);
    (0..6).for_each(|_| trainer.epoch(&LOSS, &|| false));
    trainer.solve_users(&LOSS, &|| false);
    trainer.factors
}

/// How well the lengths of coded rows tell those of the rows themselves, which no rotation changes:
/// the share of their squares that is left as error.
fn error(factors: &Factors, coded: &Coded, rows: impl Iterator<Item = usize>) -> f32 {
    let decoded = coded.decoded();
    let length = |of: &[f32], row: usize| -> f32 {
        of[row * DIM..][..DIM].iter().map(|x| x * x).sum::<f32>().sqrt()
    };
    let (mut wrong, mut all) = (0.0, 0.0);
    for row in rows {
        let wanted = length(&factors.items, row);
        wrong += (length(&decoded, row) - wanted).powi(2);
        all += wanted * wanted;
    }
    wrong / all
}

#[test]
fn coarse_codes_are_still_the_factors() {
    let by_user = listening();
    let by_item = by_user.transposed();
    let factors = trained(&by_user, &by_item);
    let size = |coded: &Coded| coded.codes.iter().filter(|code| **code != 0).count();
    let mut last = usize::MAX;
    for (coarseness, most) in [(0.5, 0.005), (1.0, 0.02), (2.0, 0.1)] {
        let coded = compact(&factors, &by_item, &LOSS, coarseness, &[]).unwrap();
        let error = error(&factors, &coded, 0..TRACKS);
        assert!(error < most, "{error} at {coarseness}");
        assert!(coded.shifts.iter().all(|&shift| shift == 0));
        assert!(size(&coded) < last, "coarser steps leave fewer codes");
        last = size(&coded);
    }
    assert!(error(&factors, &fine(&factors), 0..TRACKS) < 1e-4);
}

#[test]
fn a_head_of_its_own_leaves_more_of_the_tail() {
    let by_user = listening();
    let by_item = by_user.transposed();
    let mut factors = trained(&by_user, &by_item);
    factors.items[..40 * DIM].iter_mut().for_each(|x| *x *= 20.0);
    let head: Vec<bool> = (0..TRACKS).map(|track| track < 40).collect();
    let apart = compact(&factors, &by_item, &LOSS, 1.0, &head).unwrap();
    let together = compact(&factors, &by_item, &LOSS, 1.0, &[]).unwrap();
    assert!(apart.shifts[..40].iter().all(|&shift| shift > 0), "{:?}", &apart.shifts[..3]);
    assert!(apart.shifts[40..].iter().all(|&shift| shift == 0));
    let of_tail = |coded: &Coded| error(&factors, coded, 40..TRACKS);
    assert!(
        of_tail(&apart) < 0.7 * of_tail(&together),
        "{} {}",
        of_tail(&apart),
        of_tail(&together)
    );
    assert!(error(&factors, &apart, 0..40) < 0.01);
}

#[test]
fn a_tail_without_any_taste_leaves_the_head_its_codes() {
    let by_user = listening();
    let by_item = by_user.transposed();
    let mut factors = trained(&by_user, &by_item);
    factors.items[200 * DIM..].fill(0.0);
    let head: Vec<bool> = (0..TRACKS).map(|track| track < 200).collect();
    let coded = compact(&factors, &by_item, &LOSS, 1.0, &head).unwrap();
    assert!(error(&factors, &coded, 0..200) < 0.02);
    assert!(coded.codes[200 * DIM..].iter().all(|&code| code == 0));
}

#[test]
fn a_catalogue_that_is_all_head_is_coded_as_one() {
    let by_user = listening();
    let by_item = by_user.transposed();
    let factors = trained(&by_user, &by_item);
    let apart = compact(&factors, &by_item, &LOSS, 1.0, &[true; TRACKS]).unwrap();
    let together = compact(&factors, &by_item, &LOSS, 1.0, &[]).unwrap();
    assert_eq!((apart.codes, apart.steps), (together.codes, together.steps));
}
