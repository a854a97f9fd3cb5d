//! Sentences with numbers in them, put together from pieces: `core::fmt` would be a twentieth of the module.

use alloc::string::String;

/// The pieces, one after the other.
pub fn sentence(pieces: &[&str]) -> String {
    let mut sentence = String::new();
    for piece in pieces {
        sentence.push_str(piece);
    }
    sentence
}

/// A number in decimal digits.
pub fn decimal(number: u64) -> String {
    let mut digits = if number < 10 { String::new() } else { decimal(number / 10) };
    digits.push(char::from(b'0' + (number % 10) as u8));
    digits
}
