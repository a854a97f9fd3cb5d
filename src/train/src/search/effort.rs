//! How much work a search may be.

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

/// How much work the search may be.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Events of the sample of listeners that a log is searched on.
    pub max_events: usize,
    /// The rounds of the halving, the shortest first.
    pub rounds: [Round; 3],
    /// Factors of the steps around the best.
    pub steps: &'static [f32],
    /// First factors that the best settings are tried from: the loss is not convex.
    pub starts: u64,
}

impl Effort {
    /// For training day by day: about 100 epochs on a sample.
    pub const QUICK: Self = Self {
        max_events: 60_000,
        rounds: [
            Round { epochs: 2, listeners: 150, survivors: 8 },
            Round { epochs: 4, listeners: 400, survivors: 2 },
            Round { epochs: 8, listeners: 1000, survivors: 1 },
        ],
        steps: &[1.6, 1.25],
        starts: 1,
    };

    /// For the last per cent: about 500 epochs, on everything.
    pub const FULL: Self = Self {
        max_events: usize::MAX,
        rounds: [
            Round { epochs: 3, listeners: 400, survivors: 10 },
            Round { epochs: 7, listeners: 1000, survivors: 4 },
            Round { epochs: 16, listeners: usize::MAX, survivors: 1 },
        ],
        steps: &[1.7, 1.4, 1.2, 1.1],
        starts: 4,
    };

    /// The round that decides.
    pub(super) fn last(&self) -> Round {
        self.rounds[self.rounds.len() - 1]
    }
}
