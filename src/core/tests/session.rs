//! The session: the posterior is the ridge solution, ranking follows it, reasons are true.

mod support;

use segue_core::{
    event::Kind,
    ids::Row,
    kernel::Place,
    linalg::dot,
    model::{Model, Responses},
    rank::{UNKNOWN, rank, top},
    reason::{Explainer, Ground},
    session::{Evidence, Observation, Session},
};

fn observe(model: &Model, session: &mut Session, row: u32, kind: Kind, heard: f32) {
    session.observe(model, Observation { row: Row(row), kind, heard: Some(heard) });
}

fn order(model: &Model, session: &mut Session) -> Vec<u32> {
    let candidates: Vec<Option<Row>> = (0..model.len() as u32).map(|row| Some(Row(row))).collect();
    let mut queue = Vec::new();
    rank(model, session, &candidates, candidates.len(), &mut queue);
    queue.iter().map(|place: &Place| place.index()).collect()
}

/// Solves the normal equations in double precision by Gaussian elimination.
#[expect(clippy::needless_range_loop, reason = "indices read as in the formulas")]
fn ridge_solution(model: &Model, positive: &[u32], skipped: &[u32]) -> Vec<f64> {
    let dim = model.dim();
    let taste = model.taste();
    let mut gram = Vec::new();
    taste.unobserved_gram(&mut gram);
    let ridge = f64::from(taste.ridge(positive.len() as f32));
    let mut a = vec![vec![0.0_f64; dim + 1]; dim];
    for i in 0..dim {
        for j in 0..dim {
            let (high, low) = (i.max(j), i.min(j));
            a[i][j] = f64::from(gram[high * (high + 1) / 2 + low]);
        }
        a[i][i] += ridge;
        a[i][dim] = f64::from(taste.prior_information()[i]);
    }
    let targets = positive.iter().map(|r| (r, 1.0)).chain(skipped.iter().map(|r| (r, 0.0)));
    for (&row, target) in targets {
        let mut v = vec![0.0_f32; dim];
        model.factors().decode(Row(row), &mut v);
        for i in 0..dim {
            for j in 0..dim {
                a[i][j] += f64::from(v[i]) * f64::from(v[j]);
            }
            a[i][dim] += target * f64::from(v[i]);
        }
    }
    for i in 0..dim {
        for k in i + 1..dim {
            let factor = a[k][i] / a[i][i];
            for j in i..=dim {
                a[k][j] -= factor * a[i][j];
            }
        }
    }
    let mut x = vec![0.0; dim];
    for i in (0..dim).rev() {
        let known: f64 = (i + 1..dim).map(|j| a[i][j] * x[j]).sum();
        x[i] = (a[i][dim] - known) / a[i][i];
    }
    x
}

#[test]
fn the_posterior_mean_is_the_ridge_solution() {
    let model = support::model(60, 1);
    let mut session = Session::new(&model);
    let (played, skipped) = ([3, 17, 22, 40], [8, 51]);
    played.iter().for_each(|&row| observe(&model, &mut session, row, Kind::Play, 1.0));
    skipped.iter().for_each(|&row| observe(&model, &mut session, row, Kind::Skip, 0.0));
    let expected = ridge_solution(&model, &played, &skipped);
    let mean = &session.posterior(&model).mean;
    let error =
        mean.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    assert!(error < 1e-4, "largest difference {error}");
}

#[test]
fn the_order_of_events_does_not_matter_beyond_rounding() {
    let model = support::model(60, 1);
    let (mut forth, mut back) = (Session::new(&model), Session::new(&model));
    let rows: Vec<u32> = (0..20).collect();
    rows.iter().for_each(|&row| observe(&model, &mut forth, row, Kind::Play, 0.7));
    rows.iter().rev().for_each(|&row| observe(&model, &mut back, row, Kind::Play, 0.7));
    let (a, b) = (forth.posterior(&model).mean.clone(), &back.posterior(&model).mean);
    assert!(a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-4));
}

