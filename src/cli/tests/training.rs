//! What a person is told about logs, catalogues and outputs before, while and after a model is
//! made of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    io::Write,
    process::{Child, Command, Stdio},
};

use segue_train::log::Field;
use support::{SEGUE, fail, folder, json, segue, simulated, succeed, write};
use tempfile::TempDir;

/// What a training that succeeds says on the way, and at its end.
fn trained(folder: &TempDir, line: &str) -> (String, String) {
    let output = segue(folder, line);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{line}: {said}");
    (said, String::from_utf8(output.stdout).unwrap())
}

fn started(folder: &TempDir, line: &str) -> Child {
    let mut command = Command::new(SEGUE);
    command.args(line.split_whitespace()).current_dir(folder).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
}

/// What a child that failed had to say.
fn failed(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_the_log_is_read() {
    let folder = simulated();
    let before = fs::read_dir(folder.path()).unwrap().count();
    // There is no such log: that is not what is said.
    for (out, why) in [
        ("no/such/folder/model.segue", "no/such/folder is not a folder"),
        (".", "it is a folder; name a file in it"),
        ("new/", "it is a folder; name a file in it"),
    ] {
        let said = fail(&folder, &format!("train nowhere.jsonl --out {out}"));
        assert!(said.contains(&format!("cannot write {out}: {why}")), "{said}");
    }
    if cfg!(target_os = "linux") {
        let said = fail(&folder, "train nowhere.jsonl --out /proc/model.segue");
        assert!(said.contains("cannot write /proc/model.segue"), "{said}");
    }
    for outs in ["--out .", "--out e --catalogue no/c", "--out e --truth no/t"] {
        let said = fail(&folder, &format!("simulate --listeners 5 --tracks 5 {outs}"));
        assert!(said.contains("cannot write"), "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before, "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn an_output_stays_as_open_to_others_as_it_was_and_one_that_is_not_to_be_written_is_left_alone() {
    use std::{os::unix::fs::PermissionsExt as _, os::unix::fs::symlink, path::Path};
    let folder = simulated();
    let model = folder.path().join("model.segue");
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    write(&folder, "model.segue", "what was there");
    allow(&model, 0o600);
    succeed(&folder, "train events.jsonl --dim 2 --out model.segue");
    assert_eq!(fs::metadata(&model).unwrap().permissions().mode() & 0o777, 0o600);

    symlink("nowhere.segue", folder.path().join("link.segue")).unwrap();
    let said = fail(&folder, "train events.jsonl --dim 2 --out link.segue");
    assert!(said.contains("cannot write link.segue: it is a link that leads to no file"), "{said}");
    assert!(folder.path().join("link.segue").is_symlink());

    let kept = fs::read(&model).unwrap();
    allow(&model, 0o444);
    // Whoever may write anything is asked nothing.
    if fs::OpenOptions::new().write(true).open(&model).is_err() {
        let said = fail(&folder, "train events.jsonl --dim 3 --out model.segue");
        assert!(said.contains("cannot write model.segue: Permission denied"), "{said}");
        assert_eq!(fs::read(&model).unwrap(), kept);
    }
}

#[test]
fn a_folder_that_is_to_be_an_output_too_is_refused_before_the_log_is_read() {
    let folder = folder();
    let said = fail(&folder, "train nowhere.jsonl --checkpoints both --out both");
    assert!(said.contains("cannot write both: it is a folder"), "{said}");
    let files = "--train nowhere --test nowhere";
    let said = fail(&folder, &format!("evaluate split {files} --checkpoints c --per-listener c"));
    assert!(said.contains("cannot write c: it is a folder"), "{said}");
    write(&folder, "file", "");
    let said = fail(&folder, "train nowhere.jsonl --checkpoints file --out model");
    assert!(said.contains("in file: it is not a folder"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_training_whose_output_nobody_reads_ends_when_it_is_interrupted_once() {
    let folder = simulated();
    let fifo = folder.path().join("model");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let child = started(&folder, "train events.jsonl --dim 2 --out model");
    // Long after it has trained: it waits for whoever reads.
    std::thread::sleep(std::time::Duration::from_secs(5));
    interrupt(&child);
    assert!(failed(child).contains("interrupted; nothing was written"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_printed_is_an_error_that_says_where() {
    let folder = simulated();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(SEGUE);
    command.args(["train", "events.jsonl", "--dim", "2", "--out", "model"]);
    let output = command.current_dir(&folder).stdout(full).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("cannot write to standard output: No space left"), "{said}");
}

#[test]
fn an_output_is_replaced_and_a_link_to_it_followed() {
    let folder = simulated();
    write(&folder, "model.segue", "what was there");
    #[cfg(unix)]
    std::os::unix::fs::symlink("model.segue", folder.path().join("link.segue")).unwrap();
    let out = if cfg!(unix) { "link.segue" } else { "model.segue" };
    succeed(&folder, &format!("train events.jsonl --dim 2 --out {out}"));
    assert!(succeed(&folder, "inspect model.segue").contains("tracks of 2 components"));
    #[cfg(unix)]
    assert!(folder.path().join("link.segue").is_symlink());
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_leaves_nothing() {
    let folder = folder();
    let mut child = started(&folder, "train - --out model.segue");
    let mut log = child.stdin.take().unwrap();
    log.write_all(b"user,track,at\n").unwrap();
    // More than a pipe holds: once it is written, the verb is reading.
    for line in 0..40_000 {
        writeln!(log, "u{},t{},{}", line % 50, line % 90, 1_700_000_000 + line).unwrap();
    }
    interrupt(&child);
    // It waits for more, and yet it ends.
    let said = failed(child);
    drop(log);
    assert!(said.contains("interrupted; nothing was written"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_goes_on_from_its_checkpoints() {
    let folder = folder();
    succeed(&folder, "simulate --listeners 300 --tracks 300 --days 20 --out events.jsonl");
    let line = "train events.jsonl --dim 8 --checkpoints kept --out";
    let mut child = started(&folder, &format!("{line} model.segue"));
    let kept = || fs::read_dir(folder.path().join("kept")).map_or(0, Iterator::count);
    while kept() < 5 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    interrupt(&child);
    let said = failed(child);
    assert!(said.contains("the same command again goes on from what is kept in kept"), "{said}");
    assert!(!folder.path().join("model.segue").exists());
    succeed(&folder, &format!("{line} model.segue"));
    succeed(&folder, "train events.jsonl --dim 8 --out whole.segue");
    let read = |name| fs::read(folder.path().join(name)).unwrap();
    assert!(read("model.segue") == read("whole.segue"), "as if it never was interrupted");
    let said = fail(&folder, "train events.jsonl --checkpoints events.jsonl --out model.segue");
    assert!(said.contains("cannot keep what was found so far in events.jsonl"), "{said}");
}

#[test]
fn a_budget_is_a_number_of_minutes() {
    let folder = simulated();
    succeed(&folder, "train events.jsonl --dim 2 --budget 0.01 --out model.segue");
    for wrong in ["-1", "soon", "nan", "inf"] {
        let mut command = Command::new(SEGUE);
        command.args(["train", "events.jsonl", "--out", "m", &format!("--budget={wrong}")]);
        let output = command.current_dir(&folder).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("expected a number of minutes"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_simulation_leaves_what_was_there() {
    let folder = folder();
    fs::write(folder.path().join("truth.json"), "of another world").unwrap();
    let mut child = started(
        &folder,
        "simulate --listeners 3000 --tracks 50 --days 300 --out events.jsonl \
         --catalogue tracks.jsonl --truth truth.json",
    );
    // The events come last, and take far longer than this looks.
    let begun = || names(&folder).iter().any(|name| name.starts_with(".events.jsonl."));
    while !begun() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    interrupt(&child);
    let said = failed(child);
    assert!(said.contains("interrupted; nothing was written\n"), "{said}");
    assert_eq!(names(&folder), ["truth.json"]);
    let truth = fs::read_to_string(folder.path().join("truth.json")).unwrap();
    assert_eq!(truth, "of another world");
}

#[cfg(target_os = "linux")]
#[test]
fn a_simulation_that_cannot_write_its_events_replaces_nothing() {
    let folder = folder();
    write(&folder, "tracks.jsonl", "of another world");
    let line =
        "simulate --listeners 20 --tracks 50 --days 9 --out /dev/full --catalogue tracks.jsonl";
    let said = fail(&folder, line);
    assert!(said.contains("cannot write /dev/full: No space left on device"), "{said}");
    assert_eq!(names(&folder), ["tracks.jsonl"]);
    let tracks = fs::read_to_string(folder.path().join("tracks.jsonl")).unwrap();
    assert_eq!(tracks, "of another world");
}

/// What lies in a folder, in order.
#[cfg(unix)]
fn names(folder: &TempDir) -> Vec<String> {
    let each = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> =
        each.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn how_many_tracks_the_catalogue_names_is_told_and_a_wrong_file_refused() {
    let folder = simulated();
    let line = "train events.jsonl --dim 2 --out m --catalogue";
    let (said, result) = trained(&folder, &format!("{line} tracks.jsonl --json"));
    let tracks = json(&result)["tracks"].as_u64().unwrap();
    assert!(said.contains(&format!("tracks.jsonl names {tracks} of {tracks} tracks\n")), "{said}");

    let said = fail(&folder, &format!("{line} events.jsonl"));
    assert!(said.contains("events.jsonl holds no title, artist or tag"), "{said}");
    let first = r#"{"track":"t000001","title":"One"}"#;
    write(&folder, "one.jsonl", first);
    let (said, _) = trained(&folder, &format!("{line} one.jsonl"));
    assert!(said.contains(&format!("one.jsonl names 1 of {tracks} tracks\n")), "{said}");
    write(&folder, "other.jsonl", &first.replace("t0", "x0"));
    let said = fail(&folder, &format!("{line} other.jsonl"));
    assert!(said.contains("other.jsonl names none of the"), "{said}");
}

#[test]
fn columns_are_told_that_were_used_and_those_that_were_left_out() {
    let folder = folder();
    write(&folder, "log.csv", "uid,track,at\na,x,1700000000\nb,x,1700000100\n");
    let (said, _) = trained(&folder, "train log.csv --dim 2 --out m");
    assert!(said.contains("log.csv: read user from \"uid\", track, at\n"), "{said}");
    write(&folder, "log.csv", "uid,mark,track,at,note\na,1,x,1700000000,2\n");
    let (said, _) = trained(&folder, "train log.csv --dim 2 --out m");
    assert!(said.contains("track, at; left out \"mark\", \"note\"\n"), "{said}");
    let wide: Vec<String> = (0..20).map(|n| format!("c{n}")).collect();
    let row = "1,".repeat(20);
    write(&folder, "log.csv", &format!("{},user,track,at\n{row}a,x,1700000000\n", wide.join(",")));
    let (said, _) = trained(&folder, "train log.csv --dim 2 --out m");
    assert!(said.contains("\"c11\" and 8 more\n"), "{said}");
}

#[test]
fn standard_input_goes_by_its_name() {
    let folder = folder();
    let feed = |log: &[u8]| {
        let mut child = started(&folder, "train - --dim 2 --out m");
        child.stdin.take().unwrap().write_all(log).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    };
    let said = feed(b"user,track,at\na,x,1700000000\n");
    assert!(said.starts_with("standard input: read user, track, at\n"), "{said}");
    let said = feed(b"user,track,at\na,x,soon\n");
    assert!(said.starts_with("error: standard input: line 2: `at` is \"soon\""), "{said}");
}

#[test]
fn events_that_arrived_twice_are_counted_and_told() {
    let folder = folder();
    let row = "a,x,1700000000\n";
    write(&folder, "log.csv", &format!("user,track,at\n{row}{row}{row}b,x,1700000000\n"));
    let (said, _) = trained(&folder, "train log.csv --dim 2 --out m");
    assert!(said.contains("2 events left out: the same listener, track and kind again"), "{said}");
    let row = |id| format!("{id},a,x,1700000000\n");
    write(&folder, "log.csv", &format!("id,user,track,at\n{}{}{}", row(1), row(2), row(3)));
    let (said, _) = trained(&folder, "train log.csv --dim 2 --out m");
    assert!(!said.contains("left out"), "{said}");
}

#[test]
fn what_is_measured_is_said_and_on_whom() {
    let folder = folder();
    succeed(&folder, "simulate --listeners 300 --tracks 200 --days 15 --out events.jsonl");
    let (_, text) = trained(&folder, "train events.jsonl --dim 8 --out m");
    assert!(text.contains("recall@20 0."), "{text}");
    assert_eq!(text.matches("chosen on them, so optimistic").count(), 3, "{text}");
    assert!(text.contains("of pairs where each event counts as one plain yes or no"), "{text}");
    assert!(!text.contains("AUC"), "{text}");
}

#[test]
fn whether_the_next_track_can_be_told_is_said_by_train_and_by_inspect() {
    let folder = folder();
    // Eighty listeners along a ring of tracks, a minute or an hour a step.
    for (log, step) in [("minutes.csv", 60), ("hours.csv", 3600)] {
        let rows = (0..80 * 24).map(|n| {
            let (listener, at) = (n / 24, n % 24);
            format!("u{listener},t{},{}\n", (listener * 7 + at) % 50, 1_700_000_000 + at * step)
        });
        write(&folder, log, &format!("user,track,at\n{}", rows.collect::<String>()));
    }
    let (_, text) = trained(&folder, "train minutes.csv --dim 2 --out m");
    assert!(text.contains("next track: p@20 1.0000, "), "{text}");
    let report = json(&trained(&folder, "train minutes.csv --dim 2 --out m --json").1);
    let pairs = report["transitions"].as_u64().unwrap();
    assert!(report["next_mrr@20"].as_f64() > report["next_mrr@20_by_taste"].as_f64(), "{report}");
    assert_eq!(json(&succeed(&folder, "inspect m --json"))["transitions"], pairs);
    let inspected = succeed(&folder, "inspect m");
    assert!(inspected.contains(&format!("{pairs} pairs of tracks that follow")), "{inspected}");

    let (_, text) = trained(&folder, "train hours.csv --dim 2 --out m");
    assert!(text.contains("too few sittings to tell from what follows what"), "{text}");
    let report = json(&trained(&folder, "train hours.csv --dim 2 --out m --json").1);
    assert!(report["transitions"].is_null() && report["next_p@20"].is_null(), "{report}");
    assert!(json(&succeed(&folder, "inspect m --json"))["transitions"].is_null());
    assert!(succeed(&folder, "inspect m").contains("nothing that tells the next track"));
}

#[test]
fn the_help_of_train_names_every_field() {
    let help = succeed(&folder(), "train --help");
    let fields = help.split("Fields:").nth(1).unwrap();
    for field in Field::ALL {
        assert!(fields.contains(field.name()), "{field}: {fields}");
    }
}
