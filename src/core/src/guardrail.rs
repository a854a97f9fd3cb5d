//! Whether a device is worse off since its model changed: by how often its listener says no, and by how often it fails.
//!
//! Of the model in use and of the one before it a device counts what was heard and what was refused. When it has counted
//! 16 of each, and then each time that the number has doubled, it looks whether the share of refusals has risen by more than
//! [`SIGMAS`] standard errors (the pooled test of two proportions). Looking only then keeps false alarms rare: of devices for
//! whom nothing changed about one in a hundred ever says so over 600 plays and skips, and that is for whoever adds up what
//! devices say. A model that cannot rank at all is worse at once.

/// What was counted under one model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The version of the model; 0 where there is none.
    pub version: u64,
    /// Plays and replays that were not refused.
    pub heard: u32,
    /// Skips and dislikes.
    pub refused: u32,
    /// Calls that failed.
    pub failed: u32,
}

/// Counts before a first look.
pub const FIRST: u32 = 16;
/// Standard errors that the share of refusals has to rise by.
pub const SIGMAS: f64 = 3.0;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Something was heard.
    Heard,
    /// Something was refused.
    Refused,
    /// A call failed.
    Failed,
}

/// The model in use beside the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guardrail {
    /// What was counted under the model before.
    pub before: Tally,
    /// What was counted under the one in use.
    pub now: Tally,
    /// Whether it was said already that this one is worse.
    pub said: bool,
}

impl Tally {
    const fn counted(&self) -> u32 {
        self.heard.saturating_add(self.refused)
    }
}

impl Guardrail {
    /// Another model is in use. One of which too little is known to compare with passes what is known of the one before it
    /// on.
    pub fn change(&mut self, version: u64) {
        if version == self.now.version {
            return;
        }
        if self.now.counted() >= FIRST || self.before.version == 0 {
            self.before = self.now;
        }
        self.now = Tally { version, ..Tally::default() };
        self.said = false;
    }

    /// Counts a deed. Returns whether it shows that the model in use is worse, which it does once.
    pub fn count(&mut self, deed: Deed) -> bool {
        let count = match deed {
            Deed::Heard => &mut self.now.heard,
            Deed::Refused => &mut self.now.refused,
            Deed::Failed => &mut self.now.failed,
        };
        *count = count.saturating_add(1);
        let worse = !self.said && self.before.version > 0 && self.is_worse(deed);
        self.said |= worse;
        worse
    }

    fn is_worse(&self, deed: Deed) -> bool {
        if deed == Deed::Failed {
            return self.before.failed == 0;
        }
        let counted = self.now.counted();
        let looks = counted.is_multiple_of(FIRST) && (counted / FIRST).is_power_of_two();
        looks && self.before.counted() >= FIRST && self.rise() > SIGMAS
    }

    /// By how many standard errors the share of refusals has risen; negative where it fell.
    pub fn rise(&self) -> f64 {
        let [n, m] = [self.before.counted(), self.now.counted()].map(f64::from);
        let [x, y] = [self.before.refused, self.now.refused].map(f64::from);
        let pooled = (x + y) / (n + m);
        let error = crate::linalg::sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m));
        if error > 0.0 { (y / m - x / n) / error } else { 0.0 }
    }
}
