//! Scripts of `aws:executeScript`: real interpreters in processes of their own.
//!
//! A script gets a directory of its own, an environment with nothing in it but the credentials of
//! its role and the address of the endpoint, limits on time and output, and is killed with
//! everything it has started when its time is over. A script that was running when the server died
//! is run again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use automation::harness;
use store::Store;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::ProcessGroup;
use crate::attachments::{self, Attachments};
use crate::endpoint::{AwsEndpoint, Caller};

/// How much of what a script prints is kept, in bytes.
const LOG_BYTES_MAX: usize = 100 * 1024;
/// How large a result may be, in bytes.
const RESULT_BYTES_MAX: u64 = 100 * 1024;
/// Where interpreters and what they need are looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A script to run.
#[expect(clippy::struct_field_names, reason = "what the engine calls a script is one")]
pub(crate) struct Script {
    /// As whom its calls are made; without a role it has no credentials.
    pub(crate) caller: Option<Caller>,
    pub(crate) script: automation::Script,
    /// The files that it can read and import.
    pub(crate) attachments: Attachments,
}

/// What a script's end is, as the engine wants to hear it.
pub(crate) type ScriptAnswer = automation::Fact;

/// Runs a script to its end.
pub(crate) async fn run(
    script: Script,
    endpoint: Arc<dyn AwsEndpoint>,
    store: &Store,
) -> ScriptAnswer {
    let id = script.script.id;
    match attempt(&script, endpoint, store).await {
        Ok(answer) => answer,
        Err(text) => automation::Fact::ScriptFailed { id, text },
    }
}

async fn attempt(
    script: &Script,
    endpoint: Arc<dyn AwsEndpoint>,
    store: &Store,
) -> Result<ScriptAnswer, String> {
    if !script.script.runtime.to_ascii_lowercase().starts_with("python") {
        return Err(format!("Stepwell does not run {} scripts yet", script.script.runtime));
    }
    let mut environment = Vec::new();
    if let Some(caller) = &script.caller {
        let variables = endpoint.script_environment(caller.clone()).await;
        environment = variables.map_err(|err| err.message)?;
    }
    let directory =
        Directory::create().map_err(|err| format!("no directory for the script: {err}"))?;
    let write = |name: &str, text: &str| {
        std::fs::write(directory.0.join(name), text)
            .map_err(|err| format!("the script could not be written: {err}"))
    };
    let files = directory.0.join("attachments");
    if !script.attachments.is_empty() {
        attachments::write_into(&files, &script.attachments, store)?;
    }
    let importable = files.to_str().filter(|_| !script.attachments.is_empty());
    write("harness.py", harness::PROGRAM)?;
    write("request.json", &harness::request(&script.script, importable).to_string())?;
    let mut child = command(&directory.0, &environment)
        .spawn()
        .map_err(|err| format!("python3 could not be started: {err}"))?;
    // Whatever the script leaves behind ends with it.
    let _group = ProcessGroup::of(&child);
    let limit = Duration::from_secs(script.script.timeout_seconds);
    let Ok(log) = tokio::time::timeout(limit, finish(&mut child)).await else {
        return Err(format!("The script was stopped after {} seconds.", limit.as_secs()));
    };
    let result = read_result(&directory.0.join("result.json"))?;
    Ok(harness::fact(&script.script, result.as_deref(), &log))
}

fn command(directory: &Path, environment: &[(String, String)]) -> Command {
    let mut command = Command::new("python3");
    command
        .args(["-I", "harness.py", "request.json", "result.json"])
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| PATH.into()))
        .env("HOME", directory)
        .env("LANG", "C.UTF-8")
        .env("PYTHONUTF8", "1")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Reads what the script prints, up to the limit, and waits for its end.
async fn finish(child: &mut Child) -> String {
    let mut log = Vec::new();
    if let Some(mut output) = child.stdout.take() {
        let mut chunk = [0; 8192];
        while let Ok(read @ 1..) = output.read(&mut chunk).await {
            let room = LOG_BYTES_MAX.saturating_sub(log.len());
            log.extend(chunk.iter().take(read.min(room)));
        }
    }
    // Its exit status says nothing that the result does not.
    let _ = child.wait().await;
    String::from_utf8_lossy(&log).into_owned()
}

fn read_result(file: &Path) -> Result<Option<String>, String> {
    match std::fs::metadata(file) {
        Ok(found) if found.len() > RESULT_BYTES_MAX => {
            Err(format!("The result is larger than {RESULT_BYTES_MAX} bytes."))
        }
        Ok(_) => std::fs::read_to_string(file).map(Some).map_err(|err| err.to_string()),
        Err(_) => Ok(None),
    }
}

/// A directory for one script, removed with everything in it.
struct Directory(PathBuf);

impl Directory {
    fn create() -> std::io::Result<Directory> {
        use std::os::unix::fs::DirBuilderExt;
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|err| std::io::Error::other(err.to_string()))?;
        let name = u128::from_be_bytes(name);
        let path = std::env::temp_dir().join(format!("stepwell-{name:032x}"));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Directory(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A file that cannot be removed is the system's to clean up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Returns the value for a script that could not be tried at all.
pub(crate) fn refused(script: &Script, text: &str) -> ScriptAnswer {
    automation::Fact::ScriptFailed { id: script.script.id, text: text.to_owned() }
}
