//! What a call that leaves must be allowed beyond itself: what it reads, and whom it hands a role.

use policy::Principal;
use runtime::{Call, Caller};
use value::{Value, value};

use super::decisions::{put_user_policy, user};
use super::outward::{EVERYTHING, Elsewhere, made, reaching};
use super::server::{ACCOUNT, trust};
use super::states_express::Whole;

/// A server with these services elsewhere and a user who may do everything but that.
async fn but(deny: &str, services: &[&str]) -> (Whole, std::sync::Arc<Elsewhere>, Principal) {
    let (whole, elsewhere) = reaching(services, vec![]).await;
    let alice = user(&whole, "alice").await;
    put_user_policy(&whole, "alice", &format!("{EVERYTHING}, {deny}")).await;
    (whole, elsewhere, alice)
}

/// Returns why a call is refused; what is allowed leaves, and finds nobody who knows it.
async fn refusal(
    whole: &Whole,
    caller: &Principal,
    service: &str,
    operation: &str,
    input: Value,
) -> Option<String> {
    let caller = Caller::Principal(Box::new(caller.clone()));
    let err = made(whole, Call::new(caller, service, operation, input)).await.unwrap_err();
    let is_refused = err.message.contains("is not authorized to perform");
    assert!(is_refused || err.message == "no", "{err:?}");
    is_refused.then_some(err.message)
}

#[tokio::test]
async fn a_copy_reads_its_source() {
    let deny = r#"{"Effect": "Deny", "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": ["arn:aws:s3:::secret/*", "arn:aws:s3:*:*:accesspoint/secret/*"]}"#;
    let (whole, elsewhere, alice) = but(deny, &["s3"]).await;
    let copy = |source: &str| value!({"Bucket": "open", "Key": "k", "CopySource": source});
    let point = "arn%3Aaws%3As3%3Aus-east-1%3A1%3Aaccesspoint/secret/object/k";
    for (source, wanted) in [
        ("secret/a%20b", "s3:GetObject on resource: arn:aws:s3:::secret/a b "),
        ("/secret%2Fk", "s3:GetObject on resource: arn:aws:s3:::secret/k "),
        ("secret/k?versionId=v", "s3:GetObjectVersion on resource: arn:aws:s3:::secret/k "),
        (point, "s3:GetObject on resource: arn:aws:s3:us-east-1:1:accesspoint/secret/object/k "),
    ] {
        for operation in ["CopyObject", "UploadPartCopy"] {
            let input = copy(source).with("PartNumber", 1).with("UploadId", "u");
            let refused = refusal(&whole, &alice, "s3", operation, input).await.unwrap();
            assert!(refused.contains(wanted), "{refused}");
        }
    }
    assert!(elsewhere.names().is_empty());
    assert_eq!(refusal(&whole, &alice, "s3", "CopyObject", copy("other/k")).await, None);
    assert_eq!(elsewhere.names(), ["CopyObject"]);
}

#[tokio::test]
async fn each_object_of_a_deletion_is_asked_about() {
    let deny = r#"{"Effect": "Deny", "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::b/kept"}"#;
    let (whole, _, alice) = but(deny, &["s3"]).await;
    for (keys, is_refused) in [(["a", "kept"], true), (["a", "b"], false)] {
        let objects: Vec<Value> = keys.iter().map(|key| value!({ "Key": *key })).collect();
        let input = value!({"Bucket": "b", "Delete": {"Objects": objects}});
        let refused = refusal(&whole, &alice, "s3", "DeleteObjects", input).await;
        assert_eq!(refused.is_some(), is_refused, "{refused:?}");
    }
}

