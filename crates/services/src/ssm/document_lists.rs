//! ListDocuments and its filters.

use automation::catalogue;
use value::{Value, value};

use super::document::{DOCUMENT_TYPE, Document, PLATFORM_TYPES, SCHEMA_VERSION, amazons, own};
use super::error;
use crate::page::{cut, open_marker};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many items a page has when the caller does not say.
const PAGE_ITEMS_DEFAULT: usize = 50;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "ListDocuments", checks: may_list, run: Run::Read(list) }];

fn may_list(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("ssm:ListDocuments")])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let own = own(on)?.into_iter();
    let mut all: Vec<Document> =
        own.chain(catalogue::all().iter().map(|entry| amazons(on, entry))).collect();
    for filter in filters(input)? {
        all.retain(|document| filter.values.iter().any(|value| filter.key.keeps(document, value)));
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let after = match input.maybe_text("NextToken") {
        Some(token) => Some(open_marker(token).ok_or_else(error::invalid_next_token)?),
        None => None,
    };
    let limit = input.integer("MaxResults").and_then(|asked| usize::try_from(asked).ok());
    let rows = all.into_iter().map(|document| (document.name.clone(), document));
    let page = cut(rows, after.as_deref(), limit.unwrap_or(PAGE_ITEMS_DEFAULT));
    let items = page.items.iter().map(identifier).collect::<Value>();
    Ok(value!({ "DocumentIdentifiers": items }).with_some("NextToken", page.next))
}

/// What a filter looks at.
#[derive(Debug)]
enum Key {
    Name,
    Owner,
    PlatformTypes,
    DocumentType,
    TargetType,
    /// Name, display name or a word of either.
    SearchKeyword,
    Tag(String),
}

struct Filter {
    key: Key,
    values: Vec<String>,
}

/// Returns the filters of a request: of `Filters`, and of the older `DocumentFilterList`.
fn filters(input: &Value) -> Result<Vec<Filter>, Error> {
    let mut filters = Vec::new();
    for filter in input.list("Filters") {
        let values = filter.list("Values").iter().filter_map(Value::as_str).map(str::to_owned);
        let key = Key::parse(filter.maybe_text("Key").unwrap_or_default())?;
        filters.push(Filter { key, values: values.collect() });
    }
    for filter in input.list("DocumentFilterList") {
        let values = filter.maybe_text("value").map(str::to_owned).into_iter().collect();
        let key = Key::parse(filter.maybe_text("key").unwrap_or_default())?;
        filters.push(Filter { key, values });
    }
    for filter in &filters {
        if matches!(filter.key, Key::Owner) {
            owners_are_known(&filter.values)?;
        }
    }
    Ok(filters)
}

/// AWS: "only one Owner can be specified in a request".
fn owners_are_known(owners: &[String]) -> Result<(), Error> {
    const OWNERS: [&str; 6] = ["Amazon", "Private", "Public", "Self", "ThirdParty", "All"];
    match owners {
        [owner] if OWNERS.contains(&owner.as_str()) => Ok(()),
        [owner] => Err(error::invalid_filter_value(owner)),
        many => Err(error::invalid_filter_value(&many.join(", "))),
    }
}

impl Key {
    fn parse(key: &str) -> Result<Key, Error> {
        if let Some(tag) = key.strip_prefix("tag:") {
            return Ok(Key::Tag(tag.to_owned()));
        }
        Ok(match key {
            "Name" => Key::Name,
            "Owner" => Key::Owner,
            "PlatformTypes" => Key::PlatformTypes,
            "DocumentType" => Key::DocumentType,
            "TargetType" => Key::TargetType,
            "SearchKeyword" => Key::SearchKeyword,
            other => return Err(error::invalid_filter_key(other)),
        })
    }

    /// Returns whether a document passes with one of the filter's values.
    fn keeps(&self, document: &Document, value: &str) -> bool {
        match self {
            Key::Name => document.name.starts_with(value),
            Key::DocumentType => value == DOCUMENT_TYPE,
            Key::PlatformTypes => PLATFORM_TYPES.contains(&value),
            Key::TargetType => document.target_type.as_deref() == Some(value),
            Key::SearchKeyword => {
                let word = value.to_lowercase();
                let displayed = document.versions.get(&document.default_version);
                let displayed = displayed.and_then(|version| version.display_name.as_deref());
                document.name.to_lowercase().contains(&word)
                    || displayed.is_some_and(|name| name.to_lowercase().contains(&word))
            }
            Key::Tag(tag) => document.tags.get(tag).is_some_and(|found| found == value),
            Key::Owner => is_owned(document, value),
        }
    }
}

/// Documents of other accounts are never seen here.
fn is_owned(document: &Document, owner: &str) -> bool {
    let (is_amazons, is_public) = (document.is_amazons(), document.shared.contains_key("all"));
    match owner {
        "Self" => !is_amazons,
        // UNVERIFIED: whether one's own documents that all may use are private too.
        "Private" => !is_amazons && !is_public,
        "Public" => is_public,
        "Amazon" => is_amazons,
        "All" => true,
        _ => false,
    }
}

fn identifier(document: &Document) -> Value {
    let version = document.versions.get(&document.default_version);
    let identifier = value!({
        "Name": &document.name,
        "CreatedDate": document.created_millis as f64 / 1000.0,
        "Owner": &document.owner,
        "PlatformTypes": PLATFORM_TYPES.to_vec(),
        "DocumentVersion": document.default_version.to_string(),
        "DocumentType": DOCUMENT_TYPE,
        "SchemaVersion": SCHEMA_VERSION,
        "DocumentFormat": version.map_or("JSON", |version| &*version.format),
        "Tags": document.tags(),
    })
    .with_some("TargetType", document.target_type.as_ref());
    match version {
        // A list says nothing of how a version came to be.
        Some(version) => {
            let mut described = version.described(identifier);
            described.object_mut().remove("StatusInformation");
            described
        }
        None => identifier,
    }
}
