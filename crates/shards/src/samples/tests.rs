use std::io::{Seek, Write as _};

use proptest::prelude::*;

use super::*;

fn row(n: u64) -> SampleRow {
    let sha256 = Sha256::of(n.to_le_bytes());
    let key = ImageId::of(&sha256);
    SampleRow {
        key,
        variant: "720p".to_owned(),
        split: Split::ALL[(n % 3) as usize],
        group: key,
        shard: format!("train-{:06}.tar", n / 100),
        index: (n % 100) as u32,
        offset: n * 10_240,
        image_offset: n * 10_240 + 512,
        image_bytes: 4_000 + n,
        variant_uri: format!("s3://silver/normalized/720p/{key}.jpg").parse().expect("a uri"),
        variant_sha256: sha256,
        width: 1280,
        height: 720,
        source_uri: format!("s3://bronze/images/{n}.jpg").parse().expect("a uri"),
        source_key: format!("ünï/{n} \u{0}✓.jpg"),
        source_sha256: sha256,
        source_width: 4000,
        source_height: 3000,
        copies: 1,
        affine: Affine([0.5, 0.0, -1.25, 0.0, 1.0 / 3.0, n as f64]),
        orientation: Orientation::Rotate90,
        annotation: if n.is_multiple_of(2) { String::new() } else { format!("{{\"n\":{n}}}") },
    }
}

fn table(rows: &[SampleRow]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = write_samples_parquet(&mut bytes, rows.iter().cloned()).expect("written");
    assert_eq!(written, rows.len() as u64);
    bytes
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("written");
    file.rewind().expect("rewound");
    file
}

fn read(bytes: &[u8]) -> Vec<SampleRow> {
    let rows = read_samples_parquet(file(bytes)).expect("our table");
    rows.collect::<Result<_, _>>().expect("our rows")
}

#[test]
fn more_rows_than_a_row_group_come_back_in_order() {
    let rows: Vec<_> = (0..ROW_GROUP as u64 + 10).map(row).collect();
    let bytes = table(&rows);
    assert_eq!(read(&bytes), rows);
    let reader = SerializedFileReader::new(file(&bytes)).expect("parquet");
    assert_eq!(reader.metadata().num_row_groups(), 2);
}

#[test]
fn an_empty_table_is_a_table() {
    assert_eq!(read(&table(&[])), []);
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let rows: Vec<_> = (0..500).map(row).collect();
    assert_eq!(table(&rows), table(&rows));
}

#[test]
fn what_is_not_our_table_is_refused() {
    assert!(matches!(read_samples_parquet(file(b"PAR1 no")), Err(ShardError::Parquet(_))));
    let schema = Arc::new(parse_message_type("message m { required int32 key; }").expect("a schema"));
    let mut bytes = Vec::new();
    SerializedFileWriter::new(&mut bytes, schema, Arc::default())
        .and_then(SerializedFileWriter::close)
        .expect("written");
    assert!(matches!(read_samples_parquet(file(&bytes)), Err(ShardError::InvalidSamples(_))));
}

#[test]
fn numbers_beyond_the_signed_types_are_refused_not_wrapped() {
    for bad in [SampleRow { offset: u64::MAX, ..row(1) }, SampleRow { width: u32::MAX, ..row(1) }] {
        let result = write_samples_parquet(Vec::new(), [bad]);
        assert!(matches!(result, Err(ShardError::InvalidSamples(_))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_row_survives(
        source_key in ".*",
        affine in any::<[f64; 6]>(),
        offset in 0..=i64::MAX as u64,
        orientation in 1..=8u16,
    ) {
        prop_assume!(affine.iter().all(|value| !value.is_nan()));
        let source_uri = S3Uri::new("bucket".parse().expect("valid"), source_key.clone());
        let orientation = Orientation::from(orientation);
        let rows = [SampleRow { source_key, source_uri, affine: Affine(affine), offset, orientation, ..row(7) }];
        prop_assert_eq!(read(&table(&rows)), rows);
    }
}
