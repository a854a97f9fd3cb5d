//! Whatever is posted as events: read or refused, never more than may be, and what is taken is sound.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use segue_serve::intake::{Coding, Intake, Limits, Options};

static INTAKE: LazyLock<Intake> = LazyLock::new(|| {
    let dir = std::env::temp_dir().join(format!("segue-fuzz-{}", std::process::id()));
    let limits = Limits { sent_bytes: 1 << 16, bytes: 1 << 18, events: 500 };
    Intake::open(&Options { limits, ..Options::at(dir) }).expect("a folder to open")
});

fuzz_target!(|data: &[u8]| {
    let Some((&how, body)) = data.split_first() else { return };
    let coding =
        [Coding::Identity, Coding::Gzip, Coding::Brotli, Coding::Zstd][usize::from(how % 4)];
    let sent = (how > 127).then_some(1_000_000_000_000);
    if let Ok(batch) = INTAKE.read(body, coding, 1_790_000_000_000, sent) {
        assert!(batch.events() <= 500);
        assert!(batch.len() <= batch.events());
    }
});
