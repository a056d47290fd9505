//! What a benchmark waits for and what it prints.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::bail;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

/// How often something is looked at while its change is awaited.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until a condition holds.
pub(crate) async fn until(
    what: &str,
    mut condition: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let since = Instant::now();
    while !condition().await? {
        if since.elapsed() > PATIENCE {
            bail!("not in time: {what}");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// A duration in milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Prints a figure; an empty target says that there is none.
pub(crate) fn figure(name: &str, value: f64, unit: &str, target: &str) -> anyhow::Result<()> {
    let digits = if value < 100.0 { 2 } else { 0 };
    let target = if target.is_empty() {
        String::new()
    } else {
        format!("  (target: at most {target})")
    };
    say(&format!("{name:<52} {value:>9.digits$} {unit}{target}"))
}

/// Prints a line.
pub(crate) fn say(line: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
