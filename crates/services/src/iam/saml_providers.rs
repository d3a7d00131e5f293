//! SAML 2.0 identity providers: whose assertions AssumeRoleWithSAML may accept.
//!
//! IAM API reference, "CreateSAMLProvider", "UpdateSAMLProvider" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::Read;
use value::Value;

use super::entity::seconds;
use super::error;
use super::private_key::PrivateKey;
use super::providers::{self, Provider, by_name, get_named, save};
use super::saml_metadata::SamlMetadata;
use super::tags::{self, Tag};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing, ids};

/// How many private keys a provider can have: one in use, one to come.
const PRIVATE_KEYS_MAX: usize = 2;
/// How long a provider is valid whose metadata does not say: a hundred years.
const VALID_MILLIS: i64 = 36_525 * 24 * 3600 * 1000;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateSAMLProvider", checks: may_create, run: Run::Write(create) },
    Operation {
        name: "GetSAMLProvider",
        checks: |on, input| Ok(vec![check(on, "GetSAMLProvider", input)?]),
        run: Run::Read(get),
    },
    Operation {
        name: "ListSAMLProviders",
        checks: |on, _| {
            let display = on.call.global_arn("iam", "saml-provider/");
            Ok(vec![Check::any("iam:ListSAMLProviders").shown_as(display)])
        },
        run: Run::Read(list),
    },
    Operation {
        name: "UpdateSAMLProvider",
        checks: |on, input| Ok(vec![check(on, "UpdateSAMLProvider", input)?]),
        run: Run::Write(update),
    },
    Operation {
        name: "DeleteSAMLProvider",
        checks: |on, input| Ok(vec![check(on, "DeleteSAMLProvider", input)?]),
        run: Run::Write(delete),
    },
    Operation {
        name: "TagSAMLProvider",
        checks: |on, input| {
            Ok(vec![tags::with_request_tags(check(on, "TagSAMLProvider", input)?, input)])
        },
        run: Run::Write(providers::tag::<SamlProvider>),
    },
    Operation {
        name: "UntagSAMLProvider",
        checks: |on, input| {
            Ok(vec![tags::with_keys(check(on, "UntagSAMLProvider", input)?, input)])
        },
        run: Run::Write(providers::untag::<SamlProvider>),
    },
    Operation {
        name: "ListSAMLProviderTags",
        checks: |on, input| Ok(vec![check(on, "ListSAMLProviderTags", input)?]),
        run: Run::Read(providers::list_tags::<SamlProvider>),
    },
];

/// A provider, stored by `saml-provider/account/name`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SamlProvider {
    /// The name, which stands in the ARN.
    pub name: String,
    /// The metadata document, as it was given; [`SamlProvider::metadata`] reads it.
    pub document: String,
    /// Until when its assertions may be accepted, in milliseconds since the epoch.
    pub valid_until_millis: i64,
    /// `Required` or `Allowed`, when it was said.
    pub assertion_encryption_mode: Option<String>,
    uuid: String,
    created_millis: i64,
    private_keys: Vec<KnownPrivateKey>,
    tags: Vec<Tag>,
}

/// What is remembered of a private key.
///
/// DIFFERS: the key itself is checked and not kept, for encrypted assertions are refused here; a
/// secret that nothing uses is best not stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownPrivateKey {
    id: String,
    added_millis: i64,
}

impl SamlProvider {
    /// Returns the ARN.
    pub fn arn(&self, call: &Call) -> String {
        providers::arn::<SamlProvider>(call, &self.name)
    }

    /// Returns the unique id, which sign-in addresses of the provider end with.
    pub fn id(&self) -> &str {
        &self.uuid
    }

    /// Returns what the metadata document says.
    ///
    /// # Errors
    /// When the stored document is damaged: none is stored that cannot be read.
    pub fn metadata(&self) -> Result<SamlMetadata, Error> {
        SamlMetadata::read(&self.document)
            .ok_or_else(|| Error::internal(&format!("the metadata of `{}` is damaged", self.name)))
    }
}

impl Provider for SamlProvider {
    const KIND: &'static str = "saml-provider";
    const ARN: &'static str = "SAMLProviderArn";
    const NOT_FOUND: &'static str = "Manifest";
    // UNVERIFIED: the name of this quota.
    const QUOTA: &'static str = "SAMLProvidersPerAccount";

    fn name(&self) -> &str {
        &self.name
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }
}

/// Returns the provider of the caller's account that an ARN names; `None` when there is none.
///
/// # Errors
/// When the text is no ARN of a SAML provider, or the store fails.
pub fn find_saml_provider(
    store: &(impl Read + ?Sized),
    call: &Call,
    arn: &str,
) -> Result<Option<SamlProvider>, Error> {
    providers::by_arn(store, call, arn)
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    providers::check::<SamlProvider>(on, action, input)
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = providers::arn::<SamlProvider>(on.call, input.text("Name")?);
    Ok(vec![tags::with_request_tags(Check::new("iam:CreateSAMLProvider", arn), input)])
}

