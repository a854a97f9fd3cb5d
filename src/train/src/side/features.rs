//! Side information as a sparse matrix: tracks × what they have in common with others.

use std::collections::HashMap;

use segue_core::catalogue::Track;

/// What tracks can have in common, from the widest circle to the closest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Common {
    /// Being tracks of the catalogue.
    Catalogue,
    /// A tag.
    Tag,
    /// An artist.
    Artist,
    /// An album of an artist: titles of albums repeat.
    Album,
}

/// What is known of tracks besides who heard them.
#[derive(Clone, Debug)]
pub struct Features {
    /// Of each feature.
    kinds: Vec<Common>,
    /// Where the entries of each track start; one more at the end.
    starts: Vec<usize>,
    /// Feature and value. The squares of a track's tags sum to 1: how many a track has is an editor's
    /// habit.
    entries: Vec<(u32, f64)>,
}

/// The feature that all tracks have.
const CATALOGUE: u32 = 0;

/// Whether anything is known of a track that others could have in common with it.
pub fn is_described(track: &Track) -> bool {
    keys(track).next().is_some()
}

impl Features {
    /// Those of `tracks` that tracks which are `heard` have: of the others nothing can be learned. Spelling
    /// does not count but for its letters: case and outer white space are ignored, and so is a tag that
    /// repeats. O(tags), 16 bytes each.
    pub fn new(tracks: &[Track], heard: &[bool]) -> Self {
        let mut names = Names::default();
        for (track, _) in tracks.iter().zip(heard).filter(|(_, heard)| **heard) {
            keys(track).for_each(|key| names.add(key));
        }
        let mut features =
            Self { kinds: names.kinds.clone(), starts: vec![0], entries: Vec::new() };
        for track in tracks {
            features.push(keys(track).filter_map(|key| names.numbers.get(&key).copied()));
        }
        features
    }

    fn push(&mut self, numbers: impl Iterator<Item = u32>) {
        let mut numbers: Vec<u32> = std::iter::once(CATALOGUE).chain(numbers).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let is_tag = |number: u32| self.kinds[number as usize] == Common::Tag;
        let tags = numbers.iter().filter(|&&number| is_tag(number)).count().max(1);
        let share = 1.0 / (tags as f64).sqrt();
        let value = |number: u32| if is_tag(number) { share } else { 1.0 };
        let entries: Vec<_> = numbers.into_iter().map(|number| (number, value(number))).collect();
        self.entries.extend(entries);
        self.starts.push(self.entries.len());
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there are none; there is always the catalogue.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Number of tracks.
    pub fn tracks(&self) -> usize {
        self.starts.len() - 1
    }

    /// Of each feature, in order.
    pub fn kinds(&self) -> &[Common] {
        &self.kinds
    }

    /// Features of one track and their values, each feature once.
    pub fn of(&self, track: usize) -> &[(u32, f64)] {
        &self.entries[self.starts[track]..self.starts[track + 1]]
    }
}

type Key = (Common, String);

struct Names {
    numbers: HashMap<Key, u32>,
    kinds: Vec<Common>,
}

impl Default for Names {
    fn default() -> Self {
        let catalogue = (Common::Catalogue, String::new());
        Self { numbers: HashMap::from([(catalogue, CATALOGUE)]), kinds: vec![Common::Catalogue] }
    }
}

impl Names {
    fn add(&mut self, key: Key) {
        let kind = key.0;
        if let std::collections::hash_map::Entry::Vacant(slot) = self.numbers.entry(key) {
            slot.insert(self.kinds.len() as u32);
            self.kinds.push(kind);
        }
    }
}

/// What a track could have in common with others.
fn keys(track: &Track) -> impl Iterator<Item = Key> {
    let artist = folded(&track.artist);
    let album = folded(&track.album);
    let tags = track.tags.iter().map(|tag| (Common::Tag, folded(tag)));
    // White space of any kind folds into none of these names.
    let album = (!album.is_empty()).then(|| (Common::Album, format!("{artist}\n{album}")));
    let artist = (Common::Artist, artist);
    tags.chain([artist]).filter(|(_, name)| !name.is_empty()).chain(album)
}

fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}
