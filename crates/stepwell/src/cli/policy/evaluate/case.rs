//! A request with the policies that apply to it, as the conformance corpus writes them.

use std::sync::Arc;

use policy::{Context, Decision, Document, Kind, Policy, PolicySet, Request};
use value::Value;

use super::principal;

/// The members of `policies`; a misspelt one must not pass for a layer that is not there.
const LAYERS: [&str; 7] = ["identity", "boundary", "resource", "session", "scp", "rcp", "endpoint"];

/// A request and its policies, ready to be decided.
pub(super) struct Case {
    request: Request,
    policies: PolicySet,
}

impl Case {
    /// Reads a request.
    ///
    /// # Errors
    /// The first fault in words.
    pub(super) fn read(json: &Value) -> Result<Case, String> {
        let asked = json.get("request").ok_or("`request` is missing")?;
        let policies = json.get("policies").ok_or("`policies` is missing")?;
        let request = request(asked)?;
        let policies = Policies { json: policies, action: &request.action }.read()?;
        Ok(Case { request, policies })
    }

    /// Decides it.
    pub(super) fn decide(&self) -> Decision {
        policy::decide(&self.request, &self.policies)
    }

    /// Returns what AccessDenied says to a decision on it; `None` when it is allowed.
    pub(super) fn message(&self, decision: &Decision) -> Option<String> {
        let (caller, action) = (self.request.principal.arn(), &self.request.action);
        let resource = Some(&*decision.resource).filter(|resource| *resource != "*");
        let denied = !decision.is_allowed();
        denied.then(|| policy::access_denied_text(&caller, action, resource, decision))
    }
}

fn request(json: &Value) -> Result<Request, String> {
    let text = |member: &str| {
        let text = json.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| format!("`request.{member}` is no text"))
    };
    let principal = json.get("principal").ok_or("`request.principal` is missing")?;
    let wildcard_only = json.get("wildcardOnlyAction").and_then(Value::as_bool) == Some(true);
    let resource = if wildcard_only { "*" } else { text("resource")? };
    let context = context(json.get("context"))?;
    let request = Request::new(principal::read(principal)?, text("action")?, resource, context);
    Ok(match json.get("resourceAccount").and_then(Value::as_str) {
        None | Some("") => request,
        Some(account) => request.in_account(account),
    })
}

fn context(json: Option<&Value>) -> Result<Context, String> {
    let mut context = Context::new();
    let Some(json) = json.filter(|json| !json.is_null()) else { return Ok(context) };
    let members = json.as_object().ok_or("`request.context` is no object")?;
    for (key, value) in members.iter() {
        let fault = || format!("`request.context.{key}` is no text, nor a list");
        match value {
            Value::Array(values) => {
                let texts: Option<Vec<String>> = values.iter().map(plain).collect();
                context.set_list(key, texts.ok_or_else(fault)?);
            }
            one => context.set(key, plain(one).ok_or_else(fault)?),
        }
    }
    Ok(context)
}

/// Returns the text of a context value; numbers and booleans may stand without quotes.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

struct Policies<'j> {
    json: &'j Value,
    action: &'j str,
}

impl Policies<'_> {
    fn read(&self) -> Result<PolicySet, String> {
        let members = self.json.as_object().ok_or("`policies` is no object")?;
        if let Some(unknown) = members.keys().find(|key| !LAYERS.contains(&&***key)) {
            return Err(format!("`policies.{unknown}` is unknown"));
        }
        Ok(PolicySet {
            identity: self.list("identity", Kind::Identity)?.unwrap_or_default(),
            boundary: self.list("boundary", Kind::Identity)?,
            session: self.list("session", Kind::Session)?,
            resource: match self.layer("resource") {
                Some(json) => Some(compile("resource".to_owned(), json, self.resource_kind())?),
                None => None,
            },
            scp: self.levels("scp", Kind::ServiceControl)?,
            rcp: self.levels("rcp", Kind::ResourceControl)?,
            endpoint: self.list("endpoint", Kind::Resource)?,
        })
    }

    /// The policy of a role is its trust policy.
    fn resource_kind(&self) -> Kind {
        let assumes = self.action.to_lowercase().starts_with("sts:assumerole");
        if assumes { Kind::Trust } else { Kind::Resource }
    }

    fn layer(&self, member: &str) -> Option<&Value> {
        self.json.get(member).filter(|layer| !layer.is_null())
    }

    fn list(&self, member: &str, kind: Kind) -> Result<Option<Vec<Policy>>, String> {
        match self.layer(member) {
            Some(Value::Array(items)) => documents(member, items, kind).map(Some),
            Some(one) => Ok(Some(vec![compile(member.to_owned(), one, kind)?])),
            None => Ok(None),
        }
    }

    fn levels(&self, member: &str, kind: Kind) -> Result<Vec<Vec<Policy>>, String> {
        let Some(layer) = self.layer(member) else { return Ok(Vec::new()) };
        let levels = layer.as_array().ok_or_else(|| format!("`policies.{member}` is no list"))?;
        let each = levels.iter().enumerate().map(|(index, level)| {
            let name = format!("{member}[{index}]");
            let policies = level.get("policies").and_then(Value::as_array);
            let policies = policies.ok_or_else(|| format!("`{name}.policies` is no list"))?;
            documents(&format!("{name}.policies"), policies, kind)
        });
        each.collect()
    }
}

fn documents(name: &str, items: &[Value], kind: Kind) -> Result<Vec<Policy>, String> {
    let items = items.iter().enumerate();
    items.map(|(index, json)| compile(format!("{name}[{index}]"), json, kind)).collect()
}

fn compile(name: String, json: &Value, kind: Kind) -> Result<Policy, String> {
    let document = Document::parse(&json.to_string(), kind)
        .map_err(|fault| format!("{name}: {} ({})", fault.message, fault.detail))?;
    Ok(Policy::new(name, Arc::new(document)))
}
