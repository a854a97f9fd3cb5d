//! Changing what is in force without a new model: shares of devices, the way back, and another week.

use segue_core::{
    manifest::{ModelRef, Release},
    rollout::WHOLE,
    trust::Role,
};

use super::{InForce, Options, Registry, RegistryError, change::Before, trusted::vouches};
use crate::keys::{Keys, KeysError};

/// What is in force after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The version of the release.
    pub release: u64,
    /// The version of the model of all devices.
    pub version: u64,
    /// The candidate and its share, where there is one.
    pub candidate: Option<(u64, u16)>,
    /// Whether that is another release than before.
    pub changed: bool,
    /// Until when the timestamp is believed, in milliseconds since the Unix epoch, where there is one.
    pub expires: Option<i64>,
}

impl Registry {
    /// Gives the candidate another share of devices, in ten-thousandths: all of them put it into force for all, none
    /// withdraws it.
    pub fn roll_out(&self, share: u16, options: &Options<'_>) -> Result<Released, RegistryError> {
        self.attempt(|| {
            let before = self.begin(options)?;
            let base = self.base(&before)?;
            let [all, candidate] = base.release.models.as_slice() else {
                return Err(RegistryError::NoCandidate(self.place.clone()));
            };
            let models = match share {
                0 => vec![all.clone()],
                share if share >= WHOLE => vec![ModelRef { share: None, ..candidate.clone() }],
                share => vec![all.clone(), ModelRef { share: Some(share), ..candidate.clone() }],
            };
            self.change(&before, models, options)
        })
    }

    /// Puts an earlier model into force again, for all devices, with a new release: of version `to`, or the last one before
    /// that which is in force; where there is a candidate and `to` is `None`, that is withdrawn.
    pub fn roll_back(
        &self,
        to: Option<u64>,
        options: &Options<'_>,
    ) -> Result<Released, RegistryError> {
        self.attempt(|| {
            let before = self.begin(options)?;
            let base = self.base(&before)?;
            if let (None, [all, _]) = (to, base.release.models.as_slice()) {
                return self.change(&before, vec![all.clone()], options);
            }
            let target = self.earlier_model(base, to, options)?;
            let model = self.load_model(&target)?;
            let bare = ModelRef { share: None, deltas: Vec::new(), ..target };
            let (entry, deltas) = self.with_deltas(&before, bare, &model, options)?;
            self.write_new(&before, &deltas)?;
            self.change(&before, vec![entry], options)
        })
    }

    /// Signs the timestamp anew, so that devices go on believing what is in force; and the release too, where the keys
    /// have changed or it is past half of its time.
    pub fn refresh(&self, options: &Options<'_>) -> Result<Released, RegistryError> {
        if options.keys.is_none() {
            return Err(RegistryError::NeedsKeys(self.place.clone()));
        }
        self.attempt(|| {
            let before = self.begin(options)?;
            self.renew(&before, options)
        })
    }

    /// [`Self::refresh`], where half of the timestamp's time is over. Returns whether it was.
    pub fn refresh_if_due(&self, options: &Options<'_>) -> Result<bool, RegistryError> {
        let due = self.in_force()?.is_some_and(|found| is_due(&found, options));
        if due {
            self.refresh(options)?;
        }
        Ok(due)
    }

    /// The same in the course of a change.
    pub(super) fn refresh_where_due(
        &self,
        before: &Before,
        options: &Options<'_>,
    ) -> Result<(), RegistryError> {
        if options.keys.is_some() && before.base().is_some_and(|base| is_due(base, options)) {
            self.renew(before, options)?;
        }
        Ok(())
    }

    fn renew(&self, before: &Before, options: &Options<'_>) -> Result<Released, RegistryError> {
        let base = self.base(before)?;
        if self.is_stale(base, options) {
            let signed = self.change(before, base.release.models.clone(), options);
            let root = options.keys.map(Keys::root).transpose()?;
            let vouched =
                root.is_some_and(|root| vouches(root, Role::Release, &base.manifest.release));
            match signed {
                // Where the timestamp's key alone is, there is time yet for whoever has that of the release.
                Err(RegistryError::Keys(KeysError::TooFew { .. })) if vouched => {}
                signed => return signed,
            }
        }
        self.put_signed(before, base.manifest.release.clone(), options)?;
        Ok(released(&base.release, false, options))
    }

    fn change(
        &self,
        before: &Before,
        models: Vec<ModelRef>,
        options: &Options<'_>,
    ) -> Result<Released, RegistryError> {
        let release = self.release_of(self.next_version(before)?, models, options);
        self.put(before, &release, options)?;
        Ok(released(&release, true, options))
    }

    /// What is in force, to be signed again.
    fn base<'a>(&self, before: &'a Before) -> Result<&'a InForce, RegistryError> {
        if before.in_force.is_none() {
            return Err(RegistryError::Empty(self.place.clone()));
        }
        before.base().ok_or_else(|| RegistryError::Unsigned(self.place.clone()))
    }

    /// The model of version `to`, or the latest before the one in force, of a release that was signed as it should be.
    fn earlier_model(
        &self,
        base: &InForce,
        to: Option<u64>,
        options: &Options<'_>,
    ) -> Result<ModelRef, RegistryError> {
        let here = base.model().version;
        let wanted = |model: &ModelRef| match to {
            Some(to) => model.version == to && to != here,
            None => model.version < here,
        };
        let root = options.keys.map(Keys::root).transpose()?;
        let mut found: Option<ModelRef> = None;
        for version in self.archive()? {
            if version >= base.release.version {
                continue;
            }
            let Some((envelope, release)) = self.archived(version)? else { continue };
            // Others may have put it there.
            if root.is_some_and(|root| !vouches(root, Role::Release, &envelope)) {
                continue;
            }
            let better = |model: &ModelRef| {
                wanted(model) && found.as_ref().is_none_or(|found| found.version < model.version)
            };
            // A candidate was not for all, unless that is what is asked for.
            let candidates = if to.is_some() { 2 } else { 1 };
            if let Some(model) = release.models.into_iter().take(candidates).find(better) {
                found = Some(model);
            }
        }
        found.ok_or_else(|| RegistryError::NoEarlier { place: self.place.clone(), to })
    }
}

fn is_due(in_force: &InForce, options: &Options<'_>) -> bool {
    let due = |expires| options.is_due(expires, options.expiry.timestamp_ms);
    in_force.timestamp.as_ref().is_some_and(|timestamp| due(timestamp.expires))
}

fn released(release: &Release, changed: bool, options: &Options<'_>) -> Released {
    let candidate = release.models.get(1);
    Released {
        release: release.version,
        version: release.models[0].version,
        candidate: candidate.and_then(|model| Some((model.version, model.share?))),
        changed,
        expires: options.keys.map(|_| options.now_ms.saturating_add(options.expiry.timestamp_ms)),
    }
}
