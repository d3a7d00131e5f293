//! Refusals, and how each protocol writes them.

use std::borrow::Cow;

use value::{Map, Value};

use crate::message::Response;
use crate::model::{Operation, Protocol, Service};
use crate::xml;

/// How answers to a request are written.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    kind: FaceKind,
    service: Option<&'static Service>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaceKind {
    Json10,
    Json11,
    RestJson,
    Query,
    Ec2,
    RestXml,
}

/// An error on its way to the caller.
#[derive(Clone, Debug)]
pub struct Fault {
    /// How it is written.
    pub face: Face,
    /// The code: `NoSuchEntity`.
    pub code: Cow<'static, str>,
    /// The text.
    pub message: String,
    /// The status, where the model does not say.
    pub status: u16,
    /// Further members of the error's shape, where there are any.
    pub members: Option<Box<Map>>,
}

impl Face {
    /// Returns the face of a service.
    pub fn of(service: &'static Service) -> Face {
        let kind = match (service.protocol(), service.json_version()) {
            (Protocol::Json, "1.0") => FaceKind::Json10,
            (Protocol::Json, _) => FaceKind::Json11,
            (Protocol::RestJson, _) => FaceKind::RestJson,
            (Protocol::Query, _) => FaceKind::Query,
            (Protocol::Ec2, _) => FaceKind::Ec2,
            (Protocol::RestXml, _) => FaceKind::RestXml,
        };
        Face { kind, service: Some(service) }
    }

    /// Returns the face of the service of this name; of a query service when there is none, which
    /// every client can read.
    pub fn of_name(name: Option<&str>) -> Face {
        let service = name.and_then(crate::model::service);
        service.map_or(Face { kind: FaceKind::Query, service: None }, Face::of)
    }

    /// Returns the face that a JSON client of an unknown service expects.
    pub fn json(content_type: &str) -> Face {
        let old = content_type.contains("1.0");
        Face { kind: if old { FaceKind::Json10 } else { FaceKind::Json11 }, service: None }
    }

    /// Returns a fault with this face.
    pub fn fault(
        &self,
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Fault {
        Fault { face: *self, code: code.into(), message: message.into(), status, members: None }
    }

    /// Returns whether errors are XML.
    pub fn is_xml(&self) -> bool {
        match self.kind {
            FaceKind::Query | FaceKind::Ec2 | FaceKind::RestXml => true,
            FaceKind::Json10 | FaceKind::Json11 | FaceKind::RestJson => false,
        }
    }

    /// Returns whether operations are named by `Action`.
    pub(crate) fn is_query(&self) -> bool {
        match (self.kind, self.service) {
            (FaceKind::Query | FaceKind::Ec2, Some(_)) => true,
            (FaceKind::Query | FaceKind::Ec2, None)
            | (FaceKind::Json10 | FaceKind::Json11 | FaceKind::RestJson | FaceKind::RestXml, _) => {
                false
            }
        }
    }

    /// The code of a fault: XML protocols and JSON ones spell it differently.
    pub fn word(&self, xml: &'static str, json: &'static str) -> &'static str {
        if self.is_xml() { xml } else { json }
    }

    pub(crate) fn malformed(&self, what: &str) -> Fault {
        self.fault(400, self.word("MalformedInput", "SerializationException"), what)
    }

    pub(crate) fn missing_action(&self) -> Fault {
        let text = "The action or operation requested is missing: send X-Amz-Target, or the \
            parameters Action and Version.";
        self.fault(400, self.word("MissingAction", "UnknownOperationException"), text)
    }

    pub(crate) fn invalid_action(&self, action: &str, version: &str) -> Fault {
        self.fault(
            400,
            "InvalidAction",
            format!("Could not find operation {action} for version {version}"),
        )
    }

    pub(crate) fn unknown_operation(&self, what: &str) -> Fault {
        let code = self.word("InvalidAction", "UnknownOperationException");
        self.fault(400, code, format!("AWS has no operation {what}"))
    }

