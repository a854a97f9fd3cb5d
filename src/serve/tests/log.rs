//! What the server logs. Alone in its file, as what is logged where is a matter of the process.
#![allow(clippy::expect_used, reason = "a test may panic")]

mod support;

use segue_core::model::SectionKind;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use support::{NOW, at, blob_path, get, hash, model, registry, routes, tamper};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().expect("lines"))).expect("UTF-8")
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("lines").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_request_is_one_line_and_a_failure_names_the_file_that_caused_it() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let (_folder, registry) = registry();
    let routes = routes(&registry);

    get(&routes, "/v1/manifest?listener=ann").await;
    let line = lines.take();
    assert_eq!(line.lines().count(), 1, "{line}");
    for part in ["DEBUG", "method=GET", "path=\"/v1/manifest\"", "status=200", "micros="] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!line.contains("ann"), "{line}");

    let file = blob_path(&registry, SectionKind::Ids);
    tamper(&file);
    get(&routes, &format!("/v1/blob/{}", hash(&registry, SectionKind::Ids))).await;
    let text = lines.take();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("ERROR") && text.contains(file.to_str().unwrap()), "{text}");

    // A blob of the version in force that is missing is told once, not with each request for it.
    registry.publish(&model(2), &at(NOW)).unwrap();
    lines.take();
    let file = blob_path(&registry, SectionKind::Factors);
    std::fs::remove_file(&file).unwrap();
    get(&routes, "/v1/manifest").await;
    let text = lines.take();
    assert!(text.contains("ERROR") && text.contains(file.to_str().unwrap()), "{text}");
    get(&routes, "/v1/manifest").await;
    assert!(!lines.take().contains("ERROR"));
}
