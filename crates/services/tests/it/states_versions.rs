//! Versions and aliases of state machines.

use runtime::ClockMode;
use services::{Error, Limits, iam};
use value::{Value, value};

use super::server::{ACCOUNT, each, text};
use super::states_express::{Whole, machine_arn, whole_with};

const EXECUTIONS_DRAWN: usize = 60;

fn pass(comment: &str) -> String {
    let state = value!({ "Type": "Pass", "Result": comment, "End": true });
    value!({ "Comment": comment, "StartAt": "P", "States": { "P": state } }).to_string()
}

async fn server() -> Whole {
    whole_with(ClockMode::Virtual, Limits::default()).await
}

impl Whole {
    async fn states(&self, name: &str, input: Value) -> Result<Value, Error> {
        self.run("stepfunctions", name, input).await
    }

    async fn does(&self, name: &str, input: Value) -> Value {
        self.ok("stepfunctions", name, input).await
    }

    /// Creates a machine and publishes so many versions of it.
    async fn published(&self, name: &str, kind: &str, versions: usize) -> String {
        self.create(name, kind, &pass("v1")).await.unwrap();
        let arn = machine_arn(name);
        for number in 1..=versions {
            let definition = pass(&format!("v{number}"));
            let input =
                value!({ "stateMachineArn": &arn, "definition": definition, "publish": true });
            let answer = self.does("UpdateStateMachine", input).await;
            assert_eq!(text(&answer, &["stateMachineVersionArn"]), format!("{arn}:{number}"));
        }
        arn
    }

    async fn alias(&self, name: &str, routes: &[(String, i64)]) -> Result<Value, Error> {
        let routes = routes
            .iter()
            .map(|(arn, weight)| value!({ "stateMachineVersionArn": arn, "weight": *weight }));
        let routes: Value = routes.collect();
        let input = value!({ "name": name, "routingConfiguration": routes });
        self.states("CreateStateMachineAlias", input).await
    }

