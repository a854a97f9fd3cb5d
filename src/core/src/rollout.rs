//! Which devices try a candidate first.
//!
//! A device lies in one of [`WHOLE`] buckets, by XXH64 of what it calls itself, seeded with the candidate's version. So
//! nobody keeps a list: whoever knows the name of a device can tell; a device is of a candidate's share or is not,
//! however often it asks; raising a share only adds devices; and each candidate is tried by others first.

use xxhash_rust::xxh64::xxh64;

/// How many buckets there are: a share is told in ten-thousandths.
pub const WHOLE: u16 = 10_000;

/// The bucket of a device for a candidate of this version, below [`WHOLE`].
///
/// `device` may be any bytes that stay the same on one device and differ between devices; ids that are drawn at random
/// serve best. The candidate is for those whose bucket is below its share.
pub fn bucket(device: &[u8], version: u64) -> u16 {
    (xxh64(device, version) % u64::from(WHOLE)) as u16
}
