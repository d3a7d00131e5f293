//! `aws:invokeWebhook`: sends a message to a URL that a Parameter Store parameter holds.
//!
//! AWS: "aws:invokeWebhook – Invoke an Automation webhook integration" and "Creating webhook
//! integrations for Automation", read 2026-11.

use value::{Value, value};

use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel, poll};
use crate::failure::Failure;
use crate::parameter;

/// The name space that Parameter Store keeps for integrations.
const INTEGRATIONS: &str = "/d9d01087-4a3f-49e0-b0b4-d568d7826553/ssm/integrations/webhook/";

/// The service that the runtime knows as "send this over HTTP"; AWS has none of this name.
pub const WEBHOOK: &str = "webhook";

pub(super) static ACTION: Action = Action {
    name: "aws:invokeWebhook",
    required: &["IntegrationName"],
    timeout_seconds: Some(600),
    may_follow_cancel: true,
    phrase: "Execute/Cancelling action",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    let name = turn.text_input("IntegrationName").unwrap_or_default();
    let input = value!({"Name": format!("{INTEGRATIONS}{name}"), "WithDecryption": true});
    turn.call("ssm", "GetParameter", input);
    Outcome::InProgress
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    let is_sent = turn.memory().get("sent").is_some();
    match answer {
        Answer::Output { output, .. } if is_sent => sent(output),
        Answer::Output { output, .. } => send(turn, output),
        Answer::Error(err) if is_sent => Outcome::Failed(Failure::action(&err.message)),
        Answer::Error(err) => {
            Outcome::Failed(Failure::client_error(&err.code, "GetParameter", &err.message))
        }
        Answer::Returned { .. } | Answer::Raised(_) | Answer::Timer | Answer::Signal(_) => {
            Outcome::InProgress
        }
    }
}

/// Sends the message to where the integration says.
fn send(turn: &mut Turn<'_, '_>, output: &Value) -> Outcome {
    let held = output.get("Parameter").map_or("", |parameter| poll::text(parameter, "Value"));
    let integration = value::parse(held).unwrap_or_default();
    // UNVERIFIED: how the members are spelled; AWS names them description, headers, payload, URL.
    let member = |name: &str| {
        let members = integration.as_object().into_iter().flat_map(value::Map::iter);
        members
            .into_iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, it)| it.clone())
    };
    let Some(url) = member("url") else {
        let name = turn.text_input("IntegrationName").unwrap_or_default();
        let text = format!("The integration {name} has no URL");
        return Outcome::Failed(Failure::inputs(&text));
    };
    let body = turn.text_input("Body").or_else(|| member("payload").map(|it| parameter::text(&it)));
    turn.remember(value!({"sent": true}));
    let request = value!({"Url": url, "Body": body.unwrap_or_default()})
        .with_some("Headers", member("headers"));
    turn.call(WEBHOOK, "Invoke", request);
    Outcome::InProgress
}

/// UNVERIFIED: that an answer from 400 on fails the step, and the words.
fn sent(output: &Value) -> Outcome {
    let code = output.get("StatusCode").cloned().unwrap_or_default();
    let response = poll::text(output, "Body");
    if code.as_i64().is_some_and(|code| 400 <= code) {
        let text = format!("The webhook answered with status {code}: {response}");
        return Outcome::Failed(Failure::action(&text));
    }
    Outcome::Done(value!({"Response": response, "ResponseCode": parameter::text(&code)}))
}
