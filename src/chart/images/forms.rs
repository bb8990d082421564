//! Each form in which real charts write images has a test with its name, and so has each that only looks like one.

use super::discover;

/// `kind image` of every find, in their order.
fn finds(manifests: &str) -> Vec<String> {
    let discovery = discover("render", manifests).unwrap();
    discovery.found.iter().map(|f| format!("{} {}", f.kind.name(), f.image)).collect()
}

/// The finds of a pod whose container has these fields besides `image: a:1`.
fn container(fields: &str) -> Vec<String> {
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nspec: {{containers: [{{image: 'a:1', {fields}}}]}}\n"
    );
    finds(&pod).split_off(1)
}

/// The finds of a custom resource with this `spec`.
fn custom(spec: &str) -> Vec<String> {
    finds(&format!("apiVersion: example.org/v1\nkind: Thing\nmetadata: {{name: x}}\nspec: {spec}\n"))
}

/// The finds of a ConfigMap with this text in it.
fn text(text: &str) -> Vec<String> {
    file("config.yaml", text)
}

fn file(name: &str, text: &str) -> Vec<String> {
    let (name, text) = (serde_json::to_string(name).unwrap(), serde_json::to_string(text).unwrap());
    finds(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {{{name}: {text}}}\n"))
}

const NOTHING: [&str; 0] = [];

fn digest() -> String {
    format!("sha256:{}", "0a".repeat(32))
}

#[test]
fn related_images_in_environment() {
    let found = container(
        "env: [{name: RELATED_IMAGE_AGENT, value: 'quay.io/o/agent:devel'}, {name: RELATED_IMAGE_B, value: busybox:8}]",
    );
    assert_eq!(found, ["environment quay.io/o/agent:devel", "environment busybox:8"]);
}

#[test]
fn variables_that_speak_of_an_image_in_the_middle() {
    let found = container("env: [{name: IMAGE_PIPELINES_PROXY, value: 'ghcr.io/t/proxy:devel'}]");
    assert_eq!(found, ["environment ghcr.io/t/proxy:devel"]);
}

#[test]
fn a_version_and_its_image_a_line_in_environment() {
    let found = container(
        "env: [{name: KAFKA_IMAGES, value: \"4.2.0=q.io/s/kafka:0.5-kafka-4.2.0\\n4.3.0 = q.io/s/kafka@DIGEST\\n\"}]"
            .replace("DIGEST", &digest())
            .as_str(),
    );
    assert_eq!(
        found,
        ["environment q.io/s/kafka:0.5-kafka-4.2.0".to_owned(), format!("environment q.io/s/kafka@{}", digest())]
    );
}

#[test]
fn repository_and_tag_in_two_variables() {
    let found = container(
        "env: [{name: INIT_DB_IMAGE_REPOSITORY, value: q.io/m/init}, {name: INIT_DB_VERSION, value: 1.33.0}]",
    );
    assert_eq!(found, ["environment q.io/m/init:1.33.0"]);
}

#[test]
fn the_version_in_a_variable_with_a_shorter_name() {
    let found =
        container("env: [{name: PRODUCT_DATABASE_IMAGE, value: q.io/m/db}, {name: DATABASE_VERSION, value: 1.33.0}]");
    assert_eq!(found, ["environment q.io/m/db:1.33.0"]);
    let alone = container("env: [{name: DATABASE_IMAGE, value: q.io/m/db}, {name: VERSION, value: 1.33.0}]");
    assert_eq!(alone, ["environment q.io/m/db"], "a version of nothing in particular is not the image's");
}

#[test]
fn a_bare_name_whose_tag_stands_elsewhere_is_one_image() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{image: 'q.io/a/b:1', \
               env: [{name: IMAGE_NAME, value: q.io/a/b}, {name: IMAGE_TAG, value: ''}]}]}\n";
    assert_eq!(finds(pod), ["pod q.io/a/b:1"]);
}

