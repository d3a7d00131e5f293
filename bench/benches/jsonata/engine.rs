//! The engines that are compared.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use jsonata::{Bindings, Dialect, Limits, Moment, Outcome, Program};
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context as Variables, Evaluator};
use jsonata_core::value::JValue;
use value::Value;

use crate::node::Node;

/// A batch that is shorter than this is doubled: the clock is read rarely.
const BATCH: Duration = Duration::from_micros(200);

/// Someone who evaluates JSONata.
pub(crate) trait Engine {
    /// Its name and version.
    fn name(&self) -> String;
    /// Returns what an expression gives, to see that all do the same work.
    fn answer(&mut self, text: &str) -> Result<Value>;
    /// Returns the nanoseconds of evaluating a compiled expression once.
    fn evaluate(&mut self, text: &str, budget: Duration) -> Result<f64>;
    /// Returns the nanoseconds of parsing and compiling it once.
    fn compile(&mut self, text: &str, budget: Duration) -> Result<f64>;
}

/// Returns the least nanoseconds per call over many batches.
fn nanoseconds(budget: Duration, mut work: impl FnMut()) -> f64 {
    let mut batch = 1_u32;
    let mut best = f64::INFINITY;
    let started = Instant::now();
    while started.elapsed() < budget {
        let before = Instant::now();
        (0..batch).for_each(|_| work());
        let spent = before.elapsed();
        best = best.min(spent.as_secs_f64() * 1e9 / f64::from(batch));
        if spent < BATCH {
            batch *= 2;
        }
    }
    best
}

/// Our own crate, as the state machines use it.
pub(crate) struct Ours {
    bindings: Bindings,
    limits: Limits,
    moment: Moment,
}

impl Ours {
    pub(crate) fn new(variables: &Value) -> Ours {
        let members = variables.as_object().into_iter().flat_map(value::Map::iter);
        let bind =
            |all: Bindings, (name, v): (&value::Key, &Value)| all.with(name.clone(), v.clone());
        let bindings = members.fold(Bindings::new(), bind);
        Ours { bindings, limits: Limits::aws(), moment: Moment::new(0, [0; 32]) }
    }
}

impl Engine for Ours {
    fn name(&self) -> String {
        "stepwell".to_owned()
    }

    fn answer(&mut self, text: &str) -> Result<Value> {
        let program = Program::compile(text, Dialect::Aws)?;
        match program.evaluate(None, &self.bindings, &self.limits, &mut self.moment)? {
            Outcome::Value(value) => Ok(value),
            other => Err(anyhow!("{other:?}")),
        }
    }

    fn evaluate(&mut self, text: &str, budget: Duration) -> Result<f64> {
        let program = Program::compile(text, Dialect::Aws)?;
        let Ours { bindings, limits, moment } = self;
        Ok(nanoseconds(budget, || {
            black_box(program.evaluate(None, bindings, limits, moment)).ok();
        }))
    }

    fn compile(&mut self, text: &str, budget: Duration) -> Result<f64> {
        Ok(nanoseconds(budget, || {
            black_box(Program::compile(text, Dialect::Aws)).ok();
        }))
    }
}

/// `jsonata-core` from crates.io.
pub(crate) struct Core {
    evaluator: Evaluator,
}

impl Core {
    pub(crate) fn new(variables: &Value) -> Result<Core> {
        let mut context = Variables::new();
        for (name, value) in variables.as_object().into_iter().flat_map(value::Map::iter) {
            context.bind(name.to_string(), JValue::from_json_str(&value.to_string())?);
        }
        Ok(Core { evaluator: Evaluator::with_context(context) })
    }
}

fn parse(text: &str) -> Result<AstNode> {
    jsonata_core::parser::parse(text).map_err(|err| anyhow!("{err}"))
}

impl Engine for Core {
    fn name(&self) -> String {
        "jsonata-core".to_owned()
    }

    fn answer(&mut self, text: &str) -> Result<Value> {
        let found = self.evaluator.evaluate(&parse(text)?, &JValue::Null);
        let found = found.map_err(|err| anyhow!("{}", err.message()))?;
        value::parse(&found.to_json_string()?).context("its answer")
    }

    fn evaluate(&mut self, text: &str, budget: Duration) -> Result<f64> {
        let node = parse(text)?;
        Ok(nanoseconds(budget, || {
            black_box(self.evaluator.evaluate(&node, &JValue::Null)).ok();
        }))
    }

    fn compile(&mut self, text: &str, budget: Duration) -> Result<f64> {
        Ok(nanoseconds(budget, || {
            black_box(parse(text)).ok();
        }))
    }
}

/// jsonata-js on node, in a process of its own.
pub(crate) struct JavaScript {
    node: Node,
}

impl JavaScript {
    pub(crate) fn new(variables: &Value) -> Result<JavaScript> {
        Ok(JavaScript { node: Node::start(variables)? })
    }

    fn figure(&mut self, verb: &str, text: &str, budget: Duration) -> Result<f64> {
        let milliseconds = i64::try_from(budget.as_millis())?;
        let ask = Value::object().with("verb", verb).with("expr", text).with("ms", milliseconds);
        self.node.ask(&ask)?.as_f64().context("node answered no number")
    }
}

impl Engine for JavaScript {
    fn name(&self) -> String {
        "jsonata-js".to_owned()
    }

    fn answer(&mut self, text: &str) -> Result<Value> {
        self.node.ask(&Value::object().with("verb", "answer").with("expr", text))
    }

    fn evaluate(&mut self, text: &str, budget: Duration) -> Result<f64> {
        self.figure("evaluate", text, budget)
    }

    fn compile(&mut self, text: &str, budget: Duration) -> Result<f64> {
        self.figure("compile", text, budget)
    }
}
