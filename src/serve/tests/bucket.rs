//! A registry in a bucket, as object stores are: without a lock, whole objects, conditional puts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use futures_util::stream::BoxStream;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    memory::InMemory, path::Path,
};
use segue_serve::{
    keys::Keys,
    registry::{Collecting, Options, Registry, RegistryError},
};
use std::{
    fmt,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use support::{
    NOW, at, get,
    signed::{DAY, evolving},
};

/// A store in memory that fails at one of its puts, from then on for good: what a publisher that dies leaves.
#[derive(Debug)]
struct Frail {
    objects: Arc<InMemory>,
    puts: AtomicUsize,
    fails_at: usize,
}

impl fmt::Display for Frail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Frail")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Frail {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        if self.puts.fetch_add(1, Ordering::Relaxed) >= self.fails_at {
            return Err(Error::Generic { store: "frail", source: "gone".into() });
        }
        self.objects.put_opts(at, bytes, how).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(at, how).await
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.objects.get_opts(at, how).await
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(at)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, how).await
    }
}

fn bucket(objects: Arc<dyn ObjectStore>) -> Registry {
    Registry::over(objects, "music/v1", "memory://music/v1").unwrap()
}

#[test]
fn a_bucket_is_a_registry_like_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, _) = Keys::create(&folder.path().join("keys"), &[], 1, NOW + 730 * DAY).unwrap();
    let root = &keys.roots()[0].0;
    let anchor = root.public(&root.roles.root.keys[0]).unwrap();
    let options = Options { keys: Some(&keys), ..at(NOW) };
    let registry = bucket(Arc::new(InMemory::new()));
    assert!(registry.in_force().unwrap().is_none());
    for generation in 0..3 {
        let published = registry.publish(&evolving(generation), &options).unwrap();
        assert_eq!(published.version, generation + 1);
    }
    assert!(registry.publish(&evolving(2), &options).is_ok_and(|again| !again.changed));
    registry.verify().unwrap();
    assert_eq!(registry.believe(anchor, NOW).unwrap().release, 3);
    assert_eq!(registry.roll_back(None, &options).unwrap().version, 2);
    assert!(registry.load().unwrap().1.to_file() == evolving(1).to_file());
    let none = registry.collect(&Collecting::default()).unwrap();
    assert_eq!(none.files, 0);
    thread::sleep(Duration::from_millis(5));
    let how = Collecting { keep: 1, grace: Duration::ZERO, dry_run: false };
    assert!(registry.collect(&how).unwrap().files > 0);
    registry.verify().unwrap();
    assert_eq!(registry.believe(anchor, NOW).unwrap().release, 4);
}

#[tokio::test]
async fn a_bucket_is_served() {
    let registry = bucket(Arc::new(InMemory::new()));
    registry.publish(&evolving(0), &at(NOW)).unwrap();
    let routes = support::routes(&registry);
    assert_eq!(get(&routes, "/v1/manifest").await.status, 200);
    let release = registry.release().unwrap().unwrap();
    let hash = &release.models[0].sections[0].hash;
    assert_eq!(get(&routes, &format!("/v1/blob/{hash}")).await.hash(), *hash);
}

#[test]
fn a_publisher_that_dies_anywhere_leaves_the_old_release_in_force_and_the_next_completes_it() {
    let mut fails_at = 0;
    loop {
        let objects = Arc::new(InMemory::new());
        bucket(objects.clone()).publish(&evolving(0), &at(NOW)).unwrap();
        let puts = AtomicUsize::new(0);
        let frail = bucket(Arc::new(Frail { objects: objects.clone(), puts, fails_at }));
        let died = frail.publish(&evolving(1), &at(NOW));
        let sound = bucket(objects);
        let version = sound.verify().unwrap().version;
        if let Ok(published) = died {
            assert_eq!((published.version, version), (2, 2));
            break;
        }
        assert_eq!(version, 1, "after {fails_at} puts");
        let published = sound.publish(&evolving(1), &at(NOW)).unwrap();
        assert_eq!(published.version, 2, "after {fails_at} puts");
        sound.verify().unwrap();
        fails_at += 1;
    }
    assert!(fails_at >= 3, "{fails_at}");
}

#[test]
fn of_publishers_at_once_each_follows_the_one_before_it_and_nothing_is_lost() {
    let objects = Arc::new(InMemory::new());
    bucket(objects.clone()).publish(&evolving(0), &at(NOW)).unwrap();
    let start = Barrier::new(4);
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for worker in 0..4 {
            let (objects, start, done) = (objects.clone(), &start, &done);
            scope.spawn(move || {
                let registry = bucket(objects);
                start.wait();
                for round in 0..4 {
                    let model = evolving(1 + worker * 10 + round);
                    match registry.publish(&model, &at(NOW)) {
                        Ok(_) => done.fetch_add(1, Ordering::Relaxed),
                        Err(RegistryError::Overtaken(_)) => 0,
                        Err(error) => panic!("{error}"),
                    };
                    registry.release().unwrap().unwrap().validate().unwrap();
                }
            });
        }
    });
    let registry = bucket(objects);
    let done = done.into_inner() as u64;
    assert!(done >= 4);
    // Each that was told it published did so with a release of its own.
    assert_eq!(registry.verify().unwrap().version, 1 + done);
}

#[test]
fn a_manifest_that_somebody_else_replaced_is_not_replaced_over_them() {
    let objects = Arc::new(InMemory::new());
    let store: &dyn ObjectStore = &*objects;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let put = |text: &str, mode: PutMode| {
        let at = Path::from("music/v1/manifest");
        runtime.block_on(store.put_opts(&at, PutPayload::from(text.to_owned()), mode.into()))
    };
    put("{}", PutMode::Create).unwrap();
    assert!(matches!(put("{}", PutMode::Create), Err(Error::AlreadyExists { .. })));
    // What is damaged is not published over.
    assert!(bucket(objects.clone()).publish(&evolving(0), &at(NOW)).is_err());
}

#[test]
fn a_place_that_is_neither_a_folder_nor_a_bucket_says_what_to_give() {
    for place in ["ftp://music.example/v1", "gs://music", "://"] {
        let error = Registry::open(place).unwrap_err();
        assert!(error.to_string().contains("s3://bucket/prefix"), "{error}");
    }
}
