//! HTTP tasks, against an API of the test's own.

use std::pin::Pin;
use std::sync::Arc;

use services::Input;
use tokio::net::TcpListener;
use value::{Value, value};
use wire::{Handler, Request, Response};

use super::outward::{EVERYTHING, reaching, task};
use super::server::text;
use super::states_express::{Whole, machine_arn, whole};

/// An API that repeats what it was asked, under paths that mean something.
struct Api;

impl Handler for Api {
    fn handle(self: Arc<Self>, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(async move {
            let mut headers = Value::object();
            for (name, text) in &request.headers {
                headers.set(name.clone(), text.clone());
            }
            let told = value!({
                "asked": format!("{} {}?{}", request.method, request.path, request.query),
                "body": String::from_utf8(request.body.clone()).unwrap(),
                "headers": (headers),
            });
            match &*request.path {
                "/no" => Response::json(404, &told),
                "/image" => Response {
                    headers: vec![("content-type", "image/png".into())],
                    ..Response::json(200, &told)
                },
                "/binary" => Response { body: vec![0xff, 0xfe], ..Response::json(200, &told) },
                "/text" => Response {
                    headers: vec![("content-type", "text/plain".into())],
                    body: "日本 = é".into(),
                    status: 200,
                },
                _ => Response::json(200, &told),
            }
        })
    }
}

async fn listen() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(wire::serve(listener, Arc::new(Api), std::future::pending()));
    address
}

const KEY: &str = "a-key-of-nobody";

/// Makes a connection that adds something of every kind; returns its ARN.
async fn connect(whole: &Whole, name: &str) -> String {
    let added = value!({
        "HeaderParameters": [{"Key": "Header-Param", "Value": "of the connection"}],
        "QueryStringParameters": [{"Key": "q", "Value": "of the connection"}],
        "BodyParameters": [{"Key": "BodyParam", "Value": "b", "IsValueSecret": true}],
    });
    let parameters = value!({
        "ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": KEY},
        "InvocationHttpParameters": (added),
    });
    let input = value!({
        "Name": name, "AuthorizationType": "API_KEY", "AuthParameters": (parameters),
    });
    text(&whole.ok("events", "CreateConnection", input).await, &["ConnectionArn"])
}

/// Runs a task with these arguments; the connection's ARN and the address are put into them.
async fn invoke(whole: &Whole, address: &str, path: &str, arguments: Value) -> Value {
    let arn = connect(whole, "c").await;
    let arguments = arguments
        .with("ApiEndpoint", format!("{address}{path}"))
        .with("InvocationConfig", value!({ "ConnectionArn": arn }));
    whole.sync(&task("http:invoke", &arguments), "{}").await
}

async fn allowed() -> Whole {
    let whole = whole().await;
    whole.allow(EVERYTHING).await;
    whole
}

fn output(answer: &Value) -> Value {
    value::parse(&text(answer, &["output"])).unwrap()
}

