//! Both forms of the runbook that deletes a user, run whole: its Python scripts on the real boto3,
//! and their compiled-in bodies, make the same calls in the same order.

use std::fs;
use std::io::Write;
use std::process::Command;

use automation::catalogue::{self, Edition};
use automation::{CallError, Fact, harness};
use value::{Value, value};

use crate::driver::{Driver, error};

/// Puts `lib` on the path of the harness and makes boto3 call the table.
const WITH_TABLE: &str = "import runpy, sys; sys.path.insert(0, 'lib'); import real_boto3; \
                          del sys.argv[0]; runpy.run_path(sys.argv[0])";

type Answer = Result<Value, CallError>;

/// A user and what goes wrong with it.
#[derive(Clone, Default)]
struct User {
    name: &'static str,
    /// How many there are of each kind that has many.
    count: usize,
    /// Whether there is a password.
    password: bool,
    /// Devices, those of hardware among them.
    devices: Vec<&'static str>,
    /// The operation that is refused, and with which code.
    refused: Option<(&'static str, &'static str)>,
    /// Whether nobody has its id.
    unknown: bool,
}

const HARDWARE: &str = "GAHT12345678";
const PASSKEY: &str = "arn:aws:iam::111122223333:u2f/user/bob/key";
const VIRTUAL: &str = "arn:aws:iam::111122223333:mfa/bob";

fn users() -> Vec<User> {
    let full = User {
        name: "all nine kinds",
        count: 2,
        password: true,
        devices: vec![VIRTUAL, HARDWARE, PASSKEY],
        ..User::default()
    };
    let refused =
        |name, operation, code| User { name, refused: Some((operation, code)), ..full.clone() };
    vec![
        User { name: "nothing at all", ..User::default() },
        User { name: "nobody", unknown: true, ..User::default() },
        refused("no password", "DeleteLoginProfile", "EntityTemporarilyUnmodifiable"),
        refused("no policy", "DetachUserPolicy", "Throttling"),
        full,
    ]
}

impl User {
    /// Returns a page of a list with an element for each of `count`; two pages where there are two.
    fn page(&self, input: &Value, list: &str, element: impl Fn(usize) -> Value) -> Value {
        let second = input.get("Marker").is_some();
        let elements: Vec<Value> = match (self.count, second) {
            (0, _) => Vec::new(),
            (1, _) | (_, true) => vec![element(self.count)],
            (_, false) => vec![element(1)],
        };
        let more = 1 < self.count && !second;
        Value::object()
            .with(list, elements)
            .with("IsTruncated", more)
            .with_some("Marker", more.then_some("m"))
    }

    /// Answers a call, as IAM would.
    fn answer(&self, operation: &str, input: &Value) -> Answer {
        if let Some((_, code)) = self.refused.filter(|(refused, _)| *refused == operation) {
            return Err(error(code, "User: ü may not do this."));
        }
        let named = |member: &'static str| {
            move |n: usize| Value::object().with(member, format!("{member}{n:024}"))
        };
        let is_virtual = || {
            let serial = input.get("SerialNumber").and_then(Value::as_str).unwrap();
            serial.contains(":mfa/")
        };
        Ok(match operation {
            "ListUsers" if self.unknown => value!({"Users": [], "IsTruncated": false}),
            "ListUsers" if input.get("Marker").is_none() => value!({
                "Users": [{"UserId": "AIDAEVE", "UserName": "eve"}],
                "IsTruncated": true,
                "Marker": "m",
            }),
            "ListUsers" => value!({
                "Users": [{"UserId": "AIDABOB", "UserName": "bob"}],
                "IsTruncated": false,
            }),
            "ListAccessKeys" => self.page(input, "AccessKeyMetadata", named("AccessKeyId")),
            "ListSSHPublicKeys" => self.page(input, "SSHPublicKeys", named("SSHPublicKeyId")),
            "ListSigningCertificates" => self.page(input, "Certificates", named("CertificateId")),
            "ListMFADevices" => {
                let devices = self.devices.iter().map(|serial| value!({"SerialNumber": *serial}));
                value!({"MFADevices": devices.collect::<Vec<_>>(), "IsTruncated": false})
            }
            "ListServiceSpecificCredentials" => {
                let one = named("ServiceSpecificCredentialId");
                value!({"ServiceSpecificCredentials": (1..=self.count).map(one).collect::<Vec<_>>()})
            }
            "ListGroupsForUser" => self.page(input, "Groups", named("GroupName")),
            "ListUserPolicies" => self.page(input, "PolicyNames", |n| value!(format!("p{n}"))),
            "ListAttachedUserPolicies" => self.page(input, "AttachedPolicies", named("PolicyArn")),
            "DeleteLoginProfile" if !self.password => {
                return Err(error("NoSuchEntity", "Login Profile for User bob cannot be found."));
            }
            "DeleteVirtualMFADevice" if !is_virtual() => {
                return Err(error("ValidationError", "1 validation error detected"));
            }
            "GetUser" => {
                return Err(error("NoSuchEntity", "The user with name bob cannot be found."));
            }
            _ => value!({}),
        })
    }
}

