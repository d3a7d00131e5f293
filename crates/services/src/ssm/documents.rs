//! Automation documents: CreateDocument and its kin.
//!
//! AWS Systems Manager API reference, "CreateDocument" (read 2026-11).

use std::collections::BTreeMap;

use automation::{Format, Runbook, catalogue};
use runtime::definition_key;
use serde::{Deserialize, Serialize};
use store::{Load, Save, Scan, Table};
use value::{Value, value};

use super::error;
use crate::page::{cut, open_marker};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many documents an account may have.
const DOCUMENTS_MAX: usize = 500;
/// When Amazon's documents say they were created: 2025-06-13, the day of the article that this
/// project began with.
const AMAZONS_CREATED_MILLIS: i64 = 1_749_772_800_000;
/// How many items a page has when the caller does not say.
const PAGE_ITEMS_DEFAULT: usize = 50;
/// Names that begin like this, in any case, are Amazon's.
const RESERVED_PREFIXES: [&str; 3] = ["aws", "amazon", "amzn"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateDocument", checks: may_create, run: Run::Write(create) },
    Operation { name: "GetDocument", checks: may_get, run: Run::Read(get) },
    Operation { name: "DescribeDocument", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "DeleteDocument", checks: may_delete, run: Run::Write(delete) },
    Operation { name: "ListDocuments", checks: may_list, run: Run::Read(list) },
];

/// A document as it is stored, by account and name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) name: String,
    /// The account, or `Amazon`.
    pub(super) owner: String,
    pub(super) versions: BTreeMap<u32, DocumentVersion>,
    pub(super) default_version: u32,
    pub(super) created_millis: i64,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) target_type: Option<String>,
}

/// One version of a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DocumentVersion {
    /// Key of the text in `Table::Definitions`.
    pub(super) definition: String,
    pub(super) format: String,
    pub(super) version_name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) created_millis: i64,
}

/// A version of a document, and its text.
pub(super) struct Found {
    pub(super) document: Document,
    pub(super) number: u32,
    pub(super) text: String,
}

impl Found {
    pub(super) fn version(&self) -> Option<&DocumentVersion> {
        self.document.versions.get(&self.number)
    }

    pub(super) fn format(&self) -> Format {
        self.version().and_then(|version| version.format.parse().ok()).unwrap_or(Format::Json)
    }

    /// Returns the runbook; stored texts have been checked.
    pub(super) fn runbook(&self) -> Result<Runbook, Error> {
        Runbook::parse(&self.text, self.format()).map_err(|err| Error::internal(&err))
    }
}

pub(super) fn key(account: &str, name: &str) -> String {
    format!("{account}/{name}")
}

/// Returns the name that a request means: the name itself, or the end of an ARN.
pub(super) fn bare_name(name_or_arn: &str) -> &str {
    match name_or_arn.strip_prefix("arn:") {
        Some(_) => name_or_arn.rsplit_once('/').map_or(name_or_arn, |(_, name)| name),
        None => name_or_arn,
    }
}

/// Returns a document of the account, or one of Amazon's.
pub(super) fn find(on: &Reading<'_>, name: &str) -> Result<Option<Document>, Error> {
    let own: Option<Document> = on.store.load(Table::Documents, &key(on.call.account(), name))?;
    Ok(own.or_else(|| catalogue::find(name).map(|entry| amazons(on, entry))))
}

/// Returns a document of the catalogue as if it were stored.
fn amazons(on: &Reading<'_>, entry: &'static catalogue::Document) -> Document {
    let version = DocumentVersion {
        definition: definition_key(&entry.content(on.call.settings.edition)),
        format: entry.format.to_string(),
        version_name: None,
        display_name: None,
        created_millis: AMAZONS_CREATED_MILLIS,
    };
    Document {
        name: entry.name.to_owned(),
        owner: "Amazon".into(),
        versions: BTreeMap::from([(1, version)]),
        default_version: 1,
        created_millis: AMAZONS_CREATED_MILLIS,
        tags: BTreeMap::new(),
        target_type: None,
    }
}

