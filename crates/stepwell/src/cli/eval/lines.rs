//! `stepwell eval --jsonl`: an answer for every line, in memory for one line.

use std::io::{BufReader, Read, Write};
use std::process::ExitCode;

use anyhow::Result;
use jsonata::{Bindings, Program};
use value::{Value, value};

use super::super::jsonl;
use super::{Spoken, moment, told};

/// Answers standard input line by line; the status is 1 when a line was no request.
pub(super) fn run(dialect: Spoken) -> Result<ExitCode> {
    let input = BufReader::new(std::io::stdin());
    answer(input, std::io::stdout().lock(), dialect)
}

fn answer(input: BufReader<impl Read>, output: impl Write, dialect: Spoken) -> Result<ExitCode> {
    let mut compiled = None;
    let answer = |line: &[u8]| request(line, dialect, &mut compiled).map_err(refused);
    jsonl::answer(input, output, answer, refused)
}

fn refused(message: String) -> Value {
    value!({"error": {"code": null, "position": null, "token": null, "message": message}})
}

/// Answers one request; an expression like the one before is not compiled again.
fn request(line: &[u8], dialect: Spoken, compiled: &mut Option<Program>) -> Result<Value, String> {
    let request = value::parse_bytes(line).map_err(|err| format!("no JSON: {err}"))?;
    let Some(expression) = request.get("expr").and_then(Value::as_str) else {
        return Err("the line has no text `expr`".to_owned());
    };
    let bindings = match request.get("bindings") {
        None | Some(Value::Null) => Bindings::new(),
        Some(Value::Object(members)) => Bindings::over(members.clone()),
        Some(_) => return Err("`bindings` is no object".to_owned()),
    };
    let program = match compiled.take().filter(|known| known.text() == expression) {
        Some(program) => Ok(program),
        None => Program::compile(expression, dialect.dialect()),
    };
    Ok(told(program.and_then(|program| {
        let data = request.get("data");
        let answer = program.evaluate(data, &bindings, &dialect.limits(), &mut moment());
        *compiled = Some(program);
        answer
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(input: &str) -> Vec<String> {
        let mut output = Vec::new();
        answer(BufReader::new(input.as_bytes()), &mut output, Spoken::Aws).unwrap();
        String::from_utf8(output).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_line_is_answered_by_a_line() {
        let input = r#"{"expr": "$sum(items.price) * $rate", "data": {"items": [{"price": 2}, {"price": 3}]}, "bindings": {"rate": 2}}
{"expr": "a"}
{"expr": "$$", "data": null}

{"expr": "1 + 'x'"}
{"expr": "function($x) { $x }"}
nonsense
{"data": 1}
"#;
        assert_eq!(
            answers(input),
            [
                r#"{"result":10}"#,
                r#"{"undefined":true}"#,
                r#"{"result":null}"#,
                r#"{"error":{"code":"T2002","position":3,"token":"+","message":"The right side of the \"+\" operator must evaluate to a number"}}"#,
                r#"{"undefined":true}"#,
                r#"{"error":{"code":null,"position":null,"token":null,"message":"no JSON: expected a JSON value, found `n` at line 1 column 1"}}"#,
                r#"{"error":{"code":null,"position":null,"token":null,"message":"the line has no text `expr`"}}"#,
            ]
        );
    }
}
