//! Whom the command runs as. Names of users are the image's business, so this is found out inside, once the layers are
//! stacked: the file that counts may be in any of them.

use std::ffi::CString;

use anyhow::{Context, Result};
use chroot::inside::Root;
use sandbox::user::{self, User};

use crate::container::plan::Plan;

/// The user that is wanted in the root `tree`.
pub fn find(plan: &Plan, tree: &Root) -> Result<User> {
    user::resolve(tree, &plan.user).with_context(|| format!("user {}", plan.user))
}

/// The variables of the command. `HOME` is the user's, unless the image or an option sets it.
pub fn environment(plan: &Plan, user: &User) -> Result<Vec<CString>> {
    let mut env = plan.env.clone();
    if let Some(at) = plan.home {
        let home = CString::new(format!("HOME={}", user.home)).context("the user's home has a zero byte in it")?;
        env.insert(at, home);
    }
    Ok(env)
}

/// The ids of the user, if they are not root's, and if files can be given to them: they exist in the user namespace.
pub fn other_than_root(plan: &Plan, user: &User) -> Option<(u32, u32)> {
    let can_be_given = plan.sharing.may_set_groups() && plan.sharing.has_ids(user.uid, user.gid);
    (user.uid != 0 && can_be_given).then_some((user.uid, user.gid))
}
