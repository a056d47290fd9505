//! `argosy admin support-bundle`: what somebody needs to know who is to help, in one file that may be
//! handed on.
//!
//! Nothing of a Secret but its name and keys is ever in it, and nothing that people wrote into
//! applications for charts and plugins.

mod gather;
mod redact;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Parser;
use flate2::Compression;
use flate2::write::GzEncoder;

use self::gather::{Part, parts};
use crate::cli::hub_access::HubArgs;
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// The folder in the bundle.
const FOLDER: &str = "argosy-support";

/// Gather what somebody needs to know who is to help with a hub, without any secret.
///
/// Version, settings, registered clusters and their states, projects, Applications and
/// ApplicationSets with statuses and conditions, Events, logs and metrics. Of Secrets there are names
/// and keys; values of charts, parameters and unknown settings are left out. Look through it before
/// you hand it on all the same.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy admin support-bundle -o support.tar.gz
  kubectl -n argocd port-forward deployment/argosy 8082 &
  argosy admin support-bundle -o support.tar.gz --metrics http://127.0.0.1:8082/metrics")]
pub(crate) struct Args {
    /// The file to write, which nobody else may read.
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "argosy-support.tar.gz"
    )]
    output: PathBuf,
    /// Where the hub serves its metrics, which tell of queues and requests; left out if not given.
    #[arg(long, value_name = "URL")]
    metrics: Option<String>,
    /// Look at the Applications and ApplicationSets of all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    #[command(flatten)]
    hub: HubArgs,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let client = args.hub.client().await?;
    let parts = parts(&client, &args).await?;
    let packed = pack(&parts).map_err(|error| unwritable(&args.output, &error))?;
    write(&args.output, &packed).map_err(|error| unwritable(&args.output, &error))?;
    for part in parts.iter().filter(|part| part.is_missing) {
        output::note(format!("{} is left out: {}", part.name, part.text));
    }
    output::line(format!("{}", args.output.display()));
    Ok(Outcome::Success)
}

fn pack(parts: &[Part]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for part in parts {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(part.text.len()).unwrap_or(u64::MAX));
        header.set_mode(0o600);
        let path = format!("{FOLDER}/{}", part.name);
        archive.append_data(&mut header, path, part.text.as_bytes())?;
    }
    archive.into_inner()?.finish()
}

fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file)?.write_all(bytes)
}

fn unwritable(file: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::user("FileUnwritable", "cannot write the file")
        .at(file.display().to_string())
        .because(error)
}
