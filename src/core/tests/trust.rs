//! Whose manifests are believed. Each attack that The Update Framework names (specification 1.0.33, section 1.5.2) is a
//! test here. Signatures are of a toy scheme: what is verified how is not this room's, what follows from it is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use segue_core::{
    manifest::{
        Envelope, MAX_BYTES, MAX_VERSION, ManifestError, ModelRef, Release, SectionRef, Signature,
    },
    trust::{
        Key, MAX_ROOTS, Named, Quorum, Role, Roles, Root, Shown, Signed, Timestamp, Trust,
        TrustError,
    },
};
use xxhash_rust::xxh64::xxh64;

const DAY: i64 = 86_400_000;
const NOW: i64 = 1_764_000_000_000;

fn digits(text: &str, len: usize) -> String {
    (0..)
        .flat_map(|at| format!("{:016x}", xxh64(text.as_bytes(), at)).into_bytes())
        .take(len)
        .map(char::from)
        .collect()
}

fn key(name: &str) -> Key {
    Key { id: digits(&format!("id of {name}"), 16), public: digits(name, 64) }
}

fn sig(public: &str, role: Role, text: &str) -> String {
    digits(&format!("{public} {} {text}", role.domain()), 88)
}

fn quorum(names: &[&str], threshold: usize) -> Quorum {
    Quorum { keys: names.iter().map(|name| key(name).id).collect(), threshold }
}

fn root(
    version: u64,
    root: &[&str],
    threshold: usize,
    release: &[&str],
    timestamp: &[&str],
) -> Root {
    let mut keys: Vec<Key> = [root, release, timestamp].concat().into_iter().map(key).collect();
    keys.sort_by(|a, b| a.id.cmp(&b.id));
    keys.dedup();
    let roles = Roles {
        root: quorum(root, threshold),
        release: quorum(release, 1),
        timestamp: quorum(timestamp, 1),
    };
    Root { version, expires: NOW + 365 * DAY, keys, roles }
}

fn sign<T: std::fmt::Debug>(document: &T, role: Role, names: &[&str]) -> Envelope {
    let signed = format!("{document:?}");
    let by =
        |name: &&str| Signature { key: key(name).id, sig: sig(&key(name).public, role, &signed) };
    Envelope { signatures: names.iter().map(by).collect(), signed }
}

/// What a registry holds, and which keys sign it.
#[derive(Clone, Debug)]
struct World {
    roots: Vec<(Root, Envelope)>,
    timestamp: Option<(Timestamp, Envelope)>,
    release: (Release, Envelope),
    hash: String,
}

impl World {
    fn new() -> Self {
        let first = root(1, &["root"], 1, &["release"], &["timestamp"]);
        let envelope = sign(&first, Role::Root, &["root"]);
        let mut world = Self {
            roots: vec![(first, envelope)],
            timestamp: None,
            release: (release(1), Envelope::default()),
            hash: String::new(),
        };
        world.publish(1, 1);
        world
    }

    fn publish(&mut self, version: u64, timestamp: u64) {
        self.publish_by(version, timestamp, ["release", "timestamp"]);
    }

    fn publish_by(&mut self, version: u64, timestamp: u64, by: [&str; 2]) {
        let document = release(version);
        self.replace(document, &by[..1]);
        self.stamp(timestamp, NOW + 7 * DAY, &by[1..]);
    }

    fn replace(&mut self, document: Release, by: &[&str]) {
        let envelope = sign(&document, Role::Release, by);
        self.hash = digits(&envelope.signed, 64);
        self.release = (document, envelope);
    }

    fn stamp(&mut self, version: u64, expires: i64, by: &[&str]) {
        let release = Named { version: self.release.0.version, hash: self.hash.clone() };
        let document = Timestamp { version, expires, release };
        let envelope = sign(&document, Role::Timestamp, by);
        self.timestamp = Some((document, envelope));
    }

    fn rotate(&mut self, root: Root, by: &[&str]) {
        let envelope = sign(&root, Role::Root, by);
        self.roots.push((root, envelope));
    }
}

fn release(version: u64) -> Release {
    let section = SectionRef { kind: "ids".into(), shard: 0, hash: digits("ids", 64), bytes: 16 };
    let model = ModelRef { version, share: None, sections: vec![section], deltas: vec![] };
    Release { version, created_at: NOW, expires: Some(NOW + 90 * DAY), models: vec![model] }
}

