//! Every place of an image, in text as Helm prints it.

use super::*;

/// `kind image path` of every find.
fn finds(manifests: &str) -> Vec<String> {
    let discovery = discover("render", manifests).unwrap();
    discovery.found.iter().map(|f| format!("{} {} {}", f.kind.name(), f.image, f.place.path)).collect()
}

/// The images of a custom resource's `spec`.
fn custom(spec: &str) -> Vec<String> {
    let images = finds(&format!("apiVersion: example.org/v1\nkind: Thing\nmetadata: {{name: x}}\nspec: {spec}\n"));
    images.iter().map(|find| find.split(' ').nth(1).unwrap().to_owned()).collect()
}

/// The images of a ConfigMap's text.
fn config_map(text: &str) -> Vec<String> {
    let text = serde_json::to_string(text).unwrap();
    let images = finds(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {{config: {text}}}\n"));
    images.iter().map(|find| find.split(' ').nth(1).unwrap().to_owned()).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn every_workload() {
    let pod = "{initContainers: [{name: i, image: 'busybox:8'}], containers: [{name: c, image: reg.io:5000/a/b}], \
               ephemeralContainers: [{name: e, image: 'x/e:1.20'}], volumes: [{name: v, image: {reference: 'x/v:1'}}]}";
    let expected = ["pod busybox:8", "pod reg.io:5000/a/b", "pod x/e:1.20", "pod x/v:1"];
    for (version, kind, path, before, after) in [
        ("v1", "Pod", "spec", "", ""),
        ("v1", "PodTemplate", "template.spec", "spec: ", ""),
        ("v1", "ReplicationController", "spec.template.spec", "template: {spec: ", "}"),
        ("apps/v1", "Deployment", "spec.template.spec", "template: {spec: ", "}"),
        ("apps/v1", "DaemonSet", "spec.template.spec", "template: {spec: ", "}"),
        ("apps/v1", "StatefulSet", "spec.template.spec", "template: {spec: ", "}"),
        ("apps/v1", "ReplicaSet", "spec.template.spec", "template: {spec: ", "}"),
        ("batch/v1", "Job", "spec.template.spec", "template: {spec: ", "}"),
        ("batch/v1", "CronJob", "spec.jobTemplate.spec.template.spec", "jobTemplate: {spec: {template: {spec: ", "}}}"),
    ] {
        let body = match kind {
            "Pod" => format!("spec: {pod}"),
            "PodTemplate" => format!("template: {{{before}{pod}}}"),
            _ => format!("spec: {{{before}{pod}{after}}}"),
        };
        let object = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x, namespace: n}}\n{body}\n");
        let found = finds(&object);
        let places = [
            "initContainers[0].image",
            "containers[0].image",
            "ephemeralContainers[0].image",
            "volumes[0].image.reference",
        ];
        let expected: Vec<_> = expected.iter().zip(places).map(|(e, p)| format!("{e} {path}.{p}")).collect();
        assert_eq!(found, expected, "{kind}");
        let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", object.trim_end().replace('\n', "\n  "));
        assert_eq!(finds(&list), expected, "a list of {kind}");
    }
}

#[test]
fn the_place_names_template_object_and_path() {
    let text = "---\n# Source: a/charts/b/templates/x.yaml\napiVersion: v1\nkind: Pod\nmetadata: {generateName: x-, namespace: n}\nspec:\n  containers:\n  - image: a:1\n";
    let discovery = discover("a.tgz", text).unwrap();
    let place = discovery.found[0].place.to_string();
    assert_eq!(place, "a/charts/b/templates/x.yaml: Pod n/x-: spec.containers[0].image");
    insta::assert_snapshot!(serde_json::to_string(&discovery.by_image()).unwrap(), @r#"[{"image":"a:1","found":[{"kind":"pod","where":"a/charts/b/templates/x.yaml: Pod n/x-: spec.containers[0].image"}]}]"#);
}

#[test]
fn hooks_and_tests() {
    let pod = |hook: &str| {
        finds(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: x, annotations: {{helm.sh/hook: {hook:?}}}}}\n\
             spec: {{containers: [{{image: 'a:1', args: [--x-image=b:2]}}]}}\n"
        ))
    };
    assert_eq!(
        pod("pre-install, post-upgrade"),
        ["hook a:1 spec.containers[0].image", "hook b:2 spec.containers[0].args[0]"]
    );
    assert_eq!(pod("test"), ["test a:1 spec.containers[0].image", "test b:2 spec.containers[0].args[0]"]);
    assert_eq!(pod("test-success")[0], "test a:1 spec.containers[0].image");
    assert_eq!(pod("test,post-install")[0], "hook a:1 spec.containers[0].image");
}

