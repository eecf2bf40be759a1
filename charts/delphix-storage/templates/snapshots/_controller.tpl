{{/*
Whether this release installs a snapshot-controller: "true" or "". A cluster has one for all drivers, so with install=auto one that
stands is left alone. Rendered without a cluster (helm template) nothing stands.
*/}}
{{- define "storage.installsSnapshotController" -}}
{{- $install := .Values.snapshots.controller.install -}}
{{- if .Values.snapshots.enabled -}}
{{- if eq $install "always" -}}true
{{- else if and (eq $install "auto") (not (include "storage.foreignSnapshotController" .)) -}}true
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
What shows that somebody else's snapshot-controller serves this cluster; "" where nothing does: a Deployment of its image, the lease
that it renews (all that a managed control plane shows), or definitions of VolumeSnapshot that this chart has not brought.
*/}}
{{- define "storage.foreignSnapshotController" -}}
{{- $release := .Release -}}
{{- $found := "" -}}
{{- $definition := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "volumesnapshots.snapshot.storage.k8s.io" -}}
{{- if and $definition (ne (dig "metadata" "labels" "app.kubernetes.io/part-of" "" $definition) "delphix-storage") -}}
{{- $found = "its definition of VolumeSnapshot" -}}
{{- end -}}
{{- range (lookup "coordination.k8s.io/v1" "Lease" "" "").items -}}
{{- if eq .metadata.name "snapshot-controller-leader" -}}
{{- $renewed := toDate "2006-01-02T15:04:05Z07:00" (.spec.renewTime | default "1970-01-01T00:00:00Z") | unixEpoch | int64 -}}
{{- if gt $renewed (sub (now | unixEpoch | int64) 300) -}}
{{- $found = printf "Lease %s/%s" .metadata.namespace .metadata.name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range (lookup "apps/v1" "Deployment" "" "").items -}}
{{- $place := printf "%s/%s" .metadata.namespace .metadata.name -}}
{{- $annotations := .metadata.annotations | default dict -}}
{{- $ours := and (eq (get $annotations "meta.helm.sh/release-name") $release.Name) (eq (get $annotations "meta.helm.sh/release-namespace") $release.Namespace) -}}
{{- range .spec.template.spec.containers -}}
{{- if and (not $ours) (regexMatch "(^|/)(csi-)?snapshot-controller([:@]|$)" .image) -}}
{{- $found = printf "Deployment %s" $place -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}
