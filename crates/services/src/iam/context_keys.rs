//! GetContextKeysForCustomPolicy and GetContextKeysForPrincipalPolicy: what a simulation needs to
//! know.
//!
//! IAM API reference, pages of the two operations (read 2026-11-25).

use policy::{Kind, Policy};
use value::Value;

use super::simulation::{Subject, check, policies};
use crate::{Answer, Check, Operation, Reading, Run};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "GetContextKeysForCustomPolicy",
        checks: |_, _| Ok(vec![Check::any("iam:GetContextKeysForCustomPolicy")]),
        run: Run::Read(|_, input| Ok(shown(&policies(input, "PolicyInputList", Kind::Identity)?))),
    },
    Operation {
        name: "GetContextKeysForPrincipalPolicy",
        checks: |on, input| Ok(vec![check(on, "GetContextKeysForPrincipalPolicy", input)?]),
        run: Run::Read(of_principal),
    },
];

fn of_principal(on: &Reading<'_>, input: &Value) -> Answer {
    let mut all = Subject::read(on, input)?.identity;
    all.extend(policies(input, "PolicyInputList", Kind::Identity)?);
    Ok(shown(&all))
}

fn shown(policies: &[Policy]) -> Value {
    let mut keys: Vec<String> = Vec::new();
    for key in policies.iter().flat_map(|policy| policy.document.context_keys()) {
        if !keys.iter().any(|known| known.eq_ignore_ascii_case(&key)) {
            keys.push(key);
        }
    }
    Value::object().with("ContextKeyNames", keys)
}
