//! Requests of services that are not served here, passed on as whoever runs a script.

use std::sync::Arc;

use services::{Destinations, Outward};
use tokio::net::TcpListener;
use value::{Value, value};
use wire::client::{self, Client, Credentials};

use super::decisions::{check, last};
use super::outward::{EVERYTHING, Elsewhere};
use super::server::{ACCOUNT, text, trust};
use super::states_express::{Whole, whole};

/// Starts a server on a port, with these destinations all at one other server.
async fn relaying(
    endpoints: &[&str],
    answers: Vec<(&'static str, Value)>,
) -> (Whole, String, Arc<Elsewhere>) {
    let elsewhere = Arc::new(Elsewhere::answering(answers));
    let there = elsewhere.listen().await;
    let mut destinations = Destinations::default();
    for endpoint in endpoints {
        destinations.set(&format!("{endpoint}={there}")).unwrap();
    }
    let whole = whole().await;
    whole.services.reaches(Arc::new(Outward::new(destinations, "us-east-1", "aws", None)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let serving = wire::serve(listener, whole.services.clone(), std::future::pending());
    tokio::spawn(serving);
    (whole, here, elsewhere)
}

/// Asks the server with these credentials; an error is its code and message.
async fn ask(
    here: &str,
    credentials: Credentials,
    service: &str,
    operation: &str,
    input: Value,
) -> Result<Value, String> {
    let client = Client::new(here, "us-east-1", Some(credentials)).unwrap();
    let operation = wire::model::service(service).unwrap().operation(operation).unwrap();
    let answer = client.ask(operation, &input, runtime::wall_millis(), 5).await.unwrap();
    client::output(operation, &answer).map_err(|err| err.to_string())
}

/// Returns the credentials of a session of a role with one statement in its policy.
async fn session(whole: &Whole, statement: &str) -> Credentials {
    let trust = trust(&format!(r#"{{"AWS": "arn:aws:iam::{ACCOUNT}:user/bob"}}"#));
    whole.ok("iam", "CreateUser", value!({"UserName": "bob"})).await;
    let role = value!({"RoleName": "s", "AssumeRolePolicyDocument": trust});
    whole.ok("iam", "CreateRole", role).await;
    let document = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
    let policy = value!({"RoleName": "s", "PolicyName": "p", "PolicyDocument": document});
    whole.ok("iam", "PutRolePolicy", policy).await;
    let key = whole.ok("iam", "CreateAccessKey", value!({"UserName": "bob"})).await;
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let store = whole.services.store();
    let bob = store.read(|store| services::iam::find_access_key(store, &id)).unwrap().unwrap();
    let asked =
        value!({"RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/s"), "RoleSessionName": "script"});
    let answer = whole.run_as(bob.principal, "sts", "AssumeRole", asked).await.unwrap();
    let of = |member: &str| text(&answer, &["Credentials", member]);
    Credentials {
        access_key_id: of("AccessKeyId"),
        secret_access_key: of("SecretAccessKey"),
        session_token: Some(of("SessionToken")),
    }
}

fn root() -> Credentials {
    Credentials {
        access_key_id: "test".into(),
        secret_access_key: "test".into(),
        session_token: None,
    }
}

#[tokio::test]
async fn what_a_session_asks_of_other_services_goes_where_they_are() {
    let volumes = value!({"Volumes": [{"VolumeId": "vol-1"}]});
    let command = value!({"Command": {"CommandId": "c"}});
    let answers = vec![("DescribeVolumes", volumes.clone()), ("SendCommand", command.clone())];
    let (whole, here, elsewhere) = relaying(&["ec2", "ssm/unserved"], answers).await;
    let session = session(&whole, EVERYTHING).await;
    let found = ask(&here, session.clone(), "ec2", "DescribeVolumes", value!({})).await;
    assert_eq!(found, Ok(volumes));
    let send = value!({"DocumentName": "Doc"});
    let sent = ask(&here, session.clone(), "ssm", "SendCommand", send).await;
    assert_eq!(sent, Ok(command));
    // What is served here is answered here, and errors keep their codes.
    let listed = ask(&here, session.clone(), "ssm", "ListDocuments", value!({})).await.unwrap();
    assert!(listed.get("DocumentIdentifiers").is_some());
    let err = ask(&here, session, "ec2", "DescribeVpcs", value!({})).await.unwrap_err();
    assert!(err.contains("ResourceNotFoundException"), "{err}");
    assert_eq!(elsewhere.names(), ["DescribeVolumes", "SendCommand", "DescribeVpcs"]);
}

#[tokio::test]
async fn what_does_not_fit_the_model_is_not_passed_on() {
    let (whole, here, elsewhere) = relaying(&["sqs"], vec![("SendMessage", value!({}))]).await;
    let session = session(&whole, EVERYTHING).await;
    let send = value!({"QueueUrl": "http://q/1/a"});
    let err = ask(&here, session.clone(), "sqs", "SendMessage", send).await.unwrap_err();
    let wanted = "1 validation error detected: Value null at 'messageBody' failed to satisfy";
    assert!(err.contains("ValidationException") && err.contains(wanted), "{err}");
    assert_eq!(elsewhere.names(), Vec::<String>::new());
    let send = value!({"QueueUrl": "http://q/1/a", "MessageBody": "m"});
    ask(&here, session, "sqs", "SendMessage", send).await.unwrap();
}

#[tokio::test]
async fn what_is_passed_on_is_in_the_record_and_what_is_refused_too() {
    let volumes = vec![("DescribeVolumes", value!({}))];
    let (whole, here, _) = relaying(&["ec2"], volumes).await;
    let some = r#"{"Effect": "Allow", "Action": "ec2:DescribeVolumes", "Resource": "*"}"#;
    let session = session(&whole, some).await;
    ask(&here, session.clone(), "ec2", "DescribeVolumes", value!({})).await.unwrap();
    let allowed = last(&whole, "call").await;
    assert_eq!(text(&allowed, &["operation"]), "DescribeVolumes");
    assert_eq!(text(check(&allowed, 0), &["outcome"]), "allowed");
    ask(&here, session, "ec2", "DescribeVpcs", value!({})).await.unwrap_err();
    let refused = last(&whole, "refusal").await;
    assert_eq!(text(&refused, &["operation"]), "DescribeVpcs");
    assert_eq!(text(check(&refused, 0), &["outcome"]), "implicitDeny");
}

#[tokio::test]
async fn nothing_is_passed_on_for_others_or_without_the_right() {
    let (whole, here, elsewhere) = relaying(&["ec2"], vec![]).await;
    let ask = |credentials, service: &'static str, operation: &'static str| {
        ask(&here, credentials, service, operation, value!({}))
    };
    let err = ask(root(), "ec2", "DescribeVolumes").await.unwrap_err();
    assert!(err.contains("Stepwell does not implement ec2:DescribeVolumes"), "{err}");
    let some = r#"{"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}, {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}"#;
    let session = session(&whole, some).await;
    let err = ask(session.clone(), "ec2", "DescribeVolumes").await.unwrap_err();
    assert!(err.contains("not authorized to perform: ec2:DescribeVolumes"), "{err}");
    let err = ask(session, "sqs", "ListQueues").await.unwrap_err();
    assert!(err.contains("start it with --endpoint sqs=URL"), "{err}");
    assert_eq!(elsewhere.names(), Vec::<String>::new());
}
