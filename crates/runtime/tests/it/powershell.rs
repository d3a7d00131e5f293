//! Scripts in PowerShell: what is told to a `pwsh`, and what is made of its answer.
//!
//! A stand-in plays the part of `pwsh` and of its harness, for none is to be had where Stepwell is
//! built: it answers the question where PowerShell is, records with what it was started, and leaves
//! the result that the "script" says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use store::Store;
use value::{Value, value};

use crate::scripts::{Endpoint, Kernel, Run, can, ended, wait_for};

/// The "script" is the program that makes the result, in Python.
const STAND_IN: &str = r#"#!/usr/bin/env python3
import json, os, resource, sys
own = os.path.realpath(__file__)
if "-Command" in sys.argv:
    assert "$PSHOME" in sys.argv[-1] and sys.argv[1:4] == ["-NoLogo", "-NoProfile", "-NonInteractive"]
    print(json.dumps([own, os.path.dirname(own), "", os.path.dirname(own) + "/Modules"]))
else:
    seen = {
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "files": sorted(os.listdir()),
        "harness": open("harness.ps1").read(),
        "input": open("input.json").read(),
        "address_space": resource.getrlimit(resource.RLIMIT_AS)[0],
        "data": resource.getrlimit(resource.RLIMIT_DATA)[0],
        "input_left": sys.stdin.read(),
        "itself": "it" if open("/proc/self/maps").read() else "",
    }
    def result(member, value):
        open("result.json", "w").write(json.dumps({member: value}))
    source = "customer_script.ps1"
    if os.path.exists("attachment.txt"):
        source = "attachments/" + open("attachment.txt").read()
    exec(open(source).read())
"#;

fn document(text: &str, properties: &str) -> String {
    let script = text.replace('\n', "\n        ");
    format!(
        "schemaVersion: '0.3'\nmainSteps:\n  - name: script\n    action: aws:executeScript\n    \
         {properties}\n    inputs:\n      Runtime: PowerShell 7.4\n      InputPayload: {{name: 日本}}\n      \
         Script: |\n        {script}\n"
    )
}

/// Returns a script whose `pwsh` is the stand-in.
fn run(kernel: Kernel, text: &str) -> Run {
    let mut run = Run::on(kernel, text);
    run.document = document;
    let program = stand_in(&run, "pwsh");
    run.scripts.pwsh = program.display().to_string();
    run
}

