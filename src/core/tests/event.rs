//! What an impression says of how it came to be offered.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use segue_core::event::{
    CandidatesError, Event, EventError, Kind, MAX_CANDIDATES, MAX_ID_BYTES, Propensity, offered_at,
};

fn impression(track: &str, candidates: &[&str]) -> Event {
    Event {
        id: "e".into(),
        user: "u".into(),
        session: "s".into(),
        track: track.into(),
        at: 0,
        kind: Kind::Impression,
        played_ms: None,
        duration_ms: None,
        context: None,
        exposures: None,
        propensity: Some(Propensity::try_from(0.25).unwrap()),
        candidates: Some(candidates.iter().map(|&id| id.into()).collect()),
    }
}

#[test]
fn a_propensity_is_from_a_billionth_to_1() {
    for sound in [1e-9, 0.25, 1.0] {
        assert_eq!(Propensity::try_from(sound).unwrap().get(), sound);
    }
    for other in
        [0.0, -0.0, -1.0, f64::MIN_POSITIVE, 0.9e-9, 1.0 + f64::EPSILON, f64::NAN, f64::INFINITY]
    {
        let said = Propensity::try_from(other).unwrap_err().to_string();
        assert!(said.ends_with("expected a number from 1e-9 to 1"), "{other}: {said}");
    }
}

#[test]
fn a_propensity_goes_with_the_candidates_of_an_impression() {
    let sound = impression("b", &["a", "b"]);
    assert_eq!(sound.validate(), Ok(()));
    let alone = Event { candidates: None, ..sound.clone() };
    let (there, lacks) = ("propensity", "candidates");
    assert_eq!(alone.validate(), Err(EventError::Alone { there, lacks }));
    let alone = Event { propensity: None, ..sound.clone() };
    let (there, lacks) = (lacks, there);
    assert_eq!(alone.validate(), Err(EventError::Alone { there, lacks }));
    let other = Event { kind: Kind::Play, ..sound.clone() };
    assert_eq!(other.validate(), Err(EventError::NoOffer(Kind::Play)));
    let neither = Event { propensity: None, candidates: None, ..sound };
    assert_eq!(neither.validate(), Ok(()));
}

#[test]
fn candidates_are_refused_with_what_is_wrong_with_them() {
    let refused = |track, candidates: &[&str]| {
        impression(track, candidates).validate().unwrap_err().to_string()
    };
    assert!(refused("c", &["a", "b"]).starts_with("`candidates` have no \"c\""));
    assert!(refused("a", &["a", "b", "b"]).contains("\"b\" twice"));
    assert!(refused("a", &["a", ""]).contains("an empty id"));
    assert!(refused("a", &["a", &"x".repeat(MAX_ID_BYTES + 1)]).contains("513 bytes"));
    let many: Vec<String> = (0..=MAX_CANDIDATES).map(|id| id.to_string()).collect();
    assert_eq!(offered_at("0", &many), Err(CandidatesError::TooMany(MAX_CANDIDATES + 1)));
    assert_eq!(offered_at("7", &many[1..]), Ok(6));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_offer_is_found_where_it_is_or_refused(
        track in "[a-d]{0,2}",
        candidates in prop::collection::vec("[a-d]{0,2}", 0..8),
    ) {
        match offered_at(&track, &candidates) {
            Ok(at) => prop_assert_eq!(&candidates[at], &track),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