#[test]
fn flag_and_value_as_two_arguments() {
    assert_eq!(
        container("command: [run, --helper-image], args: ['busybox:8', --x]"),
        NOTHING,
        "two lists are two lines"
    );
    assert_eq!(container("args: [--helper-image, 'busybox:8', --x, 'b:8']"), ["argument busybox:8"]);
    assert_eq!(
        container("args: [--engine-image, 'docker.io/l/engine:master-head']"),
        ["argument docker.io/l/engine:master-head"]
    );
}

#[test]
fn flag_with_an_equals_sign() {
    assert_eq!(
        container("args: ['--image=busybox:8', '-sidecar-image=s/i:edge']"),
        ["argument busybox:8", "argument s/i:edge"]
    );
}

#[test]
fn all_digit_tags_and_digests_in_arguments() {
    let found = container(&format!("args: ['--a-image=x/a:2024', '--b-image=x/b@{0}', 'q.io/x/c@{0}']", digest()));
    let pinned = digest();
    assert_eq!(
        found,
        ["argument x/a:2024".to_owned(), format!("argument x/b@{pinned}"), format!("argument q.io/x/c@{pinned}")]
    );
}

#[test]
fn a_script_as_argument() {
    let found = container(
        "command: [/bin/sh, -ec, \"exec run \\\\\\n  -consul-image=\\\"h.io/p/consul:2.1\\\" \\\\\\n  -k8s-image \\\"h.io/p/k8s:2.1\\\"\\n\"]",
    );
    assert_eq!(found, ["argument h.io/p/consul:2.1", "argument h.io/p/k8s:2.1"]);
}

#[test]
fn keys_that_end_in_image_in_text() {
    let versions =
        "versions:\n- version: 2.10.10\n  natsImage: nats:2.10.10\n  metricsExporterImage: n/exporter:0.14.0\n";
    assert_eq!(text(versions), ["config-map nats:2.10.10", "config-map n/exporter:0.14.0"]);
}

#[test]
fn the_value_on_the_next_line() {
    assert_eq!(text("image:\n  docker.io/a/b:8\n"), ["config-map docker.io/a/b:8"]);
    assert_eq!(text("{{ if .x }}\nimage:\n  busybox:8\n{{ end }}\n"), ["config-map busybox:8"]);
    assert_eq!(container("args: [\"image: |-\\n  busybox:8\"]"), ["argument busybox:8"]);
}

#[test]
fn an_injected_template_with_its_image_in_json() {
    let template = "{{- if .x }}\nspec:\n  initContainers:\n  - name: wait\n    image: busybox:1.28\n  containers:\n  - name: proxy\n    image: \"{{ .ProxyImage }}\"\n{{- end }}\n";
    let values = "{\"global\": {\"hub\": \"reg.io/release\", \"tag\": \"1.30.3\", \"proxy\": {\"image\": \"proxyv2\"}, \
                  \"proxy_init\": {\"image\": \"proxyv2\"}}}";
    assert_eq!(text(template), ["config-map busybox:1.28"]);
    assert_eq!(text(values), ["config-map reg.io/release/proxyv2:1.30.3", "config-map reg.io/release/proxyv2:1.30.3"]);
    let variant = values.replace("\"tag\"", "\"variant\": \"distroless\", \"tag\"");
    assert_eq!(text(&variant)[0], "config-map reg.io/release/proxyv2:1.30.3-distroless");
}

#[test]
fn a_base_with_names_and_tags_below_it() {
    let images = "base: quay.io/p\ncomponents:\n  server:\n    tag: v1.29\n    image: piraeus-server\n  loader:\n    tag: v9.2\n    image: noble\n    match:\n    - {osImage: Red Hat 7, image: centos7}\n";
    assert_eq!(
        text(images),
        [
            "config-map quay.io/p/piraeus-server:v1.29",
            "config-map quay.io/p/noble:v9.2",
            "config-map quay.io/p/centos7:v9.2"
        ]
    );
    assert_eq!(text("base: /etc/x\nserver: {tag: v1, image: a-server}\n"), ["config-map a-server:v1"]);
}

