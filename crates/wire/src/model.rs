//! API models as data: operations, shapes, errors of every AWS service.
//!
//! The models come from botocore (Apache-2.0, see NOTICE), without their documentation. A service
//! is read when it is first asked for; the others stay compressed.

pub mod record;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use record::{HeadRecord, IndexRecord, MemberRecord, OperationRecord, ServiceRecord, ShapeRecord};

/// The models, as `cargo xtask models` wrote them.
static MODELS: &[u8] = include_bytes!("../../../data/models/models.bin");

/// The largest model of a service, inflated.
const MODEL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What kind of value a shape describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Named members.
    Structure,
    /// Elements of one shape.
    List,
    /// Keys and values.
    Map,
    /// Text.
    String,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A number of 32 bits.
    Float,
    /// A number of 64 bits.
    Double,
    /// True or false.
    Boolean,
    /// Bytes.
    Blob,
    /// A time.
    Timestamp,
}

impl Kind {
    /// Every kind, by its number in the stored form.
    pub const ALL: [Kind; 11] = [
        Kind::Structure,
        Kind::List,
        Kind::Map,
        Kind::String,
        Kind::Integer,
        Kind::Long,
        Kind::Float,
        Kind::Double,
        Kind::Boolean,
        Kind::Blob,
        Kind::Timestamp,
    ];
}

/// How a service is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// JSON bodies, operations in `X-Amz-Target`.
    Json,
    /// Form bodies, XML answers.
    Query,
    /// As query, with EC2's own spelling.
    Ec2,
    /// JSON bodies, operations in method and path.
    RestJson,
    /// XML bodies, operations in method and path.
    RestXml,
}

/// A service.
#[derive(Debug)]
pub struct Service {
    record: ServiceRecord,
    protocol: Protocol,
    /// Operations by name.
    operations: HashMap<String, usize>,
    /// Error shapes by wire code and by name.
    errors: HashMap<String, usize>,
}

/// The index, read once.
struct Index {
    botocore_version: String,
    entries: Vec<IndexRecord>,
    blobs: &'static [u8],
    loaded: Mutex<HashMap<&'static str, Option<&'static Service>>>,
}

static INDEX: OnceLock<Index> = OnceLock::new();

fn index() -> &'static Index {
    INDEX.get_or_init(|| {
        let (length, rest) = MODELS.split_at_checked(4).unwrap_or_default();
        let length = <[u8; 4]>::try_from(length).map_or(0, u32::from_le_bytes) as usize;
        let (head, blobs) = rest.split_at_checked(length).unwrap_or_default();
        // The file is part of the binary and read by the tests of this crate.
        let head: HeadRecord = rmp_serde::from_slice(head).unwrap_or_default();
        let HeadRecord { botocore_version, services: entries } = head;
        Index { botocore_version, entries, blobs, loaded: Mutex::default() }
    })
}

/// Returns the version of botocore that the models come from.
pub fn botocore_version() -> &'static str {
    &index().botocore_version
}

/// Returns a service by botocore's name, by Step Functions' (`sfn`, `eventbridge`), or by the name
/// it is signed for (`states`, `events`).
pub fn service(name: &str) -> Option<&'static Service> {
    let lower = name.to_ascii_lowercase();
    let entries = &index().entries;
    let by_name = entries.iter().find(|entry| entry.name == lower);
    load(by_name.or_else(|| entries.iter().find(|entry| entry.aliases.contains(&lower)))?)
}

/// Returns the service whose operations come under this prefix of `X-Amz-Target`.
pub fn service_of_target(prefix: &str) -> Option<&'static Service> {
    load(index().entries.iter().find(|entry| entry.target_prefix.as_deref() == Some(prefix))?)
}

/// Returns the services whose requests are signed for this name, the one called so first.
pub fn services_signed_as(name: &str) -> Vec<&'static Service> {
    let first = service(name);
    let others = index().entries.iter().filter(|entry| entry.aliases.iter().any(|it| it == name));
    let others = others.filter_map(load);
    let others = others.filter(|found| first.is_none_or(|first| first.name() != found.name()));
    let others: Vec<_> = others.filter(|found| found.signing_name() == name).collect();
    first.into_iter().chain(others).collect()
}

