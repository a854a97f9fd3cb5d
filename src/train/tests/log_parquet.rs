//! Parquet logs of every usual shape are read; others are refused with the column or the row.

mod log_support;
#[path = "log_support/table.rs"]
mod table;

use log_support::{log_file, message, read_all, refusal, refusal_with};
use parquet::basic::Compression;
use segue_core::event::Kind;
use segue_train::log::{Columns, Entry, Field, Format, LogError, Options, Place, Summary};
use table::{Column, Values, full, table, texts};

const REQUIRED: &str =
    "required binary user (UTF8); required binary track (UTF8); required int64 at;";

fn read(content: &[u8]) -> (Vec<Entry<'static>>, Summary) {
    log_support::read_text("a.parquet", content)
}

/// A file of the three required columns and one more, with one row for each value.
fn with_column(declaration: &str, values: Values, defs: Option<Vec<i16>>, rows: usize) -> Vec<u8> {
    let mut columns = vec![
        texts(&vec!["u"; rows]),
        texts(&vec!["t"; rows]),
        full(Values::I64(vec![1_397_965_917; rows])),
    ];
    columns.push(Column(values, defs, None));
    table(&format!("{REQUIRED} {declaration}"), Compression::UNCOMPRESSED, &[columns])
}

/// A file with one column of times.
fn with_times(declaration: &str, values: Values) -> Vec<u8> {
    table(
        &format!("required binary user (UTF8); required binary track (UTF8); {declaration}"),
        Compression::UNCOMPRESSED,
        &[vec![texts(&["u"]), texts(&["t"]), full(values)]],
    )
}

