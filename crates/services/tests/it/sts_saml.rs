//! Sessions for whom a SAML provider vouches: genuine assertions only, and only whom roles let in.
//!
//! How signatures are verified is tested where it is done (`saml`), against what others have signed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use runtime::wall_millis;
use sha2::{Digest, Sha256};
use value::{Value, value};
use wire::{Handler, Request};

use super::served::{Served, element, keys, root, served, signed};
use super::server::ACCOUNT;

const ENTITY: &str = "https://idp.example.com/metadata";
const ATTRIBUTES: &str = "https://aws.amazon.com/SAML/Attributes";
const AFFILIATION: &str = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1";
const SIGN_IN: &str = "https://signin.aws.amazon.com/saml";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// A certificate whose key is replaced.
const CERTIFICATE: &str = include_str!("data/curve.pem");
/// How long an uncompressed point of P-256 is, in bytes.
const POINT_BYTES: usize = 65;

/// What a session of the tested roles may do: what it may only as long as it is this subject's.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"states:*","Resource":"*","Condition":{"StringEquals":{"aws:FederatedProvider":"arn:aws:iam::123456789012:saml-provider/idp","saml:sub":"alice@example.com","saml:sub_type":"persistent","saml:namequalifier":"Pjc9gGkda9/ukv4NQrZwyZ1OVas="},"Null":{"saml:iss":"true"}}}}"#;

