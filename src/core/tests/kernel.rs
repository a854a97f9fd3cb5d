//! One suite that every kernel passes: the SIMD of this target answers as plain Rust does, and the
//! best of the catalogue are those that ranking all of it gives.

mod support;

use proptest::{collection::vec, prelude::*};
use segue_core::{
    event::Kind,
    ids::Row,
    kernel::{BLOCK_ROWS, Block, Place, SKETCH, Sketch, best, dot, points, scalar, seek, top_k},
    session::Session,
};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_inner_product_is_the_same_in_every_kernel(
        (row, query) in (1_usize..=16).prop_flat_map(|blocks| {
            (vec(-127_i8..=127, blocks * 16), vec(-32767_i16..=32767, blocks * 16))
        }),
    ) {
        prop_assert_eq!(dot(&row, &query), scalar::dot(&row, &query));
    }

    #[test]
    fn a_search_of_sketches_finds_the_same_in_every_kernel(
        rows in vec(vec(-127_i8..=127, 32), 0..70),
        query in vec(-2000_i16..=2000, SKETCH),
        threshold in -900_000_i32..900_000,
        from in 0_usize..20,
    ) {
        let sketch = Sketch::new(&rows.concat(), 32).unwrap();
        let query: [i16; SKETCH] = query.try_into().unwrap();
        let blocks: &[Block] = sketch.blocks();
        prop_assert_eq!(blocks.len(), rows.len().div_ceil(BLOCK_ROWS));
        prop_assert_eq!(
            seek(blocks, &query, threshold, from),
            scalar::seek(blocks, &query, threshold, from)
        );
    }

    #[test]
    fn places_order_by_points_and_then_by_index(
        places in vec((any::<i32>(), any::<u32>()), 0..200),
        k in 0_usize..220,
    ) {
        let mut packed: Vec<Place> = places.iter().map(|&(p, i)| Place::new(p, i)).collect();
        best(&mut packed, k);
        let found: Vec<_> = packed.iter().map(|place| (place.points(), place.index())).collect();
        let mut wanted = places;
        wanted.sort_by_key(|&(points, index)| (std::cmp::Reverse(points), index));
        wanted.truncate(k);
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn the_best_are_those_of_the_whole_catalogue_for_any_listener(
        tracks in 1_usize..300,
        seed in any::<u64>(),
        events in vec((0_usize..9, 0_u32..300), 0..12),
        k in 0_usize..320,
        every in 1_u32..4,
    ) {
        let model = support::model(tracks, seed);
        let mut session = Session::new(&model);
        for (kind, row) in events {
            session.add(&model, Row(row % tracks as u32), Kind::ALL[kind], 1.0);
        }
        let query = session.query(&model);
        let keep = |row: Row| row.0.is_multiple_of(every);
        let mut wanted: Vec<Place> = (0..tracks as u32)
            .filter(|&row| keep(Row(row)))
            .map(|row| Place::new(points(model.factors(), query, Row(row)), row))
            .collect();
        best(&mut wanted, k);
        let mut found = Vec::new();
        top_k(model.tables(), query, k, keep, &mut found);
        prop_assert_eq!(found, wanted);
    }
}
