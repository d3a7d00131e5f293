//! The services that have a service-linked role: its name, its policy, and whether there may be
//! several of it.
//!
//! IAM user guide, "AWS services that work with IAM", and the page of each service on its
//! service-linked role (read 2026-11).

/// A service with a service-linked role.
pub(super) struct LinkedService {
    /// Its principal, before `.amazonaws.com`.
    service: &'static str,
    /// The name of the role, behind `AWSServiceRoleFor`.
    role: &'static str,
    /// The name of AWS's policy on the role, under `aws-service-role/`.
    pub(super) policy_name: &'static str,
    /// Whether a suffix can stand behind the name.
    pub(super) takes_suffix: bool,
}

impl LinkedService {
    /// Returns `autoscaling.amazonaws.com`.
    pub(super) fn principal(&self) -> String {
        format!("{}{DOMAIN}", self.service)
    }

    /// Returns `AWSServiceRoleForAutoScaling`.
    pub(super) fn role_name(&self) -> String {
        format!("AWSServiceRoleFor{}", self.role)
    }
}

/// What every principal of a service ends with.
const DOMAIN: &str = ".amazonaws.com";

const fn one(
    service: &'static str,
    role: &'static str,
    policy_name: &'static str,
) -> LinkedService {
    LinkedService { service, role, policy_name, takes_suffix: false }
}

const fn several(
    service: &'static str,
    role: &'static str,
    policy_name: &'static str,
) -> LinkedService {
    LinkedService { service, role, policy_name, takes_suffix: true }
}

