//! Bad logs are refused with the place, the reason and what to do, or skipped and counted.

mod log_support;

use log_support::{gzip, log_file, message, read_all, refusal, refusal_with, zstd};
use segue_train::log::{
    ColumnError, Columns, Field, Format, KEPT_BAD_ROWS, LogError, MAX_LINE_BYTES, Options, Place,
    shown,
};

const HINT: &str = "; pass --skip-bad-lines to count such lines and go on";

fn skipping() -> Options<'static> {
    Options { skip_bad_lines: true, ..Options::default() }
}

/// The refusal of a table of one row with one more column.
fn refused_value(column: &str, value: &str) -> String {
    refusal("a.tsv", format!("user\ttrack\tat\t{column}\nu\tt\t1\t{value}\n"))
}

#[test]
fn a_broken_line_amid_a_table_is_named_exactly() {
    let table = "user\ttrack\tat\nu\tt\t1\n\nu\tt\n";
    let expected = format!("a.tsv: line 4 has 2 columns, where the header has 3{HINT}");
    assert_eq!(refusal("a.tsv", table), expected);
}

#[test]
fn a_broken_line_amid_objects_is_named_exactly() {
    let lines = "{\"user\":\"u\",\"track\":\"t\",\"at\":1}\n\n{\"user\":\"u\",\"track\":\n";
    let text = refusal("a.jsonl", lines);
    assert!(text.starts_with("a.jsonl: line 3 is not an object as expected: EOF"), "{text}");
    assert!(text.contains(", at column 20") && text.ends_with(HINT), "{text}");
}

#[test]
fn lines_are_counted_through_quoted_line_ends() {
    let table = "user,track,at,title\nu,t,1,\"a\nb\nc\"\nu,t,soon,\"d\ne\"\n";
    let text = refusal("a.csv", table);
    assert!(text.starts_with("a.csv: line 5: `at` is \"soon\"; expected seconds"), "{text}");
}

#[test]
fn a_quote_that_never_closes_costs_one_line() {
    let table = "user,track,at,title\nu,t,1,\"open\nu,t2,2,x\nu,t3,3,\"closed\"\nu,t4,4,\"open";
    let file = log_file("a.csv", table);
    let (entries, summary) = read_all(&file.path, &skipping()).unwrap();
    let tracks: Vec<&str> = entries.iter().map(|entry| &*entry.track).collect();
    assert_eq!(tracks, ["t2", "t3"]);
    let places: Vec<Place> = summary.first_bad.iter().map(|row| row.place).collect();
    assert_eq!(places, [Place::Line(2), Place::Line(5)]);
    assert!(summary.first_bad[0].to_string().contains("a quote inside quotes is doubled"));
}

#[test]
fn bad_lines_are_skipped_on_request_and_the_first_ones_kept() {
    let mut lines = String::new();
    for row in 1..=20 {
        lines += if row % 2 == 0 { "{}\n" } else { "{\"user\":1,\"track\":2,\"at\":3}\n" };
    }
    let file = log_file("a.jsonl", lines);
    let (entries, summary) = read_all(&file.path, &skipping()).unwrap();
    assert_eq!((entries.len(), summary.rows, summary.bad_lines), (10, 10, 10));
    assert_eq!(summary.first_bad.len(), KEPT_BAD_ROWS);
    assert_eq!(summary.first_bad[1].place, Place::Line(4));
    assert_eq!(summary.first_bad[1].field, Some(Field::User));
}

#[test]
fn a_log_of_bad_lines_only_is_an_error_even_when_they_are_skipped() {
    let text = refusal_with("a.tsv", "user\ttrack\tat\nu\tt\tx\nu\tt\ty\n", &skipping());
    assert!(text.starts_with("a.tsv: none of its 2 rows can be read; the first is line 2: `at`"));
}

#[test]
fn logs_without_events_are_refused() {
    for content in ["", "\n", "\r\n\r\n", "\u{feff}", "  \n\n"] {
        assert_eq!(refusal("a.tsv", content), "a.tsv is empty; there is nothing to read");
        assert_eq!(refusal("a.jsonl", gzip(content.as_bytes())), refusal("a.jsonl", content));
    }
    let text = refusal("a.tsv", "user\ttrack\tat\n");
    assert_eq!(text, "a.tsv has columns but no rows; there is nothing to read");
}

