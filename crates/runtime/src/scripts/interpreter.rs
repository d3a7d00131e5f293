//! Interpreters: which there are on this machine, and what they need to be seen.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use automation::harness;
use tokio::process::Command;
use tokio::sync::OnceCell;
use value::Value;

use super::{ScriptPolicy, Scripts};
use crate::cage;

/// Asks a Python where it and its libraries are. Run once, outside of any cage, for a program on
/// the path may be a wrapper that chooses among several.
const PYTHON_PROBE: &str = "import json, os, sys; print(json.dumps([os.path.realpath(p) for p in \
                            [sys.executable, sys.prefix, sys.base_prefix, *sys.path] if p]))";

/// An interpreter of scripts.
#[derive(Clone, Debug)]
pub(super) struct Interpreter {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    /// What it reads when it runs.
    pub(super) readable: Vec<PathBuf>,
    /// Name and text of the program that runs scripts in it.
    pub(super) harness: (&'static str, &'static str),
}

/// All interpreters, found when they are first needed.
pub(crate) struct Interpreters {
    settings: Scripts,
    python: OnceCell<Interpreter>,
}

impl Interpreters {
    pub(crate) fn new(settings: Scripts) -> Interpreters {
        Interpreters { settings, python: OnceCell::new() }
    }

    pub(super) fn settings(&self) -> &Scripts {
        &self.settings
    }

    /// Returns the interpreter for a `Runtime`, `python3.11`.
    pub(super) async fn of(&self, runtime: &str) -> Result<&Interpreter, String> {
        if self.settings.policy == ScriptPolicy::Off {
            return Err(
                "Scripts are not run here: the server was started with --scripts off.".to_owned()
            );
        }
        let name = runtime.to_ascii_lowercase();
        if name.starts_with("python") {
            self.python.get_or_try_init(|| python(&self.settings.python)).await
        } else {
            Err(format!("Stepwell does not run {runtime} scripts yet."))
        }
    }
}

/// Finds a Python.
async fn python(name: &str) -> Result<Interpreter, String> {
    let absent = |why: &dyn std::fmt::Display| {
        format!("Python scripts need {name}, which does not run: {why}")
    };
    let output = Command::new(name)
        .args(["-I", "-c", PYTHON_PROBE])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|err| absent(&err))?;
    let told = String::from_utf8_lossy(&output.stdout);
    let paths = value::parse(told.trim()).map_err(|_err| absent(&output.status))?;
    let paths = paths.as_array().unwrap_or_default().iter().filter_map(Value::as_str);
    let paths: Vec<PathBuf> = paths.map(PathBuf::from).collect();
    let Some((program, libraries)) = paths.split_first() else { return Err(absent(&"no path")) };
    Ok(Interpreter {
        arguments: ["-I", "harness.py", "request.json", "result.json"].map(str::to_owned).into(),
        readable: seen(program, libraries),
        harness: ("harness.py", harness::PROGRAM),
        program: program.clone(),
    })
}

/// Returns what is to be seen in the cage of an interpreter.
fn seen(program: &Path, libraries: &[PathBuf]) -> Vec<PathBuf> {
    let system = cage::READABLE.iter().map(PathBuf::from);
    system.chain([program.to_owned()]).chain(libraries.iter().cloned()).collect()
}
