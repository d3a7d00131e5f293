//! Signature Version 4: reading, checking and making signatures.
//!
//! AWS General Reference, "Signing AWS API requests" (read 2026-11).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::civil::DateTime;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::fault::{Face, Fault};
use crate::message::{Plus, Request, pairs, percent_decode, percent_encode};

/// How far the clocks of caller and server may be apart, in seconds, unless it is said otherwise.
pub const SKEW_SECONDS: i64 = 15 * 60;
/// How long a presigned request may be good for, in seconds.
const PRESIGNED_SECONDS_MAX: i64 = 7 * 24 * 60 * 60;
/// How long `20261124` is.
const DATE_CHARACTERS: usize = 8;
/// How many signing keys are kept.
const KEYS_KEPT_MAX: usize = 1_024;
/// The only algorithm.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The algorithm for several regions at once, which needs no secret that the server knows.
const ALGORITHM_4A: &str = "AWS4-ECDSA-P256-SHA256";
/// How bodies announce themselves that are signed piece by piece, as S3 alone takes them.
const STREAMING: &str = "STREAMING-";

/// A signature as it came with a request; nothing of it has been checked.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The access key id.
    pub access_key_id: String,
    /// `20261124`.
    date: String,
    /// The region that the request was signed for.
    pub region: String,
    /// The service that the request was signed for: `iam`.
    pub service: String,
    terminator: String,
    header_names: Vec<String>,
    signature: String,
    /// `20261124T030405Z`.
    timestamp: String,
    /// How long a presigned request is good for.
    expires_seconds: Option<i64>,
    /// The session token, for temporary credentials.
    pub session_token: Option<String>,
}

/// Returns the service that a request is signed for, without checking anything.
pub(crate) fn scope_service(request: &Request) -> Option<String> {
    let face = Face::of_name(None);
    parse(request, &face).ok().flatten().map(|signed| signed.service)
}

/// Reads the signature of a request; `None` when it has none.
///
/// # Errors
/// `IncompleteSignature` when parts of it are missing.
pub fn parse(request: &Request, face: &Face) -> Result<Option<Signed>, Fault> {
    if let Some(header) = request.header("authorization") {
        return from_header(request, header, face).map(Some);
    }
    let parameters = pairs(&request.query).map_err(|_| face.malformed("the query is not UTF-8"))?;
    let find = |name: &str| {
        parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let Some(algorithm) = find("X-Amz-Algorithm") else { return Ok(None) };
    expect_algorithm(&algorithm, face)?;
    let required = |name: &str| {
        find(name)
            .ok_or_else(|| incomplete(face, &format!("Query string requires '{name}' parameter.")))
    };
    let expires = required("X-Amz-Expires")?;
    let parts = Parts {
        credential: required("X-Amz-Credential")?,
        signed_headers: required("X-Amz-SignedHeaders")?,
        signature: required("X-Amz-Signature")?,
        timestamp: required("X-Amz-Date")?,
        expires_seconds: Some(lifetime(&expires, face)?),
        session_token: find("X-Amz-Security-Token"),
    };
    parts.signed(face).map(Some)
}

struct Parts {
    credential: String,
    signed_headers: String,
    signature: String,
    timestamp: String,
    expires_seconds: Option<i64>,
    session_token: Option<String>,
}

fn incomplete(face: &Face, what: &str) -> Fault {
    let code = face.word("IncompleteSignature", "IncompleteSignatureException");
    face.fault(status(face), code, what)
}

/// Refused signatures are 403 where answers are XML, and 400 where they are JSON.
fn status(face: &Face) -> u16 {
    if face.is_xml() { 403 } else { 400 }
}

fn expect_algorithm(algorithm: &str, face: &Face) -> Result<(), Fault> {
    match algorithm {
        ALGORITHM => Ok(()),
        ALGORITHM_4A => Err(incomplete(
            face,
            "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'. Signature Version 4A is not \
                served here: sign for one region, with 'AWS4-HMAC-SHA256'.",
        )),
        other => Err(incomplete(face, &format!("Unsupported AWS 'algorithm': '{other}'."))),
    }
}

/// Returns how long a presigned request is good for.
// UNVERIFIED: AWS's texts; S3's are of this kind.
fn lifetime(expires: &str, face: &Face) -> Result<i64, Fault> {
    let seconds: i64 = expires.parse().map_err(|_| {
        refused(face, format!("X-Amz-Expires should be a number, not '{expires}'."))
    })?;
    if seconds < 0 {
        return Err(refused(face, "X-Amz-Expires must be non-negative"));
    }
    if PRESIGNED_SECONDS_MAX < seconds {
        return Err(refused(
            face,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given \
                X-Amz-Expires must be less than 604800 seconds",
        ));
    }
    Ok(seconds)
}

fn refused(face: &Face, what: impl Into<String>) -> Fault {
    let (xml, json) = ("SignatureDoesNotMatch", "InvalidSignatureException");
    face.fault(status(face), face.word(xml, json), what)
}

fn from_header(request: &Request, header: &str, face: &Face) -> Result<Signed, Fault> {
    let shown = || format!("Authorization={}", header.split(' ').next().unwrap_or_default());
    let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
    expect_algorithm(algorithm, face)?;
    let find = |name: &str| {
        let fields = rest.split(',').filter_map(|field| field.trim().split_once('='));
        fields.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).next()
    };
    let required = |name: &str| {
        find(name).ok_or_else(|| {
            incomplete(
                face,
                &format!("Authorization header requires '{name}' parameter. {}", shown()),
            )
        })
    };
    let timestamp = request.header("x-amz-date").or(request.header("date")).ok_or_else(|| {
        incomplete(
            face,
            &format!(
                "Authorization header requires existence of either a \
            'X-Amz-Date' or a 'Date' header. {}",
                shown()
            ),
        )
    })?;
    let parts = Parts {
        credential: required("Credential")?,
        signed_headers: required("SignedHeaders")?,
        signature: required("Signature")?,
        timestamp: timestamp.to_owned(),
        expires_seconds: None,
        session_token: request.header("x-amz-security-token").map(str::to_owned),
    };
    parts.signed(face)
}

