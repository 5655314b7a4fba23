//! Work that few may do at the same time.

use std::sync::Arc;

use anyhow::Context;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::answer::Result;

/// Does `work` on another thread when one of `turns` is free.
///
/// The turn ends with the work, and not with the request: the work goes on when the client hangs up.
pub async fn in_turn<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let turn = turns.clone().acquire_owned().await.context("wait for a turn")?;
    let done = spawn_blocking(move || {
        let result = work();
        drop(turn);
        result
    });
    done.await.context("work on another thread")?
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_client_that_hangs_up_does_not_end_the_turn() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let turns = Arc::new(Semaphore::new(1));
            let (started, has_started) = tokio::sync::oneshot::channel();
            let (go_on, waits) = mpsc::channel::<()>();
            let work = in_turn(&turns, move || {
                started.send(()).unwrap();
                waits.recv().unwrap();
                Ok(())
            });
            tokio::select! {
                biased;
                _ = work => panic!("it has ended"),
                started = has_started => started.unwrap(),
            }
            assert_eq!(turns.available_permits(), 0, "the work goes on");
            go_on.send(()).unwrap();
            in_turn(&turns, || Ok(())).await.unwrap();
        });
    }
}
