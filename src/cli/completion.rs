//! `argosy completion`: what a shell needs to complete commands and flags.

use clap::{CommandFactory, Parser};
use clap_complete::Shell;

use super::kubectl::{Called, PLUGIN};
use super::{Cli, Outcome, output};

/// Print the code that lets a shell complete commands, flags and their values.
#[derive(Parser)]
#[command(after_help = "Examples:
  source <(argosy completion bash)
  argosy completion zsh > \"${fpath[1]}/_argosy\"")]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Outcome {
    let mut code = Vec::new();
    let name = match Called::now() {
        Called::Plugin => PLUGIN,
        _ => "argosy",
    };
    clap_complete::generate(args.shell, &mut Cli::command(), name, &mut code);
    output::line(String::from_utf8_lossy(&code).trim_end());
    Outcome::Success
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_learns_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
            let mut code = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "argosy", &mut code);
            let code = String::from_utf8(code).expect("text");
            assert!(
                code.contains("appset") && code.contains("exit-when-healthy"),
                "{shell}"
            );
        }
    }
}