fn fresh() -> Trust {
    Trust::new(&key("root").public).unwrap()
}

/// What a device that was shown a world says.
fn at(trust: &mut Trust, world: &World, now: i64) -> Result<(), TrustError> {
    let roots: Vec<Signed<'_, Root>> =
        world.roots.iter().map(|(document, envelope)| Signed { document, envelope }).collect();
    let timestamp = world.timestamp.as_ref();
    let shown = Shown {
        roots: &roots,
        timestamp: timestamp.map(|(document, envelope)| Signed { document, envelope }),
        release: Signed { document: &world.release.0, envelope: &world.release.1 },
        hash: &world.hash,
    };
    let before = trust.clone();
    let answers: Vec<bool> = before
        .questions(&shown)
        .into_iter()
        .map(|question| question.sig == sig(question.public, question.role, question.signed))
        .collect();
    let said = trust.advance(&shown, &answers, now);
    if let Err(error) = &said {
        // What was believed of releases stays, but for what a root made forget.
        assert!([0, before.release].contains(&trust.release), "{error}");
        assert!(trust.root_version() >= before.root_version());
    }
    said
}

/// How many signatures are to be verified.
fn asked(trust: &Trust, world: &World) -> usize {
    let (document, envelope) = world.timestamp.as_ref().unwrap();
    let shown = Shown {
        roots: &[],
        timestamp: Some(Signed { document, envelope }),
        release: Signed { document: &world.release.0, envelope: &world.release.1 },
        hash: &world.hash,
    };
    trust.questions(&shown).len()
}

fn now(trust: &mut Trust, world: &World) -> Result<(), TrustError> {
    at(trust, world, NOW)
}

/// A device that believes the first release.
fn believing() -> (World, Trust) {
    let (world, mut trust) = (World::new(), fresh());
    now(&mut trust, &world).unwrap();
    (world, trust)
}

fn refused(trust: &mut Trust, world: &World) -> TrustError {
    let before = trust.clone();
    let error = now(trust, world).unwrap_err();
    assert_eq!(*trust, before, "{error}");
    error
}

fn too_few(role: Role, version: u64) -> TrustError {
    TrustError::Signatures { role, version, found: 0, threshold: 1 }
}

#[test]
fn what_is_signed_is_believed_and_what_follows_it_too() {
    let (mut world, mut trust) = believing();
    assert_eq!((trust.root_version(), trust.timestamp, trust.release), (1, 1, 1));
    now(&mut trust, &world).unwrap();
    world.publish(2, 2);
    now(&mut trust, &world).unwrap();
    world.stamp(9, NOW + 8 * DAY, &["timestamp"]);
    now(&mut trust, &world).unwrap();
    assert_eq!((trust.timestamp, trust.release, &trust.hash), (9, 2, &world.hash));
}

#[test]
fn arbitrary_install_is_refused_whichever_signature_is_not_there() {
    for role in Role::ALL {
        let (mut world, mut trust) = (World::new(), fresh());
        let envelope = match role {
            Role::Root => &mut world.roots[0].1,
            Role::Release => &mut world.release.1,
            Role::Timestamp => &mut world.timestamp.as_mut().unwrap().1,
        };
        envelope.signatures.clear();
        let error = now(&mut trust, &world).unwrap_err();
        let anchor = (role == Role::Root).then_some(TrustError::Anchor);
        assert_eq!(error, anchor.unwrap_or(too_few(role, 1)));
        assert_eq!(trust.release, 0);
    }
}

#[test]
fn a_text_that_was_changed_after_it_was_signed_is_refused() {
    let (mut world, mut trust) = believing();
    world.publish(2, 2);
    let mut other = release(2);
    other.models[0].sections[0].hash = digits("malice", 64);
    world.release.1.signed = format!("{other:?}");
    world.release.0 = other;
    world.hash = digits(&world.release.1.signed, 64);
    assert_eq!(refused(&mut trust, &world), TrustError::Mixed);
    // And where who sends it stole the timestamp's key too.
    world.stamp(3, NOW + DAY, &["timestamp"]);
    assert_eq!(refused(&mut trust, &world), too_few(Role::Release, 2));
}

#[test]
fn a_manifest_without_signatures_is_none_for_a_device_with_a_key() {
    let (mut world, mut trust) = believing();
    world.timestamp = None;
    assert_eq!(refused(&mut trust, &world), TrustError::Unsigned);
    world.roots.clear();
    assert_eq!(refused(&mut fresh(), &world), TrustError::NoRoot);
}

