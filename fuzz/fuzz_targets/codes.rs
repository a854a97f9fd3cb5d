//! The entropy coder: any bytes decode to some table and some graph or are refused, and what was coded
//! comes back whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_core::codec::{pairs, rows};

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (dim, count, bytes) = input;
    let dim = usize::from(dim % 64) + 1;
    if let Ok(rows) = rows::decode(bytes, dim, usize::from(count)) {
        assert_eq!(rows.of.len(), usize::from(count));
        assert!(rows.of.iter().all(|&of| (of as usize) < rows.codes.len() / dim));
    }

    if let Ok((classes, found)) = pairs::decode(bytes, usize::from(count), dim * 16) {
        assert!(found.iter().all(|pair| pair.rows[0] < pair.rows[1] && pair.rows[1] < count.into()));
        let coded = pairs::encode(&classes, &found).expect("there is memory for it");
        assert_eq!(pairs::decode(&coded, classes.len(), found.len()), Ok((classes, found)));
    }

    let codes: Vec<i8> = bytes.iter().map(|&byte| (byte as i8).max(-127)).collect();
    let codes = &codes[..codes.len() / dim * dim];
    if !codes.is_empty() {
        let (coded, _) = rows::encode(codes, dim);
        let count = codes.len() / dim;
        let decoded = rows::decode(&coded, dim, count).expect("what was coded decodes");
        for (row, &of) in codes.chunks(dim).zip(&decoded.of) {
            assert_eq!(row, &decoded.codes[of as usize * dim..][..dim]);
        }
    }
});
