//! Artists near an artist.

use alloc::{vec, vec::Vec};

use crate::{
    ids::Row,
    kernel::{Place, best},
    linalg::{dot, sqrt},
    model::Model,
};

/// One in a cosine, in points.
const ONE: f32 = (1 << 30) as f32;

/// The `k` artists whose tracks are nearest to those of `artist`, best first, of all that have tracks in the
/// head; empty where the model does not name that one. Exact. O(n·d).
///
/// An artist is the sum of the factors of their tracks, each weighed by what the mean listener expects of
/// it, so that what nobody plays says little. Near is the cosine. The index of a place is the first row
/// of the artist; [`cosine`] reads its points.
pub fn near(model: &Model, artist: &str, k: usize) -> Vec<Place> {
    let mut found = Vec::new();
    let Some(text) = model.text() else { return found };
    let (dim, listener) = (model.dim(), model.taste().mean());
    let mut sums = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    let mut factor = vec![0.0; dim];
    for row in (0..model.factors().len() as u32).map(Row) {
        let at = text.artist_index(row) as usize;
        if rows.len() <= at {
            rows.resize(at + 1, row);
            sums.resize((at + 1) * dim, 0.0_f32);
        }
        model.decode(row, &mut factor);
        let weight = dot(listener, &factor).max(0.0);
        sums[at * dim..][..dim].iter_mut().zip(&factor).for_each(|(sum, x)| *sum += weight * x);
    }
    let sum = |at: usize| &sums[at * dim..][..dim];
    let Some(own) = rows.iter().position(|&row| text.artist(row) == artist) else { return found };
    let length = |at| dot(sum(at), sum(at));
    for (at, row) in rows.iter().enumerate() {
        let cosine = dot(sum(at), sum(own)) / sqrt((length(at) * length(own)).into()) as f32;
        if at != own && cosine.is_finite() {
            found.push(Place::new((cosine * ONE) as i32, row.0));
        }
    }
    best(&mut found, k);
    found
}

/// The cosine that the points of a place are.
pub fn cosine(points: i32) -> f32 {
    points as f32 / ONE
}
