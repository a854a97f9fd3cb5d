//! A listener on the device: evidence in, a Gaussian posterior over taste out.
//!
//! The posterior is the ridge system of [`crate::model::Taste`], which is the one that training
//! solves: the same tracks give the same taste, for a listener whom training never saw. Observing
//! costs O(d²), the first look at the taste after it O(d³/6).

mod evidence;

use alloc::{vec, vec::Vec};

use crate::{
    boosts::Boosts,
    event::Kind,
    fold_in::{Posterior, System},
    ids::Row,
    kernel::Query,
    model::Model,
    moment::Moment,
    sitting::Sitting,
    verdicts::Verdicts,
    votes::Votes,
};

use evidence::Seen;
pub use evidence::{Evidence, Observation, WHOLE};

/// What the scores of a session are made of.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// The posterior's mean.
    pub query: &'a Query,
    /// What the neighbours of all tracks that were met add.
    pub boosts: &'a Boosts,
    /// What the last tracks say of the next.
    pub votes: &'a Votes,
    /// These tracks.
    pub sitting: &'a Sitting,
    /// What the listener says beyond what all say.
    pub verdicts: &'a Verdicts,
    /// When and where they listen.
    pub moment: &'a Moment,
    /// The number of the session's last event.
    pub now: u32,
    evidence: &'a [Evidence],
    by_row: &'a [(Row, u32)],
}

impl<'a> Expectation<'a> {
    /// That of a listener of whose evidence nothing else counts.
    pub const fn new(
        query: &'a Query,
        (boosts, votes): (&'a Boosts, &'a Votes),
        sitting: &'a Sitting,
        (verdicts, moment): (&'a Verdicts, &'a Moment),
    ) -> Self {
        Self { query, boosts, votes, sitting, verdicts, moment, now: 0, evidence: &[], by_row: &[] }
    }

    /// The same of another taste.
    pub const fn of_taste(self, query: &'a Query) -> Self {
        Self { query, ..self }
    }

    /// What is known of a track. O(log tracks).
    #[inline]
    pub fn evidence(&self, row: Row) -> Option<&'a Evidence> {
        let &(_, at) = self.by_row.get(place(self.by_row, row).ok()?)?;
        self.evidence.get(at as usize)
    }
}

/// Where `row` is in the order of rows, or where it would have to be.
fn place(by_row: &[(Row, u32)], row: Row) -> Result<usize, usize> {
    by_row.binary_search_by_key(&row, |&(row, _)| row)
}

/// The listener's evidence and the posterior solved from it.
#[derive(Clone, Debug)]
pub struct Session {
    evidence: Vec<Evidence>,
    /// Each row of `evidence` and its place there, by ascending row.
    by_row: Vec<(Row, u32)>,
    /// Events taken in so far.
    events: u32,
    system: System,
    /// Solved, and its mean as the scan wants it; both as of `stale`.
    posterior: Posterior,
    query: Query,
    /// What neighbours add, of the model at this revision.
    boosts: Boosts,
    revision: u32,
    /// The tracks of this sitting, and their votes unless these are to be counted anew.
    sitting: Sitting,
    votes: Votes,
    counted: bool,
    /// What the listener says beyond what all say, unless this is to be weighed anew.
    verdicts: Verdicts,
    weighed: bool,
    /// When and where they listen, and whether that is in the verdicts.
    moment: Moment,
    placed: bool,
    /// The number of the last event before this sitting.
    opened: u32,
    /// The factor of the track at hand.
    factor: Vec<f32>,
    stale: bool,
}

impl Session {
    /// A listener of whom nothing is known: the prior.
    pub fn new(model: &Model) -> Self {
        let mut verdicts = Verdicts::default();
        verdicts.clear(model);
        Self {
            evidence: Vec::new(),
            by_row: Vec::new(),
            events: 0,
            system: System::new(&model.taste()),
            posterior: Posterior::default(),
            query: Query::default(),
            boosts: Boosts::default(),
            revision: model.revision(),
            sitting: Sitting::default(),
            votes: Votes::default(),
            counted: true,
            verdicts,
            weighed: false,
            moment: Moment::default(),
            placed: false,
            opened: 0,
            factor: vec![0.0; model.dim()],
            stale: true,
        }
    }

