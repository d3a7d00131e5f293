//! The stored form of API models: what `cargo xtask models` writes and [`super::service`] reads.
//!
//! Format: MessagePack arrays in the order of the fields below, one deflated blob per service
//! behind a plain index. File and reader are in one build, so the form carries no version. Shapes
//! refer to each other by number.

use serde::{Deserialize, Serialize};

/// The head of the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HeadRecord {
    /// The version of botocore that the models come from.
    pub botocore_version: String,
    /// Every service, sorted by name.
    pub services: Vec<IndexRecord>,
}

/// One service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// Botocore's name: `stepfunctions`.
    pub name: String,
    /// `SFN`.
    pub service_id: String,
    /// `json`, `query`, `ec2`, `rest-json`, `rest-xml`.
    pub protocol: String,
    /// `1.0` or `1.1`.
    pub json_version: Option<String>,
    /// The prefix of `X-Amz-Target`.
    pub target_prefix: Option<String>,
    /// `2010-05-08`.
    pub api_version: String,
    /// `states`.
    pub endpoint_prefix: String,
    /// `states`, where it differs from the endpoint prefix or is given.
    pub signing_name: String,
    /// The namespace of XML answers.
    pub xml_namespace: Option<String>,
    /// The host of a service without regions.
    pub global_endpoint: Option<String>,
    /// Whether errors also carry the query protocol's code in a header.
    pub query_compatible: bool,
    /// The operations, sorted by name.
    pub operations: Vec<OperationRecord>,
    /// Every shape that an operation reaches.
    pub shapes: Vec<ShapeRecord>,
}

/// One operation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OperationRecord {
    /// `GetUser`.
    pub name: String,
    /// `POST`.
    pub method: String,
    /// `/` or a template.
    pub uri: String,
    /// The status of success, where it is not 200.
    pub status: Option<u16>,
    /// The shape of the input.
    pub input: Option<u32>,
    /// The shape of the output.
    pub output: Option<u32>,
    /// The element around a query answer's members.
    pub result_wrapper: Option<String>,
    /// Shapes of the errors it names.
    pub errors: Vec<u32>,
    /// The prefix that clients put before the host: `sync-`.
    pub host_prefix: Option<String>,
    /// Whether it is called without a signature.
    pub unsigned: bool,
    /// Whether a repeat changes nothing: the model calls it idempotent or read-only.
    pub repeatable: bool,
    /// The root element of a REST-XML request.
    pub input_name: Option<String>,
    /// The namespace of that element.
    pub input_namespace: Option<String>,
}

/// One shape.
#[expect(clippy::struct_excessive_bools, reason = "the model has these flags")]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ShapeRecord {
    /// The kind's number, see [`super::Kind`].
    pub kind: u8,
    /// The name; kept for error shapes only.
    pub name: Option<String>,
    /// Members of a structure.
    pub members: Vec<MemberRecord>,
    /// The element of a list, or the value of a map.
    pub element: Option<u32>,
    /// The key of a map.
    pub key: Option<u32>,
    /// What elements of a list, or keys and values of a map, are called on the wire.
    pub element_names: Vec<String>,
    /// Whether a list or a map has no element of its own around it.
    pub flattened: bool,
    /// The least length or value.
    pub min: Option<f64>,
    /// The greatest length or value.
    pub max: Option<f64>,
    /// The regular expression that a string must match.
    pub pattern: Option<String>,
    /// The values that a string may have.
    pub values: Vec<String>,
    /// The format of a timestamp, where it is not the protocol's.
    pub timestamp_format: Option<String>,
    /// Whether error texts leave the value out.
    pub sensitive: bool,
    /// The member that is the body.
    pub payload: Option<String>,
    /// The wire code of an error shape, where it is not its name.
    pub error_code: Option<String>,
    /// The HTTP status of an error shape.
    pub error_status: Option<u16>,
    /// Whether this is an error shape.
    pub is_error: bool,
    /// Whether an error is the server's fault.
    pub fault: bool,
    /// Whether any JSON goes.
    pub document: bool,
    /// Whether it is the body itself, of any length, or a stream of events.
    pub streaming: bool,
}

/// One member of a structure.
#[expect(clippy::struct_excessive_bools, reason = "the model has these flags")]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MemberRecord {
    /// The name.
    pub name: String,
    /// Its shape.
    pub shape: u32,
    /// Its name on the wire, where it differs.
    pub wire_name: Option<String>,
    /// `uri`, `querystring`, `header`, `headers`, `statusCode`; none is the body.
    pub location: Option<String>,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it is sent without an element of its own around it.
    pub flattened: bool,
    /// Whether clients fill it in with a fresh token.
    pub idempotency_token: bool,
    /// Its name in EC2's forms, where it differs.
    pub query_name: Option<String>,
    /// Whether it is JSON within text.
    pub json_value: bool,
    /// The namespace of its element: prefix and address.
    pub xml_namespace: Option<(String, String)>,
    /// Whether it is an attribute of the element around it.
    pub xml_attribute: bool,
}

/// Where a service stands in the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct IndexRecord {
    /// Botocore's name.
    pub name: String,
    /// Other names: service id in lower case without blanks, endpoint prefix, signing name.
    pub aliases: Vec<String>,
    /// The prefix of `X-Amz-Target`.
    pub target_prefix: Option<String>,
    /// The API version, to route query requests.
    pub api_version: String,
    /// Where the blob begins, behind the index.
    pub offset: u32,
    /// How long the deflated blob is.
    pub bytes: u32,
}
