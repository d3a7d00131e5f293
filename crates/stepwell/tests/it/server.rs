//! A server in a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use value::{Value, value};
use wire::client::{Client, Credentials, Error};
use wire::model;

pub(crate) const ACCOUNT: &str = "000000000000";
/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
    for name in [
        "STEPWELL_LOG",
        "STEPWELL_LOG_FORMAT",
        "STEPWELL_DATA",
        "STEPWELL_LISTEN",
        "STEPWELL_STORE",
        "STEPWELL_OTLP",
        "STEPWELL_TARGET",
        "STEPWELL_ENDPOINTS",
        "STEPWELL_KEY_FILE",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

pub(crate) struct Server {
    child: Child,
    pub(crate) endpoint: String,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Server {
        let mut command = program();
        command.args(["up", "--listen", "127.0.0.1:0"]).args(arguments);
        command.envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut first).unwrap();
        // The rest must be read, or printing it fails.
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        let endpoint = first.split_whitespace().find(|word| word.starts_with("http://"));
        let Some(endpoint) = endpoint.map(|word| word.trim_end_matches(',').to_owned()) else {
            panic!("the server did not start: {first}{}", log.join().unwrap());
        };
        Server { child, endpoint, log: Some(log) }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with("test", "test", None)
    }

    pub(crate) fn client_with(&self, id: &str, secret: &str, token: Option<&str>) -> Client {
        let credentials = Credentials {
            access_key_id: id.into(),
            secret_access_key: secret.into(),
            session_token: token.map(str::to_owned),
        };
        Client::new(&self.endpoint, "us-east-1", Some(credentials)).unwrap()
    }

    pub(crate) fn ok(&self, service: &str, operation: &str, input: Value) -> Value {
        call(&self.client(), service, operation, input)
            .unwrap_or_else(|err| panic!("{operation}: {err}"))
    }

    /// Creates a role for state machines, and a machine that acts as it; returns its ARN.
    pub(crate) fn machine(&self, name: &str, kind: &str, definition: &str) -> String {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Principal":{"Service":"states.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let role = value!({"RoleName": "machine", "AssumeRolePolicyDocument": trust});
        // There already, for the second machine.
        let _ = call(&self.client(), "iam", "CreateRole", role);
        let input = value!({
            "name": name,
            "type": kind,
            "definition": definition,
            "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/machine"),
        });
        text(&self.ok("stepfunctions", "CreateStateMachine", input), &["stateMachineArn"])
    }

    /// Returns the page of metrics, with its head.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.endpoint.trim_start_matches("http://")).unwrap();
        let head =
            "GET /_stepwell/metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
    }

    /// Waits for the end; returns the status and what was logged.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        (status, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, most of the time.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::needless_pass_by_value, reason = "inputs are written where they are used")]
pub(crate) fn call(
    client: &Client,
    service: &str,
    operation: &str,
    input: Value,
) -> Result<Value, Error> {
    let operation = model::service(service).unwrap().operation(operation).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    wait(client.call(operation, &input, i64::try_from(now).unwrap()))
}

pub(crate) fn text(answer: &Value, path: &[&str]) -> String {
    let found = answer.path(path).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("{path:?} of {answer}")).to_owned()
}
