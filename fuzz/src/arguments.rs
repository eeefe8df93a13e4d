//! The command line. Input: one argument a line.

use im::cli;

pub(crate) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let arguments: Vec<&str> = std::iter::once("im").chain(text.lines()).collect();
    match cli::parse(&arguments) {
        Ok(read) => {
            assert!(!format!("{read:?}").is_empty());
            with_json(&arguments);
        }
        Err(refused) => {
            assert!(matches!(refused.exit_code(), 0 | 2), "{arguments:?}");
            assert!(!refused.to_string().trim().is_empty(), "{arguments:?}");
        }
    }
}

/// A global flag may stand before any command.
fn with_json(arguments: &[&str]) {
    let (program, rest) = arguments.split_at(1);
    let with: Vec<&str> = [program, &["--json"], rest].concat();
    let twice = rest.iter().any(|argument| argument.contains("json"));
    assert!(cli::parse(&with).is_ok() || twice, "{with:?}");
}
