//! What goes wrong, and how it is mended.

use super::{Event, World};
use crate::disk::Troubles;
use crate::network::Heard;
use crate::plan::Fault;

impl World {
    /// Lets something go wrong somewhere, and plans the next time.
    pub(super) fn fault(&mut self, fault: Fault, mean: i64) {
        if self.is_calm {
            return;
        }
        let after = self.random.between(1, 2 * mean);
        self.plan_in(after, Event::Fault(fault, mean));
        let seat = self.random.below(self.seats.len());
        match fault {
            Fault::Crash => self.crash_and_boot(seat),
            Fault::Stop => self.stop(seat),
            Fault::Pause => self.pause(seat),
            Fault::Cut => self.cut(seat),
            Fault::Depose => self.depose(seat),
            Fault::Part => self.part(seat),
            Fault::Jump => self.jump_one(seat),
        }
    }

    fn crash_and_boot(&mut self, seat: usize) {
        if self.seats.get(seat).is_some_and(|seat| seat.life.is_some()) {
            self.crash(seat);
            let after = self.random.between(10, 8_000);
            self.plan_in(after, Event::Boot(seat));
        }
    }

    fn stop(&mut self, number: usize) {
        let network = self.network.clone();
        let Some(seat) = self.seats.get_mut(number).filter(|seat| !seat.is_stopping) else {
            return;
        };
        let Some(life) = &mut seat.life else { return };
        seat.is_stopping = true;
        self.trace.say(format_args!("n{number} is told to stop"));
        let (runtime, life_number) = (life.runtime.clone(), life.number);
        life.spawn(async move {
            runtime.stop().await;
            network.tell(Heard::Stopped { seat: number, life: life_number });
        });
    }

    fn pause(&mut self, seat: usize) {
        let millis = self.random.between(100, 12_000);
        let until = self.now + millis;
        if let Some(life) = self.seats.get_mut(seat).and_then(|seat| seat.life.as_mut()) {
            life.paused_until = until;
            self.trace.say(format_args!("n{seat} stands still for {millis} ms"));
        }
    }

    fn cut(&mut self, seat: usize) {
        let millis = self.random.between(100, 12_000);
        let life = self.seats.get(seat).and_then(|seat| seat.life.as_ref());
        if let Some(life) = life {
            life.disk.set_cut(true);
            let number = life.number;
            self.trace.say(format_args!("n{seat} is cut off for {millis} ms"));
            self.plan_in(millis, Event::Mend { seat, life: number });
        }
    }

    fn depose(&mut self, seat: usize) {
        let millis = self.random.between(3_000, 12_000);
        let life = self.seats.get(seat).and_then(|seat| seat.life.as_ref());
        if let Some(life) = life {
            life.disk.set_deposed(true);
            let number = life.number;
            self.trace.say(format_args!("n{seat} gets no turn for {millis} ms"));
            self.plan_in(millis, Event::Mend { seat, life: number });
        }
    }

    pub(super) fn mend(&mut self, seat: usize, number: u64) {
        if let Some(life) = self.life(seat, number) {
            life.disk.set_cut(false);
            life.disk.set_deposed(false);
        }
    }

    fn part(&mut self, one: usize) {
        let other = self.random.below(self.seats.len());
        let (one, other) = (one.min(other), one.max(other));
        let millis = self.random.between(100, 15_000);
        if one != other && self.parted.insert((one, other)) {
            self.trace.say(format_args!("n{one} and n{other} are parted for {millis} ms"));
            self.plan_in(millis, Event::Join(one, other));
        }
    }

    fn jump_one(&mut self, seat: usize) {
        let millis = self.random.between(1, 100_000);
        if let Some(life) = self.seats.get_mut(seat).and_then(|seat| seat.life.as_mut()) {
            life.clock.advance(millis);
            life.is_awake = true;
            self.trace.say(format_args!("the clock of n{seat} jumps ahead by {millis} ms"));
        }
    }

    /// Mends everything; from now on nothing goes wrong.
    pub(super) fn calm_down(&mut self) {
        self.trace.say("nothing goes wrong any more");
        self.is_calm = true;
        self.parted.clear();
        for number in 0..self.seats.len() {
            let Some(seat) = self.seats.get_mut(number) else { continue };
            if let Some(life) = &mut seat.life {
                life.paused_until = 0;
                life.disk.set_cut(false);
                life.disk.set_deposed(false);
                life.disk.set_troubles(Troubles::default());
                life.endpoint.calm_down();
                continue;
            }
            let is_boot =
                |event: &Event| matches!(event, Event::Boot(planned) if *planned == number);
            if !self.agenda.values().any(is_boot) {
                self.plan_in(0, Event::Boot(number));
            }
        }
    }
}
