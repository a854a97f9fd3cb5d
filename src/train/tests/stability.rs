//! How stable clusters are, and what a later model keeps of an earlier one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use segue_train::{
    clusters::{Seen, Start, centroids, cluster, concentration, kept, own_concentration},
    evaluate::stability::adjusted_rand,
    progress::Progress,
};

#[test]
fn the_adjusted_rand_index_is_that_of_worked_examples() {
    assert_eq!(adjusted_rand(&[0, 0, 1, 1], &[5, 5, 2, 2]), 1.0);
    let index = adjusted_rand(&[0, 0, 1, 1], &[0, 0, 1, 2]);
    assert!((index - 0.571_428_571).abs() < 1e-6, "{index}");
    let index = adjusted_rand(&[0, 0, 1, 1], &[0, 1, 0, 1]);
    assert!((index + 0.5).abs() < 1e-6, "{index}");
    assert_eq!(adjusted_rand(&[0; 9], &[3; 9]), 1.0);
    assert_eq!(adjusted_rand(&[], &[]), 1.0);
}

/// Two items along each of three axes.
const ITEMS: [f32; 18] =
    [1.0, 0.1, 0.0, 1.0, 0.0, 0.1, 0.1, 1.0, 0.0, 0.0, 1.0, 0.1, 0.1, 0.0, 1.0, 0.0, 0.1, 1.0];

fn clustered(start: Start<'_>) -> Vec<u16> {
    cluster(&ITEMS, 3, &[5; 6], start, &Progress::silent()).unwrap()
}

#[test]
fn clusters_after_an_earlier_model_keep_their_numbers() {
    let earlier = [Some(2), None, Some(0), Some(0), Some(1), None];
    assert_eq!(clustered(Start::After(&earlier)), [2, 2, 0, 0, 1, 1]);
    assert_eq!(adjusted_rand(&clustered(Start::Anew(3, 1)), &[0, 0, 1, 1, 2, 2]), 1.0);
}

#[test]
fn an_earlier_cluster_that_lost_all_its_tracks_and_tracks_that_nobody_likes_are_sound() {
    let earlier = [Some(0), Some(0), Some(2), Some(2), Some(2), Some(2)];
    let found = clustered(Start::After(&earlier));
    assert!(found.iter().all(|&cluster| cluster < 3));
    let nobody = cluster(&ITEMS, 3, &[0; 6], Start::Anew(3, 1), &Progress::silent()).unwrap();
    assert_eq!(nobody.len(), 6);
}

#[test]
fn tracks_of_a_large_catalogue_go_where_those_that_are_heard_most_say() {
    // 60,000 tracks, each near one of three axes; half of them have been heard.
    let tracks = 60_000;
    let axis = |track: usize| track % 3;
    let near = |track: usize| {
        let mut item = [0.1; 3];
        item[axis(track)] = 1.0 + (track % 7) as f32;
        item
    };
    let items: Vec<f32> = (0..tracks).flat_map(near).collect();
    let listeners: Vec<usize> = (0..tracks).map(|track| usize::from(track % 6 < 3)).collect();
    let find = || cluster(&items, 3, &listeners, Start::Anew(3, 1), &Progress::silent()).unwrap();
    let found = find();
    let axes: Vec<u16> = (0..tracks).map(|track| axis(track) as u16).collect();
    assert_eq!(adjusted_rand(&found, &axes), 1.0);
    assert_eq!(found, find());
}

#[test]
fn a_cluster_is_kept_where_most_of_its_tracks_stayed() {
    let before = [Some(0), Some(0), Some(0), Some(1), Some(1), None, Some(2)];
    assert_eq!(kept(&[0, 0, 1, 1, 2, 2, 2], &before, 3), [true, false, false]);
}

#[test]
fn mean_directions_have_length_one() {
    let means = centroids(&ITEMS, 3, &[0, 0, 1, 1, 2, 2]);
    for mean in means.chunks_exact(3) {
        assert!((mean.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

fn seen(cosines: [f32; 2], came: &[u16]) -> Seen {
    Seen { cosines: cosines.to_vec(), came: came.to_vec() }
}

#[test]
fn the_concentration_makes_what_listeners_came_to_like_most_likely() {
    // Three of four came where they were nearer, by a cosine more of 0.5: e^(κ/2) is 3.
    let mostly: Vec<Seen> = (0..40).map(|at| seen([0.7, 0.2], &[u16::from(at % 4 == 0)])).collect();
    let found = concentration(&mostly);
    assert!((found - 2.0 * 3.0_f64.ln()).abs() < 1e-3, "{found}");
    assert!(concentration(&[seen([0.7, 0.2], &[1])]) < 1e-3);
    // As far as a double tells the shares from one and nothing.
    assert!(concentration(&[seen([0.7, 0.2], &[0])]) > 60.0);
    assert!(concentration(&[]) < 1e-3);
}

#[test]
fn where_nothing_is_held_out_tight_clusters_are_more_concentrated_than_loose_ones() {
    let tight = own_concentration(&ITEMS, 3, &[0, 0, 1, 1, 2, 2]);
    let loose = own_concentration(&ITEMS, 3, &[0, 1, 2, 0, 1, 2]);
    assert!(tight > 4.0 * loose && loose > 0.0, "{tight} {loose}");
    assert!(own_concentration(&[0.0; 6], 3, &[0, 0]).is_finite());
}