/// Returns the version that a request means, with its text.
pub(super) fn find_version(on: &Reading<'_>, input: &Value) -> Result<Found, Error> {
    let name = bare_name(input.text("Name")?);
    let document = find(on, name)?.ok_or_else(|| error::invalid_document(name))?;
    let number = match input.maybe_text("VersionName") {
        Some(wanted) => document.number_named(wanted),
        None => document.number(input.maybe_text("DocumentVersion")),
    };
    let number = number.ok_or_else(|| error::invalid_document_version(name))?;
    text_of(on, document, number)
}

/// Adds the text of a version.
pub(super) fn text_of(on: &Reading<'_>, document: Document, number: u32) -> Result<Found, Error> {
    let text = match (document.versions.get(&number), catalogue::find(&document.name)) {
        (Some(_), Some(entry)) if document.owner == "Amazon" => {
            entry.content(on.call.settings.edition).into_owned()
        }
        (Some(version), _) => {
            let bytes = on.store.get(Table::Definitions, &version.definition)?.unwrap_or_default();
            String::from_utf8(bytes).map_err(|err| Error::internal(&err))?
        }
        (None, _) => return Err(error::invalid_document_version(&document.name)),
    };
    Ok(Found { document, number, text })
}

impl Document {
    pub(super) fn latest(&self) -> u32 {
        self.versions.keys().next_back().copied().unwrap_or(1)
    }

    /// Returns the version that `$LATEST`, `$DEFAULT`, a number or nothing means.
    pub(super) fn number(&self, wanted: Option<&str>) -> Option<u32> {
        let number = match wanted {
            None | Some("$DEFAULT") => self.default_version,
            Some("$LATEST") => self.latest(),
            Some(number) => number.parse().ok()?,
        };
        self.versions.contains_key(&number).then_some(number)
    }

    fn number_named(&self, wanted: &str) -> Option<u32> {
        let named = |version: &DocumentVersion| version.version_name.as_deref() == Some(wanted);
        self.versions.iter().find(|(_, version)| named(version)).map(|(number, _)| *number)
    }

    pub(super) fn tags(&self) -> Value {
        self.tags.iter().map(|(key, tag)| value!({ "Key": key, "Value": tag })).collect()
    }

    pub(super) fn check_changeable(&self) -> Result<(), Error> {
        if self.owner == "Amazon" { Err(error::not_owned(&self.name)) } else { Ok(()) }
    }
}

pub(super) fn arn(on: &Reading<'_>, input: &Value) -> Result<String, Error> {
    let name = bare_name(input.text("Name")?);
    Ok(arn_of(on, name))
}

/// Returns the ARN of a document; Amazon's have no account.
pub(super) fn arn_of(on: &Reading<'_>, name: &str) -> String {
    let (partition, region) = (&on.call.settings.partition, &on.call.region);
    match catalogue::find(name) {
        Some(_) => format!("arn:{partition}:ssm:{region}::document/{name}"),
        None => on.call.regional_arn("ssm", &format!("document/{name}")),
    }
}

/// Checks a text and returns the runbook that it is.
pub(super) fn check_content(text: &str, format: &str) -> Result<Runbook, Error> {
    let format: Format = format.parse().map_err(|_| {
        Error::new(
            "InvalidDocumentContent",
            format!("{format} is not a format that Stepwell reads: JSON or YAML"),
        )
    })?;
    Runbook::parse(text, format).map_err(|err| Error::new(err.code.name(), err.to_string()))
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let kind = input.maybe_text("DocumentType").unwrap_or("Command").to_owned();
    let check = Check::new("ssm:CreateDocument", arn(on, input)?);
    Ok(vec![check.with("ssm:DocumentType", vec![kind])])
}

