//! How often a server is asked for another size of its desktop.

use tokio::time::{Duration, Instant};

use crate::client::{InputEncoder, Notice};
use crate::rfb::screen::status;

/// Between two requests: each takes a server's programs a while.
const PAUSE: Duration = Duration::from_millis(100);
/// How long an answer is waited for before the next request.
const PATIENCE: Duration = Duration::from_secs(5);

/// The time of the last request.
#[derive(Debug, Default)]
pub(super) struct Resizes {
    asked: Option<Instant>,
}

impl Resizes {
    /// How long it is to the next request, if one is wanted.
    pub(super) fn pause(&self, encoder: &InputEncoder) -> Option<Duration> {
        let pause = if encoder.is_resizing() { PATIENCE } else { PAUSE };
        let left = || self.asked.map_or(Duration::ZERO, |asked| pause.saturating_sub(asked.elapsed()));
        encoder.wants_resize().then(left)
    }

    /// Appends the request that is due by now, if any is.
    pub(super) fn ask(&mut self, encoder: &mut InputEncoder, bytes: &mut Vec<u8>) {
        if self.pause(encoder) == Some(Duration::ZERO) {
            encoder.resize(bytes);
            self.asked = Some(Instant::now());
        }
    }
}

/// Says so if the server does not do what it was asked for.
pub(super) fn hear(notice: &Notice) {
    let Notice::Resized(answer) = notice else { return };
    let why = match *answer {
        status::DONE | status::FORWARDED => return,
        status::PROHIBITED => "it is not allowed",
        status::OUT_OF_RESOURCES => "it has no room for it",
        status::INVALID_LAYOUT => "it does not like the screens",
        other => return tracing::info!("the server keeps the size of its desktop: reason {other}"),
    };
    tracing::info!("the server keeps the size of its desktop: {why}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::UserInput;
    use crate::picture::Size;

    #[tokio::test(start_paused = true)]
    async fn a_server_is_asked_for_one_size_at_a_time_and_not_too_often() {
        let (mut encoder, mut resizes) = (InputEncoder::default(), Resizes::default());
        let want = |encoder: &mut InputEncoder, side| {
            encoder.input(UserInput::Resize { size: Size::new(side, side), screens: vec![] }, &mut Vec::new());
        };
        let asked = |encoder: &mut InputEncoder, resizes: &mut Resizes| {
            let mut bytes = Vec::new();
            resizes.ask(encoder, &mut bytes);
            bytes.get(3).copied()
        };
        want(&mut encoder, 1);
        assert_eq!(resizes.pause(&encoder), None);
        encoder.notice(Notice::Desktop { size: Size::new(9, 9), screens: vec![] }, &mut Vec::new());
        assert_eq!(asked(&mut encoder, &mut resizes), Some(1));
        assert_eq!(resizes.pause(&encoder), None);
        want(&mut encoder, 2);
        want(&mut encoder, 3);
        assert_eq!((resizes.pause(&encoder), asked(&mut encoder, &mut resizes)), (Some(PATIENCE), None));
        encoder.notice(Notice::Resized(status::DONE), &mut Vec::new());
        assert_eq!((resizes.pause(&encoder), asked(&mut encoder, &mut resizes)), (Some(PAUSE), None));
        tokio::time::advance(PAUSE).await;
        assert_eq!(asked(&mut encoder, &mut resizes), Some(3));
        // One that never answers.
        want(&mut encoder, 4);
        tokio::time::advance(PATIENCE - Duration::from_millis(1)).await;
        assert_eq!(asked(&mut encoder, &mut resizes), None);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(asked(&mut encoder, &mut resizes), Some(4));
    }
}
