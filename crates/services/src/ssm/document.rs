//! Automation documents as they are stored, found and described.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use automation::{Format, Runbook, catalogue};
use runtime::definition_key;
use serde::{Deserialize, Serialize};
use store::{Load, Scan, Table};
use value::{Value, value};

use super::attachments::Attachment;
use super::error;
use crate::{Answer, Error, Input, Reading};

/// Who owns the documents of the catalogue.
const AMAZON: &str = "Amazon";
/// The one type of documents that is kept here.
pub(super) const DOCUMENT_TYPE: &str = "Automation";
/// `SchemaVersion` of such documents.
pub(super) const SCHEMA_VERSION: &str = "0.3";
/// `PlatformTypes` of every such document.
pub(super) const PLATFORM_TYPES: [&str; 3] = ["Windows", "Linux", "MacOS"];
/// When Amazon's documents say they were created: 2025-06-13, the day of the article that this
/// project began with.
const AMAZONS_CREATED_MILLIS: i64 = 1_749_772_800_000;

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
    /// Which versions are shared, by account or `all`.
    #[serde(default)]
    pub(super) shared: BTreeMap<String, String>,
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
    /// The files that belong to it, by name.
    #[serde(default)]
    pub(super) attachments: BTreeMap<String, Attachment>,
    /// Why its status is `Failed`.
    #[serde(default)]
    pub(super) failure: Option<String>,
    /// `Requires`, as it was given.
    #[serde(default)]
    pub(super) requires: Vec<Value>,
}

impl DocumentVersion {
    /// Returns `Status` once whatever was under way is over.
    pub(super) fn status(&self) -> &'static str {
        if self.failure.is_some() { "Failed" } else { "Active" }
    }

    /// Returns the attached files as scripts get them.
    pub(super) fn attached(&self) -> runtime::Attachments {
        self.attachments.iter().map(|(name, file)| (name.clone(), file.sha256.clone())).collect()
    }

    /// Returns an answer with the members that describe this version and may be absent.
    pub(super) fn described(&self, answer: Value) -> Value {
        let requires = Some(&self.requires).filter(|requires| !requires.is_empty());
        answer
            .with_some("VersionName", self.version_name.as_ref())
            .with_some("DisplayName", self.display_name.as_ref())
            .with_some("StatusInformation", self.failure.as_ref())
            .with_some(
                "Requires",
                requires.map(|requires| requires.iter().cloned().collect::<Value>()),
            )
    }
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

    /// Returns the runbook; stored texts have been checked, by the rules of their day.
    ///
    /// It is read once for all who ask: a start asks twice.
    pub(super) fn runbook(&self) -> Result<Arc<Runbook>, Error> {
        let format = self.format();
        let read =
            || Runbook::parse_accepted(&self.text, format).map_err(|err| Error::internal(&err));
        let Some(version) = self.version() else { return Ok(Arc::new(read()?)) };
        let key = format!("{format}/{}", version.definition);
        if let Some(known) = runbooks_read().get(&key) {
            return Ok(known.clone());
        }
        let runbook = Arc::new(read()?);
        let mut kept = runbooks_read();
        if RUNBOOKS_KEPT_MAX <= kept.len() {
            kept.clear();
        }
        kept.insert(key, runbook.clone());
        Ok(runbook)
    }
}

/// How many runbooks are kept that were read; beyond that all are read anew.
const RUNBOOKS_KEPT_MAX: usize = 1_024;

type RunbooksRead = HashMap<String, Arc<Runbook>>;

/// Returns the runbooks that were read, by format and hash of their text: the same text is the same
/// runbook for every server of the process.
fn runbooks_read() -> MutexGuard<'static, RunbooksRead> {
    static READ: LazyLock<Mutex<RunbooksRead>> = LazyLock::new(Mutex::default);
    READ.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Returns the documents of the account.
pub(super) fn own(on: &Reading<'_>) -> Result<Vec<Document>, Error> {
    let prefix = key(on.call.account(), "");
    let rows: Vec<(String, Document)> =
        on.store.load_all(Table::Documents, Scan::prefix(&prefix))?;
    Ok(rows.into_iter().map(|(_, document)| document).collect())
}

