//! A server that is told to stop lets requests under way end, but not for ever.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use value::{Value, value};

use super::server::{Server, call};

fn waits(seconds: u64) -> String {
    format!(
        r#"{{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":{seconds},"End":true}}}}}}"#
    )
}

/// Starts a request that takes so long, and waits until the server has it.
fn slow_request(server: &Server, seconds: u64) -> std::thread::JoinHandle<Option<Value>> {
    let machine = server.machine("slow", "EXPRESS", &waits(seconds));
    let client = server.client();
    let input = value!({"stateMachineArn": machine});
    let answer = std::thread::spawn(move || {
        call(&client, "stepfunctions", "StartSyncExecution", input).ok()
    });
    let began = Instant::now();
    while !server.metrics().contains("stepwell_http_requests_under_way 1") {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(10));
    }
    answer
}

#[test]
fn a_request_under_way_is_answered_and_nobody_else_is_let_in() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let environment = [("STEPWELL_LOG", "info"), ("STEPWELL_LOG_FORMAT", "json")];
    let server = Server::start(&["--data", data], &environment);
    let (host, answer) =
        (server.endpoint.trim_start_matches("http://").to_owned(), slow_request(&server, 2));
    server.signal("TERM");
    let began = Instant::now();
    while TcpStream::connect(&host).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(1), "still accepting");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!answer.is_finished(), "it should still be under way");
    let answer = answer.join().unwrap().expect("the request was cut off");
    assert_eq!(answer.get("status").and_then(Value::as_str), Some("SUCCEEDED"));
    let (status, log) = server.ended();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("\"requests_drained\":1,\"cut_off\":0"), "{log}");
}

#[test]
fn what_takes_longer_than_the_drain_is_cut_off() {
    let server = Server::start(&["--memory", "--drain-seconds", "1"], &[]);
    let answer = slow_request(&server, 60);
    let began = Instant::now();
    server.signal("TERM");
    let (status, log) = server.ended();
    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(log.contains("requests were still under way"), "{log}");
    assert_eq!(answer.join().unwrap(), None);
}

#[test]
fn a_second_signal_ends_at_once() {
    let server = Server::start(&["--memory", "--drain-seconds", "60"], &[]);
    let answer = slow_request(&server, 60);
    server.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    server.signal("INT");
    let (status, _) = server.ended();
    assert_eq!(status.code(), Some(143));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(answer.join().unwrap(), None);
}
