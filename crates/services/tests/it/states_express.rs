//! Express executions, through the whole of the services on a virtual clock.

use std::sync::Arc;

use policy::Principal;
use runtime::{Clock, ClockMode, NoPeers, Node, Opened, Runtime};
use services::{
    AuthMode, Call, Endpoint, Error, Http, Limits, Origin, Reset, Services, Settings, iam,
    operations,
};
use store::{Read, Scan, Store, Table};
use value::{Value, value};

use super::server::{ACCOUNT, text};

const PASS: &str = r#"{"StartAt": "A", "States": {
    "A": {"Type": "Pass", "Result": {"Arg1": "argument1"}, "End": true}}}"#;

pub(crate) struct Whole {
    pub(crate) services: Arc<Services>,
    pub(crate) runtime: Runtime,
}

/// Starts a server with a role `r` that may do nothing.
pub(crate) async fn whole() -> Whole {
    whole_on(ClockMode::Virtual).await
}

pub(crate) async fn whole_on(mode: ClockMode) -> Whole {
    whole_with(mode, Limits::default()).await
}

pub(crate) async fn whole_with(mode: ClockMode, limits: Limits) -> Whole {
    whole_of(Store::memory(), mode, limits).await
}

pub(crate) async fn whole_of(store: Store, mode: ClockMode, limits: Limits) -> Whole {
    let opened = Opened::open(store, Clock::new(mode), Node::alone()).unwrap();
    let settings = Settings {
        account: ACCOUNT.into(),
        region: "us-east-1".into(),
        partition: "aws".into(),
        edition: automation::catalogue::Edition::default(),
        limits,
    };
    let http = Http { auth: AuthMode::Loopback, reset: Reset::Allowed };
    let runtime = opened.handle();
    let services = Services::new(settings, runtime.clone(), http);
    opened.start(Arc::new(Endpoint::new(services.clone())), Arc::new(NoPeers));
    let whole = Whole { services, runtime };
    let trust = super::server::trust(r#"{"Service": "states.amazonaws.com"}"#);
    whole
        .ok("iam", "CreateRole", value!({"RoleName": "r", "AssumeRolePolicyDocument": trust}))
        .await;
    whole
}

pub(crate) fn machine_arn(name: &str) -> String {
    format!("arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{name}")
}

impl Whole {
    pub(crate) async fn run_as(
        &self,
        principal: Principal,
        service: &'static str,
        name: &str,
        input: Value,
    ) -> Result<Value, Error> {
        let operation = operations(service).find(|known| known.name == name).unwrap();
        // As every request does.
        let _busy = self.runtime.clock().busy();
        let call = Call {
            settings: self.services.settings().clone(),
            region: "us-east-1".into(),
            request_id: "r".into(),
            now_millis: self.runtime.clock().now_millis(),
            principal: Arc::new(principal),
            from: Origin::Http { source_ip: "127.0.0.1".into(), user_agent: None },
            effect_id: None,
            nested_in: None,
            lease: None,
            process: None,
            trace: None,
            judgements: services::Judgements::default(),
        };
        self.services.dispatch(service, operation, call, input).await
    }

    pub(crate) async fn run(
        &self,
        service: &'static str,
        name: &str,
        input: Value,
    ) -> Result<Value, Error> {
        self.run_as(Principal::root(ACCOUNT), service, name, input).await
    }

    pub(crate) async fn ok(&self, service: &'static str, name: &str, input: Value) -> Value {
        self.run(service, name, input).await.unwrap_or_else(|err| panic!("{name}: {err}"))
    }

    pub(crate) async fn create(
        &self,
        name: &str,
        kind: &str,
        definition: &str,
    ) -> Result<Value, Error> {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/r");
        let input = value!({
            "name": name, "type": kind, "definition": definition, "roleArn": role,
        });
        self.run("stepfunctions", "CreateStateMachine", input).await
    }

    pub(crate) async fn start(&self, operation: &str, machine: &str, input: &str) -> Value {
        let asked = value!({"stateMachineArn": machine_arn(machine), "input": input});
        self.ok("stepfunctions", operation, asked).await
    }

    /// Creates an express machine and runs it once.
    pub(crate) async fn sync(&self, definition: &str, input: &str) -> Value {
        self.create("m", "EXPRESS", definition).await.unwrap();
        self.start("StartSyncExecution", "m", input).await
    }

    pub(crate) async fn allow(&self, statement: &str) {
        let document = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
        let policy = value!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": document});
        self.ok("iam", "PutRolePolicy", policy).await;
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> String {
        match self.run("stepfunctions", operation, input).await {
            Ok(answer) => panic!("{operation} answered {answer}"),
            Err(err) => err.to_string(),
        }
    }

    fn seconds(answer: &Value) -> f64 {
        let at = |member: &str| answer.get(member).and_then(Value::as_f64).unwrap();
        at("stopDate") - at("startDate")
    }
}

#[tokio::test]
async fn a_success_answers_as_recorded_and_touches_no_disk() {
    let whole = whole().await;
    let answer = whole.sync(PASS, r#"{ "n": 1 }"#).await;
    let (arn, name) = (text(&answer, &["executionArn"]), text(&answer, &["name"]));
    let start = format!("arn:aws:states:us-east-1:{ACCOUNT}:express:m:{name}:");
    assert!(arn.starts_with(&start) && arn.len() == start.len() + 36, "{arn}");
    let wanted = value!({
        "executionArn": arn, "name": name, "stateMachineArn": machine_arn("m"),
        "startDate": answer.get("startDate"), "stopDate": answer.get("stopDate"),
        "status": "SUCCEEDED",
        "input": "{ \"n\": 1 }", "inputDetails": {"included": true},
        "output": "{\"Arg1\":\"argument1\"}", "outputDetails": {"included": true},
        "billingDetails": {"billedDurationInMilliseconds": 100, "billedMemoryUsedInMB": 64},
    });
    assert_eq!(answer, wanted);
    let named = value!({
        "stateMachineArn": machine_arn("m"), "name": "n", "traceHeader": "Root=1-5",
        "includedData": "METADATA_ONLY",
    });
    let answer = whole.ok("stepfunctions", "StartSyncExecution", named).await;
    assert_eq!(text(&answer, &["traceHeader"]), "Root=1-5");
    assert_eq!((text(&answer, &["name"]).as_str(), answer.get("output")), ("n", None));
    let store = whole.services.store();
    for table in [Table::Executions, Table::ExecutionsByStart, Table::History, Table::Applied] {
        let rows = store.read(|tx: &dyn Read| tx.scan(table, Scan::prefix(""))).unwrap();
        assert_eq!(rows.len(), 0, "{table:?}");
    }
    let journalled = |shard| store.read(|tx| tx.journal(shard, 0, 1)).unwrap().len();
    assert_eq!((0..8).map(journalled).sum::<usize>(), 0);
}

#[tokio::test]
async fn a_failure_is_an_answer() {
    let fail = r#"{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "c"}}}"#;
    let answer = whole().await.sync(fail, "{}").await;
    let words = |member: &str| text(&answer, &[member]);
    assert_eq!((&*words("status"), &*words("error"), &*words("cause")), ("FAILED", "E", "c"));
    assert_eq!(answer.get("output"), None);
    assert_eq!(answer.get("outputDetails"), Some(&value!({"included": true})));
}

#[tokio::test]
async fn virtual_time_skips_waits_and_five_minutes_are_the_end() {
    let wait = |seconds: u32, more: &str| {
        format!(
            r#"{{{more} "StartAt": "W", "States": {{"W": {{"Type": "Wait", "Seconds": {seconds}, "End": true}}}}}}"#
        )
    };
    let short = whole().await.sync(&wait(10, ""), "{}").await;
    assert_eq!(text(&short, &["status"]), "SUCCEEDED");
    assert!((10.0..11.0).contains(&Whole::seconds(&short)), "{short}");
    let long = whole().await.sync(&wait(400, ""), "{}").await;
    assert_eq!(text(&long, &["status"]), "TIMED_OUT");
    assert_eq!(text(&long, &["error"]), "States.Timeout");
    assert!((300.0..301.0).contains(&Whole::seconds(&long)), "{long}");
    let whole = whole().await;
    let own = whole.sync(&wait(400, r#""TimeoutSeconds": 7,"#), "{}").await;
    assert!((7.0..8.0).contains(&Whole::seconds(&own)), "{own}");
    let billed = own.path(&["billingDetails", "billedDurationInMilliseconds"]).unwrap();
    assert!((7_000..=7_900).contains(&billed.as_i64().unwrap()), "{own}");
    assert_eq!(whole.runtime.timers_armed(), 0);
}

#[tokio::test]
async fn a_task_calls_as_the_role_and_no_more_than_that() {
    let look = r#"{"QueryLanguage": "JSONata", "StartAt": "L", "States": {"L": {"Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
        "Arguments": {"UserName": "{% $states.input.name %}"},
        "Output": "{% $states.result.User.UserName %}", "End": true}}}"#;
    let whole = whole().await;
    whole.ok("iam", "CreateUser", value!({"UserName": "ann"})).await;
    let denied = whole.sync(look, r#"{"name": "ann"}"#).await;
    assert_eq!(text(&denied, &["error"]), "Iam.IamException");
    let cause = text(&denied, &["cause"]);
    assert!(cause.contains("assumed-role/r/") && cause.contains("iam:GetUser"), "{cause}");
    whole.allow(r#"{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}"#).await;
    let answer = whole.start("StartSyncExecution", "m", r#"{"name": "ann"}"#).await;
    assert_eq!(text(&answer, &["output"]), "\"ann\"");
    let missing = whole.start("StartSyncExecution", "m", r#"{"name": "bob"}"#).await;
    assert_eq!(text(&missing, &["error"]), "Iam.NoSuchEntityException");
}

#[tokio::test]
async fn an_execution_runs_another_and_time_passes_in_the_inner_one() {
    let outer = format!(
        r#"{{"StartAt": "O", "States": {{"O": {{"Type": "Map", "ItemsPath": "$", "End": true,
        "ItemProcessor": {{"StartAt": "I", "States": {{"I": {{"Type": "Task", "End": true,
            "Resource": "arn:aws:states:::aws-sdk:sfn:startSyncExecution",
            "Parameters": {{"StateMachineArn": "{}", "Input.$": "States.JsonToString($)"}},
            "ResultPath": "$", "OutputPath": "$.Output"}}}}}}}}}}}}"#,
        machine_arn("inner")
    );
    let whole = whole().await;
    whole.allow(r#"{"Effect": "Allow", "Action": "states:*", "Resource": "*"}"#).await;
    let inner =
        r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": true}}}"#;
    whole.create("inner", "EXPRESS", inner).await.unwrap();
    let answer = whole.sync(&outer, "[1, 2, 3]").await;
    assert_eq!(text(&answer, &["output"]), r#"["1","2","3"]"#, "{answer}");
    assert!((60.0..62.0).contains(&Whole::seconds(&answer)), "{answer}");
}

#[tokio::test]
async fn starting_without_waiting_answers_at_once_and_the_rest_of_the_api_knows_nothing() {
    let make = r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100, "Next": "M"},
        "M": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:createUser",
            "Parameters": {"UserName": "late"}, "End": true}}}"#;
    let whole = whole().await;
    whole.allow(r#"{"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}"#).await;
    whole.create("m", "EXPRESS", make).await.unwrap();
    let answer = whole.start("StartExecution", "m", "{}").await;
    let arn = text(&answer, &["executionArn"]);
    assert!(arn.contains(":express:m:") && answer.get("startDate").is_some(), "{answer}");
    for operation in [
        "DescribeExecution",
        "StopExecution",
        "GetExecutionHistory",
        "DescribeStateMachineForExecution",
    ] {
        let refusal = whole.refused(operation, value!({"executionArn": &arn})).await;
        let words = "InvalidArn: Invalid Arn: 'Resource type not valid in this context: express'";
        assert_eq!(refusal, words);
    }
    let refusal =
        whole.refused("ListExecutions", value!({"stateMachineArn": machine_arn("m")})).await;
    assert!(refusal.starts_with("StateMachineTypeNotSupported: "), "{refusal}");
    for _ in 0..1_000 {
        if whole.run("iam", "GetUser", value!({"UserName": "late"})).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the user was not made");
}

#[tokio::test]
async fn refusals_are_those_of_aws() {
    let whole = whole().await;
    whole.create("m", "EXPRESS", PASS).await.unwrap();
    whole.create("s", "STANDARD", PASS).await.unwrap();
    let refused = async |input| {
        let text = whole.refused("StartSyncExecution", input).await;
        text.split(':').next().unwrap().to_owned()
    };
    let arn = machine_arn("m");
    let standard = value!({"stateMachineArn": machine_arn("s")});
    assert_eq!(refused(standard).await, "StateMachineTypeNotSupported");
    let missing = value!({"stateMachineArn": machine_arn("x")});
    assert_eq!(refused(missing).await, "StateMachineDoesNotExist");
    assert_eq!(refused(value!({"stateMachineArn": "m"})).await, "InvalidArn");
    let unnamed = value!({"stateMachineArn": &arn, "name": "a b"});
    assert_eq!(refused(unnamed).await, "InvalidName");
    let garbled = value!({"stateMachineArn": &arn, "input": "{"});
    assert_eq!(refused(garbled).await, "InvalidExecutionInput");
    let sync = r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::states:startExecution.sync", "Parameters": {}}}}"#;
    let err = whole.create("y", "EXPRESS", sync).await.unwrap_err();
    assert!(err.message.contains("does not support '.sync' service integration"), "{err}");
}

#[tokio::test]
async fn the_caller_needs_its_own_permission() {
    let whole = whole().await;
    whole.create("m", "EXPRESS", PASS).await.unwrap();
    whole.ok("iam", "CreateUser", value!({"UserName": "u"})).await;
    let key = whole.ok("iam", "CreateAccessKey", value!({"UserName": "u"})).await;
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let found = whole.services.store().read(|store| iam::find_access_key(store, &id)).unwrap();
    let user = found.unwrap().principal;
    let start = async |user: Principal| {
        let input = value!({"stateMachineArn": machine_arn("m")});
        whole.run_as(user, "stepfunctions", "StartSyncExecution", input).await
    };
    let err = start(user.clone()).await.unwrap_err();
    assert_eq!(err.code, "AccessDeniedException");
    assert!(err.message.contains("states:StartSyncExecution"), "{err}");
    let document = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
        "Action": "states:StartSyncExecution", "Resource": "{}"}}]}}"#,
        machine_arn("m")
    );
    let policy = value!({"UserName": "u", "PolicyName": "p", "PolicyDocument": document});
    whole.ok("iam", "PutUserPolicy", policy).await;
    assert!(start(user).await.is_ok());
}

#[tokio::test]
async fn a_changed_machine_is_never_run_as_it_was() {
    let whole = whole().await;
    whole.sync(PASS, "{}").await;
    let changed = PASS.replace("argument1", "argument2");
    let update = value!({"stateMachineArn": machine_arn("m"), "definition": changed});
    whole.ok("stepfunctions", "UpdateStateMachine", update).await;
    let answer = whole.start("StartSyncExecution", "m", "{}").await;
    assert_eq!(text(&answer, &["output"]), r#"{"Arg1":"argument2"}"#);
    whole
        .ok("stepfunctions", "DeleteStateMachine", value!({"stateMachineArn": machine_arn("m")}))
        .await;
    let gone =
        whole.refused("StartSyncExecution", value!({"stateMachineArn": machine_arn("m")})).await;
    assert!(gone.starts_with("StateMachineDoesNotExist"), "{gone}");
}
