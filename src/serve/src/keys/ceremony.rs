//! Making keys and roots: what is done by hand, seldom, and best away from any network.

use segue_core::{
    manifest::{Envelope, MAX_VERSION},
    trust::{Key, Quorum, Role, Roles, Root, Signed, Trust, TrustError},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Keys, KeysError, Secret, answers, crypto::write_public, key_id, read_envelope};

/// What became of a root that was made or signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rooted {
    /// Its version.
    pub version: u64,
    /// Where it is.
    pub path: PathBuf,
    /// Whether enough keys signed it, so that it is the last root now.
    pub complete: bool,
}

/// What is to change in the next root.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// Whose keys change.
    pub role: Role,
    /// Public keys that it is to have; a new one is made here where there are none.
    pub publics: &'a [String],
    /// Whether those that it has stay.
    pub add: bool,
    /// How many it is to take; as before where that is `None`.
    pub threshold: Option<usize>,
}

impl Keys {
    /// Makes a folder with a new secret for each role, and the first root, which expires at `expires` (milliseconds since
    /// the Unix epoch). Where public keys of the `root` role are given, their secrets are elsewhere, and the root is
    /// complete once `threshold` of them have signed it.
    pub fn create(
        dir: &Path,
        root: &[String],
        threshold: usize,
        expires: i64,
    ) -> Result<(Self, Rooted), KeysError> {
        let mut keys = Self::empty(dir)?;
        if !keys.secrets.is_empty() || !keys.roots.is_empty() || keys.next_path().exists() {
            return Err(KeysError::Exists(dir.to_owned()));
        }
        let mut all = Vec::new();
        let of_root = if root.is_empty() { vec![keys.generate()?] } else { root.to_vec() };
        let mut quorum = |publics: &[String], role, threshold| -> Result<Quorum, KeysError> {
            named(&mut all, publics, role, threshold)
        };
        let roles = Roles {
            root: quorum(&of_root, Role::Root, threshold)?,
            release: quorum(&[keys.generate()?], Role::Release, 1)?,
            timestamp: quorum(&[keys.generate()?], Role::Timestamp, 1)?,
        };
        let root = Root { version: 1, expires, keys: all, roles };
        let rooted = keys.propose(&root)?;
        Ok((keys, rooted))
    }