#[test]
fn columns_that_cannot_be_told_are_asked_for() {
    assert_eq!(
        refusal("a.csv", "who,what,when,title\nu,t,1,x\n"),
        "a.csv: no column for `user`, `track`, `at` among \"who\", \"what\", \"when\", \"title\"; \
         pass --column user=NAME --column track=NAME --column at=NAME"
    );
    for (header, missing) in
        [("session,track,at", "user"), ("user,title,at", "track"), ("user,track,date_x", "at")]
    {
        let text = refusal("a.csv", format!("{header}\na,b,1\n"));
        assert!(text.contains(&format!("no column for `{missing}` among")), "{text}");
        assert!(text.ends_with(&format!("pass --column {missing}=NAME")), "{text}");
    }
    let text = refusal("a.jsonl", r#"{"track": "t", "at": 1, "who": "u"}"#);
    assert!(
        text.starts_with(
            "a.jsonl: line 1: `user` is missing; the keys so far are \"track\", \"at\", \"who\": \
             pass --column"
        ),
        "{text}"
    );
}

#[test]
fn a_column_named_by_hand_must_exist() {
    let options = Options { columns: Columns::parse(["user=who"]).unwrap(), ..Options::default() };
    assert_eq!(
        refusal_with("a.csv", "user,track,at\nu,t,1\n", &options),
        "a.csv: no column \"who\" for `user`; there are \"user\", \"track\", \"at\""
    );
}

#[test]
fn duplicate_columns_are_refused_unless_one_is_named() {
    let table = "user,User,track,at\nu,v,t,1\n";
    assert_eq!(
        refusal("a.csv", table),
        "a.csv: columns 1 (\"user\") and 2 (\"User\") both hold `user`; \
         rename one, or pass --column user=NAME"
    );
    let options = Options { columns: Columns::parse(["user=User"]).unwrap(), ..Options::default() };
    let file = log_file("a.csv", table);
    assert_eq!(read_all(&file.path, &options).unwrap().0[0].user, "v");
    let text = refusal("a.jsonl", r#"{"user": "u", "user": "v", "track": "t", "at": 1}"#);
    assert!(text.contains("`user` appears twice"), "{text}");
}

#[test]
fn column_arguments_that_make_no_sense_are_refused() {
    let refused = |arguments: &[&str]| Columns::parse(arguments).unwrap_err();
    assert_eq!(refused(&["user"]), ColumnError::Argument("user".into()));
    assert_eq!(refused(&["usr=x"]), ColumnError::UnknownField("usr".into()));
    assert_eq!(refused(&["user=x", "user=y"]), ColumnError::Twice(Field::User));
    assert_eq!(refused(&["user=x", "track=x"]), ColumnError::Shared("x".into()));
    assert_eq!(refused(&["at="]), ColumnError::Required(Field::At));
    assert!(refused(&["usr=x"]).to_string().contains("the fields are `id`, `user`, `session`"));
}

#[test]
fn impossible_times_are_refused() {
    for value in [
        "NaN",
        "nan",
        "inf",
        "-inf",
        "-1",
        "-1397965917",
        "-0.5",
        "1e300",
        "1397965917000000",
        "99999999999999999999",
        "253402300800000",
        "yesterday",
        "1969-12-31T23:59:59Z",
        "2014-04-20T25:00:00Z",
        "2014-13-01",
        "12:00",
    ] {
        let start = format!("a.tsv: line 2: `at` is {value:?}; expected seconds or milliseconds");
        let text = refusal("a.tsv", format!("user\ttrack\tat\nu\tt\t{value}\n"));
        assert!(text.starts_with(&start) && text.ends_with(HINT), "{text}");
    }
    for value in ["-1", "1e300", "true", "[1]", "{\"$date\": 1}"] {
        let line = format!(r#"{{"user": "u", "track": "t", "at": {value}}}"#);
        let text = refusal("a.jsonl", line);
        assert!(text.contains("line 1: `at` is ") && text.contains("; expected seconds"), "{text}");
    }
    let text = refusal("a.jsonl", r#"{"user": "u", "track": "t", "at": NaN}"#);
    assert!(text.contains("line 1 is not an object as expected"), "{text}");
    for line in
        [r#"{"user": "u", "track": "t", "at": null}"#, r#"{"user":"u","track":"t","at":""}"#]
    {
        assert!(refusal("a.jsonl", line).contains("line 1: `at` is empty"));
    }
}

#[test]
fn unknown_kinds_are_refused() {
    let text = refused_value("kind", "skipp");
    let expected = "line 2: `kind` is \"skipp\"; expected play, skip, like, dislike, replay, save";
    assert!(text.contains(expected), "{text}");
    assert!(refusal("a.jsonl", r#"{"user":"u","track":"t","at":1,"kind":3}"#).contains("is 3;"));
}

#[test]
fn a_skipped_that_is_neither_true_nor_false_is_refused() {
    let text = refused_value("skipped", "maybe");
    assert!(text.contains("`skipped` is \"maybe\"; expected true or false"), "{text}");
}

#[test]
fn impossible_amounts_are_refused() {
    for value in ["-0.1", "NaN", "inf", "half", "1,5"] {
        let text = refused_value("play_ratio", value);
        let expected = format!("`play_ratio` is {value:?}; expected the fraction heard, from 0");
        assert!(text.contains(&expected), "{text}");
    }
    for column in ["played_ms", "duration_ms"] {
        for value in ["-1", "NaN", "-inf", "4294967296", "3:15"] {
            let text = refused_value(column, value);
            let expected = format!("`{column}` is {value:?}; expected milliseconds, from 0");
            assert!(text.contains(&expected), "{text}");
        }
    }
    for value in ["1441", "-1441", "0.5", "Z"] {
        assert!(refused_value("tz_offset_min", value).contains("expected minutes, from -1440"));
    }
    for value in ["Brazil", "B", "B1", "ÄÖ"] {
        assert!(refused_value("region", value).contains("--column region= leaves the column out"));
    }
}

#[test]
fn ids_are_present_and_bounded() {
    let long = "x".repeat(513);
    for (row, problem) in [
        ("\tt\t1", "`user` is empty"),
        ("u\t\t1", "`track` is empty"),
        ("u\tt\t", "`at` is empty"),
        (&*format!("{long}\tt\t1"), "`user` has 513 bytes; at most 512"),
    ] {
        let text = refusal("a.tsv", format!("user\ttrack\tat\n{row}\n"));
        assert!(text.contains(problem), "{text}");
    }
    for value in ["1.5", "true", "[\"u\"]", "{}", "1e300"] {
        let line = format!(r#"{{"user": {value}, "track": "t", "at": 1}}"#);
        assert!(refusal("a.jsonl", line).contains("expected a text or an integer"));
    }
}

#[test]
fn long_and_unprintable_values_are_shortened_and_escaped() {
    let text = refused_value("kind", &format!("\u{1b}[31m{}", "é".repeat(500)));
    assert!(!text.contains('\u{1b}') && text.len() < 500, "{text}");
}

#[test]
fn text_that_is_not_utf_8_is_refused_where_it_stands() {
    let text = refusal("a.tsv", b"user\ttrack\tat\nu\tt\t1\nu\tcaf\xe9\t1\n");
    assert!(text.starts_with("a.tsv: line 3 is not UTF-8 from byte 6 on; save the file as UTF-8"));
    let text = refusal("a.jsonl", b"{\"user\":\"\xff\",\"track\":1,\"at\":1}");
    assert!(text.starts_with("a.jsonl: line 1 is not UTF-8 from byte 10 on"), "{text}");
}

#[test]
fn what_is_no_log_at_all_is_called_so() {
    let garbage: Vec<u8> =
        (0..9000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let unknown = " is neither UTF-8 text nor Parquet, and not packed by gzip or zstd";
    let utf16: Vec<u8> = "\u{feff}user\ttrack".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [&garbage[..], &utf16, b"user\ttr\xffck\tat\n", b"PK\x03\x04\0\0\0", b"\0\0\0\0"]
    {
        assert!(refusal("a.tsv", content).starts_with(&format!("a.tsv{unknown}")));
    }
    assert!(refusal("a.parquet", "user\ttrack\tat\n").starts_with(&format!("a.parquet{unknown}")));
    let text = refusal("a.json", "[\n{\"user\": 1}\n]\n");
    assert!(text.contains("line 1 is not an object as expected"), "{text}");
    assert!(text.contains("jq -c '.[]'"), "{text}");
    let text = refusal("a.jsonl", "oops\n{\"user\":1,\"track\":2,\"at\":3}\n");
    assert!(text.starts_with("a.jsonl: line 1 is not an object"), "{text}");
}

#[test]
fn packed_logs_that_break_off_are_refused_even_when_bad_lines_are_skipped() {
    let mut log = String::from("user\ttrack\tat\n");
    for row in 0..100_000_u32 {
        log += &format!("u{}\tt{row}\t{row}\n", row.wrapping_mul(2_654_435_761));
    }
    for (packed, name) in [(gzip(log.as_bytes()), "gzip"), (zstd(log.as_bytes()), "zstd")] {
        let cut = &packed[..packed.len() / 2];
        let text = refusal_with("a.tsv", cut, &skipping());
        let expected = format!("a.tsv breaks off inside its {name} data, at line ");
        assert!(
            text.starts_with(&expected) && text.contains("; copy or export it again"),
            "{text}"
        );
        let line: usize = text[expected.len()..].split(';').next().unwrap().parse().unwrap();
        assert!((10_000..90_000).contains(&line), "{line}");

        let mut damaged = packed.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 64].fill(0xa5);
        let error = read_all(&log_file("a.tsv", damaged).path, &skipping()).unwrap_err();
        let known = matches!(error, LogError::Read { .. } | LogError::Truncated { .. });
        assert!(known, "{name}: {error}");

        let text = refusal("a.tsv", &packed[..6]);
        assert!(text.contains("breaks off inside") && text.contains("line 1"), "{text}");
    }
}

#[test]
fn paths_that_are_no_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs");
    std::fs::create_dir(&path).unwrap();
    let error = read_all(&path, &Options::default()).unwrap_err();
    let said = "logs is a folder without logs of these days (parquet, jsonl, ndjson, csv or tsv); name another";
    assert_eq!(message(&error, &path), said);
    let path = folder.path().join("absent.tsv");
    let error = read_all(&path, &Options::default()).unwrap_err();
    let text = message(&error, &path);
    assert!(text.starts_with("cannot open absent.tsv: ") && text.contains("o such file"), "{text}");
}

#[test]
fn standard_input_is_called_so() {
    assert_eq!(shown("-".as_ref()), "standard input");
    assert_eq!(shown("logs/a-b.tsv".as_ref()), "logs/a-b.tsv");
    let error = LogError::Empty { path: "-".into(), what: "is empty" };
    assert_eq!(error.to_string(), "standard input is empty; there is nothing to read");
}

#[test]
fn a_line_beyond_the_limit_is_refused_and_the_next_one_read() {
    let long = "x".repeat(MAX_LINE_BYTES);
    let object = |track: &str| format!("{{\"user\":\"u\",\"track\":\"{track}\",\"at\":1}}\n");
    let lines = object("a") + &object(&long) + &object("b") + &long;
    let file = log_file("a.jsonl", &lines);
    let (entries, summary) = read_all(&file.path, &skipping()).unwrap();
    assert_eq!((&*entries[1].track, summary.bad_lines), ("b", 2));
    assert_eq!(summary.first_bad[0].to_string(), "line 2 is longer than 1048576 bytes");
    assert_eq!(summary.first_bad[1].place, Place::Line(4));

    // A title of exactly the limit, less the rest of the row, passes.
    let row = format!("u,t,1,{}", &long[..MAX_LINE_BYTES - 6]);
    let file = log_file("a.csv", format!("user,track,at,title\n{row}\n{row}x\n{row}\n"));
    let (entries, summary) = read_all(&file.path, &skipping()).unwrap();
    assert_eq!((entries.len(), summary.bad_lines), (2, 1));
    assert_eq!(summary.first_bad[0].place, Place::Line(3));
}

#[test]
fn a_forced_format_that_does_not_fit_is_refused() {
    let with = |format| Options { format: Some(format), ..Options::default() };
    let table = "user\ttrack\tat\nu\tt\t1\n";
    assert!(refusal_with("a.tsv", table, &with(Format::JsonLines)).contains("line 1 is not an"));
    assert!(refusal_with("a.tsv", table, &with(Format::Parquet)).contains("nor Parquet"));
    let object = "{\"user\":\"u\",\"track\":\"t\",\"at\":1}\n";
    assert!(refusal_with("a.jsonl", object, &with(Format::Tsv)).contains("no column for"));
}
