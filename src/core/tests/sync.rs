//! The steps from what a registry shows to the model in use: each leads where it says, out of turn it is refused, and
//! whatever is refused leaves what is in use as it is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use segue_core::{
    manifest::{
        DeltaRef, Envelope, FORMAT, Manifest, ManifestError, ModelRef, Release, SectionRef,
        Signature,
    },
    sync::{InUse, MOST_HELD, Next, Offer, Sync, SyncError},
    trust::{Key, Named, Quorum, Role, Roles, Root, Timestamp, Trust, TrustError},
};
use xxhash_rust::xxh64::xxh64;

const DAY: i64 = 86_400_000;
const NOW: i64 = 1_764_000_000_000;

fn digits(text: &str, len: usize) -> String {
    let words = (0..).flat_map(|at| format!("{:016x}", xxh64(text.as_bytes(), at)).into_bytes());
    words.take(len).map(char::from).collect()
}

fn key() -> Key {
    Key { id: digits("id", 16), public: digits("public", 64) }
}

/// Everything is signed by one key, and a signature is right where it is of the text.
fn envelope(role: Role, text: &str) -> Envelope {
    let sig = digits(&format!("{role:?}{text}"), 88);
    Envelope { signed: text.into(), signatures: vec![Signature { key: key().id, sig }] }
}

fn root(version: u64) -> (Envelope, Root) {
    let quorum = || Quorum { keys: vec![key().id], threshold: 1 };
    let roles = Roles { root: quorum(), release: quorum(), timestamp: quorum() };
    let root = Root { version, expires: NOW + DAY, keys: vec![key()], roles };
    (envelope(Role::Root, &format!("root {version}")), root)
}

fn model(version: u64) -> ModelRef {
    let section = |kind: &str, bytes| SectionRef {
        kind: kind.into(),
        shard: 0,
        hash: digits(&format!("{kind} {version}"), 64),
        bytes,
    };
    let sections = vec![section("ids", 4000), section("factors", 9000)];
    let delta = |from| DeltaRef { from, to: None, shard: 0, hash: digits("delta", 64), bytes: 500 };
    let deltas = if version > 1 { vec![delta(version - 1)] } else { Vec::new() };
    ModelRef { version, share: None, sections, deltas }
}

/// A manifest of a release, of these models, under the root of a version.
fn offer(version: u64, models: Vec<ModelRef>, root_version: u64) -> Offer {
    let release = Release { version, created_at: NOW, expires: Some(NOW + DAY), models };
    let text = format!("{release:?}");
    let hash = digits(&text, 64);
    let named = Named { version, hash: hash.clone() };
    let timestamp = Timestamp { version, expires: NOW + DAY, release: named };
    let (root_envelope, root) = root(root_version);
    Offer {
        manifest: Manifest {
            format: FORMAT,
            root: Some(root_envelope),
            release: envelope(Role::Release, &text),
            timestamp: Some(envelope(Role::Timestamp, &format!("{timestamp:?}"))),
        },
        root: Some(root),
        release,
        timestamp: Some(timestamp),
        hash,
    }
}

fn device() -> Sync {
    Sync::new(Trust::new(&key().public), None)
}

fn honest(sync: &Sync) -> Vec<bool> {
    let right = |question: &segue_core::trust::Question<'_>| {
        question.sig == digits(&format!("{:?}{}", question.role, question.signed), 88)
            && question.public == key().public
    };
    sync.questions(|questions| questions.iter().map(right).collect()).unwrap()
}

/// Goes all the way, by what `answers` says.
fn follow(sync: &mut Sync, offer: Offer) -> Result<Next, SyncError> {
    let mut next = sync.show(offer)?;
    loop {
        next = match next {
            Next::Root(version) => {
                let (envelope, root) = root(version);
                sync.root(envelope, root)?
            }
            Next::Verify => {
                let answers = honest(sync);
                sync.answer(&answers, NOW)?
            }
            Next::Fetch | Next::Current => return Ok(next),
        }
    }
}

#[test]
fn a_device_without_a_model_fetches_one_whole_and_then_has_it() {
    let mut sync = device();
    assert_eq!(follow(&mut sync, offer(1, vec![model(1)], 1)), Ok(Next::Fetch));
    let plan = sync.plan(&[(0, false)], |_| false).unwrap();
    assert_eq!((plan.sections.len(), plan.deltas.len(), plan.bytes), (2, 0, 13_000));
    sync.applied().unwrap();
    assert_eq!(sync.in_use(), InUse { version: 1, release: 1 });
    assert_eq!(follow(&mut sync, offer(1, vec![model(1)], 1)), Ok(Next::Current));
}

