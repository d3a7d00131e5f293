//! The AWS protocols and SigV4, driven by API models.
//!
//! What it is: [`model`], the operations and shapes of every AWS service as data; [`route`] and
//! [`Routed::input`], from an HTTP request to an operation and its input; [`answer`] and [`Fault`],
//! from an output or a refusal to an HTTP answer in the service's own protocol; [`validate`], the
//! model's constraints in AWS's words; [`schema`], the same for answers; [`sigv4`], signatures;
//! [`server`], HTTP; [`client`], the same protocols from the other side. What it is not: it knows
//! no user and runs no operation.
//!
//! ```
//! let iam = wire::model::service("iam").unwrap();
//! let get_user = iam.operation("GetUser").unwrap();
//! let request = wire::Request {
//!     method: "POST".into(),
//!     path: "/".into(),
//!     headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
//!     body: b"Action=GetUser&Version=2010-05-08&UserName=%E6%97%A5".to_vec(),
//!     ..wire::Request::default()
//! };
//! let routed = wire::route(&request).unwrap();
//! assert_eq!(routed.operation.name(), get_user.name());
//! assert_eq!(routed.input(&request).unwrap(), value::value!({"UserName": "日"}));
//! ```
//!
//! May depend on: `value`.

pub mod client;
mod decode;
mod fault;
mod json;
mod message;
pub mod model;
mod query;
mod rest;
mod scalar;
pub mod schema;
pub mod server;
pub mod sigv4;
pub mod validate;
pub mod xml;

pub use decode::{Routed, route};
pub use fault::{Face, Fault};
pub use message::{
    BODY_BYTES_MAX, Request, Response, decode_percent, pairs as query_pairs, percent_encode,
};
pub use scalar::{
    base64 as encode_base64, blob as decode_blob, from_base64 as decode_base64, http_date,
};
pub use server::{Drained, Handler, serve};

use model::{Operation, Protocol};
use value::Value;

/// Writes an answer in the protocol of its service.
///
/// Members are those of the model, under its names; times are numbers of epoch seconds, bytes are
/// base64. Nulls and members that the model does not know are left out.
///
/// # Errors
/// None today; the signature leaves room for protocols that cannot say everything.
pub fn answer(operation: Operation, output: &Value, request_id: &str) -> Result<Response, Fault> {
    Ok(match operation.service().protocol() {
        Protocol::Json => json_answer(operation, output, request_id),
        Protocol::Query | Protocol::Ec2 => query::encode(operation, output, request_id),
        Protocol::RestJson | Protocol::RestXml => rest::encode(operation, output, request_id),
    })
}

fn json_answer(operation: Operation, output: &Value, request_id: &str) -> Response {
    let content_type = match operation.service().json_version() {
        "1.0" => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    };
    // An operation without output answers an empty body in JSON 1.1 and `{}` in 1.0; every client
    // reads `{}`.
    let body = match operation.output() {
        Some(shape) if !output.is_null() => json::encode(&shape, output).to_string(),
        Some(_) | None => "{}".to_owned(),
    };
    Response {
        status: operation.status(),
        headers: vec![
            ("content-type", content_type.to_owned()),
            ("x-amzn-requestid", request_id.to_owned()),
        ],
        body: body.into_bytes(),
    }
}