/// Returns the names of all services, botocore's.
pub fn service_names() -> impl Iterator<Item = &'static str> {
    index().entries.iter().map(|entry| entry.name.as_str())
}

/// Returns the names of the services of an API version, to route query requests.
pub fn services_of_version(version: &str) -> impl Iterator<Item = &'static str> {
    let entries = index().entries.iter();
    entries.filter(move |entry| entry.api_version == version).map(|entry| entry.name.as_str())
}

fn load(entry: &'static IndexRecord) -> Option<&'static Service> {
    let mut loaded = index().loaded.lock().unwrap_or_else(PoisonError::into_inner);
    *loaded
        .entry(&entry.name)
        .or_insert_with(|| inflate(entry).map(|found| &*Box::leak(Box::new(found))))
}

fn inflate(entry: &IndexRecord) -> Option<Service> {
    let from = entry.offset as usize;
    let blob = index().blobs.get(from..from + entry.bytes as usize)?;
    let plain = miniz_oxide::inflate::decompress_to_vec_with_limit(blob, MODEL_BYTES_MAX).ok()?;
    Some(Service::new(rmp_serde::from_slice(&plain).ok()?))
}

impl Service {
    fn new(record: ServiceRecord) -> Service {
        let protocol = match record.protocol.as_str() {
            "query" => Protocol::Query,
            "ec2" => Protocol::Ec2,
            "rest-json" => Protocol::RestJson,
            "rest-xml" => Protocol::RestXml,
            _ => Protocol::Json,
        };
        let operations = record.operations.iter().enumerate();
        let operations = operations.map(|(at, operation)| (operation.name.clone(), at)).collect();
        let mut errors = HashMap::new();
        for (at, shape) in record.shapes.iter().enumerate().filter(|(_, shape)| shape.is_error) {
            for key in [&shape.error_code, &shape.name].into_iter().flatten() {
                errors.entry(key.clone()).or_insert(at);
            }
        }
        Service { record, protocol, operations, errors }
    }

    /// Returns botocore's name: `stepfunctions`.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// Returns the service id: `SFN`.
    pub fn service_id(&self) -> &str {
        &self.record.service_id
    }

    /// Returns how it is spoken to.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Returns `1.0` or `1.1`.
    pub fn json_version(&self) -> &str {
        self.record.json_version.as_deref().unwrap_or("1.1")
    }

    /// Returns the prefix of `X-Amz-Target`.
    pub fn target_prefix(&self) -> Option<&str> {
        self.record.target_prefix.as_deref()
    }

    /// Returns the API version: `2010-05-08`.
    pub fn api_version(&self) -> &str {
        &self.record.api_version
    }

    /// Returns the name that requests are signed for: `states`.
    pub fn signing_name(&self) -> &str {
        &self.record.signing_name
    }

    /// Returns the first label of the service's host: `states`.
    pub fn endpoint_prefix(&self) -> &str {
        &self.record.endpoint_prefix
    }

    /// Returns the host of a service without regions: `iam.amazonaws.com`.
    pub fn global_endpoint(&self) -> Option<&str> {
        self.record.global_endpoint.as_deref()
    }

    /// Returns the namespace of XML answers.
    pub fn xml_namespace(&self) -> Option<&str> {
        self.record.xml_namespace.as_deref()
    }

    /// Returns whether errors also carry the query protocol's code in a header.
    pub fn is_query_compatible(&self) -> bool {
        self.record.query_compatible
    }

    /// Returns the names of the operations, sorted.
    pub fn operation_names(&self) -> impl Iterator<Item = &str> {
        self.record.operations.iter().map(|operation| operation.name.as_str())
    }

    /// Returns an operation by its exact name.
    pub fn operation(&'static self, name: &str) -> Option<Operation> {
        let record = self.record.operations.get(*self.operations.get(name)?)?;
        Some(Operation { service: self, record })
    }

    /// Returns every operation.
    pub fn operations(&'static self) -> impl Iterator<Item = Operation> {
        self.record.operations.iter().map(move |record| Operation { service: self, record })
    }

    /// Returns the error shape of a wire code (`NoSuchEntity`) or of a class name.
    pub fn error(&'static self, code: &str) -> Option<ErrorShape> {
        let record = self.record.shapes.get(*self.errors.get(code)?)?;
        Some(ErrorShape { service: self, record })
    }

    /// Returns the name that the Java SDK, and so Step Functions, gives to an error: the code
    /// `NoSuchEntity` is `NoSuchEntityException`.
    pub fn exception_name(&'static self, code: &str) -> String {
        let class = self.error(code).map_or(code, |shape| shape.class());
        if class.ends_with("Exception") {
            return class.to_owned();
        }
        format!("{}Exception", class.strip_suffix("Fault").unwrap_or(class))
    }

    /// Returns an operation whose name reads so without regard to case, as in the ARN of an
    /// `aws-sdk:` task: `deleteUser`.
    pub fn operation_like(&'static self, name: &str) -> Option<Operation> {
        self.operation(name)
            .or_else(|| self.operations().find(|known| known.name().eq_ignore_ascii_case(name)))
    }

    fn shape(&'static self, number: u32) -> Option<Shape> {
        let record = self.record.shapes.get(number as usize)?;
        Some(Shape { service: self, record })
    }
}

/// An operation of a service.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    service: &'static Service,
    record: &'static OperationRecord,
}

