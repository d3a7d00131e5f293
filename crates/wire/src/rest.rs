//! The REST protocols: inputs spread over path, query string, headers and body.

use value::{Map, Value};

use crate::message::{
    Plus, Request, Response, pairs, percent_decode, percent_encode, percent_encode_path,
};
use crate::model::{Kind, Member, Operation, Protocol, Service, Shape};
use crate::scalar::{self, TimeFormat};
use crate::{json, xml};

/// An operation of S3 that only its host tells from ListBuckets.
const ELSEWHERE: &str = "ListDirectoryBuckets";

/// Finds the operation for a method and a path: of those that fit, the one whose template says
/// most.
pub(crate) fn find(service: &'static Service, request: &Request) -> Option<Operation> {
    let fits = service.operations().filter(|operation| {
        let (method, template) = operation.http();
        let (path, query) = template.split_once('?').unwrap_or((template, ""));
        method == request.method
            && operation.name() != ELSEWHERE
            && labels(path, &request.path).is_some()
            && query
                .split('&')
                .all(|wanted| wanted.is_empty() || has_parameter(&request.query, wanted))
    });
    // Operations with one template are told apart by what they need: a copy names its source.
    fits.max_by_key(|operation| {
        let needed = needed(*operation, request);
        (literal_bytes(operation.http().1), needed.is_some(), needed)
    })
}

/// Returns how many required headers and parameters a request has; `None` when one is missing.
fn needed(operation: Operation, request: &Request) -> Option<usize> {
    let members =
        operation.input().into_iter().flat_map(|shape| shape.members().collect::<Vec<_>>());
    let mut count = 0;
    for member in members.filter(Member::is_required) {
        let there = match member.location() {
            Some("header") => request.header(&member.wire_name().to_ascii_lowercase()).is_some(),
            Some("querystring") => {
                let mut given = request.query.split('&');
                given.any(|part| part.split('=').next() == Some(member.wire_name()))
            }
            Some(_) | None => continue,
        };
        if !there {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// Returns whether a query string has `name` or `name=value`.
fn has_parameter(query: &str, wanted: &str) -> bool {
    let wanted = wanted.trim_end_matches('=');
    query.split('&').any(|given| given.trim_end_matches('=') == wanted)
}

/// Returns how much of a template is fixed.
fn literal_bytes(template: &str) -> usize {
    let path = template.split('?').next().unwrap_or_default();
    let labels = path.split('/').filter(|part| part.starts_with('{'));
    template.len() - labels.map(str::len).sum::<usize>()
}

/// Returns the labels of a path by a template: `{Name}` is one segment, `{Key+}` is all the rest.
fn labels(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let decode = |text: &str| String::from_utf8(percent_decode(text, Plus::IsPlus)).ok();
    let mut found = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    let mut wanted = template.strip_prefix('/')?.split('/').peekable();
    while let Some(part) = wanted.next() {
        let (segment, after) = match rest.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (rest, None),
        };
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix("+}")) {
            found.push((name.to_owned(), decode(rest)?));
            return Some(found);
        }
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(_) if segment.is_empty() => return None,
            Some(name) => found.push((name.to_owned(), decode(segment)?)),
            None if part == segment => {}
            None => return None,
        }
        match (after, wanted.peek()) {
            (Some(after), Some(_)) => rest = after,
            // A slash at the end counts as none.
            (None | Some(""), None) => return Some(found),
            _ => return None,
        }
    }
    None
}

