//! scratch
#[path = "../tests/support/mod.rs"]
mod support;
use segue_serve::*;
use std::time::Instant;
fn main() {
    let start = Instant::now();
    let args: Vec<String> = std::env::args().collect();
    let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    rt.block_on(serve(
        Config {
            registry: args[1].clone().into(),
            listen: "127.0.0.1:8799".parse().unwrap(),
            www: Some(args[2].clone().into()),
            cache_bytes: DEFAULT_CACHE_BYTES,
        },
        move |a| eprintln!("ready {a} after {:?}", start.elapsed()),
        std::future::pending(),
    ))
    .unwrap();
}
