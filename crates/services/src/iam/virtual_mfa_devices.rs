//! Virtual MFA devices: made with a seed, assigned by EnableMFADevice.
//!
//! IAM API reference, "CreateVirtualMFADevice", "ListVirtualMFADevices" (read 2026-11).

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use store::{Scan, Table};
use value::Value;

use super::mfa_devices::{self, Maker, MfaDevice, check};
use super::{entity, error, names, paging, qr_code, tags, totp, users};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing, ids};

/// The longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 226;
/// How many devices an account can have, in use or not: as many as users.
const DEVICES_MAX: usize = 5000;
/// How many random bytes a seed has; 64 characters in base32, as on AWS.
const SEED_BYTES: usize = 40;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateVirtualMFADevice", checks: may_create, run: Run::Write(create) },
    Operation {
        name: "DeleteVirtualMFADevice",
        checks: |on, input| Ok(vec![check(on, "DeleteVirtualMFADevice", input)?]),
        run: Run::Write(delete),
    },
    Operation {
        name: "ListVirtualMFADevices",
        checks: |on, _| {
            let display = on.call.global_arn("iam", "mfa/");
            Ok(vec![Check::any("iam:ListVirtualMFADevices").shown_as(display)])
        },
        run: Run::Read(list),
    },
];

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let path = input.maybe_text("Path").unwrap_or(names::ROOT_PATH);
    let name = input.text("VirtualMFADeviceName")?;
    let arn = on.call.global_arn("iam", &format!("mfa{path}{name}"));
    Ok(vec![tags::with_request_tags(Check::new("iam:CreateVirtualMFADevice", arn), input)])
}

/// Returns the picture that a phone reads the seed from, in base64.
fn picture(call: &Call, name: &str, base32: &str) -> Option<String> {
    let account = call.account();
    let png = qr_code::png(&format!("otpauth://totp/{name}@{account}?secret={base32}"))?;
    Some(BASE64_STANDARD.encode(png))
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (name, path) = (input.text("VirtualMFADeviceName")?, names::path_of(input)?);
    names::check_name("virtualMFADeviceName", name, NAME_CHARACTERS_MAX)?;
    let serial_number = w.call.global_arn("iam", &format!("mfa{path}{name}"));
    if mfa_devices::find(&*w.store, &serial_number)?.is_some() {
        return Err(error::already_exists(
            "MFADevice entity at the same path and name already exists.",
        ));
    }
    let own = w.call.global_arn("iam", "mfa/");
    if w.store.scan(Table::MfaDevices, Scan::prefix(&own))?.len() >= DEVICES_MAX {
        // UNVERIFIED: the name of this quota.
        return Err(error::quota("VirtualMFADevicesPerAccount", DEVICES_MAX));
    }
    let seed: [u8; SEED_BYTES] = ids::entropy();
    let device = MfaDevice {
        serial_number,
        created_millis: w.call.now_millis,
        assigned: None,
        maker: Maker::Virtual { seed: BASE64_STANDARD_NO_PAD.encode(seed), last_step: None },
        tags: tags::in_input(input)?,
    };
    mfa_devices::save(w, &device)?;
    let base32 = totp::base32(&seed);
    let shown = Value::object()
        .with("SerialNumber", &*device.serial_number)
        .with("Base32StringSeed", BASE64_STANDARD.encode(&base32))
        .with_some("QRCodePNG", picture(w.call, name, &base32))
        .with_some("Tags", tags::shown_if_any(&device.tags));
    Ok(Value::object().with("VirtualMFADevice", shown))
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let device = mfa_devices::get_virtual(&*w.store, input)?;
    if device.assigned.is_some() {
        return Err(Error::new(
            "DeleteConflict",
            "MFA VirtualDevice in use. Must deactivate first.",
        ));
    }
    w.store.delete(Table::MfaDevices, &device.serial_number)?;
    Ok(Value::object())
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let own = on.call.global_arn("iam", "mfa/");
    let wanted = |device: &MfaDevice| match input.maybe_text("AssignmentStatus") {
        Some("Assigned") => device.assigned.is_some(),
        Some("Unassigned") => device.assigned.is_none(),
        Some(_) | None => true,
    };
    let page = paging::stored(on.store, input, Table::MfaDevices, &own, wanted)?;
    paging::answer("VirtualMFADevices", page, |device| shown(on, &device))
}

fn shown(on: &Reading<'_>, device: &MfaDevice) -> Answer {
    let shown = Value::object().with("SerialNumber", &*device.serial_number);
    let Some(assigned) = &device.assigned else { return Ok(shown) };
    let user = entity::by_id(on.store, on.call.account(), &assigned.user_id)?;
    Ok(shown
        .with_some("User", user.map(|user| users::shown(on.call, &user)))
        .with("EnableDate", mfa_devices::enable_date(device)))
}
