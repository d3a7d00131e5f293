//! How much of a token the session policies and tags take.
//!
//! AWS packs them into a form that it does not publish and reports a percentage of what fits. Here
//! the same parts are packed with DEFLATE: the policy without white space between its tokens, the
//! ARNs, the tags, each part on a line of its own.
//!
//! STS API reference, "AssumeRole", `PackedPolicySize`; IAM user guide, "IAM and AWS STS quotas"
//! (read 2026-11).

use std::collections::BTreeMap;

use policy::SessionPolicy;

use crate::Error;

/// How many packed bytes a session has room for.
// DIFFERS: AWS publishes neither its packed form nor its limit; only that there is one.
const PACKED_BYTES_MAX: usize = 4096;
/// DEFLATE's usual effort.
const LEVEL: u8 = 6;

/// Returns how many percent of the room the policies and tags take; `None` when there are none.
///
/// # Errors
/// `PackedPolicyTooLarge` when they do not fit.
pub(super) fn percent(
    policies: Option<&[SessionPolicy]>,
    tags: &BTreeMap<String, String>,
) -> Result<Option<i64>, Error> {
    if policies.is_none() && tags.is_empty() {
        return Ok(None);
    }
    let mut plain = String::new();
    for policy in policies.unwrap_or_default() {
        // A managed policy travels as its ARN.
        let shown = if policy.label.starts_with("arn:") { &policy.label } else { &policy.document };
        match value::parse(shown) {
            Ok(document) => plain.push_str(&document.to_string()),
            Err(_) => plain.push_str(shown),
        }
        plain.push('\n');
    }
    for (key, value) in tags {
        plain.extend([key, "=", value, "\n"]);
    }
    let packed = miniz_oxide::deflate::compress_to_vec(plain.as_bytes(), LEVEL).len();
    let percent = (packed * 100).div_ceil(PACKED_BYTES_MAX);
    if PACKED_BYTES_MAX < packed {
        let text = if tags.is_empty() {
            format!(
                "Packed policy consumes {percent}% of allotted space, please use smaller policy"
            )
        } else {
            format!("Packed size of session tags consumes {percent}% of allotted space.")
        };
        return Err(Error::new("PackedPolicyTooLarge", text));
    }
    Ok(Some(i64::try_from(percent).unwrap_or(100)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(document: &str) -> Vec<SessionPolicy> {
        vec![SessionPolicy { label: "session policy".into(), document: document.to_owned() }]
    }

    #[test]
    fn only_what_is_there_takes_room() {
        assert_eq!(percent(None, &BTreeMap::new()), Ok(None));
        let one = percent(None, &[("team".to_owned(), "red".to_owned())].into());
        assert_eq!(one, Ok(Some(1)));
    }

    #[test]
    fn white_space_in_a_policy_takes_none() {
        let (wide, tight) = (inline("{ \"a\" :\n  1 }"), inline("{\"a\":1}"));
        let tags = BTreeMap::new();
        assert_eq!(percent(Some(&wide), &tags), percent(Some(&tight), &tags));
    }

    #[test]
    fn more_than_there_is_room_for_is_refused_with_how_much_it_is() {
        // Digests do not compress.
        use sha2::{Digest, Sha256};
        let noise = |seed: usize| format!("{:?}", Sha256::digest(seed.to_be_bytes()));
        let tags: BTreeMap<String, String> =
            (0..50).map(|at| (noise(at), noise(at + 99))).collect();
        let refused = percent(None, &tags).unwrap_err();
        assert_eq!(refused.code, "PackedPolicyTooLarge");
        assert!(
            refused.message.starts_with("Packed size of session tags consumes "),
            "{}",
            refused.message
        );
    }
}
