//! Files that are the objects under a prefix of a bucket: S3, or whatever speaks like it.
//!
//! Objects are put whole or not at all. One is swapped on the condition that it is still the one that was read
//! (`If-Match`, `If-None-Match: *`), so that of two who do so at once one is told to begin again: no lock is needed,
//! and none could be relied upon.
//!
//! Where and with what is told by the URL, `s3://bucket/prefix`, and by the environment that other tools of S3 go by:
//! `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, and for a service that is not
//! Amazon's `AWS_ENDPOINT_URL` (with `AWS_ALLOW_HTTP=true` where that is not `https`).

use futures_util::TryStreamExt;
use object_store::{
    Error, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion,
    aws::AmazonS3Builder, path::Path,
};
use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, mpsc},
    time::{Duration, SystemTime},
};
use tokio::runtime::{Builder, Runtime};

use super::{Entry, FilesError, Lock, Seen, Store};

/// How long what was read is told as what is there: each look is a request that is paid for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A bucket's objects under a prefix.
pub(crate) struct Bucket {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    place: PathBuf,
    /// Callers are not asynchronous, or are where they may wait.
    runtime: Option<Runtime>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.place.display())
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // One that waited for its tasks could not be dropped by a task.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Bucket {
    /// Opens the bucket of a URL. Whether it is there and may be read is only seen when it is.
    pub(crate) fn open(place: PathBuf, url: &str) -> Result<Self, FilesError> {
        let Some(rest) = url.strip_prefix("s3://") else {
            return Err(FilesError::Scheme(place));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        // Of several libraries that speak TLS, the one that is linked; once is enough.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let objects = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
        let objects = objects.map_err(|error| cannot("open", &place, error))?;
        Self::over(Arc::new(objects), prefix, place)
    }

    /// The objects of any store.
    pub(crate) fn over(
        objects: Arc<dyn ObjectStore>,
        prefix: &str,
        place: PathBuf,
    ) -> Result<Self, FilesError> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = Some(runtime.map_err(FilesError::io("open", &place))?);
        let prefix = Path::from(prefix);
        Ok(Self { objects, prefix, place, runtime })
    }

    fn at(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Does something with the objects, and waits for it.
    fn wait<T, F>(&self, work: impl FnOnce(Arc<dyn ObjectStore>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let gone =
            || Error::NotImplemented { operation: "a task".into(), implementer: "S3".into() };
        let (done, wait) = mpsc::sync_channel(1);
        let work = work(self.objects.clone());
        self.runtime.as_ref().ok_or_else(gone)?.spawn(async move {
            // Whoever waits does so until this.
            let _ = done.send(work.await);
        });
        wait.recv().map_err(|_| gone())?
    }

    fn put(&self, name: &str, bytes: &[u8], mode: PutMode) -> Result<(), Error> {
        let (at, payload) = (self.at(name), PutPayload::from(bytes.to_vec()));
        self.wait(async move |objects: Arc<dyn ObjectStore>| {
            objects.put_opts(&at, payload, mode.into()).await.map(|_| ())
        })
    }
}

impl Store for Bucket {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Seen>, FilesError> {
        let at = self.at(name);
        let read = self.wait(async move |objects: Arc<dyn ObjectStore>| {
            let found = objects.get_opts(&at, GetOptions::default()).await?;
            if found.meta.size > limit {
                return Ok(None);
            }
            let tag = found.meta.e_tag.clone();
            Ok(Some(Seen { bytes: found.bytes().await?.to_vec(), tag }))
        });
        match read {
            Ok(Some(seen)) => Ok(Some(seen)),
            Ok(None) => {
                let large = format!("more than {limit} bytes");
                let large = io::Error::new(io::ErrorKind::FileTooLarge, large);
                Err(FilesError::io("read", &self.path(name))(large))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(cannot("read", &self.path(name), error)),
        }
    }

    fn len(&self, name: &str) -> Result<Option<u64>, FilesError> {
        let at = self.at(name);
        match self.wait(async move |objects: Arc<dyn ObjectStore>| objects.head(&at).await) {
            Ok(meta) => Ok(Some(meta.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(cannot("look at", &self.path(name), error)),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        let put = self.put(name, bytes, PutMode::Overwrite);
        put.map_err(|error| cannot("write", &self.path(name), error))
    }

    fn write_durably(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        self.write(name, bytes)
    }

    fn swap(&self, name: &str, seen: Option<&Seen>, bytes: &[u8]) -> Result<(), FilesError> {
        let mode = seen.map_or(PutMode::Create, |seen| {
            PutMode::Update(UpdateVersion { e_tag: seen.tag.clone(), version: None })
        });
        match self.put(name, bytes, mode) {
            Ok(()) => Ok(()),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                Err(FilesError::Overtaken(self.path(name)))
            }
            Err(error) => Err(cannot("replace", &self.path(name), error)),
        }
    }

    fn remove(&self, name: &str, before: Option<SystemTime>) -> Result<bool, FilesError> {
        let at = self.at(name);
        let removed = self.wait(async move |objects: Arc<dyn ObjectStore>| {
            let modified = SystemTime::from(objects.head(&at).await?.last_modified);
            if before.is_some_and(|before| modified > before) {
                return Ok(false);
            }
            objects.delete(&at).await.map(|()| true)
        });
        match removed {
            Err(Error::NotFound { .. }) => Ok(false),
            other => other.map_err(|error| cannot("remove", &self.path(name), error)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, FilesError> {
        let at = self.at(folder);
        let listed = self.wait(async move |objects: Arc<dyn ObjectStore>| {
            objects.list(Some(&at)).try_collect::<Vec<_>>().await
        });
        let listed = listed.map_err(|error| cannot("list", &self.path(folder), error))?;
        let at = self.at(folder);
        let entry = |meta: object_store::ObjectMeta| {
            let parts = meta.location.prefix_match(&at)?;
            let name = parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
            let modified = SystemTime::from(meta.last_modified);
            Some(Entry { name, bytes: meta.size, modified })
        };
        Ok(listed.into_iter().filter_map(entry).collect())
    }

    /// An object that was put is durable.
    fn settle(&self, _: &str) -> Result<(), FilesError> {
        Ok(())
    }

    fn lock(&self) -> Result<Lock, FilesError> {
        Ok(Lock(None))
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }
}

fn cannot(action: &'static str, path: &std::path::Path, error: Error) -> FilesError {
    FilesError::io(action, path)(io::Error::other(error))
}