#[test]
fn what_is_not_searched() {
    for text in [
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {image: 'a:1'}\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nrules: [{resources: [deployments/scale, 'image:x/y:1.2'], image: 'a:1'}]\n",
        "apiVersion: v1\nkind: Service\nspec: {image: 'a:1', ports: [{port: 80}]}\n",
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: auto}, {image: ''}, {name: x}]}\n",
        "just a text with a:1 in it\n",
        "# only comments: quay.io/a/b:1\n",
        "",
    ] {
        assert_eq!(finds(text), NOTHING, "{text}");
    }
}

#[test]
fn arguments_and_environment() {
    let container = |text: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nspec: {{containers: [{{image: 'a:1', {text}}}]}}\n"
        );
        let found = finds(&text);
        found[1..].iter().map(|find| find.replace("spec.containers[0].", "")).collect::<Vec<_>>()
    };
    let digest = format!("sha256:{}", "a".repeat(64));
    assert_eq!(
        container("args: [--prometheus-config-reloader=quay.io/p/reloader:v0.93.1]"),
        ["argument quay.io/p/reloader:v0.93.1 args[0]"]
    );
    assert_eq!(container("args: [--proxy-image, 'busybox:8']"), ["argument busybox:8 args[1]"]);
    assert_eq!(
        container(&format!("command: [run, '--image=a/b@{digest}']")),
        [format!("argument a/b@{digest} command[1]")]
    );
    assert_eq!(container("args: ['-c', \"set -e\\nkubectl run --image=x/y:1 z\"]"), ["argument x/y:1 args[1], line 2"]);
    assert_eq!(
        container("args: ['--thanos-default-base-image=quay.io/thanos/thanos:v0.42.4']")[0],
        "argument quay.io/thanos/thanos:v0.42.4 args[0]"
    );
    assert_eq!(
        container(
            "env: [{name: RELATED_IMAGE_X, value: 'busybox:8'}, {name: P, valueFrom: {fieldRef: {fieldPath: x}}}]"
        ),
        ["environment busybox:8 env[0].value (RELATED_IMAGE_X)"]
    );
    assert_eq!(
        container(
            "env: [{name: KAFKA_IMAGES, value: \"4.0.0=q.io/s/kafka:0.47-4.0\\n4.1.0=q.io/s/kafka:0.47-4.1\\n\"}]"
        ),
        [
            "environment q.io/s/kafka:0.47-4.0 env[0].value (KAFKA_IMAGES), line 1",
            "environment q.io/s/kafka:0.47-4.1 env[0].value (KAFKA_IMAGES), line 2"
        ]
    );
    assert_eq!(
        container("env: [{name: SIDECAR_IMAGE, value: q.io/s/x}, {name: SIDECAR_IMAGE_TAG, value: '1.20'}]"),
        ["environment q.io/s/x:1.20 env[0].value (SIDECAR_IMAGE)"]
    );
    for nothing in [
        "args: ['--web.listen-address=0.0.0.0:9090', '--otlp=collector.svc:4317', '--u=http://x.io/a:1', '--image-pull-policy=a:1']",
        "args: ['--register-with-taints=node-role.kubernetes.io/edge:NoSchedule', '--path=/a/b:ro', 'a:b', '--image', '--other', 'a:1']",
        "args: ['--kubelet=$(HOST):10250', '--image=$(IMAGE)', '--set=image.tag=1.2', '--resources=deployments:apps/v1']",
        "env: [{name: ADDR, value: 'loki:3100'}, {name: IMAGE_PULL_POLICY, value: 'a:1'}, {name: X, value: 'a b:c'}]",
    ] {
        assert_eq!(container(nothing), NOTHING, "{nothing}");
    }
}

