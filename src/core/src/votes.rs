//! What the tracks of a sitting say of the next one.
//!
//! Each of the last tracks votes for those that follow it ([`crate::model::Model::transitions`]), the
//! later the more; tracks that several vote for count for more than the sum. Sums are of integers, so
//! that they come out the same on every target.

use alloc::{vec, vec::Vec};

use crate::{
    boosts::{self, units},
    ids::Row,
    linalg::power,
    model::{Habits, Model},
    sitting::Sitting,
};

/// Most tracks of a sitting that vote, the last ones.
pub const WINDOW: usize = 32;

/// Of a mark: the track is of the sitting.
const HEARD: u8 = 0x80;

/// The votes of a sitting.
#[derive(Clone, Debug, Default)]
pub struct Votes {
    /// For each shard that has a track of the sitting, the sum of each track.
    sums: Vec<Vec<i64>>,
    /// How many voted for it, and [`HEARD`].
    marks: Vec<Vec<u8>>,
    touched: Vec<Row>,
    /// What is added for the tracks of the sitting.
    heard: Vec<(Row, f32)>,
    habits: Habits,
    /// What a sum of so many votes counts.
    agreement: Vec<f32>,
}

impl Votes {
    /// Counts anew. O(entries of the sitting's lists).
    pub fn count(&mut self, model: &Model, sitting: &Sitting) {
        for row in self.touched.drain(..) {
            let (shard, place) = (usize::from(row.shard()), row.index());
            (self.sums[shard][place], self.marks[shard][place]) = (0, 0);
        }
        self.heard.clear();
        for (back, &row) in sitting.tracks().iter().enumerate() {
            let Some(lists) = model.transitions(row.shard()) else { continue };
            if self.habits != *lists.habits() || self.agreement.is_empty() {
                self.habits = *lists.habits();
                let counts = |voters: usize| power(voters as f32, self.habits.agreement);
                self.agreement = (0..=WINDOW).map(counts).collect();
            }
            self.make_room(row.shard(), lists.len());
            self.mark(row, HEARD);
            let share = power((back + 1) as f32, -self.habits.recency);
            let more = if back == 0 { self.habits.stay } else { self.habits.back * share };
            self.heard.push((row, more));
            if back >= WINDOW {
                continue;
            }
            for neighbour in lists.of(row.index()) {
                let named = Row::new(row.shard(), neighbour.place);
                self.mark(named, 1);
                let sum = &mut self.sums[usize::from(row.shard())][neighbour.place as usize];
                *sum = sum.saturating_add(units(neighbour.weight, share));
            }
        }
    }

    fn make_room(&mut self, shard: u8, tracks: usize) {
        let shard = usize::from(shard);
        if self.sums.len() <= shard {
            self.sums.resize(shard + 1, Vec::new());
            self.marks.resize(shard + 1, Vec::new());
        }
        if self.sums[shard].is_empty() {
            self.sums[shard] = vec![0; tracks];
            self.marks[shard] = vec![0; tracks];
        }
    }

    fn mark(&mut self, row: Row, add: u8) {
        let mark = &mut self.marks[usize::from(row.shard())][row.index()];
        if *mark == 0 {
            self.touched.push(row);
        }
        // A forged list may name a track more often than there are voters.
        if add == HEARD {
            *mark |= HEARD;
        } else if usize::from(*mark & !HEARD) < WINDOW {
            *mark += add;
        }
    }

    /// Whether a track has votes or is of the sitting.
    #[inline]
    pub fn concern(&self, row: Row) -> bool {
        self.mark_of(row) > 0
    }

    /// Whether a track is of the sitting, of a model that says what follows what.
    pub fn is_heard(&self, row: Row) -> bool {
        self.mark_of(row) & HEARD > 0
    }

    /// What the votes add to the score of a track.
    pub fn score(&self, row: Row) -> f32 {
        let mark = self.mark_of(row);
        if mark == 0 {
            return 0.0;
        }
        let sum = boosts::score(self.sums[usize::from(row.shard())][row.index()]);
        let votes = sum * self.agreement.get(usize::from(mark & !HEARD)).copied().unwrap_or(1.0);
        if mark & HEARD == 0 {
            return votes;
        }
        let heard = self.heard.iter().find(|(heard, _)| *heard == row);
        votes * self.habits.again + heard.map_or(0.0, |(_, more)| *more)
    }

    /// What each of the tracks that vote for a row adds to its score, the last one first: together what
    /// [`Votes::score`] gives of a track that was not heard itself. O(entries of the lists that vote).
    #[inline(never)]
    pub fn voters(&self, model: &Model, sitting: &Sitting, row: Row) -> Vec<(Row, f32)> {
        let mut voters = Vec::new();
        let Some(lists) = model.transitions(row.shard()) else { return voters };
        for (back, &voter) in sitting.tracks().iter().take(WINDOW).enumerate() {
            if voter.shard() != row.shard() {
                continue;
            }
            let share = power((back + 1) as f32, -self.habits.recency);
            let list = lists.of(voter.index());
            let here = list.filter(|neighbour| neighbour.place as usize == row.index());
            voters.extend(here.map(|n| (voter, boosts::score(units(n.weight, share)))));
        }
        let counts = self.agreement.get(voters.len()).copied().unwrap_or(1.0);
        voters.iter_mut().for_each(|(_, vote)| *vote *= counts);
        voters
    }

    #[inline]
    fn mark_of(&self, row: Row) -> u8 {
        let marks = self.marks.get(usize::from(row.shard()));
        marks.and_then(|marks| marks.get(row.index())).copied().unwrap_or(0)
    }

    /// The tracks that votes concern, each once.
    pub fn touched(&self) -> &[Row] {
        &self.touched
    }
}
