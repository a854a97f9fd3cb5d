//! One column of a row group, decoded in batches and handed out as cells.

use std::borrow::Cow;

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::schema::types::ColumnDescriptor;

use crate::log::columns::Field;
use crate::log::error::{ColumnError, Problem};
use crate::log::row::Cell;

const DAY_MS: i64 = 86_400_000;

/// A column that holds a field.
pub(super) struct Leaf {
    /// Position in the schema.
    pub index: usize,
    pub field: Field,
    meaning: Meaning,
    max_def: i16,
    max_rep: i16,
}

/// What the stored values stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meaning {
    Plain,
    Unsigned,
    /// Fractions of a millisecond since the epoch: how many make one.
    Time(i64),
    Days,
    /// What to divide an integer by.
    Decimal(f64),
    Uuid,
}

impl Leaf {
    /// Fails where the column's type cannot hold the field.
    pub(super) fn new(
        index: usize,
        field: Field,
        column: &ColumnDescriptor,
        name: &str,
    ) -> std::result::Result<Self, ColumnError> {
        let (max_def, max_rep) = (column.max_def_level(), column.max_rep_level());
        match meaning_of(column) {
            Some(meaning) if max_rep == 0 || (max_rep == 1 && field.is_list()) => {
                Ok(Self { index, field, meaning, max_def, max_rep })
            }
            _ => {
                let list = if max_rep > 0 { "list of " } else { "" };
                let found = match column.logical_type_ref() {
                    Some(logical) => format!("{list}{} ({logical:?})", column.physical_type()),
                    None => format!("{list}{}", column.physical_type()),
                };
                Err(ColumnError::Type { field, name: name.into(), found })
            }
        }
    }

    /// Reads the column in one row group.
    pub(super) fn open(&self, reader: ColumnReader) -> Box<dyn Column> {
        match reader {
            ColumnReader::BoolColumnReader(reader) => self.typed(reader),
            ColumnReader::Int32ColumnReader(reader) => self.typed(reader),
            ColumnReader::Int64ColumnReader(reader) => self.typed(reader),
            ColumnReader::Int96ColumnReader(reader) => self.typed(reader),
            ColumnReader::FloatColumnReader(reader) => self.typed(reader),
            ColumnReader::DoubleColumnReader(reader) => self.typed(reader),
            ColumnReader::ByteArrayColumnReader(reader) => self.typed(reader),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => self.typed(reader),
        }
    }

    fn typed<T: DataType>(&self, reader: ColumnReaderImpl<T>) -> Box<dyn Column>
    where
        T::T: Decode,
    {
        Box::new(Typed {
            reader,
            meaning: self.meaning,
            max_def: self.max_def,
            max_rep: self.max_rep,
            values: Vec::new(),
            defs: Vec::new(),
            reps: Vec::new(),
        })
    }
}

/// The meaning of a column's type; `None` for types that no field has.
fn meaning_of(column: &ColumnDescriptor) -> Option<Meaning> {
    let integers = matches!(column.physical_type(), Physical::INT32 | Physical::INT64);
    let decimal = |scale: i32| integers.then(|| Meaning::Decimal(10f64.powi(scale)));
    match column.logical_type_ref() {
        Some(LogicalType::Timestamp(time)) => Some(Meaning::Time(match time.unit {
            TimeUnit::MILLIS => 1,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1_000_000,
        })),
        Some(LogicalType::Date) => Some(Meaning::Days),
        Some(LogicalType::Decimal(number)) => decimal(number.scale),
        Some(LogicalType::Integer(number)) if !number.is_signed => Some(Meaning::Unsigned),
        Some(LogicalType::Uuid) => Some(Meaning::Uuid),
        Some(
            LogicalType::String
            | LogicalType::Enum
            | LogicalType::Json
            | LogicalType::Integer(_)
            | LogicalType::Unknown,
        ) => Some(Meaning::Plain),
        Some(_) => None,
        // Files of older writers have only this.
        None => match column.converted_type() {
            ConvertedType::TIMESTAMP_MILLIS => Some(Meaning::Time(1)),
            ConvertedType::TIMESTAMP_MICROS => Some(Meaning::Time(1_000)),
            ConvertedType::DATE => Some(Meaning::Days),
            ConvertedType::DECIMAL => decimal(column.type_scale()),
            ConvertedType::UINT_32 | ConvertedType::UINT_64 => Some(Meaning::Unsigned),
            ConvertedType::INTERVAL
            | ConvertedType::BSON
            | ConvertedType::TIME_MILLIS
            | ConvertedType::TIME_MICROS => None,
            _ => Some(Meaning::Plain),
        },
    }
}

/// Where the next row begins within a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    level: usize,
    value: usize,
}

/// A column of any type.
pub(super) trait Column {
    /// Decodes up to so many rows in place of the last ones; says how many.
    fn fill(&mut self, rows: usize) -> Result<usize>;

    /// The cell of the row at the cursor, which moves on to the next row.
    fn next(&self, cursor: &mut Cursor) -> std::result::Result<Cell<'_>, Problem>;
}

/// A column as Dremel's definition and repetition levels describe it: a value for each
/// definition level that is the highest.
struct Typed<T: DataType> {
    reader: ColumnReaderImpl<T>,
    meaning: Meaning,
    max_def: i16,
    max_rep: i16,
    values: Vec<T::T>,
    defs: Vec<i16>,
    reps: Vec<i16>,
}

