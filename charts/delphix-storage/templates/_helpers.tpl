{{/* The driver's name is part of the contract with users and the kubelet, so it is no value. */}}
{{- define "storage.driver" -}}defs.csi.delphix.com{{- end -}}

{{/* The next two take a list: the chart's root and the component's name. What a selector holds never changes between versions. */}}
{{- define "storage.selector" -}}
app.kubernetes.io/name: {{ last . }}
app.kubernetes.io/instance: {{ (first .).Release.Name }}
{{- end -}}

{{- define "storage.labels" -}}
{{- $root := first . -}}
{{ include "storage.selector" . }}
app.kubernetes.io/part-of: delphix-storage
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
{{- end -}}

{{/* Takes a list: the chart's root and one of .Values.images. */}}
{{- define "storage.image" -}}
{{- $image := last . -}}
{{ $image.repository }}:{{ $image.tag | default (first .).Chart.AppVersion }}
{{- end -}}

{{/* The namespaces whose Secret the engine fills in. */}}
{{- define "storage.credentialNamespaces" -}}
{{- $operator := .Values.operatorNamespace -}}
{{ .Release.Namespace }}{{ if and $operator (ne $operator .Release.Namespace) }},{{ $operator }}{{ end }}
{{- end -}}
