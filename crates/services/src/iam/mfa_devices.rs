//! MFA devices in use: enabling, deactivating, listing. Virtual devices are made in
//! `virtual_mfa_devices`; hardware tokens and FIDO keys come into being when they are enabled.
//!
//! IAM API reference, "EnableMFADevice", "DeactivateMFADevice" (read 2026-11).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use policy::Arn;
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Table};
use value::Value;

use super::credentials::{self, CredentialKind};
use super::entity::{self, Entity, Kind, seconds};
use super::tags::{self, Tag};
use super::{error, paging, totp};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many devices a user can have in use.
const DEVICES_MAX: usize = 8;
/// The shortest serial number of a hardware token, in characters.
const SERIAL_CHARACTERS_MIN: usize = 9;
const SERIAL_CHARACTERS_MAX: usize = 256;
/// How many digits a code has.
const CODE_DIGITS: usize = 6;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "EnableMFADevice",
        checks: |on, input| entity::named(on, "EnableMFADevice", Kind::User, input),
        run: Run::Write(enable),
    },
    Operation {
        name: "DeactivateMFADevice",
        checks: |on, input| entity::named(on, "DeactivateMFADevice", Kind::User, input),
        run: Run::Write(deactivate),
    },
    Operation {
        name: "ResyncMFADevice",
        checks: |on, input| entity::named(on, "ResyncMFADevice", Kind::User, input),
        run: Run::Write(resync),
    },
    Operation {
        name: "ListMFADevices",
        checks: |on, input| entity::named(on, "ListMFADevices", Kind::User, input),
        run: Run::Read(list),
    },
    Operation {
        name: "GetMFADevice",
        checks: |on, input| entity::named(on, "GetMFADevice", Kind::User, input),
        run: Run::Read(get),
    },
];

/// A device, stored by its serial number.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MfaDevice {
    pub(super) serial_number: String,
    pub(super) created_millis: i64,
    pub(super) assigned: Option<Assigned>,
    pub(super) maker: Maker,
    pub(super) tags: Vec<Tag>,
}

/// Whose device it is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Assigned {
    pub(super) user_id: String,
    pub(super) enabled_millis: i64,
}

/// What makes the codes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub(super) enum Maker {
    /// A program that was given the seed (base64 here).
    Virtual { seed: String, last_step: Option<i64> },
    /// A token whose seed only its maker and AWS know.
    Hardware,
    /// A FIDO key or passkey, which shows no codes.
    Fido,
}

/// The one look at the real clock: codes are made by devices outside, which know no virtual time.
fn real_unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Returns the device of a serial number.
pub(super) fn find(
    store: &(impl Read + ?Sized),
    serial_number: &str,
) -> Result<Option<MfaDevice>, Error> {
    Ok(store.load(Table::MfaDevices, serial_number)?)
}

/// Returns the virtual device that an input names.
pub(super) fn get_virtual(store: &(impl Read + ?Sized), input: &Value) -> Result<MfaDevice, Error> {
    let serial_number = input.text("SerialNumber")?;
    let found = find(store, serial_number)?;
    found.filter(|device| matches!(device.maker, Maker::Virtual { .. })).ok_or_else(|| {
        error::no_such_entity(format!(
            "VirtualMFADevice with serial number {serial_number} doesn't exist."
        ))
    })
}

/// Stores a device.
pub(super) fn save(w: &mut Writing<'_>, device: &MfaDevice) -> Result<(), Error> {
    Ok(w.store.save(Table::MfaDevices, &device.serial_number, device)?)
}

/// Returns the question that an operation on a device raises.
pub(super) fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    let serial_number = input.text("SerialNumber")?;
    let check = Check::new(format!("iam:{action}"), serial_number);
    Ok(match find(on.store, serial_number)? {
        Some(device) => tags::with_resource_tags(check, &device.tags),
        None => check,
    })
}

fn wrong_code() -> Error {
    Error::new("InvalidAuthenticationCode", "Authentication code for device is not valid.")
}

