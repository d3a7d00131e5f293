//! Standard output, whose reader may have gone.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};

/// The status of a program that ends because nobody reads what it prints: 128 and SIGPIPE, as
/// shells show it.
const NOBODY_READS: i32 = 141;

/// Prints. When nobody reads any more (`stepwell lint … | head`) the program ends without a word.
pub(crate) fn write(text: Arguments<'_>) {
    if let Err(err) = heard(std::io::stdout().lock().write_fmt(text)) {
        eprintln!("error: writing to standard output: {err}");
        std::process::exit(1);
    }
}

/// Takes what came of writing; when nobody reads any more the program ends without a word.
pub(crate) fn heard<T>(written: io::Result<T>) -> io::Result<T> {
    match &written {
        Err(err) if err.kind() == ErrorKind::BrokenPipe => std::process::exit(NOBODY_READS),
        Ok(_) | Err(_) => written,
    }
}

/// Prints for whoever reads; when nobody does, the program goes on.
pub(crate) fn offer(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // Nobody missed it.
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// As the standard library's, which panics when nobody reads any more.
macro_rules! print {
    ($($text:tt)*) => { $crate::output::write(format_args!($($text)*)) };
}

/// As the standard library's, which panics when nobody reads any more.
macro_rules! println {
    ($($text:tt)*) => {
        $crate::output::write(format_args!("{}\n", format_args!($($text)*)))
    };
}
