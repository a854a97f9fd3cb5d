//! `segue keys`.

use std::path::{Path, PathBuf};

use clap::{Subcommand, value_parser};
use segue_core::trust::Role;
use segue_serve::keys::{Change, Keys, KeysError, Rooted, public_key};
use serde_json::{Value, json};

use super::{now_ms, shown, signing::until};
use crate::{
    failure::{Done, Failure},
    ui::{Ui, counted},
};

/// Make and keep the keys that a registry is signed with.
///
/// Three roles sign: `root` says whose keys are whose and best lies on a machine without a network;
/// `release` says which models are in force; `timestamp` says that there is no later one, and is
/// used wherever the registry is kept fresh.
#[derive(Subcommand)]
pub enum Verb {
    /// Make keys of all roles and the root that names them.
    ///
    /// Prints the public key that devices are to be given. With --root-key, keys of the root are
    /// those given, whose secrets are elsewhere: the root then waits in root/next until enough of
    /// them signed it.
    #[command(after_help = "Examples:\n  segue keys new --keys keys\n  \
                            segue keys new --keys keys --root-key 8c2d… --root-key 41f0… --threshold 2")]
    New {
        #[command(flatten)]
        folder: Folder,
        /// A public key of the root, as `segue keys generate` prints it; may be given several times.
        #[arg(long, value_name = "PUBLIC", value_parser = public)]
        root_key: Vec<String>,
        /// How many of the root's keys must sign.
        #[arg(long, value_name = "N", default_value_t = 1)]
        threshold: usize,
        #[command(flatten)]
        lifetime: Lifetime,
    },
    /// Make one secret, and print its public key.
    #[command(after_help = "Example:\n  segue keys generate --keys offline")]
    Generate {
        #[command(flatten)]
        folder: Folder,
    },
    /// Say which keys there are, whose they are, and which of their secrets are here.
    #[command(after_help = "Example:\n  segue keys list --keys keys")]
    List {
        #[command(flatten)]
        folder: Folder,
    },
    /// Make the next root, in which a role has other keys.
    ///
    /// The role then has a new key, made here, or those given, in the place of those that it had or,
    /// with --add, beside them. What devices saw of a role is forgotten where it loses a key, which
    /// is how to recover from one that was stolen. Publish or refresh afterwards.
    #[command(after_help = "Examples:\n  segue keys rotate --keys keys --role timestamp\n  \
                            segue keys rotate --keys keys --role root --add --key 8c2d… --threshold 2")]
    Rotate {
        #[command(flatten)]
        folder: Folder,
        /// Whose keys change.
        #[arg(long, value_parser = ["root", "release", "timestamp"])]
        role: String,
        /// A public key that it is to have; may be given several times.
        #[arg(long, value_name = "PUBLIC", value_parser = public)]
        key: Vec<String>,
        /// Keep the keys that it has.
        #[arg(long)]
        add: bool,
        /// How many of its keys must sign; as before where it is not given.
        #[arg(long, value_name = "N")]
        threshold: Option<usize>,
        #[command(flatten)]
        lifetime: Lifetime,
    },
    /// Make the next root with the same keys, to be believed for longer.
    #[command(after_help = "Example:\n  segue keys renew --keys keys")]
    Renew {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        lifetime: Lifetime,
    },
    /// Sign a root that waits for signatures, in its file.
    ///
    /// Carry root/next of the folder that it waits in to where the root's secrets are, sign it
    /// there, carry it back and import it.
    #[command(after_help = "Example:\n  segue keys sign-root next --keys offline")]
    SignRoot {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        folder: Folder,
    },
    /// Take a root for the next one, where enough keys signed it.
    #[command(after_help = "Example:\n  segue keys import next --keys keys")]
    Import {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        folder: Folder,
    },
}

/// `--keys`.
#[derive(clap::Args)]
pub struct Folder {
    /// The folder of keys, outside of any registry.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
}

/// `--expires`.
#[derive(clap::Args)]
pub struct Lifetime {
    /// Days until devices no longer believe the root, unless another follows.
    #[arg(long, value_name = "DAYS", default_value_t = 730)]
    #[arg(value_parser = value_parser!(u16).range(1..))]
    expires: u16,
}

impl Lifetime {
    fn end(&self) -> i64 {
        now_ms().saturating_add(i64::from(self.expires) * 86_400_000)
    }
}

