//! Writes small Parquet files.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
    FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

/// The values of a column; absent ones are in the levels only.
#[derive(Clone)]
pub enum Values {
    Bool(Vec<bool>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    I96(Vec<[u32; 3]>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Bytes(Vec<Vec<u8>>),
    Fixed(Vec<Vec<u8>>),
}

/// A column of one row group: values, definition levels, repetition levels.
#[derive(Clone)]
pub struct Column(pub Values, pub Option<Vec<i16>>, pub Option<Vec<i16>>);

/// A required column.
pub fn full(values: Values) -> Column {
    Column(values, None, None)
}

/// A required column of text.
pub fn texts(values: &[&str]) -> Column {
    full(Values::Bytes(values.iter().map(|text| text.as_bytes().to_vec()).collect()))
}

/// A file of one schema and any number of row groups.
pub fn table(schema: &str, compression: Compression, groups: &[Vec<Column>]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message log {{ {schema} }}")).unwrap());
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_data_page_row_count_limit(1000)
        .set_write_batch_size(100)
        .build();
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for group in groups {
        let mut writer = file.next_row_group().unwrap();
        for column in group {
            write(writer.next_column().unwrap().unwrap(), column);
        }
        writer.close().unwrap();
    }
    file.into_inner().unwrap()
}

fn write(mut writer: SerializedColumnWriter<'_>, column: &Column) {
    let Column(values, defs, reps) = column;
    let (defs, reps) = (defs.as_deref(), reps.as_deref());
    match values {
        Values::Bool(values) => batch::<BoolType>(&mut writer, values, defs, reps),
        Values::I32(values) => batch::<Int32Type>(&mut writer, values, defs, reps),
        Values::I64(values) => batch::<Int64Type>(&mut writer, values, defs, reps),
        Values::F32(values) => batch::<FloatType>(&mut writer, values, defs, reps),
        Values::F64(values) => batch::<DoubleType>(&mut writer, values, defs, reps),
        Values::I96(values) => {
            let values: Vec<Int96> = values.iter().map(|parts| parts.to_vec().into()).collect();
            batch::<Int96Type>(&mut writer, &values, defs, reps);
        }
        Values::Bytes(values) => {
            let values: Vec<ByteArray> = values.iter().map(|bytes| bytes.clone().into()).collect();
            batch::<ByteArrayType>(&mut writer, &values, defs, reps);
        }
        Values::Fixed(values) => {
            let values: Vec<FixedLenByteArray> =
                values.iter().map(|bytes| bytes.clone().into()).collect();
            batch::<FixedLenByteArrayType>(&mut writer, &values, defs, reps);
        }
    }
    writer.close().unwrap();
}

fn batch<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: &[T::T],
    defs: Option<&[i16]>,
    reps: Option<&[i16]>,
) {
    writer.typed::<T>().write_batch(values, defs, reps).unwrap();
}
