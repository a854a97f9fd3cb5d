//! A listener who goes on listening costs no memory: once everything was met, taking in events,
//! ranking, choosing a queue and searching the catalogue allocate nothing.
#![expect(unsafe_code, reason = "an allocator is unsafe to implement")]

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use segue_core::{
    event::Kind,
    ids::Row,
    kernel::Place,
    model::Model,
    rank::{rank, score, skip, top},
    session::{Observation, Session},
    signals::Signal,
    slate::{self, Options, Slate},
};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it is the system's allocator, and counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn observing_ranking_and_searching_allocate_nothing_once_everything_was_met() {
    let model = support::model(3000, 1);
    allocates_nothing(&model);
    assert_eq!(model.row("t0").map(|row| model.factors().row(row).len()).unwrap(), 32);
    // The same where everything that foretells a yes has a weight: one test, as others would be counted too.
    let weights = [0.5; Signal::ALL.len()];
    allocates_nothing(&Model::from_sections(support::ranked_sections(3000, 1, weights)).unwrap());
}

fn allocates_nothing(model: &Model) {
    let mut session = Session::new(model);
    let candidates: Vec<Option<Row>> = (0..500).map(|row| Some(Row(row * 5))).collect();
    let (mut queue, mut found) = (Vec::<Place>::new(), Vec::<Place>::new());
    let (mut slate, mut chosen) = (Slate::default(), Vec::<Place>::new());
    let options = Options {
        diversity: 0.5,
        artist_gap: 2,
        album_gap: 4,
        fatigue: 1.0,
        explore: 0.5,
        seed: None,
    };
    let mut listen = |round: u32| {
        for (row, kind) in (0..40).zip(Kind::ALL.into_iter().cycle()) {
            let heard = Some((round + row) as f32 % 7.0 / 7.0);
            session.observe(model, Observation { row: Row(row * 11), kind, heard });
            rank(model, &mut session, &candidates, 50, &mut queue);
            slate::rank(model, &mut session, &candidates, 50, &options, &mut slate, &mut chosen);
            assert_eq!(skip(model, queue[0].points()).is_some(), model.ranker().is_some());
            top(model, &mut session, 50, |row| row.0 % 3 > 0, &mut found);
            assert!(score(model, session.query(model), found[0].points()).is_finite());
        }
    };
    listen(0);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    (1..5).for_each(&mut listen);
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), before);
}
