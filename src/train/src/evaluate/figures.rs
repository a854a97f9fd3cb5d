//! The figures of each case of a test, and the file that keeps them to be compared.

use std::{
    collections::HashSet,
    fmt,
    io::{self, Write},
    path::Path,
};

use segue_core::ids::fingerprint;
use serde::{Deserialize, Serialize, Serializer as _};
use serde_json::{Map, Value};

use super::{
    intervals::{Interval, intervals},
    slices::Slice,
};
use crate::log::{Flaw, LogError, MAX_LINE_BYTES, Problem, each_line, excerpt, problem_of};

/// What a protocol measures on each case.
#[derive(Debug)]
pub struct Protocol {
    /// What a case is.
    pub case: &'static str,
    /// More than one.
    pub cases: &'static str,
    /// The names of its figures; each is 0 to 1, the more the better.
    pub figures: [&'static str; 4],
    /// Those that a [`Slice`] has.
    pub sliced: [&'static str; 2],
    /// The command that writes them.
    pub writer: &'static str,
}

/// Of `segue evaluate split`.
pub const SPLIT: Protocol = Protocol {
    case: "listener",
    cases: "listeners",
    figures: ["recall@10", "ndcg@10", "recall@20", "ndcg@20"],
    sliced: ["recall@20", "ndcg@20"],
    writer: "segue evaluate split --per-listener",
};

/// Of `segue evaluate next`.
pub const NEXT: Protocol = Protocol {
    case: "query",
    cases: "queries",
    figures: ["p@20", "mrr@20", "hr@10", "ndcg@10"],
    sliced: ["p@20", "mrr@20"],
    writer: "segue evaluate next --per-query",
};

/// Which case of a test.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Name {
    /// A listener, by id.
    Listener(String),
    /// A query, by its place in the test file, from 1.
    Query(u64),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listener(id) => f.write_str(&excerpt(id)),
            Self::Query(number) => write!(f, "{number}"),
        }
    }
}

/// What a case asks for, in 64 bits: two tests may have a case of one name that asks for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked(u64);

impl Asked {
    /// Of the ids that a case consists of.
    pub fn of<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        Self(fingerprint(&ids.into_iter().collect::<Vec<_>>().join("\n")))
    }

    fn parse(text: &str) -> Option<Self> {
        let hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u64::from_str_radix(text, 16).ok().filter(|_| hex).map(Self)
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The name under which [`Asked`] is written.
const ASKED: &str = "asked";

/// One case, and its figures in the order of its [`Protocol`].
#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    /// Which.
    pub name: Name,
    /// What it asks for; files that something else wrote need not say.
    pub asked: Option<Asked>,
    /// 0 to 1 each.
    pub figures: [f64; 4],
}

/// What a test says beyond its means.
#[derive(Clone, Debug)]
pub struct Detail {
    /// In the order of the test file.
    pub each: Vec<Each>,
    /// Of the mean of each figure.
    pub intervals: [Interval; 4],
    /// The same test by parts; those without a case are left out.
    pub slices: Vec<Slice>,
}

impl Detail {
    /// Of these cases. `seed` is that of the bootstrap.
    pub fn new(
        cases: impl IntoIterator<Item = (Name, Asked)>,
        figures: &[[f64; 4]],
        slices: Vec<Slice>,
        seed: u64,
    ) -> Self {
        let each = cases.into_iter().zip(figures);
        let each = each.map(|((name, asked), &figures)| Each { name, asked: Some(asked), figures });
        let each = each.collect();
        Self { each, intervals: intervals(figures, seed), slices }
    }
}

/// Writes one JSON object a line: the case under what it is, what it asks for, its figures under their names.
pub fn write(protocol: &Protocol, each: &[Each], to: &mut dyn Write) -> io::Result<()> {
    each.iter().try_for_each(|Each { name, asked, figures }| {
        let name = [(protocol.case, serde_json::to_value(name)?)];
        let asked = asked.map(|asked| (ASKED, Value::from(asked.to_string())));
        let figures = protocol.figures.into_iter().zip(figures.map(Value::from));
        let line = name.into_iter().chain(asked).chain(figures);
        serde_json::Serializer::new(&mut *to).collect_map(line)?;
        writeln!(to)
    })
}

/// Reads what [`write()`] wrote, packed by gzip or Zstandard or not; `-` is standard input. Keys of other
/// names are passed over.
///
/// # Errors
/// See [`LogError`]: an empty file, and the first line that is no such object, lacks a figure between 0
/// and 1 or has a case again.
pub fn read(protocol: &Protocol, path: &Path) -> Result<Vec<Each>, LogError> {
    let (mut all, mut names) = (Vec::new(), HashSet::new());
    each_line(path, MAX_LINE_BYTES, |line| {
        let each = parse(protocol, line)?;
        if !names.insert(each.name.clone()) {
            return Err(Problem::Again(format!("{} {}", protocol.case, each.name)).into());
        }
        all.push(each);
        Ok(())
    })?;
    Ok(all)
}

fn parse(protocol: &Protocol, line: &str) -> Result<Each, Flaw> {
    let line: Map<String, Value> = serde_json::from_str(line).map_err(problem_of)?;
    let lacks = |wanted| Problem::NoFigure { wanted, writer: protocol.writer };
    let name = line.get(protocol.case).and_then(|name| Name::deserialize(name).ok());
    let name = name.ok_or_else(|| lacks(protocol.case))?;
    let asked = match line.get(ASKED) {
        None => None,
        Some(asked) => Some(asked.as_str().and_then(Asked::parse).ok_or_else(|| lacks(ASKED))?),
    };
    let mut figures = [0.0; 4];
    for (figure, wanted) in figures.iter_mut().zip(protocol.figures) {
        let found = line.get(wanted).and_then(Value::as_f64);
        *figure = found.filter(|x| (0.0..=1.0).contains(x)).ok_or_else(|| lacks(wanted))?;
    }
    Ok(Each { name, asked, figures })
}
