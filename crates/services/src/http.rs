//! From an HTTP request to an answer: route, authenticate, validate, dispatch, render.

use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use policy::{Principal, PrincipalKind};
use runtime::wall_millis;
use subtle::ConstantTimeEq;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use value::{Value, value};
use wire::sigv4::{self, Signed};
use wire::{Face, Fault, Request, Response, Routed};

use crate::call::Origin;
use crate::metrics::Named;
use crate::traces::{Context, Ended};
use crate::{Call, Error, Input, Judgements, Services, browsers, dispatch, iam, ids, nodes, sts};

/// The access key that local tools use; on a loopback listener it is the account's root user.
const TEST_KEY: &str = "test";
/// Where the server's own pages are, beside the AWS APIs.
const OWN_PAGES: &str = "/_stepwell/";

/// Whose requests are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Stored keys, checked; and the access key `test`, unchecked, as root. For loopback listeners.
    Loopback,
    /// As `Loopback`, and unknown keys too are root. For other tools' test suites.
    Open,
    /// Stored keys only.
    Strict,
}

/// How the server answers HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Http {
    /// Whose requests are taken.
    pub auth: AuthMode,
    /// Whether `POST /_stepwell/reset` may empty the server.
    pub reset: Reset,
}

/// Whether the server may be emptied from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// It may.
    Allowed,
    /// It may not.
    Refused,
}

/// When the use of each key was noted last, so that not every request writes.
#[derive(Default)]
pub(crate) struct KeyUses {
    noted: Mutex<HashMap<String, i64>>,
}

/// The status for a call passed on that nobody has answered: `424 Failed Dependency`.
const NO_ANSWER_STATUS: u16 = 424;
/// How often the use of a key is noted.
const USE_NOTED_EVERY_MILLIS: i64 = 60_000;
/// How many keys are remembered; beyond that all are noted anew.
const KEYS_REMEMBERED_MAX: usize = 10_000;

impl KeyUses {
    fn is_worth_noting(&self, access_key_id: &str, now_millis: i64) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = noted.get(access_key_id).copied();
        if before.is_some_and(|before| now_millis - before < USE_NOTED_EVERY_MILLIS) {
            return false;
        }
        if noted.len() >= KEYS_REMEMBERED_MAX {
            noted.clear();
        }
        noted.insert(access_key_id.to_owned(), now_millis);
        true
    }
}

/// Who a request is from, and what came with its session.
struct Caller {
    principal: Principal,
    region: Option<String>,
    /// The process that a script of a runbook belongs to.
    process: Option<Arc<str>>,
}

impl wire::Handler for Services {
    fn handle(self: Arc<Self>, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(async move {
            // Virtual time stands still while a request is answered.
            let _busy = self.runtime().clock().busy();
            if request.path.starts_with(OWN_PAGES) {
                return self.own_page(&request).await;
            }
            let (began, under_way) = (Instant::now(), self.metrics.begun());
            let (request_id, mut named) = (ids::uuid(), None);
            let span = tracing::error_span!("request", %request_id, execution = Empty);
            let traced = self.traces.get().map(|traces| (traces, Context::of(&request)));
            let trace = traced.as_ref().map(|(_, context)| context.traceparent());
            let answering = self.respond(&request, &request_id, &mut named, trace).instrument(span);
            let response = match answering.await {
                Ok(response) => response,
                Err(fault) => fault.render(&request_id),
            };
            drop(under_way);
            let (status, took) = (response.status, began.elapsed());
            self.metrics.ended(named, status, took);
            if let Some((traces, context)) = traced {
                let request_id = request_id.as_str();
                traces.request(context, &Ended { named, status, request_id, took });
            }
            response
        })
    }
}

