//! The steps from what a registry shows to the model in use.

use alloc::{string::String, vec::Vec};
use core::ptr;
use segue_core::{
    guardrail::{Deed, Guardrail, Tally},
    manifest::SectionRef,
    model::{SectionId, SectionKind},
    sync::{self, InUse, Next, SyncError},
    trust::Trust,
};
use wasm_bindgen::prelude::*;

use crate::{
    engine::Engine,
    error,
    parts::{Parts, id},
    tape::{Tape, written},
};

/// A device that follows a registry. Each step answers with what is next: see [`Sync::show`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct Sync(sync::Sync, Guardrail);

/// Nothing is to be done.
const CURRENT: f64 = 0.0;
/// Questions are to be answered.
const VERIFY: f64 = -1.0;
/// What is planned is to be fetched.
const FETCH: f64 = -2.0;

#[wasm_bindgen]
impl Sync {
    /// `anchor` is the public key that the first root must be signed by, 64 hexadecimal digits, or empty where nothing is
    /// to be verified; `device` tells this one from others, or is empty. Throws where the key is none.
    #[wasm_bindgen(constructor)]
    pub fn new(anchor: &str, device: &str) -> Result<Self, JsError> {
        let trust = match anchor {
            "" => None,
            _ => {
                let refused = || error("the public key is not 64 lower-case hexadecimal digits");
                Some(Trust::new(anchor).ok_or_else(refused)?)
            }
        };
        let device = (!device.is_empty()).then(|| device.into());
        Ok(Self(sync::Sync::new(trust, device), Guardrail::default()))
    }

    /// Takes up what was kept: the model in use, and `trust` as [`Self::trust`] gave it. Returns false, and takes up
    /// nothing, where that is no trust in the same key.
    pub fn resume(&mut self, version: f64, release: f64, trust: &str) -> bool {
        let in_use = InUse { version: version as u64, release: release as u64 };
        self.0.resume(in_use, Tape::new(trust).trust())
    }

    /// What is believed, to be kept; empty where nothing is to be.
    pub fn trust(&self) -> String {
        self.0.trust().map(written).unwrap_or_default()
    }

    /// Starts with a manifest, as [`Tape::offer`] reads it. Like the other steps it returns the version of a root that is
    /// to be fetched, or 0 where there is nothing to be done, −1 where [`Self::questions`] are to be answered, −2 where
    /// [`Self::plan`] is to be carried out. Throws where what was shown is refused.
    pub fn show(&mut self, offer: &str) -> Result<f64, JsError> {
        let offer = Tape::new(offer).offer().ok_or_else(|| error(NOT_DOCUMENTS))?;
        step(self.0.show(offer))
    }

    /// A root that was asked for, as [`Tape::root`] reads it.
    pub fn root(&mut self, root: &str) -> Result<f64, JsError> {
        let (envelope, root) = Tape::new(root).root().ok_or_else(|| error(NOT_DOCUMENTS))?;
        step(self.0.root(envelope, root))
    }

    /// The signatures to be verified, as four fields each, with U+0000 between fields: the text that goes before the one
    /// that was signed, that one (empty where it is that of the question before), the public key and the signature. Empty where
    /// there are none.
    pub fn questions(&self) -> Result<String, JsError> {
        let asked = self.0.questions(|questions| {
            let mut asked = Vec::new();
            let mut last = "";
            for question in questions {
                let text = if ptr::eq(question.signed, last) { "" } else { question.signed };
                last = question.signed;
                asked.extend([question.role.domain(), text, question.public, question.sig]);
            }
            asked.join("\0")
        });
        asked.map_err(refuse)
    }

    /// The answers, one each, 0 for no, and the time in milliseconds since the Unix epoch.
    pub fn answer(&mut self, answers: &[u8], now: f64) -> Result<f64, JsError> {
        let answers: Vec<bool> = answers.iter().map(|&answer| answer != 0).collect();
        step(self.0.answer(&answers, now as i64))
    }

    /// Which of the release's models was chosen, by its version; 0 where none is to be fetched.
    pub fn chosen(&self) -> f64 {
        self.0.chosen().map_or(0.0, |model| model.version as f64)
    }

