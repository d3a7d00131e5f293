//! `stepwell eval --jsonl`: an answer for every line, in memory for one line.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use jsonata::{Bindings, Program};
use value::{Value, value};

use super::{Spoken, moment, told};

/// The longest line, in bytes; what a line may need is bounded by it.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Answers standard input line by line; the status is 1 when a line was no request.
pub(super) fn run(dialect: Spoken) -> Result<ExitCode> {
    let input = BufReader::new(std::io::stdin());
    answer(input, std::io::stdout().lock(), dialect)
}

fn answer(
    mut input: BufReader<impl Read>,
    output: impl Write,
    dialect: Spoken,
) -> Result<ExitCode> {
    let mut output = std::io::BufWriter::new(output);
    let mut compiled = None;
    let mut code = ExitCode::SUCCESS;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut input).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line);
        if read.context("reading standard input")? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let told = if line.len() as u64 > LINE_BYTES_MAX {
            skip_line(&mut input).context("reading standard input")?;
            Err(format!("the line is longer than {LINE_BYTES_MAX} bytes"))
        } else {
            request(&line, dialect, &mut compiled)
        };
        let told = told.unwrap_or_else(|message| {
            code = ExitCode::FAILURE;
            value!({"error": {"code": null, "position": null, "token": null, "message": message}})
        });
        writeln!(output, "{told}").context("writing an answer")?;
        // One who waits for an answer before the next line gets it.
        if input.buffer().is_empty() {
            output.flush().context("writing an answer")?;
        }
    }
    output.flush().context("writing an answer")?;
    Ok(code)
}

/// Reads on to the end of a line.
fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let part = input.fill_buf()?;
        let end = part.iter().position(|byte| *byte == b'\n');
        let (length, ended) = end.map_or((part.len(), part.is_empty()), |at| (at + 1, true));
        input.consume(length);
        if ended {
            return Ok(());
        }
    }
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