#[test]
fn one_with_the_version_before_fetches_a_delta() {
    let mut sync = device();
    follow(&mut sync, offer(1, vec![model(1)], 1)).unwrap();
    sync.applied().unwrap();
    assert_eq!(follow(&mut sync, offer(2, vec![model(2)], 1)), Ok(Next::Fetch));
    let plan = sync.plan(&[(0, true)], |_| false).unwrap();
    assert_eq!((plan.sections.len(), plan.deltas.len(), plan.bytes), (0, 1, 500));
    // Not where parts of it are lacking.
    assert_eq!(sync.plan(&[(0, false)], |_| false).unwrap().bytes, 13_000);
}

#[test]
fn who_is_behind_is_asked_for_each_root_between_and_then_for_signatures() {
    let mut sync = device();
    let offered = offer(1, vec![model(1)], 4);
    assert_eq!(sync.show(offered), Ok(Next::Root(1)));
    for version in 1..3 {
        let (envelope, root) = root(version);
        assert_eq!(sync.root(envelope, root), Ok(Next::Root(version + 1)));
    }
    let (envelope, third) = root(3);
    assert_eq!(sync.root(envelope, third), Ok(Next::Verify));
    let answers = honest(&sync);
    assert_eq!(sync.answer(&answers, NOW), Ok(Next::Fetch));
    assert_eq!(sync.trust().unwrap().root_version(), 4);
}

#[test]
fn however_many_roots_there_are_they_are_gone_through_so_many_at_a_time() {
    let roots = 3 * MOST_HELD as u64 + 5;
    let mut sync = device();
    assert_eq!(follow(&mut sync, offer(1, vec![model(1)], roots)), Ok(Next::Fetch));
    assert_eq!(sync.trust().unwrap().root_version(), roots);
}

#[test]
fn another_root_than_the_one_asked_for_is_refused() {
    let mut sync = device();
    sync.show(offer(1, vec![model(1)], 4)).unwrap();
    let (envelope, second) = root(2);
    let refused = TrustError::Gap { lacking: 1, found: 2 };
    assert_eq!(sync.root(envelope, second), Err(SyncError::Trust(refused)));
    // And all that was begun is over.
    assert_eq!(sync.questions(|questions| questions.len()), Err(SyncError::Order));
}

#[test]
fn a_root_that_is_too_large_is_refused_as_it_comes() {
    let mut sync = device();
    sync.show(offer(1, vec![model(1)], 4)).unwrap();
    let (mut envelope, first) = root(1);
    envelope.signed.push_str(&" ".repeat(segue_core::manifest::MAX_BYTES));
    assert!(matches!(sync.root(envelope, first), Err(SyncError::Trust(TrustError::Manifest(_)))));
}

#[test]
fn steps_out_of_turn_are_refused_and_change_nothing() {
    let mut sync = device();
    let out_of_turn = |sync: &mut Sync| {
        assert_eq!(sync.questions(|questions| questions.len()), Err(SyncError::Order));
        assert_eq!(sync.answer(&[true], NOW), Err(SyncError::Order));
        assert_eq!(sync.plan(&[(0, true)], |_| false), Err(SyncError::Order));
        assert_eq!(sync.applied(), Err(SyncError::Order));
        let (envelope, root) = root(1);
        assert_eq!(sync.root(envelope, root), Err(SyncError::Order));
    };
    out_of_turn(&mut sync);
    follow(&mut sync, offer(1, vec![model(1)], 1)).unwrap();
    sync.abandon();
    out_of_turn(&mut sync);
    assert_eq!(sync.in_use(), InUse::default());
    // A root that nobody asked for.
    assert_eq!(sync.show(offer(2, vec![model(2)], 1)), Ok(Next::Verify));
    let (envelope, root) = root(2);
    assert_eq!(sync.root(envelope, root), Err(SyncError::Order));
}

#[test]
fn what_is_not_believed_leaves_what_is_in_use_and_what_was_seen() {
    let mut sync = device();
    follow(&mut sync, offer(5, vec![model(5)], 1)).unwrap();
    sync.applied().unwrap();
    let (used, trust) = (sync.in_use(), sync.trust().cloned());
    assert!(follow(&mut sync, offer(4, vec![model(4)], 1)).is_err());
    assert_eq!(sync.show(offer(6, vec![model(6)], 1)), Ok(Next::Verify));
    assert!(sync.answer(&[false; 9], NOW).is_err());
    assert_eq!(sync.show(offer(6, vec![model(6)], 1)), Ok(Next::Verify));
    assert!(sync.answer(&honest(&sync), NOW + 2 * DAY).is_err());
    let mut unsigned = offer(6, vec![model(6)], 1);
    (unsigned.root, unsigned.timestamp) = (None, None);
    (unsigned.manifest.root, unsigned.manifest.timestamp) = (None, None);
    assert_eq!(sync.show(unsigned), Err(SyncError::Trust(TrustError::Unsigned)));
    assert_eq!((sync.in_use(), sync.trust().cloned()), (used, trust));
}

