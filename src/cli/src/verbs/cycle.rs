//! `segue loop`: from what was collected to the next version, again and again.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use segue_core::model::{Model, container};
use segue_serve::registry::{Options, Published, Registry};
use segue_train::{
    checkpoints::Checkpoints,
    dataset::{Dataset, Reading},
    gate::{HeldOut, Verdict},
    pipeline::{self, Recipe, Updating, train, update},
    progress::Progress,
    search::Effort,
    standing::{LeftOut, Standing},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Catalogue,
    logs::{Days, Logs},
    now_ms,
    signing::{Signing, share},
    update::share as fraction,
};
use crate::{
    config::Configured,
    failure::{Done, Failure},
    output::write_whole,
    ui::{STOP, Ui, Writing, counted},
};

/// Train what was collected, and publish it where it is not worse.
///
/// Each round reads the lake, holds out what some listeners did since the last one, trains the next version of the model in
/// force on all else, and compares both on what was held out. The new one is published only where a 95 % interval of the
/// difference does not reach further below zero than the margin; pages that are open take it up by themselves.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  segue serve --registry registry --keys keys --collect intake --lake lake &\n  \
                  segue loop lake --registry registry --keys keys --state state --every 3600\n\n\
                  The first round, with nothing in force, publishes what it trains."
)]
pub struct Arguments {
    #[command(flatten)]
    configured: Configured,
    /// The lake, or any other logs that `segue train` reads.
    #[arg(required = true, value_name = "EVENTS")]
    events: Vec<PathBuf>,
    #[command(flatten)]
    days: Days,
    #[command(flatten)]
    catalogue: Catalogue,
    #[command(flatten)]
    signing: Signing,
    /// The folder of the last model that was trained here, and of what it was trained on; it is made where it is not there.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Seconds from the start of one round to that of the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, conflicts_with = "once")]
    every: u32,
    /// One round, and no more.
    #[arg(long)]
    once: bool,
    /// How much of what the model in force reaches the new one may be worse by.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = fraction)]
    margin: f64,
    /// What share of listeners is held out.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = fraction)]
    hold_out: f64,
    /// Different tracks that a listener must have heard to count.
    #[arg(long, value_name = "TRACKS", default_value_t = 3)]
    standing: usize,
    /// Listeners that are new since the last round, at most, for each who was there before: whoever makes up listeners
    /// is bounded by that.
    #[arg(long, value_name = "LISTENERS", default_value_t = 0.5, value_parser = number)]
    newcomers: f64,
    /// For how many percent of devices a new version is at first.
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    rollout: Option<u16>,
    /// Components of a factor of the first model.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
}

/// A number from 0 on.
fn number(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number.filter(|number| *number >= 0.0).ok_or_else(|| "give a number, 0 or more".into())
}

/// What the last round left.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// Rounds so far; of which listeners are drawn next.
    round: u64,
    /// When the latest event happened that the last model was trained on, in milliseconds since 1970.
    until: i64,
    /// How many events there were when a model was last trained.
    events: usize,
}

/// What a round came to.
enum Outcome {
    /// Nothing happened since.
    Nothing,
    /// Nothing is in force to compare with.
    First(Published),
    /// It is not worse.
    Passed(Verdict, Published),
    /// It may be worse, or nothing shows that it is not.
    Refused(Verdict),
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    ui.heed_interrupt(None)?;
    // To be stopped is how it ends: a round that is under way is given up, a publication is completed.
    let _asked = Writing::begin();
    fs::create_dir_all(&arguments.state).map_err(|error| {
        Failure::during(format!("cannot make {}", arguments.state.display()), error)
    })?;
    let keys = arguments.signing.keys()?;
    let registry = arguments.signing.create()?;
    loop {
        let start = Instant::now();
        let options = Options {
            deltas: 5,
            share: arguments.rollout,
            ..arguments.signing.options(keys.as_ref())
        };
        let outcome = Round { arguments, registry: &registry, options: &options, ui }.run();
        match outcome {
            Err(_) if STOP.load(Ordering::SeqCst) => return Ok(()),
            Ok(outcome) => {
                let (json, text) = told(&outcome, start.elapsed());
                ui.finish(&json, &text)?;
            }
            Err(failure) if arguments.once => return Err(failure),
            // What fails now may be there at the next round: a lake that is not reached, a disk that is full.
            Err(failure) => ui.note(&format!("error: {failure}; the next round tries again")),
        }
        if arguments.once {
            return Ok(());
        }
        let every = Duration::from_secs(arguments.every.into());
        while start.elapsed() < every && !STOP.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(200).min(every - start.elapsed().min(every)));
        }
        if STOP.load(Ordering::SeqCst) {
            return Ok(());
        }
    }
}

