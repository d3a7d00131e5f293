//! What a client writes the server reads, and the other way round, for every operation.

use value::Value;
use wire::client::{self, Answer};
use wire::model::{self, Operation};

use crate::sample;

const NOW_MILLIS: i64 = 1_700_000_000_000;
/// The services Stepwell serves, and one or more of every protocol.
const SERVICES: [&str; 16] = [
    "iam",
    "sts",
    "ssm",
    "stepfunctions",
    "events",
    "cloudformation",
    "scheduler",
    "lambda",
    "sqs",
    "sns",
    "dynamodb",
    "logs",
    "xray",
    "ec2",
    "s3",
    "route53",
];

fn operations() -> impl Iterator<Item = Operation> {
    SERVICES.into_iter().filter_map(model::service).flat_map(model::Service::operations)
}

/// Two generations of one operation share a path, hosts tell others apart, and answers have
/// headers with a common prefix, which are not written.
const ODD: [&str; 8] = [
    "ListDirectoryBuckets",
    "WriteGetObjectResponse",
    "PutBucketLifecycle",
    "GetBucketLifecycle",
    "PutBucketNotification",
    "GetBucketNotification",
    "GetObject",
    "HeadObject",
];

/// Whether S3's own rules (virtual hosts, streams) keep an operation out.
fn is_odd(operation: Operation) -> bool {
    let streams = |shape: Option<model::Shape>| {
        shape.and_then(|shape| shape.payload()).is_some_and(|it| it.shape().is_streaming())
    };
    streams(operation.output())
        || operation.service().name() == "s3" && ODD.contains(&operation.name())
}

fn without_status(operation: Operation, mut read: Value) -> Value {
    let members =
        operation.output().into_iter().flat_map(|shape| shape.members().collect::<Vec<_>>());
    for member in members.filter(|member| member.location() == Some("statusCode")) {
        read.object_mut().remove(member.name());
    }
    read
}

#[test]
fn the_server_reads_what_a_client_writes() {
    let mut wrong = Vec::new();
    for operation in operations().filter(|operation| !is_odd(*operation)) {
        let (service, name) = (operation.service(), operation.name());
        let shape = operation.input();
        let input = shape.and_then(|shape| sample::value_of(&shape, 0));
        let input = input.unwrap_or_else(Value::object);
        let mut request = client::request(operation, &input).unwrap();
        request.headers.push(("host".into(), "localhost:4566".into()));
        let scope = ("us-east-1", service.signing_name());
        wire::sigv4::sign(&mut request, "AKIAEXAMPLE", "secret", Some("token"), scope, NOW_MILLIS);
        let routed = match wire::route(&request) {
            Ok(routed) => routed,
            Err(fault) => {
                wrong.push(format!("{}:{name} is not routed: {}", service.name(), fault.message));
                continue;
            }
        };
        if routed.operation.name() != name || routed.operation.service().name() != service.name() {
            wrong.push(format!("{}:{name} goes to {}", service.name(), routed.operation.name()));
            continue;
        }
        match routed.input(&request) {
            Ok(read) if read == input => {}
            Ok(read) => wrong.push(format!("{}:{name}\n  {input}\n  {read}", service.name())),
            Err(fault) => wrong.push(format!("{}:{name}: {}", service.name(), fault.message)),
        }
        let signed = wire::sigv4::parse(&request, &routed.face).unwrap().unwrap();
        assert_eq!(signed.session_token.as_deref(), Some("token"));
        let scope = service.signing_name();
        let now = (NOW_MILLIS, wire::sigv4::SKEW_SECONDS);
        signed.check(&request, scope, now, &routed.face).unwrap();
        signed.verify(&request, "secret", &routed.face).unwrap();
        let forged = signed.verify(&request, "other", &routed.face);
        assert!(forged.is_err(), "{name}");
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_client_reads_what_the_server_writes() {
    let mut wrong = Vec::new();
    for operation in operations().filter(|operation| !is_odd(*operation)) {
        let (service, name) = (operation.service().name(), operation.name());
        let shape = operation.output();
        // Streams of events and headers with a common prefix are not served.
        let output = shape.and_then(|shape| sample::value_of(&shape, 0));
        let output = output.unwrap_or_else(Value::object);
        let answer = wire::answer(operation, &output, "request-1").unwrap();
        let ids: Vec<_> =
            answer.headers.iter().filter(|(name, _)| *name == "x-amzn-requestid").collect();
        assert_eq!(ids.len(), 1, "{service}:{name}");
        let read = client::output(operation, &Answer::from(answer));
        match read.map(|read| without_status(operation, read)) {
            Ok(read) if read == output => {}
            Ok(read) => wrong.push(format!("{service}:{name}\n  {output}\n  {read}")),
            Err(err) => wrong.push(format!("{service}:{name}: {err}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_modelled_error_is_read_back_by_its_code() {
    for service in SERVICES.into_iter().filter_map(model::service) {
        let face = wire::Face::of(service);
        for error in service.operations().flat_map(|it| it.errors().collect::<Vec<_>>()) {
            let fault = face.fault(400, error.code(), "no <such> thing: 日本");
            let answer = Answer::from(fault.render("request-1"));
            assert_eq!(Some(answer.status), error.status().or(Some(400)));
            let operation = service.operations().next().unwrap();
            let client::Error::Service { code, message, request_id, .. } =
                client::output(operation, &answer).unwrap_err()
            else {
                panic!("{}: {}", service.name(), error.code());
            };
            assert!(code == error.code() || code == error.class(), "{code}");
            assert_eq!(message, "no <such> thing: 日本");
            assert_eq!(request_id.as_deref(), Some("request-1"));
        }
    }
}
