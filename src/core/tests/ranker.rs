//! What foretells a yes: the verdicts of a listener, the log-odds that signals come to, and the reasons for
//! them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use segue_core::{
    bytes::Aligned,
    event::Kind,
    ids::Row,
    model::{Model, Rate, SectionKind, encode_rates},
    moment::{Field, Moment},
    rank::{UNKNOWN, rank, score, skip, top},
    reason::{Explainer, Ground},
    session::{Evidence, Observation, Session},
    signals::{self, Signal, Signals},
    verdicts::{Verdict, share},
};
use support::{DIM, EVENING, TAGS, ranked_sections, ranker};

const TRACKS: usize = 60;
/// All but what follows what, of which this model says nothing.
const WEIGHTS: Signals = [
    2.0, 0.0, 0.7, 0.1, 0.5, 0.25, 1.5, 0.75, -0.2, 0.8, -0.5, 0.6, -0.3, 1.0, 1.0, 1.0, 1.0, 1.0,
    1.0,
];

fn model(weights: Signals) -> Model {
    Model::from_sections(ranked_sections(TRACKS, 4, weights)).unwrap()
}

fn only(signal: Signal) -> Signals {
    let mut weights = [0.0; Signal::ALL.len()];
    weights[signal as usize] = 1.0;
    weights
}

fn observe(model: &Model, session: &mut Session, row: u32, kind: Kind, heard: f32) {
    session.observe(model, Observation { row: Row(row), kind, heard: Some(heard) });
}

/// The log-odds of each row.
fn odds(model: &Model, session: &mut Session) -> Vec<f32> {
    let ranker = model.ranker().unwrap();
    let expected = session.expectation(model);
    let of = |row| signals::log_odds(model, &ranker, expected, Row(row));
    (0..TRACKS as u32).map(of).collect()
}

/// A listener who says yes to some and no to others, in two sittings.
fn listener(model: &Model) -> Session {
    let mut session = Session::new(model);
    for row in [3, 7, 11, 19] {
        observe(model, &mut session, row, Kind::Like, 1.0);
    }
    observe(model, &mut session, 8, Kind::Skip, 0.1);
    session.leave();
    observe(model, &mut session, 12, Kind::Skip, 0.3);
    observe(model, &mut session, 23, Kind::Play, 1.0);
    session
}

#[test]
fn verdicts_are_the_solution_of_the_system_that_is_documented() {
    let model = model(only(Signal::Verdicts));
    let (recipe, worth) = (ranker(WEIGHTS).recipe, ranker(WEIGHTS).worth);
    let k = recipe.axes as usize;
    let mut session = listener(&model);
    let tags = TAGS.len();
    let factor = |row: u32| -> Vec<f64> {
        let mut factor = vec![0.0; DIM];
        model.decode(Row(row), &mut factor);
        let tags = (0..tags).map(|tag| (model.tags_of(Row(row)) >> tag & 1) as f64);
        factor[..k].iter().map(|x| f64::from(*x)).chain(tags).collect()
    };
    let n = TRACKS as f64;
    let mut system = vec![vec![0.0; k + tags + 1]; k + tags];
    for row in 0..TRACKS as u32 {
        let v = factor(row);
        for i in 0..k {
            (0..k).for_each(|j| system[i][j] += v[i] * v[j] / n);
        }
    }
    let square = (0..k).map(|i| system[i][i]).sum::<f64>() / k as f64;
    for (i, line) in system.iter_mut().enumerate() {
        line.iter_mut().for_each(|x| *x *= f64::from(recipe.all.others));
        let ridge = f64::from(recipe.all.ridge) * square;
        line[i] += if i < k { ridge } else { f64::from(recipe.all.tags) };
    }
    let said: Vec<(u32, f64, f64)> = session
        .evidence()
        .iter()
        .map(|evidence| {
            let Verdict { weight, yes } = Verdict::of(evidence, &worth, recipe.late);
            let share = share(model.rate(evidence.row).unwrap().log_odds);
            (evidence.row.0, weight.into(), f64::from(yes) - f64::from(share))
        })
        .collect();
    let weight: f64 = said.iter().map(|(_, w, _)| w).sum();
    let mean = said.iter().map(|(_, w, r)| w * r).sum::<f64>() / (weight + f64::from(recipe.prior));
    for &(row, w, beyond) in &said {
        let v = factor(row);
        for i in 0..v.len() {
            (0..v.len()).for_each(|j| system[i][j] += w * v[i] * v[j]);
            system[i][v.len()] += w * (beyond - mean) * v[i];
        }
    }
    let x = solved(system);
    for (row, found) in (0..).zip(odds(&model, &mut session)) {
        let wanted: f64 = factor(row).iter().zip(&x).map(|(v, x)| v * x).sum();
        assert!((f64::from(found) - wanted).abs() < 1e-4, "{row}: {found} against {wanted}");
    }
}

