//! The services as an endpoint of running processes: calls come from state machines, runbooks,
//! rules and stacks, are made as their roles, and are authorised like every other call.

use std::sync::Arc;

use runtime::{Answering, AwsEndpoint, Call as Asked, CallError, Caller, Environment};
use value::Value;
use wire::model;

use crate::call::Origin;
use crate::{Call, Error, Reading, Services, dispatch, ids, roles, sts};

/// How long a script's credentials are good for, in seconds.
const SCRIPT_CREDENTIALS_SECONDS: i64 = 3600;

/// The services, as running processes see them.
pub struct Endpoint {
    services: Arc<Services>,
}

impl Endpoint {
    /// Returns the endpoint of these services.
    pub fn new(services: Arc<Services>) -> Endpoint {
        Endpoint { services }
    }
}

impl AwsEndpoint for Endpoint {
    fn call(&self, call: Asked) -> Answering {
        let services = self.services.clone();
        Box::pin(async move { services.call_as(call).await })
    }

    fn script_environment(&self, caller: Caller) -> Environment {
        let services = self.services.clone();
        Box::pin(async move { services.script_environment(caller).await })
    }

    fn events_committed(&self) {
        self.services.pump.wake();
    }
}

impl Services {
    /// Returns a call of the server itself, for work in the background.
    pub(crate) fn own_call(&self) -> Call {
        let source_arn = format!("arn:{}:stepwell:::server", self.settings().partition);
        self.call_from(policy::Principal::root(&self.settings().account), source_arn, None)
    }

    fn call_from(
        &self,
        principal: policy::Principal,
        source_arn: String,
        effect_id: Option<String>,
    ) -> Call {
        Call {
            settings: self.settings().clone(),
            region: self.settings().region.clone(),
            request_id: ids::uuid(),
            now_millis: self.runtime().clock().now_millis(),
            principal: Arc::new(principal.in_partition(&self.settings().partition)),
            session_policies: None,
            from: Origin::Service { source_arn },
            effect_id,
            lease: None,
        }
    }

    /// Makes a call for a running process or a rule.
    ///
    /// # Errors
    /// What the service answers, in the form that Step Functions and Automation want it.
    pub(crate) async fn call_as(self: &Arc<Services>, asked: Asked) -> Result<Value, CallError> {
        let Asked { effect_id, lease, caller, service, operation, input } = asked;
        let Some(known) = model::service(&service) else {
            let err = Error::new("NotImplemented", format!("AWS has no service `{service}`"));
            return Err(call_error(&service, &err, &ids::uuid()));
        };
        let name = dispatch::SERVICE_NAMES.iter().find(|name| **name == known.name());
        let Some(name) = name else {
            let text = format!(
                "Stepwell does not serve {service} and no endpoint is configured for it: \
                 {service}:{operation} cannot be called."
            );
            return Err(call_error(
                known.name(),
                &Error::new("NotImplemented", text),
                &ids::uuid(),
            ));
        };
        let source_arn = match &caller {
            Caller::Role { source_arn, .. } => source_arn.clone(),
            Caller::Principal(principal) => principal.arn(),
        };
        let base = self.own_call();
        let failed = |err: &Error| call_error(name, err, &base.request_id);
        let principal = match caller {
            Caller::Principal(principal) => *principal,
            Caller::Role { role_arn, service, session_name, source_arn } => self
                .store()
                .read(|store| {
                    let on = Reading { store, call: &base };
                    roles::assume(&on, &role_arn, &service, &session_name, &source_arn)
                })
                .map_err(|err| failed(&err))?,
        };
        let mut call = self.call_from(principal, source_arn, effect_id);
        call.request_id.clone_from(&base.request_id);
        call.lease = lease;
        let operation = dispatch::find(name, &operation).map_err(|err| failed(&err))?;
        let modelled = known.operation(operation.name);
        if let Some(problems) =
            modelled.and_then(|modelled| wire::validate::problems(modelled, &input))
        {
            let query = matches!(known.protocol(), model::Protocol::Query);
            let code = if query { "ValidationError" } else { "ValidationException" };
            return Err(failed(&Error::new(code, problems)));
        }
        self.dispatch(name, operation, call, input).await.map_err(|err| failed(&err))
    }

    /// Returns what a script finds in its environment.
    async fn script_environment(
        self: &Arc<Services>,
        caller: Caller,
    ) -> Result<Vec<(String, String)>, CallError> {
        let base = self.own_call();
        let failed = |err: &Error| call_error("sts", err, &base.request_id);
        let Caller::Role { role_arn, service, session_name, source_arn } = caller else {
            return Ok(Vec::new());
        };
        let principal = self
            .store()
            .read(|store| {
                let on = Reading { store, call: &base };
                roles::assume(&on, &role_arn, &service, &session_name, &source_arn)
            })
            .map_err(|err| failed(&err))?;
        let written = self.store().write(move |store| {
            let mut on = crate::Writing { store, call: &base, notices: Vec::new() };
            sts::credentials_for(&mut on, &principal, SCRIPT_CREDENTIALS_SECONDS)
        });
        let base = self.own_call();
        let failed = |err: &Error| call_error("sts", err, &base.request_id);
        let credentials = written.await.map_err(Error::from).and_then(|kept| kept);
        let credentials = credentials.map_err(|err| failed(&err))?;
        let mut variables = vec![
            ("AWS_ACCESS_KEY_ID".to_owned(), credentials.access_key_id),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), credentials.secret_access_key),
            ("AWS_SESSION_TOKEN".to_owned(), credentials.session_token),
            ("AWS_DEFAULT_REGION".to_owned(), self.settings().region.clone()),
            ("AWS_REGION".to_owned(), self.settings().region.clone()),
        ];
        if let Some(url) = self.endpoint_url.get() {
            variables.push(("AWS_ENDPOINT_URL".to_owned(), url.clone()));
            variables.push(("AWS_DISABLE_HOST_PREFIX_INJECTION".to_owned(), "true".to_owned()));
        }
        Ok(variables)
    }
}

/// Returns an error with what the model knows of its code.
fn call_error(service: &str, err: &Error, request_id: &str) -> CallError {
    let shape = model::service(service).and_then(|service| service.error(&err.code));
    let status = shape.and_then(|shape| shape.status()).unwrap_or(match &*err.code {
        "InternalFailure" => 500,
        "NotImplemented" => 501,
        "AccessDenied" => 403,
        _ => 400,
    });
    CallError {
        code: err.code.to_string(),
        exception: shape.map(|shape| shape.class().to_owned()),
        message: err.message.clone(),
        status,
        request_id: request_id.to_owned(),
    }
}
