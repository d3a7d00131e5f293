//! Identity providers: whose tokens and assertions an account trusts.

use services::iam;
use value::{Value, value};

use crate::server::{ACCOUNT, each, server, text};

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{kind}/{name}")
}

#[test]
fn an_oidc_provider_is_its_url_without_the_scheme() {
    let server = server();
    let url = "https://token.actions.githubusercontent.com";
    let thumbprint = "6938fd4d98bab03faadb97b34396831e3780aea1";
    let input = value!({
        "Url": url,
        "ClientIDList": ["sts.amazonaws.com", "sts.amazonaws.com"],
        "ThumbprintList": [thumbprint],
        "Tags": [{"Key": "team", "Value": "ci"}],
    });
    let made = server.ok("CreateOpenIDConnectProvider", input.clone());
    let arn = arn("oidc-provider", "token.actions.githubusercontent.com");
    assert_eq!(text(&made, &["OpenIDConnectProviderArn"]), arn);
    assert_eq!(each(&made, "Tags", "Key"), ["team"]);
    assert_eq!(
        server.refused("CreateOpenIDConnectProvider", input),
        format!("EntityAlreadyExists: Provider with url {url} already exists.")
    );

    let named = value!({"OpenIDConnectProviderArn": (arn.as_str())});
    let got = server.ok("GetOpenIDConnectProvider", named.clone());
    assert_eq!(text(&got, &["Url"]), "token.actions.githubusercontent.com");
    assert_eq!(got.get("ClientIDList"), Some(&value!(["sts.amazonaws.com"])));
    assert_eq!(got.get("ThumbprintList"), Some(&value!([thumbprint])));
    let listed = server.ok("ListOpenIDConnectProviders", value!({}));
    assert_eq!(each(&listed, "OpenIDConnectProviderList", "Arn"), [arn.as_str()]);

    server.ok("DeleteOpenIDConnectProvider", named.clone());
    assert_eq!(
        server.refused("GetOpenIDConnectProvider", named.clone()),
        format!("NoSuchEntity: OpenIDConnect Provider not found for arn {arn}")
    );
    // To delete what is gone is no error.
    server.ok("DeleteOpenIDConnectProvider", named);
}

#[test]
fn an_oidc_url_is_https_without_query() {
    let server = server();
    let bad = ["http://example.com", "example.com", "https://", "https://e.com/?a=b", "https:///x"];
    for url in bad {
        assert_eq!(
            server.refused("CreateOpenIDConnectProvider", value!({"Url": url})),
            "ValidationError: Invalid Open ID Connect Provider URL",
            "{url}"
        );
    }
    let made = server.ok("CreateOpenIDConnectProvider", value!({"Url": "https://e.com/id/A"}));
    assert_eq!(text(&made, &["OpenIDConnectProviderArn"]), arn("oidc-provider", "e.com/id/A"));
}

#[test]
fn an_issuer_is_found_whatever_slash_it_ends_with() {
    let server = server();
    server.ok("CreateOpenIDConnectProvider", value!({"Url": "https://a.com/"}));
    server.ok("CreateOpenIDConnectProvider", value!({"Url": "https://b.com"}));
    let found = |issuer: &str| {
        let found = server.store.read(|store| iam::find_oidc_provider(store, ACCOUNT, issuer));
        found.unwrap().map(|provider| provider.url)
    };
    for issuer in ["https://a.com/", "https://a.com", "a.com"] {
        assert_eq!(found(issuer).as_deref(), Some("a.com/"), "{issuer}");
    }
    for issuer in ["https://b.com/", "https://b.com"] {
        assert_eq!(found(issuer).as_deref(), Some("b.com"), "{issuer}");
    }
    assert_eq!(found("https://b.com//"), None);
    // An ARN names its provider to the letter.
    let arn = arn("oidc-provider", "a.com");
    let named = value!({"OpenIDConnectProviderArn": arn});
    assert!(server.refused("GetOpenIDConnectProvider", named).starts_with("NoSuchEntity: "));
}

