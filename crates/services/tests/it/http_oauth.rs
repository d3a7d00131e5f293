//! Connections that tokens authorize, and what TestState shows of HTTP tasks, against an API and an
//! authorization endpoint of the test's own.

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use services::Input;
use tokio::net::TcpListener;
use value::{Value, value};
use wire::{Handler, Request, Response};

use super::outward::{EVERYTHING, output, task};
use super::server::{ACCOUNT, text};
use super::states_express::{Whole, whole};

const SECRET: &str = "the-secret-of-a-client";
const HIDDEN: &str = "of-the-connection";

/// Gives tokens at `/token`, and takes the newest one at every other path.
struct Api {
    /// The status of the endpoint's answers.
    status: AtomicUsize,
    expires_in: AtomicI64,
    given: AtomicUsize,
    /// Which token is taken; each one is when that is 0.
    taken: AtomicUsize,
    asked: Mutex<Vec<Request>>,
}

impl Handler for Api {
    fn handle(self: Arc<Self>, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(async move {
            let path = request.path.clone();
            let shown = request.header("authorization").unwrap_or_default().to_owned();
            self.asked.lock().unwrap().push(request);
            if path == "/token" {
                let status = u16::try_from(self.status.load(Ordering::SeqCst)).unwrap();
                let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
                let expires_in = self.expires_in.load(Ordering::SeqCst);
                let token = value!({
                    "access_token": format!("token-{number}"), "token_type": "bearer",
                    "expires_in": expires_in,
                });
                return Response::json(status, &token);
            }
            let taken = self.taken.load(Ordering::SeqCst);
            let is_good = taken == 0 || shown == format!("Bearer token-{taken}");
            let status = if is_good { 200 } else { 401 };
            Response::json(status, &value!({ "shown": shown }))
        })
    }
}

impl Api {
    /// Returns how often a path was asked.
    fn count(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|request| request.path == path).count()
    }

    fn first(&self) -> Request {
        self.asked.lock().unwrap().first().unwrap().clone()
    }
}

