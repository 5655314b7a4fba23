//! What each instruction does to a config.

use images::oci::Config;

use super::{apply, apply_all};

fn config(instructions: &[&str]) -> Config {
    let mut config = Config { cmd: vec!["old".into()], env: vec!["PATH=/bin".into()], ..Config::default() };
    for instruction in instructions {
        apply(&mut config, instruction).unwrap_or_else(|error| panic!("{instruction}: {error:#}"));
    }
    config
}

#[track_caller]
fn refused(instruction: &str, words: &str) {
    let (mut changed, before) = (config(&[]), config(&[]));
    let error = format!("{:#}", apply(&mut changed, instruction).expect_err("it must be refused"));
    assert!(error.contains(words), "{error}");
    assert_eq!(changed, before);
}

#[test]
fn commands_have_two_forms() {
    assert_eq!(config(&[r#"CMD ["nginx", "-g", "daemon off;"]"#]).cmd, ["nginx", "-g", "daemon off;"]);
    assert_eq!(config(&["cmd echo $HOME 'x y'"]).cmd, ["/bin/sh", "-c", "echo $HOME 'x y'"]);
    assert_eq!(config(&["CMD ['single']"]).cmd, ["/bin/sh", "-c", "['single']"]);
    assert_eq!(config(&["CMD []"]).cmd, [""; 0]);
    let entry = config(&[r#"ENTRYPOINT ["/init"]"#]);
    assert_eq!((entry.entrypoint.len(), entry.cmd.len()), (1, 0), "the old command was for another entrypoint");
    let mut shell = Config { shell: vec!["/bin/bash".into(), "-ec".into()], ..Config::default() };
    apply(&mut shell, "ENTRYPOINT run").unwrap();
    assert_eq!(shell.entrypoint, ["/bin/bash", "-ec", "run"]);
}

#[test]
fn a_command_that_was_given_outlives_an_entrypoint() {
    for order in [["CMD [\"new\"]", "ENTRYPOINT [\"e\"]"], ["ENTRYPOINT [\"e\"]", "CMD [\"new\"]"]] {
        let mut config = config(&[]);
        apply_all(&mut config, &order.map(String::from)).unwrap();
        assert_eq!((config.entrypoint, config.cmd), (vec!["e".to_owned()], vec!["new".to_owned()]));
    }
}

#[test]
fn variables_and_labels() {
    let env = config(&[
        "ENV A=1 B=\"two words\" C=three\\ words D='$A'",
        "ENV A=$B E=${A:-x}${NONE:-y}${A:+z} PATH=$PATH:/opt",
    ])
    .env;
    let expected = ["PATH=/bin:/opt", "A=two words", "B=two words", "C=three words", "D=$A", "E=1yz"];
    assert_eq!(env, expected);
    assert_eq!(config(&["ENV OLD the old way"]).env[1], "OLD the old way".replacen(' ', "=", 1));
    let labels = config(&["LABEL a.b=c \"d e\"=f", "LABEL a.b="]).labels;
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), [("a.b".into(), String::new()), ("d e".into(), "f".into())]);
    refused("ENV", "at least one argument");
    refused("ENV A", "must have two arguments");
    refused("ENV A=1 B", "can't find = in \"B\"");
    refused("ENV =1", "can not be blank");
    refused("ENV A=\"1", "never closed");
    refused("ENV A=${B", "never closed");
    refused("ENV A=${B:?x}", "unsupported modifier");
}

#[test]
fn ports_and_volumes() {
    let ports = |text: &str| config(&[text]).exposed_ports.into_keys().collect::<Vec<_>>();
    assert_eq!(ports("EXPOSE 80 53/UDP 8000-8002/tcp"), ["53/udp", "80/tcp", "8000/tcp", "8001/tcp", "8002/tcp"]);
    refused("EXPOSE 70000", "invalid containerPort: 70000");
    refused("EXPOSE 9-8", "invalid containerPort: 9-8");
    refused("EXPOSE 80/icmp", "Invalid proto: icmp");
    let volumes = |text: &str| config(&[text]).volumes.into_keys().collect::<Vec<_>>();
    assert_eq!(volumes("VOLUME /a /b"), ["/a", "/b"]);
    assert_eq!(volumes(r#"VOLUME ["/with blank"]"#), ["/with blank"]);
    refused(r#"VOLUME [""]"#, "can not be an empty string");
}

#[test]
fn where_and_as_whom() {
    assert_eq!(config(&["WORKDIR /srv", "WORKDIR app/../lib/.", "USER www:www"]).working_dir, "/srv/lib");
    assert_eq!(config(&["WORKDIR ../.."]).working_dir, "/");
    assert_eq!(config(&["USER 1000:1000"]).user, "1000:1000");
    refused("USER a b", "exactly one argument");
    refused("WORKDIR", "exactly one argument");
    for signal in ["SIGINT", "int", "9", "SIGRTMIN+3", "RTMAX", "rtmax-14"] {
        assert_eq!(config(&[&format!("STOPSIGNAL {signal}")]).stop_signal.as_deref(), Some(signal));
    }
    refused("STOPSIGNAL SIGNOTHING", "Invalid signal: SIGNOTHING");
    for signal in ["65", "RTMfoo", "RTMIN+16", "RTMAX+1", "RTMIN+", "RTMIN++1", "SIGSIGRTMIN"] {
        refused(&format!("STOPSIGNAL {signal}"), &format!("Invalid signal: {signal}"));
    }
}

#[test]
fn health_checks() {
    let check = config(&["HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD curl -f http://localhost"])
        .healthcheck
        .unwrap();
    assert_eq!((check.interval, check.timeout, check.retries), (90_000_000_000, 500_000_000, 3));
    assert_eq!(check.test, ["CMD-SHELL", "curl -f http://localhost"]);
    assert_eq!(config(&[r#"HEALTHCHECK CMD ["true"]"#]).healthcheck.unwrap().test, ["CMD", "true"]);
    assert_eq!(config(&["healthcheck none"]).healthcheck.unwrap().test, ["NONE"]);
    refused("HEALTHCHECK CMD", "Missing command");
    refused("HEALTHCHECK --retries=0 CMD x", "at least 1");
    refused("HEALTHCHECK --interval=10us CMD x", "at least 1ms");
    refused("HEALTHCHECK --interval=5 CMD x", "invalid --interval: 5");
    refused("HEALTHCHECK TEST x", "Unknown type \"TEST\"");
}

#[test]
fn the_rest_is_refused() {
    assert_eq!(config(&["ONBUILD RUN make"]).on_build, ["RUN make"]);
    refused("ONBUILD ONBUILD RUN x", "isn't allowed");
    refused("ONBUILD from x", "FROM isn't allowed as an ONBUILD trigger");
    refused("RUN make", "RUN is not a valid change command");
    refused(" ", "file with no instructions");
    refused(r#"HEALTHCHECK "x""#, r#"-c 'HEALTHCHECK "x"': Unknown type ""X"""#);
    refused("CMD a\nENV b=c", "several lines");
}
