//! Files attached to a document, laid out for its scripts.

use std::collections::BTreeMap;
use std::path::Path;

use store::{Store, Table};

/// Files by name; each value is the key of the content in `Table::Definitions`
/// ([`content_key`](crate::content_key)).
pub type Attachments = BTreeMap<String, String>;

/// Writes the files into a directory that only they are in.
///
/// # Errors
/// Why one of them cannot be had.
pub(crate) fn write_into(
    directory: &Path,
    attachments: &Attachments,
    store: &Store,
) -> Result<(), String> {
    std::fs::create_dir(directory).map_err(|err| format!("no place for attachments: {err}"))?;
    for (name, key) in attachments {
        let content = store.read(|tx| tx.get(Table::Definitions, key));
        let content = content.map_err(|err| format!("the attachment {name}: {err}"))?;
        let content =
            content.ok_or_else(|| format!("the attachment {name} is not in the store"))?;
        // Names are checked when a document is created; a path would lead out of the directory.
        if name.contains(['/', '\\']) || name.chars().all(|c| c == '.') {
            return Err(format!("`{name}` is no name of an attachment"));
        }
        std::fs::write(directory.join(name), content)
            .map_err(|err| format!("the attachment {name} could not be written: {err}"))?;
    }
    Ok(())
}
