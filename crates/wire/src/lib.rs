//! The AWS protocols and SigV4, driven by API models.
//!
//! What it is: [`model`], the operations and shapes of every AWS service as data; [`route`] and
//! [`Routed::input`], from an HTTP request to an operation and its input; [`answer`] and [`Fault`],
//! from an output or a refusal to an HTTP answer in the service's own protocol; [`validate`], the
//! model's constraints in AWS's words; [`sigv4`], signatures; [`server`], HTTP. What it is not: it
//! knows no user and runs no operation.
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

mod decode;
mod fault;
mod json;
mod message;
pub mod model;
mod query;
pub mod server;
pub mod sigv4;
mod time;
pub mod validate;
mod xml;

pub use decode::{Routed, route};
pub use fault::{Face, Fault};
pub use message::{BODY_BYTES_MAX, Request, Response, percent_encode};
pub use server::{Handler, serve};

use model::{Operation, Protocol};
use value::Value;

/// Writes an answer in the protocol of its service.
///
/// # Errors
/// For protocols that are not served yet.
pub fn answer(operation: Operation, output: &Value, request_id: &str) -> Result<Response, Fault> {
    match operation.service().protocol() {
        Protocol::Json => Ok(json::encode(operation, output, request_id)),
        Protocol::Query | Protocol::Ec2 => Ok(query::encode(operation, output, request_id)),
        Protocol::RestJson | Protocol::RestXml => {
            Err(Face::of(operation.service()).not_implemented(operation))
        }
    }
}
