//! The log: one object per line, with what belongs to a request, and without a secret.

use value::{Value, value};

use super::server::{ACCOUNT, Server, call, text};

fn lines(log: &str) -> Vec<Value> {
    log.lines()
        .map(|line| value::parse(line).unwrap_or_else(|err| panic!("{err}: {line}")))
        .collect()
}

#[test]
fn the_most_talkative_log_holds_no_secret() {
    let server = Server::start(&["--memory", "--log-format", "json"], &[("STEPWELL_LOG", "trace")]);
    let password = "correct-Horse-7-battery";
    server.ok("iam", "CreateUser", value!({"UserName": "kim"}));
    server.ok("iam", "CreateLoginProfile", value!({"UserName": "kim", "Password": password}));
    let key = server.ok("iam", "CreateAccessKey", value!({"UserName": "kim"}));
    let (id, secret) =
        (text(&key, &["AccessKey", "AccessKeyId"]), text(&key, &["AccessKey", "SecretAccessKey"]));
    let kim = server.client_with(&id, &secret, None);
    let session = call(&kim, "sts", "GetSessionToken", value!({})).unwrap();
    let token = text(&session, &["Credentials", "SessionToken"]);
    let session_secret = text(&session, &["Credentials", "SecretAccessKey"]);
    let session_id = text(&session, &["Credentials", "AccessKeyId"]);
    let in_session = server.client_with(&session_id, &session_secret, Some(&token));
    call(&in_session, "sts", "GetCallerIdentity", value!({})).unwrap();
    let new_password = "another-Horse-8-battery";
    let change = value!({"OldPassword": password, "NewPassword": new_password});
    assert!(call(&kim, "iam", "ChangePassword", change).is_err(), "nothing allows it");
    let device = value!({"VirtualMFADeviceName": "phone"});
    let device = server.ok("iam", "CreateVirtualMFADevice", device);
    let seed = text(&device, &["VirtualMFADevice", "Base32StringSeed"]);
    let enable = value!({
        "UserName": "kim",
        "SerialNumber": text(&device, &["VirtualMFADevice", "SerialNumber"]),
        "AuthenticationCode1": "123456",
        "AuthenticationCode2": "654321",
    });
    assert!(call(&server.client(), "iam", "EnableMFADevice", enable).is_err());
    let wrong = server.client_with(&id, "a-secret-that-does-not-fit", None);
    assert!(call(&wrong, "sts", "GetCallerIdentity", value!({})).is_err());
    server.signal("TERM");
    let (status, log) = server.ended();
    assert!(status.success());
    for secret in [&*secret, &token, &session_secret, password, new_password, &seed] {
        assert!(!secret.is_empty() && !log.contains(secret), "{secret} stands in the log");
    }
    assert!(log.contains(&id) || log.contains("kim"), "the log says who called");
    let with_ids = lines(&log).iter().filter(|line| line.get("request_id").is_some()).count();
    assert!(9 <= with_ids, "every request has a line:\n{log}");
}

#[test]
fn the_life_of_a_server_is_logged_from_its_start_to_its_end() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let start = || {
        let environment = [("STEPWELL_LOG", "info"), ("STEPWELL_LOG_FORMAT", "json")];
        Server::start(&["--data", data], &environment)
    };
    let server = start();
    let machine = server.machine(
        "waits",
        "STANDARD",
        r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"End":true}}}"#,
    );
    server.ok("stepfunctions", "StartExecution", value!({"stateMachineArn": machine}));
    server.signal("TERM");
    server.ended();
    let server = start();
    assert!(server.metrics().contains("\nstepwell_executions_open 1\n"));
    server.signal("INT");
    let (status, log) = server.ended();
    assert!(status.success());
    let lines = lines(&log);
    let said: Vec<&str> =
        lines.iter().map(|line| line.get("message").and_then(Value::as_str).unwrap()).collect();
    let wanted =
        ["starting", "recovered what was running", "listening", "shutdown begun", "shutdown ended"];
    assert_eq!(said, wanted, "{log}");
    assert_eq!(lines[1].get("processes_waiting").and_then(Value::as_i64), Some(1), "{log}");
    assert_eq!(lines[4].get("requests_drained").and_then(Value::as_i64), Some(0), "{log}");
}

#[test]
fn a_refusal_says_which_request_and_which_execution_it_was_about() {
    let environment = [("STEPWELL_LOG", "debug"), ("STEPWELL_LOG_FORMAT", "json")];
    let server = Server::start(&["--memory"], &environment);
    server.ok("iam", "CreateUser", value!({"UserName": "kim"}));
    let key = server.ok("iam", "CreateAccessKey", value!({"UserName": "kim"}));
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let secret = text(&key, &["AccessKey", "SecretAccessKey"]);
    let execution = format!("arn:aws:states:us-east-1:{ACCOUNT}:execution:m:e");
    let stop = value!({"executionArn": &execution});
    let kim = server.client_with(&id, &secret, None);
    assert!(call(&kim, "stepfunctions", "StopExecution", stop).is_err());
    server.signal("TERM");
    let (_, log) = server.ended();
    let lines = lines(&log);
    let refusal = lines.iter().find(|line| line.get("decision").is_some()).expect(&log);
    assert_eq!(refusal.get("execution").and_then(Value::as_str), Some(&*execution), "{log}");
    assert!(refusal.get("request_id").is_some(), "{log}");
}
