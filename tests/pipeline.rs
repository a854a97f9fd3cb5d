//! The whole way from a log to a model, on simulated listeners.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use segue_core::{
    event::Kind,
    ids::Row,
    model::{Model, Responses, SectionKind},
    rank::{rank, score},
    session::Session,
};
use segue_sim::{Config, World};
use segue_train::{
    TrainError,
    dataset::{self, Dataset},
    evaluate::scale::evaluate,
    log::Options as LogOptions,
    pipeline::{Options, Trained, train},
    progress::{Progress, Report},
    search::Effort,
};

const OPTIONS: Options =
    Options { dim: 16, clusters: None, seed: 1, effort: Effort::QUICK, head: None, after: None };

/// Logs and catalogues in a folder that goes with the value.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A simulated log and its catalogue.
    fn world(&self, listeners: u32, tracks: u32, days: u32) -> (PathBuf, PathBuf) {
        let config = Config { listeners, tracks, days, ..Config::default() };
        let world = World::new(&config).unwrap();
        let events = self.write("events.jsonl", &lines(world.events()));
        (events, self.write("catalogue.jsonl", &lines(world.catalogue())))
    }
}

fn lines(rows: impl Iterator<Item = impl serde::Serialize>) -> String {
    rows.map(|row| serde_json::to_string(&row).unwrap() + "\n").collect()
}

fn read(path: &PathBuf) -> Result<Dataset, TrainError> {
    let progress = Progress::silent();
    dataset::read(&[path], None, &LogOptions::default(), &progress).map(|read| read.dataset)
}

fn trained(dataset: &Dataset) -> Trained {
    train(dataset, &OPTIONS, &Progress::silent()).unwrap()
}

#[test]
fn a_simulated_log_becomes_a_model_that_beats_chance_and_learns_what_skips_say() {
    let files = Files::new();
    let (events, catalogue) = files.world(500, 400, 20);
    let progress = Progress::silent();
    let options = LogOptions::default();
    let read = dataset::read(&[events], Some(&catalogue), &options, &progress).unwrap();
    let fit = read.fit.unwrap();
    assert_eq!((fit.named, read.repeats()), (fit.heard, 0));
    assert_eq!(fit.heard + fit.new, 400, "a simulated catalogue describes all of its tracks");
    let trained = trained(&read.dataset);
    let validation = trained.validation.unwrap();
    assert!(validation.recall_20 > 2.0 * 20.0 / 400.0, "{validation:?}");
    let (before, after) =
        (trained.learned.auc_defined.unwrap(), trained.learned.auc_learned.unwrap());
    assert!(after > before && after > 0.55, "{before} {after}");
    let skip = trained.model.taste().responses().of(Kind::Skip);
    assert!(skip.learned_from >= 100, "{skip:?}");

    let people = trained.people.unwrap();
    assert!(people.concentration > 0.0 && people.listeners > 100, "{people:?}");
    assert_eq!(people.recipe.is_some(), trained.model.finished().is_some());

    let text = trained.model.text().unwrap();
    let named = (0..trained.model.clusters().unwrap().len())
        .filter(|&cluster| text.cluster_name(cluster).is_some())
        .count();
    assert!(named > 0);
    let row = trained.model.row("t000000").unwrap();
    assert!(!text.title(row).is_empty() && !text.artist(row).is_empty());
    let known = read.dataset.tracks.iter().filter_map(|track| {
        let row = trained.model.row(&track.track)?;
        Some(((&track.artist, &track.album), trained.model.credits(row)))
    });
    let known: Vec<_> = known.collect();
    for (names, credits) in &known {
        assert!(known.iter().all(|(others, same)| (names == others) == (credits == same)));
    }
    assert_eq!(Model::from_file(&trained.model.to_file()).unwrap().len(), trained.model.len());
}

#[test]
fn the_same_log_and_seed_give_the_same_bytes() {
    let files = Files::new();
    let (events, _) = files.world(60, 80, 10);
    let dataset = read(&events).unwrap();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let one = pool(1).install(|| trained(&dataset).model.to_file());
    let three = pool(3).install(|| trained(&dataset).model.to_file());
    assert!(one == three);
}

