//! Ubuntu's restriction, since 23.10: any program may still make a user namespace, but in it has no capability,
//! unless an AppArmor profile for the program says `userns`.
//!
//! So `unshare(2)` succeeds, and what fails is the next step that needs a capability: the map, or a mount. Where
//! the profile `unprivileged_userns` is not loaded, `unshare(2)` itself is refused.

use std::path::Path;

use super::finding::Advice;
use super::machine::Machine;

/// What to do where `kernel.apparmor_restrict_unprivileged_userns` is 1.
pub fn restricted(machine: &Machine) -> Advice {
    let setting = "kernel.apparmor_restrict_unprivileged_userns";
    let now = format!("sudo sysctl -w {setting}=0");
    let for_good = format!("echo '{setting} = 0' | sudo tee /etc/sysctl.d/60-tinbox-userns.conf");
    if let Some(engine) = &machine.engine {
        return Advice::new(
            format!("The AppArmor of the host of {engine} gives no program a capability in its user namespace."),
            ["# on the host; until its next boot:", &now, "# and for good:", &for_good],
        );
    }
    Advice::new(
        format!(
            "Ubuntu's AppArmor gives a program no capability in its user namespace unless a profile allows it \
             ({setting} = 1). A profile for what cargo builds here allows it to the course and to nothing else."
        ),
        [
            &format!("sudo tee /etc/apparmor.d/tinbox >/dev/null <<'END'\n{}END", profile(&machine.target)),
            "sudo apparmor_parser -r /etc/apparmor.d/tinbox",
            "# instead, for every program, until the next boot:",
            &now,
            "# and for good:",
            &for_good,
        ],
    )
}

/// The text of a profile that lets every program below `target` use user namespaces, and changes nothing else.
/// What such a program runs inherits the profile: apparmor.d(5).
pub fn profile(target: &Path) -> String {
    let programs = literal(&target.display().to_string());
    format!(
        "abi <abi/4.0>,\n\
         include <tunables/global>\n\
         \n\
         profile tinbox \"{programs}/**\" flags=(unconfined) {{\n\
         \x20 userns,\n\
         \n\
         \x20 include if exists <local/tinbox>\n\
         }}\n"
    )
}

/// A path in which nothing is a pattern: apparmor.d(5), "Globbing".
fn literal(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for c in path.chars() {
        if matches!(c, '?' | '*' | '[' | ']' | '{' | '}' | '^' | '"' | '\\' | '@') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::surroundings::Engine;

    #[test]
    fn the_profile_names_what_is_built() {
        let text = profile(Path::new("/home/me/my course/target"));
        assert_eq!(
            text,
            "abi <abi/4.0>,\ninclude <tunables/global>\n\n\
             profile tinbox \"/home/me/my course/target/**\" flags=(unconfined) {\n  userns,\n\n  \
             include if exists <local/tinbox>\n}\n"
        );
    }

    #[test]
    fn in_a_container_the_host_has_to_be_changed() {
        let machine = Machine { uid: 1000, engine: Some(Engine::Codespace), ..Machine::default() };
        let advice = restricted(&machine);
        assert!(advice.means.contains("the host of a codespace"), "{advice:?}");
        assert!(!advice.fix.join("\n").contains("/etc/apparmor.d"), "{advice:?}");
    }

    #[test]
    fn a_path_is_not_a_pattern() {
        assert_eq!(literal("/a*b/{c}"), "/a\\*b/\\{c\\}");
    }
}
