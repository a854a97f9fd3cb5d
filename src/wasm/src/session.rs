//! What the listener did.

use alloc::vec::Vec;
use segue_core::{
    event::{Kind, heard},
    moment::{Field, Moment},
    session::{Observation, Session},
    sitting::Pauses,
};
use wasm_bindgen::prelude::*;

use crate::{engine::Engine, error};

#[wasm_bindgen]
impl Engine {
    /// Takes in one event about a row, which is `past` where it is of an earlier sitting. The kind is
    /// its place in [`Kind::ALL`]; a missing duration is looked up in the model. Throws where the kind
    /// or the row does not exist. O(d²).
    pub fn observe(
        &mut self,
        kind: usize,
        row: u32,
        played_ms: Option<u32>,
        duration_ms: Option<u32>,
        past: bool,
    ) -> Result<(), JsError> {
        let kind = *Kind::ALL.get(kind).ok_or_else(|| error("there is no such kind of event"))?;
        let row = self.row(row)?;
        let known = || self.model.text_of(row).map(|(text, row)| text.duration_ms(row));
        let duration = duration_ms.or_else(known).filter(|&ms| ms > 0);
        let heard = played_ms.zip(duration).and_then(|(played, whole)| heard(played, whole));
        let observation = Observation { row, kind, heard };
        match past {
            true => self.session.recall(&self.model, observation),
            false => self.session.observe(&self.model, observation),
        }
        self.explainer = None;
        Ok(())
    }

    /// Takes in that something happened `at` milliseconds since 1970, during which so many milliseconds
    /// were heard. Returns whether the listener was away before it for so long that they start a new
    /// sitting.
    pub fn was_away(&mut self, at: f64, heard_ms: u32) -> bool {
        self.pauses.end_before(at as i64, heard_ms)
    }

    /// The listener has left: what comes next does not follow what came before.
    pub fn leave(&mut self) {
        self.session.leave();
        self.explainer = None;
    }

    /// From now on it is this moment: so many milliseconds since 1970 and minutes ahead of UTC, NaN where not known,
    /// and a line each of region, device, source and mood, empty where not known.
    pub fn moment(&mut self, at: f64, tz_offset_min: f64, texts: &str) {
        const FIELDS: [Field; 4] = [Field::Region, Field::Device, Field::Source, Field::Mood];
        let known = FIELDS.into_iter().zip(texts.split('\n')).filter(|(_, text)| !text.is_empty());
        let mut moment =
            known.fold(Moment::default(), |moment, (field, text)| moment.with(field, text));
        if !at.is_nan() && !tz_offset_min.is_nan() {
            moment = moment.on(at as i64, tz_offset_min as i16);
        }
        self.session.at(moment);
        self.explainer = None;
    }

    /// Forgets the listener.
    pub fn reset(&mut self) {
        let moment = self.session.moment();
        self.session = Session::new(&self.model);
        self.session.at(moment);
        self.pauses = Pauses::default();
        self.explainer = None;
    }

    /// What is known of each track, in the order in which they were first met: its row, and for each kind of event, in the
    /// order of [`Kind::ALL`], the bits of how much of it was seen as a 32-bit float.
    pub fn evidence(&self) -> Vec<u32> {
        let mut numbers = Vec::new();
        for evidence in self.session.evidence() {
            numbers.push(evidence.row.0);
            numbers.extend(Kind::ALL.map(|kind| evidence.amount(kind).to_bits()));
        }
        numbers
    }
}