struct Round<'a> {
    arguments: &'a Arguments,
    registry: &'a Registry,
    options: &'a Options<'a>,
    ui: &'a Ui,
}

impl Round<'_> {
    fn run(&self) -> Result<Outcome, Failure> {
        let Arguments { events, days, catalogue, .. } = self.arguments;
        let report = |report: segue_train::progress::Report<'_>| self.ui.report(report);
        let checkpoints = Checkpoints::default();
        let progress = Progress { report: &report, stop: &STOP, checkpoints: &checkpoints };
        let logs = Logs {
            events,
            catalogue,
            columns: &[],
            skip_bad_lines: false,
            offers: false,
            days: *days,
        };
        let Reading { dataset, .. } = logs.read(self.ui, &progress)?;
        let state = self.state()?;
        let until = dataset.events().iter().map(|event| event.at).max().unwrap_or(0);
        let next = State { round: state.round + 1, until, events: dataset.len() };
        let in_force = match self.registry.in_force()? {
            Some(_) => Some(self.registry.load()?.1),
            None => None,
        };
        let after = if state.until > 0 { state.until } else { last_tenth(&dataset) };
        let counted = self.counted(&dataset, in_force.as_ref().map_or(0, |_| after), next.round);
        let Some(in_force) = in_force else {
            let (model, file) = self.train(&counted, None, &progress)?;
            return Ok(Outcome::First(self.publish(&model, &file, &next)?));
        };
        if state.events == dataset.len() {
            return Ok(Outcome::Nothing);
        }
        let held = HeldOut { after, share: self.arguments.hold_out, seed: next.round };
        let (model, file) = self.train(&held.rest(&counted), Some(&in_force), &progress)?;
        let verdict = held.judge(&counted, &in_force, &model, self.arguments.margin);
        if verdict.passes() {
            let published = self.publish(&model, &file, &next)?;
            return Ok(Outcome::Passed(verdict, published));
        }
        // Kept to be looked at. What was held out is judged by again, with what comes until then; not before anything
        // comes, as with one draw of listeners after another whatever is refused would pass in the end.
        write_whole(&self.arguments.state.join("refused.segue"), |to| Ok(to.write_all(&file)?))?;
        self.keep(&State { until: state.until, ..next })?;
        Ok(Outcome::Refused(verdict))
    }

    /// Without the listeners who have no standing, and says how many these are.
    fn counted(&self, dataset: &Dataset, since: i64, seed: u64) -> Dataset {
        let Arguments { standing: tracks, newcomers, .. } = *self.arguments;
        let (dataset, left) = Standing { tracks, newcomers }.of(dataset, since, seed);
        if left != LeftOut::default() {
            self.ui.note(&format!(
                "{} of fewer than {} and {} left out",
                counted(left.slight, "listener"),
                counted(tracks, "track"),
                counted(left.newcomers, "newcomer"),
            ));
        }
        dataset
    }

    /// The next version of the model in force, where it was trained here and its axes still fit; else a model after it.
    fn train(
        &self,
        dataset: &Dataset,
        in_force: Option<&Model>,
        progress: &Progress<'_>,
    ) -> Result<(Model, Vec<u8>), Failure> {
        if let Some(base) = in_force
            && let Some(recipe) = self.recipe_of(base)
        {
            let how = Updating { base, recipe: &recipe, budget: 0.975 };
            if let Some(model) = update(dataset, &how, progress)?.model {
                let file = model.to_file_with(&[(container::RECIPE, &recipe.to_note())]);
                return Ok((model, file));
            }
        }
        let options = pipeline::Options {
            dim: in_force.map_or(self.arguments.dim.into(), Model::dim),
            clusters: None,
            seed: 1,
            effort: Effort::QUICK,
            head: None,
            after: in_force,
        };
        let trained = train(dataset, &options, progress)?;
        let file = trained.model.to_file_with(&[(container::RECIPE, &trained.recipe.to_note())]);
        Ok((trained.model, file))
    }

    /// How the model in force was trained, where that was done here.
    fn recipe_of(&self, in_force: &Model) -> Option<Recipe> {
        // Where a publication was cut off, one or the other is in force.
        [self.model_path(), self.next_path()].iter().find_map(|path| {
            let file = fs::read(path).ok()?;
            let kept = Model::from_file(&file).ok()?;
            (kept.to_file() == in_force.to_file()).then(|| Recipe::read(&file).ok())?
        })
    }

    /// Puts a model into force; what it is made of is kept for the next round first.
    fn publish(&self, model: &Model, file: &[u8], next: &State) -> Result<Published, Failure> {
        write_whole(&self.next_path(), |to| Ok(to.write_all(file)?))?;
        let options = Options { now_ms: now_ms(), ..*self.options };
        let published = self.registry.publish(model, &options)?;
        fs::rename(self.next_path(), self.model_path())?;
        self.keep(next)?;
        Ok(published)
    }

    fn model_path(&self) -> PathBuf {
        self.arguments.state.join("model.segue")
    }

    fn next_path(&self) -> PathBuf {
        self.arguments.state.join("next.segue")
    }

    fn state_path(&self) -> PathBuf {
        self.arguments.state.join("loop.json")
    }

    fn state(&self) -> Result<State, Failure> {
        let path = self.state_path();
        match fs::read(&path) {
            Ok(json) => Ok(serde_json::from_slice(&json).map_err(|error| damaged(&path, error))?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(Failure::during(format!("cannot read {}", path.display()), error)),
        }
    }

    fn keep(&self, state: &State) -> Done {
        let json = serde_json::to_vec_pretty(state)?;
        write_whole(&self.state_path(), |to| Ok(to.write_all(&json)?))
    }
}