impl<T: DataType> Column for Typed<T>
where
    T::T: Decode,
{
    fn fill(&mut self, rows: usize) -> Result<usize> {
        self.values.clear();
        self.defs.clear();
        self.reps.clear();
        let defs = (self.max_def > 0).then_some(&mut self.defs);
        let reps = (self.max_rep > 0).then_some(&mut self.reps);
        let (filled, _, _) = self.reader.read_records(rows, defs, reps, &mut self.values)?;
        let present = match self.max_def {
            0 => filled,
            max => self.defs.iter().filter(|&&def| def == max).count(),
        };
        if present != self.values.len() {
            return Err(ParquetError::General("values and levels differ in number".into()));
        }
        Ok(filled)
    }

    fn next(&self, cursor: &mut Cursor) -> std::result::Result<Cell<'_>, Problem> {
        if self.max_rep == 0 {
            return self.next_value(cursor).unwrap_or(Ok(Cell::Absent));
        }
        let mut texts = Vec::new();
        let mut other = None;
        loop {
            match self.next_value(cursor) {
                Some(Ok(Cell::Text(text))) => texts.push(text),
                Some(Ok(Cell::Integer(id))) => texts.push(Cow::Owned(id.to_string())),
                Some(Ok(Cell::Absent)) => texts.push(Cow::Borrowed("")),
                None => {}
                Some(Ok(_)) => other = Some(Ok(Cell::Other("a list of other things than texts"))),
                Some(Err(problem)) => other = Some(Err(problem)),
            }
            // Level 0 begins the next row.
            if self.reps.get(cursor.level).is_none_or(|&rep| rep == 0) {
                return other.unwrap_or(Ok(Cell::List(texts)));
            }
        }
    }
}

impl<T: DataType> Typed<T>
where
    T::T: Decode,
{
    /// The value at the cursor, if there is one.
    fn next_value(&self, cursor: &mut Cursor) -> Option<std::result::Result<Cell<'_>, Problem>> {
        let present = self.max_def == 0 || self.defs.get(cursor.level) == Some(&self.max_def);
        cursor.level += 1;
        if !present {
            return None;
        }
        let value = self.values.get(cursor.value)?;
        cursor.value += 1;
        Some(value.decode(self.meaning))
    }
}

/// From a stored value to a cell.
trait Decode {
    fn decode(&self, meaning: Meaning) -> std::result::Result<Cell<'_>, Problem>;
}

impl Decode for bool {
    fn decode(&self, _: Meaning) -> std::result::Result<Cell<'_>, Problem> {
        Ok(Cell::Flag(*self))
    }
}

impl Decode for i32 {
    fn decode(&self, meaning: Meaning) -> std::result::Result<Cell<'_>, Problem> {
        Ok(match meaning {
            Meaning::Unsigned => Cell::Integer(i64::from(self.cast_unsigned())),
            _ => integer(i64::from(*self), meaning),
        })
    }
}

impl Decode for i64 {
    fn decode(&self, meaning: Meaning) -> std::result::Result<Cell<'_>, Problem> {
        Ok(match meaning {
            Meaning::Unsigned => Cell::unsigned(self.cast_unsigned()),
            _ => integer(*self, meaning),
        })
    }
}

fn integer(value: i64, meaning: Meaning) -> Cell<'static> {
    match meaning {
        Meaning::Time(parts) => Cell::Time(value.div_euclid(parts)),
        Meaning::Days => Cell::Time(value.saturating_mul(DAY_MS)),
        Meaning::Decimal(divisor) => Cell::Number(value as f64 / divisor),
        Meaning::Plain | Meaning::Unsigned | Meaning::Uuid => Cell::Integer(value),
    }
}

impl Decode for Int96 {
    /// Only ever a time, as old versions of Spark and Impala write it.
    fn decode(&self, _: Meaning) -> std::result::Result<Cell<'_>, Problem> {
        Ok(Cell::Time(self.to_millis()))
    }
}

impl Decode for f32 {
    fn decode(&self, _: Meaning) -> std::result::Result<Cell<'_>, Problem> {
        Ok(Cell::Number(f64::from(*self)))
    }
}

impl Decode for f64 {
    fn decode(&self, _: Meaning) -> std::result::Result<Cell<'_>, Problem> {
        Ok(Cell::Number(*self))
    }
}

impl Decode for ByteArray {
    fn decode(&self, _: Meaning) -> std::result::Result<Cell<'_>, Problem> {
        let bytes = if self.is_empty() { &[] } else { self.data() };
        std::str::from_utf8(bytes)
            .map(|text| Cell::text(Cow::Borrowed(text)))
            .map_err(|error| Problem::Utf8(error.valid_up_to() + 1))
    }
}

impl Decode for FixedLenByteArray {
    fn decode(&self, meaning: Meaning) -> std::result::Result<Cell<'_>, Problem> {
        match (meaning, <[u8; 16]>::try_from(self.data())) {
            (Meaning::Uuid, Ok(bytes)) => Ok(Cell::Text(Cow::Owned(hyphenated(bytes)))),
            _ => (**self).decode(meaning),
        }
    }
}

/// RFC 9562, section 4.
fn hyphenated(uuid: [u8; 16]) -> String {
    let mut text = format!("{:032x}", u128::from_be_bytes(uuid));
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}
