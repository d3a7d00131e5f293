//! Examples: a folder that says what to deploy, what to start and what must be true afterwards.
//!
//! `manifest` reads the folder, `session` makes its calls on a server inside this process, `follow`
//! watches what that starts, `screen` shows it. docs/run.md describes the format.

mod expression;
mod follow;
mod manifest;
mod one_time_code;
mod outcome;
mod screen;
mod session;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use runtime::ClockMode;
use services::{AuthMode, Limits, Outward, Reset, Retention, Services, Settings};
use value::{Value, value};

use crate::server::{self, Keep, Options, Server};
pub(crate) use expression::fill;
pub(crate) use manifest::Manifest;
use manifest::{Check, Judge};
use outcome::Checked;
pub(crate) use outcome::Outcome;
pub(crate) use screen::Screen;
pub(crate) use session::Session;

/// What a server of its own is told.
pub(crate) struct Conditions {
    /// How time passes.
    pub(crate) clock: ClockMode,
    /// Where calls of services go.
    pub(crate) outward: Arc<Outward>,
}

impl Conditions {
    /// The region of such a server.
    pub(crate) const REGION: &str = "us-east-1";
    /// The partition of such a server.
    pub(crate) const PARTITION: &str = "aws";
}

/// Deploys the example on a new server, starts it, follows it to its end and checks what it claims.
///
/// # Errors
/// When it could not be deployed or started; an execution that fails is an outcome.
pub(crate) async fn run(
    manifest: &Manifest,
    conditions: &Conditions,
    screen: Screen,
) -> Result<Outcome> {
    on_a_server_of_its_own(conditions, async |services| {
        let mut session = Session::new(services, &manifest.input);
        play(&mut session, manifest, screen).await
    })
    .await
}

/// Does something on a new server in memory, which is gone afterwards.
///
/// # Errors
/// When the server cannot be started, or what is done fails.
pub(crate) async fn on_a_server_of_its_own<T>(
    conditions: &Conditions,
    work: impl AsyncFnOnce(Arc<Services>) -> Result<T>,
) -> Result<T> {
    // Scripts of runbooks reach the server through a port.
    let (listener, address) = server::bind("127.0.0.1:0", AuthMode::Loopback).await?;
    let options = Options {
        keep: Keep::Memory,
        key_file: None,
        clock_skew_seconds: wire::sigv4::SKEW_SECONDS,
        oidc_keys: Vec::new(),
        address: format!("http://{address}"),
        advertised: format!("http://{address}"),
        clock: conditions.clock,
        settings: Settings {
            account: "000000000000".into(),
            region: Conditions::REGION.into(),
            partition: Conditions::PARTITION.into(),
            edition: automation::catalogue::Edition::Repaired,
            limits: Limits::default(),
        },
        outward: conditions.outward.clone(),
        auth: AuthMode::Loopback,
        reset: Reset::Refused,
        retention: Retention::default(),
        otlp: None,
        logs: None,
        scripts: runtime::Scripts::default(),
        drain: Duration::ZERO,
    };
    let server = Server::start(&options).await?;
    let services = server.services.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(listener, async {
        // Dropping the sender says the same.
        let _ = stopped.await;
    }));
    let outcome = work(services).await;
    drop(stop);
    serving.await.context("the server ended early")?;
    outcome
}

async fn play(session: &mut Session, manifest: &Manifest, screen: Screen) -> Result<Outcome> {
    screen.title(manifest);
    for stack in &manifest.stacks {
        session.deploy(stack).await?;
        screen.done(&format!("stack {} deployed", stack.name));
    }
    for call in &manifest.setup {
        let made = session.call(call).await?;
        made.map_err(|err| anyhow::anyhow!("{}: {}: {}", call.label(), err.code, err.message))
            .context("setting the example up")?;
    }
    if !manifest.setup.is_empty() {
        screen.done(&manifest.set_up);
    }
    let started = std::time::Instant::now();
    let answer = session.call(&manifest.start).await?;
    let answer = answer
        .map_err(|err| anyhow::anyhow!("{}: {}: {}", manifest.start.label(), err.code, err.message))
        .context("starting the example")?;
    session.remember("started", answer);
    screen.done(&format!("started with {}", manifest.start.label()));
    let mut outcome = follow::to_the_end(session, &manifest.watch, screen).await?;
    outcome.wall_millis = started.elapsed().as_millis();
    outcome.expected_status.clone_from(&manifest.status);
    session.remember("execution", outcome.execution.clone());
    for check in &manifest.checks {
        outcome.checks.push(judge(session, check).await?);
    }
    Ok(outcome)
}

/// Makes the call of a check and compares.
async fn judge(session: &mut Session, check: &Check) -> Result<Checked> {
    let found = session.call(&check.call).await?;
    let problem = match (&check.judge, found) {
        (Judge::Fails(code), Err(err)) if err.code == *code => None,
        (Judge::Fails(code), Err(err)) => Some(format!("{code} was expected, not {}", err.code)),
        (Judge::Fails(code), Ok(_)) => Some(format!("{code} was expected, not an answer")),
        (Judge::Answers | Judge::Holds(_), Err(err)) => {
            Some(format!("{}: {}", err.code, err.message))
        }
        (Judge::Answers, Ok(_)) => None,
        (Judge::Holds(condition), Ok(answer)) => {
            session.remember("answer", answer);
            match session.fill(condition)? {
                Value::Bool(true) => None,
                Value::Bool(false) => Some(format!("{condition} is false")),
                other => bail!("the check `{}` gives {other}, not true or false", check.claim),
            }
        }
    };
    Ok(Checked { claim: check.claim.clone(), problem })
}

/// Returns the policy of an example that is only a state machine: everything is allowed.
pub(crate) fn everything() -> String {
    value!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    })
    .to_string()
}
