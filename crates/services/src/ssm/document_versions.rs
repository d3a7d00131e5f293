//! Versions of documents: UpdateDocument and its kin.

use store::{Save, Table};
use value::{Value, value};

use super::attachments;
use super::document::{Found, arn, bare_name, description, find, key};
use super::documents::{check_content, new_version};
use super::error;
use crate::page::{cut, open_marker};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};
use runtime::definition_key;

/// How many versions a document may have.
const VERSIONS_MAX: usize = 1000;
/// How many items a page has when the caller does not say.
const PAGE_ITEMS_DEFAULT: usize = 50;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "UpdateDocument",
        checks: may_update,
        run: Run::Fetched { fetch: attachments::fetch, write: update },
    },
    Operation {
        name: "UpdateDocumentDefaultVersion",
        checks: may_set_default,
        run: Run::Write(set_default),
    },
    Operation { name: "ListDocumentVersions", checks: may_list, run: Run::Read(list) },
];

fn may_update(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let mut checks = vec![Check::new("ssm:UpdateDocument", arn(on, input)?)];
    checks.extend(attachments::checks(on, input));
    Ok(checks)
}

/// Adds a version; the default version stays as it is.
fn update(on: &mut Writing<'_>, input: &Value) -> Answer {
    let (name, text) = (bare_name(input.text("Name")?), input.text("Content")?);
    let found = find(&on.reading(), name)?;
    let mut document = found.ok_or_else(|| error::invalid_document(name))?;
    document.check_changeable()?;
    if let Some(wanted) = input.maybe_text("DocumentVersion")
        && document.number(Some(wanted)) != Some(document.latest())
    {
        return Err(error::invalid_document_version(name));
    }
    let format = input.maybe_text("DocumentFormat").unwrap_or("JSON");
    let runbook = check_content(text, format)?;
    let hash = definition_key(text);
    if document.versions.values().any(|version| version.definition == hash) {
        let text = "The content of the association document matches another document. Change the \
                    content of the document and try again.";
        return Err(Error::new("DuplicateDocumentContent", text));
    }
    if let Some(wanted) = input.maybe_text("VersionName")
        && document.versions.values().any(|version| version.version_name.as_deref() == Some(wanted))
    {
        let text = format!("The version name {wanted} has already been used in this document.");
        return Err(Error::new("DuplicateDocumentVersionName", text));
    }
    if document.versions.len() >= VERSIONS_MAX {
        let text = format!("The document has over {VERSIONS_MAX} versions.");
        return Err(Error::new("DocumentVersionLimitExceeded", text));
    }
    let number = document.latest() + 1;
    if let Some(kind) = input.maybe_text("TargetType") {
        document.target_type = Some(kind.to_owned());
    }
    document.versions.insert(number, new_version(on, input, &runbook, format)?);
    on.store.save(Table::Documents, &key(on.call.account(), name), &document)?;
    let found = Found { document, number, text: text.to_owned() };
    Ok(value!({ "DocumentDescription": description(&found, Some("Updating"))? }))
}

fn may_set_default(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("ssm:UpdateDocumentDefaultVersion", arn(on, input)?)])
}

fn set_default(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = bare_name(input.text("Name")?);
    let found = find(&on.reading(), name)?;
    let mut document = found.ok_or_else(|| error::invalid_document(name))?;
    document.check_changeable()?;
    let number = document.number(input.maybe_text("DocumentVersion"));
    document.default_version = number.ok_or_else(|| error::invalid_document_version(name))?;
    on.store.save(Table::Documents, &key(on.call.account(), name), &document)?;
    let version = document.versions.get(&document.default_version);
    Ok(value!({
        "Description": value!({
            "Name": name,
            "DefaultVersion": document.default_version.to_string(),
        })
        .with_some("DefaultVersionName", version.and_then(|version| version.version_name.as_ref())),
    }))
}

fn may_list(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("ssm:ListDocumentVersions", arn(on, input)?)])
}

/// Newest first.
fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let name = bare_name(input.text("Name")?);
    let document = find(on, name)?.ok_or_else(|| error::invalid_document(name))?;
    let after = match input.maybe_text("NextToken") {
        Some(token) => Some(open_marker(token).ok_or_else(error::invalid_next_token)?),
        None => None,
    };
    let limit = input.integer("MaxResults").and_then(|asked| usize::try_from(asked).ok());
    let rows = document.versions.iter().rev().map(|(number, version)| {
        let shown = value!({
            "Name": name,
            "DocumentVersion": number.to_string(),
            "CreatedDate": version.created_millis as f64 / 1000.0,
            "IsDefaultVersion": *number == document.default_version,
            "DocumentFormat": &version.format,
            "Status": version.status(),
        });
        let mut shown = version.described(shown);
        shown.object_mut().remove("Requires");
        (format!("{:010}", u32::MAX - number), shown)
    });
    let page = cut(rows, after.as_deref(), limit.unwrap_or(PAGE_ITEMS_DEFAULT));
    Ok(value!({ "DocumentVersions": page.items }).with_some("NextToken", page.next))
}