/// What a run has done: its calls with their answers, and its record where the forms may agree.
#[derive(Debug, PartialEq)]
struct Run {
    calls: Vec<(String, Value)>,
    record: Value,
}

fn content(edition: Edition) -> String {
    let document = catalogue::find("AWSConfigRemediation-DeleteIAMUser").unwrap();
    document.content(edition).into_owned()
}

fn driver(content: &str) -> Driver {
    let role = "arn:aws:iam::111122223333:role/worker";
    let parameters = value!({"AutomationAssumeRole": [role], "IAMUserId": ["AIDABOB"]});
    Driver::started(content, parameters)
}

/// Returns what a record tells, without times, ids and the texts of the scripts.
fn told(driver: &Driver) -> Value {
    let record = driver.record();
    let steps = record.get("StepExecutions").and_then(Value::as_array).unwrap();
    let steps = steps.iter().map(|step| {
        let part = |name: &str| step.get(name).cloned().map(|part| plain(&part.to_string()));
        value!({"step": [part("StepName"), part("StepStatus"), part("Outputs"), part("FailureMessage")]})
    });
    value!({
        "steps": steps.collect::<Vec<_>>(),
        "status": record.get("AutomationExecutionStatus").cloned(),
        "outputs": record.get("Outputs").cloned(),
        "message": record.get("FailureMessage").map(|message| plain(&message.to_string())),
    })
}

/// Returns a text with the same folder in all paths of scripts: each run draws its own.
fn plain(text: &str) -> String {
    let mut pieces = text.split("/tmp/");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |all, piece| {
        let (_, rest) = piece.split_once('/').unwrap();
        all + "/tmp/FOLDER/" + rest
    })
}

fn native(user: &User, edition: Edition) -> (Run, Vec<(String, Answer)>) {
    let mut driver = driver(&content(edition));
    let (mut calls, mut answers) = (Vec::new(), Vec::new());
    while let Some(call) = driver.call() {
        assert!(driver.script().is_none(), "a body is not compiled in");
        let answer = user.answer(&call.operation, &call.input);
        calls.push((call.operation.clone(), call.input.clone()));
        answers.push((call.operation, answer.clone()));
        driver.answer(answer);
    }
    (Run { calls, record: told(&driver) }, answers)
}