    /// What to fetch of the chosen model for the head: the places of sections, then those of deltas, each with its number
    /// before it. `here` has a number for each section, 0 where nothing of the same content is here; `whole` is whether all
    /// of the head is here; both as `engine` has it.
    pub fn plan(&self, engine: &Engine, here: &[u8], whole: bool) -> Result<Vec<u32>, JsError> {
        let sections = self.0.chosen().map_or(&[][..], |model| &model.sections);
        let held = |section: &SectionRef| {
            let same = place(sections, section).and_then(|at| here.get(at)) == Some(&1);
            same && engine.holds_section(section)
        };
        let plan = self.0.plan(&[(0, whole)], held).map_err(refuse)?;
        let deltas = self.0.chosen().map_or(&[][..], |model| &model.deltas);
        let sections = plan.sections.iter().filter_map(|section| place(sections, section));
        let deltas = plan.deltas.iter().filter_map(|delta| place(deltas, delta));
        Ok([sections.collect(), deltas.collect()].into_iter().flat_map(counted).collect())
    }

    /// The chosen model is in use.
    pub fn applied(&mut self) -> Result<(), JsError> {
        self.0.applied().map_err(refuse)
    }

    /// Gives up what was begun.
    pub fn abandon(&mut self) {
        self.0.abandon();
    }

    /// A model of this version is in use from now on, and what is counted is counted for it.
    pub fn change(&mut self, version: f64) {
        self.1.change(version as u64);
    }

    /// Counts that something was heard (0), refused (1), or failed (any other). Returns whether it shows that the model in
    /// use is worse than the one before it.
    pub fn count(&mut self, deed: u8) -> bool {
        self.1.count(match deed {
            0 => Deed::Heard,
            1 => Deed::Refused,
            _ => Deed::Failed,
        })
    }

    /// What was counted of the model before and of the one in use: version, heard, refused, failed of each, and 1 where it
    /// was said that this one is worse.
    pub fn tallies(&self) -> Vec<f64> {
        let Guardrail { before, now, said } = self.1;
        let numbers =
            |of: Tally| [of.version as f64, of.heard.into(), of.refused.into(), of.failed.into()];
        let mut all = Vec::from(numbers(before));
        all.extend(numbers(now));
        all.push(f64::from(u8::from(said)));
        all
    }

    /// Takes up what [`Self::tallies`] gave; other numbers are taken for nothing counted.
    pub fn recall(&mut self, tallies: &[f64]) {
        let [a, b, c, d, e, f, g, h, said] = tallies else { return };
        let tally = |[version, heard, refused, failed]: [f64; 4]| Tally {
            version: version as u64,
            heard: heard as u32,
            refused: refused as u32,
            failed: failed as u32,
        };
        let [before, now] = [[*a, *b, *c, *d], [*e, *f, *g, *h]].map(tally);
        self.1 = Guardrail { before, now, said: *said == 1.0 };
    }
}

#[wasm_bindgen]
impl Engine {
    /// Builds the next version from this one and what its parts are, with a session of which nothing is known. This one
    /// stays as it is. Throws where they make no model, or belong to another version than this one.
    pub fn after(&self, parts: Parts) -> Result<Self, JsError> {
        Ok(Self::of(parts.build_on(&self.model)?))
    }

    /// A section as it would be sent; nothing where it is not here, or there is no such kind.
    pub fn encoded(&self, kind: usize, shard: u8) -> Option<Vec<u8>> {
        self.model.encoded(id(kind, shard).ok()?).map(|bytes| bytes.into_owned())
    }
}

impl Engine {
    fn holds_section(&self, section: &SectionRef) -> bool {
        let kind = SectionKind::ALL.into_iter().find(|kind| kind.name() == section.kind);
        let id = kind.map(|kind| SectionId { shard: section.shard, kind });
        id.is_some_and(|id| self.model.section(id).is_some())
    }
}

const NOT_DOCUMENTS: &str = "the manifest's documents are not what they should be";

#[expect(clippy::needless_pass_by_value, reason = "what map_err calls")]
fn refuse(refused: SyncError) -> JsError {
    error(&refused.message())
}

fn step(next: Result<Next, SyncError>) -> Result<f64, JsError> {
    next.map_err(refuse).map(|next| match next {
        Next::Root(version) => version as f64,
        Next::Verify => VERIFY,
        Next::Fetch => FETCH,
        Next::Current => CURRENT,
    })
}

fn place<T>(all: &[T], one: &T) -> Option<usize> {
    all.iter().position(|other| ptr::eq(other, one))
}

fn counted(places: Vec<usize>) -> impl Iterator<Item = u32> {
    core::iter::once(places.len()).chain(places).map(|place| place as u32)
}