#[test]
fn audiences_and_thumbprints_of_an_oidc_provider_have_limits() {
    let server = server();
    let thumbprints = |count: usize| -> Value {
        let list: Vec<Value> = (0..count).map(|at| Value::from(format!("{at:040}"))).collect();
        list.into()
    };
    let with = |count| value!({"Url": "https://e.com", "ThumbprintList": (thumbprints(count))});
    assert_eq!(
        server.refused("CreateOpenIDConnectProvider", with(6)),
        "InvalidInput: Thumbprint list must contain fewer than 5 entries."
    );
    let made = server.ok("CreateOpenIDConnectProvider", with(5));
    let arn = text(&made, &["OpenIDConnectProviderArn"]);
    let update =
        |list: Value| value!({"OpenIDConnectProviderArn": (arn.as_str()), "ThumbprintList": list});
    assert_eq!(
        server.refused("UpdateOpenIDConnectProviderThumbprint", update(thumbprints(0))),
        "InvalidInput: Thumbprint list must contain at least one entry."
    );
    server.ok("UpdateOpenIDConnectProviderThumbprint", update(thumbprints(1)));

    let client = |at: usize| value!({"OpenIDConnectProviderArn": (arn.as_str()), "ClientID": (format!("app-{at}"))});
    for at in 0..100 {
        server.ok("AddClientIDToOpenIDConnectProvider", client(at));
    }
    server.ok("AddClientIDToOpenIDConnectProvider", client(7));
    assert_eq!(
        server.refused("AddClientIDToOpenIDConnectProvider", client(100)),
        "LimitExceeded: Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"
    );
    server.ok("RemoveClientIDFromOpenIDConnectProvider", client(7));
    server.ok("RemoveClientIDFromOpenIDConnectProvider", client(7));
    server.ok("AddClientIDToOpenIDConnectProvider", client(100));
}

#[test]
fn a_provider_is_named_by_its_arn_and_by_no_other() {
    let server = server();
    let get = |arn: &str| {
        server.refused("GetOpenIDConnectProvider", value!({"OpenIDConnectProviderArn": arn}))
    };
    assert_eq!(
        get("nothing-like-an-arn-at-all"),
        "ValidationError: Invalid ARN:  Could not be parsed!"
    );
    let user = arn("user", "bob");
    assert_eq!(get(&user), format!("InvalidInput: Invalid ARN: {user}"));
    let other = "arn:aws:iam::999999999999:oidc-provider/e.com";
    assert!(get(other).starts_with("NoSuchEntity: "));
}

#[test]
fn providers_carry_tags_and_their_tags_decide() {
    let server = server();
    let made = server.ok("CreateOpenIDConnectProvider", value!({"Url": "https://e.com"}));
    let arn = text(&made, &["OpenIDConnectProviderArn"]);
    let tags = value!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]);
    server.ok(
        "TagOpenIDConnectProvider",
        value!({"OpenIDConnectProviderArn": (arn.as_str()), "Tags": tags}),
    );
    let named = value!({"OpenIDConnectProviderArn": (arn.as_str()), "TagKeys": ["A"]});
    let checks = server.checks("UntagOpenIDConnectProvider", &named);
    let keys: Vec<&str> = checks[0].context.iter().map(|(key, _)| key.as_str()).collect();
    assert!(keys.contains(&"aws:ResourceTag/a") && keys.contains(&"aws:TagKeys"), "{keys:?}");
    server.ok("UntagOpenIDConnectProvider", named.clone());
    let listed = server.ok("ListOpenIDConnectProviderTags", named);
    assert_eq!(each(&listed, "Tags", "Key"), ["b"]);
}

const CERTIFICATE: &str = include_str!("data/server.pem");
const PRIVATE_KEY: &str = include_str!("data/server.key");

/// Metadata of an identity provider, as long as AWS wants it.
pub(crate) fn metadata(attributes: &str) -> String {
    let body: String = CERTIFICATE.lines().filter(|line| !line.starts_with("---")).collect();
    let padding = "x".repeat(1000);
    format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" {attributes}>
        <!-- {padding} --><IDPSSODescriptor><KeyDescriptor use="signing"><KeyInfo><X509Data>
        <X509Certificate>{body}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
        </IDPSSODescriptor></EntityDescriptor>"#
    )
}

