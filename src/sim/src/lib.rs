//! A seeded world of artists, tracks and listeners that writes a listening log.
//!
//! A [`World`] is a catalogue and the laws by which people like and listen; [`World::events`]
//! writes the log of a period, [`World::explored`] one that says with which chance each track was
//! offered, and [`World::truth`] says what ought to be found in it. The parts
//! can be used one by one, to put a recommender in the place of the [`Policy`] that offers tracks
//! and see how a [`Listener`] reacts:
//!
//! ```
//! use rand::SeedableRng;
//! use segue_sim::{Config, Policy, Situation, World};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let world = World::new(&Config { tracks: 500, ..Config::default() })?;
//! let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(1);
//! let mut listener = world.listener(7);
//! let mut now = listener.next_session(world.config().start_ms, &mut rng);
//! listener.advance(&world, now, &mut rng);
//! let mut situation = Situation::begin(&listener, now, &mut rng);
//! let mut policy = Policy::begin(&world, &listener, &mut situation, now, &mut rng);
//! loop {
//!     let track = policy.offer(&world, &listener, &mut situation, now, &mut rng);
//!     let reaction = world.react(&listener, track, &situation, now, &mut rng);
//!     now += i64::from(reaction.played_ms);
//!     listener.remember(&world, &mut situation, track, &reaction, now);
//!     if reaction.leaves {
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it shares with the models that are judged on it
//!
//! A simulation that is built like the model under test flatters it. So this one is not: there
//! are no factor vectors of listeners and tracks, no inner products, no ridge and no Gaussian
//! posterior. A listener likes a track by a logit model of discrete choice (see
//! [`World::affinity`] and [`World::appeal_now`]).
//!
//! Shared, because it is so of any taste: liking is additive before it becomes a probability, and
//! depends on things that tracks have in common (genre, sub-genre, scene, artist). Someone who
//! knew those labels could write that part as an inner product of some hundreds of dimensions, so
//! a factor model can learn much of it. Tags name the genre, the sub-genre and the two moods that fit a track best
//! without an error, and in half of the sittings the log names the mood: real catalogues and listeners say less, and a
//! model that reads tags and moods has it easier here.
//!
//! Not shared: the fit of mood and of a recording's age, which are distances from an ideal point;
//! tiredness, which depends on what was heard in the last hours; drift, turns and crazes, which
//! change taste under the model's feet; idiosyncrasies of single tracks, which nobody can learn
//! from other people; and above all that what is heard follows from libraries, playlists, charts,
//! radio and search (see [`Policy`]), so that what is missing from the log is not missing at
//! random.
//!
//! # What is realistic and what is not
//!
//! Popularity follows Zipf's law over artists; activity is log-normal; sessions come by a Poisson
//! process that follows the listener's own clock and week; about 30 of 100 listens are skipped.
//! Listeners do not influence each other, summer time and holidays do not exist, and
//! editors never change a playlist.
//!
//! # Same seed, same bytes
//!
//! Worlds and logs depend on nothing but the [`Config`]: integers, IEEE arithmetic and `libm` in
//! Rust give the same result on every machine.

mod artist;
mod catalogue;
mod config;
mod genre;
mod listener;
mod log;
mod mood;
mod names;
mod num;
mod playlist;
mod policy;
mod react;
mod region;
mod shelf;
mod situation;
mod slate;
mod trend;
pub mod trial;
mod truth;
mod world;

pub use config::{Config, ConfigError, DAY_MS, MAX_DAYS, MAX_LISTENERS, MAX_TRACKS};
pub use listener::Listener;
pub use log::Events;
pub use mood::Mood;
pub use policy::Policy;
pub use react::Reaction;
pub use region::{Device, Region};
pub use situation::{Situation, Source};
pub use slate::Explored;
pub use truth::{EmergingTruth, PlaylistTruth, SpreadTruth, TrackTruth, Truth, ViralTruth};
pub use world::{TrackIndex, World};
