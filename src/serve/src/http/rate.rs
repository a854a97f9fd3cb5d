//! How fast somebody may send: the generic cell rate algorithm (ITU-T I.371), one number for each client.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How many clients are told apart; of more, some share what one may send. A power of two.
const CELLS: usize = 1 << 16;

/// Events a second, and at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// In the long run; 0 for no limit.
    pub events_per_second: u32,
    /// At once, after a while of silence.
    pub burst: u32,
}

/// What clients have sent, in memory that does not grow.
pub(super) struct Limiter {
    rate: Rate,
    start: Instant,
    hasher: RandomState,
    /// When a client would have sent what it has, had it sent as fast as it may: nanoseconds since the start.
    cells: Box<[AtomicU64]>,
}

impl Limiter {
    /// One cell for all, or one for each client.
    pub(super) fn new(rate: Rate, clients: bool) -> Self {
        let cells = (0..if clients { CELLS } else { 1 }).map(|_| AtomicU64::new(0)).collect();
        Self { rate, start: Instant::now(), hasher: RandomState::new(), cells }
    }

    /// Whether a client may send anything now, or how long it is to wait. Nothing counts.
    pub(super) fn may(&self, client: &[u8]) -> Result<(), Duration> {
        self.at(client, 1, self.start.elapsed(), false)
    }

    /// Counts `events` of a client. Where they are too many, none of them counts, and it is said how long to wait.
    pub(super) fn count(&self, client: &[u8], events: usize) -> Result<(), Duration> {
        self.at(client, events, self.start.elapsed(), true)
    }

    fn at(
        &self,
        client: &[u8],
        events: usize,
        now: Duration,
        counts: bool,
    ) -> Result<(), Duration> {
        let Rate { events_per_second, burst } = self.rate;
        if events_per_second == 0 {
            return Ok(());
        }
        let each = 1_000_000_000 / u64::from(events_per_second).max(1);
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        // More than a burst would never be let through: it counts as one.
        let cost = each * (events as u64).min(u64::from(burst));
        let ahead = each * u64::from(burst);
        let place = self.hasher.hash_one(client) as usize & (self.cells.len() - 1);
        let taken = self.cells[place].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| {
            let then = due.max(now).saturating_add(cost);
            (then - now <= ahead).then_some(if counts { then } else { due })
        });
        taken.map(|_| ()).map_err(|due| {
            Duration::from_nanos(due.saturating_add(cost).saturating_sub(now.saturating_add(ahead)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn limiter(clients: bool) -> Limiter {
        Limiter::new(Rate { events_per_second: 1000, burst: 100 }, clients)
    }

    #[test]
    fn a_burst_is_let_through_and_then_as_many_as_may() {
        let limiter = limiter(true);
        let at = |events, now| limiter.at(b"somebody", events, now, true);
        assert_eq!(at(100, MS), Ok(()));
        assert_eq!(at(1, MS), Err(MS));
        assert_eq!(limiter.at(b"somebody", 1, MS, false), Err(MS));
        assert_eq!(limiter.at(b"somebody", 1, 2 * MS, false), Ok(()), "asking counts nothing");
        assert_eq!(at(10, 6 * MS), Err(5 * MS));
        assert_eq!(at(5, 6 * MS), Ok(()));
        assert_eq!(at(100, 500 * MS), Ok(()), "after a while of silence");
        assert_eq!(at(100_000, 700 * MS), Ok(()), "what is more than a burst counts as one");
        assert_eq!(at(1, 700 * MS), Err(MS));
    }

    #[test]
    fn one_client_takes_nothing_from_another_but_all_together_have_a_limit() {
        let (each, all) = (limiter(true), limiter(false));
        let mut shared = 0;
        for client in 0..50_u32 {
            let client = client.to_le_bytes();
            shared += usize::from(each.at(&client, 100, MS, true).is_err());
            let _ = all.at(&client, 100, MS, true);
        }
        assert!(shared <= 2, "{shared} of 50 share a cell of {CELLS}");
        assert!(all.at(b"", 1, MS, true).is_err());
    }
}