/// Returns the two codes of an input; six digits each.
fn codes(input: &Value) -> Result<[&str; 2], Error> {
    let one = |member: &'static str, shown: &str| {
        let code = input.text(member)?;
        let fits = code.len() == CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
        if fits {
            return Ok(code);
        }
        let pattern = "Member must satisfy regular expression pattern: [\\d]+";
        Err(error::constraint(shown, Some(code), pattern))
    };
    Ok([
        one("AuthenticationCode1", "authenticationCode1")?,
        one("AuthenticationCode2", "authenticationCode2")?,
    ])
}

/// Accepts two codes of a device, which then cannot be used again.
fn accept(device: &mut MfaDevice, codes: [&str; 2]) -> Result<(), Error> {
    match &mut device.maker {
        Maker::Virtual { seed, last_step } => {
            let seed = BASE64_STANDARD_NO_PAD.decode(&*seed);
            let seed = seed.map_err(|err| Error::internal(&err))?;
            let now = totp::step_at(real_unix_seconds());
            let step = totp::second_step(&seed, codes, now, *last_step);
            *last_step = Some(step.ok_or_else(wrong_code)?);
            Ok(())
        }
        // DIFFERS: the seeds of tokens are known to AWS alone, so any two codes that differ do.
        Maker::Hardware if codes[0] != codes[1] => Ok(()),
        Maker::Hardware => Err(wrong_code()),
        // DIFFERS: AWS registers keys in its console only, without codes.
        Maker::Fido => Ok(()),
    }
}

/// Returns the device that a serial number of no virtual device stands for.
fn physical(w: &Writing<'_>, serial_number: &str) -> Result<MfaDevice, Error> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=/:,.@-".contains(letter);
    let length = serial_number.chars().count();
    let maker = match serial_number.parse::<Arn>() {
        Ok(arn) => {
            let own = arn.service() == "iam" && arn.account() == w.call.account();
            if !own || arn.resource_type_and_id().0 != "u2f" {
                return Err(error::no_such_entity(format!(
                    "VirtualMFADevice with serial number {serial_number} doesn't exist."
                )));
            }
            Maker::Fido
        }
        Err(_) => Maker::Hardware,
    };
    if !(SERIAL_CHARACTERS_MIN..=SERIAL_CHARACTERS_MAX).contains(&length) {
        let bound = if length < SERIAL_CHARACTERS_MIN {
            format!("greater than or equal to {SERIAL_CHARACTERS_MIN}")
        } else {
            format!("less than or equal to {SERIAL_CHARACTERS_MAX}")
        };
        let constraint = format!("Member must have length {bound}");
        return Err(error::constraint("serialNumber", Some(serial_number), &constraint));
    }
    if !serial_number.chars().all(fits) {
        let pattern = "Member must satisfy regular expression pattern: [\\w+=/:,.@-]+";
        return Err(error::constraint("serialNumber", Some(serial_number), pattern));
    }
    Ok(MfaDevice {
        serial_number: serial_number.to_owned(),
        created_millis: w.call.now_millis,
        assigned: None,
        maker,
        tags: Vec::new(),
    })
}

fn enable(w: &mut Writing<'_>, input: &Value) -> Answer {
    let user = entity::get(&*w.store, w.call, Kind::User, input.text("UserName")?)?;
    let (serial_number, codes) = (input.text("SerialNumber")?, codes(input)?);
    let mut device = match find(&*w.store, serial_number)? {
        Some(device) => device,
        None => physical(w, serial_number)?,
    };
    if device.assigned.is_some() {
        // UNVERIFIED: AWS's text for a device that is in use.
        return Err(error::already_exists(format!(
            "MFADevice with serial number {serial_number} is already in use."
        )));
    }
    let kind = CredentialKind::MfaDevice;
    let known = credentials::owned_ids(&*w.store, w.call.account(), &user.id, kind)?;
    if known.len() >= DEVICES_MAX {
        return Err(error::quota("MFADevicesPerUser", DEVICES_MAX));
    }
    accept(&mut device, codes)?;
    let user_id = user.id.clone();
    device.assigned = Some(Assigned { user_id, enabled_millis: w.call.now_millis });
    credentials::put(w, &user.id, kind, serial_number, &device)?;
    Ok(Value::object())
}

