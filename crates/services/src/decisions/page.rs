//! The server's own pages about decisions; only callers on this machine may ask.

use std::sync::Arc;

use value::{Value, value};
use wire::Response;

use super::least_privilege::Resources;
use super::search::{Answered, Wanted};
use crate::{Error, Input, Services};

impl Services {
    /// Answers `POST /_stepwell/calls`: `{"requestId": …}`, `{"execution": …}`, `{"last": "call"}`
    /// or `{"last": "refusal"}`. The calls of an execution may be more than one answer has: then it
    /// has `next`, which stands as `after` in the question for the others.
    pub(crate) async fn calls_page(self: &Arc<Self>, body: &[u8]) -> Response {
        let asked = value::parse_bytes(body).unwrap_or_default();
        let wanted = match (
            asked.maybe_text("requestId"),
            asked.maybe_text("execution"),
            asked.maybe_text("last"),
        ) {
            (Some(id), None, None) => Wanted::Request(id.to_owned()),
            (None, None, Some("call")) => Wanted::Last,
            (None, None, Some("refusal")) => Wanted::LastRefused,
            (None, Some(execution), None) => {
                let after = asked.maybe_text("after").map(str::to_owned);
                return self.calls_of_page(execution, after).await;
            }
            _ => {
                let message = "send one of requestId, execution, last (call or refusal)";
                return Response::json(400, &value!({ "message": message }));
            }
        };
        let found = self.behind_the_answers(move |services| {
            let call = services.find_call(&wanted)?;
            Ok(value!({ "calls": call.into_iter().collect::<Vec<Value>>() }))
        });
        answer(found.await)
    }

    async fn calls_of_page(self: &Arc<Self>, execution: &str, after: Option<String>) -> Response {
        let process = process_named(execution);
        let found = self.behind_the_answers(move |services| {
            let processes = services.processes_of(&process)?;
            let Answered { calls, next } = services.calls_of(&processes, after.as_deref())?;
            let shown = value!({ "calls": calls, "isWhole": processes.is_whole });
            Ok(shown.with_some("next", next))
        });
        answer(found.await)
    }

    /// Answers `POST /_stepwell/least-privilege`: `{"execution": …, "resources": "named"|"any"}`.
    pub(crate) async fn least_privilege_page(self: &Arc<Self>, body: &[u8]) -> Response {
        let asked = value::parse_bytes(body).unwrap_or_default();
        let resources = match asked.maybe_text("resources") {
            None | Some("named") => Resources::Named,
            Some("any") => Resources::Any,
            Some(_) => {
                let message = "resources is named or any";
                return Response::json(400, &value!({ "message": message }));
            }
        };
        let Some(execution) = asked.maybe_text("execution") else {
            return Response::json(400, &value!({ "message": "send the execution" }));
        };
        let process = process_named(execution);
        let found =
            self.behind_the_answers(move |services| services.least_privilege(&process, resources));
        answer(found.await)
    }

    /// Works on what was decided, once it is written, without keeping others waiting.
    async fn behind_the_answers(
        self: &Arc<Self>,
        work: impl FnOnce(&Services) -> Result<Value, Error> + Send + 'static,
    ) -> Result<Value, Error> {
        self.write_decisions().await?;
        let services = self.clone();
        let worked = tokio::task::spawn_blocking(move || work(&services)).await;
        worked.map_err(|err| Error::internal(&err))?
    }
}

fn answer(found: Result<Value, Error>) -> Response {
    match found {
        Ok(found) => Response::json(200, &found),
        Err(err) => Response::json(500, &value!({ "message": err.message })),
    }
}

/// Returns what calls of an execution are recorded under; people give ARNs, and ids of automations.
fn process_named(execution: &str) -> String {
    match execution.split_once(":automation-execution/") {
        Some((_, id)) => format!("automation/{id}"),
        None if execution.contains(":states:") => format!("execution/{execution}"),
        None if execution.contains(":cloudformation:") => format!("stack/{execution}"),
        None => format!("automation/{execution}"),
    }
}