fn create(on: &mut Writing<'_>, input: &Value) -> Answer {
    let (name, text) = (input.text("Name")?, input.text("Content")?);
    let lower = name.to_ascii_lowercase();
    if RESERVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
        return Err(error::reserved_name(name));
    }
    match input.maybe_text("DocumentType").unwrap_or("Command") {
        "Automation" => {}
        other => {
            let text =
                format!("Stepwell runs documents of type Automation; {other} is not available.");
            return Err(Error::new("InvalidDocumentType", text));
        }
    }
    let format = input.maybe_text("DocumentFormat").unwrap_or("JSON");
    check_content(text, format)?;
    let key = key(on.call.account(), name);
    if on.store.get(Table::Documents, &key)?.is_some() {
        return Err(error::document_already_exists(name));
    }
    let prefix = self::key(on.call.account(), "");
    if on.store.scan(Table::Documents, Scan::prefix(&prefix))?.len() >= DOCUMENTS_MAX {
        let text =
            format!("You can have at most {DOCUMENTS_MAX} active Systems Manager documents.");
        return Err(Error::new("DocumentLimitExceeded", text));
    }
    let tags = input.list("Tags").iter();
    let tags = tags.filter_map(|tag| {
        Some((tag.maybe_text("Key")?.to_owned(), tag.maybe_text("Value")?.to_owned()))
    });
    let document = Document {
        name: name.to_owned(),
        owner: on.call.account().to_owned(),
        versions: BTreeMap::from([(1, new_version(on, input, text, format)?)]),
        default_version: 1,
        created_millis: on.call.now_millis,
        tags: tags.collect(),
        target_type: input.maybe_text("TargetType").map(str::to_owned),
    };
    on.store.save(Table::Documents, &key, &document)?;
    let found = Found { document, number: 1, text: text.to_owned() };
    Ok(value!({ "DocumentDescription": description(&found, "Creating")? }))
}

/// Stores a text and returns the version that refers to it.
pub(super) fn new_version(
    on: &mut Writing<'_>,
    input: &Value,
    text: &str,
    format: &str,
) -> Result<DocumentVersion, Error> {
    let definition = definition_key(text);
    on.store.put(Table::Definitions, &definition, text.as_bytes())?;
    Ok(DocumentVersion {
        definition,
        format: format.to_owned(),
        version_name: input.maybe_text("VersionName").map(str::to_owned),
        display_name: input.maybe_text("DisplayName").map(str::to_owned),
        created_millis: on.call.now_millis,
    })
}

/// Returns `DocumentDescription`.
pub(super) fn description(found: &Found, status: &str) -> Answer {
    let (document, version) = (&found.document, found.version());
    let runbook = found.runbook()?;
    let parameters = runbook.parameters.iter().map(|parameter| {
        let list = matches!(parameter.kind, automation::parameter::Type::StringList);
        value!({ "Name": &parameter.name, "Type": if list { "StringList" } else { "String" } })
            .with_some("Description", parameter.description.as_ref())
            .with_some("DefaultValue", parameter.default.as_ref().map(text_of_default))
    });
    Ok(value!({
        "Hash": definition_key(&found.text),
        "HashType": "Sha256",
        "Name": &document.name,
        "Owner": &document.owner,
        "CreatedDate": version.map_or(0, |version| version.created_millis) as f64 / 1000.0,
        "Status": status,
        "DocumentVersion": found.number.to_string(),
        "Parameters": parameters.collect::<Value>(),
        "PlatformTypes": ["Windows", "Linux", "MacOS"],
        "DocumentType": "Automation",
        "SchemaVersion": "0.3",
        "LatestVersion": document.latest().to_string(),
        "DefaultVersion": document.default_version.to_string(),
        "DocumentFormat": version.map_or("JSON", |version| &*version.format),
        "Tags": document.tags(),
    })
    .with_some("Description", runbook.description.as_ref())
    .with_some("VersionName", version.and_then(|version| version.version_name.as_ref()))
    .with_some("DisplayName", version.and_then(|version| version.display_name.as_ref()))
    .with_some("TargetType", document.target_type.as_ref()))
}

fn text_of_default(default: &Value) -> String {
    default.as_str().map_or_else(|| default.to_string(), str::to_owned)
}

