//! `AWS::CDK::Metadata`: nothing happens, for the sake of templates that the CDK makes.

use super::{Change, Identified, ResourceType, optional};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::CDK::Metadata",
    properties: &[optional("Analytics", Change::InPlace), optional("Modules", Change::InPlace)],
    name_property: None,
    name_characters_max: 128,
    capability: None,
    create: |_| Vec::new(),
    identify: |work| Identified::new(&work.name),
    update: |_| Vec::new(),
    delete: |_| Vec::new(),
};