#[test]
fn custom_resources() {
    for (spec, image) in [
        (
            "{image: 'quay.io/prometheus/prometheus:v3.14.0-distroless', version: v3.14.0}",
            "quay.io/prometheus/prometheus:v3.14.0-distroless",
        ),
        ("{baseImage: quay.io/a/b, version: v2}", "quay.io/a/b:v2"),
        ("{image: {repository: ghcr.io/a/b/c/d, tag: 1.20}}", "ghcr.io/a/b/c/d:1.20"),
        ("{image: {registry: quay.io, repository: a/b, tag: 8, digest: ''}}", "quay.io/a/b:8"),
        ("{image: {name: a/b, tag: v1}}", "a/b:v1"),
        ("{repository: a/b, tag: v1}", "a/b:v1"),
        ("{image: {repository: a/b, version: v1}}", "a/b:v1"),
        ("{image: a/b, imageTag: v1}", "a/b:v1"),
        ("{image: prometheus, tag: 2}", "prometheus:2"),
        ("{imageName: 'ghcr.io/a/b:17'}", "ghcr.io/a/b:17"),
        ("{initImageRepository: a/b, initImageTag: v1, imageTag: v2}", "a/b:v1"),
        ("{hub: reg.io/release, tag: 1.30, proxy: {image: proxyv2}}", "reg.io/release/proxyv2:1.30"),
        ("{repository: nvcr.io/nvidia, image: driver, version: 1.20}", "nvcr.io/nvidia/driver:1.20"),
        ("{repository: nvcr.io/nvidia, image: driver, tag: v1}", "nvcr.io/nvidia/driver:v1"),
        (
            "{global: {hub: reg.io/release, tag: 1.30, variant: distroless}, proxy: {image: proxyv2}}",
            "reg.io/release/proxyv2:1.30-distroless",
        ),
        ("{podTemplate: {spec: {containers: [{name: x, image: nginx}]}}}", "nginx"),
        ("{images: ['quay.io/a/b:1']}", "quay.io/a/b:1"),
        ("{args: [--x-image=b:2]}", "b:2"),
        ("{env: [{name: X_IMAGE, value: 'b:2'}]}", "b:2"),
        ("{reloader: 'quay.io/a/b:1'}", "quay.io/a/b:1"),
        ("{options: '--reloader=quay.io/a/b:1 --x'}", "quay.io/a/b:1"),
    ] {
        assert_eq!(custom(spec), [image], "{spec}");
    }
    let digest = "a".repeat(64);
    let pinned = format!("a/b:v1@sha256:{digest}");
    assert_eq!(
        custom(&format!("{{image: {{repository: a/b, tag: v1, digest: 'sha256:{digest}'}}}}")),
        [pinned.as_str()]
    );
    assert_eq!(custom(&format!("{{image: 'a/b:v1', sha: {digest}}}")), [pinned.as_str()]);
    for nothing in [
        "{groups: [{rules: [{record: 'cluster:requests:rate5m', expr: 'sum(rate(a:b[5m]))'}]}]}",
        "{image: auto}",
        "{image: nginx}",
        "{image: '{{ .x }}:1'}",
        "{image: '*:latest'}",
        "{events: ['s3:ObjectCreated:*'], endpoint: 'minio.svc:9000', repository: 'https://x.io/charts', tag: v1}",
        "{chart: {repository: 'oci://ghcr.io/a/b', version: 1.2.3}}",
        "{name: a/b, version: v1, git: {repository: 'git@x.io:a/b.git', tag: v1}}",
        "{imagePullPolicy: Always, imagePullSecrets: [{name: 'a:1'}], image: {pullPolicy: 'a:1'}}",
        "{description: 'see docker.io/a/b:1 for more'}",
        "{tolerations: [{key: node.kubernetes.io/x, value: 'a:1'}], match: 'app.kubernetes.io/name:v1'}",
    ] {
        assert_eq!(custom(nothing), NOTHING, "{nothing}");
    }
}

