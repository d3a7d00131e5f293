//! Secure references (`{{resolve:ssm-secure:name}}`): what stands for one is known only to the call
//! that needs it.
//!
//! AWS CloudFormation user guide, "Get a secure string value from Systems Manager Parameter Store"
//! (read 2026-11): the reference is what is kept, compared and shown.

use std::sync::Arc;

use runtime::{AwsEndpoint as _, Call as Asked, CallError};
use value::{Value, value};

use crate::endpoint::{Endpoint, call_error};
use crate::{Error, Input as _, Services, ids};

/// The calls of stacks that take a secret, and the member that it is.
const PASSWORD: (&str, [&str; 2], &str) =
    ("iam", ["CreateLoginProfile", "UpdateLoginProfile"], "Password");
/// How calls of stacks begin to say on whose behalf they are made.
const STACK: &str = "stack/";

impl Services {
    /// Returns a call with the secret that it refers to, read as whoever makes the call.
    ///
    /// # Errors
    /// When the parameter is not there or may not be read.
    pub(crate) async fn with_secret(
        self: &Arc<Services>,
        asked: Asked,
    ) -> Result<Asked, CallError> {
        let (service, operations, member) = PASSWORD;
        let is_stacks = asked.process.as_ref().is_some_and(|process| process.starts_with(STACK));
        if !is_stacks || asked.service != service || !operations.contains(&&*asked.operation) {
            return Ok(asked);
        }
        let given = asked.input.maybe_text(member).unwrap_or_default();
        let Some(name) = stacks::secure_reference(given) else { return Ok(asked) };
        let input = value!({"Names": [name], "WithDecryption": true});
        let mut reading = Asked::new(asked.caller.clone(), "ssm", "GetParameters", input);
        reading.process.clone_from(&asked.process);
        let found = Endpoint::new(self.clone()).call(reading).await?;
        let held = found.path(&["Parameters"]).and_then(|them| them.at(0));
        let Some(secret) = held.and_then(|held| held.get("Value")).and_then(Value::as_str) else {
            // DIFFERS: AWS looks whether it is there before the operation begins.
            let text = format!("Parameters: [ssm-secure:{name}] cannot be found.");
            return Err(call_error("cloudformation", &Error::validation(text), &ids::uuid()));
        };
        let input = asked.input.clone().with(member, secret);
        Ok(Asked { input, ..asked })
    }
}
