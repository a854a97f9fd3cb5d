//! What listeners say at an hour, on a device, in a mood, beyond what they and all others say elsewhere.
//!
//! For each value of a context that enough is known of, the system of [`segue_core::verdicts`] over what all
//! listeners said then, under a ridge so many times as strong as that of one listener.

use std::collections::{HashMap, HashSet};

use segue_core::{
    features,
    ids::Row,
    model::{ContextParts, MAX_VALUES, Model, Ranker, Recipe, Spread},
    moment::Moment,
    session::Evidence,
    verdicts::{Beyond, Leaning, Sums},
};

use crate::dataset::{Dataset, Heard, gather};

/// Values of which fewer verdicts are known tell nothing.
const MIN_VERDICTS: usize = 200;

/// One verdict of a listener, beyond what all and the listener themselves say.
struct Said {
    row: Row,
    moment: Moment,
    weight: f32,
    beyond: f32,
}

/// The effect of each value under a ridge `shrink` times that of all verdicts of a listener. `model` has rates and a
/// ranker; `row` finds its row of one of the dataset; `part` gives the events of each listener. O(verdicts·k²).
pub fn effects<'a>(
    dataset: &'a Dataset,
    model: &Model,
    row: impl Fn(Row) -> Option<Row>,
    part: impl Fn(usize) -> &'a [Heard],
    shrink: f32,
) -> Option<ContextParts> {
    let ranker = model.ranker().filter(|_| dataset.has_context())?;
    let Recipe { axes, all, .. } = *ranker.recipe();
    let Spread { others, ridge, tags } = all;
    let by = Spread { others: others * shrink, ridge: ridge * shrink, tags: tags * shrink };
    let axes = axes as usize;
    let often = often(dataset, &part);
    let mut values: HashMap<u32, (usize, Leaning)> = HashMap::new();
    let (mut factor, mut x) = (vec![0.0; model.dim()], Vec::new());
    for listener in 0..dataset.listeners() {
        for said in said(dataset, model, &ranker, &row, part(listener)) {
            model.decode(said.row, &mut factor);
            features::write(model, axes, said.row, &factor, &mut x);
            for (_, key) in said.moment.known().filter(|(_, key)| often.contains(key)) {
                let (known, leaning) = values.entry(key).or_insert_with(|| {
                    let mut leaning = Leaning::default();
                    leaning.clear(model, axes, by);
                    (0, leaning)
                });
                *known += 1;
                leaning.sums().add(&x, said.weight, said.weight * said.beyond);
            }
        }
    }
    let mut effects: Vec<(usize, u32, Vec<f32>)> = values
        .into_iter()
        .filter(|(_, (known, _))| *known >= MIN_VERDICTS)
        .map(|(key, (known, mut leaning))| {
            // What is said of all tracks alike then says nothing of their order.
            let mean = leaning.sums().mean(0.0);
            leaning.solve(mean);
            (known, key, leaning.along().to_vec())
        })
        .collect();
    effects.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    effects.truncate(MAX_VALUES);
    let mut effects: Vec<(u32, Vec<f32>)> =
        effects.into_iter().map(|(_, key, along)| (key, along)).collect();
    effects.sort_by_key(|(key, _)| *key);
    let parts = ContextParts { axes, tags: model.tags(), effects };
    (!parts.effects.is_empty()).then_some(parts)
}

/// The values that events have often enough to be learned from, the most frequent ones.
fn often<'a>(dataset: &'a Dataset, part: &impl Fn(usize) -> &'a [Heard]) -> HashSet<u32> {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for event in (0..dataset.listeners()).flat_map(part) {
        for (_, key) in dataset.moment(event).known() {
            *counts.entry(key).or_default() += 1;
        }
    }
    let mut often: Vec<(usize, u32)> = counts
        .into_iter()
        .map(|(key, count)| (count, key))
        .filter(|(count, _)| *count >= MIN_VERDICTS)
        .collect();
    often.sort_unstable_by(|a, b| b.cmp(a));
    often.into_iter().take(MAX_VALUES).map(|(_, key)| key).collect()
}

/// The verdicts of one listener, event by event.
fn said(
    dataset: &Dataset,
    model: &Model,
    ranker: &Ranker<'_>,
    row: &impl Fn(Row) -> Option<Row>,
    events: &[Heard],
) -> Vec<Said> {
    let beyond = |mut evidence: Evidence| -> Option<Beyond> {
        evidence.row = row(evidence.row).filter(|row| !row.is_estimate())?;
        Some(Beyond::of(model, ranker, &evidence)).filter(|said| said.weight > 0.0)
    };
    let mut own = Sums::default();
    own.clear(0);
    for said in gather(events).into_iter().filter_map(beyond) {
        own.add(&[], said.weight, said.weight * said.mean);
    }
    let mean = own.mean(ranker.recipe().prior);
    let each = events.iter().filter_map(|event| {
        let mut evidence = Evidence::new(event.row);
        evidence.add(event.kind, event.amount);
        let Beyond { weight, mean: beyond } = beyond(evidence)?;
        let row = row(event.row)?;
        Some(Said { row, moment: dataset.moment(event), weight, beyond: beyond - mean })
    });
    each.collect()
}
