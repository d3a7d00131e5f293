//! From a request to an operation and its input.

use value::Value;

use crate::fault::{Face, Fault};
use crate::message::{Request, pairs};
use crate::model::{self, Operation, Protocol, Service};
use crate::{json, query, rest};

/// How many parameters a form may have.
const PARAMETERS_MAX: usize = 10_000;

/// A request that names an operation.
#[derive(Clone, Debug)]
pub struct Routed {
    /// The operation.
    pub operation: Operation,
    /// How answers and errors are to be written.
    pub face: Face,
    /// The parameters of a form, when it is one.
    form: Option<Vec<(String, String)>>,
}

/// Finds the operation that a request is for: by `X-Amz-Target`, else by `Action` and `Version`,
/// else by the service it was signed for. Host names do not count.
///
/// # Errors
/// When there is no such operation, or the request is none at all.
pub fn route(request: &Request) -> Result<Routed, Fault> {
    if let Some(target) = request.header("x-amz-target") {
        return by_target(request, target);
    }
    let scope = crate::sigv4::scope_service(request);
    let is_form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let face = Face::of_name(scope.as_deref());
    let text = if is_form {
        std::str::from_utf8(&request.body).map_err(|_| face.malformed("the body is not UTF-8"))?
    } else {
        request.query.as_str()
    };
    let form = pairs(text).map_err(|_| face.malformed("the parameters are not UTF-8"))?;
    if form.len() > PARAMETERS_MAX {
        return Err(face.malformed("too many parameters"));
    }
    let parameter =
        |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match (parameter("Action"), parameter("Version")) {
        (Some(action), version) => {
            let found = by_action(action, version, scope.as_deref());
            let found =
                found.ok_or_else(|| face.invalid_action(action, version.unwrap_or_default()))?;
            Ok(Routed { operation: found, face: Face::of(found.service()), form: Some(form) })
        }
        (None, _) if is_form || face.is_query() => Err(face.missing_action()),
        (None, _) => by_path(request, scope.as_deref(), face),
    }
}

fn by_target(request: &Request, target: &str) -> Result<Routed, Fault> {
    let (prefix, name) = target.rsplit_once('.').unwrap_or(("", target));
    let service = model::service_of_target(prefix);
    let face = match service {
        Some(service) => Face::of(service),
        None => Face::json(request.header("content-type").unwrap_or_default()),
    };
    let operation = service.and_then(|service| service.operation(name));
    let operation = operation.ok_or_else(|| face.unknown_operation(target))?;
    Ok(Routed { operation, face, form: None })
}

fn by_action(action: &str, version: Option<&str>, scope: Option<&str>) -> Option<Operation> {
    let signed_for = scope.and_then(model::service);
    let of = |service: &'static Service| {
        let speaks = matches!(service.protocol(), Protocol::Query | Protocol::Ec2);
        let same = version.is_none_or(|version| service.api_version() == version);
        (speaks && same).then(|| service.operation(action)).flatten()
    };
    signed_for.and_then(of).or_else(|| {
        let names = model::services_of_version(version?);
        names.filter_map(model::service).find_map(of)
    })
}

/// REST services are found by method and path.
fn by_path(request: &Request, scope: Option<&str>, face: Face) -> Result<Routed, Fault> {
    // Several services may sign with one name: bedrock, iot …
    let scope = scope.ok_or_else(|| face.unroutable())?;
    let services = model::services_signed_as(scope);
    let found = services.into_iter().find_map(|service| rest::find(service, request));
    let place = format!("{} {}", request.method, request.path);
    let operation = found.ok_or_else(|| face.unknown_operation(&place))?;
    Ok(Routed { operation, face: Face::of(operation.service()), form: None })
}

impl Routed {
    /// Reads the input.
    ///
    /// # Errors
    /// When the body is not what the protocol asks for; the fault says where.
    pub fn input(&self, request: &Request) -> Result<Value, Fault> {
        let operation = self.operation;
        let read = match (operation.service().protocol(), &self.form) {
            (_, Some(form)) => query::decode(operation, form),
            (Protocol::Json, None) => match operation.input() {
                Some(shape) => json::decode(&shape, &request.body),
                None => Ok(Value::object()),
            },
            (Protocol::Query | Protocol::Ec2, None) => return Err(self.face.missing_action()),
            (Protocol::RestJson | Protocol::RestXml, None) => rest::decode(operation, request),
        };
        read.map_err(|what| self.face.malformed(&what))
    }
}