impl Operation {
    /// Returns its service.
    pub fn service(&self) -> &'static Service {
        self.service
    }

    /// Returns its name: `GetUser`.
    pub fn name(&self) -> &'static str {
        &self.record.name
    }

    /// Returns the shape of the input.
    pub fn input(&self) -> Option<Shape> {
        self.service.shape(self.record.input?)
    }

    /// Returns the shape of the output.
    pub fn output(&self) -> Option<Shape> {
        self.service.shape(self.record.output?)
    }

    /// Returns the element around the members of a query answer.
    pub fn result_wrapper(&self) -> Option<&'static str> {
        self.record.result_wrapper.as_deref()
    }

    /// Returns method and path template.
    pub fn http(&self) -> (&'static str, &'static str) {
        (&self.record.method, &self.record.uri)
    }

    /// Returns the status of success.
    pub fn status(&self) -> u16 {
        self.record.status.unwrap_or(200)
    }

    /// Returns the prefix that clients put before the host.
    pub fn host_prefix(&self) -> Option<&'static str> {
        self.record.host_prefix.as_deref()
    }

    /// Returns whether it is called without a signature.
    pub fn is_unsigned(&self) -> bool {
        self.record.unsigned
    }

    /// Returns whether the model calls it idempotent or read-only, so that a repeat does no harm.
    pub fn is_repeatable(&self) -> bool {
        self.record.repeatable
    }

    /// Returns the root element of a REST-XML request and its namespace.
    pub(crate) fn input_element(&self) -> (Option<&'static str>, Option<&'static str>) {
        (self.record.input_name.as_deref(), self.record.input_namespace.as_deref())
    }

    /// Returns the errors that the model names.
    pub fn errors(&self) -> impl Iterator<Item = ErrorShape> {
        let service = self.service;
        let shapes = self.record.errors.iter().filter_map(|at| service.shape(*at));
        shapes.map(|shape| ErrorShape { service: shape.service, record: shape.record })
    }
}

/// The shape of a value.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    service: &'static Service,
    record: &'static ShapeRecord,
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    record: &'static MemberRecord,
    shape: Shape,
}

impl Member {
    /// Returns its name.
    pub fn name(&self) -> &'static str {
        &self.record.name
    }

    /// Returns its name on the wire.
    pub fn wire_name(&self) -> &'static str {
        self.record.wire_name.as_deref().unwrap_or(&self.record.name)
    }

    /// Returns its shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Returns where it travels: `uri`, `querystring`, `header` …; `None` is the body.
    pub fn location(&self) -> Option<&'static str> {
        self.record.location.as_deref()
    }

    /// Returns its name in EC2's forms.
    pub(crate) fn ec2_name(&self) -> String {
        if let Some(name) = &self.record.query_name {
            return name.clone();
        }
        let mut letters = self.wire_name().chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect()
    }

    /// Returns whether it is JSON within text.
    pub fn is_json_value(&self) -> bool {
        self.record.json_value
    }

    /// Returns whether clients fill it in with a fresh token.
    pub fn is_idempotency_token(&self) -> bool {
        self.record.idempotency_token
    }

    /// Returns the namespace of its element: prefix and address.
    pub(crate) fn xml_namespace(&self) -> Option<&'static (String, String)> {
        self.record.xml_namespace.as_ref()
    }

    /// Returns whether it is an attribute of the element around it.
    pub(crate) fn is_xml_attribute(&self) -> bool {
        self.record.xml_attribute
    }

    /// Returns whether it must be there.
    pub fn is_required(&self) -> bool {
        self.record.required
    }

    /// Returns whether its elements stand without an element around them.
    pub fn is_flattened(&self) -> bool {
        self.record.flattened || self.shape.record.flattened
    }
}

