//! Logs in every text format are read as what they are, without being told.

mod log_support;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::Path;

use log_support::{gzip, log_file, read_all, read_text, zstd};
use segue_core::event::{self, Event, Kind};
use segue_train::log::{Columns, Field, Format, Options, Packing, Progress, Summary, read};

fn used(summary: &Summary, field: Field) -> Option<&str> {
    summary.columns.iter().find(|column| column.field == field).map(|column| column.name.as_str())
}

#[test]
fn a_scrobble_table_needs_no_flags() {
    let (entries, summary) = read_text(
        "plays.tsv",
        "user\tsession\ttrack\tartist\tat\tplay_ratio\n\
         33693\t985441\t2673734\t335149\t1397965917\t1.0\n\
         33693\t985441\t2365273\t295711\t1397966800\t0.25\n",
    );
    assert_eq!((summary.rows, summary.bad_lines, summary.format), (2, 0, Format::Tsv));
    assert_eq!((summary.packing, summary.stopped), (Packing::None, false));
    let entry = &entries[1];
    assert_eq!((&*entry.user, &*entry.track), ("33693", "2365273"));
    assert_eq!(entry.session.as_deref(), Some("985441"));
    assert_eq!(entry.artist.as_deref(), Some("295711"));
    assert_eq!((entry.at, entry.kind, entry.heard), (1_397_966_800_000, Kind::Play, Some(0.25)));
    assert_eq!((&entry.id, &entry.title), (&None, &None));
}