/// Returns a document of the account, or one of Amazon's.
pub(super) fn find(on: &Reading<'_>, name: &str) -> Result<Option<Document>, Error> {
    let own: Option<Document> = on.store.load(Table::Documents, &key(on.call.account(), name))?;
    Ok(own.or_else(|| catalogue::find(name).map(|entry| amazons(on, entry))))
}

/// Returns a document of the catalogue as if it were stored.
pub(super) fn amazons(on: &Reading<'_>, entry: &'static catalogue::Document) -> Document {
    let version = DocumentVersion {
        definition: definition_key(&entry.content(on.call.settings.edition)),
        format: entry.format.to_string(),
        version_name: None,
        display_name: None,
        created_millis: AMAZONS_CREATED_MILLIS,
        attachments: BTreeMap::new(),
        failure: None,
        requires: Vec::new(),
    };
    Document {
        name: entry.name.to_owned(),
        owner: AMAZON.into(),
        versions: BTreeMap::from([(1, version)]),
        default_version: 1,
        created_millis: AMAZONS_CREATED_MILLIS,
        tags: BTreeMap::new(),
        target_type: None,
        shared: BTreeMap::new(),
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
        (Some(_), Some(entry)) if document.is_amazons() => {
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

    pub(super) fn number_named(&self, wanted: &str) -> Option<u32> {
        let named = |version: &DocumentVersion| version.version_name.as_deref() == Some(wanted);
        self.versions.iter().find(|(_, version)| named(version)).map(|(number, _)| *number)
    }

    pub(super) fn tags(&self) -> Value {
        self.tags.iter().map(|(key, tag)| value!({ "Key": key, "Value": tag })).collect()
    }

    pub(super) fn is_amazons(&self) -> bool {
        self.owner == AMAZON
    }

    pub(super) fn check_changeable(&self) -> Result<(), Error> {
        if self.is_amazons() { Err(error::not_owned(&self.name)) } else { Ok(()) }
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

/// Returns `DocumentDescription`; `status` is what is under way, if anything is.
pub(super) fn description(found: &Found, status: Option<&str>) -> Answer {
    let (document, version) = (&found.document, found.version());
    let runbook = found.runbook()?;
    let parameters = runbook.parameters.iter().map(|parameter| {
        let list = matches!(parameter.kind, automation::parameter::Type::StringList);
        value!({ "Name": &parameter.name, "Type": if list { "StringList" } else { "String" } })
            .with_some("Description", parameter.description.as_ref())
            .with_some("DefaultValue", parameter.default.as_ref().map(text_of_default))
    });
    let attachments = version.map(|version| &version.attachments);
    let attachments = attachments
        .filter(|files| !files.is_empty())
        .map(|files| files.keys().map(|name| value!({ "Name": name })).collect::<Value>());
    let described = value!({
        "Hash": definition_key(&found.text),
        "HashType": "Sha256",
        "Name": &document.name,
        "Owner": &document.owner,
        "CreatedDate": version.map_or(0, |version| version.created_millis) as f64 / 1000.0,
        "Status": status.or(version.map(DocumentVersion::status)),
        "DocumentVersion": found.number.to_string(),
        "Parameters": parameters.collect::<Value>(),
        "PlatformTypes": PLATFORM_TYPES.to_vec(),
        "DocumentType": DOCUMENT_TYPE,
        "SchemaVersion": SCHEMA_VERSION,
        "LatestVersion": document.latest().to_string(),
        "DefaultVersion": document.default_version.to_string(),
        "DocumentFormat": version.map_or("JSON", |version| &*version.format),
        "Tags": document.tags(),
    })
    .with_some("Description", runbook.description.as_ref())
    .with_some("TargetType", document.target_type.as_ref())
    .with_some("AttachmentsInformation", attachments);
    Ok(match version {
        Some(version) => version.described(described),
        None => described,
    })
}

fn text_of_default(default: &Value) -> String {
    default.as_str().map_or_else(|| default.to_string(), str::to_owned)
}
