//! JSON Lines: one object a line, its keys recognised as the columns of a table are.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Place;
use super::columns::{ColumnUse, Columns, Field};
use super::error::Problem;
use super::lines::{Ends, Lines, Step};
use super::row::{Cell, Flaw, Row};
use super::run::{Run, Stop};

/// Keys whose meaning is remembered; a log with new keys in every line looks each of them up.
const REMEMBERED_KEYS: usize = 64;

/// The object within an event that holds its context.
const CONTEXT: &str = "context";

/// Reads every line.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, run: &mut Run<'_>) -> Result<(), Stop> {
    let columns = run.options.columns.clone();
    let mut keys = Keys::default();
    let ended = read_rows(lines, run, &columns, &mut keys);
    (run.summary.columns, run.summary.unused) = keys.uses();
    ended
}

fn read_rows<R: Read>(
    lines: &mut Lines<R>,
    run: &mut Run<'_>,
    columns: &Columns,
    keys: &mut Keys,
) -> Result<(), Stop> {
    loop {
        let record = match lines.next(Ends::Line) {
            Ok(Step::Record(record)) => record,
            Ok(Step::Bad(problem)) => {
                run.row(Place::Line(lines.line()), Err(problem.into()))?;
                continue;
            }
            Ok(Step::End) => return Ok(()),
            Err(error) => return Err(run.broken(lines.line(), error)),
        };
        let line = lines.bytes(record);
        if !line.trim_ascii().is_empty() {
            run.row(Place::Line(lines.line()), row(line, columns, keys))?;
        }
    }
}

fn row<'a>(line: &'a [u8], columns: &Columns, keys: &mut Keys) -> Result<Row<'a>, Flaw> {
    let text = utf8(line)?;
    let mut filled = Filled { row: Row::default(), fits: [None; Field::ALL.len()] };
    let mut parser = serde_json::Deserializer::from_str(text);
    Object { filled: &mut filled, keys, columns, nested: false }
        .deserialize(&mut parser)
        .and_then(|()| parser.end())
        .map_err(problem_of)?;
    match Field::REQUIRED.into_iter().find(|field| filled.fits[field.index()].is_none()) {
        Some(missing) => {
            Err(Flaw { field: Some(missing), problem: Problem::Missing(keys.top.names()) })
        }
        None => Ok(filled.row),
    }
}

/// A line as text.
pub(super) fn utf8(line: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(line).map_err(|error| Problem::Utf8(error.valid_up_to() + 1))
}

/// The parser's message, without the line number, which is always 1.
#[expect(clippy::needless_pass_by_value, reason = "the signature that `map_err` asks for")]
pub(crate) fn problem_of(error: serde_json::Error) -> Problem {
    let column = error.column();
    let message = error.to_string();
    let position = format!(" at line {} column {column}", error.line());
    let message = message.strip_suffix(&position).unwrap_or(&message).to_owned();
    Problem::Json { message, column }
}

/// What a key says.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    Nothing,
    Context,
    /// A field, and how well the key's name fits it: 0 is best.
    Field(Field, usize),
}

/// The meanings of the keys that came up so far.
#[derive(Debug, Default)]
struct Keys {
    top: Memory,
    context: Memory,
}

#[derive(Debug, Default)]
struct Memory {
    known: Vec<(String, Meaning)>,
    /// Where the next key is expected: lines of one log mostly have the same keys in one order.
    next: usize,
}

impl Keys {
    /// The keys that hold a field, and those that hold none.
    fn uses(&self) -> (Vec<ColumnUse>, Vec<String>) {
        let top = self.top.known.iter().map(|(key, meaning)| (key.clone(), *meaning));
        let context =
            self.context.known.iter().map(|(key, meaning)| (format!("{CONTEXT}.{key}"), *meaning));
        let (mut uses, mut unused) = (Vec::new(), Vec::new());
        for (name, meaning) in top.chain(context) {
            match meaning {
                Meaning::Field(field, _) => uses.push(ColumnUse { field, name }),
                Meaning::Nothing => unused.push(name),
                Meaning::Context => {}
            }
        }
        (uses, unused)
    }
}

impl Memory {
    fn names(&self) -> Vec<String> {
        self.known.iter().map(|(key, _)| key.clone()).collect()
    }

