//! CloudWatch Logs, and what state machines write there.

use runtime::ClockMode;
use services::{Error, Limits};
use value::{Value, value};

use super::server::{ACCOUNT, each, text};
use super::states_express::{Whole, whole_with};

const GROUP: &str = "/aws/vendedlogs/states/g";
const FAILS: &str = r#"{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"Boom","Cause":"c"}}}"#;
const PASSES: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
/// How often a test looks again before it gives up.
const LOOKS_MAX: usize = 20_000;

async fn server() -> Whole {
    let whole = whole_with(ClockMode::Virtual, Limits::default()).await;
    whole.ok("logs", "CreateLogGroup", value!({ "logGroupName": GROUP })).await;
    whole
}

fn configuration(level: &str, shows_data: bool, group: &str) -> Value {
    let arn = format!("arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}:*");
    value!({
        "level": level,
        "includeExecutionData": shows_data,
        "destinations": [{ "cloudWatchLogsLogGroup": { "logGroupArn": arn } }],
    })
}

async fn create(
    whole: &Whole,
    kind: &str,
    definition: &str,
    logging: Value,
) -> Result<Value, Error> {
    let input = value!({
        "name": "m", "type": kind, "definition": definition, "loggingConfiguration": logging,
        "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/r"),
    });
    whole.run("stepfunctions", "CreateStateMachine", input).await
}

/// Waits until the group holds an event of a type, and returns all messages.
async fn messages(whole: &Whole, last: &str) -> Vec<Value> {
    for _ in 0..LOOKS_MAX {
        let input = value!({ "logGroupName": GROUP });
        let found = whole.ok("logs", "FilterLogEvents", input).await;
        let messages: Vec<Value> = each(&found, "events", "message")
            .iter()
            .map(|message| value::parse(message).unwrap())
            .collect();
        if messages.last().is_some_and(|message| text(message, &["type"]) == last) {
            return messages;
        }
        tokio::task::yield_now().await;
    }
    panic!("{last} was never logged");
}

fn types(messages: &[Value]) -> Vec<String> {
    messages.iter().map(|message| text(message, &["type"])).collect()
}