impl Services {
    /// Answers a request of AWS's APIs; `named` is set once it is known what it is for, `trace` is
    /// the span that it is answered in.
    async fn respond(
        self: &Arc<Self>,
        request: &Request,
        request_id: &str,
        named: &mut Option<Named>,
        trace: Option<String>,
    ) -> Result<Response, Fault> {
        let routed = wire::route(request)?;
        let face = routed.face;
        let service = routed.operation.service();
        let known = dispatch::SERVICE_NAMES.iter().find(|name| **name == service.name());
        let found = known.map(|name| dispatch::find(name, routed.operation.name()));
        if let (Some(name), Some(Ok(operation))) = (known, &found) {
            *named = Some((name, operation.name));
        }
        let caller = self.authenticate(request, &routed)?;
        let input = routed.input(request)?;
        let (Some(name), Some(Ok(operation))) = (known, found) else {
            return self.relay(request, &routed, request_id, caller, input).await;
        };
        if let Some(problems) = wire::validate::problems(routed.operation, &input) {
            let code = face.word("ValidationError", "ValidationException");
            return Err(face.fault(400, code, problems));
        }
        let call = Call { trace, ..self.call_of(request, request_id, caller) };
        if let Some(execution) = input.maybe_text("executionArn") {
            Span::current().record("execution", execution);
        }
        // What a macro shows is made only if it is shown.
        tracing::debug!(
            service = *name,
            operation = operation.name,
            caller = %call.principal.arn(),
        );
        match self.dispatch(name, operation, call, input).await {
            Ok(output) => wire::answer(routed.operation, &output, request_id),
            Err(err) => Err(fault(face, &err)),
        }
    }

    /// Makes a request of a service that is not served here where that service is: what a
    /// runbook's script asks for goes where the runbook's own calls go.
    ///
    /// Only for sessions of roles, as which scripts act. Whoever else comes with a request that
    /// this server cannot answer may have mistaken it for another, and nothing is done in their
    /// name.
    async fn relay(
        self: &Arc<Self>,
        request: &Request,
        routed: &Routed,
        request_id: &str,
        caller: Caller,
        input: Value,
    ) -> Result<Response, Fault> {
        let (face, operation) = (routed.face, routed.operation);
        if !matches!(caller.principal.kind, PrincipalKind::AssumedRole { .. }) {
            return Err(face.not_implemented(operation));
        }
        let call = self.call_of(request, request_id, caller);
        let service = operation.service().name();
        let answer = self.call_outside(&call, service, operation.name(), input).await;
        let told = answer.as_ref().err().map(|err| Error::new(err.code.clone(), &*err.message));
        self.note(&call, service, operation.name(), told.as_ref());
        match answer {
            Ok(output) => wire::answer(operation, &output, request_id),
            // Whether such a call arrived is not known, so that no client may repeat it by itself.
            Err(err) if err.status == 0 => Err(face.fault(NO_ANSWER_STATUS, err.code, err.message)),
            Err(err) if err.code == runtime::NO_ANSWER => {
                Err(face.fault(err.status, "NotImplemented", err.message))
            }
            Err(err) => Err(face.fault(err.status, err.code, err.message)),
        }
    }

    fn call_of(&self, request: &Request, request_id: &str, caller: Caller) -> Call {
        Call {
            settings: self.settings().clone(),
            region: caller.region.unwrap_or_else(|| self.settings().region.clone()),
            request_id: request_id.to_owned(),
            now_millis: self.runtime().clock().now_millis(),
            principal: Arc::new(caller.principal.in_partition(&self.settings().partition)),
            from: Origin::Http {
                source_ip: request.peer.clone(),
                user_agent: request.header("user-agent").map(str::to_owned),
            },
            effect_id: None,
            nested_in: None,
            lease: None,
            process: caller.process,
            trace: None,
            judgements: Judgements::default(),
        }
    }

    /// Returns who a request is from, or why nobody knows.
    fn authenticate(&self, request: &Request, routed: &Routed) -> Result<Caller, Fault> {
        let face = &routed.face;
        let signed = match sigv4::parse(request, face)? {
            Some(signed) => signed,
            None if routed.operation.is_unsigned() => {
                return Ok(Caller {
                    principal: Principal::anonymous(),
                    region: None,
                    process: None,
                });
            }
            None => {
                let code =
                    face.word("MissingAuthenticationToken", "MissingAuthenticationTokenException");
                let status = if face.is_xml() { 403 } else { 400 };
                return Err(face.fault(status, code, "Request is missing Authentication Token"));
            }
        };
        let root = || Caller {
            principal: Principal::root(&self.settings().account),
            process: None,
            // Query services of IAM and STS are signed for us-east-1 whatever the caller's region.
            region: Some(signed.region.clone()).filter(|_| !is_global(&signed.service)),
        };
        if signed.access_key_id == TEST_KEY && self.http.auth != AuthMode::Strict {
            check_unsigned(request, face)?;
            return Ok(root());
        }
        // Looked up first, because nothing is asked of unknown keys where everybody is let in; what
        // is wrong with the request itself is said first.
        let known = self.stored(&signed, face);
        if matches!(known, Ok(None)) && self.http.auth == AuthMode::Open {
            check_unsigned(request, face)?;
            return Ok(root());
        }
        let (service, skew) = (routed.operation.service().signing_name(), self.clock_skew());
        signed.check(request, service, (wall_millis(), skew), face)?;
        let (caller, secret) = known?.ok_or_else(|| invalid_token(face))?;
        signed.verify(request, &secret, face)?;
        self.note_use(&signed);
        Ok(caller)
    }

