//! `segue evaluate replay`.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use segue_train::{
    evaluate::replay::{
        Foretold, How, Outcome, Target,
        estimates::{Estimate, Estimates},
        replay as with_model, replay_held_out,
    },
    search::Effort,
};
use serde_json::{Map, Value, json};

use super::{detail::sure, learning::Learning};
use crate::{
    failure::Done,
    ui::{Ui, counted},
    verbs::{Catalogue, read_model, train::EffortName},
};

/// What listeners would think of what a model offers, told from a log of what was offered.
///
/// The log is one of a policy that drew what it offered: events of kind `impression` say with which `propensity`
/// (from 1e-9 to 1) a track was drawn among which `candidates`, before what the listener then did with it. Each
/// is replayed: the model ranks the candidates for the listener as they were, and would have offered the first,
/// or drawn one (--temperature). The reward is 1 where the listener's next event about the track in the sitting is no
/// skip and no dislike, 0 where it is one. What is estimated is the mean reward under the model, by inverse
/// propensity, self-normalised, by the direct method, and doubly robust. What stands behind ± is half of a 95 %
/// interval, by the bootstrap over listeners.
///
/// Without --model one is trained on all but the last fifth of each listener's events, which is replayed. A
/// --model is to be one that was trained on other events than these.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    segue simulate --explore --out explored.jsonl\n  \
    segue evaluate replay --events explored.jsonl --json\n  \
    segue evaluate replay --events explored.jsonl --model model.segue --temperature 0.1\n\n\
    Fields of an impression, beside those of `segue train`: propensity, candidates (a list of ids; in\n\
    TSV and CSV one text, \"t1|t2|t3\").")]
pub struct ReplayArguments {
    #[command(flatten)]
    learning: Learning,
    #[command(flatten)]
    catalogue: Catalogue,
    /// Replay the whole log with this model.
    #[arg(
        long,
        value_name = "MODEL",
        conflicts_with_all = ["dim", "budget", "checkpoints", "effort", "catalogue"]
    )]
    model: Option<PathBuf>,
    /// Draw by a softmax of scores at this temperature, which is on the scale of scores; the best of the
    /// candidates where it is not given.
    #[arg(long, value_name = "T", value_parser = above_zero)]
    temperature: Option<f64>,
    /// Count no impression for more than this weight: biased, and less at the mercy of a few.
    #[arg(long, value_name = "WEIGHT", value_parser = from_one)]
    clip: Option<f64>,
    /// How long to search for settings.
    #[arg(long, value_enum, default_value = "quick")]
    effort: EffortName,
}

fn from_one(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number >= 1.0 && number.is_finite());
    number.ok_or_else(|| "expected a number, 1 or more".to_owned())
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| "expected a number above 0".to_owned())
}

pub fn replay(arguments: &ReplayArguments, ui: &Ui) -> Done {
    let ReplayArguments { learning, catalogue, model, temperature, clip, effort } = arguments;
    let target = temperature.map_or(Target::Greedy, Target::Softmax);
    let how = How { target, clip: *clip, seed: learning.seed() };
    let model = model.as_deref().map(read_model).transpose()?;
    let effort = (Effort::from(*effort), None);
    let read = (Some(catalogue), true);
    let outcome =
        learning.measure_reading(read, effort, ui, |reading, options, progress| match &model {
            Some(model) => with_model(model, reading, &how, progress),
            None => replay_held_out(reading, options, &how, progress),
        })?;
    ui.finish(&to_json(&outcome, arguments), &to_text(&outcome, arguments))
}

/// Each estimate, and how it is named for machines and for people.
fn named(estimates: &Estimates) -> [(&'static str, &'static str, Estimate); 6] {
    let Estimates { log, ips, snips, direct, robust, gain, .. } = *estimates;
    [
        ("log", "as it was offered", log),
        ("ips", "inverse propensity", ips),
        ("snips", "self-normalised", snips),
        ("direct", "direct method", direct),
        ("doubly_robust", "doubly robust", robust),
        ("gain", "gain, doubly robust", gain),
    ]
}

/// One impression in so many that is left out is told of.
const MANY: usize = 100;

fn to_json(outcome: &Outcome, arguments: &ReplayArguments) -> Value {
    let Outcome { estimates, judged, unanswered, listeners, foretold } = outcome;
    let named = named(estimates);
    let intervals: Map<_, _> =
        named.iter().map(|(name, _, it)| ((*name).to_owned(), json!(it.interval))).collect();
    let mut value = json!({
        "intervals": intervals,
        "impressions": judged.len(),
        "unanswered": unanswered,
        "listeners": listeners,
        "effective_sample_size": estimates.effective,
        "largest_weight": estimates.largest,
        "clip": arguments.clip,
        "clipped": estimates.clipped,
        "agreement": estimates.agreement,
        "temperature": arguments.temperature,
        "foretold_by": match foretold {
            Foretold::Signals => "signals",
            Foretold::Rates => "rates",
        },
    });
    for (name, _, estimate) in named {
        value[name] = json!(estimate.value);
    }
    value
}

fn to_text(outcome: &Outcome, arguments: &ReplayArguments) -> String {
    let Outcome { estimates, judged, unanswered, listeners, foretold } = outcome;
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (_, name, Estimate { value, interval }) in named(estimates) {
        let _ = writeln!(text, "{name:<21}{}", sure(value, &interval));
    }
    let policy = match arguments.temperature {
        Some(temperature) => format!("a draw at temperature {temperature}"),
        None => "the best of the candidates".to_owned(),
    };
    let _ = write!(
        text,
        "{policy}; {} of {}, {} left out that nothing follows{}\n\
         the log agrees with {:.1} %, worth {:.0} impressions of the model's own; largest weight {:.1}",
        counted(judged.len(), "impression"),
        counted(*listeners, "listener"),
        counted(*unanswered, "other"),
        if *unanswered * MANY > judged.len() {
            ": if tracks differ in that, estimates are off"
        } else {
            ""
        },
        100.0 * estimates.agreement,
        estimates.effective,
        estimates.largest,
    );
    if let Some(clip) = arguments.clip {
        let _ = write!(text, ", {} clipped to {clip}", counted(estimates.clipped, "weight"));
    }
    let foretold = match foretold {
        Foretold::Signals => "by what the model has learned to foretell skips by",
        Foretold::Rates => "by what other listeners of the log said of each track",
    };
    let _ = write!(text, "\nrewards are foretold {foretold}");
    text
}
