//! Estimates of what a policy is worth, on impressions whose figures can be told by hand.

use segue_train::evaluate::replay::estimates::{Estimates, Judged, estimates};

/// An impression drawn with `propensity` that the target policy makes with `chance`.
fn judged(listener: usize, yes: bool, chance: f64, propensity: f64) -> Judged {
    Judged {
        offer: 0,
        listener,
        yes,
        target: vec![chance, 1.0 - chance],
        agreement: chance,
        weight: chance / propensity,
        foretold: 0.5,
        foretold_of_target: 0.6,
    }
}

/// Of three listeners: weights 2, 0, 4 and 1, of which the first and the last were content.
fn four() -> Vec<Judged> {
    vec![
        judged(0, true, 1.0, 0.5),
        judged(0, true, 0.0, 0.5),
        judged(3, false, 1.0, 0.25),
        judged(7, true, 0.5, 0.5),
    ]
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

#[test]
fn every_estimate_is_that_of_its_formula() {
    let Estimates { log, ips, snips, direct, robust, gain, effective, largest, clipped, agreement } =
        estimates(&four(), None, 1);
    assert!(near(log.value, 3.0 / 4.0) && near(ips.value, 3.0 / 4.0), "{log:?} {ips:?}");
    assert!(near(snips.value, 3.0 / 7.0) && near(direct.value, 0.6), "{snips:?} {direct:?}");
    // 2·½ + 0·½ − 4·½ + 1·½ is missed.
    assert!(near(robust.value, 0.6 - 0.5 / 4.0), "{robust:?}");
    assert!(near(gain.value, robust.value - log.value));
    assert!(near(effective, 49.0 / 21.0) && near(agreement, 2.5 / 4.0));
    assert_eq!((largest, clipped), (4.0, 0));
    for estimate in [log, ips, snips, direct, robust, gain] {
        let [low, high] = estimate.interval;
        assert!(low <= estimate.value && estimate.value <= high, "{estimate:?}");
    }
}

#[test]
fn a_weight_that_is_clipped_counts_for_no_more() {
    let clip = estimates(&four(), Some(2.0), 1);
    assert!(near(clip.snips.value, 3.0 / 5.0) && near(clip.ips.value, 3.0 / 4.0));
    assert!(near(clip.robust.value, 0.6 + 0.5 / 4.0) && near(clip.effective, 25.0 / 9.0));
    assert_eq!((clip.largest, clip.clipped), (4.0, 1));
    assert_eq!(estimates(&four(), Some(4.0), 1), estimates(&four(), None, 1));
}

#[test]
fn a_policy_that_is_that_of_the_log_has_the_mean_of_the_log() {
    let all: Vec<Judged> = (0..90).map(|at| judged(at / 3, at % 4 == 0, 0.25, 0.25)).collect();
    let it = estimates(&all, None, 1);
    assert!(near(it.ips.value, it.log.value) && near(it.snips.value, it.log.value));
    assert_eq!(it.ips.interval, it.log.interval);
    assert!(near(it.effective, 90.0));
}