/// Gauss and Jordan, of a definite system with its right side in the last column.
fn solved(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let n = system.len();
    for at in 0..n {
        let pivot = system[at].clone();
        for (_, line) in system.iter_mut().enumerate().filter(|(other, _)| *other != at) {
            let share = line[at] / pivot[at];
            line.iter_mut().zip(&pivot).for_each(|(x, p)| *x -= share * p);
        }
    }
    (0..n).map(|at| system[at][n] / system[at][at]).collect()
}

#[test]
fn a_skip_lowers_what_is_like_it_more_than_what_is_not() {
    for signal in [Signal::Verdicts, Signal::Sitting] {
        let model = model(only(signal));
        let mut session = Session::new(&model);
        observe(&model, &mut session, 8, Kind::Skip, 0.0);
        let odds = odds(&model, &mut session);
        // Factors lie around four directions, by the row.
        let mean = |of: usize| {
            let rows = (0..TRACKS).filter(|row| row % 4 == of && *row != 8);
            rows.clone().map(|row| odds[row]).sum::<f32>() / rows.count() as f32
        };
        assert!(odds[8] < 0.0 && mean(0) < mean(1) && mean(0) < mean(3), "{}", signal.name());
    }
}

#[test]
fn leaving_forgets_the_sitting_and_nothing_else() {
    let model = model(WEIGHTS);
    let mut session = listener(&model);
    let ranker = model.ranker().unwrap();
    let of =
        |session: &mut Session| signals::of(&model, &ranker, session.expectation(&model), Row(18));
    let before = of(&mut session);
    session.leave();
    let after = of(&mut session);
    for signal in Signal::ALL {
        let at = signal as usize;
        match signal {
            Signal::Temper | Signal::Sitting | Signal::Repeat => {
                assert!(before[at] != 0.0 && after[at] == 0.0, "{}", signal.name());
            }
            _ => assert_eq!(before[at].to_bits(), after[at].to_bits(), "{}", signal.name()),
        }
    }
}

#[test]
fn a_skip_in_this_sitting_is_a_no_of_it_however_often_the_track_was_heard_before() {
    let model = model(WEIGHTS);
    let ranker = model.ranker().unwrap();
    let said = |history: u32| {
        let mut session = Session::new(&model);
        (0..history).for_each(|_| observe(&model, &mut session, 3, Kind::Play, 1.0));
        session.leave();
        observe(&model, &mut session, 3, Kind::Skip, 0.0);
        let signals = signals::of(&model, &ranker, session.expectation(&model), Row(18));
        [Signal::Temper, Signal::Sitting, Signal::Listener].map(|signal| signals[signal as usize])
    };
    let ([temper, sitting, _], [alone, by_itself, listener]) = (said(9), said(0));
    assert_eq!((temper, sitting), (alone, by_itself));
    assert!(temper < 0.0 && said(9)[2] > 0.0 && listener < 0.0);
}

