//! `stepwell graph` on files.

use super::server::program;

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
