//! `segue evaluate feedback`: whether what a listener goes on to like ranks above what they go on to skip.
//!
//! The last fifth of each listener's events is the test, the model is trained on all that came before, and
//! foretells a yes to the tracks of the test, all at once but each at its own moment, for a listener who said what they
//! said until then; where it has not learned to, it ranks them. The figure is the mean over listeners of the AUC of what they liked
//! against what they skipped; beside it stands that of a model, and of listeners, from whose past every no was
//! taken out.

use rayon::prelude::*;
use segue_core::{
    event::Kind,
    ids::Row,
    model::Model,
    moment::Moment,
    rank,
    session::{Evidence, Session},
    signals,
};

use super::intervals::{Interval, intervals, means};
use crate::{
    TrainError,
    dataset::{Dataset, Heard, gather},
    pipeline::{Options, train},
    progress::Progress,
    ranker::{Ranking, stories::Story},
    responses::pair_auc,
};

/// What was found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The mean AUC with noes used, and without.
    pub auc: [f64; 2],
    /// 95 % intervals of both, by the bootstrap over listeners, and of the difference.
    pub intervals: [Interval; 3],
    /// Listeners who liked something in the test and skipped something.
    pub listeners: usize,
    /// Tracks of the test that were liked, and that were skipped.
    pub verdicts: [usize; 2],
    /// Whether plays to the end count as liked, because the test holds nothing that says more.
    pub by_plays: bool,
    /// What the model that had the noes learned of what foretells one.
    pub ranking: Option<Ranking>,
}

/// A listener of the test.
struct Asked {
    listener: usize,
    liked: Vec<(Row, Moment)>,
    skipped: Vec<(Row, Moment)>,
}

/// Trains twice, with and without noes, and asks both models.
pub fn feedback(
    dataset: &Dataset,
    options: &Options<'_>,
    progress: &Progress<'_>,
) -> Result<Outcome, TrainError> {
    let after = || (0..dataset.listeners()).map(|listener| dataset.split_by_time(listener).1);
    let by_plays = !after().flatten().any(|event| is_more_than_play(event.kind));
    let asked: Vec<Asked> = after()
        .enumerate()
        .map(|(listener, events)| asked(dataset, listener, events, by_plays))
        .filter(|asked| !asked.liked.is_empty() && !asked.skipped.is_empty())
        .collect();
    if asked.is_empty() {
        return Err(TrainError::NoVerdicts);
    }
    let past = dataset.past();
    let with = train(&past, options, progress)?;
    let each = aucs(&with.model, &past, &asked);
    let past = past.filtered(|event| !event.kind.is_refusal());
    let without = train(&past, options, progress)?;
    let each_without = aucs(&without.model, &past, &asked);
    let each: Vec<[f64; 3]> = each
        .iter()
        .zip(each_without)
        .map(|(&with, without)| [with, without, with - without])
        .collect();
    let [with_noes, without_noes, _] = means(&each);
    let count = |of: fn(&Asked) -> usize| asked.iter().map(of).sum();
    Ok(Outcome {
        auc: [with_noes, without_noes],
        intervals: intervals(&each, options.seed),
        listeners: asked.len(),
        verdicts: [count(|asked| asked.liked.len()), count(|asked| asked.skipped.len())],
        by_plays,
        ranking: with.ranking,
    })
}

/// The AUC of each listener of the test, folded in from `past`.
fn aucs(model: &Model, past: &Dataset, asked: &[Asked]) -> Vec<f64> {
    let of_one = |Asked { listener, liked, skipped }: &Asked| {
        let story = Story::known(past, *listener, past.of(*listener).len());
        let mut session = story.session(model, &|row| model.row(&past.tracks[row.index()].track));
        let rows: Vec<(Option<Row>, Moment)> = liked
            .iter()
            .chain(skipped)
            .map(|(row, moment)| (model.row(&past.tracks[row.index()].track), *moment))
            .collect();
        let odds = odds(model, &mut session, &rows);
        let (yes, no) = odds.split_at(liked.len());
        pair_auc(yes, no).unwrap_or(0.5)
    };
    asked.par_iter().map(of_one).collect()
}

/// How much rather than a no a yes is expected to each of `rows`.
fn odds(model: &Model, session: &mut Session, rows: &[(Option<Row>, Moment)]) -> Vec<f32> {
    if let Some(ranker) = &model.ranker() {
        let mut of = |row, moment: Moment| {
            session.at(moment);
            signals::log_odds(model, ranker, session.expectation(model), row)
        };
        let each = rows.iter();
        return each
            .map(|(row, moment)| row.map_or(f32::NEG_INFINITY, |row| of(row, *moment)))
            .collect();
    }
    let mut queue = Vec::new();
    let rows: Vec<Option<Row>> = rows.iter().map(|(row, _)| *row).collect();
    rank::rank(model, session, &rows, rows.len(), &mut queue);
    let mut scores = vec![0.0; rows.len()];
    let query = session.query(model);
    for place in queue {
        scores[place.index() as usize] = rank::score(model, query, place.points());
    }
    scores
}

/// What a listener liked and skipped of what they did.
fn asked(dataset: &Dataset, listener: usize, events: &[Heard], by_plays: bool) -> Asked {
    let first = |row: Row| {
        let first = events.iter().find(|event| event.row == row);
        (row, first.map_or_else(Moment::default, |event| dataset.moment(event)))
    };
    let (mut liked, mut skipped) = (Vec::new(), Vec::new());
    for evidence in gather(events) {
        let yes = said_yes(&evidence, by_plays);
        match (yes, evidence.refused()) {
            (true, false) => liked.push(first(evidence.row)),
            (false, true) => skipped.push(first(evidence.row)),
            _ => {}
        }
    }
    Asked { listener, liked, skipped }
}

fn said_yes(evidence: &Evidence, by_plays: bool) -> bool {
    let mut kinds = Kind::ALL.into_iter().filter(|&kind| evidence.amount(kind) > 0.0);
    kinds.any(is_more_than_play) || by_plays && evidence.amount(Kind::Play) >= 0.5
}

const fn is_more_than_play(kind: Kind) -> bool {
    matches!(kind, Kind::Like | Kind::Save | Kind::Replay)
}