#[test]
fn every_skip_counts_as_late_ones_do() {
    let mut evidence = Evidence::new(Row(0));
    (0..2).for_each(|_| evidence.add(Kind::Skip, 1.0));
    evidence.add(Kind::Play, 1.0);
    let worth = ranker(WEIGHTS).worth;
    let [early, late] = [0.0, 1.0].map(|late| Verdict::of(&evidence, &worth, late));
    assert_eq!(early, late, "skips at the very start count one each, whatever late ones do");
    let mut evidence = Evidence::new(Row(0));
    (0..2).for_each(|_| evidence.add(Kind::Skip, 0.25));
    evidence.add(Kind::Play, 1.0);
    let yes = |late| Verdict::of(&evidence, &worth, late).yes;
    assert!((yes(0.0) - 1.0 / 1.5).abs() < 1e-6 && (yes(1.0) - 1.0 / 3.0).abs() < 1e-6);
}

#[test]
fn what_foretells_a_yes_may_come_when_the_listener_is_known_already() {
    let whole = ranked_sections(TRACKS, 4, WEIGHTS);
    let late = [SectionKind::Ranker, SectionKind::Tags];
    let (later, first): (Vec<_>, Vec<_>) =
        whole.into_iter().partition(|(kind, _)| late.contains(kind));
    let mut model = Model::from_sections(first).unwrap();
    let mut session = Session::new(&model);
    observe(&model, &mut session, 3, Kind::Skip, 0.0);
    model.add(later).unwrap();
    observe(&model, &mut session, 5, Kind::Play, 1.0);
    let mut fresh = Session::new(&model);
    observe(&model, &mut fresh, 3, Kind::Skip, 0.0);
    observe(&model, &mut fresh, 5, Kind::Play, 1.0);
    assert_eq!(odds(&model, &mut session), odds(&model, &mut fresh));
}

#[test]
fn a_like_and_a_skip_of_one_track_are_half_a_yes() {
    let model = model(WEIGHTS);
    let mut session = Session::new(&model);
    observe(&model, &mut session, 5, Kind::Like, 1.0);
    observe(&model, &mut session, 5, Kind::Skip, 0.0);
    let verdict = Verdict::of(&session.evidence()[0], &ranker(WEIGHTS).worth, 0.0);
    assert_eq!(verdict, Verdict { weight: 1.0, yes: 0.5 });
    assert!(odds(&model, &mut session).iter().all(|x| x.is_finite()));
}

#[test]
fn a_session_of_nothing_but_skips_and_one_of_ten_thousand_events_stay_finite() {
    let model = model(WEIGHTS);
    let mut session = Session::new(&model);
    for row in 0..TRACKS as u32 {
        observe(&model, &mut session, row, Kind::Skip, 0.0);
    }
    assert!(odds(&model, &mut session).iter().all(|x| x.is_finite()));
    for at in 0..10_000_u32 {
        let kind = Kind::ALL[at as usize % Kind::ALL.len()];
        observe(&model, &mut session, at * 7 % TRACKS as u32, kind, 0.5);
    }
    assert!(odds(&model, &mut session).iter().all(|x| x.is_finite()));
}

#[test]
fn tracks_are_ordered_by_what_foretells_a_yes_and_unknown_ones_come_last() {
    let model = model(WEIGHTS);
    let mut session = listener(&model);
    let odds = odds(&model, &mut session);
    let mut candidates: Vec<Option<Row>> = (0..TRACKS as u32).map(|row| Some(Row(row))).collect();
    candidates.insert(0, None);
    let mut queue = Vec::new();
    rank(&model, &mut session, &candidates, candidates.len(), &mut queue);
    let (last, known) = queue.split_last().unwrap();
    assert_eq!((last.index(), last.points()), (0, UNKNOWN));
    assert!(known.is_sorted_by(|a, b| a.points() >= b.points()));
    for place in known {
        let found = score(&model, session.query(&model), place.points());
        assert!((found - odds[place.index() as usize - 1]).abs() < 1e-4);
    }
    // All of so small a catalogue is within what signals are asked of.
    let mut found = Vec::new();
    top(&model, &mut session, TRACKS, |_| true, &mut found);
    let rows = |places: &[segue_core::kernel::Place], less: u32| -> Vec<u32> {
        places.iter().map(|place| place.index() - less).collect()
    };
    assert_eq!(rows(&found, 0), rows(known, 1));
}

