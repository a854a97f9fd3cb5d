//! Which of a catalogue's tags tell tracks apart.

use std::collections::HashMap;

use segue_core::{catalogue::Track, model::MAX_TAGS};

/// Tags of a model. A device solves a system of so many unknowns for each event, and half of as many again take three
/// times as long.
const MOST: usize = 32;
const _: () = assert!(MOST <= MAX_TAGS);
/// Fewer tracks have nothing in common that could be learned.
const MIN_TRACKS: usize = 5;

/// The tags of a catalogue that go into a model, and which track has which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tagged {
    /// The most telling first.
    pub names: Vec<String>,
    /// The bits of each track.
    pub of: Vec<u64>,
}

impl Tagged {
    /// The tags that most listening has to do with: those of the most `plays`, of which there is one number a track,
    /// but for those that are all but everywhere. A tag is known by its name alone.
    pub fn of(tracks: &[Track], plays: &[usize]) -> Self {
        let mut known: HashMap<&str, [usize; 2]> = HashMap::new();
        for (track, plays) in tracks.iter().zip(plays) {
            for tag in track.tags.iter().filter(|tag| !tag.is_empty()) {
                let [tracks, all] = known.entry(tag).or_default();
                *tracks += 1;
                *all += plays + 1;
            }
        }
        let most = plays.iter().map(|plays| plays + 1).sum::<usize>() * 19 / 20;
        let told = |[tracks, all]: [usize; 2]| tracks >= MIN_TRACKS && all <= most;
        let mut names: Vec<(&str, usize)> = known
            .into_iter()
            .filter(|(_, of)| told(*of))
            .map(|(name, [_, all])| (name, all))
            .collect();
        names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        names.truncate(MOST);
        Self::named(tracks, names.iter().map(|(name, _)| (*name).to_owned()).collect())
    }

    /// Tags of these names.
    pub fn named(tracks: &[Track], names: Vec<String>) -> Self {
        let bit: HashMap<&str, usize> =
            names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let bits = |track: &Track| {
            let known = track.tags.iter().filter_map(|tag| bit.get(tag.as_str()));
            known.fold(0_u64, |bits, at| bits | 1 << at)
        };
        Self { of: tracks.iter().map(bits).collect(), names }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}
