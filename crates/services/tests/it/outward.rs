//! Calls that leave, to a server of the test's own.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{AwsEndpoint as _, Call, CallError, Caller};
use services::{Destinations, Endpoint, Outward};
use tokio::net::TcpListener;
use value::{Value, value};
use wire::{Handler, Request, Response};

use super::server::{ACCOUNT, text};
use super::states_express::{Whole, whole};

/// Answers every operation with what it was given to say, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Elsewhere {
    pub(crate) answers: Mutex<Vec<(&'static str, Value)>>,
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
            let answers = self.answers.lock().unwrap();
            match answers.iter().find(|(known, _)| *known == name) {
                Some((_, answer)) => wire::answer(routed.operation, answer, "r-1").unwrap(),
                None => routed.face.fault(400, "ResourceNotFoundException", "no").render("r-2"),
            }
        })
    }
}

impl Elsewhere {
    /// Starts it on a port of its own and returns its address.
    pub(crate) async fn listen(self: &Arc<Self>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(wire::serve(listener, self.clone(), std::future::pending(), Duration::ZERO));
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
    let elsewhere = Arc::new(Elsewhere { answers: Mutex::new(answers), ..Elsewhere::default() });
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

async fn made(whole: &Whole, call: Call) -> Result<Value, CallError> {
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
