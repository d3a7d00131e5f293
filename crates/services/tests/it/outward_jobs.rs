//! Clusters of EKS and EMR, and models of Bedrock, at a server of the test's own.

use std::sync::Arc;

use value::{Value, value};

use super::outward::{EVERYTHING, Elsewhere, encoded, output, reaching, task};
use super::server::text;
use super::states_callbacks::ended;
use super::states_express::Whole;

const SERVICES: [&str; 5] = ["bedrock", "bedrock-runtime", "eks", "emr", "s3"];

async fn allowed(policy: &str, answers: Vec<(&'static str, Value)>) -> (Whole, Arc<Elsewhere>) {
    let (whole, elsewhere) = reaching(&SERVICES, answers).await;
    whole.allow(policy).await;
    (whole, elsewhere)
}

/// Runs a task of a standard machine to its end; returns what was asked, too.
async fn ran(
    answers: Vec<(&'static str, Value)>,
    resource: &str,
    arguments: &Value,
) -> (Value, Vec<(String, Value)>) {
    let (whole, elsewhere) = allowed(EVERYTHING, answers).await;
    whole.create("m", "STANDARD", &task(resource, arguments)).await.unwrap();
    let started = whole.start("StartExecution", "m", "{}").await;
    let answer = ended(&whole, &text(&started, &["executionArn"])).await;
    let asked = elsewhere.asked.lock().unwrap().clone();
    (answer, asked)
}

fn failed(answer: &Value) -> (String, Value) {
    (text(answer, &["error"]), value::parse(&text(answer, &["cause"])).unwrap())
}

#[tokio::test]
async fn a_cluster_of_emr_waits_for_steps_and_is_called_by_one_id() {
    let state = |state: &str| value!({"Cluster": {"Id": "j-1", "Status": {"State": state}}});
    let arguments = value!({"Name": "c", "Instances": {"KeepJobFlowAliveWhenNoSteps": true}});
    let answers = |ended: &str| {
        vec![("RunJobFlow", value!({"JobFlowId": "j-1"})), ("DescribeCluster", state(ended))]
    };
    let resource = "elasticmapreduce:createCluster.sync";
    let (answer, asked) = ran(answers("WAITING"), resource, &arguments).await;
    let shown = value!({
        "Cluster": {"Id": "j-1", "Status": {"State": "WAITING"}}, "ClusterId": "j-1",
    });
    assert_eq!(output(&answer), shown);
    let looked = ("DescribeCluster".to_owned(), value!({"ClusterId": "j-1"}));
    assert_eq!(asked, [("RunJobFlow".to_owned(), arguments.clone()), looked]);
    let (answer, _) = ran(answers("TERMINATED_WITH_ERRORS"), resource, &arguments).await;
    let (error, cause) = failed(&answer);
    assert_eq!((&*error, cause.get("ClusterId")), ("States.TaskFailed", Some(&"j-1".into())));
    let (answer, asked) = ran(vec![], resource, &value!({"Name": "c"})).await;
    assert_eq!(text(&answer, &["error"]), "States.Runtime");
    assert_eq!(asked, []);
}

#[tokio::test]
async fn what_is_a_list_at_emr_is_one_thing_in_a_task() {
    let cluster = value!({"ClusterId": "j-1"});
    let listed = |more: Value| {
        more.as_object().unwrap().iter().fold(value!({"JobFlowIds": ["j-1"]}), |all, (name, it)| {
            all.with(name.clone(), it.clone())
        })
    };
    let step = value!({"Name": "s", "HadoopJarStep": {"Jar": "j"}});
    let cancelled = value!({"StepId": "s-1", "Status": "SUBMITTED"});
    for (action, arguments, operation, sent, answer, shown) in [
        (
            "terminateCluster",
            cluster.clone(),
            "TerminateJobFlows",
            listed(value!({})),
            value!({}),
            None,
        ),
        (
            "setClusterTerminationProtection",
            cluster.clone().with("TerminationProtected", true),
            "SetTerminationProtection",
            listed(value!({"TerminationProtected": true})),
            value!({}),
            None,
        ),
        (
            "addStep",
            cluster.clone().with("Step", step.clone()),
            "AddJobFlowSteps",
            value!({"JobFlowId": "j-1", "Steps": [(step.clone())]}),
            value!({"StepIds": ["s-1"]}),
            Some(("StepId", value!("s-1"))),
        ),
        (
            "cancelStep",
            cluster.clone().with("StepId", "s-1"),
            "CancelSteps",
            value!({"ClusterId": "j-1", "StepIds": ["s-1"]}),
            value!({"CancelStepsInfoList": [(cancelled.clone())]}),
            Some(("CancelStepsInfo", cancelled.clone())),
        ),
    ] {
        let resource = format!("elasticmapreduce:{action}");
        let (ended, asked) = ran(vec![(operation, answer)], &resource, &arguments).await;
        assert_eq!(asked, [(operation.to_owned(), sent)]);
        let output = output(&ended);
        assert_eq!(text(&output, &["SdkResponseMetadata", "RequestId"]), "r-1");
        if let Some((member, wanted)) = shown {
            assert_eq!(output.get(member), Some(&wanted), "{action}");
        }
    }
    let (ended, _) = ran(vec![], "elasticmapreduce:terminateCluster", &cluster).await;
    assert_eq!(text(&ended, &["error"]), "EMR.AmazonElasticMapReduceException");
}

#[tokio::test]
async fn fleets_and_groups_are_found_by_their_names() {
    let all = value!([{"Id": "i-1", "Name": "Master"}, {"Id": "i-2", "Name": "Core"}]);
    let answers = || {
        vec![
            ("ListInstanceFleets", value!({"InstanceFleets": (all.clone())})),
            ("ModifyInstanceFleet", value!({})),
            ("ListInstanceGroups", value!({"InstanceGroups": (all.clone())})),
            ("ModifyInstanceGroups", value!({})),
        ]
    };
    let fleet = |name: &str| {
        value!({"ClusterId": "j", "InstanceFleetName": name,
            "InstanceFleet": {"TargetOnDemandCapacity": 2}})
    };
    let by_name = "elasticmapreduce:modifyInstanceFleetByName";
    let (_, asked) = ran(answers(), by_name, &fleet("Core")).await;
    let sent = value!({"ClusterId": "j",
        "InstanceFleet": {"TargetOnDemandCapacity": 2, "InstanceFleetId": "i-2"}});
    assert_eq!(asked.last(), Some(&("ModifyInstanceFleet".to_owned(), sent)));
    let group = value!({"ClusterId": "j", "InstanceGroupName": "Core",
        "InstanceGroup": {"InstanceCount": 8}});
    let (answer, asked) =
        ran(answers(), "elasticmapreduce:modifyInstanceGroupByName", &group).await;
    assert_eq!(text(&answer, &["status"]), "SUCCEEDED");
    let sent = value!({"ClusterId": "j",
        "InstanceGroups": [{"InstanceCount": 8, "InstanceGroupId": "i-2"}]});
    assert_eq!(asked.last(), Some(&("ModifyInstanceGroups".to_owned(), sent)));
    let (answer, asked) = ran(answers(), by_name, &fleet("Other")).await;
    assert_eq!(text(&answer, &["error"]), "EMR.InvalidRequestException");
    assert!(text(&answer, &["cause"]).contains("'Other' was not found"), "{answer}");
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn a_cluster_of_eks_is_followed_until_it_is_there_or_gone() {
    let is = |status: &str| value!({"cluster": {"name": "c", "status": status}});
    let arguments = value!({
        "Name": "c", "RoleArn": "arn:aws:iam::123456789012:role/e", "ResourcesVpcConfig": {},
    });
    for (status, wanted) in [("ACTIVE", "SUCCEEDED"), ("FAILED", "FAILED")] {
        let answers = vec![("CreateCluster", is("CREATING")), ("DescribeCluster", is(status))];
        let (answer, _) = ran(answers, "eks:createCluster.sync", &arguments).await;
        assert_eq!(text(&answer, &["status"]), wanted);
        let told = if wanted == "FAILED" { failed(&answer).1 } else { output(&answer) };
        assert_eq!(told, value!({"Cluster": {"Name": "c", "Status": status}}));
    }
    let deleting = vec![("DeleteCluster", is("DELETING"))];
    let (answer, asked) = ran(deleting, "eks:deleteCluster.sync", &value!({"Name": "c"})).await;
    assert_eq!(output(&answer), value!({"Cluster": {"Name": "c", "Status": "DELETING"}}));
    assert_eq!(asked.last(), Some(&("DescribeCluster".to_owned(), value!({"name": "c"}))));
    let (answer, _) = ran(vec![], "eks:deleteCluster.sync", &value!({"Name": "c"})).await;
    assert_eq!(text(&answer, &["error"]), "EKS.ResourceNotFoundException");
}

/// A Task that is over stops what it made, and lets what it unmade go.
#[tokio::test]
async fn what_is_made_is_unmade_when_its_task_is_over() {
    let is = |status: &str| value!({"cluster": {"name": "c", "status": status}});
    let arguments = value!({
        "Name": "c", "RoleArn": "arn:aws:iam::123456789012:role/e", "ResourcesVpcConfig": {},
    });
    for (action, stopped) in [("createCluster", true), ("deleteCluster", false)] {
        let answers = vec![
            ("CreateCluster", is("CREATING")),
            ("DeleteCluster", is("DELETING")),
            ("DescribeCluster", is("UPDATING")),
        ];
        let (whole, elsewhere) = allowed(EVERYTHING, answers).await;
        let machine = task(&format!("eks:{action}.sync"), &arguments);
        let machine = value::parse(&machine).unwrap();
        let mut state = machine.path(&["States", "T"]).unwrap().clone();
        state.set("TimeoutSeconds", 12);
        if !stopped {
            state.set("Parameters", value!({"Name": "c"}));
        }
        let machine = machine.with("States", value!({"T": (state)})).to_string();
        whole.create("m", "STANDARD", &machine).await.unwrap();
        let started = whole.start("StartExecution", "m", "{}").await;
        let answer = ended(&whole, &text(&started, &["executionArn"])).await;
        assert_eq!(text(&answer, &["error"]), "States.Timeout");
        for _ in 0..10_000 {
            if elsewhere.names().iter().any(|name| name == "DeleteCluster") {
                break;
            }
            tokio::task::yield_now().await;
        }
        let deletions = elsewhere.names().iter().filter(|name| *name == "DeleteCluster").count();
        assert_eq!(deletions, 1, "{action}: {:?}", elsewhere.names());
    }
}

#[tokio::test]
async fn a_model_is_asked_in_json_and_answers_in_json() {
    let said = value!({"body": encoded("{\"text\":\"日\"}"), "contentType": "application/json"});
    let arguments = value!({"ModelId": "m.v1", "Body": {"prompt": "p"}, "Accept": "*/*"});
    let answers = vec![("InvokeModel", said)];
    let (answer, asked) = ran(answers, "bedrock:invokeModel", &arguments).await;
    let shown = value!({"Body": {"text": "日"}, "ContentType": "application/json"});
    assert_eq!(output(&answer), shown);
    let sent = value!({
        "contentType": "application/json", "accept": "*/*", "modelId": "m.v1",
        "body": encoded("{\"prompt\":\"p\"}"),
    });
    assert_eq!(asked, [("InvokeModel".to_owned(), sent)]);
    let (answer, _) = ran(vec![], "bedrock:invokeModel", &arguments).await;
    assert_eq!(text(&answer, &["error"]), "Bedrock.ResourceNotFoundException");
    for wrong in [value!({"ModelId": "m"}), arguments.with("Input", value!({"S3Uri": "s3://b/k"}))]
    {
        let (answer, asked) = ran(vec![], "bedrock:invokeModel", &wrong).await;
        assert_eq!((text(&answer, &["error"]), asked.len()), ("States.Runtime".into(), 0));
    }
}

#[tokio::test]
async fn what_a_model_reads_and_says_can_lie_in_s3() {
    let answers = vec![
        ("GetObject", value!({"Body": encoded("{}"), "ContentType": "application/x"})),
        ("InvokeModel", value!({"body": encoded("[1]"), "contentType": "application/json"})),
        ("PutObject", value!({})),
    ];
    let arguments = value!({
        "ModelId": "m", "Input": {"S3Uri": "s3://b/in/k"}, "Output": {"S3Uri": "s3://b/out/k"},
    });
    let (answer, asked) = ran(answers.clone(), "bedrock:invokeModel", &arguments).await;
    let shown = value!({"Body": "s3://b/out/k", "ContentType": "application/json"});
    assert_eq!(output(&answer), shown);
    let names: Vec<&str> = asked.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["GetObject", "InvokeModel", "PutObject"]);
    for (at, member, wanted) in [
        (0, "Key", value!("in/k")),
        (1, "contentType", value!("application/x")),
        (1, "body", encoded("{}")),
        (2, "Key", value!("out/k")),
        (2, "Body", encoded("[1]")),
    ] {
        assert_eq!(asked[at].1.get(member), Some(&wanted), "{member}");
    }
    let (answer, _) = ran(vec![], "bedrock:invokeModel", &arguments).await;
    assert_eq!(text(&answer, &["error"]), "Bedrock.S3Exception");
    // Each call is asked for by itself.
    let (whole, elsewhere) = allowed(
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/in/*"}"#,
        answers,
    )
    .await;
    let answer = whole.sync(&task("bedrock:invokeModel", &arguments), "{}").await;
    let cause = text(&answer, &["cause"]);
    let denied = "bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/m";
    assert!(cause.contains(denied), "{answer}");
    assert_eq!(elsewhere.names(), ["GetObject"]);
}

#[tokio::test]
async fn a_model_is_customized() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/a.bc/123456789012";
    let arguments = value!({
        "JobName": "j", "CustomModelName": "c", "RoleArn": "arn:aws:iam::123456789012:role/e",
        "BaseModelIdentifier": "amazon.titan-text", "TrainingDataConfig": {},
        "OutputDataConfig": {"S3Uri": "s3://bucket/o"},
    });
    for (status, wanted) in [("Completed", "SUCCEEDED"), ("Stopped", "FAILED")] {
        let answers = vec![
            ("CreateModelCustomizationJob", value!({"jobArn": arn})),
            ("GetModelCustomizationJob", value!({"jobArn": arn, "status": status})),
        ];
        let resource = "bedrock:createModelCustomizationJob.sync";
        let (answer, asked) = ran(answers, resource, &arguments).await;
        assert_eq!(text(&answer, &["status"]), wanted, "{answer}");
        let looked = value!({"jobIdentifier": arn});
        assert_eq!(asked.last(), Some(&("GetModelCustomizationJob".to_owned(), looked)));
    }
}

#[tokio::test]
async fn a_job_goes_on_while_its_service_cannot_say_how_it_does() {
    let answers = vec![
        ("StartJobRun", value!({"JobRunId": "r"})),
        ("GetJobRun", value!({"JobRun": {"Id": "r", "JobRunState": "SUCCEEDED"}})),
    ];
    let passing = [
        ("GetJobRun", 400, "ThrottlingException"),
        ("GetJobRun", 503, "ServiceUnavailable"),
        ("GetJobRun", 500, "InternalServiceException"),
    ];
    let lasting = [("GetJobRun", 400, "EntityNotFoundException")];
    for (faults, looks, status) in [(&passing[..], 4, "SUCCEEDED"), (&lasting[..], 1, "FAILED")] {
        let (whole, elsewhere) = reaching(&["glue"], answers.clone()).await;
        whole.allow(EVERYTHING).await;
        *elsewhere.faults.lock().unwrap() = faults.to_vec();
        let machine = task("glue:startJobRun.sync", &value!({"JobName": "j"}));
        whole.create("m", "STANDARD", &machine).await.unwrap();
        let started = whole.start("StartExecution", "m", "{}").await;
        let answer = ended(&whole, &text(&started, &["executionArn"])).await;
        assert_eq!(text(&answer, &["status"]), status);
        let asked = elsewhere.names();
        assert_eq!(asked.iter().filter(|name| *name == "GetJobRun").count(), looks);
        if status == "FAILED" {
            assert_eq!(text(&answer, &["error"]), "Glue.EntityNotFoundException");
        }
    }
}
