//! Questions to the person at the terminal.

use inquire::validator::Validation;
use inquire::{Confirm, InquireError, Password, Select, Text};

use super::error::{Exit, Failure};

/// A question with a line of text as its answer.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is asked.
    pub label: &'a str,
    /// What Enter alone means.
    pub default: Option<&'a str>,
    /// A line below the question.
    pub help: &'a str,
    /// Whether an answer will do; the error says what would.
    pub check: fn(&str) -> Result<(), String>,
}

/// Asks the person. `None` means that they went away.
pub trait Prompt {
    /// A line of text.
    fn line(&mut self, question: Question<'_>) -> Option<String>;
    /// A line that is not shown while it is typed.
    fn hidden(&mut self, question: Question<'_>) -> Option<String>;
    /// One of a list, by its place in it.
    fn choose(&mut self, question: &str, options: &[String]) -> Option<usize>;
    /// Yes or no; Enter alone means no.
    fn agree(&mut self, question: &str) -> Option<bool>;
}

impl dyn Prompt {
    pub(crate) fn text(&mut self, question: Question<'_>) -> Result<String, Failure> {
        self.line(question)
            .map(trimmed)
            .ok_or_else(|| went_away(question.label))
    }

    pub(crate) fn secret(&mut self, question: Question<'_>) -> Result<String, Failure> {
        self.hidden(question)
            .map(trimmed)
            .ok_or_else(|| went_away(question.label))
    }

    pub(crate) fn choice(&mut self, question: &str, options: &[String]) -> Result<usize, Failure> {
        self.choose(question, options)
            .ok_or_else(|| went_away(question))
    }

    pub(crate) fn confirm(&mut self, question: &str) -> Result<bool, Failure> {
        self.agree(question).ok_or_else(|| went_away(question))
    }
}

fn trimmed(answer: String) -> String {
    let inner = answer.trim();
    if inner.len() == answer.len() {
        answer
    } else {
        inner.to_owned()
    }
}

fn went_away(label: &str) -> Failure {
    Failure::new(
        Exit::Refused,
        format!("no answer to \"{label}\"; nothing changed"),
    )
}

/// The terminal of this process; questions appear on stderr.
pub(super) struct Terminal;

impl Prompt for Terminal {
    fn line(&mut self, question: Question<'_>) -> Option<String> {
        let mut text = Text::new(question.label).with_validator(validator(question.check));
        if let Some(default) = question.default {
            text = text.with_default(default);
        }
        if !question.help.is_empty() {
            text = text.with_help_message(question.help);
        }
        answered(text.prompt())
    }

    fn hidden(&mut self, question: Question<'_>) -> Option<String> {
        let password = Password::new(question.label)
            .without_confirmation()
            .with_validator(validator(question.check))
            .with_help_message(question.help);
        answered(password.prompt())
    }

    fn choose(&mut self, question: &str, options: &[String]) -> Option<usize> {
        let list = Select::new(question, options.to_vec())
            .with_help_message("type to search, arrows to move, Enter to choose");
        answered(list.raw_prompt()).map(|chosen| chosen.index)
    }

    fn agree(&mut self, question: &str) -> Option<bool> {
        answered(Confirm::new(question).with_default(false).prompt())
    }
}

fn answered<T>(answer: Result<T, InquireError>) -> Option<T> {
    answer.ok()
}

fn validator(
    check: fn(&str) -> Result<(), String>,
) -> impl Fn(&str) -> Result<Validation, inquire::CustomUserError> + Clone {
    move |answer: &str| {
        Ok(match check(answer.trim()) {
            Ok(()) => Validation::Valid,
            Err(reason) => Validation::Invalid(reason.into()),
        })
    }
}
