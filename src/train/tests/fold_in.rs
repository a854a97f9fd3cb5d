//! A listener on the device is where training would have placed them: fold-in against the half-step of
//! training, for the same items and the same loss.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use segue_core::{
    event::Kind,
    fold_in::{Posterior, Pull, System},
    ids::{Row, fingerprint},
    model::{FactorsDigest, Loss, Model, Response, Responses, Taste, encode_taste},
    rng::SplitMix64,
    session::Evidence,
};
use segue_train::{
    als::{Factors, Trainer},
    assemble::{FoldIn, ranking_model, taste_parts},
    coding::{compact, fine, gram, mean},
    evaluate::ranking::fold_in,
    matrix::Matrix,
};

const TRACKS: usize = 150;
const LISTENERS: usize = 120;
const EPOCHS: usize = 5;
const LOSS: Loss = Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 };
/// What training and device may differ by, against the length of the taste: both round to 24 bits, and
/// sum in another order.
const BOUND: f64 = 5e-5;
/// The same where next to nothing but the evidence is in the system, and a yes weighs hundreds of times
/// what keeps it from being singular.
const LOOSE: f64 = 5e-4;

/// As they may be learned: weights far apart, and three ways to say no.
fn responses() -> Responses {
    let mut responses = Responses::default();
    responses.saturation = 1.0;
    let mut set = |kind: Kind, weight, target| {
        responses.kinds[kind as usize] = Response { weight, target, ..Response::default() };
    };
    set(Kind::Skip, 0.3, 0.0);
    set(Kind::Dislike, 10.0, -1.0);
    set(Kind::Impression, 0.1, -0.25);
    set(Kind::Like, 3.0, 1.0);
    responses
}

/// One listener in six of each: nothing at all, a single track, noes alone, and more yeses than noes on
/// tracks fewer and more than the dimensions.
fn listening(dim: usize) -> Vec<Vec<Evidence>> {
    const NO: [Kind; 3] = [Kind::Skip, Kind::Dislike, Kind::Impression];
    const ANY: [Kind; 6] =
        [Kind::Play, Kind::Play, Kind::Replay, Kind::Like, Kind::Skip, Kind::Dislike];
    let mut rng = SplitMix64::new(1);
    let mut listener = |number: usize| {
        let (count, kinds) = match number % 6 {
            0 => (0, &ANY[..]),
            1 => (1, &ANY[..1]),
            2 => (1 + rng.below(20), &NO[..]),
            3 | 4 => (1 + rng.below(dim), &ANY[..]),
            _ => ((2 * dim).min(TRACKS - 10) + rng.below(10), &ANY[..]),
        };
        let mut left: Vec<u32> = (0..TRACKS as u32).collect();
        let mut rows: Vec<u32> =
            (0..count).map(|_| left.swap_remove(rng.below(left.len()))).collect();
        rows.sort_unstable();
        let evidence = |row| {
            let mut evidence = Evidence::new(Row(row));
            for _ in 0..=rng.below(3) {
                evidence.add(kinds[rng.below(kinds.len())], 0.1 + rng.unit() as f32);
            }
            evidence
        };
        rows.into_iter().map(evidence).collect()
    };
    (0..LISTENERS).map(&mut listener).collect()
}

fn matrix(listening: &[Vec<Evidence>], responses: &Responses) -> Matrix {
    let row = |known: &Vec<Evidence>| -> Vec<(u32, Pull)> {
        known.iter().map(|evidence| (evidence.row.0, evidence.pull(responses))).collect()
    };
    Matrix::from_rows(TRACKS, listening.iter().map(row))
}

/// What a listener's taste is by training and by the device, for every listener.
type Both = Vec<[Vec<f32>; 2]>;

struct World {
    dim: usize,
    listening: Vec<Vec<Evidence>>,
    by_user: Matrix,
    by_item: Matrix,
    factors: Factors,
}

impl World {
    fn new(dim: usize) -> Self {
        let listening = listening(dim);
        let by_user = matrix(&listening, &responses());
        let by_item = by_user.transposed();
        let mut trainer = Trainer::new(&by_user, &by_item, dim, 1);
        (0..EPOCHS).for_each(|_| trainer.epoch(&LOSS, &|| false));
        let factors = trainer.factors;
        Self { dim, listening, by_user, by_item, factors }
    }

    /// What the half-step of training makes of every listener, against `items`.
    fn half_step(&self, items: Vec<f32>, loss: &Loss) -> Vec<Vec<f32>> {
        let mut trainer = Trainer::new(&self.by_user, &self.by_item, self.dim, 1);
        trainer.factors.items = items;
        trainer.solve_users(loss, &|| false);
        trainer.factors.users.chunks_exact(self.dim).map(<[f32]>::to_vec).collect()
    }

    /// Training's own factors, and the system that the device solves.
    fn as_trained(&self, trained: &Loss, device: &Loss) -> Both {
        let items = &self.factors.items;
        let gram = gram(items, self.dim);
        let parts = taste_parts(TRACKS, mean(&self.factors.users, self.dim), &fold_in_by(device));
        let (digest, mut posterior) = (FactorsDigest::of(&[]), Posterior::default());
        let section = encode_taste(&parts, digest);
        let taste = Taste::read(section.as_slice(), self.dim, &gram, digest).unwrap();
        let folded_in = |known: &Vec<Evidence>| {
            let mut system = System::new(&taste);
            for evidence in known {
                let factor = &items[evidence.row.index() * self.dim..][..self.dim];
                system.change(factor, Pull::default(), evidence.pull(taste.responses()));
            }
            system.solve(&taste, &mut posterior);
            posterior.mean.clone()
        };
        let solved = self.half_step(items.clone(), trained);
        solved.into_iter().zip(self.listening.iter().map(folded_in)).map(<[_; 2]>::from).collect()
    }

