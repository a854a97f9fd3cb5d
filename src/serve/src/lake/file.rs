//! A file of a lake: Apache Parquet, packed by Zstandard.
//!
//! | column | type | is |
//! |---|---|---|
//! | `id`, `track` | string | as they were sent |
//! | `user`, `session` | string | pseudonyms |
//! | `at` | timestamp, ms, UTC | when it happened, by a clock that was put right |
//! | `kind` | string | [`Kind`] |
//! | `played_ms`, `duration_ms` | int64, optional | |
//! | `tz_offset_min` | int32, optional | of the context, as are `device`, `source` and `mood`: string, optional |
//! | `exposures` | map of string to string, optional | |
//! | `propensity`, `candidates` | double, list of string, optional | of an impression |
//! | `arrived` | timestamp, ms, UTC | when the collector took it |
//! | `correction_ms` | int64 | what was added to `at` |
//!
//! `context.region` is not a column: it is the partition's.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use axum::body::Bytes;
use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        reader::{FileReader, SerializedFileReader},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    record::Field,
    schema::parser::parse_message_type,
};
use segue_core::event::{Context, Event, Kind, Propensity};

use super::Partition;

const SCHEMA: &str = "message event {
    required binary id (STRING);
    required binary user (STRING);
    required binary session (STRING);
    required binary track (STRING);
    required int64 at (TIMESTAMP(MILLIS, true));
    required binary kind (STRING);
    optional int64 played_ms;
    optional int64 duration_ms;
    optional int32 tz_offset_min;
    optional binary device (STRING);
    optional binary source (STRING);
    optional binary mood (STRING);
    optional group exposures (MAP) {
        repeated group key_value { required binary key (STRING); required binary value (STRING); }
    }
    optional double propensity;
    optional group candidates (LIST) {
        repeated group list { required binary element (STRING); }
    }
    required int64 arrived (TIMESTAMP(MILLIS, true));
    required int64 correction_ms;
}";

/// How hard to pack: more takes much longer, and saves little.
const LEVEL: i32 = 3;

/// An event in the lake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The event, with pseudonyms.
    pub event: Event,
    /// When the collector took it, in milliseconds since 1970.
    pub arrived: i64,
    /// What was added to its time, in milliseconds.
    pub correction_ms: i64,
}

/// The bytes of a file of rows.
pub(super) fn encode(rows: &[Row]) -> Result<Vec<u8>, String> {
    written(rows).map_err(|error| error.to_string())
}

fn written(rows: &[Row]) -> Result<Vec<u8>, ParquetError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
        .set_created_by(concat!("segue ", env!("CARGO_PKG_VERSION")).into())
        .build();
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    columns(file.next_row_group()?, rows)?;
    file.into_inner()
}

fn columns(group: SerializedRowGroupWriter<'_, Vec<u8>>, rows: &[Row]) -> Result<(), ParquetError> {
    let mut group = Group(group);
    let event = || rows.iter().map(|row| &row.event);
    let context = || event().map(|event| event.context.as_ref());
    group.texts(event().map(|event| event.id.as_str()))?;
    group.texts(event().map(|event| event.user.as_str()))?;
    group.texts(event().map(|event| event.session.as_str()))?;
    group.texts(event().map(|event| event.track.as_str()))?;
    group.all::<Int64Type>(event().map(|event| event.at))?;
    group.texts(event().map(|event| event.kind.name()))?;
    group.some::<Int64Type>(event().map(|event| event.played_ms.map(i64::from)))?;
    group.some::<Int64Type>(event().map(|event| event.duration_ms.map(i64::from)))?;
    group.some::<Int32Type>(context().map(|context| context?.tz_offset_min.map(i32::from)))?;
    group.some::<ByteArrayType>(context().map(|context| text(context?.device.as_ref())))?;
    group.some::<ByteArrayType>(context().map(|context| text(context?.source.as_ref())))?;
    group.some::<ByteArrayType>(context().map(|context| text(context?.mood.as_ref())))?;
    group.lists(event().map(|event| event.exposures.as_ref().map(BTreeMap::keys)))?;
    group.lists(event().map(|event| event.exposures.as_ref().map(BTreeMap::values)))?;
    group.some::<DoubleType>(event().map(|event| event.propensity.map(Propensity::get)))?;
    group.lists(event().map(|event| event.candidates.as_ref().map(|ids| ids.iter())))?;
    group.all::<Int64Type>(rows.iter().map(|row| row.arrived))?;
    group.all::<Int64Type>(rows.iter().map(|row| row.correction_ms))?;
    group.0.close().map(|_| ())
}