    fn meaning(&mut self, key: &str, nested: bool, columns: &Columns) -> Meaning {
        let (before, after) = self.known.split_at(self.next.min(self.known.len()));
        let found = after.iter().chain(before).position(|(known, _)| known == key);
        if let Some(steps) = found {
            let at = (self.next + steps) % self.known.len();
            self.next = at + 1;
            return self.known[at].1;
        }
        let meaning = meaning_of(key, nested, columns);
        if self.known.len() < REMEMBERED_KEYS {
            self.known.push((key.to_owned(), meaning));
            self.next = self.known.len();
        }
        meaning
    }
}

fn meaning_of(key: &str, nested: bool, columns: &Columns) -> Meaning {
    let field = if nested {
        columns.recognise(&format!("{CONTEXT}.{key}"))
    } else {
        columns.recognise(key)
    };
    match field {
        Some((field, fit)) => Meaning::Field(field, fit),
        None if key == CONTEXT && !nested => Meaning::Context,
        None => Meaning::Nothing,
    }
}

/// A row, and how well the key fitted that each cell came from.
struct Filled<'a> {
    row: Row<'a>,
    fits: [Option<usize>; Field::ALL.len()],
}

impl<'a> Filled<'a> {
    /// Puts a cell in, unless a better one is there; `false` where the same key came up before.
    fn put(&mut self, field: Field, fit: usize, cell: Cell<'a>) -> bool {
        let best = &mut self.fits[field.index()];
        match *best {
            Some(best) if best == fit => return false,
            Some(_) if cell == Cell::Absent => {}
            Some(best) if best < fit && self.row.has(field) => {}
            _ => {
                *best = Some(fit);
                self.row.set(field, cell);
            }
        }
        true
    }
}

/// Reads an event, or its context.
struct Object<'r, 'a> {
    filled: &'r mut Filled<'a>,
    keys: &'r mut Keys,
    columns: &'r Columns,
    nested: bool,
}

impl<'a> DeserializeSeed<'a> for Object<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.nested {
            deserializer.deserialize_any(self)
        } else {
            deserializer.deserialize_map(self)
        }
    }
}

impl<'a> Visitor<'a> for Object<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.nested {
            "an object as context"
        } else {
            "one object a line (`jq -c '.[]'` turns a list into lines)"
        })
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.nested { Ok(()) } else { Err(E::invalid_type(serde::de::Unexpected::Unit, &self)) }
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { filled, keys, columns, nested } = self;
        let memory = if nested { &mut keys.context } else { &mut keys.top };
        memory.next = 0;
        loop {
            let memory = if nested { &mut keys.context } else { &mut keys.top };
            let Some(meaning) = map.next_key_seed(Key { memory, columns, nested })? else {
                return Ok(());
            };
            match meaning {
                Meaning::Nothing => {
                    map.next_value::<IgnoredAny>()?;
                }
                Meaning::Context => {
                    map.next_value_seed(Object { filled, keys, columns, nested: true })?;
                }
                Meaning::Field(field, fit) => {
                    let cell = map.next_value_seed(Value { listed: field.is_list() })?;
                    if !filled.put(field, fit, cell) {
                        return Err(A::Error::custom(format_args!("`{field}` appears twice")));
                    }
                }
            }
        }
    }
}

struct Key<'r> {
    memory: &'r mut Memory,
    columns: &'r Columns,
    nested: bool,
}

impl<'a> DeserializeSeed<'a> for Key<'_> {
    type Value = Meaning;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Meaning, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Meaning;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Meaning, E> {
        Ok(self.memory.meaning(key, self.nested, self.columns))
    }
}

/// Reads any value as a cell.
struct Value {
    /// Whether a list is a value of the field.
    listed: bool,
}

impl<'a> DeserializeSeed<'a> for Value {
    type Value = Cell<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Cell<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Value {
    type Value = Cell<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Cell<'a>, E> {
        Ok(Cell::Absent)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Cell<'a>, E> {
        Ok(Cell::Flag(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Cell<'a>, E> {
        Ok(Cell::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Cell<'a>, E> {
        Ok(Cell::unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Cell<'a>, E> {
        Ok(Cell::Number(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Cell<'a>, E> {
        Ok(Cell::text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell<'a>, E> {
        Ok(Cell::text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Cell<'a>, A::Error> {
        let mut texts = Vec::new();
        let mut other = !self.listed;
        while let Some(item) = list.next_element_seed(Self { listed: false })? {
            match item {
                Cell::Text(text) => texts.push(text),
                Cell::Integer(id) => texts.push(Cow::Owned(id.to_string())),
                Cell::Absent => texts.push(Cow::Borrowed("")),
                _ => other = true,
            }
        }
        Ok(if other { Cell::Other("a list of other things") } else { Cell::List(texts) })
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Cell<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Other("an object"))
    }
}
