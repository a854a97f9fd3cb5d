//! The `clusters` section: `[prefix][centroids f32 × k × d][cluster of each row u16 × n]`.
//! Centroids are mean directions of factors, all of the length that [`crate::membership`] asks for.

use super::{
    MAX_CLUSTERS, ModelError, Prefix, SectionKind, Shape, ids::IdsDigest, in_range, prefix,
};
use crate::{
    bytes::{Aligned, Reader, Writer},
    ids::Row,
};

const KIND: SectionKind = SectionKind::Clusters;

/// Taste clusters, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Clusters<'a> {
    dim: usize,
    centroids: &'a [f32],
    assignment: &'a [u16],
}

impl<'a> Clusters<'a> {
    pub(super) fn new(bytes: &'a [u8], rows: usize, dim: usize) -> Self {
        let mut reader = Reader::new(bytes);
        let clusters = reader.one::<Prefix>().map_or(0, |p| p.width as usize);
        let centroids = reader.array(clusters * dim).unwrap_or_default();
        Self { dim, centroids, assignment: reader.array(rows).unwrap_or_default() }
    }

    /// Number of clusters.
    pub const fn len(&self) -> usize {
        self.centroids.len() / self.dim
    }

    /// Whether there are none; there always is one.
    pub const fn is_empty(&self) -> bool {
        self.centroids.is_empty()
    }

    /// The cluster of a row of the head; `None` where there is no such row.
    pub fn of(&self, row: Row) -> Option<u16> {
        self.assignment.get(row.index()).copied()
    }

    /// The cluster of every row.
    pub const fn assignment(&self) -> &'a [u16] {
        self.assignment
    }

    /// The centroids, `dim` reals each.
    pub fn centroids(&self) -> impl Iterator<Item = &'a [f32]> {
        self.centroids.chunks_exact(self.dim)
    }
}

pub(super) fn encode(ids: IdsDigest, dim: usize, centroids: &[f32], assignment: &[u16]) -> Aligned {
    let width = (centroids.len() / dim) as u32;
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: assignment.len() as u32, width, ids: ids.0 }]);
    writer.array(centroids).array(assignment);
    writer.finish()
}

pub(super) fn validate(bytes: &[u8], shape: Shape) -> Result<(), ModelError> {
    let (clusters, mut reader) = prefix(KIND, bytes, shape, 1..=MAX_CLUSTERS)?;
    let centroids: &[f32] = reader.array(clusters * shape.dim).ok_or(ModelError::Shape(KIND))?;
    let assignment: &[u16] = reader.array(shape.rows).ok_or(ModelError::Shape(KIND))?;
    if !reader.is_empty() {
        return Err(ModelError::Shape(KIND));
    }
    if !in_range(centroids) {
        return Err(ModelError::value(KIND, "a centroid is not finite or too large"));
    }
    if assignment.iter().any(|&c| usize::from(c) >= clusters) {
        return Err(ModelError::value(KIND, "a track is in a cluster that does not exist"));
    }
    Ok(())
}
