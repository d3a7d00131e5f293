//! Server certificates: what is taken, what is shown, what it is called.

use value::{Value, value};

use crate::server::{ACCOUNT, each, server, text};

const RSA: (&str, &str) = (include_str!("data/server.pem"), include_str!("data/server.key"));
const RSA_PKCS1: &str = include_str!("data/server-pkcs1.key");
const CURVE: (&str, &str) = (include_str!("data/curve.pem"), include_str!("data/curve.key"));
const CURVE_SEC1: &str = include_str!("data/curve-sec1.key");

fn upload(name: &str, body: &str, key: &str) -> Value {
    value!({"ServerCertificateName": name, "CertificateBody": body, "PrivateKey": key})
}

#[test]
fn a_certificate_is_shown_again_and_its_key_is_not() {
    let server = server();
    let made = server.ok("UploadServerCertificate", upload("Web", RSA.0, RSA.1));
    let id = text(&made, &["ServerCertificateMetadata", "ServerCertificateId"]);
    assert!(id.starts_with("ASCA") && id.len() == 21, "{id}");
    assert_eq!(
        text(&made, &["ServerCertificateMetadata", "Arn"]),
        format!("arn:aws:iam::{ACCOUNT}:server-certificate/Web")
    );
    let got = server.ok("GetServerCertificate", value!({"ServerCertificateName": "web"}));
    assert_eq!(text(&got, &["ServerCertificate", "CertificateBody"]), RSA.0);
    let expires = got.path(&["ServerCertificate", "ServerCertificateMetadata", "Expiration"]);
    assert!(expires.and_then(Value::as_i64) > Some(4_000_000_000), "{got}");
    assert!(!got.to_string().contains("PRIVATE KEY"));
    let rows = server.store.read(|store| {
        let all = store::Scan::prefix("server-certificate/");
        store.scan(store::Table::IamSettings, all).unwrap()
    });
    let secret = RSA.1.lines().nth(1).unwrap();
    assert!(rows.iter().all(|(_, row)| !String::from_utf8_lossy(row).contains(secret)));
    assert_eq!(
        server.refused("UploadServerCertificate", upload("WEB", RSA.0, RSA.1)),
        "EntityAlreadyExists: The Server Certificate with name WEB already exists."
    );
}

#[test]
fn keys_of_every_form_belong_to_their_certificate_and_to_no_other() {
    let server = server();
    let good = [(RSA.0, RSA.1), (RSA.0, RSA_PKCS1), (CURVE.0, CURVE.1), (CURVE.0, CURVE_SEC1)];
    for (at, (body, key)) in good.into_iter().enumerate() {
        server.ok("UploadServerCertificate", upload(&format!("c{at}"), body, key));
    }
    let refused = |body, key| server.refused("UploadServerCertificate", upload("x", body, key));
    for (body, key) in [(RSA.0, CURVE.1), (CURVE.0, RSA.1), (include_str!("data/one.pem"), RSA.1)] {
        assert!(refused(body, key).starts_with("KeyPairMismatch: "));
    }
    assert_eq!(refused(RSA.0, "no key"), "MalformedCertificate: Invalid Private Key.");
    let encrypted = RSA.1.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert_eq!(refused(RSA.0, &encrypted), "MalformedCertificate: Invalid Private Key.");
    assert_eq!(
        refused("no certificate", RSA.1),
        "MalformedCertificate: Unable to parse certificate. Please ensure the certificate is in \
         PEM format."
    );
}

#[test]
fn a_chain_begins_with_the_issuer() {
    let server = server();
    let with = |chain: &str| upload("x", RSA.0, RSA.1).with("CertificateChain", chain);
    assert_eq!(
        server.refused("UploadServerCertificate", with(CURVE.0)),
        "MalformedCertificate: Unable to validate certificate chain. The certificate chain must \
         start with the immediate signing certificate, followed by any intermediaries in order. \
         The index within the chain of the invalid certificate is: -1"
    );
    let second = format!("{}{}", RSA.0, CURVE.0);
    assert!(server.refused("UploadServerCertificate", with(&second)).ends_with("is: 0"));
    // It signed itself.
    server.ok("UploadServerCertificate", with(RSA.0));
    let got = server.ok("GetServerCertificate", value!({"ServerCertificateName": "x"}));
    assert_eq!(text(&got, &["ServerCertificate", "CertificateChain"]), RSA.0);
}

#[test]
fn what_has_expired_is_refused() {
    let server = server();
    *server.now_millis.lock().unwrap() = 99_999_999_999_000;
    let refused = server.refused("UploadServerCertificate", upload("x", RSA.0, RSA.1));
    assert!(refused.starts_with("MalformedCertificate: Certificate is no longer valid."));
}

#[test]
fn a_certificate_is_renamed_moved_listed_by_path_and_deleted() {
    let server = server();
    server.ok("UploadServerCertificate", upload("a", RSA.0, RSA.1));
    server.ok("UploadServerCertificate", upload("b", RSA.0, RSA.1));
    let rename = value!({
        "ServerCertificateName": "a", "NewServerCertificateName": "c", "NewPath": "/cloudfront/",
    });
    let resources: Vec<String> = server
        .checks("UpdateServerCertificate", &rename)
        .into_iter()
        .map(|check| check.resource)
        .collect();
    let arn = |rest: &str| format!("arn:aws:iam::{ACCOUNT}:server-certificate/{rest}");
    assert_eq!(resources, [arn("a"), arn("cloudfront/c")]);
    server.ok("UpdateServerCertificate", rename);
    let taken = value!({"ServerCertificateName": "c", "NewServerCertificateName": "B"});
    assert!(server.refused("UpdateServerCertificate", taken).starts_with("EntityAlreadyExists"));
    let under = server.ok("ListServerCertificates", value!({"PathPrefix": "/cloudfront/"}));
    assert_eq!(each(&under, "ServerCertificateMetadataList", "ServerCertificateName"), ["c"]);
    let gone = value!({"ServerCertificateName": "a"});
    assert_eq!(
        server.refused("DeleteServerCertificate", gone),
        "NoSuchEntity: The Server Certificate with name a cannot be found."
    );
    server.ok("DeleteServerCertificate", value!({"ServerCertificateName": "c"}));
    let left = server.ok("ListServerCertificates", value!({}));
    assert_eq!(each(&left, "ServerCertificateMetadataList", "ServerCertificateName"), ["b"]);
}
