//! The search for the settings of ALS.

use super::{
    Balance, Task,
    contender::{Contender, Run, cut},
};
use crate::{Interrupted, factors::Method};

const UNOBSERVED: [f32; 6] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0];
const RIDGE: [f32; 4] = [0.03, 0.1, 0.3, 0.9];

const VARIATIONS: [fn(&mut Balance, f32); 2] =
    [|balance, factor| balance.unobserved *= factor, |balance, factor| balance.ridge *= factor];

impl<'t> Run<'_, 't> {
    /// The best settings of ALS.
    pub fn als(&mut self) -> Result<Contender<'t>, Interrupted> {
        let best = self.halve()?;
        let best = self.refine(best)?;
        self.restart(best)
    }

    /// The best of the grid, each point tried for as long as it keeps up.
    fn halve(&mut self) -> Result<Contender<'t>, Interrupted> {
        let [first, later @ ..] = self.task.effort.rounds;
        let mut field: Vec<Contender<'t>> = Vec::new();
        for balance in grid(self.task) {
            let mut contender = Contender::new(self.task, Method::Als, balance, self.task.seed);
            self.train(&mut contender, first)?;
            field.push(contender);
            // Who has fallen out already need not be kept in memory.
            cut(&mut field, first.survivors);
        }
        for round in later {
            for contender in &mut field {
                self.train(contender, round)?;
            }
            cut(&mut field, round.survivors);
        }
        field.into_iter().next().ok_or(Interrupted)
    }

    /// Steps from `best` along each setting for as long as they gain.
    fn refine(&mut self, mut best: Contender<'t>) -> Result<Contender<'t>, Interrupted> {
        let last = self.task.effort.last();
        for &step in self.task.effort.steps {
            for vary in VARIATIONS {
                for factor in [step, 1.0 / step] {
                    let mut balance = best.balance;
                    vary(&mut balance, factor);
                    if balance.unobserved > self.task.most_unobserved() {
                        continue;
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
    fn restart(&mut self, mut best: Contender<'t>) -> Result<Contender<'t>, Interrupted> {
        let last = self.task.effort.last();
        for start in 1..self.task.effort.starts {
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
