//! Apache Parquet, column by column through the format's own types: no copy into another layout,
//! and memory bounded by one batch and one page of each column that is used.

mod column;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::result::Result as StdResult;

use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::ColumnDescriptor;

use self::column::{Column, Cursor, Leaf};
use super::error::LogError;
use super::row::{Flaw, Row};
use super::run::{Run, Stop};
use super::{Format, Place};

/// Rows decoded at a time.
const BATCH_ROWS: usize = 4096;

/// Reads every row.
pub(super) fn read(file: File, run: &mut Run<'_>) -> StdResult<(), Stop> {
    run.summary.format = Format::Parquet;
    let mut rows = 0;
    read_file(file, run, &mut rows).map_err(|halt| match halt {
        Halt::Stop(stop) => stop,
        Halt::Damage(error) => Stop::Failed(LogError::Parquet {
            path: run.path.into(),
            row: rows + 1,
            source: error.into(),
        }),
    })
}

/// Why reading ends early.
enum Halt {
    Stop(Stop),
    Damage(ParquetError),
}

impl<T: Into<Stop>> From<T> for Halt {
    fn from(stop: T) -> Self {
        Self::Stop(stop.into())
    }
}

fn damage(error: ParquetError) -> Halt {
    Halt::Damage(error)
}

fn read_file(file: File, run: &mut Run<'_>, rows: &mut u64) -> StdResult<(), Halt> {
    let reader = guarded(|| SerializedFileReader::new(file)).map_err(damage)?;
    let metadata = reader.metadata().file_metadata();
    let schema = metadata.schema_descr();
    let names: Vec<String> = schema.columns().iter().map(|column| name_of(column)).collect();
    let fields = run.bind(&names)?;
    let mut leaves = Vec::new();
    for (index, (column, field)) in schema.columns().iter().zip(fields).enumerate() {
        if let Some(field) = field {
            let leaf = Leaf::new(index, field, column, &names[index]);
            leaves.push(leaf.map_err(|problem| run.columns(problem))?);
        }
    }
    let total_rows = u64::try_from(metadata.num_rows()).unwrap_or(0);
    for group in 0..reader.num_row_groups() {
        let mut columns = guarded(|| open(&reader, group, &leaves)).map_err(damage)?;
        while let Some(batch) = guarded(|| fill(&mut columns)).map_err(damage)? {
            hand_over(&columns, &leaves, batch, run, rows)?;
            run.advance(*rows, total_rows);
        }
    }
    Ok(())
}

/// Runs a part of the decoder, which has assertions that damaged data do not meet.
fn guarded<T>(decode: impl FnOnce() -> Result<T>) -> Result<T> {
    // Nothing that a panic leaves half-done is used again: an error ends the reading.
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(ParquetError::General("the data contradict themselves".into())))
}

/// The columns that are used, in one row group.
fn open(
    reader: &SerializedFileReader<File>,
    group: usize,
    leaves: &[Leaf],
) -> Result<Vec<Box<dyn Column>>> {
    let group = reader.get_row_group(group)?;
    leaves.iter().map(|leaf| Ok(leaf.open(group.get_column_reader(leaf.index)?))).collect()
}

/// The name by which a column is recognised: a list goes by its own name, not its item's.
fn name_of(column: &ColumnDescriptor) -> String {
    let parts = column.path().parts();
    if column.max_rep_level() > 0 { parts[0].clone() } else { parts.join(".") }
}

/// Decodes the next rows of every column; `None` where there are no more.
fn fill(columns: &mut [Box<dyn Column>]) -> Result<Option<usize>> {
    let mut batch = None;
    for column in columns {
        let rows = column.fill(BATCH_ROWS)?;
        if batch.is_some_and(|batch| batch != rows) {
            return Err(ParquetError::General("columns of one row group differ in length".into()));
        }
        batch = Some(rows);
    }
    Ok(batch.filter(|&rows| rows > 0))
}

fn hand_over(
    columns: &[Box<dyn Column>],
    leaves: &[Leaf],
    batch: usize,
    run: &mut Run<'_>,
    rows: &mut u64,
) -> StdResult<(), Stop> {
    let mut cursors = vec![Cursor::default(); columns.len()];
    for _ in 0..batch {
        *rows += 1;
        let mut row = Ok(Row::default());
        // Every cursor moves on, whatever is wrong with an earlier cell.
        for ((column, leaf), cursor) in columns.iter().zip(leaves).zip(&mut cursors) {
            match (column.next(cursor), &mut row) {
                (Ok(cell), Ok(row)) => row.set(leaf.field, cell),
                (Err(problem), Ok(_)) => row = Err(Flaw { field: Some(leaf.field), problem }),
                (_, Err(_)) => {}
            }
        }
        run.row(Place::Row(*rows), row)?;
    }
    Ok(())
}
