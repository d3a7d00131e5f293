//! Server certificates: X.509 certificates with their chains, by name.
//!
//! IAM API reference, "UploadServerCertificate", "UpdateServerCertificate" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::Value;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::entity::seconds;
use super::private_key::PrivateKey;
use super::tags::{self, Tag};
use super::{error, names, paging};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing, ids};

/// The longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 128;
/// How many certificates an account can have.
const CERTIFICATES_MAX: usize = 20;
/// How many certificates of a chain are looked at.
const CHAIN_MAX: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "UploadServerCertificate", checks: may_upload, run: Run::Write(upload) },
    Operation {
        name: "GetServerCertificate",
        checks: |on, input| Ok(vec![check(on, "GetServerCertificate", input)?]),
        run: Run::Read(get),
    },
    Operation {
        name: "ListServerCertificates",
        checks: |on, input| {
            let prefix = input.maybe_text("PathPrefix").unwrap_or(names::ROOT_PATH);
            let display = arn(on, prefix, "");
            Ok(vec![Check::any("iam:ListServerCertificates").shown_as(display)])
        },
        run: Run::Read(list),
    },
    Operation { name: "UpdateServerCertificate", checks: may_update, run: Run::Write(update) },
    Operation {
        name: "DeleteServerCertificate",
        checks: |on, input| Ok(vec![check(on, "DeleteServerCertificate", input)?]),
        run: Run::Write(delete),
    },
    Operation {
        name: "TagServerCertificate",
        checks: |on, input| {
            Ok(vec![tags::with_request_tags(check(on, "TagServerCertificate", input)?, input)])
        },
        run: Run::Write(tag),
    },
    Operation {
        name: "UntagServerCertificate",
        checks: |on, input| {
            Ok(vec![tags::with_keys(check(on, "UntagServerCertificate", input)?, input)])
        },
        run: Run::Write(untag),
    },
    Operation {
        name: "ListServerCertificateTags",
        checks: |on, input| Ok(vec![check(on, "ListServerCertificateTags", input)?]),
        run: Run::Read(|on, input| tags::page(input, &get_named(on, input)?.tags)),
    },
];

/// A certificate, stored by `server-certificate/account/lower-case name`.
///
/// DIFFERS: the private key is compared with the certificate and not kept: no service here serves
/// TLS with it, and a secret that nothing uses is best not stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerCertificate {
    name: String,
    id: String,
    path: String,
    body: String,
    chain: Option<String>,
    uploaded_millis: i64,
    expires_seconds: i64,
    tags: Vec<Tag>,
}

fn prefix(account: &str) -> String {
    format!("server-certificate/{account}/")
}

fn key(account: &str, name: &str) -> String {
    prefix(account) + &name.to_lowercase()
}

fn find(
    store: &(impl Read + ?Sized),
    account: &str,
    name: &str,
) -> Result<Option<ServerCertificate>, Error> {
    Ok(store.load(Table::IamSettings, &key(account, name))?)
}

/// Returns how many certificates an account has.
pub(super) fn count(store: &(impl Read + ?Sized), account: &str) -> Result<usize, Error> {
    Ok(store.scan(Table::IamSettings, Scan::prefix(&prefix(account)))?.len())
}

fn get_named(on: &Reading<'_>, input: &Value) -> Result<ServerCertificate, Error> {
    let name = input.text("ServerCertificateName")?;
    find(on.store, on.call.account(), name)?.ok_or_else(|| {
        error::no_such_entity(format!("The Server Certificate with name {name} cannot be found."))
    })
}

fn save(w: &mut Writing<'_>, certificate: &ServerCertificate) -> Result<(), Error> {
    let key = key(w.call.account(), &certificate.name);
    Ok(w.store.save(Table::IamSettings, &key, certificate)?)
}

