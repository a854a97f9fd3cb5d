//! Implicit ALS: exact and deterministic.

use segue_core::{
    fold_in::Pull,
    model::{Loss, Responses},
    rng::SplitMix64,
};
use segue_train::{
    Diverged,
    als::{
        Factors, Trainer,
        dense::{self, Cpu},
        eigen_of,
    },
    assemble::{FoldIn, ranking_model},
    coding::{compact, fine},
    matrix::Matrix,
};

const DIM: usize = 24;
const EPOCHS: usize = 6;
const LOSS: Loss = Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 };

/// Two groups of listeners that hear two groups of tracks, in rows of very different lengths:
/// shorter and longer than the dimension.
fn listening(listeners: usize, tracks: u32, seed: u64) -> Matrix {
    listening_of(listeners, tracks, seed, 60)
}

/// The same, one listener in five of whom hears up to `longest`.
fn listening_of(listeners: usize, tracks: u32, seed: u64, longest: usize) -> Matrix {
    let mut rng = SplitMix64::new(seed);
    let seen = Pull { weight: 1.0, information: 1.0 };
    let rows: Vec<Vec<(u32, Pull)>> = (0..listeners)
        .map(|listener| {
            let heard = 2 + rng.below(if listener % 5 == 0 { longest } else { 12 });
            let mut rows: Vec<u32> = (0..heard)
                .map(|_| (rng.below(tracks as usize / 2) * 2 + listener % 2) as u32)
                .collect();
            rows.sort_unstable();
            rows.dedup();
            rows.into_iter().map(|row| (row, seen)).collect()
        })
        .collect();
    Matrix::from_rows(tracks as usize, rows)
}

/// The loss that training minimises, term by term.
fn loss(by_user: &Matrix, by_item: &Matrix, users: &[f32], items: &[f32]) -> f64 {
    let dim = DIM;
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    let mut sum = 0.0;
    for (u, user) in users.chunks_exact(dim).enumerate() {
        for item in items.chunks_exact(dim) {
            sum += f64::from(LOSS.unobserved) * dot(user, item).powi(2);
        }
        for (column, pull) in by_user.row(u).iter() {
            let error = f64::from(pull.information / pull.weight)
                - dot(user, &items[column * dim..][..dim]);
            sum += f64::from(pull.weight) * error * error;
        }
    }
    for (matrix, rows) in [(by_user, users), (by_item, items)] {
        for (at, row) in rows.chunks_exact(dim).enumerate() {
            let count =
                matrix.row(at).positive() as f32 + LOSS.unobserved * matrix.columns() as f32;
            sum += f64::from(LOSS.ridge * count) * dot(row, row);
        }
    }
    sum
}

#[test]
fn every_epoch_lowers_the_loss() {
    let by_user = listening(80, 90, 1);
    let by_item = by_user.transposed();
    let mut trainer = Trainer::new(&by_user, &by_item, DIM, 1);
    let mut before = f64::INFINITY;
    for _ in 0..EPOCHS {
        trainer.epoch(&LOSS, &|| false);
        let after = loss(&by_user, &by_item, &trainer.factors.users, &trainer.factors.items);
        assert!(after < before, "{before} → {after}");
        before = after;
    }
}

#[test]
fn a_solved_row_is_a_minimum_of_the_loss() {
    // One listener in five is longer than what is gathered at a time.
    let by_user = listening_of(40, 900, 2, 700);
    let by_item = by_user.transposed();
    let mut trainer = Trainer::new(&by_user, &by_item, DIM, 1);
    trainer.epoch(&LOSS, &|| false);
    trainer.solve_users(&LOSS, &|| false);
    let (mut users, items) = (trainer.factors.users, trainer.factors.items);
    let lowest = loss(&by_user, &by_item, &users, &items);
    // Rows of both the short and the long kind.
    for at in (0..users.len()).step_by(53) {
        for step in [-0.01, 0.01] {
            let kept = users[at];
            users[at] += step;
            assert!(loss(&by_user, &by_item, &users, &items) > lowest);
            users[at] = kept;
        }
    }
}