#[test]
fn a_skip_lowers_its_track_and_an_earlier_skip_lowers_it_more() {
    let model = support::model(60, 1);
    let score = |heard: Option<f32>| {
        let mut session = Session::new(&model);
        observe(&model, &mut session, 5, Kind::Play, 1.0);
        if let Some(heard) = heard {
            observe(&model, &mut session, 9, Kind::Skip, heard);
        }
        let mut factor = vec![0.0; model.dim()];
        model.factors().decode(Row(9), &mut factor);
        session.posterior(&model).expect(&factor)
    };
    let (before, late, early) = (score(None), score(Some(0.9)), score(Some(0.05)));
    assert!(before > 0.0 && late < before && early < late, "{before} {late} {early}");
}

#[test]
fn skips_move_the_skipped_kind_of_track_down_the_queue() {
    let model = support::model(200, 1);
    let mean_place = |order: &[u32], direction: u32| {
        let places = order.iter().enumerate().filter(|(_, row)| **row % 4 == direction);
        places.map(|(place, _)| place).sum::<usize>() / 50
    };
    let mut session = Session::new(&model);
    observe(&model, &mut session, 1, Kind::Play, 1.0);
    let before = mean_place(&order(&model, &mut session), 2);
    [6, 10, 14].iter().for_each(|&row| observe(&model, &mut session, row, Kind::Skip, 0.02));
    let after = mean_place(&order(&model, &mut session), 2);
    assert!(after > before + 5, "mean place {before} → {after}");
}

#[test]
fn unknown_candidates_come_last_in_the_order_given() {
    let model = support::model(60, 1);
    let mut session = Session::new(&model);
    let candidates = [None, Some(Row(3)), Some(Row(4_000_000)), Some(Row(3)), None, Some(Row(9))];
    let mut queue = Vec::new();
    rank(&model, &mut session, &candidates, 99, &mut queue);
    let unknown: Vec<u32> =
        queue.iter().filter(|place| place.points() == UNKNOWN).map(|place| place.index()).collect();
    assert_eq!(unknown, [0, 2, 4]);
    assert_eq!(queue.iter().skip(3).map(|place| place.index()).collect::<Vec<_>>(), unknown);
    let first: Vec<u32> = queue.iter().take(3).map(|place| place.index()).collect();
    let twice: Vec<u32> = first.into_iter().filter(|c| *c != 5).collect();
    assert_eq!(twice, [1, 3], "a candidate given twice is ranked twice, in the order given");
}

#[test]
fn a_limited_ranking_is_the_start_of_the_whole_one() {
    let model = support::model(60, 1);
    let mut session = Session::new(&model);
    observe(&model, &mut session, 5, Kind::Like, 1.0);
    let candidates: Vec<Option<Row>> = (0..60).map(|row| Some(Row(row))).collect();
    let (mut all, mut some) = (Vec::new(), Vec::new());
    rank(&model, &mut session, &candidates, 60, &mut all);
    for limit in [0, 1, 7, 59, 60, 61] {
        rank(&model, &mut session, &candidates, limit, &mut some);
        assert_eq!(some, all[..limit.min(60)]);
    }
}

#[test]
fn the_best_of_the_catalogue_is_what_ranking_all_of_it_gives() {
    let model = support::model(500, 1);
    let mut session = Session::new(&model);
    observe(&model, &mut session, 5, Kind::Play, 1.0);
    let whole = order(&model, &mut session);
    let mut best: Vec<Place> = Vec::new();
    for k in [0, 1, 10, 250, 499, 500, 5000] {
        top(&model, &mut session, k, |_| true, &mut best);
        let rows: Vec<u32> = best.iter().map(|place| place.index()).collect();
        assert_eq!(rows, whole[..k.min(500)], "k = {k}");
    }
    top(&model, &mut session, 20, |row| row.0 % 2 == 0, &mut best);
    let even: Vec<u32> = whole.iter().copied().filter(|row| row % 2 == 0).take(20).collect();
    assert_eq!(best.iter().map(|place| place.index()).collect::<Vec<_>>(), even);
}

#[test]
fn nothing_known_ranks_as_the_mean_listener_would() {
    let model = support::model(60, 1);
    let mut session = Session::new(&model);
    let mut by_mean: Vec<(f32, u32)> = (0..60)
        .map(|row| {
            let mut factor = vec![0.0; model.dim()];
            model.factors().decode(Row(row), &mut factor);
            (dot(model.taste().mean(), &factor), row)
        })
        .collect();
    by_mean.sort_by(|a, b| b.0.total_cmp(&a.0));
    let expected: Vec<u32> = by_mean.iter().take(5).map(|(_, row)| *row).collect();
    assert_eq!(order(&model, &mut session)[..5], expected);
}

