//! The registry of model versions, and the HTTP server that publishes it.
//!
//! * [`registry`]: the folder that `segue publish` writes: one signed manifest and content-addressed
//!   blobs, each swapped in whole. Any static HTTP server that maps `/v1/` to it serves it.
//! * [`keys`]: who signs, and with what.
//! * [`access`]: who may send what.
//! * [`intake`]: events of listeners who agree to send them, durable before they are acknowledged.
//! * [`lake`]: those events in Parquet, by day and region, for whatever reads such files.
//! * [`privacy`]: what is held of a listener, and that it is forgotten.
//! * [`pull`]: a device that is a file.
//! * [`app`]: the routes, over [`AppState`], to be tested without a socket.
//! * [`serve`]: the routes on a socket, until told to stop.
//!
//! **Invariant:** bytes that do not have the SHA-256 they are named by are never served.

pub mod access;
mod files;
mod http;
pub mod intake;
pub mod keys;
pub mod lake;
pub mod privacy;
pub mod pull;
pub mod registry;
mod server;

pub use http::{AppState, Collecting, DEFAULT_CACHE_BYTES, Rate, app};
pub use server::{Config, Moving, ServeError, serve};
