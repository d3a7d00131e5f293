//! Scripts of `aws:executeScript`: real interpreters in processes of their own.
//!
//! A script runs in a [`cage`]: with a directory of its own, an environment with nothing in it but
//! the credentials of its role and the address of the endpoint, and a share of the machine; it ends
//! with its step, whatever it has started, and with the server, however that ends.
//!
//! A script starts at most as often as its step has attempts. That it starts is durable before it
//! does; one that had started when the server died has failed, for nobody knows how far it came.

mod directory;
mod interpreter;
mod turns;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use automation::harness::{self, ATTACHMENTS, Language, RESULT};
use store::Store;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::attachments::{self, Attachments};
use crate::cage::{self, Cage, Share};
use crate::endpoint::{AwsEndpoint, Caller};
use crate::tasks::finished;
use directory::Directory;
pub(crate) use interpreter::Interpreters;
pub(crate) use turns::Turns;

/// How much of what a script prints is kept, in bytes.
const LOG_BYTES_MAX: usize = 100 * 1024;
/// How large a result may be, in bytes; what the engine takes, and the names around it.
const RESULT_BYTES_MAX: u64 = 101 * 1024;
/// How much of what the cage says is kept, in bytes.
const WORDS_BYTES_MAX: usize = 4 * 1024;
/// How much longer than the script its keeper may take, which ends it in time, in seconds.
const KEEPER_GRACE_SECONDS: u64 = 10;
/// Where interpreters and what they need are looked for when nothing else is said.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What a script may use when nothing else is said.
const SHARE: Share = Share {
    seconds: 600,
    memory_bytes: 1024 * 1024 * 1024,
    processes: 64,
    file_bytes: 128 * 1024 * 1024,
    directory_bytes: 512 * 1024 * 1024,
    open_files: 512,
};

/// How scripts are run.
#[derive(Clone, Debug)]
pub struct Scripts {
    /// Which scripts are run.
    pub policy: ScriptPolicy,
    /// The program that runs Python scripts: a name on the path, or a path.
    pub python: String,
    /// The program that runs PowerShell scripts: the same.
    pub pwsh: String,
    /// What scripts may read beside the system and their interpreter.
    pub readable: Vec<PathBuf>,
    /// What they must not read: where the server keeps its data.
    pub hidden: Vec<PathBuf>,
    /// What each may use; its seconds are the most that a step may ask for.
    pub share: Share,
    /// The program that [`cage::entered`] makes a cage of: this one.
    pub cage: PathBuf,
}

/// Which scripts are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptPolicy {
    /// Those that the kernel can keep away from the server's data.
    Isolated,
    /// All; where the kernel cannot, only the permissions of files protect anything.
    Open,
    /// None.
    Off,
}

impl Default for Scripts {
    fn default() -> Scripts {
        Scripts {
            policy: ScriptPolicy::Isolated,
            python: "python3".to_owned(),
            pwsh: "pwsh".to_owned(),
            readable: Vec::new(),
            hidden: Vec::new(),
            share: SHARE,
            cage: cage::THIS_PROGRAM.into(),
        }
    }
}

/// A script to run.
#[derive(Clone)]
#[expect(clippy::struct_field_names, reason = "what the engine calls a script is one")]
pub(crate) struct Script {
    /// As whom its calls are made; without a role it has no credentials.
    pub(crate) caller: Option<Caller>,
    pub(crate) script: automation::Script,
    /// The files that it can read and import.
    pub(crate) attachments: Attachments,
}

/// What a script is run with.
pub(crate) struct Host<'a> {
    pub(crate) interpreters: &'a Interpreters,
    /// Where attachments are.
    pub(crate) store: &'a Store,
    pub(crate) endpoint: Arc<dyn AwsEndpoint>,
}

/// What a script's end is, as the engine wants to hear it.
pub(crate) type ScriptAnswer = automation::Fact;

/// What is said about a script that had started when the server died.
const INTERRUPTED: &str = "The script was interrupted: the server ended while it ran. How far it \
                           came is not known, so this attempt has failed.";

impl Script {
    /// Returns whether it was started before this process was.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.script.begun
    }
}

/// Runs a script to its end.
pub(crate) async fn run(script: &Script, host: Host<'_>) -> ScriptAnswer {
    match attempt(script, host).await {
        Ok(answer) => answer,
        Err(text) => refused(script, &text),
    }
}

