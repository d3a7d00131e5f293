//! Reading documents: every problem with its place, and what YAML may not do.

use automation::diagnostic::Severity;
use automation::{Format, InvalidCode, Runbook, document};
use value::value;

fn problems(text: &str, format: Format) -> Vec<String> {
    let err = Runbook::parse(text, format).expect_err("it is wrong");
    err.diagnostics.iter().map(ToString::to_string).collect()
}

const WRONG: &str = r#"schemaVersion: "0.3"
assumeRole: "{{ Role }}"
parameters:
  Name:
    type: Text
    allowedPattern: "("
mainSteps:
  - name: a b
    action: aws:executeAwsAPI
    inputs: {}
  - name: second
    action: aws:sleep
    onFailure: Stop
    nextStep: nowhere
    timeoutSeconds: soon
    inputs:
      Duration: "{{ Missing }} {{ third.Out }} {{ variable:V }} {{ssm:/path}} {{ no reference }}"
  - name: second
    action: aws:branch
    inputs:
      Choices:
        - NextStep: elsewhere
          Variable: x
          Equals: y
outputs:
  - third.Out
"#;

#[test]
fn finds_every_problem_at_once_in_yaml() {
    assert_eq!(
        problems(WRONG, Format::Yaml),
        [
            "parameter `Role` is not defined at `assumeRole` (line 2, column 1)",
            "`Text` is not a type at `parameters.Name.type` (line 5, column 5)",
            "step name `a b` must match ^[a-zA-Z0-9_]+$ at `mainSteps[0].name` (line 8, column 5)",
            "step a b: unknown action `aws:executeAwsAPI` at `mainSteps[0].action` (line 9, column 5)",
            "`Stop` is not Abort, Continue or step:NAME at `mainSteps[1].onFailure` (line 13, column 5)",
            "step second: there is no step `nowhere` at `mainSteps[1].nextStep` (line 14, column 5)",
            "`timeoutSeconds` is a whole number at `mainSteps[1].timeoutSeconds` (line 15, column 5)",
            "parameter `Missing` is not defined at `mainSteps[1].inputs.Duration` (line 17, column 7)",
            "there is no step `third` at `mainSteps[1].inputs.Duration` (line 17, column 7)",
            "variable `V` is not defined at `mainSteps[1].inputs.Duration` (line 17, column 7)",
            "`ssm:/path` cannot stand here at `mainSteps[1].inputs.Duration` (line 17, column 7)",
            "step name `second` is used twice at `mainSteps[2].name` (line 18, column 5)",
            "step second: there is no step `elsewhere` at `mainSteps[2].inputs.Choices[0].NextStep` (line 22, column 11)",
            "a condition needs a known operator at `mainSteps[2].inputs.Choices[0]` (line 22, column 11)",
            "there is no step `third` at `outputs[0]` (line 26, column 5)",
        ]
    );
}

#[test]
fn finds_the_same_problems_in_json() {
    let data = document::read(WRONG, Format::Yaml).unwrap();
    let json = document::write(&data, Format::Json);
    let strip = |problems: Vec<String>| {
        let mut texts: Vec<String> =
            problems.iter().map(|one| one.split(" (line").next().unwrap().to_owned()).collect();
        texts.sort();
        texts
    };
    assert_eq!(strip(problems(&json, Format::Json)), strip(problems(WRONG, Format::Yaml)));
    let err = Runbook::parse(&json, Format::Json).unwrap_err();
    let first = err.diagnostics.first().unwrap().position.unwrap();
    assert_eq!((first.line, first.column), (3, 3));
    let hint =
        err.diagnostics.iter().find_map(|one| one.hint.clone().filter(|it| it.contains("aws:")));
    assert_eq!(hint.as_deref(), Some("did you mean aws:executeAwsApi?"));
}

#[test]
fn tells_a_circle_by_its_steps() {
    let text = r#"schemaVersion: "0.3"
mainSteps:
  - {name: a, action: 'aws:pause', inputs: {}}
  - {name: b, action: 'aws:pause', inputs: {}, nextStep: c}
  - {name: d, action: 'aws:pause', inputs: {}, onFailure: 'step:b', isEnd: false}
  - {name: c, action: 'aws:pause', inputs: {}, nextStep: d}
"#;
    assert_eq!(
        problems(text, Format::Yaml),
        ["the steps form a circle: c -> d -> c at `mainSteps` (line 2, column 1)"]
    );
    // What an end, a default or a jump leaves out is no way back.
    let acyclic = text.replace("isEnd: false", "isEnd: true");
    assert!(Runbook::parse(&acyclic, Format::Yaml).is_ok());
}

