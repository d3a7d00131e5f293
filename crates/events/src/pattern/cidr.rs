//! `{"cidr": "10.0.0.0/24"}`, also for IPv6.

use std::net::IpAddr;

use value::Value;

use super::Comparison;
use super::compile::{Refusal, text};
use super::positions::Node;

/// The leaf is an address within a block.
#[derive(Clone, Debug)]
pub(super) struct Cidr {
    network: IpAddr,
    mask_bits: u32,
}

pub(super) fn compile(operand: &Node) -> Result<Comparison, Refusal> {
    // Event Ruler says "prefix" here too.
    let block = text(operand, "prefix match pattern must be a string")?;
    let refuse = |reason: &str| Refusal::of(operand, reason);
    // UNVERIFIED: the exact words of the four refusals below.
    let (address, bits) = block
        .split_once('/')
        .filter(|(_, bits)| !bits.contains('/'))
        .ok_or_else(|| refuse("Malformed CIDR, one '/' required"))?;
    let network: IpAddr =
        address.parse().map_err(|_| refuse(&format!("Malformed CIDR: {block}")))?;
    let mask_bits: u32 =
        bits.parse().map_err(|_| refuse("Malformed CIDR, mask bits must be an integer"))?;
    let mask_bits_max = if network.is_ipv4() { 32 } else { 128 };
    if mask_bits_max < mask_bits {
        return Err(refuse("IPv4 mask bits must be < 32"));
    }
    Ok(Comparison::Cidr(Cidr { network, mask_bits }))
}

impl Cidr {
    pub(super) fn matches(&self, leaf: &Value) -> bool {
        let address = leaf.as_str().and_then(|leaf| leaf.parse::<IpAddr>().ok());
        match (self.network, address) {
            (IpAddr::V4(network), Some(IpAddr::V4(address))) => {
                let drop = 32 - self.mask_bits;
                network.to_bits().checked_shr(drop) == address.to_bits().checked_shr(drop)
            }
            (IpAddr::V6(network), Some(IpAddr::V6(address))) => {
                let drop = 128 - self.mask_bits;
                network.to_bits().checked_shr(drop) == address.to_bits().checked_shr(drop)
            }
            _ => false,
        }
    }
}
