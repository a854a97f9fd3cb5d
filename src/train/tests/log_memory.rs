//! Memory is bounded, whatever the input.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

mod log_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use log_support::log_file;
use segue_train::log::{Options, Place, read};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting.
struct Counting;

// SAFETY: every call is passed on as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A packed log with one line of 100 MB amid others; the open quote makes it the worst case.
fn log_with_a_huge_line() -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(b"user,track,at,title\nu,t,1,x\nu,t,1,\"").unwrap();
    let piece = vec![b'x'; 1_000_000];
    for _ in 0..100 {
        packer.write_all(&piece).unwrap();
    }
    packer.write_all(b"\nu,t,2,x\n").unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_line_of_100_mb_is_passed_over_in_bounded_memory() {
    let file = log_file("a.csv", log_with_a_huge_line());
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let options = Options { skip_bad_lines: true, ..Options::default() };
    let summary = read(&file.path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    let peak = PEAK.load(Ordering::Relaxed) - before;
    assert_eq!((summary.rows, summary.bad_lines), (2, 1));
    assert_eq!(summary.first_bad[0].place, Place::Line(3));
    assert!(peak < 8 << 20, "{peak} bytes");
}
