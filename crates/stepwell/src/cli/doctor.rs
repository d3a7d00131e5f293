//! `stepwell doctor`: what could keep this machine from running things, each with a hint.

use std::net::{TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use store::{PostgresUrl, Store};
use value::Value;

use super::backup::Place;
use super::clock::ask;
use crate::server::Keep;

/// The build is younger than this, so a clock before it is wrong.
const YEAR_2026_SECONDS: u64 = 1_767_225_600;

/// Look for what could keep this machine from running things.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The address that `stepwell up` would listen on
    #[arg(long, default_value = "127.0.0.1:4566")]
    listen: String,
    #[command(flatten)]
    place: Place,
    /// The key file that `stepwell up` would use [default: `key` in the directory]
    #[arg(long, value_name = "FILE", env = "STEPWELL_KEY_FILE")]
    key_file: Option<PathBuf>,
}

/// What came of one look.
enum Finding {
    Good(String),
    /// It will do, but for what the hint says.
    Note(String, &'static str),
    Bad(String, &'static str),
}

/// Looks at everything; the status is 1 when something is bad.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let key_file = arguments.key_file.as_deref();
    let kept = match arguments.place.keep() {
        Ok(Keep::Directory(folder)) => ("data", data(&folder, key_file)),
        Ok(Keep::Postgres(url)) => ("store", store(&url, key_file)),
        Ok(Keep::Memory) => ("data", Finding::Good("nothing is kept".to_owned())),
        Err(err) => ("store", Finding::Bad(err.to_string(), URL_HINT)),
    };
    let findings = [
        ("address", address(&arguments.listen)),
        kept,
        ("python3", python()),
        ("pwsh", powershell()),
        ("host prefix", host_prefix()),
        ("clock", clock()),
        ("environment", environment()),
    ];
    let mut code = ExitCode::SUCCESS;
    for (what, finding) in findings {
        match finding {
            Finding::Good(text) => println!("ok    {what}: {text}"),
            Finding::Note(text, hint) => println!("note  {what}: {text}\n      hint: {hint}"),
            Finding::Bad(text, hint) => {
                println!("BAD   {what}: {text}\n      hint: {hint}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn address(listen: &str) -> Finding {
    match TcpListener::bind(listen) {
        Ok(_) => Finding::Good(format!("{listen} is free")),
        Err(_) if is_stepwell(listen) => {
            Finding::Note(format!("a Stepwell server listens on {listen}"), "it can be used")
        }
        Err(err) => Finding::Bad(
            format!("{listen} cannot be listened on: {err}"),
            "another emulator may be there: stop it, or use `stepwell up --listen 127.0.0.1:0`",
        ),
    }
}

fn is_stepwell(listen: &str) -> bool {
    let answer = ask(listen, "GET", "/_stepwell/health", "");
    answer.is_ok_and(|(_, health)| health.get("status").and_then(Value::as_str) == Some("ok"))
}

/// What to do about a key that is not the right one.
const KEY_HINT: &str = "bring the key file back, or name it with --key-file";
/// What to do about a database that does not answer.
const URL_HINT: &str = "the URL is postgres://user:password@host:port/database, without TLS; is \
                        the server there, and does it know the user and the database?";

fn data(folder: &Path, key_file: Option<&Path>) -> Finding {
    let keep = Keep::Directory(folder.to_owned());
    if !folder.exists() {
        return match folder.parent().map(Path::metadata) {
            Some(Ok(parent)) if parent.permissions().readonly() => Finding::Bad(
                format!("{} cannot be created", folder.display()),
                "choose a directory that you may write to with --data",
            ),
            _ => key(&keep, format!("{} will be created", folder.display()), None, key_file),
        };
    }
    let opened = match Store::open(folder) {
        Ok(store) => store,
        Err(err) => {
            return Finding::Bad(
                format!("{} cannot be opened: {err}", folder.display()),
                "another server may hold it; `stepwell up --memory` needs no directory",
            );
        }
    };
    let what = format!("{} can be opened", folder.display());
    match opened.key_id() {
        Ok(id) => key(&keep, what, id, key_file),
        Err(err) => Finding::Bad(format!("{what}, but not read: {err}"), KEY_HINT),
    }
}

/// Says whether the key is there that what is kept is sealed with, or can be used where nothing has
/// been sealed yet.
fn key(keep: &Keep, what: String, sealed_with: Option<String>, key_file: Option<&Path>) -> Finding {
    let to_do = match sealed_with {
        Some(id) => keep.expect_key(&id, key_file),
        None => keep.usable_key(key_file).map(|()| None),
    };
    match to_do {
        Ok(None) => Finding::Good(what),
        Ok(Some(to_do)) => Finding::Bad(format!("{what}, but {to_do}"), KEY_HINT),
        // The outermost text is a hint of its own.
        Err(err) => Finding::Bad(format!("{what}, but {}", err.root_cause()), KEY_HINT),
    }
}

fn store(url: &PostgresUrl, key_file: Option<&Path>) -> Finding {
    match Store::version(url) {
        // What it is sealed with is known to those who open it, which makes tables.
        Ok(version) => key(&Keep::Postgres(url.clone()), version, None, key_file),
        Err(err) => Finding::Bad(err.to_string(), URL_HINT),
    }
}

fn python() -> Finding {
    let hint = "only runbooks with scripts of their own need it (Debian: apt-get install python3)";
    match Command::new("python3").args(["-c", "import boto3; print(boto3.__version__)"]).output() {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout);
            Finding::Good(format!("found, with boto3 {}", version.trim()))
        }
        Ok(_) => Finding::Note(
            "found, without boto3".to_owned(),
            "scripts of runbooks that import it need it: python3 -m pip install boto3",
        ),
        Err(_) => Finding::Note("not found".to_owned(), hint),
    }
}

fn powershell() -> Finding {
    match Command::new("pwsh").args(["-NoLogo", "-NoProfile", "-Version"]).output() {
        Ok(output) if output.status.success() => {
            Finding::Good(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(_) | Err(_) => Finding::Note(
            "not found".to_owned(),
            "only runbooks with scripts in PowerShell need it: install PowerShell 7",
        ),
    }
}

fn host_prefix() -> Finding {
    let set = std::env::var("AWS_DISABLE_HOST_PREFIX_INJECTION").is_ok_and(|set| set == "true");
    if set || ("sync-localhost", 4566).to_socket_addrs().is_ok() {
        return Finding::Good("StartSyncExecution and TestState will find the server".to_owned());
    }
    Finding::Note(
        "clients put `sync-` before the host for StartSyncExecution and TestState".to_owned(),
        "export AWS_DISABLE_HOST_PREFIX_INJECTION=true, as `stepwell env` says; or add \
         `127.0.0.1 sync-localhost` to /etc/hosts and use http://localhost:4566",
    )
}

fn clock() -> Finding {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if YEAR_2026_SECONDS < since {
        return Finding::Good("the machine's clock is plausible".to_owned());
    }
    Finding::Bad(
        "the machine's clock is behind this program's release".to_owned(),
        "set it: signatures and one-time codes are checked against it",
    )
}

fn environment() -> Finding {
    match std::env::var("AWS_ENDPOINT_URL") {
        Ok(endpoint) => Finding::Good(format!("AWS clients of this shell go to {endpoint}")),
        Err(_) => Finding::Note(
            "AWS clients of this shell go to AWS itself".to_owned(),
            "eval \"$(stepwell env)\"",
        ),
    }
}
