//! Numbers of the next version that stay what they were where they would change by next to nothing.
//!
//! What is counted in coarse steps lies between two of them sooner or later, and would go back and forth from version
//! to version; each time would be sent. So a number is left as it was until it is off by more than a step: it is then
//! wrong by one at most, whatever the number of versions.

use std::collections::HashMap;

use segue_core::{codec::pairs::Pair, model::Rate};

/// Where the rows of the last version are in this one; `None` for those that are gone.
pub type Moved<'a> = &'a [Option<u32>];

/// Steps of a rate to one.
const RATE_STEPS: f32 = 16.0;

/// `new` where it is more than a step of a rate from `old`.
pub fn rate(old: Rate, new: Rate) -> Rate {
    let steady = |old: f32, new: f32| {
        if (old - new).abs() * RATE_STEPS > 1.5 { new } else { old }
    };
    Rate { log_odds: steady(old.log_odds, new.log_odds), plays: steady(old.plays, new.plays) }
}

/// The `most` of `found`, the most telling pairs of this version first, that stay or come: those of `old` stay as long as
/// they are found at all, others come as long as there is room. They are in no particular order.
pub fn pairs(old: &[Pair], found: &[Pair], moved: Moved<'_>, most: usize) -> Vec<Pair> {
    let rows = |pair: &Pair| {
        let [a, b] = pair.rows.map(|row| moved[row as usize]);
        Some([a?, b?])
    };
    let before: HashMap<[u32; 2], Pair> =
        old.iter().filter_map(|pair| Some((rows(pair)?, *pair))).collect();
    let stay = found.iter().filter(|pair| before.contains_key(&pair.rows)).count();
    let mut room = most.saturating_sub(stay);
    let mut pairs = Vec::with_capacity(most);
    for pair in found {
        if let Some(was) = before.get(&pair.rows) {
            let [level, lean] = [(was.level, pair.level), (was.lean, pair.lean)].map(steady);
            pairs.push(Pair { level, lean, ..*pair });
        } else if room > 0 {
            room -= 1;
            pairs.push(*pair);
        }
    }
    pairs.truncate(most);
    pairs
}

/// `new`, where those of `old` rows do not stay.
pub fn classes(old: &[u8], new: &mut [u8], moved: Moved<'_>) {
    for (&old, to) in old.iter().zip(moved) {
        if let Some(class) = to.and_then(|to| new.get_mut(to as usize)) {
            *class = steady((old, *class));
        }
    }
}

const fn steady((old, new): (u8, u8)) -> u8 {
    if old.abs_diff(new) <= 1 { old } else { new }
}
