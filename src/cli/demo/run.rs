//! The demo itself, from its start to Ctrl-C.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::data::DataArgs;
use super::progress::Progress;
use super::report;
use crate::cli::time::time;
use crate::cli::{CommandResult, Outcome, interrupted, output};
use crate::demo::{Demo, Options, Prometheus, Rules, View};
use crate::embedded::DataDir;
use crate::telemetry;

/// Changes are told together when they come together, so that one commit is a few lines.
const SETTLING: Duration = Duration::from_millis(250);

/// How often Prometheus looks.
const SCRAPE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct RunArgs {
    /// End with status 0 once every application is Synced and Healthy, or with status 1 and the
    /// reasons if that does not happen in time.
    #[arg(long)]
    exit_when_healthy: bool,
    /// How long the applications may take to become healthy.
    #[arg(long, default_value = "60s", value_parser = time)]
    timeout: Duration,
    #[command(flatten)]
    data: DataArgs,
    /// The port of the hub's API server [default: any that is free].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Where the hub serves metrics and webhooks [default: any free port of this machine].
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:0",
        hide_default_value = true
    )]
    listen: SocketAddr,
    /// Start Prometheus, too, if it is installed: it scrapes the hub and has the alerts and recording
    /// rules that come with it.
    #[arg(long)]
    observe: bool,
}

pub(super) async fn run(args: RunArgs) -> CommandResult {
    let began = Instant::now();
    let mut interrupted = pin!(interrupted());
    let data = DataDir::open(&args.data.path()?)?;
    let observations = data.path("prometheus");
    let (log, file) = data.create_private("argosy.log")?;
    // What kube's client says about each refused connection is told once, by the hub.
    let logs = telemetry::start_in(file, "info,kube_client=off");

    let progress = Progress::new(began);
    let options = Options {
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port),
        listen: args.listen,
        logs,
    };
    let demo = tokio::select! {
        biased;
        () = &mut interrupted => return Ok(Outcome::Success),
        demo = Demo::start(data, &options, |text| progress.step(&text)) => demo?,
    };
    let prometheus = if args.observe {
        observe(&observations, &demo, &progress).await
    } else {
        None
    };
    let outcome = tokio::select! {
        biased;
        () = interrupted => Outcome::Success,
        outcome = show(&args, &demo, &progress, &log) => outcome,
    };
    progress.finish();
    drop(prometheus);
    demo.shut_down().await;
    Ok(outcome)
}

/// Starts Prometheus beside the demo, or tells what to install.
async fn observe(folder: &Path, demo: &Demo, progress: &Progress) -> Option<Prometheus> {
    match Prometheus::start(folder, demo.address, SCRAPE, &Rules::default()).await {
        Ok(prometheus) => {
            let (address, alerts) = (prometheus.address, prometheus.alerts_page().await);
            progress.step(&format!(
                "Prometheus at http://{address}, its alerts at {alerts}"
            ));
            Some(prometheus)
        }
        Err(why) => {
            output::note(why.to_string());
            None
        }
    }
}

/// Shows the fleet come up and, unless it is to end then, what happens to it from then on.
async fn show(args: &RunArgs, demo: &Demo, progress: &Progress, log: &Path) -> Outcome {
    let mut view = demo.view();
    let complete = come_up(&mut view, progress, progress.began() + args.timeout).await;
    progress.finish();
    let took = progress.began().elapsed();
    tell_result(demo, &view.borrow(), complete, took);
    if args.exit_when_healthy {
        return if complete {
            Outcome::Success
        } else {
            Outcome::Negative
        };
    }
    output::line(report::things_to_try(demo, &args.data.flags()));
    output::line(format!(
        "Logs are in {}. Ctrl-C ends the demo.\n",
        log.display()
    ));
    tell_changes(view, progress).await
}

/// Waits until the fleet is complete; `false` if it is not in time.
async fn come_up(view: &mut watch::Receiver<View>, progress: &Progress, deadline: Instant) -> bool {
    loop {
        {
            let now = view.borrow_and_update();
            progress.coming_up(&now);
            if now.is_complete() {
                return true;
            }
        }
        tokio::select! {
            biased;
            () = sleep_until(deadline) => return false,
            changed = view.changed() => if changed.is_err() { return false },
        }
    }
}

fn tell_result(demo: &Demo, view: &View, complete: bool, took: Duration) {
    let (settled, total) = (view.settled(), view.rows.len());
    let seconds = took.as_secs_f64();
    let how_many = if complete {
        format!("All {total}")
    } else {
        format!("{settled} of {total}")
    };
    output::line(format!(
        "\n{how_many} applications are Synced and Healthy after {seconds:.1} s.\n"
    ));
    output::line(report::table(view));
    if !complete {
        output::line(format!("\n{}", report::reasons(view)));
    }
    output::line(format!("\nkubeconfig: {}", demo.kubeconfig.display()));
}

/// Tells what changes, a few lines at a time, for ever.
async fn tell_changes(mut view: watch::Receiver<View>, progress: &Progress) -> Outcome {
    let mut told = view.borrow_and_update().clone();
    while view.changed().await.is_ok() {
        tokio::time::sleep(SETTLING).await;
        let now = view.borrow_and_update().clone();
        for line in report::changes(&told, &now) {
            progress.step(&line);
        }
        told = now;
    }
    // The hub has ended; only Ctrl-C is left to wait for.
    std::future::pending().await
}
