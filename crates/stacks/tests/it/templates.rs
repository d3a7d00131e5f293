//! Templates: YAML and JSON, and what is refused.

use stacks::Template;
use value::value;

fn refusal(text: &str) -> String {
    Template::parse(text).unwrap_err().to_string()
}

/// Puts a resource around properties written in YAML's flow style.
fn with_properties(properties: &str) -> String {
    format!("Resources: {{G: {{Type: 'AWS::IAM::Group', Properties: {properties}}}}}")
}

#[test]
fn short_forms_are_spelled_out() {
    let table = [
        ("!Ref 'AWS::Region'", value!({"Ref": "AWS::Region"})),
        ("!GetAtt G.Arn.X", value!({"Fn::GetAtt": ["G", "Arn.X"]})),
        ("!GetAtt [G, Arn]", value!({"Fn::GetAtt": ["G", "Arn"]})),
        ("!Sub 'x-${AWS::Region}'", value!({"Fn::Sub": "x-${AWS::Region}"})),
        (
            "!Join ['-', [a, !Ref 'AWS::Region']]",
            value!({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}),
        ),
        ("!Base64 {'Fn::Sub': x}", value!({"Fn::Base64": {"Fn::Sub": "x"}})),
        (
            "!Select [0, !Split [',', 'a,b']]",
            value!({"Fn::Select": [0, {"Fn::Split": [",", "a,b"]}]}),
        ),
        ("!ImportValue x", value!({"Fn::ImportValue": "x"})),
        ("!FindInMap [M, a, b]", value!({"Fn::FindInMap": ["M", "a", "b"]})),
    ];
    for (yaml, expected) in table {
        let text =
            format!("Resources: {{G: {{Type: 'AWS::IAM::Group'}}}}\nMetadata:\n  X: {yaml}\n");
        let template = Template::parse(&text).unwrap_or_else(|err| panic!("{yaml}: {err}"));
        assert_eq!(template.body().path(&["Metadata", "X"]), Some(&expected), "{yaml}");
    }
}

#[test]
fn scalars_mean_what_cloudformation_takes_them_for() {
    let table = [
        ("012345678901", value!("012345678901")),
        ("2012-10-17", value!("2012-10-17")),
        ("2010-09-09", value!("2010-09-09")),
        ("123", value!(123)),
        ("-1.5", value!(-1.5)),
        ("'123'", value!("123")),
        ("!!str 123", value!("123")),
        ("true", value!(true)),
        ("yes", value!(true)),
        ("'yes'", value!("yes")),
        ("~", value!(null)),
        ("0x1F", value!("0x1F")),
        ("1_000", value!("1_000")),
        ("日本語", value!("日本語")),
    ];
    for (yaml, expected) in table {
        let text = format!("Resources:\n  G: {{Type: AWS::IAM::Group}}\nMetadata:\n  X: {yaml}\n");
        let template = Template::parse(&text).unwrap();
        assert_eq!(template.body().path(&["Metadata", "X"]), Some(&expected), "{yaml}");
    }
}

#[test]
fn json_and_yaml_give_the_same_template() {
    let json = r#"{"Resources": {"G": {"Type": "AWS::IAM::Group", "Properties": {
        "Path": {"Fn::Sub": "/${AWS::StackName}/"}}}}}"#;
    let yaml = "Resources:\n  G:\n    Type: AWS::IAM::Group\n    Properties:\n      \
                Path: !Sub /${AWS::StackName}/\n";
    assert_eq!(Template::parse(json).unwrap(), Template::parse(yaml).unwrap());
}

