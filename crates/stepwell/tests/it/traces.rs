//! Traces, as a collector gets them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use value::{Value, value};

use super::server::{Server, program, text};

/// A collector: what it was sent comes out of the channel.
fn collector() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(message) = read(&mut stream) {
                    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                    stream.get_mut().write_all(answer.as_bytes()).unwrap();
                    sender.send(message).unwrap();
                }
            });
        }
    });
    (address, received)
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).ok().filter(|bytes| 0 < *bytes)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        match line.trim().split_once(": ") {
            Some((name, text)) if name.eq_ignore_ascii_case("content-length") => {
                length = text.parse().unwrap();
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((first, value::parse_bytes(&body).unwrap()))
}

fn spans(message: &Value) -> Vec<Value> {
    let scopes = |item: &Value, name: &str| -> Vec<Value> {
        item.get(name).and_then(Value::as_array).unwrap().to_vec()
    };
    let resources = scopes(message, "resourceSpans");
    let scopes_of_all = resources.iter().flat_map(|resource| scopes(resource, "scopeSpans"));
    scopes_of_all.flat_map(|scope| scopes(&scope, "spans")).collect()
}

#[test]
fn a_request_is_a_span_of_the_trace_that_its_caller_began() {
    let (address, received) = collector();
    let server = Server::start(&["--memory", "--otlp", &address], &[]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let body = "Action=CreateUser&Version=2010-05-08&UserName=kim";
    let mut stream = TcpStream::connect(server.endpoint.trim_start_matches("http://")).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\nx-amz-date: 20260101T000000Z\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0\r\n\
         traceparent: 00-{trace}-00f067aa0ba902b7-01\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("200 OK"), "{answer}");
    server.ok("iam", "GetUser", value!({"UserName": "kim"}));
    // What waits is sent before the end.
    server.signal("TERM");
    let (status, _) = server.ended();
    assert!(status.success());
    let mut all = Vec::new();
    while let Ok((first, message)) = received.recv_timeout(Duration::from_secs(2)) {
        assert!(first.starts_with("POST /v1/traces "), "{first}");
        all.extend(spans(&message));
        if all.len() == 2 {
            break;
        }
    }
    let names: Vec<String> = all.iter().map(|span| text(span, &["name"])).collect();
    assert_eq!(names, ["iam.CreateUser", "iam.GetUser"]);
    assert_eq!(text(&all[0], &["traceId"]), trace);
    assert_eq!(text(&all[0], &["parentSpanId"]), "00f067aa0ba902b7");
    assert_ne!(text(&all[1], &["traceId"]), trace);
    assert!(!all[0].to_string().contains("kim"), "what was in the request stays here");
}

#[test]
fn a_collector_that_is_not_there_costs_spans_and_nothing_else() {
    let server = Server::start(&["--memory", "--otlp", "http://127.0.0.1:1"], &[]);
    server.ok("iam", "CreateUser", value!({"UserName": "kim"}));
    let began = std::time::Instant::now();
    while !server.metrics().contains("stepwell_spans_total{outcome=\"dropped\"} 1") {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(50));
    }
    server.signal("TERM");
    let (status, log) = server.ended();
    assert!(status.success() && log.contains("the collector takes no spans"), "{log}");
    let wrong = program().args(["up", "--memory", "--otlp", "ftp://x"]).output().unwrap();
    assert!(!wrong.status.success());
}

