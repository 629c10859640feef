//! The reader task: empties the connection into the painter's queue, whatever the painter is doing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::Error;
use super::painter::{Job, Wants};
use crate::transport::Inbound;

/// Bytes that may wait to be decoded. A reader that stands still would freeze the whole SSH connection, keep-alives
/// and keys too, so this is far more than the update or two that the client has asked for.
pub(super) const MOST_WAITING: usize = 64 << 20;
/// How long the queue may stay full.
const FULL_LIMIT: Duration = Duration::from_secs(10);

/// Held while it is read: if that panics, the painter would wait for ever.
struct Will<'a>(&'a Wants);

impl Drop for Will<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give(Job::End(Err(Error::Broken)));
        }
    }
}

/// Reads until the stream ends, and says how.
pub(super) async fn read(mut inbound: Inbound, peer: String, room: Arc<Semaphore>, painter: Wants) {
    let _will = Will(&painter);
    let end = loop {
        match inbound.chunk().await {
            Ok(Some(chunk)) => {
                let arrived = Instant::now();
                let size = u32::try_from(chunk.len().min(MOST_WAITING)).unwrap_or(u32::MAX);
                match tokio::time::timeout(FULL_LIMIT, room.acquire_many(size)).await {
                    Ok(Ok(permit)) => permit.forget(),
                    Ok(Err(_)) => return,
                    Err(_) => {
                        room.close();
                        break Err(Error::Flooded(peer));
                    }
                }
                if !painter.give(Job::Chunk(chunk, arrived)) {
                    return;
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.into()),
        }
    };
    painter.give(Job::End(end));
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::super::painter;
    use super::*;
    use crate::transport::{Asker, Route, connect};

    /// A stream that has a fault.
    struct Faulty;

    impl AsyncRead for Faulty {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            panic!("on purpose");
        }
    }

    impl AsyncWrite for Faulty {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_end_for_the_painter_too() {
        let connection = connect(Route::Given(Box::new(Faulty)), &Asker::nobody()).await.unwrap();
        let (wants, jobs) = painter::queue();
        let room = Arc::new(Semaphore::new(MOST_WAITING));
        let read = tokio::spawn(read(connection.inbound, "somebody".to_owned(), room, wants.clone()));
        assert!(read.await.is_err());
        assert!(matches!(jobs.try_recv(), Ok(Job::End(Err(Error::Broken)))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_painter_that_has_no_room_for_long_is_flooded() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 10);
        let connection = connect(Route::Given(Box::new(ours)), &Asker::nobody()).await.unwrap();
        let (wants, jobs) = painter::queue();
        let room = Arc::new(Semaphore::new(3));
        let read = tokio::spawn(read(connection.inbound, "somebody".to_owned(), room.clone(), wants.clone()));
        for _ in 0..2 {
            tokio::io::AsyncWriteExt::write_all(&mut theirs, &[2, 2]).await.unwrap();
            tokio::time::sleep(FULL_LIMIT / 2).await;
        }
        assert!(!room.is_closed());
        assert!(read.await.is_ok() && room.is_closed());
        assert!(matches!(jobs.try_recv(), Ok(Job::Chunk(..))));
        assert!(matches!(jobs.try_recv(), Ok(Job::End(Err(Error::Flooded(_))))));
    }
}
