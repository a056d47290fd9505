//! A proxy that makes tunnels for whoever knows its password.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// `ada:hunter2`
const ADA: &str = "Basic YWRhOmh1bnRlcjI=";

/// A running proxy; ends when this is dropped.
pub(crate) struct ConnectProxy {
    address: SocketAddr,
    tunnels: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl ConnectProxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tunnels = Arc::<Mutex<Vec<String>>>::default();
        let made = Arc::clone(&tunnels);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let made = Arc::clone(&made);
                // Whoever hangs up early is done.
                tokio::spawn(async move { tunnel(client, &made).await.ok() });
            }
        });
        Self {
            address,
            tunnels,
            task,
        }
    }

    /// The URL with the password `hunter2` of `ada`, or with another one.
    pub(crate) fn url(&self, password: &str) -> String {
        format!("http://ada:{password}@{}", self.address)
    }

    /// To where tunnels were made.
    pub(crate) fn tunnels(&self) -> Vec<String> {
        self.tunnels.lock().unwrap().clone()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn tunnel(client: TcpStream, made: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let (mut to, mut is_known) = (String::new(), false);
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await?;
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix("CONNECT ") {
            rest.split(' ')
                .next()
                .unwrap_or_default()
                .clone_into(&mut to);
        }
        if let Some((name, value)) = line.split_once(": ") {
            is_known |= name.eq_ignore_ascii_case("proxy-authorization") && value == ADA;
        }
        if line.is_empty() {
            break;
        }
    }
    if !is_known {
        let refused = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        return client.write_all(refused.as_bytes()).await;
    }
    let mut server = TcpStream::connect(&to).await?;
    made.lock().unwrap().push(to);
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
