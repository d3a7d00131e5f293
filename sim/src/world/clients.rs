//! Clients: they begin processes, ask again, stop some, and remember what they were told.

use anyhow::Result;
use runtime::{Begin, Error, Fact, Kind, ProcessId, Started};

use super::{Event, World};
use crate::network::{Heard, Outcome};
use crate::plan::Plan;
use crate::random::Random;
use crate::workload;

/// How often a client asks again for what failed.
const TRIES_MAX: usize = 12;

/// What a client asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    Begin(usize),
    Stop(usize),
    /// By the redrive of this number.
    Redrive(usize, usize),
}

impl Ask {
    /// Returns whose process it is about.
    fn client(self) -> usize {
        let (Ask::Begin(client) | Ask::Stop(client) | Ask::Redrive(client, _)) = self;
        client
    }

    fn verb(self) -> &'static str {
        match self {
            Ask::Begin(_) => "begin",
            Ask::Stop(_) => "stop",
            Ask::Redrive(..) => "redrive",
        }
    }
}

/// A client, and the process that is its own.
pub(super) struct Client {
    pub(super) id: ProcessId,
    begin: Begin,
    /// Whether the id was made for this one request, which is then made once.
    is_fresh: bool,
    /// Whether it was told that the process runs or has run.
    pub(super) is_acknowledged: bool,
    /// How often it was told that the process is new.
    news: usize,
    tries: usize,
    /// How many redrives it has asked for.
    redrives: usize,
}

impl Client {
    pub(super) fn draw(number: usize, plan: &Plan, random: &mut Random) -> Result<Client> {
        let (id, begin) = workload::draw(number, plan, random)?;
        let is_fresh = random.chance(400);
        Ok(Client { id, begin, is_fresh, is_acknowledged: false, news: 0, tries: 0, redrives: 0 })
    }
}

impl World {
    /// Lets a client ask one of the nodes that are there.
    pub(super) fn ask(&mut self, ask: Ask) {
        let there: Vec<usize> = (0..self.seats.len())
            .filter(|seat| {
                self.seats.get(*seat).is_some_and(|seat| seat.life.is_some() && !seat.is_stopping)
            })
            .collect();
        let Some(seat) = self.random.pick(&there).copied() else {
            return self.plan_in(400, Event::Ask(ask));
        };
        self.appointments += 1;
        let (asked, network) = (self.appointments, self.network.clone());
        let Some(client) = self.clients.get(ask.client()) else { return };
        let (id, begin, is_fresh) = (client.id.clone(), client.begin.clone(), client.is_fresh);
        let verb = ask.verb();
        self.trace.say(format_args!("a client asks n{seat} to {verb} {id}"));
        let Some(life) = self.seats.get_mut(seat).and_then(|seat| seat.life.as_mut()) else {
            return;
        };
        let runtime = life.runtime.clone();
        match ask {
            Ask::Begin(_) => life.spawn(async move {
                let begun = if is_fresh {
                    runtime.begin_fresh(id, begin).await
                } else {
                    runtime.begin(id, begin).await
                };
                let outcome = Outcome::Begin(begun);
                network.tell(Heard::Client { asked, outcome });
            }),
            Ask::Stop(_) => life.spawn(async move {
                let fact = match id.kind() {
                    Kind::Automation => Fact::Automation(automation::Fact::StopRequested(
                        automation::StopType::Cancel,
                    )),
                    Kind::Execution | Kind::Stack => {
                        Fact::Execution(execution::Fact::StopRequested { error: None, cause: None })
                    }
                };
                let outcome = Outcome::Stop(runtime.request(id, fact).await);
                network.tell(Heard::Client { asked, outcome });
            }),
            Ask::Redrive(_, redrive) => life.spawn(async move {
                let fact = execution::Fact::Redriven { token: format!("r{redrive}") };
                let outcome = Outcome::Redrive(runtime.request(id, Fact::Execution(fact)).await);
                network.tell(Heard::Client { asked, outcome });
            }),
        }
        let number = life.number;
        self.asked.insert(asked, (ask, seat, number));
    }

    /// Clients of a node that died never hear; some ask again.
    pub(super) fn forget_asked(&mut self, seat: usize) {
        let lost: Vec<u64> = self
            .asked
            .iter()
            .filter(|(_, (_, asked_seat, _))| *asked_seat == seat)
            .map(|(asked, _)| *asked)
            .collect();
        for asked in lost {
            if let Some((ask, _, _)) = self.asked.remove(&asked) {
                self.ask_again(ask);
            }
        }
    }