/// Returns a metadata document that was checked, and until when it is valid.
fn checked_document(call: &Call, document: &str) -> Result<(String, i64), Error> {
    // UNVERIFIED: AWS's text, and that it asks for no more than the issuer and a signing key.
    let metadata = SamlMetadata::read(document)
        .ok_or_else(|| error::invalid_input("Could not parse metadata"))?;
    let valid_until = metadata.valid_until_millis.unwrap_or(call.now_millis + VALID_MILLIS);
    Ok((document.to_owned(), valid_until))
}

fn add_private_key(call: &Call, keys: &mut Vec<KnownPrivateKey>, pem: &str) -> Result<(), Error> {
    // UNVERIFIED: AWS's texts for private keys.
    if !matches!(PrivateKey::from_pem(pem), Some(PrivateKey::Rsa { .. })) {
        return Err(error::invalid_input("The private key is not a valid RSA private key in PEM."));
    }
    if keys.len() >= PRIVATE_KEYS_MAX {
        return Err(error::quota("PrivateKeysPerSAMLProvider", PRIVATE_KEYS_MAX));
    }
    keys.push(KnownPrivateKey { id: ids::saml_id("SAMLPK"), added_millis: call.now_millis });
    Ok(())
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("Name")?;
    let (document, valid_until_millis) =
        checked_document(w.call, input.text("SAMLMetadataDocument")?)?;
    let mut private_keys = Vec::new();
    if let Some(pem) = input.maybe_text("AddPrivateKey") {
        add_private_key(w.call, &mut private_keys, pem)?;
    }
    let provider = SamlProvider {
        name: name.to_owned(),
        document,
        valid_until_millis,
        assertion_encryption_mode: input.maybe_text("AssertionEncryptionMode").map(str::to_owned),
        uuid: ids::saml_id("SAMLSP"),
        created_millis: w.call.now_millis,
        private_keys,
        tags: tags::in_input(input)?,
    };
    if by_name::<SamlProvider>(&*w.store, w.call.account(), name)?.is_some() {
        return Err(error::already_exists(format!("Provider with name {name} already exists.")));
    }
    providers::add(w, &provider)
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let provider: SamlProvider = get_named(on, input)?;
    let keys: Vec<Value> = provider.private_keys.iter().map(shown_key).collect();
    Ok(Value::object()
        .with("SAMLProviderUUID", provider.uuid)
        .with("SAMLMetadataDocument", provider.document)
        .with("CreateDate", seconds(provider.created_millis))
        .with("ValidUntil", seconds(provider.valid_until_millis))
        .with_some("Tags", tags::shown_if_any(&provider.tags))
        .with_some("AssertionEncryptionMode", provider.assertion_encryption_mode)
        .with_some("PrivateKeyList", (!keys.is_empty()).then_some(keys)))
}

fn shown_key(key: &KnownPrivateKey) -> Value {
    Value::object().with("KeyId", &*key.id).with("Timestamp", seconds(key.added_millis))
}

fn list(on: &Reading<'_>, _: &Value) -> Answer {
    let providers: Vec<SamlProvider> = providers::all(on)?;
    let shown = providers.iter().map(|provider| {
        Value::object()
            .with("Arn", provider.arn(on.call))
            .with("ValidUntil", seconds(provider.valid_until_millis))
            .with("CreateDate", seconds(provider.created_millis))
    });
    Ok(Value::object().with("SAMLProviderList", shown.collect::<Vec<Value>>()))
}

fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider: SamlProvider = get_named(&w.reading(), input)?;
    if let Some(document) = input.maybe_text("SAMLMetadataDocument") {
        (provider.document, provider.valid_until_millis) = checked_document(w.call, document)?;
    }
    if let Some(mode) = input.maybe_text("AssertionEncryptionMode") {
        provider.assertion_encryption_mode = Some(mode.to_owned());
    }
    if let Some(pem) = input.maybe_text("AddPrivateKey") {
        add_private_key(w.call, &mut provider.private_keys, pem)?;
    }
    if let Some(id) = input.maybe_text("RemovePrivateKey") {
        let known = provider.private_keys.len();
        provider.private_keys.retain(|key| key.id != id);
        if provider.private_keys.len() == known {
            // UNVERIFIED: AWS's text for a key that is not there.
            return Err(error::no_such_entity(format!(
                "The private key with id {id} cannot be found."
            )));
        }
    }
    save(w, &provider)?;
    Ok(Value::object().with("SAMLProviderArn", provider.arn(w.call)))
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let provider: SamlProvider = get_named(&w.reading(), input)?;
    providers::remove(w, &provider)?;
    Ok(Value::object())
}