fn may_get(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("ssm:GetDocument", arn(on, input)?)])
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let found = find_version(on, input)?;
    let own = found.format();
    let wanted: Format = match input.maybe_text("DocumentFormat") {
        Some(format) => format.parse().map_err(|_| {
            Error::new(
                "InvalidDocument",
                format!("Stepwell cannot give a document as {format}: JSON or YAML"),
            )
        })?,
        None => own,
    };
    let content = if wanted == own {
        found.text.clone()
    } else {
        let document =
            automation::document::read(&found.text, own).map_err(|err| Error::internal(&err))?;
        automation::document::write(&document, wanted)
    };
    let version = found.version();
    Ok(value!({
        "Name": &found.document.name,
        "CreatedDate": version.map_or(0, |version| version.created_millis) as f64 / 1000.0,
        "DocumentVersion": found.number.to_string(),
        "Status": "Active",
        "Content": content,
        "DocumentType": "Automation",
        "DocumentFormat": wanted.to_string(),
    })
    .with_some("VersionName", version.and_then(|version| version.version_name.as_ref()))
    .with_some("DisplayName", version.and_then(|version| version.display_name.as_ref())))
}

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("ssm:DescribeDocument", arn(on, input)?)])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    Ok(value!({ "Document": description(&find_version(on, input)?, "Active")? }))
}

fn may_delete(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("ssm:DeleteDocument", arn(on, input)?)])
}

fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = bare_name(input.text("Name")?);
    let found = find(&on.reading(), name)?;
    let mut document = found.ok_or_else(|| error::invalid_document(name))?;
    document.check_changeable()?;
    let key = key(on.call.account(), name);
    let Some(wanted) = input.maybe_text("DocumentVersion") else {
        on.store.delete(Table::Documents, &key)?;
        return Ok(Value::object());
    };
    let number =
        document.number(Some(wanted)).ok_or_else(|| error::invalid_document_version(name))?;
    if number == document.default_version {
        let text = "Default version of the document can't be deleted.";
        return Err(Error::new("InvalidDocumentOperation", text));
    }
    document.versions.remove(&number);
    on.store.save(Table::Documents, &key, &document)?;
    Ok(Value::object())
}

fn may_list(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("ssm:ListDocuments")])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let prefix = key(on.call.account(), "");
    let rows: Vec<(String, Document)> =
        on.store.load_all(Table::Documents, Scan::prefix(&prefix))?;
    let own = rows.into_iter().map(|(_, document)| document);
    let mut all: Vec<Document> =
        own.chain(catalogue::all().iter().map(|entry| amazons(on, entry))).collect();
    for filter in input.list("Filters") {
        let wanted = filter.list("Values");
        let key = filter.maybe_text("Key").unwrap_or_default();
        let keep = filter_for(on, key)?;
        all.retain(|document| {
            wanted.iter().filter_map(Value::as_str).any(|value| keep(document, value))
        });
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

type Keep = Box<dyn Fn(&Document, &str) -> bool>;

/// Returns what a filter of this key asks of a document.
fn filter_for(on: &Reading<'_>, key: &str) -> Result<Keep, Error> {
    let account = on.call.account().to_owned();
    let tag = key.strip_prefix("tag:").map(str::to_owned);
    Ok(match (key, tag) {
        (_, Some(tag)) => Box::new(move |document, value| {
            document.tags.get(&tag).is_some_and(|found| found == value)
        }),
        ("Name", None) => Box::new(|document, value| document.name.starts_with(value)),
        ("DocumentType", None) => Box::new(|_, value| value == "Automation"),
        ("PlatformTypes", None) => {
            Box::new(|_, value| ["Windows", "Linux", "MacOS"].contains(&value))
        }
        ("TargetType", None) => {
            Box::new(|document, value| document.target_type.as_deref() == Some(value))
        }
        ("Owner", None) => Box::new(move |document, value| match value {
            "Self" | "Private" => document.owner == account,
            "Amazon" => document.owner == "Amazon",
            "All" => true,
            _ => false,
        }),
        (other, None) => return Err(error::invalid_filter_key(other)),
    })
}

fn identifier(document: &Document) -> Value {
    let version = document.versions.get(&document.default_version);
    value!({
        "Name": &document.name,
        "CreatedDate": document.created_millis as f64 / 1000.0,
        "Owner": &document.owner,
        "PlatformTypes": ["Windows", "Linux", "MacOS"],
        "DocumentVersion": document.default_version.to_string(),
        "DocumentType": "Automation",
        "SchemaVersion": "0.3",
        "DocumentFormat": version.map_or("JSON", |version| &*version.format),
        "Tags": document.tags(),
    })
    .with_some("TargetType", document.target_type.as_ref())
}
