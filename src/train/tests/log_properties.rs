//! What holds for any input: reading ends without a panic, and what is written is what is read.

mod log_support;
#[path = "log_support/table.rs"]
mod table;

use std::ops::ControlFlow;
use std::path::Path;

use log_support::{gzip, log_file, read_text, zstd};
use parquet::basic::Compression;
use proptest::collection::vec;
use proptest::prelude::*;
use segue_core::event::{Event, Kind, MAX_AT_MS};
use segue_train::log::{Format, Options, read, read_catalogue, read_interactions};
use table::{Column, Values, full, table, texts};

/// Reads a file in every way; whether that fails is not the question.
fn read_in_every_way(path: &Path) {
    for format in [None, Some(Format::JsonLines), Some(Format::Tsv), Some(Format::Csv)] {
        for skip_bad_lines in [false, true] {
            let options = Options { format, skip_bad_lines, offers: true, ..Options::default() };
            let mut rows = 0;
            let outcome = read(path, &options, &mut |entry| {
                assert!(!entry.user.is_empty() && (0..=MAX_AT_MS).contains(&entry.at));
                assert!(entry.offer.as_ref().is_none_or(|offer| {
                    entry.kind == Kind::Impression && offer.candidates[offer.drawn] == entry.track
                }));
                assert!(entry.heard.is_none_or(|heard| (0.0..=1.0).contains(&heard)));
                rows += 1;
                ControlFlow::Continue(())
            });
            match outcome {
                Ok(summary) => assert_eq!(summary.rows, rows),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    drop(read_catalogue(path));
    drop(read_interactions(path));
}

fn sound_parquet() -> Vec<u8> {
    let schema = "required binary user (UTF8); required binary track (UTF8); required int64 at;
        optional double play_ratio;
        optional group tags (LIST) { repeated group list { required binary element (UTF8); } }";
    let names: Vec<String> = (0..200).map(|n| format!("name {}", n % 50)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns = vec![
        texts(&names),
        texts(&names),
        full(Values::I64((0..200).collect())),
        Column(Values::F64(vec![0.5; 100]), Some((0..200).map(|n| n % 2).collect()), None),
        Column(
            Values::Bytes(vec![b"tag".to_vec(); 200]),
            Some(vec![2; 200]),
            Some((0..200).map(|_| 0).collect()),
        ),
    ];
    table(schema, Compression::SNAPPY, &[columns.clone(), columns])
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        any::<String>(),
        prop::sample::select(vec!["u", "1397965917", "0.5", "-1", "NaN", "\"", "\"\"", "play", ""])
            .prop_map(str::to_owned),
    ]
}

/// A value of JSON, or nearly one.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "0.5", "1", "0", "-1", "1e-400", "1e400", "\"t\"", "\"t|v\"", "\"\"", "null", "true",
            "{}", "[]", "7", "\"0.25\"", "NaN",
        ])
        .prop_map(str::to_owned),
        any::<f64>().prop_map(|number| number.to_string()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn no_bytes_make_the_reader_panic(
        start in prop::sample::select(vec![
            &b""[..], b"PAR1", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf", b"{", b"[",
            b"user,track,at\n", b"user\ttrack\tat\tkind\n", b"\"user\";\"track\";\"at\"\n",
        ]),
        noise in vec(any::<u8>(), 0..400),
        end in prop::sample::select(vec![&b""[..], b"PAR1", b"\x10\0\0\0PAR1", b"\n", b"\""]),
        extension in prop::sample::select(vec!["", ".tsv", ".jsonl", ".parquet"]),
    ) {
        let content = [start, &noise, end].concat();
        read_in_every_way(&log_file(&format!("a{extension}"), content).path);
    }

    #[test]
    fn no_cells_make_the_reader_panic(
        cells in vec(vec(field(), 0..6), 0..20),
        delimiter in prop::sample::select(vec![",", "\t", ";"]),
    ) {
        let mut table = ["user", "track", "at", "play_ratio"].join(delimiter);
        for row in cells {
            table = table + "\n" + &row.join(delimiter);
        }
        read_in_every_way(&log_file("a", table).path);
    }

    #[test]
    fn no_offer_makes_the_reader_panic(
        propensity in value(),
        candidates in prop_oneof![
            value(),
            vec(value(), 0..5).prop_map(|values| format!("[{}]", values.join(","))),
        ],
        kind in prop::sample::select(vec!["impression", "play"]),
    ) {
        let line = format!(
            r#"{{"user":"u","track":"t","at":1,"kind":"{kind}","propensity":{propensity},"candidates":{candidates}}}"#
        );
        read_in_every_way(&log_file("a.jsonl", line).path);
        let row = format!("user\ttrack\tat\tkind\tpropensity\tcandidates\nu\tt\t1\t{kind}\t{propensity}\t{candidates}");
        read_in_every_way(&log_file("a.tsv", row).path);
    }

    #[test]
    fn no_damage_to_a_file_makes_the_reader_panic(
        packing in 0..4,
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let text = b"user,track,at,title\nu,t,1397965917,\"a, \"\"b\"\"\"\nu,t2,1397965918000,x\n";
        let mut content = match packing {
            0 => text.to_vec(),
            1 => gzip(text),
            2 => zstd(text),
            _ => sound_parquet(),
        };
        for (index, byte) in flips {
            let at = index.index(content.len());
            content[at] ^= byte;
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len()));
        }
        read_in_every_way(&log_file("a", content).path);
    }

    #[test]
    fn events_survive_json_lines(
        rows in vec(("\\PC{1,20}", any::<String>(), 100_000_000_000..=MAX_AT_MS, 0..9_usize), 1..30),
    ) {
        let events: Vec<Event> = rows
            .into_iter()
            .map(|(user, track, at, kind)| Event {
                id: "i".into(),
                session: "s".into(),
                track: format!("t{track}"),
                user,
                at,
                kind: Kind::ALL[kind],
                played_ms: None,
                duration_ms: None,
                context: None,
                exposures: None,
                propensity: None,
                candidates: None,
            })
            .collect();
        let lines: Vec<String> =
            events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let (entries, _) = read_text("a.jsonl", lines.join("\n"));
        prop_assert_eq!(entries.len(), events.len());
        for (entry, event) in entries.iter().zip(&events) {
            prop_assert_eq!((&*entry.user, &*entry.track), (&*event.user, &*event.track));
            prop_assert_eq!((entry.at, entry.kind), (event.at, event.kind));
        }
    }

    #[test]
    fn any_text_survives_quoting(titles in vec(any::<String>(), 1..20)) {
        let mut csv = String::from("user,track,at,title");
        for title in &titles {
            csv += &format!("\nu,t,1,\"{}\"", title.replace('"', "\"\""));
        }
        let (entries, _) = read_text("a.csv", csv);
        let read: Vec<&str> =
            entries.iter().map(|entry| entry.title.as_deref().unwrap_or("")).collect();
        let kept: Vec<&str> =
            titles.iter().map(|title| if title == "\\N" { "" } else { title.as_str() }).collect();
        prop_assert_eq!(read, kept);
    }
}
