//! How sure figures are, and whether one run is better than another: against what is known by hand.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod log_support;

use std::path::Path;

use log_support::{gzip, log_file, message};
use proptest::{collection::vec, prelude::*};
use segue_core::rng::SplitMix64;
use segue_train::evaluate::{
    compare::{FLIPS, compare, differences, sign_flips},
    figures::{Asked, Each, NEXT, Name, Protocol, SPLIT, read, write},
    intervals::intervals,
    paired,
};

fn uniform(count: usize, seed: u64) -> Vec<[f64; 1]> {
    let mut rng = SplitMix64::new(seed);
    (0..count).map(|_| [rng.unit()]).collect()
}

fn with_threads<T: Send>(threads: usize, work: impl Fn() -> T + Send + Sync) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn an_interval_holds_the_truth_19_times_in_20() {
    let holds = |seed: &u64| {
        let [[low, high]] = intervals(&uniform(100, *seed), 1);
        low <= 0.5 && 0.5 <= high
    };
    let held = (0..400).filter(holds).count();
    // 380 are expected, with a standard deviation of 4.4; a bootstrap of 100 cases is a little narrow.
    assert!((366..=392).contains(&held), "{held}");
}

#[test]
fn an_interval_is_as_wide_as_the_standard_error_says() {
    let [[low, high]] = intervals(&uniform(2000, 3), 1);
    let expected = 2.0 * 1.96 * (1.0_f64 / 12.0 / 2000.0).sqrt();
    let found = high - low;
    assert!((found / expected - 1.0).abs() < 0.1, "{found} for {expected}");
}

#[test]
fn intervals_of_few_cases_are_what_they_must_be() {
    // The mean of two draws is 0, ½ or 1, the outer ones a quarter of the time each.
    assert_eq!(intervals(&[[0.0], [1.0]], 1), [[0.0, 1.0]]);
    assert_eq!(intervals(&[[0.25, 1.0]; 7], 1), [[0.25; 2], [1.0; 2]]);
    assert_eq!(intervals::<2>(&[], 1), [[0.0; 2]; 2]);
}

#[test]
fn the_figures_of_a_case_are_drawn_together() {
    let both: Vec<[f64; 2]> = uniform(50, 8).iter().map(|[x]| [*x, 1.0 - x]).collect();
    let [[low, high], [other_low, other_high]] = intervals(&both, 1);
    assert!((low - (1.0 - other_high)).abs() < 1e-12 && (high - (1.0 - other_low)).abs() < 1e-12);
}

#[test]
fn nothing_depends_on_the_number_of_threads() {
    let each = uniform(300, 5);
    let all = || (intervals(&each, 7), sign_flips(&each, 7));
    assert_eq!(with_threads(1, all), with_threads(3, all));
    assert_ne!(intervals(&each, 7), intervals(&each, 8));
}

#[test]
fn the_chance_of_a_difference_is_that_of_all_exchanges_counted() {
    for (differences, expected) in [
        // Of the eight exchanges, those of none and of all are as far.
        (&[1.0, 2.0, 3.0][..], 2.0 / 8.0),
        // 4, 2, 2 and 0, and the same below.
        (&[2.0, 1.0, -1.0], 6.0 / 8.0),
        (&[1.0, 1.0, -1.0], 1.0),
        (&[0.5], 1.0),
        (&[0.0, 0.0, 0.0], 1.0),
        (&[0.1, 0.2, -0.3], 1.0),
        (&[0.1; 8], 2.0 / 256.0),
        (&[], 1.0),
    ] {
        let each: Vec<[f64; 1]> = differences.iter().map(|&difference| [difference]).collect();
        let [p] = sign_flips(&each, 1);
        let error = (expected * (1.0 - expected) / FLIPS as f64).sqrt();
        assert!((p - expected).abs() <= 4.0 * error + 1e-4, "{differences:?}: {p} for {expected}");
    }
}

#[test]
fn a_difference_beyond_all_doubt_has_the_least_chance_that_can_be_told() {
    let [p] = sign_flips(&[[0.2]; 400], 1);
    assert_eq!(p, 1.0 / (FLIPS + 1) as f64);
}

#[test]
fn runs_that_are_equally_good_are_told_apart_one_time_in_20() {
    let noise = |seed| uniform(30, seed).iter().map(|[x]| [x - 0.5]).collect::<Vec<_>>();
    let told = (0..200).filter(|seed| sign_flips(&noise(*seed), 1)[0] < 0.05).count();
    assert!((3..=18).contains(&told), "{told}");
}

