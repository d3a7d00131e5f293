//! Files attached to documents: read from S3 when a version is made, checked against the document's
//! `files`, kept by their content.
//!
//! AWS Systems Manager API reference, "AttachmentsSource" (read 2026-11).

use std::collections::BTreeMap;
use std::sync::Arc;

use automation::{File, Format, Runbook, document};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runtime::content_key;
use serde::{Deserialize, Serialize};
use value::{Value, value};

use super::document::{arn_of, bare_name, find};
use super::error;
use crate::{Call, Check, Error, Input, Pending, Reading, Services, states};

/// How large one file may be, in bytes.
// UNVERIFIED: AWS states no limit for runbooks.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How many files a document may have (the API's limit on sources; a folder counts each of its
/// files).
const FILES_MAX: usize = 20;
/// The member of an input that holds what was fetched; no request can set it.
const FETCHED: &str = "$attachments";

/// A file that belongs to a version of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attachment {
    /// The key of its content in `Table::Definitions`.
    pub(super) sha256: String,
    /// How long it is, in bytes.
    pub(super) size: usize,
}

/// What became of the attachments that a request names.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Fetched {
    /// The files, by name.
    pub(super) files: BTreeMap<String, Attachment>,
    /// What could not be read, for `StatusInformation`.
    pub(super) failure: Option<String>,
}

/// Where a file is.
enum Source {
    /// An object of S3.
    Object { bucket: String, key: String },
    /// A file of another document, read when this one is.
    Kept(Attachment),
}

/// Reads the attachments that a request names and keeps their content, which nothing refers to
/// until the document is written.
pub(super) fn fetch(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let sources =
            services.store().read(|store| sources(&Reading { store, call: &call }, &input))?;
        let mut fetched = Fetched::default();
        for (name, source) in sources {
            let read = match source {
                Source::Kept(attachment) => Ok(attachment),
                Source::Object { bucket, key } => read(&services, &call, &bucket, &key).await?,
            };
            match read {
                Ok(attachment) => drop(fetched.files.insert(name, attachment)),
                Err(text) => fetched.failure = fetched.failure.or(Some(text)),
            }
        }
        let fetched = value::to_value(&fetched).map_err(|err| Error::internal(&err))?;
        Ok(input.with(FETCHED, fetched))
    })
}

/// Returns what the caller must be allowed besides: a file of another document is read with it.
pub(super) fn checks(on: &Reading<'_>, input: &Value) -> Vec<Check> {
    let given = input.list("Attachments").iter();
    let references = given.filter(|it| it.maybe_text("Key") == Some("AttachmentReference"));
    let places = references.filter_map(|it| it.list("Values").first()?.as_str());
    let documents = places.filter_map(|place| place.rsplitn(3, '/').nth(2));
    documents
        .map(|document| Check::new("ssm:GetDocument", arn_of(on, bare_name(document))))
        .collect()
}

/// Returns where each file is.
fn sources(on: &Reading<'_>, input: &Value) -> Result<BTreeMap<String, Source>, Error> {
    let mut sources = BTreeMap::new();
    for given in input.list("Attachments") {
        let place = given.list("Values").first().and_then(Value::as_str).unwrap_or_default();
        match given.maybe_text("Key").unwrap_or_default() {
            "S3FileUrl" => {
                let (bucket, key) = object(place)?;
                let name = given.maybe_text("Name").or(key.rsplit('/').next());
                let name = name.unwrap_or_default().to_owned();
                sources.insert(name, Source::Object { bucket, key });
            }
            "SourceUrl" => {
                let (bucket, folder) = object(place)?;
                for name in names_in_content(input) {
                    let key = format!("{}/{name}", folder.trim_end_matches('/'));
                    let key = key.trim_start_matches('/').to_owned();
                    sources.insert(name, Source::Object { bucket: bucket.clone(), key });
                }
            }
            "AttachmentReference" => {
                let (file, attachment) = referred(on, place)?;
                let name = given.maybe_text("Name").map_or(file, str::to_owned);
                sources.insert(name, Source::Kept(attachment));
            }
            other => return Err(invalid(&format!("`{other}` is not a key of Attachments"))),
        }
    }
    if FILES_MAX < sources.len() {
        return Err(invalid(&format!("a document has at most {FILES_MAX} attachments")));
    }
    Ok(sources)
}

/// Returns the names in the content's `files`; none for a content that will be refused.
fn names_in_content(input: &Value) -> Vec<String> {
    let format = input.maybe_text("DocumentFormat").unwrap_or("JSON").parse();
    let text = input.maybe_text("Content").unwrap_or_default();
    let document = format.ok().and_then(|format: Format| document::read(text, format).ok());
    let files = document.as_ref().and_then(|document| document.get("files")?.as_object().cloned());
    files.unwrap_or_default().keys().map(ToString::to_string).collect()
}

