//! `segue train --update`: the next version of a model, told from the one before in few bytes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{collections::HashSet, fs, sync::OnceLock};

use segue_core::model::{Model, SectionKind, container, delta};
use support::{fail, folder, json, segue, succeed, write};
use tempfile::TempDir;

/// A log, the part of it before its last day, and the model of that part, made once.
fn a_day_later() -> &'static TempDir {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(made)
}

fn made() -> TempDir {
    let folder = folder();
    succeed(
        &folder,
        "simulate --listeners 150 --tracks 400 --days 12 --seed 3 --out all.jsonl --catalogue tracks.jsonl",
    );
    let all = fs::read_to_string(folder.path().join("all.jsonl")).unwrap();
    let at = |line: &str| json(line)["at"].as_i64().unwrap();
    let last = all.lines().map(at).max().unwrap() - 24 * 3600 * 1000;
    let lines = |keep: &dyn Fn(&str) -> bool| -> String {
        all.lines().filter(|line| keep(line)).map(|line| format!("{line}\n")).collect()
    };
    write(&folder, "before.jsonl", &lines(&|line| at(line) < last));
    // Of the catalogue, as it was then: without the tracks that are first heard on the last day.
    let heard = |text: &str| -> HashSet<String> {
        text.lines().map(|line| json(line)["track"].as_str().unwrap().to_owned()).collect()
    };
    let known = heard(&lines(&|line| at(line) < last));
    let catalogue = fs::read_to_string(folder.path().join("tracks.jsonl")).unwrap();
    let then: String = catalogue
        .lines()
        .filter(|line| known.contains(json(line)["track"].as_str().unwrap()))
        .map(|line| format!("{line}\n"))
        .collect();
    write(&folder, "then.jsonl", &then);
    succeed(&folder, "train before.jsonl --catalogue then.jsonl --dim 16 --out before.segue");
    folder
}

fn read(folder: &TempDir, name: &str) -> Vec<u8> {
    fs::read(folder.path().join(name)).unwrap()
}

#[test]
fn an_update_has_the_new_tracks_and_a_delta_of_few_bytes_makes_it() {
    let folder = a_day_later();
    let line = "train all.jsonl --catalogue tracks.jsonl --update before.segue --out after.segue";
    let told = json(&succeed(folder, &format!("{line} --json")));
    let [before, after] =
        ["before.segue", "after.segue"].map(|name| Model::from_file(&read(folder, name)).unwrap());

    let new = after.len() - before.len();
    assert!(new > 0 && told["new_tracks"] == new, "{told}");
    for row in before.rows() {
        assert!(after.find_stem(before.stem(row).unwrap()).is_some());
    }
    let delta = delta::between(&before, &after, 0).unwrap();
    assert_eq!(told["delta_bytes"], delta.len());
    let whole = after.to_file().len();
    assert!(delta.len() * 4 < whole, "{} of {whole}", delta.len());
    let made = before.patched(&[&delta], Vec::<(SectionKind, _)>::new()).unwrap();
    assert!(made.to_file() == after.to_file());
    // What devices learn from listening, and what they compare it along, is as it was.
    assert_eq!(before.steps(), after.steps());
    assert_eq!(before.taste().mean(), after.taste().mean());
    let share = |name: &str| told[name].as_f64().unwrap();
    assert!(share("agreement") >= 0.975, "{told}");
    assert!(share("agreement") > share("agreement_before"), "{told}");
    let near = share("agreement_with_trained") - share("agreement_of_whole_with_trained");
    assert!(near > -0.05, "{told}");

    // The next one goes on from it, and where nothing happened nothing is sent.
    let line =
        "train all.jsonl --catalogue tracks.jsonl --update after.segue --out again.segue --json";
    let again = json(&succeed(folder, line));
    assert!(again["delta_bytes"].as_u64().unwrap() < told["delta_bytes"].as_u64().unwrap() / 4);
    assert_eq!(again["new_tracks"], 0);
}

