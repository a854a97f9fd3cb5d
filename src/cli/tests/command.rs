//! The command line: the verbs from end to end, and what a person is told when something is wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use support::{SEGUE, fail, folder, json, segue, simulated, succeed, write};
use tempfile::TempDir;

#[test]
fn a_log_becomes_a_published_model_that_can_be_inspected() {
    let folder = simulated();
    let trained = json(&succeed(
        &folder,
        "train events.jsonl --catalogue tracks.jsonl --dim 8 --out model.segue --json",
    ));
    assert_eq!(trained["dim"], 8);
    let first = json(&succeed(&folder, "publish model.segue --registry registry --json"));
    let again = json(&succeed(&folder, "publish model.segue --registry registry --json"));
    assert_eq!((&first["version"], &first["changed"]), (&1.into(), &true.into()));
    assert_eq!((&again["version"], &again["changed"]), (&1.into(), &false.into()));
    let model = json(&succeed(&folder, "inspect model.segue --json"));
    let registry = json(&succeed(&folder, "inspect registry --json"));
    assert_eq!(model["tracks"], trained["tracks"]);
    assert_eq!((&registry["version"], &registry["tracks"]), (&1.into(), &model["tracks"]));
    assert!(succeed(&folder, "inspect registry").contains("version 1 in force"));
}

#[test]
fn a_broken_line_is_named_and_nothing_is_written() {
    let folder = folder();
    write(
        &folder,
        "log.tsv",
        "user\ttrack\tat\na\tx\t1700000000\na\ty\tyesterday\na\tz\t1700000300\n",
    );
    let said = fail(&folder, "train log.tsv --out model.segue");
    assert!(said.contains("log.tsv") && said.contains("line 3"), "{said}");
    assert!(said.contains("yesterday") && said.contains("--skip-bad-lines"), "{said}");
    assert!(!folder.path().join("model.segue").exists());

    let output = segue(&folder, "train log.tsv --skip-bad-lines --dim 4 --out model.segue --json");
    assert_eq!(json(std::str::from_utf8(&output.stdout).unwrap())["bad_lines"], 1);
    assert!(String::from_utf8(output.stderr).unwrap().contains("skipped 1 line"));
}

#[test]
fn nothing_is_written_over_what_is_read_or_written_beside_it() {
    let folder = simulated();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let (events, tracks) = (read("events.jsonl"), read("tracks.jsonl"));
    #[cfg(unix)]
    std::os::unix::fs::symlink("events.jsonl", folder.path().join("link.segue")).unwrap();
    fs::hard_link(folder.path().join("tracks.jsonl"), folder.path().join("hard.segue")).unwrap();
    for out in ["events.jsonl", "./events.jsonl", "tracks.jsonl", "hard.segue", "link.segue"] {
        let said = fail(
            &folder,
            &format!("train events.jsonl --catalogue tracks.jsonl --dim 4 --out {out}"),
        );
        assert!(said.contains("would overwrite"), "{out}: {said}");
    }
    let said = fail(
        &folder,
        "simulate --listeners 5 --tracks 9 --days 1 --out new.jsonl --catalogue ./new.jsonl",
    );
    assert!(said.contains("would overwrite"), "{said}");
    assert_eq!((read("events.jsonl"), read("tracks.jsonl")), (events, tracks));
}

#[test]
fn a_test_on_which_nothing_can_be_measured_is_refused() {
    let folder = folder();
    write(&folder, "train.txt", "0 1 2 3\n1 2 3 4\n2 1 4\n");
    for (name, text) in [("unknown.txt", "0 98 99\n"), ("masked.txt", "0 1\n1 2 3\n")] {
        write(&folder, name, text);
        let said = fail(&folder, &format!("evaluate split --train train.txt --test {name}"));
        assert!(said.contains(name) && said.contains("could be ranked"), "{said}");
    }
}

