//! Sessions for whom an identity provider vouches: genuine tokens only, and only whom roles let in.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use runtime::wall_millis;
use services::sts::Issuers;
use value::{Value, value};

use super::decisions::ask;
use super::served::{Served, element, keys, served, signed};
use super::server::{ACCOUNT, text};

const ISSUER: &str = "token.example.com/tenant";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"states:*","Resource":"*","Condition":{"StringEquals":{"aws:FederatedProvider":"arn:aws:iam::123456789012:oidc-provider/token.example.com/tenant","token.example.com/tenant:sub":"repo:a/b"}}}}"#;

/// What a provider signs with.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Signer {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Signer(EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random).unwrap())
    }

    fn keys(&self) -> String {
        let point = self.0.public_key().as_ref();
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        value!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256", "use": "sig",
            "x": (encode(&point[1..33])), "y": (encode(&point[33..]))}]})
        .to_string()
    }

    fn token(&self, claims: &Value) -> String {
        let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
        let header = value!({"alg": "ES256", "kid": "1", "typ": "JWT"}).to_string();
        let text = format!("{}.{}", encode(header), encode(claims.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn now() -> i64 {
    wall_millis().div_euclid(1000)
}

fn claims() -> Value {
    value!({"iss": (format!("https://{ISSUER}")), "sub": "repo:a/b", "aud": "sts.amazonaws.com",
        "iat": (now()), "exp": (now() + 60)})
}

/// A server that knows a provider, and a role that lets in one of its subjects.
async fn world() -> (Served, Signer) {
    let (server, signer) = (served(), Signer::new());
    let folder = tempfile::tempdir().unwrap().keep();
    let file = folder.join("keys.json");
    std::fs::write(&file, signer.keys()).unwrap();
    let mut issuers = Issuers::default();
    issuers.set(&format!("{ISSUER}={}", file.display())).unwrap();
    server.services.knows_issuers(issuers);
    register(&server, ISSUER).await;
    role(&server, "r", r#""sts:AssumeRoleWithWebIdentity""#).await;
    (server, signer)
}

async fn role(server: &Served, name: &str, actions: &str) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}},"Action":{actions},"Condition":{{"StringEquals":{{"{ISSUER}:aud":"sts.amazonaws.com"}},"StringLike":{{"{ISSUER}:sub":"repo:a/*"}}}}}}}}"#
    );
    let trust = wire::percent_encode(&trust);
    let create = "Action=CreateRole&AssumeRolePolicyDocument";
    server.ok("iam", &format!("{create}={trust}&RoleName={name}")).await;
    let policy = wire::percent_encode(POLICY);
    let put = format!("Action=PutRolePolicy&RoleName={name}&PolicyName=p");
    server.ok("iam", &format!("{put}&PolicyDocument={policy}")).await;
}

/// Asks without a signature, as clients do.
async fn assume(server: &Served, role: &str, token: &str, more: &str) -> (u16, String) {
    let form = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=session\
         &RoleArn=arn:aws:iam::{ACCOUNT}:role/{role}&WebIdentityToken={token}{more}"
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let mut request = signed(&super::served::root(), "sts", &headers, &form, wall_millis());
    request.headers.retain(|(name, _)| name == "host" || name == "content-type");
    server.answer(request).await
}

async fn refused(server: &Served, role: &str, token: &str) -> String {
    let (status, body) = assume(server, role, token, "").await;
    assert!(!body.contains(token) || token.len() < 20, "{body}");
    format!("{status} {}: {}", element(&body, "Code"), element(&body, "Message"))
}

