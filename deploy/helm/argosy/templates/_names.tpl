{{- define "argosy.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "argosy.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "argosy.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "argosy.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "argosy.serviceAccountName" -}}
{{- default (include "argosy.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "argosy.selectorLabels" -}}
app.kubernetes.io/name: {{ include "argosy.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: hub
{{- end }}

{{- define "argosy.labels" -}}
{{ include "argosy.labelsOf" (list "argosy" .) }}
{{- end }}

{{/* A hub reads the settings that are labelled as Argo CD's, and no others. */}}
{{- define "argosy.settingsLabels" -}}
{{ include "argosy.labelsOf" (list "argocd" .) }}
{{- end }}

{{- define "argosy.labelsOf" -}}
{{- $partOf := index . 0 }}
{{- with index . 1 -}}
{{ include "argosy.selectorLabels" . }}
app.kubernetes.io/part-of: {{ $partOf }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}
{{- end }}

{{- define "argosy.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Not empty where there are several hubs. */}}
{{- define "argosy.several" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) }}true{{ end }}
{{- end }}
