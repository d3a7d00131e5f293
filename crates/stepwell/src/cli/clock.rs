//! `stepwell clock`: move the virtual clock of a running server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use value::{Value, value};

use super::hint;
use super::remote::{NO_SERVER, Running};
use super::up::duration_seconds;

/// How long the server may take to answer.
const ANSWER_SECONDS_MAX: u64 = 10;

/// Move the clock of a server that runs with --clock virtual.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Move it ahead: `stepwell clock advance 1h`
    Advance {
        /// How far: 90s, 15m, 1h, 2d
        duration: String,
        #[command(flatten)]
        server: Running,
    },
}

/// Asks the server, and prints how far its clock is ahead now.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Command::Advance { duration, server } = &arguments.command;
    let body = value!({ "seconds": duration_seconds(duration)? }).to_string();
    let (status, answer) = ask(server.endpoint(), "POST", "/_stepwell/clock/advance", &body)?;
    if status != 200 {
        let message = answer.get("message").and_then(Value::as_str).unwrap_or_default();
        bail!("the server refused ({status}): {message}");
    }
    let ahead = answer.get("clockAheadSeconds").and_then(Value::as_f64).unwrap_or_default();
    println!("the server's clock is {ahead} s ahead of the machine's");
    Ok(ExitCode::SUCCESS)
}

/// Asks one of the server's own pages.
pub(super) fn ask(endpoint: &str, method: &str, path: &str, body: &str) -> Result<(u16, Value)> {
    let host = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let stream = TcpStream::connect(host).with_context(|| format!("no server at {endpoint}"));
    let mut stream = stream.map_err(|err| hint(err, NO_SERVER))?;
    stream.set_read_timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("reading the server's answer")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is not HTTP")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.context("the answer is not HTTP")?;
    Ok((status, value::parse(body).unwrap_or_default()))
}