#[test]
fn refuses_other_schema_versions_with_their_own_code() {
    for (text, code) in [
        (r#"{"schemaVersion": "2.2", "mainSteps": []}"#, InvalidCode::InvalidDocumentSchemaVersion),
        (r#"{"mainSteps": []}"#, InvalidCode::InvalidDocumentSchemaVersion),
        (r#"{"schemaVersion": "0.3"}"#, InvalidCode::InvalidDocumentContent),
        (r"[]", InvalidCode::InvalidDocumentSchemaVersion),
        (r"{", InvalidCode::InvalidDocumentContent),
    ] {
        assert_eq!(Runbook::parse(text, Format::Json).unwrap_err().code, code, "{text}");
    }
    let long = " ".repeat(document::CONTENT_BYTES_MAX + 1);
    let err = Runbook::parse(&long, Format::Json).unwrap_err();
    assert_eq!(err.code.name(), "MaxDocumentSizeExceeded");
}

#[test]
fn tells_where_a_text_is_no_document() {
    let told = |text, format| Runbook::parse(text, format).unwrap_err().to_string();
    assert_eq!(told("{\n  \"a\": }", Format::Json), "JSON not well-formed. at Line: 2, Column: 8");
    for (text, place) in [
        ("a: 1\na: 2\n", "at Line: 2, Column: 1"),
        ("a:\n\tb: 1\n", "at Line: 2, Column: 2"),
        ("a: !Ref b\n", "at Line: 1, Column: 4"),
        ("a: *b\n", "at Line: 1, Column: 4"),
        ("---\na: 1\n---\nb: 1\n", "at Line: 3, Column: 1"),
        ("? [a]\n: b\n", "at Line: 1, Column: 3"),
    ] {
        let message = told(text, Format::Yaml);
        assert!(message.starts_with("YAML not well-formed."), "{text:?}: {message}");
        assert!(message.ends_with(place), "{text:?}: {message}");
    }
}

#[test]
fn reads_yaml_as_the_core_schema_has_it() {
    for (text, data) in [
        ("", value!(null)),
        ("a: 1", value!({"a": 1})),
        ("a: 1.50", value::parse(r#"{"a": 1.50}"#).unwrap()),
        ("a: 012345678901", value!({"a": 12_345_678_901_i64})),
        ("a: 0x1F", value!({"a": 31})),
        ("a: +5", value!({"a": 5})),
        ("a: .5", value!({"a": 0.5})),
        ("a: '5'", value!({"a": "5"})),
        ("a: !!str 5", value!({"a": "5"})),
        ("a: !!int '5'", value!({"a": 5})),
        ("a: yes", value!({"a": "yes"})),
        ("a: True", value!({"a": true})),
        ("a:", value!({"a": null})),
        ("a: 2020-01-01", value!({"a": "2020-01-01"})),
        ("a: 1.2.3", value!({"a": "1.2.3"})),
        ("1: x", value!({"1": "x"})),
        ("a: &x [1]\nb: *x", value!({"a": [1], "b": [1]})),
        ("a: {\n\"b\": [ 1\n]\n}\nc: 2", value!({"a": {"b": [1]}, "c": 2})),
    ] {
        let read = document::read(text, Format::Yaml).unwrap_or_else(|err| panic!("{text}: {err}"));
        assert_eq!(read.to_string(), data.to_string(), "{text}");
    }
}

#[test]
fn aliases_cannot_grow_without_bound() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        text.extend([&*format!("a{level}: &a{level} ["), &*below, "]\n"]);
    }
    let err = document::read(&text, Format::Yaml).unwrap_err();
    assert_eq!(err.message, "aliases make more than 200000 nodes");
    let deep = "[".repeat(5000);
    assert!(document::read(&deep, Format::Yaml).is_err());
}

#[test]
fn a_script_needs_its_text_and_a_function() {
    let text = "schemaVersion: '0.3'\nmainSteps:\n  - {name: a, action: 'aws:executeScript', inputs: {Runtime: python3.11}}\n";
    assert_eq!(
        problems(text, Format::Yaml),
        [
            "step a: there is neither Script nor Attachment at `mainSteps[0].inputs` (line 3, column 44)",
            "step a: a Python script needs the input `Handler` at `mainSteps[0].inputs` (line 3, column 44)",
        ]
    );
    let shell = text.replace("Runtime: python3.11", "Runtime: PowerShell 7.4, Script: x");
    assert!(Runbook::parse(&shell, Format::Yaml).is_ok());
}

#[test]
fn doubtful_things_are_warnings() {
    let text = "schemaVersion: '0.3'\nmainSteps: []\nautor: me\n";
    let runbook = Runbook::parse(text, Format::Yaml).unwrap();
    let told: Vec<String> = runbook.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "there are no steps at `mainSteps` (line 2, column 1)",
            "`autor` is no key of Automation documents at `autor` (line 3, column 1)",
        ]
    );
    assert!(runbook.warnings.iter().all(|one| one.severity == Severity::Warning));
}

#[test]
fn what_was_accepted_once_is_read_whatever_the_rules_of_today() {
    let runbook = Runbook::parse_accepted(WRONG, Format::Yaml).unwrap();
    assert_eq!(runbook.steps.len(), 3);
    // What stands against it is not lost.
    assert_eq!(runbook.warnings.len(), problems(WRONG, Format::Yaml).len());
    assert!(Runbook::parse_accepted("a: [", Format::Yaml).is_err());
}

#[test]
fn files_have_names_and_checksums() {
    let sum = "0123456789abcdef".repeat(4);
    let text = |name: &str, key: &str, sum: &str| {
        format!(
            "schemaVersion: '0.3'\nmainSteps: []\nfiles:\n  {name}: {{checksums: {{{key}: {sum}}}, size: 7}}\n"
        )
    };
    for key in ["sha256", "SHA256", "sha-256", "SHA-256"] {
        let runbook =
            Runbook::parse(&text("a.py", key, &sum.to_uppercase()), Format::Yaml).unwrap();
        let file = runbook.files.first().unwrap();
        let wanted = (&*file.name, file.sha256.as_deref(), file.size);
        assert_eq!(wanted, ("a.py", Some(&*sum), Some(7)));
    }
    assert_eq!(
        problems(&text("../a.py", "sha256", "12"), Format::Yaml),
        [
            "there are no steps at `mainSteps` (line 2, column 1)",
            "file name `../a.py` must match ^[a-zA-Z0-9_\\-.]{3,128}$ at `files.../a.py` (line 4, column 3)",
            "a SHA-256 has 64 hexadecimal digits at `files.../a.py.checksums` (line 4, column 13)",
        ]
    );
}

const DOUBTFUL: &str = r#"schemaVersion: "0.3"
descripton: misspelt
parameters:
  Used: {type: String, default: "abc", allowedPattern: "[0-9]+"}
  Size: {type: Integer, default: many, alowedValues: [1]}
  Colour: {type: String, default: red, allowedValues: [blue]}
  Unused: {type: String}
variables:
  Never: {type: String}
mainSteps:
  - name: first
    action: aws:executeAwsApi
    nextSteps: third
    inputs: {Service: iam, Api: GetUser, UserName: "{{ Used }} {{ Size }} {{ Colour }} {{ third.Payload }}"}
    outputs:
      - {Name: Id, Selector: $.User.UserId, Type: String}
      - {Name: Id, Selector: $.User.Arn, Type: String}
    nextStep: third
  - name: second
    action: aws:sleep
    inputs: {Duration: PT1S}
  - name: third
    action: aws:executeScript
    isEnd: true
    nextStep: fourth
    inputs: {Runtime: python3.11, Handler: h, Scrip: x, Script: "", InputPayload: {id: "{{ first.ID }}", n: "{{ first.Id }}"}}
  - name: fourth
    action: aws:executeStateMachine
    inputs: {stateMachineArn: a, anything: b}
outputs:
  - third.Payload
  - third.Result
  - fourth.anything
"#;

#[test]
fn every_doubt_has_its_place_and_what_may_have_been_meant() {
    let runbook = Runbook::parse(DOUBTFUL, Format::Yaml).unwrap();
    let told = |one: &automation::Diagnostic| {
        let line = one.position.map_or(0, |position| position.line);
        (line, one.message.clone(), one.hint.clone().unwrap_or_default())
    };
    let told: Vec<_> = runbook.warnings.iter().map(told).collect();
    let wanted = [
        (2, "`descripton` is no key of Automation documents", "did you mean description?"),
        (4, "`abc` does not match the allowed pattern", ""),
        (5, "`many` is no Integer", ""),
        (5, "`alowedValues` is no property of parameters", "did you mean allowedValues?"),
        (6, "`red` is not among the allowed values", ""),
        (7, "parameter `Unused` is not used", ""),
        (9, "variable `Never` is never read", ""),
        (13, "`nextSteps` is no property of steps", "did you mean nextStep?"),
        (14, "step third cannot have run when `third.Payload` is read", ""),
        (17, "output `Id` is declared twice", ""),
        (19, "step second is never reached", ""),
        (25, "step third: `nextStep` means nothing beside `isEnd`", ""),
        (26, "`Scrip` is no input of aws:executeScript", "did you mean Script?"),
        (26, "step first has no output `ID`", "did you mean Id?"),
        (27, "step fourth is never reached", ""),
        (32, "step third has no output `Result`", "it has Payload, OutputPayload, ExecutionLog"),
    ];
    let wanted = wanted.map(|(line, text, hint)| (line, text.to_owned(), hint.to_owned()));
    assert_eq!(told, wanted);
}