fn text(text: Option<&String>) -> Option<ByteArray> {
    text.map(|text| text.as_str().into())
}

/// Writes one column after the other.
struct Group<'a>(SerializedRowGroupWriter<'a, Vec<u8>>);

impl Group<'_> {
    fn texts<'t>(&mut self, values: impl Iterator<Item = &'t str>) -> Result<(), ParquetError> {
        self.all::<ByteArrayType>(values.map(ByteArray::from))
    }

    /// A column in which every row has a value.
    fn all<T: DataType>(&mut self, values: impl Iterator<Item = T::T>) -> Result<(), ParquetError> {
        self.column::<T>(&values.collect::<Vec<_>>(), None, None)
    }

    fn some<T: DataType>(
        &mut self,
        values: impl Iterator<Item = Option<T::T>>,
    ) -> Result<(), ParquetError> {
        let values: Vec<Option<T::T>> = values.collect();
        let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
        let values: Vec<T::T> = values.into_iter().flatten().collect();
        self.column::<T>(&values, Some(&levels), None)
    }

    /// A column of lists, each of which may be absent, or empty: definition levels 0, 1, and 2 for each element.
    fn lists<'t>(
        &mut self,
        lists: impl Iterator<Item = Option<impl Iterator<Item = &'t String>>>,
    ) -> Result<(), ParquetError> {
        let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        for list in lists {
            let before = values.len();
            let there = list.is_some();
            for (at, text) in list.into_iter().flatten().enumerate() {
                values.push(ByteArray::from(text.as_str()));
                defined.push(2);
                repeated.push(i16::from(at > 0));
            }
            if values.len() == before {
                defined.push(i16::from(there));
                repeated.push(0);
            }
        }
        self.column::<ByteArrayType>(&values, Some(&defined), Some(&repeated))
    }

    fn column<T: DataType>(
        &mut self,
        values: &[T::T],
        defined: Option<&[i16]>,
        repeated: Option<&[i16]>,
    ) -> Result<(), ParquetError> {
        let Some(mut column) = self.0.next_column()? else {
            return Err(ParquetError::General("the schema has fewer columns".into()));
        };
        column.typed::<T>().write_batch(values, defined, repeated)?;
        column.close()
    }
}

/// The rows of a file. What is damaged is an error, also where the decoder panics on it.
pub(super) fn decode(bytes: Bytes, partition: &Partition) -> Result<Vec<Row>, String> {
    let read = panic::catch_unwind(AssertUnwindSafe(|| rows(bytes, partition)));
    read.unwrap_or_else(|_| Err("the decoder of Parquet gave up on it".into()))
}

/// Whose events a file has, by the one column that says so.
pub(super) fn users(bytes: Bytes) -> Result<BTreeSet<String>, String> {
    let read = || -> Result<BTreeSet<String>, ParquetError> {
        let column = parse_message_type("message event { required binary user (STRING); }")?;
        let reader = SerializedFileReader::new(bytes)?;
        let mut users = BTreeSet::new();
        for row in reader.get_row_iter(Some(column))? {
            for (_, field) in row?.into_columns() {
                if let Field::Str(user) = field {
                    users.insert(user);
                }
            }
        }
        Ok(users)
    };
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    let read =
        read.unwrap_or_else(|_| Err(ParquetError::General("the decoder gave up on it".into())));
    read.map_err(|error| error.to_string())
}

