//! Overlayfs: several directories, seen as one.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

use chroot::inside::Root;
use look::Error;
use look::kernel::{self, MsFlags};

/// What a container's root is stacked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// The layers of the image, bottom first. Nothing is written to them.
    pub layers: Vec<PathBuf>,
    /// Where what is written goes.
    pub upper: PathBuf,
    /// An empty directory on the same file system as `upper`, which overlayfs works in.
    pub work: PathBuf,
    /// Options besides, such as `userxattr`.
    pub more: Vec<&'static str>,
    /// Flags of the mount.
    pub flags: MsFlags,
}

/// `path` as it can stand among the options of a mount: commas and colons separate them.
pub fn escape(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,")
}

/// The extended attribute of a directory that shows nothing from below.
pub(crate) fn opaque_attribute(rootless: bool) -> &'static CStr {
    if rootless { c"user.overlay.opaque" } else { c"trusted.overlay.opaque" }
}

/// The kernel takes one page of options, and ends them with a zero.
const OPTIONS_MAX: usize = 4095;
/// What the options take besides the names of directories.
const OPTIONS_BESIDES: usize = 256;

impl Overlay {
    /// Mounts it on `target` with `stack`. Where the names of many layers are longer than the kernel takes, they are
    /// called by descriptors.
    pub fn mount(&self, target: &Path, stack: fn(&Overlay, &Path) -> look::Result<()>) -> look::Result<()> {
        let names = self.layers.iter().map(|layer| escape(layer).len() + 1).sum::<usize>();
        let taken = OPTIONS_BESIDES + escape(&self.upper).len() + escape(&self.work).len();
        let room = OPTIONS_MAX.saturating_sub(taken);
        if names <= room {
            return stack(self, target);
        }
        let opened = self.layers.iter().map(|layer| Root::new(layer)).collect::<look::Result<Vec<_>>>()?;
        let short = opened.iter().map(|layer| format!("/proc/self/fd/{}", layer.as_fd().as_raw_fd()));
        let short: Vec<PathBuf> = short.map(PathBuf::from).collect();
        if short.iter().map(|name| name.as_os_str().len() + 1).sum::<usize>() > room {
            let problem = "the kernel takes one page of names, which is enough for about 180".into();
            return Err(Error::Content { object: format!("an image of {} layers", short.len()), problem });
        }
        stack(&Overlay { layers: short, ..self.clone() }, target)
    }

    /// Whether all its layers are there. Where they are not, that is why it cannot be mounted.
    pub fn check_layers(&self) -> look::Result<()> {
        match self.layers.iter().find(|layer| !layer.is_dir()) {
            Some(missing) => {
                let problem = "it is missing: remove the image, and fetch it again".into();
                Err(Error::Content { object: format!("layer {}", missing.display()), problem })
            }
            None => Ok(()),
        }
    }
}

/// Shows `layers`, bottom first, on `target` as one tree that cannot be written to. The top one may be the upper directory
/// of a container. `rootless` says whose overlay left its notes in them: an ordinary user's, or root's.
///
/// Device nodes do not open there. Call it in a mount namespace that nobody else is in.
pub fn view(layers: &[PathBuf], rootless: bool, target: &Path) -> look::Result<()> {
    let opened = layers.iter().rev().map(|layer| Root::new(layer)).collect::<look::Result<Vec<_>>>()?;
    let lower: Vec<String> =
        opened.iter().map(|layer| format!("/proc/self/fd/{}", layer.as_fd().as_raw_fd())).collect();
    let options = format!("lowerdir={}{}", lower.join(":"), if rootless { ",userxattr" } else { "" });
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
    kernel::mount("overlay", target, "overlay", flags, &options, "the layers as one tree, to be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_longer_than_the_kernel_takes_are_an_error() {
        let long = PathBuf::from("/".to_owned() + &"n".repeat(2500));
        let layers = vec![PathBuf::from("/")];
        let overlay = Overlay { layers, upper: long.clone(), work: long, more: Vec::new(), flags: MsFlags::empty() };
        let error = overlay.mount(Path::new("/"), |_, _| Ok(())).unwrap_err().to_string();
        assert!(error.contains("the kernel takes one page of names"), "{error}");
    }

    #[test]
    fn a_layer_that_is_missing_is_named() {
        let layers = vec![PathBuf::from("/"), PathBuf::from("/no/such/layer")];
        let nowhere = PathBuf::new();
        let overlay =
            Overlay { layers, upper: nowhere.clone(), work: nowhere, more: Vec::new(), flags: MsFlags::empty() };
        let error = overlay.check_layers().unwrap_err().to_string();
        assert!(error.contains("layer /no/such/layer: it is missing"), "{error}");
    }
}