/// Reads an input.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn decode(operation: Operation, request: &Request) -> Result<Value, String> {
    let Some(shape) = operation.input() else { return Ok(Value::object()) };
    let template = operation.http().1.split('?').next().unwrap_or_default();
    let labels = labels(template, &request.path).unwrap_or_default();
    let parameters =
        pairs(&request.query).map_err(|_| "the parameters are not UTF-8".to_owned())?;
    let mut found = Map::new();
    for member in shape.members() {
        let (name, inner) = (member.wire_name(), member.shape());
        let all = |from: &[(String, String)]| -> Vec<String> {
            let same = from.iter().filter(|(known, _)| known == name);
            same.map(|(_, text)| text.clone()).collect()
        };
        let value = match member.location() {
            Some("uri") => parse_all(&inner, &all(&labels), name)?,
            Some("querystring") if inner.kind() == Kind::Map => Some(rest_of(&shape, &parameters)),
            Some("querystring") => parse_all(&inner, &all(&parameters), name)?,
            Some("header") => header(&member, request.header(&name.to_ascii_lowercase()))?,
            Some("headers") => prefixed(name, &request.headers),
            Some(_) | None => None,
        };
        if let Some(value) = value {
            found.insert(member.name(), value);
        }
    }
    found.extend(decode_body(operation, &shape, &request.body)?);
    Ok(found.into())
}

/// Reads what a body carries: one payload member, or every member without another place.
fn decode_body(operation: Operation, shape: &Shape, body: &[u8]) -> Result<Map, String> {
    let Some(payload) = shape.payload() else {
        return decode_document(operation, shape, body);
    };
    let inner = payload.shape();
    let mut found = Map::new();
    if body.is_empty() && !inner.is_streaming() {
        return Ok(found);
    }
    let value = match inner.kind() {
        Kind::Blob => scalar::base64(body).into(),
        Kind::String => String::from_utf8_lossy(body).into_owned().into(),
        _ if inner.is_document() => json::decode(&inner, body)?,
        _ => decode_document(operation, &inner, body)?.into(),
    };
    found.insert(payload.name(), value);
    Ok(found)
}

fn decode_document(operation: Operation, shape: &Shape, body: &[u8]) -> Result<Map, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    if operation.service().protocol() == Protocol::RestXml {
        let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
        return xml::decode_members(shape, &xml::parse(text)?);
    }
    let decoded = json::decode(shape, body)?;
    decoded.as_object().cloned().ok_or_else(|| "Unexpected field type".to_owned())
}

fn parse_all(shape: &Shape, given: &[String], name: &str) -> Result<Option<Value>, String> {
    let parse = |shape: &Shape, text: &str| {
        scalar::parse(shape, text).map_err(|wanted| format!("`{name}` is not a valid {wanted}"))
    };
    match (shape.element(), given.first()) {
        (_, None) => Ok(None),
        (Some(element), Some(_)) if shape.kind() == Kind::List => {
            let items: Result<Vec<_>, _> = given.iter().map(|text| parse(&element, text)).collect();
            Ok(Some(items?.into()))
        }
        (_, Some(text)) => parse(shape, text).map(Some),
    }
}

/// Returns the parameters that no other member takes.
fn rest_of(shape: &Shape, parameters: &[(String, String)]) -> Value {
    let taken = |name: &str| {
        let mut members = shape.members().filter(|it| it.location() == Some("querystring"));
        members.any(|member| member.wire_name() == name)
    };
    let free = parameters.iter().filter(|(name, _)| !taken(name));
    free.map(|(name, text)| (name.as_str(), text.as_str())).collect::<Map>().into()
}

fn header(member: &Member, given: Option<&str>) -> Result<Option<Value>, String> {
    let Some(text) = given else { return Ok(None) };
    let name = member.wire_name();
    let shape = member.shape();
    if member.is_json_value() {
        let bytes = scalar::from_base64(text).ok_or_else(|| format!("`{name}` is not base64"))?;
        return Ok(Some(String::from_utf8_lossy(&bytes).into_owned().into()));
    }
    if shape.kind() == Kind::List {
        let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
        return parse_all(&shape, &items, name);
    }
    parse_all(&shape, &[text.to_owned()], name)
}