#[tokio::test]
async fn a_genuine_token_opens_a_session_of_a_role_that_lets_it_in() {
    let (server, signer) = world().await;
    let (status, body) = assume(&server, "r", &signer.token(&claims()), "").await;
    assert_eq!(status, 200, "{body}");
    for (name, expected) in [
        ("SubjectFromWebIdentityToken", "repo:a/b"),
        ("Audience", "sts.amazonaws.com"),
        ("Provider", "https://token.example.com/tenant"),
        ("Arn", "arn:aws:sts::123456789012:assumed-role/r/session"),
    ] {
        assert_eq!(element(&body, name), expected);
    }
    // What the provider said goes on to count.
    let (status, body) = server.states(&keys(&body), "ListStateMachines", "{}").await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn everything_else_is_refused_in_words() {
    let (server, signer) = world().await;
    let claims = claims();
    let later = now() + 3_600;
    let good = signer.token(&claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let body = signed.split_once('.').unwrap().1;
    let mallory =
        BASE64_URL_SAFE_NO_PAD.encode(claims.clone().with("sub", "repo:a/mallory").to_string());
    let header = signed.split_once('.').unwrap().0;
    let cases = [
        (
            "x.y.z".into(),
            "InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may",
        ),
        (
            signer.token(&claims.clone().with("iss", "https://other.example.com")),
            "InvalidIdentityToken: No OpenIDConnect provider found in your account for https://other.example.com",
        ),
        (
            signer.token(&claims.clone().with("aud", "other")),
            "InvalidIdentityToken: Incorrect token audience",
        ),
        (
            signer.token(&claims.clone().with("azp", "other")),
            "InvalidIdentityToken: Incorrect token audience",
        ),
        (
            signer.token(&claims.clone().with("exp", now() - 1)),
            "ExpiredTokenException: Token expired: current date/time",
        ),
        (
            signer.token(&claims.clone().with("nbf", later)),
            "InvalidIdentityToken: Token not yet valid",
        ),
        (
            signer.token(&claims.clone().with("iat", later)),
            "InvalidIdentityToken: Token not yet valid",
        ),
        (
            signer.token(&value!({"iss": (format!("https://{ISSUER}")), "exp": (later)})),
            "InvalidIdentityToken: Missing a required claim: sub",
        ),
        (
            Signer::new().token(&claims),
            "InvalidIdentityToken: Token signature could not be verified",
        ),
        (format!("{none}.{body}."), "InvalidIdentityToken: The token must be signed with RS256"),
        (
            format!("{header}.{mallory}.{signature}"),
            "InvalidIdentityToken: Token signature could not be verified",
        ),
    ];
    for (token, expected) in cases {
        let found = refused(&server, "r", &token).await;
        assert!(found.starts_with(&format!("400 {expected}")), "{found}");
    }
    let outside = "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";
    let stranger = signer.token(&claims.clone().with("sub", "repo:c/d"));
    assert_eq!(refused(&server, "r", &stranger).await, outside);
    assert_eq!(refused(&server, "absent", &good).await, outside);
    let (_, long) = assume(&server, "r", &good, "&DurationSeconds=7200").await;
    assert_eq!(
        element(&long, "Message"),
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    );
}

/// Returns the outcome of the last call, of its first question, and whether a line would help.
async fn last_decision(server: &Served) -> (String, Option<String>, bool) {
    let found = ask(&server.services, "calls", value!({ "last": "call" })).await;
    let call = found.get("calls").and_then(|calls| calls.as_array()?.first()).unwrap();
    assert_eq!(text(call, &["operation"]), "AssumeRoleWithWebIdentity");
    let check = call.get("checks").and_then(|checks| checks.as_array()?.first());
    let helps = check.is_some_and(|check| check.get("add").is_some());
    (text(call, &["outcome"]), check.map(|check| text(check, &["outcome"])), helps)
}

#[tokio::test]
async fn the_record_of_decisions_has_what_was_refused_as_refused() {
    let (server, signer) = world().await;
    let good = signer.token(&claims());
    let (denied, allowed) = ("implicitDeny".to_owned(), "allowed".to_owned());
    assume(&server, "r", &good, "").await;
    assert_eq!(last_decision(&server).await, (allowed.clone(), Some(allowed), false));
    refused(&server, "r", &signer.token(&claims().with("sub", "repo:c/d"))).await;
    assert_eq!(last_decision(&server).await, (denied.clone(), Some(denied.clone()), true));
    // Turned away before the trust policy is asked.
    refused(&server, "absent", &good).await;
    assert_eq!(last_decision(&server).await, (denied.clone(), None, false));
    refused(&server, "r", &Signer::new().token(&claims())).await;
    assert_eq!(last_decision(&server).await, (denied, None, false));
}

#[tokio::test]
async fn tags_and_source_identity_come_in_the_token_if_the_role_allows() {
    let (server, signer) = world().await;
    let token =
        signer.token(&claims().with("https://aws.amazon.com/source_identity", "alice").with(
            "https://aws.amazon.com/tags",
            value!({"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]}),
        ));
    let denied = "403 AccessDenied: Not authorized to perform sts:TagSession";
    assert_eq!(refused(&server, "r", &token).await, denied);
    let actions = r#"["sts:AssumeRoleWithWebIdentity","sts:TagSession","sts:SetSourceIdentity"]"#;
    role(&server, "tagged", actions).await;
    let (status, body) = assume(&server, "tagged", &token, "").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(element(&body, "SourceIdentity"), "alice");
    assert!(element(&body, "PackedPolicySize").parse::<u32>().is_ok());
}

/// Answers every request for a path with its text, as an identity provider would.
fn provider(answers: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            let mut rest = String::new();
            while reader.read_line(&mut rest).unwrap() > 2 {
                rest.clear();
            }
            let body = answers(line.split(' ').nth(1).unwrap());
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close");
            stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
        }
    });
    address.to_string()
}

async fn register(server: &Served, issuer: &str) {
    let url = wire::percent_encode(&format!("https://{issuer}"));
    let create = "Action=CreateOpenIDConnectProvider&ClientIDList.member.1=sts.amazonaws.com";
    let thumbprint = "a".repeat(40);
    server.ok("iam", &format!("{create}&Url={url}&ThumbprintList.member.1={thumbprint}")).await;
}

#[tokio::test]
async fn keys_are_fetched_from_a_provider_that_answers() {
    let (server, signer) = world().await;
    let keys = signer.keys();
    let (told, named) = std::sync::mpsc::channel::<String>();
    let address = provider(move |path| match path {
        "/.well-known/openid-configuration" => {
            let own = named.recv().unwrap();
            value!({"issuer": (format!("http://{own}")), "jwks_uri": (format!("http://{own}/keys"))})
                .to_string()
        }
        "/keys" => keys.clone(),
        other => panic!("asked for {other}"),
    });
    told.send(address.clone()).unwrap();
    register(&server, &address).await;
    let genuine = claims().with("iss", format!("https://{address}"));
    // Fetched and found good; but the role names another provider.
    let outside = "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";
    for _ in 0..2 {
        // The second time the keys are at hand: the provider would have nothing to say.
        assert_eq!(refused(&server, "r", &signer.token(&genuine)).await, outside);
    }
    let forged = Signer::new().token(&genuine);
    let found = refused(&server, "r", &forged).await;
    assert!(found.starts_with("400 InvalidIdentityToken: Token signature"), "{found}");
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_providers_url_does_not_matter() {
    let (server, signer) = (served(), Signer::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, signer.keys()).unwrap();
    let mut issuers = Issuers::default();
    for named in ["a.example.com", "b.example.com/"] {
        issuers.set(&format!("{named}={}", file.display())).unwrap();
    }
    server.services.knows_issuers(issuers);
    for registered in ["a.example.com/", "b.example.com"] {
        register(&server, registered).await;
        for end in ["", "/"] {
            let issuer = format!("https://{}{end}", registered.trim_end_matches('/'));
            let token = signer.token(&claims().with("iss", &*issuer));
            // The token is genuine; there is no such role.
            let found = refused(&server, "absent", &token).await;
            assert!(found.starts_with("403 AccessDenied: "), "{registered} {issuer}: {found}");
        }
    }
}

#[tokio::test]
async fn a_key_set_without_end_is_not_read() {
    let (server, signer) = world().await;
    let keys = signer.keys();
    let (told, named) = std::sync::mpsc::channel::<String>();
    let address = provider(move |path| match path {
        "/.well-known/openid-configuration" => {
            let own = named.recv().unwrap();
            value!({"issuer": (format!("http://{own}")), "jwks_uri": (format!("http://{own}/keys"))})
                .to_string()
        }
        _ => keys.clone() + &" ".repeat(1024 * 1024),
    });
    told.send(address.clone()).unwrap();
    register(&server, &address).await;
    let token = signer.token(&claims().with("iss", format!("https://{address}")));
    let found = refused(&server, "r", &token).await;
    assert!(found.starts_with("400 InvalidIdentityToken: Couldn't retrieve"), "{found}");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_vouches_for_nobody() {
    let (server, signer) = world().await;
    // Nobody listens at the first port.
    register(&server, "localhost:1").await;
    let token = signer.token(&claims().with("iss", "https://localhost:1"));
    // Clients ask again; the provider is not asked again at once.
    for _ in 0..2 {
        let found = refused(&server, "r", &token).await;
        assert!(found.starts_with("400 IDPCommunicationError: "), "{found}");
    }
}
