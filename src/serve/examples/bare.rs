//! scratch
use axum::{Router, body::Bytes, routing::get, serve::ListenerExt};
fn main() {
    let a = Bytes::from(std::fs::read("/tmp/sv/a").unwrap());
    let b = Bytes::from(std::fs::read("/tmp/sv/b").unwrap());
    let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    rt.block_on(async {
        let l = tokio::net::TcpListener::bind("127.0.0.1:8797").await.unwrap().tap_io(|s| {
            let _ = s.set_nodelay(true);
        });
        let pa = "/v1/blob/".to_string() + &segue_serve::registry::BlobHash::of(&a).to_string();
        let pb = "/v1/blob/".to_string() + &segue_serve::registry::BlobHash::of(&b).to_string();
        let app = Router::new()
            .route(&pa, get(async move || a.clone()))
            .route(&pb, get(async move || b.clone()));
        axum::serve(l, app).await.unwrap();
    });
}
