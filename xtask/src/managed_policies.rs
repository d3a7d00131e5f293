//! `cargo xtask managed-policies`: AWS's own managed policies, compact, out of the PyPI package
//! `moto`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use value::{Value, value};

/// How hard documents are compressed; they are written rarely and read often.
const COMPRESSION_LEVEL: u8 = 10;
/// How many documents stand in one block: one is read by inflating its block.
const BLOCK_DOCUMENTS: usize = 16;
/// The file of the package that holds the policies as a JSON text.
const TABLE: &str = "moto/iam/aws_managed_policies.py";
/// The letters of a unique id behind its prefix.
const ID_LETTERS: usize = 17;

/// The order in which people write the elements of documents and statements.
const ORDER: [&str; 12] = [
    "Version",
    "Id",
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Statement",
];

/// Writes `data/managed-policies/policies.bin` from an unpacked wheel, with the ids that the older
/// one in `ids` has.
pub(crate) fn run(from: &str, ids: &str) -> Result<()> {
    let (table, ids) = (table(Path::new(from))?, table(Path::new(ids))?);
    let policies: BTreeMap<&str, &Value> = members(&table).collect();
    let ids: BTreeMap<&str, &Value> = members(&ids).collect();
    let (mut rows, mut blocks, mut bytes, mut made_up) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let all: Vec<(&str, &Value)> = policies.into_iter().collect();
    for chunk in all.chunks(BLOCK_DOCUMENTS) {
        let mut documents = Vec::new();
        for (name, policy) in chunk {
            let path = text(policy, "Path").unwrap_or("/");
            let known = ids.get(name).and_then(|old| text(old, "PolicyId"));
            made_up += usize::from(known.is_none());
            let id = known.map_or_else(|| made_up_id(&format!("{path}{name}")), str::to_owned);
            let field =
                |field: &str| text(policy, field).with_context(|| format!("{name}: {field}"));
            rows.push(value!([
                path,
                *name,
                id,
                field("DefaultVersionId")?,
                seconds(field("CreateDate")?).with_context(|| format!("{name}: CreateDate"))?,
                seconds(field("UpdateDate")?).with_context(|| format!("{name}: UpdateDate"))?,
            ]));
            let document = policy.get("Document").with_context(|| format!("{name}: Document"))?;
            documents.push(ordered(document).to_string());
        }
        let plain = documents.join("\n");
        let block = miniz_oxide::deflate::compress_to_vec(plain.as_bytes(), COMPRESSION_LEVEL);
        blocks.push(value!([bytes.len(), block.len()]));
        bytes.extend(block);
    }
    let count = rows.len();
    let head = value!({"blockDocuments": BLOCK_DOCUMENTS, "policies": rows, "blocks": blocks});
    let head =
        miniz_oxide::deflate::compress_to_vec(head.to_string().as_bytes(), COMPRESSION_LEVEL);
    let mut out = u32::try_from(head.len())?.to_le_bytes().to_vec();
    out.extend(head);
    out.extend(bytes);
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/managed-policies/policies.bin");
    std::fs::write(&to, &out)?;
    println!("{count} policies, {made_up} ids made up, {} bytes: {}", out.len(), to.display());
    Ok(())
}

/// Reads the JSON text between the triple quotes of the package's file.
fn table(wheel: &Path) -> Result<Value> {
    let file = wheel.join(TABLE);
    let python =
        std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let inside = python.split_once("\"\"\"").and_then(|(_, rest)| rest.rsplit_once("\"\"\""));
    Ok(value::parse(inside.context("no text in triple quotes")?.0)?)
}

fn members(table: &Value) -> impl Iterator<Item = (&str, &Value)> {
    table.as_object().into_iter().flat_map(|map| map.iter().map(|(key, value)| (&**key, value)))
}

fn text<'v>(policy: &'v Value, member: &str) -> Option<&'v str> {
    policy.get(member).and_then(Value::as_str)
}

/// Returns the seconds of the epoch for `2015-02-06T18:39:46+00:00`.
fn seconds(text: &str) -> Option<i64> {
    let (day, time) = text.strip_suffix("+00:00")?.split_once('T')?;
    let numbers = |text: &str, by: char| -> Option<Vec<i64>> {
        text.split(by).map(|part| part.parse().ok()).collect()
    };
    let [year, month, day] = <[i64; 3]>::try_from(numbers(day, '-')?).ok()?;
    let [hours, minutes, seconds] = <[i64; 3]>::try_from(numbers(time, ':')?).ok()?;
    // Days since 0000-03-01, so that the leap day is the last of a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + hours * 3_600 + minutes * 60 + seconds)
}

/// The package sorts the elements by name; people write them in another order.
fn ordered(document: &Value) -> Value {
    match document {
        Value::Array(items) => items.iter().map(ordered).collect::<Vec<_>>().into(),
        Value::Object(map) => {
            let known = ORDER.iter().filter_map(|name| Some((*name, map.get(name)?)));
            let others = map.iter().map(|(key, value)| (&**key, value));
            let others = others.filter(|(key, _)| !ORDER.contains(key));
            known
                .chain(others)
                .fold(Value::object(), |object, (key, value)| object.with(key, ordered(value)))
        }
        other => other.clone(),
    }
}

/// Returns an id that is always the same for a policy.
fn made_up_id(name: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut id = String::from("ANPA");
    for round in 0..ID_LETTERS {
        for byte in name.bytes().chain([u8::try_from(round).unwrap_or_default()]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let letter = usize::try_from(hash >> 59).unwrap_or_default();
        id.push(char::from(LETTERS.get(letter).copied().unwrap_or(b'A')));
    }
    id
}
