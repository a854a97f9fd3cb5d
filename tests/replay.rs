//! What `segue evaluate replay` estimates of a policy is what is true of it, on simulated listeners.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "replay/truth.rs"]
mod truth;

use std::sync::LazyLock;

use segue_core::{
    bytes::Aligned,
    model::{Model, RankerParts, Recipe, SectionKind, Spread},
    signals::Signal,
};
use segue_sim::{Config, World};
use segue_train::{
    dataset::Dataset,
    evaluate::replay::{Foretold, How, Outcome, Target, estimates::Estimate, replay},
    pipeline::{Options, train},
    progress::Progress,
    ranker::{rates::Counts, with_ranker, worth},
    search::Effort,
};
use truth::{Explored, explored, read};

/// A plain log, a model of it, and a log of the same world that explores.
static WORLD: LazyLock<(Dataset, Model, Explored)> = LazyLock::new(|| {
    let config = Config { listeners: 150, tracks: 120, days: 20, ..Config::default() };
    let plain = read(World::new(&config).unwrap().events()).dataset;
    let effort = Effort::QUICK;
    let options = Options { dim: 8, clusters: None, seed: 1, effort, head: None, after: None };
    let model = train(&plain, &options, &Progress::silent()).unwrap().model;
    (plain, model, explored(&config))
});

/// What is estimated of `model`, and what is true.
fn replayed(model: &Model, target: Target) -> (Outcome, f64) {
    let how = How { target, clip: None, seed: 1 };
    let (_, _, log) = &*WORLD;
    let found = replay(model, &log.reading, &how, &Progress::silent()).unwrap();
    let truth = log.value(&found);
    (found, truth)
}

fn holds(estimate: Estimate, value: f64) -> bool {
    (estimate.interval[0]..=estimate.interval[1]).contains(&value)
}

#[test]
fn intervals_hold_what_is_true_of_a_policy_and_that_of_the_mean_of_the_log_does_not() {
    for target in [Target::Greedy, Target::Softmax(0.2)] {
        let (found, truth) = replayed(&WORLD.1, target);
        let it = &found.estimates;
        for estimate in [it.ips, it.snips, it.robust] {
            assert!(holds(estimate, truth), "{target:?}: {truth} is not in {estimate:?}");
        }
        assert!(!holds(it.log, truth), "{target:?}: {truth} is in {:?}", it.log);
        assert!(it.log.value < truth && it.gain.interval[0] > 0.0, "{target:?}: {it:?}");
        assert!(found.judged.len() > 10_000 && found.unanswered < 100, "{}", found.unanswered);
        assert_eq!(found.foretold, Foretold::Signals);
    }
    let (found, truth) = replayed(&without_ranker(&WORLD.1), Target::Greedy);
    assert_eq!(found.foretold, Foretold::Rates);
    assert!(holds(found.estimates.robust, truth), "{truth}: {:?}", found.estimates);
}

/// The same model where nothing foretells a skip.
fn without_ranker(model: &Model) -> Model {
    const RANKED: [SectionKind; 4] =
        [SectionKind::Rates, SectionKind::Ranker, SectionKind::Tags, SectionKind::Context];
    let sections = model.sections().filter(|(id, _)| !RANKED.contains(&id.kind));
    Model::from_sections(sections.map(|(id, bytes)| (id, Aligned::copy_of(&bytes)))).unwrap()
}

/// What a model says of skips may be far off: the direct method is then as far off, the doubly robust is not.
#[test]
fn a_reward_that_is_foretold_wrongly_leaves_the_doubly_robust_estimate_true() {
    let (plain, model, _) = &*WORLD;
    let model = &without_ranker(model);
    let counts = Counts::of(plain, &worth(), |listener| plain.of(listener));
    let by = Spread { others: 1.0, ridge: 1.0, tags: 1.0 };
    for bias in [0.0, -2.0] {
        let recipe = Recipe {
            axes: 1,
            all: by,
            sitting: by,
            half_life: 1.0,
            prior: 1.0,
            bias,
            ..Recipe::default()
        };
        let mut parts = RankerParts { recipe, worth: worth(), ..RankerParts::default() };
        parts.weights[Signal::Rate as usize] = 1.0;
        let foretelling =
            with_ranker(model, &counts.rates(counts.shrinkage()), &parts, None).unwrap();
        let (found, truth) = replayed(&foretelling, Target::Greedy);
        let it = &found.estimates;
        assert_eq!(found.foretold, Foretold::Signals);
        assert!(holds(it.robust, truth), "{truth} is not in {:?}", it.robust);
        assert!(!holds(it.direct, truth), "{truth} is in {:?}", it.direct);
    }
}
