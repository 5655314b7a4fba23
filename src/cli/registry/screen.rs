//! What the one who shares images sees: where they are, and what the others type.

use std::net::{IpAddr, SocketAddr};

use super::own_addresses::OwnAddress;

/// Images that are listed by name.
const NAMED: usize = 5;

/// What there is to be said.
#[derive(Debug)]
pub struct Screen {
    /// Where the registry is reached, the most likely first.
    pub addresses: Vec<OwnAddress>,
    /// On which port.
    pub port: u16,
    /// What this machine is called.
    pub host_name: String,
    /// `REPOSITORY:TAG` of all images, and whether it is the owner's own.
    pub images: Vec<(String, bool)>,
    /// Whether others may push.
    pub writable: bool,
}

impl Screen {
    /// One line.
    pub fn short(&self) -> String {
        let urls: Vec<String> = self.addresses.iter().map(|own| self.url(own)).collect();
        let urls = if urls.is_empty() { format!("port {}", self.port) } else { urls.join(", ") };
        format!("Sharing {} on {urls}, {}", self.count(), self.mode())
    }

    /// All of it.
    pub fn text(&self) -> String {
        let mut lines = vec![format!("Sharing {}, {}, until Ctrl-C{}", self.count(), self.mode(), self.names())];
        for own in &self.addresses {
            let interface = if own.interface.is_empty() { String::new() } else { format!("  ({})", own.interface) };
            lines.push(format!("  {}{interface}", self.url(own)));
        }
        let Some(first) = self.addresses.first() else {
            lines.push("\nThis machine has no address in a network: connect it, and start this again.".to_owned());
            return lines.join("\n");
        };
        let host = self.host(first);
        let leave = if first.ip.is_loopback() { "" } else { " --tls-verify=false" };
        match self.example() {
            Some(image) => {
                lines.push(format!("\n{}, one of\n{}", self.where_to_type(first), pulling(&host, image, leave)));
            }
            None => lines.push("\nnothing to share yet: `tinbox pull` or `tinbox load` an image first".to_owned()),
        }
        if self.writable {
            lines.push(self.pushing(&host, leave));
        }
        lines.push(self.settings(first));
        lines.join("\n")
    }

    fn count(&self) -> String {
        match self.images.len() {
            1 => "1 image".to_owned(),
            count => format!("{count} images"),
        }
    }

    fn mode(&self) -> &str {
        if self.writable { "to read and to write" } else { "read-only" }
    }

    /// Some of the images, the owner's own first.
    fn names(&self) -> String {
        let names = |own: bool| self.images.iter().filter(move |(_, is_own)| *is_own == own);
        let names: Vec<&str> = names(true).chain(names(false)).map(|(name, _)| name.as_str()).collect();
        match names.len() {
            0 => String::new(),
            count if count <= NAMED => format!(": {}", names.join(", ")),
            count => format!(": {} and {} more", names[..NAMED].join(", "), count - NAMED),
        }
    }

    /// An image to pull: rather the owner's own than one that somebody pushed.
    fn example(&self) -> Option<&str> {
        let own = self.images.iter().find(|(_, is_own)| *is_own);
        own.or(self.images.first()).map(|(name, _)| name.as_str())
    }

    fn url(&self, own: &OwnAddress) -> String {
        format!("http://{}", SocketAddr::new(own.ip, self.port))
    }

    /// What comes before the slash in the names of images. No client takes an IPv6 address there.
    fn host(&self, own: &OwnAddress) -> String {
        match own.ip {
            IpAddr::V4(ip) => format!("{ip}:{}", self.port),
            IpAddr::V6(_) => format!("{}:{}", self.host_name, self.port),
        }
    }

    fn where_to_type(&self, first: &OwnAddress) -> &str {
        match self.addresses.len() {
            _ if first.ip.is_loopback() => "On this machine",
            1 => "On another machine",
            _ => "On another machine, with the address that is in its network",
        }
    }

