//! `stepwell policy evaluate`: what IAM decides, and why.

mod case;
mod principal;

use std::fs::File;
use std::io::{BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use policy::{Decision, Effect, Layer, Matched, Outcome};
use value::{Value, value};

use super::super::jsonl;
use super::super::paint::{Meaning, Paint};
use case::Case;

/// Decide requests, each with the policies that apply to it, and say why.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A request with its policies as JSON; standard input when there is none, or `-`
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The input has a request on every line: answer each by a line
    #[arg(long)]
    jsonl: bool,
    /// Print {"id", "decision", "reasons"}, as it is when nobody watches
    #[arg(long, conflicts_with = "jsonl")]
    json: bool,
}

/// Decides; the status is 1 when something was no request.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut input = BufReader::new(source(arguments.file.as_deref())?);
    if arguments.jsonl {
        return jsonl::answer(input, std::io::stdout().lock(), answer, |message| {
            refused(&Value::Null, &message)
        });
    }
    let mut text = Vec::new();
    input.read_to_end(&mut text).context("reading the request")?;
    let stdout = std::io::stdout();
    if arguments.json || !stdout.is_terminal() {
        let answer = answer(&text);
        let code = if answer.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        let (Ok(told) | Err(told)) = answer;
        println!("{told}");
        return Ok(code);
    }
    let case = read(&text).and_then(|json| Case::read(&json)).map_err(anyhow::Error::msg)?;
    print!("{}", explained(&case, &case.decide(), Paint::of(&stdout)));
    Ok(ExitCode::SUCCESS)
}

fn source(path: Option<&Path>) -> Result<Box<dyn Read>> {
    match path.filter(|path| *path != Path::new("-")) {
        None => Ok(Box::new(std::io::stdin())),
        Some(path) => {
            let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
            Ok(Box::new(file))
        }
    }
}

fn read(text: &[u8]) -> Result<Value, String> {
    value::parse_bytes(text).map_err(|err| format!("no JSON: {err}"))
}

/// Answers one request. What is no request, or has a policy that is none, is an error and never a
/// decision.
fn answer(line: &[u8]) -> Result<Value, Value> {
    let json = read(line).map_err(|message| refused(&Value::Null, &message))?;
    let id = json.get("id").cloned().unwrap_or_default();
    let case = Case::read(&json).map_err(|message| refused(&id, &message))?;
    let decision = case.decide();
    Ok(value!({
        "id": id,
        "decision": word(decision.outcome),
        "reasons": reasons(&case, &decision),
    }))
}

fn refused(id: &Value, message: &str) -> Value {
    value!({"id": id.clone(), "error": {"message": message}})
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "Allowed",
        Outcome::ExplicitDeny => "ExplicitlyDenied",
        Outcome::ImplicitDeny => "ImplicitlyDenied",
    }
}

/// Returns the member of `policies` that a layer is given in.
fn member(layer: Layer) -> &'static str {
    match layer {
        Layer::ResourceControl => "rcp",
        Layer::ServiceControl => "scp",
        Layer::Endpoint => "endpoint",
        Layer::Resource | Layer::Trust => "resource",
        Layer::Identity => "identity",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
    }
}

fn reasons(case: &Case, decision: &Decision) -> Value {
    let layers = decision
        .layers
        .iter()
        .fold(Value::object(), |told, one| told.with(member(one.layer), word(one.outcome)));
    let matched: Vec<Value> = decision.matched.iter().map(statement).collect();
    let missing: Vec<&str> = decision.missing_context.iter().map(|key| &**key).collect();
    value!({
        "message": case.message(decision),
        "blockedBy": decision.blocked_by.map(member),
        "resource": &*decision.resource,
        "matchedStatements": matched,
        "missingContext": missing,
        "layers": layers,
    })
}

fn statement(matched: &Matched) -> Value {
    value!({
        "policy": &*matched.policy,
        "sid": matched.sid.as_deref(),
        "index": matched.index,
        "effect": effect(matched.effect),
    })
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    }
}

/// Returns a decision for people.
fn explained(case: &Case, decision: &Decision, paint: Paint) -> String {
    let meaning = if decision.is_allowed() { Meaning::Good } else { Meaning::Bad };
    let mut lines = vec![paint.text(word(decision.outcome), meaning)];
    lines.extend(case.message(decision).map(|message| format!("  {message}")));
    lines.extend(decision.matched.iter().map(|matched| {
        let sid = matched.sid.as_deref().map(|sid| format!(" ({sid})")).unwrap_or_default();
        let (policy, number) = (&matched.policy, matched.index + 1);
        format!("  {} in {policy}, statement {number}{sid}", effect(matched.effect))
    }));
    lines.extend(
        decision
            .missing_context
            .iter()
            .map(|key| format!("  the policies ask for `{key}`, which the request does not have")),
    );
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = r#"{"id": "c1", "request": {
        "principal": "arn:aws:iam::123456789012:user/kim", "action": "s3:GetObject",
        "resource": "arn:aws:s3:::b/k", "resourceAccount": "123456789012", "context": {}},
      "policies": {"identity": [
        {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}},
        {"Version": "2012-10-17", "Statement": {"Sid": "Own", "Effect": "Deny", "Action": "s3:Get*",
         "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalTag/a": "b"}}}}]}}"#;

    #[test]
    fn a_decision_has_its_reasons() {
        let told = answer(CASE.as_bytes()).unwrap();
        assert_eq!(
            told.to_string(),
            concat!(
                r#"{"id":"c1","decision":"ExplicitlyDenied","reasons":{"message":"User: "#,
                "arn:aws:iam::123456789012:user/kim is not authorized to perform: s3:GetObject on ",
                "resource: arn:aws:s3:::b/k with an explicit deny in an identity-based policy",
                r#"","blockedBy":"identity","resource":"arn:aws:s3:::b/k","matchedStatements":["#,
                r#"{"policy":"identity[1]","sid":"Own","index":0,"effect":"Deny"}],"#,
                r#""missingContext":["aws:PrincipalTag/a"],"#,
                r#""layers":{"identity":"ExplicitlyDenied"}}}"#,
            )
        );
        let case = Case::read(&value::parse(CASE).unwrap()).unwrap();
        let text = explained(&case, &case.decide(), Paint::Plain);
        assert!(text.contains("\n  Deny in identity[1], statement 1 (Own)\n"), "{text}");
    }

    #[test]
    fn what_is_no_request_is_an_error_and_no_decision() {
        let change = |from: &str, to: &str| {
            let told = answer(CASE.replace(from, to).as_bytes()).unwrap_err();
            assert_eq!(told.get("decision"), None);
            told.path(&["error", "message"]).and_then(Value::as_str).unwrap().to_owned()
        };
        assert_eq!(
            change("\"Effect\": \"Allow\"", "\"Effect\": \"allow\""),
            "identity[0]: The policy failed legacy parsing (`allow` is written `Allow` or `Deny`)"
        );
        assert_eq!(change("\"action\"", "\"Action\""), "`request.action` is no text");
        assert_eq!(change("user/kim", "host/kim"), "`host` is no kind of principal");
        assert_eq!(change("\"identity\"", "\"identities\""), "`policies.identities` is unknown");
        assert_eq!(change("{}}", "{\"a\": {}}}"), "`request.context.a` is no text, nor a list");
        assert_eq!(
            change("[\n", "{}, \"scp\": [\n"),
            "identity: Syntax errors in policy. (`Statement` is missing or empty)"
        );
    }
}
