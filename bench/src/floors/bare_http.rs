//! HTTP at best: a server that reads JSON and answers JSON, and does nothing else. It runs as a
//! child of its own, `bench bare-http`, as the measured server does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::Result;
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use value::value;

use crate::api::Site;
use crate::load::{Load, Make, Until, drive};
use crate::server::Server;

/// Serves on a free port until killed.
pub(crate) fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("bare HTTP listens on http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            // A client that goes away ends its connection, no more.
            tokio::spawn(async move { drop(connection.await) });
        }
    })
}

async fn answer(
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let asked = value::parse_bytes(&body).unwrap_or_default();
    let answer = value!({
        "executionArn": asked.get("name").cloned().unwrap_or_default(),
        "startDate": 1_795_348_800.0,
    });
    let mut response = hyper::Response::new(Full::new(Bytes::from(answer.to_string())));
    let json = hyper::header::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}

/// Starts it as a child.
pub(crate) fn start(log_folder: &Path) -> Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bare-http");
    Server::listening(command, log_folder)
}

/// Sends it what StartExecution sends, for so long.
pub(crate) fn load(address: SocketAddr, connections: usize, seconds: f64) -> Result<Load> {
    let site = Site::as_root(address);
    let make: Make = Arc::new(move |number| {
        let name = format!("bare-{number}");
        let arn = "arn:aws:states:us-east-1:000000000000:stateMachine:pass";
        let asked = value!({"stateMachineArn": arn, "name": name, "input": "{}"});
        site.states_request("StartExecution", &asked)
    });
    drive(address, connections, Until::Seconds(seconds), &make)
}