    /// A session of `model`, and training against the factors that it decodes to.
    fn shipped(&self, model: &Model, loss: &Loss) -> Both {
        let mut items = vec![0.0; self.factors.items.len()];
        for (row, item) in (0..).zip(items.chunks_exact_mut(self.dim)) {
            model.decode(Row(row), item);
        }
        let folded_in = |known: &Vec<Evidence>| {
            let mut session = fold_in(model, known);
            session.posterior(model).mean.clone()
        };
        let solved = self.half_step(items, loss);
        solved.into_iter().zip(self.listening.iter().map(folded_in)).map(<[_; 2]>::from).collect()
    }

    /// The largest distance of the two, against the length of the one that training has: of listeners
    /// of fewer tracks than dimensions, and of the others.
    fn largest(&self, both: &Both) -> [f64; 2] {
        let mut largest = [0.0_f64; 2];
        for ([trained, device], known) in both.iter().zip(&self.listening) {
            let length = |x: &mut dyn Iterator<Item = f32>| {
                x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
            };
            let far = length(&mut trained.iter().zip(device).map(|(a, b)| a - b));
            let long = length(&mut trained.iter().copied());
            if known.is_empty() {
                assert!(far == 0.0 && long == 0.0, "{trained:?} {device:?}");
            } else {
                let known = usize::from(known.len() >= self.dim);
                largest[known] = largest[known].max(far / long);
            }
        }
        largest
    }
}

fn fold_in_by(loss: &Loss) -> FoldIn {
    FoldIn { loss: *loss, pull: 0.0, responses: responses() }
}

fn fingerprints() -> Vec<u64> {
    let mut all: Vec<u64> = (0..TRACKS).map(|track| fingerprint(&track.to_string())).collect();
    all.sort_unstable();
    all
}

/// From a heavy weight of what was not observed to almost none, and every kind of ridge.
const LOSSES: [(Loss, f64); 4] = [
    (LOSS, BOUND),
    (Loss { unobserved: 1.0, ridge: 0.3, exponent: 0.5 }, BOUND),
    (Loss { unobserved: 0.3, ridge: 0.1, exponent: 0.0 }, LOOSE),
    (Loss { unobserved: 0.002, ridge: 0.05, exponent: 1.0 }, LOOSE),
];

/// That the two are one, where listeners met fewer tracks than there are dimensions and where more.
fn agree(world: &World, both: &Both, (loss, bound): (Loss, f64)) {
    let [few, many] = world.largest(both);
    let what = format!("{} dimensions, {loss:?}: {few:.1e} and {many:.1e}", world.dim);
    eprintln!("{what}");
    assert!(few < bound && many < bound, "{what}, beyond {bound:.0e}");
}

#[test]
fn on_the_factors_as_trained_fold_in_is_the_half_step_of_training() {
    for dim in [1, 20, 64] {
        let world = World::new(dim);
        for (loss, bound) in LOSSES {
            agree(&world, &world.as_trained(&loss, &loss), (loss, bound));
        }
    }
}

#[test]
fn in_the_model_that_ships_a_session_is_the_half_step_on_the_factors_that_it_decodes() {
    for dim in [1, 20, 64] {
        let world = World::new(dim);
        let World { factors, by_item, .. } = &world;
        let coarse = compact(factors, by_item, &LOSS, 1.0, &[]).unwrap();
        for coded in [fine(factors), coarse] {
            for (loss, bound) in LOSSES {
                let model = ranking_model(&fingerprints(), &coded, &fold_in_by(&loss)).unwrap();
                agree(&world, &world.shipped(&model, &loss), (loss, bound));
            }
        }
    }
}

#[test]
fn a_fold_in_by_another_loss_is_told_apart_by_far() {
    let world = World::new(20);
    for other in [
        Loss { unobserved: LOSS.unobserved * 1.01, ..LOSS },
        Loss { ridge: LOSS.ridge * 1.01, ..LOSS },
        Loss { exponent: 0.99, ..LOSS },
    ] {
        let [few, many] = world.largest(&world.as_trained(&LOSS, &other));
        assert!(few > 10.0 * BOUND && many > 10.0 * BOUND, "{other:?}: {few} {many}");
    }
}

#[test]
fn a_pull_that_is_no_number_leaves_a_taste_that_is_one() {
    let world = World::new(20);
    let gram = gram(&world.factors.items, 20);
    let parts = taste_parts(TRACKS, mean(&world.factors.users, 20), &fold_in_by(&LOSS));
    let digest = FactorsDigest::of(&[]);
    let section = encode_taste(&parts, digest);
    let taste = Taste::read(section.as_slice(), 20, &gram, digest).unwrap();
    for weight in [0.0, -1.0, -1e30, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        for information in [0.0, weight, f32::NAN] {
            let (mut system, mut posterior) = (System::new(&taste), Posterior::default());
            for (row, pull) in
                [(3, Pull { weight: 1.0, information: 1.0 }), (7, Pull { weight, information })]
            {
                system.change(&world.factors.items[row * 20..][..20], Pull::default(), pull);
            }
            system.solve(&taste, &mut posterior);
            assert!(posterior.mean.iter().all(|x| x.is_finite()), "{weight} {information}");
        }
    }
}
