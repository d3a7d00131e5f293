//! The services as an endpoint of running processes: calls come from state machines, runbooks,
//! rules and stacks, are made as their roles, and are authorised like every other call.

use std::sync::Arc;

use runtime::{Answering, AwsEndpoint, Call as Asked, CallError, Caller, Environment};
use value::{Value, value};
use wire::model;

use crate::call::Origin;
use crate::decisions::Noting;
use crate::outward::{self, Destination};
use crate::{Call, Error, Judgements, Reading, Services, dispatch, ids, roles, ssm, sts, traces};

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

    fn hears(&self, source: &str) -> bool {
        self.services.pump.hears(self.services.store(), source)
    }

    fn execution_ended(&self, arn: &str) {
        if let Some(traces) = self.services.traces.get() {
            traces.execution(arn);
        }
    }
}

impl Services {
    /// Returns a call of the server itself, for work in the background.
    pub(crate) fn own_call(&self) -> Call {
        let source_arn = format!("arn:{}:stepwell:::server", self.settings().partition);
        self.call_from(policy::Principal::root(&self.settings().account), source_arn, None)
    }

    pub(crate) fn call_from(
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
            from: Origin::Service { source_arn },
            effect_id,
            nested_in: None,
            lease: None,
            process: None,
            trace: None,
            judgements: Judgements::default(),
        }
    }

    /// Makes a call for a running process or a rule.
    ///
    /// # Errors
    /// What the service answers, in the form that Step Functions and Automation want it.
    pub(crate) async fn call_as(self: &Arc<Services>, asked: Asked) -> Result<Value, CallError> {
        if asked.service == runtime::EXECUTE_API {
            return self.call_api(asked).await;
        }
        if asked.service == runtime::HTTP_TASK {
            return self.call_http(asked).await;
        }
        if asked.service == runtime::SEVERAL_CALLS {
            return self.call_several(asked).await;
        }
        if asked.service == automation::actions::WEBHOOK {
            return self.outward().call_webhook(&asked).await;
        }
        let Some(known) = model::service(&asked.service) else {
            let service = &asked.service;
            let err = Error::new("NotImplemented", format!("AWS has no service `{service}`"));
            return Err(call_error(service, &err, &ids::uuid()));
        };
        let asked = self.with_secret(asked).await?;
        match self.outward().destination_of(known.name(), &asked.operation) {
            Some(Destination::Embedded) => self.call_here(known, asked).await,
            Some(Destination::Aws | Destination::Endpoint(_) | Destination::Directory(_)) => {
                self.call_elsewhere(known, asked).await
            }
            None if self.outward().command(known.name(), &asked).is_some() => {
                self.call_elsewhere(known, asked).await
            }
            None => {
                let err = outward::nowhere(known.name(), &asked.operation);
                Err(CallError { status: 0, ..call_error(known.name(), &err, "") })
            }
        }
    }

    /// Makes a call of a service that is served here.
    async fn call_here(
        self: &Arc<Services>,
        known: &'static model::Service,
        asked: Asked,
    ) -> Result<Value, CallError> {
        let name = known.name();
        let request_id = ids::uuid();
        let failed = |err: &Error| call_error(name, err, &request_id);
        let principal = self.principal(name, &asked, &request_id).map_err(|err| failed(&err))?;
        let Asked { effect_id, lease, process, nested_in, caller, trace, .. } = asked;
        let Asked { operation, input, tells_http, .. } = asked;
        let mut call = self.call_from(principal, source_arn(&caller), effect_id);
        call.request_id.clone_from(&request_id);
        call.trace = trace.and_then(|trace| traces::within(&trace, process.as_deref()?));
        (call.lease, call.process, call.nested_in) = (lease, process, nested_in);
        tracing::Span::current().record("request_id", &*call.request_id);
        let operation = dispatch::find(name, &operation).map_err(|err| failed(&err))?;
        let modelled = known.operation(operation.name);
        if let Some(problems) =
            modelled.and_then(|modelled| wire::validate::problems(modelled, &input))
        {
            let query = matches!(known.protocol(), model::Protocol::Query);
            let code = if query { "ValidationError" } else { "ValidationException" };
            return Err(failed(&Error::new(code, problems)));
        }
        let now_millis = call.now_millis;
        let output = self.dispatch(name, operation, call, input).await;
        let output = output.map_err(|err| failed(&err))?;
        Ok(if tells_http { told(known, output, &request_id, now_millis) } else { output })
    }

    /// Makes a call of a service that is served elsewhere. Who may make it is asked here, as for
    /// any other call, unless IAM is elsewhere too: then it is asked there.
    async fn call_elsewhere(
        self: &Arc<Services>,
        known: &'static model::Service,
        asked: Asked,
    ) -> Result<Value, CallError> {
        let name = known.name();
        let failed = |err: &Error| call_error(name, err, &ids::uuid());
        let Some(operation) = known.operation(&asked.operation) else {
            let text = format!("AWS has no operation {name}:{}", asked.operation);
            return Err(failed(&Error::new("NotImplemented", text)));
        };
        self.admit(name, &asked).map_err(|err| failed(&err))?;
        self.outward().call(operation, &asked).await
    }

    /// Calls an API of API Gateway; one that is open to all needs nobody's leave.
    async fn call_api(self: &Arc<Services>, asked: Asked) -> Result<Value, CallError> {
        let api = outward::ApiCall::read(&asked.input)?;
        if api.is_signed {
            let name = runtime::EXECUTE_API;
            self.admit(name, &asked).map_err(|err| call_error(name, &err, &ids::uuid()))?;
        }
        self.outward().call_api(api, asked.in_doubt).await
    }

    /// Asks whether a call that leaves is allowed.
    fn admit(&self, service: &'static str, asked: &Asked) -> Result<(), Error> {
        if self.outward().destination("iam") != Some(&Destination::Embedded) {
            return Ok(());
        }
        let principal = self.principal(service, asked, &ids::uuid())?;
        let mut call =
            self.call_from(principal, source_arn(&asked.caller), asked.effect_id.clone());
        call.process.clone_from(&asked.process);
        let admitted = self.may_leave(&call, service, &asked.operation, &asked.input);
        self.note(&call, service, &asked.operation, admitted.as_ref().err());
        admitted
    }

    fn may_leave(
        &self,
        call: &Call,
        service: &'static str,
        operation: &str,
        input: &Value,
    ) -> Result<(), Error> {
        self.store().read(|store| {
            let on = Reading { store, call };
            let checks = outward::checks(&on, service, operation, input)?;
            self.policies.authorize_committed(self.store(), &on, service, &checks)
        })
    }

    /// Notes a call that was decided before, or instead of, being dispatched here.
    pub(crate) fn note(
        &self,
        call: &Call,
        service: &'static str,
        operation: &str,
        err: Option<&Error>,
    ) {
        let answer = err.map_or_else(|| Ok(Value::object()), |err| Err(err.clone()));
        let record = Noting::of(call, service, operation.to_owned()).answered(&answer);
        if let Some(record) = record {
            self.decisions.note(record);
        }
    }

    /// Makes a call of a service that is served elsewhere, as whoever makes `call`.
    ///
    /// # Errors
    /// What the service answers, or that the caller may not ask it.
    pub(crate) async fn call_outside(
        self: &Arc<Services>,
        call: &Call,
        service: &'static str,
        operation: &str,
        input: Value,
    ) -> Result<Value, CallError> {
        let failed = |err: &Error| call_error(service, err, &call.request_id);
        let known = model::service(service).and_then(|known| known.operation(operation));
        let Some(known) = known else {
            let text = format!("AWS has no operation {service}:{operation}");
            return Err(failed(&Error::new("NotImplemented", text)));
        };
        if self.outward().destination("iam") == Some(&Destination::Embedded) {
            self.may_leave(call, service, operation, &input).map_err(|err| failed(&err))?;
        }
        let caller = Caller::Principal(Box::new((*call.principal).clone()));
        let asked = Asked::new(caller, service, operation, input);
        let is_outside = match self.outward().destination_of(service, operation) {
            Some(Destination::Aws | Destination::Endpoint(_) | Destination::Directory(_)) => true,
            Some(Destination::Embedded) => false,
            None => self.outward().command(service, &asked).is_some(),
        };
        if !is_outside {
            return Err(CallError { status: 501, ..failed(&outward::nowhere(service, operation)) });
        }
        self.outward().call(known, &asked).await
    }

    /// Returns as whom a call is made: the session of a role, if the role lets the service in.
    pub(crate) fn principal(
        &self,
        name: &'static str,
        asked: &Asked,
        request_id: &str,
    ) -> Result<policy::Principal, Error> {
        match &asked.caller {
            Caller::Principal(principal) => Ok((**principal).clone()),
            Caller::Role { role_arn, service, session_name, source_arn } => {
                let base = self.own_call();
                let assumed = self.store().read(|store| {
                    let on = Reading { store, call: &base };
                    roles::assume(&on, role_arn, service, session_name, source_arn)
                });
                if let Err(err) = &assumed {
                    let principal = Arc::new(policy::Principal::service(service));
                    let process = asked.process.clone();
                    let request_id = request_id.to_owned();
                    let refused = Call { request_id, principal, process, ..base };
                    self.note(&refused, name, &asked.operation, Some(err));
                }
                assumed
            }
        }
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
        // Sessions of runbooks bear the id of their execution.
        let process = (service == ssm::SERVICE).then(|| format!("automation/{session_name}"));
        let principal = self
            .store()
            .read(|store| {
                let on = Reading { store, call: &base };
                roles::assume(&on, &role_arn, &service, &session_name, &source_arn)
            })
            .map_err(|err| failed(&err))?;
        let written = self.store().write(move |store| {
            let mut on = crate::Writing { store, call: &base, notices: Vec::new() };
            sts::credentials_for(&mut on, &principal, process, SCRIPT_CREDENTIALS_SECONDS)
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

/// Returns for what a call is made.
pub(crate) fn source_arn(caller: &Caller) -> String {
    match caller {
        Caller::Role { source_arn, .. } => source_arn.clone(),
        Caller::Principal(principal) => principal.arn(),
    }
}

/// Returns an error with what the model knows of its code.
pub(crate) fn call_error(service: &str, err: &Error, request_id: &str) -> CallError {
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
        extended_request_id: None,
        is_passing: err.code == "ServiceUnavailable",
    }
}

/// Returns an output with what would have told how it came, had it come from AWS over HTTP: some
/// integrations show that to their Tasks.
fn told(
    service: &'static model::Service,
    output: Value,
    request_id: &str,
    now_millis: i64,
) -> Value {
    let headers = value!({
        "x-amzn-requestid": request_id,
        "connection": "keep-alive",
        "content-length": sent_bytes(&output).to_string(),
        "date": wire::http_date(now_millis),
        "content-type": format!("application/x-amz-json-{}", service.json_version()),
    });
    let told = value!({ "RequestId": request_id, "HTTPStatusCode": 200, "HTTPHeaders": (headers) });
    output.with("ResponseMetadata", told)
}

/// Returns how long the body is in which AWS sends an output. Its times are written as Java writes
/// numbers: `1.764079011123E9`.
fn sent_bytes(output: &Value) -> usize {
    let times = output.as_object().into_iter().flat_map(value::Map::iter);
    let times = times.filter(|(member, _)| member.ends_with("Date"));
    let longer = times.filter_map(|(_, found)| {
        let seconds = found.as_f64()?;
        format!("{seconds:e}").len().checked_sub(found.to_json().len())
    });
    output.to_json().len() + longer.sum::<usize>()
}
