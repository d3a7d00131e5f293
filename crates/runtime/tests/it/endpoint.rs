//! An endpoint for tests: remembers what it was asked, as the services do.

use std::collections::BTreeMap;
use std::sync::Mutex;

use runtime::{Answering, AwsEndpoint, Call, CallError, Caller, Environment};
use value::value;

/// Answers `GetUser` and `DeleteUser`; hangs where it is told to.
#[derive(Default)]
pub(crate) struct Endpoint {
    /// Effect id and operation of every call, repetitions included.
    pub(crate) asked: Mutex<Vec<(String, String)>>,
    /// Which of them may have been made before.
    pub(crate) in_doubt: Mutex<Vec<bool>>,
    /// What has really been done, by effect id.
    pub(crate) done: Mutex<BTreeMap<String, String>>,
    /// The operation that is never answered.
    pub(crate) hangs_at: Option<&'static str>,
    /// The operation that is refused.
    pub(crate) refuses: Option<&'static str>,
    /// The operation that is done the first time and said to be unavailable.
    pub(crate) loses_answer_of: Option<&'static str>,
}

impl AwsEndpoint for Endpoint {
    fn call(&self, call: Call) -> Answering {
        // Executions call as their role.
        let is_role = matches!(call.caller, Caller::Role { .. });
        self.in_doubt.lock().unwrap().push(call.in_doubt);
        let effect_id = call.effect_id.unwrap_or_default();
        assert!(is_role || !effect_id.starts_with("arn:"));
        let name = call.input.get("UserName").cloned().unwrap();
        self.asked.lock().unwrap().push((effect_id.clone(), call.operation.clone()));
        if self.refuses == Some(&*call.operation) {
            return Box::pin(async { Err(refusal()) });
        }
        self.done.lock().unwrap().insert(effect_id.clone(), call.operation.clone());
        let times = self.asked.lock().unwrap().iter().filter(|(id, _)| *id == effect_id).count();
        if self.loses_answer_of == Some(&*call.operation) && times == 1 {
            let unavailable = CallError {
                code: "ServiceUnavailable".into(),
                exception: None,
                status: 503,
                is_passing: true,
                ..refusal()
            };
            return Box::pin(async { Err(unavailable) });
        }
        if self.hangs_at == Some(&*call.operation) {
            return Box::pin(std::future::pending());
        }
        let user = value!({"UserId": "AIDA1", "UserName": name, "CreateDate": 0});
        Box::pin(async { Ok(value!({"User": user})) })
    }

    fn script_environment(&self, _: Caller) -> Environment {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn events_committed(&self) {}

    fn hears(&self, _: &str) -> bool {
        true
    }
}

fn refusal() -> CallError {
    CallError {
        code: "NoSuchEntity".into(),
        exception: Some("NoSuchEntityException".into()),
        message: "The user with name 日本 cannot be found.".into(),
        status: 404,
        request_id: "r-1".into(),
        extended_request_id: None,
        is_passing: false,
    }
}
