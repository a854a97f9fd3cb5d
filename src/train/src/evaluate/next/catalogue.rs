//! Sittings of ids, numbered.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use segue_core::{fold_in::Pull, ids::fingerprint};

use super::Query;
use crate::{TrainError, matrix::Matrix, transitions::Sittings};

/// The tracks of some sittings, by fingerprint.
pub(super) struct Catalogue<'a> {
    /// By row, ascending.
    pub fingerprints: Vec<u64>,
    row_of: HashMap<&'a str, u32>,
}

impl<'a> Catalogue<'a> {
    pub fn new<L: AsRef<[String]>>(sittings: &'a [L]) -> Result<Self, TrainError> {
        let items: HashSet<&str> =
            sittings.iter().flat_map(|line| line.as_ref().iter().map(String::as_str)).collect();
        let mut sorted: Vec<(u64, &str)> = items.iter().map(|id| (fingerprint(id), *id)).collect();
        sorted.sort_unstable();
        if sorted.is_empty() {
            return Err(TrainError::Empty);
        }
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(TrainError::Collision(pair[0].1.into(), pair[1].1.into()));
        }
        let fingerprints = sorted.iter().map(|(fingerprint, _)| *fingerprint).collect();
        let row_of = sorted.iter().zip(0..).map(|((_, id), row)| (*id, row)).collect();
        Ok(Self { fingerprints, row_of })
    }

    /// Number of tracks.
    pub fn len(&self) -> usize {
        self.fingerprints.len()
    }

    /// What comes after `before`, which is `after`, of a listener of whom nothing else is known.
    pub fn query(&self, before: &[String], after: &str, mask: bool) -> Query {
        let next = self.row_of.get(after).copied();
        Query { listener: Arc::default(), before: self.rows(before), next, mask }
    }

    /// Those that are known, in order.
    fn rows(&self, items: &[String]) -> Vec<u32> {
        items.iter().filter_map(|item| self.row_of.get(item.as_str()).copied()).collect()
    }

    /// What follows what is counted on.
    pub fn sittings<L: AsRef<[String]>>(&self, lines: &[L]) -> Sittings {
        Sittings::new(self.len(), lines.iter().map(|line| self.rows(line.as_ref())))
    }

    /// Sittings × tracks.
    pub fn matrix<L: AsRef<[String]>>(&self, lines: &[L]) -> Matrix {
        let yes = Pull { weight: 1.0, information: 1.0 };
        let row = |line: &L| {
            let mut rows = self.rows(line.as_ref());
            rows.sort_unstable();
            rows.dedup();
            rows.into_iter().map(move |row| (row, yes))
        };
        Matrix::from_rows(self.len(), lines.iter().map(row))
    }
}