#[tokio::test]
async fn a_standard_execution_logs_what_its_history_says() {
    let whole = server().await;
    create(&whole, "STANDARD", PASSES, configuration("ALL", true, GROUP)).await.unwrap();
    let started = whole.start("StartExecution", "m", r#"{"n":1}"#).await;
    let logged = messages(&whole, "ExecutionSucceeded").await;
    let expected =
        ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"];
    assert_eq!(types(&logged), expected);
    let exited = &logged[2];
    assert_eq!(text(exited, &["id"]), "3");
    assert_eq!(text(exited, &["previous_event_id"]), "2");
    assert_eq!(text(exited, &["redrive_count"]), "0");
    assert_eq!(text(exited, &["details", "output"]), r#"{"n":1}"#);
    assert_eq!(exited.get("execution_arn"), started.get("executionArn"));
}

#[tokio::test]
async fn an_express_execution_can_be_read_in_the_log() {
    let whole = server().await;
    create(&whole, "EXPRESS", FAILS, configuration("ALL", false, GROUP)).await.unwrap();
    let answer = whole.start("StartSyncExecution", "m", r#"{"n":1}"#).await;
    let logged = messages(&whole, "ExecutionFailed").await;
    assert_eq!(types(&logged), ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]);
    // Data is left out, causes are not.
    assert_eq!(logged[0].path(&["details", "input"]), None);
    assert_eq!(text(&logged[2], &["details", "error"]), "Boom");
    assert_eq!(logged[2].get("execution_arn"), answer.get("executionArn"));
}

#[tokio::test]
async fn a_level_leaves_the_rest_out() {
    for (level, expected) in
        [("ERROR", vec!["FailStateEntered", "ExecutionFailed"]), ("FATAL", vec!["ExecutionFailed"])]
    {
        let whole = server().await;
        create(&whole, "STANDARD", FAILS, configuration(level, true, GROUP)).await.unwrap();
        whole.start("StartExecution", "m", "{}").await;
        assert_eq!(types(&messages(&whole, "ExecutionFailed").await), expected);
    }
}

#[tokio::test]
async fn a_redrive_is_logged_and_counted() {
    let whole = server().await;
    create(&whole, "STANDARD", FAILS, configuration("ALL", true, GROUP)).await.unwrap();
    let started = whole.start("StartExecution", "m", "{}").await;
    assert_eq!(messages(&whole, "ExecutionFailed").await.len(), 3);
    let asked = value!({ "executionArn": started.get("executionArn") });
    whole.ok("stepfunctions", "RedriveExecution", asked).await;
    let found = whole.ok("logs", "FilterLogEvents", value!({ "logGroupName": GROUP })).await;
    let logged = each(&found, "events", "message");
    let logged: Vec<Value> = logged.iter().map(|row| value::parse(row).unwrap()).collect();
    let counted = |message: &Value| (text(message, &["type"]), text(message, &["redrive_count"]));
    let expected = [
        ("ExecutionStarted", "0"),
        ("FailStateEntered", "0"),
        ("ExecutionFailed", "0"),
        ("ExecutionRedriven", "1"),
        ("FailStateEntered", "1"),
        ("ExecutionFailed", "1"),
    ];
    let expected = expected.map(|(kind, count)| (kind.to_owned(), count.to_owned()));
    assert_eq!(logged.iter().map(counted).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_destination_must_be_there() {
    let whole = server().await;
    let refused = |logging: Value| create(&whole, "STANDARD", PASSES, logging);
    let err = refused(configuration("ALL", true, "/other")).await.unwrap_err();
    let text =
        "InvalidLoggingConfiguration: Invalid Logging Configuration: Log Destination not found.";
    assert_eq!(err.to_string(), text);
    let err = refused(value!({ "level": "ERROR" })).await.unwrap_err();
    assert!(err.message.ends_with("Must specify exactly one Log Destination."), "{err}");
    whole.ok("logs", "DeleteLogGroup", value!({ "logGroupName": GROUP })).await;
    let err = refused(configuration("OFF", true, GROUP)).await.unwrap_err();
    assert_eq!(err.code, "InvalidLoggingConfiguration");
}

#[tokio::test]
async fn events_are_read_page_by_page_from_either_end() {
    let whole = server().await;
    let stream = value!({ "logGroupName": GROUP, "logStreamName": "s" });
    whole.ok("logs", "CreateLogStream", stream.clone()).await;
    let now = whole.runtime.clock().now_millis();
    let events = (0..5).map(|n| value!({ "timestamp": now + n, "message": format!("m{n}") }));
    let put = stream.clone().with("logEvents", events.collect::<Value>());
    whole.ok("logs", "PutLogEvents", put).await;
    let get = async |input: Value| whole.ok("logs", "GetLogEvents", input).await;
    let two = stream.clone().with("limit", 2);
    let head = get(two.clone().with("startFromHead", true)).await;
    assert_eq!(each(&head, "events", "message"), ["m0", "m1"]);
    let next = two.clone().with("nextToken", text(&head, &["nextForwardToken"]));
    let next = get(next).await;
    assert_eq!(each(&next, "events", "message"), ["m2", "m3"]);
    let back = two.clone().with("nextToken", text(&next, &["nextBackwardToken"]));
    assert_eq!(each(&get(back).await, "events", "message"), ["m0", "m1"]);
    let tail = get(two.clone()).await;
    assert_eq!(each(&tail, "events", "message"), ["m3", "m4"]);
    let token = text(&tail, &["nextForwardToken"]);
    let end = get(two.clone().with("nextToken", &*token)).await;
    assert_eq!(each(&end, "events", "message"), Vec::<String>::new());
    assert_eq!(text(&end, &["nextForwardToken"]), token);
    let some = stream.with("startTime", now + 1).with("endTime", now + 3);
    assert_eq!(each(&get(some).await, "events", "message"), ["m1", "m2"]);
    let page = value!({ "logGroupName": GROUP, "filterPattern": "-m2", "limit": 3 });
    let page = whole.ok("logs", "FilterLogEvents", page).await;
    assert_eq!(each(&page, "events", "message"), ["m0", "m1", "m3"]);
    let rest = value!({
        "logGroupName": GROUP, "filterPattern": "-m2", "nextToken": text(&page, &["nextToken"]),
    });
    let rest = whole.ok("logs", "FilterLogEvents", rest).await;
    assert_eq!(each(&rest, "events", "message"), ["m4"]);
}

#[tokio::test]
async fn a_group_that_is_created_again_is_empty() {
    let whole = server().await;
    let group = value!({ "logGroupName": GROUP });
    let err = whole.run("logs", "CreateLogGroup", group.clone()).await.unwrap_err();
    assert_eq!(err.code, "ResourceAlreadyExistsException");
    create(&whole, "STANDARD", PASSES, configuration("ALL", true, GROUP)).await.unwrap();
    whole.start("StartExecution", "m", "{}").await;
    messages(&whole, "ExecutionSucceeded").await;
    whole.ok("logs", "PutRetentionPolicy", group.clone().with("retentionInDays", 7)).await;
    let listed = whole.ok("logs", "DescribeLogGroups", Value::object()).await;
    assert_eq!(each(&listed, "logGroups", "logGroupName"), [GROUP]);
    let shown = &listed.get("logGroups").and_then(Value::as_array).unwrap()[0];
    assert_eq!(shown.get("retentionInDays"), Some(&value!(7)));
    let streams = whole.ok("logs", "DescribeLogStreams", group.clone()).await;
    let names = each(&streams, "logStreams", "logStreamName");
    assert!(names[0].starts_with("states/m/"), "{names:?}");
    whole.ok("logs", "DeleteLogGroup", group.clone()).await;
    let err = whole.run("logs", "FilterLogEvents", group.clone()).await.unwrap_err();
    assert_eq!(err.code, "ResourceNotFoundException");
    whole.runtime.clock().advance(1_000);
    whole.ok("logs", "CreateLogGroup", group.clone()).await;
    let found = whole.ok("logs", "FilterLogEvents", group).await;
    assert_eq!(found.get("events"), Some(&value!([])));
}

#[tokio::test]
async fn reading_a_log_needs_its_permission() {
    let whole = server().await;
    whole.ok("iam", "CreateUser", value!({ "UserName": "u" })).await;
    let key = whole.ok("iam", "CreateAccessKey", value!({ "UserName": "u" })).await;
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let found =
        whole.services.store().read(|store| services::iam::find_access_key(store, &id)).unwrap();
    let user = found.unwrap().principal;
    let read = async || {
        let input = value!({ "logGroupName": GROUP });
        whole.run_as(user.clone(), "logs", "FilterLogEvents", input).await
    };
    assert_eq!(read().await.unwrap_err().code, "AccessDeniedException");
    let policy = value!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "logs:FilterLogEvents",
        "Resource": format!("arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}:*"),
    }});
    let grant =
        value!({ "UserName": "u", "PolicyName": "p", "PolicyDocument": policy.to_string() });
    whole.ok("iam", "PutUserPolicy", grant).await;
    assert!(read().await.is_ok());
}
