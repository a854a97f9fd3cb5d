//! Sparse listener–track matrices in compressed rows.

use std::borrow::Cow;

use segue_core::fold_in::Pull;

/// A sparse matrix by rows; each entry is a column and what was observed there.
#[derive(Clone, Debug)]
pub struct Matrix {
    columns: usize,
    starts: Vec<usize>,
    indices: Vec<u32>,
    pulls: Vec<Pull>,
}

/// One row of a [`Matrix`].
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    indices: &'a [u32],
    pulls: &'a [Pull],
}

impl<'a> RowView<'a> {
    /// Columns and observations, columns ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (usize, Pull)> + use<'a> {
        self.indices.iter().map(|&c| c as usize).zip(self.pulls.iter().copied())
    }

    /// The columns, ascending.
    pub fn columns(&self) -> &'a [u32] {
        self.indices
    }

    /// What was observed in each of [`Self::columns`].
    pub fn pulls(&self) -> &'a [Pull] {
        self.pulls
    }

    /// Observations that say yes.
    pub fn positive(&self) -> usize {
        self.pulls.iter().filter(|pull| pull.information > 0.0).count()
    }
}

impl Matrix {
    /// From rows of (column, observation), columns ascending and below `columns`.
    pub fn from_rows<R: IntoIterator<Item = (u32, Pull)>>(
        columns: usize,
        rows: impl IntoIterator<Item = R>,
    ) -> Self {
        let mut matrix = Self { columns, starts: vec![0], indices: Vec::new(), pulls: Vec::new() };
        for row in rows {
            for (column, pull) in row {
                matrix.indices.push(column);
                matrix.pulls.push(pull);
            }
            matrix.starts.push(matrix.indices.len());
        }
        matrix
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// One row.
    pub fn row(&self, row: usize) -> RowView<'_> {
        let range = self.starts[row]..self.starts[row + 1];
        RowView { indices: &self.indices[range.clone()], pulls: &self.pulls[range] }
    }

    /// Only the columns that `keep` has, in order; itself where that is all of them. O(entries).
    pub fn keeping(&self, keep: &[bool]) -> Cow<'_, Self> {
        if keep.iter().all(|&keep| keep) {
            return Cow::Borrowed(self);
        }
        let mut columns = 0;
        let place: Vec<u32> = keep
            .iter()
            .map(|&keep| {
                columns += u32::from(keep);
                columns.wrapping_sub(1)
            })
            .collect();
        let row = |row: usize| {
            let kept = self.row(row).iter().filter(|(column, _)| keep[*column]);
            kept.map(|(column, pull)| (place[column], pull))
        };
        Cow::Owned(Self::from_rows(columns as usize, (0..self.rows()).map(row)))
    }

    /// Whether any observation says no. O(entries).
    pub fn has_noes(&self) -> bool {
        self.pulls.iter().any(|pull| pull.weight > 0.0 && pull.information <= 0.0)
    }

    /// [`RowView::positive`] of every row.
    pub fn positives(&self) -> Vec<usize> {
        (0..self.rows()).map(|row| self.row(row).positive()).collect()
    }

    /// Rows and columns exchanged. O(entries).
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0_usize; self.columns + 1];
        for &column in &self.indices {
            starts[column as usize + 1] += 1;
        }
        for column in 0..self.columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut indices = vec![0_u32; self.len()];
        let mut pulls = vec![Pull::default(); self.len()];
        for row in 0..self.rows() {
            for entry in self.starts[row]..self.starts[row + 1] {
                let to = &mut next[self.indices[entry] as usize];
                indices[*to] = row as u32;
                pulls[*to] = self.pulls[entry];
                *to += 1;
            }
        }
        Self { columns: self.rows(), starts, indices, pulls }
    }
}
