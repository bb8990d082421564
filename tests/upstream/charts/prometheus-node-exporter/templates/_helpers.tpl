{{/* The tag follows the chart's appVersion and says when there is no shell inside. */}}
{{- define "node-exporter.tag" -}}
{{- $tag := default (printf "v%s" .Chart.AppVersion) .Values.image.tag -}}
{{- if .Values.image.distroless }}{{ $tag }}-distroless{{ else }}{{ $tag }}{{ end -}}
{{- end -}}
