//! One HTTP/1.1 connection that is kept open, with as little around it as possible: the client
//! shares the machine with the server that it measures.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long an answer may take.
const ANSWER_SECONDS_MAX: u64 = 120;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
    head: String,
}

impl Reply {
    /// Returns the answer as the protocols of `wire` read it.
    pub(crate) fn into_answer(self) -> wire::client::Answer {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let headers = headers
            .map(|(name, text)| (name.trim().to_ascii_lowercase(), text.trim().to_owned()))
            .collect();
        wire::client::Answer { status: self.status, headers, body: self.body }
    }

    /// Returns status and body in one line, for messages.
    pub(crate) fn summary(&self) -> String {
        format!("status {}: {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// A connection; it is opened anew when the server closed it between two requests.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

impl Connection {
    /// Returns a connection that opens with the first request.
    pub(crate) fn to(address: SocketAddr) -> Connection {
        Connection { address, stream: None, received: Vec::new() }
    }

    /// Sends a whole request and reads the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Reply> {
        let limit = Duration::from_secs(ANSWER_SECONDS_MAX);
        let reply = tokio::time::timeout(limit, async {
            let was_open = self.stream.is_some();
            match self.attempt(request).await {
                // An idle connection that the server closed has told it nothing.
                Err(_) if was_open && self.received.is_empty() => {
                    self.stream = None;
                    self.attempt(request).await
                }
                done => done,
            }
        });
        let reply = reply.await.context("no answer in time")?;
        if reply.is_err() {
            self.stream = None;
        }
        reply
    }

    async fn attempt(&mut self, request: &[u8]) -> Result<Reply> {
        self.received.clear();
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut().context("no connection")?;
        stream.write_all(request).await?;
        let head_bytes = loop {
            if let Some(at) = position(&self.received, b"\r\n\r\n", 0) {
                break at + 4;
            }
            self.fill().await?;
        };
        let head = self.received.get(..head_bytes).unwrap_or_default();
        let head = String::from_utf8_lossy(head).into_owned();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
        let status = status.context("the answer has no status")?;
        let body = if header(&head, "transfer-encoding") == Some("chunked") {
            self.chunks(head_bytes).await?
        } else {
            let length = header(&head, "content-length").unwrap_or("0").parse()?;
            self.bytes(head_bytes, length).await?
        };
        if header(&head, "connection") == Some("close") {
            self.stream = None;
        }
        Ok(Reply { status, body, head })
    }

    /// Reads more.
    async fn fill(&mut self) -> Result<()> {
        if ANSWER_BYTES_MAX < self.received.len() {
            bail!("the answer is larger than {ANSWER_BYTES_MAX} bytes");
        }
        let stream = self.stream.as_mut().context("no connection")?;
        if stream.read_buf(&mut self.received).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }

    /// Returns so many bytes from there on.
    async fn bytes(&mut self, from: usize, length: usize) -> Result<Vec<u8>> {
        while self.received.len() < from + length {
            self.fill().await?;
        }
        Ok(self.received.get(from..from + length).unwrap_or_default().to_vec())
    }

    /// Returns the chunks from there on, put together.
    async fn chunks(&mut self, mut from: usize) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let Some(end) = position(&self.received, b"\r\n", from) else {
                self.fill().await?;
                continue;
            };
            let size = std::str::from_utf8(self.received.get(from..end).unwrap_or_default())?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or(size), 16)?;
            let chunk = self.bytes(end + 2, size + 2).await?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(chunk.get(..size).unwrap_or_default());
            from = end + 2 + size + 2;
        }
    }
}

fn position(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let found = bytes.get(from..)?.windows(wanted.len()).position(|window| window == wanted);
    found.map(|at| from + at)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, text)| text.trim())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// Answers each request on one connection with the next of these texts.
    fn scripted(answers: &'static [&'static str]) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 64]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        address
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn reads_a_length_and_chunks_and_opens_a_closed_connection_again() {
        let address = scripted(&[
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n1\r\nc\r\n2\r\nde\r\n0\r\n\r\n",
        ]);
        runtime().block_on(async {
            let mut connection = Connection::to(address);
            let reply = connection.exchange(b"GET /").await.unwrap();
            assert_eq!((reply.status, reply.body.as_slice()), (200, b"ab".as_slice()));
            let reply = connection.exchange(b"GET /").await.unwrap();
            assert_eq!(reply.summary(), "status 400: cde");
        });
    }
}
