//! Ordering the best of many.
//!
//! Introsort (Musser, 1997) that goes only into what the best `k` reach: half the code of selecting and
//! sorting apart, which a page would have to load.

use alloc::vec::Vec;

use super::Place;

/// Slices up to this long are sorted by insertion.
const SHORT: usize = 12;

/// Keeps the first `k` of `places`, in order. O(n + k·log k), and O(n·log n) at worst.
pub fn best(places: &mut Vec<Place>, k: usize) {
    let patience = 2 * places.len().checked_ilog2().unwrap_or(0);
    order(places, k, patience);
    places.truncate(k);
}

/// Puts the first `k` to the front, in order. After `patience` bad pivots it takes a way that needs none.
fn order(mut places: &mut [Place], mut k: usize, mut patience: u32) {
    while places.len() > SHORT && patience > 0 && k > 0 {
        patience -= 1;
        let (front, back) = part(places);
        order(front, k, patience);
        k = k.saturating_sub(front.len());
        places = back;
    }
    if places.len() > SHORT && k > 0 {
        sort_by_heap(places);
    } else if k > 0 {
        sort_by_insertion(places);
    }
}

/// None of the back comes before any of the front; neither is empty. Of more than two places.
fn part(places: &mut [Place]) -> (&mut [Place], &mut [Place]) {
    let (first, middle, last) = (0, places.len() / 2, places.len() - 1);
    for (a, b) in [(first, middle), (middle, last), (first, middle)] {
        if places[a] < places[b] {
            places.swap(a, b);
        }
    }
    let pivot = places[middle];
    // What stops each side is there: the first is not behind the pivot, the last not before it.
    let (mut from, mut to) = (first, last);
    loop {
        while places[from] > pivot {
            from += 1;
        }
        while places[to] < pivot {
            to -= 1;
        }
        if from >= to {
            return places.split_at_mut(from);
        }
        places.swap(from, to);
        (from, to) = (from + 1, to - 1);
    }
}

fn sort_by_insertion(places: &mut [Place]) {
    for end in 1..places.len() {
        let mut at = end;
        while at > 0 && places[at - 1] < places[at] {
            places.swap(at - 1, at);
            at -= 1;
        }
    }
}

fn sort_by_heap(places: &mut [Place]) {
    let len = places.len();
    // First every parent from the last on, then the root once for each place that it was taken to.
    for step in (0..len + len / 2).rev() {
        let (mut parent, end) = match step.checked_sub(len) {
            Some(parent) => (parent, len),
            None => {
                places.swap(0, step);
                (0, step)
            }
        };
        while let Some(child) =
            (2 * parent + 1..end.min(2 * parent + 3)).min_by_key(|&at| places[at])
        {
            if places[parent] <= places[child] {
                break;
            }
            places.swap(parent, child);
            parent = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn place(x: u32) -> Place {
        Place::new(x as i32, !x)
    }

    fn expected(mut places: Vec<Place>, k: usize) -> Vec<Place> {
        places.sort_by(|a, b| b.cmp(a));
        places.truncate(k);
        places
    }

    proptest! {
        /// The best k come in the order of a whole sort, equal places and all.
        #[test]
        fn is_a_sort_cut_short(values in prop::collection::vec(0_u32..200, 0..300), k in 0_usize..320) {
            let places: Vec<_> = values.into_iter().map(place).collect();
            let mut found = places.clone();
            best(&mut found, k);
            prop_assert_eq!(found, expected(places, k));
        }

        /// Without any patience left the order is the same.
        #[test]
        fn needs_no_good_pivot(values in prop::collection::vec(any::<u32>(), 0..300), patience in 0_u32..4) {
            let places: Vec<_> = values.into_iter().map(place).collect();
            let mut found = places.clone();
            let k = found.len();
            order(&mut found, k, patience);
            prop_assert_eq!(found, expected(places, k));
        }
    }

    /// Orders that defeat simple pivots, in full.
    #[test]
    fn takes_sorted_equal_and_organ_pipe_input() {
        let n = 5_000_u32;
        let ascending: Vec<_> = (0..n).map(place).collect();
        let descending: Vec<_> = (0..n).rev().map(place).collect();
        let equal = vec![place(7); n as usize];
        let pipe: Vec<_> = (0..n).map(|x| place(x.min(n - x))).collect();
        for places in [ascending, descending, equal, pipe] {
            for k in [1, 50, places.len()] {
                let mut found = places.clone();
                best(&mut found, k);
                assert_eq!(found, expected(places.clone(), k));
            }
        }
    }
}
