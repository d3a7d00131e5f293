//! Definitions of state machines: accepted, or refused in words that have a place in the text.
#![no_main]

use asl::{AnyResource, Definition, Options, Severity, Span, StateMachineType, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for machine_type in [StateMachineType::Standard, StateMachineType::Express] {
        let options = Options { machine_type, resources: &AnyResource };
        let checked = check(text, &options);
        let mut found = checked.diagnostics.iter();
        let is_faulty = found.any(|one| one.severity == Severity::Error);
        assert_eq!(checked.definition.is_none(), is_faulty, "{:?}", checked.diagnostics);
        for found in &checked.diagnostics {
            assert!(!found.to_string().is_empty());
            let inside =
                |span: Span| span.start.offset <= span.end.offset && span.end.offset <= text.len();
            assert!(found.span.is_none_or(inside), "{found:?}");
        }
        // What was accepted once is accepted for ever.
        let accepted = Definition::parse_accepted(text, &options);
        assert!(checked.definition.is_none() || accepted.is_ok());
        let _ = Definition::parse_state(text, &options);
    }
});