/// Principals and roles as AWS's own managed policies name them, and the policies that lie under
/// `aws-service-role/` among those.
///
/// UNVERIFIED: which services take a suffix, beyond those that public issues show refusing it (es)
/// and taking it (autoscaling).
const SERVICES: &[LinkedService] = &[
    one("access-analyzer", "AccessAnalyzer", "AccessAnalyzerServiceRolePolicy"),
    one("acm", "CertificateManager", "CertificateManagerServiceRolePolicy"),
    one(
        "apidestinations.events",
        "AmazonEventBridgeApiDestinations",
        "AmazonEventBridgeApiDestinationsServiceRolePolicy",
    ),
    one("appfabric", "AppFabric", "AWSAppFabricServiceRolePolicy"),
    one(
        "application-insights",
        "ApplicationInsights",
        "CloudwatchApplicationInsightsServiceLinkedRolePolicy",
    ),
    one(
        "application-signals.cloudwatch",
        "CloudWatchApplicationSignals",
        "CloudWatchApplicationSignalsServiceRolePolicy",
    ),
    one("appmesh", "AppMesh", "AWSAppMeshServiceRolePolicy"),
    one("apprunner", "AppRunner", "AppRunnerServiceRolePolicy"),
    one(
        "appstream.application-autoscaling",
        "ApplicationAutoScaling_AppStreamFleet",
        "AWSApplicationAutoscalingAppStreamFleetPolicy",
    ),
    one("appsync", "AppSync", "AWSAppSyncServiceRolePolicy"),
    one("auditmanager", "AuditManager", "AWSAuditManagerServiceRolePolicy"),
    several("autoscaling", "AutoScaling", "AutoScalingServiceRolePolicy"),
    one("backup", "Backup", "AWSBackupServiceLinkedRolePolicyForBackup"),
    one("batch", "Batch", "BatchServiceRolePolicy"),
    one(
        "cassandra.application-autoscaling",
        "ApplicationAutoScaling_CassandraTable",
        "AWSApplicationAutoscalingCassandraTablePolicy",
    ),
    one("chime", "AmazonChime", "AmazonChimeServiceRolePolicy"),
    one("cloudtrail", "CloudTrail", "CloudTrailServiceRolePolicy"),
    one("codeguru-reviewer", "AmazonCodeGuruReviewer", "AmazonCodeGuruReviewerServiceRolePolicy"),
    one("cognito-idp", "AmazonCognitoIdp", "AmazonCognitoIdpServiceRolePolicy"),
    one("compute-optimizer", "ComputeOptimizer", "ComputeOptimizerServiceRolePolicy"),
    one("config", "Config", "AWSConfigServiceRolePolicy"),
    one("config-conforms", "ConfigConforms", "ConfigConformsServiceRolePolicy"),
    several("connect", "AmazonConnect", "AmazonConnectServiceLinkedRolePolicy"),
    several(
        "custom-resource.application-autoscaling",
        "ApplicationAutoScaling_CustomResource",
        "AWSApplicationAutoScalingCustomResourcePolicy",
    ),
    one("datasync", "DataSync", "AWSDataSyncServiceRolePolicy"),
    one("devops-guru", "DevOpsGuru", "AmazonDevOpsGuruServiceRolePolicy"),
    one(
        "dynamodb.application-autoscaling",
        "ApplicationAutoScaling_DynamoDBTable",
        "AWSApplicationAutoscalingDynamoDBTablePolicy",
    ),
    one(
        "ec2.application-autoscaling",
        "ApplicationAutoScaling_EC2SpotFleetRequest",
        "AWSApplicationAutoscalingEC2SpotFleetRequestPolicy",
    ),
    one("ec2fastlaunch", "EC2FastLaunch", "EC2FastLaunchServiceRolePolicy"),
    one("ecs", "ECS", "AmazonECSServiceRolePolicy"),
    one(
        "ecs.application-autoscaling",
        "ApplicationAutoScaling_ECSService",
        "AWSApplicationAutoscalingECSServicePolicy",
    ),
    one("eks", "AmazonEKS", "AmazonEKSServiceRolePolicy"),
    one("eks-nodegroup", "AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup"),
    one("elasticache", "ElastiCache", "ElastiCacheServiceRolePolicy"),
    one("elasticbeanstalk", "ElasticBeanstalk", "AWSElasticBeanstalkServiceRolePolicy"),
    one("elasticloadbalancing", "ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    one("elasticmapreduce", "EMRCleanup", "AmazonEMRCleanupPolicy"),
    one("email.cognito-idp", "AmazonCognitoIdpEmail", "AmazonCognitoIdpEmailServiceRolePolicy"),
    one("emr-containers", "AmazonEMRContainers", "AmazonEMRContainersServiceRolePolicy"),
    one("es", "AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy"),
    one("events", "CloudWatchEvents", "CloudWatchEventsServiceRolePolicy"),
    one("fis", "FIS", "AmazonFISServiceRolePolicy"),
    one("fms", "FMS", "FMSServiceRolePolicy"),
    one("globalaccelerator", "GlobalAccelerator", "AWSGlobalAcceleratorSLRPolicy"),
    one("guardduty", "AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy"),
    one("imagebuilder", "ImageBuilder", "AWSServiceRoleForImageBuilder"),
    one("inspector", "AmazonInspector", "AmazonInspectorServiceRolePolicy"),
    one("inspector2", "AmazonInspector2", "AmazonInspector2ServiceRolePolicy"),
    one("internetmonitor", "InternetMonitor", "CloudWatchInternetMonitorServiceRolePolicy"),
    one(
        "justintimeaccess.ssm",
        "SystemsManagerJustInTimeAccess",
        "AWSSystemsManagerJustInTimeAccessServicePolicy",
    ),
    one("kafka", "Kafka", "KafkaServiceRolePolicy"),
    one("lakeformation", "LakeFormationDataAccess", "LakeFormationDataAccessServiceRolePolicy"),
    one("lambda", "Lambda", "AWSLambdaServiceRolePolicy"),
    one("lex", "LexBots", "LexBotPolicy"),
    several("lexv2", "LexV2Bots", "AmazonLexV2BotPolicy"),
    one("macie", "AmazonMacie", "AmazonMacieServiceRolePolicy"),
    one("memorydb", "MemoryDB", "MemoryDBServiceRolePolicy"),
    one("mq", "AmazonMQ", "AmazonMQServiceRolePolicy"),
    one("network-firewall", "NetworkFirewall", "AWSNetworkFirewallServiceRolePolicy"),
    one(
        "notifications.ssm",
        "SystemsManagerNotifications",
        "AWSSystemsManagerNotificationsServicePolicy",
    ),
    one("opensearchservice", "AmazonOpenSearchService", "AmazonOpenSearchServiceRolePolicy"),
    one("ops.apigateway", "APIGateway", "APIGatewayServiceRolePolicy"),
    one("organizations", "Organizations", "AWSOrganizationsServiceTrustPolicy"),
    one("rds", "RDS", "AmazonRDSServiceRolePolicy"),
    one("redshift", "Redshift", "AmazonRedshiftServiceLinkedRolePolicy"),
    one("remediation.config", "ConfigRemediation", "AWSConfigRemediationServiceRolePolicy"),
    one("replicator.lambda", "LambdaReplicator", "AWSLambdaReplicator"),
    one("resource-explorer-2", "ResourceExplorer", "AWSResourceExplorerServiceRolePolicy"),
    one("route53resolver", "Route53Resolver", "Route53ResolverServiceRolePolicy"),
    one("rum", "RealUserMonitoring", "AmazonCloudWatchRUMServiceRolePolicy"),
    one("sagemaker", "AmazonSageMakerNotebooks", "AmazonSageMakerNotebooksServiceRolePolicy"),
    one("schemas", "Schemas", "AmazonEventBridgeSchemasServiceRolePolicy"),
    one("securityhub", "SecurityHub", "AWSSecurityHubServiceRolePolicy"),
    one("securitylake", "SecurityLake", "SecurityLakeServiceLinkedRole"),
    one("servicequotas", "ServiceQuotas", "ServiceQuotasServiceRolePolicy"),
    one("spot", "EC2Spot", "AWSEC2SpotServiceRolePolicy"),
    one("spotfleet", "EC2SpotFleet", "AWSEC2SpotFleetServiceRolePolicy"),
    one("ssm", "AmazonSSM", "AmazonSSMServiceRolePolicy"),
    one("ssm-quicksetup", "SSMQuickSetup", "SSMQuickSetupRolePolicy"),
    one("sso", "SSO", "AWSSSOServiceRolePolicy"),
    one("support", "Support", "AWSSupportServiceRolePolicy"),
    one("transitgateway", "VPCTransitGateway", "AWSVPCTransitGatewayServiceRolePolicy"),
    one("trustedadvisor", "TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"),
    one("vpc-lattice", "VpcLattice", "AWSVpcLatticeServiceRolePolicy"),
];

/// Returns the service of a principal.
pub(super) fn find(principal: &str) -> Option<&'static LinkedService> {
    let service = principal.strip_suffix(DOMAIN)?;
    SERVICES.iter().find(|known| known.service == service)
}

#[cfg(test)]
mod tests {
    use super::super::aws_managed;
    use super::*;

    #[test]
    fn every_policy_is_one_of_amazons() {
        for service in SERVICES {
            let name = service.policy_name;
            let arn = format!("arn:aws:iam::aws:policy/aws-service-role/{name}");
            assert!(aws_managed::find(&arn).is_some(), "{name}");
        }
    }

    #[test]
    fn services_are_in_order_and_stand_once() {
        assert!(SERVICES.is_sorted_by(|one, next| one.service < next.service));
    }
}