    /// Notes that a long-term key was used, behind the answer: a lost note costs nothing.
    fn note_use(&self, signed: &Signed) {
        if signed.session_token.is_some() {
            return;
        }
        let (signed, now) = (signed.clone(), self.runtime().clock().now_millis());
        if !self.key_uses.is_worth_noting(&signed.access_key_id, now) {
            return;
        }
        self.store().submit(store::Job::new(
            move |tx| {
                let Signed { access_key_id, service, region, .. } = &signed;
                match iam::note_key_use(tx, access_key_id, service, region, now) {
                    Ok(()) => store::Verdict::Keep,
                    Err(_) => store::Verdict::Discard,
                }
            },
            |_| {},
        ));
    }

    /// Returns the owner of a stored key and its secret.
    fn stored(&self, signed: &Signed, face: &Face) -> Result<Option<(Caller, String)>, Fault> {
        let region = Some(signed.region.clone()).filter(|_| !is_global(&signed.service));
        let internal = |err: Error| fault(*face, &err);
        if let Some(token) = &signed.session_token {
            let id = signed.access_key_id.as_str();
            let known = self.sessions.get(self.store(), id, || {
                self.store().read(|store| {
                    let Some(session) = sts::find_session(store, id)? else { return Ok(None) };
                    let is_live = iam::is_live(store, &session.principal)?;
                    Ok(Some(Arc::new((session, is_live))))
                })
            });
            let Some(known) = known.map_err(internal)? else { return Ok(None) };
            let (session, is_live) = &*known;
            let is_same: bool = session.token.as_bytes().ct_eq(token.as_bytes()).into();
            // UNVERIFIED: what AWS answers to sessions of roles and users that are gone.
            if !is_same || !*is_live {
                return Err(invalid_token(face));
            }
            if session.expires_millis <= wall_millis() + self.runtime().clock().ahead_millis() {
                let code = face.word("ExpiredToken", "ExpiredTokenException");
                let status = if face.is_xml() { 403 } else { 400 };
                return Err(face.fault(
                    status,
                    code,
                    "The security token included in the request is expired",
                ));
            }
            let caller = Caller {
                principal: session.principal.clone(),
                region,
                process: session.process.clone().map(Into::into),
            };
            return Ok(Some((caller, session.secret.clone())));
        }
        let id = signed.access_key_id.as_str();
        let key = self.keys.get(self.store(), id, || {
            let key = self.store().read(|store| iam::find_access_key(store, id))?;
            Ok(key.map(Arc::new))
        });
        let Some(key) = key.map_err(internal)? else { return Ok(None) };
        if key.status == iam::KeyStatus::Inactive {
            return Err(invalid_token(face));
        }
        let (principal, process) = (key.principal.clone(), None);
        let caller = Caller { principal, region, process };
        Ok(Some((caller, key.secret.clone())))
    }

    /// Answers the server's own pages: health, metrics, reset, clock.
    async fn own_page(self: &Arc<Self>, request: &Request) -> Response {
        let page = request.path.strip_prefix(OWN_PAGES).unwrap_or_default();
        if request.method == "POST" && page == nodes::PAGE {
            return self.from_node(request).await;
        }
        if let Some(message) = no_business(request) {
            return Response::json(403, &value!({ "message": message }));
        }
        match (request.method.as_str(), page) {
            ("GET", "health") => Response::json(200, &self.health()),
            ("GET", "metrics") => self.metrics_page(),
            ("POST", "reset") => self.reset().await,
            ("POST", "clock/advance") => self.advance(&request.body),
            ("POST", "calls") => self.calls_page(&request.body).await,
            ("POST", "least-privilege") => self.least_privilege_page(&request.body).await,
            _ => Response::json(
                404,
                &value!({
                    "message": format!("there is no {} {}", request.method, request.path),
                    "hint": "GET /_stepwell/health, GET /_stepwell/metrics, POST \
                        /_stepwell/reset, POST /_stepwell/clock/advance, POST \
                        /_stepwell/calls, POST /_stepwell/least-privilege",
                }),
            ),
        }
    }

