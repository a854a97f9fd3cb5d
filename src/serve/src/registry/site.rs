//! A registry as whoever serves it shows it, over HTTP: to be read, and nothing else.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use reqwest::{Client, Response, StatusCode};
use tokio::runtime::{Builder, Runtime};

use crate::files::{self, Entry, FilesError, Lock, Seen, Store};

/// How long a connection may take, and how long nothing may come.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The files under a URL.
pub(super) struct Site {
    client: Client,
    place: PathBuf,
    base: String,
    runtime: Option<Runtime>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({})", self.base)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // One that waited for its tasks could not be dropped by a task.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Site {
    /// The registry at an `http` or `https` URL, such as `https://example.org/v1/`.
    pub(super) fn open(place: PathBuf, url: &str) -> Result<Self, FilesError> {
        // Of several libraries that speak TLS, the one that is linked; once is enough.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cannot =
            |error: reqwest::Error| FilesError::io("open", &place)(io::Error::other(error));
        let client = Client::builder().connect_timeout(TIMEOUT).read_timeout(TIMEOUT);
        let client = client.build().map_err(cannot)?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = Some(runtime.map_err(FilesError::io("open", &place))?);
        let base = format!("{}/", url.trim_end_matches('/'));
        Ok(Self { client, place, base, runtime })
    }

    fn only_read<T>(&self) -> Result<T, FilesError> {
        Err(FilesError::ReadOnly(self.place.clone()))
    }
}

/// What an answer holds, as far as `limit` bytes; `None` where there is no such file.
async fn body(response: Response, limit: u64) -> io::Result<Option<Vec<u8>>> {
    if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::GONE) {
        return Ok(None);
    }
    let mut response = response.error_for_status().map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(io::Error::other)? {
        bytes.extend_from_slice(&chunk);
        if u64::try_from(bytes.len()).is_ok_and(|read| read > limit) {
            let large = format!("more than {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, large));
        }
    }
    Ok(Some(bytes))
}

impl Store for Site {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Seen>, FilesError> {
        let path = self.place.join(name);
        let Some(runtime) = &self.runtime else { return self.only_read() };
        let request = self.client.get(format!("{}{name}", self.base));
        let read = runtime
            .block_on(async { body(request.send().await.map_err(io::Error::other)?, limit).await });
        let read = read.map_err(FilesError::io("fetch", &path))?;
        Ok(read.map(|bytes| Seen { bytes, tag: None }))
    }

    fn len(&self, name: &str) -> Result<Option<u64>, FilesError> {
        let found = self.read(name, segue_core::manifest::MAX_SECTION_BYTES)?;
        Ok(found.map(|seen| seen.bytes.len() as u64))
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), FilesError> {
        self.only_read()
    }

    fn write_durably(&self, _: &str, _: &[u8]) -> Result<(), FilesError> {
        self.only_read()
    }

    fn swap(&self, _: &str, _: Option<&Seen>, _: &[u8]) -> Result<(), FilesError> {
        self.only_read()
    }

    fn remove(&self, _: &str, _: Option<SystemTime>) -> Result<bool, FilesError> {
        self.only_read()
    }

    /// Nobody tells what there is.
    fn list(&self, _: &str) -> Result<Vec<Entry>, FilesError> {
        Ok(Vec::new())
    }

    fn settle(&self, _: &str) -> Result<(), FilesError> {
        self.only_read()
    }

    fn lock(&self) -> Result<Lock, FilesError> {
        self.only_read()
    }

    fn patience(&self) -> Duration {
        TIMEOUT
    }
}

/// The URL of a site, where a place is one.
pub(super) fn url_of(place: &Path) -> Option<&str> {
    let schemes = ["http://", "https://"];
    files::url_of(place).filter(|url| schemes.iter().any(|scheme| url.starts_with(scheme)))
}
