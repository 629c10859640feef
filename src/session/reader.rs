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

/// Reads until the stream ends, and says how.
pub(super) async fn read(mut inbound: Inbound, peer: String, room: Arc<Semaphore>, painter: Wants) {
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
