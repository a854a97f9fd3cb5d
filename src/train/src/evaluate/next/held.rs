//! What of the training sittings is held out to choose on.

use std::collections::HashSet;

use segue_core::{rng::SplitMix64, sitting::LONGEST};

/// Queries of which the answer was held out.
pub(super) type Held<'a> = Vec<(&'a [String], &'a String)>;
/// Sittings of which one is held out.
const TENTH: usize = 10;
/// Tracks of a sitting of which the last one is held out, where the test goes on from it, ...
const FIFTH: usize = 5;
/// ... up to so many: what is chosen on one track of each is chosen by chance.
const LAST: usize = 4;
/// Most queries to choose on.
const MOST_HELD: usize = 4000;
/// Most of them from one sitting: one that is out of all proportion is not to choose for the others.
const MOST_OF_ONE: usize = 200;

/// Takes out of `lines` what is asked for as the test asks: the last few tracks of each sitting
/// where the test goes on from sittings of the training file, else the last tenth of all sittings, which are
/// in order of time, as the test comes after all of them; nothing where nothing would be left. As much comes before a
/// query as a device keeps of a sitting. Queries are drawn by `seed` where they are too many.
pub(super) fn hold_out<'a>(
    lines: &'a [Vec<String>],
    asked: &[(Vec<String>, String)],
    seed: u64,
) -> (Vec<&'a [String]>, Held<'a>) {
    let known: HashSet<&[String]> = lines.iter().map(Vec::as_slice).collect();
    let going_on = asked.iter().filter(|(before, _)| known.contains(before.as_slice())).count();
    let lately = |before: &'a [String]| &before[before.len().saturating_sub(LONGEST)..];
    let mut held: Vec<(usize, (&[String], &String))> = Vec::new();
    let mut kept: Vec<&[String]> = Vec::new();
    if going_on * 2 > asked.len() {
        for (number, line) in lines.iter().enumerate() {
            let held_back = if line.len() < 2 { 0 } else { (line.len() / FIFTH).clamp(1, LAST) };
            let end = line.len() - held_back;
            held.extend((end..line.len()).map(|at| (number, (lately(&line[..at]), &line[at]))));
            kept.push(&line[..end]);
        }
    } else {
        let end = lines.len() - lines.len().div_ceil(TENTH);
        kept.extend(lines[..end].iter().map(Vec::as_slice));
        for (number, line) in lines.iter().enumerate().skip(end) {
            let query = |at| (number, (lately(&line[..at]), &line[at]));
            held.extend((1..line.len()).map(query));
        }
    }
    if kept.is_empty() {
        return (lines.iter().map(Vec::as_slice).collect(), Held::new());
    }
    SplitMix64::new(seed).shuffle(&mut held);
    let mut of_one = vec![0; lines.len()];
    held.retain(|&(number, _)| {
        of_one[number] += 1;
        of_one[number] <= MOST_OF_ONE
    });
    let held = held.into_iter().map(|(_, query)| query).take(MOST_HELD).collect();
    (kept, held)
}