fn prefixed(prefix: &str, headers: &[(String, String)]) -> Option<Value> {
    let prefix = prefix.to_ascii_lowercase();
    let found: Map = headers
        .iter()
        .filter_map(|(name, text)| {
            let name = name.to_ascii_lowercase();
            Some((name.strip_prefix(&prefix)?.to_owned(), text.as_str()))
        })
        .collect();
    (!found.is_empty()).then(|| found.into())
}

/// Writes an answer.
// DIFFERS: members that are headers with a common prefix are left out; no served operation has any.
pub(crate) fn encode(operation: Operation, output: &Value, request_id: &str) -> Response {
    let mut headers = vec![("x-amzn-requestid", request_id.to_owned())];
    let mut status = operation.status();
    let Some(shape) = operation.output() else {
        headers.push(("content-type", content_type(operation).to_owned()));
        return Response { status, headers, body: empty_body(operation) };
    };
    for member in shape.members() {
        let value = match output.get(member.name()) {
            None | Some(Value::Null) => continue,
            Some(value) => value,
        };
        match member.location() {
            Some("header") => headers.push((member.wire_name(), print_header(&member, value))),
            Some("statusCode") => {
                status = value.as_i64().and_then(|it| u16::try_from(it).ok()).unwrap_or(status);
            }
            Some(_) | None => {}
        }
    }
    let (body, kind) = encode_body(operation, &shape, output, operation.name());
    headers.push(("content-type", kind.to_owned()));
    Response { status, headers, body }
}

fn content_type(operation: Operation) -> &'static str {
    match operation.service().protocol() {
        Protocol::RestXml | Protocol::Query | Protocol::Ec2 => "application/xml",
        Protocol::RestJson | Protocol::Json => "application/json",
    }
}

fn empty_body(operation: Operation) -> Vec<u8> {
    match operation.service().protocol() {
        Protocol::RestXml | Protocol::Query | Protocol::Ec2 => Vec::new(),
        Protocol::RestJson | Protocol::Json => b"{}".to_vec(),
    }
}

/// Writes a header's text; line breaks would end the header and become blanks.
fn print_header(member: &Member, value: &Value) -> String {
    let shape = member.shape();
    if member.is_json_value() {
        return scalar::base64(value.as_str().unwrap_or_default().as_bytes());
    }
    let text = match (value, shape.element()) {
        (Value::Array(items), Some(element)) => {
            let items = items.iter().map(|item| scalar::print(&element, item, TimeFormat::Rfc822));
            items.collect::<Vec<_>>().join(",")
        }
        _ => scalar::print(&shape, value, TimeFormat::Rfc822),
    };
    text.replace(['\r', '\n'], " ")
}

fn encode_body(
    operation: Operation,
    shape: &Shape,
    given: &Value,
    root: &str,
) -> (Vec<u8>, &'static str) {
    let document = |shape: &Shape, given: &Value, root: &str| match operation.service().protocol() {
        Protocol::RestXml | Protocol::Query | Protocol::Ec2 => {
            let uri = operation.input_element().1.or(operation.service().xml_namespace());
            let attributes =
                uri.map(|uri| format!(" xmlns=\"{}\"", xml::escape(uri))).unwrap_or_default();
            let mut out = String::new();
            xml::encode(&mut out, root, &attributes, shape, given, 0);
            out.into_bytes()
        }
        Protocol::RestJson | Protocol::Json => json::encode(shape, given).to_string().into_bytes(),
    };
    let Some(payload) = shape.payload() else {
        let in_body = shape.members().any(|member| member.location().is_none());
        let body = if in_body { document(shape, given, root) } else { empty_body(operation) };
        return (body, content_type(operation));
    };
    let inner = payload.shape();
    match (inner.kind(), given.get(payload.name())) {
        (_, None | Some(Value::Null)) => (Vec::new(), content_type(operation)),
        (Kind::Blob, Some(value)) => {
            (scalar::blob(value.as_str().unwrap_or_default()), "application/octet-stream")
        }
        (Kind::String, Some(value)) => {
            (value.as_str().unwrap_or_default().as_bytes().to_vec(), "text/plain")
        }
        (_, Some(value)) => (document(&inner, value, payload.wire_name()), content_type(operation)),
    }
}