#[test]
fn the_difference_is_of_the_second_run_over_the_first() {
    let mut rng = SplitMix64::new(2);
    let pair = |_| {
        let a = rng.unit();
        [[a], [a + 0.2 * (rng.unit() - 0.4)]]
    };
    let pairs: Vec<[[f64; 1]; 2]> = (0..500).map(pair).collect();
    let [found] = differences(&pairs, 1);
    let [low, high] = found.interval;
    // It is .02 in truth, and far narrower than the spread of either run.
    assert!(low < 0.02 && 0.02 < high && high - low < 0.02, "{found:?}");
    assert!((found.means[1] - found.means[0] - found.mean).abs() < 1e-12);
    assert!(found.p < 0.01, "{found:?}");
    let back: Vec<[[f64; 1]; 2]> = pairs.iter().map(|[a, b]| [*b, *a]).collect();
    let [back] = differences(&back, 1);
    assert_eq!((back.mean, back.p), (-found.mean, found.p));
    assert_eq!(back.interval, [-high, -low]);
}

fn listeners(figures: &[(&str, f64)]) -> Vec<Each> {
    let each = |(name, figure): &(&str, f64)| Each {
        name: Name::Listener((*name).to_owned()),
        asked: Some(Asked::of([*name])),
        figures: [*figure; 4],
    };
    figures.iter().map(each).collect()
}

fn text(protocol: &Protocol, each: &[Each]) -> Vec<u8> {
    let mut text = Vec::new();
    write(protocol, each, &mut text).unwrap();
    text
}

fn refused(protocol: &Protocol, content: impl AsRef<[u8]>) -> String {
    let file = log_file("a.jsonl", content);
    message(&read(protocol, &file.path).unwrap_err(), &file.path)
}

#[test]
fn what_is_written_is_an_object_a_line_with_its_case_first() {
    let asked = Asked::of(["a", "b"]);
    let each = [Each { name: Name::Query(7), asked: Some(asked), figures: [1.0, 0.5, 0.0, 0.0] }];
    let expected = "{\"query\":7,\"asked\":\"HEX\",\"p@20\":1.0,\"mrr@20\":0.5,\"hr@10\":0.0,\"ndcg@10\":0.0}\n";
    let expected = expected.replace("HEX", &asked.to_string());
    assert_eq!(String::from_utf8(text(&NEXT, &each)).unwrap(), expected);
    let file = log_file("a.jsonl", gzip(expected.as_bytes()));
    assert_eq!(read(&NEXT, &file.path).unwrap(), each);
}

#[test]
fn runs_are_paired_by_listener_and_not_by_line() {
    let a = log_file("a.jsonl", text(&SPLIT, &listeners(&[("x", 0.2), ("y", 0.4), ("z", 0.9)])));
    let b = log_file("b.jsonl", text(&SPLIT, &listeners(&[("z", 0.9), ("x", 0.2), ("y", 0.4)])));
    let found = compare(&SPLIT, [&a.path, &b.path], 1).unwrap();
    assert_eq!(found.cases, 3);
    for figure in found.figures {
        assert_eq!((figure.mean, figure.interval, figure.p), (0.0, [0.0; 2], 1.0));
        assert!((figure.means[0] - 0.5).abs() < 1e-12, "{figure:?}");
    }
}

#[test]
fn runs_on_other_listeners_are_refused_in_either_order() {
    let a = log_file("a.jsonl", text(&SPLIT, &listeners(&[("x", 0.2), ("y", 0.4), ("z", 0.9)])));
    let b = log_file("b.jsonl", text(&SPLIT, &listeners(&[("x", 0.2)])));
    for files in [[&a.path, &b.path], [&b.path, &a.path]] {
        let said = compare(&SPLIT, files.map(|path| &**path), 1).unwrap_err().to_string();
        let said = said.replace(&format!("{}/", a.path.parent().unwrap().display()), "");
        let said = said.replace(&format!("{}/", b.path.parent().unwrap().display()), "");
        assert_eq!(
            said,
            "b.jsonl has no listener \"y\" nor 1 other, which a.jsonl has: compare two runs on the same \
             test file"
        );
    }
}

#[test]
fn runs_on_another_test_are_refused_even_where_cases_have_the_same_names() {
    let asked = |what: &str| {
        let asked = Some(Asked::of(what.split(' ')));
        let each = [Each { name: Name::Query(1), asked, figures: [0.5; 4] }];
        log_file("a.jsonl", text(&NEXT, &each))
    };
    let compared = |a: &str, b: &str| {
        let (a, b) = (asked(a), asked(b));
        compare(&NEXT, [&a.path, &b.path], 1).map_err(|error| error.to_string())
    };
    assert!(compared("a b", "a b").is_ok());
    let said = compared("a b", "ab").unwrap_err();
    assert!(
        said.starts_with("query 1 is asked for something else in ")
            && said.contains("the same test"),
        "{said}"
    );
    // Figures of other programs need not say what was asked.
    let other =
        log_file("b.jsonl", "{\"query\":1,\"p@20\":1,\"mrr@20\":1,\"hr@10\":1,\"ndcg@10\":1}");
    assert!(compare(&NEXT, [&asked("a b").path, &other.path], 1).is_ok());
}

