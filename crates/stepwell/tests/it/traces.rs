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