#[test]
fn a_catalogue_that_is_split_ranks_as_the_whole_one_but_for_its_coding() {
    let files = Files::new();
    let dataset = read(&files.world(60, 300, 5).0).unwrap();
    let whole = trained(&dataset).model;
    let options = Options { head: Some(80), ..OPTIONS };
    let split = train(&dataset, &options, &Progress::silent()).unwrap().model;
    assert_eq!(
        (split.factors().len(), split.len(), split.catalogue()),
        (80, whole.len(), whole.len())
    );
    assert!(split.shelves().count() > 1);
    let scores = |model: &Model| -> Vec<f32> {
        let ids: Vec<String> = dataset.tracks.iter().map(|track| track.track.clone()).collect();
        let rows: Vec<Option<Row>> = ids.iter().map(|id| model.row(id)).collect();
        let mut session = Session::new(model);
        session.add(model, rows[7].unwrap(), Kind::Like, 1.0);
        let mut queue = Vec::new();
        rank(model, &mut session, &rows, rows.len(), &mut queue);
        queue.sort_by_key(|place| place.index());
        queue.iter().map(|place| score(model, session.query(model), place.points())).collect()
    };
    let (a, b) = (scores(&split), scores(&whole));
    let pairs = (0..a.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    let (mut same, mut all) = (0, 0);
    for (i, j) in pairs.filter(|&(i, j)| a[i] != a[j] && b[i] != b[j]) {
        all += 1;
        same += i32::from((a[i] < a[j]) == (b[i] < b[j]));
    }
    // Head and shards take steps of their own, which no catalogue that is whole has.
    assert!(same > all * 90 / 100, "{same} of {all} pairs in the same order");
    for track in &dataset.tracks {
        let (a, b) = (whole.row(&track.track).unwrap(), split.row(&track.track).unwrap());
        assert_eq!(whole.cluster_of(a), split.cluster_of(b));
    }
}

#[test]
fn more_clusters_than_there_can_be_shards_are_refused_before_training() {
    let files = Files::new();
    let dataset = read(&files.world(20, 100, 2).0).unwrap();
    let options = Options { head: Some(10), clusters: Some(255), ..OPTIONS };
    let error = train(&dataset, &options, &Progress::silent()).unwrap_err();
    assert!(error.to_string().contains("--clusters 254 or fewer"), "{error}");
}

#[test]
fn an_event_that_arrives_twice_counts_once() {
    let files = Files::new();
    let line =
        r#"{"id":"a","user":"u","session":"s","track":"t","at":1700000000000,"kind":"play"}"#;
    let other = line.replace("\"t\"", "\"t2\"");
    let path = files.write("twice.jsonl", &format!("{line}\n{line}\n{other}\n"));
    assert_eq!(read(&path).unwrap().len(), 2);
}

#[test]
fn a_log_of_one_listener_trains_a_model() {
    let files = Files::new();
    let rows: String = (0..30).map(|i| format!("u\tt{i}\t{}\n", 1_700_000_000 + i * 200)).collect();
    let path = files.write("one.tsv", &format!("user\ttrack\tat\n{rows}"));
    let trained = trained(&read(&path).unwrap());
    assert_eq!((trained.model.len(), trained.listeners), (30, 1));
    assert!(trained.validation.is_none(), "one listener chooses no settings");
    assert_eq!(trained.model.taste().responses().of(Kind::Skip).learned_from, 0);
}

#[test]
fn a_log_of_one_track_trains_a_model() {
    let files = Files::new();
    let path = files.write("track.csv", "user,track,at\na,x,1700000000\nb,x,1700000100\n");
    assert_eq!(trained(&read(&path).unwrap()).model.len(), 1);
}

#[test]
fn more_components_than_tracks_and_all_listeners_alike_train_a_model() {
    let files = Files::new();
    let rows: String =
        (0..40).map(|i| format!("u{},t{},{}\n", i / 2, i % 2, 1_700_000_000 + i)).collect();
    let path = files.write("alike.csv", &format!("user,track,at\n{rows}"));
    let model = trained(&read(&path).unwrap()).model;
    assert_eq!((model.len(), model.dim()), (2, 16));
}

#[test]
fn a_log_of_nothing_but_skips_is_refused() {
    let files = Files::new();
    let path = files.write("skips.csv", "user,track,at,kind\na,x,1700000000,skip\n");
    let error = train(&read(&path).unwrap(), &OPTIONS, &Progress::silent()).unwrap_err();
    assert!(matches!(error, TrainError::Empty), "{error}");
}

#[test]
fn a_track_without_a_title_has_none_in_the_model_which_holds_no_ids() {
    let files = Files::new();
    let rows: String = (0..30).map(|n| format!("u,secret-{n},{}\n", 1_700_000_000 + n)).collect();
    let path = files.write("bare.csv", &format!("user,track,at\n{rows}"));
    let model = trained(&read(&path).unwrap()).model;
    let row = model.row("secret-3").unwrap();
    assert_eq!(model.text().unwrap().title(row), "");
    assert!(model.sections().all(|(id, _)| id.kind != SectionKind::Albums));
    assert!(!model.to_file().windows(6).any(|bytes| bytes == b"secret"));
}

/// Every stage that is reported, once for each time that it begins.
fn stages(dataset: &Dataset) -> (Trained, Vec<String>) {
    let stages = Mutex::new(Vec::new());
    let report = |report: Report<'_>| {
        if report.step == 0 && report.figure.is_none() {
            stages.lock().unwrap().push(report.stage.to_owned());
        }
    };
    let progress =
        Progress { report: &report, stop: &AtomicBool::new(false), ..Progress::silent() };
    let trained = train(dataset, &OPTIONS, &progress).unwrap();
    (trained, stages.into_inner().unwrap())
}