    fn health(&self) -> Value {
        let clock = self.runtime().clock();
        value!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "account": &self.settings().account,
            "region": &self.settings().region,
            "services": dispatch::SERVICE_NAMES.to_vec(),
            "now": clock.now_millis() as f64 / 1000.0,
            "clockAheadSeconds": clock.ahead_millis() as f64 / 1000.0,
            "timersArmed": self.runtime().timers_armed(),
        })
    }

    async fn reset(self: &Arc<Self>) -> Response {
        if self.http.reset == Reset::Refused {
            let message =
                "this server keeps its data: start it with --memory or --allow-reset to reset it";
            return Response::json(403, &value!({ "message": message }));
        }
        match self.runtime().reset().await {
            Ok(()) => {}
            Err(err) => return Response::json(500, &value!({ "message": err.to_string() })),
        }
        self.decisions.forget();
        match self.keep_node_secret().await {
            Ok(()) => Response::json(200, &value!({ "status": "reset" })),
            Err(err) => Response::json(500, &value!({ "message": err.to_string() })),
        }
    }

    /// Moves a virtual clock ahead: `{"seconds": 3600}`.
    fn advance(&self, body: &[u8]) -> Response {
        let clock = self.runtime().clock();
        if clock.mode() == runtime::ClockMode::Real {
            let message =
                "the clock is the machine's: start the server with --clock virtual to move it";
            return Response::json(409, &value!({ "message": message }));
        }
        let seconds = value::parse_bytes(body).ok().and_then(|body| body.get("seconds")?.as_f64());
        match seconds.filter(|seconds| (0.0..=ADVANCE_SECONDS_MAX).contains(seconds)) {
            Some(seconds) => {
                #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
                clock.advance((seconds * 1000.0) as i64);
                self.pump.wake();
                Response::json(200, &self.health())
            }
            None => Response::json(
                400,
                &value!({
                    "message": format!("send {{\"seconds\": N}}, 0 to {ADVANCE_SECONDS_MAX}"),
                }),
            ),
        }
    }
}

/// Says why the server's own pages are not for whoever asks. They know no credentials: from another
/// machine they can only be looked at, and who is on this one may be a browser with anybody's page.
fn no_business(request: &Request) -> Option<&'static str> {
    let is_local = request.peer.parse::<IpAddr>().is_ok_and(|peer| peer.is_loopback());
    if request.method != "GET" && !is_local {
        return Some("the server's own pages change nothing for callers from other machines");
    }
    if is_local && !browsers::names_this_machine(request) {
        return Some(
            "the server's own pages are at localhost or at an address, under no other name",
        );
    }
    let is_foreign = browsers::is_of_foreign_page(request);
    is_foreign.then_some("the server's own pages are not for pages of other origins")
}

/// Refuses to take a request for root's, whose signature nobody looks at, if a page of somebody
/// else's may have had a browser make it.
fn check_unsigned(request: &Request, face: &Face) -> Result<(), Fault> {
    // An image is fetched without a word of who wants it; SDKs ask nothing by GET.
    let may_be_image = request.method == "GET" && !browsers::names_this_machine(request);
    if !may_be_image && !browsers::is_of_foreign_page(request) {
        return Ok(());
    }
    let code = face.word("AccessDenied", "AccessDeniedException");
    let text = "A page in a browser is not taken for the root user: sign with a key of IAM.";
    Err(face.fault(403, code, text))
}

/// How far one request moves a virtual clock at most: ten years.
const ADVANCE_SECONDS_MAX: f64 = 10.0 * 366.0 * 24.0 * 3600.0;

fn is_global(service: &str) -> bool {
    matches!(service, "iam" | "sts")
}

fn invalid_token(face: &Face) -> Fault {
    let text = "The security token included in the request is invalid.";
    let status = if face.is_xml() { 403 } else { 400 };
    face.fault(status, face.word("InvalidClientTokenId", "UnrecognizedClientException"), text)
}

/// Returns an operation's error as the protocol writes it.
fn fault(face: Face, err: &Error) -> Fault {
    let status = match &*err.code {
        "InternalFailure" => 500,
        "NotImplemented" => 501,
        "ServiceUnavailable" => 503,
        "AccessDenied" | "InvalidClientTokenId" => 403,
        _ => 400,
    };
    let mut fault = face.fault(status, err.code.clone(), &*err.message);
    if !err.members.is_empty() {
        fault.members = Some(Box::new(err.members.clone()));
    }
    fault
}