fn arn(on: &Reading<'_>, path: &str, name: &str) -> String {
    on.call.global_arn("iam", &format!("server-certificate{path}{name}"))
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    let name = input.text("ServerCertificateName")?;
    let action = format!("iam:{action}");
    Ok(match find(on.store, on.call.account(), name)? {
        Some(found) => {
            let check = Check::new(action, arn(on, &found.path, &found.name));
            tags::with_resource_tags(check, &found.tags)
        }
        None => Check::new(action, arn(on, names::ROOT_PATH, name)),
    })
}

fn may_upload(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let path = input.maybe_text("Path").unwrap_or(names::ROOT_PATH);
    let arn = arn(on, path, input.text("ServerCertificateName")?);
    Ok(vec![tags::with_request_tags(Check::new("iam:UploadServerCertificate", arn), input)])
}

/// An update needs permission on the certificate as it is and as it will be.
fn may_update(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let old = check(on, "UpdateServerCertificate", input)?;
    let given = input.text("ServerCertificateName")?;
    let found = find(on.store, on.call.account(), given)?;
    let path = found.as_ref().map_or(names::ROOT_PATH, |found| &found.path);
    let path = input.maybe_text("NewPath").unwrap_or(path);
    let name = input.maybe_text("NewServerCertificateName").unwrap_or(given);
    let mut new = Check::new("iam:UpdateServerCertificate", arn(on, path, name));
    new.context.clone_from(&old.context);
    Ok(if new.resource == old.resource { vec![old] } else { vec![old, new] })
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new("MalformedCertificate", message)
}

fn unreadable() -> Error {
    malformed("Unable to parse certificate. Please ensure the certificate is in PEM format.")
}

/// Returns the certificates of a text in PEM, in DER.
fn certificates(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for pem in Pem::iter_from_buffer(text.as_bytes()).take(CHAIN_MAX) {
        let pem = pem.ok().filter(|pem| pem.label == "CERTIFICATE")?;
        let (rest, _) = X509Certificate::from_der(&pem.contents).ok()?;
        if !rest.is_empty() {
            return None;
        }
        all.push(pem.contents.clone());
    }
    Some(all).filter(|all| !all.is_empty())
}

fn parsed(der: &[u8]) -> Result<X509Certificate<'_>, Error> {
    Ok(X509Certificate::from_der(der).map_err(|_| unreadable())?.1)
}

/// Refuses a chain in which one certificate is not issued by the next. By name: signatures are
/// not verified.
fn check_chain(leaf: &[u8], chain: &str) -> Result<(), Error> {
    let broken = |at: i64| {
        malformed(format!(
            "Unable to validate certificate chain. The certificate chain must start with the \
             immediate signing certificate, followed by any intermediaries in order. The index \
             within the chain of the invalid certificate is: {at}"
        ))
    };
    let chain = certificates(chain).ok_or_else(unreadable)?;
    let mut issued = leaf;
    // The certificate itself has the index -1.
    for (issuer, at) in chain.iter().zip(-1..) {
        if parsed(issued)?.issuer() != parsed(issuer)?.subject() {
            return Err(broken(at));
        }
        issued = issuer;
    }
    Ok(())
}

/// Checks certificate, key and chain; returns when the certificate expires.
fn checked(w: &Writing<'_>, input: &Value) -> Result<i64, Error> {
    let all = certificates(input.text("CertificateBody")?).ok_or_else(unreadable)?;
    let [leaf, ..] = &*all else { return Err(unreadable()) };
    let certificate = parsed(leaf)?;
    // UNVERIFIED: AWS's texts about the key and the date.
    let private_key = PrivateKey::from_pem(input.text("PrivateKey")?)
        .ok_or_else(|| malformed("Invalid Private Key."))?;
    if !private_key.belongs_to(certificate.public_key()) {
        let text = "The private key does not match the public key of the certificate.";
        return Err(Error::new("KeyPairMismatch", text));
    }
    let expires_seconds = certificate.validity().not_after.timestamp();
    if expires_seconds < w.call.now_millis.div_euclid(1000) {
        return Err(malformed(
            "Certificate is no longer valid. The 'Not After' date restriction on the certificate \
             has passed.",
        ));
    }
    if let Some(chain) = input.maybe_text("CertificateChain") {
        check_chain(leaf, chain)?;
    }
    Ok(expires_seconds)
}

