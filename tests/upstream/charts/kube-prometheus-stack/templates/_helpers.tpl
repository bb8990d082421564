{{- define "stack.fullname" -}}
{{- default (printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride)) .Values.fullnameOverride | trunc 26 | trimSuffix "-" -}}
{{- end -}}

{{- define "stack.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
release: {{ .Release.Name | quote }}
{{- end -}}

{{/* A list of the root, an image's values and the tag that it has when they name none. */}}
{{- define "stack.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := default $image.registry $root.Values.global.imageRegistry -}}
{{- $tag := default (index . 2) $image.tag -}}
{{- printf "%s/%s:%s" $registry $image.repository $tag -}}
{{- with $image.sha }}@sha256:{{ . }}{{ end -}}
{{- end -}}