#[test]
fn listeners_of_whom_nothing_is_known_are_not_ranked_for_in_silence() {
    let folder = folder();
    write(&folder, "train.txt", "0 1 2 3\n1 2 3 4\n2 1 4\n3 2 4\n");
    write(&folder, "others.txt", "x 1 2\ny 3\n");
    let said = fail(&folder, "evaluate split --train train.txt --test others.txt");
    assert!(
        said.contains("others.txt: no listener") && said.contains("here such as \"x\""),
        "{said}"
    );
    write(&folder, "some.txt", "0 4\nx 1 2\n");
    let line = "evaluate split --train train.txt --valid some.txt --test some.txt --dim 4";
    let output = segue(&folder, line);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 listener of some.txt without a line in train.txt"), "{said}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("2 listeners"));
}

#[test]
fn standard_input_is_read_once() {
    for line in ["train - - --out m", "train - --catalogue - --out m"] {
        let said = fail(&folder(), line);
        assert!(said.contains("standard input (-) is given more than once"), "{said}");
    }
}

#[test]
fn what_never_ends_is_not_read_to_its_end_to_see_that_it_is_no_model() {
    let said = fail(&folder(), "inspect /dev/zero");
    assert!(said.contains("not a segue model"), "{said}");
}

#[test]
fn times_that_are_not_times_are_refused() {
    for time in ["NaN", "-5", "inf", "1e400", ""] {
        let folder = folder();
        write(&folder, "log.csv", &format!("user,track,at\na,x,{time}\n"));
        let said = fail(&folder, "train log.csv --out model.segue");
        assert!(said.contains("line 2"), "{time}: {said}");
    }
}

#[test]
fn an_empty_log_and_a_missing_log_are_told_apart() {
    let folder = folder();
    write(&folder, "empty.jsonl", "");
    assert!(fail(&folder, "train empty.jsonl --out m").contains("empty"));
    assert!(fail(&folder, "train nowhere.jsonl --out m").contains("nowhere.jsonl"));
}

#[test]
fn missing_columns_are_named_with_what_to_do() {
    let folder = folder();
    write(&folder, "log.csv", "who,what,at\na,x,1700000000\n");
    let said = fail(&folder, "train log.csv --out m");
    assert!(said.contains("--column") && said.contains("who"), "{said}");
    succeed(&folder, "train log.csv --column user=who --column track=what --dim 2 --out m");
}

#[test]
fn damaged_models_and_later_formats_are_refused() {
    let folder = simulated();
    succeed(&folder, "train events.jsonl --dim 8 --out model.segue");
    let path = folder.path().join("model.segue");
    let file = fs::read(&path).unwrap();
    let spoil = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = file.clone();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        fail(&folder, "inspect model.segue")
    };
    let middle = file.len() / 2;
    assert!(spoil(&|bytes| bytes.truncate(middle)).contains("truncated"));
    assert!(spoil(&|bytes| bytes[middle] ^= 1).contains("checksum"));
    assert!(spoil(&|bytes| bytes[16] = 9).contains("format version 9"));
    assert!(spoil(&|bytes| bytes.clear()).contains("not a segue model"));
    assert!(fail(&folder, "publish model.segue --registry r").contains("model.segue"));
}

#[test]
fn wrong_usage_exits_with_2_and_names_what_is_wrong() {
    let folder = folder();
    for (line, named) in [
        ("", "Usage"),
        ("sing", "sing"),
        ("train", "EVENTS"),
        ("train x --out m --dim 0", "--dim"),
        ("train x --out m --column nonsense", "nonsense"),
        ("train x --out m --column foo=bar", "foo"),
        ("train x --out m --threads 0", "--threads"),
        ("train x --out m --threads 100000", "--threads"),
        ("simulate --listeners many --out x", "many"),
        ("simulate --listeners 0 --out x", "--listeners"),
        ("simulate --days 0 --out x", "--days"),
        ("simulate", "--out"),
        ("simulate --policy best", "there is no policy `best`"),
        ("simulate --policy full --out x", "--out"),
        ("simulate --worlds 2 --out x", "--worlds"),
        ("simulate --policy chosen --diversity nan", "a number from 0 to 1"),
        ("simulate --policy chosen --fatigue 1001", "a number from 0 to 1000"),
    ] {
        let output = segue(&folder, line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(named), "{line}: {said}");
    }
}

