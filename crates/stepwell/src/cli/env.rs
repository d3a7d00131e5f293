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

/// Returns the variables as a shell reads them, with the key that local servers take.
pub(super) fn exports(endpoint: &str, region: &str) -> String {
    let keys = "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test ";
    of(endpoint, keys, region)
}

/// Returns the same without a key.
pub(super) fn place(endpoint: &str, region: &str) -> String {
    of(endpoint, "", region)
}

fn of(endpoint: &str, keys: &str, region: &str) -> String {
    // Clients put `sync-` in front of the host for two operations; there is no such host here.
    format!(
        "export AWS_ENDPOINT_URL={endpoint}\n\
         export {keys}AWS_DEFAULT_REGION={region}\n\
         export AWS_DISABLE_HOST_PREFIX_INJECTION=true\n"
    )
}
