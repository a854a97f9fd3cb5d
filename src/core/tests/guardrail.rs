//! When a device says that its model is worse than the one before.

use proptest::prelude::*;
use segue_core::{
    guardrail::{Deed, FIRST, Guardrail},
    rng::SplitMix64,
};

/// A device whose listener refuses by these shares under one model and then the next, so many times each.
fn says(seed: u64, before: f64, after: f64, each: u32) -> bool {
    let mut rng = SplitMix64::new(seed);
    let mut guardrail = Guardrail::default();
    let mut said = false;
    for (version, share) in [(1, before), (2, after)] {
        guardrail.change(version);
        for _ in 0..each {
            let refused = ((rng.next() >> 11) as f64) < share * 2_f64.powi(53);
            said |= guardrail.count(if refused { Deed::Refused } else { Deed::Heard });
        }
    }
    said
}

#[test]
fn of_devices_for_whom_nothing_changed_hardly_any_says_so() {
    let alarms = (0..4000).filter(|&seed| says(seed, 0.25, 0.25, 600)).count();
    assert!(alarms <= 40, "{alarms} of 4000");
}

#[test]
fn a_model_that_is_refused_twice_as_often_is_noticed_by_most_devices() {
    let noticed = (0..400).filter(|&seed| says(seed, 0.25, 0.5, 300)).count();
    assert!(noticed >= 380, "{noticed} of 400");
}

#[test]
fn one_that_is_refused_less_is_never_called_worse() {
    assert!((0..1000).all(|seed| !says(seed, 0.5, 0.3, 300)));
}

#[test]
fn it_is_said_once_for_a_model_and_again_for_the_next() {
    let mut guardrail = Guardrail::default();
    let mut said = Vec::new();
    for (version, refused) in [(1, 5), (2, 60), (3, 100)] {
        guardrail.change(version);
        for at in 0..128 {
            let deed = if at % 100 < refused { Deed::Refused } else { Deed::Heard };
            if guardrail.count(deed) {
                said.push(version);
            }
        }
    }
    assert_eq!(said, [2, 3]);
}

#[test]
fn a_model_that_fails_where_the_one_before_did_not_is_worse_at_once() {
    let mut guardrail = Guardrail::default();
    guardrail.change(1);
    // Nothing to compare with.
    assert!(!guardrail.count(Deed::Failed));
    guardrail.change(2);
    assert!(!guardrail.count(Deed::Failed));
    let mut guardrail = Guardrail::default();
    guardrail.change(1);
    guardrail.count(Deed::Heard);
    guardrail.change(2);
    assert!(guardrail.count(Deed::Failed));
    assert!(!guardrail.count(Deed::Failed));
}

#[test]
fn models_that_come_and_go_before_much_was_heard_leave_what_there_is_to_compare_with() {
    let mut guardrail = Guardrail::default();
    guardrail.change(1);
    assert!((0..100).all(|_| !guardrail.count(Deed::Heard)));
    for version in 2..9 {
        guardrail.change(version);
        guardrail.count(Deed::Heard);
    }
    assert_eq!((guardrail.before.version, guardrail.before.heard), (1, 100));
    // And the same model again is no change.
    let before = guardrail;
    guardrail.change(8);
    assert_eq!(guardrail, before);
}

proptest! {
    #[test]
    fn no_order_of_deeds_panics(deeds in proptest::collection::vec((0_u8..4, 0_u64..4), 0..200)) {
        let mut guardrail = Guardrail::default();
        for (deed, version) in deeds {
            match deed {
                0 => guardrail.change(version),
                1 => _ = guardrail.count(Deed::Heard),
                2 => _ = guardrail.count(Deed::Refused),
                _ => _ = guardrail.count(Deed::Failed),
            }
            prop_assert!(guardrail.before.heard < FIRST * 1000 && !guardrail.rise().is_infinite());
        }
    }
}
