//! `segue evaluate … --compare A B`.

use std::{fmt::Write as _, path::PathBuf};

use segue_train::evaluate::{
    compare::{self, Comparison, FLIPS},
    figures::Protocol,
};
use serde_json::{Value, json};

use crate::{
    failure::Done,
    ui::{Ui, grouped},
};

/// Compares two files of the figures of each case.
pub fn compare(protocol: &Protocol, files: &[PathBuf], seed: u64, ui: &Ui) -> Done {
    let [a, b] = files else { return Err("--compare takes two files".into()) };
    let found = compare::compare(protocol, [a, b], seed)?;
    ui.finish(&to_json(protocol, &found), &to_text(protocol, &found))
}

fn to_json(protocol: &Protocol, found: &Comparison) -> Value {
    let mut value = json!({ protocol.cases: found.cases });
    for (name, figure) in protocol.figures.into_iter().zip(&found.figures) {
        let [a, b] = figure.means;
        value[name] = json!({
            "a": a,
            "b": b,
            "difference": figure.mean,
            "interval": figure.interval,
            "p": figure.p,
        });
    }
    value
}

fn to_text(protocol: &Protocol, found: &Comparison) -> String {
    let mut text = format!("{:<10}{:>8}{:>8}  {:<16}{:>8}\n", "", "A", "B", "  B − A", "p");
    for (name, figure) in protocol.figures.into_iter().zip(&found.figures) {
        let ([a, b], [low, high]) = (figure.means, figure.interval);
        let half = (high - low) / 2.0;
        let difference = format!("{:+.4} ±{half:.4}", figure.mean);
        let _ = writeln!(text, "{name:<10}{a:>8.4}{b:>8.4}  {difference:<16}{:>8.4}", figure.p);
    }
    let _ = write!(
        text,
        "{} {}; ± is half of a 95 % interval, p of {} random exchanges of A and B",
        grouped(found.cases),
        protocol.cases,
        grouped(FLIPS)
    );
    text
}
