//! A world small enough to reason about: three genres of twenty tracks, far apart in taste.

use core::ops::Range;

use segue_core::{
    bytes::Aligned,
    codec::pairs::{LEANS, LEVELS, Pair},
    event::Kind,
    ids::fingerprint,
    model::{
        ContextParts, Entry, Habits, IdsDigest, Loss, Model, ModelError, NeighbourParts,
        RankerParts, Rate, Recipe, Responses, SectionId, SectionKind, Shard, Split, Spread,
        TasteParts, encode_albums, encode_clusters, encode_context, encode_finished,
        encode_neighbours, encode_ranker, encode_ranking, encode_rates, encode_split, encode_tags,
        encode_text, fine_steps, quantise,
    },
    moment::{Field, Moment},
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

/// The first version split: every fourth track of a genre is of the head, the others are in the
/// shard of the genre, in a cell of the earlier and one of the later ones.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn split() -> Result<Model, ModelError> {
    let tracks = |genre| (0..EACH).map(move |n| (genre, n));
    split_world((0..GENRES.len()).flat_map(tracks).collect())
}

/// The first version split, in which the head's tracks have other names and all else is as it was.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn split_renamed() -> Result<Model, ModelError> {
    let split = split()?;
    let renamed = split.sections().map(|(id, bytes)| {
        let mut bytes = bytes.into_owned();
        if id == SectionKind::Text.into() {
            for at in 0..bytes.len().saturating_sub(4) {
                if &bytes[at..at + 4] == b"Song" {
                    bytes[at..at + 4].copy_from_slice(b"Tune");
                }
            }
        }
        (id, Aligned::copy_of(&bytes))
    });
    let renamed: Vec<_> = renamed.collect();
    Model::from_sections(renamed)
}

/// The next version, split likewise.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn split_second() -> Result<Model, ModelError> {
    let tracks = |genre| (1..EACH + 2).map(move |n| (genre, n));
    split_world((0..GENRES.len()).flat_map(tracks).collect())
}

/// The next version again, in which each track of a genre is followed by the one of the same number in
/// the next genre.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn followed() -> Result<Model, ModelError> {
    let mut model = second()?;
    let pairs = pairs(&model, 1..EACH + 2);
    model.add([(SectionKind::Transitions, pairs)])?;
    Ok(model)
}

/// Each track of a genre with one of these numbers, and the one of the same number in the next genre.
fn pairs(model: &Model, numbers: Range<usize>) -> Aligned {
    let row = |genre: usize, n: usize| model.row(&id(GENRES[genre % GENRES.len()], n));
    let tracks = (0..GENRES.len()).flat_map(|genre| numbers.clone().map(move |n| (genre, n)));
    let pair = |(genre, n)| {
        let [from, to] = [row(genre, n)?.0, row(genre + 1, n)?.0];
        let lean = if from < to { 0 } else { LEANS as u8 - 1 };
        Some(Pair { rows: [from.min(to), from.max(to)], level: 0, lean })
    };
    let mut pairs: Vec<Pair> = tracks.filter_map(pair).collect();
    pairs.sort_by_key(|pair| pair.rows);
    let parts = NeighbourParts {
        powers: [0.0; 2],
        strengths: [0.5; LEVELS],
        classes: vec![0; model.len()],
        pairs,
        back: 0.0,
        habits: Habits { recency: 1.0, agreement: 0.5, again: 0.5, stay: 0.0, back: 0.0 },
    };
    encode_neighbours(model.ids_digest(), &parts).unwrap_or_default()
}

/// The first version again, in which people of a genre finish its tracks 0 to 9, the lower the more, and a
/// little of track 19 of the next genre.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn kindred() -> Result<Model, ModelError> {
    let mut model = first()?;
    let entry = |genre: usize, n: usize, level: u8| {
        Some(Entry::new(model.row(&id(GENRES[genre % GENRES.len()], n))?, level))
    };
    let list = |genre: usize| -> Vec<Entry> {
        let own = (0..10).filter_map(|n| entry(genre, n, 250 - 20 * n as u8));
        own.chain(entry(genre + 1, 19, 5)).collect()
    };
    let lists: Vec<Vec<Entry>> = (0..GENRES.len()).map(list).collect();
    let lists: Vec<&[Entry]> = lists.iter().map(Vec::as_slice).collect();
    let section = encode_finished(model.ids_digest(), model.len(), 0.002, &lists);
    model.add([(SectionKind::Finished, section)])?;
    Ok(model)
}