    /// Opens `dir`, making it where it is not there, and refuses one that is in a registry.
    pub fn empty(dir: &Path) -> Result<Self, KeysError> {
        let roots = dir.join("root");
        if let Some(registry) = registry_around(dir) {
            return Err(KeysError::InRegistry { dir: dir.to_owned(), registry });
        }
        fs::create_dir_all(&roots).map_err(KeysError::io("create", &roots))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let private = fs::Permissions::from_mode(0o700);
            fs::set_permissions(dir, private).map_err(KeysError::io("protect", dir))?;
        }
        Self::open(dir)
    }

    /// Makes a secret, and gives its public key.
    pub fn generate(&mut self) -> Result<String, KeysError> {
        let secret = Secret::generate()?;
        secret.write(&self.dir.join(format!("{}.secret", secret.id())))?;
        let public = secret.public();
        self.secrets.push(secret);
        Ok(public)
    }

    /// Makes the next root: the same keys but for `change`, until `expires`.
    pub fn rotate(
        &mut self,
        change: Option<&Change<'_>>,
        expires: i64,
    ) -> Result<Rooted, KeysError> {
        let mut next = self.root()?.clone();
        if next.version == MAX_VERSION {
            return Err(KeysError::Malformed(self.root_path(next.version)));
        }
        next.version += 1;
        next.expires = expires;
        if let Some(change) = change {
            let made = if change.publics.is_empty() { vec![self.generate()?] } else { Vec::new() };
            let mut publics = [change.publics, &made].concat();
            let before = next.quorum(change.role).clone();
            if change.add {
                let kept = before.keys.iter().filter_map(|id| next.public(id).cloned());
                publics.extend(kept);
            }
            let threshold = change.threshold.unwrap_or(before.threshold);
            let quorum = named(&mut next.keys, &publics, change.role, threshold)?;
            match change.role {
                Role::Root => next.roles.root = quorum,
                Role::Release => next.roles.release = quorum,
                Role::Timestamp => next.roles.timestamp = quorum,
            }
            let roles = next.roles.clone();
            let used = [&roles.root, &roles.release, &roles.timestamp];
            next.keys.retain(|key| used.iter().any(|quorum| quorum.keys.contains(&key.id)));
        }
        self.propose(&next)
    }

    /// Signs a root by the secrets that are here, and makes it the last one where that is enough; where it is not, it
    /// waits as `root/next`.
    fn propose(&mut self, root: &Root) -> Result<Rooted, KeysError> {
        let next = self.next_path();
        root.validate().map_err(|source| KeysError::Root { path: next.clone(), source })?;
        let signed = serde_json::to_string(root)
            .map_err(|source| KeysError::Json { path: next.clone(), source })?;
        let mut envelope = Envelope { signed, signatures: Vec::new() };
        self.add_signatures(root, &mut envelope);
        match self.follows(&envelope) {
            Ok(_) => self.adopt(root.clone(), envelope),
            Err(_) => {
                write_envelope(&next, &envelope)?;
                Ok(Rooted { version: root.version, path: next, complete: false })
            }
        }
    }

    /// Adds the signatures of the secrets that are here to the root in `file`. Returns how many it then has.
    pub fn sign_root(&self, file: &Path) -> Result<(Root, usize), KeysError> {
        let mut envelope =
            read_envelope(file)?.ok_or_else(|| KeysError::Malformed(file.to_owned()))?;
        let root = self.parse_root(&envelope).map_err(|error| error.at(file))?;
        if self.add_signatures(&root, &mut envelope) == 0 {
            return Err(KeysError::Stranger(self.dir.clone()));
        }
        write_envelope(file, &envelope)?;
        Ok((root, envelope.signatures.len()))
    }

    /// Takes the root in `file` for the next one, where enough keys signed it.
    pub fn import(&mut self, file: &Path) -> Result<Rooted, KeysError> {
        let envelope = read_envelope(file)?.ok_or_else(|| KeysError::Malformed(file.to_owned()))?;
        let root = self.follows(&envelope).map_err(|error| error.at(file))?;
        self.adopt(root, envelope)
    }

    fn adopt(&mut self, root: Root, envelope: Envelope) -> Result<Rooted, KeysError> {
        let path = self.root_path(root.version);
        write_envelope(&path, &envelope)?;
        // Left behind where it was not the one: it is not looked at.
        let _ = fs::remove_file(self.next_path());
        let rooted = Rooted { version: root.version, path, complete: true };
        self.roots.push((root, envelope));
        Ok(rooted)
    }

    /// Signs by the secrets here that are the root's own or those of the one before. Returns how many that is.
    fn add_signatures(&self, root: &Root, envelope: &mut Envelope) -> usize {
        let before = self.roots.last().map(|(root, _)| root);
        let of = |root: &Root, id: &String| root.quorum(Role::Root).keys.contains(id);
        let mut added = 0;
        for secret in &self.secrets {
            let id = secret.id();
            if of(root, &id) || before.is_some_and(|before| of(before, &id)) {
                envelope.signatures.retain(|signature| signature.key != id);
                envelope.signatures.push(secret.sign(Role::Root, &envelope.signed));
                added += 1;
            }
        }
        added
    }

    fn parse_root(&self, envelope: &Envelope) -> Result<Root, KeysError> {
        let path = self.next_path();
        let root: Root = serde_json::from_str(&envelope.signed)
            .map_err(|source| KeysError::Json { path: path.clone(), source })?;
        root.validate().map_err(|source| KeysError::Root { path, source })?;
        Ok(root)
    }

    /// The root of an envelope, where it follows from the last one as a client sees it. The first is believed for its own
    /// signatures.
    pub(super) fn follows(&self, envelope: &Envelope) -> Result<Root, KeysError> {
        let root = self.parse_root(envelope)?;
        let before = match self.roots.last() {
            Some((last, _)) => vec![believing(last.clone())],
            None => {
                let ids = root.quorum(Role::Root).keys.iter();
                ids.filter_map(|id| Trust::new(root.public(id)?)).collect()
            }
        };
        let seen = self.roots.last().map_or(0, |(last, _)| last.version);
        let mut refused = TrustError::NoRoot;
        for mut trust in before {
            match follow(&mut trust, &root, envelope) {
                Ok(()) if root.version > seen => return Ok(root),
                // What a device has seen already it passes over.
                Ok(()) => {
                    refused = TrustError::Rollback { role: Role::Root, found: root.version, seen };
                }
                // Of the first root, any of its keys may be the one that devices are given.
                Err(TrustError::Anchor) if refused != TrustError::NoRoot => {}
                Err(error) => refused = error,
            }
        }
        Err(KeysError::Root { path: self.next_path(), source: refused })
    }
}

fn believing(root: Root) -> Trust {
    let anchor = String::new();
    Trust { anchor, root: Some(root), timestamp: 0, release: 0, hash: String::new() }
}

fn follow(trust: &mut Trust, root: &Root, envelope: &Envelope) -> Result<(), TrustError> {
    let roots = [Signed { document: root, envelope }];
    let answers = answers(&trust.root_questions(&roots));
    trust.follow(&roots, &answers)
}

/// The keys of a role, which are added to those of the root.
fn named(
    all: &mut Vec<Key>,
    publics: &[String],
    role: Role,
    threshold: usize,
) -> Result<Quorum, KeysError> {
    let mut keys = Vec::new();
    for public in publics {
        let id = key_id(public).ok_or_else(|| KeysError::Public(public.clone()))?;
        if !all.iter().any(|key| key.id == id) {
            all.push(Key { id: id.clone(), public: public.clone() });
        }
        if !keys.contains(&id) {
            keys.push(id);
        }
    }
    if !(1..=keys.len()).contains(&threshold) {
        return Err(KeysError::Threshold { role, keys: keys.len(), threshold });
    }
    Ok(Quorum { keys, threshold })
}

/// The registry that a folder is in, whether it is there yet or not.
pub(super) fn registry_around(dir: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(dir).ok()?;
    let there = whole.ancestors().find_map(|folder| folder.canonicalize().ok())?;
    let is_registry = |folder: &&Path| {
        let holds = |name: &str| folder.join(name).exists();
        folder.join("blob").is_dir() && (holds("manifest") || holds("lock"))
    };
    let mut around = whole.ancestors().chain(there.ancestors());
    around.find(is_registry).map(Path::to_owned)
}

fn write_envelope(path: &Path, envelope: &Envelope) -> Result<(), KeysError> {
    let json = serde_json::to_vec_pretty(envelope)
        .map_err(|source| KeysError::Json { path: path.to_owned(), source })?;
    write_public(path, &[json.as_slice(), b"\n"].concat())
}
