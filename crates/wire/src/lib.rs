//! The AWS protocols and SigV4, both ways, driven by API models.
