//! What a process has used, as Linux tells in /proc.

use std::time::Duration;

use anyhow::Context as _;

/// Linux reports times to programs in hundredths of a second on every architecture it is used on.
const TICK: Duration = Duration::from_millis(10);

/// The processor time that a process has used.
pub(crate) fn cpu(process: u32) -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))
        .context("read the use of a process; this needs Linux")?;
    // The program's name, in parentheses, may contain spaces.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u32 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    Ok(TICK * ticks)
}

/// The processes that this one has started and that still run.
pub(crate) fn children() -> anyhow::Result<Vec<u32>> {
    let mut children = Vec::new();
    for task in std::fs::read_dir("/proc/self/task")? {
        let file = task?.path().join("children");
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("read {}; this needs Linux", file.display()))?;
        children.extend(
            text.split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
    }
    Ok(children)
}

/// The processor time of the calling thread, finer than [`cpu`] tells that of a process.
pub(crate) fn own_cpu() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")
        .context("read the use of a thread; this needs Linux with CONFIG_SCHED_INFO")?;
    let nanos = text.split_whitespace().next().unwrap_or_default();
    Ok(Duration::from_nanos(nanos.parse()?))
}

/// The most memory that a process ever had, and what it has now, in MiB.
pub(crate) fn memory(process: u32) -> anyhow::Result<(u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let peak = field("VmHWM:").context("the peak memory of a process")?;
    let now = field("VmRSS:").context("the memory of a process")?;
    Ok((peak / 1024, now / 1024))
}
