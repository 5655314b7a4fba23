//! The distribution, and what it calls things: os-release(5).

use serde::Serialize;

/// What `/etc/os-release` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Os {
    /// For people: `Debian GNU/Linux 12 (bookworm)`.
    pub name: String,
    /// `debian`, `ubuntu`, `fedora`, …
    pub id: String,
    /// The distributions it derives from, nearest first.
    pub like: Vec<String>,
    /// `12`, `24.04`; empty where there are no releases.
    pub version: String,
}

/// The families that differ in the commands to type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// apt: Debian, Ubuntu, Mint, …
    Debian,
    /// dnf: Fedora, RHEL, Alma, …
    Fedora,
    /// pacman: Arch, Manjaro, …
    Arch,
    /// zypper: openSUSE, SLES.
    Suse,
    /// apk: Alpine, postmarketOS.
    Alpine,
    /// Anything else.
    Other,
}

impl Os {
    /// Reads the text of os-release.
    pub fn parse(text: &str) -> Os {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
        };
        Os {
            name: value("PRETTY_NAME"),
            id: value("ID"),
            like: value("ID_LIKE").split_whitespace().map(str::to_owned).collect(),
            version: value("VERSION_ID"),
        }
    }

    /// Which commands it understands.
    pub fn family(&self) -> Family {
        let families = |id: &str| {
            Some(match id {
                "debian" | "ubuntu" => Family::Debian,
                "fedora" | "rhel" | "centos" => Family::Fedora,
                "arch" => Family::Arch,
                "suse" | "opensuse" | "opensuse-leap" | "opensuse-tumbleweed" | "sles" => Family::Suse,
                "alpine" => Family::Alpine,
                _ => return None,
            })
        };
        let ids = std::iter::once(&self.id).chain(&self.like);
        ids.filter_map(|id| families(id)).next().unwrap_or(Family::Other)
    }

    /// How to install newuidmap and newgidmap.
    pub fn install_uidmap(&self) -> String {
        match self.family() {
            Family::Debian => "sudo apt install uidmap",
            Family::Fedora => "sudo dnf install shadow-utils",
            Family::Arch => "sudo pacman -S shadow",
            Family::Suse => "sudo zypper install shadow",
            Family::Alpine => "sudo apk add shadow shadow-uidmap",
            Family::Other => "# install newuidmap and newgidmap, which belong to the package shadow",
        }
        .to_owned()
    }

    /// How to get a kernel that is newer than the one that the release came with.
    pub fn newer_kernel(&self) -> Vec<String> {
        match (self.id.as_str(), self.version.as_str()) {
            ("ubuntu", version) => vec![format!("sudo apt install linux-generic-hwe-{version}"), "sudo reboot".into()],
            _ => vec!["# upgrade to the current release of your distribution, which brings a newer kernel".into()],
        }
    }

    /// How to add words to the kernel's command line, for the next boots. `grub`: it is set in /etc/default/grub.
    pub fn boot_with(&self, words: &str, grub: bool) -> Vec<String> {
        match self.family() {
            Family::Debian if grub => vec![
                format!("sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&{words} /' /etc/default/grub"),
                "sudo update-grub && sudo reboot".into(),
            ],
            Family::Fedora if grub => {
                vec![format!("sudo grubby --update-kernel=ALL --args=\"{words}\""), "sudo reboot".into()]
            }
            _ => vec![format!("# add this to your boot loader's kernel command line, and reboot: {words}")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_families() {
        let debian = Os::parse("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n");
        assert_eq!(debian.name, "Debian GNU/Linux 12 (bookworm)");
        assert_eq!((debian.id.as_str(), debian.version.as_str()), ("debian", "12"));
        for (text, family) in [
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", Family::Debian),
            ("ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"", Family::Fedora),
            ("ID=arch", Family::Arch),
            ("ID='opensuse-tumbleweed'\nID_LIKE='opensuse suse'", Family::Suse),
            ("ID=alpine", Family::Alpine),
            ("ID=nixos", Family::Other),
            ("", Family::Other),
        ] {
            assert_eq!(Os::parse(text).family(), family, "{text}");
        }
    }

    #[test]
    fn each_family_has_its_package() {
        let command = |id: &str| Os::parse(&format!("ID={id}")).install_uidmap();
        assert_eq!(command("ubuntu"), "sudo apt install uidmap");
        assert_eq!(command("fedora"), "sudo dnf install shadow-utils");
        assert_eq!(command("arch"), "sudo pacman -S shadow");
        assert_eq!(command("alpine"), "sudo apk add shadow shadow-uidmap");
        assert!(command("void").starts_with('#'));
    }

    #[test]
    fn the_newer_kernel_of_an_ubuntu_is_its_hwe_kernel() {
        let ubuntu = Os::parse("ID=ubuntu\nVERSION_ID=\"20.04\"");
        assert_eq!(ubuntu.newer_kernel()[0], "sudo apt install linux-generic-hwe-20.04");
    }
}
