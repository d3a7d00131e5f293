//! The harness under a real Python, and the compiled-in bodies against their Python forms.

use std::fs;
use std::path::Path;
use std::process::Command;

use automation::catalogue::{self, Edition};
use automation::native::{self, Invocation, Move, Progress};
use automation::{CallError, Fact, Format, Runbook, Script, harness};
use value::{Value, value};

use crate::driver::error;

const FILE: &str = "/tmp/5a927c4c-2021-05-24-14-57-35/customer_script.py";

/// What a call is answered with.
type Answer = Result<Value, CallError>;

/// Returns whether there is a Python, or says loudly that there is none.
fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: python3 absent");
    }
    found
}

fn script(text: &str, handler: &str, payload: Value) -> Script {
    Script {
        id: 7,
        runtime: "python3.11".to_owned(),
        handler: Some(handler.to_owned()),
        text: text.to_owned(),
        attachment: None,
        payload,
        context: value!({"global:REGION": "eu-central-1"}),
        timeout_seconds: 600,
        file: FILE.to_owned(),
        sha256: native::sha256(text),
        begun: false,
    }
}

/// Puts `lib` on the path of the harness, as an installed boto3 would be.
const WITH_LIB: &str = "import runpy, sys; sys.path.insert(0, 'lib'); del sys.argv[0]; \
                        runpy.run_path(sys.argv[0])";

/// Runs a script under the harness.
fn run(script: &Script, folder: &Path, table: Option<&Path>) -> Fact {
    let path = |name: &str| folder.join(name);
    fs::write(path("harness.py"), harness::PROGRAM).unwrap();
    let attachment = path("attachment");
    let request = harness::request(script, attachment.to_str());
    fs::write(path("request.json"), request.to_string()).unwrap();
    let mut command = Command::new("python3");
    command.arg("-I").current_dir(folder);
    if let Some(table) = table {
        command.args(["-c", WITH_LIB]).env("FAKE_BOTO3", table);
    }
    let output = command.args(["harness.py", "request.json", "result.json"]).output().unwrap();
    let result = fs::read_to_string(path("result.json")).ok();
    harness::fact(script, result.as_deref(), &String::from_utf8_lossy(&output.stdout))
}

fn run_text(text: &str) -> Fact {
    let folder = tempfile::tempdir().unwrap();
    run(&script(text, "handler", value!({"name": "日本"})), folder.path(), None)
}

fn failed(text: &str) -> Fact {
    Fact::ScriptFailed { id: 7, text: text.to_owned() }
}

#[test]
fn harness_returns_what_the_handler_returns() {
    if !has_python() {
        return;
    }
    let text = "def handler(events, context):\n    print('seen', events['name'])\n    \
                return {'name': events['name'], 'region': context['global:REGION']}\n";
    let payload = value!({"name": "日本", "region": "eu-central-1"});
    assert_eq!(
        run_text(text),
        Fact::ScriptSucceeded { id: 7, payload, log: "seen 日本\n".to_owned() }
    );
}

#[test]
fn harness_tells_the_frames_of_the_script_as_aws_does() {
    if !has_python() {
        return;
    }
    let text = "import json\n\ndef parse_event(event):\n    my_control_id = event['expected']\n\n\
                def handler(events, context):\n    return parse_event(events)\n";
    assert_eq!(
        run_text(text),
        failed(&format!(
            "Traceback (most recent call last):\n  File \"{FILE}\", line 7, in handler\n    \
             return parse_event(events)\n  File \"{FILE}\", line 4, in parse_event\n    \
             my_control_id = event['expected']\n\nKeyError - 'expected'"
        ))
    );
}

#[test]
fn harness_leaves_out_the_frames_of_libraries() {
    if !has_python() {
        return;
    }
    let text = "import json\n\ndef handler(events, context):\n    return json.loads('{')\n";
    let Fact::ScriptFailed { text, .. } = run_text(text) else { panic!("it succeeded") };
    assert_eq!(text.matches("File ").count(), 1, "{text}");
    assert!(text.contains("\n\nJSONDecodeError - Expecting property name"), "{text}");
}

#[test]
fn harness_imports_the_handler_from_an_attachment() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let attachment = folder.path().join("attachment");
    fs::create_dir(&attachment).unwrap();
    let text = "def handler(events, context):\n    return events['n'] + 1\n";
    fs::write(attachment.join("tool.py"), text).unwrap();
    let fact = run(&script("", "tool.handler", value!({"n": 1})), folder.path(), None);
    let log = String::new();
    assert_eq!(fact, Fact::ScriptSucceeded { id: 7, payload: value!(2), log });
}