#[test]
fn rows_come_in_order_from_all_row_groups_and_compressions() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(Default::default()),
    ] {
        let group = |start: i64| {
            let ids: Vec<i64> = (start..start + 5_000).collect();
            let names: Vec<String> = ids.iter().map(|id| format!("u{id}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            vec![texts(&names), texts(&names), full(Values::I64(ids))]
        };
        let content = table(REQUIRED, compression, &[group(0), group(5_000), group(10_000)]);
        let (entries, summary) = read(&content);
        assert_eq!((summary.rows, summary.format), (15_000, Format::Parquet));
        assert_eq!(summary.bytes, u64::try_from(content.len()).unwrap());
        for (row, entry) in entries.iter().enumerate() {
            assert_eq!((&*entry.user, entry.at), (&*format!("u{row}"), row as i64 * 1000));
        }
    }
}

#[test]
fn optional_and_nested_columns_are_read() {
    let schema = format!(
        "{REQUIRED} optional binary kind (UTF8); optional double play_ratio;
         optional group context {{ optional binary region (UTF8); optional int32 tz_offset_min; }}
         optional group tags (LIST) {{ repeated group list {{ optional binary element (UTF8); }} }}"
    );
    let bytes =
        |values: &[&str]| Values::Bytes(values.iter().map(|v| v.as_bytes().into()).collect());
    let columns = vec![
        texts(&["u", "u", "u"]),
        texts(&["a", "b", "c"]),
        full(Values::I64(vec![1, 2, 3])),
        Column(bytes(&["skip"]), Some(vec![0, 1, 0]), None),
        Column(Values::F64(vec![0.5]), Some(vec![0, 0, 1]), None),
        Column(bytes(&["SE"]), Some(vec![0, 1, 2]), None),
        Column(Values::I32(vec![60]), Some(vec![0, 2, 1]), None),
        // [rock, null, live], null, []
        Column(bytes(&["rock", "live"]), Some(vec![3, 2, 3, 0, 1]), Some(vec![0, 1, 1, 0, 0])),
    ];
    let (entries, summary) = read(&table(&schema, Compression::SNAPPY, &[columns]));
    assert_eq!(
        entries.iter().map(|e| e.kind).collect::<Vec<_>>(),
        [Kind::Play, Kind::Skip, Kind::Play]
    );
    assert_eq!(entries[2].heard, Some(0.5));
    assert_eq!(entries[2].context.region.as_deref(), Some("SE"));
    assert_eq!(entries[1].context.tz_offset_min, Some(60));
    let tags: Vec<usize> = entries.iter().map(|entry| entry.tags.len()).collect();
    assert_eq!((tags, &*entries[0].tags[1]), (vec![2, 0, 0], "live"));
    assert!(summary.columns.iter().any(|c| c.field == Field::Tags && c.name == "tags"));
}

#[test]
fn times_of_every_type_are_the_same_instant() {
    let seconds = 1_397_965_917;
    let day = 1_397_952_000_000;
    for (declaration, values, expected) in [
        ("required int64 at;", Values::I64(vec![seconds]), seconds * 1000),
        ("required int32 at;", Values::I32(vec![1_397_965_917]), seconds * 1000),
        ("required double at;", Values::F64(vec![1_397_965_917.25]), seconds * 1000 + 250),
        ("required int64 at (TIMESTAMP(MILLIS,true));", Values::I64(vec![99]), 99),
        (
            "required int64 at (TIMESTAMP(MICROS,true));",
            Values::I64(vec![seconds * 1_000_000]),
            seconds * 1000,
        ),
        (
            "required int64 at (TIMESTAMP(NANOS,false));",
            Values::I64(vec![seconds * 1_000_000_000]),
            seconds * 1000,
        ),
        (
            "required int64 at (TIMESTAMP_MICROS);",
            Values::I64(vec![seconds * 1_000_000]),
            seconds * 1000,
        ),
        ("required int32 at (DATE);", Values::I32(vec![16_180]), day),
        // Nanoseconds of the day, and the Julian day.
        ("required int96 at;", Values::I96(vec![[1_000_000, 0, 2_440_588 + 16_180]]), day + 1),
        (
            "required binary at (UTF8);",
            Values::Bytes(vec![b"2014-04-20T03:51:57Z".to_vec()]),
            seconds * 1000,
        ),
    ] {
        assert_eq!(read(&with_times(declaration, values)).0[0].at, expected, "{declaration}");
    }
}

#[test]
fn ids_of_every_type_are_text() {
    for (declaration, values, expected) in [
        ("required int32 session;", Values::I32(vec![-7]), "-7"),
        ("required int32 session (UINT_32);", Values::I32(vec![-1]), "4294967295"),
        (
            "required int64 session (INTEGER(64,false));",
            Values::I64(vec![-1]),
            "18446744073709551615",
        ),
        ("required double session;", Values::F64(vec![33_693.0]), "33693"),
        ("required binary session;", Values::Bytes(vec![b"s-1".to_vec()]), "s-1"),
        ("required binary session (ENUM);", Values::Bytes(vec![b"s".to_vec()]), "s"),
        (
            "required fixed_len_byte_array(16) session (UUID);",
            Values::Fixed(vec![(0..16).collect()]),
            "00010203-0405-0607-0809-0a0b0c0d0e0f",
        ),
    ] {
        let (entries, _) = read(&with_column(declaration, values, None, 1));
        assert_eq!(entries[0].session.as_deref(), Some(expected), "{declaration}");
    }
}

#[test]
fn amounts_of_every_type_are_numbers() {
    for (declaration, values) in [
        ("required float play_ratio;", Values::F32(vec![0.25])),
        ("required int32 play_ratio (DECIMAL(4,2));", Values::I32(vec![25])),
        ("required int64 play_ratio (DECIMAL(18,3));", Values::I64(vec![250])),
        ("required binary play_ratio (UTF8);", Values::Bytes(vec![b"0.25".to_vec()])),
    ] {
        let (entries, _) = read(&with_column(declaration, values, None, 1));
        assert_eq!(entries[0].heard, Some(0.25), "{declaration}");
    }
}

#[test]
fn a_bad_row_is_named_and_can_be_skipped() {
    let ratios = Values::F64(vec![0.5, 1.0, -0.5, f64::NAN]);
    let content = with_column("required double play_ratio;", ratios, None, 4);
    let text = refusal("a.parquet", &content);
    let expected = "a.parquet: row 3: `play_ratio` is -0.5; expected the fraction heard, from 0; \
                    pass --skip-bad-lines to count such lines and go on";
    assert_eq!(text, expected);
    let file = log_file("a.parquet", &content);
    let options = Options { skip_bad_lines: true, ..Options::default() };
    let (entries, summary) = read_all(&file.path, &options).unwrap();
    assert_eq!((entries.len(), summary.bad_lines), (2, 2));
    assert_eq!(summary.first_bad[1].place, Place::Row(4));

    let titles = Values::Bytes(vec![b"ok".to_vec(), b"caf\xe9".to_vec(), b"ok".to_vec()]);
    let text = refusal("a.parquet", with_column("required binary title;", titles, None, 3));
    assert!(text.starts_with("a.parquet: row 2: `title` is not UTF-8 from byte 4 on"), "{text}");
    let text = refusal(
        "a.parquet",
        with_column("required boolean kind;", Values::Bool(vec![true]), None, 1),
    );
    assert!(text.starts_with("a.parquet: row 1: `kind` is true; expected play, skip"), "{text}");
    let absent = with_column("optional double x;", Values::F64(vec![]), Some(vec![0]), 1);
    let options = Options { columns: Columns::parse(["user=x"]).unwrap(), ..Options::default() };
    assert!(refusal_with("a.parquet", absent, &options).contains("row 1: `user` is empty"));
}

#[test]
fn columns_that_cannot_hold_their_field_are_refused() {
    for (declaration, values, found) in [
        ("required int64 mood (TIME(MICROS,true));", Values::I64(vec![1]), "INT64 (Time"),
        (
            "required fixed_len_byte_array(2) mood (FLOAT16);",
            Values::Fixed(vec![vec![0, 0]]),
            "FIXED_LEN_BYTE_ARRAY (Float16",
        ),
        (
            "required binary mood (DECIMAL(20,2));",
            Values::Bytes(vec![vec![1]]),
            "BYTE_ARRAY (Decimal",
        ),
    ] {
        let text = refusal("a.parquet", with_column(declaration, values, None, 1));
        let expected = format!("a.parquet: column \"mood\" is of type {found}");
        assert!(text.starts_with(&expected) && text.contains("cannot hold `mood`"), "{text}");
    }
    let schema = format!("{REQUIRED} repeated binary mood (UTF8);");
    let moods = Column(Values::Bytes(vec![b"x".to_vec()]), Some(vec![1]), Some(vec![0]));
    let columns = vec![texts(&["u"]), texts(&["t"]), full(Values::I64(vec![1])), moods];
    let text = refusal("a.parquet", table(&schema, Compression::UNCOMPRESSED, &[columns]));
    assert!(text.contains("column \"mood\" is of type list of BYTE_ARRAY"), "{text}");
}

#[test]
fn a_table_without_what_is_needed_is_refused() {
    let text = refusal(
        "a",
        table("required int64 x;", Compression::UNCOMPRESSED, &[vec![full(Values::I64(vec![1]))]]),
    );
    assert!(text.starts_with("a: no column for `user`, `track`, `at` among \"x\"; pass"), "{text}");
    let text = refusal("a", table(REQUIRED, Compression::UNCOMPRESSED, &[]));
    assert_eq!(text, "a has columns but no rows; there is nothing to read");
}

#[test]
fn damaged_files_are_refused() {
    let names: Vec<String> = (0..3000).map(|n| format!("name {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns = vec![texts(&names), texts(&names), full(Values::I64((0..3000).collect()))];
    let sound = table(REQUIRED, Compression::SNAPPY, &[columns]);

    let text = refusal("a.parquet", &sound[..sound.len() / 2]);
    assert!(text.starts_with("cannot read a.parquet as Parquet from row 1 on"), "{text}");
    let mut damaged = sound.clone();
    damaged[sound.len() / 4..sound.len() / 4 + 200].fill(0xff);
    let file = log_file("a.parquet", damaged);
    let options = Options { skip_bad_lines: true, ..Options::default() };
    let error = read_all(&file.path, &options).unwrap_err();
    assert!(matches!(error, LogError::Parquet { .. }), "{}", message(&error, &file.path));
    assert!(matches!(
        read_all(&log_file("a", b"PAR1").path, &options).unwrap_err(),
        LogError::Parquet { row: 1, .. }
    ));
}
