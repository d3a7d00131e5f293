//! `stepwell lint` as a person and as a machine see it.

use std::path::Path;

use value::Value;

use super::server::program;

/// Lints files of these names and texts; returns the status and what was printed.
fn lint(files: &[(&str, &str)], options: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = program();
    command.current_dir(folder.path()).arg("lint").args(options);
    let output = command.arg(files[0].0).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Returns `code line:column location` of everything that is found.
fn found(files: &[(&str, &str)], options: &[&str]) -> Vec<String> {
    let (status, printed) = lint(files, &[options, &["--json"]].concat());
    let told = value::parse(&printed).unwrap_or_else(|err| panic!("{err}: {printed}"));
    let mut lines = Vec::new();
    for file in told.get("files").and_then(Value::as_array).unwrap() {
        for problem in file.get("diagnostics").and_then(Value::as_array).unwrap() {
            let text = |name: &str| problem.get(name).and_then(Value::as_str).unwrap().to_owned();
            let number = |name: &str| problem.get(name).and_then(Value::as_i64).unwrap();
            let (line, column) = (number("line"), number("column"));
            lines.push(format!("{} {line}:{column} {}", text("code"), text("location")));
        }
    }
    assert_eq!(status, i32::from(!lines.is_empty()));
    lines
}

#[test]
fn both_faults_of_the_machine_that_linters_miss_are_shown() {
    let shared = std::env::var_os("STEPWELL_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        std::path::PathBuf::from,
    );
    let file = shared.join("reference/bad.asl.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("SKIPPED: {} is absent", file.display());
        return;
    };
    assert_eq!(
        found(&[("bad.asl.json", &text)], &[]),
        [
            "INVALID_JSONATA_EXPRESSION 1:383 /States/GetUserDetails/Arguments/UserName",
            "MISSING_TRANSITION_TARGET 1:1468 /States/WaitForAutomation/Next",
            "MISSING_TRANSITION_TARGET 1:1477 /States/CheckAutomationExecution",
        ]
    );
}

const YAML: &str = r#"# A machine.
QueryLanguage: JSONata
StartAt: First
States:
  First:
    Type: Pass
    Output: |-
      {% $states.input.x +
         ) %}
    Next: Secnd
  Second:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke.sync
    Arguments: {営業: "{% $foo + %}", FunctionName: !GetAtt F.Arn}
    TimeoutSeconds: ${Timeout}
    End: true
"#;

#[test]
fn yaml_has_places_too() {
    assert_eq!(
        found(&[("m.asl.yaml", YAML)], &[]),
        [
            "INVALID_JSONATA_EXPRESSION 9:10 /States/First/Output",
            "MISSING_TRANSITION_TARGET 10:11 /States/First/Next",
            "MISSING_TRANSITION_TARGET 11:3 /States/Second",
            "SCHEMA_VALIDATION_FAILED 13:15 /States/Second/Resource",
            "INVALID_JSONATA_EXPRESSION 14:30 /States/Second/Arguments/営業",
        ]
    );
}

const TEMPLATE: &str = r#"Resources:
  M:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: !GetAtt R.Arn
      StateMachineType: EXPRESS
      DefinitionString: !Sub |
        {
          "StartAt": "A",
          "States": {
            "A": {"Type": "Task", "Resource": "${F.Arn}", "TimeoutSeconds": ${T},
              "Next": "B"},
            "B": {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync",
              "End": true}
          }
        }
  N:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: m.asl.yaml
  O:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString:
        Fn::Join:
        - ""
        - - '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "'
          - !GetAtt F.Arn
          - '", "Nxt": "A", "End": true}}}'
"#;

#[test]
fn machines_are_found_in_templates_wherever_their_definitions_are() {
    let beside = "StartAt: A\nStates:\n  A: {Type: Pass, Next: B}\n";
    assert_eq!(
        found(&[("template.yaml", TEMPLATE), ("m.asl.yaml", beside)], &[]),
        [
            "SCHEMA_VALIDATION_FAILED 13:47 /States/B/Resource",
            "MISSING_TRANSITION_TARGET 3:25 /States/A/Next",
            "SCHEMA_VALIDATION_FAILED 29:17 /States/A/Nxt",
        ]
    );
}

#[test]
fn what_a_deployment_fills_in_is_accepted() {
    let machine = r#"{"StartAt": "A", "TimeoutSeconds": ${Minutes}, "States": {"A": {"Type": "Task",
        "Resource": "${LambdaArn}", "Parameters": {"FunctionName": "${Name}"}, "End": true}}}"#;
    assert_eq!(found(&[("m.json", machine)], &[]), [""; 0]);
}

#[test]
fn people_see_the_line_and_what_to_do() {
    let (status, printed) = lint(&[("m.yml", "StartAt: A\nStates:\n  A:\n    Typ: Pass\n")], &[]);
    assert_eq!(status, 1);
    assert_eq!(
        printed,
        "error[SCHEMA_VALIDATION_FAILED]: These fields are required: [Type]\n  \
         --> m.yml:4:5  /States/A\n  |\n4 |     Typ: Pass\n  |     ^\n\n\
         1 state machine: 1 error, 0 warnings\n"
    );
}

#[test]
fn what_is_no_machine_is_an_error_and_the_others_are_looked_at() {
    let (status, printed) = lint(&[("x.json", "{\"a\": 1}")], &["none.json"]);
    assert_eq!(status, 1);
    assert!(printed.contains("x.json holds no state machine"), "{printed}");
    assert!(printed.contains("none.json"), "{printed}");
    let runbook = "schemaVersion: \"0.3\"\nmainSteps:\n  - {name: a, action: aws:nonsense}\n";
    let (status, printed) = lint(&[("r.yaml", runbook)], &[]);
    assert!(status == 1 && printed.contains("r.yaml:3:"), "{printed}");
}

#[test]
fn warnings_are_shown_and_change_no_status() {
    let text = r#"{"StartAt": "P", "States": {
  "P": {"Type": "Pass", "Parameters": {"id": "$.order.id"}, "End": true}}}"#;
    let (status, printed) = lint(&[("doubtful.asl.json", text)], &[]);
    assert_eq!(status, 0, "{printed}");
    assert!(printed.contains("warning[NO_DOLLAR]:"), "{printed}");
    assert!(printed.contains("doubtful.asl.json:2:46  /States/P/Parameters/id"), "{printed}");
    assert!(printed.contains("hint: `id.$` is evaluated"), "{printed}");
}
