use cgroups::*;
use std::time::Instant;
fn main() {
    let to = nix::unistd::dup(std::io::stderr()).unwrap();
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|a| a == "explain") {
        look::tell::start(look::tell::Format::Text, to);
    }
    let limits = if args.iter().any(|a| a == "plain") {
        Limits::default()
    } else {
        Limits {
            memory: Some(64 << 20),
            cpus: Some(500_000_000),
            pids: Some(20),
            cpuset_cpus: Some("0".into()),
            ..Limits::default()
        }
    };
    let rules = DeviceRule::defaults();
    let devices = args.iter().any(|a| a == "devices").then_some(&rules[..]);
    for i in 0..5 {
        let id = format!("try-{}-{i}", std::process::id());
        let t = Instant::now();
        let group = match Group::create(&id, &limits, devices, settings) {
            Ok(g) => g,
            Err(e) => {
                println!("{e:#}");
                return;
            }
        };
        let created = t.elapsed();
        let Some(group) = group else {
            println!("none");
            return;
        };
        let mut child = || {
            let t = Instant::now();
            if let Err(e) = group.join() {
                eprintln!("{e}");
                return 1;
            }
            let d = t.elapsed();
            if i == 0 {
                eprintln!("{}", std::fs::read_to_string("/proc/self/cgroup").unwrap());
            }
            eprintln!("join {d:?}");
            if i == 0 {
                eprintln!("open mem {:?}", std::fs::File::open("/dev/mem").err());
                eprintln!("open null {:?}", std::fs::File::open("/dev/null").err());
            }
            0
        };
        let p = namespaces::spawn(look::kernel::CloneFlags::empty(), group.born_in(), &mut child).unwrap();
        p.reap().unwrap();
        let u = group.usage();
        let t = Instant::now();
        group.remove().unwrap();
        println!("create {created:?} remove {:?} {u:?}", t.elapsed());
    }
    tidy();
}
