//! Encoded authorization messages: why a call was refused, for the eyes of those who may know.
//!
//! On AWS refusals of EC2 carry one, and those of a few services around it. None of them is served
//! here; but calls of EC2 that leave for elsewhere are judged here, and their refusals carry one.
//!
//! STS API reference, "DecodeAuthorizationMessage" (read 2026-11).

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use policy::{Decision, Effect, Matched, Outcome, Request};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use value::{Value, value};

use crate::{Answer, Call, Check, Error, Input, Operation, Pending, Run, Services, ids};

/// The services whose refusals carry a message.
const CARRIERS: &[&str] = &["ec2"];
/// How long a key is.
const KEY_BYTES: usize = 32;

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "DecodeAuthorizationMessage",
    checks: |_, _| Ok(vec![Check::any("sts:DecodeAuthorizationMessage")]),
    run: Run::Workflow(decode_authorization_message),
}];

fn decode_authorization_message(services: Arc<Services>, _: Call, input: Value) -> Pending {
    Box::pin(async move {
        let answer: Answer = match services.messages().decode(input.text("EncodedMessage")?) {
            Some(decoded) => Ok(Value::object().with("DecodedMessage", decoded)),
            // UNVERIFIED: AWS's text.
            None => Err(Error::new(
                "InvalidAuthorizationMessageException",
                "Message is not valid or was not issued here",
            )),
        };
        answer
    })
}

/// Encodes messages and decodes them again; nobody else can do either.
#[derive(Default)]
pub(crate) struct Messages {
    key: OnceLock<[u8; KEY_BYTES]>,
}

impl Messages {
    /// Says with which key; without, messages are good for as long as the process lives.
    pub(crate) fn set_key(&self, key: [u8; KEY_BYTES]) {
        // Said once, before anybody calls.
        let _ = self.key.set(key);
    }

    fn key(&self) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, self.key.get_or_init(ids::entropy)).ok()?;
        Some(LessSafeKey::new(key))
    }

    fn encode(&self, text: &str) -> Option<String> {
        let nonce: [u8; NONCE_LEN] = ids::entropy();
        let mut sealed = text.as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.key()?.seal_in_place_append_tag(unique, Aad::empty(), &mut sealed).ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    fn decode(&self, message: &str) -> Option<String> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(message).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let (nonce, mut sealed) = (Nonce::assume_unique_for_key(*nonce), sealed.to_vec());
        let plain = self.key()?.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }

    /// Returns the refusal of a call as its service words it: those of most say what they always
    /// say, and a few hide the reasons in a message.
    pub(crate) fn refusal(
        &self,
        service: &str,
        request: &Request,
        decision: &Decision,
        err: Error,
    ) -> Error {
        if !CARRIERS.contains(&service) {
            return err;
        }
        let Some(encoded) = self.encode(&described(request, decision).to_string()) else {
            return err;
        };
        Error::new(
            "UnauthorizedOperation",
            format!(
                "You are not authorized to perform this operation. {} Encoded authorization \
                 failure message: {encoded}",
                err.message
            ),
        )
    }
}

fn items(items: impl IntoIterator<Item = Value>) -> Value {
    let items: Vec<Value> = items.into_iter().collect();
    value!({ "items": items })
}

/// Returns the refusal in full.
// DIFFERS: of statements that matched, AWS repeats actions, resources and conditions; here their
// policies and places in them are named. Condition keys are in lower case.
fn described(request: &Request, decision: &Decision) -> Value {
    let principal = &request.principal;
    let arn = principal.arn();
    let name = arn.rsplit('/').next().unwrap_or_default();
    let condition = |(key, values): (&str, &[Arc<str>])| {
        let values = items(values.iter().map(|text| value!({ "value": (&**text) })));
        value!({ "key": key, "values": (values) })
    };
    let statement = |matched: &Matched| {
        let effect = match matched.effect {
            Effect::Allow => "ALLOW",
            Effect::Deny => "DENY",
        };
        Value::object()
            .with("statementId", matched.sid.as_deref().unwrap_or_default())
            .with("effect", effect)
            .with("policy", &*matched.policy)
            .with("statement", i64::try_from(matched.index).unwrap_or(i64::MAX))
    };
    let context = Value::object()
        .with("principal", value!({ "id": (principal.user_id()), "name": name, "arn": (&*arn) }))
        .with("action", &*request.action)
        .with("resource", &*decision.resource)
        .with("conditions", items(request.context.iter().map(condition)));
    Value::object()
        .with("allowed", false)
        .with("explicitDeny", decision.outcome == Outcome::ExplicitDeny)
        .with("matchedStatements", items(decision.matched.iter().map(statement)))
        .with("failures", items([]))
        .with("context", context)
}

#[cfg(test)]
mod tests {
    use policy::{Context, PolicySet, Principal};

    use super::*;

    fn refusal(messages: &Messages, service: &str) -> Error {
        let principal = Principal::user("123456789012", "/", "u", "AIDA1");
        let context = Context::new().with("aws:RequestedRegion", "us-east-1");
        let request = Request::new(principal, "ec2:RunInstances", "*", context);
        let decision = policy::decide(&request, &PolicySet::default());
        messages.refusal(service, &request, &decision, Error::new("AccessDenied", "No."))
    }

    #[test]
    fn only_who_has_the_key_reads_a_message() {
        let (messages, others) = (Messages::default(), Messages::default());
        let refused = refusal(&messages, "ec2");
        assert_eq!(refused.code, "UnauthorizedOperation");
        let (text, encoded) = refused.message.rsplit_once(' ').unwrap();
        assert_eq!(
            text,
            "You are not authorized to perform this operation. No. Encoded authorization failure \
             message:"
        );
        assert_eq!(
            messages.decode(encoded).unwrap(),
            concat!(
                r#"{"allowed":false,"explicitDeny":false,"matchedStatements":{"items":[]},"#,
                r#""failures":{"items":[]},"context":{"principal":{"id":"AIDA1","name":"u","#,
                r#""arn":"arn:aws:iam::123456789012:user/u"},"action":"ec2:RunInstances","#,
                r#""resource":"*","conditions":{"items":[{"key":"aws:requestedregion","#,
                r#""values":{"items":[{"value":"us-east-1"}]}}]}}}"#
            )
        );
        assert_eq!(others.decode(encoded), None);
        for wrong in ["", "x", &format!("x{encoded}"), &format!("{encoded}\n")] {
            assert_eq!(messages.decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn services_that_carry_none_say_what_they_always_say() {
        assert_eq!(refusal(&Messages::default(), "iam").to_string(), "AccessDenied: No.");
    }
}
