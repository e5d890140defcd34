//! `samples.parquet`: one row per sample and variant, so that a version of any size is listed, filtered and
//! traced back without its tars.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::record::reader::RowIter;
use parquet::record::{Row, RowAccessor};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;
use types::{Affine, ImageId, Orientation, S3Uri, Sha256, Split};

use crate::ShardError;

/// Rows held in memory while writing: about 8 MB of them.
const ROW_GROUP: usize = 16_384;

/// The columns, in the order of [`write_group`] and [`parse`].
const SCHEMA: &str = "message samples {
    required binary key (UTF8);
    required binary split (UTF8);
    required binary group (UTF8);
    required binary shard (UTF8);
    required int32 index;
    required int64 offset;
    required int64 image_offset;
    required int64 image_bytes;
    required binary variant_uri (UTF8);
    required binary variant_sha256 (UTF8);
    required int32 width;
    required int32 height;
    required binary source_uri (UTF8);
    required binary source_key (UTF8);
    required binary source_sha256 (UTF8);
    required int32 copies;
    required double affine_a;
    required double affine_b;
    required double affine_c;
    required double affine_d;
    required double affine_e;
    required double affine_f;
    required int32 orientation;
    required binary variant (UTF8);
    required int32 source_width;
    required int32 source_height;
    required binary annotation (UTF8);
}";

/// One sample of one variant.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRow {
    /// The image id, which is the sample's key in the tar.
    pub key: ImageId,
    /// The variant.
    pub variant: String,
    /// Its split.
    pub split: Split,
    /// The smallest image id of its near-duplicates, which share its split.
    pub group: ImageId,
    /// The tar's file name.
    pub shard: String,
    /// Position in the tar, from 0.
    pub index: u32,
    /// Offset of its first header in the tar.
    pub offset: u64,
    /// Offset of the image's bytes in the tar.
    pub image_offset: u64,
    /// How many bytes those are.
    pub image_bytes: u64,
    /// The same bytes in silver.
    pub variant_uri: S3Uri,
    /// Their SHA-256.
    pub variant_sha256: Sha256,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The untouched original in bronze.
    pub source_uri: S3Uri,
    /// Its key below the dataset's input prefix.
    pub source_key: String,
    /// SHA-256 of the original.
    pub source_sha256: Sha256,
    /// Pixels across of the original, upright.
    pub source_width: u32,
    /// Pixels down of the original, upright.
    pub source_height: u32,
    /// How many originals are this image, at least 1; more are exact duplicates under other keys.
    pub copies: u32,
    /// From the upright original's pixels to the variant's.
    pub affine: Affine,
    /// How the original's stored pixels were turned.
    pub orientation: Orientation,
    /// What people say is there, as a JSON document (`annotations::Record`, in pixels of the upright original); empty
    /// where nobody has looked.
    pub annotation: String,
}

/// Writes the table, Zstandard-compressed, a row group at a time, and returns the number of rows.
///
/// The bytes depend on the rows alone, and on the release of the Parquet library.
///
/// # Errors
/// What writing says; [`ShardError::InvalidSamples`] for a number that Parquet's signed types cannot hold.
pub fn write_samples_parquet(
    out: impl Write + Send,
    rows: impl IntoIterator<Item = SampleRow>,
) -> Result<u64, ShardError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("imageml".to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema()), Arc::new(properties))?;
    let mut rows = rows.into_iter();
    let mut written = 0;
    loop {
        let batch: Vec<SampleRow> = rows.by_ref().take(ROW_GROUP).collect();
        if batch.is_empty() {
            break;
        }
        let mut group = writer.next_row_group()?;
        write_group(&mut group, &batch)?;
        group.close()?;
        written += batch.len() as u64;
    }
    writer.close()?;
    Ok(written)
}

/// Opens a table that [`write_samples_parquet`] wrote; rows come in its order, a page in memory at a time.
///
/// # Errors
/// [`ShardError::Parquet`] for what is not Parquet, [`ShardError::InvalidSamples`] for other columns.
pub fn read_samples_parquet(file: File) -> Result<SampleRows, ShardError> {
    let reader = SerializedFileReader::new(file)?;
    if reader.metadata().file_metadata().schema() != &schema() {
        return Err(ShardError::InvalidSamples("the columns are not those of this release".to_owned()));
    }
    Ok(SampleRows { rows: RowIter::from_file_into(Box::new(reader)) })
}

/// The rows of a table.
pub struct SampleRows {
    rows: RowIter<'static>,
}

impl Iterator for SampleRows {
    type Item = Result<SampleRow, ShardError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next().map(|row| parse(&row?))
    }
}

impl fmt::Debug for SampleRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SampleRows").finish_non_exhaustive()
    }
}

fn schema() -> Type {
    parse_message_type(SCHEMA).expect("the constant is a valid schema")
}

type Group<'a, W> = SerializedRowGroupWriter<'a, W>;