#[test]
fn epochs_that_come_close_arrive_where_exact_ones_do() {
    let by_user = listening(300, 200, 4);
    let by_item = by_user.transposed();
    let mut close = Trainer::new(&by_user, &by_item, DIM, 1);
    // Each side in its turn is the users of one of these.
    let mut exact = Trainer::new(&by_user, &by_item, DIM, 1);
    let mut other = Trainer::new(&by_item, &by_user, DIM, 1);
    for _ in 0..10 {
        close.epoch(&LOSS, &|| false);
        exact.solve_users(&LOSS, &|| false);
        other.factors.items.clone_from(&exact.factors.users);
        other.solve_users(&LOSS, &|| false);
        exact.factors.items.clone_from(&other.factors.users);
    }
    let of = |factors: &Factors| loss(&by_user, &by_item, &factors.users, &factors.items);
    let (close, exact) = (of(&close.factors), of(&exact.factors));
    assert!(close < exact * 1.01, "{close} and {exact}");
}

#[test]
fn the_factors_are_the_same_for_any_number_of_threads() {
    let by_user = listening(3000, 200, 3);
    let by_item = by_user.transposed();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut trainer = Trainer::new(&by_user, &by_item, DIM, 7);
            (0..3).for_each(|_| trainer.epoch(&LOSS, &|| false));
            let improved = trainer.factors.users.clone();
            trainer.solve_users(&LOSS, &|| false);
            let Factors { users, items, .. } = trainer.factors;
            [improved, users, items]
                .map(|side| side.into_iter().map(f32::to_bits).collect::<Vec<_>>())
        })
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        assert!(one == run(threads), "{threads} threads");
    }
}

#[test]
fn rows_and_moments_are_turned_right_whatever_the_dimension() {
    let cpu = Cpu::detect();
    let mut rng = SplitMix64::new(3);
    for dim in [1, 5, 6, 8, 13, 24, 64, 70] {
        let mut draw =
            |count| -> Vec<f32> { (0..count).map(|_| rng.unit() as f32 - 0.5).collect() };
        let (rows, by) = (draw(17 * dim), draw(dim * dim));
        let mut product = rows.clone();
        dense::multiply(cpu, &mut product, dim, &by, &mut Vec::new());
        let mut moments = vec![1.0; dim * dim];
        dense::add_gram(cpu, &mut moments, dim, &rows);
        for i in 0..dim {
            for j in 0..dim {
                let column = |of: usize| rows.iter().skip(of).step_by(dim);
                let moment: f32 = column(i).zip(column(j)).map(|(a, b)| a * b).sum();
                // The lower triangle is what is promised.
                assert!(j > i || (moments[i * dim + j] - 1.0 - moment).abs() < 1e-4, "{dim}");
            }
        }
        for (row, turned) in rows.chunks_exact(dim).zip(product.chunks_exact(dim)) {
            for (j, &turned) in turned.iter().enumerate() {
                let wanted: f32 =
                    row.iter().zip(by[j..].iter().step_by(dim)).map(|(x, b)| x * b).sum();
                assert!((turned - wanted).abs() < 1e-4, "{dim}");
            }
        }
    }
}