fn rows(bytes: Bytes, partition: &Partition) -> Result<Vec<Row>, String> {
    let wrong = |error: ParquetError| error.to_string();
    let reader = SerializedFileReader::new(bytes).map_err(wrong)?;
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None).map_err(wrong)? {
        let mut read = Reading::default();
        for (name, field) in row.map_err(wrong)?.into_columns() {
            read.take(&name, field)
                .ok_or_else(|| format!("its column {name} is of another type"))?;
        }
        rows.push(read.row(partition).ok_or("a column is missing, or a value that must be there")?);
    }
    Ok(rows)
}

/// A row of which some columns are read.
#[derive(Default)]
struct Reading {
    id: Option<String>,
    user: Option<String>,
    session: Option<String>,
    track: Option<String>,
    at: Option<i64>,
    kind: Option<Kind>,
    played_ms: Option<u32>,
    duration_ms: Option<u32>,
    context: Context,
    exposures: Option<BTreeMap<String, String>>,
    propensity: Option<Propensity>,
    candidates: Option<Vec<String>>,
    arrived: Option<i64>,
    correction_ms: Option<i64>,
}

impl Reading {
    /// Takes a value; `None` where it is not what the column holds. Columns that are not known are passed over.
    fn take(&mut self, name: &str, field: Field) -> Option<()> {
        let text = |field| match field {
            Field::Null => Some(None),
            Field::Str(text) => Some(Some(text)),
            _ => None,
        };
        let number = |field| match field {
            Field::Null => Some(None),
            Field::Long(value) | Field::TimestampMillis(value) => Some(Some(value)),
            Field::Int(value) => Some(Some(i64::from(value))),
            _ => None,
        };
        let narrow = |field| number(field)?.map(u32::try_from).transpose().ok();
        match name {
            "id" => self.id = text(field)?,
            "user" => self.user = text(field)?,
            "session" => self.session = text(field)?,
            "track" => self.track = text(field)?,
            "at" => self.at = number(field)?,
            "kind" => self.kind = text(field)?.map(|name| name.parse()).transpose().ok()?,
            "played_ms" => self.played_ms = narrow(field)?,
            "duration_ms" => self.duration_ms = narrow(field)?,
            "tz_offset_min" => {
                self.context.tz_offset_min = number(field)?.map(i16::try_from).transpose().ok()?;
            }
            "device" => self.context.device = text(field)?,
            "source" => self.context.source = text(field)?,
            "mood" => self.context.mood = text(field)?,
            "exposures" => self.exposures = map(field)?,
            "propensity" => {
                self.propensity = match field {
                    Field::Null => None,
                    Field::Double(chance) => Some(Propensity::try_from(chance).ok()?),
                    _ => return None,
                };
            }
            "candidates" => self.candidates = list(field)?,
            "arrived" => self.arrived = number(field)?,
            "correction_ms" => self.correction_ms = number(field)?,
            _ => {}
        }
        Some(())
    }

    fn row(self, partition: &Partition) -> Option<Row> {
        let context = Context { region: partition.region.clone(), ..self.context };
        let event = Event {
            id: self.id?,
            user: self.user?,
            session: self.session?,
            track: self.track?,
            at: self.at?,
            kind: self.kind?,
            played_ms: self.played_ms,
            duration_ms: self.duration_ms,
            context: (context != Context::default()).then_some(context),
            exposures: self.exposures,
            propensity: self.propensity,
            candidates: self.candidates,
        };
        Some(Row { event, arrived: self.arrived?, correction_ms: self.correction_ms? })
    }
}

fn list(field: Field) -> Option<Option<Vec<String>>> {
    let Field::ListInternal(list) = field else {
        return matches!(field, Field::Null).then_some(None);
    };
    let text = |field: &Field| match field {
        Field::Str(text) => Some(text.clone()),
        _ => None,
    };
    list.elements().iter().map(text).collect::<Option<_>>().map(Some)
}

fn map(field: Field) -> Option<Option<BTreeMap<String, String>>> {
    let Field::MapInternal(map) = field else {
        return matches!(field, Field::Null).then_some(None);
    };
    let pair = |(key, value): &(Field, Field)| match (key, value) {
        (Field::Str(key), Field::Str(value)) => Some((key.clone(), value.clone())),
        _ => None,
    };
    map.entries().iter().map(pair).collect::<Option<_>>().map(Some)
}
