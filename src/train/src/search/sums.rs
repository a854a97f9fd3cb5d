//! The search for factors that are summed: spectral ones, and contrastive ones that start there.

use super::{
    Balance, Round,
    contender::{Contender, Run, cut},
};
use crate::{
    TrainError, contrast,
    factors::Method,
    spectral::{Degrees, Shape},
};

/// What a code of factors that no loss of this kind made is measured by.
const BALANCE: Balance = Balance { unobserved: 4.0, ridge: 1e-6 };
/// Where the grid of spectral settings lies: powers of the degrees of tracks, the higher the more listeners
/// each is counted with beyond its own.
const TRACKS: [[f32; 2]; 4] = [[0.25, 0.0], [0.25, 1.0], [0.35, 4.0], [0.5, 9.0]];
const LISTENERS: f32 = 0.25;
const RIDGE: [f32; 3] = [0.0, 0.5, 2.0];
const POPULARITY: [f32; 2] = [0.0, 0.1];
/// The most that steps around the best spectral settings go on.
const SPECTRAL_STEPS: usize = 5;
/// Spectral settings that contrastive factors start from.
const STARTS: usize = 2;

/// The usual settings of Adam and of dropout; the decay is said for a catalogue of one track.
const CONTRAST: contrast::Settings =
    contrast::Settings { rate: 0.003, decay: 0.6, dropout: 0.3, popularity: 0.5 };
const DECAY: [f32; 4] = [0.2, 0.6, 2.0, 6.0];
/// Of the best objective so far, what contrastive factors must have reached to be gone on with.
const WORTH_REFINING: f64 = 0.97;

type Vary<T> = fn(&mut T);

const SPECTRAL: [Vary<(Degrees, Shape)>; 10] = [
    |(degrees, _)| degrees.tracks += 0.1,
    |(degrees, _)| degrees.tracks -= 0.1,
    |(degrees, _)| degrees.listeners += 0.2,
    |(degrees, _)| degrees.listeners -= 0.2,
    |(degrees, _)| degrees.beyond = more(degrees.beyond),
    |(degrees, _)| degrees.beyond = less(degrees.beyond),
    |(_, shape)| shape.ridge = more(shape.ridge),
    |(_, shape)| shape.ridge = less(shape.ridge),
    |(_, shape)| shape.popularity += 0.08,
    |(_, shape)| shape.popularity -= 0.08,
];

/// About twice as much; of nothing, something.
fn more(value: f32) -> f32 {
    2.0 * value + 0.5
}

/// What [`more`] made more of, but not less than nothing.
fn less(value: f32) -> f32 {
    ((value - 0.5) / 2.0).max(0.0)
}

const VARIATIONS: [[Vary<contrast::Settings>; 2]; 3] = [
    [|it| it.decay *= 1.8, |it| it.decay /= 1.8],
    [|it| it.rate *= 2.0, |it| it.rate /= 2.0],
    [|it| it.dropout = 0.6, |it| it.dropout = 0.0],
];