/// The first version again, in which the lower half of a genre is liked more than the upper, and everything that
/// foretells a yes has a weight.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn ranked() -> Result<Model, ModelError> {
    let mut model = first()?;
    foretell(&mut model, 0.0, &Moment::default().with(Field::Mood, "calm"))?;
    Ok(model)
}

/// Adds rates, tags, what `moment` tells and the weights of everything, where votes have this one.
fn foretell(model: &mut Model, votes: f32, moment: &Moment) -> Result<(), ModelError> {
    let mut rates = vec![Rate::default(); model.len()];
    for n in 0..EACH {
        for row in GENRES.iter().filter_map(|genre| model.row(&id(genre, n))) {
            let log_odds = if n < EACH / 2 { 1.0 } else { -0.5 };
            rates[row.index()] = Rate { log_odds, plays: n as f32 / 4.0 };
        }
    }
    let worth = Kind::ALL.map(|kind| match kind {
        Kind::Impression | Kind::Search | Kind::Click => 0.0,
        kind if kind.is_refusal() => -1.0,
        _ => 1.0,
    });
    let recipe = Recipe {
        axes: DIM as u32,
        prior: 2.0,
        log_odds: 0.3,
        bias: 0.25,
        all: Spread { others: 2.0, ridge: 0.5, tags: 3.0 },
        sitting: Spread { others: 1.0, ridge: 0.5, tags: 1.0 },
        half_life: 8.0,
        memory: 0.0,
        late: 0.25,
        learned_from: [100, 2000],
    };
    let weights = [
        3.0, votes, 0.5, 0.05, 0.5, 0.25, 1.5, 1.0, -0.1, 0.5, -0.25, 0.75, -0.25, 1.0, 1.0, 1.0,
        1.0, 1.0, 1.0,
    ];
    let parts = RankerParts { recipe, worth, weights };
    let ids = model.ids_digest();
    // Every genre is a tag, and every other track of it is calm.
    let names: Vec<String> =
        GENRES.iter().chain(&["calm"]).map(|name| (*name).to_owned()).collect();
    let mut of = vec![0_u64; model.len()];
    for (genre, name) in GENRES.iter().enumerate() {
        for n in 0..EACH {
            if let Some(row) = model.row(&id(name, n)) {
                of[row.index()] = 1 << genre | u64::from(n % 2 == 0) << GENRES.len();
            }
        }
    }
    // The mood is for what is calm, the other fields for the features before that.
    let effect = |(field, key): (Field, u32)| {
        let mut effect = vec![0.0; DIM + names.len()];
        effect[DIM + GENRES.len() + field as usize - Field::Mood as usize] = 1.5;
        (key, effect)
    };
    let mut effects: Vec<_> = moment.known().map(effect).collect();
    effects.sort_by_key(|&(key, _)| key);
    let context = ContextParts { axes: DIM, tags: names.len(), effects };
    model.add([
        (SectionKind::Rates, encode_rates(ids, &rates)),
        (SectionKind::Ranker, encode_ranker(&parts)),
        (SectionKind::Tags, encode_tags(ids, &of, &names)),
        (SectionKind::Context, encode_context(&context)),
    ])
}

/// The same with the first ten tracks of a genre on the first albums of their artists, the others on the second.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn albums() -> Result<Model, ModelError> {
    let mut model = ranked()?;
    let albums = on_albums(&model);
    model.add([(SectionKind::Albums, albums)])?;
    Ok(model)
}

fn on_albums(model: &Model) -> Aligned {
    let mut albums = vec![0; model.len()];
    for n in 0..EACH {
        for row in GENRES.iter().filter_map(|genre| model.row(&id(genre, n))) {
            albums[row.index()] = if n < EACH / 2 { 1 } else { 2 };
        }
    }
    encode_albums(model.ids_digest(), &albums)
}

