//! The engine of Segue: everything that must run where the music plays, and everything on which
//! device and server must agree.
//!
//! | module | holds |
//! |---|---|
//! | [`event`], [`catalogue`], [`manifest`] | what crosses the network |
//! | [`sync`], [`guardrail`] | the steps from what a registry shows to the model in use; whether that is worse than the one before |
//! | [`trust`], [`plan`], [`rollout`] | whose manifests are believed, what to fetch for one, and who tries a candidate first |
//! | [`model`] | the model's sections, validated once |
//! | [`ids`] | callers' track ids, fingerprints and rows |
//! | [`codec`] | entropy coding of what is sent |
//! | [`fold_in`] | the ridge system that gives a listener's taste |
//! | [`session`], [`sitting`] | the listener's evidence and the posterior over taste; what was heard in one go |
//! | [`boosts`], [`votes`] | what the neighbours of tracks that were met add, and the last tracks' successors |
//! | [`verdicts`], [`by_artist`], [`features`] | what the listener says beyond what all say, and where that spreads to |
//! | [`moment`] | when and where they listen |
//! | [`signals`] | what foretells a yes, and its log-odds |
//! | [`rank`], [`slate`], [`reason`] | candidates in, order and reasons out; places chosen with an eye on the others |
//! | [`membership`], [`artists`] | how a taste lies among the clusters; artists near an artist |
//! | [`kernel`], [`linalg`], [`kmeans`], [`rng`], [`bytes`], [`words`] | the arithmetic, the memory and the words beneath |
//!
//! **Invariants.** No I/O, no clock, no threads, no global state: time, seeds and bytes come in as
//! arguments (`no_std` holds us to it). No bytes make it panic. The same input gives the same bits
//! on every target: sums have one order, nothing is fused, transcendental functions come from
//! `libm`, and rankings compare integer dot products.

#![no_std]

extern crate alloc;

pub mod artists;
pub mod boosts;
pub mod by_artist;
pub mod bytes;
pub mod catalogue;
pub mod codec;
pub mod event;
pub mod features;
pub mod fold_in;
pub mod guardrail;
pub mod ids;
pub mod kernel;
pub mod kmeans;
pub mod linalg;
pub mod manifest;
pub mod membership;
pub mod model;
pub mod moment;
pub mod plan;
pub mod rank;
pub mod reason;
pub mod retrieval;
pub mod rng;
pub mod rollout;
pub mod session;
pub mod signals;
pub mod sitting;
pub mod slate;
pub mod sync;
pub mod trust;
pub mod verdicts;
pub mod votes;
pub mod words;
