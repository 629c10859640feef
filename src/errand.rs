//! Work over a connection without a session or a window: questions go to the terminal, and Ctrl+C ends it.

use crate::error::Failure;
use crate::terminal;
use crate::transport::Asker;

/// Runs `work` to its end.
///
/// # Errors
/// [`Failure`] of the work, or the signal.
pub fn run<T>(may_ask: bool, work: impl AsyncFnOnce(Asker) -> Result<T, Failure>) -> Result<T, Failure> {
    let no_start = |error: std::io::Error| Failure::usage(format!("no thread could be started: {error}"));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(no_start)?;
    let ended = runtime.block_on(async {
        tokio::select! {
            done = work(asker(may_ask)) => done,
            // A question may be open.
            _ = tokio::signal::ctrl_c() => Err(Failure::Signal(2)),
        }
    });
    runtime.shutdown_background();
    terminal::restore();
    ended
}

fn asker(may_ask: bool) -> Asker {
    if !may_ask {
        return Asker::nobody();
    }
    let (asker, mut questions) = Asker::new();
    tokio::spawn(async move {
        while let Some(question) = questions.recv().await {
            terminal::answer(question, |_| {});
        }
    });
    asker
}
