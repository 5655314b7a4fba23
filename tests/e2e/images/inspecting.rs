//! `inspect`, of images and containers.

use serde_json::{Value, json};

use super::{formatted, inspected, with_samples};
use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need::Containers;

pub const TESTS: &[Test] = &[
    ("an_image_has_dockers_shape", &[], an_image_has_dockers_shape),
    ("templates_take_it_apart", &[], templates_take_it_apart),
    ("what_is_missing_does_not_keep_the_others", &[], what_is_missing_does_not_keep_the_others),
    ("a_container_that_has_ended", &[Containers], a_container_that_has_ended),
    ("a_container_that_runs", &[Containers], a_container_that_runs),
    ("a_name_that_is_both_is_the_containers", &[Containers], a_name_that_is_both_is_the_containers),
];

fn an_image_has_dockers_shape() {
    let tinbox = with_samples();
    let web = inspected(&tinbox, "web");
    assert_eq!(web["RepoTags"], json!(["web:latest"]));
    assert_eq!((&web["Architecture"], &web["Os"], &web["Size"]), (&json!("amd64"), &json!("linux"), &json!(5_433_090)));
    assert_eq!(web["Created"], "2026-02-01T00:00:01Z");
    assert_eq!(web["RootFS"]["Type"], "layers");
    assert_eq!(web["RootFS"]["Layers"].as_array().unwrap().len(), 3);
    assert_eq!(web["Comment"], "");
    let config = &web["Config"];
    assert_eq!(config["Cmd"], json!(["python3", "/srv/main.py"]));
    assert_eq!(config["Entrypoint"], Value::Null);
    assert_eq!(config["ExposedPorts"], json!({ "8080/tcp": {} }));
    assert_eq!((&config["User"], &config["WorkingDir"]), (&json!("app"), &json!("/srv")));
    assert_eq!(config["StopSignal"], "SIGINT");
    let layers = web["GraphDriver"]["Data"].as_object().unwrap();
    assert_eq!(layers["LowerDir"].as_str().unwrap().split(':').count(), 2);
    assert!(std::path::Path::new(layers["UpperDir"].as_str().unwrap()).join("srv/main.py").exists());
    // By its id, whole or in part, it is the same.
    let id = web["Id"].as_str().unwrap();
    for wanted in [id, &id[7..], &id[7..19], &id[..15], "docker.io/library/web:latest"] {
        assert_eq!(inspected(&tinbox, &format!("--type image {wanted}")), web, "{wanted}");
    }
    // The order of the fields is Docker's.
    let text = tinbox.tinbox("image inspect web").ok();
    assert!(text.starts_with("[\n    {\n        \"Id\": \"sha256:"), "{text}");
    let at = |field: &str| text.find(&format!("\n        \"{field}\"")).unwrap();
    assert!(at("Id") < at("RepoTags") && at("RepoTags") < at("Config") && at("Config") < at("RootFS"));
}

