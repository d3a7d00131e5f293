//! The condition keys that do not belong to one service.
//!
//! AWS page: "AWS global condition context keys" (User Guide, read 2026-11-25); the keys of the
//! services' own credentials (`ec2:SourceInstanceArn` and the like) stand there too.

use super::{Count, Key, Values};

/// Every global condition key.
pub const GLOBAL_KEYS: &[Key] = &[
    one("aws:AssumedRoot", Values::Bool),
    many("aws:CalledVia", Values::String),
    one("aws:CalledViaAWSMCP", Values::String),
    one("aws:CalledViaFirst", Values::String),
    one("aws:CalledViaLast", Values::String),
    one("aws:ChatbotSourceArn", Values::Arn),
    one("aws:CurrentTime", Values::Date),
    one("aws:Ec2InstanceSourcePrivateIPv4", Values::IpAddress),
    one("aws:Ec2InstanceSourceVpc", Values::String),
    one("aws:EpochTime", Values::Date),
    one("aws:FederatedProvider", Values::String),
    one("aws:IsMcpServiceAction", Values::Bool),
    one("aws:MultiFactorAuthAge", Values::Numeric),
    one("aws:MultiFactorAuthPresent", Values::Bool),
    one("aws:PrincipalAccount", Values::String),
    one("aws:PrincipalArn", Values::Arn),
    one("aws:PrincipalIsAWSService", Values::Bool),
    one("aws:PrincipalOrgID", Values::String),
    many("aws:PrincipalOrgPaths", Values::String),
    one("aws:PrincipalServiceName", Values::String),
    many("aws:PrincipalServiceNamesList", Values::String),
    one("aws:PrincipalTag/${TagKey}", Values::String),
    one("aws:PrincipalType", Values::String),
    one("aws:referer", Values::String),
    one("aws:RequestedRegion", Values::String),
    one("aws:RequestTag/${TagKey}", Values::String),
    one("aws:ResourceAccount", Values::String),
    one("aws:ResourceOrgID", Values::String),
    many("aws:ResourceOrgPaths", Values::String),
    one("aws:ResourceTag/${TagKey}", Values::String),
    one("aws:SecureTransport", Values::Bool),
    one("aws:SourceAccount", Values::String),
    one("aws:SourceArn", Values::Arn),
    one("aws:SourceIdentity", Values::String),
    one("aws:SourceIp", Values::IpAddress),
    one("aws:SourceOrgID", Values::String),
    many("aws:SourceOrgPaths", Values::String),
    one("aws:SourceOwner", Values::String),
    one("aws:SourceVpc", Values::String),
    one("aws:SourceVpcArn", Values::String),
    one("aws:SourceVpce", Values::String),
    many("aws:TagKeys", Values::String),
    one("aws:TokenIssueTime", Values::Date),
    one("aws:UserAgent", Values::String),
    one("aws:userid", Values::String),
    one("aws:username", Values::String),
    one("aws:ViaAWSMCPService", Values::Bool),
    one("aws:ViaAWSService", Values::Bool),
    one("aws:VpceAccount", Values::String),
    one("aws:VpceOrgID", Values::String),
    many("aws:VpceOrgPaths", Values::String),
    one("aws:VpcSourceIp", Values::IpAddress),
    one("ec2:RoleDelivery", Values::Numeric),
    one("ec2:SourceInstanceArn", Values::Arn),
    one("glue:CredentialIssuingService", Values::String),
    one("glue:RoleAssumedBy", Values::String),
    one("identitystore:UserId", Values::String),
    one("lambda:SourceFunctionArn", Values::Arn),
    one("ssm:SourceInstanceArn", Values::Arn),
];

const fn one(name: &'static str, values: Values) -> Key {
    Key { name, values, count: Count::Single }
}

const fn many(name: &'static str, values: Values) -> Key {
    Key { name, values, count: Count::Multiple }
}
