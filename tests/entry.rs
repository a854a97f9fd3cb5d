//! What `build.sh` says when it is called wrongly, or where a tool that it needs is missing.
#![expect(clippy::expect_used, reason = "a test that cannot make its input has failed")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// What `build.sh` calls before it looks for a browser.
const TOOLS: &[&str] = &[
    "bash", "basename", "cargo", "cat", "cc", "cut", "dirname", "env", "find", "head", "id",
    "node", "npm", "rm", "rustc", "sed", "sort",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `build.sh` where no browser is named.
fn command(arguments: &[&str], path: &OsStr) -> Command {
    let mut command = Command::new(root().join("build.sh"));
    command.args(arguments).env("PATH", path);
    for browser in ["CHROMIUM", "CHROMEDRIVER", "FIREFOX", "GECKODRIVER"] {
        command.env_remove(browser);
    }
    command
}

fn build(arguments: &[&str], path: &OsStr) -> Output {
    command(arguments, path).output().expect("build.sh can be started")
}

fn build_here(arguments: &[&str]) -> Output {
    build(arguments, &std::env::var_os("PATH").expect("PATH is set"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder that holds `tools` alone, to stand in for PATH.
fn path_of(tools: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = std::env::var_os("PATH").expect("PATH is set");
    for tool in tools {
        let found =
            std::env::split_paths(&path).map(|bin| bin.join(tool)).find(|file| file.exists());
        let found = found.unwrap_or_else(|| panic!("{tool} is on PATH"));
        // Some tools look beside themselves for the rest of them: give the real place, but for
        // rustup's, which are one program that goes by the name that it is called by.
        let target = if matches!(*tool, "cargo" | "rustc") { found } else { real(&found) };
        symlink(target, folder.path().join(tool)).expect("a link can be made");
    }
    folder
}

fn real(file: &Path) -> PathBuf {
    fs::canonicalize(file).expect("a file that exists has a real path")
}

#[test]
fn help_names_every_verb() {
    let output = build_here(&["help"]);
    let help = String::from_utf8(output.stdout).expect("help is UTF-8");
    assert!(output.status.success());
    for verb in ["run", "test", "pkg", "size", "bench", "lint", "clean", "help"] {
        assert!(help.lines().any(|line| line.starts_with(&format!("  {verb} "))), "{verb}: {help}");
    }
}

#[test]
fn wrong_usage_exits_with_2_and_points_to_help() {
    for arguments in [
        &["fly"][..],
        &["test", "quickly"],
        &["size", "small"],
        &["run", "--fast"],
        &["run", "a", "b"],
        &["run", "--listen"],
        &["run", "--catalogue", "tracks.jsonl"],
    ] {
        let output = build_here(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("./build.sh help"), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn a_log_that_is_not_there_is_named_before_anything_is_built() {
    let output = build_here(&["run", "no/such/plays.tsv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("no/such/plays.tsv cannot be read"), "{}", said(&output));
    assert_eq!(said(&output).lines().count(), 1, "{}", said(&output));
}

#[test]
fn a_missing_browser_stops_test_at_once_with_one_line_of_advice() {
    let path = path_of(TOOLS);
    let output = build(&["test"], path.path().as_os_str());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let advice = said(&output);
    assert!(advice.contains("apt-get install chromium chromium-driver"), "{advice}");
    assert_eq!(advice.lines().count(), 1, "{advice}");
}

#[test]
fn a_missing_second_browser_is_no_less_wanted() {
    let path = path_of(TOOLS);
    let any = path.path().join("env");
    let mut command = command(&["test"], path.path().as_os_str());
    let output = command.env("CHROMIUM", &any).env("CHROMEDRIVER", &any).output();
    let output = output.expect("build.sh can be started");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let advice = said(&output);
    assert!(advice.contains("apt-get install firefox-esr"), "{advice}");
    assert_eq!(advice.lines().count(), 1, "{advice}");
}

#[test]
fn a_missing_tool_is_named_with_the_way_to_install_it() {
    let without_node: Vec<&str> = TOOLS.iter().copied().filter(|tool| *tool != "node").collect();
    let path = path_of(&without_node);
    let output = build(&["test"], path.path().as_os_str());
    assert_eq!(output.status.code(), Some(1));
    let advice = said(&output);
    assert!(advice.contains("node is missing: install Node.js"), "{advice}");
}
