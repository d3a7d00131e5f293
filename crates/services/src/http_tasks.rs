//! HTTP tasks of state machines: who may make the request, and with which connection.

use std::sync::Arc;

use runtime::{Call as Asked, CallError};
use value::Value;

use crate::call::Origin;
use crate::endpoint::source_arn;
use crate::events::connections::{self, AUTHORIZING, Connection};
use crate::outward::{self, Destination, HttpTask, Unauthorized, connection_error, passing};
use crate::{Call, Check, Error, Reading, Services, ids};

/// Answers that say that a token is not good.
const REFUSALS: [u16; 2] = [401, 407];

/// What an HTTP task hears when IAM is elsewhere. A call of AWS is judged by AWS then; such a
/// request nobody would judge.
const UNASKED: &str = "http:invoke is served only while IAM is served here: with IAM elsewhere \
    (--target aws, --endpoint iam=URL) nobody can be asked whether the role of the state machine \
    may use states:InvokeHTTPEndpoint and the connection";

impl Services {
    /// Makes the request of an HTTP task.
    ///
    /// # Errors
    /// `States.Http…` and `Events.ConnectionResource…`, as Retry and Catch see them.
    pub(crate) async fn call_http(self: &Arc<Services>, asked: Asked) -> Result<Value, CallError> {
        let task = HttpTask::read(&asked.input)?;
        let connection = self.connection_for(&task, &asked)?;
        let connection = self.authorized(&connection).await;
        let connection = ready(connection.map_err(|why| unauthorized(&why))?)?;
        let answer = self.outward().call_http(&task, &connection, asked.in_doubt).await?;
        if !(connection.is_oauth() && REFUSALS.contains(&answer.status)) {
            return outward::http_output(&answer);
        }
        // What was refused has changed nothing, so that it may be asked again.
        match self.reauthorized(&connection).await {
            Ok(again) if again.is_authorized() => {
                let answer = self.outward().call_http(&task, &again, false).await?;
                outward::http_output(&answer)
            }
            Ok(_) | Err(_) => outward::http_output(&answer),
        }
    }

    /// Returns the connection, if the state machine's role may use it for this request.
    fn connection_for(&self, task: &HttpTask, asked: &Asked) -> Result<Connection, CallError> {
        if self.outward().destination("iam") != Some(&Destination::Embedded) {
            return Err(permissions(&Error::new("AccessDenied", UNASKED)));
        }
        let principal = self.principal(runtime::HTTP_TASK, asked, &ids::uuid());
        let principal = principal.map_err(|err| permissions(&err))?;
        let mut call =
            self.call_from(principal, source_arn(&asked.caller), asked.effect_id.clone());
        call.process.clone_from(&asked.process);
        let mut refusal = None;
        let found = self.admitted(&call, task, &mut refusal);
        self.note(&call, runtime::HTTP_TASK, &asked.operation, refusal.as_ref());
        found
    }

    /// Asks for the request, then for the connection and its secret.
    fn admitted(
        &self,
        call: &Call,
        task: &HttpTask,
        refusal: &mut Option<Error>,
    ) -> Result<Connection, CallError> {
        let Origin::Service { source_arn } = &call.from else {
            return Err(CallError::internal(call.request_id.clone()));
        };
        let mut may =
            |check: Check| self.may(call, check).inspect_err(|err| *refusal = Some(err.clone()));
        let check = Check::new("states:InvokeHTTPEndpoint", source_arn.clone())
            .with("states:HTTPMethod", vec![task.method.clone()])
            .with("states:HTTPEndpoint", vec![task.endpoint.clone()]);
        may(check).map_err(|err| permissions(&err))?;
        self.connection(task, |found| {
            may(Check::new("events:RetrieveConnectionCredentials", found.arn.clone()))?;
            may(Check::new("secretsmanager:GetSecretValue", found.secret_arn.clone()))?;
            may(Check::new("secretsmanager:DescribeSecret", found.secret_arn.clone()))
        })
    }

    /// Returns the connection, if it is there, may be used and is authorized.
    fn connection(
        &self,
        task: &HttpTask,
        may: impl FnOnce(&Connection) -> Result<(), Error>,
    ) -> Result<Connection, CallError> {
        let found = self.store().read(|tx| connections::find_by_arn(tx, &task.connection_arn));
        let found = found.map_err(|err| passing(&err))?.ok_or_else(|| {
            let what = format!("The connection {} does not exist.", task.connection_arn);
            connection_error("ResourceNotFound", &what)
        })?;
        may(&found).map_err(|err| connection_error("AccessDenied", &err.message))?;
        ready(found)
    }

    fn may(&self, call: &Call, check: Check) -> Result<(), Error> {
        self.store().read(|store| {
            let on = Reading { store, call };
            self.policies.authorize_committed(self.store(), &on, runtime::HTTP_TASK, &[check])
        })
    }
}

/// Refuses a connection that is not authorized, or not yet.
fn ready(found: Connection) -> Result<Connection, CallError> {
    if found.is_authorized() {
        return Ok(found);
    }
    let what = format!("The connection {} is {}.", found.arn, found.state);
    let name = match &*found.state {
        AUTHORIZING => "AuthInProgress",
        _ => "InvalidConnectionState",
    };
    Err(connection_error(name, &what))
}

/// The token has expired, and there is no other.
// UNVERIFIED: the name for an endpoint that does not answer.
fn unauthorized(why: &Unauthorized) -> CallError {
    let name = match why {
        Unauthorized::Refused(_) => "InvalidConnectionState",
        Unauthorized::Unasked(_) => "InternalError",
    };
    connection_error(name, &why.to_string())
}

/// A refusal of the request itself. UNVERIFIED: the name; AWS's documentation has none for it.
fn permissions(err: &Error) -> CallError {
    CallError { code: "States.Permissions".into(), ..passing(err) }
}