#[test]
fn hostile_observations_change_nothing() {
    let model = support::model(60, 1);
    let mut session = Session::new(&model);
    let before = session.posterior(&model).mean.clone();
    observe(&model, &mut session, 60, Kind::Like, 1.0);
    observe(&model, &mut session, u32::MAX, Kind::Play, 1.0);
    session.add(&model, Row(1), Kind::Like, f32::NAN);
    session.add(&model, Row(1), Kind::Like, f32::INFINITY);
    session.add(&model, Row(1), Kind::Like, -3.0);
    assert_eq!(session.posterior(&model).mean, before);
    observe(&model, &mut session, 1, Kind::Play, f32::NAN);
    assert!(session.posterior(&model).mean.iter().all(|x| x.is_finite()));
}

#[test]
fn ten_thousand_events_leave_a_finite_taste() {
    let model = support::model(60, 1);
    let mut session = Session::new(&model);
    for at in 0..10_000_u32 {
        let kind = Kind::ALL[at as usize % Kind::ALL.len()];
        observe(&model, &mut session, at * 7 % 60, kind, 0.5);
    }
    assert!(session.posterior(&model).mean.iter().all(|x| x.is_finite()));
    assert_eq!(session.evidence().len(), 60);
}

#[test]
fn a_session_moves_to_another_model_and_drops_what_that_lacks() {
    let (small, large) = (support::model(30, 1), support::model(60, 2));
    let mut session = Session::new(&large);
    let known = large.row("t3").unwrap();
    let lost = large.row("t45").unwrap();
    session.add(&large, known, Kind::Like, 1.0);
    session.add(&large, lost, Kind::Play, 1.0);
    let moved = session.moved(&large, &small);
    let rows: Vec<Row> = moved.evidence().iter().map(|evidence| evidence.row).collect();
    assert_eq!(rows, [small.row("t3").unwrap()]);
    assert_eq!(moved.evidence()[0].amount(Kind::Like), 1.0);
}

/// The score of a row beside the mean of all that are ranked with it.
fn beside(model: &Model, session: &mut Session, row: Row) -> f32 {
    let mut score = |row| {
        let mut factor = vec![0.0; model.dim()];
        model.factors().decode(row, &mut factor);
        session.posterior(model).expect(&factor)
    };
    score(row) - (20..200).map(|row| score(Row(row))).sum::<f32>() / 180.0
}

#[test]
fn taking_away_the_evidence_that_a_reason_names_moves_the_track_as_it_says() {
    let model = support::model(200, 1);
    // The last play is of a track that the likes and skips before it speak against.
    let events = [
        (1, Kind::Play),
        (5, Kind::Like),
        (6, Kind::Skip),
        (10, Kind::Skip),
        (7, Kind::Dislike),
        (9, Kind::Click),
        (14, Kind::Play),
    ];
    let session_without = |left_out: &[Row]| {
        let mut session = Session::new(&model);
        for (row, kind) in events {
            if !left_out.contains(&Row(row)) {
                observe(
                    &model,
                    &mut session,
                    row,
                    kind,
                    if kind == Kind::Skip { 0.1 } else { 1.0 },
                );
            }
        }
        session
    };
    let mut session = session_without(&[]);
    let mut explainer = Explainer::new(&model, &mut session);
    let ranked = || (20..200).map(Row);
    explainer.beside(&model, &mut session, &ranked().collect::<Vec<_>>());
    let mut told = [0, 0];
    for row in ranked() {
        let mut factor = vec![0.0; model.dim()];
        model.factors().decode(row, &mut factor);
        let score = beside(&model, &mut session, row);
        for reason in explainer.explain(&model, &mut session, row) {
            // One piece of evidence, of an effect that rounding cannot turn.
            if reason.ground == Ground::Popular
                || reason.tracks.len() != 1
                || reason.effect.abs() < 0.01
            {
                continue;
            }
            let without = beside(&model, &mut session_without(&reason.tracks), row);
            assert!(
                (score - without) * reason.effect > 0.0,
                "{row:?} {reason:?}: {without} → {score}"
            );
            let against = matches!(reason.ground, Ground::Skipped | Ground::Disliked);
            assert!(against || reason.effect > 0.0);
            let mut near = vec![0.0; model.dim()];
            model.factors().decode(reason.tracks[0], &mut near);
            session.posterior(&model).precision.solve(&mut near);
            let unlike = against && reason.effect > 0.0;
            assert!(
                unlike || dot(&near, &factor) > 0.0,
                "{reason:?} names a track that {row:?} is not near"
            );
            told[usize::from(unlike)] += 1;
        }
    }
    assert!(told.iter().all(|&told| told > 20), "only {told:?} reasons were tested");
}

