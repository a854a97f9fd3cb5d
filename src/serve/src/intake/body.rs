//! From the bytes of a request to events.
//!
//! A body is a JSON array of events, or one event a line, packed by gzip, Brotli or Zstandard or not at all. Each event
//! is judged by itself; what is no array, or breaks off, is refused as a whole. Whatever the bytes, no more memory is
//! taken than [`Limits`] allow, and nothing panics.

use std::io::Read;

use segue_core::event::Event;
use serde::{
    Deserialize,
    de::{DeserializeSeed, SeqAccess, Visitor},
};
use serde_json::{Deserializer, value::RawValue};

use super::batch::{Arrival, Batch};

/// How a body is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    #[default]
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

/// How much one body may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes as they are sent.
    pub sent_bytes: usize,
    /// Bytes once they are unpacked.
    pub bytes: usize,
    /// Events.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sent_bytes: 1 << 20, bytes: 8 << 20, events: 10_000 }
    }
}

/// Why a body is refused as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It cannot be unpacked.
    #[error("the body is not {coding}: {problem}")]
    Coding {
        /// How it was said to be packed.
        coding: &'static str,
        /// What the decoder said.
        problem: std::io::Error,
    },
    /// It is too long once unpacked.
    #[error("the body holds more than {0} bytes once it is unpacked: send fewer events at once")]
    Bytes(usize),
    /// It has too many events.
    #[error("the body holds more than {0} events: send fewer at once")]
    Events(usize),
    /// It is neither an array nor lines of objects.
    #[error("the body is neither a JSON array of events nor one event a line: it begins with {0}")]
    Shape(String),
    /// It is no JSON.
    #[error("the body is no JSON array: {0}")]
    Json(String),
    /// There is nothing in it.
    #[error("the body is empty: send a JSON array of events, or one event a line")]
    Empty,
}

/// Reads and judges a body.
pub(super) fn read(
    body: &[u8],
    coding: Coding,
    limits: &Limits,
    arrival: &Arrival<'_>,
) -> Result<Batch, BodyError> {
    let unpacked = match coding {
        Coding::Identity if body.len() > limits.bytes => {
            return Err(BodyError::Bytes(limits.bytes));
        }
        Coding::Identity => None,
        coding => Some(unpack(body, coding, limits.bytes)?),
    };
    let body = unpacked.as_deref().unwrap_or(body).trim_ascii();
    let reading = Reading { body, most: limits.events, arrival };
    match body.first() {
        None => Err(BodyError::Empty),
        Some(b'[') => reading.array(),
        Some(b'{') => reading.lines(),
        Some(_) => {
            let start = String::from_utf8_lossy(&body[..body.len().min(40)]);
            Err(BodyError::Shape(format!("{:?}", start.chars().take(20).collect::<String>())))
        }
    }
}

fn unpack(body: &[u8], coding: Coding, most: usize) -> Result<Vec<u8>, BodyError> {
    let (name, decoder): (_, Box<dyn Read + '_>) = match coding {
        Coding::Identity => ("", Box::new(body)),
        Coding::Gzip => ("gzip", Box::new(flate2::read::MultiGzDecoder::new(body))),
        Coding::Brotli => ("br", Box::new(brotli::Decompressor::new(body, 4096))),
        Coding::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(body);
            let decoder = decoder.and_then(|mut decoder| {
                // No window is larger than what may come out of it.
                decoder.window_log_max(most.next_power_of_two().ilog2().max(10))?;
                Ok(decoder)
            });
            let wrong = |problem| BodyError::Coding { coding: "zstd", problem };
            ("zstd", Box::new(decoder.map_err(wrong)?))
        }
    };
    let mut unpacked = Vec::new();
    let read = decoder.take(most as u64 + 1).read_to_end(&mut unpacked);
    read.map_err(|problem| BodyError::Coding { coding: name, problem })?;
    if unpacked.len() > most { Err(BodyError::Bytes(most)) } else { Ok(unpacked) }
}

struct Reading<'a> {
    body: &'a [u8],
    most: usize,
    arrival: &'a Arrival<'a>,
}

impl Reading<'_> {
    /// Event by event without a look ahead; where one is not an event, once more with one.
    fn array(&self) -> Result<Batch, BodyError> {
        let mut batch = self.batch();
        let mut parser = Deserializer::from_slice(self.body);
        let all = Sound { batch: &mut batch, reading: self }.deserialize(&mut parser);
        match all.and_then(|whole| parser.end().map(|()| whole)) {
            Ok(true) => Ok(batch),
            Ok(false) => Err(BodyError::Events(self.most)),
            Err(_) => self.array_with_others(),
        }
    }

    fn array_with_others(&self) -> Result<Batch, BodyError> {
        let elements: Vec<&RawValue> = serde_json::from_slice(self.body)
            .map_err(|error| BodyError::Json(error.to_string()))?;
        if elements.len() > self.most {
            return Err(BodyError::Events(self.most));
        }
        let mut batch = self.batch();
        elements.iter().for_each(|element| self.event(element.get().as_bytes(), &mut batch));
        Ok(batch)
    }

    fn lines(&self) -> Result<Batch, BodyError> {
        let mut batch = self.batch();
        for line in self.body.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
            if line.is_empty() {
                continue;
            }
            if batch.events() == self.most {
                return Err(BodyError::Events(self.most));
            }
            self.event(line, &mut batch);
        }
        // One event that is written over several lines is no line of its own.
        if batch.is_empty()
            && batch.events() > 1
            && let Ok(event) = serde_json::from_slice(self.body)
        {
            batch = self.batch();
            batch.push(event, self.arrival);
        }
        Ok(batch)
    }

    fn batch(&self) -> Batch {
        Batch::new(self.arrival)
    }

    fn event(&self, json: &[u8], batch: &mut Batch) {
        match serde_json::from_slice::<Event>(json) {
            Ok(event) => batch.push(event, self.arrival),
            Err(error) => batch.refuse(id_of(json), said(&error)),
        }
    }
}

/// Takes every element of an array that holds nothing but events; false where they are too many.
struct Sound<'a> {
    batch: &'a mut Batch,
    reading: &'a Reading<'a>,
}

impl<'de> DeserializeSeed<'de> for Sound<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Sound<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<bool, A::Error> {
        while let Some(event) = events.next_element::<Event>()? {
            if self.batch.events() == self.reading.most {
                while events.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                return Ok(false);
            }
            self.batch.push(event, self.reading.arrival);
        }
        Ok(true)
    }
}

/// The id of what is no event, where that much can be told.
fn id_of(json: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    let Named { id } = serde_json::from_slice(json).ok()?;
    (id.len() <= segue_core::event::MAX_ID_BYTES).then_some(id)
}

/// The parser's message, without a position within the event.
fn said(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&position).unwrap_or(&message).to_owned()
}