#[test]
fn endless_data_is_refused_by_limits_before_anything_is_believed() {
    let (world, mut trust) = believing();
    let mut long = world.clone();
    long.release.1.signed = " ".repeat(MAX_BYTES + 1);
    assert!(matches!(refused(&mut trust, &long), TrustError::Manifest(ManifestError::Bytes(_))));
    let mut many = world.clone();
    let envelope = &mut many.release.1;
    envelope.signatures = envelope.signatures.iter().cycle().take(33).cloned().collect();
    assert_eq!(refused(&mut trust, &many), ManifestError::Signatures(33).into());
    assert!(asked(&trust, &many) <= 33, "no more is to be verified than may be");
    let mut deep = world.clone();
    deep.roots = deep.roots.iter().cycle().take(MAX_ROOTS + 1).cloned().collect();
    assert_eq!(refused(&mut trust, &deep), TrustError::Roots(MAX_ROOTS + 1));
    let mut wide = world;
    wide.release.0.models = vec![wide.release.0.models[0].clone(); 3];
    assert_eq!(refused(&mut trust, &wide), ManifestError::Models(3).into());
}

#[test]
fn rollback_of_the_timestamp_or_of_the_release_is_refused() {
    let (first, mut trust) = believing();
    let mut world = first.clone();
    world.publish(5, 5);
    now(&mut trust, &world).unwrap();
    let rollback = |role, found| TrustError::Rollback { role, found, seen: 5 };
    assert_eq!(refused(&mut trust, &first), rollback(Role::Timestamp, 1));
    // An older release under a new timestamp, as of who has that key alone.
    let mut older = first;
    older.stamp(6, NOW + DAY, &["timestamp"]);
    assert_eq!(refused(&mut trust, &older), rollback(Role::Release, 1));
    // Another release of the same version, as of who has both.
    let mut other = release(5);
    other.created_at += 1;
    world.replace(other, &["release"]);
    world.stamp(6, NOW + DAY, &["timestamp"]);
    assert_eq!(refused(&mut trust, &world), TrustError::Twice(5));
}

#[test]
fn freeze_is_noticed_once_the_timestamp_has_expired() {
    let (world, mut trust) = believing();
    at(&mut trust, &world, NOW + 7 * DAY - 1).unwrap();
    let error = at(&mut trust, &world, NOW + 9 * DAY).unwrap_err();
    assert_eq!(error, TrustError::Expired { role: Role::Timestamp, days: 2 });
    assert!(error.message().contains("check the clock"), "{error}");
}

#[test]
fn a_release_and_a_root_expire_too() {
    let (mut world, mut trust) = believing();
    world.stamp(2, NOW + 1000 * DAY, &["timestamp"]);
    let error = at(&mut trust, &world, NOW + 90 * DAY).unwrap_err();
    assert_eq!(error, TrustError::Expired { role: Role::Release, days: 0 });
    let error = at(&mut trust, &world, NOW + 365 * DAY).unwrap_err();
    assert_eq!(error, TrustError::Expired { role: Role::Root, days: 0 });
    // That an earlier root has expired is no matter where a later one has not.
    let mut later = root(2, &["root"], 1, &["release"], &["timestamp"]);
    later.expires = NOW + 2000 * DAY;
    world.rotate(later, &["root"]);
    let mut all = release(2);
    all.expires = None;
    world.replace(all, &["release"]);
    world.stamp(3, NOW + 1000 * DAY, &["timestamp"]);
    at(&mut trust, &world, NOW + 400 * DAY).unwrap();
}

#[test]
fn a_clock_that_is_a_year_ahead_changes_nothing_and_one_a_year_behind_lets_nothing_older_in() {
    let (first, mut trust) = believing();
    let mut world = first.clone();
    world.publish(2, 2);
    let before = trust.clone();
    assert!(matches!(
        at(&mut trust, &world, NOW + 365 * DAY).unwrap_err(),
        TrustError::Expired { .. }
    ));
    assert_eq!(trust, before);
    at(&mut trust, &world, NOW - 365 * DAY).unwrap();
    assert!(matches!(
        at(&mut trust, &first, NOW - 365 * DAY).unwrap_err(),
        TrustError::Rollback { .. }
    ));
    for clock in [i64::MIN, i64::MAX] {
        let _ = at(&mut trust, &world, clock);
    }
}

