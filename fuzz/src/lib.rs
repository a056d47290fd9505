//! What the fuzz targets try: whatever the bytes are, reading them ends, without a panic and within
//! bounds. The tests of the workspace try the same functions with bytes of their own.

mod templates;
mod webhooks;
mod yaml;

/// Bytes as a file with manifests.
pub fn yaml(bytes: &[u8]) {
    yaml::read(bytes);
}

/// Bytes as a Go template.
pub fn templates(bytes: &[u8]) {
    templates::run(bytes);
}

/// Bytes as the body of a webhook's delivery.
pub fn webhooks(bytes: &[u8]) {
    webhooks::read(bytes);
}