async fn listen() -> (Arc<Api>, String) {
    let api = Arc::new(Api {
        status: AtomicUsize::new(200),
        expires_in: AtomicI64::new(3_600),
        given: AtomicUsize::new(0),
        taken: AtomicUsize::new(0),
        asked: Mutex::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(wire::serve(listener, api.clone(), std::future::pending()));
    (api, address)
}

fn parameters(address: &str, method: &str, added: &Value) -> Value {
    value!({"OAuthParameters": {
        "ClientParameters": {"ClientID": "the client", "ClientSecret": SECRET},
        "AuthorizationEndpoint": format!("{address}/token"),
        "HttpMethod": method,
        "OAuthHttpParameters": added,
    }})
}

async fn connect(whole: &Whole, parameters: Value) -> String {
    let input = value!({
        "Name": "c", "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS",
        "AuthParameters": (parameters),
    });
    let made = whole.ok("events", "CreateConnection", input).await;
    assert_eq!(text(&made, &["ConnectionState"]), "AUTHORIZING");
    assert_eq!(made.get("LastAuthorizedTime"), None);
    text(&made, &["ConnectionArn"])
}

/// Returns the connection once it is authorized or not.
async fn settled(whole: &Whole) -> Value {
    for _ in 0..100_000 {
        let found = whole.ok("events", "DescribeConnection", value!({"Name": "c"})).await;
        if text(&found, &["ConnectionState"]) != "AUTHORIZING" {
            return found;
        }
        tokio::task::yield_now().await;
    }
    panic!("the connection is still being authorized");
}

async fn allowed() -> Whole {
    let whole = whole().await;
    whole.allow(EVERYTHING).await;
    whole
}

fn arguments(address: &str, arn: &str) -> Value {
    value!({
        "Method": "POST", "ApiEndpoint": format!("{address}/api"),
        "Authentication": {"ConnectionArn": arn},
    })
}

#[tokio::test]
async fn a_token_is_asked_for_and_kept() {
    let (whole, (api, address)) = (allowed().await, listen().await);
    let added = value!({
        "BodyParameters": [{"Key": "audience", "Value": HIDDEN, "IsValueSecret": true}],
        "HeaderParameters": [{"Key": "X-Tenant", "Value": "t"}],
        "QueryStringParameters": [{"Key": "q", "Value": "a b"}],
    });
    let arn = connect(&whole, parameters(&address, "POST", &added)).await;
    let found = settled(&whole).await;
    assert_eq!(text(&found, &["ConnectionState"]), "AUTHORIZED");
    assert!(found.get("LastAuthorizedTime").is_some());
    let shown = found.to_string();
    for hidden in [SECRET, HIDDEN, "token-1"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    let oauth = ["AuthParameters", "OAuthParameters"];
    assert_eq!(text(found.path(&oauth).unwrap(), &["ClientParameters", "ClientID"]), "the client");
    assert_eq!(text(found.path(&oauth).unwrap(), &["HttpMethod"]), "POST");
    let asked = api.first();
    assert_eq!((&*asked.method, &*asked.query), ("POST", "q=a%20b"));
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(asked.header("x-tenant"), Some("t"));
    let body = format!(
        "grant_type=client_credentials&client_id=the%20client&client_secret={SECRET}&\
         audience={HIDDEN}"
    );
    assert_eq!(String::from_utf8(asked.body).unwrap(), body);
    for _ in 0..2 {
        let answer = whole.sync(&task("http:invoke", &arguments(&address, &arn)), "{}").await;
        assert_eq!(text(&output(&answer), &["ResponseBody", "shown"]), "Bearer token-1");
        whole.ok("stepfunctions", "DeleteStateMachine", machine()).await;
    }
    assert_eq!((api.count("/token"), api.count("/api")), (1, 2));
}

fn machine() -> Value {
    value!({"stateMachineArn": super::states_express::machine_arn("m")})
}

#[tokio::test]
async fn a_token_is_fetched_anew_when_it_is_old_or_refused() {
    let (whole, (api, address)) = (allowed().await, listen().await);
    // Within a minute of its end a token is no longer used.
    api.expires_in.store(30, Ordering::SeqCst);
    let arn = connect(&whole, parameters(&address, "GET", &value!({}))).await;
    settled(&whole).await;
    let asked = api.first();
    assert!(asked.query.contains(&format!("client_secret={SECRET}")) && asked.body.is_empty());
    api.expires_in.store(3_600, Ordering::SeqCst);
    let machine = task("http:invoke", &arguments(&address, &arn));
    let answer = whole.sync(&machine, "{}").await;
    assert_eq!(text(&output(&answer), &["ResponseBody", "shown"]), "Bearer token-2");
    // The API no longer takes it, but takes the next.
    api.taken.store(3, Ordering::SeqCst);
    let answer = whole.start("StartSyncExecution", "m", "{}").await;
    assert_eq!(text(&output(&answer), &["ResponseBody", "shown"]), "Bearer token-3");
    assert_eq!((api.count("/token"), api.count("/api")), (3, 3));
    // It takes none: that is asked once again, and no more.
    api.taken.store(99, Ordering::SeqCst);
    let answer = whole.start("StartSyncExecution", "m", "{}").await;
    assert_eq!(text(&answer, &["error"]), "States.Http.StatusCode.401");
    assert_eq!((api.count("/token"), api.count("/api")), (4, 5));
}

#[tokio::test]
async fn an_endpoint_that_gives_no_token_deauthorizes() {
    let (whole, (api, address)) = (allowed().await, listen().await);
    api.status.store(403, Ordering::SeqCst);
    let arn = connect(&whole, parameters(&address, "POST", &value!({}))).await;
    let found = settled(&whole).await;
    assert_eq!(text(&found, &["ConnectionState"]), "DEAUTHORIZED");
    let why = "The authorization endpoint answered with the status 403";
    assert_eq!(text(&found, &["StateReason"]), why);
    let answer = whole.sync(&task("http:invoke", &arguments(&address, &arn)), "{}").await;
    assert_eq!(text(&answer, &["error"]), "Events.ConnectionResource.InvalidConnectionState");
    // An update has it authorized again.
    api.status.store(200, Ordering::SeqCst);
    let update = value!({"Name": "c", "Description": "d"});
    let updated = whole.ok("events", "UpdateConnection", update).await;
    assert_eq!(text(&updated, &["ConnectionState"]), "AUTHORIZING");
    let found = settled(&whole).await;
    assert_eq!(text(&found, &["ConnectionState"]), "AUTHORIZED");
    assert_eq!(found.get("StateReason"), None);
    // What has been refused once and has no other token ends the authorization.
    api.taken.store(99, Ordering::SeqCst);
    api.status.store(400, Ordering::SeqCst);
    let answer = whole.start("StartSyncExecution", "m", "{}").await;
    assert_eq!(text(&answer, &["error"]), "States.Http.StatusCode.401");
    assert_eq!(text(&settled(&whole).await, &["ConnectionState"]), "DEAUTHORIZED");
}

/// Tests a task at a level; returns the inspection data.
async fn inspected(whole: &Whole, arguments: &Value, level: &str, reveals: bool) -> Value {
    let state = value!({
        "Type": "Task", "Resource": "arn:aws:states:::http:invoke", "End": true,
        "Parameters": arguments,
    });
    let input = value!({
        "definition": state.to_string(), "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/r"),
        "inspectionLevel": level, "revealSecrets": reveals,
    });
    let tested = whole.ok("stepfunctions", "TestState", input).await;
    tested.get("inspectionData").cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_test_shows_request_and_answer() {
    let (whole, (_, address)) = (allowed().await, listen().await);
    let added = value!({
        "HeaderParameters": [{"Key": "CustomHeader1", "Value": HIDDEN}],
        "QueryStringParameters": [{"Key": "q", "Value": HIDDEN}],
        "BodyParameters": [{"Key": "b", "Value": HIDDEN}],
    });
    let parameters = parameters(&address, "POST", &value!({}));
    let arn = connect(&whole, parameters.with("InvocationHttpParameters", added)).await;
    settled(&whole).await;
    let arguments = arguments(&address, &arn)
        .with("Headers", value!({"definitionHeader": "h1"}))
        .with("QueryParameters", value!({"own": 1}))
        .with("RequestBody", value!({"message": "m"}));
    let agent = "User-Agent: Amazon|StepFunctions|HttpInvoke|us-east-1, Range: bytes=0-262144";
    let found = inspected(&whole, &arguments, "TRACE", true).await;
    let request = value!({
        "protocol": "http", "method": "POST",
        "url": format!("{address}/api?own=1&q={HIDDEN}"),
        "headers": format!(
            "[definitionHeader: h1, Authorization: Bearer token-1, CustomHeader1: {HIDDEN}, \
             {agent}]"
        ),
        "body": format!(r#"{{"message":"m","b":"{HIDDEN}"}}"#),
    });
    assert_eq!(found.get("request"), Some(&request));
    let response = found.get("response").unwrap();
    let told = |member: &str| text(response, &[member]);
    assert_eq!((told("statusCode"), told("statusMessage")), ("200".into(), "OK".into()));
    assert_eq!(told("body"), r#"{"shown":"Bearer token-1"}"#);
    assert!(told("headers").contains("content-type: application/json"), "{response}");
    // Without secrets what the connection adds is left out; the answer is shown as it is.
    let found = inspected(&whole, &arguments, "TRACE", false).await;
    let request = found.get("request").unwrap();
    assert_eq!(text(request, &["headers"]), format!("[definitionHeader: h1, {agent}]"));
    assert_eq!(text(request, &["url"]), format!("{address}/api?own=1"));
    assert_eq!(text(request, &["body"]), r#"{"message":"m"}"#);
    let found = inspected(&whole, &arguments, "DEBUG", false).await;
    assert_eq!((found.get("request"), found.get("response")), (None, None));
    assert!(found.maybe_text("result").is_some(), "{found}");
}