    /// Takes in one event. O(d²).
    pub fn observe(&mut self, model: &Model, observation: Observation) {
        let Observation { row, kind, .. } = observation;
        if !row.is_estimate() && model.has(row) {
            self.sitting.see(kind, row);
            self.counted = false;
        }
        let before = self.events;
        self.recall(model, observation);
        let now = self.events;
        if let Some(evidence) = self.known(row).filter(|_| now > before) {
            evidence.observed = now;
            evidence.here.add(&Seen::one(kind, observation.amount()));
        }
    }

    /// Takes in one event of an earlier sitting, which says nothing of what comes next. O(d²).
    pub fn recall(&mut self, model: &Model, observation: Observation) {
        let Observation { row, kind, heard } = observation;
        self.add(model, row, kind, observation.amount());
        if kind == Kind::Play
            && heard.is_some_and(|heard| heard >= WHOLE)
            && let Some(evidence) = self.known(row)
        {
            evidence.finished = true;
        }
    }

    /// The same listener under another model: evidence on tracks that are not in `to`, or not here,
    /// is dropped.
    pub fn moved(&self, from: &Model, to: &Model) -> Self {
        let mut session = Self::new(to);
        for evidence in &self.evidence {
            let stem = from.stem(evidence.row);
            let Some(row) = stem.and_then(|stem| to.find_stem(stem)) else { continue };
            session.take(to, &Evidence { row, ..*evidence });
            if let Some(moved) = session.known(row) {
                *moved = Evidence { row, ..*evidence };
            }
        }
        (session.events, session.opened) = (self.events, self.opened);
        // Now that it is known when each was met.
        session.take_in(to);
        session.at(self.moment);
        for &row in self.sitting.tracks().iter().rev() {
            let stem = from.stem(row);
            if let Some(row) = stem.and_then(|stem| to.find_stem(stem)) {
                session.sitting.play(row);
                session.counted = false;
            }
        }
        session
    }

    /// What is known of each track, in the order in which tracks were first met.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// Whether the evidence on a track is of this sitting too.
    pub const fn is_of_sitting(&self, evidence: &Evidence) -> bool {
        evidence.observed > self.opened
    }

    /// Whether anything is known of a track.
    pub fn knows(&self, row: Row) -> bool {
        self.place(row).is_ok()
    }

    /// How many events were taken in.
    pub const fn events(&self) -> u32 {
        self.events
    }

    /// The posterior, solved if anything was observed since the last look. O(d³/6) then.
    pub fn posterior(&mut self, model: &Model) -> &Posterior {
        self.solve(model);
        &self.posterior
    }

    /// The posterior's mean as the scan wants it; the same cost.
    pub fn query(&mut self, model: &Model) -> &Query {
        self.expectation(model).query
    }

