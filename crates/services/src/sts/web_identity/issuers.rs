//! Where the keys of identity providers come from: a file, or the provider itself.
//!
//! OpenID Connect Discovery 1.0; IAM user guide, "Create an OpenID Connect (OIDC) identity provider
//! in IAM" (read 2026-11).

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wire::Request;
use wire::client::{self, Client};

use super::fetched::{AGAIN, Fetched, KEPT};
use super::keys::{Flaw, Keys};
use super::token::Token;
use crate::Error;

/// The largest key set (or discovery document) that is read, in bytes.
const KEYS_BYTES_MAX: usize = 1024 * 1024;
/// How long a provider may take to answer, in seconds; AWS waits as long.
const ANSWER_SECONDS_MAX: u64 = 5;
/// How many providers' keys are kept.
const ISSUERS_KEPT_MAX: usize = 100;

/// The keys of identity providers.
#[derive(Default)]
pub struct Issuers {
    /// Files with key sets, and below what was fetched, by the provider's [`name`].
    files: HashMap<String, PathBuf>,
    fetched: Mutex<HashMap<String, Arc<Fetched>>>,
}

impl Issuers {
    /// Says which file has a provider's keys: `HOST/PATH=FILE`.
    ///
    /// # Errors
    /// When the text reads otherwise, or the file has no keys.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (issuer, file) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not HOST=FILE"))?;
        let issuer = name(issuer.strip_prefix("https://").unwrap_or(issuer));
        if issuer.is_empty() || file.is_empty() {
            return Err(format!("`{text}` is not HOST=FILE"));
        }
        read(Path::new(file))?;
        self.files.insert(issuer.to_owned(), file.into());
        Ok(())
    }

    /// Checks the signature of a token with the keys of its provider.
    ///
    /// # Errors
    /// `InvalidIdentityToken`, or `IDPCommunicationError` when the provider does not answer.
    pub(super) async fn verify(&self, token: &Token<'_>, issuer: &str) -> Result<(), Error> {
        let issuer = name(issuer);
        let keys = self.keys(issuer, KEPT).await?;
        let verdict = match keys.verify(token) {
            // It may be newer than what is known.
            Err(Flaw::NoKey) => self.keys(issuer, AGAIN).await?.verify(token),
            verdict => verdict,
        };
        verdict.map_err(|flaw| match flaw {
            Flaw::NoKey => no_key(),
            // UNVERIFIED: AWS's texts.
            Flaw::Algorithm => Error::new(
                "InvalidIdentityToken",
                "The token must be signed with RS256, RS384, RS512, ES256 or ES384",
            ),
            Flaw::Signature => {
                Error::new("InvalidIdentityToken", "Token signature could not be verified")
            }
        })
    }

    /// Returns keys that are no older than that.
    async fn keys(&self, issuer: &str, age: Duration) -> Result<Arc<Keys>, Error> {
        if let Some(file) = self.files.get(issuer) {
            return read(file).map(Arc::new).map_err(|what| {
                tracing::warn!(issuer, "the keys of an identity provider: {what}");
                no_key()
            });
        }
        let fetched = self.fetched(issuer);
        fetched.keys(age, async { fetch(issuer).await.map_err(|fault| fault.told(issuer)) }).await
    }

    /// Returns what was fetched of a provider, which may be nothing so far.
    fn fetched(&self, issuer: &str) -> Arc<Fetched> {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if ISSUERS_KEPT_MAX <= fetched.len() && !fetched.contains_key(issuer) {
            fetched.clear();
        }
        fetched.entry(issuer.to_owned()).or_default().clone()
    }
}

/// Returns what a provider is known by: its URL without scheme, whatever slash it ends with.
fn name(issuer: &str) -> &str {
    issuer.trim_end_matches('/')
}

fn no_key() -> Error {
    Error::new(
        "InvalidIdentityToken",
        "Couldn't retrieve verification key from your identity provider,  please reference \
         AssumeRoleWithWebIdentity documentation for requirements",
    )
}

fn read(file: &Path) -> Result<Keys, String> {
    let shown = file.display();
    let mut text = Vec::new();
    let read = File::open(file)
        .and_then(|open| open.take(KEYS_BYTES_MAX as u64 + 1).read_to_end(&mut text));
    read.map_err(|err| format!("{shown}: {err}"))?;
    if KEYS_BYTES_MAX < text.len() {
        return Err(format!("{shown} is larger than {KEYS_BYTES_MAX} bytes"));
    }
    Keys::parse(&text).ok_or_else(|| format!("{shown} is no JSON Web Key Set"))
}

/// Why nothing could be fetched.
enum Fault {
    /// Nobody answers.
    Silent(String),
    /// What answers is no identity provider.
    Other(String),
}

