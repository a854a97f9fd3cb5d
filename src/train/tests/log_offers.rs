//! How an impression came to be offered is read on request, from every format, or refused with what is wrong.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

mod log_support;
#[path = "log_support/table.rs"]
mod table;

use log_support::{log_file, read_all, refusal_with};
use parquet::basic::Compression;
use segue_core::event::{Event, Kind, MAX_CANDIDATES};
use segue_train::{
    dataset::{self, Offer},
    log::{Columns, Entry, Options},
    progress::Progress,
};
use table::{Column, Values, full, table, texts};

fn offers() -> Options<'static> {
    Options { offers: true, ..Options::default() }
}

fn read(name: &str, content: impl AsRef<[u8]>) -> Vec<Entry<'static>> {
    read_all(&log_file(name, content).path, &offers()).unwrap().0
}

/// That the first entry is an impression of `b`, drawn of three with a chance of a quarter, and the second none.
fn is_expected(entries: &[Entry<'_>]) {
    let offer = entries[0].offer.as_ref().unwrap();
    assert_eq!((offer.propensity.get(), offer.drawn), (0.25, 1));
    assert_eq!(offer.candidates, ["a", "b", "7"]);
    assert_eq!((entries.len(), &entries[1].offer), (2, &None));
}

/// An impression of `b` with these fields more.
fn line(more: &str) -> String {
    format!(r#"{{"user":"u","track":"b","at":1000,"kind":"impression",{more}}}"#)
}

const SOUND: &str = r#""propensity":0.25,"candidates":["a","b",7]"#;
const SKIP: &str = r#"{"user":"u","track":"b","at":1001,"kind":"skip","propensity":null}"#;

#[test]
fn offers_are_read_from_objects() {
    is_expected(&read("a.jsonl", format!("{}\n{SKIP}\n", line(SOUND))));
    is_expected(&read("a.jsonl", line(r#""pscore":"0.25","candidates":"a|b|7""#) + "\n" + SKIP));
}

#[test]
fn offers_are_read_from_tables() {
    is_expected(&read(
        "a.csv",
        "user,track,at,kind,propensity,candidates\nu,b,1000,impression,.25,a|b|7\nu,b,1001,skip,,\n",
    ));
    let schema = "required binary user (UTF8); required binary track (UTF8); required int64 at;
        required binary kind (UTF8); optional double propensity;
        optional group candidates (LIST) { repeated group list { required binary element (UTF8); } }";
    let candidates = ["a", "b", "7"].map(|id| id.as_bytes().to_vec()).into();
    let columns = vec![
        texts(&["u", "u"]),
        texts(&["b", "b"]),
        full(Values::I64(vec![1000, 1001])),
        texts(&["impression", "skip"]),
        Column(Values::F64(vec![0.25]), Some(vec![1, 0]), None),
        Column(Values::Bytes(candidates), Some(vec![2, 2, 2, 0]), Some(vec![0, 1, 1, 0])),
    ];
    is_expected(&read("a.parquet", table(schema, Compression::SNAPPY, &[columns])));
}

#[test]
fn what_the_core_writes_is_read_as_it_was() {
    let event: Event = serde_json::from_str(&line(
        r#""id":"e","session":"s","propensity":0.1,"candidates":["c","b"]"#,
    ))
    .unwrap();
    event.validate().unwrap();
    let entries = read("a.jsonl", serde_json::to_string(&event).unwrap());
    let offer = entries[0].offer.as_ref().unwrap();
    assert_eq!((Some(offer.propensity), offer.drawn), (event.propensity, 1));
    assert_eq!(offer.candidates, event.candidates.unwrap());
    assert!(
        serde_json::from_str::<Event>(&line(r#""id":"e","session":"s","propensity":0"#)).is_err()
    );
}

#[test]
fn offers_that_make_no_sense_are_refused_with_place_and_reason() {
    let many: Vec<String> = (0..=MAX_CANDIDATES).map(|id| format!("\"{id}\"")).collect();
    let many = format!(r#""propensity":1,"candidates":[{}]"#, many.join(","));
    for (more, said) in [
        (
            r#""propensity":0,"candidates":["b"]"#,
            "`propensity` is 0; expected a number from 1e-9 to 1",
        ),
        (r#""propensity":1.5,"candidates":["b"]"#, "`propensity` is 1.5; expected"),
        (r#""propensity":"NaN","candidates":["b"]"#, "`propensity` is \"NaN\"; expected"),
        (
            r#""propensity":0.5"#,
            "`propensity` is there without `candidates`; one goes with the other",
        ),
        (r#""propensity":0.5,"candidates":[]"#, "`propensity` is there without `candidates`"),
        (r#""candidates":["b"]"#, "`candidates` is there without `propensity`"),
        (
            r#""propensity":0.5,"candidates":["a","c"]"#,
            "`candidates` have no \"b\", the track itself",
        ),
        (r#""propensity":0.5,"candidates":["b","c","c"]"#, "`candidates` have \"c\" twice"),
        (r#""propensity":0.5,"candidates":["b",""]"#, "`candidates` have an empty id"),
        (r#""propensity":0.5,"candidates":["b",{}]"#, "`candidates` is a list of other things"),
        (r#""propensity":0.5,"candidates":5"#, "`candidates` is 5; expected a list of ids"),
        (&many, "`candidates` are 4097; at most 4096 are accepted"),
    ] {
        let found =
            refusal_with("a.jsonl", format!("{}\n{}\n", line(SOUND), line(more)), &offers());
        assert!(found.starts_with(&format!("a.jsonl: line 2: {said}")), "{found}");
    }
    let play = line(SOUND).replace("impression", "play");
    let found = refusal_with("a.jsonl", play, &offers());
    assert!(found.contains("line 1: `propensity` is of a play; only an impression"), "{found}");
}

#[test]
fn who_does_not_ask_for_offers_is_not_troubled_by_them() {
    let file = log_file("a.jsonl", line(r#""propensity":"none","candidates":{"of":"any"}"#));
    let (entries, summary) = read_all(&file.path, &Options::default()).unwrap();
    assert_eq!((entries[0].kind, &entries[0].offer), (Kind::Impression, &None));
    assert_eq!(summary.unused, ["propensity", "candidates"]);
    let named = Columns::parse(["propensity=kind"]).unwrap();
    let (entries, _) =
        read_all(&file.path, &Options { columns: named, ..Options::default() }).unwrap();
    assert_eq!(entries[0].kind, Kind::Impression);
}

#[test]
fn offers_stay_with_their_impressions_where_events_are_put_in_order_and_repeats_left_out() {
    let of = |user: &str, at: i64, more: &str| {
        format!(r#"{{"user":"{user}","track":"b","at":{at},"kind":"impression"{more}}}"#) + "\n"
    };
    let lines = [
        of("u", 9_000_000_000_000, r#","propensity":0.5,"candidates":["b","a"]"#),
        of("v", 8_000_000_000_000, r#","propensity":0.25,"candidates":["c","b"]"#),
        of("u", 7_000_000_000_000, ""),
        of("v", 8_000_000_000_000, r#","propensity":0.125,"candidates":["b"]"#),
        of("u", 6_000_000_000_000, r#","propensity":1,"candidates":["b"]"#),
    ];
    let file = log_file("a.jsonl", lines.concat());
    let reading = dataset::read(&[file.path], None, &offers(), &Progress::silent()).unwrap();
    let found = reading.offers;
    let told = |offer: &Offer| {
        let ids = found.candidates(offer).iter().map(|&id| &*found.tracks[id as usize]);
        (offer.place, offer.event, offer.propensity.get(), ids.collect::<Vec<_>>())
    };
    assert_eq!(
        found.all.iter().map(told).collect::<Vec<_>>(),
        [(4, 0, 1.0, vec!["b"]), (0, 2, 0.5, vec!["b", "a"]), (1, 3, 0.25, vec!["c", "b"])]
    );
    assert_eq!(found.among(2..4).map(|(number, _)| number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(reading.dataset.tracks.len(), 1, "candidates that nobody met are no tracks of it");
}