#[test]
fn where_nothing_is_learned_of_skips_nothing_is_settled_anew() {
    let files = Files::new();
    let mut log = String::from("user,track,at,kind\n");
    let (users, old) = (60, 40);
    for user in 0..users {
        for at in 1..=16 {
            log += &format!("u{user},t{},{at},play\n", (user * 7 + at * (1 + user % 3)) % old);
        }
        // What nobody else hears has no factor: however skips are weighed, the order is a draw.
        for at in 17..=20 {
            let kind = if at % 2 == 0 { "play" } else { "skip" };
            log += &format!("u{user},new-{user}-{at},{at},{kind}\n");
        }
    }
    let (trained, stages) = stages(&read(&files.write("draw.csv", &log)).unwrap());
    assert_eq!((trained.learned.auc_defined, trained.learned.auc_learned), (Some(0.5), Some(0.5)));
    assert_eq!(trained.learned.responses, Responses::default());
    let settled = stages.iter().filter(|stage| *stage == "choosing how to fold in").count();
    assert_eq!(settled, 1, "{stages:?}");
}

#[test]
fn a_file_that_is_no_catalogue_of_the_log_is_refused() {
    let files = Files::new();
    let (events, catalogue) = files.world(20, 30, 3);
    let refused = |catalogue: &PathBuf| {
        let (options, progress) = (LogOptions::default(), Progress::silent());
        dataset::read(&[&events], Some(catalogue), &options, &progress).unwrap_err()
    };
    let error = refused(&events);
    assert!(matches!(error, TrainError::NoCatalogue(_)), "{error}");
    assert!(error.to_string().contains("events.jsonl holds no title, artist or tag"), "{error}");
    let text = fs::read_to_string(&catalogue).unwrap();
    let other = files.write("other.jsonl", &text.replace("\"t0", "\"x0"));
    let error = refused(&other);
    assert!(matches!(error, TrainError::OtherCatalogue { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("other.jsonl names none of the") && said.contains("\"x0"), "{said}");
}

/// What comes of a training that is asked to stop when `stage` begins.
fn stopped_at(stage: Option<&str>) -> TrainError {
    let files = Files::new();
    let (events, _) = files.world(60, 80, 10);
    let dataset = read(&events).unwrap();
    let stop = AtomicBool::new(false);
    let report = |report: Report<'_>| {
        if stage.is_none_or(|stage| report.stage == stage) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    train(&dataset, &OPTIONS, &Progress { report: &report, stop: &stop, ..Progress::silent() })
        .unwrap_err()
}

#[test]
fn training_that_is_asked_to_stop_stops() {
    for stage in [None, Some("training factors"), Some("clustering")] {
        let error = stopped_at(stage);
        assert!(matches!(error, TrainError::Interrupted(_)), "{stage:?}: {error}");
    }
}

#[test]
fn what_ships_ranks_about_as_well_as_what_was_trained() {
    let files = Files::new();
    let dataset = read(&files.world(150, 200, 10).0).unwrap();
    let [f32, int8, wire] = evaluate(&dataset, &OPTIONS, 150, &Progress::silent())
        .unwrap()
        .try_into()
        .unwrap_or_else(|_| panic!("three forms"));
    let trained = f32.accuracy.objective();
    assert!(trained > 0.1 && int8.accuracy.objective() > 0.95 * trained, "{f32:?} {int8:?}");
    assert!(wire.accuracy.objective() > 0.9 * trained, "{f32:?} {wire:?}");
    assert!(wire.bytes_per_item < f32.bytes_per_item / 2.0, "{f32:?} {wire:?}");
}