/// What a provider signs with.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Signer {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Signer(EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random).unwrap())
    }

    fn metadata(&self) -> String {
        let lines: String = CERTIFICATE.lines().filter(|line| !line.starts_with("---")).collect();
        let mut der = BASE64_STANDARD.decode(&lines).unwrap();
        // A bit string of a point: its length, no unused bits, uncompressed.
        let at = der.windows(4).position(|bytes| bytes == [0x03, 0x42, 0x00, 0x04]).unwrap() + 3;
        der[at..at + POINT_BYTES].copy_from_slice(self.0.public_key().as_ref());
        // The key of yesterday, then that of today.
        let keys = [lines, BASE64_STANDARD.encode(der)].map(|certificate| {
            format!(
                r#"<KeyDescriptor use="signing"><KeyInfo><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"#
            )
        });
        format!(
            r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY}"><IDPSSODescriptor>{}</IDPSSODescriptor></EntityDescriptor>"#,
            keys.concat()
        )
    }

    /// Returns a response with this assertion, which is signed; its text is canonical as it is.
    fn response(&self, told: &Told) -> String {
        let assertion = told.assertion();
        let digest = BASE64_STANDARD.encode(Sha256::digest(&assertion));
        let info = |declared: &str| {
            let empty = |name: &str, algorithm: &str| {
                format!(r#"<ds:{name} Algorithm="{algorithm}"></ds:{name}>"#)
            };
            format!(
                r##"<ds:SignedInfo{declared}>{}{}<ds:Reference URI="#_a"><ds:Transforms>{}{}</ds:Transforms>{}<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"##,
                empty("CanonicalizationMethod", EXCLUSIVE),
                empty("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
                empty("Transform", &format!("{DS}enveloped-signature")),
                empty("Transform", EXCLUSIVE),
                empty("DigestMethod", "http://www.w3.org/2001/04/xmlenc#sha256"),
            )
        };
        let canonical = info(&format!(r#" xmlns:ds="{DS}""#));
        let value = self.0.sign(&SystemRandom::new(), canonical.as_bytes()).unwrap();
        let signature = format!(
            r#"</saml:Issuer><ds:Signature xmlns:ds="{DS}">{}<ds:SignatureValue>{}</ds:SignatureValue></ds:Signature>"#,
            info(""),
            BASE64_STANDARD.encode(value)
        );
        let assertion = assertion.replacen("</saml:Issuer>", &signature, 1);
        let status = told.status;
        format!(
            r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0"><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></samlp:Status>{assertion}</samlp:Response>"#
        )
    }
}

/// What a provider tells; as is usual, unless it is changed.
#[derive(Clone)]
struct Told {
    status: &'static str,
    issuer: &'static str,
    issued_seconds_ago: i64,
    subject: String,
    not_before_in: i64,
    ends_in: i64,
    audience: &'static str,
    recipient: &'static str,
    session: String,
    attributes: Vec<(String, Vec<String>)>,
}

fn pair(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role},arn:aws:iam::{ACCOUNT}:saml-provider/idp")
}

impl Told {
    fn new() -> Told {
        let format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
        let told = Told {
            status: "Success",
            issuer: ENTITY,
            issued_seconds_ago: 0,
            subject: format!(r#"<saml:NameID Format="{format}">alice@example.com</saml:NameID>"#),
            not_before_in: -60,
            ends_in: 300,
            audience: "urn:amazon:webservices",
            recipient: SIGN_IN,
            session: String::new(),
            attributes: Vec::new(),
        };
        told.with("Role", &[&pair("r"), &pair("tagged")]).with("RoleSessionName", &["alice"])
    }

    fn with(mut self, name: &str, values: &[&str]) -> Told {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        self.attributes.push((format!("{ATTRIBUTES}/{name}"), values));
        self
    }

    fn without(mut self, name: &str) -> Told {
        self.attributes.retain(|(known, _)| !known.ends_with(&format!("/{name}")));
        self
    }

    fn assertion(&self) -> String {
        let time = |seconds: i64| {
            Timestamp::from_millisecond(wall_millis() + seconds * 1000).unwrap().to_string()
        };
        let Told { issuer, subject, audience, recipient, session, .. } = self;
        let (issued, from, until) =
            (time(-self.issued_seconds_ago), time(self.not_before_in), time(self.ends_in));
        let session = match session.parse() {
            Ok(seconds) => format!(
                r#"<saml:AuthnStatement SessionNotOnOrAfter="{}"></saml:AuthnStatement>"#,
                time(seconds)
            ),
            Err(_) => String::new(),
        };
        let mut attributes = String::new();
        for (name, values) in &self.attributes {
            let values = values.join("</saml:AttributeValue><saml:AttributeValue>");
            let values = ["<saml:AttributeValue>", &values, "</saml:AttributeValue>"].concat();
            attributes.extend([
                r#"<saml:Attribute Name=""#,
                name,
                "\">",
                &values,
                "</saml:Attribute>",
            ]);
        }
        format!(
            r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a" IssueInstant="{issued}" Version="2.0"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject>{subject}<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{until}" Recipient="{recipient}"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{from}" NotOnOrAfter="{until}"><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>{session}<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"#
        )
    }
}

/// A server that knows a provider, and a role that lets in its subjects.
async fn world() -> (Served, Signer) {
    let (server, signer) = (served(), Signer::new());
    let document = wire::percent_encode(&signer.metadata());
    let create = "Action=CreateSAMLProvider&Name=idp&SAMLMetadataDocument";
    server.ok("iam", &format!("{create}={document}")).await;
    let usual = r#"{"StringEquals":{"saml:aud":"https://signin.aws.amazon.com/saml"}}"#;
    role(&server, "r", r#""sts:AssumeRoleWithSAML""#, usual).await;
    (server, signer)
}

async fn role(server: &Served, name: &str, actions: &str, condition: &str) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::{ACCOUNT}:saml-provider/idp"}},"Action":{actions},"Condition":{condition}}}}}"#
    );
    let trust = wire::percent_encode(&trust);
    let create = "Action=CreateRole&AssumeRolePolicyDocument";
    server.ok("iam", &format!("{create}={trust}&RoleName={name}")).await;
    let policy = wire::percent_encode(POLICY);
    let put = format!("Action=PutRolePolicy&RoleName={name}&PolicyName=p");
    server.ok("iam", &format!("{put}&PolicyDocument={policy}")).await;
}

/// Asks without a signature, as clients do.
async fn assume(server: &Served, role: &str, response: &str, more: &str) -> (u16, String) {
    let encoded = wire::percent_encode(&BASE64_STANDARD.encode(response));
    send(server, role, "idp", &format!("{encoded}{more}")).await
}

async fn send(server: &Served, role: &str, provider: &str, assertion: &str) -> (u16, String) {
    let form = format!(
        "Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn=arn:aws:iam::{ACCOUNT}:role/{role}\
         &PrincipalArn=arn:aws:iam::{ACCOUNT}:saml-provider/{provider}&SAMLAssertion={assertion}"
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let mut request = signed(&root(), "sts", &headers, &form, wall_millis());
    request.headers.retain(|(name, _)| name == "host" || name == "content-type");
    server.answer(request).await
}

fn told((status, body): (u16, String)) -> String {
    let message = element(&body, "Message").replace("&quot;", "\"");
    format!("{status} {}: {message}", element(&body, "Code"))
}

#[tokio::test]
async fn a_genuine_assertion_opens_a_session_of_a_role_that_lets_it_in() {
    let (server, signer) = world().await;
    let response = signer.response(&Told::new());
    let (status, body) = assume(&server, "r", &response, "").await;
    assert_eq!(status, 200, "{body}");
    for (name, expected) in [
        ("Subject", "alice@example.com"),
        ("SubjectType", "persistent"),
        ("Issuer", ENTITY),
        ("Audience", SIGN_IN),
        ("NameQualifier", "Pjc9gGkda9/ukv4NQrZwyZ1OVas="),
        ("Arn", "arn:aws:sts::123456789012:assumed-role/r/alice"),
    ] {
        assert_eq!(element(&body, name), expected);
    }
    // Who somebody is goes on to count; who said so in which words does not.
    let (status, body) = server.states(&keys(&body), "ListStateMachines", "{}").await;
    assert_eq!(status, 200, "{body}");
    // One response serves for five minutes, for every role that it names.
    assert_eq!(assume(&server, "r", &response, "").await.0, 200);
    role(&server, "tagged", r#""sts:AssumeRoleWithSAML""#, "{}").await;
    assert_eq!(assume(&server, "tagged", &response, "").await.0, 200);
}

#[tokio::test]
async fn everything_else_is_refused_in_words() {
    let (server, signer) = world().await;
    let usual = Told::new;
    let role = "SAML Assertion doesn't contain the requested Role and Metadata in the attributes";
    let name = "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}";
    let identity =
        "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"";
    let invalid = |text: &str| format!("400 InvalidIdentityToken: {text}");
    let expired = |text: &str| format!("400 ExpiredTokenException: {text}");
    let rejected = "403 IDPRejectedClaim: The identity provider reported that authentication \
                    failed: urn:oasis:names:tc:SAML:2.0:status:Responder";
    let outside = "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithSAML";
    let mallory = "arn:aws:iam::123456789012:role/r,arn:aws:iam::123456789012:saml-provider/other";
    let cases = [
        (Told { status: "Responder", ..usual() }, rejected.into()),
        (
            Told { issued_seconds_ago: 310, ..usual() },
            expired("Token must be redeemed within 5 minutes of issuance"),
        ),
        (Told { issued_seconds_ago: -310, ..usual() }, invalid("The assertion is not yet valid")),
        (Told { not_before_in: 310, ..usual() }, invalid("The assertion is not yet valid")),
        (Told { ends_in: -1, ..usual() }, expired("The assertion has expired")),
        (
            Told { session: "-1".into(), ..usual() },
            expired("The session of the identity provider has expired"),
        ),
        (
            Told { audience: "https://other.example.com", ..usual() },
            invalid("Response does not contain the required audience."),
        ),
        (
            Told { audience: "https://signin.aws.amazon.com.example.com/saml", ..usual() },
            invalid("Response does not contain the required audience."),
        ),
        (
            Told { recipient: "https://a.b.signin.aws.amazon.com/saml", ..usual() },
            invalid("Response does not contain the required recipient"),
        ),
        (
            Told { recipient: "https://signin.aws.amazon.com/saml/acs/OTHER", ..usual() },
            invalid("Response does not contain the required recipient"),
        ),
        (Told { subject: String::new(), ..usual() }, outside.into()),
        (usual().without("Role"), invalid(role)),
        (usual().without("Role").with("Role", &[mallory]), invalid(role)),
        (
            usual().without("RoleSessionName"),
            invalid("RoleSessionName is required in AuthnResponse"),
        ),
        (usual().without("RoleSessionName").with("RoleSessionName", &["Alice A."]), invalid(name)),
        (usual().without("RoleSessionName").with("RoleSessionName", &["a"]), invalid(name)),
        (
            usual().with("RoleSessionName", &["bob"]),
            invalid("RoleSessionName in AuthnResponse must have one value"),
        ),
        (usual().with("SourceIdentity", &["a b"]), invalid(identity)),
        (
            usual().with("SessionDuration", &["10"]),
            invalid("SessionDuration in AuthnResponse must be from 900 to 43200 seconds"),
        ),
        (
            usual().with("PrincipalTag:team", &["red", "blue"]),
            invalid("PrincipalTag:team must have one value"),
        ),
        (
            usual().with("PrincipalTag:team", &["red"]).with("PrincipalTag:Team", &["red"]),
            "400 InvalidParameterValue: Duplicate tag keys found. Please note that Tag keys are \
             case insensitive."
                .into(),
        ),
    ];
    for (changed, expected) in cases {
        assert_eq!(told(assume(&server, "r", &signer.response(&changed), "").await), expected);
    }
    let good = signer.response(&usual());
    assert_eq!(told(assume(&server, "absent", &good, "").await), invalid(role));
    let gone = signer.response(&usual().with("Role", &[&pair("absent")]));
    assert_eq!(told(assume(&server, "absent", &gone, "").await), outside);
    let long = told(assume(&server, "r", &good, "&DurationSeconds=7200").await);
    assert!(long.ends_with("exceeds the MaxSessionDuration set for this role."), "{long}");
    let malformed = told(assume(&server, "r", &good, "&Policy=%7B%7D").await);
    assert!(malformed.starts_with("400 MalformedPolicyDocument"), "{malformed}");
}

#[tokio::test]
async fn what_is_not_the_providers_is_refused() {
    let (server, signer) = world().await;
    let good = signer.response(&Told::new());
    let stranger = Signer::new().response(&Told::new());
    let signature = "InvalidIdentityToken: Response signature invalid";
    for text in [
        stranger,
        good.replace("alice@", "mallory@"),
        good.replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
        good.replace("ds:Signature", "ds:Signatur"),
    ] {
        assert_eq!(told(assume(&server, "r", &text, "").await), format!("400 {signature}"));
    }
    let other = Told { issuer: "https://mallory.example.com", ..Told::new() };
    let service = "(Service: AWSOpenIdDiscoveryService; Status Code: 400; Error Code: ";
    let table = [
        (
            assume(&server, "r", &signer.response(&other), "").await,
            format!("Issuer not present in specified provider {service}AuthSamlInvalidSaml"),
        ),
        (
            send(&server, "r", "idp", "=====").await,
            format!("Invalid base64 SAMLResponse {service}AuthSamlInvalidSamlResponseException"),
        ),
        (
            send(&server, "r", "other", "PHg%2BPC94Pg==").await,
            format!("Specified provider doesn't exist {service}AuthSamlManifestNotFoundException"),
        ),
        (
            assume(&server, "r", "<x/>", "").await,
            "Invalid SAMLResponse: the response is malformed: it is no Response of SAML 2.0".into(),
        ),
        (
            assume(&server, "r", &format!("<!DOCTYPE x>{good}"), "").await,
            "Invalid SAMLResponse: the document is not accepted: document types are".into(),
        ),
        (
            assume(&server, "r", &good.replace("saml:Assertion", "saml:EncryptedAssertion"), "")
                .await,
            "Encrypted assertions are not accepted here.".into(),
        ),
        (
            assume(&server, "r", &good.replace("ecdsa-sha256", "dsa-sha256"), "").await,
            "Response signature invalid: http://www.w3.org/2001/04/xmldsig-more#dsa-sha256".into(),
        ),
    ];
    for (answer, expected) in table {
        let found = told(answer);
        assert!(found.starts_with(&format!("400 InvalidIdentityToken: {expected}")), "{found}");
    }
}

#[tokio::test]
async fn the_provider_bounds_the_session_and_names_it() {
    let (server, signer) = world().await;
    let actions = r#"["sts:AssumeRoleWithSAML","sts:TagSession","sts:SetSourceIdentity"]"#;
    role(&server, "tagged", actions, "{}").await;
    let tagged = Told::new()
        .with("PrincipalTag:team", &["red"])
        .with("TransitiveTagKeys", &["team"])
        .with("SourceIdentity", &["diego"])
        .with("SessionDuration", &["1800"]);
    let response = signer.response(&tagged);
    let denied = "403 AccessDenied: Not authorized to perform sts:TagSession";
    assert_eq!(told(assume(&server, "r", &response, "").await), denied);
    let (status, body) = assume(&server, "tagged", &response, "").await;
    assert_eq!((status, element(&body, "SourceIdentity")), (200, "diego"), "{body}");
    assert!(element(&body, "PackedPolicySize").parse::<u32>().is_ok());
    let lasts = |body: &str| {
        let ends = element(body, "Expiration").parse::<Timestamp>().unwrap().as_millisecond();
        (ends - wall_millis()).div_euclid(1000)
    };
    assert!((1_700..=1_801).contains(&lasts(&body)), "{}", lasts(&body));
    // The shortest of what is asked and told counts.
    let short = Told { session: "1000".into(), ..tagged };
    let (_, body) = assume(&server, "tagged", &signer.response(&short), "").await;
    assert!((900..=1_001).contains(&lasts(&body)), "{}", lasts(&body));
    let (_, body) =
        assume(&server, "tagged", &signer.response(&short), "&DurationSeconds=900").await;
    assert!((800..=901).contains(&lasts(&body)), "{}", lasts(&body));
}

#[tokio::test]
async fn trust_policies_ask_for_what_the_provider_says() {
    let (server, signer) = world().await;
    let affiliated = |role: &str, values: &[&str]| {
        let mut told = Told::new().with("Role", &[&pair(role)]);
        let values = values.iter().map(|&value| value.to_owned()).collect();
        told.attributes.push((AFFILIATION.into(), values));
        signer.response(&told)
    };
    let table = [
        (r#"{"ForAnyValue:StringEquals":{"saml:edupersonaffiliation":"staff"}}"#, true),
        (r#"{"ForAllValues:StringEquals":{"saml:edupersonaffiliation":"staff"}}"#, false),
        (r#"{"StringEquals":{"saml:iss":"https://idp.example.com/metadata"}}"#, true),
        (r#"{"StringEquals":{"saml:doc":"123456789012/idp"}}"#, true),
        (r#"{"StringEquals":{"saml:namequalifier":"Pjc9gGkda9/ukv4NQrZwyZ1OVas="}}"#, true),
        (r#"{"StringLike":{"saml:sub":"*@example.com"}}"#, true),
        (r#"{"StringEquals":{"saml:sub":"mallory@example.com"}}"#, false),
        (r#"{"StringEquals":{"saml:sub_type":"transient"}}"#, false),
        (r#"{"StringEquals":{"sts:RoleSessionName":"alice"}}"#, true),
        (r#"{"Null":{"saml:cn":"false"}}"#, false),
    ];
    for (index, (condition, expected)) in table.into_iter().enumerate() {
        let name = format!("r{index}");
        role(&server, &name, r#""sts:AssumeRoleWithSAML""#, condition).await;
        let response = affiliated(&name, &["staff", "member"]);
        let (status, body) = assume(&server, &name, &response, "").await;
        assert_eq!(status == 200, expected, "{condition}: {body}");
    }
}

#[tokio::test]
async fn a_refusal_is_remembered_with_the_statement_to_add() {
    let (server, signer) = world().await;
    role(&server, "tagged", r#""sts:TagSession""#, "{}").await;
    assume(&server, "tagged", &signer.response(&Told::new()), "").await;
    let request = Request {
        method: "POST".into(),
        path: "/_stepwell/calls".into(),
        body: value!({ "last": "refusal" }).to_string().into_bytes(),
        peer: "127.0.0.1".into(),
        ..Request::default()
    };
    let answer = server.services.clone().handle(request).await;
    let body = value::parse_bytes(&answer.body).unwrap();
    let call = body.get("calls").and_then(|calls| calls.as_array()?.first().cloned()).unwrap();
    assert_eq!(call.get("outcome").and_then(Value::as_str), Some("implicitDeny"), "{call}");
    let check = call.get("checks").and_then(|checks| checks.as_array()?.first()).unwrap();
    assert_eq!(
        check.get("add"),
        Some(&value!([{ "layer": "trust", "statement": {
            "Effect": "Allow",
            "Principal": { "Federated": "arn:aws:iam::123456789012:saml-provider/idp" },
            "Action": "sts:AssumeRoleWithSAML",
            "Condition": { "StringEquals": {
                "saml:aud": SIGN_IN, "saml:sub": "alice@example.com",
            } },
        } }])),
        "{check}"
    );
}
