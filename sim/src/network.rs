//! What nodes say to each other, and what of the nodes' doings the world hears.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use runtime::{Error, Forward, Forwarded, Forwarding, Peers, Started};
use tokio::sync::oneshot;

use crate::trace::locked;

/// What the world hears from its nodes, in order.
pub(crate) enum Heard {
    /// A node sends a message to another; the answer goes to the sender's letter box.
    Sent { letter: u64, from: usize, to: String, message: Box<Forwarded> },
    /// A node has an answer to a message.
    Answered { letter: u64, answer: Forward },
    /// A client that had asked a node has its answer.
    Client { asked: u64, outcome: Outcome },
    /// A node has put everything down in order.
    Stopped { seat: usize, life: u64 },
}

/// What a client heard.
#[derive(Debug)]
pub(crate) enum Outcome {
    Begin(Result<Started, Error>),
    Stop(Result<(), Error>),
    Redrive(Result<(), Error>),
}

/// What is on its way, and what the world has yet to hear.
#[derive(Default)]
pub(crate) struct Network {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    last_letter: u64,
    heard: Vec<Heard>,
    waiting: BTreeMap<u64, (usize, u64, oneshot::Sender<Forward>)>,
}

impl Network {
    pub(crate) fn tell(&self, what: Heard) {
        locked(&self.inner).heard.push(what);
    }

    /// Returns everything that was told since the last time.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut locked(&self.inner).heard)
    }

    /// Hands an answer to whoever waits for it; returns whose life that is.
    pub(crate) fn deliver(&self, letter: u64, answer: Forward) -> Option<(usize, u64)> {
        let (seat, life, to) = locked(&self.inner).waiting.remove(&letter)?;
        // Whoever has died waits no more.
        let _ = to.send(answer);
        Some((seat, life))
    }
}

/// One node's way to the others.
pub(crate) struct Wire {
    seat: usize,
    life: u64,
    network: Arc<Network>,
}

impl Wire {
    pub(crate) fn new(seat: usize, life: u64, network: Arc<Network>) -> Wire {
        Wire { seat, life, network }
    }
}

impl Peers for Wire {
    fn forward(&self, address: &str, message: &Forwarded) -> Forwarding {
        let (to, answer) = oneshot::channel();
        {
            let mut inner = locked(&self.network.inner);
            inner.last_letter += 1;
            let letter = inner.last_letter;
            inner.waiting.insert(letter, (self.seat, self.life, to));
            inner.heard.push(Heard::Sent {
                letter,
                from: self.seat,
                to: address.to_owned(),
                message: Box::new(message.clone()),
            });
        }
        Box::pin(async move { answer.await.unwrap_or(Forward::NotThere) })
    }
}
