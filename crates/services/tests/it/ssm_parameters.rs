//! Parameter Store, and runbooks whose defaults are there.

use policy::Principal;
use value::{Value, value};

use super::server::{ACCOUNT, each, text};
use super::ssm_authority::user;
use super::states_express::{Whole, whole};

async fn refused(whole: &Whole, name: &str, input: Value) -> String {
    match whole.run("ssm", name, input).await {
        Ok(answer) => panic!("{name} answered {answer}"),
        Err(err) => err.to_string(),
    }
}

async fn put(whole: &Whole, name: &str, value: &str) -> Value {
    let input = value!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
    whole.ok("ssm", "PutParameter", input).await
}

async fn get(whole: &Whole, name: &str) -> String {
    let found = whole.ok("ssm", "GetParameter", value!({"Name": name})).await;
    text(&found, &["Parameter", "Value"])
}

#[tokio::test]
async fn a_parameter_has_versions_and_labels() {
    let whole = whole().await;
    put(&whole, "/app/colour", "red").await;
    let second = put(&whole, "/app/colour", "blue").await;
    assert_eq!(second, value!({"Version": 2, "Tier": "Standard"}));
    let label = |number: i64| value!({"Name": "/app/colour", "ParameterVersion": number, "Labels": ["prod", "1st", "awsome"]});
    let labelled = whole.ok("ssm", "LabelParameterVersion", label(1)).await;
    assert_eq!(labelled.get("InvalidLabels"), Some(&value!(["1st", "awsome"])));
    let arn = format!("arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/app/colour");
    for (name, wanted) in [
        ("/app/colour", "blue"),
        ("/app/colour:1", "red"),
        ("/app/colour:prod", "red"),
        (&*arn, "blue"),
    ] {
        assert_eq!(get(&whole, name).await, wanted, "{name}");
    }
    // The label moves.
    whole.ok("ssm", "LabelParameterVersion", label(2)).await;
    assert_eq!(get(&whole, "/app/colour:prod").await, "blue");
    let history = whole.ok("ssm", "GetParameterHistory", value!({"Name": "/app/colour"})).await;
    assert_eq!(each(&history, "Parameters", "Value"), ["red", "blue"]);
    let gone = value!({"Name": "/app/colour", "ParameterVersion": 2, "Labels": ["prod", "x"]});
    let gone = whole.ok("ssm", "UnlabelParameterVersion", gone).await;
    assert_eq!(gone, value!({"RemovedLabels": ["prod"], "InvalidLabels": ["x"]}));
    for (name, code) in [
        ("/app/colour:prod", "ParameterVersionNotFound"),
        ("/app/colour:3", "ParameterVersionNotFound"),
        ("/app/color", "ParameterNotFound"),
    ] {
        let err = refused(&whole, "GetParameter", value!({"Name": name})).await;
        assert!(err.starts_with(code), "{err}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused() {
    let whole = whole().await;
    put(&whole, "one", "1").await;
    let with = |more: Value| {
        let mut input = value!({"Name": "two", "Value": "v", "Type": "String"});
        for (key, value) in more.as_object().unwrap().iter() {
            input.set(key.clone(), value.clone());
        }
        input
    };
    for (more, told) in [
        (value!({"Name": "one"}), "ParameterAlreadyExists"),
        (value!({"Name": "one", "Overwrite": true, "Type": "StringList"}), "HierarchyTypeMismatch"),
        (
            value!({"Type": "SecureString", "KeyId": "alias/mine"}),
            "InvalidKeyId: Stepwell has no KMS, and so no key alias/mine",
        ),
        (value!({"KeyId": "alias/aws/ssm"}), "ValidationException: KeyId is for parameters of"),
        (value!({"Name": "/aws/x"}), "ValidationException: Parameter name: can't be prefixed"),
        (value!({"Name": "a/b"}), "ValidationException: Parameter name must be a fully qualified"),
        (value!({"Name": ("/a".repeat(16))}), "HierarchyLevelLimitExceeded"),
        (value!({"Value": ("v".repeat(4097))}), "ValidationException: Standard tier parameters"),
        (value!({"AllowedPattern": "\\d+"}), "ParameterPatternMismatchException"),
        (value!({"AllowedPattern": "("}), "InvalidAllowedPatternException"),
        (
            value!({"Overwrite": true, "Tags": [{"Key": "a", "Value": "b"}]}),
            "ValidationException: Invalid request",
        ),
        (value!({"Policies": "[{}]"}), "ValidationException: Stepwell keeps no parameter policies"),
    ] {
        let err = refused(&whole, "PutParameter", with(more)).await;
        assert!(err.starts_with(told), "{err}");
    }
    let untyped = value!({"Name": "two", "Value": "v"});
    assert!(
        refused(&whole, "PutParameter", untyped).await.contains("A parameter type is required")
    );
    let long = with(value!({"Value": ("v".repeat(5000)), "Tier": "Intelligent-Tiering"}));
    let answer = whole.ok("ssm", "PutParameter", long).await;
    assert_eq!(text(&answer, &["Tier"]), "Advanced");
}

#[tokio::test]
async fn of_a_hundred_versions_the_oldest_goes_unless_it_has_a_label() {
    let whole = whole().await;
    for number in 0..101 {
        put(&whole, "p", &number.to_string()).await;
    }
    let err = refused(&whole, "GetParameter", value!({"Name": "p:1"})).await;
    assert!(err.starts_with("ParameterVersionNotFound"), "{err}");
    let label = value!({"Name": "p", "ParameterVersion": 2, "Labels": ["keep"]});
    whole.ok("ssm", "LabelParameterVersion", label).await;
    let more = value!({"Name": "p", "Value": "v", "Overwrite": true});
    let err = refused(&whole, "PutParameter", more).await;
    assert!(err.starts_with("ParameterMaxVersionLimitExceeded"), "{err}");
    assert_eq!(get(&whole, "p").await, "100");
}

#[tokio::test]
async fn lists_by_path_and_filters_and_deletes_many() {
    let whole = whole().await;
    for name in ["/a/x", "/a/b/y", "/a/b/z", "top"] {
        put(&whole, name, name).await;
    }
    let by_path = |path: &str, recursive: bool| value!({"Path": path, "Recursive": recursive});
    for (path, recursive, wanted) in [
        ("/a", false, vec!["/a/x"]),
        ("/a/", true, vec!["/a/b/y", "/a/b/z", "/a/x"]),
        ("/a/b", false, vec!["/a/b/y", "/a/b/z"]),
        ("/b", true, vec![]),
    ] {
        let found = whole.ok("ssm", "GetParametersByPath", by_path(path, recursive)).await;
        assert_eq!(each(&found, "Parameters", "Name"), wanted, "{path}");
    }
    for (key, option, value, wanted) in [
        ("Name", "Equals", "top", vec!["top"]),
        ("Name", "BeginsWith", "/a/b", vec!["/a/b/y", "/a/b/z"]),
        ("Name", "Contains", "o", vec!["top"]),
        ("Path", "OneLevel", "/a", vec!["/a/x"]),
        ("Path", "Recursive", "/a/b", vec!["/a/b/y", "/a/b/z"]),
        ("Type", "Equals", "StringList", vec![]),
    ] {
        let filter =
            value!({"ParameterFilters": [{"Key": key, "Option": option, "Values": [value]}]});
        let found = whole.ok("ssm", "DescribeParameters", filter).await;
        assert_eq!(each(&found, "Parameters", "Name"), wanted, "{key} {option}");
    }
    let first = whole.ok("ssm", "DescribeParameters", value!({"MaxResults": 3})).await;
    let token = text(&first, &["NextToken"]);
    let rest = value!({"MaxResults": 3, "NextToken": token});
    let rest = whole.ok("ssm", "DescribeParameters", rest).await;
    assert_eq!(each(&rest, "Parameters", "Name"), ["top"]);
    let names = value!({"Names": ["top", "/a/x", "none"]});
    let found = whole.ok("ssm", "GetParameters", names.clone()).await;
    assert_eq!(each(&found, "Parameters", "Name"), ["top", "/a/x"]);
    assert_eq!(found.get("InvalidParameters"), Some(&value!(["none"])));
    let gone = whole.ok("ssm", "DeleteParameters", names).await;
    assert_eq!(gone.get("DeletedParameters"), Some(&value!(["top", "/a/x"])));
    assert!(
        refused(&whole, "DeleteParameter", value!({"Name": "top"}))
            .await
            .starts_with("ParameterNotFound")
    );
}

const SECRET: &str = "correct-Horse7/battery+staple";

async fn put_secret(whole: &Whole, name: &str, value: &str) {
    let input = value!({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": true});
    whole.ok("ssm", "PutParameter", input).await;
}

#[tokio::test]
async fn a_secure_string_is_shown_to_whoever_asks_for_decryption() {
    let whole = whole().await;
    put_secret(&whole, "/app/secret", "before").await;
    // The type and the key stay.
    let next = value!({"Name": "/app/secret", "Value": SECRET, "Overwrite": true});
    whole.ok("ssm", "PutParameter", next).await;
    put(&whole, "/app/plain", "red").await;
    let reads = [
        ("GetParameter", value!({"Name": "/app/secret"})),
        ("GetParameter", value!({"Name": "/app/secret:2"})),
        ("GetParameters", value!({"Names": ["/app/secret", "/app/plain"]})),
        ("GetParametersByPath", value!({"Path": "/app"})),
        ("GetParameterHistory", value!({"Name": "/app/secret"})),
    ];
    for (operation, input) in reads {
        let with = input.clone().with("WithDecryption", true);
        let opened = whole.ok("ssm", operation, with).await.to_json();
        assert!(opened.contains(SECRET) && opened.contains("SecureString"), "{opened}");
        let sealed = whole.ok("ssm", operation, input.clone()).await;
        assert!(!sealed.to_json().contains(SECRET), "{sealed}");
        assert!(sealed.to_json().contains("\"AQICAH"), "{sealed}");
        // It is the same one every time.
        assert_eq!(whole.ok("ssm", operation, input).await, sealed);
    }
    let key = |answer: &Value| each(answer, "Parameters", "KeyId");
    let by_key = value!({"ParameterFilters": [{"Key": "KeyId", "Values": ["alias/aws/ssm"]}]});
    let described = whole.ok("ssm", "DescribeParameters", by_key).await;
    assert_eq!(each(&described, "Parameters", "Name"), ["/app/secret"]);
    assert_eq!(key(&described), ["alias/aws/ssm"]);
    let history = whole.ok("ssm", "GetParameterHistory", value!({"Name": "/app/secret"})).await;
    assert_eq!(key(&history), ["alias/aws/ssm", "alias/aws/ssm"]);
}

/// What the key's own policy grants needs no other; what a policy denies is denied.
#[tokio::test]
async fn who_may_read_may_decrypt_unless_that_is_denied() {
    let whole = whole().await;
    put_secret(&whole, "/app/secret", SECRET).await;
    put(&whole, "/app/plain", "red").await;
    let reads = r#"{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}"#;
    let reader = user(&whole, "reader", reads).await;
    let deny = r#"{"Effect": "Deny", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*",
        "Condition": {"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": "*/app/*"}}}"#;
    let denied = user(&whole, "denied", &format!("{reads}, {deny}")).await;
    let with = |input: Value| input.with("WithDecryption", true);
    for (operation, input) in [
        ("GetParameter", value!({"Name": "/app/secret"})),
        ("GetParameters", value!({"Names": ["/app/secret"]})),
        ("GetParametersByPath", value!({"Path": "/app"})),
        ("GetParameterHistory", value!({"Name": "/app/secret"})),
    ] {
        let run =
            |who: &Principal, input: Value| whole.run_as(who.clone(), "ssm", operation, input);
        let opened = run(&reader, with(input.clone())).await.unwrap().to_json();
        assert!(opened.contains(SECRET), "{operation}: {opened}");
        run(&denied, input.clone()).await.unwrap();
        let err = run(&denied, with(input)).await.unwrap_err().to_string();
        assert!(err.starts_with("AccessDeniedException: "), "{err}");
        assert!(err.contains("not authorized to perform: kms:Decrypt on resource: arn:aws:kms:"));
        assert!(err.contains("with an explicit deny in an identity-based policy"), "{err}");
    }
    let plain = with(value!({"Name": "/app/plain"}));
    whole.run_as(denied.clone(), "ssm", "GetParameter", plain).await.unwrap();
    let more = value!({"Name": "/app/secret", "Value": "v", "Overwrite": true});
    let err = whole.run_as(denied, "ssm", "PutParameter", more).await.unwrap_err().to_string();
    assert!(err.contains("kms:Encrypt"), "{err}");
}

#[tokio::test]
async fn neither_runbooks_nor_stacks_are_given_a_secure_string() {
    let whole = whole().await;
    let document = value!({"Name": "Doc", "Content": RUNBOOK, "DocumentType": "Automation"});
    whole.ok("ssm", "CreateDocument", document).await;
    put_secret(&whole, "/app/colour", SECRET).await;
    put(&whole, "sizes", "1").await;
    let err = refused(&whole, "StartAutomationExecution", value!({"DocumentName": "Doc"})).await;
    assert!(err.contains("refers to /app/colour, which is a SecureString"), "{err}");
    let template = "Parameters: {C: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /app/colour}}\n\
                    Resources: {G: {Type: AWS::IAM::Group, Properties: {GroupName: !Ref C}}}";
    let stack = value!({
        "StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"],
    });
    let err = whole.run("cloudformation", "CreateStack", stack).await.unwrap_err().to_string();
    assert_eq!(
        err,
        "ValidationError: Parameters [/app/colour] referenced by template have types not \
         supported by CloudFormation."
    );
}

#[tokio::test]
async fn the_public_parameters_are_amazons() {
    let whole = whole().await;
    let name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
    let err = refused(&whole, "GetParameter", value!({"Name": name})).await;
    assert!(err.starts_with("ParameterNotFound: "), "{err}");
    assert!(err.contains("one of Amazon's public parameters") && err.contains(name), "{err}");
    let err = refused(&whole, "GetParametersByPath", value!({"Path": "/aws/service/eks"})).await;
    assert!(err.contains("one of Amazon's public parameters"), "{err}");
    let template = format!(
        "Parameters: {{C: {{Type: 'AWS::SSM::Parameter::Value<String>', Default: {name}}}}}\n\
         Resources: {{G: {{Type: AWS::IAM::Group, Properties: {{GroupName: !Ref C}}}}}}"
    );
    let stack = value!({
        "StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"],
    });
    let err = whole.run("cloudformation", "CreateStack", stack).await.unwrap_err().to_string();
    assert!(err.starts_with("ValidationError: Unable to fetch parameters [/aws/service/"), "{err}");
    assert!(err.contains("one of Amazon's public parameters"), "{err}");
}

