//! What a request accepts and already has (RFC 9110, sections 12.5.3 and 13.1.2).

use axum::http::{HeaderMap, HeaderValue, header};

use crate::registry::BlobHash;

/// How much a request wants a coding, in thousandths; 0 refuses it.
pub(super) type Weight = u16;

/// Preference for a coding that is accepted without being named.
const LEAST: Weight = 1;
const MOST: Weight = 1000;

/// How much the request wants `coding`; `None` stands for no coding.
pub(super) fn weight(headers: &HeaderMap, coding: Option<&str>) -> Weight {
    let name = coding.unwrap_or("identity");
    let mut wildcard = None;
    for (candidate, weight) in values(headers, &header::ACCEPT_ENCODING).map(element) {
        if candidate.eq_ignore_ascii_case(name) {
            return weight;
        }
        if candidate == "*" {
            wildcard = Some(weight);
        }
    }
    match coding {
        Some(_) => wildcard.unwrap_or(0),
        // No coding is acceptable unless it is refused.
        None => wildcard.map_or(LEAST, |weight| weight.min(LEAST)),
    }
}

/// The tag of a representation: the hash of a blob and, for a coding of it, what its file name
/// ends in. Different bytes never share a tag, so all of ours are strong.
#[expect(clippy::expect_used, reason = "digits, letters, dots and quotes make a header")]
pub(super) fn etag(hash: BlobHash, suffix: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{hash}{suffix}\"")).expect("printable ASCII")
}

/// Whether the request already has the representation tagged `etag`.
pub(super) fn has(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    values(headers, &header::IF_NONE_MATCH).any(|tag| {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || opaque.as_bytes() == etag.as_bytes()
    })
}

/// The elements of a header that is a list. None of our tags holds a comma.
fn values<'a>(
    headers: &'a HeaderMap,
    name: &header::HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Splits `br;q=0.5`. A weight that cannot be read refuses the coding.
fn element(text: &str) -> (&str, Weight) {
    let Some((coding, parameter)) = text.split_once(';') else { return (text, MOST) };
    let parameter = parameter.trim();
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    (coding.trim(), value.and_then(thousandths).unwrap_or(0))
}

/// Reads `1`, `0.25`, `.5` and so on, at most three decimals.
fn thousandths(text: &str) -> Option<Weight> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if decimals.len() > 3 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let whole: Weight = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let decimals: Weight = format!("{decimals:0<3}").parse().ok()?;
    whole.checked_mul(MOST)?.checked_add(decimals).filter(|&weight| weight <= MOST)
}
