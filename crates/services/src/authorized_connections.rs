//! Connections of EventBridge that tokens authorize: each is authorized in the background when it
//! has been made or changed, and again when its token has expired or is refused.
//!
//! Amazon EventBridge user guide, "Authorization methods for connections in EventBridge" (read
//! 2026-11). Who asks for a token of a connection waits for whoever asks already. On several nodes
//! each may ask once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use store::{Load, Save, Scan, Table};
use tokio::sync::Mutex as Turn;

use crate::events::connections::{self, AUTHORIZED, AUTHORIZING, Connection, DEAUTHORIZED, Token};
use crate::outward::Unauthorized;
use crate::{Error, Services};

/// How long before it expires a token is no longer used, in milliseconds.
const EARLY_MILLIS: i64 = 60_000;
/// How many connections have a turn at once; beyond that all begin anew, which costs a request.
const TURNS_MAX: usize = 3_000;

/// Whose turn it is to ask for a connection's token, by the connection's name.
#[derive(Debug, Default)]
pub(crate) struct Authorizing(Mutex<HashMap<String, Arc<Turn<()>>>>);

impl Authorizing {
    fn turn(&self, name: &str) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if TURNS_MAX <= turns.len() {
            turns.clear();
        }
        turns.entry(name.to_owned()).or_default().clone()
    }
}

impl Services {
    /// Authorizes in the background what waits for it.
    pub(crate) fn authorize_connections(self: &Arc<Services>) {
        let found = self
            .store()
            .read(|store| store.load_all::<Connection>(Table::Connections, Scan::prefix("")));
        let found = match found {
            Ok(found) => found,
            Err(err) => return tracing::warn!("connections cannot be read: {err}"),
        };
        for (_, connection) in found.into_iter().filter(|(_, one)| one.state == AUTHORIZING) {
            let services = self.clone();
            tokio::spawn(async move {
                if let Err(err) = services.authorized(&connection).await {
                    tracing::warn!(connection = %connection.arn, "not authorized: {err:?}");
                }
            });
        }
    }

    /// Returns the connection with a token that is good, or as it has become meanwhile.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn authorized(
        self: &Arc<Services>,
        known: &Connection,
    ) -> Result<Connection, Unauthorized> {
        let is_good = |found: &Connection| {
            let until = found.token.as_ref().map(|token| token.until_millis);
            until.is_some_and(|until| {
                until.is_none_or(|until| runtime::wall_millis() + EARLY_MILLIS < until)
            })
        };
        if !known.is_oauth() || (known.is_authorized() && is_good(known)) {
            return Ok(known.clone());
        }
        self.ask_for_token(known, is_good).await
    }

    /// Returns the connection with another token than the one that was refused.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn reauthorized(
        self: &Arc<Services>,
        refused: &Connection,
    ) -> Result<Connection, Unauthorized> {
        self.ask_for_token(refused, |found| found.token.is_some() && found.token != refused.token)
            .await
    }

    /// Asks for a token, unless somebody else has got a good one meanwhile.
    async fn ask_for_token(
        self: &Arc<Services>,
        known: &Connection,
        is_good: impl Fn(&Connection) -> bool,
    ) -> Result<Connection, Unauthorized> {
        let turn = self.authorizing.turn(&known.name);
        let _turn = turn.lock().await;
        let found = self.store().read(|store| connections::find_by_arn(store, &known.arn));
        let found = found.map_err(|err| Unauthorized::Unasked(err.message))?;
        let gone = || Unauthorized::Refused("The connection has been deleted".into());
        let found = found.ok_or_else(gone)?;
        if found.state == DEAUTHORIZED || !found.is_oauth() || is_good(&found) {
            return Ok(found);
        }
        let asked = self.outward().token(&found).await;
        let state = match &asked {
            Err(Unauthorized::Unasked(_)) if found.is_authorized() => return asked.map(|_| found),
            Ok(_) | Err(_) => asked.clone(),
        };
        let kept = self.keep_token(found, state).await;
        let kept = kept.map_err(|err| Unauthorized::Unasked(err.message))?;
        asked.map(|_| kept)
    }

    /// Keeps what came of asking, unless the connection has been changed since.
    async fn keep_token(
        self: &Arc<Services>,
        asked: Connection,
        token: Result<Token, Unauthorized>,
    ) -> Result<Connection, Error> {
        let now_millis = self.runtime().clock().now_millis();
        let written = self.store().write(move |store| {
            let found: Option<Connection> = store.load(Table::Connections, &asked.name)?;
            let is_same = |found: &Connection| {
                (&found.arn, found.modified_millis, &found.state)
                    == (&asked.arn, asked.modified_millis, &asked.state)
            };
            let Some(mut found) = found.filter(is_same) else { return Ok(asked) };
            match token {
                Ok(token) => {
                    found.state = AUTHORIZED.into();
                    found.state_reason = None;
                    found.authorized_millis = Some(now_millis);
                    found.token = Some(token);
                }
                Err(why) => {
                    found.state = DEAUTHORIZED.into();
                    found.state_reason = Some(why.to_string());
                    found.token = None;
                }
            }
            store.save(Table::Connections, &found.name, &found)?;
            Ok::<_, Error>(found)
        });
        written.await?
    }
}