#[test]
fn harness_tells_what_no_handler_can_tell() {
    if !has_python() {
        return;
    }
    for (text, told) in [
        ("def handler(e, c):\n    raise SystemExit(3)\n", "\n\nSystemExit - 3"),
        (
            "def other(e, c):\n    return 1\n",
            "\n\nAttributeError - module 'customer_script' has no attribute 'handler'",
        ),
        (
            "def handler(e, c):\n    return float('nan')\n",
            "\n\nValueError - Out of range float values are not JSON compliant",
        ),
        ("def handler(e, c)\n", "\n\nSyntaxError - expected ':' (customer_script.py, line 1)"),
    ] {
        let Fact::ScriptFailed { text, .. } = run_text(text) else { panic!("it succeeded") };
        assert!(text.contains(told), "{text}");
    }
    let killed =
        run_text("import os\ndef handler(e, c):\n    print('x', flush=True)\n    os._exit(9)\n");
    assert_eq!(killed, failed("The script ended before its handler returned. x\n"));
}

/// One script of the runbook with everything that its calls are answered with, in order.
struct Case {
    step: &'static str,
    payload: Value,
    answers: Vec<(&'static str, Answer)>,
}

fn missing() -> Answer {
    Err(error("NoSuchEntity", "The user with name bob cannot be found."))
}

fn cases() -> Vec<Case> {
    let bob = || value!({"UserName": "bob"});
    let empty = || Ok(value!({}));
    vec![
        Case {
            step: "GetUsername",
            payload: value!({"IAMUserId": "AIDABOB"}),
            answers: vec![
                ("ListUsers", Ok(value!({"Users": [], "IsTruncated": true, "Marker": "m"}))),
                (
                    "ListUsers",
                    Ok(value!({"Users": [
                        {"UserId": "AIDAEVE", "UserName": "eve"},
                        {"UserId": "AIDABOB", "UserName": "bob"},
                    ], "IsTruncated": true, "Marker": "n"})),
                ),
            ],
        },
        Case {
            step: "GetUsername",
            payload: value!({"IAMUserId": "AIDANOBODY"}),
            answers: vec![("ListUsers", Ok(value!({"Users": [], "IsTruncated": false})))],
        },
        Case {
            step: "GetKeysCertificatesMfaAndCredentials",
            payload: bob(),
            answers: vec![
                (
                    "ListAccessKeys",
                    Ok(value!({
                        "AccessKeyMetadata": [{"AccessKeyId": "AKIA1"}],
                        "IsTruncated": true,
                        "Marker": "m",
                    })),
                ),
                ("ListAccessKeys", Ok(value!({"AccessKeyMetadata": [{"AccessKeyId": "AKIA2"}]}))),
                ("ListSSHPublicKeys", Ok(value!({"SSHPublicKeys": []}))),
                ("ListSigningCertificates", Ok(value!({"Certificates": [{"CertificateId": "C"}]}))),
                ("ListMFADevices", Ok(value!({"MFADevices": [{"SerialNumber": "GAHT1"}]}))),
                (
                    "ListServiceSpecificCredentials",
                    Ok(value!({"ServiceSpecificCredentials": [
                        {"ServiceSpecificCredentialId": "ACCA1"},
                    ]})),
                ),
            ],
        },
        Case {
            step: "GetGroupsAndPolicies",
            payload: bob(),
            answers: vec![
                ("ListGroupsForUser", Ok(value!({"Groups": [{"GroupName": "g"}]}))),
                ("ListUserPolicies", Ok(value!({"PolicyNames": ["p", "q"]}))),
                (
                    "ListAttachedUserPolicies",
                    Ok(value!({"AttachedPolicies": [{"PolicyArn": "a"}]})),
                ),
            ],
        },
        Case {
            step: "DeleteKeysCertificatesMfaAndCredentials",
            payload: value!({
                "UserName": "bob",
                "AccessKeys": ["AKIA1", "AKIA2"],
                "SSHPublicKeys": ["APKA1"],
                "SigningCertificates": ["C1"],
                "MFADevices": ["GAHT1", "arn:aws:iam::1:u2f/user/bob/k", "arn:aws:iam::1:mfa/bob"],
                "ServiceSpecificCredentials": ["ACCA1"],
            }),
            answers: vec![
                ("DeleteLoginProfile", missing()),
                ("DeleteAccessKey", empty()),
                ("DeleteAccessKey", empty()),
                ("DeleteSSHPublicKey", empty()),
                ("DeleteSigningCertificate", empty()),
                ("DeactivateMFADevice", empty()),
                ("DeactivateMFADevice", empty()),
                ("DeactivateMFADevice", empty()),
                ("DeleteVirtualMFADevice", empty()),
                ("DeleteVirtualMFADevice", empty()),
                ("DeleteVirtualMFADevice", empty()),
                ("DeleteServiceSpecificCredential", empty()),
            ],
        },
        Case {
            step: "DeleteGroupsAndPolicies",
            payload: value!({
                "UserName": "bob",
                "Groups": ["g"],
                "UserPolicies": ["p"],
                "AttachedUserPolicies": ["a"],
            }),
            answers: vec![
                ("RemoveUserFromGroup", empty()),
                ("DeleteUserPolicy", empty()),
                ("DetachUserPolicy", empty()),
            ],
        },
        Case {
            step: "DeleteIAMUserAndVerify",
            payload: bob(),
            answers: vec![
                ("DeleteUser", Ok(value!({"ResponseMetadata": {"HTTPStatusCode": 200}}))),
                ("GetUser", missing()),
            ],
        },
        Case {
            step: "DeleteIAMUserAndVerify",
            payload: bob(),
            answers: vec![("DeleteUser", empty()), ("GetUser", Ok(value!({"User": {}})))],
        },
    ]
}

/// What a run of a script came to: its calls, and its result or traceback.
type Run = (Vec<(String, Value)>, Result<Value, String>);

/// Takes the first answer left for an operation.
fn take(answers: &mut Vec<(&'static str, Answer)>, operation: &str) -> Answer {
    let index = answers.iter().position(|(name, _)| *name == operation).expect("an answer");
    answers.remove(index).1
}

fn run_native(script: &Script, mut answers: Vec<(&'static str, Answer)>) -> Run {
    let body = native::find(&script.sha256).expect("a body");
    let invocation = Invocation { payload: &script.payload, text: &script.text, file: FILE };
    let (mut calls, mut progress, mut answer) = (Vec::new(), Progress::default(), None);
    loop {
        // A crash between two calls: the progress comes back from its stored form.
        progress = value::from_value(value::to_value(&progress).unwrap()).unwrap();
        match body.next(&mut progress, invocation, answer.take()) {
            Move::Call { operation, input } => {
                answer = Some(take(&mut answers, operation));
                calls.push((operation.to_owned(), input));
            }
            Move::Done(payload) => return (calls, Ok(payload)),
            Move::Failed(text) => return (calls, Err(text)),
        }
    }
}

fn run_python(script: &Script, answers: &[(&'static str, Answer)]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("lib")).unwrap();
    fs::write(path("lib/boto3.py"), include_str!("boto3.py")).unwrap();
    let answers: Value = answers
        .iter()
        .map(|(operation, answer)| match answer {
            Ok(output) => value!([operation.to_owned(), {"output": output}]),
            Err(err) => value!([
                operation.to_owned(),
                {"error": {"code": err.code.as_str(), "message": err.message.as_str()}},
            ]),
        })
        .collect();
    let table = value!({"answers": answers, "calls": path("calls.jsonl").to_str().unwrap()});
    fs::write(path("table.json"), table.to_string()).unwrap();
    let fact = run(script, folder.path(), Some(&path("table.json")));
    let calls = fs::read_to_string(path("calls.jsonl")).unwrap_or_default();
    let calls = calls.lines().map(|line| {
        let call = value::parse(line).unwrap();
        (call.at(0).unwrap().as_str().unwrap().to_owned(), call.at(1).unwrap().clone())
    });
    let result = match fact {
        Fact::ScriptSucceeded { payload, .. } => Ok(payload),
        Fact::ScriptFailed { text, .. } => Err(text),
        other => panic!("{other:?}"),
    };
    (calls.collect(), result)
}

/// Compares both forms of a step on one table of answers.
fn compare(runbook: &Runbook, case: &Case, answers: &[(&'static str, Answer)]) {
    let step = runbook.steps.iter().find(|step| step.name == case.step).unwrap();
    let text = |key: &str| step.inputs.get(key).and_then(Value::as_str).unwrap();
    let script = script(text("Script"), text("Handler"), case.payload.clone());
    let native = run_native(&script, answers.to_vec());
    assert_eq!(native, run_python(&script, answers), "{} with {answers:?}", case.step);
}

#[test]
fn compiled_in_bodies_do_what_their_python_forms_do() {
    if !has_python() {
        return;
    }
    let document = catalogue::find("AWSConfigRemediation-DeleteIAMUser").unwrap();
    for edition in [Edition::Repaired, Edition::AsPublished] {
        let runbook = Runbook::parse(&document.content(edition), Format::Yaml).unwrap();
        for case in cases() {
            compare(&runbook, &case, &case.answers);
        }
    }
}

/// Every call fails once, with an error that has a class of its own and with one that has none.
#[test]
fn compiled_in_bodies_fail_as_their_python_forms_do() {
    if !has_python() {
        return;
    }
    let document = catalogue::find("AWSConfigRemediation-DeleteIAMUser").unwrap();
    let runbook = Runbook::parse(&document.content(Edition::AsPublished), Format::Yaml).unwrap();
    for case in cases() {
        for index in 0..case.answers.len() {
            let code = if index % 2 == 0 { "AccessDenied" } else { "DeleteConflict" };
            let mut answers = case.answers.clone();
            answers[index].1 = Err(error(code, "User: ü is not authorized."));
            compare(&runbook, &case, &answers);
        }
    }
}
