//! The runbooks of Amazon's that Stepwell brings along.

use std::borrow::Cow;

use crate::document::Format;

/// A document owned by `Amazon`; its ARN has no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document {
    /// The name.
    pub name: &'static str,
    /// The only version.
    pub version: &'static str,
    /// How the content is written.
    pub format: Format,
    content: &'static str,
    /// A text of the content, and what stands there in the edition [`Edition::AsPublished`].
    defect: (&'static str, &'static str),
}

/// How faithful the documents are to AWS's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Edition {
    /// Known defects are repaired.
    // DIFFERS: AWS's DeleteIAMUser fails at its first run for users with a hardware token, a
    // passkey or a security key; this edition deletes them at once.
    #[default]
    Repaired,
    /// Known defects are there: for trying out what happens on AWS.
    AsPublished,
}

static DOCUMENTS: [Document; 1] = [Document {
    name: "AWSConfigRemediation-DeleteIAMUser",
    version: "1",
    format: Format::Yaml,
    content: include_str!("../../../data/runbooks/AWSConfigRemediation-DeleteIAMUser.yaml"),
    defect: ("DELETE_ONLY_VIRTUAL_DEVICES = True", "DELETE_ONLY_VIRTUAL_DEVICES = False"),
}];

impl Document {
    /// Returns the content of an edition.
    pub fn content(&self, edition: Edition) -> Cow<'static, str> {
        match edition {
            Edition::Repaired => Cow::Borrowed(self.content),
            Edition::AsPublished => {
                let (repaired, published) = self.defect;
                Cow::Owned(self.content.replacen(repaired, published, 1))
            }
        }
    }
}

/// Returns the document of this name.
pub fn find(name: &str) -> Option<&'static Document> {
    DOCUMENTS.iter().find(|document| document.name == name)
}

/// Returns all documents, for `ListDocuments`.
pub fn all() -> &'static [Document] {
    &DOCUMENTS
}

/// Returns whether a name belongs to Amazon here.
pub(crate) fn owns(name: &str) -> bool {
    find(name).is_some()
}
