//! SAML 2.0 identity providers: whose assertions AssumeRoleWithSAML may accept.
//!
//! IAM API reference, "CreateSAMLProvider", "UpdateSAMLProvider" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::Value;

use super::entity::seconds;
use super::private_key::PrivateKey;
use super::saml_metadata::SamlMetadata;
use super::tags::{self, Tag};
use super::{error, provider_arn};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing, ids};

/// The word in ARNs.
const KIND: &str = "saml-provider";
/// How many providers an account can have.
const PROVIDERS_MAX: usize = 100;
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
        run: Run::Write(tag),
    },
    Operation {
        name: "UntagSAMLProvider",
        checks: |on, input| {
            Ok(vec![tags::with_keys(check(on, "UntagSAMLProvider", input)?, input)])
        },
        run: Run::Write(untag),
    },
    Operation {
        name: "ListSAMLProviderTags",
        checks: |on, input| Ok(vec![check(on, "ListSAMLProviderTags", input)?]),
        run: Run::Read(|on, input| tags::page(input, &get_named(on, input)?.tags)),
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
        arn(call, &self.name)
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

fn arn(call: &Call, name: &str) -> String {
    call.global_arn("iam", &format!("{KIND}/{name}"))
}

fn prefix(account: &str) -> String {
    format!("{KIND}/{account}/")
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
    match provider_arn::name_of(call, KIND, arn)? {
        Some(name) => by_name(store, call.account(), &name),
        None => Ok(None),
    }
}

fn by_name(
    store: &(impl Read + ?Sized),
    account: &str,
    name: &str,
) -> Result<Option<SamlProvider>, Error> {
    Ok(store.load(Table::IamSettings, &(prefix(account) + name))?)
}

/// Returns how many providers an account has.
pub(super) fn count(store: &(impl Read + ?Sized), account: &str) -> Result<usize, Error> {
    Ok(store.scan(Table::IamSettings, Scan::prefix(&prefix(account)))?.len())
}

fn find_named(on: &Reading<'_>, input: &Value) -> Result<Option<SamlProvider>, Error> {
    find_saml_provider(on.store, on.call, input.text("SAMLProviderArn")?)
}

fn get_named(on: &Reading<'_>, input: &Value) -> Result<SamlProvider, Error> {
    let arn = input.text("SAMLProviderArn")?;
    find_named(on, input)?
        .ok_or_else(|| error::no_such_entity(format!("Manifest not found for arn {arn}")))
}

fn save(w: &mut Writing<'_>, provider: &SamlProvider) -> Result<(), Error> {
    let key = prefix(w.call.account()) + &provider.name;
    Ok(w.store.save(Table::IamSettings, &key, provider)?)
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    let check = Check::new(format!("iam:{action}"), input.text("SAMLProviderArn")?);
    Ok(match find_named(on, input)? {
        Some(provider) => tags::with_resource_tags(check, &provider.tags),
        None => check,
    })
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let check = Check::new("iam:CreateSAMLProvider", arn(on.call, input.text("Name")?));
    Ok(vec![tags::with_request_tags(check, input)])
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
    let (name, account) = (input.text("Name")?, w.call.account());
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
    if by_name(&*w.store, account, name)?.is_some() {
        return Err(error::already_exists(format!("Provider with name {name} already exists.")));
    }
    if count(&*w.store, account)? >= PROVIDERS_MAX {
        // UNVERIFIED: the name of this quota.
        return Err(error::quota("SAMLProvidersPerAccount", PROVIDERS_MAX));
    }
    save(w, &provider)?;
    Ok(Value::object()
        .with("SAMLProviderArn", provider.arn(w.call))
        .with_some("Tags", tags::shown_if_any(&provider.tags)))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let provider = get_named(on, input)?;
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
    let prefix = prefix(on.call.account());
    let scan = Scan::prefix(&prefix);
    let providers = on.store.load_all::<SamlProvider>(Table::IamSettings, scan)?;
    let shown = providers.iter().map(|(_, provider)| {
        Value::object()
            .with("Arn", provider.arn(on.call))
            .with("ValidUntil", seconds(provider.valid_until_millis))
            .with("CreateDate", seconds(provider.created_millis))
    });
    Ok(Value::object().with("SAMLProviderList", shown.collect::<Vec<Value>>()))
}

fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider = get_named(&w.reading(), input)?;
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
    let provider = get_named(&w.reading(), input)?;
    w.store.delete(Table::IamSettings, &(prefix(w.call.account()) + &provider.name))?;
    Ok(Value::object())
}

fn tag(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider = get_named(&w.reading(), input)?;
    tags::merge(&mut provider.tags, input)?;
    save(w, &provider)?;
    Ok(Value::object())
}

fn untag(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider = get_named(&w.reading(), input)?;
    tags::strip(&mut provider.tags, input);
    save(w, &provider)?;
    Ok(Value::object())
}