async fn attempt(script: &Script, host: Host<'_>) -> Result<ScriptAnswer, String> {
    let settings = host.interpreters.settings();
    let interpreter = host.interpreters.of(&script.script.runtime).await?;
    let own = interpreter.environment.iter().cloned();
    let mut environment: Vec<_> = own.map(|(name, it)| (name.to_owned(), it)).collect();
    if let Some(caller) = &script.caller {
        let variables = host.endpoint.script_environment(caller.clone()).await;
        environment.extend(variables.map_err(|err| err.message)?);
    }
    let directory = {
        let (script, store, language) = (script.clone(), host.store.clone(), interpreter.language);
        aside(move || laid_out(&script, &store, language)).await?
    };
    let seconds = script.script.timeout_seconds.min(settings.share.seconds);
    let cage = Cage {
        program: interpreter.program.clone(),
        arguments: interpreter.arguments.clone(),
        directory: directory.path().to_owned(),
        readable: [settings.readable.as_slice(), &interpreter.readable].concat(),
        hidden: settings.hidden.clone(),
        unprotected: settings.policy == ScriptPolicy::Open,
        share: Share { seconds, ..settings.share },
        nature: interpreter.nature,
    };
    let Said { log, words } = caged(settings, &cage, &environment).await?;
    if !words.is_empty() {
        return Err(words);
    }
    // With the result it goes; it may hold much.
    let result = aside(move || directory.read(RESULT, RESULT_BYTES_MAX)).await?;
    Ok(harness::fact(&script.script, result.as_deref(), &log))
}

/// Does what waits for the disk where nobody else has to wait with it.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = finished(&mut tokio::task::spawn_blocking(work)).await;
    done.map_err(|err| format!("the script's directory was given up: {err}"))?
}

/// Returns a directory with everything that a script is run with.
fn laid_out(script: &Script, store: &Store, language: Language) -> Result<Directory, String> {
    let directory =
        Directory::create().map_err(|err| format!("no directory for the script: {err}"))?;
    let has_attachments = !script.attachments.is_empty();
    if has_attachments {
        let folder = directory.path().join(ATTACHMENTS);
        attachments::write_into(&folder, &script.attachments, store)?;
    }
    for (name, content) in language.files(&script.script, has_attachments) {
        directory.write(name, content)?;
    }
    Ok(directory)
}

/// What was said until the end.
struct Said {
    /// What the script has printed.
    log: String,
    /// What its cage has to say about its end; nothing when it has ended by itself.
    words: String,
}

/// Runs a cage to its end; one that is not waited for any more ends at once.
async fn caged(
    settings: &Scripts,
    cage: &Cage,
    environment: &[(String, String)],
) -> Result<Said, String> {
    let mut keeper = Command::new(&settings.cage)
        .args([cage::KEEPER, &cage::argument(cage)])
        .current_dir(&cage.directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| PATH.into()))
        .env("LANG", "C.UTF-8")
        // A script without a role has no credentials, not even those of the machine it runs on.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|err| format!("the script's cage could not be started: {err}"))?;
    // INVARIANT: the keeper kills the script when this pipe ends, and it ends with this future or
    // with this process. So the keeper must never be killed from here.
    let lifeline = keeper.stdin.take();
    let (stdout, stderr) = (keeper.stdout.take(), keeper.stderr.take());
    let ended = async {
        let said = tokio::join!(read(stdout, LOG_BYTES_MAX), read(stderr, WORDS_BYTES_MAX));
        // Its exit status says nothing that its words do not.
        let _ = keeper.wait().await;
        said
    };
    let seconds = cage.share.seconds.saturating_add(KEEPER_GRACE_SECONDS);
    let ended = tokio::time::timeout(Duration::from_secs(seconds), ended).await;
    drop(lifeline);
    match ended {
        Ok((log, words)) => Ok(Said { log, words }),
        Err(_) => Err(format!("The script was stopped after {seconds} seconds.")),
    }
}

/// Reads a stream to its end and keeps its beginning.
async fn read(stream: Option<impl AsyncRead + Unpin>, bytes_max: usize) -> String {
    let mut kept = Vec::new();
    if let Some(mut stream) = stream {
        let mut chunk = vec![0; 8192];
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            let room = bytes_max.saturating_sub(kept.len());
            kept.extend(chunk.iter().take(read.min(room)));
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Returns the answer for a script that had started when the server died.
pub(crate) fn interrupted(script: &Script) -> ScriptAnswer {
    refused(script, INTERRUPTED)
}

/// Returns the answer for a script that could not be tried at all.
pub(crate) fn refused(script: &Script, text: &str) -> ScriptAnswer {
    // The sentence that every failure ends with begins with a full stop.
    let text = text.strip_suffix('.').unwrap_or(text).to_owned();
    automation::Fact::ScriptFailed { id: script.script.id, text }
}
