//! The rules of the house, held against what the manifests say: who may know whom, which
//! outside crates belong to one room alone, what the engine may link, and that every room
//! inherits the workspace's lints.
#![expect(clippy::expect_used, reason = "a test that cannot read its input has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package};
use segue_core::{event::Kind, model::SectionKind, reason::Ground};

/// Each room, and the rooms that it may depend on, in code or in its tests.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("segue-core", &[]),
    ("segue-wasm", &["segue-core"]),
    ("segue-sim", &["segue-core"]),
    ("segue-train", &["segue-core"]),
    ("segue-serve", &["segue-core"]),
    ("segue-mine", &["segue-core"]),
    ("segue-cli", &["segue-core", "segue-train", "segue-serve", "segue-sim"]),
    (
        "segue-tests",
        &[
            "segue-core",
            "segue-wasm",
            "segue-sim",
            "segue-train",
            "segue-serve",
            "segue-mine",
            "segue-cli",
        ],
    ),
];

/// Outside crates, by the beginning of their names, that only one room may depend on.
const RESERVED: &[(&str, &str)] =
    &[("clap", "segue-cli"), ("datafusion", "segue-mine"), ("ballista", "segue-mine")];

/// All that the engine may link into the module, apart from procedural macros, which leave
/// nothing in it.
const ENGINE_LINKS: &[&str] = &["segue-core", "bytemuck", "libm", "thiserror", "xxhash-rust"];

/// `(from, to)`: the package `from` declares a dependency of any kind on the package `to`.
type Edge = (String, String);

/// One sentence for each edge that the house forbids.
fn forbidden(edges: &[Edge]) -> Vec<String> {
    edges.iter().filter_map(|(from, to)| complaint(from, to)).collect()
}

fn complaint(from: &str, to: &str) -> Option<String> {
    let Some((_, known)) = MAY_KNOW.iter().find(|(room, _)| *room == from) else {
        return Some(format!("{from} is no room of the house, and yet it depends on {to}"));
    };
    if to.starts_with("segue-") && !known.contains(&to) {
        return Some(format!("{from} may not know {to}"));
    }
    let (_, owner) = RESERVED.iter().find(|(krate, _)| to.starts_with(krate))?;
    (*owner != from).then(|| format!("{from} may not depend on {to}: only {owner} may"))
}

/// The crates that are linked and not on the list of those allowed.
fn strangers<'a>(linked: &'a BTreeSet<String>, allowed: &[&str]) -> Vec<&'a str> {
    linked.iter().map(String::as_str).filter(|name| !allowed.contains(name)).collect()
}

/// Whether a manifest takes its lints from the workspace.
fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.find(|line| !line.is_empty() && !line.starts_with('#')) == Some("workspace = true")
}

/// The workspace as its manifests declare it. Nothing is resolved, so nothing is downloaded.
fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata reads the workspace")
}

fn edges_of(package: &Package) -> impl Iterator<Item = Edge> {
    package.dependencies.iter().map(|to| (package.name.to_string(), to.name.clone()))
}

/// The names of all crates that a build of `package` for WebAssembly links, itself included.
fn linked_for_wasm(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--target", "wasm32-unknown-unknown"])
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).expect("cargo tree prints UTF-8");
    listing.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn edge(from: &str, to: &str) -> Edge {
    (from.to_owned(), to.to_owned())
}

#[test]
fn rooms_know_only_whom_the_house_allows() {
    let edges: Vec<Edge> =
        workspace().workspace_packages().into_iter().flat_map(edges_of).collect();
    assert!(edges.contains(&edge("segue-wasm", "segue-core")), "no edge was read: {edges:?}");
    assert_eq!(forbidden(&edges), Vec::<String>::new());
}

#[test]
fn every_member_is_a_room_of_the_house() {
    for package in workspace().workspace_packages() {
        assert!(
            MAY_KNOW.iter().any(|(room, _)| *room == package.name.as_str()),
            "{}",
            package.name
        );
    }
}

#[test]
fn a_forbidden_edge_is_reported_with_both_of_its_ends() {
    for (from, to) in [
        ("segue-core", "segue-train"),
        ("segue-core", "segue-tests"),
        ("segue-wasm", "segue-serve"),
        ("segue-serve", "segue-train"),
        ("segue-serve", "segue-mine"),
        ("segue-cli", "segue-mine"),
        ("segue-train", "clap"),
        ("segue-serve", "clap_complete"),
        ("segue-cli", "datafusion"),
        ("segue-train", "ballista-core"),
        ("segue-attic", "segue-core"),
    ] {
        let complaints = forbidden(&[edge("segue-cli", "segue-train"), edge(from, to)]);
        assert_eq!(complaints.len(), 1, "{from} → {to}: {complaints:?}");
        assert!(complaints[0].contains(from) && complaints[0].contains(to), "{complaints:?}");
    }
}

#[test]
fn an_allowed_edge_is_not_reported() {
    let edges = [
        edge("segue-wasm", "segue-core"),
        edge("segue-cli", "segue-serve"),
        edge("segue-cli", "clap"),
        edge("segue-mine", "datafusion"),
        edge("segue-core", "libm"),
    ];
    assert_eq!(forbidden(&edges), Vec::<String>::new());
}

#[test]
fn the_engine_links_only_the_crates_on_its_list() {
    let linked = linked_for_wasm("segue-core");
    assert!(linked.contains("segue-core"), "cargo tree printed something else: {linked:?}");
    assert_eq!(strangers(&linked, ENGINE_LINKS), Vec::<&str>::new());
}

#[test]
fn a_crate_that_is_not_on_the_list_is_a_stranger() {
    let linked = ["segue-core", "libm", "getrandom"].map(str::to_owned).into();
    assert_eq!(strangers(&linked, ENGINE_LINKS), ["getrandom"]);
}

#[test]
fn every_room_inherits_the_lints_of_the_workspace() {
    for package in workspace().workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).expect("a member has a manifest");
        assert!(inherits_lints(&manifest), "{} lacks `[lints] workspace = true`", package.name);
    }
}

#[test]
fn a_manifest_with_lints_of_its_own_or_none_does_not_inherit() {
    assert!(inherits_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"));
    for manifest in [
        "[package]\n",
        "[lints]\n",
        "[lints]\nworkspace = false\n",
        "[lints.rust]\nworkspace = true\n",
    ] {
        assert!(!inherits_lints(manifest), "{manifest}");
    }
}

#[test]
fn the_package_numbers_and_names_things_as_the_engine_does() {
    let manifest = include_str!("../pkg/src/manifest.ts");
    let types = include_str!("../pkg/src/types.ts");
    let bench = include_str!("../bench/lib/kinds.mjs");
    let format = format!("const FORMAT = {};", segue_core::manifest::FORMAT);
    let events = listed("KINDS", Kind::ALL.map(Kind::name));
    for (source, line) in [
        (manifest, format),
        (manifest, listed("KINDS", SectionKind::ALL.map(SectionKind::name))),
        (types, events.clone()),
        (types, listed("GROUNDS", Ground::ALL.map(Ground::name))),
        (bench, events),
    ] {
        assert!(source.contains(&line), "the package is to say `{line}`");
    }
}

/// A list of TypeScript, all in one line.
fn listed<const N: usize>(name: &str, items: [&str; N]) -> String {
    format!("const {name} = [\"{}\"]", items.join("\", \""))
}
