//! Signatures against AWS's published examples, and every way to be refused.

use wire::sigv4::{self, SKEW_SECONDS};
use wire::{Face, Request};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z.
const NOW_MILLIS: i64 = 1_440_938_160_000;

fn request(method: &str, path: &str, query: &str, headers: &[(&str, &str)]) -> Request {
    let headers = headers.iter().map(|(name, text)| ((*name).into(), (*text).into()));
    Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: headers.collect(),
        ..Request::default()
    }
}

fn signed(mut request: Request, service: &str) -> String {
    sigv4::sign(&mut request, "AKIDEXAMPLE", SECRET, None, ("us-east-1", service), NOW_MILLIS);
    let header = request.header("authorization").unwrap();
    header.rsplit_once("Signature=").unwrap().1.to_owned()
}

// AWS's signature test suite: get-vanilla, get-vanilla-query-order-key-case; and the example of the
// signing guide.
#[test]
fn signs_as_the_published_examples() {
    let host = [("host", "example.amazonaws.com")];
    assert_eq!(
        signed(request("GET", "/", "", &host), "service"),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
    assert_eq!(
        signed(request("GET", "/", "Param2=value2&Param1=value1", &host), "service"),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    );
    let headers = [
        ("host", "iam.amazonaws.com"),
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
    ];
    assert_eq!(
        signed(request("GET", "/", "Action=ListUsers&Version=2010-05-08", &headers), "iam"),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

// "Authenticating requests: using query parameters", Amazon S3 API Reference.
#[test]
fn accepts_the_published_presigned_address() {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524\
                 %2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400\
                 &X-Amz-SignedHeaders=host&X-Amz-Signature=\
                 aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let host = [("host", "examplebucket.s3.amazonaws.com")];
    let request = request("GET", "/test.txt", query, &host);
    let face = Face::of_name(Some("s3"));
    let found = sigv4::parse(&request, &face).unwrap().unwrap();
    assert_eq!(found.access_key_id, "AKIAIOSFODNN7EXAMPLE");
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let sent = 1_369_353_600_000;
    let at = |millis| found.check(&request, "s3", (millis, SKEW_SECONDS), &face);
    at(sent + 3_600_000).unwrap();
    found.verify(&request, secret, &face).unwrap();
    let late = at(sent + 86_401_000).unwrap_err();
    assert!(late.message.starts_with("Signature expired: 20130525T000000Z is now earlier than"));
}

fn refusal(
    service: &str,
    change: impl FnOnce(&mut Request),
    now_millis: i64,
) -> (u16, String, String) {
    let mut request = request("POST", "/", "", &[("host", "localhost")]);
    request.body = b"Action=ListUsers".to_vec();
    sigv4::sign(&mut request, "AKIDEXAMPLE", SECRET, None, ("us-east-1", service), NOW_MILLIS);
    change(&mut request);
    let face = Face::of_name(Some(service));
    let fault = sigv4::parse(&request, &face)
        .and_then(|signed| {
            let signed = signed.unwrap();
            signed.check(&request, service, (now_millis, SKEW_SECONDS), &face)?;
            signed.verify(&request, SECRET, &face)
        })
        .expect_err("it must be refused");
    (fault.status, fault.code.to_string(), fault.message)
}

fn authorization(request: &mut Request) -> &mut String {
    &mut request.headers.iter_mut().find(|(name, _)| name == "authorization").unwrap().1
}

#[test]
fn refuses_in_the_words_of_each_protocol() {
    for (service, status, code) in
        [("iam", 403, "SignatureDoesNotMatch"), ("ssm", 400, "InvalidSignatureException")]
    {
        let forged = |request: &mut Request| request.body = b"Action=DeleteUser".to_vec();
        let (found_status, found_code, text) = refusal(service, forged, NOW_MILLIS);
        assert_eq!((found_status, found_code.as_str()), (status, code));
        assert!(text.starts_with("The request signature we calculated does not match"));

        let (_, found_code, text) = refusal(service, |_| {}, NOW_MILLIS + 901_000);
        assert_eq!(found_code, code);
        assert_eq!(
            text,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
             (20150830T125101Z - 15 min.)"
        );
        let (_, _, text) = refusal(service, |_| {}, NOW_MILLIS - 901_000);
        assert_eq!(
            text,
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
             (20150830T122059Z + 15 min.)"
        );
        let other = |request: &mut Request| {
            let header = authorization(request);
            *header = header.replace(&format!("/{service}/"), "/s3/");
        };
        let (_, _, text) = refusal(service, other, NOW_MILLIS);
        assert_eq!(text, format!("Credential should be scoped to correct service: '{service}'."));
        let unsigned = |request: &mut Request| {
            request.headers.push(("x-amz-target".into(), "AmazonSSM.GetParameter".into()));
        };
        let (_, _, text) = refusal(service, unsigned, NOW_MILLIS);
        assert!(text.contains("'x-amz-target' must be a 'SignedHeader'"), "{text}");
        let unhashed = |request: &mut Request| {
            request.body = b"Action=DeleteUser".to_vec();
            request.headers.push(("x-amz-content-sha256".into(), "UNSIGNED-PAYLOAD".into()));
        };
        assert_eq!(refusal(service, unhashed, NOW_MILLIS).1, code);
        for broken in ["", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b", "Basic YTpi"] {
            let (_, code, _) =
                refusal(service, |request| *authorization(request) = broken.into(), NOW_MILLIS);
            assert!(code.starts_with("IncompleteSignature"), "{broken}: {code}");
        }
    }
}

#[test]
fn a_request_without_a_signature_has_none() {
    let request = request("POST", "/", "a=b", &[("host", "localhost")]);
    assert!(sigv4::parse(&request, &Face::of_name(None)).unwrap().is_none());
}
