//! S3 objects that are files of this machine: `--objects DIR`, with a folder for each bucket.
//!
//! What state machines need of S3 to read items and write results: GetObject, HeadObject,
//! PutObject, DeleteObject, ListObjectsV2 (names of the Amazon S3 API reference). A
//! key's slashes are folders.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runtime::CallError;
use value::{Map, Value, value};

use crate::ids;

/// How large an object may be, in bytes; it is in memory as a whole.
const OBJECT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How many keys a page of a list has at most (S3's bound).
const PAGE_KEYS_MAX: usize = 1_000;
/// How many folders lie within each other at most.
const DEPTH_MAX: usize = 64;
/// Where objects are written before they have their name; no bucket is called so.
const UNFINISHED: &str = ".unfinished";
/// The members that are served, of GetObject, HeadObject and DeleteObject, of PutObject, and of
/// ListObjectsV2.
const OBJECT_MEMBERS: &[&str] = &["Bucket", "Key", OWNER];
const PUT_MEMBERS: &[&str] = &["Bucket", "Key", "Body", OWNER];
const LIST_MEMBERS: &[&str] =
    &["Bucket", "Prefix", "Delimiter", "MaxKeys", "ContinuationToken", "StartAfter", OWNER];
/// The member that names the account that the bucket must belong to.
const OWNER: &str = "ExpectedBucketOwner";

/// Answers an operation of S3 from a directory, whose buckets belong to the account. Blocks as long
/// as the disk takes.
///
/// # Errors
/// What S3 says, or that this operation is not served from a directory.
pub(super) fn answer(
    root: &Path,
    account: &str,
    operation: &str,
    input: &Value,
) -> Result<Value, CallError> {
    let (members, run): (_, Run<'_>) = match operation {
        "GetObject" => (OBJECT_MEMBERS, Asked::get),
        "HeadObject" => (OBJECT_MEMBERS, Asked::head),
        "PutObject" => (PUT_MEMBERS, Asked::put),
        "DeleteObject" => (OBJECT_MEMBERS, Asked::delete),
        "ListObjectsV2" => (LIST_MEMBERS, Asked::list),
        other => return Err(not_served(&format!("s3:{other}"))),
    };
    check_members(operation, members, input)?;
    let asked = Asked { root, input };
    let owner = input.get(OWNER).and_then(Value::as_str);
    if owner.is_some_and(|owner| owner != account) {
        // UNVERIFIED: that S3 looks for the bucket first.
        asked.bucket()?;
        return Err(refusal(403, "AccessDenied", "Access Denied"));
    }
    run(&asked)
}

/// Refuses an input that asks for more than is served: a condition, a version or a key that nobody
/// looks at would change what the call does.
fn check_members(operation: &str, served: &[&str], input: &Value) -> Result<(), CallError> {
    let given = input.as_object().into_iter().flat_map(Map::iter);
    let mut given = given.filter(|(_, value)| **value != Value::Null).map(|(name, _)| &**name);
    match given.find(|name| !served.contains(name)) {
        Some(name) => Err(not_served(&format!("{name} of s3:{operation}"))),
        None => Ok(()),
    }
}

fn not_served(what: &str) -> CallError {
    let text = format!("--objects does not serve {what}; --endpoint s3=URL names an S3 that may");
    refusal(501, "NotImplemented", text)
}

type Run<'a> = fn(&Asked<'a>) -> Result<Value, CallError>;

struct Asked<'a> {
    root: &'a Path,
    input: &'a Value,
}