fn damaged(path: &Path, error: serde_json::Error) -> Failure {
    Failure::during(
        format!(
            "{} is damaged: remove it, and the next round holds out the last tenth",
            path.display()
        ),
        error,
    )
}

/// When the last tenth of all events begins.
fn last_tenth(dataset: &Dataset) -> i64 {
    let mut times: Vec<i64> = dataset.events().iter().map(|event| event.at).collect();
    times.sort_unstable();
    times.get(times.len() / 10 * 9).copied().unwrap_or(0)
}

fn told(outcome: &Outcome, took: Duration) -> (Value, String) {
    let seconds = took.as_secs_f64();
    let of = |verdict: &Verdict| {
        let Verdict { listeners, in_force, new, difference, interval, margin, .. } = verdict;
        let json = json!({
            "listeners": listeners, "ndcg@20_in_force": in_force, "ndcg@20_new": new,
            "difference": difference, "interval": interval, "margin": margin,
        });
        let text = format!(
            "NDCG@20 {new:.4}, that in force {in_force:.4}: {difference:+.4} [{:+.4}, {:+.4}] on {}",
            interval[0],
            interval[1],
            counted(*listeners, "listener"),
        );
        (json, text)
    };
    match outcome {
        Outcome::Nothing => {
            (json!({ "outcome": "nothing", "seconds": seconds }), "nothing happened since".into())
        }
        Outcome::First(published) => (
            json!({ "outcome": "first", "version": published.version, "seconds": seconds }),
            format!("version {} is in force, the first one, in {seconds:.1} s", published.version),
        ),
        Outcome::Passed(verdict, published) => {
            let (judged, text) = of(verdict);
            let json = json!({
                "outcome": "published", "version": published.version,
                "delta_bytes": published.delta_bytes, "judged": judged, "seconds": seconds,
            });
            (json, format!("version {} is in force: {text}, in {seconds:.1} s", published.version))
        }
        Outcome::Refused(verdict) => {
            let (judged, text) = of(verdict);
            let why = format!(
                "refused: {text}, which may not reach below {:.4}; it is kept as refused.segue",
                -verdict.margin
            );
            (json!({ "outcome": "refused", "judged": judged, "seconds": seconds }), why)
        }
    }
}
