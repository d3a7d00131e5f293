//! Who is refused before anything is done, in the words and with the status of each protocol.

use runtime::wall_millis;
use wire::Request;

use super::served::{Keys, Served, element, keys, root, served, signed};

const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

type Call = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// Services, headers of their protocols, and calls that need nothing.
const CALLS: [Call; 3] = [
    (
        "sts",
        &[("content-type", "application/x-www-form-urlencoded")],
        "Action=GetCallerIdentity&Version=2011-06-15",
    ),
    (
        "states",
        &[
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", "AWSStepFunctions.ListStateMachines"),
        ],
        "{}",
    ),
    (
        "ssm",
        &[
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "AmazonSSM.ListDocuments"),
        ],
        "{}",
    ),
];

/// Returns status, code and text of a refusal.
fn told((status, body): &(u16, String)) -> (u16, String, String) {
    if !body.starts_with('{') {
        return (*status, element(body, "Code").into(), element(body, "Message").into());
    }
    let body = value::parse(body).unwrap();
    let text = |name: &str| body.get(name).and_then(|text| text.as_str()).map(str::to_owned);
    let message = text("message").or_else(|| text("Message"));
    (*status, text("__type").unwrap(), message.unwrap_or_default())
}

/// What is done to a good request, and what it answers then: codes for XML and JSON, text.
struct Case {
    change: fn(&mut Request),
    xml: &'static str,
    json: &'static str,
    text: &'static str,
}

fn header<'r>(request: &'r mut Request, name: &str) -> &'r mut String {
    &mut request.headers.iter_mut().find(|(known, _)| known == name).unwrap().1
}

fn authorization(request: &mut Request, from: &str, to: &str) {
    let header = header(request, "authorization");
    assert!(header.contains(from), "{header}");
    *header = header.replace(from, to);
}

const SIGNATURE: (&str, &str) = ("SignatureDoesNotMatch", "InvalidSignatureException");
const INCOMPLETE: (&str, &str) = ("IncompleteSignature", "IncompleteSignatureException");
const TOKEN: (&str, &str) = ("InvalidClientTokenId", "UnrecognizedClientException");

const fn case(
    change: fn(&mut Request),
    (xml, json): (&'static str, &'static str),
    text: &'static str,
) -> Case {
    Case { change, xml, json, text }
}

