//! The arguments that say how scripts of runbooks are run.

use std::path::PathBuf;

use runtime::{ScriptPolicy, Scripts, Share};

const MEBIBYTE: u64 = 1024 * 1024;

/// How scripts of `aws:executeScript` are run (docs/scripts.md).
#[derive(clap::Args)]
pub(super) struct ScriptArguments {
    /// Which scripts of runbooks are run: `isolated` those that the kernel can keep away from the
    /// server's data, `open` all, `off` none
    #[arg(long = "scripts", value_enum, default_value = "isolated")]
    policy: Policy,
    /// The Python that runs scripts
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
    /// The PowerShell 7 that runs scripts
    #[arg(long, value_name = "PROGRAM", default_value = "pwsh")]
    pwsh: String,
    /// What scripts may read beside the system and their interpreter; may be given again
    #[arg(long = "script-reads", value_name = "PATH")]
    reads: Vec<PathBuf>,
    /// How much memory one script may use, in MiB
    #[arg(long = "script-memory", value_name = "MIB", default_value_t = 1024)]
    memory_mebibytes: u64,
    /// How many processes one script may have at once
    #[arg(long = "script-processes", value_name = "COUNT", default_value_t = 64)]
    processes: u64,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Policy {
    Isolated,
    Open,
    Off,
}

impl ScriptArguments {
    pub(super) fn settings(&self) -> Scripts {
        let preset = Scripts::default();
        Scripts {
            policy: match self.policy {
                Policy::Isolated => ScriptPolicy::Isolated,
                Policy::Open => ScriptPolicy::Open,
                Policy::Off => ScriptPolicy::Off,
            },
            python: self.python.clone(),
            pwsh: self.pwsh.clone(),
            readable: self.reads.clone(),
            share: Share {
                memory_bytes: self.memory_mebibytes.saturating_mul(MEBIBYTE),
                processes: self.processes,
                ..preset.share
            },
            ..preset
        }
    }
}
