//! What stays of a container, and how it is found and removed: `ps`, `rm`, `--rm`, `--name`.

use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need::Containers;

pub const TESTS: &[Test] = &[
    ("without_rm_it_stays_until_removed", &[Containers], without_rm_it_stays_until_removed),
    ("with_rm_nothing_stays", &[Containers], with_rm_nothing_stays),
    ("a_name_is_one_containers", &[Containers], a_name_is_one_containers),
    ("ps_shows_what_runs", &[Containers], ps_shows_what_runs),
    ("rm_force_ends_it", &[Containers], rm_force_ends_it),
    ("rm_goes_on_after_a_mistake", &[Containers], rm_goes_on_after_a_mistake),
    ("containers_do_not_see_each_others_files", &[Containers], containers_do_not_see_each_others_files),
    ("many_at_once", &[Containers], many_at_once),
];

fn without_rm_it_stays_until_removed() {
    let tinbox = Tinbox::new();
    assert_eq!(tinbox.tinbox("run --name kept base false").status, 1);
    assert_eq!(tinbox.tinbox("ps").ok().lines().count(), 1);
    let listed = tinbox.tinbox("ps -a").ok();
    let (headings, row) = listed.trim().split_once('\n').unwrap();
    assert_eq!(headings.split("   ").filter(|h| !h.is_empty()).count(), 6);
    for part in [" base ", "Exited (1)", "kept"] {
        assert!(row.contains(part), "{row}");
    }
    let id = tinbox.tinbox("ps -aq").ok();
    assert_eq!(tinbox.tinbox(&format!("rm {}", &id[..4])).ok().trim(), &id[..4]);
    assert_eq!(tinbox.tinbox("ps -aq").ok(), "");
    assert!(tinbox.leftovers().is_empty());
}

fn with_rm_nothing_stays() {
    let tinbox = Tinbox::new();
    // Directories that not even their owner may look into are no obstacle.
    assert_eq!(tinbox.sh("", "mkdir -p /a/b && touch /a/b/c && chmod 0 /a/b /a; echo x > /etc/x").ok(), "");
    assert_eq!(tinbox.tinbox("run --rm base no-such-program").status, 127);
    assert!(tinbox.leftovers().is_empty(), "{:?}", tinbox.leftovers());
}

fn a_name_is_one_containers() {
    let tinbox = Tinbox::new();
    tinbox.tinbox("run --name mine base true").ok();
    let id = tinbox.tinbox("ps -aq").ok();
    let error = tinbox.tinbox("run --name mine base true").fails(125);
    assert!(error.contains(&format!("the name mine is already in use by container {}", id.trim())), "{error}");
    tinbox.tinbox("rm mine").ok();
    tinbox.tinbox("run --rm --name mine base true").ok();
    tinbox.tinbox("run --rm --name mine base true").ok();
}

fn ps_shows_what_runs() {
    let tinbox = Tinbox::new();
    let running = tinbox.start("--name here", "echo ready; read never");
    let listed = tinbox.tinbox("ps").ok();
    assert!(listed.contains("here") && listed.contains("Up "), "{listed}");
    assert_eq!(running.end(), 1);
    assert_eq!(tinbox.tinbox("ps -q").ok(), "");
}

fn rm_force_ends_it() {
    let tinbox = Tinbox::new();
    let mut running = tinbox.start("--name stubborn", "trap '' TERM INT; echo ready; read never");
    let error = tinbox.tinbox("rm stubborn").fails(1);
    assert!(error.contains("container stubborn is running: end it first, or use --force"), "{error}");
    assert_eq!(tinbox.tinbox("rm -f stubborn").ok(), "stubborn\n");
    assert_eq!(running.wait(), 137);
    assert!(tinbox.leftovers().is_empty(), "{:?}", tinbox.leftovers());
}

fn rm_goes_on_after_a_mistake() {
    let tinbox = Tinbox::new();
    tinbox.tinbox("run --name one base true").ok();
    let ended = tinbox.tinbox("rm nobody one");
    assert_eq!((ended.status, ended.stdout.as_str()), (1, "one\n"));
    assert_eq!(ended.stderr, "tinbox: No such container: nobody\n");
}

fn containers_do_not_see_each_others_files() {
    let tinbox = Tinbox::new();
    assert_eq!(tinbox.sh("", "echo mine > /etc/passwd; cat /etc/passwd").ok(), "mine\n");
    assert!(tinbox.sh("", "cat /etc/passwd").ok().starts_with("root:"));
}

fn many_at_once() {
    let tinbox = Tinbox::without_images();
    let children: Vec<_> = (0..8)
        .map(|number| {
            let mut command = tinbox.command(["run", "--rm", "base", "sh", "-c", "echo $0", &number.to_string()]);
            command.stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for (number, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout), (Some(0), format!("{number}\n").into_bytes()));
    }
    assert!(tinbox.leftovers().is_empty(), "{:?}", tinbox.leftovers());
}