fn write_group<W: Write + Send>(group: &mut Group<'_, W>, rows: &[SampleRow]) -> Result<(), ShardError> {
    texts(group, rows, |row| row.key.to_string())?;
    texts(group, rows, |row| row.split.to_string())?;
    texts(group, rows, |row| row.group.to_string())?;
    texts(group, rows, |row| row.shard.clone())?;
    ints(group, rows, |row| row.index)?;
    longs(group, rows, |row| row.offset)?;
    longs(group, rows, |row| row.image_offset)?;
    longs(group, rows, |row| row.image_bytes)?;
    texts(group, rows, |row| row.variant_uri.to_string())?;
    texts(group, rows, |row| row.variant_sha256.to_string())?;
    ints(group, rows, |row| row.width)?;
    ints(group, rows, |row| row.height)?;
    texts(group, rows, |row| row.source_uri.to_string())?;
    texts(group, rows, |row| row.source_key.clone())?;
    texts(group, rows, |row| row.source_sha256.to_string())?;
    ints(group, rows, |row| row.copies)?;
    for n in 0..6 {
        let values: Vec<f64> = rows.iter().map(|row| row.affine.0[n]).collect();
        column::<DoubleType, W>(group, &values)?;
    }
    ints(group, rows, |row| u16::from(row.orientation).into())?;
    texts(group, rows, |row| row.variant.clone())?;
    ints(group, rows, |row| row.source_width)?;
    ints(group, rows, |row| row.source_height)?;
    texts(group, rows, |row| row.annotation.clone())
}

fn texts<W: Write + Send>(
    group: &mut Group<'_, W>,
    rows: &[SampleRow],
    field: impl Fn(&SampleRow) -> String,
) -> Result<(), ShardError> {
    let values: Vec<ByteArray> = rows.iter().map(|row| field(row).into_bytes().into()).collect();
    column::<ByteArrayType, W>(group, &values)
}

fn ints<W: Write + Send>(
    group: &mut Group<'_, W>,
    rows: &[SampleRow],
    field: impl Fn(&SampleRow) -> u32,
) -> Result<(), ShardError> {
    let values = rows.iter().map(|row| i32::try_from(field(row)).map_err(|_| too_large(row)));
    column::<Int32Type, W>(group, &values.collect::<Result<Vec<_>, _>>()?)
}

fn longs<W: Write + Send>(
    group: &mut Group<'_, W>,
    rows: &[SampleRow],
    field: impl Fn(&SampleRow) -> u64,
) -> Result<(), ShardError> {
    let values = rows.iter().map(|row| i64::try_from(field(row)).map_err(|_| too_large(row)));
    column::<Int64Type, W>(group, &values.collect::<Result<Vec<_>, _>>()?)
}

fn column<T: DataType, W: Write + Send>(group: &mut Group<'_, W>, values: &[T::T]) -> Result<(), ShardError> {
    let mut column = group.next_column()?.expect("as many columns are written as the schema has");
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()?;
    Ok(())
}

fn too_large(row: &SampleRow) -> ShardError {
    ShardError::InvalidSamples(format!("sample {} has a number that is too large", row.key))
}

fn parse(row: &Row) -> Result<SampleRow, ShardError> {
    let affine = |n: usize| row.get_double(16 + n);
    Ok(SampleRow {
        key: text(row, 0)?,
        split: text(row, 1)?,
        group: text(row, 2)?,
        shard: row.get_string(3)?.clone(),
        index: number(row.get_int(4)?)?,
        offset: number(row.get_long(5)?)?,
        image_offset: number(row.get_long(6)?)?,
        image_bytes: number(row.get_long(7)?)?,
        variant_uri: text(row, 8)?,
        variant_sha256: text(row, 9)?,
        width: number(row.get_int(10)?)?,
        height: number(row.get_int(11)?)?,
        source_uri: text(row, 12)?,
        source_key: row.get_string(13)?.clone(),
        source_sha256: text(row, 14)?,
        copies: number(row.get_int(15)?)?,
        affine: Affine([affine(0)?, affine(1)?, affine(2)?, affine(3)?, affine(4)?, affine(5)?]),
        orientation: Orientation::from(number::<i32, u16>(row.get_int(22)?)?),
        variant: row.get_string(23)?.clone(),
        source_width: number(row.get_int(24)?)?,
        source_height: number(row.get_int(25)?)?,
        annotation: row.get_string(26)?.clone(),
    })
}

fn text<T: FromStr<Err: fmt::Display>>(row: &Row, column: usize) -> Result<T, ShardError> {
    row.get_string(column)?.parse().map_err(|error: T::Err| ShardError::InvalidSamples(error.to_string()))
}

fn number<S: fmt::Display + Copy, T: TryFrom<S>>(value: S) -> Result<T, ShardError> {
    T::try_from(value).map_err(|_| ShardError::InvalidSamples(format!("{value} is out of range")))
}

#[cfg(test)]
mod tests;
