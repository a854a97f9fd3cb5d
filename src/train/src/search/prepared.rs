//! Queries whose taste is solved: what is tried of what follows what does not change it.

use rayon::prelude::*;
use segue_core::{
    boosts::Boosts,
    ids::Row,
    kernel,
    model::Model,
    moment::Moment,
    rank::top_expected,
    session::{Evidence, Expectation, Session},
    sitting::Sitting,
    verdicts::Verdicts,
    votes::Votes,
};

use crate::evaluate::next::{FIRST, Query};

/// A query as `base` has it, with or without sections of what follows what.
pub struct Prepared<'a> {
    query: &'a Query,
    taste: kernel::Query,
    /// What is said of each track that was met: 1 for yes; nothing where no neighbours would hear it.
    says: Vec<(Row, f32)>,
    sitting: Sitting,
}

/// Folds in the listener of each query. Parallel.
pub fn prepared<'a>(base: &Model, queries: &'a [Query]) -> Vec<Prepared<'a>> {
    let prepare = |session: &mut Session, query: &'a Query| {
        query.observe(base, session);
        let says = match base.neighbours(0) {
            None => Vec::new(),
            Some(_) => {
                let taste = base.taste();
                let says = |of: &Evidence| (of.row, of.pull(taste.responses()).target());
                session.evidence().iter().map(says).collect()
            }
        };
        let Expectation { query: taste, sitting, .. } = session.expectation(base);
        Prepared { query, taste: taste.clone(), says, sitting: sitting.clone() }
    };
    queries.par_iter().map_init(|| Session::new(base), prepare).collect()
}

/// The figures of each of `queries`, by `model`, which is their base but for what follows what. Parallel.
pub fn each(model: &Model, queries: &[Prepared<'_>]) -> Vec<[f64; 4]> {
    // Nobody says no here.
    let nothing = (&Verdicts::default(), &Moment::default());
    let figures = |(boosts, votes, found): &mut (Boosts, Votes, Vec<_>), query: &Prepared<'_>| {
        boosts.clear();
        for &(row, says) in &query.says {
            boosts.change(model, row, 0.0, says);
        }
        votes.count(model, &query.sitting);
        let Prepared { query, taste, sitting, .. } = query;
        let expectation = Expectation::new(taste, (boosts, votes), sitting, nothing);
        top_expected(model, expectation, FIRST, |row| query.may_be(row), found);
        query.figures(found)
    };
    let start = || (Boosts::default(), Votes::default(), Vec::new());
    queries.par_iter().map_init(start, figures).collect()
}