#[test]
fn keys_of_a_config_map_as_flat_settings() {
    assert_eq!(file("node.collector.imageRef", "ghcr.io/a/collector:0.3.1"), ["config-map ghcr.io/a/collector:0.3.1"]);
    let flat = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {trivy.repository: m.gcr.io/a/trivy, trivy.tag: '0.72'}\n";
    assert_eq!(finds(flat), ["config-map m.gcr.io/a/trivy:0.72"]);
}

#[test]
fn repository_image_and_version() {
    assert_eq!(
        custom("{driver: {repository: nvcr.io/n, image: driver, version: 595.91}}"),
        ["custom-resource nvcr.io/n/driver:595.91"]
    );
    let pinned = custom(&format!("{{repository: nvcr.io/n, image: driver, version: '{}'}}", digest()));
    assert_eq!(pinned, [format!("custom-resource nvcr.io/n/driver@{}", digest())]);
}

#[test]
fn an_image_and_its_default_version() {
    // As KServe has its explainers.
    let explainer = "{\"art\": {\"image\": \"kserve/art-explainer\", \"defaultImageVersion\": \"v0.20.0\"}}";
    assert_eq!(text(explainer), ["config-map kserve/art-explainer:v0.20.0"]);
    assert_eq!(custom("{defaultImageVersion: v1.2, owner: kserve/x}"), NOTHING);
}

#[test]
fn registry_repository_and_tag() {
    assert_eq!(
        custom("{image: {registry: quay.io, repository: a/b, tag: 1.20}}"),
        ["custom-resource quay.io/a/b:1.20"]
    );
}

#[test]
fn hub_image_and_tag() {
    assert_eq!(custom("{hub: reg.io/i, tag: 1.30, pilot: {image: pilot}}"), ["custom-resource reg.io/i/pilot:1.30"]);
}

#[test]
fn custom_resources_with_several_slashes() {
    assert_eq!(custom("{image: 'reg.io:5000/a/b/c/d:8'}"), ["custom-resource reg.io:5000/a/b/c/d:8"]);
    assert_eq!(
        custom("{image: {repository: ghcr.io/o/r/releases/k8s, tag: 0.158.0}}"),
        ["custom-resource ghcr.io/o/r/releases/k8s:0.158.0"]
    );
}

#[test]
fn custom_resources_that_take_the_operators_default() {
    let render = "apiVersion: example.org/v1\nkind: Prometheus\nmetadata: {name: p}\nspec: {version: v3.14.0}\n---\n\
                  apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: o}\nspec: {template: {spec: {containers: [{image: 'q.io/o:1', \
                  args: ['--prometheus-default-base-image=q.io/p/prometheus:v3.14.0', '--config-reloader=q.io/p/reloader:v0.93.1']}]}}}\n";
    assert_eq!(
        finds(render),
        ["pod q.io/o:1", "argument q.io/p/prometheus:v3.14.0", "argument q.io/p/reloader:v0.93.1"]
    );
}

#[test]
fn pods_inside_custom_resources() {
    let found = custom(
        "{template: {spec: {initContainers: [{name: i, image: alpine}], containers: [{name: c, image: 'x/y:1', \
                        env: [{name: LIB_IMAGE, value: 'ubuntu:16.04'}], args: [--image, 'z:8']}]}}}",
    );
    assert_eq!(found, ["custom-resource alpine", "custom-resource x/y:1", "environment ubuntu:16.04", "argument z:8"]);
}

// What only looks like an image.

#[test]
fn templates_that_are_not_filled_in() {
    for nothing in [
        "image: '{{ .hub }}/proxy:{{ .tag }}'\n",
        "image: \"q.io/a/b:{{ .tag }}\"\n",
        "image: {{ .image }}\n",
        "image: q.io/a/b:${TAG}\n",
    ] {
        assert_eq!(text(nothing), NOTHING, "{nothing}");
    }
}

#[test]
fn auto_and_bare_names() {
    assert_eq!(
        finds(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: istio-proxy, image: auto}]}\n"
        ),
        NOTHING
    );
    for nothing in ["image: auto\n", "image: proxyv2\n", "image: nginx\ntag: ''\n", "image: latest\n"] {
        assert_eq!(text(nothing), NOTHING, "{nothing}");
    }
}

