//! The solution of a row.

use segue_core::fold_in::Pull;

use super::{
    System,
    dense::{self, Cpu},
};

/// Observations that are gathered before they are added up: one listener may have a million.
const GATHERED: usize = 256;

/// What one thread needs to solve one row after another.
#[derive(Default)]
pub struct Scratch {
    /// √w·v for each observation, or what the m × m system has in its place.
    rows: Vec<f32>,
    /// √w·t for each.
    targets: Vec<f32>,
    /// Roots of the part of the system that is no observation's, inverted.
    roots: Vec<f32>,
    matrix: Vec<f32>,
}

impl Scratch {
    /// Solves `system` into `out`. O(md² + d³/6), or O(m²d + m³/6) where m is less than d.
    pub fn solve(&mut self, cpu: Cpu, system: &System<'_>, out: &mut [f32]) {
        let observations = system.entries.iter().filter(|(_, pull)| pull.weight > 0.0).count();
        if observations < out.len() {
            self.solve_small(cpu, system, out);
        } else {
            self.solve_large(cpu, system, out);
        }
    }

    /// The d × d system as it stands.
    fn solve_large(&mut self, cpu: Cpu, system: &System<'_>, out: &mut [f32]) {
        let dim = out.len();
        self.matrix.clear();
        self.matrix.resize(dim * dim, 0.0);
        for (i, shared) in system.shared.iter().enumerate() {
            self.matrix[i * dim + i] = *shared;
        }
        out.fill(0.0);
        let mut entries = system.entries.iter();
        while entries.len() > 0 {
            self.gather(system, entries.by_ref().take(GATHERED));
            dense::add_gram(cpu, &mut self.matrix, dim, &self.rows);
            self.add_rows(out);
        }
        dense::cholesky_solve(cpu, &mut self.matrix, dim, out);
    }

    /// D⁻¹Xᵀ(I + XD⁻¹Xᵀ)⁻¹y, an m × m system, by Woodbury's identity.
    fn solve_small(&mut self, cpu: Cpu, system: &System<'_>, out: &mut [f32]) {
        self.gather(system, system.entries.iter());
        let observations = self.targets.len();
        self.roots.clear();
        self.roots.extend(system.shared.iter().map(|x| 1.0 / x.sqrt()));
        for row in self.rows.chunks_exact_mut(out.len()) {
            row.iter_mut().zip(&self.roots).for_each(|(x, d)| *x *= d);
        }
        self.matrix.resize(observations * observations, 0.0);
        dense::outer_products(cpu, &mut self.matrix, out.len(), &self.rows);
        for i in 0..observations {
            self.matrix[i * observations + i] += 1.0;
        }
        dense::cholesky_solve(cpu, &mut self.matrix, observations, &mut self.targets);
        out.fill(0.0);
        self.add_rows(out);
        out.iter_mut().zip(&self.roots).for_each(|(x, d)| *x *= d);
    }

    fn gather(&mut self, system: &System<'_>, entries: impl Iterator<Item = (usize, Pull)>) {
        let dim = system.shared.len();
        self.rows.clear();
        self.targets.clear();
        for (column, pull) in entries.filter(|(_, pull)| pull.weight > 0.0) {
            let root = pull.weight.sqrt();
            let factor = &system.other[column * dim..][..dim];
            self.rows.extend(factor.iter().map(|x| root * x));
            self.targets.push(pull.information / root);
        }
    }

    /// Adds each target times its row to `to`.
    fn add_rows(&self, to: &mut [f32]) {
        for (row, target) in self.rows.chunks_exact(to.len()).zip(&self.targets) {
            to.iter_mut().zip(row).for_each(|(sum, x)| *sum += target * x);
        }
    }
}