#[test]
fn refusals_carry_the_words_of_aws() {
    let table = [
        ("{", "Template format error: JSON not well-formed. (line 1, column 2)"),
        (
            "Resources:\n  - a\n b",
            "Template format error: YAML not well-formed. (line 3, column 2)",
        ),
        ("[]", "Template format error: unsupported structure."),
        ("{}", "Template format error: At least one Resources member must be defined."),
        (
            "{\"Resource\": {}}",
            "Template format error: Invalid template property or properties [Resource]",
        ),
        (
            "Resources: {A: {Properties: {}}}",
            "Template format error: [/Resources/A] Every Resources object must contain a Type \
             member.",
        ),
        (
            "Resources: {a-b: {Type: 'AWS::IAM::Role'}}",
            "Template format error: Resource name a-b is non alphanumeric.",
        ),
        (
            "Resources: {A: {Type: 'AWS::EC2::VPC'}, B: {Type: 'X::Y'}}",
            "Template format error: Unrecognized resource types: [AWS::EC2::VPC, X::Y]",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::Role', Colour: red}}",
            "Template format error: Invalid template resource property 'Colour'",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::Role', DependsOn: [C, B]}}",
            "Template format error: Unresolved resource dependencies [B, C] in the Resources \
             block of the template",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::Group', DependsOn: B}, B: {Type: 'AWS::IAM::Group', \
             Properties: {Path: !Ref A}}, C: {Type: 'AWS::IAM::Group'}}",
            "Circular dependency between resources: [A, B]",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::Group'}}\nOutputs: {X: {Value: !Ref Nope}}",
            "Template format error: Unresolved resource dependencies [Nope] in the Outputs block \
             of the template",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::Group'}}\nConditions: {X: !Equals [!Ref A, b]}",
            "Template format error: Unresolved dependencies [A]. Cannot reference resources in \
             the Conditions block of the template",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::Group'}}\nParameters: {X: {Type: Colour}}",
            "Template format error: Unrecognized parameter type: Colour",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::Group'}}\nMetadata: {X: &x 1, Y: *x}",
            "Template error: YAML aliases are not allowed in CloudFormation templates",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::Group'}}\nTransform: AWS::Serverless-2016-10-31",
            "Template error: transform AWS::Serverless-2016-10-31 is not available here",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::User', Properties: {UserName: \
             '{{resolve:ssm-secure:/app/secret:1}}'}}}",
            "SSM Secure reference is not supported in: [AWS::IAM::User/Properties/UserName]",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::User', Properties: {UserName: \
             'a-{{resolve:secretsmanager:b}}'}}}",
            "Template error: dynamic references ({{resolve:secretsmanager:…}}) are not available \
             here",
        ),
        (
            "Resources: {A: {Type: 'AWS::IAM::User', Properties: {UserName: \
             !Sub '{{resolve:ssm:/app/name:prod}}'}}}",
            "Incorrect format is used in the following SSM reference: \
             [{{resolve:ssm:/app/name:prod}}]",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn functions_used_wrongly_are_refused() {
    let table = [
        ("{Path: !Ref Nope}", "Unresolved resource dependencies [Nope] in the Resources block"),
        (
            "{Path: !Sub '${Nope}'}",
            "Unresolved resource dependencies [Nope] in the Resources block",
        ),
        ("{Path: !GetAtt Nope.Arn}", "instance of Fn::GetAtt references undefined resource Nope"),
        ("{Path: !GetAtt G}", "if specifying one argument to Fn::GetAtt"),
        ("{Path: !Ref [a]}", "every Ref object must have a single String value."),
        ("{Path: !Join [a]}", "every Fn::Join object requires two parameters"),
        ("{Path: !Sub '${a b}'}", "variable names in Fn::Sub syntax must contain only"),
        ("{Path: !If [C, a, b]}", "Unresolved condition dependency [C]"),
        ("{Path: !Colour x}", "YAML not well-formed. (line 1, column "),
    ];
    for (properties, expected) in table {
        let refusal = refusal(&with_properties(properties));
        assert!(refusal.contains(expected), "{properties}: {refusal}");
    }
}

#[test]
fn hostile_templates_are_refused_in_time() {
    let deep_yaml = format!("Resources: {}", "[".repeat(5_000));
    assert!(Template::parse(&deep_yaml).is_err());
    let deep_json = format!("{{\"Resources\":{}{}}}", "[".repeat(500), "]".repeat(500));
    assert!(Template::parse(&deep_json).is_err());
    let nested: Vec<String> = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(Template::parse(&nested.concat()).is_err());
    assert!(Template::parse(&" ".repeat(2_000_000)).is_err());
    let many: Vec<String> =
        (0..501).map(|n| format!("  R{n}: {{Type: AWS::IAM::Group}}\n")).collect();
    assert_eq!(
        refusal(&format!("Resources:\n{}", many.concat())),
        "Template format error: Number of resources, 501, is greater than maximum allowed, 500"
    );
}

#[test]
fn capabilities_follow_from_the_resources() {
    let parse = |text: &str| Template::parse(text).unwrap();
    let named = parse("Resources: {R: {Type: 'AWS::IAM::Role', Properties: {RoleName: x}}}");
    let plain = parse("Resources: {R: {Type: 'AWS::IAM::Role'}}");
    let none = parse("Resources: {R: {Type: 'AWS::Events::Rule', Properties: {Name: x}}}");
    let check = |template: &Template, given: &[&str]| {
        template.check_capabilities(given).map_err(|err| err.to_string())
    };
    assert_eq!(
        check(&named, &["CAPABILITY_IAM"]),
        Err("Requires capabilities : [CAPABILITY_NAMED_IAM]".to_owned())
    );
    assert_eq!(check(&plain, &[]), Err("Requires capabilities : [CAPABILITY_IAM]".to_owned()));
    assert_eq!(check(&plain, &["CAPABILITY_NAMED_IAM"]), Ok(()));
    assert_eq!(check(&named, &["CAPABILITY_NAMED_IAM"]), Ok(()));
    assert_eq!(check(&none, &[]), Ok(()));
    assert_eq!(named.required_capabilities().1, vec!["AWS::IAM::Role".to_owned()]);
}

#[test]
fn no_text_panics() {
    let pieces = [
        "Resources:",
        "\n",
        "\n  ",
        "\n    ",
        "A:",
        " {",
        "}",
        " [",
        "]",
        " !Ref A",
        " !Sub '${A.B}'",
        " Type: AWS::IAM::Role",
        " &x",
        " *x",
        " - ",
        "!GetAtt",
        ", ",
        ": ",
        "'",
        "日",
        "Fn::If",
        " Properties:",
        "Outputs:",
        "|",
        ">",
        "#",
        "---",
        "\t",
    ];
    let mut seed = 11_u64;
    for _ in 0..20_000 {
        let mut text = String::from("Resources:\n  A:");
        for _ in 0..10 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(pieces[usize::try_from(seed >> 33).unwrap() % pieces.len()]);
        }
        let _ = Template::parse(&text);
    }
}
