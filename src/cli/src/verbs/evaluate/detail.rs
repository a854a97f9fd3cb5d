//! What a test says beyond its means, for machines and for people.

use std::{fmt::Write as _, path::Path};

use segue_train::evaluate::{
    exposure::Exposure,
    figures::{self, Detail, Protocol},
    intervals::{Interval, means},
    slices::Slice,
};
use serde_json::{Map, Value, json};

use crate::{failure::Done, output, ui::grouped};

/// Whether the file for the figures of each case can be written, and is none that is read.
pub fn check<const N: usize>(file: Option<&Path>, read: [Option<&Path>; N]) -> Done {
    file.map_or(Ok(()), |file| output::check(file, read.into_iter().flatten()))
}

/// Writes that file.
pub fn keep(protocol: &Protocol, detail: &Detail, file: Option<&Path>) -> Done {
    let Some(file) = file else { return Ok(()) };
    output::write_whole(file, |to| Ok(figures::write(protocol, &detail.each, to)?))
}

/// The interval of each figure under its name.
pub fn intervals(protocol: &Protocol, detail: &Detail) -> Value {
    named(&protocol.figures, &detail.intervals)
}

/// Each slice under its name.
pub fn slices(protocol: &Protocol, detail: &Detail) -> Value {
    let slice = |slice: &Slice| {
        let mut value = named(&protocol.sliced, &slice.figures);
        value["by"] = json!(slice.by);
        value["bounds"] = json!(slice.bounds);
        value[protocol.cases] = json!(slice.cases);
        value["intervals"] = named(&protocol.sliced, &slice.intervals);
        (slice.name.to_owned(), value)
    };
    detail.slices.iter().map(slice).collect::<Map<_, _>>().into()
}

fn named<T: Into<Value> + Copy>(names: &[&str], values: &[T]) -> Value {
    let named = names.iter().zip(values);
    named.map(|(&name, &value)| (name.to_owned(), value.into())).collect::<Map<_, _>>().into()
}

/// The figures, two a line.
pub fn figures_lines(protocol: &Protocol, detail: &Detail) -> String {
    let each: Vec<[f64; 4]> = detail.each.iter().map(|each| each.figures).collect();
    let figures = protocol.figures.iter().zip(means(&each)).zip(&detail.intervals);
    let figures: Vec<String> =
        figures.map(|((name, mean), ends)| format!("{name:<10} {}", sure(mean, ends))).collect();
    figures.chunks(2).map(|pair| pair.join("   ")).collect::<Vec<_>>().join("\n")
}

/// The slices, a line each.
pub fn table(protocol: &Protocol, detail: &Detail) -> String {
    const FIGURES: usize = 16;
    let what = |slice: &Slice| {
        let [least, most] = slice.bounds.map(grouped);
        let bounds = if least == most { least } else { format!("{least}–{most}") };
        format!("{bounds} {}", slice.by)
    };
    let width = detail.slices.iter().map(|slice| what(slice).chars().count()).max().unwrap_or(0);
    let [first, second] = protocol.sliced;
    let mut text = format!(
        "{:<10}{:width$}{:>11}{first:>FIGURES$}{second:>FIGURES$}\n",
        "slice", "", protocol.cases
    );
    for slice in &detail.slices {
        let _ =
            write!(text, "{:<10}{:<width$}{:>11}", slice.name, what(slice), grouped(slice.cases));
        for (&mean, interval) in slice.figures.iter().zip(&slice.intervals) {
            let _ = write!(text, "{:>FIGURES$}", sure(mean, interval));
        }
        text.push('\n');
    }
    text
}

/// How what is recommended spreads.
pub fn exposure_lines(exposure: &Exposure) -> String {
    let [recommended, held_out] = &exposure.intervals;
    format!(
        "coverage@20 {:.4}   gini@20 {:.4}\n\
         popularity  {} recommended, {} held out",
        exposure.coverage,
        exposure.gini,
        sure(exposure.recommended, recommended),
        sure(exposure.held_out, held_out),
    )
}

/// A mean and half of its interval.
pub fn sure(mean: f64, [low, high]: &Interval) -> String {
    format!("{mean:.4} ±{:.4}", (high - low) / 2.0)
}
