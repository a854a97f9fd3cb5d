//! The registry: whole versions, whatever interrupts or damages it.
#![allow(clippy::expect_used, reason = "a test may panic")]

mod support;

use segue_core::{
    manifest::{Envelope, FORMAT, MAX_VERSION, Manifest, ModelRef, Release},
    model::{Model, SectionKind},
};
use segue_serve::registry::{BlobHash, Encoding, Registry, RegistryError};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use support::{
    NOW, at, blob_path, empty_registry, hash, model, registry, section, tamper, with_suffix,
};

/// Names of the files in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("folder");
    entries.map(|e| e.expect("entry").file_name().into_string().expect("UTF-8")).collect()
}

/// Writes a manifest that puts `release` into force, as nobody signed it.
fn put(registry: &Registry, release: &Release) {
    let signed = serde_json::to_string(release).expect("JSON");
    let release = Envelope { signed, signatures: Vec::new() };
    let manifest = Manifest { format: FORMAT, root: None, release, timestamp: None };
    let json = serde_json::to_vec(&manifest).expect("JSON");
    fs::write(registry.dir().join("manifest"), json).expect("written");
}

fn edit_release(registry: &Registry, edit: impl FnOnce(&mut Release)) {
    let mut release = registry.release().expect("readable").expect("published");
    edit(&mut release);
    put(registry, &release);
}

fn edit_model(registry: &Registry, edit: impl FnOnce(&mut ModelRef)) {
    edit_release(registry, |release| edit(&mut release.models[0]));
}

/// What an error and its causes say.
fn text(error: &RegistryError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {cause}")
}

#[test]
fn a_published_model_is_read_back_bit_for_bit() {
    let (_folder, registry) = empty_registry();
    let model = model(1);
    let published = registry.publish(&model, &at(NOW)).unwrap();
    assert_eq!((published.version, published.changed), (1, true));
    assert_eq!((published.sections, published.sections_new), (5, 5));
    assert_eq!(registry.load().unwrap().1.to_file(), model.to_file());

    let release = registry.verify().unwrap();
    assert_eq!((release.version, release.created_at, release.expires), (1, NOW, None));
    let sections = &release.models[0].sections;
    let bytes: u64 = sections.iter().map(|section| section.bytes).sum();
    assert_eq!(published.bytes, bytes);
    let named: Vec<&str> = sections.iter().map(|section| section.kind.as_str()).collect();
    assert_eq!(named, ["ids", "factors", "taste", "clusters", "text"]);
}

#[test]
fn publishing_the_model_in_force_changes_no_file_and_says_so() {
    let (_folder, registry) = registry();
    let before = fs::read(registry.dir().join("manifest")).unwrap();
    let files = names(&registry.dir().join("blob"));
    let published = registry.publish(&model(1), &at(NOW + 1)).unwrap();
    assert_eq!((published.version, published.changed, published.sections_new), (1, false, 0));
    assert_eq!(fs::read(registry.dir().join("manifest")).unwrap(), before);
    assert_eq!(names(&registry.dir().join("blob")), files);
}

#[test]
fn another_model_is_the_next_version_and_shares_the_blobs_that_did_not_change() {
    let (_folder, registry) = registry();
    let published = registry.publish(&model(2), &at(NOW + 1)).unwrap();
    assert_eq!((published.version, published.changed, published.sections_new), (2, true, 2));
    assert_eq!(registry.load().unwrap().1.to_file(), model(2).to_file());

    let back = registry.publish(&model(1), &at(NOW + 2)).unwrap();
    assert_eq!((back.version, back.changed, back.sections_new), (3, true, 0));
    assert_eq!(registry.load().unwrap().1.to_file(), model(1).to_file());
}

#[test]
fn codings_are_kept_where_they_save_and_only_there() {
    let (_folder, registry) = empty_registry();
    let model = model(1);
    let published = registry.publish(&model, &at(NOW)).unwrap();
    let text = section(&model, SectionKind::Text);
    let mut least = text.len();
    for encoding in Encoding::ALL {
        let coded = registry.coded(BlobHash::of(&text), encoding, &text).unwrap().expect("coded");
        assert!(coded.len() < text.len() / 2, "{encoding:?}: {} of {}", coded.len(), text.len());
        least = least.min(coded.len());

        let noise = section(&model, SectionKind::Factors);
        assert_eq!(registry.coded(BlobHash::of(&noise), encoding, &noise).unwrap(), None);
    }
    assert!(published.bytes_sent <= published.bytes - (text.len() - least) as u64);
}

