//! One suite that every kernel passes: the SIMD of this target answers as plain Rust does, and the
//! best of the catalogue are those that ranking all of it gives.

mod support;

use proptest::{collection::vec, prelude::*};
use segue_core::{
    codec::rows::Distinct,
    event::Kind,
    ids::Row,
    kernel::{
        BLOCK_ROWS, Block, Pair, Place, SKETCH, Sketch, TILE_LINES, Table, best, dot, outer,
        points, reach, scalar, seek, top_k,
    },
    rank::{top, top_each},
    session::Session,
};

#[test]
fn products_of_any_number_of_rows_are_summed_exactly() {
    let rows = Distinct { codes: vec![127, -127], of: vec![0; 300_000] };
    let squares = 300_000 * 127 * 127;
    assert_eq!(Table::new(rows, 2, 16).unwrap().gram(2), [squares, -squares, squares]);
}

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
    fn a_search_of_whole_rows_finds_the_same_in_every_kernel(
        blocks in 1_usize..6,
        codes in vec(-127_i8..=127, 0..4000),
        query in vec(-2000_i16..=2000, 80),
        threshold in -900_000_i32..900_000,
        from in 0_usize..8,
    ) {
        let query = &query[..blocks * 16];
        let codes = &codes[..codes.len() / query.len() * query.len()];
        prop_assert_eq!(
            reach(codes, query, threshold, from),
            scalar::reach(codes, query, threshold, from)
        );
    }

    #[test]
    fn outer_products_are_the_same_in_every_kernel(
        blocks in 1_usize..4,
        first in 0_usize..12,
        pairs in vec(vec((any::<Pair>(), any::<Pair>()), 48), 0..6),
    ) {
        let stride = blocks * 16;
        let first = first * TILE_LINES % stride;
        let small = |pair: Pair| pair.map(|x| x / 4);
        let side = |of: fn(&(Pair, Pair)) -> Pair| -> Vec<Pair> {
            pairs.iter().flat_map(|row| row[..stride].iter().map(of).map(small)).collect()
        };
        let (rows, weighted) = (side(|pair| pair.0), side(|pair| pair.1));
        let mut wanted = vec![7; stride * stride];
        let mut found = wanted.clone();
        scalar::outer(&rows, &weighted, stride, first, &mut wanted);
        outer(&rows, &weighted, stride, first, &mut found);
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn a_table_keeps_every_row_and_sums_all_their_products(
        dim in 1_usize..40,
        codes in vec(-127_i8..=127, 1..800),
        of in vec(any::<u32>(), 1..300),
        often in 0_usize..40_000,
    ) {
        let distinct = codes.len().div_ceil(dim);
        let mut codes = codes;
        codes.resize(distinct * dim, 3);
        let mut of: Vec<u32> = of.iter().map(|of| of % distinct as u32).collect();
        of.extend((0..distinct as u32).chain(std::iter::repeat_n(0, often)));
        let row = |row: usize| &codes[of[row] as usize * dim..][..dim];
        let rows = Distinct { codes: codes.clone(), of: of.clone() };
        let table = Table::new(rows, dim, dim.next_multiple_of(16)).unwrap();

        prop_assert_eq!((table.rows(), table.distinct()), (of.len(), distinct));
        for at in 0..of.len() {
            prop_assert_eq!(&table.row(at)[..dim], row(at));
            prop_assert!(table.row(at)[dim..].iter().all(|&code| code == 0));
        }
        let mut listed: Vec<u32> = (0..distinct).flat_map(|place| table.rows_at(place)).collect();
        listed.sort_unstable();
        prop_assert_eq!(listed, (0..of.len() as u32).collect::<Vec<_>>());

        let mut wanted = Vec::new();
        for i in 0..dim {
            for j in 0..=i {
                let products = (0..of.len()).map(|at| i64::from(row(at)[i]) * i64::from(row(at)[j]));
                wanted.push(products.sum::<i64>());
            }
        }
        prop_assert_eq!(table.gram(dim), wanted);
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
        many_are_equal in any::<bool>(),
    ) {
        let model = if many_are_equal { support::coarse } else { support::model }(tracks, seed);
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
        top_k(model.shelves(), query, k, keep, &mut found);
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn searching_together_finds_what_each_finds_alone(
        tracks in 1_usize..1500,
        seed in any::<u64>(),
        listeners in vec(vec((0_usize..9, 0_u32..1500), 0..6), 0..6),
        k in 0_usize..80,
        many_are_equal in any::<bool>(),
    ) {
        let model = if many_are_equal { support::coarse } else { support::model }(tracks, seed);
        let session = |events: &Vec<(usize, u32)>| {
            let mut session = Session::new(&model);
            for &(kind, row) in events {
                session.add(&model, Row(row % tracks as u32), Kind::ALL[kind], 1.0);
            }
            session
        };
        let keep = |listener: usize, row: Row| row.0 as usize % 5 != listener;
        let mut sessions: Vec<Session> = listeners.iter().map(session).collect();
        let mut together = vec![Vec::new(); sessions.len()];
        top_each(&model, &mut sessions, k, keep, &mut together);
        for (at, (session, together)) in sessions.iter_mut().zip(&together).enumerate() {
            let mut alone = Vec::new();
            top(&model, session, k, |row| keep(at, row), &mut alone);
            prop_assert_eq!(&alone, together);
        }
    }
}