#[test]
fn a_saml_provider_keeps_its_document_and_says_how_long_it_holds() {
    let server = server();
    let document = metadata("entityID=\"https://idp\" validUntil=\"2030-01-01T00:00:00Z\"");
    let input = value!({"Name": "Okta", "SAMLMetadataDocument": (document.as_str())});
    let made = server.ok("CreateSAMLProvider", input.clone());
    let arn = arn("saml-provider", "Okta");
    assert_eq!(text(&made, &["SAMLProviderArn"]), arn);
    assert_eq!(
        server.refused("CreateSAMLProvider", input),
        "EntityAlreadyExists: Provider with name Okta already exists."
    );
    let named = value!({"SAMLProviderArn": (arn.as_str())});
    let got = server.ok("GetSAMLProvider", named.clone());
    assert_eq!(text(&got, &["SAMLMetadataDocument"]), document);
    assert_eq!(got.get("ValidUntil").and_then(Value::as_i64), Some(1_893_456_000));

    // Without a date it holds for a hundred years.
    let document = metadata("entityID=\"https://idp\"");
    let update = value!({"SAMLProviderArn": (arn.as_str()), "SAMLMetadataDocument": document});
    server.ok("UpdateSAMLProvider", update);
    let listed = server.ok("ListSAMLProviders", value!({}));
    assert_eq!(each(&listed, "SAMLProviderList", "Arn"), [arn.as_str()]);
    let until = listed.path(&["SAMLProviderList"]).and_then(Value::as_array).unwrap()[0]
        .get("ValidUntil")
        .and_then(Value::as_i64);
    assert!(until > Some(4_900_000_000), "{until:?}");

    server.ok("DeleteSAMLProvider", named.clone());
    let gone = format!("NoSuchEntity: Manifest not found for arn {arn}");
    assert_eq!(server.refused("DeleteSAMLProvider", named.clone()), gone);
    assert_eq!(server.refused("GetSAMLProvider", named), gone);
}

#[test]
fn metadata_without_issuer_is_refused() {
    let server = server();
    let input = value!({"Name": "x", "SAMLMetadataDocument": (metadata(""))});
    assert_eq!(
        server.refused("CreateSAMLProvider", input),
        "InvalidInput: Could not parse metadata"
    );
}

#[test]
fn private_keys_of_a_saml_provider_rotate_and_are_never_shown() {
    let server = server();
    let document = metadata("entityID=\"https://idp\"");
    let input = value!({
        "Name": "Okta",
        "SAMLMetadataDocument": document,
        "AssertionEncryptionMode": "Required",
        "AddPrivateKey": PRIVATE_KEY,
    });
    let arn = text(&server.ok("CreateSAMLProvider", input), &["SAMLProviderArn"]);
    let add = |key: &str| value!({"SAMLProviderArn": (arn.as_str()), "AddPrivateKey": key});
    assert!(server.refused("UpdateSAMLProvider", add("no key")).starts_with("InvalidInput: "));
    server.ok("UpdateSAMLProvider", add(PRIVATE_KEY));
    assert_eq!(
        server.refused("UpdateSAMLProvider", add(PRIVATE_KEY)),
        "LimitExceeded: Cannot exceed quota for PrivateKeysPerSAMLProvider: 2"
    );
    let got = server.ok("GetSAMLProvider", value!({"SAMLProviderArn": (arn.as_str())}));
    assert_eq!(text(&got, &["AssertionEncryptionMode"]), "Required");
    let ids = each(&got, "PrivateKeyList", "KeyId");
    let [first, _] = &*ids else { panic!("{ids:?}") };
    let remove = value!({"SAMLProviderArn": (arn.as_str()), "RemovePrivateKey": (first.as_str())});
    server.ok("UpdateSAMLProvider", remove.clone());
    assert!(server.refused("UpdateSAMLProvider", remove).starts_with("NoSuchEntity: "));
    assert!(!got.to_string().contains("PRIVATE KEY"));
}
