//! Messages to URLs, for `aws:invokeWebhook`.

use runtime::CallError;
use value::{Map, Value, value};
use wire::Request;
use wire::client::Answer;

use super::without_answer;

/// One message, read from what the action asks for.
pub(super) struct Message {
    /// `https://host:port`.
    pub(super) address: String,
    pub(super) request: Request,
}

impl Message {
    /// Reads `Url`, `Headers` and `Body`.
    ///
    /// # Errors
    /// Why nothing can be sent there.
    pub(super) fn read(input: &Value) -> Result<Message, CallError> {
        let text = |member: &str| input.get(member).and_then(Value::as_str).unwrap_or_default();
        let url = text("Url");
        let unreadable = || without_answer("the URL of the webhook cannot be read".to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(unreadable)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, rest) = rest.split_at_checked(end).ok_or_else(unreadable)?;
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
        if !matches!(scheme, "http" | "https") || host.is_empty() || !host.chars().all(is_host) {
            return Err(unreadable());
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut headers = vec![("host".to_owned(), host.to_owned())];
        for (name, given) in
            input.get("Headers").and_then(Value::as_object).into_iter().flat_map(Map::iter)
        {
            let value = given.as_str().map_or_else(|| given.to_json(), str::to_owned);
            headers.push((name.to_ascii_lowercase(), value));
        }
        if !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".into(), "application/json".into()));
        }
        let request = Request {
            method: "POST".into(),
            path: if path.is_empty() { "/".into() } else { path.into() },
            query: query.into(),
            headers,
            body: text("Body").as_bytes().to_vec(),
            ..Request::default()
        };
        Ok(Message { address: format!("{scheme}://{host}"), request })
    }
}

/// Returns what the action hears of an answer.
pub(super) fn output(answer: &Answer) -> Value {
    value!({
        "StatusCode": answer.status,
        "Body": String::from_utf8_lossy(&answer.body).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_to_send_what() {
        let input = value!({
            "Url": "https://hooks.example:8443/services/a%20b?x=1#top",
            "Headers": {"Authorization": "Bearer t", "X-Count": 3},
            "Body": "{\"text\": \"日本\"}",
        });
        let message = Message::read(&input).unwrap();
        assert_eq!(message.address, "https://hooks.example:8443");
        let request = message.request;
        assert_eq!((&*request.path, &*request.query), ("/services/a%20b", "x=1"));
        assert_eq!(request.header("authorization"), Some("Bearer t"));
        assert_eq!(request.header("x-count"), Some("3"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.body, "{\"text\": \"日本\"}".as_bytes());
        for wrong in ["", "ftp://host/", "https://", "https://user@host/", "host/path"] {
            assert!(Message::read(&value!({"Url": wrong})).is_err(), "{wrong}");
        }
    }
}