#[test]
fn recommenders_are_tried_on_simulated_listeners_beside_each_other() {
    let folder = folder();
    let line = "simulate --listeners 60 --tracks 200 --days 6 --worlds 2 --people 20 --policy";
    let found = json(&succeed(&folder, &format!("{line} popularity,full,full --json")));
    let policies = found["policies"].as_array().unwrap();
    let names: Vec<&str> = policies.iter().map(|it| it["policy"].as_str().unwrap()).collect();
    assert_eq!(names, ["popularity", "full"]);
    for policy in policies {
        let skips = &policy["figures"]["skip_rate"];
        let at = |end: usize| skips["interval"][end].as_f64().unwrap();
        assert!(
            at(0) <= skips["mean"].as_f64().unwrap() && at(1) >= skips["mean"].as_f64().unwrap()
        );
        assert!(policy["turn"]["fits"].as_array().unwrap().len() > 20);
    }
    assert_eq!(found["differences"][0]["full_less"], "popularity");
    let text = succeed(&folder, &format!("{line} full"));
    assert!(text.contains("skip_rate") && text.contains("2 worlds"), "{text}");
}

#[test]
fn every_verb_has_help_with_an_example() {
    let folder = folder();
    for verb in
        ["simulate", "train", "evaluate split", "evaluate next", "inspect", "publish", "serve"]
    {
        let help = succeed(&folder, &format!("{verb} --help"));
        assert!(help.contains("Example"), "{verb}");
        assert!(help.contains(&format!("segue {verb}")), "{verb}");
    }
}

#[test]
fn where_there_is_no_registry_inspect_says_how_to_make_one() {
    let folder = folder();
    fs::create_dir(folder.path().join("plain")).unwrap();
    let said = fail(&folder, "inspect plain");
    assert!(said.contains("plain is no registry, for want of a manifest"), "{said}");
    assert!(said.contains("segue publish MODEL --registry plain"), "{said}");
}

#[test]
fn clusters_without_names_are_said_to_have_none() {
    let folder = simulated();
    succeed(&folder, "train events.jsonl --dim 4 --out bare.segue");
    let said = succeed(&folder, "inspect bare.segue");
    assert!(said.contains("no tags in the log, so clusters have no names"), "{said}");
    assert!(!said.contains("largest first"), "{said}");
    succeed(&folder, "train events.jsonl --catalogue tracks.jsonl --dim 4 --out named.segue");
    assert!(succeed(&folder, "inspect named.segue").contains("taste clusters, largest first"));
}

#[test]
fn a_model_trained_after_another_has_its_clusters_and_inspect_tells_of_them() {
    let folder = simulated();
    succeed(
        &folder,
        "train events.jsonl --catalogue tracks.jsonl --dim 4 --clusters 3 --out a.segue",
    );
    succeed(&folder, "train events.jsonl --dim 4 --after a.segue --out b.segue");
    let clusters = |model: &str| -> Vec<(String, u64)> {
        let found = json(&succeed(&folder, &format!("inspect {model} --json")));
        assert!(found["concentration"].as_f64().unwrap() >= 0.0);
        let each = found["taste_clusters"].as_array().unwrap().iter();
        each.map(|c| (c["name"].to_string(), c["tracks"].as_u64().unwrap())).collect()
    };
    // The second log has no tags: its names can only be those of the first.
    let (before, after) = (clusters("a.segue"), clusters("b.segue"));
    assert_eq!((before.len(), after.len()), (3, 3));
    for ((name, tracks), (kept, still)) in before.iter().zip(&after) {
        assert_eq!(name, kept);
        assert!(tracks.abs_diff(*still) * 4 <= *tracks, "{before:?} {after:?}");
    }
    let other = segue(&folder, "train events.jsonl --dim 5 --after a.segue --out c.segue");
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(said.contains("the earlier model has 4 components, these factors 5"), "{said}");
    let said = fail(&folder, "train events.jsonl --after events.jsonl --out c.segue");
    assert!(said.contains("not a segue model"), "{said}");
    let line = "train events.jsonl --after a.segue --clusters 4 --out c.segue";
    assert_eq!(segue(&folder, line).status.code(), Some(2));
}