#[tokio::test]
async fn a_function_is_the_same_however_it_is_named() {
    let function = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f");
    let deny = format!(
        r#"{{"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": "{function}"}}"#
    );
    let (whole, elsewhere, alice) = but(&deny, &["lambda"]).await;
    for name in [
        "f".to_owned(),
        "f:live".to_owned(),
        "function:f".to_owned(),
        format!("{ACCOUNT}:function:f"),
        format!("{ACCOUNT}:f:1"),
        format!("us-east-1:{ACCOUNT}:function:f:$LATEST"),
        format!("{function}:live"),
        function.clone(),
    ] {
        let input = value!({"FunctionName": &name});
        let refused = refusal(&whole, &alice, "lambda", "Invoke", input).await;
        assert!(refused.unwrap().contains(&format!("on resource: {function} ")), "{name}");
    }
    assert!(elsewhere.names().is_empty());
    let other = value!({"FunctionName": "function:g:f"});
    assert_eq!(refusal(&whole, &alice, "lambda", "Invoke", other).await, None);
}

/// Calls that hand on the role `admin`, and to whom.
fn handing_on() -> Vec<(&'static str, &'static str, Value, Option<&'static str>)> {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    let function = value!({"FunctionName": "f", "Role": &role, "Code": {}});
    let task = value!({"taskDefinition": "t", "overrides": {"taskRoleArn": &role}});
    let executing = value!({"taskDefinition": "t", "overrides": {"executionRoleArn": "admin"}});
    let training = value!({"TrainingJobName": "t", "RoleArn": &role,
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/k"}, "StoppingCondition": {}});
    let job = value!({"JobName": "j", "virtualClusterId": "v", "executionRoleArn": &role,
        "clientToken": "c"});
    let glue = value!({"Name": "j", "Role": "admin", "Command": {}});
    let batch = value!({"jobDefinitionName": "j", "type": "container",
        "containerProperties": {"image": "i", "jobRoleArn": &role}});
    let targets = value!({"stateMachineArn": &role, "roleArn": &role});
    let lex = value!({"botName": "b", "roleArn": (targets.get("roleArn").cloned()),
        "dataPrivacy": {"childDirected": false}, "idleSessionTTLInSeconds": 60});
    vec![
        ("lambda", "CreateFunction", function, Some("lambda.amazonaws.com")),
        ("ecs", "RunTask", task, Some("ecs-tasks.amazonaws.com")),
        ("ecs", "RunTask", executing, Some("ecs-tasks.amazonaws.com")),
        ("sagemaker", "CreateTrainingJob", training, Some("sagemaker.amazonaws.com")),
        ("emr-containers", "StartJobRun", job, Some("emr-containers.amazonaws.com")),
        ("glue", "CreateJob", glue, Some("glue.amazonaws.com")),
        ("batch", "RegisterJobDefinition", batch, Some("ecs-tasks.amazonaws.com")),
        ("lexv2-models", "CreateBot", lex, None),
    ]
}

#[tokio::test]
async fn a_role_that_is_handed_on_must_be_one_that_may_be() {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    let deny = format!(r#"{{"Effect": "Deny", "Action": "iam:PassRole", "Resource": "{role}"}}"#);
    let services: Vec<&str> = handing_on().iter().map(|call| call.0).collect();
    let (whole, elsewhere, alice) = but(&deny, &services).await;
    for (service, operation, input, to) in handing_on() {
        let name = format!("{service}:{operation}");
        put_user_policy(&whole, "alice", &format!("{EVERYTHING}, {deny}")).await;
        let refused = refusal(&whole, &alice, service, operation, input.clone()).await;
        assert!(refused.unwrap().contains(&format!("iam:PassRole on resource: {role} ")), "{name}");
        // Which service gets it counts.
        let Some(to) = to else { continue };
        for (condition, is_refused) in [("StringEquals", true), ("StringNotEquals", false)] {
            let deny = deny.replacen(
                '}',
                &format!(
                    r#", "Condition": {{"{condition}": {{"iam:PassedToService": "{to}"}}}}}}"#
                ),
                1,
            );
            put_user_policy(&whole, "alice", &format!("{EVERYTHING}, {deny}")).await;
            let left = elsewhere.names().len();
            let caller = Caller::Principal(Box::new(alice.clone()));
            let call = Call::new(caller, service, operation, input.clone());
            let err = made(&whole, call).await.unwrap_err();
            let found = err.message.contains("iam:PassRole");
            assert_eq!(found, is_refused, "{name} {condition}: {err:?}");
            assert!(!found || elsewhere.names().len() == left, "{name}");
        }
    }
}

#[tokio::test]
async fn an_instance_gets_the_role_of_its_profile() {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/ops/admin");
    let deny = format!(r#"{{"Effect": "Deny", "Action": "iam:PassRole", "Resource": "{role}"}}"#);
    let (whole, elsewhere, alice) = but(&deny, &["ec2"]).await;
    let trust = trust(r#"{"Service": "ec2.amazonaws.com"}"#);
    let admin = value!({"RoleName": "admin", "Path": "/ops/", "AssumeRolePolicyDocument": trust});
    whole.ok("iam", "CreateRole", admin).await;
    whole.ok("iam", "CreateInstanceProfile", value!({"InstanceProfileName": "P"})).await;
    let both = value!({"InstanceProfileName": "P", "RoleName": "admin"});
    whole.ok("iam", "AddRoleToInstanceProfile", both).await;
    for profile in [
        value!({"Name": "P"}),
        value!({"Arn": format!("arn:aws:iam::{ACCOUNT}:instance-profile/P")}),
    ] {
        let input = value!({"MinCount": 1, "MaxCount": 1, "IamInstanceProfile": profile});
        let refused = refusal(&whole, &alice, "ec2", "RunInstances", input).await.unwrap();
        assert!(refused.contains(&format!("iam:PassRole on resource: {role} ")), "{refused}");
    }
    assert!(elsewhere.names().is_empty());
}

#[tokio::test]
async fn what_only_looks_like_a_role_is_none() {
    let deny = r#"{"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}"#;
    let (whole, _, alice) = but(deny, &["dynamodb"]).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    let item = value!({"TableName": "t", "Item": {"RoleArn": {"S": role}}});
    assert_eq!(refusal(&whole, &alice, "dynamodb", "PutItem", item).await, None);
}

#[tokio::test]
async fn clusters_and_models_are_asked_about_by_their_arns() {
    let cluster = format!("arn:aws:elasticmapreduce:us-east-1:{ACCOUNT}:cluster/j-1");
    let eks = |rest: &str| format!("arn:aws:eks:us-east-1:{ACCOUNT}:{rest}");
    let profile = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/p");
    let group = value!({"clusterName": "c", "nodegroupName": "g"});
    let made = group.clone().with("subnets", value!(["s"])).with("nodeRole", "r");
    for (service, operation, input, wanted) in [
        ("emr", "DescribeCluster", value!({"ClusterId": "j-1"}), cluster.clone()),
        ("emr", "TerminateJobFlows", value!({"JobFlowIds": ["j-1"]}), cluster.clone()),
        ("emr", "AddJobFlowSteps", value!({"JobFlowId": "j-1", "Steps": []}), cluster),
        ("eks", "DescribeCluster", value!({"name": "c"}), eks("cluster/c")),
        ("eks", "CreateNodegroup", made, eks("cluster/c")),
        ("eks", "DeleteNodegroup", group, eks("nodegroup/c/g/*")),
        ("bedrock-runtime", "InvokeModel", value!({"modelId": (&*profile)}), profile.clone()),
    ] {
        let deny = r#"{"Effect": "Deny", "Action": ["eks:*", "elasticmapreduce:*", "bedrock:*"],
            "Resource": "*"}"#;
        let (whole, _, alice) = but(deny, &["bedrock-runtime", "eks", "emr"]).await;
        let refused = refusal(&whole, &alice, service, operation, input).await.unwrap();
        assert!(refused.contains(&format!("on resource: {wanted} ")), "{operation}: {refused}");
    }
}