impl Asked<'_> {
    fn text(&self, member: &str) -> &str {
        self.input.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the folder of the bucket.
    fn bucket(&self) -> Result<PathBuf, CallError> {
        let name = self.text("Bucket");
        let folder = self.root.join(name);
        if name.starts_with('.') || !is_plain(name) || !folder.is_dir() {
            let text = "The specified bucket does not exist";
            return Err(refusal(404, "NoSuchBucket", text));
        }
        Ok(folder)
    }

    /// Returns the file of the object; none for a key that no file can have.
    fn file(&self) -> Result<Option<PathBuf>, CallError> {
        let (bucket, key) = (self.bucket()?, self.text("Key"));
        let fits = key.split('/').count() <= DEPTH_MAX && key.split('/').all(is_plain);
        Ok(fits.then(|| bucket.join(key)))
    }

    /// Returns the object's file and what is known of it.
    fn existing(&self) -> Result<(PathBuf, Metadata), CallError> {
        let file = self.file()?.ok_or_else(no_such_key)?;
        match fs::metadata(&file) {
            Ok(found) if found.is_file() => Ok((file, found)),
            Ok(_folder) => Err(no_such_key()),
            Err(err) if is_absence(&err) => Err(no_such_key()),
            Err(err) => Err(failed(&err)),
        }
    }

    fn get(&self) -> Result<Value, CallError> {
        let (file, found) = self.existing()?;
        if OBJECT_BYTES_MAX < found.len() {
            let text = format!("an object of --objects is larger than {OBJECT_BYTES_MAX} bytes");
            return Err(refusal(400, "InvalidRequest", text));
        }
        let bytes = fs::read(&file).map_err(|err| failed(&err))?;
        Ok(described(&found)
            .with("ContentLength", bytes.len())
            .with("Body", STANDARD.encode(&bytes)))
    }

    fn head(&self) -> Result<Value, CallError> {
        let (_, found) = self.existing()?;
        Ok(described(&found).with("ContentLength", found.len()))
    }

    /// Writes the object: whoever reads it sees the old one or all of the new one, also after a
    /// crash.
    fn put(&self) -> Result<Value, CallError> {
        let Some(file) = self.file()? else {
            let text =
                "a key of --objects is the path of a file: without `.`, `..` and empty parts";
            return Err(refusal(400, "InvalidRequest", text));
        };
        let body = wire::decode_blob(self.text("Body"));
        let written = write(&self.root.join(UNFINISHED), &file, &body);
        let found = written.map_err(|err| failed(&err))?;
        Ok(value!({ "ETag": (tag(&found)) }))
    }

    fn delete(&self) -> Result<Value, CallError> {
        let Some(file) = self.file()? else { return Ok(Value::object()) };
        match fs::remove_file(&file) {
            Ok(()) => Ok(Value::object()),
            // As in S3, what is not there has been deleted.
            Err(err) if is_absence(&err) => Ok(Value::object()),
            Err(err) => Err(failed(&err)),
        }
    }

    fn list(&self) -> Result<Value, CallError> {
        let (bucket, prefix) = (self.bucket()?, self.text("Prefix"));
        let after = [self.text("ContinuationToken"), self.text("StartAfter")];
        let after = after.into_iter().max().unwrap_or_default();
        let most = self.input.get("MaxKeys").and_then(Value::as_i64);
        let most = most.and_then(|most| usize::try_from(most).ok());
        let most = most.unwrap_or(PAGE_KEYS_MAX).min(PAGE_KEYS_MAX);
        let delimiter = Some(self.text("Delimiter")).filter(|text| !text.is_empty());
        let mut keys = BTreeSet::new();
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.is_empty() || folder.split('/').all(is_plain) {
            collect(&bucket, folder, prefix, DEPTH_MAX, &mut keys).map_err(|err| failed(&err))?;
        }
        let mut page = Page { bucket: &bucket, contents: Vec::new(), prefixes: BTreeSet::new() };
        let mut shown = "";
        let mut is_truncated = false;
        for key in keys.iter().filter(|key| after < key.as_str()) {
            let rest = key.get(prefix.len()..).unwrap_or_default();
            let cut = delimiter.and_then(|end| Some(prefix.len() + rest.find(end)? + end.len()));
            let common = cut.and_then(|cut| key.get(..cut));
            let is_shown = common
                .is_some_and(|common| page.prefixes.contains(common) || after.starts_with(common));
            if !is_shown && most <= page.len() {
                is_truncated = true;
                break;
            }
            shown = key;
            match common {
                Some(common) if !is_shown => drop(page.prefixes.insert(common.to_owned())),
                Some(_) => {}
                None => page.add(key),
            }
        }
        Ok(value!({ "Name": self.text("Bucket"), "Prefix": prefix, "MaxKeys": most })
            .with("KeyCount", page.len())
            .with("IsTruncated", is_truncated)
            .with_some("NextContinuationToken", is_truncated.then_some(shown))
            .with_some("CommonPrefixes", page.common_prefixes())
            .with_some("Contents", Some(page.contents).filter(|found| !found.is_empty())))
    }
}

