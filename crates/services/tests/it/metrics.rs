//! The metrics page: it parses, it says everything, and it says nothing of what callers sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use runtime::{Clock, ClockMode, NoPeers, Node, Opened};
use services::{AuthMode, Endpoint, Http, Reset, SERVICE_NAMES, Services, Settings, operations};
use store::Store;
use wire::{Handler, Request};

use super::server::ACCOUNT;

fn services() -> Arc<Services> {
    let opened =
        Opened::open(Store::memory(), Clock::new(ClockMode::Virtual), Node::alone()).unwrap();
    let settings = Settings {
        account: ACCOUNT.into(),
        region: "us-east-1".into(),
        partition: "aws".into(),
        edition: automation::catalogue::Edition::default(),
        limits: services::Limits::default(),
    };
    let http = Http { auth: AuthMode::Open, reset: Reset::Allowed };
    let services = Services::new(settings, opened.handle(), http);
    opened.start(Arc::new(Endpoint::new(services.clone())), Arc::new(NoPeers));
    services
}

fn iam(body: &str) -> Request {
    let authorization = "AWS4-HMAC-SHA256 Credential=AKIDSECRETNAME/20260101/us-east-1/iam/\
        aws4_request, SignedHeaders=host;x-amz-date, Signature=0";
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-amz-date", "20260101T000000Z"),
        ("authorization", authorization),
    ];
    Request {
        method: "POST".into(),
        path: "/".into(),
        headers: headers.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec(),
        body: body.as_bytes().to_vec(),
        ..Request::default()
    }
}

async fn page(services: &Arc<Services>) -> String {
    let path = "/_stepwell/metrics".into();
    let request = Request { method: "GET".into(), path, ..Request::default() };
    let answer = services.clone().handle(request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers[0].1, "text/plain; version=0.0.4; charset=utf-8");
    String::from_utf8(answer.body).unwrap()
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    number: f64,
}

struct Family {
    kind: String,
    samples: Vec<Sample>,
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Reads the text format strictly: a family is HELP, TYPE and its samples, in this order, once.
fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'));
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let (mut helped, mut current) = (None, String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(is_name(name) && !help.is_empty() && !help.contains('\\'), "{line}");
            helped = Some(name.to_owned());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(helped.take().as_deref(), Some(name), "TYPE without HELP: {line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            let family = Family { kind: kind.into(), samples: Vec::new() };
            assert!(families.insert(name.into(), family).is_none(), "twice: {line}");
            current = name.into();
        } else {
            let sample = sample(line);
            let family = families.get_mut(&current).expect(line);
            let suffix = sample.name.strip_prefix(&current).expect(line);
            match family.kind.as_str() {
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
                _ => assert_eq!(suffix, "", "{line}"),
            }
            family.samples.push(sample);
        }
    }
    families
}

fn sample(line: &str) -> Sample {
    let (head, number) = line.rsplit_once(' ').expect(line);
    let number = number.parse().expect(line);
    let (name, labels) = match head.split_once('{') {
        None => (head, ""),
        Some((name, rest)) => (name, rest.strip_suffix('}').expect(line)),
    };
    assert!(is_name(name), "{line}");
    let labels = labels.split(',').filter(|label| !label.is_empty()).map(|label| {
        let (name, text) = label.split_once('=').expect(line);
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).expect(line);
        assert!(is_name(name) && !text.contains(['"', '\\']), "{line}");
        (name.to_owned(), text.to_owned())
    });
    Sample { name: name.into(), labels: labels.collect(), number }
}

fn histogram_adds_up(name: &str, samples: &[Sample]) {
    let mut last: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for sample in samples {
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le");
        let series = format!("{labels:?}");
        if sample.name.ends_with("_bucket") {
            let bound: f64 = bound.unwrap().replace("+Inf", "inf").parse().unwrap();
            if let Some((before, below)) = last.get(&series) {
                assert!(before < &bound && below <= &sample.number, "{name} {sample:?}");
            }
            last.insert(series, (bound, sample.number));
        } else if sample.name.ends_with("_count") {
            assert_eq!(last[&series], (f64::INFINITY, sample.number), "{name}");
        }
    }
    assert!(!last.is_empty(), "{name} has no buckets");
}

#[tokio::test]
async fn every_family_is_described_and_parses_and_no_label_carries_what_callers_sent() {
    let services = services();
    for body in [
        "Action=CreateUser&Version=2010-05-08&UserName=SECRETNAME",
        "Action=CreateUser&Version=2010-05-08&UserName=SECRETNAME",
        "Action=InventSECRETNAME&Version=2010-05-08",
        "SECRETNAME",
    ] {
        services.clone().handle(iam(body)).await;
    }
    let text = page(&services).await;
    let families = parse(&text);
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/observability.md");
    let documented = std::fs::read_to_string(page).unwrap();
    for (name, family) in &families {
        assert!(!family.samples.is_empty(), "{name} has no sample");
        assert!(documented.contains(&format!("`{name}`")), "{name} is not in {page}");
        let counts = name.ends_with("_total");
        assert_eq!(family.kind == "counter", counts, "{name} is a {}", family.kind);
        if family.kind == "histogram" {
            histogram_adds_up(name, &family.samples);
        }
    }
    assert!(!text.contains("SECRETNAME") && !text.contains("arn:"));
    let named: BTreeSet<&str> = SERVICE_NAMES
        .iter()
        .flat_map(|service| operations(service).map(|operation| operation.name))
        .chain(SERVICE_NAMES.iter().copied())
        .chain(["unknown", "allowed", "denied", "execution", "automation", "stack", "+Inf"])
        .chain(["2xx", "3xx", "4xx", "5xx", env!("CARGO_PKG_VERSION")])
        .collect();
    let labels = families.values().flat_map(|family| &family.samples).flat_map(|s| &s.labels);
    for (label, text) in labels {
        assert!(named.contains(text.as_str()) || text.parse::<f64>().is_ok(), "{label}={text}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_operation_and_class() {
    let services = services();
    for _ in 0..2 {
        let body = "Action=CreateUser&Version=2010-05-08&UserName=kim";
        services.clone().handle(iam(body)).await;
    }
    services.clone().handle(iam("Action=Invent&Version=2010-05-08")).await;
    let text = page(&services).await;
    for line in [
        r#"stepwell_http_requests_total{service="iam",operation="CreateUser",status="2xx"} 1"#,
        r#"stepwell_http_requests_total{service="iam",operation="CreateUser",status="4xx"} 1"#,
        r#"stepwell_http_requests_total{service="unknown",operation="unknown",status="4xx"} 1"#,
        r#"stepwell_http_request_seconds_count{service="iam"} 2"#,
        r#"stepwell_authorizations_total{decision="allowed"} 2"#,
        "stepwell_http_requests_under_way 0",
        "stepwell_store_commits_failed_total 0",
        "stepwell_shards_held 8",
        "stepwell_leader 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}
