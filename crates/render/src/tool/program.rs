//! Running a program with nothing but its input.

use std::{
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// How long one program may run: Argo CD's limit.
const TIME_LIMIT: Duration = Duration::from_secs(90);

/// How much a program may print.
const OUTPUT_LIMIT: u64 = 64 * 1024 * 1024;

/// Runs `program` in `folder` and returns what it prints; the error is what it complains about.
pub(super) fn run(
    program: &Path,
    arguments: &[String],
    folder: &Path,
    home: &Path,
) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", home)
        .env("TMPDIR", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let output = collect(child.stdout.take());
    let complaints = collect(child.stderr.take());
    let finished = wait(&mut child)?;
    let text = |channel: &mpsc::Receiver<Vec<u8>>| {
        let bytes = channel.recv().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (output, complaints) = (text(&output), text(&complaints));
    if !finished {
        Err(complaints.trim().to_owned())
    } else if output.len() as u64 >= OUTPUT_LIMIT {
        Err(format!("printed more than {OUTPUT_LIMIT} bytes"))
    } else {
        Ok(output)
    }
}

/// Reads a pipe to its end in the background, so that a full pipe never blocks the program.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.take(OUTPUT_LIMIT).read_to_end(&mut bytes);
        }
        let _ = send.send(bytes);
    });
    receive
}

/// Whether the program ended well in time.
fn wait(child: &mut Child) -> Result<bool, String> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if started.elapsed() < TIME_LIMIT => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("did not end within {} s", TIME_LIMIT.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}