#[test]
fn the_probability_of_a_skip_is_that_of_its_own_weights() {
    let mut parts = ranker(WEIGHTS);
    (parts.weights, parts.recipe.bias) = (only(Signal::Rate), 0.25);
    let mut sections = ranked_sections(TRACKS, 4, WEIGHTS);
    sections.retain(|(kind, _)| *kind != SectionKind::Ranker);
    sections.push((SectionKind::Ranker, segue_core::model::encode_ranker(&parts)));
    let model = Model::from_sections(sections).unwrap();
    let candidates: Vec<_> = (0..TRACKS as u32).map(Row).map(Some).chain([None]).collect();
    let mut queue = Vec::new();
    rank(&model, &mut listener(&model), &candidates, candidates.len(), &mut queue);
    for place in &queue[..TRACKS] {
        let wanted = share(-(model.rate(Row(place.index())).unwrap().log_odds + 0.25));
        assert!((skip(&model, place.points()).unwrap() - wanted).abs() < 1e-6);
    }
    assert_eq!(skip(&model, queue[TRACKS].points()), None, "of a track that nobody knows");
}

#[test]
fn a_listener_moves_to_another_model_with_all_that_they_said() {
    let from = model(WEIGHTS);
    let to = Model::from_sections(ranked_sections(TRACKS, 9, WEIGHTS)).unwrap();
    let mut moved = listener(&from).moved(&from, &to);
    let mut fresh = listener(&to);
    for (a, b) in odds(&to, &mut moved).into_iter().zip(odds(&to, &mut fresh)) {
        assert!((a - b).abs() < 1e-4, "{a} and {b}");
    }
}

#[test]
fn rates_that_come_later_count_from_then_on() {
    let sections = ranked_sections(TRACKS, 4, WEIGHTS);
    let (late, early): (Vec<_>, Vec<_>) =
        sections.into_iter().partition(|(kind, _)| *kind == SectionKind::Rates);
    let mut late_model = Model::from_sections(early).unwrap();
    let mut session = listener(&late_model);
    let without = odds(&late_model, &mut session);
    late_model.add(late).unwrap();
    let whole = model(WEIGHTS);
    let mut fresh = listener(&whole);
    let with = odds(&late_model, &mut session);
    assert_ne!(without, with);
    for (a, b) in with.into_iter().zip(odds(&whole, &mut fresh)) {
        assert!((a - b).abs() < 1e-4, "{a} and {b}");
    }
}

#[test]
fn log_odds_are_the_weighted_sum_of_the_signals_at_any_moment() {
    let model = model(WEIGHTS);
    let mut session = listener(&model);
    let moments = [
        Moment::default(),
        Moment::default().with(Field::Device, "phone").on(EVENING, 0),
        Moment::default().with(Field::Device, "never seen").with(Field::Mood, ""),
    ];
    for moment in moments {
        session.at(moment);
        let (ranker, expected) = (model.ranker().unwrap(), session.expectation(&model));
        for row in (0..TRACKS as u32).map(Row) {
            let signals = signals::of(&model, &ranker, expected, row);
            let wanted: f32 = signals.iter().zip(ranker.weights()).map(|(x, w)| x * w).sum();
            let found = signals::log_odds(&model, &ranker, expected, row);
            assert!((found - wanted - ranker.recipe().bias).abs() < 1e-4, "{found} and {wanted}");
        }
    }
}

