//! Numbers in sentences.

use proptest::prelude::*;
use segue_core::{
    manifest::ManifestError,
    model::{ModelError, SectionKind},
    words::decimal,
};

proptest! {
    #[test]
    fn a_number_reads_as_the_formatter_writes_it(number: u64) {
        prop_assert_eq!(decimal(number), number.to_string());
    }
}

#[test]
fn an_error_says_what_is_wrong_and_where() {
    let source = ModelError::Value { section: SectionKind::Tags, what: "the names are not UTF-8" };
    let error = ModelError::Shard { number: 10, source: source.into() };
    let said = "shard 10: section `tags` holds an invalid value: the names are not UTF-8";
    assert_eq!(error.to_string(), said);
    assert_eq!(error.message(), said);
    assert_eq!(
        ManifestError::Size { kind: "text".into(), bytes: 0 }.to_string(),
        "section `text` claims 0 bytes; expected 1 to 1073741824"
    );
}