impl Parts {
    fn signed(self, face: &Face) -> Result<Signed, Fault> {
        let mut scope = self.credential.rsplitn(5, '/');
        let (terminator, service) = (scope.next(), scope.next());
        let (region, date, key) = (scope.next(), scope.next(), scope.next());
        let (Some(terminator), Some(service), Some(region), Some(date), Some(key)) =
            (terminator, service, region, date, key)
        else {
            return Err(incomplete(
                face,
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                    keyid/date/region/service/term.",
            ));
        };
        Ok(Signed {
            access_key_id: key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            terminator: terminator.to_owned(),
            header_names: self.signed_headers.split(';').map(str::to_owned).collect(),
            signature: self.signature,
            timestamp: self.timestamp,
            expires_seconds: self.expires_seconds,
            session_token: self.session_token,
        })
    }
}

impl Signed {
    /// Checks everything but the signature itself: time, scope, and what is signed.
    ///
    /// `now_millis` is the machine's time, never a virtual clock's.
    ///
    /// # Errors
    /// In AWS's words: expired, scoped wrongly, or incomplete.
    pub fn check(
        &self,
        request: &Request,
        service: &str,
        (now_millis, skew_seconds): (i64, i64),
        face: &Face,
    ) -> Result<(), Fault> {
        self.check_time(now_millis, skew_seconds, face)?;
        self.check_scope(service, face)?;
        self.check_headers(request, face)?;
        match request.header("x-amz-content-sha256") {
            Some(given) if given.starts_with(STREAMING) => Err(refused(
                face,
                format!("'{given}' bodies are not served here: sign the whole body."),
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Checks the signature against a secret, in constant time.
    ///
    /// # Errors
    /// In AWS's words, when it does not match.
    pub fn verify(&self, request: &Request, secret: &str, face: &Face) -> Result<(), Fault> {
        let key = signing_key(secret, &self.date, &self.region, &self.service);
        let expected = hex(&mac(&key, self.string_to_sign(request).as_bytes()));
        let same: bool = expected.as_bytes().ct_eq(self.signature.as_bytes()).into();
        if same {
            return Ok(());
        }
        Err(refused(
            face,
            "The request signature we calculated does not match the signature you provided. \
                Check your AWS Secret Access Key and signing method. Consult the service \
                documentation for details.",
        ))
    }

    fn check_scope(&self, service: &str, face: &Face) -> Result<(), Fault> {
        if self.terminator != "aws4_request" {
            let what = format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
                self.terminator
            );
            return Err(refused(face, what));
        }
        if self.service != service {
            return Err(refused(
                face,
                format!("Credential should be scoped to correct service: '{service}'."),
            ));
        }
        if self.timestamp.get(..DATE_CHARACTERS) != Some(&*self.date) {
            let what = format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                    from HTTP: '{}' != '{}', from '{}'.",
                self.date,
                self.timestamp.get(..DATE_CHARACTERS).unwrap_or_default(),
                self.timestamp
            );
            return Err(refused(face, what));
        }
        Ok(())
    }

    fn check_time(&self, now_millis: i64, skew_seconds: i64, face: &Face) -> Result<(), Fault> {
        let sent = seconds_of(&self.timestamp).ok_or_else(|| {
            incomplete(
                face,
                &format!(
                    "Date must be in ISO-8601 'basic format'. Got '{}'. See \
                http://en.wikipedia.org/wiki/ISO_8601",
                    self.timestamp
                ),
            )
        })?;
        let (now, skew) = (now_millis.div_euclid(1000), shown_skew(skew_seconds));
        if let Some(expires) = self.expires_seconds {
            if now > sent + expires {
                let (now, end) = (stamp(now), stamp(sent + expires));
                return Err(refused(
                    face,
                    format!("Signature expired: {end} is now earlier than {now}"),
                ));
            }
        } else if now - skew_seconds > sent {
            let (sent, from, now) = (stamp(sent), stamp(now - skew_seconds), stamp(now));
            let what =
                format!("Signature expired: {sent} is now earlier than {from} ({now} - {skew})");
            return Err(refused(face, what));
        }
        if sent > now + skew_seconds {
            let (sent, to, now) = (stamp(sent), stamp(now + skew_seconds), stamp(now));
            let what = format!(
                "Signature not yet current: {sent} is still later than {to} ({now} + {skew})"
            );
            return Err(refused(face, what));
        }
        Ok(())
    }

    /// `host` and every `x-amz-*` header must be covered by the signature.
    fn check_headers(&self, request: &Request, face: &Face) -> Result<(), Fault> {
        let signed = |name: &str| self.header_names.iter().any(|known| known == name);
        if !signed("host") {
            return Err(refused(
                face,
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            ));
        }
        let uncovered = request.headers.iter().map(|(name, _)| name.as_str());
        let mut uncovered = uncovered.filter(|name| name.starts_with("x-amz-") && !signed(name));
        match uncovered.next() {
            Some(name) => Err(refused(
                face,
                format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."),
            )),
            None => Ok(()),
        }
    }

    fn string_to_sign(&self, request: &Request) -> String {
        let scope = format!("{}/{}/{}/{}", self.date, self.region, self.service, self.terminator);
        let canonical = self.canonical_request(request);
        format!("{ALGORITHM}\n{}\n{scope}\n{}", self.timestamp, hex(&Sha256::digest(canonical)))
    }

    fn canonical_request(&self, request: &Request) -> String {
        let mut headers = String::new();
        for name in &self.header_names {
            let values = request.headers.iter().filter(|(known, _)| known == name);
            let values: Vec<String> = values.map(|(_, value)| squeeze(value)).collect();
            // Writing into a String cannot fail.
            let _ = writeln!(headers, "{name}:{}", values.join(","));
        }
        let presigned = self.expires_seconds.is_some();
        let body_hash = match request.header("x-amz-content-sha256") {
            // Elsewhere the body is always part of what is signed.
            Some(given @ "UNSIGNED-PAYLOAD") if self.service == "s3" => given.to_owned(),
            Some(_) | None if presigned && self.service == "s3" => "UNSIGNED-PAYLOAD".to_owned(),
            Some(_) | None => hex(&Sha256::digest(&request.body)),
        };
        let path = canonical_path(&request.path, &self.service);
        let query = canonical_query(&request.query);
        let signed = self.header_names.join(";");
        format!("{}\n{path}\n{query}\n{headers}\n{signed}\n{body_hash}", request.method)
    }
}

/// Signs a request: sets `x-amz-date`, `x-amz-security-token` and `authorization`. The request must
/// have its `host` header.
pub fn sign(
    request: &mut Request,
    access_key_id: &str,
    secret: &str,
    session_token: Option<&str>,
    (region, service): (&str, &str),
    now_millis: i64,
) {
    let timestamp = stamp(now_millis.div_euclid(1000));
    request.headers.push(("x-amz-date".into(), timestamp.clone()));
    if let Some(token) = session_token {
        request.headers.push(("x-amz-security-token".into(), token.to_owned()));
    }
    let mut signed_headers: Vec<String> =
        request.headers.iter().map(|(name, _)| name.clone()).collect();
    signed_headers.sort();
    signed_headers.dedup();
    let date = timestamp.get(..DATE_CHARACTERS).unwrap_or_default().to_owned();
    let signed = Signed {
        access_key_id: access_key_id.to_owned(),
        date: date.clone(),
        region: region.to_owned(),
        service: service.to_owned(),
        terminator: "aws4_request".into(),
        header_names: signed_headers.clone(),
        signature: String::new(),
        timestamp,
        expires_seconds: None,
        session_token: None,
    };
    let key = signing_key(secret, &date, region, service);
    let signature = hex(&mac(&key, signed.string_to_sign(request).as_bytes()));
    let headers = signed_headers.join(";");
    let authorization = format!(
        "{ALGORITHM} Credential={access_key_id}/{date}/{region}/{service}/aws4_request, \
         SignedHeaders={headers}, Signature={signature}"
    );
    request.headers.push(("authorization".into(), authorization));
}

/// Returns a time as AWS shows its own: `15 min.`
fn shown_skew(seconds: i64) -> String {
    if seconds % 60 == 0 { format!("{} min.", seconds / 60) } else { format!("{seconds} sec.") }
}

/// Trims a header's value and squeezes runs of blanks.
fn squeeze(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// All services but S3 encode the path twice and resolve dots.
fn canonical_path(path: &str, service: &str) -> String {
    if service == "s3" {
        let decoded = percent_decode(path, Plus::IsPlus);
        let parts = decoded.split(|byte| *byte == b'/');
        let parts: Vec<String> =
            parts.map(|part| percent_encode(&String::from_utf8_lossy(part))).collect();
        return parts.join("/");
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    let mut out = String::new();
    for part in &parts {
        out.push('/');
        out.push_str(&percent_encode(part));
    }
    if out.is_empty() || path.ends_with('/') {
        out.push('/');
    }
    out
}

fn canonical_query(query: &str) -> String {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let mut parts: Vec<(String, String)> = parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let again = |text: &str| {
                percent_encode(&String::from_utf8_lossy(&percent_decode(text, Plus::IsPlus)))
            };
            (again(name), again(value))
        })
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    parts.sort();
    let parts: Vec<String> =
        parts.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join("&")
}

fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

type KeyName = (String, String, String, String);

/// Signing keys by secret, date, region and service: deriving one costs more than checking with it.
static KEYS: LazyLock<Mutex<HashMap<KeyName, [u8; 32]>>> = LazyLock::new(Mutex::default);

fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> [u8; 32] {
    let name = (secret.to_owned(), date.to_owned(), region.to_owned(), service.to_owned());
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = keys.get(&name) {
        return *key;
    }
    let key = mac(format!("AWS4{secret}").as_bytes(), date.as_bytes());
    let key = mac(&mac(&mac(&key, region.as_bytes()), service.as_bytes()), b"aws4_request");
    if keys.len() >= KEYS_KEPT_MAX {
        keys.clear();
    }
    keys.insert(name, key);
    key
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Returns epoch seconds of `20261124T030405Z`, or of an HTTP date.
fn seconds_of(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::strptime("%Y%m%dT%H%M%SZ", text) {
        return jiff::tz::Offset::UTC.to_timestamp(time).ok().map(Timestamp::as_second);
    }
    jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp().as_second())
}

fn stamp(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}
