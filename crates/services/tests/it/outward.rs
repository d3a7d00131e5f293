//! Calls that leave, to a server of the test's own.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use runtime::{AwsEndpoint as _, Call, CallError, Caller};
use services::{Destinations, Endpoint, Outward};
use tokio::net::TcpListener;
use value::{Value, value};
use wire::{Handler, Request, Response};

use super::server::{ACCOUNT, text};
use super::states_callbacks::ended;
use super::states_express::{Whole, whole};

/// Answers every operation with what it was given to say, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Elsewhere {
    pub(crate) answers: Mutex<Vec<(&'static str, Value)>>,
    /// What operations answer instead, once each: status and code.
    pub(crate) faults: Mutex<Vec<(&'static str, u16, &'static str)>>,
    pub(crate) asked: Mutex<Vec<(String, Value)>>,
    signatures: Mutex<Vec<String>>,
}

impl Handler for Elsewhere {
    fn handle(self: Arc<Self>, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(async move {
            let routed = wire::route(&request).unwrap();
            let (name, input) = (routed.operation.name(), routed.input(&request).unwrap());
            self.asked.lock().unwrap().push((name.to_owned(), input));
            let signature = request.header("authorization").unwrap_or_default().to_owned();
            self.signatures.lock().unwrap().push(signature);
            let mut faults = self.faults.lock().unwrap();
            if let Some(found) = faults.iter().position(|(known, ..)| *known == name) {
                let (_, status, code) = faults.remove(found);
                return routed.face.fault(status, code, "no").render("r-3");
            }
            let answers = self.answers.lock().unwrap();
            match answers.iter().find(|(known, _)| *known == name) {
                Some((_, answer)) => wire::answer(routed.operation, answer, "r-1").unwrap(),
                None => routed.face.fault(400, "ResourceNotFoundException", "no").render("r-2"),
            }
        })
    }
}