const RUNBOOK: &str = r#"{
    "schemaVersion": "0.3",
    "assumeRole": "{{ Role }}",
    "parameters": {
        "Role": {"type": "String", "default": ""},
        "Colour": {"type": "String", "default": "{{ssm:/app/colour}}", "allowedPattern": "[a-z]+"},
        "Sizes": {"type": "StringList", "default": "{{ ssm:sizes }}"}
    },
    "mainSteps": [{"name": "a", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}]
}"#;

#[tokio::test]
async fn a_default_in_parameter_store_is_looked_up_at_the_start() {
    let whole = whole().await;
    let document = value!({"Name": "Doc", "Content": RUNBOOK, "DocumentType": "Automation"});
    whole.ok("ssm", "CreateDocument", document).await;
    let start = value!({"DocumentName": "Doc"});
    let err = refused(&whole, "StartAutomationExecution", start.clone()).await;
    assert!(err.contains("\"Colour\" refers to /app/colour"), "{err}");

    put(&whole, "/app/colour", "red").await;
    let sizes = value!({"Name": "sizes", "Value": "1,2", "Type": "StringList"});
    whole.ok("ssm", "PutParameter", sizes).await;
    let id = whole.ok("ssm", "StartAutomationExecution", start.clone()).await;
    let record = whole.ok("ssm", "GetAutomationExecution", id).await;
    let parameters = record.path(&["AutomationExecution", "Parameters"]).unwrap();
    assert_eq!(parameters.get("Colour"), Some(&value!(["red"])));
    assert_eq!(parameters.get("Sizes"), Some(&value!(["1", "2"])));

    // What is given is not looked up.
    let given = start.clone().with("Parameters", value!({"Colour": ["green"], "Sizes": ["3"]}));
    let id = whole.ok("ssm", "StartAutomationExecution", given).await;
    let record = whole.ok("ssm", "GetAutomationExecution", id).await;
    let parameters = record.path(&["AutomationExecution", "Parameters"]).unwrap();
    assert_eq!(parameters.get("Colour"), Some(&value!(["green"])));

    put(&whole, "/app/colour", "RED").await;
    let err = refused(&whole, "StartAutomationExecution", start).await;
    assert!(err.contains("not matching"), "{err}");
}

#[tokio::test]
async fn the_role_of_the_runbook_needs_the_right_to_read_the_parameter() {
    let whole = whole().await;
    let trust = super::server::trust(r#"{"Service": "ssm.amazonaws.com"}"#);
    let role = value!({"RoleName": "s", "AssumeRolePolicyDocument": trust});
    whole.ok("iam", "CreateRole", role).await;
    let document = value!({"Name": "Doc", "Content": RUNBOOK, "DocumentType": "Automation"});
    whole.ok("ssm", "CreateDocument", document).await;
    put(&whole, "/app/colour", "red").await;
    put(&whole, "sizes", "1").await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/s");
    let start = value!({"DocumentName": "Doc", "Parameters": {"Role": [arn]}});
    let err = refused(&whole, "StartAutomationExecution", start.clone()).await;
    assert!(err.contains("not authorized to perform: ssm:GetParameters"), "{err}");
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}]}"#;
    let policy = value!({"RoleName": "s", "PolicyName": "p", "PolicyDocument": policy});
    whole.ok("iam", "PutRolePolicy", policy).await;
    whole.ok("ssm", "StartAutomationExecution", start).await;
}