#[test]
fn the_thirty_music_slice_is_read_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/30music/plays.tsv");
    if !path.exists() {
        eprintln!("skipped: the 30Music slice is not on this machine");
        return;
    }
    let mut newest = 0;
    let summary = read(&path, &Options::default(), &mut |entry| {
        newest = newest.max(entry.at);
        assert!(entry.heard.is_some() && entry.session.is_some());
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((summary.rows, summary.bad_lines), (121_547, 0));
    assert_eq!(summary.bytes, std::fs::metadata(&path).unwrap().len());
    assert_eq!(newest, 1_419_153_822_000);
}

fn full_event() -> Event {
    Event {
        id: "e-1".into(),
        user: "ana \"the ear\"".into(),
        session: "s\\1".into(),
        track: "spotify:track:4uLU6hMCjMI75M1A2tKUQC".into(),
        at: 1_397_965_917_123,
        kind: Kind::Skip,
        played_ms: Some(4_000),
        duration_ms: Some(200_000),
        context: Some(event::Context {
            region: Some("BR".into()),
            tz_offset_min: Some(-180),
            device: Some("phone".into()),
            source: Some("São João\u{2028}".into()),
            mood: Some("calm".into()),
        }),
        exposures: Some(BTreeMap::from([("ranker".into(), "b".into())])),
        propensity: None,
        candidates: None,
    }
}

#[test]
fn an_event_as_the_core_writes_it_loses_nothing_that_training_uses() {
    let event = full_event();
    let line = serde_json::to_string(&event).unwrap();
    let (entries, summary) = read_text("events.jsonl", line + "\n");
    let entry = entries[0].clone();
    assert_eq!(entry.id.as_deref(), Some(&*event.id));
    assert_eq!((&*entry.user, &*entry.track), (&*event.user, &*event.track));
    assert_eq!(entry.session.as_deref(), Some(&*event.session));
    assert_eq!((entry.at, entry.kind), (event.at, event.kind));
    assert_eq!((entry.played_ms, entry.duration_ms), (event.played_ms, event.duration_ms));
    assert_eq!(entry.heard, event.heard());
    assert_eq!(Some(event::Context::from(entry.context)), event.context);
    assert_eq!(summary.format, Format::JsonLines);
    assert_eq!(used(&summary, Field::Region), Some("context.region"));
}

#[test]
fn json_keys_are_recognised_by_alias_and_unknown_ones_ignored() {
    let (entries, _) = read_text(
        "listens",
        concat!(
            r#"{"userId": 18446744073709551615, "extra": {"track": [1, {"a": null}]}, "#,
            r#""Track-ID": 7, "listened_at": 1397965917, "context": null, "title": "", "#,
            r#""genres": ["rock", null, "live \u0041"], "session": null}"#,
            "\r\n\n  \n",
            r#"{"listened_at": 1397965918.5, "Track-ID": "b", "userId": -4, "kind": "LIKE"}"#,
        ),
    );
    assert_eq!((&*entries[0].user, &*entries[0].track), ("18446744073709551615", "7"));
    assert_eq!(entries[0].tags, ["rock", "live A"]);
    assert_eq!((&entries[0].title, &entries[0].session), (&None, &None));
    assert_eq!((&*entries[1].user, entries[1].at), ("-4", 1_397_965_918_500));
    assert_eq!(entries[1].kind, Kind::Like);
}

#[test]
fn the_key_that_fits_best_wins_in_whatever_order_keys_come() {
    let (entries, _) = read_text(
        "a.jsonl",
        concat!(
            r#"{"user_id": "b", "user": "a", "track": "t", "at": 1}"#,
            "\n",
            r#"{"user": "a", "user_id": "b", "track": "t", "at": 1}"#,
            "\n",
            r#"{"user": null, "user_id": "b", "track": "t", "at": 1}"#,
        ),
    );
    let users: Vec<&str> = entries.iter().map(|entry| &*entry.user).collect();
    assert_eq!(users, ["a", "a", "b"]);
}

#[test]
fn csv_follows_rfc_4180() {
    let (entries, summary) = read_text(
        "a.csv",
        "\"User\",\"Track ID\",at,title,\"artist, name\"\r\n\
         u,t,1397965917,\"a \"\"quoted\"\", title\r\nof two lines\",x\r\n\
         u,t2,1397965918,5\" vinyl,\"\"\r\n",
    );
    assert_eq!(entries[0].title.as_deref(), Some("a \"quoted\", title\r\nof two lines"));
    assert_eq!(entries[1].title.as_deref(), Some("5\" vinyl"));
    assert_eq!(entries[1].artist, None);
    assert_eq!(summary.format, Format::Csv);
    assert_eq!(used(&summary, Field::Artist), Some("artist, name"));
}

#[test]
fn the_delimiter_is_told_by_the_header() {
    for (delimiter, format) in [("\t", Format::Tsv), (",", Format::Csv), (";", Format::Csv)] {
        let content = "user|track|at|title\nu|t|1|x y\n".replace('|', delimiter);
        let (entries, summary) = read_text("log.txt", content);
        assert_eq!((entries[0].title.as_deref(), summary.format), (Some("x y"), format));
    }
}

#[test]
fn quotes_in_a_tab_separated_file_are_letters_unless_its_header_is_quoted() {
    let plain = "user\ttrack\tat\ttitle\nu\tt\t1\t\"Heroes\" (live\nu\tt\t2\tx\n";
    let (entries, _) = read_text("a.tsv", plain);
    assert_eq!(entries[0].title.as_deref(), Some("\"Heroes\" (live"));
    let quoted = "\"user\"\t\"track\"\t\"at\"\t\"title\"\n\"u\"\t\"t\"\t1\t\"a\tb\"\n";
    let (entries, _) = read_text("a.tsv", quoted);
    assert_eq!((&*entries[0].user, entries[0].title.as_deref()), ("u", Some("a\tb")));
}

#[test]
fn byte_order_mark_windows_line_ends_blank_lines_and_a_missing_last_line_end_are_no_obstacle() {
    let (entries, _) =
        read_text("a.tsv", "\u{feff}\r\n\r\nuser\ttrack\tat\r\n\r\nu\tt\t1\r\n\r\n\r\nu\tt2\t2");
    let tracks: Vec<&str> = entries.iter().map(|entry| &*entry.track).collect();
    assert_eq!(tracks, ["t", "t2"]);
    let (entries, _) =
        read_text("a", "\u{feff}{\"user\":\"u\",\"track\":\"t\",\"at\":1}\r\n".as_bytes());
    assert_eq!(entries.len(), 1);
}

#[test]
fn times_are_seconds_milliseconds_or_rfc_3339() {
    let expected = 1_397_965_917_000;
    for (text, extra) in [
        ("1397965917", 0),
        (" 1397965917 ", 0),
        ("1397965917000", 0),
        ("1397965917.0", 0),
        ("1397965917.25", 250),
        ("1397965917250.4", 250),
        ("1.397965917e9", 0),
        ("2014-04-20T03:51:57Z", 0),
        ("2014-04-20t03:51:57.250z", 250),
        ("2014-04-20T00:51:57-03:00", 0),
        ("2014-04-20 03:51:57+00:00", 0),
        ("2014-04-20 03:51:57", 0),
        ("2014-04-20T03:51:57.25", 250),
    ] {
        let (entries, _) = read_text("a.tsv", format!("user\ttrack\tat\nu\tt\t{text}\n"));
        assert_eq!(entries[0].at, expected + extra, "{text:?}");
        let line = format!(r#"{{"user": "u", "track": "t", "at": "{text}"}}"#);
        assert_eq!(read_text("a.jsonl", line).0[0].at, expected + extra, "{text:?}");
    }
    let (entries, _) = read_text("a.tsv", "user\ttrack\tat\nu\tt\t0\nu\tt\t253402300799999\n");
    assert_eq!((entries[0].at, entries[1].at), (0, event::MAX_AT_MS));
}

#[test]
fn the_fraction_heard_is_the_ratio_or_played_by_duration_and_at_most_one() {
    let (entries, _) = read_text(
        "a.csv",
        "user,track,at,play_ratio,played_ms,duration_ms\n\
         u,t,1,0.5,10,100\nu,t,1,1.7,,\nu,t,1,,10.0,100\nu,t,1,,300,100\nu,t,1,,300,0\n\
         u,t,1,\\N,5,\n",
    );
    let heard: Vec<Option<f32>> = entries.iter().map(|entry| entry.heard).collect();
    assert_eq!(heard, [Some(0.5), Some(1.0), Some(0.1), Some(1.0), None, None]);
    assert_eq!((entries[5].played_ms, entries[5].duration_ms), (Some(5), None));
}

#[test]
fn a_play_that_was_skipped_is_a_skip_and_other_kinds_stay_what_they_are() {
    let (entries, summary) = read_text(
        "a.csv",
        "user,track,at,kind,skipped\nu,t,1,play,true\nu,t,1,play,FALSE\nu,t,1,like,1\nu,t,1,,yes\n\
         u,t,1,,\n",
    );
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
    use event::Kind::{Like, Play, Skip};
    assert_eq!(kinds, [Skip, Play, Like, Skip, Play]);
    assert!(summary.columns.iter().any(|column| column.name == "skipped"));
    let (entries, _) = read_text("a.jsonl", r#"{"user":"u","track":"t","ts":1,"skipped":true}"#);
    assert_eq!(entries[0].kind, Skip);
}

#[test]
fn context_and_tags_come_from_columns_too() {
    let (entries, _) = read_text(
        "a.csv",
        "user,track,at,country,context.tz_offset_min,device,playlist,mood,tags\n\
         u,t,1,br,-180.0,phone,Top 50,calm,rock|  |live\nu,t,1,,,,,,a;b\nu,t,1,,,,,,\"a,b\"\n",
    );
    let context = &entries[0].context;
    assert_eq!((context.region.as_deref(), context.tz_offset_min), (Some("BR"), Some(-180)));
    assert_eq!(
        (context.source.as_deref(), context.mood.as_deref()),
        (Some("Top 50"), Some("calm"))
    );
    assert_eq!(entries[0].tags, ["rock", "live"]);
    assert_eq!((entries[1].tags.len(), entries[2].tags.len()), (2, 2));
}

#[test]
fn only_what_a_context_holds_may_have_context_before_its_name() {
    let header = "user,track,at,context.name,context.id,context.region,context_device,contextMood";
    let (entries, summary) =
        read_text("a.csv", format!("{header}\nu,t,1,Top 50,p1,br,phone,calm\n"));
    let entry = &entries[0];
    assert_eq!((&entry.id, &entry.title), (&None, &None), "they are the playlist's");
    let context = &entry.context;
    assert_eq!((context.region.as_deref(), context.device.as_deref()), (Some("BR"), Some("phone")));
    assert_eq!(context.mood.as_deref(), Some("calm"));
    assert_eq!(summary.unused, ["context.name", "context.id"]);

    let (entries, summary) = read_text(
        "a.jsonl",
        r#"{"user":"u","track":"t","at":1,"context":{"name":"Top 50","id":"p1","playlist":"p"}}"#,
    );
    let entry = &entries[0];
    assert_eq!((&entry.id, &entry.title), (&None, &None));
    assert_eq!(entry.context.source.as_deref(), Some("p"));
    assert_eq!(summary.unused, ["context.name", "context.id"]);
}

#[test]
fn columns_that_were_not_used_are_told() {
    let unused = |name: &str, content: &str| read_text(name, content).1.unused;
    assert_eq!(unused("a.csv", "user,x,track,at,y,user_id\nu,1,t,1,2,v\n"), ["x", "y", "user_id"]);
    assert!(unused("a.csv", "user,track,at\nu,t,1\n").is_empty());
    let objects = r#"{"user":"u","x":1,"track":"t","at":1,"exposures":{"a":"b"}}
                     {"user":"u","y":1,"track":"t","at":2,"x":2}"#;
    assert_eq!(unused("a.jsonl", objects), ["x", "exposures", "y"]);
}

#[test]
fn compression_is_told_by_content_whatever_the_name() {
    let log = "user\ttrack\tat\nu\tt\t1\nu\tt2\t2\n";
    let (head, tail) = log.split_at(20);
    let packed = |pack: fn(&[u8]) -> Vec<u8>| {
        let mut bytes = pack(head.as_bytes());
        bytes.extend(pack(tail.as_bytes()));
        bytes
    };
    for (bytes, packing) in [(packed(gzip), Packing::Gzip), (packed(zstd), Packing::Zstd)] {
        let length = u64::try_from(bytes.len()).unwrap();
        let (entries, summary) = read_text("log.tsv", bytes);
        assert_eq!((entries.len(), summary.packing), (2, packing));
        assert_eq!(summary.bytes, length);
    }
    let json = gzip(br#"{"user":"u","track":"t","at":1}"#);
    assert_eq!(read_text("log.zst", json).1.format, Format::JsonLines);
}

#[test]
fn columns_can_be_named_by_hand() {
    let columns = Columns::parse(["user=session_id", "at=WHEN", "region=", "track=c"]).unwrap();
    let options = Options { columns, ..Options::default() };
    let table = "session_id,c,when,country,track\ns1,t,1,Brazil,x\n";
    let file = log_file("a.csv", table);
    let (entries, summary) = read_all(&file.path, &options).unwrap();
    assert_eq!((&*entries[0].user, &*entries[0].track), ("s1", "t"));
    assert_eq!((&entries[0].session, &entries[0].context.region), (&None, &None));
    assert_eq!(used(&summary, Field::User), Some("session_id"));
    let object = r#"{"session_id": "s1", "c": "t", "when": 1, "country": "Brazil", "track": {}}"#;
    let file = log_file("a.jsonl", object);
    assert_eq!(read_all(&file.path, &options).unwrap().0, entries);
}

#[test]
fn of_several_columns_that_fit_the_best_is_taken_and_told() {
    let (entries, summary) = read_text(
        "a.csv",
        "item,artist_id,Artist Name,track_id,timestamp,user_id,time\nx,9,Ana,t,5,u,7\n",
    );
    let entry = &entries[0];
    assert_eq!((&*entry.track, entry.artist.as_deref(), entry.at), ("t", Some("Ana"), 5_000));
    assert_eq!(used(&summary, Field::Artist), Some("Artist Name"));
    assert_eq!(used(&summary, Field::At), Some("timestamp"));
}

#[test]
fn the_format_can_be_forced() {
    let options = Options { format: Some(Format::Tsv), ..Options::default() };
    let file = log_file("a.csv", "user\ttrack\tat\ta,b,c,d,e\nu\tt\t1\tx\n");
    assert_eq!(read_all(&file.path, &options).unwrap().1.format, Format::Tsv);
}

#[test]
fn rows_that_straddle_the_read_buffer_are_whole() {
    let mut table = String::from("user,track,at,title\n");
    for row in 0..40_000 {
        let filler = "x".repeat(row % 61);
        writeln!(table, "u{row},t{row},{row},\"{filler}\n\"\"{row}\"").unwrap();
    }
    let plain = log_file("a.csv", &table);
    let packed = log_file("b.csv", gzip(table.as_bytes()));
    for path in [&plain.path, &packed.path] {
        let mut row = 0;
        let summary = read(path, &Options::default(), &mut |entry| {
            assert_eq!(&*entry.track, format!("t{row}"));
            assert!(entry.title.as_deref().unwrap().ends_with(&format!("\n\"{row}")));
            row += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(summary.rows, 40_000);
    }
}

#[test]
fn progress_rises_to_the_size_of_the_file_and_both_hooks_can_stop() {
    let mut log = String::from("user\ttrack\tat\n");
    for row in 0..200_000 {
        writeln!(log, "user{row}\ttrack{row}\t{row}").unwrap();
    }
    let file = log_file("a.tsv", &log);
    let length = u64::try_from(log.len()).unwrap();
    let last = Cell::new(0);
    let reports = Cell::new(0);
    let watch = |progress: Progress| {
        assert!(progress.bytes >= last.get() && progress.total_bytes == Some(length));
        last.set(progress.bytes);
        reports.set(reports.get() + 1);
        ControlFlow::Continue(())
    };
    let options = Options { progress: Some(&watch), ..Options::default() };
    let all = read(&file.path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((all.rows, all.bytes, all.stopped), (200_000, length, false));
    assert!(reports.get() >= 4 && last.get() <= length);

    last.set(0);
    let few = read(&file.path, &options, &mut |entry| {
        if entry.at < 9_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .unwrap();
    assert_eq!((few.rows, few.stopped), (10, true));

    let stop = |_| ControlFlow::Break(());
    let options = Options { progress: Some(&stop), ..Options::default() };
    let none = read(&file.path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(none.stopped && none.rows < all.rows);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_like_a_file_of_unknown_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no mkfifo on this machine");
        return;
    }
    let feed = |content: Vec<u8>| {
        let path = path.clone();
        std::thread::spawn(move || std::fs::write(path, content).unwrap())
    };
    let watch = |progress: Progress| {
        assert_eq!(progress.total_bytes, None);
        ControlFlow::Continue(())
    };
    let options = Options { progress: Some(&watch), ..Options::default() };
    let writer = feed(gzip(b"user,track,at\nu,t,1\n"));
    let (entries, summary) = read_all(&path, &options).unwrap();
    writer.join().unwrap();
    assert_eq!((entries.len(), summary.packing), (1, Packing::Gzip));

    let writer = feed(b"PAR1".to_vec());
    let error = read_all(&path, &options).unwrap_err();
    writer.join().unwrap();
    assert!(error.to_string().contains("save it to disk first"), "{error}");
}