#[test]
fn evaluate_clusters_prints_how_far_they_agree() {
    let folder = simulated();
    let found = json(&succeed(
        &folder,
        "evaluate clusters --events events.jsonl --seeds 2 --dim 4 --clusters 3 --json",
    ));
    for comparison in ["seeds", "retrained", "after"] {
        for tracks in ["all", "known"] {
            let index = found[comparison][tracks].as_f64().unwrap();
            assert!((-1.0..=1.0).contains(&index), "{comparison} {tracks}: {index}");
        }
    }
    assert_eq!((&found["compared"], &found["clusters"]), (&2.into(), &3.into()));
    // Six listeners know no track that five of them said yes to: there is nothing to tell by.
    let play = |user: usize, nth: usize| {
        let at = 1_700_000_000 + user * 100_000 + nth * 300;
        format!("u{user}\tt{}\t{at}\tplay\n", user * nth % 7)
    };
    let plays = (1..7).flat_map(|user| (1..5).map(move |nth| play(user, nth)));
    write(&folder, "few.tsv", &format!("user\ttrack\tat\tkind\n{}", plays.collect::<String>()));
    let line = "evaluate clusters --events few.tsv --seeds 2";
    let found = json(&succeed(&folder, &format!("{line} --json")));
    assert!(found["seeds"]["all"].is_number() && found["seeds"]["known"].is_null(), "{found}");
    let said = succeed(&folder, line);
    assert!(said.contains("–"), "{said}");
    let renamed = fs::read_to_string(folder.path().join("few.tsv")).unwrap();
    let renamed = renamed.replacen("track", "song_key", 1) + "a line that is none\n";
    write(&folder, "other.tsv", &renamed);
    let other = line.replace("few", "other");
    let options = "--column track=song_key --skip-bad-lines";
    assert_eq!(succeed(&folder, &format!("{other} {options}")), said);
    assert!(fail(&folder, &other).contains("track"));
    let line = "evaluate clusters --events events.jsonl --seeds 1";
    assert_eq!(segue(&folder, line).status.code(), Some(2));
    let said = fail(&folder, "evaluate clusters --events nothing.jsonl");
    assert!(said.contains("nothing.jsonl"), "{said}");
}

#[test]
fn evaluate_split_prints_every_figure() {
    let folder = folder();
    let line = |user: usize, from: usize| {
        let items: Vec<String> =
            (from..from + 6).map(|i| format!("i{}", user % 3 * 20 + i % 20)).collect();
        format!("u{user} {}\n", items.join(" "))
    };
    write(&folder, "train.txt", &(0..60).map(|u| line(u, u)).collect::<String>());
    write(&folder, "test.txt", &(0..60).map(|u| line(u, u + 6)).collect::<String>());
    let out = succeed(&folder, "evaluate split --train train.txt --test test.txt --dim 8 --json");
    let figures = json(&out);
    for name in ["recall@10", "ndcg@10", "recall@20", "ndcg@20"] {
        let figure = figures[name].as_f64().unwrap();
        assert!((0.3..=1.0).contains(&figure), "{name} {figure}");
    }
    assert!(figures["bytes_per_item"].as_f64().unwrap() > 8.0);
    fail(&folder, "evaluate split --train train.txt --test nowhere.txt");
}

