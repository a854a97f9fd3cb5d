//! What every verb that changes a registry is told.

use std::path::PathBuf;

use clap::value_parser;
use segue_core::rollout::WHOLE;
use segue_serve::{
    keys::Keys,
    registry::{Expiry, Options, Registry, Released},
};
use serde_json::{Value, json};

use super::{now_ms, shown};
use crate::failure::Failure;

const DAY_MS: i64 = 86_400_000;

/// `--registry`, and what to sign with.
#[derive(clap::Args)]
pub struct Signing {
    /// The registry: a folder, or a URL such as s3://bucket/prefix, with the usual AWS_* variables.
    #[arg(long, value_name = "DIR | URL")]
    registry: PathBuf,
    /// The folder of the keys to sign with, which `segue keys` makes; a registry that is signed
    /// stays so.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Days until devices no longer believe the release.
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    #[arg(value_parser = value_parser!(u16).range(1..))]
    expires: u16,
    /// Days until devices no longer believe that there is no later one, unless it is refreshed.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    #[arg(value_parser = value_parser!(u16).range(1..))]
    timestamp_expires: u16,
}

impl Signing {
    /// The registry, which is made where it is not there.
    pub fn create(&self) -> Result<Registry, Failure> {
        Ok(Registry::create(&self.registry)?)
    }

    /// The registry, which must be there.
    pub fn open(&self) -> Result<Registry, Failure> {
        Ok(Registry::open(&self.registry)?)
    }

    /// As the person wrote it.
    pub fn place(&self) -> String {
        shown(&self.registry)
    }

    /// The keys, where there are to be some.
    pub fn keys(&self) -> Result<Option<Keys>, Failure> {
        Ok(self.keys.as_ref().map(Keys::open).transpose()?)
    }

    /// How to change the registry now.
    pub fn options<'a>(&self, keys: Option<&'a Keys>) -> Options<'a> {
        let expiry = Expiry {
            release_ms: i64::from(self.expires) * DAY_MS,
            timestamp_ms: i64::from(self.timestamp_expires) * DAY_MS,
        };
        Options { keys, expiry, ..Options::at(now_ms()) }
    }
}

/// A share of devices from percent, at most two decimals.
pub fn share(text: &str) -> Result<u16, String> {
    let percent: f64 = text.parse().map_err(|_| "give a number of percent".to_owned())?;
    let share = percent * f64::from(WHOLE) / 100.0;
    if (0.0..=f64::from(WHOLE)).contains(&share) && (share - share.round()).abs() < 1e-6 {
        // Rounded, and within 0 and 10,000.
        Ok(share.round() as u16)
    } else {
        Err("give 0 to 100 percent, with at most two decimals".into())
    }
}

/// A share for a person.
pub fn percent(share: u16) -> String {
    format!("{}%", f64::from(share) * 100.0 / f64::from(WHOLE))
}

/// What is in force after a change, for a machine and for a person.
pub fn told(released: &Released, place: &str) -> (Value, String) {
    let Released { release, version, candidate, changed, expires } = released;
    let candidate_json =
        candidate.map(|(version, share)| json!({ "version": version, "share": share }));
    let json = json!({
        "release": release,
        "version": version,
        "candidate": candidate_json,
        "changed": changed,
        "timestamp_expires": expires,
        "registry": place,
    });
    let beside = candidate.map(|(version, share)| {
        format!(", and version {version} for {} of devices", percent(share))
    });
    let text = format!(
        "version {version} is in force in {place}{}, by release {release}",
        beside.unwrap_or_default()
    );
    (json, text)
}

/// When something expires, for a person.
pub fn until(expires: i64) -> String {
    let left = expires.saturating_sub(now_ms());
    let days = left.unsigned_abs() / DAY_MS.unsigned_abs();
    match (left > 0, days) {
        (true, 0) => "expires within a day".into(),
        (true, days) => format!("expires in {days} days"),
        (false, days) => format!("expired {days} days ago"),
    }
}