#[tokio::test]
async fn what_the_connection_says_is_added_and_stands() {
    let arguments = value!({
        "Method": "POST",
        "Headers": {"Request-Id": "mine", "Header-Param": "of the task"},
        "QueryParameters": {"q": "of the task", "other": "a b"},
        "RequestBody": {"Job": "é", "BodyParam": "of the task"},
    });
    let answer = invoke(&allowed().await, &listen().await, "/path?in=url", arguments).await;
    let output = output(&answer);
    assert_eq!(output.get("StatusCode"), Some(&value!(200)));
    let told = output.get("ResponseBody").unwrap();
    let query = "in=url&other=a%20b&q=of%20the%20connection";
    assert_eq!(text(told, &["asked"]), format!("POST /path?{query}"));
    assert_eq!(text(told, &["body"]), r#"{"Job":"é","BodyParam":"b"}"#);
    for (name, wanted) in [
        ("x-key", KEY),
        ("header-param", "of the connection"),
        ("request-id", "mine"),
        ("content-type", "application/json; charset=UTF-8"),
        ("user-agent", "Amazon|StepFunctions|HttpInvoke|us-east-1"),
        ("range", "bytes=0-262144"),
    ] {
        assert_eq!(text(told, &["headers", name]), wanted, "{name}");
    }
}

#[tokio::test]
async fn a_form_is_written_as_the_task_wants_it() {
    let arguments = value!({
        "Method": "POST", "RequestBody": {"list": ["a", "b"]},
        "Headers": {"content-type": "application/x-www-form-urlencoded"},
        "Transform": {
            "RequestBodyEncoding": "URL_ENCODED",
            "RequestEncodingOptions": {"ArrayFormat": "REPEAT"},
        },
    });
    let answer = invoke(&allowed().await, &listen().await, "/", arguments).await;
    let told = output(&answer);
    assert_eq!(text(&told, &["ResponseBody", "body"]), "list=a&list=b&BodyParam=b");
}

#[tokio::test]
async fn a_text_is_an_answer_too() {
    let answer =
        invoke(&allowed().await, &listen().await, "/text", value!({"Method": "GET"})).await;
    assert_eq!(text(&output(&answer), &["ResponseBody"]), "日本 = é");
}

#[tokio::test]
async fn failures_have_the_names_that_catch_knows() {
    let address = listen().await;
    for (path, arguments, wanted) in [
        ("/no", value!({"Method": "GET"}), "States.Http.StatusCode.404"),
        ("/image", value!({"Method": "GET"}), "States.Runtime"),
        ("/binary", value!({"Method": "GET"}), "States.Runtime"),
        ("/", value!({"Method": "GET", "Headers": {"Host": "x"}}), "States.Runtime"),
        ("/", value!({"Method": "GET", "Headers": {"X-Amz-A": "x"}}), "States.Runtime"),
        ("/", value!({"Method": "POST", "RequestBody": "text"}), "States.Runtime"),
        ("/", value!({"Method": "TRACE"}), "States.Runtime"),
    ] {
        let answer = invoke(&allowed().await, &address, path, arguments).await;
        assert_eq!(text(&answer, &["error"]), wanted, "{path}: {answer}");
        assert!(!answer.to_string().contains(KEY) || path == "/no", "{answer}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let answer = invoke(&allowed().await, &gone, "/", value!({"Method": "GET"})).await;
    assert_eq!(text(&answer, &["error"]), "States.Http.Socket");
    let answer =
        invoke(&allowed().await, "http://example.com", "/", value!({"Method": "GET"})).await;
    assert_eq!(text(&answer, &["error"]), "States.Runtime");
}

#[tokio::test]
async fn a_connection_must_be_there_and_authorized() {
    let whole = allowed().await;
    let arn = connect(&whole, "c").await;
    let arguments = |arn: &str| {
        value!({
            "Method": "GET", "ApiEndpoint": "http://127.0.0.1:9/",
            "Authentication": {"ConnectionArn": arn},
        })
    };
    whole.ok("events", "DeauthorizeConnection", value!({"Name": "c"})).await;
    let answer = whole.sync(&task("http:invoke", &arguments(&arn)), "{}").await;
    let wanted = "Events.ConnectionResource.InvalidConnectionState";
    assert_eq!(text(&answer, &["error"]), wanted);
    // A connection that was made anew is another.
    whole.ok("events", "DeleteConnection", value!({"Name": "c"})).await;
    assert_ne!(connect(&whole, "c").await, arn);
    let answer = whole.start("StartSyncExecution", "m", "{}").await;
    assert_eq!(text(&answer, &["error"]), "Events.ConnectionResource.ResourceNotFound");
}

#[tokio::test]
async fn the_role_needs_the_request_the_connection_and_its_secret() {
    let address = listen().await;
    let machine = machine_arn("m");
    let request = format!(
        r#"{{"Effect": "Allow", "Action": "states:InvokeHTTPEndpoint", "Resource": "{machine}",
            "Condition": {{"StringEquals": {{"states:HTTPMethod": "GET"}},
                "StringLike": {{"states:HTTPEndpoint": "{address}/*"}}}}}}"#
    );
    let connection = r#"{"Effect": "Allow", "Action": "events:RetrieveConnectionCredentials",
        "Resource": "arn:aws:events:us-east-1:*:connection/c/*"}"#;
    let secret = r#"{"Effect": "Allow",
        "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
        "Resource": "arn:aws:secretsmanager:*:*:secret:events!connection/*"}"#;
    for (statements, method, wanted) in [
        (vec![connection, secret], "GET", "States.Permissions"),
        (vec![&request, connection, secret], "POST", "States.Permissions"),
        (vec![&request, secret], "GET", "Events.ConnectionResource.AccessDenied"),
        (vec![&request, connection], "GET", "Events.ConnectionResource.AccessDenied"),
        (vec![&request, connection, secret], "GET", ""),
    ] {
        let whole = whole().await;
        whole.allow(&statements.join(",")).await;
        let answer = invoke(&whole, &address, "/x", value!({"Method": method})).await;
        let error = answer.maybe_text("error").unwrap_or_default();
        assert_eq!(error, wanted, "{answer}");
    }
}

