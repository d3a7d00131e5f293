//! Requests that are none: each gets an error that its client can read.

use wire::client::{self, Answer};
use wire::{Fault, Request, model, route};

fn json(target: &str, body: impl Into<Vec<u8>>) -> Request {
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
    Request {
        method: "POST".into(),
        path: "/".into(),
        headers: headers.map(|(name, text)| (name.into(), text.into())).to_vec(),
        body: body.into(),
        ..Request::default()
    }
}

fn form(body: impl Into<Vec<u8>>) -> Request {
    let kind = ("content-type".into(), "application/x-www-form-urlencoded".into());
    Request {
        method: "POST".into(),
        path: "/".into(),
        headers: vec![kind],
        body: body.into(),
        ..Request::default()
    }
}

fn refusal(request: &Request) -> Fault {
    match route(request) {
        Ok(routed) => routed.input(request).expect_err("it must be refused"),
        Err(fault) => fault,
    }
}

#[test]
fn broken_json_is_a_serialization_exception() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: [(&[u8], &str); 9] = [
        (b"{", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (deep.as_bytes(), "the body is not JSON"),
        (b"[]", "Unexpected field type"),
        (br#"{"name": 1}"#, "NUMBER_VALUE can not be converted to a String"),
        (br#"{"name": true}"#, "TRUE_VALUE can not be converted to a String"),
        (br#"{"name": {}}"#, "Start of structure or map found where not expected."),
        (br#"{"name": []}"#, "Start of list found where not expected"),
        (br#"{"publish": "yes"}"#, "STRING_VALUE can not be converted to a Boolean"),
    ];
    for (body, text) in cases {
        let fault = refusal(&json("AWSStepFunctions.CreateStateMachine", body));
        assert_eq!((fault.status(), &*fault.code), (400, "SerializationException"));
        assert!(fault.message.starts_with(text), "{}", fault.message);
    }
}

#[test]
fn unknown_members_and_nulls_are_ignored() {
    let request = json("AWSStepFunctions.ListStateMachines", r#"{"new": 1, "maxResults": null}"#);
    let input = route(&request).unwrap().input(&request).unwrap();
    assert_eq!(input, value::Value::object());
}

#[test]
fn broken_forms_are_refused() {
    let deep = format!("Action=GetUser&Version=2010-05-08&{}=1", "a.".repeat(1000));
    let many = format!("Action=GetUser&Version=2010-05-08{}", "&a=1".repeat(20_000));
    for (body, code) in [
        (b"Action=GetUser&UserName=%ff".to_vec(), "MalformedInput"),
        (b"\xff".to_vec(), "MalformedInput"),
        (deep.into_bytes(), "MalformedInput"),
        (many.into_bytes(), "MalformedInput"),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems=ten".to_vec(), "MalformedInput"),
        (b"".to_vec(), "MissingAction"),
    ] {
        let fault = refusal(&form(body));
        assert_eq!((fault.status(), &*fault.code), (400, code), "{}", fault.message);
    }
}

#[test]
fn unknown_operations_are_named_in_the_protocol_of_the_client() {
    let fault = refusal(&form("Action=Dance&Version=2010-05-08"));
    assert_eq!(&*fault.code, "InvalidAction");
    assert_eq!(fault.message, "Could not find operation Dance for version 2010-05-08");
    let answer = Answer::from(fault.render("id-1"));
    let get_user = model::service("iam").unwrap().operation("GetUser").unwrap();
    let err = client::output(get_user, &answer).unwrap_err();
    assert!(matches!(err, client::Error::Service { code, .. } if code == "InvalidAction"));

    for target in ["AWSStepFunctions.Dance", "Nobody.Dance", "Dance", ""] {
        let fault = refusal(&json(target, "{}"));
        assert_eq!(&*fault.code, "UnknownOperationException", "{target}");
        let body = fault.render("id-1").body;
        assert!(value::parse_bytes(&body).unwrap().get("__type").is_some());
    }
}

#[test]
fn text_survives_xml_whole() {
    let odd = "\u{1}tab\tline\nreturn\r<&>\"'日本\u{1F600}]]>";
    let iam = model::service("iam").unwrap();
    let get_user = iam.operation("GetUser").unwrap();
    let output = value::value!({"User": {"UserName": (odd)}});
    let answer = wire::answer(get_user, &output, "id-1").unwrap();
    let read = client::output(get_user, &Answer::from(answer)).unwrap();
    let expected = odd.replace('\u{1}', "\u{fffd}");
    assert_eq!(read.path(&["User", "UserName"]).unwrap().as_str(), Some(expected.as_str()));
}

#[test]
fn broken_answers_are_told_apart_from_refusals() {
    let operation = model::service("iam").unwrap().operation("GetUser").unwrap();
    let deep = "<a>".repeat(5_000);
    for body in ["", "<", "<a", "<a>", "<a></b>", "<!DOCTYPE a>", "<a>&x;</a>", "a<b/>", &deep] {
        let answer = Answer { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
        let err = client::output(operation, &answer).unwrap_err();
        assert!(matches!(err, client::Error::Answer { status: 200, .. }), "{body}: {err}");
    }
    let answer = Answer { status: 500, headers: Vec::new(), body: b"<html>".to_vec() };
    let err = client::output(operation, &answer).unwrap_err();
    assert!(matches!(err, client::Error::Answer { status: 500, .. }));
}
