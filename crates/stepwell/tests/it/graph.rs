//! `stepwell graph` on files.

use value::value;

use super::server::{Server, program, text};

const TEMPLATE: &str = r"Resources:
  One: {Type: AWS::Serverless::StateMachine, Properties: {Definition: {StartAt: 営業, States: {営業: {Type: Pass, End: true}}}}}
  Two: {Type: AWS::Serverless::StateMachine, Properties: {Definition: {StartAt: B, States: {B: {Type: Succeed}}}}}
";

#[test]
fn a_machine_of_a_template_is_drawn_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.yaml");
    std::fs::write(&file, TEMPLATE).unwrap();
    let draw = |options: &[&str]| program().arg("graph").arg(&file).args(options).output().unwrap();
    let refused = draw(&[]);
    assert!(!refused.status.success());
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("one of One, Two must be chosen"), "{text}");
    let drawn = draw(&["--machine", "One"]);
    let picture = String::from_utf8(drawn.stdout).unwrap();
    assert!(drawn.status.success() && picture.starts_with("<svg "), "{picture}");
    assert!(picture.contains(">営業</text>") && !picture.contains("data-state=\"B\""), "{picture}");
    let to = folder.path().join("two.svg");
    assert!(draw(&["--machine", "Two", "--output", to.to_str().unwrap()]).status.success());
    assert!(std::fs::read_to_string(to).unwrap().contains("data-state=\"B\""));
}

#[test]
fn an_execution_of_a_running_server_is_drawn_as_far_as_it_has_come() {
    let server = Server::start(&["--memory"], &[]);
    let definition = r#"{"StartAt": "Done", "States": {
        "Done": {"Type": "Pass", "Next": "Still"},
        "Still": {"Type": "Wait", "Seconds": 3600, "Next": "Later"},
        "Later": {"Type": "Succeed"}}}"#;
    let machine = server.machine("m", "STANDARD", definition);
    let started = value!({ "stateMachineArn": machine });
    let started = server.ok("stepfunctions", "StartExecution", started);
    let arn = text(&started, &["executionArn"]);
    let draw = |arn: &str| {
        let mut command = program();
        command.args(["graph", "--execution", arn, "--endpoint", &server.endpoint]);
        command.output().unwrap()
    };
    // The first states may be under way when the start is answered.
    let began = std::time::Instant::now();
    let picture = loop {
        let picture = String::from_utf8(draw(&arn).stdout).unwrap();
        if picture.contains("data-state=\"Still\" data-status") {
            break picture;
        }
        assert!(began.elapsed().as_secs() < 30, "{picture}");
    };
    assert!(picture.contains("data-state=\"Done\" data-status=\"succeeded\""), "{picture}");
    assert!(picture.contains("data-state=\"Still\" data-status=\"running\""), "{picture}");
    assert!(picture.contains("data-state=\"Later\">"), "{picture}");
    let unknown = draw(&arn.replace(":execution:m:", ":execution:n:"));
    assert!(!unknown.status.success());
    let refusal = String::from_utf8(unknown.stderr).unwrap();
    assert!(refusal.contains("ExecutionDoesNotExist"), "{refusal}");
}
