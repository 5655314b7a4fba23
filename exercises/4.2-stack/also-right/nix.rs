//! Calls mount through nix, and escapes by itself.

use std::path::Path;

use images::Overlay;
use look::Error;
use nix::mount::mount;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let quoted = |path: &Path| -> String {
        let special = |c: char| [':', ',', '\\'].contains(&c);
        path.to_string_lossy().chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
    };
    let mut lower = String::new();
    for layer in &overlay.layers {
        lower = if lower.is_empty() { quoted(layer) } else { format!("{}:{lower}", quoted(layer)) };
    }
    let mut options = overlay.more.join(",");
    options += &format!(",workdir={},upperdir={},lowerdir={lower}", quoted(&overlay.work), quoted(&overlay.upper));
    mount(Some("overlay"), target, Some("overlay"), overlay.flags, Some(options.as_str()))
        .map_err(|errno| Error::call("mount", target.display().to_string(), errno))
}
