//! Work that is the same for several things, done for a few of them at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use anyhow::Result;

/// As many as are worked on at a time: as docker has it with layers.
const AT_ONCE: usize = 3;

/// Does `work` for each of `items`, a few at a time, in their order. Meanwhile `collect` gets the results as they come,
/// each with the number of its item, and what it returns is the result of all.
///
/// After an error, nothing more is begun. What is being worked on goes on, unless `collect` tells it to end.
pub fn each<T: Sync, R: Send, O>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
    collect: impl FnOnce(&mut dyn Iterator<Item = (usize, Result<R>)>) -> O,
) -> O {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(items.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = work(item);
                    if result.is_err() {
                        next.store(items.len(), Ordering::Relaxed);
                    }
                    // The receiver lives as long as this thread.
                    let _ = sender.send((at, result));
                }
            });
        }
        drop(sender);
        collect(&mut receiver.iter())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use anyhow::ensure;

    use super::*;

    #[test]
    fn as_many_as_said_are_worked_on_at_a_time() {
        let all = Barrier::new(AT_ONCE);
        let items = [1; AT_ONCE * 2];
        let work = |item: &i32| {
            all.wait();
            Ok(*item)
        };
        let sum: i32 = each(&items, work, |results| results.map(|(_, result)| result.unwrap()).sum());
        assert_eq!(sum, items.len() as i32);
    }

    #[test]
    fn nothing_is_begun_after_an_error() {
        let begun = AtomicUsize::new(0);
        let work = |item: &usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            ensure!(*item >= AT_ONCE, "one of the first");
            Ok(*item)
        };
        let items: Vec<usize> = (0..100).collect();
        let errors = each(&items, work, |results| results.filter(|(_, result)| result.is_err()).count());
        assert!((1..=AT_ONCE).contains(&errors));
        assert!(begun.load(Ordering::Relaxed) <= 2 * AT_ONCE);
        assert_eq!(each(&[0_usize; 0], work, |results| results.count()), 0);
    }
}
