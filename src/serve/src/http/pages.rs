//! Files of a folder: the player, and the package that it loads.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{io::ErrorKind, path::Path};
use tower_http::services::ServeDir;

use super::problem::Problem;

/// Serves the files of `folder`: `index.html` for a folder, a `.br` beside a file to whoever
/// accepts Brotli.
pub(super) fn files(folder: &Path) -> ServeDir {
    ServeDir::new(folder).precompressed_br().ignore_multi_range_requests(true)
}

/// Answers with a file. A browser asks again each time whether it changed: the files of a page
/// belong together, and a stale one among them could break it.
pub(super) async fn page(State(mut files): State<ServeDir>, request: Request) -> Response {
    match files.try_call(request).await {
        Ok(mut response) => {
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response.into_response()
        }
        Err(error) => match error.kind() {
            ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidFilename => StatusCode::NOT_FOUND.into_response(),
            _ => Problem::internal(&error, "the file cannot be read; the server's log says why")
                .into_response(),
        },
    }
}