#[test]
fn a_moment_counts_while_it_lasts_and_one_that_was_never_seen_counts_nothing() {
    let model = model(WEIGHTS);
    let mut session = listener(&model);
    let before = odds(&model, &mut session);
    session.at(Moment::default().with(Field::Device, "phone"));
    let on_phone = odds(&model, &mut session);
    // Row 0 is calm, row 1 is not.
    assert!(on_phone[0] - before[0] > 0.4 && (on_phone[1] - before[1]).abs() < 0.1);
    session.at(Moment::default().with(Field::Device, "never seen").with(Field::Region, "ZZ"));
    assert_eq!(odds(&model, &mut session), before);
    session.at(Moment::default().on(EVENING - 60 * 60_000, 60));
    let evening = odds(&model, &mut session);
    // Row 4 is loud.
    assert!(evening[4] - before[4] > 0.4 && (evening[1] - before[1]).abs() < 0.1);
}

#[test]
fn a_model_without_tags_contexts_or_names_foretells_by_what_it_has() {
    let lean = |kind: SectionKind| {
        !matches!(kind, SectionKind::Tags | SectionKind::Context | SectionKind::Text)
    };
    let sections = ranked_sections(TRACKS, 4, WEIGHTS).into_iter().filter(|(kind, _)| lean(*kind));
    let model = Model::from_sections(sections).unwrap();
    let mut session = listener(&model);
    session.at(Moment::default().with(Field::Device, "phone"));
    let ranker = model.ranker().unwrap();
    let signals = signals::of(&model, &ranker, session.expectation(&model), Row(16));
    for signal in [Signal::Artist, Signal::Repeat, Signal::Device] {
        assert_eq!(signals[signal as usize], 0.0, "{}", signal.name());
    }
    assert!(odds(&model, &mut session).iter().all(|x| x.is_finite()));
}

#[test]
fn what_was_said_last_counts_most_in_a_sitting_that_fades() {
    // Rows 0, 4 and 8 are alike: two verdicts on them that gainsay each other, with others between.
    let says = |half_life: f32, first: Kind, last: Kind| {
        let mut parts = ranker(only(Signal::Sitting));
        parts.recipe.half_life = half_life;
        let mut sections = ranked_sections(TRACKS, 4, WEIGHTS);
        sections.retain(|(kind, _)| *kind != SectionKind::Ranker);
        sections.push((SectionKind::Ranker, segue_core::model::encode_ranker(&parts)));
        let model = Model::from_sections(sections).unwrap();
        let mut session = Session::new(&model);
        let between = [(13, Kind::Play), (22, Kind::Skip), (31, Kind::Play)];
        for (row, kind) in [(0, first)].into_iter().chain(between).chain([(4, last)]) {
            observe(&model, &mut session, row, kind, if kind == Kind::Play { 1.0 } else { 0.0 });
        }
        odds(&model, &mut session)[8]
    };
    let turn = |half_life| {
        says(half_life, Kind::Skip, Kind::Play) - says(half_life, Kind::Play, Kind::Skip)
    };
    let [fast, never] = [1.0, 1e6].map(turn);
    assert!(fast > never + 0.1, "{fast} and {never}");
}

#[test]
fn what_was_said_long_ago_counts_less_of_all_where_the_model_says_so() {
    let model = |memory: f32| {
        let mut parts = ranker(only(Signal::Verdicts));
        parts.recipe.memory = memory;
        let mut sections = ranked_sections(TRACKS, 4, WEIGHTS);
        sections.retain(|(kind, _)| *kind != SectionKind::Ranker);
        sections.push((SectionKind::Ranker, segue_core::model::encode_ranker(&parts)));
        Model::from_sections(sections)
    };
    // Two verdicts that gainsay each other on tracks that are alike, with twenty others between.
    let session = |model: &Model, first: Kind, last: Kind| {
        let mut session = Session::new(model);
        let between = (0..20).map(|at| (13 + 4 * (at % 5) + at % 3, Kind::Play));
        for (row, kind) in [(0, first)].into_iter().chain(between).chain([(4, last)]) {
            observe(model, &mut session, row, kind, if kind == Kind::Play { 1.0 } else { 0.0 });
        }
        session
    };
    let turn = |memory: f32| {
        let model = model(memory).unwrap();
        let says = |first, last| odds(&model, &mut session(&model, first, last))[8];
        says(Kind::Skip, Kind::Play) - says(Kind::Play, Kind::Skip)
    };
    let [fast, slow, never] = [4.0, 64.0, 0.0].map(turn);
    assert!(fast > slow + 0.01 && slow > never + 0.01, "{fast}, {slow} and {never}");
    assert!(model(0.5).is_err() && model(f32::NAN).is_err() && model(1e7).is_err());

    // Carried to the same model they count as they did, to rounding; ten thousand events are no trouble.
    let model = model(8.0).unwrap();
    let mut before = session(&model, Kind::Skip, Kind::Play);
    let mut after = before.moved(&model, &model);
    let pairs = odds(&model, &mut before).into_iter().zip(odds(&model, &mut after));
    pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-3, "{a} and {b}"));
    for at in 0..10_000 {
        observe(&model, &mut before, at % 30, Kind::Play, 1.0);
    }
    assert!(odds(&model, &mut before).iter().all(|x| x.is_finite()));
}

