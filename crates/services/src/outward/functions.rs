//! Lambda functions that are commands of this machine: `--lambda NAME=COMMAND`.
//!
//! The command reads the event from its input and prints the answer, both JSON. How it fails is
//! told as Lambda tells it: AWS Lambda developer guide, "Invoke function synchronously", "Lambda
//! quotas" (read 2026-11).

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runtime::{CallError, ProcessGroup};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use value::{Value, value};

use crate::ids;

/// How long a function may take, in seconds.
const FUNCTION_SECONDS_MAX: u64 = 900;
/// How large an answer may be, in bytes.
const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024 + 100;

/// What a `FunctionName` says: `arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER`, of which
/// everything but the name may be lacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FunctionName<'n> {
    pub(super) region: Option<&'n str>,
    pub(super) account: Option<&'n str>,
    pub(super) name: &'n str,
}

impl<'n> FunctionName<'n> {
    /// Reads a name as the pattern of Lambda's model does, part by part.
    pub(super) fn read(given: &'n str) -> FunctionName<'n> {
        let rest = match given.split_once(":lambda:") {
            Some((partition, rest)) if partition.starts_with("arn:") => rest,
            Some(_) | None => given,
        };
        let (region, rest) = leading(rest, is_region);
        let (account, rest) = leading(rest, is_account);
        let (_, rest) = leading(rest, |part| part == "function");
        FunctionName { region, account, name: rest.split(':').next().unwrap_or(rest) }
    }
}

/// Splits off the first part, if it is one of those and not the last.
fn leading(text: &str, is_it: impl Fn(&str) -> bool) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((part, rest)) if is_it(part) => (Some(part), rest),
        Some(_) | None => (None, text),
    }
}

/// `us-gov-east-1`: words, then a number.
fn is_region(part: &str) -> bool {
    let words: Vec<&str> = part.split('-').collect();
    let all_letters = |words: &[&str]| {
        words
            .iter()
            .all(|word| !word.is_empty() && word.bytes().all(|letter| letter.is_ascii_lowercase()))
    };
    match words.split_last() {
        Some((number, words)) => {
            2 <= words.len() && all_letters(words) && matches!(number.as_bytes(), [b'0'..=b'9'])
        }
        None => false,
    }
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|digit| digit.is_ascii_digit())
}

/// Returns the name in a `FunctionName`.
pub(super) fn name_of(given: &str) -> &str {
    FunctionName::read(given).name
}

/// Answers `Invoke` by running a command.
///
/// # Errors
/// What Lambda refuses before it runs a function.
pub(crate) async fn invoke(command: &str, input: &Value) -> Result<Value, CallError> {
    let kind = input.get("InvocationType").and_then(Value::as_str).unwrap_or("RequestResponse");
    if kind != "RequestResponse" {
        let text = format!("a function of --lambda is run for its answer, not as {kind}");
        return Err(refusal("InvalidParameterValueException", text));
    }
    let event = event(input)?;
    let name = input.get("FunctionName").and_then(Value::as_str).map(name_of).unwrap_or_default();
    let answer = match run(command, name, &event).await {
        Ok(answer) => value!({ "Payload": STANDARD.encode(answer) }),
        Err(failed) => value!({
            "FunctionError": "Unhandled", "Payload": STANDARD.encode(failed.to_json()),
        }),
    };
    Ok(answer.with("StatusCode", 200).with("ExecutedVersion", "$LATEST"))
}

/// Returns an output with what would have told how it came, had it come from Lambda over HTTP.
pub(super) fn told(output: Value) -> Value {
    let payload = output.get("Payload").and_then(Value::as_str).unwrap_or_default();
    let length = STANDARD.decode(payload).map(|bytes| bytes.len()).unwrap_or_default();
    let id = ids::uuid();
    let headers = value!({
        "x-amz-executed-version": output.get("ExecutedVersion").cloned().unwrap_or_default(),
        "x-amzn-remapped-content-length": "0",
        "connection": "keep-alive",
        "x-amzn-requestid": &id,
        "content-length": length.to_string(),
        "date": wire::http_date(runtime::wall_millis()),
        "content-type": "application/json",
    });
    let told = value!({ "RequestId": &id, "HTTPStatusCode": 200, "HTTPHeaders": (headers) });
    output.with("ResponseMetadata", told)
}

