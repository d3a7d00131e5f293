//! `stepwell eval`: what a JSONata expression gives, without a server.

mod lines;

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::{Context, Result};
use jsonata::{Bindings, Dialect, Error, Limits, Moment, Outcome, Program};
use value::{Value, value};

use super::excerpt::{Place, excerpt};
use super::paint::{Meaning, Paint};
use super::{json_argument, text_argument};

/// Evaluate a JSONata expression.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The expression, or @FILE; `{% … %}` around it is taken off
    #[arg(value_name = "EXPRESSION", required_unless_present = "jsonl")]
    expression: Option<String>,
    /// What it is evaluated over: JSON, @FILE, or `-` for standard input; nothing is undefined
    #[arg(value_name = "DATA")]
    data: Option<String>,
    /// A variable: --bind states='{"input": {"n": 1}}', --bind rate=@FILE
    #[arg(long = "bind", value_name = "NAME=JSON")]
    bindings: Vec<String>,
    /// The language: `aws` as Step Functions has it, with its limits, `full` as JSONata 2 has it
    #[arg(long, value_enum, default_value = "aws")]
    dialect: Spoken,
    /// Print {"result": …}, {"undefined": true} or {"error": …}, as it is when nobody watches
    #[arg(long)]
    json: bool,
    /// Read lines {"expr": …, "data": …, "bindings": …} from standard input, answer each by a line
    #[arg(long, conflicts_with_all = ["expression", "data", "bindings"])]
    jsonl: bool,
}

/// A dialect, with its limits.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Spoken {
    Aws,
    Full,
}

impl Spoken {
    fn dialect(self) -> Dialect {
        match self {
            Spoken::Aws => Dialect::Aws,
            Spoken::Full => Dialect::Full,
        }
    }

    fn limits(self) -> Limits {
        match self {
            Spoken::Aws => Limits::aws(),
            Spoken::Full => Limits::wide(),
        }
    }
}

/// Evaluates; the status is 1 when something could not be.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.jsonl {
        return lines::run(arguments.dialect);
    }
    let text = text_argument(arguments.expression.as_deref().unwrap_or_default())?;
    let expression = bare(&text);
    let data = match &arguments.data {
        Some(data) => Some(json_argument("DATA", data)?),
        None => None,
    };
    let mut bindings = Bindings::new();
    for binding in &arguments.bindings {
        let (name, value) = binding
            .split_once('=')
            .with_context(|| format!("`{binding}` binds nothing: write --bind NAME=JSON"))?;
        bindings.bind(name.trim_start_matches('$'), json_argument("--bind", value)?);
    }
    let answer = Program::compile(expression, arguments.dialect.dialect()).and_then(|program| {
        program.evaluate(data.as_ref(), &bindings, &arguments.dialect.limits(), &mut moment())
    });
    let code = if answer.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if arguments.json || !std::io::stdout().is_terminal() {
        println!("{}", told(answer));
        return Ok(code);
    }
    match answer {
        Ok(Outcome::Value(value)) => println!("{}", value.to_pretty()),
        Ok(Outcome::Undefined) => eprintln!("undefined"),
        Ok(Outcome::Function) => eprintln!("a function, which is no JSON"),
        Err(err) => eprint!("{}", explained(expression, &err, Paint::of(&std::io::stderr()))),
    }
    Ok(code)
}

/// Returns the expression without the brackets it has in a state machine.
fn bare(text: &str) -> &str {
    let inside = text.trim().strip_prefix("{%").and_then(|text| text.strip_suffix("%}"));
    inside.map_or(text, str::trim)
}

/// Returns a moment of now, by chance.
fn moment() -> Moment {
    let mut entropy = [0; 32];
    // Without entropy `$random()` repeats itself, and all else is right.
    let _ = getrandom::fill(&mut entropy);
    Moment::new(runtime::wall_millis(), entropy)
}

/// Returns an answer for machines; a function is no JSON, so it is undefined there.
fn told(answer: Result<Outcome, Error>) -> Value {
    match answer {
        Ok(Outcome::Value(value)) => value!({ "result": value }),
        Ok(Outcome::Undefined | Outcome::Function) => value!({"undefined": true}),
        Err(Error { code, position, token, message, .. }) => value!({
            "error": {"code": code, "position": position, "token": token, "message": message}
        }),
    }
}

/// Returns an error for people: the text, and the place in the expression.
fn explained(expression: &str, err: &Error, paint: Paint) -> String {
    let head = match err.code {
        Some(code) => format!("error[{code}]:"),
        None => "error:".to_owned(),
    };
    let head = format!("{} {}\n", paint.text(&head, Meaning::Bad), err.message);
    match place(expression, err) {
        Some(place) => head + &excerpt(expression, place, "", paint),
        None => head,
    }
}

/// Returns where an error is: its token where that stands before its position, else the character
/// before it; behind the end where something is missing there.
fn place(expression: &str, err: &Error) -> Option<Place> {
    let position = err.position?;
    let mut units = 0;
    let before = expression.chars().take_while(|next| {
        units += next.len_utf16();
        units <= position
    });
    let before: String = before.collect();
    let token = err.token.as_ref().and_then(Value::as_str).filter(|token| !token.is_empty());
    let (start, characters) = match token {
        Some(token) if before.ends_with(token) => {
            (before.len() - token.len(), token.chars().count())
        }
        _ if before.len() == expression.len() => (before.len(), 1),
        _ => (before.len() - before.chars().next_back().map_or(0, char::len_utf8), 1),
    };
    let before = before.get(..start)?;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Some(Place {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..)?.chars().count() + 1,
        characters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expression: &str) -> String {
        let program = Program::compile(expression, Dialect::Aws);
        let err = program
            .and_then(|p| p.evaluate(None, &Bindings::new(), &Limits::aws(), &mut moment()))
            .unwrap_err();
        explained(expression, &err, Paint::Plain)
    }

    #[test]
    fn an_error_is_marked_where_it_is() {
        assert_eq!(
            shown("\"営業\" & 1 +\n  oops ) "),
            "error[S0201]: Syntax error: \")\"\n  |\n2 |   oops ) \n  |        ^\n"
        );
        assert!(shown("1 + \"a\"").contains("1 | 1 + \"a\"\n  |   ^\n"), "{}", shown("1 + \"a\""));
    }

    #[test]
    fn brackets_of_a_state_machine_are_taken_off() {
        assert_eq!(bare(" {% $x + 1 %}\n"), "$x + 1");
        assert_eq!(bare("$x + 1"), "$x + 1");
    }
}
