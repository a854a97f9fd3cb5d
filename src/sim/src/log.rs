//! The log: what all listeners do over the period, in the order of time.
//!
//! Every listener has a generator of their own and never looks at another, so each is a stream of
//! events by itself; a heap of the next event of each merges the streams. An event costs
//! O(log listeners).

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};

use rand::{Rng, RngExt};
use rand_pcg::Pcg64Mcg;
use segue_core::event::{Event, Kind};

use crate::listener::Listener;
use crate::num::{chance, exponential, generator, mix, push_digits};
use crate::policy::Policy;
use crate::react::Reaction;
use crate::situation::{Situation, Source};
use crate::slate::Slate;
use crate::world::{TrackIndex, World, purpose};

/// The events of a [`World`] in non-decreasing order of time; see [`World::events`].
#[derive(Clone, Debug)]
pub struct Events<'a> {
    world: &'a World,
    actors: Vec<Actor>,
    /// When the next event of each listener is due.
    due: BinaryHeap<Reverse<(i64, u32)>>,
    /// The head of all ids of this log, so that logs of different worlds can be put together.
    tag: String,
    written: u64,
    /// Whether what is offered is drawn from a slate, of which the log then tells.
    explores: bool,
}

/// One listener and the session that they are in or had last.
#[derive(Clone, Debug)]
struct Actor {
    listener: Listener,
    rng: Pcg64Mcg,
    /// Sessions begun.
    sessions: u32,
    /// When the session after this one begins.
    next_ms: i64,
    situation: Situation,
    /// What happens in the session, in the order of time; empty between sessions.
    deeds: Vec<Deed>,
    /// The first of `deeds` that is yet to be written.
    next: usize,
    /// What each impression among `deeds` that is yet to be written was drawn from, in their order.
    slates: VecDeque<Slate>,
}

/// What becomes one event.
#[derive(Clone, Copy, Debug)]
struct Deed {
    at_ms: i64,
    track: TrackIndex,
    played_ms: u32,
    source: Source,
    kind: Kind,
}

impl<'a> Events<'a> {
    pub(crate) fn new(world: &'a World, explores: bool) -> Self {
        let config = world.config();
        let actors: Vec<Actor> =
            (0..config.listeners).map(|number| Actor::new(world, number)).collect();
        let due = (0..).zip(&actors).map(|(number, actor)| Reverse((actor.next_ms, number)));
        let sizes = mix(u64::from(config.listeners), u64::from(config.tracks));
        let period = mix(u64::from(config.days), config.start_ms.unsigned_abs());
        let world_tag = mix(config.seed, mix(sizes, period));
        let tag = if explores { mix(world_tag, 1) } else { world_tag } % 36_u64.pow(5);
        let (due, tag) = (due.collect(), id::<36>("", "", tag));
        Self { world, due, actors, tag, written: 0, explores }
    }

    /// Every listener as they are now, by number, and when they come back.
    pub(crate) fn into_listeners(self) -> impl Iterator<Item = (u32, Listener, i64)> {
        let actors = (0..).zip(self.actors);
        actors.map(|(number, actor)| (number, actor.listener, actor.next_ms))
    }

    /// The next event, and what it was drawn from.
    pub(crate) fn advance(&mut self) -> Option<(Event, Option<Slate>)> {
        let end_ms = self.world.config().end_ms();
        loop {
            let mut top = self.due.peek_mut()?;
            let Reverse((due_ms, number)) = *top;
            if due_ms >= end_ms {
                PeekMut::pop(top);
                continue;
            }
            let actor = &mut self.actors[number as usize];
            let Some(&deed) = actor.deeds.get(actor.next) else {
                actor.listen(self.world, self.explores);
                top.0.0 = actor.due_ms();
                continue;
            };
            let slate = match deed.kind {
                Kind::Impression => actor.slates.pop_front(),
                _ => None,
            };
            actor.step();
            top.0.0 = actor.due_ms();
            drop(top);
            return Some((self.write(number, deed, slate.as_ref()), slate));
        }
    }

    fn write(&mut self, number: u32, deed: Deed, slate: Option<&Slate>) -> Event {
        let actor = &self.actors[number as usize];
        let listened = matches!(deed.kind, Kind::Play | Kind::Skip);
        self.written += 1;
        let user = id::<10>("u", "", number.into());
        Event {
            id: id::<36>(&self.tag, "-", self.written),
            session: id::<10>(&user, "-", actor.sessions.into()),
            user,
            track: deed.track.id(),
            at: deed.at_ms,
            kind: deed.kind,
            played_ms: listened.then_some(deed.played_ms),
            duration_ms: listened.then(|| self.world.catalogue.track(deed.track).duration_ms),
            context: Some(actor.situation.context(deed.source)),
            exposures: None,
            propensity: slate.and_then(Slate::propensity),
            candidates: slate.map(Slate::ids),
        }
    }
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.advance().map(|(event, _)| event)
    }
}

