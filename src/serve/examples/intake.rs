//! `intake DIR THREADS BATCHES`: how many events a second the intake makes durable, without HTTP.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]
use segue_serve::intake::{Coding, Intake, Options};
use std::time::Instant;

fn main() {
    let mut args = std::env::args().skip(1);
    let dir = args.next().unwrap();
    let tasks: usize = args.next().unwrap().parse().unwrap();
    let batches: usize = args.next().unwrap().parse().unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let intake = Intake::open(&Options::at(dir)).unwrap();
    let body = |task: usize, batch: usize| {
        let event = |n: usize| {
            format!(
                r#"{{"id":"{task:04}-{batch:06}-{n:03}-abcdef","user":"user-{task:05}-{}","session":"session-{batch}","track":"spotify:track:{:022}","at":1790000000000,"kind":"play","played_ms":{},"duration_ms":215000,"context":{{"region":"DE","tz_offset_min":60,"device":"phone","source":"playlist:9f3a"}}}}"#,
                batch % 7,
                n * 7919 % 50000,
                1000 * n
            )
        };
        format!("[{}]", (0..100).map(event).collect::<Vec<_>>().join(","))
    };
    let bodies: Vec<Vec<String>> =
        (0..tasks).map(|task| (0..batches).map(|batch| body(task, batch)).collect()).collect();
    println!("{} bytes a body", bodies[0][0].len());
    let start = Instant::now();
    let mut waits: Vec<f64> = runtime.block_on(async {
        let mut all = Vec::new();
        for bodies in bodies {
            let intake = intake.clone();
            all.push(tokio::spawn(async move {
                let mut waits = Vec::new();
                for body in bodies {
                    let start = Instant::now();
                    let batch = intake
                        .read(body.as_bytes(), Coding::Identity, 1_790_000_000_000, None)
                        .unwrap();
                    let receipt = intake.take(batch).await.unwrap();
                    assert_eq!(receipt.accepted, 100, "{receipt:?}");
                    waits.push(start.elapsed().as_secs_f64() * 1e3);
                }
                waits
            }));
        }
        let mut waits = Vec::new();
        for task in all {
            waits.extend(task.await.unwrap());
        }
        waits
    });
    let seconds = start.elapsed().as_secs_f64();
    waits.sort_by(f64::total_cmp);
    println!(
        "{tasks} tasks: {:.0} events/s, p50 {:.2} ms, p99 {:.2} ms",
        (tasks * batches * 100) as f64 / seconds,
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100]
    );
}