#[test]
fn mix_and_match_of_sound_documents_is_refused() {
    let (first, mut trust) = believing();
    let mut second = first.clone();
    second.publish(2, 2);
    let mut mixed = second.clone();
    mixed.release = first.release.clone();
    mixed.hash.clone_from(&first.hash);
    assert_eq!(refused(&mut trust, &mixed), TrustError::Mixed);
    let mut mixed = first;
    mixed.release = second.release;
    mixed.hash = second.hash;
    assert_eq!(refused(&mut trust, &mixed), TrustError::Mixed);
}

#[test]
fn a_malicious_mirror_with_keys_of_its_own_is_believed_in_nothing() {
    let (_, mut trust) = believing();
    let mut mirror = World::new();
    let own = root(1, &["mirror"], 1, &["mirror"], &["mirror"]);
    let envelope = sign(&own, Role::Root, &["mirror"]);
    mirror.roots = vec![(own, envelope)];
    mirror.publish_by(9, 9, ["mirror", "mirror"]);
    assert_eq!(refused(&mut fresh(), &mirror), TrustError::Anchor);
    assert_eq!(refused(&mut trust, &mirror), too_few(Role::Timestamp, 9));
    let next = root(2, &["mirror"], 1, &["mirror"], &["mirror"]);
    mirror.rotate(next, &["mirror"]);
    assert_eq!(refused(&mut trust, &mirror), too_few(Role::Root, 2));
}

#[test]
fn the_anchor_must_be_one_of_the_first_roots_own_keys() {
    let mut world = World::new();
    let first = root(1, &["other"], 1, &["release", "root"], &["timestamp"]);
    let envelope = sign(&first, Role::Root, &["root", "other"]);
    world.roots = vec![(first, envelope)];
    assert_eq!(refused(&mut fresh(), &world), TrustError::Anchor);
    assert_eq!(Trust::new("a key that is none"), None);
    assert_eq!(Trust::new(&digits("upper", 64).to_uppercase()), None);
}

#[test]
fn a_key_of_another_role_signs_nothing() {
    for by in [["timestamp", "timestamp"], ["release", "release"], ["root", "root"]] {
        let (mut world, mut trust) = believing();
        world.publish_by(2, 2, by);
        assert!(matches!(refused(&mut trust, &world), TrustError::Signatures { found: 0, .. }));
    }
    // Nor does a signature of one role's document count as one of another's, though the key has both.
    let mut world = World::new();
    let first = root(1, &["root"], 1, &["both"], &["both"]);
    let envelope = sign(&first, Role::Root, &["root"]);
    world.roots = vec![(first, envelope)];
    world.publish_by(1, 1, ["both", "both"]);
    let mut trust = fresh();
    world.release.1 = sign(&world.release.0, Role::Timestamp, &["both"]);
    assert_eq!(now(&mut trust, &world).unwrap_err(), too_few(Role::Release, 1));
}

/// A root whose role takes two of three keys.
fn of_three() -> World {
    let mut world = World::new();
    let mut first = root(1, &["root", "b", "c"], 2, &["release", "d", "e"], &["timestamp"]);
    first.roles.release.threshold = 2;
    let envelope = sign(&first, Role::Root, &["root", "b"]);
    world.roots = vec![(first, envelope)];
    world.replace(release(1), &["release", "e"]);
    world.stamp(1, NOW + DAY, &["timestamp"]);
    world
}

#[test]
fn fewer_keys_than_the_threshold_sign_nothing_however_often() {
    let world = of_three();
    now(&mut fresh(), &world).unwrap();
    for by in [vec!["release"], vec!["release"; 4], vec!["release", "root"], vec!["stranger", "e"]]
    {
        let mut world = world.clone();
        world.replace(release(1), &by);
        world.stamp(1, NOW + DAY, &["timestamp"]);
        let few =
            TrustError::Signatures { role: Role::Release, version: 1, found: 1, threshold: 2 };
        assert_eq!(now(&mut fresh(), &world).unwrap_err(), few, "{by:?}");
    }
    for by in [vec!["root"], vec!["root"; 3]] {
        let mut world = world.clone();
        world.roots[0].1 = sign(&world.roots[0].0, Role::Root, &by);
        assert!(matches!(
            refused(&mut fresh(), &world),
            TrustError::Signatures { role: Role::Root, found: 1, threshold: 2, .. }
        ));
    }
}