/// Writes a request, as a client; the `host` header is still missing.
///
/// # Errors
/// The name of a path member without a value.
pub(crate) fn encode_request(operation: Operation, input: &Value) -> Result<Request, String> {
    let (method, template) = operation.http();
    let (path, query) = template.split_once('?').unwrap_or((template, ""));
    let mut request = Request { method: method.to_owned(), ..Request::default() };
    let mut path = path.to_owned();
    let mut parameters: Vec<String> =
        query.split('&').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let Some(shape) = operation.input() else {
        return Ok(Request { path, query: parameters.join("&"), ..request });
    };
    for member in shape.members() {
        let (name, inner) = (member.wire_name(), member.shape());
        let value = input.get(member.name()).filter(|value| !value.is_null());
        let print = |shape: &Shape, value: &Value| scalar::print(shape, value, TimeFormat::Iso8601);
        match (member.location(), value) {
            (Some("uri"), value) => {
                let text = value.map(|value| print(&inner, value)).filter(|it| !it.is_empty());
                let text = text.ok_or_else(|| format!("`{}` is missing", member.name()))?;
                path = path.replace(&format!("{{{name}}}"), &percent_encode(&text));
                path = path.replace(&format!("{{{name}+}}"), &percent_encode_path(&text));
            }
            (Some("querystring"), Some(Value::Array(items))) => {
                let of = inner.element().unwrap_or(inner);
                parameters.extend(items.iter().map(|item| parameter(name, &print(&of, item))));
            }
            (Some("querystring"), Some(Value::Object(entries))) => {
                let of = inner.element().unwrap_or(inner);
                parameters.extend(entries.iter().map(|(key, it)| parameter(key, &print(&of, it))));
            }
            (Some("querystring"), Some(value)) => {
                parameters.push(parameter(name, &print(&inner, value)));
            }
            (Some("header"), Some(value)) => {
                request.headers.push((name.to_ascii_lowercase(), print_header(&member, value)));
            }
            (Some("headers"), Some(Value::Object(entries))) => {
                let entries = entries.iter().map(|(key, value)| {
                    let key = format!("{name}{key}").to_ascii_lowercase();
                    (key, value.as_str().unwrap_or_default().replace(['\r', '\n'], " "))
                });
                request.headers.extend(entries);
            }
            _ => {}
        }
    }
    let has_body =
        shape.payload().is_some() || shape.members().any(|member| member.location().is_none());
    if has_body {
        let root = operation.input_element().0.unwrap_or(operation.name());
        let (body, kind) = encode_body(operation, &shape, input, root);
        request.body = body;
        request.headers.push(("content-type".into(), kind.into()));
    }
    Ok(Request { path, query: parameters.join("&"), ..request })
}

fn parameter(name: &str, text: &str) -> String {
    format!("{}={}", percent_encode(name), percent_encode(text))
}

/// Reads an answer, as a client; header names are in lower case.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn decode_answer(
    operation: Operation,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Value, String> {
    let Some(shape) = operation.output() else { return Ok(Value::object()) };
    let mut found = Map::new();
    for member in shape.members() {
        let name = member.wire_name().to_ascii_lowercase();
        let given = headers.iter().find(|(known, _)| *known == name);
        let value = match member.location() {
            Some("header") => header(&member, given.map(|(_, text)| text.as_str()))?,
            Some("headers") => prefixed(&name, headers),
            Some("statusCode") => Some(status.into()),
            Some(_) | None => None,
        };
        if let Some(value) = value {
            found.insert(member.name(), value);
        }
    }
    found.extend(decode_body(operation, &shape, body)?);
    Ok(found.into())
}
