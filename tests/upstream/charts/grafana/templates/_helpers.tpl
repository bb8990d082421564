{{- define "grafana.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{ default $image.registry $root.Values.global.imageRegistry }}/{{ $image.repository }}:{{ default $root.Chart.AppVersion $image.tag }}
{{- end -}}