impl Fault {
    /// Returns what the caller hears; the log says more.
    fn told(self, issuer: &str) -> Error {
        let (Fault::Silent(what) | Fault::Other(what)) = &self;
        tracing::warn!(issuer, "the keys of an identity provider were not fetched: {what}");
        match self {
            Fault::Silent(_) => Error::new(
                "IDPCommunicationError",
                "Error communicating with the identity provider, please retry",
            ),
            Fault::Other(_) => no_key(),
        }
    }
}

/// Asks a provider where its keys are, and fetches them.
async fn fetch(issuer: &str) -> Result<Keys, Fault> {
    let scheme = if is_loopback(issuer) { "http" } else { "https" };
    let (origin, path) = split(&format!("{scheme}://{issuer}"))?;
    let path = name(&path).to_owned();
    let discovered = get(&origin, &format!("{path}/.well-known/openid-configuration")).await?;
    let discovered = value::parse_bytes(&discovered).ok();
    let text = |name: &str| discovered.as_ref()?.get(name)?.as_str();
    // Whoever else answers there does not speak for the provider.
    let named = text("issuer").and_then(|named| named.split_once("://")).map(|(_, rest)| rest);
    if named.map(name) != Some(issuer) {
        return Err(Fault::Other("its discovery document names another issuer".into()));
    }
    let uri = text("jwks_uri").ok_or_else(|| Fault::Other("it has no jwks_uri".into()))?;
    let (origin, path) = split(uri)?;
    let is_plain = uri.starts_with("http://");
    if is_plain && !(is_loopback(issuer) && is_loopback(origin.trim_start_matches("http://"))) {
        return Err(Fault::Other("its jwks_uri is not https".into()));
    }
    let keys = get(&origin, &path).await?;
    Keys::parse(&keys).ok_or_else(|| Fault::Other("its jwks_uri has no key set".into()))
}

/// Splits an address into scheme with host, and path.
fn split(url: &str) -> Result<(String, String), Fault> {
    let odd = || Fault::Other(format!("`{url}` is no http address"));
    let (scheme, rest) = url.split_once("://").ok_or_else(odd)?;
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    if host.is_empty() || !matches!(scheme, "http" | "https") {
        return Err(odd());
    }
    Ok((format!("{scheme}://{host}"), format!("/{path}")))
}

/// Whether an address without its scheme is this machine's: there TLS would protect nothing.
fn is_loopback(address: &str) -> bool {
    let host = address.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

async fn get(origin: &str, path: &str) -> Result<Vec<u8>, Fault> {
    let client = Client::new(origin, "", None).map_err(|err| Fault::Other(err.to_string()))?;
    let client = client.reading_at_most(KEYS_BYTES_MAX);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let request = Request {
        method: "GET".into(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: vec![
            ("host".into(), host.to_owned()),
            ("accept".into(), "application/json".into()),
        ],
        ..Request::default()
    };
    match client.send(request, ANSWER_SECONDS_MAX).await {
        Ok(answer) if answer.status == 200 => Ok(answer.body),
        Ok(answer) => Err(Fault::Other(format!("{origin}{path} answers {}", answer.status))),
        Err(err @ (client::Error::Unreachable(_) | client::Error::Interrupted(_))) => {
            Err(Fault::Silent(err.to_string()))
        }
        Err(err) => Err(Fault::Other(err.to_string())),
    }
}

impl std::fmt::Debug for Issuers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuers").field("files", &self.files).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_clear() {
        for own in ["localhost", "localhost:8080/path", "127.0.0.1:1", "[::1]:80"] {
            assert!(is_loopback(own), "{own}");
        }
        for other in ["example.com", "localhost.example.com", "127.0.0.1.example.com:80/x", "::1"] {
            assert!(!is_loopback(other), "{other}");
        }
    }

    #[test]
    fn an_address_is_split_before_its_path() {
        let of = |url| split(url).ok();
        assert_eq!(of("https://a.b:1/c/d?e=f"), Some(("https://a.b:1".into(), "/c/d?e=f".into())));
        assert_eq!(of("http://a"), Some(("http://a".into(), "/".into())));
        assert!(of("ftp://a/b").is_none() && of("https:///b").is_none() && of("a/b").is_none());
    }

    #[test]
    fn a_file_of_keys_is_looked_at_when_it_is_named() {
        let mut issuers = Issuers::default();
        for wrong in ["", "host", "host=", "=file", "host=/nowhere/keys.json"] {
            assert!(issuers.set(wrong).is_err(), "{wrong}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        std::fs::write(&file, "{}").unwrap();
        let named = format!("https://host/path/={}", file.display());
        assert!(issuers.set(&named).unwrap_err().ends_with("is no JSON Web Key Set"));
        std::fs::write(&file, r#"{"keys":[]}"#).unwrap();
        issuers.set(&named).unwrap();
        assert!(issuers.files.contains_key("host/path"));
    }
}
