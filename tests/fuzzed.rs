//! What the fuzzer does with every model that it makes, done with sound ones: so that it cannot come to
//! demand what no model gives, and is compiled with the rest.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use segue_core::{
    bytes::Aligned,
    model::{Model, container},
};

const FILES: [&[u8]; 8] = [
    include_bytes!("../pkg/test/fixtures/first.segue"),
    include_bytes!("../pkg/test/fixtures/second.segue"),
    include_bytes!("../pkg/test/fixtures/split.segue"),
    include_bytes!("../pkg/test/fixtures/split-second.segue"),
    include_bytes!("../pkg/test/fixtures/kindred.segue"),
    include_bytes!("../pkg/test/fixtures/ranked.segue"),
    include_bytes!("../pkg/test/fixtures/albums.segue"),
    include_bytes!("../pkg/test/fixtures/whole.segue"),
];

#[test]
fn sound_models_stand_all_that_the_fuzzer_does_with_them() {
    for file in FILES {
        let model = Model::from_file(file).unwrap();
        fuzz::use_all(&model);
        assert!(model.to_file() == file);
    }
}

#[test]
fn so_does_a_head_without_its_shards() {
    let sections = container::split(FILES[2]).unwrap().into_iter();
    let head = sections.filter(|(id, _)| id.shard == 0);
    let head = head.map(|(id, bytes)| (id, Aligned::copy_of(bytes)));
    fuzz::use_all(&Model::from_sections(head).unwrap());
}
