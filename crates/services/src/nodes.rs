//! Nodes that share a store hand messages to each other over HTTP.
//!
//! They know each other by a secret that stands in the store, where only they can read it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use runtime::{Forward, Forwarded, Forwarding, Peers};
use store::{Store, Table, Transaction};
use subtle::ConstantTimeEq;
use value::value;
use wire::client::Client;
use wire::{Request, Response};

use crate::{Services, ids};

/// Where messages from other nodes arrive, below the server's own pages.
pub(crate) const PAGE: &str = "node/message";
/// The header with the secret, in lower case.
const HEADER: &str = "x-stepwell-node";
/// The row of the secret.
const KEY: &str = "node/secret";
/// How long another node may take to answer, in seconds: about as long as it takes until its
/// leases have run out.
const ANSWER_SECONDS_MAX: u64 = 10;

/// Returns the secret of the store's nodes, which the first of them makes.
///
/// # Errors
/// When the store failed.
pub async fn secret(store: &Store) -> Result<String, store::Error> {
    let fresh = format!("{}{}", ids::uuid(), ids::uuid());
    let kept = store.write(move |tx: &mut dyn Transaction| -> Result<String, store::Error> {
        if let Some(known) = tx.as_read().get(Table::RuntimeSettings, KEY)? {
            return Ok(String::from_utf8_lossy(&known).into_owned());
        }
        tx.put(Table::RuntimeSettings, KEY, fresh.as_bytes())?;
        Ok(fresh)
    });
    kept.await?
}

/// The other nodes, over HTTP.
pub struct HttpPeers {
    secret: String,
    clients: Mutex<HashMap<String, Client>>,
}

impl HttpPeers {
    /// Returns the way to nodes that know the secret.
    pub fn new(secret: String) -> HttpPeers {
        HttpPeers { secret, clients: Mutex::default() }
    }

    fn client(&self, address: &str) -> Option<Client> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(address) {
            return Some(known.clone());
        }
        let client = Client::new(address, "", None).ok()?;
        clients.insert(address.to_owned(), client.clone());
        Some(client)
    }
}

impl Peers for HttpPeers {
    fn forward(&self, address: &str, message: &Forwarded) -> Forwarding {
        let (client, encoded) = (self.client(address), value::to_value(message));
        let secret = self.secret.clone();
        Box::pin(async move {
            let (Some(client), Ok(encoded)) = (client, encoded) else { return Forward::NotThere };
            let request = Request {
                method: "POST".into(),
                path: format!("/_stepwell/{PAGE}"),
                headers: vec![
                    ("content-type".into(), "application/json".into()),
                    (HEADER.into(), secret),
                ],
                body: encoded.to_string().into_bytes(),
                ..Request::default()
            };
            let answer = match client.send(request, ANSWER_SECONDS_MAX).await {
                Ok(answer) if answer.status == 200 => answer,
                // Whoever does not answer, or does not know us, is none of our nodes any more.
                Ok(_) | Err(_) => return Forward::NotThere,
            };
            let parsed = value::parse_bytes(&answer.body).ok();
            parsed.and_then(|body| value::from_value(body).ok()).unwrap_or(Forward::NotThere)
        })
    }
}

impl Services {
    /// Writes the secret down again, after a reset: nodes that come later must find the one that
    /// this node goes on with.
    pub(crate) async fn keep_node_secret(&self) -> Result<(), store::Error> {
        let Some(known) = self.node_secret.get().cloned() else { return Ok(()) };
        let put =
            move |tx: &mut dyn Transaction| tx.put(Table::RuntimeSettings, KEY, known.as_bytes());
        self.store().write(put).await?
    }

    /// Takes a message of another node.
    pub(crate) async fn from_node(self: &Arc<Self>, request: &Request) -> Response {
        let sent = request.header(HEADER).unwrap_or_default();
        let known = self.node_secret.get().map(String::as_str).unwrap_or_default();
        if known.is_empty() || !bool::from(known.as_bytes().ct_eq(sent.as_bytes())) {
            let message = "only nodes on the same store send messages here";
            return Response::json(403, &value!({ "message": message }));
        }
        let parsed = value::parse_bytes(&request.body).map_err(|err| err.to_string());
        let message = parsed
            .and_then(|body| value::from_value::<Forwarded>(body).map_err(|err| err.to_string()));
        let answer = match message {
            Ok(message) => Forward::of(self.runtime().take(message).await),
            Err(what) => Forward::Refused(format!("the message cannot be read: {what}")),
        };
        match value::to_value(&answer) {
            Ok(body) => Response::json(200, &body),
            Err(err) => Response::json(500, &value!({ "message": err.to_string() })),
        }
    }
}
