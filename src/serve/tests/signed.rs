//! A registry that is signed: what devices believe, and what publishers build upon.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use segue_core::{
    manifest::{Envelope, Manifest},
    trust::{Role, Root, Timestamp, TrustError},
};
use segue_serve::{
    keys::{Change, Keys, KeysError, key_id, public_key},
    registry::{Options, RegistryError},
};
use std::{fs, path::Path};
use support::{
    NOW, at,
    signed::{DAY, Signed, evolving},
    tamper,
};

fn refusal(error: RegistryError) -> TrustError {
    match error {
        RegistryError::Distrusted { source, .. } => source,
        error => panic!("{error}"),
    }
}

fn manifest(signed: &Signed) -> Manifest {
    serde_json::from_slice(&fs::read(signed.file("manifest")).unwrap()).unwrap()
}

fn put(signed: &Signed, manifest: &Manifest) {
    fs::write(signed.file("manifest"), serde_json::to_vec(manifest).unwrap()).unwrap();
}

#[test]
fn a_device_with_the_public_key_believes_what_was_published_with_the_keys() {
    let signed = Signed::published();
    let trust = signed.registry.believe(&signed.anchor(), NOW).unwrap();
    assert_eq!((trust.root_version(), trust.timestamp, trust.release), (1, 1, 1));
    signed.publish(&evolving(1), 1);
    let trust = signed.registry.believe(&signed.anchor(), NOW + DAY).unwrap();
    assert_eq!((trust.timestamp, trust.release), (2, 2));
    let found = signed.registry.in_force().unwrap().unwrap();
    let [release, timestamp] = signed.registry.signed_by(&found);
    assert_eq!((release.len(), timestamp.len()), (1, 1));
    assert_ne!(release, timestamp);
    assert_eq!(found.release.expires, Some(NOW + 366 * DAY));
}

#[test]
fn a_device_with_another_key_or_after_the_time_does_not() {
    let signed = Signed::published();
    let other = Signed::new();
    let refused = signed.registry.believe(&other.anchor(), NOW).unwrap_err();
    assert_eq!(refusal(refused), TrustError::Anchor);
    let late = signed.registry.believe(&signed.anchor(), NOW + 8 * DAY).unwrap_err();
    assert_eq!(refusal(late), TrustError::Expired { role: Role::Timestamp, days: 1 });
    signed.registry.refresh(&signed.on(7)).unwrap();
    signed.registry.believe(&signed.anchor(), NOW + 8 * DAY).unwrap();
}

#[test]
fn every_bit_that_is_signed_counts() {
    let signed = Signed::published();
    let whole = manifest(&signed);
    let spoilt: [fn(&mut Manifest); 4] = [
        |manifest| manifest.release.signed.push(' '),
        |manifest| manifest.timestamp.as_mut().unwrap().signed.push(' '),
        |manifest| manifest.release.signatures[0].sig = "A".repeat(88),
        |manifest| manifest.release.signatures.clear(),
    ];
    for spoil in spoilt {
        let mut manifest = whole.clone();
        spoil(&mut manifest);
        put(&signed, &manifest);
        refusal(signed.registry.believe(&signed.anchor(), NOW).unwrap_err());
        // Nor is it signed again.
        let refused = signed.registry.publish(&evolving(1), &signed.on(0)).unwrap_err();
        refusal(refused);
        refusal(signed.registry.refresh(&signed.on(0)).unwrap_err());
    }
    put(&signed, &whole);
    signed.publish(&evolving(1), 0);
}

#[test]
fn a_signed_registry_is_not_published_to_without_keys_or_with_those_of_others() {
    let signed = Signed::published();
    let error = signed.registry.publish(&evolving(1), &at(NOW)).unwrap_err();
    assert!(error.to_string().contains("pass --keys"), "{error}");
    let others = Signed::new();
    let options = Options { keys: Some(&others.keys), ..at(NOW) };
    let error = signed.registry.publish(&evolving(1), &options).unwrap_err();
    assert!(matches!(error, RegistryError::OtherKeys { root: 1, .. }), "{error}");
    assert_eq!(signed.registry.release().unwrap().unwrap().version, 1);
}

