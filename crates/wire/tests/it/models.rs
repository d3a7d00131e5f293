//! The compiled-in models.

use wire::model::{self, Kind, Protocol};

#[test]
fn every_model_unpacks() {
    let names: Vec<_> = model::service_names().collect();
    assert!(names.len() >= 424, "{} services", names.len());
    for name in names {
        let service = model::service(name).unwrap_or_else(|| panic!("{name} does not unpack"));
        assert!(service.operations().next().is_some(), "{name}");
    }
    assert!(model::botocore_version().starts_with("1."));
}

#[test]
fn services_are_found_by_all_their_names() {
    for (name, expected) in [
        ("stepfunctions", "stepfunctions"),
        ("sfn", "stepfunctions"),
        ("states", "stepfunctions"),
        ("eventbridge", "events"),
        ("events", "events"),
        ("cloudwatchlogs", "logs"),
        ("logs", "logs"),
        ("monitoring", "cloudwatch"),
        ("databasemigration", "dms"),
        ("cognitoidentityprovider", "cognito-idp"),
        ("dynamodb", "dynamodb"),
        ("scheduler", "scheduler"),
    ] {
        assert_eq!(model::service(name).map(model::Service::name), Some(expected), "{name}");
    }
    assert!(model::service("nosuch").is_none());
    assert_eq!(model::service_of_target("AmazonSSM").map(model::Service::name), Some("ssm"));
}

#[test]
fn models_keep_what_the_codecs_need() {
    let iam = model::service("iam").unwrap();
    assert_eq!((iam.protocol(), iam.api_version()), (Protocol::Query, "2010-05-08"));
    assert_eq!(iam.global_endpoint(), Some("iam.amazonaws.com"));
    assert_eq!(iam.operation("GetUser").unwrap().result_wrapper(), Some("GetUserResult"));
    let error = iam.error("NoSuchEntity").unwrap();
    assert_eq!((error.class(), error.status()), ("NoSuchEntityException", Some(404)));
    assert_eq!(iam.error("NoSuchEntityException").unwrap().code(), "NoSuchEntity");
    assert_eq!(iam.exception_name("NoSuchEntity"), "NoSuchEntityException");
    let ssm = model::service("ssm").unwrap();
    assert_eq!(ssm.exception_name("InternalServerError"), "InternalServerErrorException");
    let scheduler = model::service("scheduler").unwrap();
    let name = scheduler.operation("GetSchedule").unwrap().input().unwrap().member("Name");
    assert_eq!(name.unwrap().location(), Some("uri"));
    let sfn = model::service("sfn").unwrap();
    assert_eq!(sfn.operation("StartSyncExecution").unwrap().host_prefix(), Some("sync-"));
    assert_eq!(sfn.operation_like("startSyncExecution").unwrap().name(), "StartSyncExecution");
    let sts = model::service("sts").unwrap();
    assert!(sts.operation("AssumeRoleWithWebIdentity").unwrap().is_unsigned());
    let name = iam.operation("CreateUser").unwrap().input().unwrap().member("UserName").unwrap();
    assert!(name.is_required());
    let shape = name.shape();
    assert_eq!((shape.kind(), shape.range()), (Kind::String, (Some(1.0), Some(64.0))));
    assert_eq!(shape.pattern(), Some("[\\w+=,.@-]+"));
}