impl Shape {
    /// Returns the kind of value.
    pub fn kind(&self) -> Kind {
        Kind::ALL.get(usize::from(self.record.kind)).copied().unwrap_or(Kind::String)
    }

    /// Returns the members of a structure, in the model's order.
    pub fn members(&self) -> impl Iterator<Item = Member> {
        let service = self.service;
        let members = self.record.members.iter();
        members
            .filter_map(move |record| Some(Member { record, shape: service.shape(record.shape)? }))
    }

    /// Returns a member by name.
    pub fn member(&self, name: &str) -> Option<Member> {
        self.members().find(|member| member.name() == name)
    }

    /// Returns the element of a list, or the value of a map.
    pub fn element(&self) -> Option<Shape> {
        self.service.shape(self.record.element?)
    }

    /// Returns what the elements of a list are called: `member` unless the model says otherwise.
    pub fn element_name(&self) -> &'static str {
        self.record.element_names.first().map_or("member", String::as_str)
    }

    /// Returns what the keys and values of a map are called.
    pub fn entry_names(&self) -> (&'static str, &'static str) {
        let names = &self.record.element_names;
        let name = |at: usize, default| names.get(at).map_or(default, String::as_str);
        (name(0, "key"), name(1, "value"))
    }

    /// Returns the least and the greatest length or value.
    pub fn range(&self) -> (Option<f64>, Option<f64>) {
        (self.record.min, self.record.max)
    }

    /// Returns the pattern that a string must match.
    pub fn pattern(&self) -> Option<&'static str> {
        self.record.pattern.as_deref()
    }

    /// Returns the values that a string may have; any, when there are none.
    pub fn values(&self) -> &'static [String] {
        &self.record.values
    }

    /// Returns the format of a timestamp, where it is not the protocol's.
    pub fn timestamp_format(&self) -> Option<&'static str> {
        self.record.timestamp_format.as_deref()
    }

    /// Returns the member that is the body, in REST protocols.
    pub fn payload(&self) -> Option<Member> {
        self.member(self.record.payload.as_deref()?)
    }

    /// Returns whether any JSON goes.
    pub fn is_document(&self) -> bool {
        self.record.document
    }

    /// Returns whether it is a body of any length, or a stream of events.
    pub fn is_streaming(&self) -> bool {
        self.record.streaming
    }

    /// Returns the shape of a map's keys.
    pub fn key(&self) -> Option<Shape> {
        self.service.shape(self.record.key?)
    }

    /// Returns whether error texts leave the value out.
    pub fn is_sensitive(&self) -> bool {
        self.record.sensitive
    }
}

/// The shape of an error.
#[derive(Clone, Copy, Debug)]
pub struct ErrorShape {
    service: &'static Service,
    record: &'static ShapeRecord,
}

impl ErrorShape {
    /// Returns the class: `NoSuchEntityException`.
    pub fn class(&self) -> &'static str {
        self.record.name.as_deref().unwrap_or_default()
    }

    /// Returns the code on the wire: `NoSuchEntity`.
    pub fn code(&self) -> &'static str {
        self.record.error_code.as_deref().unwrap_or(self.class())
    }

    /// Returns the HTTP status, where the model says one; 500 for faults of the server.
    pub fn status(&self) -> Option<u16> {
        self.record.error_status.or(self.record.fault.then_some(500))
    }

    /// Returns what the message is called in JSON: `message` or `Message`.
    pub fn message_member(&self) -> &'static str {
        let shape = Shape { service: self.service, record: self.record };
        let named = shape.members().find(|member| member.name().eq_ignore_ascii_case("message"));
        named.map_or("message", |member| member.name())
    }
}