const CASES: [Case; 13] = [
    case(
        |request| request.headers.retain(|(name, _)| name != "authorization"),
        ("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
        "Request is missing Authentication Token",
    ),
    case(
        |request| authorization(request, "Signature=", "Seal="),
        INCOMPLETE,
        "Authorization header requires 'Signature' parameter.",
    ),
    case(
        |request| authorization(request, "/aws4_request", ""),
        INCOMPLETE,
        "Credential must have exactly 5 slash-delimited elements",
    ),
    case(
        |request| request.headers.retain(|(name, _)| name != "x-amz-date"),
        INCOMPLETE,
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    ),
    case(
        |request| *header(request, "x-amz-date") = "yesterday".into(),
        INCOMPLETE,
        "Date must be in ISO-8601 'basic format'. Got 'yesterday'.",
    ),
    case(
        |request| authorization(request, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        INCOMPLETE,
        "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'. Signature Version 4A",
    ),
    case(
        |request| authorization(request, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
        INCOMPLETE,
        "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'.",
    ),
    case(
        |request| authorization(request, "aws4_request", "aws5_request"),
        SIGNATURE,
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'.",
    ),
    case(
        |request| authorization(request, "/us-east-1/", "/us-east-1/x"),
        SIGNATURE,
        "Credential should be scoped to correct service: '",
    ),
    case(
        |request| request.headers.push(("x-amz-meta".into(), "1".into())),
        SIGNATURE,
        "'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    case(
        |request| *header(request, "host") = "elsewhere".into(),
        SIGNATURE,
        "The request signature we calculated does not match the signature you provided.",
    ),
    case(
        |request| authorization(request, "Credential=AKIA", "Credential=AKIB"),
        TOKEN,
        "The security token included in the request is invalid.",
    ),
    case(
        |request| {
            request.headers.push(("x-amz-security-token".into(), "nobody's".into()));
            authorization(request, "SignedHeaders=", "SignedHeaders=x-amz-security-token;");
        },
        TOKEN,
        "The security token included in the request is invalid.",
    ),
];

#[tokio::test]
async fn every_refusal_has_the_words_of_its_protocol() {
    let server = served();
    let user = server.user("u", POLICY).await;
    for (service, headers, body) in CALLS {
        let good = || signed(&user, service, headers, body, wall_millis());
        let answer = server.answer(good()).await;
        assert_eq!(answer.0, 200, "{service}: {}", answer.1);
        for (number, Case { change, xml, json, text }) in CASES.iter().enumerate() {
            let mut request = good();
            change(&mut request);
            let (status, code, message) = told(&server.answer(request).await);
            let expected = if service == "sts" { (403, *xml) } else { (400, *json) };
            assert_eq!((status, code.as_str()), expected, "{service}, case {number}: {message}");
            assert!(message.starts_with(text), "{service}, case {number}: {message}");
            assert!(!message.contains(&user.secret));
        }
    }
}

#[tokio::test]
async fn a_page_in_a_browser_is_not_root() {
    let server = served();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let create = "Action=CreateUser&Version=2010-05-08&UserName=u";
    for header in [
        ("origin", "https://foreign.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let request = signed(&root(), "iam", &[form, header], create, wall_millis());
        let (status, body) = server.answer(request).await;
        assert_eq!((status, element(&body, "Code")), (403, "AccessDenied"), "{header:?}");
    }
    // Nobody need ask before an image is fetched, and none of it is checked.
    let image = |host: &str| Request {
        method: "GET".into(),
        path: "/".into(),
        query: format!(
            "{create}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20261125%2F\
             us-east-1%2Fiam%2Faws4_request&X-Amz-Date=20261125T000000Z&X-Amz-Expires=60\
             &X-Amz-SignedHeaders=host&X-Amz-Signature=00"
        ),
        headers: vec![("host".into(), host.into())],
        ..Request::default()
    };
    assert_eq!(server.answer(image("rebound.example:4566")).await.0, 403);
    assert!(!server.ok("iam", "Action=ListUsers").await.contains("<UserName>"));
    // The same by whoever is on this machine.
    assert_eq!(server.answer(image("localhost:4566")).await.0, 200);
}

#[tokio::test]
async fn clocks_may_be_as_far_apart_as_the_server_is_told() {
    let server = served();
    server.services.tolerates_skew(90);
    let user = server.user("u", POLICY).await;
    for (service, headers, body) in CALLS {
        let code = if service == "sts" { SIGNATURE.0 } else { SIGNATURE.1 };
        for (seconds, start) in [
            (-80, None),
            (80, None),
            (-100, Some("Signature expired: ")),
            (100, Some("Signature not yet current: ")),
        ] {
            let request = signed(&user, service, headers, body, wall_millis() + seconds * 1000);
            let answer = server.answer(request).await;
            let Some(start) = start else {
                assert_eq!(answer.0, 200, "{service} {seconds}: {}", answer.1);
                continue;
            };
            let (_, found, message) = told(&answer);
            assert_eq!(found, code, "{service} {seconds}: {message}");
            let skew = if seconds < 0 { " - 90 sec.)" } else { " + 90 sec.)" };
            assert!(message.starts_with(start) && message.ends_with(skew), "{message}");
        }
    }
}

#[tokio::test]
async fn a_key_that_was_put_aside_or_deleted_signs_nothing() {
    let server = served();
    let user = server.user("u", POLICY).await;
    let answer = async |keys: &Keys| {
        let (service, headers, body) = CALLS[1];
        told_code(&server.answer(signed(keys, service, headers, body, wall_millis())).await)
    };
    assert_eq!(answer(&user).await, "200");
    let update = "Action=UpdateAccessKey&UserName=u&Status";
    server.ok("iam", &format!("{update}=Inactive&AccessKeyId={}", user.id)).await;
    assert_eq!(answer(&user).await, TOKEN.1);
    server.ok("iam", &format!("{update}=Active&AccessKeyId={}", user.id)).await;
    assert_eq!(answer(&user).await, "200");
    // The key of one session with the token of another, and a token with a long-term key.
    let sessions = [session(&server, &user).await, session(&server, &user).await];
    assert_eq!(answer(&sessions[0]).await, "200");
    let mixed = Keys { token: sessions[1].token.clone(), ..sessions[0].clone() };
    assert_eq!(answer(&mixed).await, TOKEN.1);
    let without = Keys { token: None, ..sessions[0].clone() };
    assert_eq!(answer(&without).await, TOKEN.1);
    server.ok("iam", &format!("Action=DeleteAccessKey&UserName=u&AccessKeyId={}", user.id)).await;
    assert_eq!(answer(&user).await, TOKEN.1);
}

async fn session(server: &Served, user: &Keys) -> Keys {
    let (_, body) = server.query(user, "sts", "Action=GetSessionToken").await;
    keys(&body)
}

fn told_code(answer: &(u16, String)) -> String {
    if answer.0 == 200 { "200".into() } else { told(answer).1 }
}
