//! Chapter 4: what layers are called, how they are stacked, what they become, and what is in them.

mod chains;
mod stacks;

pub(crate) use chains::look_at as chain_ids;
pub(crate) use stacks::{look_at as stack, rows as stack_rows};
