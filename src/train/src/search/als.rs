//! The search for the settings of ALS.

use super::{
    Balance, Round, Task,
    contender::{Contender, Run, cut},
};
use crate::{TrainError, factors::Method};

const UNOBSERVED: [f32; 6] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0];
const RIDGE: [f32; 4] = [0.03, 0.1, 0.3, 0.9];

const VARIATIONS: [fn(&mut Balance, f32); 2] =
    [|balance, factor| balance.unobserved *= factor, |balance, factor| balance.ridge *= factor];

impl<'t> Run<'_, 't> {
    /// The best settings of ALS: of a grid, each point tried for as long as it keeps up, then of steps
    /// around the best, then of other starts.
    pub fn als(&mut self) -> Result<Option<Contender<'t>>, TrainError> {
        let [first, later @ ..] = self.task.effort.rounds;
        let mut field: Vec<Contender<'t>> = Vec::new();
        for balance in grid(self.task) {
            if self.is_over() && !field.is_empty() {
                break;
            }
            let mut contender = Contender::new(self.task, Method::Als, balance, self.task.seed);
            self.train(&mut contender, first)?;
            field.push(contender);
            // Who has fallen out already need not be kept in memory.
            cut(&mut field, first.survivors);
        }
        let Some(best) = self.halve(field, &later)? else { return Ok(None) };
        let best = self.refine(best)?;
        self.restart(best).map(Some)
    }

    /// Steps from `best` along each setting for as long as they gain.
    fn refine(&mut self, mut best: Contender<'t>) -> Result<Contender<'t>, TrainError> {
        let last = Round { epochs: best.settings.epochs, ..self.task.effort.last() };
        for &step in self.task.effort.steps {
            for vary in VARIATIONS {
                for factor in [step, 1.0 / step] {
                    let mut balance = best.balance;
                    vary(&mut balance, factor);
                    if balance.unobserved > self.task.most_unobserved() {
                        continue;
                    }
                    if self.is_over() {
                        return Ok(best);
                    }
                    let other = Contender::new(self.task, Method::Als, balance, self.task.seed);
                    if self.challenge(&mut best, other, last)? {
                        break;
                    }
                }
            }
        }
        Ok(best)
    }

    /// The settings of `best` from other first factors: the loss is not convex.
    fn restart(&mut self, mut best: Contender<'t>) -> Result<Contender<'t>, TrainError> {
        let last = Round { epochs: best.settings.epochs, ..self.task.effort.last() };
        for start in 1..self.task.effort.starts {
            if self.is_over() {
                break;
            }
            let seed = self.task.seed.wrapping_add(start);
            let other = Contender::new(self.task, Method::Als, best.balance, seed);
            self.challenge(&mut best, other, last)?;
        }
        Ok(best)
    }
}

impl Task<'_> {
    /// The balance at which a pair that was not observed weighs as much as one that was. Beyond it what
    /// a listener passes over says nothing any more.
    fn most_unobserved(&self) -> f32 {
        let each = self.by_user.len() as f32 / self.by_user.rows().max(1) as f32;
        self.tracks as f32 / each.max(1.0)
    }
}

fn grid(task: &Task<'_>) -> impl Iterator<Item = Balance> {
    let most = task.most_unobserved();
    let each = |unobserved| RIDGE.map(|ridge| Balance { unobserved, ridge });
    let mut some: Vec<f32> = UNOBSERVED.iter().map(|unobserved| unobserved.min(most)).collect();
    some.dedup();
    some.into_iter().flat_map(each)
}
