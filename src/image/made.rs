//! A layer that is stored while it is made: one thread writes it, and the store reads what it writes. So it takes little
//! memory, however large it is.

use std::io::{BufWriter, ErrorKind};

use anyhow::{Context, Result, anyhow};
use images::{ApplyLayer, Expected, LayerWriter, Received, Writer};

use super::room;

/// How much is handed on at a time from what makes the layer to what stores it.
const PIECE: usize = 256 << 10;

/// Has `make` write a layer, and receives it.
///
/// Errors: what kept it from being made, or else what kept it from being stored.
pub fn receive(
    writer: &Writer<'_>,
    apply: ApplyLayer,
    make: impl FnOnce(&mut LayerWriter<'_>) -> Result<()> + Send,
) -> Result<Received> {
    let (mut reading, writing) = std::io::pipe().context("make a pipe")?;
    std::thread::scope(|scope| {
        let making = scope.spawn(move || -> Result<()> {
            let mut out = BufWriter::with_capacity(PIECE, writing);
            let mut layer = LayerWriter::new(&mut out);
            make(&mut layer)?;
            layer.finish()
        });
        let received = writer.receive(&mut reading, &Expected::default(), apply);
        // Should it have failed, the other side must not wait for it to read on.
        drop(reading);
        let made = making.join().map_err(|_| anyhow!("the thread that makes the layer panicked"))?;
        match made {
            Err(error) if !is_broken_pipe(&error) => Err(error),
            _ => received.context("store the layer").map_err(room::with_help),
        }
    })
}

/// Whether it failed only because the other side had.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.any(|cause| cause.kind() == ErrorKind::BrokenPipe)
}
