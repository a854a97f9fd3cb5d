//! The tracks of one shard: the sections that have an entry a track, validated together.

use super::{
    Albums, Clusters, Factors, Ids, ModelError, Neighbours, Rates, SectionKind, Shape, Tags, Text,
    albums, clusters, context, factors, finished,
    ids::{self, Directory},
    neighbours, ranker, rates, tags, text,
};
use crate::{bytes::Aligned, ids::Row};

/// The sections of one shard, as they came, in file order; the head's also hold what there is once a
/// model. Some are looked up for each track that is ranked.
#[derive(Clone, Debug, Default)]
pub(super) struct Sections([Option<Aligned>; SectionKind::ALL.len()]);

impl Sections {
    /// Puts a section in; an error where it is there already.
    pub fn put(&mut self, kind: SectionKind, bytes: Aligned) -> Result<(), ModelError> {
        let place = &mut self.0[kind.place()];
        if place.is_some() {
            return Err(ModelError::Duplicate(kind));
        }
        *place = Some(bytes);
        Ok(())
    }

    /// Takes a section out, where it is there.
    pub fn take(&mut self, kind: SectionKind) -> Option<Aligned> {
        self.0[kind.place()].take()
    }

    #[inline]
    pub fn get(&self, kind: SectionKind) -> Option<&[u8]> {
        self.0[kind.place()].as_ref().map(Aligned::as_slice)
    }

    pub fn require(&self, kind: SectionKind) -> Result<&[u8], ModelError> {
        self.get(kind).ok_or(ModelError::Missing(kind))
    }

    /// All of them, in file order.
    pub fn into_all(self) -> impl Iterator<Item = (SectionKind, Aligned)> {
        let all = SectionKind::ALL.into_iter().zip(self.0);
        all.filter_map(|(kind, bytes)| Some((kind, bytes?)))
    }

    /// Those that are here, in file order.
    pub fn iter(&self) -> impl Iterator<Item = (SectionKind, &[u8])> {
        SectionKind::ALL.into_iter().filter_map(|kind| Some((kind, self.get(kind)?)))
    }
}

/// Tracks with their factors, and with clusters and names where these are here.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub sections: Sections,
    pub shape: Shape,
    directory: Directory,
    factors: Factors,
    neighbours: Option<Neighbours>,
    transitions: Option<Neighbours>,
    /// The state that the delta gave it which made it.
    pub sealed: Option<u64>,
}

impl Part {
    /// Validates the sections that have an entry a track: ids, factors, clusters, names, lists of what is
    /// finished, rates, the ranker, albums, tags, contexts, neighbours, transitions.
    pub fn read(sections: Sections) -> Result<Self, ModelError> {
        let (rows, ids, directory) = ids::validate(sections.require(SectionKind::Ids)?)?;
        let coded = sections.require(SectionKind::Factors)?;
        let factors = factors::read(coded, Shape { rows, dim: 0, ids })?;
        let shape = Shape { rows, dim: factors.dim(), ids };
        let graph = |kind| {
            let read = |bytes| neighbours::read(kind, bytes, shape);
            sections.get(kind).map(read).transpose()
        };
        let graphs = [graph(SectionKind::Neighbours)?, graph(SectionKind::Transitions)?];
        Self::of(sections, shape, directory, factors, graphs)
    }

    /// The same of what was read already; validates the others.
    pub fn of(
        sections: Sections,
        shape: Shape,
        directory: Directory,
        factors: Factors,
        [neighbours, transitions]: [Option<Neighbours>; 2],
    ) -> Result<Self, ModelError> {
        const PLAIN: [SectionKind; 8] = [
            SectionKind::Clusters,
            SectionKind::Text,
            SectionKind::Finished,
            SectionKind::Rates,
            SectionKind::Ranker,
            SectionKind::Albums,
            SectionKind::Tags,
            SectionKind::Context,
        ];
        for kind in PLAIN {
            sections.get(kind).map_or(Ok(()), |bytes| validate(kind, bytes, shape))?;
        }
        Ok(Self { sections, shape, directory, factors, neighbours, transitions, sealed: None })
    }

