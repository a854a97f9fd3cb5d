//! Factors turned so that they lie as earlier ones did.

use nalgebra::DMatrix;

use super::{Factors, dense::Cpu, rotated};

/// `factors` turned as a whole, which changes no score, so that the rows of `items` that are `known` are as near to those of
/// `earlier` as they can be (the orthogonal Procrustes problem: Schönemann, 1966). O(n·d² + d³).
pub fn aligned(factors: &Factors, earlier: &[f32], known: &[bool]) -> Factors {
    let dim = factors.dim;
    let mut sums = vec![0.0_f64; dim * dim];
    let pairs = factors.items.chunks_exact(dim).zip(earlier.chunks_exact(dim)).zip(known);
    for ((new, old), _) in pairs.filter(|(_, known)| **known) {
        for (line, &new) in sums.chunks_exact_mut(dim).zip(new) {
            line.iter_mut()
                .zip(old)
                .for_each(|(sum, &old)| *sum += f64::from(new) * f64::from(old));
        }
    }
    // Row-major: line i is Σ newᵢ·old.
    let svd = DMatrix::from_row_slice(dim, dim, &sums).svd(true, true);
    let (Some(u), Some(vt)) = (svd.u, svd.v_t) else { return factors.clone() };
    // One axis a row: the transpose of the turn, which nalgebra stores by column.
    let turn = u * vt;
    let axes: Vec<f32> = turn.as_slice().iter().map(|&x| x as f32).collect();
    let cpu = Cpu::detect();
    let [users, items] =
        [&factors.users, &factors.items].map(|rows| rotated(cpu, rows, dim, &axes));
    Factors { dim, users, items }
}
