//! Signing certificates of users (X.509).
//!
//! IAM API reference, "UploadSigningCertificate" (read 2026-11).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Load, Read, Save, Table};
use value::Value;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::credentials::{self, CredentialKind, status_in};
use super::entity::{self, Entity, Kind, seconds};
use super::{error, paging};
use crate::{Answer, Error, Input, Operation, Reading, Run, Writing, ids};

/// How many certificates a user can have.
const CERTIFICATES_MAX: usize = 2;
/// The largest certificate, in characters.
const BODY_CHARACTERS_MAX: usize = 16_384;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "UploadSigningCertificate",
        checks: |on, input| entity::named(on, "UploadSigningCertificate", Kind::User, input),
        run: Run::Write(upload),
    },
    Operation {
        name: "ListSigningCertificates",
        checks: |on, input| entity::named(on, "ListSigningCertificates", Kind::User, input),
        run: Run::Read(list),
    },
    Operation {
        name: "UpdateSigningCertificate",
        checks: |on, input| entity::named(on, "UpdateSigningCertificate", Kind::User, input),
        run: Run::Write(update),
    },
    Operation {
        name: "DeleteSigningCertificate",
        checks: |on, input| entity::named(on, "DeleteSigningCertificate", Kind::User, input),
        run: Run::Write(delete),
    },
];

/// A certificate, stored by its id.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    body: String,
    status: String,
    uploaded_millis: i64,
    /// SHA-256 of the certificate itself, in hexadecimal.
    fingerprint: String,
}

/// Returns of a user's certificates whether they are active and since when they are there, oldest
/// first.
pub(super) fn reported(
    store: &(impl Read + ?Sized),
    account: &str,
    user_id: &str,
) -> Result<Vec<(bool, i64)>, Error> {
    let kind = CredentialKind::SigningCertificate;
    let all: Vec<(String, Certificate)> = credentials::all_owned(store, account, user_id, kind)?;
    let each = all.into_iter().map(|(_, one)| (one.status == "Active", one.uploaded_millis));
    let mut reported: Vec<(bool, i64)> = each.collect();
    reported.sort_by_key(|(_, uploaded_millis)| *uploaded_millis);
    Ok(reported)
}

/// Returns the bytes of a certificate in PEM.
fn der(body: &str) -> Result<Vec<u8>, Error> {
    // UNVERIFIED: AWS's texts for certificates it cannot read.
    let malformed = || Error::new("MalformedCertificate", "Certificate body is invalid.");
    if body.chars().count() > BODY_CHARACTERS_MAX {
        return Err(malformed());
    }
    let (_, pem) =
        x509_parser::pem::parse_x509_pem(body.trim().as_bytes()).map_err(|_| malformed())?;
    if pem.label != "CERTIFICATE" {
        return Err(malformed());
    }
    let (rest, _) = X509Certificate::from_der(&pem.contents).map_err(|_| {
        Error::new("InvalidCertificate", "The certificate is not a valid X.509 certificate.")
    })?;
    if rest.is_empty() { Ok(pem.contents.clone()) } else { Err(malformed()) }
}

/// A certificate belongs to one user of an account; this row says so.
fn fingerprint_key(account: &str, fingerprint: &str) -> String {
    format!("signing-certificate-known/{account}/{fingerprint}")
}

fn shown(user: &Entity, id: &str, certificate: &Certificate) -> Value {
    Value::object()
        .with("UserName", &*user.name)
        .with("CertificateId", id)
        .with("CertificateBody", &*certificate.body)
        .with("Status", &*certificate.status)
        .with("UploadDate", seconds(certificate.uploaded_millis))
}

fn upload(w: &mut Writing<'_>, input: &Value) -> Answer {
    let user = entity::get_named(&*w.store, w.call, Kind::User, input)?;
    let body = input.text("CertificateBody")?;
    let fingerprint = hexadecimal(&Sha256::digest(der(body)?));
    let (account, kind) = (w.call.account(), CredentialKind::SigningCertificate);
    let known_key = fingerprint_key(account, &fingerprint);
    if let Some(id) = w.store.load::<String>(Table::Relations, &known_key)? {
        return Err(Error::new(
            "DuplicateCertificate",
            format!("The certificate already exists: {id}"),
        ));
    }
    if credentials::owned_ids(&*w.store, account, &user.id, kind)?.len() >= CERTIFICATES_MAX {
        return Err(error::quota("CertificatesPerUser", CERTIFICATES_MAX));
    }
    let id = ids::certificate_id();
    let certificate = Certificate {
        body: body.to_owned(),
        status: "Active".into(),
        uploaded_millis: w.call.now_millis,
        fingerprint,
    };
    credentials::put(w, &user.id, kind, &id, &certificate)?;
    w.store.save(Table::Relations, &known_key, &id)?;
    Ok(Value::object().with("Certificate", shown(&user, &id, &certificate)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let (account, kind) = (on.call.account(), CredentialKind::SigningCertificate);
    let certificates = credentials::all_owned(on.store, account, &user.id, kind)?;
    let rows = certificates.into_iter().map(|(id, certificate)| {
        let shown = shown(&user, &id, &certificate);
        (id, shown)
    });
    paging::page(input, "Certificates", rows)
}

/// Returns the user of an input and its certificate of that id.
fn owned(on: &Reading<'_>, input: &Value) -> Result<(Entity, Certificate), Error> {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let id = input.text("CertificateId")?;
    let (account, kind) = (on.call.account(), CredentialKind::SigningCertificate);
    let certificate = credentials::owned(on.store, account, &user.id, kind, id)?;
    let certificate = certificate.ok_or_else(|| {
        error::no_such_entity(format!("The Certificate with id {id} cannot be found."))
    })?;
    Ok((user, certificate))
}

fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let status = status_in(input)?;
    let (user, mut certificate) = owned(&w.reading(), input)?;
    status.clone_into(&mut certificate.status);
    let (kind, id) = (CredentialKind::SigningCertificate, input.text("CertificateId")?);
    credentials::put(w, &user.id, kind, id, &certificate)?;
    Ok(Value::object())
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (user, certificate) = owned(&w.reading(), input)?;
    let (kind, id) = (CredentialKind::SigningCertificate, input.text("CertificateId")?);
    credentials::remove(w, &user.id, kind, id)?;
    let known_key = fingerprint_key(w.call.account(), &certificate.fingerprint);
    w.store.delete(Table::Relations, &known_key)?;
    Ok(Value::object())
}
