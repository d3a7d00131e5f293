//! The services, as running processes see them through a slow network that repeats itself.

use std::sync::{Arc, Mutex};

use runtime::{Answering, AwsEndpoint, Call, CallError, Caller, Clock, Environment};
use services::Endpoint;
use value::Value;

use crate::disk::Disk;
use crate::random::Random;
use crate::trace::{Trace, locked};

/// How calls fare.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chances {
    /// How many in a thousand are performed twice: the first answer was lost, and asked for again.
    pub(crate) doubled: usize,
    /// How many in a thousand are slow.
    pub(crate) slow: usize,
    /// How slow they are at most, in milliseconds.
    pub(crate) slow_millis_max: i64,
}

/// One node's endpoint.
pub(crate) struct SimEndpoint {
    inner: Mutex<Option<Arc<Endpoint>>>,
    node: String,
    clock: Clock,
    trace: Trace,
    disk: Arc<Disk>,
    chance: Mutex<(Chances, Random)>,
}

impl SimEndpoint {
    pub(crate) fn new(
        inner: Endpoint,
        node: String,
        clock: Clock,
        trace: Trace,
        disk: Arc<Disk>,
        chances: Chances,
        random: Random,
    ) -> SimEndpoint {
        let chance = Mutex::new((chances, random));
        SimEndpoint { inner: Mutex::new(Some(Arc::new(inner))), node, clock, trace, disk, chance }
    }

    /// Lets go of the services.
    pub(crate) fn forget(&self) {
        *locked(&self.inner) = None;
    }

    /// From now on calls are quick and answers arrive.
    pub(crate) fn calm_down(&self) {
        locked(&self.chance).0 = Chances::default();
    }

    fn delay_millis(&self) -> u64 {
        let (chances, random) = &mut *locked(&self.chance);
        let millis = if random.chance(chances.slow) {
            random.between(0, chances.slow_millis_max)
        } else {
            random.between(0, 3)
        };
        millis.unsigned_abs()
    }

    fn is_doubled(&self) -> bool {
        let (chances, random) = &mut *locked(&self.chance);
        random.chance(chances.doubled)
    }
}

impl AwsEndpoint for SimEndpoint {
    fn call(&self, call: Call) -> Answering {
        let effect = call.effect_id.clone().unwrap_or_default();
        self.trace.say(format_args!("{} calls {} for {effect}", self.node, call.operation));
        // A look at a job changes nothing and has no id.
        match &call.effect_id {
            Some(effect) => locked(&self.disk.ledger).called(effect),
            None => locked(&self.disk.ledger).calls += 1,
        }
        let Some(inner) = locked(&self.inner).clone() else {
            return Box::pin(async { Err(CallError::internal(String::new())) });
        };
        let (before, after) = (self.delay_millis(), self.delay_millis());
        let again = self.is_doubled().then(|| self.delay_millis());
        let (clock, trace, node) = (self.clock.clone(), self.trace.clone(), self.node.clone());
        if &*call.service == "s3" {
            // It is elsewhere, and now and then refuses.
            let (disk, refuses) = (self.disk.clone(), again.is_some());
            return Box::pin(async move {
                clock.sleep(before).await;
                if refuses {
                    return Err(CallError::internal(String::new()));
                }
                locked(&disk.ledger).put_object(&call.input);
                clock.sleep(after).await;
                Ok(Value::object())
            });
        }
        Box::pin(async move {
            clock.sleep(before).await;
            if let Some(later) = again
                && call.effect_id.is_none()
            {
                trace.say(format_args!("{node} cannot look just now"));
                clock.sleep(later).await;
                return Err(CallError::internal(String::new()));
            }
            let mut answer = inner.call(call.clone()).await;
            if let Some(later) = again {
                trace.say(format_args!("{node} has lost the answer to {effect} and calls again"));
                clock.sleep(later).await;
                answer = inner.call(call).await;
            }
            clock.sleep(after).await;
            let code = answer.as_ref().err().map_or("well", |err| err.code.as_str());
            trace.say(format_args!("{node} has the answer to {effect}: {code}"));
            answer
        })
    }

    fn script_environment(&self, _: Caller) -> Environment {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn events_committed(&self) {}

    fn hears(&self, _: &str) -> bool {
        true
    }
}