#[test]
fn a_signature_that_does_not_verify_is_as_good_as_none() {
    let mut world = of_three();
    world.release.1.signatures[0].sig = "A".repeat(88);
    let few = TrustError::Signatures { role: Role::Release, version: 1, found: 1, threshold: 2 };
    assert_eq!(now(&mut fresh(), &world).unwrap_err(), few);
    // Beside sound ones it does no harm.
    let stray = Signature { key: key("d").id, sig: "A".repeat(88) };
    let mut world = of_three();
    world.release.1.signatures.insert(0, stray);
    now(&mut fresh(), &world).unwrap();
}

#[test]
fn a_compromised_key_is_revoked_by_the_next_root() {
    let (mut world, mut trust) = believing();
    world.rotate(root(2, &["root"], 1, &["release2"], &["timestamp"]), &["root"]);
    world.publish_by(2, 2, ["release2", "timestamp"]);
    now(&mut trust, &world).unwrap();
    assert_eq!((trust.root_version(), trust.release), (2, 2));
    world.publish_by(3, 3, ["release", "timestamp"]);
    assert_eq!(refused(&mut trust, &world), too_few(Role::Release, 3));
    // Nor does it help to leave the new root out.
    world.roots.pop();
    assert_eq!(refused(&mut trust, &world), too_few(Role::Release, 3));
}

#[test]
fn a_revoked_key_stays_revoked_though_what_came_with_the_root_was_refused() {
    let (mut world, mut trust) = believing();
    let attacked = {
        let mut attacked = world.clone();
        attacked.publish_by(3, 3, ["release", "timestamp"]);
        attacked
    };
    world.rotate(root(2, &["root"], 1, &["release2"], &["timestamp2"]), &["root"]);
    assert_eq!(now(&mut trust, &world).unwrap_err(), too_few(Role::Timestamp, 1));
    assert_eq!(trust.root_version(), 2);
    assert_eq!(refused(&mut trust, &attacked), too_few(Role::Timestamp, 3));
}

#[test]
fn a_root_is_signed_by_the_one_before_and_by_itself() {
    let next = || root(2, &["new"], 1, &["release"], &["timestamp"]);
    for (by, sound) in [(&["root", "new"][..], true), (&["root"], false), (&["new"], false)] {
        let (mut world, mut trust) = believing();
        world.rotate(next(), by);
        assert_eq!(now(&mut trust, &world).is_ok(), sound, "{by:?}");
    }
    // Who was away goes through all of them.
    let mut world = World::new();
    world.rotate(next(), &["root", "new"]);
    world.rotate(root(3, &["newer"], 1, &["release"], &["timestamp"]), &["new", "newer"]);
    let mut trust = fresh();
    now(&mut trust, &world).unwrap();
    assert_eq!(trust.root_version(), 3);
    // And cannot leave one out.
    let mut gap = world.clone();
    gap.roots.remove(1);
    assert_eq!(now(&mut fresh(), &gap).unwrap_err(), TrustError::Gap { lacking: 2, found: 3 });
    gap.roots.remove(0);
    assert_eq!(refused(&mut fresh(), &gap), TrustError::Gap { lacking: 1, found: 3 });
}

#[test]
fn a_root_may_give_a_name_to_another_key_without_believing_the_old_one() {
    let (mut world, mut trust) = believing();
    let mut next = root(2, &["root"], 1, &["release"], &["timestamp"]);
    // The name stays, the key is the attacker's: a signature by the old key is none of the new root.
    let at = next.keys.iter().position(|found| found.id == key("root").id).unwrap();
    next.keys[at].public = key("attacker").public;
    world.rotate(next, &["root"]);
    assert_eq!(refused(&mut trust, &world), too_few(Role::Root, 2));
}

#[test]
fn fast_forward_is_recovered_from_by_a_root_that_drops_the_key() {
    // Whoever had both keys signed the last versions that there can be.
    let (mut world, mut trust) = believing();
    world.publish(MAX_VERSION, MAX_VERSION);
    now(&mut trust, &world).unwrap();
    world.publish(2, 2);
    assert!(matches!(refused(&mut trust, &world), TrustError::Rollback { .. }));
    world.rotate(root(2, &["root"], 1, &["release2"], &["timestamp2"]), &["root"]);
    world.publish_by(2, 1, ["release2", "timestamp2"]);
    now(&mut trust, &world).unwrap();
    assert_eq!((trust.timestamp, trust.release), (1, 2));
}