impl<'t> Run<'_, 't> {
    /// The ranking that is the same for everybody.
    pub fn popularity(&mut self) -> Result<Contender<'t>, TrainError> {
        let mut popular = self.of(Method::Popularity);
        self.train(&mut popular, self.at_once())?;
        Ok(popular)
    }

    /// The best spectral settings, best first: of a grid, then of steps around the best, none of them twice.
    pub fn spectral(&mut self) -> Result<Vec<Contender<'t>>, TrainError> {
        let (mut field, mut tried) = (Vec::new(), Vec::new());
        for settings in grid() {
            self.attempt(settings, &mut field, &mut tried)?;
        }
        for _ in 0..SPECTRAL_STEPS {
            let before = field.first().map(Contender::objective);
            for vary in SPECTRAL {
                let best = field.first().map(|best| best.settings.method);
                let Some(Method::Spectral(degrees, shape)) = best else { break };
                let mut to = (degrees, shape);
                vary(&mut to);
                if to.0.tracks >= 0.0 && to.0.listeners >= 0.0 && !tried.contains(&to) {
                    self.attempt(to, &mut field, &mut tried)?;
                }
            }
            if field.first().map(Contender::objective) == before {
                break;
            }
        }
        Ok(field)
    }

    /// Tries spectral settings, where there is time for it or none were: the best of `field` stay in it.
    fn attempt(
        &mut self,
        settings: (Degrees, Shape),
        field: &mut Vec<Contender<'t>>,
        tried: &mut Vec<(Degrees, Shape)>,
    ) -> Result<(), TrainError> {
        if self.is_over() && !field.is_empty() {
            return Ok(());
        }
        tried.push(settings);
        let mut contender = self.of(Method::Spectral(settings.0, settings.1));
        self.train(&mut contender, self.at_once())?;
        field.push(contender);
        cut(field, STARTS);
        Ok(())
    }

    /// The best contrastive settings that start where one of `spectral` is; `target` is what others
    /// have reached. `None` where a first round gains nothing on any start: what that spoils, later
    /// ones do not mend.
    pub fn contrast(
        &mut self,
        spectral: &[Contender<'t>],
        target: f64,
    ) -> Result<Option<Contender<'t>>, TrainError> {
        let [first, later @ ..] = self.task.effort.contrast;
        let mut field = Vec::new();
        let mut gains = false;
        for start in spectral {
            let Method::Spectral(degrees, shape) = start.settings.method else { continue };
            for decay in DECAY {
                if self.is_over() && !field.is_empty() {
                    break;
                }
                let settings = contrast::Settings { decay, ..CONTRAST };
                let mut contender = self.contrasted(degrees, shape, settings);
                self.train(&mut contender, first)?;
                gains |= contender.is_ahead_of(start);
                field.push(contender);
                cut(&mut field, first.survivors);
            }
        }
        if !gains {
            return Ok(None);
        }
        let best = self.halve(field, &later)?;
        match best {
            Some(best) if best.objective() >= WORTH_REFINING * target => {
                self.refine_contrast(best).map(Some)
            }
            best => Ok(best),
        }
    }

    /// Steps from `best` along each setting, of which each is taken that gains.
    fn refine_contrast(&mut self, mut best: Contender<'t>) -> Result<Contender<'t>, TrainError> {
        let [.., last] = self.task.effort.contrast;
        let last = Round { epochs: best.settings.epochs, ..last };
        for variations in &VARIATIONS[..self.task.effort.steps.len().min(VARIATIONS.len())] {
            for vary in variations {
                let Method::Contrast(degrees, shape, mut settings) = best.settings.method else {
                    return Ok(best);
                };
                if self.is_over() {
                    return Ok(best);
                }
                vary(&mut settings);
                let contender = self.contrasted(degrees, shape, settings);
                if self.challenge(&mut best, contender, last)? {
                    break;
                }
            }
        }
        Ok(best)
    }

    fn contrasted(
        &self,
        degrees: Degrees,
        shape: Shape,
        settings: contrast::Settings,
    ) -> Contender<'t> {
        self.of(Method::Contrast(degrees, shape, settings))
    }

    fn of(&self, method: Method) -> Contender<'t> {
        Contender::new(self.task, method, BALANCE, self.task.seed)
    }

    /// A round for what takes no epochs.
    fn at_once(&self) -> Round {
        Round { epochs: 0, ..self.task.effort.last() }
    }
}

fn grid() -> impl Iterator<Item = (Degrees, Shape)> {
    let shapes = || {
        RIDGE.into_iter().flat_map(|ridge| POPULARITY.map(|popularity| Shape { ridge, popularity }))
    };
    TRACKS.into_iter().flat_map(move |[tracks, beyond]| {
        let degrees = Degrees { listeners: LISTENERS, tracks, beyond };
        shapes().map(move |shape| (degrees, shape))
    })
}