#[test]
fn a_skip_of_one_track_of_an_artist_lowers_the_others_of_theirs() {
    let model = model(only(Signal::Artist));
    let mut session = Session::new(&model);
    for row in [0, 3] {
        observe(&model, &mut session, row, Kind::Skip, 0.0);
    }
    for row in [1, 4, 7] {
        observe(&model, &mut session, row, Kind::Play, 1.0);
    }
    let odds = odds(&model, &mut session);
    // Names of artists go by row: of three the third has none.
    assert!(odds[6] < 0.0 && odds[9] == odds[6] && odds[10] > 0.0 && odds[2] == 0.0);
}

/// What is told of a track is what taking the evidence away does to its log-odds.
#[test]
fn an_effect_is_what_would_change_without_the_evidence() {
    for signal in [Signal::Verdicts, Signal::Sitting, Signal::Artist, Signal::Own, Signal::Met] {
        // One signal alone, of a listener whose mean stays where it is.
        let mut parts = ranker(only(signal));
        (parts.recipe.prior, parts.recipe.half_life) = (1e6, 1e6);
        if signal == Signal::Artist {
            parts.weights = parts.weights.map(|weight| weight * 1e6);
        }
        let mut sections = ranked_sections(TRACKS, 4, WEIGHTS);
        sections.retain(|(kind, _)| *kind != SectionKind::Ranker);
        sections.push((SectionKind::Ranker, segue_core::model::encode_ranker(&parts)));
        let model = Model::from_sections(sections).unwrap();
        let said = [(3, Kind::Like), (9, Kind::Skip), (21, Kind::Save)];
        let session = |left_out: Option<u32>| {
            let mut session = Session::new(&model);
            for (row, kind) in said.into_iter().filter(|(row, _)| Some(*row) != left_out) {
                observe(&model, &mut session, row, kind, 0.0);
            }
            session
        };
        let mut whole = session(None);
        let with = odds(&model, &mut whole);
        let mut explainer = Explainer::new(&model, &mut whole);
        let mut told = 0;
        for row in (0..TRACKS as u32).map(Row) {
            for reason in explainer.explain(&model, &mut whole, row) {
                if let [evidence] = reason.tracks[..] {
                    told += 1;
                    let without = odds(&model, &mut session(Some(evidence.0)));
                    let change = with[row.index()] - without[row.index()];
                    let off = (reason.effect - change).abs();
                    assert!(
                        off < 1e-4 + 0.01 * change.abs(),
                        "{signal:?}: {reason:?} against {change}"
                    );
                }
            }
        }
        assert!(told > 0, "no reason rests on {}", signal.name());
    }
}

