//! `im completions`.

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;

use super::context::Context;
use super::error::Exit;

/// Print the completions for a shell
///
/// For bash: `im completions bash > ~/.local/share/bash-completion/completions/im`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    shell: Known,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

pub(crate) fn run(args: &CompletionsArgs, cx: &mut Context) -> Exit {
    let shell = match args.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Cli::command(), "im", &mut script);
    cx.ui.raw(&script);
    Exit::Done
}