/// Returns the event: a payload that is missing is an empty one.
fn event(input: &Value) -> Result<Vec<u8>, CallError> {
    let payload = input.get("Payload").and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(payload).unwrap_or_default();
    if bytes.is_empty() {
        return Ok(b"{}".to_vec());
    }
    let parsed = std::str::from_utf8(&bytes).map_err(|err| err.to_string());
    match parsed.and_then(|text| value::parse(text).map_err(|err| err.to_string())) {
        Ok(_) => Ok(bytes),
        // UNVERIFIED: what follows the colon; Lambda's parser words it differently.
        Err(what) => Err(refusal(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {what}"),
        )),
    }
}

/// Runs a command and returns what it printed, or the object that tells how it failed.
async fn run(command: &str, name: &str, event: &[u8]) -> Result<Vec<u8>, Value> {
    let failed = |what: String, kind: &str| {
        value!({ "errorMessage": format!("RequestId: {} Error: {what}", ids::uuid()),
                 "errorType": kind })
    };
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("AWS_LAMBDA_FUNCTION_NAME", name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|err| failed(err.to_string(), "Runtime.InvalidEntrypoint"))?;
    // Whatever it leaves behind ends with it, also when nobody waits for its answer any more.
    let _group = ProcessGroup::of(&child);
    let limit = Duration::from_secs(FUNCTION_SECONDS_MAX);
    let Ok(ended) = tokio::time::timeout(limit, finish(&mut child, event)).await else {
        let what = format!("Task timed out after {FUNCTION_SECONDS_MAX}.00 seconds");
        return Err(failed(what, "Sandbox.Timedout"));
    };
    let (status, printed) = ended.map_err(|err| failed(err.to_string(), "Runtime.ExitError"))?;
    if ANSWER_BYTES_MAX < printed.len() {
        return Err(value!({
            "errorMessage": format!(
                "Response payload size exceeded maximum allowed payload size ({ANSWER_BYTES_MAX} \
                 bytes)."
            ),
            "errorType": "Function.ResponseSizeTooLarge",
        }));
    }
    let text = String::from_utf8(printed).unwrap_or_default();
    let parsed = value::parse(if text.trim().is_empty() { "null" } else { &text });
    match (status.success(), parsed) {
        (true, Ok(answer)) => Ok(answer.to_json().into_bytes()),
        (true, Err(err)) => {
            Err(failed(format!("its answer is no JSON: {err}"), "Runtime.MarshalError"))
        }
        // It tells itself how it failed, as Lambda's runtimes do.
        (false, Ok(told)) if told.get("errorMessage").or(told.get("errorType")).is_some() => {
            Err(told)
        }
        (false, _) => {
            let what = format!("Runtime exited with error: {status}");
            Err(failed(what, "Runtime.ExitError"))
        }
    }
}

/// Hands the event over, reads what is printed, up to a little more than allowed, and waits.
async fn finish(child: &mut Child, event: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let hand_over = async {
        if let Some(mut stdin) = stdin {
            // A function need not read its event.
            let _ = stdin.write_all(event).await;
        }
    };
    let read = async {
        let mut printed = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(ANSWER_BYTES_MAX as u64 + 1).read_to_end(&mut printed).await?;
        }
        Ok::<_, std::io::Error>(printed)
    };
    let ((), printed) = tokio::join!(hand_over, read);
    Ok((child.wait().await?, printed?))
}