#[test]
fn what_is_not_signed_is_taken_over_by_a_publication_that_builds_upon_nothing_of_it() {
    let signed = Signed::new();
    for generation in 0..3 {
        signed.registry.publish(&evolving(generation), &at(NOW)).unwrap();
    }
    let error = signed.registry.roll_back(None, &signed.on(0)).unwrap_err();
    assert!(error.to_string().contains("not signed"), "{error}");
    assert!(signed.registry.refresh(&signed.on(0)).is_err());
    // The same model: it is what was unsigned that counts for nothing.
    let published = signed.registry.publish(&evolving(2), &signed.on(0)).unwrap();
    assert_eq!((published.version, published.changed, published.deltas), (4, true, 0));
    signed.registry.believe(&signed.anchor(), NOW).unwrap();
    // And a past that nobody signed is none to go back to.
    let error = signed.registry.roll_back(Some(2), &signed.on(0)).unwrap_err();
    assert!(matches!(error, RegistryError::NoEarlier { to: Some(2), .. }), "{error}");
}

#[test]
fn an_interruption_anywhere_leaves_the_old_release_believed_and_is_made_good() {
    let names = |signed: &Signed| -> Vec<String> {
        let all = ["blob", "release", "root"].iter().flat_map(|folder| {
            fs::read_dir(signed.file(folder)).unwrap().map(move |entry| {
                format!("{folder}/{}", entry.unwrap().file_name().into_string().unwrap())
            })
        });
        all.collect()
    };
    let rotated = |signed: &mut Signed| {
        let change = Change { role: Role::Release, publics: &[], add: false, threshold: None };
        signed.keys.rotate(Some(&change), NOW + 730 * DAY).unwrap();
    };
    let steps: Vec<String> = {
        let mut signed = Signed::published();
        let before = names(&signed);
        rotated(&mut signed);
        signed.publish(&evolving(1), 1);
        let new = names(&signed).into_iter().filter(|name| !before.contains(name));
        new.chain(["manifest".into()]).collect()
    };
    assert!(steps.contains(&"root/2".into()) && steps.contains(&"release/2".into()), "{steps:?}");
    for step in steps {
        let mut signed = Signed::published();
        rotated(&mut signed);
        let obstacle = signed.file(&format!("{step}.tmp"));
        fs::create_dir(&obstacle).unwrap();
        assert!(signed.registry.publish(&evolving(1), &signed.on(1)).is_err(), "{step}");
        let trust = signed.registry.believe(&signed.anchor(), NOW + DAY).unwrap();
        assert_eq!((trust.release, trust.root_version()), (1, 1), "{step}");
        signed.registry.verify().unwrap();

        fs::remove_dir(&obstacle).unwrap();
        signed.publish(&evolving(1), 1);
        let trust = signed.registry.believe(&signed.anchor(), NOW + DAY).unwrap();
        assert_eq!((trust.release, trust.root_version()), (2, 2), "{step}");
        signed.registry.verify().unwrap();
    }
}

#[test]
fn the_timestamp_is_signed_anew_once_half_of_its_time_is_over() {
    let signed = Signed::published();
    assert!(!signed.registry.refresh_if_due(&signed.on(3)).unwrap());
    assert!(signed.registry.refresh_if_due(&signed.on(4)).unwrap());
    assert!(!signed.registry.refresh_if_due(&signed.on(4)).unwrap());
    let found = signed.registry.in_force().unwrap().unwrap();
    let timestamp = found.timestamp.unwrap();
    assert_eq!(
        (timestamp.version, timestamp.expires, found.release.version),
        (2, NOW + 11 * DAY, 1)
    );
    // Publishing what is in force does so too.
    let published = signed.registry.publish(&evolving(0), &signed.on(9)).unwrap();
    assert!(!published.changed);
    signed.registry.believe(&signed.anchor(), NOW + 15 * DAY).unwrap();
}

#[test]
fn a_release_is_signed_anew_past_half_of_its_time() {
    let signed = Signed::published();
    let refreshed = signed.registry.refresh(&signed.on(180)).unwrap();
    assert_eq!((refreshed.release, refreshed.changed), (1, false));
    let refreshed = signed.registry.refresh(&signed.on(190)).unwrap();
    assert_eq!((refreshed.release, refreshed.version, refreshed.changed), (2, 1, true));
    signed.registry.believe(&signed.anchor(), NOW + 196 * DAY).unwrap();
}

#[test]
fn where_the_timestamps_key_alone_is_the_timestamp_is_signed_anew() {
    let signed = Signed::published();
    let root = signed.keys.root().unwrap();
    for role in [Role::Root, Role::Release] {
        let id = &root.quorum(role).keys[0];
        fs::remove_file(signed.keys.dir().join(format!("{id}.secret"))).unwrap();
    }
    let keys = Keys::open(signed.keys.dir()).unwrap();
    let options = Options { keys: Some(&keys), ..signed.on(300) };
    let refreshed = signed.registry.refresh(&options).unwrap();
    assert_eq!((refreshed.release, refreshed.changed), (1, false));
    signed.registry.believe(&signed.anchor(), NOW + 305 * DAY).unwrap();
    let error = signed.registry.publish(&evolving(1), &options).unwrap_err();
    assert!(matches!(error, RegistryError::Keys(KeysError::TooFew { .. })), "{error}");
}