    fn pushing(&self, host: &str, leave: &str) -> String {
        format!(
            "\nTo push, with your own name in place of alice (docker, podman: alike):\n  \
             tinbox tag app {host}/alice/app && tinbox push{leave} {host}/alice/app\n\
             It arrives here as localhost:{}/alice/app, and nobody can replace an image of yours.",
            self.port
        )
    }

    /// What has to be set up, if anything.
    fn settings(&self, first: &OwnAddress) -> String {
        if first.ip.is_loopback() {
            let port = self.port;
            return format!("\nNo other machine can reach it: --listen 0.0.0.0:{port} shares it with the room.");
        }
        let (network, name) = match first.ip {
            IpAddr::V4(_) => (first.network(), String::new()),
            IpAddr::V6(_) => {
                let host = self.host(first);
                let name = format!(
                    "\nThe name of an image cannot hold an IPv6 address: the others must know who {} is, or use IPv4.",
                    self.host_name
                );
                (host, name)
            }
        };
        format!(
            "{name}\ndocker needs {{\"insecure-registries\": [\"{network}\"]}} in /etc/docker/daemon.json, then `systemctl reload docker`.\n\
             With the same in ~/.config/docker/daemon.json, tinbox needs no --tls-verify=false."
        )
    }
}

/// The commands that pull `image`. `leave` is the option that allows plain HTTP to Tinbox.
fn pulling(host: &str, image: &str, leave: &str) -> String {
    let file = image.split([':', '/']).next().unwrap_or(image);
    format!(
        "  tinbox pull{leave} {host}/{image}\n  \
         docker pull {host}/{image}\n  \
         podman pull --tls-verify=false {host}/{image}\n  \
         skopeo copy --src-tls-verify=false docker://{host}/{image} oci-archive:{file}.tar\n  \
         tinbox search{leave} {host}/    # lists all"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(ip: &str, images: &[(&str, bool)], writable: bool) -> Screen {
        let own =
            |interface: &str, ip: &str| OwnAddress { interface: interface.into(), ip: ip.parse().unwrap(), bits: 24 };
        let addresses = vec![own("wlan0", ip), own("tun0", "10.8.0.2")];
        let images = images.iter().map(|(name, is_own)| ((*name).to_owned(), *is_own)).collect();
        Screen { addresses, port: 5000, host_name: "leader".into(), images, writable }
    }

    #[test]
    fn it_says_what_to_type() {
        let images = [("alice/app:latest", false), ("base:latest", true)];
        insta::assert_snapshot!(screen("10.77.0.1", &images, true).text());
        assert!(screen("10.77.0.1", &images, true).text().lines().count() <= 17);
        let short = screen("10.77.0.1", &images, false).short();
        assert_eq!(short, "Sharing 2 images on http://10.77.0.1:5000, http://10.8.0.2:5000, read-only");
    }

    #[test]
    fn many_images_are_counted() {
        let images = ["a:1", "b:1", "c:1", "d:1", "e:1", "f:1", "g:1"].map(|name| (name, name != "a:1"));
        let text = screen("10.77.0.1", &images, false).text();
        assert!(
            text.starts_with("Sharing 7 images, read-only, until Ctrl-C: b:1, c:1, d:1, e:1, f:1 and 2 more\n"),
            "{text}"
        );
    }

    #[test]
    fn no_image_has_an_ipv6_address_in_its_name() {
        let text = screen("fd77::10", &[("base:latest", true)], false).text();
        assert!(
            text.contains("http://[fd77::10]:5000") && text.contains("pull --tls-verify=false leader:5000/base"),
            "{text}"
        );
        assert!(text.contains("[\"leader:5000\"]") && !text.contains("]:5000/"), "{text}");
    }

    #[test]
    fn an_empty_store_is_said_to_be() {
        let text = screen("10.77.0.1", &[], false).text();
        assert!(text.contains("nothing to share yet: `tinbox pull` or `tinbox load` an image first"), "{text}");
    }
}
