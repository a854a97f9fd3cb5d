//! `segue simulate --policy`: recommenders in a closed loop with simulated listeners.

use std::{io::Write, sync::atomic::Ordering};

use rayon::prelude::*;
use segue_core::{model::Model, slate};
use segue_sim::{
    Config, World,
    trial::{AFTER, Arm, BEFORE, FIGURES, SITTINGS, Tally, Trial},
};
use segue_train::{
    checkpoints::Checkpoints,
    dataset, log,
    pipeline::{Options, train},
    progress::Progress,
    search::Effort,
};
use serde_json::{Value, json};

use super::lines;
use crate::{
    failure::{Done, Failure},
    ui::{STOP, Ui},
};

/// What is tried on whom.
pub struct Plan<'a> {
    /// Of the first world; each further one has the next seed.
    pub config: Config,
    pub policies: &'a [Arm],
    pub worlds: u32,
    /// Listeners of each world who come back.
    pub people: u32,
    /// How the policy `chosen` chooses.
    pub options: slate::Options,
}

/// What came of one world: for each policy its figures, and its queue while the mood turned.
struct Outcome {
    figures: Vec<[f64; FIGURES.len()]>,
    turns: Vec<Curve>,
}

/// For each number of events, how well the next tracks fit the mood that comes, in the mean.
type Curve = Vec<f64>;

pub fn run(plan: &Plan<'_>, ui: &Ui) -> Done {
    let mut outcomes = Vec::new();
    for world in 0..plan.worlds {
        let seed = plan.config.seed.wrapping_add(world.into());
        let config = Config { seed, ..plan.config.clone() };
        let of = format!("world {} of {}", world + 1, plan.worlds);
        ui.say(&format!("{of}: its log"));
        let world = World::new(&config)?;
        let model = trained(&world, ui)?;
        ui.say(&format!("{of}: listeners come back"));
        outcomes
            .push(tried(&Trial::new(&world, &model, plan.people, plan.options), plan.policies)?);
    }
    ui.finish(&to_json(plan, &outcomes), &to_text(plan, &outcomes))
}

/// A model of the log of a world, by the way that any log goes.
fn trained(world: &World, ui: &Ui) -> Result<Model, Failure> {
    let folder = tempfile::tempdir()?;
    let [events, catalogue] =
        ["events.jsonl", "catalogue.jsonl"].map(|name| folder.path().join(name));
    let mut out = std::io::BufWriter::new(std::fs::File::create(&events)?);
    lines(&mut out, world.events(), &events)?;
    out.flush()?;
    let mut out = std::io::BufWriter::new(std::fs::File::create(&catalogue)?);
    lines(&mut out, world.catalogue(), &catalogue)?;
    out.flush()?;
    let report = |report: segue_train::progress::Report<'_>| ui.report(report);
    let checkpoints = Checkpoints::default();
    let progress = Progress { report: &report, stop: &STOP, checkpoints: &checkpoints };
    let how = log::Options::default();
    let dataset = dataset::read(&[events], Some(&catalogue), &how, &progress)?.dataset;
    let seed = world.config().seed;
    let options =
        Options { dim: 64, clusters: None, seed, effort: Effort::QUICK, head: None, after: None };
    Ok(train(&dataset, &options, &progress)?.model)
}

fn tried(trial: &Trial<'_>, policies: &[Arm]) -> Result<Outcome, Failure> {
    let mut outcome = Outcome { figures: Vec::new(), turns: Vec::new() };
    for &arm in policies {
        let mut tally = Tally::default();
        each(trial, |person| trial.run(person, arm))?.iter().for_each(|other| tally.add(other));
        outcome.figures.push(tally.figures());
        let curves = each(trial, |person| trial.turn(person, arm))?;
        outcome.turns.push(mean_curve(&curves.iter().collect::<Vec<_>>()));
    }
    Ok(outcome)
}

/// What comes of each person, until somebody interrupts.
fn each<T: Send>(trial: &Trial<'_>, of: impl Fn(usize) -> T + Sync) -> Result<Vec<T>, Failure> {
    let of_one = |person| (!STOP.load(Ordering::Relaxed)).then(|| of(person));
    let all: Option<Vec<T>> = (0..trial.people()).into_par_iter().map(of_one).collect();
    all.ok_or_else(|| Failure::from("interrupted".to_owned()))
}

/// The mean of curves, of which some may be shorter than others.
fn mean_curve(curves: &[&Curve]) -> Curve {
    let at = |place: usize| {
        let fits: Vec<f64> = curves.iter().filter_map(|curve| curve.get(place)).copied().collect();
        fits.iter().sum::<f64>() / fits.len().max(1) as f64
    };
    (0..BEFORE + AFTER).map(at).collect()
}

/// How a queue followed the mood.
struct Followed {
    /// How well it fits the mood that comes when nothing of it has been heard.
    from: f64,
    /// How much better it does in the last third, world by world.
    gains: Vec<f64>,
    /// After how many events it was half way; `None` where worlds do not agree that it got anywhere.
    after: Option<usize>,
}