pub fn run(verb: &Verb, ui: &Ui) -> Done {
    match verb {
        Verb::New { folder, root_key, threshold, lifetime } => {
            let (keys, rooted) = Keys::create(&folder.keys, root_key, *threshold, lifetime.end())?;
            let public = match keys.root() {
                Ok(root) => root.quorum(Role::Root).keys.first().and_then(|id| root.public(id)),
                Err(_) => root_key.first(),
            };
            let public = public.cloned().unwrap_or_default();
            let (mut json, text) = made(&rooted, &folder.keys);
            json["public_key"] = public.clone().into();
            ui.finish(&json, &format!("{text}\ndevices are to be given the public key {public}"))
        }
        Verb::Generate { folder } => {
            let public = Keys::empty(&folder.keys)?.generate()?;
            ui.finish(&json!({ "public_key": public, "keys": shown(&folder.keys) }), &public)
        }
        Verb::List { folder } => list(&folder.keys, ui),
        Verb::Rotate { folder, role, key, add, threshold, lifetime } => {
            let role = Role::ALL.into_iter().find(|known| known.name() == role);
            let role = role.ok_or_else(|| Failure::from("there is no such role"))?;
            let change = Change { role, publics: key, add: *add, threshold: *threshold };
            next(&folder.keys, Some(&change), lifetime, ui)
        }
        Verb::Renew { folder, lifetime } => next(&folder.keys, None, lifetime, ui),
        Verb::SignRoot { file, folder } => {
            let (root, signatures) = Keys::open(&folder.keys)?.sign_root(file)?;
            let (version, file) = (root.version, shown(file));
            ui.finish(
                &json!({ "version": version, "signatures": signatures, "file": file }),
                &format!("root {version} in {file} has {}", counted(signatures, "signature")),
            )
        }
        Verb::Import { file, folder } => {
            let rooted = Keys::empty(&folder.keys)?.import(file)?;
            let (json, text) = made(&rooted, &folder.keys);
            ui.finish(&json, &text)
        }
    }
}

fn next(dir: &Path, change: Option<&Change<'_>>, lifetime: &Lifetime, ui: &Ui) -> Done {
    let rooted = Keys::open(dir)?.rotate(change, lifetime.end())?;
    let (json, text) = made(&rooted, dir);
    ui.finish(&json, &text)
}

fn made(rooted: &Rooted, dir: &Path) -> (Value, String) {
    let Rooted { version, path, complete } = rooted;
    let (path, dir) = (shown(path), shown(dir));
    let json = json!({ "root": version, "file": path, "complete": complete, "keys": dir });
    let text = if *complete {
        format!(
            "root {version} is in {path}; keep the secrets in {dir}, and a copy of them elsewhere"
        )
    } else {
        format!(
            "root {version} waits in {path} for more signatures: `segue keys sign-root` it where the \
             root's secrets are, then `segue keys import` it here"
        )
    };
    (json, text)
}

fn list(dir: &Path, ui: &Ui) -> Done {
    let keys = Keys::open(dir)?;
    let here = |id: &str| keys.secrets().iter().any(|secret| secret.id() == id);
    let root = match keys.root() {
        Ok(root) => root,
        Err(error @ KeysError::NoRoot(_)) if keys.secrets().is_empty() => return Err(error.into()),
        // A machine that only signs roots.
        Err(_) => return bare(&keys, ui),
    };
    // Devices begin with the first root.
    let first = keys.roots().first().map_or(root, |(root, _)| root);
    let devices = first.quorum(Role::Root).keys.first().and_then(|id| first.public(id));
    let mut text = format!("root {}, {}\n", root.version, until(root.expires));
    if let Some(public) = devices.filter(|_| first.version == 1) {
        text += &format!("public key for devices: {public}\n");
    }
    let mut roles = serde_json::Map::new();
    for role in Role::ALL {
        let quorum = root.quorum(role);
        text += &format!("{}: {} of {}\n", role.name(), quorum.threshold, quorum.keys.len());
        let each: Vec<Value> = quorum
            .keys
            .iter()
            .map(|id| {
                let public = root.public(id).cloned().unwrap_or_default();
                let secret = if here(id) { "secret here" } else { "secret elsewhere" };
                text += &format!("  {id}  {public}  {secret}\n");
                json!({ "key": id, "public": public, "secret": here(id) })
            })
            .collect();
        roles.insert(role.name().into(), json!({ "threshold": quorum.threshold, "keys": each }));
    }
    let json = json!({
        "root": root.version,
        "expires": root.expires,
        "public_key": devices.filter(|_| first.version == 1),
        "roles": roles,
        "keys": shown(keys.dir()),
    });
    ui.finish(&json, &text)
}

/// Of a folder that has secrets and no root.
fn bare(keys: &Keys, ui: &Ui) -> Done {
    let all: Vec<[String; 2]> =
        keys.secrets().iter().map(|secret| [secret.id(), secret.public()]).collect();
    let text: String =
        all.iter().map(|[id, public]| format!("{id}  {public}  secret here\n")).collect();
    let each: Vec<Value> =
        all.iter().map(|[id, public]| json!({ "key": id, "public": public })).collect();
    let json = json!({ "root": null, "secrets": each, "keys": shown(keys.dir()) });
    ui.finish(&json, &format!("no root is here\n{text}"))
}

fn public(text: &str) -> Result<String, String> {
    public_key(text).ok_or_else(|| "give the 64 hexadecimal digits of a public key".into())
}