    /// Starts an execution and returns its description once it has ended.
    async fn ran(&self, arn: &str) -> Value {
        let started = self.does("StartExecution", value!({ "stateMachineArn": arn })).await;
        let execution = value!({ "executionArn": text(&started, &["executionArn"]) });
        loop {
            let described = self.does("DescribeExecution", execution.clone()).await;
            if text(&described, &["status"]) != "RUNNING" {
                return described;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_version_stays_what_it_was() {
    let whole = server().await;
    let arn = whole.published("m", "STANDARD", 2).await;
    let first = whole.ran(&format!("{arn}:1")).await;
    assert_eq!(text(&first, &["output"]), r#""v1""#);
    assert_eq!(text(&first, &["stateMachineVersionArn"]), format!("{arn}:1"));
    assert_eq!(text(&first, &["stateMachineArn"]), arn);
    let now = whole.ran(&arn).await;
    assert_eq!(text(&now, &["output"]), r#""v2""#);
    assert_eq!(now.get("stateMachineVersionArn"), None);
    let execution = value!({ "executionArn": text(&first, &["executionArn"]) });
    let machine = whole.does("DescribeStateMachineForExecution", execution).await;
    assert_eq!(text(&machine, &["definition"]), pass("v1"));
    let listed =
        whole.does("ListExecutions", value!({ "stateMachineArn": format!("{arn}:1") })).await;
    assert_eq!(each(&listed, "executions", "executionArn"), [text(&first, &["executionArn"])]);
    let missing = value!({ "stateMachineArn": format!("{arn}:3") });
    let err = whole.states("StartExecution", missing).await.unwrap_err();
    assert_eq!(err.code, "StateMachineDoesNotExist");
}

#[tokio::test]
async fn numbers_are_never_given_again() {
    let whole = server().await;
    let arn = whole.published("m", "STANDARD", 2).await;
    let second = value!({ "stateMachineVersionArn": format!("{arn}:2") });
    whole.does("DeleteStateMachineVersion", second).await;
    let machine = value!({ "stateMachineArn": &arn });
    let third = whole.does("PublishStateMachineVersion", machine.clone()).await;
    assert_eq!(text(&third, &["stateMachineVersionArn"]), format!("{arn}:3"));
    let again = whole.does("PublishStateMachineVersion", machine.clone()).await;
    assert_eq!(again, third);
    let listed = whole.does("ListStateMachineVersions", machine.clone()).await;
    let arns = each(&listed, "stateMachineVersions", "stateMachineVersionArn");
    assert_eq!(arns, [format!("{arn}:3"), format!("{arn}:1")]);
    let stale = machine.clone().with("revisionId", "INITIAL");
    let err = whole.states("PublishStateMachineVersion", stale).await.unwrap_err();
    assert_eq!(err.code, "ConflictException");
    whole.does("DeleteStateMachine", machine.clone()).await;
    let listed = whole.does("ListStateMachineVersions", machine).await;
    assert_eq!(listed.get("stateMachineVersions").unwrap(), &value!([]));
}

#[tokio::test]
async fn creating_with_a_version_is_idempotent() {
    let whole = server().await;
    let input = value!({
        "name": "m", "definition": pass("v1"), "publish": true, "versionDescription": "first",
        "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/r"),
    });
    let created = whole.does("CreateStateMachine", input.clone()).await;
    assert_eq!(text(&created, &["stateMachineVersionArn"]), format!("{}:1", machine_arn("m")));
    assert_eq!(whole.does("CreateStateMachine", input.clone()).await, created);
    for other in [input.clone().with("versionDescription", "x"), input.with("publish", false)] {
        let err = whole.states("CreateStateMachine", other).await.unwrap_err();
        assert!(matches!(&*err.code, "StateMachineAlreadyExists" | "ValidationException"), "{err}");
    }
}

#[tokio::test]
async fn an_alias_draws_between_its_versions() {
    let whole = server().await;
    let arn = whole.published("m", "STANDARD", 2).await;
    let (one, two) = (format!("{arn}:1"), format!("{arn}:2"));
    let created = whole.alias("prod", &[(one.clone(), 50), (two.clone(), 50)]).await.unwrap();
    let alias = text(&created, &["stateMachineAliasArn"]);
    assert_eq!(alias, format!("{arn}:prod"));
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..EXECUTIONS_DRAWN {
        let ran = whole.ran(&alias).await;
        assert_eq!(text(&ran, &["stateMachineAliasArn"]), alias);
        let version = text(&ran, &["stateMachineVersionArn"]);
        let expected = if version == one { r#""v1""# } else { r#""v2""# };
        assert_eq!(text(&ran, &["output"]), expected);
        seen.insert(version);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [one.clone(), two.clone()]);
    let all = value!({ "stateMachineAliasArn": &alias })
        .with("routingConfiguration", value!([{ "stateMachineVersionArn": &two, "weight": 100 }]));
    whole.does("UpdateStateMachineAlias", all).await;
    for _ in 0..10 {
        let version = text(&whole.ran(&alias).await, &["stateMachineVersionArn"]);
        assert_eq!(version, two);
    }
    whole.does("DeleteStateMachineVersion", value!({ "stateMachineVersionArn": &one })).await;
    let used = value!({ "stateMachineVersionArn": &two });
    let err = whole.states("DeleteStateMachineVersion", used).await.unwrap_err();
    assert!(err.message.ends_with("referencing this version: [prod]"), "{err}");
}

#[tokio::test]
async fn aliases_are_listed_by_version_and_die_with_the_machine() {
    let whole = server().await;
    let arn = whole.published("m", "EXPRESS", 2).await;
    let (one, two) = (format!("{arn}:1"), format!("{arn}:2"));
    whole.alias("a", &[(one.clone(), 100)]).await.unwrap();
    whole.alias("b", &[(one.clone(), 10), (two.clone(), 90)]).await.unwrap();
    let err = whole.alias("c", &[(one, 10), (format!("{arn}:7"), 90)]).await.unwrap_err();
    assert_eq!(err.code, "ResourceNotFound");
    let of = |arn: &str| value!({ "stateMachineArn": arn });
    let list = "stateMachineAliases";
    let listed = whole.does("ListStateMachineAliases", of(&arn)).await;
    assert_eq!(
        each(&listed, list, "stateMachineAliasArn"),
        [format!("{arn}:a"), format!("{arn}:b")]
    );
    let listed = whole.does("ListStateMachineAliases", of(&two)).await;
    assert_eq!(each(&listed, list, "stateMachineAliasArn"), [format!("{arn}:b")]);
    let answer = whole.does("StartSyncExecution", of(&format!("{arn}:a"))).await;
    assert_eq!(text(&answer, &["output"]), r#""v1""#);
    whole.does("DeleteStateMachine", of(&arn)).await;
    let gone = value!({ "stateMachineAliasArn": format!("{arn}:a") });
    let err = whole.states("DescribeStateMachineAlias", gone).await.unwrap_err();
    assert_eq!(err.code, "ResourceNotFound");
}

#[tokio::test]
async fn a_qualifier_can_be_what_a_policy_asks_for() {
    let whole = server().await;
    let arn = whole.published("m", "STANDARD", 2).await;
    whole.ok("iam", "CreateUser", value!({ "UserName": "bob" })).await;
    let policy = value!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "states:StartExecution", "Resource": &arn,
        "Condition": { "StringEquals": { "states:StateMachineQualifier": "1" } },
    }});
    let grant =
        value!({ "UserName": "bob", "PolicyName": "p", "PolicyDocument": policy.to_string() });
    whole.ok("iam", "PutUserPolicy", grant).await;
    let key = whole.ok("iam", "CreateAccessKey", value!({ "UserName": "bob" })).await;
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let found = whole.services.store().read(|store| iam::find_access_key(store, &id)).unwrap();
    let bob = found.unwrap().principal;
    for (suffix, allowed) in [(":1", true), (":2", false), ("", false)] {
        let input = value!({ "stateMachineArn": format!("{arn}{suffix}") });
        let answered = whole.run_as(bob.clone(), "stepfunctions", "StartExecution", input).await;
        assert_eq!(answered.is_ok(), allowed, "{suffix}: {answered:?}");
    }
}

#[tokio::test]
async fn a_machine_is_deleting_until_its_executions_have_ended() {
    let whole = whole_with(ClockMode::Real, Limits::default()).await;
    let waits = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"End":true}}}"#;
    whole.create("m", "STANDARD", waits).await.unwrap();
    let machine = value!({ "stateMachineArn": machine_arn("m") });
    let started = whole.does("StartExecution", machine.clone()).await;
    whole.does("DeleteStateMachine", machine.clone()).await;
    let described = whole.does("DescribeStateMachine", machine.clone()).await;
    assert_eq!(text(&described, &["status"]), "DELETING");
    for (operation, input) in [
        ("StartExecution", machine.clone()),
        ("PublishStateMachineVersion", machine.clone()),
        ("UpdateStateMachine", machine.clone().with("definition", pass("v"))),
    ] {
        let err = whole.states(operation, input).await.unwrap_err();
        assert_eq!(err.code, "StateMachineDeleting", "{operation}");
    }
    assert_eq!(
        whole.create("m", "STANDARD", waits).await.unwrap_err().code,
        "StateMachineDeleting"
    );
    let execution = value!({ "executionArn": text(&started, &["executionArn"]) });
    whole.does("StopExecution", execution).await;
    let err = whole.states("DescribeStateMachine", machine.clone()).await.unwrap_err();
    assert_eq!(err.code, "StateMachineDoesNotExist");
    let err = whole.states("StartExecution", machine.clone()).await.unwrap_err();
    assert_eq!(err.code, "StateMachineDoesNotExist");
    let listed = whole.does("ListStateMachines", Value::object()).await;
    assert_eq!(listed.get("stateMachines"), Some(&value!([])));
    whole.create("m", "STANDARD", &pass("new")).await.unwrap();
    assert_eq!(text(&whole.does("DescribeStateMachine", machine).await, &["status"]), "ACTIVE");
}
