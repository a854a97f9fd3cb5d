//! A world small enough to reason about: three genres of twenty tracks, far apart in taste.

use segue_core::{
    ids::fingerprint,
    model::{
        Loss, Model, ModelError, Responses, SectionKind, TasteParts, encode_clusters,
        encode_ranking, encode_text, fine_steps, quantise,
    },
    rng::SplitMix64,
};

/// The genres, each a cluster of that number.
pub const GENRES: [&str; 3] = ["jazz", "metal", "folk"];
/// Tracks of each genre in the first version.
pub const EACH: usize = 20;

const DIM: usize = 8;

/// The id of the `n`th track of a genre.
pub fn id(genre: &str, n: usize) -> String {
    format!("{genre}:{n:02}")
}

/// The first version: tracks 0 to 19 of each genre.
pub fn first() -> Result<Model, ModelError> {
    let tracks = |genre| (0..EACH).map(move |n| (genre, n));
    world((0..GENRES.len()).flat_map(tracks).collect())
}

/// The next version: the first track of each genre has gone, two have come.
pub fn second() -> Result<Model, ModelError> {
    let tracks = |genre| (1..EACH + 2).map(move |n| (genre, n));
    world((0..GENRES.len()).flat_map(tracks).collect())
}

/// The model of tracks, each a genre and a number in it.
fn world(mut tracks: Vec<(usize, usize)>) -> Result<Model, ModelError> {
    let print = |&(genre, n): &(usize, usize)| fingerprint(&id(GENRES[genre], n));
    tracks.sort_by_key(print);
    let ids: Vec<u64> = tracks.iter().map(print).collect();

    let factors: Vec<f32> = tracks.iter().flat_map(|&track| factor(track)).collect();
    let steps = fine_steps(&factors, DIM);
    let codes = quantise(&factors, &steps);
    let clusters: Vec<u16> = tracks.iter().map(|&(genre, _)| genre as u16).collect();
    let centroids: Vec<f32> =
        (0..GENRES.len() * DIM).map(|at| f32::from(u8::from(at / DIM == at % DIM))).collect();

    let names: Vec<(String, String)> = tracks
        .iter()
        .map(|&(genre, n)| (format!("Song {n}"), format!("The {} Band {}", GENRES[genre], n % 5)))
        .collect();
    let text = names.iter().zip(&tracks).map(|((title, artist), &(_, n))| {
        (title.as_str(), artist.as_str(), 180_000 + 1000 * n as u32)
    });

    let (digest, mut sections) = encode_ranking(&ids, &steps, &codes, &taste(&factors));
    sections.extend([
        (SectionKind::Clusters, encode_clusters(digest, DIM, &centroids, &clusters)),
        (SectionKind::Text, encode_text(digest, text, &GENRES.map(String::from))),
    ]);
    Model::from_sections(sections)
}

/// One along the genre's own axis, some along an axis that all share, a little of everything.
fn factor((genre, n): (usize, usize)) -> [f32; DIM] {
    let mut rng = SplitMix64::new((genre * 1000 + n) as u64);
    let mut factor = [0.0; DIM].map(|_: f32| 0.1 * rng.unit() as f32);
    factor[genre] += 1.0;
    factor[GENRES.len()] += 0.5;
    factor
}

/// Each kind of event says what its definition says; everyone likes all genres a little.
fn taste(factors: &[f32]) -> TasteParts {
    let mut mean = vec![0.0; DIM];
    mean[..=GENRES.len()].fill(0.2);
    TasteParts {
        loss: Loss { unobserved: 0.01, ridge: 0.5, exponent: 1.0 },
        catalogue: (factors.len() / DIM) as f32,
        pull: 1.0,
        responses: Responses::default(),
        mean,
        gram: None,
    }
}
