//! Names, paths and how they turn into ARNs and keys (reference/iam.md §1.1).

use value::Value;

use super::error;
use crate::{Call, Error, Input};

/// The longest path, in characters.
const PATH_CHARACTERS_MAX: usize = 512;
/// The path of what is created without one, and of what does not exist.
pub(super) const ROOT_PATH: &str = "/";

/// Returns the key under which a name is stored: names are unique whatever their case.
pub(super) fn key(account: &str, name: &str) -> String {
    format!("{account}/{}", name.to_lowercase())
}

/// Refuses a name that IAM refuses; `member` is the input member in AWS's spelling, `userName`.
pub(super) fn check_name(member: &str, name: &str, characters_max: usize) -> Result<(), Error> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if name.is_empty() {
        let least = "Member must have length greater than or equal to 1";
        return Err(error::constraint(member, Some(name), least));
    }
    if name.chars().count() > characters_max {
        let most = format!("Member must have length less than or equal to {characters_max}");
        return Err(error::constraint(member, Some(name), &most));
    }
    if !name.chars().all(fits) {
        return Err(Error::validation(format!(
            "The specified value for {member} is invalid. It must contain only alphanumeric \
             characters and/or the following: +=,.@_-"
        )));
    }
    Ok(())
}

/// Returns the path given for something new.
pub(super) fn path_of(input: &Value) -> Result<&str, Error> {
    let path = input.maybe_text("Path").unwrap_or(ROOT_PATH);
    check_path("path", path)?;
    Ok(path)
}

/// Refuses a path that does not stand between slashes.
pub(super) fn check_path(member: &str, path: &str) -> Result<(), Error> {
    let framed = path == ROOT_PATH || (path.len() > 1 && is_framed(path));
    if !framed || path.len() > PATH_CHARACTERS_MAX {
        return Err(Error::validation(format!(
            "The specified value for {member} is invalid. It must begin and end with / and contain \
             only alphanumeric characters and/or / characters."
        )));
    }
    Ok(())
}

fn is_framed(path: &str) -> bool {
    path.starts_with('/') && path.ends_with('/') && path.chars().all(|c| c.is_ascii_graphic())
}

/// Returns whether a path lies under the `PathPrefix` of a list operation.
pub(super) fn under_prefix(input: &Value, path: &str) -> bool {
    path.starts_with(input.maybe_text("PathPrefix").unwrap_or(ROOT_PATH))
}

/// Returns the user that an operation speaks of: the one named, else the caller.
pub(super) fn user_name<'a>(call: &'a Call, input: &'a Value) -> Result<&'a str, Error> {
    input.maybe_text("UserName").or_else(|| call.user_name()).ok_or_else(|| {
        Error::validation("Must specify userName when calling with non-User credentials")
    })
}
