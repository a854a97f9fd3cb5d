//! Errors as RFC 9457 problem details.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{borrow::Cow, error::Error};

use crate::{
    access::{Denied, Scope},
    registry::RegistryError,
};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An answer that says what went wrong. It never names a path of this machine.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), header: None }
    }

    /// The same with a header that belongs to it.
    pub(super) fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// The same with another status.
    pub(super) fn but(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Who asks may not, for want of a token with this scope.
    pub(super) fn denied(denied: Denied, scope: Scope) -> Self {
        match denied {
            Denied::Unknown => {
                let detail = "send a token: Authorization: Bearer segue_…";
                Self::new(StatusCode::UNAUTHORIZED, detail)
                    .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Denied::Scope => {
                let detail =
                    format!("this token is for something else: make one with --scope {scope}");
                Self::new(StatusCode::FORBIDDEN, detail)
            }
        }
    }

    /// A failure whose cause is the operator's to read: it goes to the log, not to the caller.
    pub(super) fn internal(error: &dyn Error, detail: &'static str) -> Self {
        tracing::error!("{}", chain(error));
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let detail = match &error {
            RegistryError::Missing(_) => {
                return Self::new(
                    StatusCode::NOT_FOUND,
                    "no blob with this hash was published here",
                );
            }
            RegistryError::Damaged(_) => {
                "the stored blob does not have this hash, so it is withheld; \
                 the server's log names the file"
            }
            RegistryError::Json { .. }
            | RegistryError::Manifest { .. }
            | RegistryError::Distrusted { .. } => {
                "the manifest on the server is damaged or of another format; \
                 the server's log says how"
            }
            _ => "the registry cannot be read; the server's log says why",
        };
        Self::internal(&error, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Without a `type` of its own, the title is that of the status.
        let body = json!({
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let headers = [
            (header::CONTENT_TYPE, MEDIA_TYPE),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (self.status, headers, body.to_string()).into_response();
        response.headers_mut().extend(self.header);
        response
    }
}

/// Gives errors that were answered by a library, such as 405, the form of all others. Headers
/// that belong to the status, such as `Allow`, stay.
pub(super) fn shape(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().get(header::CONTENT_TYPE) == Some(&MEDIA_TYPE) {
        return response;
    }
    let detail = match status {
        StatusCode::NOT_FOUND => "there is nothing at this path",
        StatusCode::METHOD_NOT_ALLOWED => "this path answers GET and HEAD only",
        StatusCode::PRECONDITION_FAILED => "the file is not the one that the condition names",
        StatusCode::RANGE_NOT_SATISFIABLE => "the file does not have this range",
        _ => "the request cannot be answered",
    };
    let (mut parts, _) = response.into_parts();
    let (problem, body): (_, Body) = Problem::new(status, detail).into_response().into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(problem.headers);
    Response::from_parts(parts, body)
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