    /// What scores are made of. The same cost.
    pub fn expectation(&mut self, model: &Model) -> Expectation<'_> {
        self.solve(model);
        let Self { query, boosts, votes, sitting, verdicts, moment, evidence, by_row, .. } = self;
        let now = self.events;
        Expectation { query, boosts, votes, sitting, verdicts, moment, now, evidence, by_row }
    }

    /// From now on it is this moment, which tells what is said then beyond what is said ever. O(1), and
    /// O(k·fields) at the next look.
    pub fn at(&mut self, moment: Moment) {
        self.placed = self.placed && self.moment == moment;
        self.moment = moment;
    }

    /// When and where they listen.
    pub const fn moment(&self) -> Moment {
        self.moment
    }

    /// Forgets the listener, and keeps the memory for the next. O(d² + tracks).
    pub fn clear(&mut self, model: &Model) {
        self.evidence.clear();
        self.by_row.clear();
        self.events = 0;
        self.system = System::new(&model.taste());
        self.boosts.clear();
        self.sitting = Sitting::default();
        self.verdicts.clear(model);
        self.opened = 0;
        (self.stale, self.counted, self.weighed) = (true, false, false);
    }

    /// What is played from now on does not follow what was played before.
    pub fn leave(&mut self) {
        self.sitting = Sitting::default();
        self.evidence.iter_mut().for_each(|evidence| evidence.here = Seen::default());
        self.opened = self.events;
        (self.counted, self.weighed) = (false, false);
    }

    /// A⁻¹b₀: the part of the taste's mean that is the prior's.
    pub fn prior_part(&mut self, model: &Model) -> Vec<f32> {
        let mut part = model.taste().prior_information();
        self.posterior(model).precision.solve(&mut part);
        part
    }

    /// Adds `amount` of `kind` on one track; nothing where it is not here or the amount is not above
    /// 0. O(d²).
    pub fn add(&mut self, model: &Model, row: Row, kind: Kind, amount: f32) {
        self.see(model, row, &Seen::one(kind, amount));
    }

    fn see(&mut self, model: &Model, row: Row, seen: &Seen) {
        if row.is_estimate() || !model.has(row) || !seen.is_any() {
            return;
        }
        if self.revision != model.revision() {
            self.take_in(model);
        }
        let taste = model.taste();
        let responses = taste.responses();
        self.events += 1;
        let touched = self.events;
        let evidence = self.meet(row);
        let earlier = *evidence;
        evidence.seen.add(seen);
        evidence.touched = touched;
        let now = *evidence;
        let (before, after) = (earlier.pull(responses), now.pull(responses));

        model.decode(row, &mut self.factor);
        self.verdicts.change(model, &self.factor, &earlier, &now);
        self.system.change(&self.factor, before, after);
        self.boosts.change(model, row, before.target(), after.target());
        (self.stale, self.weighed) = (true, false);
    }

    /// Adds what is known of one track. O(d²).
    pub fn take(&mut self, model: &Model, evidence: &Evidence) {
        self.see(model, evidence.row, &evidence.seen);
    }

    fn known(&mut self, row: Row) -> Option<&mut Evidence> {
        let &(_, at) = self.by_row.get(self.place(row).ok()?)?;
        self.evidence.get_mut(at as usize)
    }

    /// What is known of a row, of which that may be nothing yet.
    fn meet(&mut self, row: Row) -> &mut Evidence {
        let place = self.place(row).unwrap_or_else(|place| {
            self.by_row.insert(place, (row, self.evidence.len() as u32));
            self.evidence.push(Evidence::new(row));
            place
        });
        &mut self.evidence[self.by_row[place].1 as usize]
    }

    fn place(&self, row: Row) -> Result<usize, usize> {
        place(&self.by_row, row)
    }

    fn solve(&mut self, model: &Model) {
        if self.revision != model.revision() {
            self.take_in(model);
        }
        if self.stale {
            self.system.solve(&model.taste(), &mut self.posterior);
            let taste = &self.posterior.mean;
            self.query.set(taste, model.steps(), model.unit(), model.shift(0));
            self.stale = false;
        }
        if !self.weighed {
            let heard = self.evidence.iter().filter(|evidence| evidence.observed > self.opened);
            self.verdicts.solve(model, heard, self.events, &mut self.factor);
            (self.weighed, self.placed) = (true, false);
        }
        if !self.placed {
            self.verdicts.combine(model, &self.moment);
            self.placed = true;
        }
        if !self.counted {
            self.votes.count(model, &self.sitting);
            self.counted = true;
        }
    }

    /// Neighbours, and what all say of tracks, may have come.
    fn take_in(&mut self, model: &Model) {
        self.revision = model.revision();
        (self.counted, self.weighed) = (false, false);
        self.boosts.clear();
        self.verdicts.clear(model);
        let taste = model.taste();
        for evidence in &self.evidence {
            let says = evidence.pull(taste.responses()).target();
            self.boosts.change(model, evidence.row, 0.0, says);
            model.decode(evidence.row, &mut self.factor);
            let nothing = Evidence::new(evidence.row);
            self.verdicts.change(model, &self.factor, &nothing, evidence);
        }
    }
}
