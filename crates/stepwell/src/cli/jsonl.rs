//! An answer for every line, in memory for one line.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use value::Value;

use crate::output;

/// The longest line, in bytes; what a line may need is bounded by it.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Answers lines of `input` by lines of `output`, at once when nothing more is waiting to be read;
/// `answer` gives what to write, `refused` makes a line of what was no request. The status is 1
/// when there was such a line.
pub(super) fn answer(
    mut input: BufReader<impl Read>,
    output: impl Write,
    mut answer: impl FnMut(&[u8]) -> Result<Value, Value>,
    refused: impl Fn(String) -> Value,
) -> Result<ExitCode> {
    let mut output = std::io::BufWriter::new(output);
    let mut code = ExitCode::SUCCESS;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut input).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line);
        if read.context("reading the input")? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let told = if line.len() as u64 > LINE_BYTES_MAX {
            skip_line(&mut input).context("reading the input")?;
            Err(refused(format!("the line is longer than {LINE_BYTES_MAX} bytes")))
        } else {
            answer(&line)
        };
        let told = told.unwrap_or_else(|told| {
            code = ExitCode::FAILURE;
            told
        });
        output::heard(writeln!(output, "{told}")).context("writing an answer")?;
        // One who waits for an answer before the next line gets it.
        if input.buffer().is_empty() {
            output::heard(output.flush()).context("writing an answer")?;
        }
    }
    output::heard(output.flush()).context("writing an answer")?;
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