/// Runs the scripts on Python; they hear what the compiled-in bodies heard, in that order.
fn python(edition: Edition, mut answers: Vec<(String, Answer)>) -> Run {
    // Another text than the one that has a compiled-in body, with the same lines.
    let content = content(edition).replace("        import boto3\n", "        import boto3  # !\n");
    let mut driver = driver(&content);
    let mut calls = Vec::new();
    while let Some(script) = driver.script() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("lib")).unwrap();
        fs::write(path("lib/real_boto3.py"), include_str!("real_boto3.py")).unwrap();
        fs::write(path("harness.py"), harness::PROGRAM).unwrap();
        fs::write(path("request.json"), harness::request(&script, None).to_string()).unwrap();
        let rows: Value = answers.iter().map(row).collect();
        let table = value!({"answers": rows, "calls": path("calls.jsonl").to_str().unwrap()});
        fs::write(path("table.json"), table.to_string()).unwrap();
        let output = Command::new("python3")
            .args(["-I", "-c", WITH_TABLE, "harness.py", "request.json", "result.json"])
            .current_dir(folder.path())
            .env("FAKE_BOTO3", path("table.json"))
            .output()
            .unwrap();
        let made = fs::read_to_string(path("calls.jsonl")).unwrap_or_default();
        for line in made.lines() {
            let call = value::parse(line).unwrap();
            let operation = call.at(0).unwrap().as_str().unwrap().to_owned();
            calls.push((operation, call.at(1).unwrap().clone()));
        }
        answers.drain(..made.lines().count());
        let result = fs::read_to_string(path("result.json")).ok();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        let fact = harness::fact(&script, result.as_deref(), "");
        assert!(result.is_some(), "{log}");
        let is_end = matches!(fact, Fact::ScriptSucceeded { .. } | Fact::ScriptFailed { .. });
        assert!(is_end, "{fact:?}");
        driver.fact(fact);
    }
    assert!(driver.call().is_none(), "a body is compiled in");
    Run { calls, record: told(&driver) }
}

fn row((operation, answer): &(String, Answer)) -> Value {
    match answer {
        Ok(output) => value!([operation.clone(), {"output": output}]),
        Err(err) => value!([
            operation.clone(),
            {"error": {"code": err.code.as_str(), "message": err.message.as_str()}},
        ]),
    }
}

/// Returns whether there is a boto3. Its absence is told past the test runner, which would keep it.
fn has_boto3() -> bool {
    let found = Command::new("python3").args(["-I", "-c", "import boto3"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        let text = "SKIPPED: python3 with boto3 is absent, so that the two forms of \
                    AWSConfigRemediation-DeleteIAMUser were NOT compared";
        writeln!(std::io::stderr(), "{text}").unwrap();
    }
    found
}

/// Compares both forms for one user; returns its name, the status and how many calls there were.
fn compare(user: &User, edition: Edition) -> (&'static str, String, usize) {
    let (native, answers) = native(user, edition);
    let python = python(edition, answers);
    for (number, (one, other)) in native.calls.iter().zip(&python.calls).enumerate() {
        assert_eq!(one, other, "{}: call {}", user.name, number + 1);
    }
    assert_eq!(native, python, "{}", user.name);
    let status = native.record.get("status").and_then(Value::as_str).unwrap().to_owned();
    (user.name, status, native.calls.len())
}

#[test]
fn both_forms_of_the_runbook_make_the_same_calls() {
    if !has_boto3() {
        return;
    }
    let published = User { name: "as published", devices: vec![HARDWARE], ..User::default() };
    let mut runs: Vec<_> = users().into_iter().map(|user| (user, Edition::Repaired)).collect();
    runs.push((published, Edition::AsPublished));
    // Each takes seconds, for Python reads the model of IAM at every step.
    let ends: Vec<_> = std::thread::scope(|scope| {
        let runs = runs.iter().map(|(user, edition)| scope.spawn(|| compare(user, *edition)));
        runs.collect::<Vec<_>>().into_iter().map(|run| run.join().unwrap()).collect()
    });
    let end = |name: &str| {
        let (_, status, calls) = ends.iter().find(|(known, ..)| *known == name).unwrap();
        (status.as_str(), *calls)
    };
    assert_eq!(end("all nine kinds"), ("Success", 37));
    assert_eq!(end("nothing at all"), ("Success", 13));
    assert_eq!(end("as published").0, "Failed");
    let failed = ends.iter().filter(|(_, status, _)| status == "Failed").count();
    assert_eq!((failed, ends.len()), (4, 6), "{ends:?}");
}
