//! How an execution over many targets begins its children and hears of their ends.

use super::Run;
use crate::effect::{Child, ChildWish, Effect};
use crate::fact::{ChildEnd, StopType};
use crate::failure::{self, Failure};
use crate::rate::{ChildExecution, Fleet, RateControl};
use crate::state::{Phase, Status, Verdict};

impl Run<'_> {
    /// Begins the first child.
    pub(super) fn begin_fleet(&mut self) {
        self.state.phase = Phase::Fleet;
        self.state.fleet = Some(Fleet { window: 1, ..Fleet::default() });
        self.go_on_with_fleet();
    }

    fn rate(&self) -> Option<&RateControl> {
        self.state.started.as_ref()?.rate.as_deref()
    }

    /// Begins as many children as may run now; ends when none runs and none is to come.
    fn go_on_with_fleet(&mut self) {
        while let Some(index) = self.next_target() {
            self.begin_child(index);
        }
        let running = self.state.fleet.as_ref().map_or(0, Fleet::running);
        if running == 0 {
            self.judge_fleet();
            self.finish();
        }
    }

    /// Returns the target that is to be begun now.
    fn next_target(&self) -> Option<usize> {
        let (rate, fleet) = (self.rate()?, self.state.fleet.as_ref()?);
        let may_begin = self.state.stop.is_none()
            && fleet.errors() <= rate.errors_allowed()
            && fleet.running() < fleet.window.min(rate.concurrency());
        let next = fleet.children.len();
        (may_begin && next < rate.resolved.len()).then_some(next)
    }

    fn begin_child(&mut self, index: usize) {
        let Some(target) = self.rate().and_then(|rate| rate.resolved.get(index)).cloned() else {
            return;
        };
        let (execution_id, step_id) = (self.draw_uuid(), self.draw_uuid());
        let child = |id| Child {
            id,
            execution_id: execution_id.clone(),
            target: target.name,
            parameters: target.parameters,
            wish: ChildWish::Run,
        };
        let id = self.ask(|id| Effect::Child(Box::new(child(id))));
        let start_millis = self.stamp.millis;
        let status = Status::InProgress;
        let begun = ChildExecution {
            id,
            execution_id,
            step_id,
            status,
            start_millis,
            end_millis: None,
            failure_message: None,
        };
        if let Some(fleet) = &mut self.state.fleet {
            fleet.children.push(begun);
        }
        self.changed();
    }

    /// Notes the end of a child.
    pub(super) fn child_ended(&mut self, id: u64, end: ChildEnd) {
        if self.state.phase != Phase::Fleet || self.state.outstanding.remove(&id).is_none() {
            return;
        }
        let concurrency = self.rate().map_or(1, RateControl::concurrency);
        let Some(fleet) = &mut self.state.fleet else { return };
        if let Some(child) = fleet.children.iter_mut().find(|child| child.id == id) {
            child.status = end.status;
            child.end_millis = Some(self.stamp.millis);
            child.failure_message = end.failure_message;
        }
        fleet.widen(concurrency);
        self.changed();
        self.go_on_with_fleet();
    }

    /// Begins no further child, and with `Cancel` stops those that run.
    pub(super) fn stop_fleet(&mut self, stop: StopType) {
        if self.state.stop == Some(StopType::Cancel) {
            return;
        }
        self.state.stop = Some(stop);
        self.changed();
        if stop == StopType::Complete {
            return self.go_on_with_fleet();
        }
        self.execution_status(Status::Cancelling);
        for effect in self.state.outstanding.values_mut() {
            if let Effect::Child(child) = effect {
                child.wish = ChildWish::Stop;
                self.effects.push(Effect::Child(child.clone()));
            }
        }
        self.go_on_with_fleet();
    }

    /// Decides whether too many children have gone wrong.
    // UNVERIFIED: that an execution whose children failed less often than allowed is a success.
    fn judge_fleet(&mut self) {
        let (Some(rate), Some(fleet)) = (self.rate(), &self.state.fleet) else { return };
        let (errors, allowed) = (fleet.errors(), rate.errors_allowed());
        if errors <= allowed {
            return;
        }
        let first = fleet.children.iter().find_map(|child| child.failure_message.as_deref());
        // UNVERIFIED: the wording.
        let text = format!(
            "{errors} of {} targets failed, and {allowed} may; the first: {}",
            rate.resolved.len(),
            first.map_or("it did not say why", failure::bare)
        );
        self.state.failure = Some(Failure::fleet(&text));
        self.state.verdict = Verdict::Failed;
    }
}