#[test]
fn reasons_read_as_a_person_says_them() {
    let mut responses = Responses::default();
    responses.kinds[Kind::Skip as usize].target = -1.0;
    let model = Model::from_sections(support::sections_saying(responses, 200, 1)).unwrap();
    let mut session = Session::new(&model);
    observe(&model, &mut session, 1, Kind::Play, 1.0);
    [6, 10, 14].iter().for_each(|&row| observe(&model, &mut session, row, Kind::Skip, 0.0));
    let mut explainer = Explainer::new(&model, &mut session);
    explainer.beside(&model, &mut session, &(20..200).map(Row).collect::<Vec<_>>());
    let texts: Vec<String> = (20..200)
        .flat_map(|row| explainer.explain(&model, &mut session, Row(row)))
        .map(|reason| reason.text())
        .collect();
    assert!(texts.iter().any(|text| text == "close to 1 track you finished"));
    assert!(texts.iter().any(|text| text == "similar to 3 tracks you skipped"));
    assert!(texts.iter().any(|text| text == "unlike 1 track you skipped"));
    let of_itself = explainer.explain(&model, &mut session, Row(6));
    assert!(
        of_itself.iter().any(|reason| reason.text() == "you skipped it and 1 like it"),
        "{of_itself:?}"
    );
}

#[test]
fn a_reason_says_what_the_listener_did_and_no_more() {
    let model = support::model(60, 1);
    let told = |events: &[(Kind, Option<f32>)]| -> Vec<String> {
        let mut session = Session::new(&model);
        for &(kind, heard) in events {
            session.observe(&model, Observation { row: Row(1), kind, heard });
        }
        let reasons = Explainer::new(&model, &mut session).explain(&model, &mut session, Row(1));
        reasons
            .iter()
            .filter(|reason| reason.ground != Ground::Popular)
            .map(|reason| reason.text())
            .collect()
    };
    let thrice = [(Kind::Play, Some(0.3)); 3];
    assert_eq!(told(&thrice), ["you played it"]);
    assert_eq!(told(&[(Kind::Play, None)]), ["you played it"]);
    assert_eq!(told(&[(Kind::Play, Some(0.95))]), ["you finished it"]);
    assert_eq!(told(&[(Kind::Save, None)]), ["you saved it"]);
    assert_eq!(told(&[(Kind::Replay, None), (Kind::Play, Some(1.0))]), ["you replayed it"]);
    assert_eq!(told(&[(Kind::Click, None)]), ["you chose it"]);
    let skipped = told(&[(Kind::Skip, Some(0.0))]);
    assert_eq!(told(&[(Kind::Click, None), (Kind::Skip, Some(0.0))]), skipped);
    assert!(told(&[(Kind::Impression, None)]).is_empty());
}

#[test]
fn what_came_little_by_little_is_taken_in_at_once() {
    let model = support::model(60, 1);
    let taken = |amount: f32| {
        let mut evidence = Evidence::new(Row(9));
        evidence.add(Kind::Play, amount);
        let mut session = Session::new(&model);
        session.take(&model, &evidence);
        session.posterior(&model).mean.clone()
    };
    let unknown = Session::new(&model).posterior(&model).mean.clone();
    assert_ne!(taken(1.0), unknown);
    // Beyond one event it says no more by the definitions, however often it happened.
    assert!(taken(1e6) == taken(1.0) && taken(1.7e7) == taken(1.0));
    for nonsense in [0.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        assert_eq!(taken(nonsense), unknown, "{nonsense}");
    }
}
