//! `IpAddress` and `NotIpAddress`: addresses and CIDR ranges of both families.

use std::net::IpAddr;

use super::{Operator, Polarity, Test};
use crate::Context;
use crate::pattern::Version;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "IpAddress", polarity: Polarity::Positive, compile: range },
    Operator { name: "NotIpAddress", polarity: Polarity::Negated, compile: range },
];

#[derive(Debug)]
struct Range(Option<(IpAddr, u32)>);

fn range(text: &str, _: Version) -> Box<dyn Test> {
    Box::new(Range(parse(text)))
}

/// Reads `203.0.113.0/24` or a bare address, which is the range of itself.
fn parse(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.trim().split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text.trim(), None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(bits_max);
    (bits <= bits_max).then_some((address, bits))
}

/// Returns whether a text is an address or a range of addresses.
pub(super) fn is_range(text: &str) -> bool {
    parse(text).is_some()
}

impl Test for Range {
    fn test(&self, value: &str, _: &Context) -> Option<bool> {
        let address: IpAddr = value.trim().parse().ok()?;
        let (network, bits) = self.0?;
        Some(match (address, network) {
            (IpAddr::V4(address), IpAddr::V4(network)) => {
                let differing = address.to_bits() ^ network.to_bits();
                differing.leading_zeros() >= bits
            }
            (IpAddr::V6(address), IpAddr::V6(network)) => {
                let differing = address.to_bits() ^ network.to_bits();
                differing.leading_zeros() >= bits
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        })
    }
}