#[test]
fn rotated_keys_sign_from_then_on_and_devices_follow() {
    let mut signed = Signed::published();
    let mut trust = signed.registry.believe(&signed.anchor(), NOW).unwrap();
    for role in [Role::Timestamp, Role::Release, Role::Root] {
        let change = Change { role, publics: &[], add: false, threshold: None };
        let rooted = signed.keys.rotate(Some(&change), NOW + 730 * DAY).unwrap();
        assert!(rooted.complete);
        // The release goes on, signed by whom it is to be now.
        signed.registry.refresh(&signed.on(1)).unwrap();
        let believed = signed.registry.believe(&signed.anchor(), NOW + DAY).unwrap();
        assert_eq!(believed.root_version(), trust.root_version() + 1);
        trust = believed;
    }
    // Of four roots, all are where a device looks for them.
    assert!((1..=4).all(|version| signed.file(&format!("root/{version}")).is_file()));
    let again = Keys::open(signed.keys.dir()).unwrap();
    assert_eq!(again.roots().len(), 4);
    fs::remove_file(signed.file("root/2")).unwrap();
    let refused = signed.registry.believe(&signed.anchor(), NOW + DAY).unwrap_err();
    assert_eq!(refusal(refused), TrustError::Gap { lacking: 2, found: 3 });
}

#[test]
fn a_publisher_recovers_from_a_timestamp_that_was_wound_forward() {
    let mut signed = Signed::published();
    // As of whoever stole its key.
    let mut manifest = manifest(&signed);
    let mut stamped: Timestamp =
        serde_json::from_str(&manifest.timestamp.as_ref().unwrap().signed).unwrap();
    stamped.version = (1 << 53) - 1;
    let text = serde_json::to_string(&stamped).unwrap();
    manifest.timestamp = Some(signed.keys.sign(Role::Timestamp, text).unwrap());
    put(&signed, &manifest);
    let error = signed.registry.refresh(&signed.on(0)).unwrap_err();
    assert!(matches!(error, RegistryError::LastVersion(_)), "{error}");
    let change = Change { role: Role::Timestamp, publics: &[], add: false, threshold: None };
    signed.keys.rotate(Some(&change), NOW + 730 * DAY).unwrap();
    signed.registry.refresh(&signed.on(0)).unwrap();
    assert_eq!(signed.registry.believe(&signed.anchor(), NOW).unwrap().timestamp, 1);
}

#[test]
fn a_root_in_the_registry_is_never_replaced_by_another() {
    let signed = Signed::published();
    let others = Signed::new();
    fs::remove_file(signed.file("manifest")).unwrap();
    let options = Options { keys: Some(&others.keys), ..at(NOW) };
    let error = signed.registry.publish(&evolving(0), &options).unwrap_err();
    assert!(matches!(error, RegistryError::OtherRoot(_)), "{error}");
}

/// A folder of nothing but one secret, and its public key.
fn offline(folder: &Path, name: &str) -> (Keys, String) {
    let mut keys = Keys::empty(&folder.join(name)).unwrap();
    let public = keys.generate().unwrap();
    (keys, public)
}

#[test]
fn a_root_is_signed_offline_by_as_many_as_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let (first, a) = offline(folder.path(), "a");
    let (second, b) = offline(folder.path(), "b");
    let (_, c) = offline(folder.path(), "c");
    let dir = folder.path().join("keys");
    let (mut keys, rooted) = Keys::create(&dir, &[a.clone(), b, c], 2, NOW + 730 * DAY).unwrap();
    assert!(!rooted.complete && rooted.path.ends_with("root/next"));
    assert!(matches!(keys.root().unwrap_err(), KeysError::NoRoot(_)));
    let carried = folder.path().join("carried");
    fs::copy(&rooted.path, &carried).unwrap();
    assert_eq!(first.sign_root(&carried).unwrap().1, 1);
    assert_eq!(first.sign_root(&carried).unwrap().1, 1);
    let few = keys.import(&carried).unwrap_err();
    assert!(matches!(few, KeysError::Root { .. }), "{few}");
    assert_eq!(second.sign_root(&carried).unwrap().1, 2);
    assert!(keys.import(&carried).unwrap().complete);
    assert!(keys.import(&carried).is_err(), "it is there already");
    let stranger = offline(folder.path(), "d").0.sign_root(&carried).unwrap_err();
    assert!(matches!(stranger, KeysError::Stranger(_)), "{stranger}");

    let registry = segue_serve::registry::Registry::create(folder.path().join("registry")).unwrap();
    let options = Options { keys: Some(&keys), ..at(NOW) };
    registry.publish(&evolving(0), &options).unwrap();
    assert_eq!(registry.believe(&a, NOW).unwrap().release, 1);
}

