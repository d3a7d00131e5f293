//! The three kinds of processes: each translates between one engine and the shard.

mod automation;
mod errands;
mod execution;
mod execution_status;
mod stack;

use std::fmt::Write as _;

use events::Event;
use sha2::{Digest, Sha256};
use store::Table;
use value::Value;

pub use automation::{BeginAutomation, automation_tags_key};
pub use errands::{ErrandDone, Watcher};
pub use execution::BeginExecution;
pub use stack::{BeginStack, stack_event_key};

pub(crate) use automation::AutomationProcess;
pub(crate) use execution::ExecutionProcess;
pub(crate) use execution_status::EXECUTION_EVENTS_SOURCE;
pub(crate) use stack::StackProcess;

use crate::Error;
use crate::process::{Effect, Stamp, put};

/// Later than any time that is written down, in milliseconds: keys count down from here, so that
/// the newest comes first.
const END_OF_TIME_MILLIS: i64 = 9_999_999_999_999;

/// Returns a key part that sorts newest first: what began later has a smaller one.
pub fn newest_first(millis: i64) -> String {
    format!("{:013}", END_OF_TIME_MILLIS.saturating_sub(millis))
}

/// Returns the effect that puts an event into the outbox. Its id comes from the fact's entropy.
pub(crate) fn emit(mut event: Event, stamp: &Stamp, number: usize) -> Effect {
    let mut hash = Sha256::new();
    hash.update(stamp.entropy);
    hash.update(number.to_be_bytes());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    event.id = uuid(bytes);
    let stored = event.to_value();
    Effect::Emit(put(Table::EventOutbox, event.id, &stored))
}

/// Returns the UUID (version 4 form) made of these bytes.
fn uuid(mut bytes: [u8; 16]) -> String {
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Turns a snapshot back into what it was made of.
fn restored<T: serde::de::DeserializeOwned>(name: &str, snapshot: Value) -> Result<T, Error> {
    value::from_value(snapshot).map_err(|err| {
        Error::Store(store::Error::Corrupt {
            place: format!("snapshot of {name}"),
            what: err.to_string(),
        })
    })
}