#[test]
fn an_interruption_at_any_write_leaves_the_old_version_in_force_and_is_made_good() {
    let (old, new) = (model(1), model(2));
    let after = {
        let (_folder, registry) = registry();
        registry.publish(&new, &at(NOW)).unwrap();
        names(&registry.dir().join("blob"))
    };
    let steps = {
        let (_folder, registry) = registry();
        let blobs = names(&registry.dir().join("blob"));
        let written = after.difference(&blobs).map(|name| format!("blob/{name}"));
        let last = ["release/2".to_owned(), "manifest".to_owned()];
        written.chain(last).collect::<Vec<_>>()
    };
    assert!(steps.len() >= 3, "{steps:?}");

    for step in steps {
        let (_folder, registry) = registry();
        // A folder in the place of the partial file makes exactly this write fail.
        let obstacle = with_suffix(&registry.dir().join(&step), ".tmp");
        fs::create_dir(&obstacle).unwrap();
        let error = registry.publish(&new, &at(NOW)).unwrap_err();
        assert!(text(&error).contains(&*step), "{step}: {}", text(&error));
        assert_eq!(registry.verify().unwrap().version, 1, "{step}");
        assert_eq!(registry.load().unwrap().1.to_file(), old.to_file(), "{step}");

        fs::remove_dir(&obstacle).unwrap();
        assert_eq!(registry.publish(&new, &at(NOW)).unwrap().version, 2, "{step}");
        assert_eq!(registry.verify().unwrap().version, 2, "{step}");
        assert_eq!(registry.load().unwrap().1.to_file(), new.to_file(), "{step}");
    }
}

#[test]
fn what_an_interruption_left_behind_is_never_read_and_is_swept_away() {
    let (_folder, registry) = registry();
    let leftovers = [
        registry.dir().join("manifest.tmp"),
        registry.dir().join("release/2.tmp"),
        registry.dir().join("root/1.tmp"),
        with_suffix(&blob_path(&registry, SectionKind::Ids), ".tmp"),
        with_suffix(&blob_path(&registry, SectionKind::Text), ".br.tmp"),
    ];
    for leftover in &leftovers {
        fs::write(leftover, b"{\"format\": 1, \"ver").unwrap();
    }
    assert_eq!(registry.load().unwrap().1.to_file(), model(1).to_file());
    registry.publish(&model(2), &at(NOW)).unwrap();
    assert!(leftovers.iter().all(|leftover| !leftover.exists()));
    assert_eq!(registry.verify().unwrap().version, 2);
}

#[test]
fn files_of_others_in_the_folder_of_a_registry_stay() {
    let (_folder, registry) = registry();
    let others = ["notes.tmp", "blob/notes.tmp", "manifest.old.tmp"];
    let others = others.map(|name| registry.dir().join(name));
    others.iter().for_each(|path| fs::write(path, b"mine").unwrap());
    registry.publish(&model(2), &at(NOW)).unwrap();
    assert!(others.iter().all(|path| path.exists()));
}

#[test]
fn publishing_again_repairs_damaged_and_missing_blobs() {
    let (_folder, registry) = registry();
    let truncated = blob_path(&registry, SectionKind::Factors);
    fs::write(&truncated, b"").unwrap();
    tamper(&with_suffix(&blob_path(&registry, SectionKind::Text), ".br"));
    fs::remove_file(blob_path(&registry, SectionKind::Taste)).unwrap();

    let published = registry.publish(&model(1), &at(NOW)).unwrap();
    assert_eq!((published.version, published.changed, published.sections_new), (1, false, 3));
    registry.verify().unwrap();
}

