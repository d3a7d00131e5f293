//! Policies in files: documents by themselves, and those of templates.
//!
//! AWS pages: the resource types below in the CloudFormation Template Reference, and
//! "AWS::Serverless::Function" (read 2026-11-25).

use std::path::Path;

use asl::{Node, Severity};

use super::super::super::problem::Problem;
use super::For;
use super::computed::Computed;
use crate::definitions;

/// The properties of resources that hold one document.
const PROPERTIES: &[(&str, &str, For)] = &[
    ("AWS::IAM::ManagedPolicy", "PolicyDocument", For::Identity),
    ("AWS::IAM::Policy", "PolicyDocument", For::Inline),
    ("AWS::IAM::UserPolicy", "PolicyDocument", For::Inline),
    ("AWS::IAM::GroupPolicy", "PolicyDocument", For::Inline),
    ("AWS::IAM::RolePolicy", "PolicyDocument", For::Inline),
    ("AWS::IAM::Role", "AssumeRolePolicyDocument", For::Trust),
    ("AWS::Serverless::Function", "AssumeRolePolicyDocument", For::Trust),
    ("AWS::SSO::PermissionSet", "InlinePolicy", For::Inline),
    ("AWS::SQS::QueuePolicy", "PolicyDocument", For::Resource),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", For::Resource),
    ("AWS::S3::BucketPolicy", "PolicyDocument", For::Resource),
    ("AWS::KMS::Key", "KeyPolicy", For::Resource),
    ("AWS::SecretsManager::ResourcePolicy", "ResourcePolicy", For::Resource),
    ("AWS::ECR::Repository", "RepositoryPolicyText", For::Resource),
];
/// The resources whose `Policies` are a list of inline policies.
const WITH_POLICIES: [&str; 5] = [
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::IAM::Group",
    "AWS::Serverless::Function",
    "AWS::Serverless::StateMachine",
];

/// A policy in a file.
pub(super) struct Found {
    pub(super) logical_id: Option<String>,
    /// What a template says it is for.
    pub(super) kind: Option<For>,
    pub(super) node: Node,
}

/// Why a file holds no policy.
pub(super) struct Fault {
    pub(super) text: String,
    pub(super) problem: Problem,
    /// What AWS says to such a text as a policy.
    pub(super) verdict: Option<String>,
}

/// Reads the policies of a file, with its text.
pub(super) fn read(path: &Path) -> Result<(String, Vec<Found>), Box<Fault>> {
    let unreadable = |err: &anyhow::Error| {
        let problem = Problem::unreadable(err);
        Box::new(Fault { text: String::new(), problem, verdict: None })
    };
    let (text, node) = definitions::read_node(path).map_err(|err| unreadable(&err))?;
    let node = match node {
        Ok(node) => node,
        Err(fault) => return Err(malformed(text, &fault)),
    };
    if node.get("Resources").is_some() {
        return Ok((text, of_template(&node)));
    }
    Ok((text, vec![Found { logical_id: None, kind: None, node }]))
}

fn malformed(text: String, fault: &asl::Diagnostic) -> Box<Fault> {
    let verdict = policy::Document::parse(&text, policy::Kind::Managed).err();
    let reason = fault.message.lines().next().unwrap_or_default();
    let verdict = verdict.map(|fault| fault.message);
    Box::new(Fault {
        problem: Problem {
            severity: Severity::Error,
            code: "MalformedPolicyDocument".to_owned(),
            message: verdict.clone().unwrap_or_else(|| "no policy".to_owned()),
            location: "/".to_owned(),
            span: fault.span,
            hint: Some(reason.to_owned()),
        },
        text,
        verdict,
    })
}

fn of_template(template: &Node) -> Vec<Found> {
    let mut found = Vec::new();
    for resource in template.get("Resources").map(Node::members).unwrap_or_default() {
        let kind = resource.node.get("Type").and_then(Node::as_str).map(|kind| &**kind);
        let (Some(kind), Some(properties)) = (kind, resource.node.get("Properties")) else {
            continue;
        };
        let mut add = |kind: For, node: &Node| {
            let node = Computed::default().document(node);
            // A document that is computed as a whole is not here.
            if node.get("Statement").is_some() {
                let logical_id = Some(resource.key.to_string());
                found.push(Found { logical_id, kind: Some(kind), node });
            }
        };
        for (_, property, what) in PROPERTIES.iter().filter(|(of, _, _)| *of == kind) {
            properties.get(property).into_iter().for_each(|node| add(*what, node));
        }
        if WITH_POLICIES.contains(&kind) {
            let policies = properties.get("Policies");
            let one = policies.map(std::slice::from_ref).unwrap_or_default();
            for policy in policies.and_then(Node::as_array).unwrap_or(one) {
                add(For::Inline, policy.get("PolicyDocument").unwrap_or(policy));
            }
        }
    }
    found
}
