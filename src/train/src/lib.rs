//! From a listening log to a model.
//!
//! ```text
//! log ──read──▶ dataset ──evidence──▶ matrix ──als──▶ factors ──assemble──▶ model
//!                                        ▲ settings           │
//!                                        └────── search ◀── evaluate (through segue-core)
//! ```

mod albums;
pub mod als;
pub mod assemble;
pub mod checkpoints;
pub mod clusters;
pub mod coding;
pub mod contrast;
pub mod dataset;
pub mod evaluate;
pub mod factors;
pub mod finished;
pub mod gate;
pub mod groups;
pub mod links;
pub mod log;
pub mod matrix;
pub mod naming;
pub mod neighbours;
pub mod pipeline;
pub mod progress;
pub mod ranker;
pub mod responses;
pub mod search;
pub mod shards;
pub mod side;
pub mod spectral;
pub mod standing;
pub mod steady;
pub mod transitions;

use std::path::PathBuf;

use segue_core::model::ModelError;

/// The run was asked to stop; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted; nothing was written")]
pub struct Interrupted;

/// The factors are no longer finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("training diverged, its factors are no longer finite: pass another --seed")]
pub struct Diverged;

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] log::LogError),
    /// There is nothing to measure on.
    #[error(
        "{}: no listener has an item here that could be ranked for them; each is unknown to the \
         training pairs, or among those of the same listener", .0.display()
    )]
    Unreachable(PathBuf),
    /// Nothing is known of whom there is to be ranked for.
    #[error(
        "{}: no listener is among those of {}, so that nothing is known of any of them: the first word of a line \
         is the listener, here such as {theirs}, there such as {ours}", .test.display(), .train.display()
    )]
    UnknownListeners {
        /// Whom to rank for.
        test: PathBuf,
        /// The training pairs.
        train: PathBuf,
        /// A listener of the former.
        theirs: String,
        /// A listener of the latter.
        ours: String,
    },
    /// No query could be answered.
    #[error(
        "{}: no item that came next is among those of {}, so that none could be told: both are to be of the \
         same items, the latter with one sitting a line, `item item …`", .test.display(), .train.display()
    )]
    UnknownNext {
        /// The queries.
        test: PathBuf,
        /// The sittings.
        train: PathBuf,
    },
    /// An update by a log of something else.
    #[error(
        "none of the model's tracks is in this log: give the log that it was trained on, grown since, or train without --update"
    )]
    Strangers,
    /// An update of a catalogue in shards.
    #[error(
        "the model's catalogue is split into shards, which only a whole training makes: train without --update"
    )]
    Split,
    /// There is nothing to choose settings on.
    #[error(
        "{}: nothing to choose settings on: no listener has an item that could be held out and is still \
         known from others; pass --valid", .0.display()
    )]
    Unchosen(PathBuf),
    /// There is no new track to be asked about.
    #[error(
        "no track to hold out: none that two listeners liked has an artist, an album or a tag and a listener \
         who heard others too; pass --catalogue, or a larger --share"
    )]
    NoNewTracks,
    /// Nobody said both yes and no.
    #[error(
        "no listener both liked and skipped a track among the last fifth of their events: there is nothing to rank \
         one above the other"
    )]
    NoVerdicts,
    /// The log does not say how anything was offered.
    #[error(
        "no impression says how it was drawn: expected are events of kind `impression` with `propensity`, the \
         chance with which the track was offered, and `candidates`, the tracks that it was drawn among; `segue \
         simulate --explore` writes such a log"
    )]
    NoOffers,
    /// What listeners did with what they were offered is not told.
    #[error(
        "of {offers} impressions that say how they were drawn none is followed, in the same sitting{}, by what the \
         listener then did with the track: write a play, a skip or another event of it behind each",
        if *held_out { " and among the last fifth of the listener's events" } else { "" }
    )]
    NoAnswers {
        /// How many impressions there are.
        offers: usize,
        /// Whether only the last fifth was looked at.
        held_out: bool,
    },
    /// A model of other tracks.
    #[error(
        "the model knows none of the {candidates} candidates, such as {ours}: it is of another catalogue; pass \
         the model of these tracks, or none, to train one"
    )]
    UnknownCandidates {
        /// How many tracks were candidates.
        candidates: usize,
        /// The id of one.
        ours: String,
    },
    /// What the policy would do was never seen.
    #[error(
        "at none of {impressions} impressions would the model have offered what the log did, so that the log says \
         nothing of it: pass --temperature, or a longer log"
    )]
    NoOverlap {
        /// How many impressions were looked at.
        impressions: usize,
    },
    /// There is nothing to learn from.
    #[error(
        "no listening to learn from: the log holds no event that says a listener liked a track"
    )]
    Empty,
    /// Two tracks that the model could not tell apart.
    #[error("tracks `{0}` and `{1}` have the same fingerprint: rename one of them")]
    Collision(String, String),
    /// A file that was given as a catalogue says nothing that a catalogue is for.
    #[error(
        "{} holds no title, artist or tag of any track: is it the catalogue? expected are lines \
         such as {{\"track\": \"t1\", \"title\": \"…\", \"artist\": \"…\", \"tags\": [\"…\"]}}",
        log::shown(.0)
    )]
    NoCatalogue(PathBuf),
    /// A catalogue of other tracks.
    #[error(
        "{} names none of the {tracks} tracks of the log: its ids are such as {theirs}, the log's \
         such as {ours}",
        log::shown(path)
    )]
    OtherCatalogue {
        /// The catalogue.
        path: PathBuf,
        /// How many tracks the log has.
        tracks: usize,
        /// An id of the catalogue.
        theirs: String,
        /// An id of the log.
        ours: String,
    },
    /// Every cluster of a catalogue that is split has a shard, of which there are only so many.
    #[error(
        "a catalogue of {tracks} tracks is split by taste cluster, into at most {max} shards: pass \
         --clusters {max} or fewer, or --head {tracks} to leave it whole",
        max = segue_core::model::MAX_SHARDS
    )]
    TooManyClusters {
        /// How many tracks the catalogue has.
        tracks: usize,
    },
    /// Two runs on other tests.
    #[error(
        "{} has no {case}{}, which {} has: compare two runs on the same test file",
        log::shown(lacks), nor(*others), log::shown(has)
    )]
    OtherCases {
        /// The file that has it.
        has: PathBuf,
        /// The file that does not.
        lacks: PathBuf,
        /// What it is, such as `listener "u1"`.
        case: String,
        /// How many others it does not have either.
        others: usize,
    },
    /// Two files of figures are not of the same test.
    #[error(
        "{case} is asked for something else in {} than in {}: compare two runs on the same test file",
        log::shown(&files[1]), log::shown(&files[0])
    )]
    OtherTest {
        /// The files.
        files: [PathBuf; 2],
        /// The first case that differs, such as `query 7`.
        case: String,
    },
    /// The factors are not numbers.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// The factors do not make a valid model.
    #[error("the trained factors do not make a valid model")]
    Model(#[from] ModelError),
    /// What was found could not be kept.
    #[error(transparent)]
    NotKept(#[from] checkpoints::NotKept),
    /// Asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

fn nor(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " nor 1 other".to_owned(),
        _ => format!(" nor {others} others"),
    }
}
