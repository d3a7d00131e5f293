//! The managed policies of AWS itself: `data/managed-policies`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use value::Value;

use super::managed_policies::{ManagedPolicy, PolicyVersion};

// DIFFERS: descriptions and versions before the default one are not known, and the ids of policies
// made since 2021 are made up.
static POLICIES: &[u8] = include_bytes!("../../../../data/managed-policies/policies.bin");

/// The account of AWS's own policies.
const ARN_PREFIX: &str = "arn:aws:iam::aws:policy";
/// The largest head or block, inflated.
const BLOCK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How many documents are kept as texts, so that those in use are not inflated for every call.
const DOCUMENTS_KEPT_MAX: usize = 64;

/// What is known of every policy, without its document.
struct Index {
    policies: Vec<Row>,
    /// Places among `policies` by ARN.
    places: HashMap<String, usize>,
    /// Start and length behind the head.
    blocks: Vec<(usize, usize)>,
    block_documents: usize,
    bytes: &'static [u8],
    kept: Mutex<VecDeque<(usize, Arc<str>)>>,
}

struct Row {
    path: String,
    name: String,
    id: String,
    version: String,
    created_seconds: i64,
    updated_seconds: i64,
}

/// Returns AWS's policy of this ARN, with its document.
pub(super) fn find(arn: &str) -> Option<ManagedPolicy> {
    // The customer's own policies are asked for more often, and need no index.
    if !arn.starts_with(ARN_PREFIX) {
        return None;
    }
    let index = index();
    let place = *index.places.get(arn)?;
    let mut policy = index.policies.get(place)?.policy();
    policy.versions.push(PolicyVersion {
        id: policy.default_version.clone(),
        document: index.document(place)?.to_string(),
        created_millis: policy.updated_millis,
    });
    Some(policy)
}

/// Returns every policy of AWS in order of their names, without documents.
pub(super) fn all() -> impl Iterator<Item = ManagedPolicy> {
    index().policies.iter().map(Row::policy)
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let (length, rest) = POLICIES.split_at_checked(4).unwrap_or_default();
        let length = <[u8; 4]>::try_from(length).map_or(0, u32::from_le_bytes) as usize;
        let (head, bytes) = rest.split_at_checked(length).unwrap_or_default();
        // The file is part of the binary; a test reads all that is in it.
        let head = inflated(head).and_then(|text| value::parse(&text).ok()).unwrap_or_default();
        let list = |name: &str| head.get(name).and_then(Value::as_array).unwrap_or_default();
        let policies: Vec<Row> = list("policies").iter().filter_map(Row::read).collect();
        let places = policies.iter().enumerate().map(|(at, row)| (row.arn(), at)).collect();
        let block = |block: &Value| match block.as_array()? {
            [start, length] => Some((number(start)?, number(length)?)),
            _ => None,
        };
        Index {
            places,
            policies,
            blocks: list("blocks").iter().filter_map(block).collect(),
            block_documents: head.get("blockDocuments").and_then(number).unwrap_or(1).max(1),
            bytes,
            kept: Mutex::default(),
        }
    })
}

fn number(value: &Value) -> Option<usize> {
    usize::try_from(value.as_i64()?).ok()
}

fn inflated(bytes: &[u8]) -> Option<String> {
    let plain = miniz_oxide::inflate::decompress_to_vec_with_limit(bytes, BLOCK_BYTES_MAX).ok()?;
    String::from_utf8(plain).ok()
}

impl Index {
    /// Returns the document of the policy at a place.
    fn document(&self, place: usize) -> Option<Arc<str>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, document)) = kept.iter().find(|(other, _)| *other == place) {
            return Some(document.clone());
        }
        let (start, length) = *self.blocks.get(place / self.block_documents)?;
        let block = inflated(self.bytes.get(start..start.checked_add(length)?)?)?;
        let text = block.lines().nth(place % self.block_documents)?;
        let document: Arc<str> = value::parse(text).ok()?.to_pretty().into();
        if kept.len() >= DOCUMENTS_KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((place, document.clone()));
        Some(document)
    }
}

impl Row {
    fn read(row: &Value) -> Option<Row> {
        let [path, name, id, version, created, updated] = row.as_array()? else { return None };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Row {
            path: text(path)?,
            name: text(name)?,
            id: text(id)?,
            version: text(version)?,
            created_seconds: created.as_i64()?,
            updated_seconds: updated.as_i64()?,
        })
    }

    fn arn(&self) -> String {
        format!("{ARN_PREFIX}{}{}", self.path, self.name)
    }

    fn policy(&self) -> ManagedPolicy {
        ManagedPolicy {
            arn: self.arn(),
            name: self.name.clone(),
            id: self.id.clone(),
            path: self.path.clone(),
            description: None,
            created_millis: self.created_seconds * 1000,
            updated_millis: self.updated_seconds * 1000,
            default_version: self.version.clone(),
            next_version: 0,
            versions: Vec::new(),
            tags: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_one() {
        let policies: Vec<_> = all().collect();
        assert_eq!(policies.len(), 1_582);
        for listed in policies {
            let policy = find(&listed.arn).expect(&listed.arn);
            assert_eq!(policy.id.len(), 21, "{}", policy.id);
            assert!(policy.created_millis <= policy.updated_millis, "{}", policy.arn);
            let document = policy.document().expect("a default version");
            policy::Document::parse(document, policy::Kind::Managed)
                .unwrap_or_else(|fault| panic!("{}: {fault} {}", policy.arn, fault.detail));
        }
    }

    #[test]
    fn what_everyone_knows_is_there() {
        let administrator = find("arn:aws:iam::aws:policy/AdministratorAccess").unwrap();
        let shown = (&*administrator.id, &*administrator.default_version);
        assert_eq!(shown, ("ANPAIWMBCKSKIEE64ZLYK", "v1"));
        // 2015-02-06T18:39:46Z
        assert_eq!(administrator.created_millis, 1_423_247_986_000);
        let document = administrator.document().unwrap();
        assert!(document.starts_with("{\n  \"Version\": \"2012-10-17\""), "{document}");
        assert!(find("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").is_some());
        assert!(find("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole").is_none());
    }
}
