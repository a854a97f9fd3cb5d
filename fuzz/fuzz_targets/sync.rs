//! What a registry shows, as it crosses into the module, and what was kept of it: any fields are documents or none; and in
//! whatever order steps come, none of them panics, and a model is in use only after it was chosen.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use segue_core::sync::{InUse, Sync};
use segue_wasm::tape::{Tape, written};

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    Show(&'a str),
    Root(&'a str),
    Answer(Vec<bool>, i64),
    Resume(&'a str, u64),
    Plan(bool),
    Applied,
}

fuzz_target!(|steps: Vec<Step<'_>>| {
    let mut sync = Sync::new(None, Some("device".into()));
    for step in steps {
        let before = sync.in_use();
        match step {
            Step::Show(fields) => {
                if let Some(offer) = Tape::new(fields).offer() {
                    let _ = sync.show(offer);
                }
            }
            Step::Root(fields) => {
                if let Some((envelope, root)) = Tape::new(fields).root() {
                    let _ = sync.root(envelope, root);
                }
            }
            Step::Answer(answers, now) => drop(sync.answer(&answers, now)),
            Step::Resume(fields, version) => {
                let trust = Tape::new(fields).trust();
                if let Some(trust) = &trust {
                    assert_eq!(Tape::new(&written(trust)).trust().map(|t| t.anchor), Some(trust.anchor.clone()));
                    sync = Sync::new(Some(trust.clone()), None);
                }
                sync.resume(InUse { version, release: version }, trust);
                continue;
            }
            Step::Plan(whole) => drop(sync.plan(&[(0, whole), (7, whole)], |_| whole).map(|plan| plan.bytes)),
            Step::Applied => {
                let chosen = sync.chosen().map(|model| model.version);
                assert_eq!(sync.applied().is_ok(), chosen.is_some());
                continue;
            }
        }
        let _ = sync.questions(|questions| questions.len());
        assert_eq!(sync.in_use().version, before.version);
    }
});
