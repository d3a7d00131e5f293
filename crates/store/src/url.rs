//! Where a database is. The text may hold a password, so it is never shown as it is.

use std::fmt;

/// The URL of a PostgreSQL database: `postgres://user:password@host:port/database?options`.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// Returns the URL, or why it is none; the text itself is not repeated.
    ///
    /// # Errors
    /// When the text does not start as a URL of PostgreSQL does.
    pub fn parse(text: &str) -> Result<PostgresUrl, &'static str> {
        let known = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        if known {
            Ok(PostgresUrl(text.to_owned()))
        } else {
            Err("a store is `postgres://user:password@host:port/database`")
        }
    }

    /// Returns the whole text, with its password: for connecting.
    #[cfg(feature = "postgres")]
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

/// Without password and options, which may hold one too.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let rest = rest.split('?').next().unwrap_or_default();
        let (who, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let user = who.split(':').next().unwrap_or_default();
        if user.is_empty() {
            write!(f, "{scheme}://{place}")
        } else {
            write!(f, "{scheme}://{user}@{place}")
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (text, shown) in [
            ("postgres://u:s3cret@h:5/db", "postgres://u@h:5/db"),
            ("postgres://u:s3@cret@h/db", "postgres://u@h/db"),
            ("postgresql://h/db?password=s3cret", "postgresql://h/db"),
            ("postgres://h/db?password=s3@cret", "postgres://h/db"),
            ("postgres://u@/db", "postgres://u@/db"),
        ] {
            let url = PostgresUrl::parse(text).unwrap();
            assert_eq!((format!("{url}"), format!("{url:?}")), (shown.into(), shown.into()));
        }
        assert!(!PostgresUrl::parse("pg://u:s3cret@h").unwrap_err().contains("s3cret"));
    }
}