    /// Remembers which state a delta gave it.
    pub const fn seal(&mut self, state: u64) {
        self.sealed = Some(state);
    }

    /// Whether what is decoded has its bytes here too.
    pub fn coded_are_here(&self) -> bool {
        let here = |kind| self.sections.get(kind).is_some();
        here(SectionKind::Factors)
            && (self.neighbours.is_none() || here(SectionKind::Neighbours))
            && (self.transitions.is_none() || here(SectionKind::Transitions))
    }

    /// The pairs of a section of this kind.
    pub const fn graph(&self, kind: SectionKind) -> Option<&Neighbours> {
        match kind {
            SectionKind::Neighbours => self.neighbours.as_ref(),
            SectionKind::Transitions => self.transitions.as_ref(),
            _ => None,
        }
    }

    /// Takes in neighbours, clusters or names that come after the rest.
    pub fn add(&mut self, kind: SectionKind, bytes: Aligned) -> Result<(), ModelError> {
        self.sealed = None;
        let graph = match kind {
            SectionKind::Neighbours => Some(&mut self.neighbours),
            SectionKind::Transitions => Some(&mut self.transitions),
            _ => None,
        };
        match graph {
            Some(graph @ None) => {
                *graph = Some(neighbours::read(kind, bytes.as_slice(), self.shape)?);
            }
            Some(_) => return Err(ModelError::Duplicate(kind)),
            None => validate(kind, bytes.as_slice(), self.shape)?,
        }
        self.sections.put(kind, bytes)
    }

    pub fn ids(&self) -> Ids<'_> {
        Ids::new(self.section(SectionKind::Ids), &self.directory)
    }

    pub const fn factors(&self) -> &Factors {
        &self.factors
    }

    /// The same, to keep sums.
    pub const fn factors_mut(&mut self) -> &mut Factors {
        &mut self.factors
    }

    pub const fn transitions(&self) -> Option<&Neighbours> {
        self.transitions.as_ref()
    }

    pub const fn neighbours(&self) -> Option<&Neighbours> {
        self.neighbours.as_ref()
    }

    pub fn clusters(&self) -> Option<Clusters<'_>> {
        let bytes = self.sections.get(SectionKind::Clusters)?;
        Some(Clusters::new(bytes, self.shape.rows, self.shape.dim))
    }

    #[inline]
    pub fn rates(&self) -> Option<Rates<'_>> {
        Some(Rates::new(self.sections.get(SectionKind::Rates)?, self.shape.rows))
    }

    pub fn albums(&self) -> Option<Albums<'_>> {
        Albums::new(self.sections.get(SectionKind::Albums)?)
    }

    pub fn tags(&self) -> Option<Tags<'_>> {
        Tags::new(self.sections.get(SectionKind::Tags)?)
    }

    /// The tags of a row of the shard, which has it, a bit each.
    #[inline]
    pub fn tags_of(&self, row: Row) -> u64 {
        self.sections.get(SectionKind::Tags).map_or(0, |bytes| tags::of(bytes, row))
    }

    #[inline]
    pub fn text(&self) -> Option<Text<'_>> {
        Some(Text::new(self.sections.get(SectionKind::Text)?, self.shape.rows))
    }

    /// A section that is known to be here.
    pub fn section(&self, kind: SectionKind) -> &[u8] {
        self.sections.get(kind).unwrap_or_default()
    }
}

fn validate(kind: SectionKind, bytes: &[u8], shape: Shape) -> Result<(), ModelError> {
    match kind {
        SectionKind::Clusters => clusters::validate(bytes, shape),
        SectionKind::Text => text::validate(bytes, shape),
        SectionKind::Finished => finished::validate(bytes, shape),
        SectionKind::Rates => rates::validate(bytes, shape),
        SectionKind::Ranker => ranker::validate(bytes, shape.dim),
        SectionKind::Albums => albums::validate(bytes, shape),
        SectionKind::Tags => tags::validate(bytes, shape),
        SectionKind::Context => context::validate(bytes),
        _ => Err(ModelError::Duplicate(kind)),
    }
}
