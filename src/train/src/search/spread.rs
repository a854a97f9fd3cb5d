//! The unit that what goes beside taste is tried in.

use segue_core::{linalg::packed_len, model::Model, session::Session};

use crate::coding::{gram, mean};

/// Listeners that are looked at.
const MOST: usize = 256;

/// How far apart taste sets the tracks of a catalogue: the standard deviation of what is expected of them,
/// in the mean over `listeners`, the first 256 of which `meet` puts into a session; 1 where taste tells
/// nothing apart. Fold-in may shrink scores by any factor, and so nothing that is added to them has a size
/// of its own. O(n·d² + 256·d³).
pub fn spread<L>(
    model: &Model,
    listeners: impl Iterator<Item = L>,
    meet: impl Fn(&mut Session, L),
) -> f32 {
    let dim = model.dim();
    let mut factors = vec![0.0; model.len() * dim];
    for (row, factor) in model.rows().zip(factors.chunks_exact_mut(dim)) {
        model.decode(row, factor);
    }
    let (moments, middle) = (gram(&factors, dim), mean(&factors, dim));
    let tracks = model.len().max(1) as f64;
    let mut session = Session::new(model);
    let each = listeners.take(MOST).map(|listener| {
        session.clear(model);
        meet(&mut session, listener);
        let taste = &session.posterior(model).mean;
        let square = quadratic(&moments, taste) / tracks;
        let expected: f64 = products(taste, &middle).sum();
        (square - expected * expected).max(0.0).sqrt()
    });
    let (sum, count) = each.fold((0.0, 0.0), |(sum, count), one| (sum + one, count + 1.0));
    let spread = (sum / f64::max(count, 1.0)) as f32;
    if spread > 0.0 { spread } else { 1.0 }
}

fn products<'a>(a: &'a [f32], b: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b))
}

/// xᵀAx, of a symmetric A of which the lower triangle is packed.
fn quadratic(packed: &[f32], x: &[f32]) -> f64 {
    let row = |i: usize| {
        let row = &packed[packed_len(i)..packed_len(i + 1)];
        let (beside, own) =
            (products(row, &x[..i]).sum::<f64>(), f64::from(row[i]) * f64::from(x[i]));
        f64::from(x[i]) * (2.0 * beside + own)
    };
    (0..x.len()).map(row).sum()
}
