//! Any bytes are a model file or an error; what is a model can be used, and is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_core::model::{Model, container};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = Model::from_file(bytes) {
        segue_fuzz::use_all(&model);
        // What it holds beside the model, it holds still.
        let notes = container::contents(bytes).expect("a file that was read").notes;
        assert!(model.to_file_with(&notes) == bytes);
    }
});
