//! A whole server without a listener: signed requests in, answers out.

use std::sync::Arc;

use runtime::{Clock, ClockMode, NoPeers, Node, Opened, wall_millis};
use services::{AuthMode, Endpoint, Http, Reset, Services, Settings};
use store::Store;
use wire::{Handler, Request, sigv4};

use super::server::ACCOUNT;

/// Credentials as answers give them out.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

pub(crate) struct Served {
    pub(crate) services: Arc<Services>,
}

/// Returns a server on a virtual clock, which takes the key `test` as root.
pub(crate) fn served() -> Served {
    let opened =
        Opened::open(Store::memory(), Clock::new(ClockMode::Virtual), Node::alone()).unwrap();
    let settings = Settings {
        account: ACCOUNT.into(),
        region: "us-east-1".into(),
        partition: "aws".into(),
        edition: automation::catalogue::Edition::default(),
        limits: services::Limits::default(),
    };
    let http = Http { auth: AuthMode::Loopback, reset: Reset::Refused };
    let services = Services::new(settings, opened.handle(), http);
    opened.start(Arc::new(Endpoint::new(services.clone())), Arc::new(NoPeers));
    Served { services }
}

pub(crate) fn root() -> Keys {
    Keys { id: "test".into(), secret: "test".into(), token: None }
}

impl Served {
    /// Sends a signed request of a query service: `iam`, `sts`; returns status and body.
    pub(crate) async fn query(&self, keys: &Keys, service: &str, form: &str) -> (u16, String) {
        let version = if service == "iam" { "2010-05-08" } else { "2011-06-15" };
        self.send(
            keys,
            service,
            &[("content-type", "application/x-www-form-urlencoded")],
            &format!("{form}&Version={version}"),
        )
        .await
    }

    /// Sends a signed request of Step Functions.
    pub(crate) async fn states(&self, keys: &Keys, operation: &str, body: &str) -> (u16, String) {
        let target = format!("AWSStepFunctions.{operation}");
        let headers =
            [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
        self.send(keys, "states", &headers, body).await
    }

    async fn send(
        &self,
        keys: &Keys,
        service: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        self.answer(signed(keys, service, headers, body, wall_millis())).await
    }

    /// Answers a request as it is.
    pub(crate) async fn answer(&self, request: Request) -> (u16, String) {
        let answer = self.services.clone().handle(request).await;
        (answer.status, String::from_utf8(answer.body).unwrap())
    }

    /// Sends a request as root that must be answered well.
    pub(crate) async fn ok(&self, service: &str, form: &str) -> String {
        let (status, body) = self.query(&root(), service, form).await;
        assert_eq!(status, 200, "{form}: {body}");
        body
    }

    /// Makes a user who may do what a policy says, and returns an access key of it.
    pub(crate) async fn user(&self, name: &str, policy: &str) -> Keys {
        self.ok("iam", &format!("Action=CreateUser&UserName={name}")).await;
        let policy = wire::percent_encode(policy);
        let put = "Action=PutUserPolicy&PolicyName=p";
        self.ok("iam", &format!("{put}&UserName={name}&PolicyDocument={policy}")).await;
        let key = self.ok("iam", &format!("Action=CreateAccessKey&UserName={name}")).await;
        keys(&key)
    }
}

/// Returns a request that is signed at a time.
pub(crate) fn signed(
    keys: &Keys,
    service: &str,
    headers: &[(&str, &str)],
    body: &str,
    now_millis: i64,
) -> Request {
    let headers = headers.iter().chain([&("host", "localhost")]);
    let mut request = Request {
        method: "POST".into(),
        path: "/".into(),
        headers: headers.map(|(name, text)| ((*name).into(), (*text).into())).collect(),
        body: body.as_bytes().to_vec(),
        peer: "127.0.0.1".into(),
        ..Request::default()
    };
    let scope = ("us-east-1", service);
    sigv4::sign(&mut request, &keys.id, &keys.secret, keys.token.as_deref(), scope, now_millis);
    request
}

/// Returns the text of the first element of this name.
pub(crate) fn element<'b>(body: &'b str, name: &str) -> &'b str {
    let (_, rest) = body.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{body}"));
    rest.split_once("</").unwrap().0
}

/// Returns the credentials that an answer gives out.
pub(crate) fn keys(body: &str) -> Keys {
    Keys {
        id: element(body, "AccessKeyId").into(),
        secret: element(body, "SecretAccessKey").into(),
        token: body.contains("<SessionToken>").then(|| element(body, "SessionToken").into()),
    }
}
