//! A node process with jsonata-js, installed by npm below `target/`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use value::Value;

/// The version that is measured: the one whose answers the conformance data holds.
const PACKAGE: &str = "jsonata@2.2.2";
/// What the process runs: a request per line, an answer per line.
const SCRIPT: &str = include_str!("node.cjs");

/// The process; it ends when its input does.
pub(crate) struct Node {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Node {
    pub(crate) fn start(variables: &Value) -> Result<Node> {
        let modules = installed()?;
        let mut command = Command::new("node");
        command.args(["-e", SCRIPT]).env("NODE_PATH", modules);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = BufReader::new(output.context("node has no output")?);
        let mut node = Node { child, input, output };
        node.ask(&Value::object().with("verb", "bind").with("variables", variables.clone()))?;
        Ok(node)
    }

    /// Sends a line and returns what the answer's `value` is.
    pub(crate) fn ask(&mut self, request: &Value) -> Result<Value> {
        let input = self.input.as_mut().context("node has no input")?;
        writeln!(input, "{request}")?;
        input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let answer = value::parse(line.trim()).context("the answer of node")?;
        match answer.get("value") {
            Some(value) => Ok(value.clone()),
            None => bail!("node: {answer}"),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.input.take();
        self.child.wait().ok();
    }
}

/// Installs the package unless it is there; returns the folder to look in.
fn installed() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let folder = target.join("bench-peers/npm");
    let modules = folder.join("node_modules");
    if !modules.join("jsonata").is_dir() {
        std::fs::create_dir_all(&folder)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
        let status = npm.arg(PACKAGE).stdout(Stdio::null()).status().context("starting npm")?;
        if !status.success() {
            bail!("npm could not install {PACKAGE}");
        }
    }
    Ok(modules)
}