/// Returns the user of an input and its device of that serial number.
fn assigned(on: &Reading<'_>, input: &Value) -> Result<(Entity, MfaDevice), Error> {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let serial_number = input.text("SerialNumber")?;
    let (account, kind) = (on.call.account(), CredentialKind::MfaDevice);
    let device = credentials::owned(on.store, account, &user.id, kind, serial_number)?;
    let device = device.ok_or_else(|| {
        error::no_such_entity(format!("Device {serial_number} not found for user {}", user.name))
    })?;
    Ok((user, device))
}

/// A virtual device stays, unassigned, and its name with it; others are gone.
fn deactivate(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (user, mut device) = assigned(&w.reading(), input)?;
    let (serial_number, kind) = (device.serial_number.clone(), CredentialKind::MfaDevice);
    match device.maker {
        Maker::Virtual { .. } => {
            credentials::disown(w, &user.id, kind, &serial_number)?;
            device.assigned = None;
            save(w, &device)?;
        }
        Maker::Hardware | Maker::Fido => {
            credentials::remove(w, &user.id, kind, &serial_number)?;
        }
    }
    Ok(Value::object())
}

fn resync(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (_, mut device) = assigned(&w.reading(), input)?;
    accept(&mut device, codes(input)?)?;
    save(w, &device)?;
    Ok(Value::object())
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let (account, kind) = (on.call.account(), CredentialKind::MfaDevice);
    let devices = credentials::all_owned::<MfaDevice>(on.store, account, &user.id, kind)?;
    let rows = devices.into_iter().map(|(serial_number, device)| {
        let shown = Value::object()
            .with("UserName", &*user.name)
            .with("SerialNumber", &*serial_number)
            .with("EnableDate", enable_date(&device));
        (serial_number, shown)
    });
    paging::page(input, "MFADevices", rows)
}

/// Returns when a device was enabled.
pub(super) fn enable_date(device: &MfaDevice) -> Value {
    device.assigned.as_ref().map_or(Value::Null, |assigned| seconds(assigned.enabled_millis))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let (user, device) = assigned(on, input)?;
    Ok(Value::object()
        .with("UserName", &*user.name)
        .with("SerialNumber", &*device.serial_number)
        .with("EnableDate", enable_date(&device)))
}

/// Returns what STS answers when a code is given for a device that the caller does not have.
pub(crate) fn no_such_device() -> Error {
    Error::new(
        "AccessDenied",
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA \
         serial number is valid and associated with this user.",
    )
}

/// Accepts the code that a caller of STS gives for one of its devices; it cannot be used again.
///
/// # Errors
/// When the device is not the user's, or the code is wrong or was used before.
pub(crate) fn accept_token_code(
    w: &mut Writing<'_>,
    user_id: &str,
    serial_number: &str,
    code: &str,
) -> Result<(), Error> {
    let refused = || {
        Error::new(
            "AccessDenied",
            "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
        )
    };
    let (account, kind) = (w.call.account(), CredentialKind::MfaDevice);
    let device = credentials::owned(&*w.store, account, user_id, kind, serial_number)?;
    let mut device: MfaDevice = device.ok_or_else(no_such_device)?;
    match &mut device.maker {
        Maker::Virtual { seed, last_step } => {
            let seed = BASE64_STANDARD_NO_PAD.decode(&*seed);
            let seed = seed.map_err(|err| Error::internal(&err))?;
            let now = totp::step_at(real_unix_seconds());
            let step = totp::single_step(&seed, code, now, *last_step);
            *last_step = Some(step.ok_or_else(refused)?);
            save(w, &device)
        }
        // DIFFERS: the seeds of tokens are known to AWS alone, so any six digits do.
        Maker::Hardware => {
            let fits = code.len() == CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
            if fits { Ok(()) } else { Err(refused()) }
        }
        Maker::Fido => Err(refused()),
    }
}
