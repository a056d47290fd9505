//! The `argosy` binary: one rustls provider, one dispatch, one exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Several of the linked crates could each bring a provider of their own; whichever client came
    // first would then decide. Installing one before anything else leaves no choice to chance.
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    argosy::cli::main()
}
