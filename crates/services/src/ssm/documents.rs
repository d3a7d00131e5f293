//! Automation documents: CreateDocument and its kin.
//!
//! AWS Systems Manager API reference, "CreateDocument" (read 2026-11).

use std::collections::BTreeMap;

use automation::{Format, Runbook};
use runtime::definition_key;
use store::{Save, Scan, Table};
use value::{Value, value};

use super::attachments::{self, Fetched};
use super::document::{
    DOCUMENT_TYPE, Document, DocumentVersion, Found, arn, bare_name, description, find,
    find_version, key,
};
use super::error;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing, states};

/// How many documents an account may have.
const DOCUMENTS_MAX: usize = 500;
/// What a document is of whose type nothing is said.
const DOCUMENT_TYPE_DEFAULT: &str = "Command";
/// Names that begin like this, in any case, are Amazon's.
const RESERVED_PREFIXES: [&str; 3] = ["aws", "amazon", "amzn"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateDocument",
        checks: may_create,
        run: Run::Fetched { fetch: attachments::fetch, write: create },
    },
    Operation { name: "GetDocument", checks: may_get, run: Run::Read(get) },
    Operation { name: "DescribeDocument", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "DeleteDocument", checks: may_delete, run: Run::Write(delete) },
];

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
    let kind = input.maybe_text("DocumentType").unwrap_or(DOCUMENT_TYPE_DEFAULT).to_owned();
    let check = Check::new("ssm:CreateDocument", arn(on, input)?);
    let mut checks = vec![check.with("ssm:DocumentType", vec![kind])];
    checks.extend(attachments::checks(on, input));
    Ok(checks)
}

/// Returns whether a name is one that only Amazon's documents have.
pub(super) fn is_reserved(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    RESERVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
}

fn create(on: &mut Writing<'_>, input: &Value) -> Answer {
    let (name, text) = (input.text("Name")?, input.text("Content")?);
    if is_reserved(name) {
        return Err(error::reserved_name(name));
    }
    let kind = input.maybe_text("DocumentType").unwrap_or(DOCUMENT_TYPE_DEFAULT);
    if kind != DOCUMENT_TYPE {
        return Err(error::other_document_type(kind));
    }
    let format = input.maybe_text("DocumentFormat").unwrap_or("JSON");
    let runbook = check_content(text, format)?;
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
        versions: BTreeMap::from([(1, new_version(on, input, &runbook, format)?)]),
        default_version: 1,
        created_millis: on.call.now_millis,
        tags: tags.collect(),
        target_type: input.maybe_text("TargetType").map(str::to_owned),
        shared: BTreeMap::new(),
    };
    on.store.save(Table::Documents, &key, &document)?;
    let found = Found { document, number: 1, text: text.to_owned() };
    Ok(value!({ "DocumentDescription": description(&found, Some("Creating"))? }))
}

/// Stores a text and returns the version that refers to it.
pub(super) fn new_version(
    on: &mut Writing<'_>,
    input: &Value,
    runbook: &Runbook,
    format: &str,
) -> Result<DocumentVersion, Error> {
    let text = input.text("Content")?;
    let Fetched { files, failure } = attachments::of(input, runbook)?;
    let definition = definition_key(text);
    states::keep_content(on.store, &definition, text.as_bytes())?;
    Ok(DocumentVersion {
        definition,
        format: format.to_owned(),
        version_name: input.maybe_text("VersionName").map(str::to_owned),
        display_name: input.maybe_text("DisplayName").map(str::to_owned),
        created_millis: on.call.now_millis,
        attachments: files,
        failure,
        requires: input.list("Requires").to_vec(),
    })
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
    let attachments = version.map(|version| attachments::contents(&version.attachments));
    let answer = value!({
        "Name": &found.document.name,
        "CreatedDate": version.map_or(0, |version| version.created_millis) as f64 / 1000.0,
        "DocumentVersion": found.number.to_string(),
        "Status": version.map(DocumentVersion::status),
        "Content": content,
        "DocumentType": "Automation",
        "DocumentFormat": wanted.to_string(),
    })
    .with_some("AttachmentsContent", attachments.flatten());
    Ok(match version {
        Some(version) => version.described(answer),
        None => answer,
    })
}

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("ssm:DescribeDocument", arn(on, input)?)])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    Ok(value!({ "Document": description(&find_version(on, input)?, None)? }))
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
    let number = match (input.maybe_text("VersionName"), input.maybe_text("DocumentVersion")) {
        (Some(named), _) => document.number_named(named),
        (None, Some(wanted)) => document.number(Some(wanted)),
        (None, None) => {
            if !document.shared.is_empty() {
                return Err(error::still_shared());
            }
            on.store.delete(Table::Documents, &key)?;
            return Ok(Value::object());
        }
    };
    let number = number.ok_or_else(|| error::invalid_document_version(name))?;
    if number == document.default_version {
        // UNVERIFIED: the wording.
        let text = "Default version of the document can't be deleted.";
        return Err(Error::new("InvalidDocumentOperation", text));
    }
    document.versions.remove(&number);
    on.store.save(Table::Documents, &key, &document)?;
    Ok(Value::object())
}