#[test]
fn a_manifest_and_its_documents_belong_together() {
    let mut half = offer(1, vec![model(1)], 1);
    half.timestamp = None;
    assert_eq!(device().show(half), Err(SyncError::Order));
    let mut other = offer(1, vec![model(1)], 1);
    other.manifest.format = FORMAT + 1;
    let format = ManifestError::Format(FORMAT + 1);
    assert_eq!(device().show(other), Err(SyncError::Manifest(format)));
}

#[test]
fn without_a_key_whatever_is_newer_is_taken_and_what_is_older_is_not() {
    let mut sync = Sync::new(None, None);
    let unsigned = |version| {
        let mut offer = offer(version, vec![model(version)], 1);
        (offer.root, offer.timestamp) = (None, None);
        (offer.manifest.root, offer.manifest.timestamp) = (None, None);
        offer
    };
    assert_eq!(sync.show(unsigned(2)), Ok(Next::Fetch));
    sync.applied().unwrap();
    assert_eq!(sync.show(unsigned(1)), Ok(Next::Current));
    assert_eq!(sync.show(unsigned(3)), Ok(Next::Fetch));
}

#[test]
fn a_candidate_is_for_its_share_of_devices_and_for_none_without_a_name() {
    let candidate = |share| ModelRef { share: Some(share), ..model(2) };
    let chosen = |device: Option<String>, share| {
        let mut sync = Sync::new(Trust::new(&key().public), device);
        follow(&mut sync, offer(2, vec![model(1), candidate(share)], 1)).unwrap();
        sync.chosen().unwrap().version
    };
    let first = |share| {
        (0..1000).filter(|device| chosen(Some(format!("device {device}")), share) == 2).count()
    };
    assert!((60..140).contains(&first(1000)));
    assert_eq!((first(0), first(10_000)), (0, 1000));
    assert_eq!(chosen(None, 10_000), 1);
}

#[test]
fn what_was_kept_is_taken_up_again_by_the_same_key_alone() {
    let mut sync = device();
    follow(&mut sync, offer(7, vec![model(7)], 1)).unwrap();
    sync.applied().unwrap();
    let kept = sync.trust().cloned();
    let mut again = device();
    assert!(again.resume(sync.in_use(), kept.clone()));
    assert_eq!(follow(&mut again, offer(7, vec![model(7)], 1)), Ok(Next::Current));
    assert!(follow(&mut again, offer(6, vec![model(6)], 1)).is_err());
    // Not where more was seen since.
    follow(&mut again, offer(8, vec![model(8)], 1)).unwrap();
    let seen = again.trust().cloned();
    assert!(again.resume(sync.in_use(), sync.trust().cloned()));
    assert_eq!(again.trust(), seen.as_ref());
    let mut other = Sync::new(Trust::new(&digits("another", 64)), None);
    assert!(!other.resume(sync.in_use(), kept));
    assert_eq!(other.in_use(), InUse::default());
}

proptest! {
    #[test]
    fn no_order_of_steps_panics_or_changes_what_is_in_use_without_applying(
        steps in proptest::collection::vec((0_u8..7, 1_u64..6, any::<bool>()), 0..40),
    ) {
        let mut sync = device();
        for (step, version, yes) in steps {
            let before = sync.in_use();
            match step {
                0 => drop(sync.show(offer(version, vec![model(version)], version))),
                1 => {
                    let (envelope, root) = root(version);
                    drop(sync.root(envelope, root));
                }
                2 => drop(sync.answer(&[yes; 12], NOW)),
                3 => drop(sync.plan(&[(0, yes)], |_| yes).map(|plan| plan.bytes)),
                4 => sync.abandon(),
                5 => drop(sync.questions(|questions| questions.len())),
                _ => {
                    let chosen = sync.chosen().map(|model| model.version);
                    let applied = sync.applied();
                    prop_assert_eq!(applied.is_ok(), chosen.is_some());
                    prop_assert_eq!(sync.in_use().version, chosen.unwrap_or(before.version));
                    continue;
                }
            }
            prop_assert_eq!(sync.in_use().version, before.version);
        }
    }
}
