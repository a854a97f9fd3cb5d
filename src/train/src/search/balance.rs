//! The weights of the loss in terms that carry over from one log to another.
//!
//! What α says depends on how many pairs there are to be unobserved: a thousand times as many in a
//! catalogue a thousand times as large, of which a listener hears no more than before. Said as the
//! weight of everything unobserved against everything observed, with the ridge against the same, the
//! best on a sample of listeners, who between them met a part of the tracks, is about the best on
//! all of them.

use segue_core::model::Loss;

use crate::matrix::Matrix;

/// As in the paper: a row's ridge grows with what is known of it, as the loss does.
const EXPONENT: f32 = 1.0;

/// The weights of a loss, each against the mean row's observations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// α · all pairs / observed pairs.
    pub unobserved: f32,
    /// The ridge of the mean row over its observations.
    pub ridge: f32,
}

impl Balance {
    /// As α and λ for the pairs of `observed`.
    pub fn loss(self, observed: &Matrix) -> Loss {
        Loss {
            unobserved: (f64::from(self.unobserved) * density(observed)) as f32,
            ridge: self.ridge / (1.0 + self.unobserved),
            exponent: EXPONENT,
        }
    }
}

/// `loss`, which was chosen on pairs of density `from`, in the same balance on those of density `to`; but
/// what was not observed weighs no more than what was.
pub fn carried(loss: &Loss, from: f64, to: f64) -> Loss {
    let scale = if from > 0.0 && to > 0.0 { to / from } else { 1.0 };
    let unobserved = (f64::from(loss.unobserved) * scale) as f32;
    Loss { unobserved: unobserved.min(loss.unobserved.max(1.0)), ..*loss }
}

/// The share of all pairs that were observed.
pub fn density(observed: &Matrix) -> f64 {
    observed.len() as f64 / (observed.rows() as f64 * observed.columns() as f64).max(1.0)
}
