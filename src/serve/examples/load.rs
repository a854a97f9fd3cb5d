//! `load ADDRESS CONNECTIONS SECONDS [EVENTS]`: how many events a second a server makes durable, and how long a batch waits.
//! `load disk:FILE 1 SECONDS [EVENTS]`: the same bodies appended to a file, with `fdatasync` after each: what the disk gives.
//!
//! Every connection sends one batch of EVENTS (100) after the other over HTTP/1.1, waits for its receipt, and counts what
//! was accepted. Bodies are made before; only the ids in them are new each time.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

/// Digits of a batch's number in an id.
const DIGITS: usize = 8;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap();
    let mut number =
        |default: usize| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (connections, seconds, events) = (number(1), number(5), number(100));
    if let Some(file) = address.strip_prefix("disk:") {
        return disk(file, seconds, events);
    }
    let run = std::process::id();
    let start = Instant::now();
    let until = start + Duration::from_secs(seconds as u64);
    let senders: Vec<_> = (0..connections)
        .map(|connection| {
            let address = address.clone();
            thread::spawn(move || send(&address, &format!("{run}-{connection}"), events, until))
        })
        .collect();
    let mut waits = Vec::new();
    let mut accepted = 0;
    for sender in senders {
        let (taken, waited) = sender.join().unwrap();
        accepted += taken;
        waits.extend(waited);
    }
    let elapsed = start.elapsed().as_secs_f64();
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    println!(
        "{{\"connections\":{connections},\"events_per_second\":{:.0},\"p50_ms\":{:.2},\"p99_ms\":{:.2},\"max_ms\":{:.2}}}",
        accepted as f64 / elapsed,
        at(0.5),
        at(0.99),
        at(1.0),
    );
}

fn disk(file: &str, seconds: usize, events: usize) {
    let (body, _) = request("disk", events);
    let mut file = std::fs::File::create(file).unwrap();
    let start = Instant::now();
    let mut written = 0;
    while start.elapsed() < Duration::from_secs(seconds as u64) {
        file.write_all(&body).unwrap();
        file.sync_data().unwrap();
        written += events;
    }
    let each = written as f64 / start.elapsed().as_secs_f64();
    println!("{{\"connections\":0,\"events_per_second\":{each:.0}}}");
}

fn send(address: &str, name: &str, events: usize, until: Instant) -> (usize, Vec<f64>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut request, places) = request(name, events);
    let (mut accepted, mut waits) = (0, Vec::new());
    let mut answer = vec![0; 1 << 16];
    for batch in 0.. {
        let number = format!("{batch:0DIGITS$}");
        for &place in &places {
            request[place..place + DIGITS].copy_from_slice(number.as_bytes());
        }
        let start = Instant::now();
        if start >= until {
            break;
        }
        stream.write_all(&request).unwrap();
        let text = read(&mut stream, &mut answer);
        waits.push(start.elapsed().as_secs_f64() * 1e3);
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        assert!(text.contains(&format!("\"accepted\":{events},")), "{text}");
        accepted += events;
    }
    (accepted, waits)
}

/// A request, and where in it the number of the batch stands.
fn request(name: &str, events: usize) -> (Vec<u8>, Vec<usize>) {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let event = |n: usize| {
        format!(
            r#"{{"id":"{name}-{}-{n:04}","user":"listener-{name}","session":"session-{name}","track":"spotify:track:{:022}","at":{},"kind":"play","played_ms":{},"duration_ms":215000,"context":{{"region":"DE","tz_offset_min":60,"device":"phone","source":"playlist:9f3a"}}}}"#,
            "@".repeat(DIGITS),
            n * 7919 % 50_000,
            now - n as u128,
            1000 * n,
        )
    };
    let body = format!("[{}]", (0..events).map(event).collect::<Vec<_>>().join(","));
    let request = format!(
        "POST /v1/events HTTP/1.1\r\nhost: load\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mark = "@".repeat(DIGITS);
    let places = request.match_indices(&mark).map(|(at, _)| at).collect();
    (request.into_bytes(), places)
}

/// One answer with a length.
fn read<'a>(stream: &mut TcpStream, buffer: &'a mut [u8]) -> &'a str {
    let mut length = 0;
    loop {
        let read = stream.read(&mut buffer[length..]).unwrap();
        assert!(read > 0, "the server closed the connection");
        length += read;
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let wanted = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= wanted.parse().unwrap() {
            return std::str::from_utf8(&buffer[..length]).unwrap();
        }
    }
}
