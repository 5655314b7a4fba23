//! Chapter 4: what layers become, how they are stacked, what they are called, and what is in them.

mod archives;
mod chains;
mod disk;
mod stacks;
mod trees;

pub(crate) use archives::{look_at as make_layer, rows as archive_rows};
pub(crate) use chains::look_at as chain_ids;
pub(crate) use disk::Disk;
pub(crate) use stacks::{look_at as stack, rows as stack_rows};
pub(crate) use trees::{look_at as apply_layer, rows as tree_rows};

/// What is there that is not `expected`: the first few, each as `NAME (WHAT)`.
fn others(found: impl IntoIterator<Item = (String, String)>, expected: &[&str]) -> String {
    const FEW: usize = 3;
    let others: Vec<_> = found
        .into_iter()
        .filter(|(name, _)| !expected.contains(&name.as_str()))
        .map(|(name, what)| format!("{name} ({what})"))
        .collect();
    match others.len() {
        0 => "nothing".into(),
        few if few <= FEW => others.join(", "),
        many => format!("{}, and {} more", others[..FEW].join(", "), many - FEW),
    }
}
