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

/// UNVERIFIED: the names of policies, and which services take a suffix beyond those that public
/// issues show refusing it (es) and taking it (autoscaling).
const SERVICES: &[LinkedService] = &[
    one("access-analyzer", "AccessAnalyzer", "AccessAnalyzerServiceRolePolicy"),
    several("autoscaling", "AutoScaling", "AutoScalingServiceRolePolicy"),
    one("backup", "Backup", "AWSBackupServiceLinkedRolePolicyForBackup"),
    one("batch", "Batch", "BatchServiceRolePolicy"),
    one("cloudtrail", "CloudTrail", "CloudTrailServiceRolePolicy"),
    one("compute-optimizer", "ComputeOptimizer", "ComputeOptimizerServiceRolePolicy"),
    one("config", "Config", "AWSConfigServiceRolePolicy"),
    several("connect", "AmazonConnect", "AmazonConnectServiceLinkedRolePolicy"),
    several(
        "custom-resource.application-autoscaling",
        "ApplicationAutoScaling_CustomResource",
        "AWSApplicationAutoScalingCustomResourcePolicy",
    ),
    one(
        "dynamodb.application-autoscaling",
        "ApplicationAutoScaling_DynamoDBTable",
        "AWSApplicationAutoscalingDynamoDBTablePolicy",
    ),
    one("ecs", "ECS", "AmazonECSServiceRolePolicy"),
    one(
        "ecs.application-autoscaling",
        "ApplicationAutoScaling_ECSService",
        "AWSApplicationAutoscalingECSServicePolicy",
    ),
    one("eks-nodegroup", "AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup"),
    one("eks", "AmazonEKS", "AmazonEKSServiceRolePolicy"),
    one("elasticache", "ElastiCache", "ElastiCacheServiceRolePolicy"),
    one("elasticbeanstalk", "ElasticBeanstalk", "AWSElasticBeanstalkServiceRolePolicy"),
    one("elasticloadbalancing", "ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    one("elasticmapreduce", "EMRCleanup", "AmazonEMRCleanupPolicy"),
    one("emr-containers", "AmazonEMRContainers", "AmazonEMRContainersServiceRolePolicy"),
    one("es", "AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy"),
    one("events", "CloudWatchEvents", "CloudWatchEventsServiceRolePolicy"),
    one("fis", "FIS", "AmazonFISServiceRolePolicy"),
    one("guardduty", "AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy"),
    one("inspector2", "AmazonInspector2", "AmazonInspector2ServiceRolePolicy"),
    one("kafka", "Kafka", "KafkaServiceRolePolicy"),
    one("lex", "LexBots", "AmazonLexBotPolicy"),
    one("macie", "AmazonMacie", "AmazonMacieServiceRolePolicy"),
    one("opensearchservice", "AmazonOpenSearchService", "AmazonOpenSearchServiceRolePolicy"),
    one("ops.apigateway", "APIGateway", "APIGatewayServiceRolePolicy"),
    one("organizations", "Organizations", "AWSOrganizationsServiceTrustPolicy"),
    one("rds", "RDS", "AmazonRDSServiceRolePolicy"),
    one("replicator.lambda", "LambdaReplicator", "AWSLambdaReplicator"),
    one("securityhub", "SecurityHub", "AWSSecurityHubServiceRolePolicy"),
    one("spot", "EC2Spot", "AWSEC2SpotServiceRolePolicy"),
    one("spotfleet", "EC2SpotFleet", "AWSEC2SpotFleetServiceRolePolicy"),
    one("ssm", "AmazonSSM", "AmazonSSMServiceRolePolicy"),
    one("sso", "SSO", "AWSSSOServiceRolePolicy"),
    one("support", "Support", "AWSSupportServiceRolePolicy"),
    one("transitgateway", "VPCTransitGateway", "AWSVPCTransitGatewayServiceRolePolicy"),
    one("trustedadvisor", "TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"),
];

/// Returns the service of a principal.
pub(super) fn find(principal: &str) -> Option<&'static LinkedService> {
    let service = principal.strip_suffix(DOMAIN)?;
    SERVICES.iter().find(|known| known.service == service)
}
