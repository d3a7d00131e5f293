//! The validation corpus: policy text in, verdict and AWS's words out.

use std::collections::BTreeSet;

use policy::{Document, Kind};
use value::Value;

use crate::conformance;

#[test]
fn corpus_of_documents() {
    let Some(cases) = conformance::cases("validation-dev.jsonl") else {
        return;
    };
    let mut failed = Vec::new();
    let (mut texts, mut missed) = (BTreeSet::new(), BTreeSet::new());
    for case in &cases {
        let text = |key: &str| case.get(key).and_then(Value::as_str);
        let id = text("id").unwrap();
        let verdict = Document::parse(text("document").unwrap(), Kind::Managed);
        let message = verdict.as_ref().err().map(|fault| fault.message.as_str());
        texts.extend(text("message"));
        if message != text("message") {
            missed.extend(text("message"));
            eprintln!("{id}: expected {:?}, got {verdict:?}", text("message"));
            failed.push(id.to_owned());
        }
    }
    eprintln!("{} of {} texts", texts.len() - missed.len(), texts.len());
    conformance::hold_score("policy-validation", cases.len(), failed);
}