/// The first version with everything that a ranking may depend on: pairs that go together and follow each other,
/// albums, and a weight for every signal, with an effect of every field of one moment.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn whole() -> Result<Model, ModelError> {
    let mut model = first()?;
    let texts = [
        (Field::Region, "BR"),
        (Field::Device, "phone"),
        (Field::Source, "radio"),
        (Field::Mood, "calm"),
    ];
    let moment =
        texts.iter().fold(Moment::default(), |moment, (field, text)| moment.with(*field, text));
    foretell(&mut model, 0.5, &moment.on(1_735_691_384_747, -180))?;
    let (pairs, albums) = (pairs(&model, 0..EACH), on_albums(&model));
    model.add([
        (SectionKind::Neighbours, pairs.clone()),
        (SectionKind::Transitions, pairs),
        (SectionKind::Albums, albums),
    ])?;
    Ok(model)
}

/// Tracks, each a genre and a number in it, in the order of their fingerprints.
struct World {
    tracks: Vec<(usize, usize)>,
    ids: Vec<u64>,
    steps: Vec<f32>,
    codes: Vec<i8>,
    taste: TasteParts,
}

impl World {
    fn new(mut tracks: Vec<(usize, usize)>) -> Self {
        let print = |&(genre, n): &(usize, usize)| fingerprint(&id(GENRES[genre], n));
        tracks.sort_by_key(print);
        let ids: Vec<u64> = tracks.iter().map(print).collect();
        let factors: Vec<f32> = tracks.iter().flat_map(|&track| factor(track)).collect();
        let steps = fine_steps(&factors, DIM);
        let codes = quantise(&factors, &steps);
        Self { tracks, ids, steps, codes, taste: taste(&factors) }
    }

    fn clusters(&self, ids: IdsDigest, rows: &[usize]) -> Aligned {
        let clusters: Vec<u16> = rows.iter().map(|&row| self.tracks[row].0 as u16).collect();
        let centroids: Vec<f32> =
            (0..GENRES.len() * DIM).map(|at| f32::from(u8::from(at / DIM == at % DIM))).collect();
        encode_clusters(ids, DIM, &centroids, &clusters)
    }

    fn text(&self, ids: IdsDigest, rows: &[usize], clusters: &[String]) -> Aligned {
        let names: Vec<(String, String, u32)> = rows
            .iter()
            .map(|&row| self.tracks[row])
            .map(|(genre, n)| {
                let artist = format!("The {} Band {}", GENRES[genre], n % 5);
                (format!("Song {n}"), artist, 180_000 + 1000 * n as u32)
            })
            .collect();
        let text = names.iter().map(|(title, artist, ms)| (title.as_str(), artist.as_str(), *ms));
        encode_text(ids, text, clusters)
    }
}

fn world(tracks: Vec<(usize, usize)>) -> Result<Model, ModelError> {
    let world = World::new(tracks);
    let (ids, mut sections) = encode_ranking(&world.ids, &world.steps, &world.codes, &world.taste);
    let rows: Vec<usize> = (0..world.tracks.len()).collect();
    sections.extend([
        (SectionKind::Clusters, world.clusters(ids, &rows)),
        (SectionKind::Text, world.text(ids, &rows, &GENRES.map(String::from))),
    ]);
    Model::from_sections(sections)
}

fn split_world(tracks: Vec<(usize, usize)>) -> Result<Model, ModelError> {
    let world = World::new(tracks);
    let cell = |&(genre, n): &(usize, usize)| {
        let late = usize::from(n > EACH / 2);
        (n % 4 > 0).then_some((2 * genre + late) as u32)
    };
    let cell_of: Vec<Option<u32>> = world.tracks.iter().map(cell).collect();
    let split = Split { cell_of: &cell_of, shard_of: &[1, 1, 2, 2, 3, 3], shift: 0 };
    let split = encode_split(&world.ids, &world.steps, &world.codes, &world.taste, &split);
    let (shards, mut sections) = split.unwrap_or_default();
    for Shard { number: shard, tracks, ids } in shards {
        let of = |kind| SectionId { shard, kind };
        let names = if shard == 0 { GENRES.map(String::from).to_vec() } else { Vec::new() };
        sections.push((of(SectionKind::Text), world.text(ids, &tracks, &names)));
        if shard == 0 {
            sections.push((of(SectionKind::Clusters), world.clusters(ids, &tracks)));
        }
    }
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
