//! `stepwell policy check` as a person and as a machine see it.

use value::Value;

use super::corpus::{corpus, failing, piped};
use super::server::program;

/// Checks a file of this name and text; returns the status and what was printed.
fn check(name: &str, text: &str, options: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    let mut command = program();
    command.current_dir(folder.path()).args(["policy", "check", name]).args(options);
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Returns `logical-id kind verdict: CODE line:column …` for each policy.
fn told(name: &str, text: &str, options: &[&str]) -> Vec<String> {
    let (_, printed) = check(name, text, &[options, &["--json"]].concat());
    let told = value::parse(&printed).unwrap_or_else(|err| panic!("{err}: {printed}"));
    let list = |json: &Value, name: &str| json.get(name).unwrap().as_array().unwrap().to_vec();
    let policies = list(&told, "files").into_iter().map(|file| {
        let text = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
        let problems = list(&file, "diagnostics").into_iter().map(|one| {
            let at = |name: &str| one.get(name).and_then(Value::as_i64).unwrap_or_default();
            let code = one.get("code").and_then(Value::as_str).unwrap().to_owned();
            format!(" {code} {}:{}", at("line"), at("column"))
        });
        let problems: String = problems.collect();
        format!("{} {} {}:{problems}", text("logicalId"), text("kind"), text("verdict"))
    });
    policies.collect()
}

#[test]
fn the_validation_corpus_is_answered_as_the_crate_scores() {
    let Some(input) = corpus("policy/validation-dev.jsonl") else { return };
    let cases: Vec<Value> = input.lines().map(|line| value::parse(line).unwrap()).collect();
    let output = piped(program().args(["policy", "check", "--jsonl"]), input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = printed.lines().map(|line| value::parse(line).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    let text = |json: &Value, name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    let right = |(case, answer): &(&Value, &Value)| {
        text(case, "id") == text(answer, "id")
            && text(case, "expected") == text(answer, "verdict")
            && text(case, "message") == text(answer, "message")
    };
    let wrong = cases.iter().zip(&answers).filter(|pair| !right(pair));
    let wrong = wrong.map(|(case, _)| text(case, "id").unwrap()).collect();
    assert_eq!(failing("policy-validation"), wrong);
}

#[test]
fn a_problem_is_shown_in_its_place() {
    let text = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObjekt"], "Resource": "*"}
  ]
}"#;
    let (status, printed) = check("p.json", text, &[]);
    assert_eq!(status, 0);
    assert_eq!(
        printed,
        "warning[UNKNOWN_ACTION]: s3 has no action `GetObjekt`\n  \
         --> p.json:4:36  /Statement/0/Action/0\n  \
         |\n\
         4 |     {\"Effect\": \"Allow\", \"Action\": [\"s3:GetObjekt\"], \"Resource\": \"*\"}\n  \
         |                                    ^^^^^^^^^^^^^^\n  \
         hint: did you mean `s3:GetObject`?\n\n\
         1 policy: 0 errors, 1 warning\n"
    );
    let (status, printed) = check("p.json", &text.replace("Allow", "allow"), &[]);
    assert_eq!(status, 1);
    assert!(printed.contains("error[MalformedPolicyDocument]: The policy failed legacy parsing\n"));
    assert!(printed.contains("--> p.json:4:5  /Statement/0\n"), "{printed}");
    let (status, printed) = check("p.json", "{\"Version\": x}", &[]);
    assert_eq!(status, 1);
    assert!(printed.contains("Syntax errors in policy.\n  --> p.json:1:1"), "{printed}");
}

#[test]
fn a_document_is_judged_by_what_it_is_for() {
    let trust = r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole", "Action": "sts:AssumeRole"}}"#;
    assert_eq!(told("t.json", trust, &[]), ["- trust valid: REPEATED_MEMBER 2:9"]);
    assert_eq!(
        told("t.json", trust, &["--kind", "inline"]),
        ["- inline MalformedPolicyDocument: MalformedPolicyDocument 1:2 REPEATED_MEMBER 2:9"]
    );
    let bare = r#"{"Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}}"#;
    let refused = "MalformedPolicyDocument: MalformedPolicyDocument 1:1";
    assert_eq!(told("b.json", bare, &[]), [format!("- identity {refused}")]);
    assert_eq!(told("b.json", bare, &["--kind", "inline"]), ["- inline valid:"]);
    assert_eq!(told("gone.json", "", &[]).len(), 1);
}

const TEMPLATE: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: !Sub "states.${AWS::URLSuffix}", AWS: !GetAtt Other.Arn}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - Effect: Allow
                Action: [sqs:SendMessage, sqs:SendMesage]
                Resource: [!GetAtt Queue.Arn, !Sub "arn:${AWS::Partition}:sqs:*:*:${Name}-${!aws:username}"]
              - !If
                - Wide
                - Effect: Allow
                  Action: iam:PassRole
                  Resource: "*"
                - !Ref AWS::NoValue
  Elsewhere:
    Type: AWS::IAM::Policy
    Properties: {PolicyDocument: !Ref Given}
  Topic:
    Type: AWS::SNS::TopicPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, Principal: "*", Action: sns:Publish, Resource: !Ref T}
"#;

#[test]
fn policies_of_templates_are_found() {
    assert_eq!(
        told("t.yaml", TEMPLATE, &[]),
        [
            "Role trust valid:",
            "Role inline valid: UNKNOWN_ACTION 18:43 PASS_ANY_ROLE 23:27",
            "Topic resource valid: EVERYONE 33:47",
        ]
    );
}