#[test]
fn the_moment_is_a_reason_while_it_lasts() {
    let model = model(WEIGHTS);
    let mut session = listener(&model);
    let rows: Vec<Row> = (0..TRACKS as u32).map(Row).collect();
    let effect = |session: &mut Session, row| {
        let mut explainer = Explainer::new(&model, session);
        explainer.beside(&model, session, &rows);
        let reasons = explainer.explain(&model, session, Row(row));
        reasons.iter().find(|reason| reason.ground == Ground::Moment).map(|reason| reason.effect)
    };
    assert_eq!(effect(&mut session, 0), None);
    session.at(Moment::default().with(Field::Device, "phone"));
    assert!(effect(&mut session, 0).unwrap() > 0.2 && effect(&mut session, 1).unwrap() < -0.05);
}

#[test]
fn what_all_listeners_say_is_a_reason() {
    let model = model(only(Signal::Rate));
    let mut session = listener(&model);
    let rows: Vec<Row> = (0..TRACKS as u32).map(Row).collect();
    let mut explainer = Explainer::new(&model, &mut session);
    explainer.beside(&model, &mut session, &rows);
    // Every seventh track is the best liked, the one after it the least.
    let effect = |explainer: &mut Explainer, session: &mut Session, row| {
        let reasons = explainer.explain(&model, session, Row(row));
        assert_eq!(reasons[0].ground, Ground::Popular);
        reasons[0].effect
    };
    assert!(effect(&mut explainer, &mut session, 6) > 1.0);
    assert!(effect(&mut explainer, &mut session, 7) < -1.0);
}

#[test]
fn a_rate_is_kept_to_a_sixteenth() {
    let sections = ranked_sections(TRACKS, 4, WEIGHTS);
    let ids = Model::from_sections(sections.clone()).unwrap().ids_digest();
    let rate = |row: usize| Rate { log_odds: row as f32 / 9.0 - 3.0, plays: row as f32 / 7.0 };
    let rates: Vec<Rate> = (0..TRACKS).map(rate).collect();
    let others = sections.into_iter().filter(|(kind, _)| *kind != SectionKind::Rates);
    let model =
        Model::from_sections(others.chain([(SectionKind::Rates, encode_rates(ids, &rates))]))
            .unwrap();
    for (row, wanted) in (0..).map(Row).zip(&rates) {
        let Rate { log_odds, plays } = model.rate(row).unwrap();
        assert!((log_odds - wanted.log_odds).abs() <= 1.0 / 32.0);
        assert!((plays - wanted.plays).abs() <= 1.0 / 32.0);
    }
    assert_eq!(model.rate(Row(TRACKS as u32)), None);
}

const RANKED: [SectionKind; 4] =
    [SectionKind::Rates, SectionKind::Ranker, SectionKind::Tags, SectionKind::Context];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damage to a section is refused, or leaves a model that ranks all the same.
    #[test]
    fn a_forged_ranker_is_refused_or_harmless(
        which in prop::sample::select(RANKED.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut sections = ranked_sections(12, 3, WEIGHTS);
        for (kind, bytes) in sections.iter_mut().filter(|(kind, _)| *kind == which) {
            let mut forged = bytes.as_slice().to_vec();
            for (at, value) in &damage {
                let at = at.index(forged.len());
                forged[at] = *value;
            }
            if let Some(cut) = cut {
                forged.truncate(cut.index(forged.len()));
            }
            prop_assert!(RANKED.contains(kind));
            *bytes = Aligned::copy_of(&forged);
        }
        if let Ok(model) = Model::from_sections(sections) {
            let mut session = Session::new(&model);
            session.at(Moment::default().with(Field::Device, "phone").on(EVENING, 0));
            for (row, kind) in (0..).zip(Kind::ALL) {
                observe(&model, &mut session, row, kind, 0.4);
            }
            let rows: Vec<Option<Row>> = (0..13).map(|row| Some(Row(row))).collect();
            let mut queue = Vec::new();
            rank(&model, &mut session, &rows, rows.len(), &mut queue);
            prop_assert_eq!(queue.len(), rows.len());
            let mut explainer = Explainer::new(&model, &mut session);
            for row in (0..12).map(Row) {
                let _ = explainer.explain(&model, &mut session, row);
            }
        }
    }
}