#[test]
fn forgetting_goes_no_further_than_the_key_that_was_dropped() {
    let seen = |release: &[&str], timestamp: &[&str]| {
        let (mut world, mut trust) = believing();
        world.publish(5, 5);
        now(&mut trust, &world).unwrap();
        world.rotate(root(2, &["root"], 1, release, timestamp), &["root"]);
        world.timestamp = None;
        now(&mut trust, &world).unwrap_err();
        (trust.timestamp, trust.release)
    };
    assert_eq!(seen(&["release"], &["timestamp"]), (5, 5));
    assert_eq!(seen(&["release", "more"], &["timestamp", "more"]), (5, 5));
    assert_eq!(seen(&["release2"], &["timestamp"]), (5, 0));
    assert_eq!(seen(&["release"], &["timestamp2"]), (0, 0));
}

#[test]
fn a_root_that_breaks_a_rule_is_refused() {
    type Rule = fn(&mut Root);
    let rules: [(Rule, &str); 9] = [
        (|root| root.version = 0, "count from 1"),
        (|root| root.keys.clear(), "no keys"),
        (|root| root.keys = vec![root.keys[0].clone(); 33], "no keys, or too many"),
        (|root| root.keys[0].public.pop().map_or((), drop), "hexadecimal"),
        (|root| root.keys[0].id = "../../../../etc/".into(), "hexadecimal"),
        (|root| root.keys[1].public = root.keys[0].public.clone(), "twice"),
        (|root| root.roles.release.keys[0] = key("stranger").id, "not there"),
        (|root| root.roles.timestamp.threshold = 0, "takes no keys"),
        (|root| root.roles.root.threshold = 2, "more than it has"),
    ];
    for (rule, says) in rules {
        let mut broken = root(1, &["root"], 1, &["release"], &["timestamp"]);
        rule(&mut broken);
        let error = broken.validate().unwrap_err();
        assert!(error.message().contains(says), "{error}");
        let mut world = World::new();
        let envelope = sign(&broken, Role::Root, &["root"]);
        world.roots = vec![(broken, envelope)];
        assert!(matches!(refused(&mut fresh(), &world), TrustError::Root { .. }));
    }
}

#[test]
fn every_refusal_says_what_where_and_what_to_do() {
    let role = Role::Timestamp;
    for (error, says) in [
        (TrustError::Roots(65), "65 roots at a time; expected at most 64"),
        (TrustError::NoRoot, "publish with keys"),
        (TrustError::Unsigned, "not signed"),
        (TrustError::Gap { lacking: 2, found: 3 }, "root 2 is lacking before root 3"),
        (TrustError::Anchor, "check that it is this registry's"),
        (too_few(role, 7), "timestamp 7 has valid signatures of 0 of its keys; it takes 1"),
        (TrustError::Expired { role, days: 3 }, "the timestamp expired 3 days ago"),
        (TrustError::Rollback { role, found: 2, seen: 3 }, "version 2, and version 3 was here"),
        (TrustError::Mixed, "not the one that the timestamp names"),
        (TrustError::Twice(4), "two releases of version 4"),
    ] {
        assert!(error.to_string().contains(says), "{error}");
    }
}

proptest! {
    /// Whatever is answered to the questions, nothing is believed without enough of them.
    #[test]
    fn no_answers_make_an_unsigned_release_believed(
        answers in proptest::collection::vec(any::<bool>(), 0..12),
        strip in 0_usize..3,
    ) {
        let mut world = of_three();
        match strip {
            0 => world.roots[0].1.signatures.truncate(1),
            1 => world.release.1.signatures.truncate(1),
            _ => world.timestamp.as_mut().unwrap().1.signatures.clear(),
        }
        let roots: Vec<Signed<'_, Root>> =
            world.roots.iter().map(|(document, envelope)| Signed { document, envelope }).collect();
        let (document, envelope) = world.timestamp.as_ref().unwrap();
        let shown = Shown {
            roots: &roots,
            timestamp: Some(Signed { document, envelope }),
            release: Signed { document: &world.release.0, envelope: &world.release.1 },
            hash: &world.hash,
        };
        let mut trust = fresh();
        prop_assert!(trust.advance(&shown, &answers, NOW).is_err());
        prop_assert_eq!(trust.release, 0);
    }
}
