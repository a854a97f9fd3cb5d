//! The engine's own scan, natively, as a process that takes its turn when it is told to.
//!
//! ```text
//! scan engine|limit FOLDER
//! ```
//!
//! FOLDER holds `model.segue` and `listeners.txt`. `limit` reads as many bytes as the table of codes
//! has, and does no more. Each line on standard input is answered by one line of JSON on standard
//! output:
//!
//! ```text
//! open                  nothing to say; it is ready
//! answers               for each listener the rows of the best 50, best first
//! turn MS LISTENER …    for each listener milliseconds a ranking, over at least MS of them
//! ```

#![expect(clippy::print_stdout, reason = "answers go there")]

mod support;

use std::{
    env,
    error::Error,
    hint::black_box,
    io::{self, BufRead},
    time::Instant,
};

use segue_core::{kernel::Place, model::Model, rank, session::Session};

/// Places of a queue.
const PLACES: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [contender, folder] = &arguments[..] else {
        return Err("usage: scan engine|limit FOLDER".into());
    };
    let model = support::model(&format!("{folder}/model.segue"))?;
    let listeners = support::listeners(&format!("{folder}/listeners.txt"))?;
    let mut sessions: Vec<Session> =
        listeners.iter().map(|events| listener(&model, events)).collect();
    let scan = contender == "engine";
    let read = if scan { 0 } else { model.len() * model.dim() / size_of::<u64>() };
    let bytes = vec![1_u64; read];
    let mut found = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["open"] => println!("\"\""),
            ["answers"] if scan => {
                let rows = |session| -> Vec<u32> {
                    top(&model, session, &mut found);
                    found.iter().map(|place| place.index()).collect()
                };
                println!("{:?}", sessions.iter_mut().map(rows).collect::<Vec<_>>());
            }
            ["answers"] => println!("null"),
            ["turn", least, ref who @ ..] => {
                let least = least.parse()?;
                let mut times = Vec::with_capacity(who.len());
                for index in who {
                    let session = sessions.get_mut(index.parse::<usize>()?).ok_or("no listener")?;
                    times.push(if scan {
                        time(least, || top(&model, session, &mut found))
                    } else {
                        time(least, || sum(&bytes))
                    });
                }
                println!("{times:?}");
            }
            _ => return Err(format!("`{line}` is no request").into()),
        }
    }
    Ok(())
}

fn listener(model: &Model, events: &support::Listener) -> Session {
    let mut session = Session::new(model);
    events.iter().for_each(|event| session.observe(model, *event));
    session.query(model);
    session
}

fn top(model: &Model, session: &mut Session, found: &mut Vec<Place>) {
    rank::top(model, session, PLACES, |_| true, found);
    black_box(found);
}

fn sum(bytes: &[u64]) {
    black_box(black_box(bytes).iter().fold(0_u64, |sum, &x| sum.wrapping_add(x)));
}

/// Milliseconds a call, over as many calls as last at least `least`.
fn time(least: f64, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let (mut calls, mut more) = (0_u32, 1);
    loop {
        (0..more).for_each(|_| call());
        calls += more;
        let passed = start.elapsed().as_secs_f64() * 1e3;
        if passed >= least {
            return passed / f64::from(calls);
        }
        more *= 2;
    }
}