fn templates_take_it_apart() {
    let tinbox = with_samples();
    for (template, expected) in [
        ("{{.Config.Cmd}} {{.Size}}", "[python3 /srv/main.py] 5433090"),
        ("{{json .Config.Env}}", r#"["PATH=/bin:/usr/bin","PORT=8080"]"#),
        ("{{json .Config.Entrypoint}} {{json .Config.OnBuild}} {{json .RepoDigests}}", "null null []"),
        (r#"{{index .Config.Labels "org.title"}}"#, "Demo"),
        (r#"{{index .Config.Labels "nothing"}}"#, ""),
        ("{{len .RootFS.Layers}}", "3"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "org.title=Demo version=1.0 "),
        ("{{if .Config.Entrypoint}}yes{{else}}no{{end}}", "no"),
        ("{{.Os}}/{{.Architecture}}/{{.Variant}}{{.OsVersion}}", "linux/amd64/"),
        ("{{json .Config.Shell}} {{.Config.Shell}} {{if .Config.Healthcheck}}yes{{end}}", "null [] "),
        ("{{.Config.Volumes}} {{json .Config.Volumes}} {{range .Config.Volumes}}x{{end}}", "map[] null "),
        ("{{.Config.ArgsEscaped}} {{.Config.MacAddress}} {{.Config.NetworkDisabled}}", "false  false"),
        ("{{json .Config.StopTimeout}} {{eq .ID .Id}} {{eq .Size .VirtualSize}}", "null true true"),
        ("{{.Container}}{{.ContainerConfig.Cmd}}{{.DockerVersion}}", "[]"),
        ("{{json .RootFS.BaseLayer}}{{json .GraphDriver.Name}}", r#""""overlay2""#),
    ] {
        assert_eq!(formatted(&tinbox, "inspect", template, &["web"]), format!("{expected}\n"), "{template}");
    }
    assert_eq!(formatted(&tinbox, "inspect", "{{json .}}", &["web"]), formatted(&tinbox, "inspect", "json", &["web"]));
    let config = formatted(&tinbox, "inspect", "{{json .Config}}", &["web"]);
    assert!(config.starts_with(r#"{"Hostname":"","Domainname":"","User":"app","#), "{config}");
    assert!(!config.contains("Healthcheck") && config.contains(r#""ExposedPorts":{"8080/tcp":{}}"#), "{config}");
    let lines = formatted(&tinbox, "inspect", "json", &["web", "alpine:3"]);
    let ids: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&ids[0]["RepoTags"][0], &ids[1]["RepoTags"][0]), (&json!("web:latest"), &json!("alpine:3")));
}

fn what_is_missing_does_not_keep_the_others() {
    let tinbox = with_samples();
    let ended = tinbox.tinbox("inspect nothing web noth\u{1b}ing");
    assert_eq!(ended.status, 1);
    let list: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(ended.stderr, "Error: No such object: nothing\nError: No such object: noth\\u{1b}ing\n");
    let none = tinbox.tinbox("inspect nothing");
    assert_eq!((none.status, none.stdout.as_str()), (1, "[]\n"));
    assert_eq!(tinbox.tinbox("inspect --type image nothing").stderr, "Error: No such image: nothing\n");
    assert_eq!(tinbox.tinbox("inspect --type container web").stderr, "Error: No such container: web\n");
    let volume = tinbox.tinbox("inspect --type volume web");
    assert_eq!((volume.status, volume.stdout.as_str()), (1, "[]\n"));
    assert_eq!(volume.stderr, "Error: No such volume: web\n");
    assert_eq!(tinbox.tinbox("inspect --type foo web").fails(1), "tinbox: \"foo\" is not a valid value for --type\n");
    assert_eq!(tinbox.tinbox("inspect -s web").stderr, "WARNING: --size ignored for image\n");
}

fn a_container_that_has_ended() {
    let tinbox = Tinbox::new();
    let mut command = tinbox.command(["run", "--name", "one", "-e", "A=b", "-l", "mine=yes", "--hostname", "box"]);
    let status = command.args(["base", "sh", "-c", "echo 12345 > /new; exit 3"]).output().unwrap().status;
    assert_eq!(status.code(), Some(3));
    let one = inspected(&tinbox, "one");
    assert_eq!((&one["Name"], &one["Path"]), (&json!("/one"), &json!("sh")));
    assert_eq!(one["Args"], json!(["-c", "echo 12345 > /new; exit 3"]));
    assert_eq!(one["Image"], inspected(&tinbox, "--type image base")["Id"]);
    let state = &one["State"];
    assert_eq!((&state["Status"], &state["Running"], &state["Pid"]), (&json!("exited"), &json!(false), &json!(0)));
    assert_eq!((&state["ExitCode"], &state["OOMKilled"]), (&json!(3), &json!(false)));
    assert!(state["FinishedAt"].as_str() >= state["StartedAt"].as_str());
    let config = &one["Config"];
    assert_eq!((&config["Hostname"], &config["Image"]), (&json!("box"), &json!("base")));
    assert_eq!(config["Labels"], json!({ "mine": "yes" }));
    assert!(config["Env"].as_array().unwrap().contains(&json!("A=b")));
    assert_eq!(one.get("SizeRw"), None);
    let sizes = inspected(&tinbox, "-s one");
    let image = inspected(&tinbox, "--type image base")["Size"].as_u64().unwrap();
    assert_eq!(sizes["SizeRootFs"].as_u64().unwrap() - sizes["SizeRw"].as_u64().unwrap(), image);
    assert!((6..4096).contains(&sizes["SizeRw"].as_u64().unwrap()), "{}", sizes["SizeRw"]);
    assert_eq!(formatted(&tinbox, "inspect", "{{.State.ExitCode}}", &["one"]), "3\n");
    let unset = "{{.HostConfig.NetworkMode}}{{.GraphDriver.Data}}{{.RestartCount}}{{.LogPath}}{{.HostConfig.Memory}}";
    assert_eq!(formatted(&tinbox, "inspect", unset, &["one"]), "map[]00\n");
    assert_eq!(
        formatted(&tinbox, "inspect", "{{json .SizeRw}}{{json .HostConfig}}", &["one"]),
        "null{\"AutoRemove\":false}\n"
    );
}

fn a_container_that_runs() {
    let tinbox = Tinbox::new();
    let running = tinbox.start("--name two", "echo ready; cat");
    let two = inspected(&tinbox, "two");
    let state = &two["State"];
    assert_eq!((&state["Status"], &state["Running"]), (&json!("running"), &json!(true)));
    assert_eq!(state["Pid"], json!(running.init().as_raw()));
    assert_eq!(two["HostConfig"]["AutoRemove"], json!(true));
    assert_eq!(two["Config"]["OpenStdin"], json!(true));
    assert_eq!(running.end(), 0);
    assert_eq!(tinbox.tinbox("inspect two").stderr, "Error: No such object: two\n");
}

fn a_name_that_is_both_is_the_containers() {
    let tinbox = Tinbox::new();
    let running = tinbox.start("--name base", "echo ready; cat");
    assert_eq!(inspected(&tinbox, "base")["Name"], "/base");
    assert_eq!(inspected(&tinbox, "--type image base")["RepoTags"], json!(["tinbox/base:latest"]));
    assert_eq!(running.end(), 0);
    assert_eq!(inspected(&tinbox, "base")["RepoTags"], json!(["tinbox/base:latest"]));
}
