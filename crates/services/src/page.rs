//! Pages of lists: opaque markers over ordered keys.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// One page of a list.
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The marker of the next page, when there is one.
    pub next: Option<String>,
}

/// Returns the key that a marker stands for; `None` when it was not made by [`cut`].
pub fn open_marker(marker: &str) -> Option<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(marker).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix("1:").map(str::to_owned)
}

/// Returns the marker that stands for a key.
pub fn marker(key: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("1:{key}"))
}

/// Cuts a page of at most `limit` out of rows in key order, starting behind `after`.
pub fn cut<T>(
    rows: impl IntoIterator<Item = (String, T)>,
    after: Option<&str>,
    limit: usize,
) -> Page<T> {
    let mut rows = rows.into_iter().filter(|(key, _)| after.is_none_or(|after| &**key > after));
    let mut items = Vec::new();
    let mut last = None;
    for (key, item) in rows.by_ref().take(limit) {
        items.push(item);
        last = Some(key);
    }
    let more = rows.next().is_some();
    let next = last.filter(|_| more).map(|key| marker(&key));
    Page { items, next }
}