fn stand_in(run: &Run, name: &str) -> PathBuf {
    let folder = run.folder.path().join("powershell");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join(name);
    fs::write(&program, STAND_IN).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn pwsh_is_given_the_script_its_input_and_its_bounds() {
    for kernel in [Kernel::AsItIs, Kernel::WithoutNameSpaces] {
        if !can(kernel) {
            continue;
        }
        let run = run(kernel, "print('said')\nresult('payload', seen)");
        let step = run.step();
        assert_eq!(step.get("StepStatus"), Some(&value!("Success")), "{kernel:?} {step}");
        let whole = step.path(&["Outputs", "OutputPayload"]).and_then(|it| it.at(0)).unwrap();
        let whole = value::parse(whole.as_str().unwrap()).unwrap();
        assert_eq!(whole.get("ExecutionLog"), Some(&value!("said\n")));
        let seen = whole.get("Payload").unwrap();
        assert_eq!(
            seen.get("arguments"),
            Some(&value!(["-NoLogo", "-NoProfile", "-NonInteractive", "-File", "harness.ps1"]))
        );
        let files = value!(["customer_script.ps1", "harness.ps1", "input.json"]);
        assert_eq!(seen.get("files"), Some(&files));
        assert_eq!(seen.get("input"), Some(&value!(r#"{"name":"日本"}"#)));
        assert_eq!(seen.get("input_left"), Some(&value!("")));
        let harness = seen.get("harness").and_then(Value::as_str).unwrap();
        assert!(harness.contains("$env:InputPayload = "));
        let environment = seen.get("environment").unwrap();
        for (name, told) in [
            ("AWS_ACCESS_KEY_ID", "ASIA"),
            ("DOTNET_GCHeapHardLimit", "30000000"),
            ("DOTNET_EnableWriteXorExecute", "0"),
            ("POWERSHELL_TELEMETRY_OPTOUT", "1"),
        ] {
            assert_eq!(environment.get(name), Some(&value!(told)), "{name}");
        }
        let modules = run.folder.path().canonicalize().unwrap().join("powershell/Modules");
        assert_eq!(environment.get("PSModulePath"), Some(&value!(modules.display().to_string())));
        assert!(environment.get("HOME").is_some() && environment.get("CARGO").is_none());
        // .NET does not start when it cannot read this.
        assert_eq!(seen.get("itself"), Some(&value!("it")));
        // .NET reserves far more than it uses: the kernel counts what it may write to.
        assert_eq!(seen.get("address_space"), Some(&value!(-1)));
        assert_eq!(seen.get("data"), Some(&value!(2_147_483_648_u64)));
    }
}

#[test]
fn what_pwsh_leaves_is_the_end_of_the_step() {
    if !can(Kernel::AsItIs) {
        return;
    }
    let payload = |text: &str| run(Kernel::AsItIs, text).payload();
    assert_eq!(payload("result('text', '{\"Message\": \"m\"}')"), value!({"Message": "m"}));
    assert_eq!(payload("result('text', 'seven: 7')"), value!("seven: 7"));
    let raised = "result('failure', 'at <ScriptBlock>: line 1\\n\\nRuntimeException - boom')";
    let failure = run(Kernel::AsItIs, raised).failure();
    assert!(
        failure.contains(
            "Poll action status for completion. at <ScriptBlock>: line 1\n\nRuntimeException - boom."
        ),
        "{failure}"
    );
    let failure = run(Kernel::AsItIs, "print('half', flush=True)\nos._exit(3)").failure();
    assert!(failure.contains("The script ended before it returned. half"), "{failure}");
}

#[test]
fn pwsh_ends_with_its_step() {
    if !can(Kernel::AsItIs) {
        return;
    }
    let mark = format!("stepwell-pwsh-{}", std::process::id());
    let mut run = run(
        Kernel::AsItIs,
        &format!(
            "if os.fork() == 0:\n    os.setsid()\n    os.execv(sys.executable, \
             ['p', '-c', 'import time; time.sleep(600)', '{mark}'])\nimport time\ntime.sleep(600)"
        ),
    );
    run.properties = "timeoutSeconds: 2";
    let failure = run.failure();
    assert!(failure.contains("timed out"), "{failure}");
    wait_for(&mark, false);
}

#[test]
fn a_script_may_come_from_an_attachment() {
    if !can(Kernel::AsItIs) {
        return;
    }
    let text = document("", "maxAttempts: 1");
    let text = text.split("      Script:").next().unwrap().to_owned();
    let attachments = value!({
        "Main.ps1": "result('payload', {'own': sorted(os.listdir()), \
                     'attached': sorted(os.listdir('attachments'))})",
        "Other.ps1": "",
    });
    let (run, store) = (run(Kernel::AsItIs, ""), Store::memory());
    let step = run.life(&store, &Arc::new(Endpoint::default()), async |runtime| {
        run.begin_with(&runtime, text + "      Attachment: Main.ps1\n", attachments).await;
        ended(&store).await
    });
    let payload = step.path(&["Outputs", "Payload"]).and_then(|it| it.at(0));
    let payload = payload.unwrap_or_else(|| panic!("{step}")).as_str().unwrap();
    assert_eq!(
        value::parse(payload).unwrap(),
        value!({
            "own": ["attachment.txt", "attachments", "harness.ps1", "input.json"],
            "attached": ["Main.ps1", "Other.ps1"],
        })
    );
}

#[test]
fn a_powershell_that_is_a_dotnet_tool_is_started_through_dotnet() {
    if !can(Kernel::AsItIs) {
        return;
    }
    let mut run = run(Kernel::AsItIs, "result('payload', seen['arguments'][0])");
    let program = stand_in(&run, "dotnet");
    run.scripts.pwsh = program.display().to_string();
    let tool = program.parent().unwrap().canonicalize().unwrap().join("pwsh.dll");
    assert_eq!(run.payload(), value!(tool.display().to_string()));
}

#[test]
fn without_powershell_the_step_says_what_to_install() {
    let mut run = run(Kernel::AsItIs, "");
    run.scripts.pwsh = "no-such-pwsh".to_owned();
    let failure = run.failure();
    assert!(
        failure.contains("PowerShell scripts need no-such-pwsh, which does not run: No such file")
            && failure.contains("Install PowerShell 7"),
        "{failure}"
    );
    run.document = |text, properties| document(text, properties).replace("PowerShell 7.4", "ruby");
    let failure = run.failure();
    assert!(failure.contains("The runtime `ruby` is not known"), "{failure}");
}
