//! The credentials that calls to AWS are signed with: the environment, else the shared files.
//!
//! AWS SDKs and Tools reference guide, "Standardized credential providers" (read 2026-11). Of the
//! chain, these are the links that need no network: environment variables, then the profile in
//! `~/.aws/credentials`, then the one in `~/.aws/config`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wire::client::Credentials;

/// The largest file of profiles that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Looks for credentials; `None` when there are none.
///
/// # Errors
/// When a file is there but cannot be read.
pub(crate) fn find() -> Result<Option<Credentials>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    if let (Some(access_key_id), Some(secret_access_key)) =
        (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"))
    {
        let session_token = variable("AWS_SESSION_TOKEN");
        return Ok(Some(Credentials { access_key_id, secret_access_key, session_token }));
    }
    let profile = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
    let home = variable("HOME").map(|home| Path::new(&home).join(".aws"));
    let file = |said: &str, name: &str| {
        variable(said).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(name)))
    };
    let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    let config = file("AWS_CONFIG_FILE", "config");
    let in_config = match &*profile {
        "default" => profile.clone(),
        other => format!("profile {other}"),
    };
    for (path, section) in [(credentials, &profile), (config, &in_config)] {
        let Some(path) = path.filter(|path| path.is_file()) else { continue };
        let text = read(&path).with_context(|| format!("reading {}", path.display()))?;
        if let Some(found) = of_section(&text, section) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::metadata(path)?.len();
    anyhow::ensure!(bytes <= FILE_BYTES_MAX, "it is larger than {FILE_BYTES_MAX} bytes");
    Ok(std::fs::read_to_string(path)?)
}

/// Returns the keys of a section of a file of profiles.
fn of_section(text: &str, section: &str) -> Option<Credentials> {
    let mut inside = false;
    let (mut id, mut secret, mut token) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name.trim() == section;
        } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
            let value = Some(value.trim().to_owned());
            match key.trim() {
                "aws_access_key_id" => id = value,
                "aws_secret_access_key" => secret = value,
                "aws_session_token" => token = value,
                _ => {}
            }
        }
    }
    Some(Credentials { access_key_id: id?, secret_access_key: secret?, session_token: token })
}

#[cfg(test)]
mod tests {
    use super::of_section;

    #[test]
    fn keys_come_from_the_profile_that_is_asked_for() {
        let text = "[default]\naws_access_key_id = A\naws_secret_access_key=B\n\n\
                    [other]\nregion = x\naws_access_key_id=C\naws_secret_access_key=D=\n\
                    aws_session_token = E\n[none]\nsso_session = s\n";
        let found = of_section(text, "default").unwrap();
        assert_eq!((&*found.access_key_id, &*found.secret_access_key), ("A", "B"));
        let found = of_section(text, "other").unwrap();
        assert_eq!((&*found.secret_access_key, found.session_token.as_deref()), ("D=", Some("E")));
        assert!(of_section(text, "none").is_none() && of_section(text, "absent").is_none());
    }
}
