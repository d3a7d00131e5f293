//! From a request to a running stack operation.
//!
//! Operations on a stack are counted, and the number is part of the id of the process that performs
//! one. Whoever wants to begin operation `n + 1` has read that `n` has ended. Of two requests that
//! read the same `n` the runtime begins one; the other is planned anew, and finds the stack busy.
//!
//! INVARIANT: at most one operation runs on a stack.

use std::sync::Arc;

use runtime::{Begin, BeginStack, Kind, ProcessId, Started};
use stacks::Fact;
use value::Value;

use super::error;
use super::request;
use super::stack::{About, Last, Stack};
use crate::{Call, Error, Input, Pending, Reading, Services, Writing};

/// How often a request is planned when others begin operations on the same stack in between.
const PLANS_MAX: usize = 10;

/// What a request comes to.
pub(super) enum Plan {
    /// Nothing is to be done, or it has been done already.
    Answered(Value),
    /// An operation is to begin.
    Begin(Box<Beginning>),
}

/// An operation that is to begin, and the answer once it has.
pub(super) struct Beginning {
    process: ProcessId,
    begin: BeginStack,
    answer: Value,
}

/// Plans a request in a transaction and begins what came out.
pub(super) fn run(
    services: Arc<Services>,
    call: Call,
    input: Value,
    plan: fn(&mut Writing<'_>, &Value) -> Result<Plan, Error>,
) -> Pending {
    Box::pin(async move {
        for _ in 0..PLANS_MAX {
            let (call, input) = (call.clone(), input.clone());
            let planned = services.store().write(move |store| {
                plan(&mut Writing { store, call: &call, notices: Vec::new() }, &input)
            });
            let beginning = match planned.await?? {
                Plan::Answered(answer) => return Ok(answer),
                Plan::Begin(beginning) => *beginning,
            };
            let begin = Begin::Stack(beginning.begin);
            match services.runtime().begin(beginning.process, begin).await? {
                Started::New { .. } => return Ok(beginning.answer),
                Started::AlreadyKnown | Started::AskedBefore => {}
            }
        }
        Err(Error::new("Throttling", "Rate exceeded"))
    })
}

/// Returns the operation that comes next on a stack.
pub(super) fn next(on: &Reading<'_>, input: &Value, action: &str, last: &Last) -> Last {
    Last {
        number: last.number + 1,
        action: action.to_owned(),
        token: input.maybe_text("ClientRequestToken").map(str::to_owned),
        effect_id: on.call.effect_id.clone(),
        change_set_id: last.change_set_id.clone(),
    }
}

/// Returns whether the last operation on a stack was this very request.
///
/// # Errors
/// `TokenAlreadyExistsException` when it was another request with the same token.
pub(super) fn is_repeated(
    on: &Reading<'_>,
    input: &Value,
    action: &str,
    last: &Last,
) -> Result<bool, Error> {
    if on.call.effect_id.is_some() && last.effect_id == on.call.effect_id {
        return Ok(true);
    }
    match input.maybe_text("ClientRequestToken") {
        Some(token) if last.token.as_deref() == Some(token) => {
            if last.action == action {
                Ok(true)
            } else {
                Err(error::token_already_exists(token))
            }
        }
        Some(_) | None => Ok(false),
    }
}

/// Returns the token by which the engine knows an operation. The one made here for a request
/// without is no valid `ClientRequestToken`: it is never shown.
pub(super) fn token(last: &Last) -> String {
    last.token.clone().unwrap_or_else(|| format!("operation/{}", last.number))
}

/// Returns the plan that begins an operation; `stack` is as it stood, `about` as it will be.
pub(super) fn begin(
    on: &Reading<'_>,
    stack: Stack,
    about: &About,
    request: Fact,
    answer: Value,
) -> Result<Plan, Error> {
    let stack_id = stack.id().to_owned();
    let name = format!("{stack_id}/{}", about.last.number);
    let begin = BeginStack {
        caller: request::caller(on, about.role_arn.as_deref(), &stack_id),
        stack_id,
        state: stack.state,
        request,
        about: value::to_value(about).map_err(|err| Error::internal(&err))?,
        events: stack.events,
    };
    let process = ProcessId::new(Kind::Stack, &name);
    Ok(Plan::Begin(Box::new(Beginning { process, begin, answer })))
}
