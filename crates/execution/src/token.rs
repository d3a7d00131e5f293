//! Task tokens: what a worker or whoever is to call back shows for the task.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::state::TaskId;

/// The first byte of every token.
const VERSION: u8 = 1;
/// How many bytes tell that a token was copied whole.
const CHECK_BYTES: usize = 4;
/// How many bytes nobody guesses.
const SECRET_BYTES: usize = 32;
/// How many bytes the task's number takes.
const TASK_BYTES: usize = 4;
/// The longest token that is read (API reference, `TaskToken`).
const TOKEN_CHARACTERS_MAX: usize = 2_048;

/// What a task token says: where it leads. It is the task's only if it is the very text that the
/// task was given ([`crate::State::task_of_token`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskToken {
    /// The execution.
    pub execution_arn: String,
    /// The task within it.
    pub task: TaskId,
}

impl TaskToken {
    /// Returns the token of a task: its number, a secret drawn from the fact's entropy, and the
    /// execution, as one opaque text.
    pub(crate) fn make(execution_arn: &str, task: TaskId, entropy: &[u8; 32]) -> String {
        let number = task.0.to_be_bytes();
        // Tasks of one fact share its entropy; no token may lead to another.
        let mut secret = Sha256::new_with_prefix(b"task token/");
        secret.update(entropy);
        secret.update(number);
        let mut bytes = vec![VERSION];
        bytes.extend(number);
        bytes.extend(secret.finalize());
        bytes.extend(execution_arn.as_bytes());
        bytes.extend(check(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; `None` when the text is none.
    pub fn parse(token: &str) -> Option<TaskToken> {
        if TOKEN_CHARACTERS_MAX < token.len() {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (content, found) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
        if found != check(content) {
            return None;
        }
        let rest = content.strip_prefix(&[VERSION])?;
        let (number, rest) = rest.split_first_chunk::<TASK_BYTES>()?;
        let (_secret, execution_arn) = rest.split_at_checked(SECRET_BYTES)?;
        Some(TaskToken {
            execution_arn: String::from_utf8(execution_arn.to_vec()).ok()?,
            task: TaskId(u32::from_be_bytes(*number)),
        })
    }
}

fn check(content: &[u8]) -> [u8; CHECK_BYTES] {
    let mut bytes = [0; CHECK_BYTES];
    for (to, from) in bytes.iter_mut().zip(Sha256::digest(content)) {
        *to = from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::TaskToken;
    use crate::state::TaskId;

    const ARN: &str = "arn:aws:states:us-east-1:111122223333:execution:m:e";

    #[test]
    fn a_token_leads_back_to_its_task() {
        let token = TaskToken::make(ARN, TaskId(7), &[3; 32]);
        let expected = TaskToken { execution_arn: ARN.to_owned(), task: TaskId(7) };
        assert_eq!(TaskToken::parse(&token), Some(expected));
        assert!(token.starts_with("AQ"), "{token}");
    }

    #[test]
    fn tokens_of_one_fact_do_not_lead_to_each_other() {
        let one = TaskToken::make(ARN, TaskId(1), &[3; 32]);
        let other = TaskToken::make(ARN, TaskId(2), &[3; 32]);
        assert_ne!(one.get(8..48), other.get(8..48), "the secrets differ");
    }

    #[test]
    fn what_was_not_copied_whole_is_no_token() {
        let token = TaskToken::make(ARN, TaskId(7), &[3; 32]);
        for text in ["", "NoSuchTaskToken", token.get(1..).unwrap(), &format!("{token}A")] {
            assert_eq!(TaskToken::parse(text), None, "{text}");
        }
        let changed = token.replace('B', "C");
        assert!(changed == token || TaskToken::parse(&changed).is_none());
    }
}