#[test]
fn principal_axes_are_those_of_the_rows_however_few_these_are() {
    const DIM: usize = 13;
    let mut rng = SplitMix64::new(8);
    for count in [1, 2, 6, 12, 13, 40] {
        let mut rows: Vec<f32> = (0..count * DIM).map(|_| rng.unit() as f32 - 0.5).collect();
        // One row stands twice, and one is nothing.
        if count > 5 {
            rows.copy_within(..DIM, DIM);
            rows[2 * DIM..3 * DIM].fill(0.0);
        }
        let (values, axes) = eigen_of(Cpu::detect(), &rows, DIM).expect("numbers have axes");
        assert_eq!((values.len(), axes.len()), (DIM, DIM * DIM));
        assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
        let axes: Vec<&[f32]> = axes.chunks_exact(DIM).collect();
        for (i, a) in axes.iter().enumerate() {
            for (j, b) in axes.iter().enumerate() {
                let one = f32::from(u8::from(i == j));
                assert!((dot(a, b) - one).abs() < 1e-5, "{count} rows, axes {i} and {j}");
                let along =
                    rows.chunks_exact(DIM).map(|row| dot(row, a) * dot(row, b)).sum::<f32>();
                assert!((along - one * values[i]).abs() < 1e-4, "{count} rows, axes {i} and {j}");
            }
        }
    }
    for wrong in [f32::NAN, f32::INFINITY, 1e30] {
        assert!(eigen_of(Cpu::detect(), &[wrong; 2 * DIM], DIM).is_none(), "{wrong}");
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn factors_that_are_no_numbers_end_and_say_so() {
    let by_user = listening(40, 90, 6);
    let by_item = by_user.transposed();
    for wrong in [f32::NAN, f32::INFINITY, 1e30] {
        let mut trainer = Trainer::new(&by_user, &by_item, DIM, 1);
        assert!(trainer.factors.are_finite());
        trainer.factors.items[7] = wrong;
        trainer.epoch(&LOSS, &|| false);
        assert!(!trainer.factors.are_finite(), "{wrong}");
    }
}

#[test]
fn a_few_tracks_train_in_whatever_many_dimensions() {
    let published = Loss { unobserved: 0.03, ridge: 0.015, exponent: 1.0 };
    let seen = Pull { weight: 1.0, information: 1.0 };
    for (listeners, tracks) in [(1, 1), (2, 3), (6, 7), (12, 9), (40, 20)] {
        // Listener i has heard i, 2i, 3i and 4i.
        let heard = |listener: usize| {
            let mut rows: Vec<u32> = (1..5).map(|t| ((listener + 1) * t % tracks) as u32).collect();
            rows.sort_unstable();
            rows.dedup();
            rows.into_iter().map(|row| (row, seen))
        };
        let by_user = Matrix::from_rows(tracks, (0..listeners).map(heard));
        let by_item = by_user.transposed();
        for dim in [33, 64, 100] {
            for seed in 0..2 {
                let mut trainer = Trainer::new(&by_user, &by_item, dim, seed);
                (0..16).for_each(|_| trainer.epoch(&published, &|| false));
                trainer.solve_users(&published, &|| false);
                let all = trainer.factors;
                assert!(
                    all.are_finite(),
                    "{listeners} listeners, {tracks} tracks, {dim} dimensions"
                );
                assert!(all.items.iter().any(|x| *x != 0.0), "{tracks} tracks, {dim} dimensions");
            }
        }
    }
}

#[test]
fn a_matrix_transposed_twice_is_itself() {
    let matrix = listening(50, 60, 5);
    let again = matrix.transposed().transposed();
    assert_eq!((again.rows(), again.columns(), again.len()), (50, 60, matrix.len()));
    for row in 0..50 {
        assert!(matrix.row(row).iter().eq(again.row(row).iter()));
    }
}

/// The listeners of [`listening`], each with one more pair, on a track of its own.
fn with_pull(pull: Pull) -> Matrix {
    let known = listening(60, 90, 7);
    let rows = (0..known.rows()).map(|row| {
        let pairs = known.row(row).iter().map(|(column, pull)| (column as u32, pull));
        pairs.chain([(90, pull)]).collect::<Vec<_>>()
    });
    Matrix::from_rows(91, rows)
}

fn trained(by_user: &Matrix) -> Factors {
    let by_item = by_user.transposed();
    let mut trainer = Trainer::new(by_user, &by_item, DIM, 1);
    (0..3).for_each(|_| trainer.epoch(&LOSS, &|| false));
    trainer.factors
}

#[test]
fn pairs_without_a_weight_above_nothing_are_as_if_they_were_not_there() {
    let none = trained(&with_pull(Pull::default()));
    assert!(none.are_finite());
    for weight in [-1.0, -0.0, f32::NEG_INFINITY, f32::NAN] {
        let factors = trained(&with_pull(Pull { weight, information: weight }));
        assert!(factors.users == none.users && factors.items == none.items, "{weight}");
    }
}

#[test]
fn weights_without_bound_make_no_model() {
    for weight in [f32::INFINITY, f32::MAX] {
        let by_user = with_pull(Pull { weight, information: weight });
        let factors = trained(&by_user);
        assert!(!factors.are_finite(), "{weight}");
        let by_item = by_user.transposed();
        assert_eq!(compact(&factors, &by_item, &LOSS, 1.0, &[]).unwrap_err(), Diverged);
        let fingerprints: Vec<u64> = (0..91).collect();
        let fold_in = FoldIn { loss: LOSS, pull: 0.001, responses: Responses::default() };
        assert!(ranking_model(&fingerprints, &fine(&factors), &fold_in).is_err());
    }
}