/// Returns bucket and key of `s3://bucket/key`, or of the address of an object.
fn object(place: &str) -> Result<(String, String), Error> {
    let path = if let Some(path) = place.strip_prefix("s3://") {
        path.to_owned()
    } else if let Some((host, path)) =
        place.strip_prefix("https://").and_then(|it| it.split_once('/'))
    {
        // `https://s3.eu-west-1.amazonaws.com/bucket/key` or `https://bucket.s3.….com/key`.
        match host.split_once(".s3") {
            Some((bucket, _)) => format!("{bucket}/{path}"),
            None if host.starts_with("s3") => path.to_owned(),
            None => return Err(invalid(&format!("`{place}` is not in S3"))),
        }
    } else {
        return Err(invalid(&format!("`{place}` is not of the form s3://BUCKET/KEY")));
    };
    match path.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() => Ok((bucket.to_owned(), key.to_owned())),
        None if !path.is_empty() => Ok((path, String::new())),
        Some(_) | None => Err(invalid(&format!("`{place}` names no bucket"))),
    }
}

/// Returns the file that `DOCUMENT/VERSION/FILE` names.
fn referred(on: &Reading<'_>, place: &str) -> Result<(String, Attachment), Error> {
    let parts = place.rsplitn(3, '/').collect::<Vec<_>>();
    let &[file, version, document] = parts.as_slice() else {
        return Err(invalid(&format!("`{place}` is not of the form DOCUMENT/VERSION/FILE")));
    };
    let name = bare_name(document);
    let document = find(on, name)?.ok_or_else(|| error::invalid_document(name))?;
    let number = document.number(Some(version));
    let version = number.and_then(|number| document.versions.get(&number));
    let attachment = version.and_then(|version| version.attachments.get(file));
    match attachment {
        Some(attachment) => Ok((file.to_owned(), attachment.clone())),
        None => Err(invalid(&format!("there is no attachment `{place}`"))),
    }
}

/// Reads an object and keeps it; the inner error is what S3 has against it.
async fn read(
    services: &Arc<Services>,
    call: &Call,
    bucket: &str,
    key: &str,
) -> Result<Result<Attachment, String>, Error> {
    let input = value!({ "Bucket": bucket, "Key": key });
    let answer = match services.call_outside(call, "s3", "GetObject", input).await {
        Ok(answer) => answer,
        Err(err) => return Ok(Err(failure(&err.code, &err.message, bucket, key))),
    };
    let content = STANDARD.decode(answer.maybe_text("Body").unwrap_or_default());
    let content = content.map_err(|err| Error::internal(&err))?;
    if FILE_BYTES_MAX < content.len() {
        let text = format!("s3://{bucket}/{key} is larger than {FILE_BYTES_MAX} bytes.");
        return Ok(Err(text));
    }
    let attachment = Attachment { sha256: content_key(&content), size: content.len() };
    let at = attachment.sha256.clone();
    services.store().write(move |tx| states::keep_content(tx, &at, &content)).await??;
    Ok(Ok(attachment))
}

/// Returns `StatusInformation` for an object that cannot be read.
fn failure(code: &str, message: &str, bucket: &str, key: &str) -> String {
    match code {
        // The API reference has this text, at DocumentDescription.
        "NoSuchBucket" => "The specified S3 bucket doesn't exist. Verify that the URL of the S3 \
                           bucket is correct."
            .to_owned(),
        // UNVERIFIED: the wording of all others.
        _ => format!("s3://{bucket}/{key} could not be read: {message} ({code})"),
    }
}

/// Returns the attachments of a version about to be written, each as the document wants it.
pub(super) fn of(input: &Value, runbook: &Runbook) -> Result<Fetched, Error> {
    let fetched = input.get(FETCHED).cloned().map(value::from_value::<Fetched>);
    let fetched = fetched.transpose().map_err(|err| Error::internal(&err))?;
    let mut fetched = fetched.unwrap_or_default();
    for file in &runbook.files {
        match fetched.files.get(&file.name) {
            Some(attachment) => {
                fetched.failure = fetched.failure.or_else(|| difference(file, attachment));
            }
            None if fetched.failure.is_some() => {}
            None => {
                let name = &file.name;
                return Err(invalid(&format!(
                    "the document's `files` has `{name}`, but Attachments does not say where it is"
                )));
            }
        }
    }
    Ok(fetched)
}

/// Returns what is wrong with a file that is not as the document describes it.
// UNVERIFIED: the wording.
fn difference(file: &File, attachment: &Attachment) -> Option<String> {
    let File { name, sha256, size } = file;
    if let Some(wanted) = sha256
        && *wanted != attachment.sha256
    {
        let found = &attachment.sha256;
        return Some(format!(
            "The checksum of the attachment {name} is {found}, but the document says {wanted}."
        ));
    }
    let size = size.and_then(|size| usize::try_from(size).ok())?;
    (size != attachment.size).then(|| {
        let found = attachment.size;
        format!("The attachment {name} has {found} bytes, but the document says {size}.")
    })
}

/// Returns `AttachmentsContent`; nothing for a document without.
// DIFFERS: without `Url`, which on AWS is a link to the file that is good for a while.
pub(super) fn contents(files: &BTreeMap<String, Attachment>) -> Option<Value> {
    let contents = files.iter().map(|(name, file)| {
        value!({ "Name": name, "Size": file.size, "Hash": &file.sha256, "HashType": "Sha256" })
    });
    (!files.is_empty()).then(|| contents.collect())
}

fn invalid(text: &str) -> Error {
    Error::new("InvalidDocumentContent", text)
}
