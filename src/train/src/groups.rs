//! Taste clusters on the way into a model: who is in them, what they are called, what their people finish.

use segue_core::{
    bytes::Aligned,
    ids::Row,
    model::{self, Model, SectionId, SectionKind, Shard},
};

use crate::{
    Interrupted,
    als::Factors,
    clusters::{Start, centroids, cluster, default_clusters, earlier, kept, own_concentration},
    dataset::Dataset,
    finished::{Crowd, Lists, finishes, memberships},
    naming::cluster_names,
    progress::Progress,
    search::People,
};

/// How many clusters there are to be, and which of them each track was in before.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How many: as many as `asked`, as the earlier model has, or as a rule of thumb says.
    pub count: usize,
    earlier: Option<Vec<Option<u16>>>,
}

impl Wanted {
    /// For `dataset`, where so many were `asked` for, `after` an earlier model.
    pub fn of(dataset: &Dataset, asked: Option<usize>, after: Option<&Model>) -> Self {
        let count = after.and_then(Model::clusters).map(|clusters| clusters.len()).or(asked);
        let count = count.unwrap_or_else(|| default_clusters(dataset.tracks.len()));
        Self { count, earlier: after.and_then(|model| earlier(dataset, model)) }
    }

    /// The clusters of tracks with these fingerprints, which ascend.
    pub fn keeping(dataset: &Dataset, fingerprints: &[u64], assignment: &[u16]) -> Self {
        let of = |print| Some(assignment[fingerprints.binary_search(print).ok()?]);
        let earlier = dataset.fingerprints.iter().map(of).collect();
        let count = assignment.iter().max().map_or(1, |&last| usize::from(last) + 1);
        Self { count, earlier: Some(earlier) }
    }

    /// The cluster of each track.
    pub fn cluster(
        &self,
        factors: &Factors,
        positives: &[usize],
        seed: u64,
        progress: &Progress<'_>,
    ) -> Result<Vec<u16>, Interrupted> {
        let anew = Start::Anew(self.count, seed);
        let start = self.earlier.as_deref().map_or(anew, Start::After);
        cluster(&factors.items, factors.dim, positives, start, progress)
    }

    /// The names of clusters, of which those that are still the same keep what `after` calls them.
    fn names(
        &self,
        dataset: &Dataset,
        assignment: &[u16],
        clusters: usize,
        after: Option<&Model>,
    ) -> Vec<String> {
        let mut names = cluster_names(dataset, assignment, clusters);
        let text = after.and_then(Model::text);
        if let (Some(text), Some(earlier)) = (text, &self.earlier) {
            let kept = kept(assignment, earlier, clusters);
            for (cluster, name) in names.iter_mut().enumerate().filter(|(at, _)| kept[*at]) {
                if let Some(before) = text.cluster_name(cluster) {
                    *name = before.to_owned();
                }
            }
        }
        names
    }
}

/// Taste clusters of a catalogue.
#[derive(Clone, Debug)]
pub struct Groups {
    /// The cluster of each track.
    pub assignment: Vec<u16>,
    /// One name a cluster.
    pub names: Vec<String>,
    /// κ of [`segue_core::membership`].
    concentration: f64,
    lists: Option<Lists>,
}

impl Groups {
    /// Of `factors`; lists are of what is `in_head`, or of all tracks where there is no head.
    pub fn of(
        (dataset, factors, positives): (&Dataset, &Factors, &[usize]),
        (asked, after): (Option<usize>, Option<&Model>),
        people: Option<&People>,
        in_head: &[bool],
        seed: u64,
        progress: &Progress<'_>,
    ) -> Result<Self, Interrupted> {
        let wanted = Wanted::of(dataset, asked, after);
        let assignment = wanted.cluster(factors, positives, seed, progress)?;
        let directions = centroids(&factors.items, factors.dim, &assignment);
        let clusters = directions.len() / factors.dim;
        let concentration = match people {
            Some(people) => people.concentration,
            None => own_concentration(&factors.items, factors.dim, &assignment),
        };
        let lists = people.and_then(|people| people.recipe).map(|recipe| {
            progress.stage("counting what people of a taste finish");
            let of = memberships(&factors.users, factors.dim, &directions, concentration);
            let named = |track: u32| in_head.get(track as usize).is_none_or(|&within| within);
            let finishes = finishes(dataset.events().iter());
            Crowd::new(&finishes, &of, clusters, named).lists(recipe)
        });
        let names = wanted.names(dataset, &assignment, clusters, after);
        Ok(Self { assignment, names, concentration, lists })
    }

    /// The sections of the head `shard`. `decoded` are the factors of all tracks in the model's own axes,
    /// `dim` reals each.
    pub fn sections(
        &self,
        Shard { tracks, ids, .. }: &Shard,
        decoded: &[f32],
        dim: usize,
    ) -> impl Iterator<Item = (SectionId, Aligned)> {
        let mut centroids = centroids(decoded, dim, &self.assignment);
        centroids.iter_mut().for_each(|x| *x *= self.concentration as f32);
        let assignment: Vec<u16> = tracks.iter().map(|&track| self.assignment[track]).collect();
        let clusters = model::encode_clusters(*ids, dim, &centroids, &assignment);
        let place = |track: u32| Some(Row(tracks.binary_search(&(track as usize)).ok()? as u32));
        let lists = self.lists.as_ref();
        let finished = lists.and_then(|lists| lists.section(*ids, tracks.len(), place));
        let clusters = (SectionKind::Clusters.into(), clusters);
        std::iter::once(clusters).chain(finished.map(|bytes| (SectionKind::Finished.into(), bytes)))
    }
}
