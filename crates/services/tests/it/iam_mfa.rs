//! MFA devices: two successive codes of the real clock, each good for once.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use value::{Value, value};

use crate::server::{ACCOUNT, Server, each, server, text};

/// An authenticator of our own.
fn code(base32: &str, step: i64) -> String {
    let (mut seed, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in base32.bytes() {
        let five = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|l| *l == letter).unwrap();
        held = held << 5 | u32::try_from(five).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            seed.push(u8::try_from(held >> bits & 0xff).unwrap());
            held &= (1 << bits) - 1;
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&seed).unwrap();
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn now_step() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs() / 30).unwrap()
}

fn create(server: &Server, name: &str) -> (String, String) {
    let made = server.ok("CreateVirtualMFADevice", value!({"VirtualMFADeviceName": name}));
    let seed = text(&made, &["VirtualMFADevice", "Base32StringSeed"]);
    let seed = String::from_utf8(BASE64_STANDARD.decode(seed).unwrap()).unwrap();
    assert_eq!(seed.len(), 64);
    let picture = text(&made, &["VirtualMFADevice", "QRCodePNG"]);
    assert!(BASE64_STANDARD.decode(picture).unwrap().starts_with(b"\x89PNG"));
    (text(&made, &["VirtualMFADevice", "SerialNumber"]), seed)
}

fn enabling(user: &str, serial_number: &str, seed: &str, step: i64) -> Value {
    value!({"UserName": user, "SerialNumber": serial_number,
        "AuthenticationCode1": (code(seed, step - 1)), "AuthenticationCode2": (code(seed, step))})
}

/// Makes a virtual device and enables it; returns its serial number.
pub(crate) fn enable(server: &Server, user: &str, name: &str) -> String {
    let (serial_number, seed) = create(server, name);
    server.ok("EnableMFADevice", enabling(user, &serial_number, &seed, now_step()));
    serial_number
}

const WRONG: &str = "InvalidAuthenticationCode: Authentication code for device is not valid.";

#[test]
fn a_virtual_device_lives_from_creation_to_deletion() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    let (serial_number, seed) = create(&server, "m");
    assert_eq!(serial_number, format!("arn:aws:iam::{ACCOUNT}:mfa/m"));
    assert_eq!(
        server.refused("CreateVirtualMFADevice", value!({"VirtualMFADeviceName": "m"})),
        "EntityAlreadyExists: MFADevice entity at the same path and name already exists."
    );
    let step = now_step();
    let old = enabling("u", &serial_number, &seed, step - 100);
    assert_eq!(server.refused("EnableMFADevice", old), WRONG);
    let input = enabling("u", &serial_number, &seed, step);
    server.ok("EnableMFADevice", input.clone());
    let listed = server.ok("ListMFADevices", value!({"UserName": "u"}));
    assert_eq!(each(&listed, "MFADevices", "SerialNumber"), [serial_number.as_str()]);
    let device = value!({"SerialNumber": (serial_number.as_str())});
    let refused = server.refused("DeleteVirtualMFADevice", device.clone());
    assert!(refused.starts_with("DeleteConflict"), "{refused}");
    server.ok("DeactivateMFADevice", device.clone().with("UserName", "u"));
    assert_eq!(server.refused("EnableMFADevice", input), WRONG, "the codes were used");
    let free = server.ok("ListVirtualMFADevices", value!({"AssignmentStatus": "Unassigned"}));
    assert_eq!(each(&free, "VirtualMFADevices", "SerialNumber"), [serial_number.as_str()]);
    server.ok("DeleteVirtualMFADevice", device.clone());
    assert_eq!(
        server.refused("DeleteVirtualMFADevice", device),
        format!("NoSuchEntity: VirtualMFADevice with serial number {serial_number} doesn't exist.")
    );
}

#[test]
fn tokens_and_keys_come_with_enabling_and_go_with_deactivating() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    let key = format!("arn:aws:iam::{ACCOUNT}:u2f/user/u/key-1");
    for serial_number in ["GAHT12345678", &key] {
        let input = value!({"UserName": "u", "SerialNumber": serial_number,
            "AuthenticationCode1": "123456", "AuthenticationCode2": "654321"});
        server.ok("EnableMFADevice", input);
        let device = value!({"UserName": "u", "SerialNumber": serial_number});
        server.ok("DeactivateMFADevice", device.clone());
        assert_eq!(
            server.refused("DeactivateMFADevice", device),
            format!("NoSuchEntity: Device {serial_number} not found for user u")
        );
    }
    let same = value!({"UserName": "u", "SerialNumber": "GAHT12345678",
        "AuthenticationCode1": "123456", "AuthenticationCode2": "123456"});
    assert_eq!(server.refused("EnableMFADevice", same), WRONG);
}

#[test]
fn a_user_has_eight_devices_in_use_and_no_more() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    for number in 0..8 {
        enable(&server, "u", &format!("m{number}"));
    }
    let (serial_number, seed) = create(&server, "m8");
    assert_eq!(
        server.refused("EnableMFADevice", enabling("u", &serial_number, &seed, now_step())),
        "LimitExceeded: Cannot exceed quota for MFADevicesPerUser: 8"
    );
}