/// What one answer of a list holds.
struct Page<'a> {
    bucket: &'a Path,
    contents: Vec<Value>,
    prefixes: BTreeSet<String>,
}

impl Page<'_> {
    fn len(&self) -> usize {
        self.contents.len() + self.prefixes.len()
    }

    /// Adds an object, unless it has gone meanwhile.
    fn add(&mut self, key: &str) {
        if let Ok(found) = fs::metadata(self.bucket.join(key)) {
            let object = described(&found).with("Key", key).with("Size", found.len());
            self.contents.push(object.with("StorageClass", "STANDARD"));
        }
    }

    fn common_prefixes(&self) -> Option<Vec<Value>> {
        let shown = self.prefixes.iter().map(|prefix| value!({ "Prefix": prefix })).collect();
        Some(shown).filter(|shown: &Vec<Value>| !shown.is_empty())
    }
}

/// Collects the keys below a folder that begin with `prefix`. Names that are no text have no key.
fn collect(
    bucket: &Path,
    folder: &str,
    prefix: &str,
    depth: usize,
    keys: &mut BTreeSet<String>,
) -> io::Result<()> {
    let entries = match fs::read_dir(bucket.join(folder)) {
        Err(err) if is_absence(&err) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let key = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let Ok(found) = fs::metadata(entry.path()) else { continue };
        if found.is_dir() {
            let may_hold = key.starts_with(prefix) || prefix.starts_with(&format!("{key}/"));
            if may_hold && 0 < depth {
                collect(bucket, &key, prefix, depth - 1, keys)?;
            }
        } else if key.starts_with(prefix) {
            keys.insert(key);
        }
    }
    Ok(())
}

/// Returns whether a part of a key can be the name of a file or folder.
fn is_plain(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.contains(['/', '\\', '\0'])
}

fn write(unfinished: &Path, file: &Path, body: &[u8]) -> io::Result<Metadata> {
    fs::create_dir_all(unfinished)?;
    let folder = file.parent().unwrap_or(unfinished);
    fs::create_dir_all(folder)?;
    let draft = unfinished.join(ids::uuid());
    let mut writing = File::create(&draft)?;
    writing.write_all(body)?;
    writing.sync_all()?;
    fs::rename(&draft, file)?;
    File::open(folder)?.sync_all()?;
    fs::metadata(file)
}

/// Returns what S3 tells of every object.
fn described(found: &Metadata) -> Value {
    let since = found.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    value!({ "ETag": (tag(found)) }).with_some("LastModified", since.map(|since| since.as_secs()))
}

/// Returns a tag that changes with the object. It is no MD5, which S3 does not promise either.
fn tag(found: &Metadata) -> String {
    let since = found.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    format!("\"{:x}-{:x}\"", since.unwrap_or_default().as_nanos(), found.len())
}

/// Returns whether a failure says that there is no such file.
fn is_absence(err: &io::Error) -> bool {
    matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn no_such_key() -> CallError {
    refusal(404, "NoSuchKey", "The specified key does not exist.")
}

fn failed(err: &io::Error) -> CallError {
    refusal(500, "InternalError", format!("--objects: {err}"))
}

fn refusal(status: u16, code: &str, message: impl Into<String>) -> CallError {
    CallError {
        code: code.to_owned(),
        // As the SDK for Java calls them: what the model does not name is an S3Exception.
        exception: matches!(code, "NoSuchKey" | "NoSuchBucket").then(|| code.to_owned()),
        message: message.into(),
        status,
        request_id: ids::uuid(),
        extended_request_id: None,
        is_passing: false,
    }
}

#[cfg(test)]
mod tests;
