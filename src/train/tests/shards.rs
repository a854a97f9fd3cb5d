//! How a catalogue is split: the head is what was played most, shards are clusters, and cells are of
//! tracks about as popular as each other.

use segue_train::shards::{HEAD, Plan, Tracks, WHOLE, head, most_played};

/// Splits tracks that are as popular as they are played often.
fn plan(plays: &[usize], clusters: &[u16], asked: Option<usize>) -> Option<Plan> {
    let popularity: Vec<f32> = plays.iter().map(|&plays| plays as f32).collect();
    let in_head = most_played(plays, head(plays.len(), asked));
    segue_train::shards::plan(Tracks { popularity: &popularity, clusters }, &in_head)
}

#[test]
fn small_catalogues_stay_whole_and_large_ones_have_a_head() {
    assert_eq!(head(WHOLE, None), None);
    assert_eq!(head(WHOLE + 1, None), Some(HEAD));
    assert_eq!(head(50, Some(50)), None);
    assert_eq!(head(50, Some(49)), Some(49));
    assert!(plan(&[3; 50], &[0; 50], None).is_none());
}

#[test]
fn the_most_played_are_the_head_and_each_cluster_is_a_shard() {
    let tracks = 1000;
    let plays: Vec<usize> = (0..tracks).map(|track| track * 7919 % 1009).collect();
    let clusters: Vec<u16> = (0..tracks).map(|track| (track % 5) as u16).collect();
    let plan = plan(&plays, &clusters, Some(100)).unwrap();
    let in_head = |track: &usize| plan.cell_of[*track].is_none();
    let least = (0..tracks).filter(in_head).map(|track| plays[track]).min().unwrap();
    assert_eq!((0..tracks).filter(in_head).count(), 100);
    for track in (0..tracks).filter(|track| !in_head(track)) {
        assert!(plays[track] <= least);
        let cell = plan.cell_of[track].unwrap() as usize;
        assert_eq!(u16::from(plan.shard_of[cell]), clusters[track] + 1);
    }
}

#[test]
fn the_cells_of_a_cluster_go_by_popularity() {
    let plays: Vec<usize> = (0..400).collect();
    let plan = plan(&plays, &[0; 400], Some(40)).unwrap();
    assert_eq!(plan.shard_of, [1; 4]);
    let of = |cell: u32| -> Vec<usize> {
        let tracks = (0..400).filter(|&track| plan.cell_of[track] == Some(cell));
        tracks.map(|track| plays[track]).collect()
    };
    let cells: Vec<Vec<usize>> = (0..4).map(of).collect();
    assert_eq!(cells.iter().map(Vec::len).collect::<Vec<_>>(), [24, 48, 96, 192]);
    assert!(cells.windows(2).all(|pair| pair[0].iter().min() > pair[1].iter().max()));
}

#[test]
fn a_cluster_whose_tracks_are_all_in_the_head_has_no_cell() {
    let plan = plan(&[9, 9, 1, 1], &[0, 0, 1, 2], Some(2)).unwrap();
    assert_eq!(plan.shard_of, [2, 3]);
    assert_eq!(plan.cell_of, [None, None, Some(0), Some(1)]);
}
