//! `segue doctor`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use segue_serve::{
    access::Tokens,
    intake::check as check_intake,
    keys::Keys,
    lake::{Day, Lake},
    registry::Registry,
};
use serde_json::{Value, json};

use super::{now_ms, signing::until};
use crate::{
    failure::{Done, Failure},
    ui::{Ui, counted, grouped},
};

/// Look whether what a server needs is there and sound.
///
/// Takes the options of `segue serve`, and nothing is changed. Says of each part what it found and, where something is
/// wrong, what to do; fails where anything is.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  segue doctor --registry registry --keys keys --collect intake --lake lake --tokens tokens.json"
)]
pub struct Arguments {
    /// The registry.
    #[arg(long, value_name = "DIR | URL")]
    registry: Option<PathBuf>,
    /// The keys to sign with.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The folder of what is collected.
    #[arg(long, value_name = "DIR")]
    collect: Option<PathBuf>,
    /// The lake.
    #[arg(long, value_name = "DIR | URL")]
    lake: Option<PathBuf>,
    /// The tokens of sites.
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// The folder of pages.
    #[arg(long, value_name = "DIR")]
    www: Option<PathBuf>,
}

/// What was found of one part.
type Found = Result<String, Failure>;

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let Arguments { registry, keys, collect, lake, tokens, www } = arguments;
    let mut all: Vec<(&str, Found)> = vec![("clock", clock())];
    all.extend(registry.as_deref().map(|place| ("registry", of_registry(place))));
    if let Some(dir) = keys {
        all.push(("keys", of_keys(dir, registry.as_deref())));
    }
    all.extend(collect.as_deref().map(|dir| ("intake", of_intake(dir))));
    all.extend(lake.as_deref().map(|place| ("lake", of_lake(place))));
    all.extend(tokens.as_deref().map(|file| ("tokens", of_tokens(file))));
    all.extend(www.as_deref().map(|dir| ("pages", of_pages(dir))));
    let sick = all.iter().filter(|(_, found)| found.is_err()).count();
    let parts: Vec<Value> = all
        .iter()
        .map(|(part, found)| match found {
            Ok(text) => json!({ "part": part, "sound": true, "found": text }),
            Err(failure) => json!({ "part": part, "sound": false, "found": failure.to_string() }),
        })
        .collect();
    let lines = all.iter().map(|(part, found)| match found {
        Ok(text) => format!("✓ {part}: {text}\n"),
        Err(failure) => format!("✗ {part}: {failure}\n"),
    });
    ui.finish(&json!({ "parts": parts, "sound": sick == 0 }), &lines.collect::<String>())?;
    if sick == 0 { Ok(()) } else { Err(format!("{} not sound", counted(sick, "part")).into()) }
}

/// Signatures and events hang on it.
fn clock() -> Found {
    // When this was written: an earlier time is none.
    const LEAST: i64 = 1_790_000_000_000;
    let now = now_ms();
    if now < LEAST {
        return Err("this machine's clock is years behind: set it".to_owned().into());
    }
    Ok(format!("it is {}", Day::of(now)))
}

fn of_registry(place: &Path) -> Found {
    let registry = Registry::open(place)?;
    let Some(in_force) = registry.in_force()? else {
        return Ok("empty: publish a model".into());
    };
    registry.verify()?;
    let signed = match &in_force.timestamp {
        None => "not signed, which is for development".into(),
        Some(timestamp) => {
            let text = format!("its timestamp {}", until(timestamp.expires));
            if timestamp.expires < now_ms() {
                return Err(format!("{text}: `segue refresh`, or serve with --keys").into());
            }
            text
        }
    };
    Ok(format!(
        "version {} is in force and every blob is whole; {signed}",
        in_force.model().version
    ))
}

fn of_keys(dir: &Path, registry: Option<&Path>) -> Found {
    let keys = Keys::open(dir)?;
    let fits = match registry {
        Some(place) => {
            Registry::open(place)?.is_signed_with(&keys)?;
            ", those of the registry"
        }
        None => "",
    };
    Ok(format!("{}{fits}", counted(keys.secrets().len(), "secret key")))
}

fn of_intake(dir: &Path) -> Found {
    if !dir.exists() {
        return Ok("not there yet: it is made when the server starts".into());
    }
    let found = check_intake(dir)?;
    Ok(format!(
        "whole; {} in {} bytes wait for the lake",
        counted(usize::try_from(found.events).unwrap_or(usize::MAX), "event"),
        grouped(usize::try_from(found.bytes).unwrap_or(usize::MAX)),
    ))
}

fn of_lake(place: &Path) -> Found {
    let files = Lake::open(place)?.files(Day::FIRST..=Day::LAST)?;
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let days = files.iter().map(|file| file.partition.day);
    let span = match (days.clone().min(), days.max()) {
        (Some(first), Some(last)) => format!(", from {first} to {last}"),
        _ => String::new(),
    };
    let bytes = grouped(usize::try_from(bytes).unwrap_or(usize::MAX));
    Ok(format!("{} of {bytes} bytes{span}", counted(files.len(), "file")))
}

fn of_tokens(file: &Path) -> Found {
    Ok(counted(Tokens::read(file)?.grants().len(), "token"))
}

fn of_pages(dir: &Path) -> Found {
    let page = dir.join("index.html");
    match fs::metadata(&page) {
        Ok(_) => Ok(format!("{} is there", page.display())),
        Err(error) => Err(Failure::during(format!("cannot read {}", page.display()), error)),
    }
}
