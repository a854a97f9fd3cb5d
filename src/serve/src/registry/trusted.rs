//! Whether what is in a registry is signed by whom it should be.

use segue_core::{
    manifest::Envelope,
    trust::{Question, Role, Root, Shown, Signed, Trust, TrustError},
};
use std::collections::BTreeSet;

use super::{BlobHash, InForce, Registry, RegistryError, read::from_json, root_name};
use crate::keys::{Keys, answers};

/// The names of the keys that signed a document as one of a role, each verified.
pub(super) fn signers<'a>(root: &'a Root, role: Role, envelope: &Envelope) -> BTreeSet<&'a str> {
    let quorum = root.quorum(role).keys.iter();
    let signed = |id: &&'a String| {
        let Some(public) = root.public(id) else { return false };
        envelope.signatures.iter().filter(|signature| signature.key == **id).any(|signature| {
            answers(&[Question::new(role, &envelope.signed, public, &signature.sig)])[0]
        })
    };
    quorum.filter(signed).map(String::as_str).collect()
}

/// Whether enough of a role's keys signed a document.
pub(super) fn vouches(root: &Root, role: Role, envelope: &Envelope) -> bool {
    signers(root, role, envelope).len() >= root.quorum(role).threshold
}

impl Registry {
    /// Whether what is in force may be signed again: the root that it names is one of these keys' roots, and that root's
    /// keys signed it. `false` where it is not signed at all; an error where it is signed by others.
    pub(super) fn is_vouched(
        &self,
        in_force: &InForce,
        keys: &Keys,
    ) -> Result<bool, RegistryError> {
        let InForce { manifest, root, timestamp, .. } = in_force;
        let (Some(envelope), Some(root), Some(timestamp), Some(stamped)) =
            (&manifest.root, root, timestamp, &manifest.timestamp)
        else {
            return Ok(false);
        };
        let other = || RegistryError::OtherKeys {
            place: self.dir().to_owned(),
            keys: keys.dir().to_owned(),
            root: root.version,
        };
        let root = keys.same_root(root.version, envelope).ok_or_else(other)?;
        let refused = |source| RegistryError::Distrusted { path: self.manifest_path(), source };
        for (role, envelope) in [(Role::Timestamp, stamped), (Role::Release, &manifest.release)] {
            if !vouches(root, role, envelope) {
                return Err(refused(TrustError::Signatures {
                    role,
                    version: in_force.release.version,
                    found: signers(root, role, envelope).len(),
                    threshold: root.quorum(role).threshold,
                }));
            }
        }
        let hash = BlobHash::of(manifest.release.signed.as_bytes()).to_string();
        if timestamp.release.hash == hash { Ok(true) } else { Err(refused(TrustError::Mixed)) }
    }

    /// Whether what is in force, if anything, may be signed again with these keys; an error says why not.
    pub fn is_signed_with(&self, keys: &Keys) -> Result<(), RegistryError> {
        match self.in_force()? {
            Some(in_force) if !self.is_vouched(&in_force, keys)? => {
                Err(RegistryError::Unsigned(self.dir().to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Looks at what is in force as a device does that was given `public`, a public key of 64 hexadecimal digits, and
    /// knows nothing else. Returns what it then believes; an error says what it refuses.
    pub fn believe(&self, public: &str, now_ms: i64) -> Result<Trust, RegistryError> {
        let in_force = self.some_in_force()?;
        let path = self.manifest_path();
        let refused = |source| RegistryError::Distrusted { path: path.clone(), source };
        let mut trust = Trust::new(public).ok_or_else(|| refused(TrustError::Anchor))?;
        let last = in_force.root.as_ref().map_or(0, |root| root.version);
        let mut roots = Vec::new();
        for version in 1..=last {
            if let Some(json) = self.root_file(version)? {
                let path = self.path(&root_name(version));
                let envelope: Envelope = from_json(&path, &json)?;
                roots.push((self.parse_root(&path, &envelope)?, envelope));
            }
        }
        let roots: Vec<Signed<'_, Root>> =
            roots.iter().map(|(document, envelope)| Signed { document, envelope }).collect();
        let stamped = in_force.timestamp.as_ref().zip(in_force.manifest.timestamp.as_ref());
        let release = &in_force.manifest.release;
        let shown = Shown {
            roots: &roots,
            timestamp: stamped.map(|(document, envelope)| Signed { document, envelope }),
            release: Signed { document: &in_force.release, envelope: release },
            hash: &BlobHash::of(release.signed.as_bytes()).to_string(),
        };
        let fresh = trust.clone();
        let answers = answers(&fresh.questions(&shown));
        trust.advance(&shown, &answers, now_ms).map_err(refused)?;
        Ok(trust)
    }

    /// The names of the keys by which the release and the timestamp in force are signed, each verified by the root that
    /// the manifest names. Whether that root is to be believed is for [`Self::believe`] to say.
    pub fn signed_by(&self, in_force: &InForce) -> [Vec<String>; 2] {
        let names = |role, envelope: Option<&Envelope>| {
            let both = in_force.root.as_ref().zip(envelope);
            let names = both.map(|(root, envelope)| signers(root, role, envelope));
            names.unwrap_or_default().into_iter().map(str::to_owned).collect()
        };
        let manifest = &in_force.manifest;
        [
            names(Role::Release, Some(&manifest.release)),
            names(Role::Timestamp, manifest.timestamp.as_ref()),
        ]
    }
}