#[test]
fn fewer_secrets_than_it_takes_sign_nothing() {
    let mut signed = Signed::published();
    let other = offline(signed.folder.path(), "other").1;
    let change = Change { role: Role::Release, publics: &[other], add: true, threshold: Some(2) };
    signed.keys.rotate(Some(&change), NOW + 730 * DAY).unwrap();
    let error = signed.registry.publish(&evolving(1), &signed.on(0)).unwrap_err();
    assert!(error.to_string().contains("1 of the secrets of role release; it takes 2"), "{error}");
    let too_many = Change { role: Role::Root, publics: &[], add: false, threshold: Some(2) };
    let error = signed.keys.rotate(Some(&too_many), NOW).unwrap_err();
    assert!(matches!(error, KeysError::Threshold { keys: 1, threshold: 2, .. }), "{error}");
}

#[test]
fn secrets_are_their_owners_alone_and_never_in_a_registry() {
    let signed = Signed::published();
    for dir in [signed.file("keys"), signed.file("blob/deep/keys"), signed.registry.dir().into()] {
        for error in [
            Keys::empty(&dir).unwrap_err(),
            Keys::create(&dir, &[], 1, NOW).map(|_| ()).unwrap_err(),
        ] {
            assert!(matches!(error, KeysError::InRegistry { .. }), "{error}");
        }
        assert!(!signed.file("keys").exists());
    }
    let again = Keys::create(signed.keys.dir(), &[], 1, NOW).map(|_| ()).unwrap_err();
    assert!(matches!(again, KeysError::Exists(_)), "{again}");
    let secrets: Vec<_> = fs::read_dir(signed.keys.dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == "secret"))
        .collect();
    assert_eq!(secrets.len(), 3);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for secret in &secrets {
            assert_eq!(fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::set_permissions(&secrets[0], fs::Permissions::from_mode(0o644)).unwrap();
        let error = Keys::open(signed.keys.dir()).unwrap_err();
        assert!(matches!(error, KeysError::Open(_)), "{error}");
        fs::set_permissions(&secrets[0], fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::write(&secrets[0], "no key").unwrap();
    let error = Keys::open(signed.keys.dir()).unwrap_err();
    assert!(error.to_string().contains(secrets[0].to_str().unwrap()), "{error}");
    let holds = |name: &str| {
        let file = fs::read(signed.file(name)).unwrap();
        let secret = fs::read_to_string(&secrets[1]).unwrap();
        String::from_utf8_lossy(&file).contains(secret.trim())
    };
    assert!(!holds("manifest") && !holds("root/1") && !holds("release/1"));
}

#[test]
fn a_folder_of_keys_whose_roots_do_not_follow_is_refused() {
    let mut signed = Signed::published();
    signed.keys.rotate(None, NOW + 800 * DAY).unwrap();
    let path = signed.keys.dir().join("root/2");
    let mut envelope: Envelope = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mut root: Root = serde_json::from_str(&envelope.signed).unwrap();
    root.expires += 1;
    envelope.signed = serde_json::to_string(&root).unwrap();
    fs::write(&path, serde_json::to_vec(&envelope).unwrap()).unwrap();
    let error = Keys::open(signed.keys.dir()).unwrap_err();
    assert!(matches!(error, KeysError::Root { .. }), "{error}");
    assert!(error.to_string().contains("root/2"), "{error}");
    tamper(&path);
    assert!(Keys::open(signed.keys.dir()).is_err());
}

#[test]
fn a_public_key_is_read_from_hexadecimal_digits_and_from_base64() {
    // Of RFC 8032, section 7.1, test 1.
    let hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let base64 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    assert_eq!(public_key(hex).as_deref(), Some(hex));
    assert_eq!(public_key(&hex.to_uppercase()).as_deref(), Some(hex));
    assert_eq!(public_key(base64).as_deref(), Some(hex));
    assert_eq!(key_id(hex).unwrap(), "21fe31dfa154a261");
    // The last is a key under which anything is signed.
    let weak = format!("01{}", "0".repeat(62));
    for none in ["", "d75a", &"0".repeat(63), &"z".repeat(64), &weak] {
        assert_eq!(public_key(none), None, "{none}");
    }
}