#[test]
fn text_in_config_maps() {
    for (text, image) in [
        ("natsImage: nats:2.10\n", "nats:2.10"),
        ("image:\n  docker.io/a/b:8\n", "docker.io/a/b:8"),
        ("image: >-\n  docker.io/a/b:8\n", "docker.io/a/b:8"),
        ("{\"sidecar\": {\"image\": \"a/b:1.20\"}}", "a/b:1.20"),
        (
            "{\"global\": {\"hub\": \"reg.io/r\", \"tag\": \"1.30\"}, \"proxy\": {\"image\": \"proxyv2\"}}",
            "reg.io/r/proxyv2:1.30",
        ),
        ("template: |\n  {{ if .x }}\n  image:\n    \"busybox:8\"\n  {{ end }}\n", "busybox:8"),
        ("{{ range .c }}\n- image: busybox:8\n{{ end }}\n", "busybox:8"),
        ("[runners.kubernetes]\n  helper_image = \"gitlab.io/a/b:1\"\n", "gitlab.io/a/b:1"),
        ("#!/bin/sh\nexec run quay.io/a/b:1 $@\n", "quay.io/a/b:1"),
        ("kind: Pod\napiVersion: v1\nspec: {containers: [{image: 'a:1'}]}\n", "a:1"),
        ("a: 1\n---\nimage: x/b:1\n", "x/b:1"),
        ("inner: |\n  inner: |\n    image: x/b:1\n", "x/b:1"),
    ] {
        assert_eq!(config_map(text), [image], "{text}");
    }
    for nothing in [
        "server: 0.0.0.0:9095\nurl: http://a.io/b:1\nimage: \"{{ .hub }}/{{ .image }}:{{ .tag }}\"\n",
        "{\"panels\": [{\"expr\": \"sum(image:x:y)\", \"image\": \"\", \"title\": \"by image: all\", \"legend\": \"{{image}}\"}]}",
        "# image: a/b:1\nlisten: loki.svc:3100\n",
        "- record: node:cpu:rate5m\n  image: auto\n",
        "image_pull_policy = \"if-not-present\"\nevents: s3:ObjectCreated:Put\n",
    ] {
        assert_eq!(config_map(nothing), NOTHING, "{nothing}");
    }
    assert_eq!(
        finds(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {a: 'image: b:1'}\n\
             data: {b: aW1hZ2U6IGI6MgpwOiAxCg==, c: '?', d: /w==}\n"
        ),
        ["config-map b:2 data.b.image", "config-map b:1 stringData.a.image"]
    );
}

#[test]
fn manifests_that_only_kubernetes_reader_takes() {
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: '{\n\"image\": \"q.io/a/b:1.20\"\n}'# pasted\n";
    assert_eq!(finds(config), ["config-map q.io/a/b:1.20 data.a.image"]);
    let after = "apiVersion: example.org/v1\nkind: Thing\nspec:\n  said: \"é\n  x\"\n  image: {repository: q.io/a/b, tag: 1.20}\n";
    assert_eq!(finds(after), ["custom-resource q.io/a/b:1.20 spec.image.repository"], "a number keeps its text");
}

#[test]
fn annotations_that_name_an_image() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: {metadata: {annotations: {sidecar.istio.io/proxyImage: 'reg.io/a/proxy:1', note: 'image reg.io/a/b:1'}}, spec: {}}}\n";
    assert_eq!(
        finds(text),
        ["pod reg.io/a/proxy:1 spec.template.metadata.annotations[\"sidecar.istio.io/proxyImage\"]"]
    );
}

#[test]
fn a_manifest_that_is_no_yaml_names_its_template() {
    let text = "---\n# Source: a/templates/x.yaml\nkind: [\n";
    let error = discover("a.tgz", text).unwrap_err();
    assert!(error.to_string().starts_with("a/templates/x.yaml:"), "{error}");
    let error = discover("resources/x.yaml", "kind: A\n---\nkind: B\nx: [\n").unwrap_err();
    assert!(error.to_string().starts_with("resources/x.yaml:"), "{error}");
}

fn discovery(images: &[(&str, Kind)]) -> Discovery {
    let place = |n: usize| Where { template: "t".to_owned(), object: "Pod x".to_owned(), path: format!("p{n}") };
    let found = images.iter().enumerate().map(|(n, (image, kind))| Found {
        image: (*image).to_owned(),
        kind: *kind,
        place: place(n),
    });
    Discovery { found: found.collect(), broken: Vec::new() }
}

