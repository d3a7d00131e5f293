//! Programs of JSONata: whatever they are, they end within their budgets, and the same way twice.
#![no_main]

use jsonata::{Bindings, Dialect, Error, Limits, Moment, Outcome, Program};
use libfuzzer_sys::fuzz_target;
use value::{Value, value};

fuzz_target!(|text: &str| {
    let input = value!({
        "items": [{"name": "abc", "price": 12.5, "tags": ["x"]}, {"name": "b", "price": 7}],
        "text": "a, b;c", "n": null,
    });
    let bindings = Bindings::new().with("states", Value::object().with("input", input.clone()));
    let limits = Limits { bytes_max: 100_000, steps_max: 5_000, ..Limits::aws() };
    for dialect in [Dialect::Full, Dialect::Aws] {
        let program = match Program::compile(text, dialect) {
            Ok(program) => program,
            Err(error) => {
                holds(text, &Err(error));
                continue;
            }
        };
        let evaluate = || {
            let mut moment = Moment::new(1_700_000_000_000, [5; 32]);
            program.evaluate(Some(&input), &bindings, &limits, &mut moment)
        };
        let answer = evaluate();
        holds(text, &answer);
        assert_eq!(answer, evaluate(), "not the same twice");
    }
});

/// An answer can be written and read; an error has words and a place in the text.
fn holds(text: &str, answer: &Result<Outcome, Error>) {
    match answer {
        Ok(Outcome::Value(value)) => {
            assert_eq!(value::parse(&value.to_string()).as_ref(), Ok(value));
        }
        Ok(Outcome::Undefined | Outcome::Function) => {}
        Err(error) => {
            assert!(!error.message.is_empty(), "{error:?}");
            let units = text.encode_utf16().count();
            assert!(error.position.is_none_or(|at| at <= units), "{error:?}");
        }
    }
}
