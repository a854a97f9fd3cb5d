//! What a registry shows, as it crosses into the module, and what was kept of it: any fields are documents or none; and in
//! whatever order steps come, none of them panics, and a model is in use only after it was chosen.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_core::sync::{InUse, Sync};
use segue_wasm::tape::{Tape, written};

fuzz_target!(|steps: Vec<(u8, &str, u32, Vec<bool>)>| {
    let mut sync = Sync::new(None, Some("device".into()));
    for (step, fields, number, answers) in steps {
        let before = sync.in_use();
        let whole = number & 1 == 1;
        match step % 6 {
            0 => drop(Tape::new(fields).offer().map(|offer| sync.show(offer))),
            1 => drop(Tape::new(fields).root().map(|(envelope, root)| sync.root(envelope, root))),
            2 => drop(sync.answer(&answers, number.into())),
            3 => drop(sync.plan(&[(0, whole), (7, whole)], |_| whole).map(|plan| plan.bytes)),
            4 => {
                let trust = Tape::new(fields).trust();
                if let Some(trust) = &trust {
                    let again = Tape::new(&written(trust)).trust();
                    assert_eq!(again.map(|again| again.anchor), Some(trust.anchor.clone()));
                    sync = Sync::new(Some(trust.clone()), None);
                }
                sync.resume(InUse { version: number.into(), release: number.into() }, trust);
                continue;
            }
            _ => {
                let chosen = sync.chosen().map(|model| model.version);
                assert_eq!(sync.applied().is_ok(), chosen.is_some());
                continue;
            }
        }
        let _ = sync.questions(|questions| questions.len());
        assert_eq!(sync.in_use().version, before.version);
    }
});
