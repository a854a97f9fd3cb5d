//! What the examples read.

use std::{error::Error, fs};

use segue_core::{event::heard, ids::Row, model::Model, session::Observation};

/// A listener, by what they did.
pub type Listener = Vec<Observation>;

/// The model in a file.
pub fn model(path: &str) -> Result<Model, Box<dyn Error>> {
    Ok(Model::from_file(&fs::read(path)?)?)
}

/// The listeners in a file, one a line.
pub fn listeners(path: &str) -> Result<Vec<Listener>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    text.lines().map(|line| line.split(';').map(observation).collect()).collect()
}

fn observation(event: &str) -> Result<Observation, Box<dyn Error>> {
    let fields: Vec<&str> = event.split(' ').collect();
    let [kind, row, played, duration] = fields[..] else {
        return Err(format!("`{event}` is not `kind row played_ms duration_ms`").into());
    };
    let heard = match duration.parse()? {
        0 => None,
        duration => heard(played.parse()?, duration),
    };
    Ok(Observation { row: Row(row.parse()?), kind: kind.parse()?, heard })
}