#[tokio::test]
async fn no_spelling_of_a_url_gets_round_a_condition() {
    let address = listen().await;
    let whole = whole().await;
    let admin = format!(
        r#"{{"Effect": "Deny", "Action": "states:InvokeHTTPEndpoint", "Resource": "*",
            "Condition": {{"StringLike": {{"states:HTTPEndpoint": "{address}/admin*"}}}}}}"#
    );
    whole.allow(&[EVERYTHING, &admin].join(",")).await;
    let arn = connect(&whole, "c").await;
    let machine = r#"{"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::http:invoke", "Parameters": {"Method": "GET",
        "ApiEndpoint.$": "$.url", "InvocationConfig": {"ConnectionArn": "ARN"}}}}}"#;
    let input = |path: &str| value!({ "url": format!("{address}{path}") }).to_string();
    let answer = whole.sync(&machine.replace("ARN", &arn), &input("/public/./x")).await;
    let told = output(&answer);
    assert!(text(&told, &["ResponseBody", "asked"]).starts_with("GET /public/x?"), "{told}");
    for path in ["/admin", "/public/../admin", "/%61dmin/x", "/public/%2E%2e/admin"] {
        let answer = whole.start("StartSyncExecution", "m", &input(path)).await;
        assert_eq!(text(&answer, &["error"]), "States.Permissions", "{path}");
    }
}

#[tokio::test]
async fn what_nobody_can_be_asked_about_is_not_called() {
    // IAM is elsewhere for the tasks; who looks at this server's role is nobody.
    let (whole, elsewhere) = reaching(&["iam"], vec![]).await;
    let api = listen().await;
    let answer = invoke(&whole, &api, "/", value!({"Method": "GET"})).await;
    assert_eq!(text(&answer, &["error"]), "States.Permissions");
    assert!(text(&answer, &["cause"]).contains("served only while IAM is served here"), "{answer}");
    assert!(elsewhere.names().is_empty());
}

#[tokio::test]
async fn a_connection_is_described_without_its_secrets() {
    let whole = whole().await;
    connect(&whole, "c").await;
    let described = whole.ok("events", "DescribeConnection", value!({"Name": "c"})).await;
    let shown = described.to_string();
    assert!(!shown.contains(KEY) && shown.contains("X-Key"), "{shown}");
    let added = described.path(&["AuthParameters", "InvocationHttpParameters"]).unwrap();
    let body = value!([{"Key": "BodyParam", "IsValueSecret": true}]);
    assert_eq!(added.get("BodyParameters"), Some(&body));
    assert_eq!(text(&described, &["ConnectionState"]), "AUTHORIZED");
    // An update changes what it names.
    let key = value!({"ApiKeyAuthParameters": {"ApiKeyName": "Y-Key"}});
    let update = value!({"Name": "c", "Description": "d", "AuthParameters": (key)});
    whole.ok("events", "UpdateConnection", update).await;
    let described = whole.ok("events", "DescribeConnection", value!({"Name": "c"})).await;
    let shown = described.to_string();
    assert!(shown.contains("Y-Key") && shown.contains("of the connection"), "{shown}");
    let listed = whole.ok("events", "ListConnections", value!({"NamePrefix": "c"})).await;
    assert_eq!(listed.get("Connections").and_then(Value::as_array).unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_connection_cannot_be_is_refused() {
    let whole = whole().await;
    let key = value!({"ApiKeyAuthParameters": {"ApiKeyName": "n", "ApiKeyValue": "v"}});
    let oauth = |endpoint: &str| {
        value!({"OAuthParameters": {
            "ClientParameters": {"ClientID": "i", "ClientSecret": "s"},
            "AuthorizationEndpoint": endpoint, "HttpMethod": "POST",
        }})
    };
    let create = |kind: &str, parameters: &Value| value!({"Name": "c", "AuthorizationType": kind, "AuthParameters": parameters});
    for (input, wanted) in [
        (create("BASIC", &key), "ValidationException: BasicAuthParameters"),
        (
            create("OAUTH_CLIENT_CREDENTIALS", &key),
            "ValidationException: OAuthParameters must be specified",
        ),
        (
            create("OAUTH_CLIENT_CREDENTIALS", &oauth("http://example.com/token")),
            "ValidationException: AuthorizationEndpoint cannot be called",
        ),
    ] {
        let err = whole.run("events", "CreateConnection", input).await.unwrap_err();
        assert!(err.to_string().starts_with(wanted), "{err}");
    }
    whole.ok("events", "CreateConnection", create("API_KEY", &key)).await;
    let again = whole.run("events", "CreateConnection", create("API_KEY", &key)).await;
    assert_eq!(again.unwrap_err().code, "ResourceAlreadyExistsException");
    for operation in ["DescribeConnection", "DeleteConnection", "DeauthorizeConnection"] {
        let err = whole.run("events", operation, value!({"Name": "none"})).await.unwrap_err();
        assert_eq!(err.code, "ResourceNotFoundException", "{operation}");
    }
}
