//! `stepwell env`: what to tell a shell so that AWS clients find the server.

use std::process::ExitCode;

/// Print the variables that point AWS clients to the server: eval "$(stepwell env)".
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where the server listens
    #[arg(long, default_value = "http://127.0.0.1:4566", env = "STEPWELL_ENDPOINT")]
    endpoint: String,
    /// The region
    #[arg(long, default_value = "us-east-1")]
    region: String,
}

/// Prints the variables.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    print!("{}", exports(&arguments.endpoint, &arguments.region));
    ExitCode::SUCCESS
}

/// Returns the variables as a shell reads them.
pub(super) fn exports(endpoint: &str, region: &str) -> String {
    // Clients put `sync-` in front of the host for two operations; there is no such host here.
    format!(
        "export AWS_ENDPOINT_URL={endpoint}\n\
         export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION={region}\n\
         export AWS_DISABLE_HOST_PREFIX_INJECTION=true\n"
    )
}
