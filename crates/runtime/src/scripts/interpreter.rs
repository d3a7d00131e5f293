//! Interpreters: which there are on this machine, and what they need to be seen.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use automation::harness::Language;
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::{ScriptPolicy, Scripts};
use crate::cage::{self, Nature};

/// Asks a Python where it and its libraries are. Run once, outside of any cage, for a program on
/// the path may be a wrapper that chooses among several.
const PYTHON_PROBE: &str = "import json, os, sys; print(json.dumps([os.path.realpath(p) for p in \
                            [sys.executable, sys.prefix, sys.base_prefix, *sys.path] if p]))";

/// Asks a PowerShell the same: its process, itself, its .NET, its modules.
const POWERSHELL_PROBE: &str = "ConvertTo-Json -Compress -InputObject (@((Get-Process -Id \
                                $PID).Path, $PSHOME, [System.Runtime.InteropServices.\
                                RuntimeEnvironment]::GetRuntimeDirectory()) + \
                                ($env:PSModulePath -split ':'))";

/// The program that runs a PowerShell which is a .NET tool, and the file that it runs.
const DOTNET: (&str, &str) = ("dotnet", "pwsh.dll");

/// What a .NET outside of the system's own directories is found by; and whether it needs ICU.
const DOTNET_VARIABLES: [&str; 2] = ["DOTNET_ROOT", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"];

/// An interpreter of scripts.
#[derive(Clone, Debug)]
pub(super) struct Interpreter {
    pub(super) language: Language,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    /// What it reads when it runs.
    pub(super) readable: Vec<PathBuf>,
    /// What it finds in its environment.
    pub(super) environment: Vec<(&'static str, String)>,
    pub(super) nature: Nature,
}

/// All interpreters, found when they are first needed.
pub(crate) struct Interpreters {
    settings: Scripts,
    python: OnceCell<Interpreter>,
    powershell: OnceCell<Interpreter>,
}

impl Interpreters {
    pub(crate) fn new(settings: Scripts) -> Interpreters {
        Interpreters { settings, python: OnceCell::new(), powershell: OnceCell::new() }
    }

    pub(super) fn settings(&self) -> &Scripts {
        &self.settings
    }

    /// Returns the interpreter for a `Runtime`, `python3.11`.
    pub(super) async fn of(&self, runtime: &str) -> Result<&Interpreter, String> {
        let settings = &self.settings;
        if settings.policy == ScriptPolicy::Off {
            return Err(
                "Scripts are not run here: the server was started with --scripts off.".to_owned()
            );
        }
        match Language::of(runtime) {
            Some(Language::Python) => self.python.get_or_try_init(|| python(settings)).await,
            Some(Language::PowerShell) => {
                self.powershell.get_or_try_init(|| powershell(settings)).await
            }
            None => Err(format!(
                "The runtime `{runtime}` is not known: there are python3.x and PowerShell 7.x."
            )),
        }
    }
}

/// Finds a Python.
async fn python(settings: &Scripts) -> Result<Interpreter, String> {
    let told = told_paths(&settings.python, &["-I", "-c", PYTHON_PROBE]).await;
    let (program, libraries) = told.map_err(|why| {
        format!("Python scripts need {}, which does not run: {why}", settings.python)
    })?;
    Ok(Interpreter {
        language: Language::Python,
        arguments: Language::Python.arguments().iter().copied().map(str::to_owned).collect(),
        readable: seen(&program, libraries),
        environment: vec![("PYTHONUTF8", "1".to_owned())],
        nature: Nature::Plain,
        program,
    })
}

/// Finds a PowerShell.
// UNVERIFIED: seen with no PowerShell, but with .NET itself (3.1): see docs/scripts.md.
async fn powershell(settings: &Scripts) -> Result<Interpreter, String> {
    let probe = ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", POWERSHELL_PROBE];
    let told = told_paths(&settings.pwsh, &probe).await;
    let (program, libraries) = told.map_err(|why| {
        let name = &settings.pwsh;
        format!(
            "PowerShell scripts need {name}, which does not run: {why}. Install PowerShell 7, or \
             say where it is with `--pwsh`."
        )
    })?;
    let [home, framework, modules @ ..] = libraries.as_slice() else {
        return Err(format!("{} does not say where PowerShell is.", settings.pwsh));
    };
    let mut arguments = Vec::new();
    let (dotnet, tool) = DOTNET;
    if program.ends_with(dotnet) {
        arguments.push(home.join(tool).display().to_string());
    }
    arguments.extend(Language::PowerShell.arguments().iter().copied().map(str::to_owned));
    // A .NET that PowerShell does not bring along: its host lies three directories above its
    // libraries, `dotnet/shared/Microsoft.NETCore.App/8.0.11`.
    let shared = framework.parent().and_then(Path::parent).filter(|it| it.ends_with("shared"));
    let host = shared.and_then(Path::parent).map(Path::to_owned);
    // With another HOME in its cage it would not find those of the server's user by itself.
    let paths: Vec<String> = modules.iter().map(|path| path.display().to_string()).collect();
    let mut environment = dotnet_environment(settings.share.memory_bytes);
    environment.push(("PSModulePath", paths.join(":")));
    let more = host.into_iter().chain(["/etc/dotnet".into()]);
    let libraries = libraries.iter().cloned().chain(more).collect();
    Ok(Interpreter {
        language: Language::PowerShell,
        arguments,
        readable: seen(&program, libraries),
        environment,
        nature: Nature::DotNet,
        program,
    })
}

/// Returns what .NET finds in its environment.
fn dotnet_environment(memory_bytes: u64) -> Vec<(&'static str, String)> {
    let mut environment = vec![
        // Beyond it there is an OutOfMemoryException, before its process is killed for what it
        // uses: the same three quarters that .NET takes of a container. In hexadecimal.
        ("DOTNET_GCHeapHardLimit", format!("{:x}", memory_bytes / 4 * 3)),
        // It would make a file of two terabytes, larger than a script may make any.
        ("DOTNET_EnableWriteXorExecute", "0".to_owned()),
        ("DOTNET_EnableDiagnostics", "0".to_owned()),
        ("POWERSHELL_TELEMETRY_OPTOUT", "1".to_owned()),
        ("POWERSHELL_UPDATECHECK", "Off".to_owned()),
        // No colours in what is kept.
        ("NO_COLOR", "1".to_owned()),
        ("TERM", "dumb".to_owned()),
    ];
    let told = |name: &'static str| std::env::var(name).ok().map(|value| (name, value));
    environment.extend(DOTNET_VARIABLES.into_iter().filter_map(told));
    environment
}

/// Runs a program that tells paths as JSON: returns the first and the others, which may be empty.
async fn told_paths(name: &str, arguments: &[&str]) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let output = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|err| err.to_string())?;
    let told = String::from_utf8_lossy(&output.stdout);
    let paths = value::parse(told.trim()).map_err(|_err| output.status.to_string())?;
    let paths = paths.as_array().unwrap_or_default();
    let mut paths = paths.iter().map(|path| path.as_str().unwrap_or_default()).map(PathBuf::from);
    let program = paths.next().filter(|path| !path.as_os_str().is_empty());
    Ok((program.ok_or_else(|| "no path".to_owned())?, paths.collect()))
}

/// Returns what is to be seen in the cage of an interpreter.
fn seen(program: &Path, libraries: Vec<PathBuf>) -> Vec<PathBuf> {
    let system = cage::READABLE.iter().map(PathBuf::from);
    system.chain([program.to_owned()]).chain(libraries).collect()
}
