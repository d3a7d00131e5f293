//! `stepwell policy check --jsonl`: the verdict on the document of every line.

use std::io::BufReader;
use std::process::ExitCode;

use anyhow::Result;
use asl::Node;
use clap::ValueEnum;
use policy::{Document, Kind};
use value::{Value, value};

use super::super::super::jsonl;
use super::super::super::problem::Problem;
use super::{For, judge};

/// Answers standard input line by line; the status is 1 when a line was no request.
pub(super) fn run(kind: Option<For>) -> Result<ExitCode> {
    let input = BufReader::new(std::io::stdin());
    let refused = |message: String| value!({"id": null, "error": {"message": message}});
    jsonl::answer(input, std::io::stdout().lock(), |line| answer(line, kind), refused)
}

fn answer(line: &[u8], kind: Option<For>) -> Result<Value, Value> {
    let refused =
        |id: &Value, message: String| value!({"id": id.clone(), "error": {"message": message}});
    let json =
        value::parse_bytes(line).map_err(|err| refused(&Value::Null, format!("no JSON: {err}")))?;
    let id = json.get("id").cloned().unwrap_or_default();
    let text = match json.get("document") {
        Some(Value::String(text)) => text.to_string(),
        Some(document) => document.to_string(),
        None => return Err(refused(&id, "`document` is missing".to_owned())),
    };
    let written = match json.get("kind").and_then(Value::as_str) {
        Some(word) => match For::from_str(word, true) {
            Ok(kind) => Some(kind),
            Err(_) => return Err(refused(&id, format!("`{word}` is no kind of policy"))),
        },
        None => None,
    };
    let node = Node::parse(&text).ok();
    let guess = || node.as_ref().map(judge::looks_like);
    let kind = kind.or(written).or_else(guess).map_or(Kind::Managed, For::kind);
    let verdict = Document::parse(&text, kind).err().map(|fault| fault.message);
    let (_, problems) = node.map(|node| judge::judge(&node, kind)).unwrap_or_default();
    let problems: Vec<Value> = problems.iter().map(Problem::to_value).collect();
    Ok(value!({
        "id": id,
        "verdict": judge::verdict_word(verdict.as_deref()),
        "message": verdict,
        "diagnostics": problems,
    }))
}