    pub(crate) fn unroutable(&self) -> Fault {
        let text = "This is Stepwell, an AWS endpoint. The request names no operation: it has \
            neither X-Amz-Target nor Action, and is signed for no service.";
        self.fault(404, self.word("UnknownService", "UnknownOperationException"), text)
    }

    /// Returns the fault for an operation that is not there; it names it.
    pub fn not_implemented(&self, operation: Operation) -> Fault {
        let (service, name) = (operation.service().name(), operation.name());
        let text =
            format!("Stepwell does not implement {service}:{name}. COMPAT.md lists what it does.");
        self.fault(501, "NotImplemented", text)
    }
}

impl Fault {
    /// Returns the HTTP status: the model's for its own errors.
    pub fn status(&self) -> u16 {
        let modelled = self.face.service.and_then(|service| service.error(&self.code));
        match modelled {
            Some(shape) => shape.status().unwrap_or(self.status),
            None => self.status,
        }
    }

    /// Writes the fault in its protocol, with the id of the request.
    pub fn render(&self, request_id: &str) -> Response {
        let (body, content_type) = match self.face.kind {
            FaceKind::Json10 => (self.json(), "application/x-amz-json-1.0"),
            FaceKind::Json11 => (self.json(), "application/x-amz-json-1.1"),
            FaceKind::RestJson => (self.json(), "application/json"),
            FaceKind::Query | FaceKind::RestXml => (self.query(request_id), "text/xml"),
            FaceKind::Ec2 => (self.ec2(request_id), "text/xml"),
        };
        let mut headers = vec![
            ("content-type", content_type.to_owned()),
            ("x-amzn-requestid", request_id.to_owned()),
        ];
        if self.face.kind == FaceKind::RestJson {
            headers.push(("x-amzn-errortype", self.code.to_string()));
        }
        if self.face.service.is_some_and(Service::is_query_compatible) {
            let who = if self.status() < 500 { "Sender" } else { "Receiver" };
            headers.push(("x-amzn-query-error", format!("{};{who}", self.code)));
        }
        Response { status: self.status(), headers, body: body.into_bytes() }
    }

    fn json(&self) -> String {
        let shape = self.face.service.and_then(|service| service.error(&self.code));
        let class = shape.map_or(&*self.code, |shape| shape.class());
        let member = shape.map_or_else(|| self.plain_member(), |shape| shape.message_member());
        let mut body = Value::object().with("__type", class).with(member, &self.message);
        for (key, value) in self.members.iter().flat_map(|members| members.iter()) {
            body.set(key.clone(), value);
        }
        body.to_string()
    }

    /// Returns what AWS's front door calls the message of an error that no model has.
    fn plain_member(&self) -> &'static str {
        match &*self.code {
            "SerializationException" | "AccessDeniedException" | "UnknownOperationException" => {
                "Message"
            }
            _ => "message",
        }
    }

    fn query(&self, request_id: &str) -> String {
        let namespace = self.face.service.and_then(Service::xml_namespace);
        let namespace = namespace.map(|uri| format!(" xmlns=\"{uri}\"")).unwrap_or_default();
        let who = if self.status() < 500 { "Sender" } else { "Receiver" };
        let (code, message) = (xml::escape(&self.code), xml::escape(&self.message));
        format!(
            "<ErrorResponse{namespace}>\n  <Error>\n    <Type>{who}</Type>\n    \
             <Code>{code}</Code>\n    <Message>{message}</Message>\n  </Error>\n  \
             <RequestId>{request_id}</RequestId>\n\
             </ErrorResponse>\n"
        )
    }

    fn ec2(&self, request_id: &str) -> String {
        let (code, message) = (xml::escape(&self.code), xml::escape(&self.message));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>\
             <Code>{code}</Code><Message>{message}</Message></Error></Errors>\
             <RequestID>{request_id}</RequestID></Response>\n"
        )
    }
}