#[test]
fn files_of_something_else_are_refused_with_the_line() {
    let good = String::from_utf8(text(&SPLIT, &listeners(&[("x", 0.5)]))).unwrap();
    let wrote = "as `segue evaluate split --per-listener` writes it; name a file that this wrote";
    for (line, lacks) in [
        (String::from_utf8(text(&NEXT, &listeners(&[("1", 0.5)]))).unwrap(), "listener"),
        (good.replace("\"x\"", "[1]"), "listener"),
        (good.replace("recall@10\":0.5", "recall@10\":1.5"), "recall@10"),
        (good.replace("ndcg@20\":0.5", "ndcg@20\":-0.5"), "ndcg@20"),
        (good.replace("ndcg@20\":0.5", "ndcg@20\":\"0.5\""), "ndcg@20"),
        (good.replace("recall@20", "recall@30"), "recall@20"),
        (good.replace("asked\":\"", "asked\":\"x"), "asked"),
    ] {
        let said = refused(&SPLIT, good.replace("\"x\"", "\"w\"") + "\n" + &line);
        assert_eq!(said, format!("a.jsonl: line 3 has no `{lacks}` {wrote}"));
    }
    let said = refused(&SPLIT, format!("{good}{good}"));
    assert_eq!(said, "a.jsonl: line 2 has listener \"x\" again; each may be there once");
    for line in ["u1 a b c\n", "[1]\n", "{\"listener\":\"x\"", "{\"recall@10\":1e999}"] {
        let said = refused(&SPLIT, line);
        assert!(said.starts_with("a.jsonl: line 1 is not an object as expected"), "{said}");
    }
    assert_eq!(refused(&SPLIT, "\n"), "a.jsonl is empty; there is nothing to read");
    assert!(read(&SPLIT, Path::new("nowhere.jsonl")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn no_bytes_make_the_reader_of_figures_panic(
        start in prop::sample::select(vec![
            &b""[..], b"{", b"{\"listener\":", b"{\"listener\":\"x\",\"recall@10\":", b"\x1f\x8b\x08\0",
            b"{\"listener\":\"x\",\"recall@10\":0,\"ndcg@10\":0,\"recall@20\":0,\"ndcg@20\":0}\n",
        ]),
        noise in vec(any::<u8>(), 0..300),
    ) {
        let file = log_file("a.jsonl", [start, &noise].concat());
        if let Err(error) = read(&SPLIT, &file.path) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_damage_to_figures_makes_the_reader_panic(
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut content = text(&SPLIT, &listeners(&[("x", 0.5), ("é\"\n", 1.0)]));
        for (index, byte) in flips {
            let at = index.index(content.len());
            content[at] ^= byte;
        }
        let file = log_file("a.jsonl", content);
        for each in read(&SPLIT, &file.path).unwrap_or_default() {
            prop_assert!(each.figures.iter().all(|figure| (0.0..=1.0).contains(figure)));
        }
    }

    #[test]
    fn figures_are_read_as_they_were_written(
        figures in vec((any::<String>(), [0.0..=1.0, 0.0..=1.0, 0.0..=1.0, 0.0..=1.0]), 1..20),
    ) {
        let named = |(at, (name, figures)): (usize, &(String, [f64; 4]))| {
            let asked = (at % 2 == 0).then(|| Asked::of([name.as_str()]));
            Each { name: Name::Listener(format!("{at}:{name}")), asked, figures: *figures }
        };
        let each: Vec<Each> = figures.iter().enumerate().map(named).collect();
        let found = read(&SPLIT, &log_file("a.jsonl", text(&SPLIT, &each)).path).unwrap();
        prop_assert_eq!(found.len(), each.len());
        for (found, each) in found.iter().zip(&each) {
            prop_assert_eq!((&found.name, found.asked), (&each.name, each.asked));
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-15;
            prop_assert!(found.figures.iter().zip(&each.figures).all(near));
        }
    }
}

#[test]
fn one_case_alone_is_neither_better_nor_worse() {
    assert_eq!(paired(&[], &[]), 0.0);
    assert_eq!(paired(&[1.0], &[0.0]), 0.0);
    assert_eq!(paired(&[0.5; 3], &[0.5; 3]), 0.0);
    assert!((paired(&[1.0, 2.0, 3.0], &[0.0; 3]) - 12.0_f64.sqrt()).abs() < 1e-12);
}