#[test]
fn evaluate_next_prints_every_figure() {
    let folder = folder();
    // Along a ring of thirty tracks.
    let line = |from: usize, len: usize| {
        (from..from + len).map(|i| format!("i{}", i % 30)).collect::<Vec<_>>().join(" ")
    };
    write(&folder, "train.txt", &(0..90).map(|i| line(i, 6) + "\n").collect::<String>());
    let query = |i: usize| format!("{}\ti{}\n", line(i, 3), (i + 3) % 30);
    write(&folder, "test.txt", &(0..30).map(query).collect::<String>());
    let out = succeed(&folder, "evaluate next --train train.txt --test test.txt --dim 4 --json");
    let figures = json(&out);
    for name in ["p@20", "mrr@20", "hr@10", "ndcg@10"] {
        let figure = figures[name].as_f64().unwrap();
        assert!((0.5..=1.0).contains(&figure), "{name} {figure}");
    }
    for name in ["bytes_per_item", "p50_us", "p99_us"] {
        assert!(figures[name].as_f64().unwrap() > 0.0, "{name}");
    }
    assert!(figures["valid_p@20"].as_f64() > Some(0.5), "{figures}");
    write(&folder, "one.txt", "i0 i1 i2\n");
    let one = "evaluate next --train one.txt --test test.txt --dim 4";
    let figures = json(&succeed(&folder, &format!("{one} --json")));
    for name in ["valid_p@20", "valid_mrr@20", "valid_hr@10", "valid_ndcg@10"] {
        assert!(figures[name].is_null(), "{name} of nothing that was held out: {figures}");
    }
    assert!(succeed(&folder, one).contains("nothing could be held out"));
    let said = fail(&folder, "evaluate next --train train.txt --test train.txt");
    assert!(
        said.contains("train.txt") && said.contains("line 1") && said.contains("a tab"),
        "{said}"
    );
}

/// A server that ends with the test.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn publish_small(folder: &TempDir) {
    succeed(folder, "train events.jsonl --dim 4 --out model.segue");
    succeed(folder, "publish model.segue --registry registry");
}

fn serve(folder: &Path, arguments: &[&str]) -> (Server, String) {
    let mut child = Command::new(SEGUE)
        .args(["serve", "--json", "--registry", "registry"])
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = json(&line)["listening"].as_str().unwrap().to_owned();
    (Server(child), address)
}

#[test]
fn the_server_answers_with_the_model_in_force() {
    let folder = simulated();
    publish_small(&folder);
    let (_server, address) = serve(folder.path(), &["--listen", "127.0.0.1:0"]);
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));
    let manifest = get(&address, "/v1/manifest");
    assert!(
        manifest.starts_with("HTTP/1.1 200") && manifest.contains("\\\"factors\\\""),
        "{manifest}"
    );
}

#[test]
fn a_host_is_listened_on_by_its_name() {
    let folder = simulated();
    publish_small(&folder);
    let (_server, address) = serve(folder.path(), &["--listen", "localhost:0"]);
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));
    let said = fail(&folder, "serve --registry registry --listen no-such-host.invalid:80");
    assert!(said.contains("cannot find the address of no-such-host.invalid:80"), "{said}");
}

#[test]
fn an_address_without_a_port_is_asked_for_one() {
    let folder = folder();
    for (listen, such_as) in [
        ("8902", "127.0.0.1:8902"),
        ("localhost", "localhost:8787"),
        ("localhost:99999", "localhost:8787"),
        (":8902", "127.0.0.1:8787"),
        ("::1", "[::1]:8787"),
    ] {
        let output = segue(&folder, &format!("serve --registry registry --listen {listen}"));
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = format!("give an address and a port, such as {such_as}");
        assert!(said.contains(&expected), "{listen}: {said}");
        assert_eq!(output.status.code(), Some(2), "{listen}");
    }
}

#[test]
fn a_port_in_use_is_said_so() {
    let folder = simulated();
    publish_small(&folder);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let said = fail(&folder, &format!("serve --registry registry --listen {address}"));
    assert!(said.contains(&address.to_string()) && said.contains("already in use"), "{said}");
}