impl Elsewhere {
    pub(crate) fn answering(answers: Vec<(&'static str, Value)>) -> Elsewhere {
        Elsewhere { answers: Mutex::new(answers), ..Elsewhere::default() }
    }

    /// Starts it on a port of its own and returns its address.
    pub(crate) async fn listen(self: &Arc<Self>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(wire::serve(listener, self.clone(), std::future::pending()));
        address
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }
}

/// Returns a server whose tasks may do everything, with these services elsewhere.
pub(crate) async fn reaching(
    services: &[&str],
    answers: Vec<(&'static str, Value)>,
) -> (Whole, Arc<Elsewhere>) {
    let elsewhere = Arc::new(Elsewhere::answering(answers));
    let address = elsewhere.listen().await;
    let mut destinations = Destinations::default();
    for service in services {
        destinations.set(&format!("{service}={address}")).unwrap();
    }
    let whole = whole().await;
    whole.services.reaches(Arc::new(Outward::new(destinations, "us-east-1", "aws", None)));
    (whole, elsewhere)
}

pub(crate) const EVERYTHING: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;

/// A machine of one task.
pub(crate) fn task(resource: &str, parameters: &Value) -> String {
    value!({"StartAt": "T", "States": {"T": {
        "Type": "Task", "Resource": format!("arn:aws:states:::{resource}"),
        "Parameters": parameters, "End": true,
    }}})
    .to_string()
}

fn calling(service: &str, operation: &str, input: Value) -> Call {
    let root = policy::Principal::root(ACCOUNT);
    Call::new(Caller::Principal(Box::new(root)), service, operation, input)
        .of_effect(Some("x/1".into()))
}

pub(crate) async fn made(whole: &Whole, call: Call) -> Result<Value, CallError> {
    Endpoint::new(whole.services.clone()).call(call).await
}

#[tokio::test]
async fn a_service_with_an_endpoint_answers_over_the_network() {
    let sent = value!({"MessageId": "m", "MD5OfMessageBody": "5"});
    let (whole, elsewhere) = reaching(&["sqs"], vec![("SendMessage", sent)]).await;
    whole.allow(EVERYTHING).await;
    let arguments = value!({"QueueUrl": "http://q/1/a", "MessageBody": "日本"});
    let answer = whole.sync(&task("aws-sdk:sqs:sendMessage", &arguments), "{}").await;
    assert_eq!(text(&answer, &["output"]), r#"{"MD5OfMessageBody":"5","MessageId":"m"}"#);
    assert_eq!(*elsewhere.asked.lock().unwrap(), [("SendMessage".to_owned(), arguments)]);
    let signatures = elsewhere.signatures.lock().unwrap();
    assert!(signatures.iter().all(|text| text.contains("/us-east-1/sqs/aws4_request")));
}

#[tokio::test]
async fn every_protocol_is_spoken_and_errors_keep_their_names() {
    let services = ["dynamodb", "sns", "ec2", "lambda", "s3"];
    for (service, action, arguments, error) in [
        ("dynamodb", "getItem", value!({"TableName": "t", "Key": {}}), "DynamoDb.ResourceNotFound"),
        ("sns", "publish", value!({"Message": "m"}), "Sns.ResourceNotFound"),
        ("ec2", "describeInstances", value!({}), "Ec2.Ec2"),
        ("lambda", "getFunction", value!({"FunctionName": "f"}), "Lambda.ResourceNotFound"),
        ("s3", "getObject", value!({"Bucket": "b", "Key": "k"}), "S3.S3"),
    ] {
        let (whole, elsewhere) = reaching(&services, vec![]).await;
        whole.allow(EVERYTHING).await;
        let machine = task(&format!("aws-sdk:{service}:{action}"), &arguments);
        let answer = whole.sync(&machine, "{}").await;
        assert_eq!(text(&answer, &["error"]), format!("{error}Exception"), "{answer}");
        let cause = text(&answer, &["cause"]);
        assert!(cause.starts_with("no (Service: ") && cause.contains("r-2)"), "{cause}");
        assert_eq!(elsewhere.names().len(), 1);
    }
}

#[tokio::test]
async fn a_service_without_a_destination_says_what_to_do() {
    let whole = whole().await;
    whole.allow(EVERYTHING).await;
    let machine = task("aws-sdk:sqs:sendMessage", &value!({"QueueUrl": "q", "MessageBody": "m"}));
    let answer = whole.sync(&machine, "{}").await;
    assert_eq!(text(&answer, &["error"]), "Sqs.SdkClientException");
    assert_eq!(
        text(&answer, &["cause"]),
        "Stepwell does not serve sqs and was given no endpoint for it, so that sqs:SendMessage \
         cannot be called: start it with --endpoint sqs=URL or with --target aws"
    );
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_fails_the_task() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut destinations = Destinations::default();
    destinations.set(&format!("sqs=http://{address}")).unwrap();
    let whole = whole().await;
    whole.allow(EVERYTHING).await;
    whole.services.reaches(Arc::new(Outward::new(destinations, "us-east-1", "aws", None)));
    let machine = task("aws-sdk:sqs:sendMessage", &value!({"QueueUrl": "q", "MessageBody": "m"}));
    let answer = whole.sync(&machine, "{}").await;
    assert_eq!(text(&answer, &["error"]), "Sqs.SdkClientException");
    let cause = text(&answer, &["cause"]);
    assert!(cause.starts_with("Unable to execute HTTP request: "), "{cause}");
}

#[tokio::test]
async fn what_the_role_may_not_do_never_leaves() {
    let sent = value!({"MessageId": "m"});
    let (whole, elsewhere) = reaching(&["sqs"], vec![("SendMessage", sent)]).await;
    let queue = |name: &str| format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}");
    whole
        .allow(&format!(
            r#"{{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "{}"}}"#,
            queue("mine")
        ))
        .await;
    let send = |name: &str| {
        let url = format!("http://127.0.0.1/{ACCOUNT}/{name}");
        task("aws-sdk:sqs:sendMessage", &value!({"QueueUrl": url, "MessageBody": "m"}))
    };
    let answer = whole.sync(&send("theirs"), "{}").await;
    let cause = text(&answer, &["cause"]);
    let denied = format!(
        "is not authorized to perform: sqs:SendMessage on resource: {} because no identity-based \
         policy allows the sqs:SendMessage action",
        queue("theirs")
    );
    assert!(cause.contains(&denied), "{cause}");
    assert_eq!(elsewhere.names(), Vec::<String>::new());
    whole.create("n", "EXPRESS", &send("mine")).await.unwrap();
    let answer = whole.start("StartSyncExecution", "n", "{}").await;
    assert_eq!(text(&answer, &["status"]), "SUCCEEDED");
    assert_eq!(elsewhere.names(), ["SendMessage"]);
}

#[tokio::test]
async fn a_call_in_doubt_is_made_again_only_when_that_does_no_harm() {
    let answers = vec![("GetItem", value!({})), ("RunInstances", value!({}))];
    let (whole, elsewhere) = reaching(&["dynamodb", "ec2", "sqs"], answers).await;
    let again = |call: Call| Call { in_doubt: true, ..call };
    let get = calling("dynamodb", "GetItem", value!({"TableName": "t", "Key": {}}));
    assert!(made(&whole, again(get)).await.is_ok());
    // What takes a client token gets the same one both times.
    let run = || calling("ec2", "RunInstances", value!({"MinCount": 1, "MaxCount": 1}));
    assert!(made(&whole, run()).await.is_ok());
    assert!(made(&whole, again(run())).await.is_ok());
    let tokens: Vec<String> = {
        let asked = elsewhere.asked.lock().unwrap();
        asked.iter().skip(1).map(|(_, input)| text(input, &["ClientToken"])).collect()
    };
    assert!(tokens.len() == 2 && tokens.first() == tokens.last(), "{tokens:?}");
    let send = calling("sqs", "SendMessage", value!({"QueueUrl": "q", "MessageBody": "m"}));
    let err = made(&whole, again(send)).await.unwrap_err();
    assert_eq!((&*err.code, err.status), (runtime::IN_DOUBT, 0));
    assert!(err.message.contains("sqs:SendMessage was under way"), "{}", err.message);
    assert_eq!(elsewhere.names().len(), 3);
}

#[tokio::test]
async fn an_answer_tells_how_it_came_when_asked_to() {
    let sent = value!({"MessageId": "m"});
    let (whole, _) = reaching(&["sqs"], vec![("SendMessage", sent)]).await;
    let send = calling("sqs", "SendMessage", value!({"QueueUrl": "q", "MessageBody": "m"}));
    let output = made(&whole, Call { tells_http: true, ..send }).await.unwrap();
    assert_eq!(text(&output, &["ResponseMetadata", "RequestId"]), "r-1");
    let headers = output.get("ResponseMetadata").unwrap().get("HTTPHeaders").unwrap();
    assert_eq!(text(headers, &["content-type"]), "application/x-amz-json-1.0");
}

pub(crate) fn encoded(text: &str) -> Value {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text).into()
}

async fn ran(
    answers: Vec<(&'static str, Value)>,
    resource: &str,
    arguments: &Value,
) -> (Value, Value) {
    let services = ["lambda", "sqs", "sns", "dynamodb", "ecs"];
    let (whole, elsewhere) = reaching(&services, answers).await;
    whole.allow(EVERYTHING).await;
    let answer = whole.sync(&task(resource, arguments), r#"{"n":1}"#).await;
    let asked = elsewhere.asked.lock().unwrap();
    let input = asked.first().map(|(_, input)| input.clone()).unwrap_or_default();
    (answer, input)
}

pub(crate) fn output(answer: &Value) -> Value {
    value::parse(&text(answer, &["output"])).unwrap()
}

#[tokio::test]
async fn lambda_invoke_sends_a_payload_and_shows_the_answer_with_its_headers() {
    let returned =
        value!({"StatusCode": 200, "ExecutedVersion": "1", "Payload": encoded("{\"b\":2}")});
    let arguments = value!({"FunctionName": "f", "Payload": {"a": "日"}});
    let (answer, asked) = ran(vec![("Invoke", returned)], "lambda:invoke", &arguments).await;
    assert_eq!(asked, value!({"FunctionName": "f", "Payload": encoded("{\"a\":\"日\"}")}));
    let output = output(&answer);
    assert_eq!(output.get("Payload"), Some(&value!({"b": 2})));
    let names: Vec<&str> = output.as_object().unwrap().iter().map(|(name, _)| &**name).collect();
    let wanted =
        ["ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"];
    assert_eq!(names, wanted);
    let headers = output.get("SdkHttpMetadata").unwrap().get("HttpHeaders").unwrap();
    assert_eq!(text(headers, &["X-Amz-Executed-Version"]), "1");
    assert_eq!(text(&output, &["SdkResponseMetadata", "RequestId"]), "r-1");
}

#[tokio::test]
async fn what_is_not_served_is_refused_when_the_machine_is_created() {
    let whole = whole().await;
    for (resource, wanted) in [
        ("dynamodb:query", "The resource provided arn:aws:states:::dynamodb:query is not recogn"),
        ("dynamodb:getItem.sync", "Stepwell does not serve the pattern .sync of arn:aws:states"),
        ("bedrockagentcore:invokeHarness", "Stepwell does not serve the optimized integration"),
        (
            "cloudformation:createStack.sync",
            "The resource provided arn:aws:states:::cloudformation",
        ),
        ("eks:call", "Stepwell does not serve arn:aws:states:::eks:call: a cluster's own API"),
        ("eks:getCluster", "The resource provided arn:aws:states:::eks:getCluster is not recogn"),
        ("elasticmapreduce:runJobFlow", "is not recogn"),
    ] {
        let machine = task(resource, &value!({"TableName": "t", "Key": {}}));
        let err = whole.create("m", "STANDARD", &machine).await.unwrap_err();
        assert!(err.message.contains(wanted), "{}", err.message);
    }
}

#[tokio::test]
async fn a_function_can_be_a_command_and_is_allowed_like_any_other() {
    let mut destinations = Destinations::default();
    destinations.set_command("f=cat").unwrap();
    let whole = whole().await;
    whole.services.reaches(Arc::new(Outward::new(destinations, "us-east-1", "aws", None)));
    let machine = task("lambda:invoke", &value!({"FunctionName": "f", "Payload": {"a": 1}}));
    let answer = whole.sync(&machine, "{}").await;
    assert_eq!(text(&answer, &["error"]), "Lambda.AWSLambdaException");
    whole.allow(EVERYTHING).await;
    let answer = whole.start("StartSyncExecution", "m", "{}").await;
    let output = output(&answer);
    assert_eq!(output.get("Payload"), Some(&value!({"a": 1})));
    let headers = output.get("SdkHttpMetadata").unwrap().get("HttpHeaders").unwrap();
    for (name, wanted) in [
        ("Connection", "keep-alive"),
        ("Content-Length", "7"),
        ("Content-Type", "application/json"),
        ("X-Amz-Executed-Version", "$LATEST"),
    ] {
        assert_eq!(text(headers, &[name]), wanted);
    }
}

#[tokio::test]
async fn a_payload_that_is_text_is_sent_as_it_is() {
    let returned = value!({"StatusCode": 200, "Payload": encoded("0")});
    for (payload, sent) in [
        (value!("[\"a\"]"), value!({"FunctionName": "f", "Payload": encoded("[\"a\"]")})),
        (Value::Null, value!({"FunctionName": "f"})),
    ] {
        let arguments = value!({"FunctionName": "f", "Payload": payload});
        let answers = vec![("Invoke", returned.clone())];
        let (answer, asked) = ran(answers, "lambda:invoke", &arguments).await;
        assert_eq!(asked, sent);
        assert_eq!(output(&answer).get("Payload"), Some(&value!(0)));
    }
}

#[tokio::test]
async fn a_function_that_fails_names_the_error() {
    let unknown = "The cause could not be determined because Lambda did not return an error type. \
                   Returned payload: {\"errorMessage\":\"Process exited\"}";
    let typed = r#"{"errorMessage":"m","errorType":"Mine"}"#;
    for (said, error, cause) in [
        (typed, "Mine", typed),
        (r#"{"errorMessage":"Process exited"}"#, "Lambda.Unknown", unknown),
    ] {
        let returned =
            value!({"StatusCode": 200, "FunctionError": "Unhandled", "Payload": encoded(said)});
        let arguments = value!({"FunctionName": "f", "Payload": {}});
        let (answer, _) = ran(vec![("Invoke", returned)], "lambda:invoke", &arguments).await;
        assert_eq!((&*text(&answer, &["error"]), &*text(&answer, &["cause"])), (error, cause));
    }
}

#[tokio::test]
async fn a_functions_own_arn_takes_the_input_and_gives_the_answer() {
    let returned = value!({"StatusCode": 200, "Payload": encoded("[1]")});
    let (whole, elsewhere) = reaching(&["lambda"], vec![("Invoke", returned)]).await;
    whole.allow(EVERYTHING).await;
    let arn = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f");
    let machine = value!({"StartAt": "T", "States": {"T": {
        "Type": "Task", "Resource": &arn, "End": true,
    }}});
    let answer = whole.sync(&machine.to_string(), r#"{"n":1}"#).await;
    assert_eq!(text(&answer, &["output"]), "[1]");
    let asked = elsewhere.asked.lock().unwrap();
    let wanted = value!({"FunctionName": &arn, "Payload": encoded("{\"n\":1}")});
    assert_eq!(*asked, [("Invoke".to_owned(), wanted)]);
}

#[tokio::test]
async fn a_service_that_refuses_reads_as_in_the_old_sdk() {
    for (resource, arguments, error, cause) in [
        (
            "lambda:invoke",
            value!({"FunctionName": "f"}),
            "Lambda.ResourceNotFoundException",
            "no (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; \
             Request ID: r-2; Proxy: null)",
        ),
        (
            "dynamodb:putItem",
            value!({"TableName": "t", "Item": {}}),
            "DynamoDB.ResourceNotFoundException",
            "no (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: \
             ResourceNotFoundException; Request ID: r-2; Proxy: null)",
        ),
    ] {
        let (answer, _) = ran(vec![], resource, &arguments).await;
        assert_eq!((&*text(&answer, &["error"]), &*text(&answer, &["cause"])), (error, cause));
    }
}

#[tokio::test]
async fn messages_that_are_no_text_are_sent_as_json() {
    let sent = value!({"MessageId": "m"});
    let arguments = value!({"QueueUrl": "q", "MessageBody": {"a": 1}});
    let (_, asked) = ran(vec![("SendMessage", sent.clone())], "sqs:sendMessage", &arguments).await;
    assert_eq!(asked, value!({"QueueUrl": "q", "MessageBody": "{\"a\":1}"}));
    let arguments = value!({"TopicArn": "t", "Message": ["a"]});
    let (answer, asked) = ran(vec![("Publish", sent)], "sns:publish", &arguments).await;
    assert_eq!(text(&asked, &["Message"]), "[\"a\"]");
    assert_eq!(text(&output(&answer), &["MessageId"]), "m");
}

#[tokio::test]
async fn members_are_in_pascal_case_and_times_in_milliseconds() {
    let returned = value!({"tasks": [{"taskArn": "a", "createdAt": 1.5}], "failures": []});
    let arguments = value!({"TaskDefinition": "d", "LaunchType": "FARGATE"});
    let (answer, asked) = ran(vec![("RunTask", returned)], "ecs:runTask", &arguments).await;
    assert_eq!(
        (&*text(&asked, &["taskDefinition"]), &*text(&asked, &["launchType"])),
        ("d", "FARGATE")
    );
    let output = output(&answer);
    assert_eq!(output.get("Tasks"), Some(&value!([{"CreatedAt": 1500, "TaskArn": "a"}])));
}

/// Runs a task of a standard machine to its end; express ones wait for no job.
async fn job(
    answers: Vec<(&'static str, Value)>,
    resource: &str,
    arguments: &Value,
) -> (Value, Vec<String>) {
    let (whole, elsewhere) = reaching(&["ecs", "glue"], answers).await;
    whole.allow(EVERYTHING).await;
    whole.create("m", "STANDARD", &task(resource, arguments)).await.unwrap();
    let started = whole.start("StartExecution", "m", "{}").await;
    let answer = ended(&whole, &text(&started, &["executionArn"])).await;
    (answer, elsewhere.names())
}

#[tokio::test]
async fn a_job_that_has_ended_is_the_output_of_its_task() {
    let submitted = value!({"tasks": [{"taskArn": "a", "clusterArn": "c"}], "failures": []});
    for (code, status) in [(0, "SUCCEEDED"), (1, "FAILED")] {
        let seen = value!({"tasks": [{
            "taskArn": "a", "lastStatus": "STOPPED", "containers": [{"exitCode": code}],
        }]});
        let answers = vec![("RunTask", submitted.clone()), ("DescribeTasks", seen)];
        let arguments = value!({"TaskDefinition": "d"});
        let (answer, names) = job(answers, "ecs:runTask.sync", &arguments).await;
        assert_eq!(names, ["RunTask", "DescribeTasks"]);
        assert_eq!(text(&answer, &["status"]), status);
        let told = if code == 0 { "output" } else { "cause" };
        let told = value::parse(&text(&answer, &[told])).unwrap();
        assert_eq!(told.get("TaskArn"), Some(&"a".into()));
        assert_eq!(told.get("Containers"), Some(&value!([{"ExitCode": code}])));
    }
}

#[tokio::test]
async fn a_request_that_no_job_comes_of_fails_its_task() {
    let failures = value!([{"arn": "c", "reason": "RESOURCE:MEMORY"}]);
    let answers = vec![("RunTask", value!({"tasks": [], "failures": failures}))];
    let (answer, names) = job(answers, "ecs:runTask.sync", &value!({"TaskDefinition": "d"})).await;
    assert_eq!(names, ["RunTask"]);
    assert_eq!(text(&answer, &["error"]), "States.TaskFailed");
    let cause = value::parse(&text(&answer, &["cause"])).unwrap();
    let shown = value!([{"Arn": "c", "Reason": "RESOURCE:MEMORY"}]);
    assert_eq!(cause.get("Failures"), Some(&shown));
}

#[tokio::test]
async fn a_job_is_found_by_the_arguments_of_its_task() {
    let answers = vec![
        ("StartJobRun", value!({"JobRunId": "r"})),
        ("GetJobRun", value!({"JobRun": {"Id": "r", "JobName": "j", "JobRunState": "TIMEOUT"}})),
    ];
    let arguments = value!({"JobName": "j"});
    let (answer, names) = job(answers, "glue:startJobRun.sync", &arguments).await;
    assert_eq!(names, ["StartJobRun", "GetJobRun"]);
    assert_eq!(text(&answer, &["error"]), "States.TaskFailed");
    let cause = value!({"Id": "r", "JobName": "j", "JobRunState": "TIMEOUT"});
    assert_eq!(value::parse(&text(&answer, &["cause"])).unwrap(), cause);
}

#[tokio::test]
async fn events_are_put_with_the_execution_among_their_resources() {
    let whole = whole().await;
    whole.allow(EVERYTHING).await;
    let entry = value!({"Detail": {"a": 1}, "DetailType": "t", "Source": "mine"});
    let machine = task("events:putEvents", &value!({"Entries": [entry]}));
    let answer = whole.sync(&machine, "{}").await;
    let names = |output: &Value| -> Vec<String> {
        output.as_object().unwrap().iter().map(|(name, _)| name.to_string()).collect()
    };
    assert_eq!(names(&output(&answer)), ["Entries", "FailedEntryCount"]);
    let entry = value!({"Detail": "\"text\"", "DetailType": "t", "Source": "mine"});
    let machine = task("events:putEvents", &value!({"Entries": [entry]}));
    whole.create("n", "EXPRESS", &machine).await.unwrap();
    let answer = whole.start("StartSyncExecution", "n", "{}").await;
    assert_eq!(text(&answer, &["error"]), "EventBridge.FailedEntry");
    let cause = value::parse(&text(&answer, &["cause"])).unwrap();
    let entry = value!({"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."});
    assert_eq!(cause, value!({"Entries": [entry], "FailedEntryCount": 1}));
}

/// An API: it repeats what it was asked, or says no.
struct Api;

impl Handler for Api {
    fn handle(self: Arc<Self>, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(async move {
            let body = String::from_utf8(request.body.clone()).unwrap();
            let told = value!({
                "asked": format!("{} {}?{}", request.method, request.path, request.query),
                "body": body, "mine": request.header("mine").unwrap_or_default(),
                "signed": request.header("authorization").is_some(),
            });
            let status = if request.path.ends_with("/no") { 403 } else { 200 };
            Response::json(status, &told)
        })
    }
}

async fn invoked(arguments: &Value) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(wire::serve(listener, Arc::new(Api), std::future::pending()));
    let mut destinations = Destinations::default();
    destinations.set(&format!("apigateway={address}")).unwrap();
    let whole = whole().await;
    whole.allow(EVERYTHING).await;
    whole.services.reaches(Arc::new(Outward::new(destinations, "us-east-1", "aws", None)));
    whole.sync(&task("apigateway:invoke", arguments), "{}").await
}

#[tokio::test]
async fn an_api_is_called_as_it_is() {
    let arguments = value!({
        "ApiEndpoint": "a.execute-api.us-east-1.amazonaws.com", "Method": "POST", "Stage": "s",
        "Path": "/x/y", "QueryParameters": {"q": ["1", "a b"]}, "Headers": {"Mine": ["h"]},
        "RequestBody": {"a": {"b": null}, "c": 1},
    });
    let output = output(&invoked(&arguments).await);
    assert_eq!(output.get("StatusCode"), Some(&value!(200)));
    assert_eq!(text(&output, &["StatusText"]), "OK");
    let headers = output.get("Headers").unwrap();
    assert_eq!(headers.get("Content-Type"), Some(&value!(["application/json"])));
    let told = value!({
        "asked": "POST /s/x/y?q=1&q=a%20b", "body": r#"{"a":{},"c":1}"#, "mine": "h",
        "signed": false,
    });
    assert_eq!(output.get("ResponseBody"), Some(&told));
}

#[tokio::test]
async fn an_api_that_says_no_fails_its_task_with_the_status() {
    let arguments = value!({
        "ApiEndpoint": "a.execute-api.us-east-1.amazonaws.com", "Method": "GET", "Stage": "s",
        "Path": "no", "AuthType": "IAM_ROLE",
    });
    let answer = invoked(&arguments).await;
    assert_eq!(text(&answer, &["error"]), "ApiGateway.403");
    let cause = value::parse(&text(&answer, &["cause"])).unwrap();
    assert_eq!(cause.get("signed"), Some(&value!(true)));
}

#[tokio::test]
async fn a_call_of_an_api_in_doubt_is_made_again_only_when_it_reads() {
    let whole = whole().await;
    for (method, code) in [("POST", runtime::IN_DOUBT), ("GET", runtime::NO_ANSWER)] {
        let input = value!({"ApiEndpoint": "a", "Method": method});
        let call = calling(runtime::EXECUTE_API, "Invoke", input);
        let err = made(&whole, Call { in_doubt: true, ..call }).await.unwrap_err();
        assert_eq!(err.code, code);
    }
}
