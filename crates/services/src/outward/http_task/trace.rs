//! What TestState shows of an HTTP task at the level TRACE: the request and the answer.
//!
//! Step Functions developer guide, "Testing a state" (the output of a test with `revealSecrets`),
//! API reference, "InspectionDataRequest" and "InspectionDataResponse" (read 2026-11).

use std::cell::RefCell;

use value::{Value, value};
use wire::Request;
use wire::client::Answer;

use super::HttpTask;
use crate::events::connections::Connection;

/// Headers that are shown although the task does not name them, as they are spelled.
const SHOWN: [(&str, &str); 2] = [("user-agent", "User-Agent"), ("range", "Range")];

/// Whether what a connection adds is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reveal {
    /// All of it.
    Everything,
    /// Nothing of it.
    Definition,
}

/// What was sent and answered last.
#[derive(Debug, Default)]
pub(crate) struct Traced {
    pub(crate) request: Option<Value>,
    pub(crate) response: Option<Value>,
}

tokio::task_local! {
    /// Where a test of a state has its task traced: the call goes through the runtime, which knows
    /// nothing of HTTP.
    static TRACE: (Reveal, RefCell<Traced>);
}

/// Carries work out, and returns what an HTTP task within it has sent and got.
pub(crate) async fn traced<T>(reveal: Reveal, work: impl Future<Output = T>) -> (T, Traced) {
    TRACE
        .scope((reveal, RefCell::default()), async {
            let done = work.await;
            (done, TRACE.with(|(_, traced)| traced.take()))
        })
        .await
}

/// Notes a request that is about to be sent, if somebody wants to know.
// UNVERIFIED: how AWS shows a request without what the connection adds; here as if it added
// nothing.
pub(in crate::outward) fn note_request(task: &HttpTask, connection: &Connection, region: &str) {
    note(|reveal, traced| {
        let connection = match reveal {
            Reveal::Everything => connection.clone(),
            Reveal::Definition => connection.bare(),
        };
        let Ok((address, request)) = task.clone().request(&connection, region) else { return };
        let mut headers = task.with_added(&connection);
        for (name, spelled) in SHOWN {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            if let Some(text) = request.header(name) {
                headers.push((spelled.to_owned(), text.to_owned()));
            }
        }
        let query = if request.query.is_empty() { "" } else { "?" };
        let shown = value!({
            "protocol": (protocol(&address)),
            "method": (&*request.method),
            "url": format!("{address}{}{query}{}", request.path, request.query),
            "headers": (listed(&headers)),
        });
        let request = Some(shown.with_some("body", body(&request)));
        *traced = Traced { request, response: None };
    });
}

/// Notes an answer that came.
pub(in crate::outward) fn note_answer(address: &str, answer: &Answer) {
    note(|_, traced| {
        traced.response = Some(value!({
            "protocol": (protocol(address)),
            "statusCode": answer.status.to_string(),
            "statusMessage": answer.status_text(),
            "headers": (listed(&answer.headers)),
            "body": (&*String::from_utf8_lossy(&answer.body)),
        }));
    });
}

/// Outside of a test nobody wants to know.
fn note(noting: impl FnOnce(Reveal, &mut Traced)) {
    let noted = TRACE.try_with(|(reveal, traced)| noting(*reveal, &mut traced.borrow_mut()));
    noted.unwrap_or_default();
}

fn protocol(address: &str) -> &str {
    address.split_once("://").map_or("", |(scheme, _)| scheme)
}

fn body(request: &Request) -> Option<String> {
    (!request.body.is_empty()).then(|| String::from_utf8_lossy(&request.body).into_owned())
}

fn listed(headers: &[(String, String)]) -> String {
    let all: Vec<String> = headers.iter().map(|(name, text)| format!("{name}: {text}")).collect();
    format!("[{}]", all.join(", "))
}
