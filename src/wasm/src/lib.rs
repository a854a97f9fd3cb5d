//! JavaScript bindings over [`segue_core`], one file per noun. The npm package in `pkg/` is their
//! only caller and gives them their public shape.
//!
//! Candidates and results cross as typed arrays, lists of ids as one joined string; nothing
//! crosses item by item. Every number that comes in is checked here, so that no call from
//! JavaScript can make the module trap: what is wrong comes back as an `Error` with a message.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(all(target_arch = "wasm32", not(feature = "std")))]
mod bare;
pub mod engine;
pub mod manifest;
pub mod parts;
pub mod rank;
pub mod reason;
pub mod session;
pub mod sync;
pub mod tape;
pub mod taste;
pub mod track;

use wasm_bindgen::JsError;

/// Stands for "no row" wherever rows cross: the model does not know the track.
pub const UNKNOWN: u32 = u32::MAX;

fn error(message: &str) -> JsError {
    JsError::new(message)
}