const fn rule(image: &str) -> Rule<'_> {
    Rule { image, reason: "because" }
}

fn messages(result: Result<Required, Vec<Error>>) -> Vec<String> {
    result.unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn required_normalises_and_keeps_the_places() {
    let found = discovery(&[
        ("busybox:8", Kind::Pod),
        ("docker.io/library/busybox:8", Kind::Argument),
        ("a/t:1", Kind::Test),
        ("q.io/t/thanos:1", Kind::Argument),
    ]);
    let ignored = [rule("q.io/t/thanos"), rule("q.io/never"), rule("a/t:1")];
    let required = required(&found, &[rule("q.io/x/declared:1")], &ignored, false).unwrap();
    let images: Vec<_> = required
        .images
        .iter()
        .map(|(image, origins)| {
            let origins: Vec<_> = origins.iter().map(ToString::to_string).collect();
            (image.to_string(), origins.join(" | "))
        })
        .collect();
    assert_eq!(
        images,
        [
            ("docker.io/library/busybox:8".to_owned(), "pod: t: Pod x: p0 | argument: t: Pod x: p1".to_owned()),
            ("q.io/x/declared:1".to_owned(), "declared: because".to_owned())
        ]
    );
    assert_eq!(required.unused, ["q.io/never"]);
}

#[test]
fn tests_are_carried_when_asked_for() {
    let found = discovery(&[("a/t:1", Kind::Test)]);
    assert!(required(&found, &[], &[], false).unwrap().images.is_empty());
    assert_eq!(required(&found, &[], &[], true).unwrap().images.len(), 1);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let mut found = discovery(&[
        ("a/b", Kind::Pod),
        ("a/c:latest", Kind::Pod),
        (&format!("a/d:1@sha256:{}", "a".repeat(64)), Kind::Pod),
        (&format!("a/d:1@sha256:{}", "b".repeat(64)), Kind::Hook),
        ("a/e:1", Kind::Pod),
        (&format!("a/f@sha256:{}", "a".repeat(64)), Kind::Pod),
        ("a/g:latest", Kind::Test),
    ]);
    found.broken.push(Found { image: "{{ .x }}".to_owned(), ..found.found[0].clone() });
    let errors = messages(required(&found, &[rule("a/e:2"), rule("a/h:main"), rule("A b")], &[], false));
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    assert_eq!(
        errors,
        [
            "`A b` in `declared_images` is no image reference".to_owned(),
            "`{{ .x }}` is no image reference: t: Pod x: p0".to_owned(),
            "docker.io/a/e:2 is declared, but the chart runs docker.io/a/e:1: t: Pod x: p4".to_owned(),
            "docker.io/a/b has no tag, so what it is changes without notice: t: Pod x: p0".to_owned(),
            "docker.io/a/c:latest has the floating tag `latest`, so what it is changes without notice: t: Pod x: p1"
                .to_owned(),
            "docker.io/a/h:main has the floating tag `main`, so what it is changes without notice: declared_images"
                .to_owned(),
            format!(
                "docker.io/a/d:1@sha256:{a} and docker.io/a/d:1@sha256:{b} are one image with two digests: pod: t: Pod x: p2 and hook: t: Pod x: p3"
            ),
        ]
    );
}

#[test]
fn a_declaration_that_one_of_the_finds_agrees_with_is_right() {
    let found = discovery(&[("a/e:1", Kind::Pod), ("a/e:2", Kind::Pod)]);
    assert_eq!(required(&found, &[rule("a/e:2")], &[], false).unwrap().images.len(), 2);
}

proptest::proptest! {
    #[test]
    fn any_text_is_searched_and_what_is_found_is_a_reference(text in "([a-z/:.@=$\"'{}, \\-\nä0-9]|image|hub: |tag: |repository: |docker\\.io/a/b:1){0,40}") {
        let found = config_map(&text).into_iter().chain(text::scan(&text, guess::Trust::Named).into_iter().map(|(_, image)| image));
        for image in found {
            proptest::prop_assert!(image.parse::<Reference>().is_ok(), "{image}");
        }
    }
}
