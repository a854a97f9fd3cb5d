//! How much work a search may be.

use std::time::Duration;

/// Pairs of which a full search takes more than a few minutes.
const MANY: usize = 200_000;

/// One round of the halving.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Epochs that each contender has had at its end.
    pub epochs: usize,
    /// Listeners that it is judged on, at most.
    pub listeners: usize,
    /// Contenders that go on.
    pub survivors: usize,
}

/// How much of a log is searched on.
#[derive(Clone, Copy, Debug)]
enum Sample {
    /// All of it.
    Whole,
    /// A tenth, with bounds: the search then takes about as long as the training that follows.
    Tenth { least: usize, most: usize },
}

/// How much work the search may be.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Events of the sample of listeners that a log is searched on.
    sample: Sample,
    /// The rounds of the halving, the shortest first.
    pub rounds: [Round; 3],
    /// Those of contrastive factors, of which an epoch costs several of ALS.
    pub contrast: [Round; 3],
    /// Factors of the steps around the best.
    pub steps: &'static [f32],
    /// First factors that the best settings are tried from: the loss is not convex.
    pub starts: u64,
    /// How long it may take, about; it ends sooner where nothing is left to try.
    pub budget: Option<Duration>,
}

impl Effort {
    /// For training day by day: about 100 epochs on a sample.
    pub const QUICK: Self = Self {
        sample: Sample::Tenth { least: 60_000, most: 2_000_000 },
        rounds: [
            Round { epochs: 2, listeners: 300, survivors: 8 },
            Round { epochs: 4, listeners: 800, survivors: 2 },
            Round { epochs: 8, listeners: 2000, survivors: 1 },
        ],
        contrast: [
            Round { epochs: 2, listeners: 800, survivors: 2 },
            Round { epochs: 6, listeners: 800, survivors: 1 },
            Round { epochs: 12, listeners: 2000, survivors: 1 },
        ],
        steps: &[1.6, 1.25],
        starts: 1,
        budget: None,
    };

    /// For the last per cent: about 500 epochs, on everything.
    pub const FULL: Self = Self {
        sample: Sample::Whole,
        rounds: [
            Round { epochs: 3, listeners: 400, survivors: 10 },
            Round { epochs: 7, listeners: 1000, survivors: 4 },
            Round { epochs: 16, listeners: usize::MAX, survivors: 1 },
        ],
        contrast: [
            Round { epochs: 4, listeners: 2000, survivors: 4 },
            Round { epochs: 10, listeners: usize::MAX, survivors: 2 },
            Round { epochs: 20, listeners: usize::MAX, survivors: 1 },
        ],
        steps: &[1.7, 1.4, 1.2, 1.1],
        starts: 4,
        budget: None,
    };

    /// For the last per cent of what takes longer than a few minutes: about 150 epochs, on everything.
    const LARGE: Self = Self {
        rounds: [
            Round { epochs: 2, listeners: 800, survivors: 8 },
            Round { epochs: 5, listeners: 2000, survivors: 3 },
            Round { epochs: 12, listeners: 5000, survivors: 1 },
        ],
        contrast: [
            Round { epochs: 3, listeners: 2000, survivors: 3 },
            Round { epochs: 8, listeners: 5000, survivors: 2 },
            Round { epochs: 16, listeners: 5000, survivors: 1 },
        ],
        steps: &[1.5, 1.2],
        starts: 1,
        ..Self::FULL
    };

    /// [`Self::FULL`], or what of it so many pairs leave time for.
    pub const fn of_pairs(pairs: usize) -> Self {
        if pairs > MANY { Self::LARGE } else { Self::FULL }
    }

    /// The same for sittings, beside whose order taste has less to say.
    pub const fn of_sittings(pairs: usize) -> Self {
        if pairs > MANY { Self::QUICK } else { Self::FULL }
    }

    /// The same within `budget`. What is found then depends on how fast the machine is.
    pub const fn within(self, budget: Option<Duration>) -> Self {
        Self { budget, ..self }
    }

    /// Events of the sample that a log of so many is searched on.
    pub fn sample(&self, events: usize) -> usize {
        match self.sample {
            Sample::Whole => events,
            Sample::Tenth { least, most } => (events / 10).clamp(least, most),
        }
    }

    /// The round that decides.
    pub(super) fn last(&self) -> Round {
        self.rounds[self.rounds.len() - 1]
    }
}