impl Followed {
    fn of(outcomes: &[Outcome], policy: usize) -> Self {
        let ends = |curve: &Curve| {
            let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
            (mean(&curve[BEFORE - 3..BEFORE]), mean(&curve[BEFORE + AFTER - AFTER / 3..]))
        };
        let curve = turned(outcomes, policy);
        let (from, to) = ends(&curve);
        let each = outcomes.iter().map(|outcome| ends(&outcome.turns[policy]));
        let gains: Vec<f64> = each.map(|(from, to)| to - from).collect();
        let (gain, margin) = spread(&gains);
        let half = curve[BEFORE..].iter().position(|&fit| fit >= (from + to) / 2.0);
        Self { from, gains, after: half.filter(|_| gain > margin.unwrap_or(0.0)) }
    }
}

/// The mean of what each world gave, and half of its 95 % interval by Student's t; none from one world.
fn spread(values: &[f64]) -> (f64, Option<f64>) {
    /// Quantiles of 97.5 % for 1 to 10 degrees of freedom; beyond these the normal one and what is left.
    const T: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count.max(1.0);
    let freedom = values.len().saturating_sub(1);
    if freedom == 0 {
        return (mean, None);
    }
    let t = T.get(freedom - 1).copied().unwrap_or(1.96 + 2.5 / freedom as f64);
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / freedom as f64;
    (mean, Some(t * (variance / count).sqrt()))
}

/// What the worlds gave for a figure of a policy.
fn of_worlds(outcomes: &[Outcome], policy: usize, figure: usize) -> Vec<f64> {
    outcomes.iter().map(|outcome| outcome.figures[policy][figure]).collect()
}

/// The same less that of another policy, world by world.
fn differences(outcomes: &[Outcome], [one, other]: [usize; 2], figure: usize) -> Vec<f64> {
    let [one, other] = [one, other].map(|policy| of_worlds(outcomes, policy, figure));
    one.iter().zip(other).map(|(one, other)| one - other).collect()
}

fn turned(outcomes: &[Outcome], policy: usize) -> Curve {
    mean_curve(&outcomes.iter().map(|outcome| &outcome.turns[policy]).collect::<Vec<_>>())
}

fn figure_json(values: &[f64]) -> Value {
    let (mean, margin) = spread(values);
    json!({ "mean": mean, "interval": margin.map(|margin| [mean - margin, mean + margin]) })
}

fn to_json(plan: &Plan<'_>, outcomes: &[Outcome]) -> Value {
    let named = |of: &dyn Fn(usize) -> Value| -> Value {
        FIGURES.iter().enumerate().map(|(at, name)| ((*name).to_owned(), of(at))).collect()
    };
    let policies = plan.policies.iter().enumerate().map(|(at, arm)| {
        let Followed { from, gains, after } = Followed::of(outcomes, at);
        json!({
            "policy": arm.name(),
            "figures": named(&|figure| figure_json(&of_worlds(outcomes, at, figure))),
            "turn": {
                "from": from,
                "gain": figure_json(&gains),
                "followed_after": after,
                "fits": turned(outcomes, at),
            },
        })
    });
    let full = plan.policies.iter().position(|&arm| arm == Arm::Full);
    let against = full.into_iter().flat_map(|full| {
        let others = plan.policies.iter().enumerate().filter(move |(at, _)| *at != full);
        others.map(move |(at, arm)| {
            let of = |figure| figure_json(&differences(outcomes, [full, at], figure));
            json!({ "full_less": arm.name(), "figures": named(&of) })
        })
    });
    json!({
        "worlds": plan.worlds,
        "listeners": plan.people.min(plan.config.listeners),
        "sittings": SITTINGS,
        "policies": policies.collect::<Vec<_>>(),
        "differences": against.collect::<Vec<_>>(),
    })
}

fn to_text(plan: &Plan<'_>, outcomes: &[Outcome]) -> String {
    let (worlds, people) = (plan.worlds, plan.people.min(plan.config.listeners));
    let mut text = format!(
        "{SITTINGS} sittings of {people} listeners in each of {worlds} worlds; ± is half of a 95 % interval over \
         worlds\nmood: how much better the queue fits a mood once it has turned, and after how many events half of that is \
         there\n\n{:<22}",
        "policy"
    );
    for name in FIGURES {
        text += &format!("{name:>18}");
    }
    text += &format!("{:>18}{:>12}\n", "mood", "half after");
    let cells = |values: &dyn Fn(usize) -> Vec<f64>| -> String {
        (0..FIGURES.len()).map(|figure| format!("{:>18}", cell(&values(figure)))).collect()
    };
    for (at, arm) in plan.policies.iter().enumerate() {
        let Followed { gains, after, .. } = Followed::of(outcomes, at);
        let after = after.map_or_else(|| "–".into(), |after| after.to_string());
        let turn = cell(&gains);
        let figures = cells(&|figure| of_worlds(outcomes, at, figure));
        text += &format!("{:<22}{figures}{turn:>18}{after:>12}\n", arm.name());
    }
    if let Some(full) = plan.policies.iter().position(|&arm| arm == Arm::Full) {
        for (at, arm) in plan.policies.iter().enumerate().filter(|(at, _)| *at != full) {
            let figures = cells(&|figure| differences(outcomes, [full, at], figure));
            text += &format!("{:<22}{figures}\n", format!("full less {}", arm.name()));
        }
    }
    text
}

fn cell(values: &[f64]) -> String {
    let (mean, margin) = spread(values);
    match margin {
        Some(margin) => format!("{mean:.3} ±{margin:.3}"),
        None => format!("{mean:.3}"),
    }
}
