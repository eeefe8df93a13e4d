//! Connections that can be cut: a caller whose answer is lost hears nothing, not even an error.
//!
//! A handler cannot close the connection under its request; it marks the line as cut, and the
//! line refuses to carry the answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections that can be cut.
pub(super) struct Lines(pub(super) TcpListener);

/// One connection.
pub(super) struct Line {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

/// What a handler knows of the connection of its request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) peer: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Caller {
    /// Nothing is sent on this connection any more.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

impl Listener for Lines {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        let cut = Arc::new(AtomicBool::new(false));
        (Line { stream, cut }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Lines>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        Self {
            peer: *stream.remote_addr(),
            cut: Arc::clone(&stream.io().cut),
        }
    }
}

impl Line {
    fn refusal(&self) -> Option<io::Error> {
        let is_cut = self.cut.load(Ordering::SeqCst);
        is_cut.then(|| io::ErrorKind::ConnectionAborted.into())
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.refusal() {
            Some(refused) => Poll::Ready(Err(refused)),
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