#[test]
fn recording_rules() {
    let rules = "{groups: [{name: 'node.rules', rules: [{record: 'node:cpu:rate5m', expr: 'sum(rate(image:pulls:rate5m[5m])) by (image)'}, \
                 {alert: ImagePull, annotations: {summary: 'image q.io/a/b:1 is not pulled', description: 'pull q.io/a/b:1'}}]}]}";
    assert_eq!(custom(rules), NOTHING);
}

#[test]
fn roles_and_their_resources() {
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'x:images:core'}\n\
                rules: [{apiGroups: [image.openshift.io], resources: [imagestreams/layers, 'x/images:1.2'], verbs: [get]}]\n";
    assert_eq!(finds(role), NOTHING);
    assert_eq!(
        custom(
            "{permissions: [{resources: [deployments/scale, pods/exec], verbs: [get]}], role: 'system:image-puller'}"
        ),
        NOTHING
    );
}

#[test]
fn events_of_object_stores() {
    assert_eq!(
        custom("{events: ['s3:ObjectCreated:Put', 's3:ObjectRemoved:*'], arn: 'arn:aws:s3:::bucket/image:1'}"),
        NOTHING
    );
}

#[test]
fn urls_files_and_git_repositories() {
    for nothing in [
        "url: https://q.io/a/b:1\nimage: http://x.io/logo:2\n",
        "path: /var/lib/images/disk.img:1\nicon: x.io/static/logo.png:2\n",
        "repo: git@github.com:org/repo.git\nsource: github.com/org/repo:v1.2.3\nfile: x.io/src/main.go:120\n",
        "repository: https://charts.x.io\nversion: 1.2.3\n",
        "volume: /data/images:ro\nmount: data/images:/images\n",
    ] {
        assert_eq!(text(nothing), NOTHING, "{nothing}");
    }
}

#[test]
fn media_types_api_versions_and_labels() {
    for nothing in [
        "accept: application/vnd.oci.image.manifest.v1+json\nformat: image/svg:1.1\n",
        "apiVersion: apps/v1\nkind: Deployment\ngroup: apps/v1:1.2\n",
        "helm.sh/chart: images-1.2.3\nlabel: helm.sh/chart:images-1.2.3\n",
        "matchLabels: {app.kubernetes.io/name: image}\nselector: app.kubernetes.io/component:webhook-v1\n",
        "taint: node-role.kubernetes.io/edge:NoSchedule1\ngroup: argoproj.io/v1alpha1:Workflow1\n",
        "imagePullPolicy: IfNotPresent\nimageFormat: '2'\nimageTag: v1.2\nimageRegistry: q.io\n",
    ] {
        assert_eq!(text(nothing), NOTHING, "{nothing}");
    }
}

#[test]
fn files_for_people() {
    for name in ["README.md", "001-templates.json.example", "values.yaml.sample", "NOTES.txt", "_example"] {
        assert_eq!(file(name, "image: q.io/a/b:1\n"), NOTHING, "{name}");
    }
    assert_eq!(file("examples.yaml", "image: q.io/a/b:1\n"), ["config-map q.io/a/b:1"]);
}

#[test]
fn an_image_without_a_version_of_its_own_has_that_of_its_product() {
    let linkerd =
        "linkerdVersion: edge-26.8.1\ndebugContainer:\n  image: {name: cr.l5d.io/linkerd/debug, version: ''}\n";
    assert_eq!(text(linkerd), ["config-map cr.l5d.io/linkerd/debug:edge-26.8.1"]);
    assert_eq!(text(&linkerd.replace("linkerdVersion", "cliVersion")), NOTHING);
    assert_eq!(text(&linkerd.replace("image:", "owner:")), NOTHING);
    let pinned = linkerd.replace("''", "edge-1");
    assert_eq!(text(&pinned), ["config-map cr.l5d.io/linkerd/debug:edge-1"]);
}
