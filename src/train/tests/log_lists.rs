//! Catalogues and lists of interactions are read whole, or refused with the line.

mod log_support;

use log_support::{gzip, log_file, message, zstd};
use segue_core::catalogue::Track;
use segue_train::log::{read_catalogue, read_interactions};

fn interactions(content: impl AsRef<[u8]>) -> Result<Vec<(String, Vec<String>)>, String> {
    let file = log_file("train.txt", content);
    read_interactions(&file.path).map_err(|error| message(&error, &file.path))
}

fn catalogue(content: impl AsRef<[u8]>) -> Result<Vec<Track>, String> {
    let file = log_file("tracks.jsonl", content);
    read_catalogue(&file.path).map_err(|error| message(&error, &file.path))
}

#[test]
fn interactions_come_in_order_and_the_lines_of_one_user_are_joined() {
    let text = "\u{feff}u1 a b  a\r\n\n2\tx\nu1 c\nlonely \n";
    let expected = vec![
        ("u1".to_owned(), ["a", "b", "a", "c"].map(str::to_owned).to_vec()),
        ("2".to_owned(), vec!["x".to_owned()]),
        ("lonely".to_owned(), Vec::new()),
    ];
    assert_eq!(interactions(text).unwrap(), expected);
    assert_eq!(interactions(gzip(text.as_bytes())).unwrap(), expected);
    assert_eq!(interactions(zstd(text.as_bytes())).unwrap(), expected);
}

#[test]
fn bad_lists_of_interactions_are_refused() {
    assert_eq!(interactions("").unwrap_err(), "train.txt is empty; there is nothing to read");
    assert_eq!(interactions(" \n\n").unwrap_err(), "train.txt is empty; there is nothing to read");
    let text = interactions("1,2,3\n2,3,4\n").unwrap_err();
    assert!(text.contains("has no items behind its users"), "{text}");
    let text = interactions(b"u a\nu b\xff c\n").unwrap_err();
    assert!(text.starts_with("train.txt: line 2 is not UTF-8 from byte 4 on"), "{text}");
    let text = interactions(format!("u a\n\nv {}\n", "x".repeat(600))).unwrap_err();
    assert_eq!(text, "train.txt: line 3: `track` has 600 bytes; at most 512 are accepted");
    let packed = gzip(b"u a b c\nv a b c\n");
    let text = interactions(&packed[..packed.len() - 10]).unwrap_err();
    assert!(text.contains("breaks off inside its gzip data"), "{text}");
    let text = interactions(b"PAR1\0\0PAR1").unwrap_err();
    assert!(text.contains("is Parquet, where lines of text are expected"), "{text}");
}

#[test]
fn a_catalogue_is_read_packed_or_not() {
    let track = Track {
        track: "t1".into(),
        title: "Águas".into(),
        artist: "Ana".into(),
        album: String::new(),
        duration_ms: 200_000,
        tags: vec!["samba".into()],
    };
    let lines = format!(
        "{}\n\n{{\"track\": \"t2\", \"year\": 1972}}",
        serde_json::to_string(&track).unwrap()
    );
    for content in [lines.clone().into_bytes(), gzip(lines.as_bytes()), zstd(lines.as_bytes())] {
        let tracks = catalogue(content).unwrap();
        assert_eq!(tracks[0], track);
        assert_eq!(tracks[1], Track { track: "t2".into(), ..Track::default() });
    }
}

#[test]
fn bad_catalogues_are_refused_with_the_line() {
    assert_eq!(catalogue("\n").unwrap_err(), "tracks.jsonl is empty; there is nothing to read");
    let text = catalogue("{\"track\":\"a\"}\n{\"title\":\"x\"}\n").unwrap_err();
    assert_eq!(text, "tracks.jsonl: line 2: `track` is empty");
    let text = catalogue("{\"track\":\"a\"}\n\n{\"track\":7}\n").unwrap_err();
    assert!(text.starts_with("tracks.jsonl: line 3 is not an object as expected: invalid type"));
    assert!(catalogue("{\"track\":\"a\",\"duration_ms\":-1}").unwrap_err().contains("line 1"));
}
