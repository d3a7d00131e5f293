//! What the server does when a client does not wait for its answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use wire::server::{Drained, Handler, serve};
use wire::{Request, Response};

/// Answers when it is let, or panics then.
#[derive(Default)]
struct Slow {
    asked: Notify,
    go_on: Notify,
    answered: Notify,
}

impl Handler for Slow {
    fn handle(self: Arc<Self>, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(async move {
            self.asked.notify_one();
            self.go_on.notified().await;
            assert!(request.path != "/panic", "as asked");
            self.answered.notify_one();
            Response::json(200, &value::Value::object())
        })
    }
}

struct Site {
    handler: Arc<Slow>,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Drained>,
}

impl Site {
    async fn new() -> Site {
        let handler = Arc::new(Slow::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            drop(stopped.await);
            Duration::from_secs(30)
        };
        let serving = tokio::spawn(serve(listener, handler.clone(), stopped));
        Site { handler, address, stop, serving }
    }

    /// Sends a request and returns when the handler has it.
    async fn ask(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        self.handler.asked.notified().await;
        stream
    }
}

async fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn what_a_client_asked_for_is_done_although_it_hangs_up() {
    let site = Site::new().await;
    drop(site.ask("/").await);
    // When the server has seen this one, it has seen the first one's end.
    let second = site.ask("/").await;
    let _ = site.stop.send(());
    for _ in 0..2 {
        site.handler.go_on.notify_one();
        site.handler.answered.notified().await;
    }
    assert!(answer(second).await.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(site.serving.await.unwrap(), Drained { ended: 2, cut_off: 0 });
}

#[tokio::test]
async fn who_waits_is_answered_also_after_a_panic() {
    let site = Site::new().await;
    for (path, status) in [("/", "200 OK"), ("/panic", "500 Internal Server Error")] {
        let stream = site.ask(path).await;
        site.handler.go_on.notify_one();
        let answer = answer(stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}
