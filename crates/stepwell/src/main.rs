//! Stepwell: a durable Step Functions and SSM Automation engine in one binary.

mod server;

use anyhow::Result;
use runtime::ClockMode;
use server::{Keep, Options, Server};
use services::{AuthMode, Reset, Settings};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1))
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("STEPWELL_LOG")
                .unwrap_or_else(|_| "warn".into()),
        )
        .init();
    let listen = option("--listen").map_or("127.0.0.1:4566", String::as_str);
    let options = Options {
        keep: option("--data").map_or(Keep::Memory, |directory| Keep::Directory(directory.into())),
        clock: if option("--clock").is_some_and(|clock| clock == "virtual") {
            ClockMode::Virtual
        } else {
            ClockMode::Real
        },
        settings: Settings {
            account: "000000000000".into(),
            region: "us-east-1".into(),
            partition: "aws".into(),
            edition: automation::catalogue::Edition::Repaired,
        },
        auth: AuthMode::Loopback,
        reset: Reset::Allowed,
    };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let (listener, bound) = server::bind(listen, options.auth).await?;
        let server = Server::start(&options)?;
        server.services.listens_at(&format!("http://{bound}"));
        println!("listening on http://{bound}");
        server
            .serve(listener, async {
                let _ = tokio::signal::ctrl_c().await;
            })
            .await;
        Ok(())
    })
}
