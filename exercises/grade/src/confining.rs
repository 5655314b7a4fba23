//! Chapter 8: what is left to a process, what a filter answers, what a mask hides.

mod filters;
mod masks;
mod privileges;

pub(crate) use filters::{look_at as filter, rows as filter_rows};
pub(crate) use masks::{look_at as mask, rows as mask_rows};
pub(crate) use privileges::{look_at as drop_privileges, rows as privilege_rows};
