//! Templates as Docker's users write them.

use serde_json::json;

use super::docker;
use super::shape::{AsJson, fill};
use super::value::from_json;
use super::{Listing, Template, clean_for};

fn image() -> gotmpl::Value {
    let json = json!({
        "Id": "sha256:0123456789abcdef",
        "RepoTags": ["alpine:3", "alpine:latest"],
        "Size": 7_654_321_u64,
        "Huge": u64::MAX,
        "None": [],
        "Config": {
            "Env": ["PATH=/bin", "LANG=C"],
            "Entrypoint": null,
            "Labels": {"org.title": "Alpine", "plain": "yes"},
            "Volumes": null,
            "User": "",
            "Tty": false,
        },
        "RootFS": {"Type": "layers", "Layers": ["sha256:aa", "sha256:bb"]},
    });
    from_json(&json)
}

fn applied(template: &str) -> Result<String, String> {
    Template::parse(template).and_then(|template| template.apply(&image())).map_err(|error| error.to_string())
}

#[test]
fn templates_say_what_they_say_in_docker() {
    for (template, said) in [
        ("", ""),
        ("plain", "plain"),
        ("{{.Id}}: {{.Size}}", "sha256:0123456789abcdef: 7654321"),
        ("{{.Huge}}", "18446744073709551615"),
        ("{{.RepoTags}}", "[alpine:3 alpine:latest]"),
        ("{{.Config.Entrypoint}}{{len .Config.Entrypoint}}", "[]0"),
        ("{{json .Config.Entrypoint}} {{json .Config.Volumes}} {{json .None}}", "null null []"),
        ("{{json .Config.Env}}", r#"["PATH=/bin","LANG=C"]"#),
        ("{{.Config.Labels}}", "map[org.title:Alpine plain:yes]"),
        (r#"{{index .Config.Labels "org.title"}}"#, "Alpine"),
        (r#"{{index .Config.Labels "nothing"}}|{{index .Config.Volumes "nothing"}}|"#, "||"),
        ("{{.Config.Labels.plain}} {{.Config.Labels.nothing}}", "yes <no value>"),
        ("{{index .RepoTags 0}}", "alpine:3"),
        ("{{range .RootFS.Layers}}{{println .}}{{end}}", "sha256:aa\nsha256:bb\n"),
        ("{{range $i, $layer := .RootFS.Layers}}{{if $i}}, {{end}}{{$layer}}{{end}}", "sha256:aa, sha256:bb"),
        ("{{range .Config.Entrypoint}}x{{else}}none{{end}}", "none"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}", "org.title=Alpine;plain=yes;"),
        ("{{if .Config.User}}{{.Config.User}}{{else}}root{{end}}", "root"),
        ("{{if and (not .Config.Tty) (gt .Size 1000)}}big{{end}}", "big"),
        ("{{with .Config}}{{index .Env 1}}{{end}}", "LANG=C"),
        ("{{with $x := .Id}}{{$x}}{{end}}", "sha256:0123456789abcdef"),
        (r#"{{join .RepoTags ", "}}"#, "alpine:3, alpine:latest"),
        (r#"{{range split "a,b" ","}}<{{.}}>{{end}}"#, "<a><b>"),
        (r#"{{upper "ab"}}{{lower "CD"}}{{title "one two"}}"#, "ABcdOne Two"),
        (r#"{{pad "x" 1 2}}|{{pad "" 1 2}}|{{truncate "abcdef" 3}}|{{truncate "ab" 3}}"#, " x  ||abc|ab"),
        ("{{slice .Id 7 19}}", "0123456789ab"),
        (r#"{{.Size | printf "%012d"}} {{printf "%-6s|%.1f" "ab" 1.25}}"#, "000007654321 ab    |1.2"),
        ("a\n  {{- /* nothing */ -}}  b", "ab"),
        (r"{{.Config.Tty}}\t{{len .RepoTags}}\n", "false\t2\n"),
        (
            r#"{{define "tag"}}<{{.}}>{{end}}{{range .RepoTags}}{{template "tag" .}}{{end}}"#,
            "<alpine:3><alpine:latest>",
        ),
        (r#"{{if eq .Config.User "a" ""}}either{{end}}{{if ne 1 2}}!{{end}}"#, "either!"),
        ("{{if or false (le 2 2)}}{{if ge 2 2}}{{if lt 1 2}}yes{{end}}{{end}}{{end}}", "yes"),
        ("{{json .}}", &serde_json::to_string(&super::shape::AsJson(&image())).unwrap()),
        (r#"{{json "<&>"}}"#, r#""<&>""#),
    ] {
        assert_eq!(applied(template).as_deref(), Ok(said), "{template}");
    }
}

#[test]
fn what_is_wrong_is_said_in_dockers_words() {
    for (template, why) in [
        ("{{", "template: 1:3: unclosed action"),
        ("{{.Id", "unclosed action"),
        ("{{if}}", "1:"),
        ("{{.Id}}{{end}} more", "unexpected {{end}}"),
        ("{{else}}", "unexpected"),
        ("{{range .RepoTags}}", "unexpected EOF"),
        ("{{if .Id}}{{with .Config}}yes{{end}}", "unexpected EOF"),
        ("{{if .Id}}a{{else}}b", "unexpected EOF"),
        ("{{if .Id}}a{{else}}b{{else}}c{{end}}", "unexpected"),
        ("{{.Nothing}}", "template: map has no entry for key \"Nothing\""),
        ("{{.Config.Nothing}}", "map has no entry for key \"Nothing\""),
        ("{{.Id.Nothing}}", "can't evaluate field Nothing in type string"),
        ("{{shell .}}", "function \"shell\" not defined"),
        ("{{index .RepoTags 7}}", "index out of range: 7"),
        ("{{index .RepoTags}}", "wrong number of arguments"),
        ("{{join .Id \",\"}}", "error calling join: expected list; got string"),
        ("{{truncate .Id -1}}", "error calling truncate: expected count"),
        ("{{upper}}", "wrong number of arguments"),
        (r#"{{pad "x" 99999999999 1}}"#, "expected count"),
        (r#"{{define "a"}}{{template "a"}}{{end}}{{template "a"}}"#, "recursion limit exceeded"),
        ("{{range 100000000}}{{end}}", "budget exhausted"),
    ] {
        let error = applied(template).expect_err(template);
        assert!(error.starts_with("template parsing error: template: "), "{template}: {error}");
        assert!(error.contains(why), "{template}: {error}");
    }
}

#[test]
fn deep_and_long_templates_are_refused_or_done() {
    let longest = |part: &str| super::template::LONGEST / part.len() - 2;
    for (before, part, after) in [("{{", "(", ""), ("", "{{if 1}}", ""), ("", "{{with .}}", "{{end}}")] {
        let deep = format!("{before}{}{}", part.repeat(longest(part) / 2), after.repeat(longest(part) / 2));
        assert!(applied(&deep).is_err(), "{part}");
    }
    let chain = format!("{{{{if 0}}}}{}{{{{end}}}}", "{{else if 0}}".repeat(longest("{{else if 0}}")));
    assert!(applied(&chain).unwrap_err().contains("else"));
    let allowed = format!("{{{{if 0}}}}{}{{{{end}}}}", "{{else if 0}}".repeat(100));
    assert_eq!(applied(&allowed).as_deref(), Ok(""));
    let pipe = format!("{{{{.Size{}}}}}", "|print".repeat(longest("|print")));
    assert_eq!(applied(&pipe).as_deref(), Ok("7654321"));
    assert!(applied(&"x".repeat(super::template::LONGEST + 1)).unwrap_err().contains("longer than"));
}

fn listing() -> Listing<3> {
    let row = |cells: [&str; 3]| cells.map(str::to_owned);
    Listing {
        fields: [("ID", "IMAGE ID"), ("Repository", "REPOSITORY"), ("Size", "SIZE")],
        table: "{{.Repository}}\t{{.ID}}",
        rows: vec![row(["0123456789ab", "alpine", "8MB"]), row(["ba9876543210", "a\u{1b}[2J/me", "1.2GB"])],
    }
}

fn lines(format: Option<&str>) -> Vec<String> {
    listing().lines(format, false).unwrap()
}

#[test]
fn a_table_has_headings_and_columns() {
    let usual = ["REPOSITORY      IMAGE ID", "alpine          0123456789ab", "a\\u001b[2J/me   ba9876543210"];
    for format in [None, Some("table"), Some("")] {
        assert_eq!(lines(format), usual);
    }
    let own = [r"SIZE      id: IMAGE ID", "8MB       id: 0123", "1.2GB     id: ba98"];
    assert_eq!(lines(Some(r"table {{.Size}}\tid: {{truncate .ID 4}}")), own);
    let quoted = ["SIZE", "\"8MB\"", "\"1.2GB\""];
    assert_eq!(lines(Some("table {{json .Size}}")), quoted);
}

#[test]
fn without_a_table_there_is_a_line_for_each() {
    assert_eq!(lines(Some("{{.ID}} {{.Size}}")), ["0123456789ab 8MB", "ba9876543210 1.2GB"]);
    assert_eq!(lines(Some("json"))[0], r#"{"ID":"0123456789ab","Repository":"alpine","Size":"8MB"}"#);
    assert_eq!(lines(Some("json")), lines(Some("{{json .}}")));
}

#[test]
fn a_field_that_is_not_there_names_those_that_are() {
    for format in ["{{.Tag}}", "table {{.Tag}}"] {
        let error = listing().lines(Some(format), false).unwrap_err().to_string();
        assert!(error.starts_with("template parsing error: template: map has no entry for key \"Tag\""), "{error}");
        assert!(error.ends_with("help: there are .ID, .Repository, .Size"), "{error}");
    }
}

#[test]
fn nothing_can_repaint_a_terminal() {
    let shown = |format| listing().lines(Some(format), true).unwrap();
    assert_eq!(shown("{{.Repository}}")[1], "a\\u001b[2J/me");
    assert_eq!(lines(Some("{{.Repository}}"))[1], "a\u{1b}[2J/me");
    let hostile = json!({"Env": ["A=\u{1b}]0;x\u{7}\tb"], "Labels": {"k\u{1b}": "v\u{9b}"}});
    let applied = |template: &str, terminal| {
        clean_for(terminal, Template::parse(template).unwrap().apply(&from_json(&hostile)).unwrap())
    };
    assert_eq!(applied("{{.Env}}", true), "[A=\\u001b]0;x\\u0007\tb]");
    assert_eq!(applied("{{.Labels}}", true), "map[k\\u001b:v\\u009b]");
    assert_eq!(applied("{{range $k, $v := .Labels}}{{$k}}{{end}}", true), "k\\u001b");
    assert_eq!(applied("{{.Labels}}", false), "map[k\u{1b}:v\u{9b}]");
    // JSON means what it meant.
    let json = applied("{{json .}}", true);
    assert!(!json.contains('\u{9b}'), "{json:?}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), hostile);
}

#[test]
fn a_struct_has_all_its_fields_in_their_order() {
    let image =
        fill(&json!({"Size": 1, "Id": "x", "Config": {"Labels": null, "Healthcheck": {"Retries": 3}}}), docker::IMAGE);
    for (template, said) in [
        ("{{.Id}}{{.ID}}{{.Variant}}|{{.Config.Labels}}{{.Config.Env}}{{.Config.ExposedPorts}}", "xx|map[][]map[]"),
        ("{{json .Config.Labels}}{{json .Config.Env}}{{json .RepoTags}}{{json .Variant}}", "nullnullnull\"\""),
        ("{{with .Config.Healthcheck}}{{.Retries}} {{.Interval}} {{json .}}{{end}}", r#"3 0 {"Retries":3}"#),
        ("{{if .ContainerConfig.Healthcheck}}yes{{else}}no{{end}}", "no"),
        (r#"{{index .Config.Labels "nothing"}}{{range .Config.Volumes}}x{{end}}"#, ""),
        ("{{json .RootFS}}", r#"{"Type":"","Layers":null}"#),
    ] {
        assert_eq!(Template::parse(template).unwrap().apply(&image).unwrap(), said, "{template}");
    }
    let text = serde_json::to_string(&AsJson(&image)).unwrap();
    assert!(text.starts_with(r#"{"Id":"x","RepoTags":null,"RepoDigests":null,"Parent":"","#), "{text}");
    for unset in ["Variant", "ContainerConfig", "\"ID\"", "ExposedPorts"] {
        assert!(!text.contains(unset), "{unset}: {text}");
    }
    assert!(Template::parse("{{.Nothing}}").unwrap().apply(&image).is_err());
}
