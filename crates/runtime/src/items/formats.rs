//! What objects hold: JSON, lines of JSON, inventories; packed or not.

use asl::CsvHeaders;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use value::Value;

use super::Unreadable;

/// How many bytes an object may have once it is unpacked.
const UNPACKED_BYTES_MAX: usize = 512 * 1024 * 1024;
/// What gzip files begin with.
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
/// How long the fixed part of a gzip header is.
const GZIP_HEADER_BYTES: usize = 10;

/// Returns bytes unpacked, if they are packed.
pub(super) fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, Unreadable> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let packed = gzip_body(&bytes).ok_or_else(|| Unreadable::new("the gzip header is damaged"))?;
    decompress_to_vec_with_limit(packed, UNPACKED_BYTES_MAX)
        .map_err(|err| Unreadable::new(format!("the gzip file cannot be unpacked: {err}")))
}

/// Returns what follows the header of a gzip file (RFC 1952).
fn gzip_body(bytes: &[u8]) -> Option<&[u8]> {
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const CHECK: u8 = 2;
    let flags = *bytes.get(3)?;
    let mut rest = bytes.get(GZIP_HEADER_BYTES..)?;
    if flags & EXTRA != 0 {
        let length = u16::from_le_bytes([*rest.first()?, *rest.get(1)?]);
        rest = rest.get(2 + usize::from(length)..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & CHECK != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

/// Returns bytes as text.
pub(super) fn text(bytes: &[u8]) -> Result<String, Unreadable> {
    // A byte order mark is no part of the text.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8(bytes.to_vec()).map_err(|_| Unreadable::new("the object is not UTF-8"))
}

/// Returns the items of a JSON text: an array, at `pointer` if there is one.
pub(super) fn json(bytes: &[u8], pointer: Option<&str>) -> Result<Vec<Value>, Unreadable> {
    // UNVERIFIED: AWS's wording for what is no JSON.
    let whole = value::parse(&text(bytes)?)
        .map_err(|err| Unreadable::new(format!("Unable to parse JSON: {err}")))?;
    let found = pointer.map_or(Some(&whole), |pointer| at_pointer(&whole, pointer));
    match found {
        Some(Value::Array(items)) => Ok(items.to_vec()),
        // Recorded.
        Some(_) | None => Err(Unreadable::new("Attempting to map over non-iterable node.")),
    }
}

/// Returns what a JSON pointer (RFC 6901) leads to.
fn at_pointer<'v>(whole: &'v Value, pointer: &str) -> Option<&'v Value> {
    let mut steps = pointer.split('/');
    if steps.next() != Some("") {
        return None;
    }
    steps.try_fold(whole, |found, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        found.get(&step).or_else(|| found.at(step.parse().ok()?))
    })
}

/// Returns the items of a text with one JSON value per line.
pub(super) fn json_lines(bytes: &[u8]) -> Result<Vec<Value>, Unreadable> {
    let text = text(bytes)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let items = lines.map(|(at, line)| {
        // UNVERIFIED: AWS's wording.
        let wrong =
            |err| Unreadable::new(format!("Unable to parse JSON in line {}: {err}", at + 1));
        value::parse(line).map_err(wrong)
    });
    items.collect()
}

/// Returns the item that an object in a list is.
pub(super) fn listed(object: &Value) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of any date fit")]
    let modified = object.get("LastModified").and_then(Value::as_f64).map(|at| at as i64);
    // In the spelling and order of AWS's documentation.
    Value::object()
        .with_some("Etag", object.get("ETag"))
        .with_some("Key", object.get("Key"))
        .with_some("LastModified", modified)
        .with_some("Size", object.get("Size"))
        .with_some("StorageClass", object.get("StorageClass"))
}

/// The manifest of an S3 inventory (S3 user guide, "Locating your inventory list").
pub(super) struct Inventory {
    pub(super) bucket: String,
    pub(super) columns: CsvHeaders,
    pub(super) files: Vec<String>,
}

impl Inventory {
    pub(super) fn read(bytes: &[u8]) -> Result<Inventory, Unreadable> {
        let manifest = value::parse(&text(bytes)?)
            .map_err(|err| Unreadable::new(format!("the manifest is not JSON: {err}")))?;
        let member = |name: &str| manifest.get(name).and_then(Value::as_str);
        let missing = |name: &str| Unreadable::new(format!("the manifest has no `{name}`"));
        if let Some(format) = member("fileFormat").filter(|format| *format != "CSV") {
            let what = format!("inventories in the format {format} are not read");
            return Err(Unreadable::new(what));
        }
        let schema = member("fileSchema").ok_or_else(|| missing("fileSchema"))?;
        let bucket = member("destinationBucket").ok_or_else(|| missing("destinationBucket"))?;
        let files = manifest.get("files").and_then(Value::as_array);
        let files = files.ok_or_else(|| missing("files"))?.iter();
        let keys = files.filter_map(|file| file.get("key").and_then(Value::as_str));
        Ok(Inventory {
            bucket: bucket.rsplit(':').next().unwrap_or(bucket).to_owned(),
            columns: CsvHeaders::Given(
                schema.split(',').map(|column| column.trim().to_owned()).collect(),
            ),
            files: keys.map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use value::value;

    use super::*;

    #[test]
    fn arrays_are_found_by_pointer_and_nothing_else_is_mapped_over() {
        let text = br#"{"a": {"b/c": [1, 2]}, "d": {"e": 1}}"#;
        assert_eq!(json(text, Some("/a/b~1c")).ok(), Some(vec![value!(1), value!(2)]));
        for pointer in [None, Some("/d"), Some("/none"), Some("a")] {
            let refused = json(text, pointer).err().map(|err| err.cause);
            assert_eq!(refused.as_deref(), Some("Attempting to map over non-iterable node."));
        }
    }

    #[test]
    fn lines_of_json_may_be_empty() {
        assert_eq!(
            json_lines(b"1\n\n{\"a\": 2}\r\n").ok(),
            Some(vec![value!(1), value!({"a": 2})])
        );
        assert!(json_lines(b"1\n{").is_err());
    }

    #[test]
    fn gzip_files_are_unpacked_whatever_their_header_carries() {
        let packed = miniz_oxide::deflate::compress_to_vec(b"hello", 6);
        for (flags, extra) in [(0, &b""[..]), (8, b"name\0"), (4 | 16, b"\x02\0xy\0"), (2, b"cc")] {
            let mut file = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
            file.extend(extra);
            file.extend(&packed);
            file.extend([0; 8]);
            assert_eq!(unpacked(file).ok().as_deref(), Some(&b"hello"[..]), "{flags}");
        }
        assert_eq!(unpacked(b"plain".to_vec()).ok().as_deref(), Some(&b"plain"[..]));
        assert!(unpacked(vec![0x1f, 0x8b, 8, 0]).is_err());
    }

    #[test]
    fn an_inventory_says_where_its_files_are_and_what_their_columns_mean() {
        let text = br#"{"destinationBucket": "arn:aws:s3:::lists", "fileFormat": "CSV",
            "fileSchema": "Bucket, Key", "files": [{"key": "a.csv.gz", "size": 1}]}"#;
        let inventory = Inventory::read(text).ok().unwrap();
        assert_eq!(inventory.bucket, "lists");
        assert_eq!(inventory.files, ["a.csv.gz"]);
        assert_eq!(inventory.columns, CsvHeaders::Given(vec!["Bucket".into(), "Key".into()]));
        assert!(Inventory::read(br#"{"fileFormat": "ORC"}"#).is_err());
    }
}
