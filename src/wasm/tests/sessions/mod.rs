//! Golden sessions: what listeners did, one step a line, with the answers that rankings gave then.
//!
//! ```text
//! observe kind=play track=jazz:04 played_ms=90000 duration_ms=180000
//! leave
//! moment at=1735691384747 tz_offset_min=-180 region=BR mood=calm
//! rank limit=40 diversity=0.25 artistGap=2 seed=7 | jazz:01 folk:07 … | places
//! top limit=10 | places
//! ```
//!
//! What a step is given bears the names of the npm package, and may be left out as there. A place is
//! `index:score:skip:moved`: its index among the candidates, or in `top` its row; the bits of its score and of the
//! probability of a skip as 32-bit floats in hexadecimal, `-` where there is none; and by how many places it was moved
//! up. Sessions are apart by an empty line.

use core::str::FromStr;

/// A place as it crosses: index, bits of the score and of the probability of a skip, and how far it was moved.
pub type Place = [u32; 4];

/// Who plays a session.
pub trait Listener {
    /// Takes in an event.
    fn observe(&mut self, event: &Given<'_>);
    /// Is away for a while.
    fn leave(&mut self);
    /// Listens at another moment.
    fn moment(&mut self, moment: &Given<'_>);
    /// Ranks candidates by the options given.
    fn rank(&mut self, candidates: &[&str], options: &Given<'_>) -> Vec<Place>;
    /// Finds the best of the catalogue.
    fn top(&mut self, limit: u32) -> Vec<Place>;
}

/// What a step is given, `name=value` each.
pub struct Given<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Given<'a> {
    fn parse(words: &'a str) -> Option<Self> {
        words.split_whitespace().map(|word| word.split_once('=')).collect::<Option<_>>().map(Self)
    }

    /// The value of that name, where it is given.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, value)| *value)
    }

    /// The same as a number.
    pub fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

/// The sessions of a file, each a list of lines.
pub fn sessions(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split("\n\n").map(|session| session.lines().collect())
}

/// Has `listener` do what a line says, and returns the line with the answer that they get; `None` where it is no line
/// of a session.
pub fn play(listener: &mut impl Listener, line: &str) -> Option<String> {
    let (question, rest) = line.split_once('|').unwrap_or((line, ""));
    let (question, candidates) = (question.trim(), rest.split('|').next()?.trim());
    let (step, words) = question.split_once(' ').unwrap_or((question, ""));
    let given = Given::parse(words)?;
    Some(match step {
        "observe" => {
            listener.observe(&given);
            line.to_owned()
        }
        "leave" => {
            listener.leave();
            line.to_owned()
        }
        "moment" => {
            listener.moment(&given);
            line.to_owned()
        }
        "rank" => {
            let named: Vec<&str> = candidates.split_whitespace().collect();
            format!("{question} | {candidates} | {}", written(&listener.rank(&named, &given)))
        }
        "top" => format!("{question} | {}", written(&listener.top(given.number("limit")?))),
        _ => return None,
    })
}

fn written(places: &[Place]) -> String {
    let bits = |bits: u32| match f32::from_bits(bits) {
        x if x.is_finite() => format!("{bits:08x}"),
        _ => "-".to_owned(),
    };
    let word = |&[index, score, skip, moved]: &Place| {
        format!("{index}:{}:{}:{}", bits(score), bits(skip), moved.cast_signed())
    };
    places.iter().map(word).collect::<Vec<_>>().join(" ")
}
