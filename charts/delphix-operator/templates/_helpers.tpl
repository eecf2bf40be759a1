{{- define "operator.selector" -}}
app.kubernetes.io/name: delphix-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* Where the databases are: with namespaces to watch, rights are given in these alone. */}}
{{- define "operator.roleKind" -}}{{ ternary "Role" "ClusterRole" (not (empty .Values.watchNamespaces)) }}{{- end -}}
