//! Pairs of tracks beyond the head: a favourite, and another one that the listener has nothing to do with.

use segue_core::{event::Kind, ids::Row, session::Evidence};
use segue_train::evaluate::{pairs::rivals, ranking::Case};

fn case(known: impl Iterator<Item = u32>, held_out: impl Iterator<Item = u32>) -> Case {
    let heard = |row| {
        let mut evidence = Evidence::new(Row(row));
        evidence.add(Kind::Play, 1.0);
        evidence
    };
    Case {
        known: known.map(heard).collect(),
        held_out: held_out.map(Row).collect(),
        ..Case::default()
    }
}

#[test]
fn a_rival_is_beyond_the_head_and_strange_to_the_listener() {
    const TRACKS: u32 = 400_000;
    // The most played first. One listener has met half of them, and came to like a quarter: in time only
    // if each is looked up.
    let plays: Vec<usize> = (0..TRACKS as usize).rev().collect();
    let many = case((0..TRACKS).step_by(2), (1..TRACKS).step_by(4));
    let few = case([5, 300_001].into_iter(), [3, 200_000].into_iter());
    let head = 1000;
    let found = rivals(&plays, head, &[many, few]);
    assert!(found[0].len() > 80_000, "{}", found[0].len());
    for [favourite, other] in &found[0] {
        assert!(favourite.0 % 4 == 1 && other.0 % 4 == 3, "{favourite:?} {other:?}");
        assert!(favourite.0 >= head as u32 && other.0 >= head as u32);
    }
    // What is of the head has no rival.
    assert_eq!(found[1].len(), 1);
    let [favourite, other] = found[1][0];
    assert_eq!(favourite, Row(200_000));
    assert!((180_000..=220_000).contains(&other.0), "about as popular: {other:?}");
}

#[test]
fn who_has_met_everything_beyond_the_head_has_no_rivals() {
    let plays = vec![1; 50];
    assert!(rivals(&plays, 10, &[case(0..40, 40..50)])[0].is_empty());
    assert!(rivals(&plays, 50, &[case(0..2, 40..50)])[0].is_empty(), "there is nothing beyond it");
    assert!(rivals(&plays, 10, &[]).is_empty());
}
