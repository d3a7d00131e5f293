//! Carries child executions of map runs out, each with a state of its own.

use std::collections::VecDeque;

use asl::Definition;
use execution::{Child, ChildEnd, Effect, Fact, MapRunFact, Stamp, Started, State, TaskId, apply};

use crate::driver::started;

/// Runs a child that calls nothing to its end; timers fire when they are due.
pub(crate) fn run(definition: &Definition, millis: i64, child: &Child) -> (TaskId, ChildEnd) {
    let input = child.input.clone().expect("a child that begins has an input");
    let Fact::Started(parent) = started("null") else { panic!("it starts") };
    let started = Started {
        input: input.clone(),
        execution_arn: format!("arn:aws:states:us-east-1:111111111111:execution:m:{}", child.name),
        execution_name: child.name.clone(),
        child: Some(Box::new(child.of.clone())),
        ..*parent
    };
    let mut state = State::default();
    let mut facts = VecDeque::from([(millis, Fact::Started(Box::new(started)))]);
    while let Some((now, fact)) = facts.pop_front() {
        let stamp = Stamp { millis: now, entropy: [9; 32] };
        for effect in apply(definition, &mut state, &stamp, fact) {
            match effect {
                Effect::Timer { timer, at_millis } => {
                    facts.push_back((at_millis.max(now), Fact::TimerFired { timer }));
                }
                Effect::Child(inner) => {
                    let (task, end) = run(definition, now, &inner);
                    let fact = MapRunFact::ChildEnded(Box::new(end));
                    facts.push_back((now, Fact::MapRun { task, fact }));
                }
                Effect::Finish(finish) => {
                    let end = ChildEnd {
                        status: finish.status,
                        input,
                        output: finish.output,
                        error: finish.error,
                        cause: finish.cause,
                        start_millis: millis,
                        stop_millis: now,
                        is_redrivable: true,
                    };
                    return (child.task, end);
                }
                _ => {}
            }
        }
    }
    panic!("the child does not end")
}