/// An execution that outlives its server is told whole by the next one, in the trace that whoever
/// started it has named.
#[test]
fn an_execution_has_its_spans_after_a_kill_too() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().display().to_string();
    let (address, received) = collector();
    let arguments = ["--data", &*data, "--otlp", &*address];
    let server = Server::start(&arguments, &[]);
    let machine = server.machine(
        "told",
        "STANDARD",
        r#"{"StartAt": "Look", "QueryLanguage": "JSONata", "States": {
            "Look": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
                "Arguments": {"UserName": "kim"}, "Next": "Pause",
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Pause"}]},
            "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Done"},
            "Done": {"Type": "Succeed"}}}"#,
    );
    let started = server.ok(
        "stepfunctions",
        "StartExecution",
        value!({
            "stateMachineArn": &machine,
            "traceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
        }),
    );
    server.signal("KILL");
    server.ended();
    let _server = Server::start(&arguments, &[]);
    let arn = text(&started, &["executionArn"]);
    let told = std::iter::from_fn(|| received.recv_timeout(Duration::from_secs(20)).ok())
        .map(|(_, message)| spans(&message))
        .find(|spans| spans.iter().any(|span| text(span, &["name"]) == "told"))
        .unwrap();
    let told: Vec<Value> =
        told.into_iter().filter(|span| !text(span, &["name"]).contains("StateMachine")).collect();
    let named = |name: &str| {
        let found = told.iter().find(|span| text(span, &["name"]) == name);
        found.unwrap_or_else(|| panic!("no span {name}: {told:?}"))
    };
    let root = named("told");
    assert_eq!(text(root, &["parentSpanId"]), "53995c3f42cd8ad8");
    assert!(root.to_string().contains(&arn) && root.to_string().contains(&machine), "{root}");
    for (name, parent) in
        [("Look", "told"), ("iam.getUser", "Look"), ("Pause", "told"), ("Done", "told")]
    {
        let (span, parent) = (named(name), named(parent));
        assert_eq!(text(span, &["parentSpanId"]), text(parent, &["spanId"]), "{name}");
        assert_eq!(text(span, &["traceId"]), "5759e988bd862e3fe1be46a994272793");
        let times = ["startTimeUnixNano", "endTimeUnixNano"].map(|member| {
            let of = |span| text(span, &[member]).parse::<u128>().unwrap();
            (of(parent), of(span))
        });
        assert!(times[0].0 <= times[0].1 && times[1].1 <= times[1].0, "{name}: {times:?}");
    }
    // Nobody may look: that is the error of the task, and the state went on.
    assert!(named("iam.getUser").path(&["status", "code"]).is_some());
    assert!(named("Look").get("status").is_none() && root.get("status").is_none());
    assert!(!root.to_string().contains("kim"));
}

/// An execution that another one starts belongs to the trace of that one.
#[test]
fn a_nested_execution_is_in_the_trace_of_the_one_that_starts_it() {
    let (address, received) = collector();
    let server = Server::start(&["--memory", "--otlp", &*address], &[]);
    let inner = server.machine(
        "inner",
        "STANDARD",
        r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#,
    );
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let grant = value!({"RoleName": "machine", "PolicyName": "all", "PolicyDocument": policy});
    server.ok("iam", "PutRolePolicy", grant);
    let outer = server.machine(
        "outer",
        "STANDARD",
        &format!(
            r#"{{"StartAt": "B", "States": {{"B": {{"Type": "Task", "End": true,
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Parameters": {{"StateMachineArn": "{inner}"}}}}}}}}"#
        ),
    );
    server.ok("stepfunctions", "StartExecution", value!({"stateMachineArn": outer}));
    let mut all: Vec<Value> = Vec::new();
    let named =
        |all: &[Value], name: &str| all.iter().find(|span| text(span, &["name"]) == name).cloned();
    while named(&all, "outer").is_none() || named(&all, "inner").is_none() {
        let (_, message) = received.recv_timeout(Duration::from_secs(20)).unwrap();
        all.extend(spans(&message));
    }
    let of = |name: &str| named(&all, name).unwrap_or_else(|| panic!("no span {name}: {all:?}"));
    let (start, outer, inner) = (of("stepfunctions.StartExecution"), of("outer"), of("inner"));
    assert_eq!(text(&outer, &["parentSpanId"]), text(&start, &["spanId"]));
    assert_eq!(text(&inner, &["parentSpanId"]), text(&outer, &["spanId"]));
    assert_eq!(text(&inner, &["traceId"]), text(&start, &["traceId"]));
    assert_eq!(
        text(&of("states.startExecution.sync:2"), &["parentSpanId"]),
        text(&of("B"), &["spanId"])
    );
}