#[test]
fn a_missing_blob_is_an_error_that_names_the_file() {
    let (_folder, registry) = registry();
    let path = blob_path(&registry, SectionKind::Taste);
    fs::remove_file(&path).unwrap();
    for error in [registry.load().unwrap_err(), registry.verify().unwrap_err()] {
        assert!(matches!(error, RegistryError::Missing(_)), "{error:?}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_damaged_blob_is_an_error_that_names_the_file() {
    let (_folder, registry) = registry();
    let path = blob_path(&registry, SectionKind::Factors);
    tamper(&path);
    for error in [registry.load().unwrap_err(), registry.verify().unwrap_err()] {
        assert!(matches!(error, RegistryError::Damaged(_)), "{error:?}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_coding_that_holds_anything_else_is_found() {
    for (encoding, damage) in [
        (Encoding::Brotli, tamper as fn(&Path)),
        (Encoding::Zstd, tamper),
        (Encoding::Brotli, |path| append(path, &[0; 100])),
        (Encoding::Zstd, |path| append(path, &[0; 100])),
        (Encoding::Brotli, |path| append(path, &vec![7; 1 << 20])),
        (Encoding::Brotli, |path| fs::write(path, b"").unwrap()),
        (Encoding::Zstd, |path| fs::write(path, b"").unwrap()),
    ] {
        let (_folder, registry) = registry();
        let path = with_suffix(&blob_path(&registry, SectionKind::Text), encoding.suffix());
        damage(&path);
        let error = registry.verify().unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{encoding:?}: {error}");
        // The blob itself is sound, and that is what a model is made of.
        registry.load().unwrap();
    }
}

fn append(path: &Path, bytes: &[u8]) {
    let mut all = fs::read(path).expect("file");
    all.extend_from_slice(bytes);
    fs::write(path, all).expect("written");
}

#[test]
fn a_damaged_manifest_is_refused_by_readers_and_left_alone_by_publishers() {
    let (_folder, registry) = registry();
    let path = registry.dir().join("manifest");
    let whole = fs::read(&path).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"null", b"\xff\xfe", b"{\"format\": \"one\"}"]
    {
        fs::write(&path, damaged).unwrap();
        for error in [
            registry.release().unwrap_err(),
            registry.load().unwrap_err(),
            registry.publish(&model(2), &at(NOW)).unwrap_err(),
        ] {
            assert!(matches!(error, RegistryError::Json { .. }), "{error:?}");
            assert!(text(&error).contains(path.to_str().unwrap()), "{error}");
            assert!(text(&error).contains("line"), "{}", text(&error));
        }
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
}

#[test]
fn a_manifest_of_another_format_says_what_to_do() {
    let (_folder, registry) = registry();
    for (format, says) in [(3, "update Segue"), (1, "publish the model again")] {
        let other = format!("{{\"format\": {format}, \"sections\": []}}");
        fs::write(registry.dir().join("manifest"), other).unwrap();
        let error = registry.release().unwrap_err();
        let said = text(&error);
        assert!(said.contains(&format!("format {format}")) && said.contains(says), "{said}");
    }
    let later = b"{\"format\": 3, \"version\": 6}";
    fs::write(registry.dir().join("manifest"), later).unwrap();
    assert!(registry.publish(&model(2), &at(NOW)).is_err());
    // One of the format before this is followed, its version not used again.
    let earlier = b"{\"format\": 1, \"version\": 6, \"created_at\": 5, \"sections\": []}";
    fs::write(registry.dir().join("manifest"), earlier).unwrap();
    let published = registry.publish(&model(2), &at(NOW)).unwrap();
    assert_eq!((published.version, published.release), (7, 7));
}

#[test]
fn a_manifest_that_breaks_a_rule_is_refused() {
    let (_folder, registry) = registry();
    let whole = registry.release().unwrap().unwrap();
    let rules: [fn(&mut Release); 7] = [
        |release| release.version = 0,
        |release| release.models.clear(),
        |release| release.models.push(release.models[0].clone()),
        |release| release.models[0].sections.clear(),
        |release| release.models[0].sections[1].kind = "ids".into(),
        |release| release.models[0].sections[0].hash = "../../../../etc/passwd".into(),
        |release| release.models[0].sections[0].bytes = 0,
    ];
    for rule in rules {
        let mut broken = whole.clone();
        rule(&mut broken);
        put(&registry, &broken);
        let error = registry.release().unwrap_err();
        assert!(matches!(error, RegistryError::Manifest { .. }), "{error:?}");
    }
}

#[test]
fn a_manifest_that_is_wrong_about_a_length_or_a_kind_gives_no_model() {
    let (_folder, registry) = registry();
    edit_model(&registry, |model| model.sections[0].bytes += 1);
    assert!(matches!(registry.load().unwrap_err(), RegistryError::Length { .. }));

    edit_model(&registry, |model| {
        model.sections[0].bytes -= 1;
        model.sections[4].kind = "lyrics".into();
    });
    let error = registry.load().unwrap_err();
    assert!(matches!(error, RegistryError::UnknownSection { .. }), "{error:?}");
    assert!(error.to_string().contains("`lyrics`"), "{error}");

    edit_model(&registry, |model| {
        let ids = model.sections[0].hash.clone();
        model.sections[0].hash = std::mem::replace(&mut model.sections[1].hash, ids);
        let bytes = model.sections[0].bytes;
        model.sections[0].bytes = std::mem::replace(&mut model.sections[1].bytes, bytes);
        model.sections[4].kind = "text".into();
    });
    assert!(matches!(registry.load().unwrap_err(), RegistryError::Model { .. }));
}

#[test]
fn fields_that_a_reader_does_not_know_are_passed_over() {
    let (_folder, registry) = registry();
    let path = registry.dir().join("manifest");
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    json["notes"] = "for others".into();
    fs::write(&path, json.to_string()).unwrap();
    assert_eq!(registry.verify().unwrap().version, 1);
}

#[test]
fn the_last_version_is_not_counted_beyond() {
    let (_folder, registry) = registry();
    edit_release(&registry, |release| release.version = MAX_VERSION);
    let error = registry.publish(&model(2), &at(NOW)).unwrap_err();
    assert!(matches!(error, RegistryError::LastVersion(_)), "{error:?}");
}

#[test]
fn a_second_publisher_is_turned_away_at_once() {
    let (_folder, registry) = registry();
    let path = registry.dir().join("lock");
    let lock = fs::File::options().write(true).open(&path).unwrap();
    lock.lock().unwrap();
    let error = registry.publish(&model(2), &at(NOW)).unwrap_err();
    assert!(matches!(error, RegistryError::Locked(_)), "{error:?}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert_eq!(registry.verify().unwrap().version, 1);

    drop(lock);
    assert_eq!(registry.publish(&model(2), &at(NOW)).unwrap().version, 2);
}

#[test]
fn readers_see_whole_versions_while_others_publish() {
    let (_folder, registry) = registry();
    let files = [model(1).to_file(), model(2).to_file()];
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) || reads == 0 {
                assert!(files.contains(&registry.load().unwrap().1.to_file()));
                reads += 1;
            }
        });
        for round in 0..20 {
            registry.publish(&model(1 + round % 2), &at(NOW)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(registry.release().unwrap().unwrap().version, 20);
}

#[test]
fn an_empty_registry_has_no_version_and_no_model() {
    let (_folder, registry) = empty_registry();
    assert_eq!(registry.release().unwrap(), None);
    assert!(matches!(registry.load().unwrap_err(), RegistryError::Empty(_)));
    assert!(matches!(registry.verify().unwrap_err(), RegistryError::Empty(_)));
}

#[test]
fn a_registry_that_is_not_there_is_not_opened_and_one_that_is_a_file_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let error = Registry::open(&absent).unwrap_err();
    assert!(error.to_string().contains(absent.to_str().unwrap()), "{error}");

    fs::write(&absent, b"").unwrap();
    assert!(matches!(Registry::open(&absent).unwrap_err(), RegistryError::Absent(_)));
    let error = Registry::create(&absent).unwrap_err();
    assert!(error.to_string().contains(absent.to_str().unwrap()), "{error}");
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_it() {
    let (_folder, registry) = registry();
    let manifest = registry.dir().join("manifest");
    fs::remove_file(&manifest).unwrap();
    fs::create_dir(&manifest).unwrap();
    let error = registry.release().unwrap_err();
    assert!(matches!(error, RegistryError::Io { .. }), "{error:?}");
    assert!(error.to_string().contains(manifest.to_str().unwrap()), "{error}");

    fs::remove_dir(&manifest).unwrap();
    let huge = fs::File::create(&manifest).unwrap();
    huge.set_len(1 << 40).unwrap();
    let error = registry.release().unwrap_err();
    assert!(text(&error).contains("more than"), "{}", text(&error));
}

#[test]
fn a_model_without_names_to_show_is_published_too() {
    let (_folder, registry) = registry();
    let bare = Model::from_sections(
        model(1)
            .sections()
            .filter(|(id, _)| ![SectionKind::Text, SectionKind::Clusters].contains(&id.kind))
            .map(|(id, bytes)| (id, support::aligned(&bytes))),
    )
    .unwrap();
    let published = registry.publish(&bare, &at(NOW)).unwrap();
    assert_eq!((published.version, published.sections, published.sections_new), (2, 3, 0));
    assert_eq!(registry.load().unwrap().1.to_file(), bare.to_file());
}

#[test]
fn the_shards_of_a_catalogue_that_was_split_are_published_each_by_itself() {
    let (_folder, registry) = registry();
    let split = include_bytes!("../../../pkg/test/fixtures/split.segue");
    let split = Model::from_file(split).unwrap();
    let published = registry.publish(&split, &at(NOW)).unwrap();
    assert_eq!(published.sections, split.sections().count());
    let (release, read) = registry.load().unwrap();
    assert!(read.to_file() == split.to_file());
    let shards = release.models[0].sections.iter().filter(|section| section.shard == 2);
    let kinds: Vec<&str> = shards.map(|section| section.kind.as_str()).collect();
    assert_eq!(kinds, ["ids", "factors", "text"]);
    let json = fs::read_to_string(registry.dir().join("manifest")).unwrap();
    assert_eq!(json.matches("shard\\\":0").count(), 0, "the head is not spelt out");
    registry.verify().unwrap();
}

#[test]
fn only_64_lower_case_hexadecimal_digits_name_a_blob() {
    let (_folder, registry) = registry();
    let hash = hash(&registry, SectionKind::Ids);
    assert_eq!(hash.parse::<BlobHash>().unwrap().to_string(), hash);
    let long = format!("{hash}0");
    let upper = hash.to_uppercase();
    for text in ["", "..", &hash[1..], &long, &upper, &"g".repeat(64), &"é".repeat(32)] {
        assert!(text.parse::<BlobHash>().is_err(), "{text}");
    }
}