fn taken(name: &str) -> Error {
    error::already_exists(format!("The Server Certificate with name {name} already exists."))
}

fn upload(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (name, account) = (input.text("ServerCertificateName")?, w.call.account());
    names::check_name("serverCertificateName", name, NAME_CHARACTERS_MAX)?;
    let certificate = ServerCertificate {
        name: name.to_owned(),
        id: ids::unique_id("ASCA"),
        path: names::path_of(input)?.to_owned(),
        body: input.text("CertificateBody")?.to_owned(),
        chain: input.maybe_text("CertificateChain").map(str::to_owned),
        uploaded_millis: w.call.now_millis,
        expires_seconds: checked(w, input)?,
        tags: tags::in_input(input)?,
    };
    if find(&*w.store, account, name)?.is_some() {
        return Err(taken(name));
    }
    if count(&*w.store, account)? >= CERTIFICATES_MAX {
        return Err(error::quota("ServerCertificatesPerAccount", CERTIFICATES_MAX));
    }
    save(w, &certificate)?;
    Ok(Value::object()
        .with("ServerCertificateMetadata", shown(&w.reading(), &certificate))
        .with_some("Tags", tags::shown_if_any(&certificate.tags)))
}

fn shown(on: &Reading<'_>, certificate: &ServerCertificate) -> Value {
    Value::object()
        .with("Path", &*certificate.path)
        .with("ServerCertificateName", &*certificate.name)
        .with("ServerCertificateId", &*certificate.id)
        .with("Arn", arn(on, &certificate.path, &certificate.name))
        .with("UploadDate", seconds(certificate.uploaded_millis))
        .with("Expiration", certificate.expires_seconds)
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let certificate = get_named(on, input)?;
    let shown = Value::object()
        .with("ServerCertificateMetadata", shown(on, &certificate))
        .with("CertificateBody", certificate.body)
        .with_some("CertificateChain", certificate.chain)
        .with_some("Tags", tags::shown_if_any(&certificate.tags));
    Ok(Value::object().with("ServerCertificate", shown))
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let keep = |found: &ServerCertificate| names::under_prefix(input, &found.path);
    let prefix = prefix(on.call.account());
    let page = paging::stored(on.store, input, Table::IamSettings, &prefix, keep)?;
    paging::answer("ServerCertificateMetadataList", page, |found| Ok(shown(on, &found)))
}

fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut certificate = get_named(&w.reading(), input)?;
    if let Some(path) = input.maybe_text("NewPath") {
        names::check_path("newPath", path)?;
        path.clone_into(&mut certificate.path);
    }
    if let Some(name) = input.maybe_text("NewServerCertificateName") {
        names::check_name("newServerCertificateName", name, NAME_CHARACTERS_MAX)?;
        let other = find(&*w.store, w.call.account(), name)?;
        if other.is_some_and(|other| other.id != certificate.id) {
            return Err(taken(name));
        }
        w.store.delete(Table::IamSettings, &key(w.call.account(), &certificate.name))?;
        name.clone_into(&mut certificate.name);
    }
    save(w, &certificate)?;
    Ok(Value::object())
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let certificate = get_named(&w.reading(), input)?;
    w.store.delete(Table::IamSettings, &key(w.call.account(), &certificate.name))?;
    Ok(Value::object())
}

fn tag(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut certificate = get_named(&w.reading(), input)?;
    tags::merge(&mut certificate.tags, input)?;
    save(w, &certificate)?;
    Ok(Value::object())
}

fn untag(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut certificate = get_named(&w.reading(), input)?;
    tags::strip(&mut certificate.tags, input);
    save(w, &certificate)?;
    Ok(Value::object())
}
