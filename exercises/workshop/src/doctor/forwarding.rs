//! Whether packets between a container and the world would be let through.
//!
//! A packet from a container that goes out is *forwarded*. Every base chain at the forward hook, of whatever table,
//! must let it pass: one engine's `accept` does not overrule another's `drop`. Docker and ufw set the policy drop.

use super::finding::{Advice, Finding, Subject};
use super::legacy_iptables;
use super::machine::Machine;
use super::nftables::{self, Chain};

const SUBJECT: Subject = Subject {
    name: "forwarding",
    did: "read net.ipv4.ip_forward, and the policies of all chains at the forward hook, over netlink",
    from_chapter: 6,
    serves: None,
};

/// Reads the rules of this network namespace.
pub fn probe(machine: &Machine) -> Finding {
    let chains = match nftables::chains() {
        // The kernel has no nftables.
        Err(nix::Error::EPROTONOSUPPORT | nix::Error::EINVAL | nix::Error::EOPNOTSUPP) => Ok(Vec::new()),
        other => other,
    };
    let legacy = legacy_iptables::forward_drops();
    match (chains, legacy) {
        (Ok(chains), Ok(legacy)) => judge(&chains, legacy == Some(true), machine.sysctl("net.ipv4.ip_forward")),
        (Err(errno), _) | (_, Err(errno)) => {
            let advice = Advice::new(
                "Only root may read the machine's packet rules. It matters for containers that root runs: those of an \
                 ordinary user are in a network namespace with rules of its own.",
                [format!("sudo {} doctor", machine.program.display())],
            );
            SUBJECT.not_known(format!("read the packet rules: {}", look::describe(errno)), advice)
        }
    }
}

fn judge(chains: &[Chain], legacy_drops: bool, ip_forward: Option<i64>) -> Finding {
    let dropping: Vec<&Chain> = chains.iter().filter(|chain| chain.at_forward && chain.drops).collect();
    let mut said: Vec<String> =
        dropping.iter().map(|chain| format!("{} {} {} drops", chain.family, chain.table, chain.name)).collect();
    let mut fix: Vec<String> = dropping.iter().flat_map(|chain| let_pass(chain, chains)).collect();
    let mut means = Vec::new();
    if legacy_drops {
        said.push("legacy iptables FORWARD drops".into());
        fix.extend(
            ["in-interface", "out-interface"]
                .map(|side| format!("sudo iptables-legacy -I FORWARD --{side} tinbox0 -j ACCEPT")),
        );
    }
    if !said.is_empty() {
        means.push("Another program's rules drop what they do not know, packets of your containers too.");
    }
    if ip_forward == Some(0) {
        said.push("net.ipv4.ip_forward is 0".into());
        means.push("The machine forwards nothing between its links.");
        fix.push("sudo sysctl -w net.ipv4.ip_forward=1".into());
        fix.push("echo 'net.ipv4.ip_forward = 1' | sudo tee /etc/sysctl.d/60-tinbox-forward.conf".into());
    }
    if said.is_empty() {
        return SUBJECT.ok("on, and no chain drops by policy");
    }
    fix.dedup();
    SUBJECT.warn(said.join("; "), Advice::new(means.join(" "), fix))
}

/// How to let the packets of the bridge `tinbox0` pass a chain, in the words of whoever made the chain.
fn let_pass(chain: &Chain, all: &[Chain]) -> Vec<String> {
    let has = |matches: &dyn Fn(&str) -> bool| {
        all.iter().any(|other| (other.family, &other.table) == (chain.family, &chain.table) && matches(&other.name))
    };
    let Chain { family, table, name, .. } = chain;
    if has(&|name| name.starts_with("ufw-") || name.starts_with("ufw6-")) {
        return vec!["sudo ufw route allow in on tinbox0".into(), "sudo ufw route allow out on tinbox0".into()];
    }
    if has(&|name| name == "DOCKER-USER") {
        let iptables = if *family == "ip6" { "ip6tables" } else { "iptables" };
        return vec![
            format!("sudo {iptables} -I DOCKER-USER -i tinbox0 -j ACCEPT"),
            format!("sudo {iptables} -I DOCKER-USER -o tinbox0 -j ACCEPT"),
        ];
    }
    ["iifname", "oifname"]
        .map(|side| format!("sudo nft insert rule {family} {table} {name} {side} tinbox0 accept"))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Outcome;

    fn chain(family: &'static str, table: &str, name: &str, at_forward: bool, drops: bool) -> Chain {
        Chain { family, table: table.into(), name: name.into(), at_forward, drops }
    }

    fn fix(chains: &[Chain]) -> Vec<String> {
        judge(chains, false, Some(1)).advice.unwrap().fix
    }

    #[test]
    fn only_a_policy_of_drop_at_the_forward_hook_is_in_the_way() {
        let harmless = [
            chain("ip", "filter", "INPUT", false, true),
            chain("inet", "filter", "forward", true, false),
            chain("ip", "nat", "POSTROUTING", false, false),
        ];
        assert_eq!(judge(&harmless, false, Some(1)).outcome, Outcome::Ok);
        assert_eq!(judge(&[], false, None).outcome, Outcome::Ok);
    }

    #[test]
    fn each_maker_of_rules_has_a_way_to_add_one() {
        let forward = chain("ip", "filter", "FORWARD", true, true);
        let docker = [forward.clone(), chain("ip", "filter", "DOCKER-USER", false, false)];
        assert_eq!(fix(&docker)[0], "sudo iptables -I DOCKER-USER -i tinbox0 -j ACCEPT");
        let ufw = [forward.clone(), chain("ip", "filter", "ufw-user-forward", false, false)];
        assert_eq!(fix(&ufw)[0], "sudo ufw route allow in on tinbox0");
        let elsewhere = [forward, chain("ip6", "filter", "DOCKER-USER", false, false)];
        assert_eq!(fix(&elsewhere)[0], "sudo nft insert rule ip filter FORWARD iifname tinbox0 accept");
        let own = [chain("inet", "fw", "fwd", true, true)];
        assert_eq!(fix(&own)[1], "sudo nft insert rule inet fw fwd oifname tinbox0 accept");
    }

    #[test]
    fn what_is_off_is_turned_on() {
        let found = judge(&[], true, Some(0));
        assert_eq!(found.said, "legacy iptables FORWARD drops; net.ipv4.ip_forward is 0");
        let fix = found.advice.unwrap().fix;
        assert!(
            fix.contains(&"sudo iptables-legacy -I FORWARD --in-interface tinbox0 -j ACCEPT".to_owned()),
            "{fix:?}"
        );
        assert!(fix.contains(&"sudo sysctl -w net.ipv4.ip_forward=1".to_owned()), "{fix:?}");
    }
}