fn refusal(code: &str, message: String) -> CallError {
    CallError {
        code: code.to_owned(),
        exception: Some(code.to_owned()),
        message,
        status: 400,
        request_id: ids::uuid(),
        extended_request_id: None,
        is_passing: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_many_names() {
        let read = |given| {
            let FunctionName { region, account, name } = FunctionName::read(given);
            (region, account, name)
        };
        let (region, account) = (Some("us-east-1"), Some("123456789012"));
        for (given, wanted) in [
            ("f", (None, None, "f")),
            ("f:$LATEST", (None, None, "f")),
            ("function:f:live", (None, None, "f")),
            ("my-function:live", (None, None, "my-function")),
            ("myfunction:1", (None, None, "myfunction")),
            ("123456789012:f", (None, account, "f")),
            ("123456789012:function:f", (None, account, "f")),
            ("us-east-1:123456789012:function:f:1", (region, account, "f")),
            ("arn:aws:lambda:us-east-1:123456789012:function:f", (region, account, "f")),
            ("arn:aws:lambda:us-east-1:123456789012:function:f:live", (region, account, "f")),
            ("us-gov-east-1:f", (Some("us-gov-east-1"), None, "f")),
        ] {
            assert_eq!(read(given), wanted, "{given}");
        }
    }

    async fn payload(command: &str, event: &str) -> (Option<Value>, Value) {
        let input = value!({ "FunctionName": "f", "Payload": STANDARD.encode(event) });
        let answer = invoke(command, &input).await.unwrap();
        let bytes = STANDARD.decode(answer.get("Payload").unwrap().as_str().unwrap()).unwrap();
        let payload = value::parse(std::str::from_utf8(&bytes).unwrap()).unwrap();
        (answer.get("FunctionError").cloned(), payload)
    }

    #[tokio::test]
    async fn what_a_command_prints_is_the_answer() {
        assert_eq!(payload("cat", r#"{"a": "日"}"#).await, (None, value!({"a": "日"})));
        assert_eq!(payload("true", "1").await, (None, Value::Null));
        let name = payload("printf '\"%s\"' $AWS_LAMBDA_FUNCTION_NAME", "{}").await;
        assert_eq!(name, (None, "f".into()));
    }

    #[tokio::test]
    async fn how_a_command_fails_is_told_as_lambda_does() {
        let told = r#"echo '{"errorType":"Mine","errorMessage":"m"}'; exit 1"#;
        let (failed, payload_told) = payload(told, "{}").await;
        assert_eq!(failed, Some("Unhandled".into()));
        assert_eq!(payload_told, value!({"errorType": "Mine", "errorMessage": "m"}));
        for (command, kind) in
            [("exit 3", "Runtime.ExitError"), ("echo no", "Runtime.MarshalError")]
        {
            let (failed, told) = payload(command, "{}").await;
            assert_eq!(failed, Some("Unhandled".into()), "{command}");
            assert_eq!(told.get("errorType"), Some(&kind.into()), "{command}");
        }
    }

    #[tokio::test]
    async fn a_payload_that_is_no_json_is_refused() {
        let input = value!({ "FunctionName": "f", "Payload": STANDARD.encode("{") });
        let err = invoke("cat", &input).await.unwrap_err();
        assert_eq!(err.code, "InvalidRequestContentException");
        assert!(err.message.starts_with("Could not parse request body into json: "), "{err:?}");
    }

    #[tokio::test]
    async fn what_a_command_leaves_behind_is_killed() {
        // The child that is left behind holds the pipe until it is killed with its group.
        let mut held = Command::new("cat");
        let file = std::env::temp_dir().join(format!("stepwell-{}", ids::uuid()));
        let path = file.display();
        make_fifo(&file);
        let mut reader = held.arg(&file).stdout(Stdio::piped()).spawn().unwrap();
        let command = format!("sleep 600 > {path} < /dev/null & exec 1>&-");
        assert_eq!(payload(&command, "{}").await, (None, Value::Null));
        let ended = tokio::time::timeout(Duration::from_secs(10), reader.wait()).await;
        std::fs::remove_file(&file).unwrap();
        assert!(ended.unwrap().unwrap().success());
    }

    fn make_fifo(file: &std::path::Path) {
        let made = std::process::Command::new("mkfifo").arg(file).status().unwrap();
        assert!(made.success());
    }
}