#[test]
fn an_update_is_the_same_at_any_number_of_threads() {
    let folder = a_day_later();
    let line = "train all.jsonl --catalogue tracks.jsonl --update before.segue --out";
    succeed(folder, &format!("{line} one.segue --threads 1"));
    succeed(folder, &format!("{line} three.segue --threads 3"));
    assert!(read(folder, "one.segue") == read(folder, "three.segue"));
}

#[test]
fn what_agrees_less_takes_fewer_bytes() {
    let folder = a_day_later();
    let bytes = |agreement: &str| {
        let line = format!(
            "train all.jsonl --catalogue tracks.jsonl --update before.segue --out out.segue --agreement {agreement} --json"
        );
        json(&succeed(folder, &line))["delta_bytes"].as_u64().unwrap()
    };
    let [few, many] = ["0.8", "0.99"].map(bytes);
    assert!(few < many, "{few} and {many}");
    for wrong in ["1.5", "-0.1", "NaN", "much"] {
        let line =
            format!("train all.jsonl --update before.segue --out out.segue --agreement={wrong}");
        let output = segue(folder, &line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("between 0 and 1"), "{said}");
    }
}

#[test]
fn a_model_that_does_not_say_how_it_was_trained_is_refused() {
    let folder = a_day_later();
    let file = read(folder, "before.segue");
    let sections = container::split(&file).unwrap();
    fs::write(folder.path().join("bare.segue"), container::join(&sections)).unwrap();
    let said = fail(folder, "train all.jsonl --update bare.segue --out never.segue");
    assert!(
        said.contains("bare.segue") && said.contains("does not say how it was trained"),
        "{said}"
    );

    let noted = |note: &[u8]| container::join_with(&sections, &[(container::RECIPE, note)]);
    fs::write(folder.path().join("bare.segue"), noted(b"{\"format\":1}")).unwrap();
    let said = fail(folder, "train all.jsonl --update bare.segue --out never.segue");
    assert!(said.contains("cannot be read: train it anew"), "{said}");

    let note = container::contents(&file).unwrap().notes[0].1;
    let later = String::from_utf8(note.to_vec()).unwrap().replace("\"format\":1", "\"format\":9");
    fs::write(folder.path().join("bare.segue"), noted(later.as_bytes())).unwrap();
    let said = fail(folder, "train all.jsonl --update bare.segue --out never.segue");
    assert!(said.contains("recipe format 9"), "{said}");
}

#[test]
fn a_log_of_other_tracks_or_of_nothing_liked_is_refused() {
    let folder = a_day_later();
    let log = |track: &str, kind: &str| {
        let event = |n: usize| {
            format!(
                r#"{{"user":"u{}","track":"{track}{}","at":{},"kind":"{kind}"}}"#,
                n % 7,
                n % 9,
                1_735_690_000_000_u64 + n as u64 * 60_000
            ) + "\n"
        };
        (0..200).map(event).collect::<String>()
    };
    write(folder, "others.jsonl", &log("other", "play"));
    let said = fail(folder, "train others.jsonl --update before.segue --out never.segue");
    assert!(said.contains("none of the model's tracks is in this log"), "{said}");
    write(folder, "shown.jsonl", &log("t00000", "impression"));
    let said = fail(
        folder,
        "train shown.jsonl --catalogue tracks.jsonl --update before.segue --out never.segue",
    );
    assert!(said.contains("no listening to learn from"), "{said}");
    assert!(!folder.path().join("never.segue").exists());
}

#[test]
fn a_catalogue_in_shards_is_trained_whole() {
    let folder = a_day_later();
    succeed(
        folder,
        "train before.jsonl --catalogue then.jsonl --dim 8 --head 50 --out split.segue",
    );
    let said = fail(folder, "train all.jsonl --update split.segue --out never.segue");
    assert!(said.contains("split into shards"), "{said}");
}