impl Actor {
    fn new(world: &World, number: u32) -> Self {
        let listener = world.listener(number);
        let mut rng = generator(mix(world.config().seed, purpose::LOG), u64::from(number));
        let next_ms = first_session(world, &listener, &mut rng);
        let situation = Situation::begin(&listener, next_ms, &mut rng);
        Self {
            listener,
            rng,
            sessions: 0,
            next_ms,
            situation,
            deeds: Vec::new(),
            next: 0,
            slates: VecDeque::new(),
        }
    }

    /// When there is something to do: the next event, or else the next session.
    fn due_ms(&self) -> i64 {
        self.deeds.get(self.next).map_or(self.next_ms, |deed| deed.at_ms)
    }

    /// Moves on to the next event of the session.
    fn step(&mut self) {
        self.next += 1;
        if self.next == self.deeds.len() {
            // Few listeners listen at the same time, so memory is given back between sessions.
            self.deeds = Vec::new();
            self.slates = VecDeque::new();
            self.next = 0;
        }
    }

    /// Goes through the session that begins at `next_ms`.
    fn listen(&mut self, world: &World, explores: bool) {
        let mut now_ms = self.next_ms;
        self.sessions += 1;
        let Self { listener, rng, deeds, slates, .. } = self;
        listener.advance(world, now_ms, rng);
        let mut situation = Situation::begin(listener, now_ms, rng);
        let mut policy = Policy::begin(world, listener, &mut situation, now_ms, rng);
        let end_ms = world.config().end_ms();
        while now_ms < end_ms {
            let again = situation.again().is_some();
            let mut track = policy.offer(world, listener, &mut situation, now_ms, rng);
            let sought = situation.source == Source::Search && !again;
            // What a listener asks for was not drawn for them.
            let drawn = (explores && !sought && !again).then(|| {
                let who = (world, &*listener);
                Slate::draw(who, &mut policy, track, &mut situation, now_ms, rng)
            });
            track = drawn.as_ref().map_or(track, Slate::track);
            let reaction = world.react(listener, track, &situation, now_ms, rng);
            let source = situation.source;
            let heard_ms = now_ms + i64::from(reaction.played_ms);
            let played_ms = reaction.played_ms;
            let deed = Deed { at_ms: now_ms, track, played_ms, source, kind: Kind::Search };
            deeds.extend(sought.then_some(deed));
            deeds.extend(drawn.is_some().then_some(Deed { kind: Kind::Impression, ..deed }));
            slates.extend(drawn);
            now_ms = tell(Deed { at_ms: heard_ms, ..deed }, &reaction, deeds, rng);
            listener.remember(world, &mut situation, track, &reaction, heard_ms);
            if reaction.leaves {
                break;
            }
            now_ms += pause_ms(rng);
        }
        self.next_ms = listener.next_session(now_ms, rng);
        self.situation = situation;
    }
}

/// Adds the listen that ends at `heard.at_ms`, and after it what the listener has to say. Returns
/// when the last of it is said.
fn tell<R: Rng + ?Sized>(
    heard: Deed,
    reaction: &Reaction,
    deeds: &mut Vec<Deed>,
    rng: &mut R,
) -> i64 {
    let kind = if reaction.skipped { Kind::Skip } else { Kind::Play };
    deeds.push(Deed { kind, ..heard });
    let said = [
        (reaction.like, Kind::Like),
        (reaction.dislike, Kind::Dislike),
        (reaction.save, Kind::Save),
        (reaction.replay, Kind::Replay),
    ];
    let mut at_ms = heard.at_ms;
    for (_, kind) in said.into_iter().filter(|&(is_so, _)| is_so) {
        at_ms += 200 + exponential(rng, 900.0) as i64;
        deeds.push(Deed { at_ms, kind, ..heard });
    }
    at_ms
}

/// Most listeners are there from the beginning, a fifth arrives later; all within the first nine
/// tenths of the period, so that everybody is heard.
fn first_session<R: Rng + ?Sized>(world: &World, listener: &Listener, rng: &mut R) -> i64 {
    let config = world.config();
    let latest = config.span_ms() * 9 / 10;
    let usual_ms = listener.next_session(config.start_ms, rng);
    if usual_ms - config.start_ms < latest && chance(rng, 0.8) {
        return usual_ms;
    }
    let mut at_ms = config.start_ms;
    for _ in 0..20 {
        at_ms = config.start_ms + rng.random_range(0..latest);
        if listener.is_listening(at_ms, rng) {
            break;
        }
    }
    at_ms
}

/// From the end of one track to the start of the next: a breath, now and then an interruption.
fn pause_ms<R: Rng + ?Sized>(rng: &mut R) -> i64 {
    let mean_ms = if chance(rng, 0.02) { 150_000.0 } else { 700.0 };
    exponential(rng, mean_ms) as i64
}

/// `head` followed by the digits of `number`.
fn id<const RADIX: u64>(head: &str, separator: &str, number: u64) -> String {
    let mut id = String::with_capacity(head.len() + 8);
    id.push_str(head);
    id.push_str(separator);
    push_digits::<RADIX>(&mut id, number, 1);
    id
}