    fn ask_again(&mut self, ask: Ask) {
        let number = ask.client();
        let gives_up = self.random.chance(150);
        let Some(client) = self.clients.get_mut(number) else { return };
        client.tries += 1;
        let is_once = client.is_fresh && matches!(ask, Ask::Begin(_));
        if client.tries < TRIES_MAX && !gives_up && !is_once {
            let after = self.random.between(1, 3_000);
            self.plan_in(after, Event::Ask(ask));
        }
    }

    pub(super) fn client_heard(&mut self, asked: u64, outcome: Outcome) {
        let Some((ask, _, _)) = self.asked.remove(&asked) else { return };
        let number = ask.client();
        let Some(id) = self.clients.get(number).map(|client| client.id.clone()) else { return };
        match outcome {
            Outcome::Begin(Ok(started)) => self.has_begun(number, &id, started),
            Outcome::Stop(Ok(()) | Err(Error::NotRunning)) => self.has_stopped(number, &id),
            Outcome::Redrive(Ok(()) | Err(Error::NotRunning)) => self.has_redriven(ask, &id),
            Outcome::Begin(Err(err)) | Outcome::Stop(Err(err)) | Outcome::Redrive(Err(err)) => {
                self.trace.say(format_args!("{id}: {err}"));
                self.ask_again(ask);
            }
        }
    }

    /// What was acknowledged is durable, and new only once.
    fn has_begun(&mut self, number: usize, id: &ProcessId, started: Started) {
        self.trace.say(format_args!("{id} is {started:?}"));
        if crate::trace::locked(&self.disk.ledger).record(id).is_none() {
            self.trace.violated(format_args!("{id} was acknowledged and has no record"));
        }
        let (again, stop) = (self.random.chance(250), self.random.chance(200));
        let redrive = self.plan.redrives && self.random.chance(600);
        let after = self.random.between(0, 8_000);
        let Some(client) = self.clients.get_mut(number) else { return };
        client.is_acknowledged = true;
        client.news += usize::from(matches!(started, Started::New { .. }));
        client.tries += 1;
        let has_patience = client.tries < TRIES_MAX;
        if 1 < client.news {
            self.trace.violated(format_args!("{id} was new twice"));
        }
        if again && has_patience && !client.is_fresh {
            self.plan_in(after, Event::Ask(Ask::Begin(number)));
        }
        if stop && has_patience {
            self.plan_in(after, Event::Ask(Ask::Stop(number)));
        }
        if redrive && has_patience && id.kind() == Kind::Execution {
            self.plan_redrive(number, 2 * after);
        }
    }

    /// Asks for one more redrive later.
    fn plan_redrive(&mut self, number: usize, after: i64) {
        let Some(client) = self.clients.get_mut(number) else { return };
        client.redrives += 1;
        let redrive = client.redrives;
        if self.plan.together {
            // Often enough both come in one turn.
            self.plan_in(after, Event::Ask(Ask::Stop(number)));
        }
        self.plan_in(after, Event::Ask(Ask::Redrive(number, redrive)));
    }

    /// It runs, cannot be redriven, or goes on. Some ask again, by the same token or another.
    fn has_redriven(&mut self, ask: Ask, id: &ProcessId) {
        self.trace.say(format_args!("{id} was redriven, or could not be"));
        let (again, further, stop) =
            (self.random.chance(200), self.random.chance(300), self.random.chance(300));
        let after = self.random.between(0, 4_000);
        let number = ask.client();
        let Some(client) = self.clients.get_mut(number) else { return };
        client.tries += 1;
        if TRIES_MAX <= client.tries {
            return;
        }
        if again {
            self.plan_in(after, Event::Ask(ask));
        }
        if stop {
            self.plan_in(after, Event::Ask(Ask::Stop(number)));
        }
        if further {
            self.plan_redrive(number, 2 * after);
        }
    }

    /// What was stopped, or is said not to run, has ended; a runbook takes its time.
    fn has_stopped(&mut self, number: usize, id: &ProcessId) {
        self.trace.say(format_args!("{id} has stopped, or did not run"));
        let has_ended = crate::trace::locked(&self.disk.ledger).record(id);
        // One that may have been redriven may run again.
        let is_acknowledged = self
            .clients
            .get(number)
            .is_some_and(|client| client.is_acknowledged && client.redrives == 0);
        if has_ended != Some(true) && is_acknowledged && id.kind() == Kind::Execution {
            self.trace.violated(format_args!("{id} was said not to run, and runs"));
        }
    }
}
