{{/* The reference of an image: the values under `image`, the chart under `chart`. An empty registry is docker.io's. */}}
{{- define "common.images.image" -}}
{{- $tag := default .chart.AppVersion .image.tag | toString -}}
{{- if .image.digest -}}
{{- printf "%s/%s@%s" .image.registry .image.repository .image.digest -}}
{{- else if .image.registry -}}
{{- printf "%s/%s:%s" .image.registry .image.repository $tag -}}
{{- else -}}
{{- printf "%s:%s" .image.repository $tag -}}
{{- end -}}
{{- end -}}
